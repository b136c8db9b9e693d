//! Integration responses: which one applies, and what the client gets.

use std::collections::BTreeMap;
use std::sync::Arc;

use integration::header::{self, REMAPPED, Return};
use mapping::{ResponseSource, ResponseTarget, Scope, Selection};
use vocabulary::KnownField;
use vocabulary::template::first_directive;

use crate::error::CompileError;

/// The responses of one integration.
#[derive(Clone, Debug, Default)]
pub struct ResponsesPlan {
    /// Status to response.
    pub selection: Selection,
    /// The responses, in ascending order of their status codes.
    pub responses: Vec<ResponsePlan>,
}

/// One response.
#[derive(Clone, Debug)]
pub struct ResponsePlan {
    /// Status that the client gets.
    pub status: u16,
    /// The method response exists; without it the request is refused (500).
    pub is_declared: bool,
    /// Fields. Those without effect aren't here.
    pub headers: Vec<ResponseHeader>,
    /// Its templates, in the API's order.
    pub templates: Vec<ResponseTemplate>,
}

/// A literal response template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseTemplate {
    /// Media type.
    pub media_type: Box<str>,
    /// The body; `None` passes the backend's body on.
    pub body: Option<Arc<[u8]>>,
}

/// `method.response.header.N` ← source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHeader {
    /// Name as it is returned, renamed where the rules say so.
    pub name: Box<[u8]>,
    /// The field it is returned as, if a rule asks about it.
    pub known: KnownField,
    /// Where the value comes from.
    pub source: ResponseSource,
}

/// A response as the API has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseSpec {
    /// `selectionPattern`; `None` or empty for the default.
    pub selection_pattern: Option<String>,
    /// `statusCode`
    pub status: u16,
    /// The method declares a response of this status.
    pub is_declared: bool,
    /// `responseParameters`
    pub parameters: BTreeMap<String, String>,
    /// `responseTemplates`: media type and literal text, in the API's order.
    pub templates: Vec<(String, String)>,
}

impl ResponsesPlan {
    /// Compiles the responses of an integration, given in any order.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn compile(mut specs: Vec<ResponseSpec>, scope: &Scope<'_>) -> Result<Self, CompileError> {
        // Several matches resolve in this order (ours; the service's is unknown).
        specs.sort_by_key(|spec| spec.status);
        let selection = Selection::compile(specs.iter().map(|spec| spec.selection_pattern.as_deref()))?;
        let responses = specs.iter().map(|spec| compile(spec, scope)).collect::<Result<_, _>>()?;
        Ok(ResponsesPlan { selection, responses })
    }

    /// The response for a status.
    #[must_use]
    pub fn select(&self, status: i64) -> Option<&ResponsePlan> {
        self.responses.get(self.selection.select(status)?)
    }
}

fn compile(spec: &ResponseSpec, scope: &Scope<'_>) -> Result<ResponsePlan, CompileError> {
    if !(200..600).contains(&spec.status) {
        return Err(CompileError::Status(spec.status));
    }
    let mut headers = Vec::new();
    for (target, expression) in &spec.parameters {
        let refused = |error| CompileError::Parameter { target: target.clone(), error };
        let ResponseTarget(name) = ResponseTarget::parse(target).map_err(refused)?;
        let Some(source) = ResponseSource::parse(expression, scope).map_err(refused)? else { continue };
        let known = KnownField::of(name.as_bytes());
        match header::response_target(known) {
            Return::Pass => headers.push(ResponseHeader { name: name.into_bytes().into(), known, source }),
            Return::Remap => {
                let name = [REMAPPED, name.as_bytes()].concat().into();
                headers.push(ResponseHeader { name, known: KnownField::Other, source });
            }
            Return::Drop => {}
        }
    }
    let template = |(media_type, text): &(String, String)| match first_directive(text) {
        Some(at) => Err(CompileError::Template { media_type: media_type.clone(), at }),
        // An empty template passes the body on (guide).
        None => Ok(ResponseTemplate {
            media_type: media_type.as_str().into(),
            body: (!text.is_empty()).then(|| text.as_bytes().into()),
        }),
    };
    let templates = spec.templates.iter().map(template).collect::<Result<_, _>>()?;
    Ok(ResponsePlan { status: spec.status, is_declared: spec.is_declared, headers, templates })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(pattern: Option<&str>, status: u16) -> ResponseSpec {
        let selection_pattern = pattern.map(str::to_owned);
        ResponseSpec { selection_pattern, status, is_declared: true, ..ResponseSpec::default() }
    }

    fn scope_compile(specs: Vec<ResponseSpec>) -> Result<ResponsesPlan, CompileError> {
        let variables = BTreeMap::new();
        ResponsesPlan::compile(specs, &Scope { path_variables: &[], stage_variables: &variables })
    }

    #[test]
    fn the_lowest_status_wins_among_several_matches() {
        let specs = vec![spec(Some(r"4\d{2}"), 502), spec(Some("404"), 404), spec(None, 200)];
        let plan = scope_compile(specs).expect("compiles");
        assert_eq!(plan.select(404).map(|response| response.status), Some(404));
        assert_eq!(plan.select(400).map(|response| response.status), Some(502));
        assert_eq!(plan.select(500).map(|response| response.status), Some(200));
    }

    #[test]
    fn targets_follow_the_recorded_table() {
        let mut one = spec(None, 200);
        for name in ["Server", "Content-Type", "Transfer-Encoding", "X-Mine"] {
            one.parameters.insert(format!("method.response.header.{name}"), "'v'".to_owned());
        }
        let plan = scope_compile(vec![one]).expect("compiles");
        let names: Vec<_> =
            plan.responses[0].headers.iter().map(|header| String::from_utf8_lossy(&header.name)).collect();
        assert_eq!(names, ["Content-Type", "x-amzn-Remapped-Server", "X-Mine"]);
    }

    #[test]
    fn informational_statuses_and_live_templates_are_refused() {
        assert_eq!(scope_compile(vec![spec(None, 101)]).err(), Some(CompileError::Status(101)));
        let mut live = spec(None, 200);
        live.templates.push(("application/json".to_owned(), "{\"a\": $b}".to_owned()));
        assert!(matches!(scope_compile(vec![live]), Err(CompileError::Template { at: 6, .. })));
    }
}
