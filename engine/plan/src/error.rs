//! Why a setting of an integration can't be compiled.

use mapping::{ExpressionError, PatternError};

/// One refused setting. The text says what is wrong; the caller knows which method it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// `uri`
    Uri(String),
    /// `httpMethod`
    HttpMethod(String),
    /// `timeoutInMillis`
    Timeout {
        /// What was asked for, in milliseconds.
        timeout_ms: u32,
        /// What may be, in milliseconds.
        max: u32,
    },
    /// An entry of `requestParameters` or `responseParameters`.
    Parameter {
        /// Its left side.
        target: String,
        /// What is wrong.
        error: ExpressionError,
    },
    /// Two mappings of one header, or too many.
    Headers(String),
    /// `selectionPattern` of a response.
    Pattern(PatternError),
    /// `statusCode` of a response.
    Status(u16),
    /// A template that isn't literal text.
    Template {
        /// Its media type.
        media_type: String,
        /// Byte at which the first reference or directive begins.
        at: usize,
    },
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompileError::Uri(why) => write!(formatter, "Invalid HTTP endpoint specified for URI: {why}"),
            CompileError::HttpMethod(why) => write!(formatter, "httpMethod: {why}"),
            CompileError::Timeout { timeout_ms, max } => write!(
                formatter,
                "Timeout should be between {} ms and {max} ms, not {timeout_ms}; `limits.integration_timeout` raises it",
                vocabulary::limits::INTEGRATION_TIMEOUT_MS_MIN
            ),
            CompileError::Parameter { target, error } => write!(formatter, "{target}: {error}"),
            CompileError::Headers(why) => formatter.write_str(why),
            CompileError::Pattern(error) => error.fmt(formatter),
            CompileError::Status(status) => {
                write!(formatter, "statusCode {status} can't be a final answer: 200 to 599 can")
            }
            CompileError::Template { media_type, at } => write!(
                formatter,
                "the template for {media_type} has a reference or directive at byte {at}; only literal text is \
                 supported yet"
            ),
        }
    }
}

impl std::error::Error for CompileError {}

impl From<PatternError> for CompileError {
    fn from(error: PatternError) -> Self {
        CompileError::Pattern(error)
    }
}
