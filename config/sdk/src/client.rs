//! What a client of an API can do, whatever the language.

use model::{AuthorizationType, Definition, Method};
use vocabulary::MethodKey;

use crate::{Language, names};

/// Verbs of an `ANY` method, as AWS's clients have them.
const VERBS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// An API as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Name of the API.
    pub title: String,
    /// Its description, or nothing.
    pub description: String,
    /// Where it is served, without a slash at the end.
    pub url: String,
    /// Region of its signatures.
    pub region: String,
    pub(crate) operations: Vec<Operation>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// As AWS or the author names it; languages make an identifier of it.
    pub(crate) name: String,
    pub(crate) verb: &'static str,
    /// With `{variables}`.
    pub(crate) path: String,
    /// Variables of the path; whether one is greedy.
    pub(crate) path_parameters: Vec<(String, bool)>,
    /// Names, and whether they are required.
    pub(crate) query: Vec<(String, bool)>,
    pub(crate) headers: Vec<(String, bool)>,
    pub(crate) has_body: bool,
    pub(crate) is_signed: bool,
    pub(crate) needs_key: bool,
}

impl Client {
    /// Reads a definition: every method is a call.
    #[must_use]
    pub fn new(
        title: &str,
        description: Option<&str>,
        definition: &Definition,
        url: &str,
        region: &str,
    ) -> Self {
        let mut operations = Vec::new();
        for (path, resource) in &definition.resources {
            for (key, method) in &resource.methods {
                let verbs = VERBS.into_iter().filter(|verb| match key {
                    // A method of its own wins over ANY.
                    MethodKey::Any => !resource.methods.keys().any(|other| other.as_str() == *verb),
                    key => key.as_str() == *verb,
                });
                operations.extend(verbs.map(|verb| operation(path, verb, method)));
            }
        }
        Client {
            title: title.to_owned(),
            description: description.unwrap_or_default().to_owned(),
            url: url.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            operations,
        }
    }

    /// How many calls it has.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// The operations with the names that a language gives them, each its own.
    pub(crate) fn named(&self, language: Language) -> Vec<(String, &Operation)> {
        let mut unique = names::Unique::default();
        if language == Language::JavaScript {
            // One would change what the client's object is, the other make it a promise.
            unique.name("__proto__".to_owned());
            unique.name("then".to_owned());
        }
        let name = |operation: &Operation| match language {
            Language::JavaScript => names::camel(&operation.name),
            Language::Python => names::snake(&operation.name),
        };
        self.operations.iter().map(|operation| (unique.name(name(operation)), operation)).collect()
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.operations.iter().any(|operation| operation.is_signed)
    }
}

fn operation(path: &str, verb: &'static str, method: &Method) -> Operation {
    let named = method.operation_name.as_deref().filter(|name| !name.is_empty());
    let variables = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path_parameters = variables.map(|name| match name.strip_suffix('+') {
        Some(greedy) => (greedy.to_owned(), true),
        None => (name.to_owned(), false),
    });
    let of = |place: &str| {
        let prefix = format!("method.request.{place}.");
        let found = method.request_parameters.iter();
        found
            .filter_map(|(name, required)| Some((name.strip_prefix(&prefix)?.to_owned(), *required)))
            .collect::<Vec<_>>()
    };
    Operation {
        name: named.map_or_else(|| names::of_method(path, verb), str::to_owned),
        verb,
        path: path.to_owned(),
        path_parameters: path_parameters.collect(),
        query: of("querystring"),
        headers: of("header"),
        has_body: !matches!(verb, "GET" | "HEAD" | "OPTIONS") || !method.request_models.is_empty(),
        is_signed: method.authorization_type == AuthorizationType::AwsIam,
        needs_key: method.api_key_required,
    }
}
