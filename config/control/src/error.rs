//! Errors of calls: AWS's code, status and text.
//!
//! AWS: API reference, "Common Errors"; recorded texts are cited where they are made.

use crate::control::Response;
use crate::json::Object;

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Status of the answer.
    pub status: u16,
    /// `x-amzn-ErrorType`
    pub code: &'static str,
    /// `message`
    pub message: String,
}

impl Error {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Error { status, code, message: message.into() }
    }

    /// A call that makes no sense as it stands.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Error::new(400, "BadRequestException", message)
    }

    /// A member that breaks a constraint of the service's model.
    pub fn validation(message: impl Into<String>) -> Self {
        Error::new(400, "ValidationException", message)
    }

    /// A member of the wrong JSON type, or a body that is no JSON.
    pub fn serialization(message: impl Into<String>) -> Self {
        Error::new(400, "SerializationException", message)
    }

    /// What the path names isn't there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Error::new(404, "NotFoundException", message)
    }

    /// It is there already, or something else holds on to it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Error::new(409, "ConflictException", message)
    }

    /// A quota is reached.
    pub fn limit_exceeded(message: impl Into<String>) -> Self {
        Error::new(429, "LimitExceededException", message)
    }

    /// The caller may not do it.
    pub fn access_denied(message: impl Into<String>) -> Self {
        Error::new(403, "AccessDeniedException", message)
    }

    /// A refusal of the signature, by its code.
    pub fn unauthenticated(code: &'static str, message: impl Into<String>) -> Self {
        Error::new(403, code, message)
    }

    /// The store or the shards can't take it now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Error::new(503, "ServiceUnavailableException", message)
    }

    /// The error as an answer.
    pub(crate) fn respond(&self) -> Response {
        let body = Object::new().with("message", self.message.as_str());
        let mut response = Response::json(self.status, &body.into());
        response.headers.push(("x-amzn-ErrorType", self.code.to_owned()));
        if self.status == 429 {
            response.headers.push(("Retry-After", "1".to_owned()));
        }
        response
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

/// Constraint failures of one call, told together.
#[derive(Debug, Default)]
pub(crate) struct Constraints {
    failures: Vec<String>,
}

impl Constraints {
    /// Takes down a failure: what was given where, and what it should have been.
    pub(crate) fn fail(&mut self, value: &str, path: &str, constraint: &str) {
        self.failures.push(format!("Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// Takes down a word that is none of a set.
    pub(crate) fn not_in_set(&mut self, value: &str, path: &str, words: &[&str]) {
        self.fail(value, path, &format!("Member must satisfy enum value set: [{}]", words.join(", ")));
    }

    /// All failures as one error.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let count = self.failures.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        Err(Error::validation(format!(
            "{count} validation error{plural} detected: {}",
            self.failures.join("; ")
        )))
    }
}
