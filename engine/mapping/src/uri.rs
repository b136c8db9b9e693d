//! Path and query of an integration's URI, with `{name}` placeholders that path mappings fill.
//!
//! AWS: "Integration" (API reference, `uri`). A placeholder is never filled from the method's own path; one that
//! nothing maps stays as text (emulator), encoded, because braces can't stand in a URI.

use context::Facts;

use crate::request_source::RequestSource;
use vocabulary::percent;

/// A compiled path and query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UriTemplate {
    parts: Vec<Part>,
    has_query: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Text, encoded.
    Literal(Box<[u8]>),
    /// A placeholder's source.
    Value {
        source: RequestSource,
        in_query: bool,
        /// What stands there if the source has no value.
        unfilled: Box<[u8]>,
    },
}

impl UriTemplate {
    /// Compiles what follows the authority, `/pets/{id}?limit={limit}`. Stage variables have been replaced before.
    /// `sources` names the path mappings. A fragment is cut off: it is never sent.
    #[must_use]
    pub fn parse(text: &str, sources: &[(String, RequestSource)]) -> Self {
        let text = text.split('#').next().unwrap_or_default();
        let mut template = UriTemplate::default();
        let mut literal = Vec::new();
        if !text.starts_with('/') {
            literal.push(b'/');
        }
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let Some(len) = rest[open..].find('}') else { break };
            let close = open + len;
            let source = sources.iter().find(|(name, _)| *name == rest[open + 1..close]);
            let Some((_, source)) = source.filter(|_| !rest[..open].ends_with('$')) else {
                template.push_text(&rest[..=close], &mut literal);
                rest = &rest[close + 1..];
                continue;
            };
            template.push_text(&rest[..open], &mut literal);
            template.flush(&mut literal);
            let mut unfilled = Vec::new();
            percent::encode_uri(&rest.as_bytes()[open..=close], &mut unfilled);
            let in_query = template.has_query;
            let value = Part::Value { source: source.clone(), in_query, unfilled: unfilled.into() };
            template.parts.push(value);
            rest = &rest[close + 1..];
        }
        template.push_text(rest, &mut literal);
        template.flush(&mut literal);
        template
    }

    /// Whether the template itself has a `?`.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.has_query
    }

    /// Appends path and query.
    pub fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text),
                Part::Value { source, in_query, unfilled } => {
                    let found = if *in_query {
                        source.write_into_query(facts, out)
                    } else {
                        source.write_into_path(facts, out)
                    };
                    if !found {
                        out.extend_from_slice(unfilled);
                    }
                }
            }
        }
    }

    fn push_text(&mut self, text: &str, literal: &mut Vec<u8>) {
        percent::encode_uri(text.as_bytes(), literal);
        self.has_query |= text.contains('?');
    }

    fn flush(&mut self, literal: &mut Vec<u8>) {
        if !literal.is_empty() {
            self.parts.push(Part::Literal(std::mem::take(literal).into()));
        }
    }
}
