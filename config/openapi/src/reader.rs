//! What the readers of a document's parts share: the root for references, and the list of problems.

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::node::{Key, Node, Value};

/// References that may lead to each other.
const REFERENCES_MAX: usize = 32;

/// State of reading one document.
pub(crate) struct Reader<'a> {
    pub(crate) root: &'a Node,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(crate) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, span, message));
    }

    pub(crate) fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) {
        self.diagnostics.push(Diagnostic { severity, code, message: message.into(), span, help: None });
    }

    /// Something that AWS has and this version doesn't serve yet.
    pub(crate) fn unsupported(&mut self, span: Span, what: &str) {
        let error = Diagnostic::error("unsupported", span, format!("{what} is not supported yet"));
        self.diagnostics
            .push(error.with_help("remove it, or serve this API with a version that supports it"));
    }

    /// The object of a node; a problem and nothing for anything else.
    pub(crate) fn object(&mut self, node: &'a Node, what: &str) -> &'a [(Key, Node)] {
        match &node.value {
            Value::Mapping(entries) => entries,
            Value::Null => &[],
            _ => {
                self.error("invalid", node.span, format!("{what} must be an object, not {}", node.kind()));
                &[]
            }
        }
    }

    /// The text of a node; a problem and nothing for anything else.
    pub(crate) fn text(&mut self, node: &'a Node, what: &str) -> Option<&'a str> {
        let text = node.as_text();
        if text.is_none() {
            self.error("invalid", node.span, format!("{what} must be a string, not {}", node.kind()));
        }
        text
    }

    /// Follows `$ref` within the document.
    pub(crate) fn resolve(&mut self, node: &'a Node) -> Option<&'a Node> {
        let mut node = node;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = node.get("$ref") else { return Some(node) };
            let text = self.text(reference, "$ref")?;
            let Some(pointer) = text.strip_prefix("#/") else {
                self.error("unsupported", reference.span, "a $ref to another document is not read");
                return None;
            };
            let mut found = Some(self.root);
            for step in pointer.split('/') {
                let step = step.replace("~1", "/").replace("~0", "~");
                found = found.and_then(|node| node.get(&step));
            }
            match found {
                Some(found) => node = found,
                None => {
                    self.error("invalid", reference.span, format!("`{text}` leads nowhere"));
                    return None;
                }
            }
        }
        self.error("invalid", node.span, "$ref leads in a circle");
        None
    }
}
