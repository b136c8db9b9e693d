//! Where a mapping writes to.

use crate::expression::{ExpressionError, check_name};

/// Left side of a request mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestTarget {
    /// `integration.request.path.N`
    Path(String),
    /// `integration.request.querystring.N`
    QueryString(String),
    /// `integration.request.header.N`
    Header(String),
}

/// Left side of a response mapping: `method.response.header.N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseTarget(pub String);

impl RequestTarget {
    /// Reads `integration.request.{path|querystring|header}.N`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let invalid = || ExpressionError::Invalid(text.to_owned());
        let rest = text.strip_prefix("integration.request.").ok_or_else(invalid)?;
        let (location, name) = rest.split_once('.').ok_or_else(invalid)?;
        check_name(name, text)?;
        match location {
            "path" => Ok(RequestTarget::Path(name.to_owned())),
            "querystring" => Ok(RequestTarget::QueryString(name.to_owned())),
            "header" if codec::h1::valid_field_name(name.as_bytes()) => {
                Ok(RequestTarget::Header(name.to_owned()))
            }
            _ => Err(invalid()),
        }
    }
}

impl ResponseTarget {
    /// Reads `method.response.header.N`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let name = text
            .strip_prefix("method.response.header.")
            .ok_or_else(|| ExpressionError::Invalid(text.to_owned()))?;
        check_name(name, text)?;
        Ok(ResponseTarget(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let parsed = RequestTarget::parse("integration.request.header.X-Id");
        assert_eq!(parsed, Ok(RequestTarget::Header("X-Id".into())));
        let parsed = RequestTarget::parse("integration.request.querystring.a.b");
        assert_eq!(parsed, Ok(RequestTarget::QueryString("a.b".into())));
        assert_eq!(RequestTarget::parse("integration.request.path.id"), Ok(RequestTarget::Path("id".into())));
        let parsed = ResponseTarget::parse("method.response.header.X-Id");
        assert_eq!(parsed, Ok(ResponseTarget("X-Id".into())));
    }

    #[test]
    fn other_targets_are_refused() {
        for text in [
            "integration.request.body.x",
            "integration.request.header.",
            "integration.request.header",
            "integration.request.header.a b",
            "method.request.header.x",
            "integration.request.header.a:b",
            "",
        ] {
            assert!(RequestTarget::parse(text).is_err(), "{text}");
        }
        assert!(ResponseTarget::parse("method.response.header.a\r").is_err());
        assert!(ResponseTarget::parse("method.response.body").is_err());
    }
}
