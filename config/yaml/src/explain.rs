//! The most frequent slips, told from the parser's words and from what stands at the place.

use crate::lines::{Lines, Place};

/// What a parser said.
#[derive(Clone, Copy, Debug)]
pub struct Complaint<'a> {
    /// Its words (those of saphyr-parser).
    pub words: &'a str,
    /// Where it gave up.
    pub place: Place,
    /// Where the innermost sequence or mapping begins that is still open.
    pub opened: Option<Place>,
}

/// The same for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is wrong.
    pub message: String,
    /// The way out, where one is known.
    pub help: Option<String>,
    /// Where it is.
    pub place: Place,
}

/// Explains a complaint about a text.
#[must_use]
pub fn explain(complaint: Complaint<'_>, lines: &Lines<'_>) -> Explanation {
    let slip = Slip { complaint, lines };
    slip.tab()
        .or_else(|| slip.quote())
        .or_else(|| slip.bracket())
        .or_else(|| slip.indentation())
        .or_else(|| slip.colon())
        .or_else(|| slip.character())
        .unwrap_or_else(|| {
            let message = format!("not YAML: {}", complaint.words);
            Explanation { message, help: None, place: complaint.place }
        })
}

struct Slip<'a> {
    complaint: Complaint<'a>,
    lines: &'a Lines<'a>,
}

