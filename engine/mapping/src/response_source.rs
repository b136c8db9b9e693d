//! Right sides of response mappings.

use codec::h1::ResponseHead;
use context::{ContextVariable, Facts};

use crate::expression::{ExpressionError, Scope, check_name, literal};
use crate::request_source::{Common, FieldName, common, join};

/// A compiled source of a response mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseSource {
    /// `'text'`, or a stage variable.
    Literal(Box<[u8]>),
    /// `integration.response.header.N`: the last value.
    Header(FieldName),
    /// `integration.response.multivalueheader.N`: all values, joined with `,`.
    MultiValueHeader(FieldName),
    /// `context.…`
    Context(ContextVariable),
}

impl ResponseSource {
    /// Compiles an expression. `None` means that it never yields a value on this stage.
    ///
    /// # Errors
    /// See [`ExpressionError`].
    pub fn parse(expression: &str, scope: &Scope<'_>) -> Result<Option<Self>, ExpressionError> {
        if let Some(literal) = literal(expression) {
            return literal.map(|text| Some(ResponseSource::Literal(text)));
        }
        if let Some(common) = common(expression, scope) {
            return common.map(|source| {
                source.map(|source| match source {
                    Common::Literal(text) => ResponseSource::Literal(text),
                    Common::Context(variable) => ResponseSource::Context(variable),
                })
            });
        }
        let invalid = || ExpressionError::Invalid(expression.to_owned());
        let rest = expression.strip_prefix("integration.response.").ok_or_else(invalid)?;
        if rest == "body" || rest.starts_with("body.") {
            return Err(ExpressionError::Unsupported(expression.to_owned()));
        }
        let (location, name) = rest.split_once('.').ok_or_else(invalid)?;
        check_name(name, expression)?;
        match location {
            "header" => Ok(Some(ResponseSource::Header(FieldName::new(name)))),
            "multivalueheader" => Ok(Some(ResponseSource::MultiValueHeader(FieldName::new(name)))),
            _ => Err(invalid()),
        }
    }

    /// Appends the value; false if there is none. A mock has no backend's head and so no fields.
    pub fn write(&self, facts: &Facts<'_>, head: Option<&ResponseHead>, out: &mut Vec<u8>) -> bool {
        match self {
            ResponseSource::Literal(text) => {
                out.extend_from_slice(text);
                true
            }
            ResponseSource::Header(name) => {
                let Some(head) = head else { return false };
                let last = head.fields().iter().rfind(|field| name.is(field.known, head.name(field)));
                last.map(|field| out.extend_from_slice(head.value(field))).is_some()
            }
            ResponseSource::MultiValueHeader(name) => {
                let Some(head) = head else { return false };
                let named = head.fields().iter().filter(|field| name.is(field.known, head.name(field)));
                join(named.map(|field| head.value(field)), out)
            }
            ResponseSource::Context(variable) => facts.write(*variable, out),
        }
    }
}
