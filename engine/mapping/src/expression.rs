//! What an expression may refer to, and what is wrong with one that can't be compiled.

use std::collections::BTreeMap;

/// The names that expressions of one method on one stage can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Variables of the resource's path in its order: `["id"]` for `/pets/{id}`, `["proxy"]` for `/{proxy+}`.
    pub path_variables: &'a [String],
    /// Variables of the stage. Their values are settled at deployment.
    pub stage_variables: &'a BTreeMap<String, String>,
}

/// Why an expression or a target was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpressionError {
    /// It isn't a mapping expression of this place.
    Invalid(String),
    /// AWS has it, this gateway not yet.
    Unsupported(String),
    /// A name with characters outside `[a-zA-Z0-9._$-]`.
    Name(String),
    /// A literal that can't stand in a header field.
    Literal(String),
}

impl std::fmt::Display for ExpressionError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExpressionError::Invalid(text) => {
                write!(formatter, "Invalid mapping expression specified: {text}")
            }
            ExpressionError::Unsupported(text) => {
                write!(formatter, "mapping from `{text}` is not supported yet")
            }
            ExpressionError::Name(text) => {
                write!(formatter, "`{text}` has a name with characters outside [a-zA-Z0-9._$-]")
            }
            ExpressionError::Literal(text) => write!(formatter, "the literal {text} has control characters"),
        }
    }
}

impl std::error::Error for ExpressionError {}

/// Checks a parameter's name: `^[a-zA-Z0-9._$-]+$`.
pub(crate) fn check_name(name: &str, whole: &str) -> Result<(), ExpressionError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._$-".contains(&byte);
    if !name.is_empty() && name.bytes().all(fits) {
        Ok(())
    } else {
        Err(ExpressionError::Name(whole.to_owned()))
    }
}

/// Text between single quotes, checked for what no field may carry.
pub(crate) fn literal(expression: &str) -> Option<Result<Box<[u8]>, ExpressionError>> {
    let text = expression.strip_prefix('\'')?.strip_suffix('\'')?;
    let valid = codec::h1::valid_field_value(text.as_bytes());
    Some(if valid {
        Ok(text.as_bytes().into())
    } else {
        Err(ExpressionError::Literal(expression.to_owned()))
    })
}
