//! Right sides of request mappings: where a value comes from.

use codec::h1::RequestHead;
use context::{ContextVariable, Facts};
use vocabulary::KnownField;

use crate::expression::{ExpressionError, Scope, check_name, literal};
use crate::query;
use vocabulary::percent;

/// A compiled source of a request mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestSource {
    /// `'text'`, or a stage variable, which is settled at deployment.
    Literal(Box<[u8]>),
    /// `method.request.path.N`: a path variable by its place in the template.
    Path(usize),
    /// `method.request.querystring.N`: the last value.
    QueryString(Box<[u8]>),
    /// `method.request.multivaluequerystring.N`: all values.
    MultiValueQueryString(Box<[u8]>),
    /// `method.request.header.N`: the last value.
    Header(FieldName),
    /// `method.request.multivalueheader.N`: all values, joined with `,`.
    MultiValueHeader(FieldName),
    /// `context.…`
    Context(ContextVariable),
}

/// A field name of an expression: compared as it is written, case included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    known: KnownField,
    name: Box<[u8]>,
}

impl FieldName {
    pub(crate) fn new(name: &str) -> Self {
        FieldName { known: KnownField::of(name.as_bytes()), name: name.as_bytes().into() }
    }

    /// Whether a field of a head has this name.
    pub(crate) fn is(&self, known: KnownField, name: &[u8]) -> bool {
        self.known == known && *self.name == *name
    }

    fn values<'a>(&'a self, head: &'a RequestHead) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        let named = head.fields().iter().filter(|field| self.is(field.known, head.name(field)));
        let values = named.map(|field| head.value(field));
        // A signature made for the gateway is removed before anything sees it (documented).
        values.filter(|value| self.known != KnownField::Authorization || !value.starts_with(b"AWS4-"))
    }
}

/// Fields that vanish when a request is parsed: no mapping ever sees them (recorded).
fn is_removed(known: KnownField) -> bool {
    matches!(
        known,
        KnownField::Connection
            | KnownField::ContentLength
            | KnownField::ContentMd5
            | KnownField::Expect
            | KnownField::MaxForwards
            | KnownField::ProxyAuthenticate
            | KnownField::Server
            | KnownField::Te
            | KnownField::TransferEncoding
            | KnownField::Trailer
            | KnownField::Upgrade
            | KnownField::WwwAuthenticate
    )
}

impl RequestSource {
    /// Compiles an expression. `None` means that it never yields a value on this stage: the mapping is dropped.
    ///
    /// # Errors
    /// See [`ExpressionError`].
    pub fn parse(expression: &str, scope: &Scope<'_>) -> Result<Option<Self>, ExpressionError> {
        if let Some(literal) = literal(expression) {
            return literal.map(|text| Some(RequestSource::Literal(text)));
        }
        if let Some(common) = common(expression, scope) {
            return common.map(|source| {
                source.map(|source| match source {
                    Common::Literal(text) => RequestSource::Literal(text),
                    Common::Context(variable) => RequestSource::Context(variable),
                })
            });
        }
        let invalid = || ExpressionError::Invalid(expression.to_owned());
        let rest = expression.strip_prefix("method.request.").ok_or_else(invalid)?;
        if rest == "body" || rest.starts_with("body.") {
            return Err(ExpressionError::Unsupported(expression.to_owned()));
        }
        let (location, name) = rest.split_once('.').ok_or_else(invalid)?;
        check_name(name, expression)?;
        let bytes = || Box::from(name.as_bytes());
        let visible = !is_removed(KnownField::of(name.as_bytes()));
        Ok(match location {
            "path" => {
                let place = scope.path_variables.iter().position(|variable| variable == name);
                place.map(RequestSource::Path)
            }
            "querystring" => Some(RequestSource::QueryString(bytes())),
            "multivaluequerystring" => Some(RequestSource::MultiValueQueryString(bytes())),
            "header" => visible.then(|| RequestSource::Header(FieldName::new(name))),
            "multivalueheader" => visible.then(|| RequestSource::MultiValueHeader(FieldName::new(name))),
            _ => return Err(invalid()),
        })
    }

