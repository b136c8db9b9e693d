//! The settings file as a tree of scalars with their places. YAML 1.2, so JSON works too.
//!
//! Never: anchors, several documents or deep nesting; a settings file needs none of them.

use crate::problem::{Origin, Problem};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use std::path::Path;
use yaml::{Complaint, Lines};

/// Nesting that no settings file needs.
const DEPTH_MAX: usize = 8;

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) origin: Origin,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    /// Plain `null`, `~` or nothing: as if the key weren't there.
    Null,
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(String, Origin, Node)>),
}

type Item<'a> = (Event<'a>, Span);

struct Reader<'a> {
    path: &'a Path,
    /// Byte offset of every character, since the parser counts characters.
    offsets: Vec<usize>,
    events: Vec<Item<'a>>,
    at: usize,
}

/// Reads the file's text.
///
/// # Errors
/// The text isn't YAML, repeats a key, or uses what a settings file has no use for.
pub(crate) fn read(path: &Path, text: &str) -> Result<Node, Problem> {
    let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut reader = Reader { path, offsets, events: Vec::new(), at: 0 };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing, _)) => {}
            Ok(item) => reader.events.push(item),
            Err(error) => return Err(reader.syntax(&error, text)),
        }
    }
    reader.document()
}

impl<'a> Reader<'a> {
    fn syntax(&self, error: &ScanError, text: &str) -> Problem {
        let mut open = Vec::new();
        for (event, span) in &self.events {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => open.push(place(&span.start)),
                Event::SequenceEnd | Event::MappingEnd => drop(open.pop()),
                _ => {}
            }
        }
        let opened = open.last().copied();
        let lines = Lines::of(text);
        let complaint = Complaint { words: error.info(), place: place(error.marker()), opened };
        let said = yaml::explain(complaint, &lines);
        let (path, start) = (self.path.to_path_buf(), lines.byte(said.place));
        let origin =
            Origin::File { path, line: said.place.line, column: said.place.column, span: start..start };
        Problem { help: said.help, ..Problem::new(origin, said.message) }
    }

    fn document(&mut self) -> Result<Node, Problem> {
        let start = Origin::File { path: self.path.to_path_buf(), line: 1, column: 1, span: 0..0 };
        if !matches!(self.next(), Some((Event::DocumentStart(_), _))) {
            return Ok(Node { kind: NodeKind::Null, origin: start });
        }
        let node = self.node(0)?;
        match self.next() {
            Some((_, span)) => Err(Problem::new(self.origin(&span), "a settings file is one YAML document")),
            None => Ok(node),
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node, Problem> {
        let Some((event, span)) = self.next() else {
            let origin = Origin::File { path: self.path.to_path_buf(), line: 1, column: 1, span: 0..0 };
            return Err(Problem::new(origin, "the document ends early"));
        };
        let origin = self.origin(&span);
        if depth > DEPTH_MAX {
            return Err(Problem::new(origin, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        let kind = match event {
            Event::Scalar(text, ScalarStyle::Plain, _, _) if matches!(&*text, "" | "~" | "null") => {
                NodeKind::Null
            }
            Event::Scalar(text, ..) => NodeKind::Scalar(text.into_owned()),
            Event::SequenceStart(..) => NodeKind::Sequence(self.sequence(depth)?),
            Event::MappingStart(..) => NodeKind::Mapping(self.mapping(depth)?),
            _ => return Err(Problem::new(origin, "anchors and aliases have no use in a settings file")),
        };
        Ok(Node { kind, origin })
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        while !self.take_if(&Event::SequenceEnd) {
            items.push(self.node(depth + 1)?);
        }
        Ok(items)
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<(String, Origin, Node)>, Problem> {
        let mut entries: Vec<(String, Origin, Node)> = Vec::new();
        while !self.take_if(&Event::MappingEnd) {
            let key = self.node(depth + 1)?;
            let NodeKind::Scalar(name) = key.kind else {
                return Err(Problem::new(key.origin, "a key is a plain name"));
            };
            if entries.iter().any(|(known, ..)| *known == name) {
                return Err(Problem::new(key.origin, format!("`{name}` is said twice"))
                    .with_help("remove one of the two"));
            }
            let value = self.node(depth + 1)?;
            entries.push((name, key.origin, value));
        }
        Ok(entries)
    }

    fn next(&mut self) -> Option<Item<'a>> {
        let item = self.events.get(self.at).cloned();
        self.at += 1;
        item
    }

    fn take_if(&mut self, wanted: &Event<'_>) -> bool {
        let taken = self.events.get(self.at).is_none_or(|(event, _)| event == wanted);
        self.at += usize::from(taken);
        taken
    }

    fn origin(&self, span: &Span) -> Origin {
        let byte = |index: usize| self.offsets.get(index).or(self.offsets.last()).copied().unwrap_or(0);
        let start = byte(span.start.index());
        Origin::File {
            path: self.path.to_path_buf(),
            line: span.start.line(),
            column: span.start.col() + 1,
            span: start..byte(span.end.index()).max(start),
        }
    }
}

/// The parser counts columns from 0.
fn place(marker: &Marker) -> yaml::Place {
    yaml::Place { line: marker.line(), column: marker.col() + 1 }
}
