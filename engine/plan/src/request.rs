//! Header and query mappings of a request.

use std::collections::BTreeMap;

use integration::Kind;
use integration::header::{self, RequestTarget as Rule};
use mapping::{RequestSource, RequestTarget, Scope};
use vocabulary::KnownField;

use crate::error::CompileError;

/// One request remembers in a word which of its header mappings had a value.
pub const HEADER_MAPPINGS_MAX: usize = 64;

/// `integration.request.header.N` ← source. Those without effect aren't here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMapping {
    /// Name, as it is sent.
    pub name: Box<[u8]>,
    /// The same, if a rule asks about it.
    pub known: KnownField,
    /// A value for this target is refused: 500.
    pub is_illegal: bool,
    /// Where the value comes from.
    pub source: RequestSource,
}

/// `integration.request.querystring.N` ← source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryMapping {
    /// Name, decoded.
    pub name: Box<[u8]>,
    /// Where the value comes from.
    pub source: RequestSource,
}

/// The mappings of one request, path mappings aside: those are in the URI's template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPlan {
    /// Header mappings.
    pub headers: Vec<HeaderMapping>,
    /// Query mappings.
    pub query: Vec<QueryMapping>,
}

impl RequestPlan {
    /// Compiles `requestParameters`; also gives the path mappings, by placeholder.
    ///
    /// # Errors
    /// A target or source that can't be read, or two headers of one name.
    pub fn compile(
        kind: Kind,
        parameters: &BTreeMap<String, String>,
        scope: &Scope<'_>,
    ) -> Result<(Self, Vec<(String, RequestSource)>), CompileError> {
        let mut plan = RequestPlan::default();
        let mut path = Vec::new();
        for (target, expression) in parameters {
            let refused = |error| CompileError::Parameter { target: target.clone(), error };
            let parsed = RequestTarget::parse(target).map_err(refused)?;
            // A source that can never yield a value drops its mapping.
            let Some(source) = RequestSource::parse(expression, scope).map_err(refused)? else { continue };
            match parsed {
                RequestTarget::Path(name) => path.push((name, source)),
                RequestTarget::QueryString(name) => {
                    plan.query.push(QueryMapping { name: name.into_bytes().into(), source });
                }
                RequestTarget::Header(name) => plan.push_header(kind, name, source)?,
            }
        }
        Ok((plan, path))
    }

    fn push_header(&mut self, kind: Kind, name: String, source: RequestSource) -> Result<(), CompileError> {
        let known = KnownField::of(name.as_bytes());
        let rule = header::request_target(kind, known);
        if rule == Rule::Drop {
            return Ok(());
        }
        if self.headers.iter().any(|mapping| mapping.name.eq_ignore_ascii_case(name.as_bytes())) {
            return Err(CompileError::Headers(format!("the header {name} is mapped twice")));
        }
        if self.headers.len() == HEADER_MAPPINGS_MAX {
            return Err(CompileError::Headers(format!("more than {HEADER_MAPPINGS_MAX} headers are mapped")));
        }
        let is_illegal = rule == Rule::Refuse;
        self.headers.push(HeaderMapping { name: name.into_bytes().into(), known, is_illegal, source });
        Ok(())
    }
}
