//! Reports made for eyes: what is wrong, where it is written, and the way out.

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report, Severity,
};
use settings::{File, Origin, Problem};
use std::io::IsTerminal;
use std::ops::Range;
use std::path::Path;

/// A place in a text that the reader can open.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Path as the reader gave it.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
    /// Bytes that are meant.
    pub(crate) span: Range<usize>,
}

/// Something that was found in a document.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// How much it matters.
    pub(crate) weight: Weight,
    /// What is wrong.
    pub(crate) message: String,
    /// The way out, where one is known.
    pub(crate) help: Option<String>,
    /// Where.
    pub(crate) place: Option<Place>,
}

impl Finding {
    /// A refusal without a place yet.
    pub(crate) fn error(message: String) -> Self {
        Finding { weight: Weight::Error, message, help: None, place: None }
    }

    /// Something worth knowing.
    pub(crate) fn note(message: String) -> Self {
        Finding { weight: Weight::Note, ..Finding::error(message) }
    }

    /// Whether nothing is served because of it.
    pub(crate) fn is_error(&self) -> bool {
        self.weight == Weight::Error
    }

    /// The same, pointing at bytes of a text.
    pub(crate) fn at(mut self, path: &Path, text: &str, span: Range<usize>) -> Self {
        self.place = Some(Place { path: path.display().to_string(), text: text.to_owned(), span });
        self
    }
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nothing is served.
    Error,
    /// Served, and probably not what was meant.
    Warning,
    /// Served, and worth knowing.
    Note,
}

/// One report as text, ending in a line break. `colour` is for terminals.
pub(crate) fn pointed(
    weight: Weight,
    message: &str,
    help: Option<&str>,
    place: Option<Place>,
    colour: bool,
) -> String {
    let mut diagnostic = MietteDiagnostic::new(message);
    diagnostic.severity = Some(match weight {
        Weight::Error => Severity::Error,
        Weight::Warning => Severity::Warning,
        Weight::Note => Severity::Advice,
    });
    diagnostic.help = help.map(str::to_owned);
    let report = match place {
        Some(place) => {
            let end = place.span.end.min(place.text.len());
            let start = place.span.start.min(end);
            diagnostic.labels =
                Some(vec![LabeledSpan::new(None, start, first_line(&place.text[start..end]))]);
            Report::from(diagnostic).with_source_code(NamedSource::new(place.path, place.text))
        }
        None => Report::from(diagnostic),
    };
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut text = String::new();
    // Writing to a string doesn't fail; a theme that can't render leaves the message itself.
    if GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .render_report(&mut text, report.as_ref())
        .is_err()
    {
        message.clone_into(&mut text);
    }
    text
}

/// Bytes up to the end of the first line: a span over a whole block would bury its own start.
fn first_line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Reports refused settings on stderr.
pub(crate) fn settings(problems: &[Problem], file: Option<&File>) {
    let colour = std::io::stderr().is_terminal();
    for problem in problems {
        let text = match (&problem.origin, file) {
            (Origin::File { path, span, .. }, Some(file)) => {
                let place =
                    Place { path: path.display().to_string(), text: file.text.clone(), span: span.clone() };
                pointed(Weight::Error, &problem.message, problem.help.as_deref(), Some(place), colour)
            }
            (origin, _) => {
                let message = format!("{origin}: {}", problem.message);
                pointed(Weight::Error, &message, problem.help.as_deref(), None, colour)
            }
        };
        eprint!("{text}");
    }
}

/// Reports on stderr what was found in documents.
pub(crate) fn findings(findings: &[Finding]) {
    let colour = std::io::stderr().is_terminal();
    for finding in findings {
        let help = finding.help.as_deref();
        eprint!("{}", pointed(finding.weight, &finding.message, help, finding.place.clone(), colour));
    }
}

/// Reports on stderr something that has no place in a text.
pub(crate) fn plain(message: &str, help: Option<&str>) {
    eprint!("{}", pointed(Weight::Error, message, help, None, std::io::stderr().is_terminal()));
}

#[cfg(test)]
mod tests {
    use super::{Place, Weight, pointed};

    #[test]
    fn a_report_names_file_line_and_column() {
        let place = Place { path: "petstore.yaml".to_owned(), text: "a: 1\nbee: 2\n".to_owned(), span: 5..8 };
        let text = pointed(Weight::Error, "unknown name", Some("spell it out"), Some(place), false);
        assert!(text.contains("unknown name"), "{text}");
        assert!(text.contains("petstore.yaml:2:1"), "{text}");
        assert!(text.contains("spell it out"), "{text}");
        let beyond = Place { path: "p".to_owned(), text: "short".to_owned(), span: 90..99 };
        assert!(pointed(Weight::Note, "late", None, Some(beyond), false).contains("late"));
    }
}
