//! Patch operations of the first version: read, told apart, refused in AWS's two families of words.
//!
//! AWS: API reference, "PatchOperation"; "Patch operations" of the guide.

use crate::call::Call;
use crate::error::{Constraints, Error};

/// `op`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Remove,
    Replace,
    Copy,
    Move,
    Test,
}

const OPS: [&str; 6] = ["add", "remove", "move", "test", "replace", "copy"];

impl Op {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "add" => Op::Add,
            "remove" => Op::Remove,
            "replace" => Op::Replace,
            "copy" => Op::Copy,
            "move" => Op::Move,
            "test" => Op::Test,
            _ => return None,
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Remove => "remove",
            Op::Replace => "replace",
            Op::Copy => "copy",
            Op::Move => "move",
            Op::Test => "test",
        }
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) op: Op,
    /// As it was sent; `None` if it wasn't.
    pub(crate) path: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) from: Option<String>,
}

impl Patch {
    /// The path, or `null` as AWS's texts have it.
    pub(crate) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("null")
    }

    /// What follows a prefix, unescaped as one name: `/requestParameters/` of `/requestParameters/a~1b`.
    pub(crate) fn name_below(&self, prefix: &str) -> Option<String> {
        let name = self.path.as_deref()?.strip_prefix(prefix)?;
        (!name.is_empty()).then(|| unescape(name))
    }

    /// The value, or an empty text.
    pub(crate) fn text(&self) -> String {
        self.value.clone().unwrap_or_default()
    }

    /// The value, `None` where it is absent or empty.
    pub(crate) fn filled(&self) -> Option<String> {
        self.value.clone().filter(|value| !value.is_empty())
    }

    /// The value as a flag: anything but `true` in any case is false (recorded).
    pub(crate) fn flag(&self) -> bool {
        self.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Refuses unless the operation is one of `ops`, in the words of the second family.
    pub(crate) fn only(&self, ops: &[Op]) -> Result<(), Error> {
        if ops.contains(&self.op) {
            return Ok(());
        }
        Err(match ops {
            [op] => Error::bad_request(format!(
                "Invalid patch operation specified. Must be one of: [{}]",
                op.as_str()
            )),
            _ => Error::bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'"),
        })
    }
}

/// The operations of a call. None at all is an empty list.
pub(crate) fn read(call: &Call<'_>) -> Result<Vec<Patch>, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let mut patches = Vec::new();
    for item in input.objects("patchOperations")?.unwrap_or_default() {
        let op = item.word("op", Op::from_word, &OPS, &mut constraints)?;
        let patch = Patch {
            op: op.unwrap_or(Op::Test),
            path: item.string("path")?,
            value: item.string("value")?,
            from: item.string("from")?,
        };
        patches.push(patch);
    }
    constraints.finish()?;
    Ok(patches)
}

/// Refuses a path that a resource of the first family doesn't have, or an operation other than `replace`.
pub(crate) fn one_of<'a>(patch: &'a Patch, paths: &[&str]) -> Result<&'a str, Error> {
    let (op, path) = (patch.op.as_str(), patch.path());
    if !paths.contains(&path) {
        return Err(Error::bad_request(format!(
            "Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{}]",
            paths.join(", ")
        )));
    }
    if patch.op != Op::Replace {
        return Err(unsupported(patch));
    }
    Ok(path)
}

/// The first family's refusal of an operation.
pub(crate) fn unsupported(patch: &Patch) -> Error {
    let (op, path) = (patch.op.as_str(), patch.path());
    Error::bad_request(format!(
        "Invalid patch path  '{path}' specified for op '{op}'. Please choose supported operations"
    ))
}

/// The second family's refusal of a path.
pub(crate) fn no_path(patch: &Patch) -> Error {
    Error::bad_request(format!("Invalid patch path {}", patch.path()))
}

/// `~1` is `/`, `~0` is `~` (RFC 6901 §4).
pub(crate) fn unescape(text: &str) -> String {
    text.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(op: Op, path: &str) -> Patch {
        Patch { op, path: Some(path.to_owned()), value: None, from: None }
    }

    #[test]
    fn names_are_unescaped() {
        let found = patch(Op::Add, "/binaryMediaTypes/image~1png");
        assert_eq!(found.name_below("/binaryMediaTypes/").as_deref(), Some("image/png"));
        assert_eq!(patch(Op::Add, "/binaryMediaTypes/").name_below("/binaryMediaTypes/"), None);
        assert_eq!(unescape("a~01b"), "a~1b");
    }

    #[test]
    fn the_families_have_their_words() {
        let message = |result: Result<&str, Error>| result.expect_err("refused").message;
        let paths = ["/name", "/description"];
        assert_eq!(
            message(one_of(&patch(Op::Replace, "/x"), &paths)),
            "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/name, /description]"
        );
        assert_eq!(
            message(one_of(&patch(Op::Add, "/name"), &paths)),
            "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations"
        );
        assert_eq!(
            patch(Op::Add, "/x").only(&[Op::Replace]).expect_err("refused").message,
            "Invalid patch operation specified. Must be one of: [replace]"
        );
    }
}