    /// Appends the decoded value; false if there is none, and nothing is appended.
    pub fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>) -> bool {
        let request = &facts.exchange.request;
        match self {
            RequestSource::Literal(text) => {
                out.extend_from_slice(text);
                true
            }
            RequestSource::Path(index) => {
                let raw = facts.exchange.path_parameter(*index);
                raw.map(|raw| percent::decode_path(raw, out)).is_some()
            }
            RequestSource::QueryString(name) => {
                let last = request.query().and_then(|query| query::values(query, name).next_back());
                last.map(|raw| percent::decode_query(raw, out)).is_some()
            }
            RequestSource::MultiValueQueryString(name) => {
                let query = request.query().unwrap_or_default();
                let mut found = false;
                for raw in query::values(query, name) {
                    if std::mem::replace(&mut found, true) {
                        out.push(b',');
                    }
                    percent::decode_query(raw, out);
                }
                found
            }
            RequestSource::Header(name) => {
                let last = name.values(request).next_back();
                last.map(|value| out.extend_from_slice(value)).is_some()
            }
            RequestSource::MultiValueHeader(name) => join(name.values(request), out),
            RequestSource::Context(variable) => facts.write(*variable, out),
        }
    }

    /// Appends the value encoded for a path.
    pub fn write_into_path(&self, facts: &Facts<'_>, out: &mut Vec<u8>) -> bool {
        if let RequestSource::Path(index) = self {
            let raw = facts.exchange.path_parameter(*index);
            return raw.map(|raw| percent::recode_path(raw, out)).is_some();
        }
        let mut decoded = Vec::new();
        let found = self.write(facts, &mut decoded);
        percent::encode_path(&decoded, out);
        found
    }

    /// Appends the value encoded for a query.
    pub fn write_into_query(&self, facts: &Facts<'_>, out: &mut Vec<u8>) -> bool {
        let mut decoded = Vec::new();
        let found = self.write(facts, &mut decoded);
        percent::encode_query(&decoded, out);
        found
    }

    /// Appends `name=value`, once per value of a list; `separate` writes what goes before each.
    pub fn write_as_parameters(
        &self,
        name: &[u8],
        facts: &Facts<'_>,
        out: &mut Vec<u8>,
        mut separate: impl FnMut(&mut Vec<u8>),
    ) {
        if let RequestSource::MultiValueQueryString(source) = self {
            let query = facts.exchange.request.query().unwrap_or_default();
            for raw in query::values(query, source) {
                separate(out);
                percent::encode_query(name, out);
                out.push(b'=');
                let mut decoded = Vec::new();
                percent::decode_query(raw, &mut decoded);
                percent::encode_query(&decoded, out);
            }
            return;
        }
        let mut decoded = Vec::new();
        if self.write(facts, &mut decoded) {
            separate(out);
            percent::encode_query(name, out);
            out.push(b'=');
            percent::encode_query(&decoded, out);
        }
    }
}

/// Sources that requests and responses share.
pub(crate) enum Common {
    Literal(Box<[u8]>),
    Context(ContextVariable),
}

/// Compiles `stageVariables.x` and `context.x`; `None` if the expression is neither.
pub(crate) fn common(expression: &str, scope: &Scope<'_>) -> Option<Result<Option<Common>, ExpressionError>> {
    if let Some(name) = expression.strip_prefix("stageVariables.") {
        if let Err(error) = check_name(name, expression) {
            return Some(Err(error));
        }
        let value = scope.stage_variables.get(name);
        return Some(Ok(value.map(|value| Common::Literal(value.as_bytes().into()))));
    }
    let name = expression.strip_prefix("context.")?;
    // What has no value here has none on this route either way: the mapping is dropped.
    Some(check_name(name, expression).map(|()| ContextVariable::from_name(name).map(Common::Context)))
}

/// Joins values with `,`; false if there are none.
pub(crate) fn join<'a>(values: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) -> bool {
    let mut found = false;
    for value in values {
        if std::mem::replace(&mut found, true) {
            out.push(b',');
        }
        out.extend_from_slice(value);
    }
    found
}
