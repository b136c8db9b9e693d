//! Which method and path is which operation.

use crate::call::{Call, Reply};
use crate::error::Error;
use crate::query::{Query, decode};
use crate::{v1, v2};

/// What an operation does.
pub(crate) type Handler = fn(&mut Call<'_>) -> Result<Reply, Error>;

/// One operation of the API reference.
pub(crate) struct Operation {
    /// Its name.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// Its path, labels in braces; the last label takes the rest of the path if it ends in `+`.
    pub(crate) template: &'static str,
    /// `mode=import` tells it from another with the same method and path.
    pub(crate) import: bool,
    pub(crate) handler: Handler,
}

impl Operation {
    /// An operation.
    pub(crate) const fn new(
        name: &'static str,
        method: &'static str,
        template: &'static str,
        handler: Handler,
    ) -> Self {
        Operation { name, method, template, import: false, handler }
    }

    /// The same for `mode=import` alone; it stands before the one without.
    pub(crate) const fn importing(mut self) -> Self {
        self.import = true;
        self
    }
}

/// A path matched.
pub(crate) struct Matched {
    pub(crate) operation: &'static Operation,
    pub(crate) labels: Vec<(&'static str, String)>,
}

/// Every operation there is.
fn all() -> impl Iterator<Item = &'static Operation> {
    v1::OPERATIONS.iter().copied().chain([v2::OPERATIONS]).flatten()
}

/// Finds the operation of a method and a raw path.
pub(crate) fn find(method: &str, path: &str, query: &Query) -> Option<Matched> {
    let importing = query.get("mode") == Some("import");
    let fits = |operation: &&Operation| operation.method == method && (!operation.import || importing);
    all()
        .filter(fits)
        .find_map(|operation| labels(operation.template, path).map(|labels| Matched { operation, labels }))
}

fn labels(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut found = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    // A trailing slash is forgiven.
    rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut parts = template[1..].split('/').peekable();
    while let Some(part) = parts.next() {
        let label = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some(name) = label.and_then(|label| label.strip_suffix('+')) {
            found.push((name, decode(rest)));
            return (!rest.is_empty()).then_some(found);
        }
        let (segment, tail) = rest.split_once('/').unwrap_or((rest, ""));
        let more = rest.len() > segment.len();
        match label {
            Some(name) if !segment.is_empty() => found.push((name, decode(segment))),
            None if segment == part => {}
            _ => return None,
        }
        if more != parts.peek().is_some() {
            return None;
        }
        rest = tail;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_decoded_once() {
        let found = |template, path| {
            labels(template, path)
                .map(|labels| labels.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        let strings = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(found("/restapis", "/restapis"), strings(&[]));
        assert_eq!(found("/restapis", "/restapis/a"), None);
        assert_eq!(found("/restapis/{a}", "/restapis"), None);
        assert_eq!(found("/restapis/{a}/models/{m}", "/restapis/x/models/a%2525"), strings(&["x", "a%25"]));
        assert_eq!(found("/tags/{arn+}", "/tags/arn%3Aaws%2Fx"), strings(&["arn:aws/x"]));
        assert_eq!(found("/tags/{arn+}", "/tags/arn:aws/x"), strings(&["arn:aws/x"]));
        assert_eq!(found("/tags/{arn+}", "/tags/"), None);
    }

    #[test]
    fn no_two_operations_are_the_same() {
        let all: Vec<&Operation> = all().collect();
        for (index, operation) in all.iter().enumerate() {
            let first = all.iter().position(|other| {
                (other.method, other.template, other.import)
                    == (operation.method, operation.template, operation.import)
            });
            assert_eq!(first, Some(index), "{}", operation.name);
        }
    }
}