impl Slip<'_> {
    fn says(&self, words: &str) -> bool {
        self.complaint.words.contains(words)
    }

    /// The line's text before the place.
    fn before(&self) -> String {
        let Place { line, column } = self.complaint.place;
        self.lines.line(line).chars().take(column.saturating_sub(1)).collect()
    }

    /// The line's text from a place on.
    fn from(&self, place: Place) -> String {
        self.lines.line(place.line).chars().skip(place.column.saturating_sub(1)).collect()
    }

    fn at(&self, place: Place, message: impl Into<String>, help: impl Into<String>) -> Option<Explanation> {
        Some(Explanation { message: message.into(), help: Some(help.into()), place })
    }

    fn here(&self, message: impl Into<String>, help: impl Into<String>) -> Option<Explanation> {
        self.at(self.complaint.place, message, help)
    }

    /// Where a line's text begins.
    fn text_of(&self, line: usize) -> Place {
        let text = self.lines.line(line);
        let blanks = text.chars().take_while(|letter| matches!(letter, ' ' | '\t')).count();
        Place { line, column: blanks + 1 }
    }

    fn tab(&self) -> Option<Explanation> {
        let line = self.complaint.place.line;
        let is_told = self.says(" tab") || self.complaint.words.starts_with("tab");
        // Between brackets tabs are as good as spaces.
        let misled =
            ["mapping values are not", "simple key expect", "did not find expected key", "invalid indent"];
        if !is_told && (self.open_bracket().is_some() || !misled.iter().any(|words| self.says(words))) {
            return None;
        }
        let indent = |line: usize| {
            let blank = |letter: &char| matches!(letter, ' ' | '\t');
            self.lines.line(line).chars().take_while(blank).position(|letter| letter == '\t')
        };
        // A parser that complains of a tab may stand on the line before it.
        let last = if is_told { line + 1 } else { line };
        let (line, blanks) = (line..=last).find_map(|line| Some((line, indent(line)?)))?;
        let place = Place { line, column: blanks + 1 };
        self.at(place, "a tab indents this line, where YAML takes spaces only", "replace the tab by spaces")
    }

    /// The bracket that is open, and its place.
    fn open_bracket(&self) -> Option<(char, Place)> {
        let place = self.complaint.opened?;
        let open = self.from(place).chars().next().filter(|open| matches!(open, '[' | '{'))?;
        Some((open, place))
    }

    fn quote(&self) -> Option<Explanation> {
        if self.says("quoted scalar, found unexpected") {
            self.here("the quote that opens here is not closed", "close it behind the text")
        } else if self.says("invalid indentation in quoted scalar") {
            let help = "close it behind the text, or indent the lines that the text goes on in";
            self.here("the quote that opens here is not closed before the indentation ends", help)
        } else if self.says("invalid trailing content after") {
            let help = "a quote inside the text is written '' in single quotes and \\\" in double quotes";
            self.here("something follows a quote that is closed already", help)
        } else if self.says("unknown escape character") {
            let help = "write \\\\ for a backslash, or put the text in single quotes";
            self.here("this text in double quotes has a backslash that begins no escape", help)
        } else {
            None
        }
    }

    fn bracket(&self) -> Option<Explanation> {
        let place = self.complaint.place;
        if self.says("misplaced bracket") {
            let bracket = self.from(place).chars().next().unwrap_or(']');
            let help = "remove it, or put the text that it belongs to in quotes";
            return self.here(format!("`{bracket}` closes nothing"), help);
        }
        let is_flow =
            ["flow mapping", "flow sequence", "flow construct", "node content", "illegal placement"];
        let (open, opened) = self.open_bracket()?;
        if !is_flow.iter().any(|words| self.says(words)) {
            return None;
        }
        let close = if open == '[' { ']' } else { '}' };
        if (place.line..=self.lines.count()).all(|line| self.is_blank(line, place)) {
            return self.at(
                opened,
                format!("this `{open}` is never closed"),
                format!("close it with `{close}`"),
            );
        }
        let Place { line, column } = opened;
        if self.says("node content") {
            let message = format!("a value is missing in the `{open}` that opens at {line}:{column}");
            return self.here(message, format!("remove the comma, or close it with `{close}`"));
        }
        let message =
            format!("`,` or `{close}` is expected: the `{open}` that opens at {line}:{column} is not closed");
        self.here(message, format!("close it with `{close}`, or put a comma before what follows"))
    }

    /// Whether nothing follows in a line; of the line of `place`, what stands before it doesn't count.
    fn is_blank(&self, line: usize, place: Place) -> bool {
        let column = if line == place.line { place.column } else { 1 };
        let rest = self.from(Place { line, column });
        rest.trim().is_empty() || rest.trim_start().starts_with('#')
    }

    fn indentation(&self) -> Option<Explanation> {
        if self.says("block mapping, did not find expected key") {
            if self.before().trim_matches([' ', '-']).is_empty() {
                let help = "entries of one mapping begin in the same column, each as `name: value`";
                let place = self.text_of(self.complaint.place.line);
                return self.at(place, "this line does not fit the lines above it", help);
            }
            let help = "put it on a line of its own, or put the whole value in quotes";
            return self.here("something follows a value that has ended", help);
        }
        if self.says("did not find expected '-'") {
            let help = "begin it with `- `, or indent it less to end the list";
            return self.here("this line stands in a list and is no item of it", help);
        }
        if self.says("block sequence entries are not allowed") {
            let help = "begin the list on the next line, indented; or write it as `[a, b]`";
            return self.here("a list can't begin on the line of its name", help);
        }
        if self.says("invalid indentation") || self.says("wrongly indented line") {
            let help = "indent it like the lines that it belongs with";
            return self.here("the indentation of this line fits no line above it", help);
        }
        None
    }

    fn colon(&self) -> Option<Explanation> {
        let Place { line, .. } = self.complaint.place;
        if self.says("mapping values are not allowed") {
            if self.before().contains(": ") {
                let help = "put the value in quotes, or begin the inner mapping on a line of its own";
                return self.here("a second `: ` in one line", help);
            }
            let help = "indent it like the line above; only below a name without a value it may be deeper";
            return self.at(
                self.text_of(line),
                "this line is indented as if it went on the value above it",
                help,
            );
        }
        if self.says("simple key expect ':'") && self.before().trim().is_empty() {
            let top = Place { line, column: 1 };
            let known =
                |line: &usize| !self.is_blank(*line, top) && !self.lines.line(*line).trim().is_empty();
            let line = (1..line).rev().find(known)?;
            let help = "put a colon and a space behind the name; a list item begins with `- `";
            return self.at(self.text_of(line), "this line is no `name: value`", help);
        }
        None
    }

    fn character(&self) -> Option<Explanation> {
        let rest = self.from(self.complaint.place);
        let first = rest.chars().next()?;
        if self.says("found unknown anchor") {
            let ends = |letter: char| letter.is_whitespace() || ",[]{}".contains(letter);
            let name = rest[first.len_utf8()..].split(ends).next().unwrap_or_default();
            let message = format!("no anchor `{name}` stands above this alias");
            return self.here(message, format!("mark what is meant with `&{name}`, or put a text in quotes"));
        }
        if self.says("while scanning an anchor or alias") {
            let kind = if first == '&' { "anchor" } else { "alias" };
            return self.here(
                format!("`{first}` begins an {kind}, and no name follows"),
                "put a text that begins so in quotes",
            );
        }
        if self.says("unexpected character") {
            return self.here(format!("a text can't begin with `{first}`"), "put it in quotes");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, Explanation, explain};
    use crate::lines::{Lines, Place};

    fn explained(words: &str, text: &str, line: usize, column: usize, opened: Option<Place>) -> Explanation {
        explain(Complaint { words, place: Place { line, column }, opened }, &Lines::of(text))
    }

    #[test]
    fn unknown_words_pass_as_they_are() {
        let said = explained("found unprintable character", "\ta: \u{1}\n", 1, 5, None);
        assert_eq!((said.message.as_str(), said.help), ("not YAML: found unprintable character", None));
        assert_eq!(said.place, Place { line: 1, column: 5 });
    }

    #[test]
    fn a_tab_between_brackets_is_none_of_the_matter() {
        let opened = Some(Place { line: 1, column: 4 });
        let words = "while parsing a flow mapping, did not find expected ',' or '}'";
        let said = explained(words, "a: {\n\tb: 1\n\tc: 2}\n", 3, 2, opened);
        assert!(said.message.starts_with("`,` or `}` is expected"), "{said:?}");
    }

    #[test]
    fn places_beyond_the_text_are_survived() {
        for words in [
            "a tab",
            "misplaced bracket",
            "block mapping, did not find expected key",
            "simple key expect ':'",
        ] {
            for (line, column) in [(0, 0), (1, 9), (9, 9)] {
                explained(words, "a\n\tb", line, column, Some(Place { line, column }));
            }
        }
    }
}
