//! Where lines begin, to turn lines and columns into bytes.

/// A place in a text as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// The lines of a text.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds where lines begin.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        // A CR alone ends a line too (YAML 1.2, 5.4).
        let bytes = text.as_bytes();
        let ends =
            |&at: &usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        let starts = std::iter::once(0).chain((0..bytes.len()).filter(ends).map(|at| at + 1)).collect();
        Lines { text, starts }
    }

    /// Number of lines; text that ends with a line break has an empty last one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The byte of a place; beyond the text, its end.
    #[must_use]
    pub fn byte(&self, place: Place) -> usize {
        let start = self.starts.get(place.line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let rest = &self.text[start..];
        let column = place.column.saturating_sub(1);
        start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    /// A line without its break; beyond the text, nothing.
    #[must_use]
    pub fn line(&self, number: usize) -> &'a str {
        let start = self.byte(Place { line: number, column: 1 });
        let end = self.byte(Place { line: number + 1, column: 1 });
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Place};

    #[test]
    fn every_line_break_counts_and_columns_are_characters() {
        for end in ["\n", "\r", "\r\n"] {
            let text = format!("é: 1{end}b: é2{end}");
            let lines = Lines::of(&text);
            assert_eq!(
                (lines.count(), lines.line(1), lines.line(2), lines.line(3)),
                (3, "é: 1", "b: é2", "")
            );
            assert_eq!(&text[lines.byte(Place { line: 2, column: 5 })..][..1], "2");
            assert_eq!(lines.byte(Place { line: 4, column: 1 }), text.len());
        }
    }
}
