//! YAML into a tree: the core schema, anchors within a bound, no custom tags, no second key of a name.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Place};
use yaml::{Complaint, Lines};

use crate::diagnostic::{Diagnostic, Span};
use crate::node::{Key, Node, Value};

/// Nesting at most; more is a mistake or an attack.
pub(crate) const DEPTH_MAX: usize = 64;
/// What anchors may make of a document, as a multiple of its own nodes.
const EXPANSION_MAX: usize = 10;

/// Reads one YAML document.
pub(crate) fn parse(text: &str) -> Result<Node, Diagnostic> {
    let lines = Lines::of(text);
    let mut builder =
        Builder { lines, open: Vec::new(), root: None, anchors: HashMap::new(), nodes: 0, copied: 0 };
    for step in Parser::new_from_str(text) {
        let (event, place) = step.map_err(|error| builder.syntax(&error))?;
        builder.take(event, place)?;
    }
    let end = Span { start: text.len(), end: text.len(), line: builder.lines.count(), column: 1 };
    builder.root.ok_or_else(|| Diagnostic::error("syntax", end, "the document is empty"))
}

enum Open {
    Sequence {
        span: Span,
        items: Vec<Node>,
        anchor: usize,
    },
    Mapping {
        span: Span,
        entries: Vec<(Key, Node)>,
        seen: HashMap<String, usize>,
        key: Option<Key>,
        anchor: usize,
    },
}

struct Builder<'a> {
    lines: Lines<'a>,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    copied: usize,
}

impl Builder<'_> {
    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let opened = self.open.last().map(|open| {
            let (Open::Sequence { span, .. } | Open::Mapping { span, .. }) = open;
            yaml::Place { line: span.line, column: span.column }
        });
        let complaint = Complaint { words: error.info(), place: place(error.marker()), opened };
        let said = yaml::explain(complaint, &self.lines);
        let start = self.lines.byte(said.place);
        let span = Span { start, end: start, line: said.place.line, column: said.place.column };
        Diagnostic { help: said.help, ..Diagnostic::error("syntax", span, said.message) }
    }

    fn span(&self, of: Place) -> Span {
        let begin = place(&of.start);
        let start = self.lines.byte(begin);
        let end = self.lines.byte(place(&of.end)).max(start);
        Span { start, end, line: begin.line, column: begin.column }
    }

    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Diagnostic> {
        let span = self.span(place);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
                    return Err(Diagnostic::error("syntax", span, "custom YAML tags are not read"));
                }
                let value =
                    if style == ScalarStyle::Plain { plain(&text) } else { Value::String(text.into_owned()) };
                self.add(Node { span, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.push(Open::Sequence { span, items: Vec::new(), anchor }),
            Event::MappingStart(anchor, _) => self.push(Open::Mapping {
                span,
                entries: Vec::new(),
                seen: HashMap::new(),
                key: None,
                anchor,
            }),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Diagnostic::error(
                        "syntax",
                        span,
                        "an alias of something that isn't finished",
                    ));
                };
                self.copied += size;
                if self.copied > EXPANSION_MAX * self.nodes.max(1_000) {
                    return Err(Diagnostic::error(
                        "limit",
                        span,
                        "aliases make the document more than ten times larger",
                    ));
                }
                self.add(Node { span, ..node }, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Diagnostic::error("syntax", span, "a second document in the same file"))
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, open: Open) -> Result<(), Diagnostic> {
        if self.open.len() >= DEPTH_MAX {
            let (Open::Sequence { span, .. } | Open::Mapping { span, .. }) = open;
            return Err(Diagnostic::error("limit", span, "nested more than 64 levels deep"));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Diagnostic> {
        match self.open.pop() {
            Some(Open::Sequence { span, items, anchor }) => {
                let span = Span { end: end.end.max(span.end), ..span };
                self.add(Node { span, value: Value::Sequence(items) }, anchor)
            }
            Some(Open::Mapping { span, entries, anchor, .. }) => {
                let span = Span { end: end.end.max(span.end), ..span };
                self.add(Node { span, value: Value::Mapping(entries) }, anchor)
            }
            None => Ok(()),
        }
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if anchor != 0 {
            let size = count(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, seen, key, .. }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(new_key(&node, seen)?),
            },
        }
        Ok(())
    }
}

/// The parser counts columns from 0.
fn place(marker: &Marker) -> yaml::Place {
    yaml::Place { line: marker.line(), column: marker.col() + 1 }
}

fn new_key(node: &Node, seen: &mut HashMap<String, usize>) -> Result<Key, Diagnostic> {
    let text = match &node.value {
        Value::Null => "null",
        _ => {
            node.as_text().ok_or_else(|| Diagnostic::error("syntax", node.span, "a key must be a string"))?
        }
    };
    if text == "<<" {
        let error = Diagnostic::error("syntax", node.span, "merge keys are not part of YAML 1.2");
        return Err(error.with_help("repeat the members, or use a $ref"));
    }
    if let Some(first) = seen.insert(text.to_owned(), node.span.line) {
        let message = format!("`{text}` is there twice; first at line {first}");
        let error = Diagnostic::error("syntax", node.span, message);
        return Err(error.with_help("remove one of the two, or give it another name"));
    }
    Ok(Key { text: text.to_owned(), span: node.span })
}

fn count(node: &Node) -> usize {
    1 + node.items().iter().map(count).sum::<usize>()
        + node.entries().iter().map(|(_, n)| count(n)).sum::<usize>()
}

/// The core schema of YAML 1.2 (§10.3.2).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !digits.ends_with(['e', 'E'])
        && text.parse::<f64>().is_ok()
}
