//! Which template applies to a media type.
//!
//! AWS: "Integration passthrough behaviors", "Set up an integration response"; a type is compared without its
//! parameters and without wildcards.

/// What both directions assume when nothing is said.
const DEFAULT: &[u8] = b"application/json";

/// What happens to a body that no request template fits (`passthroughBehavior`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passthrough {
    /// `WHEN_NO_MATCH`: it passes.
    #[default]
    WhenNoMatch,
    /// `WHEN_NO_TEMPLATES`: it passes if there is no template at all, else 415.
    WhenNoTemplates,
    /// `NEVER`: 415.
    Never,
}

/// The outcome of looking for a request template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The template of this index.
    Template(usize),
    /// The body passes as it is.
    Pass,
    /// 415.
    Unsupported,
}

/// Chooses a request template by the request's `Content-Type`.
#[must_use]
pub fn choose_request_template<'a>(
    content_type: Option<&[u8]>,
    templates: impl Iterator<Item = &'a str> + Clone,
    passthrough: Passthrough,
) -> Choice {
    let wanted = essence(content_type);
    let named = templates.clone().position(|name| name.as_bytes() == wanted);
    match named.or_else(|| templates.clone().position(|name| name == "$default")) {
        Some(index) => Choice::Template(index),
        None => match (passthrough, templates.clone().next().is_some()) {
            (Passthrough::WhenNoMatch, _) | (Passthrough::WhenNoTemplates, false) => Choice::Pass,
            (Passthrough::WhenNoTemplates, true) | (Passthrough::Never, _) => Choice::Unsupported,
        },
    }
}

/// Chooses a response template by the request's `Accept`; `None` if there is no template.
#[must_use]
pub fn choose_response_template<'a>(
    accept: Option<&[u8]>,
    templates: impl Iterator<Item = &'a str> + Clone,
) -> Option<usize> {
    let wanted = essence(accept);
    let of = |name: &[u8]| templates.clone().position(|template| template.as_bytes() == name);
    of(wanted).or_else(|| of(DEFAULT)).or_else(|| templates.clone().next().map(|_| 0))
}

/// First media type of a field value, without parameters.
fn essence(value: Option<&[u8]>) -> &[u8] {
    let Some(value) = value else { return DEFAULT };
    let first = value.split(|byte| matches!(byte, b',' | b';')).next().unwrap_or_default();
    match first.trim_ascii() {
        b"" => DEFAULT,
        essence => essence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_template_is_chosen_by_content_type() {
        let both = ["application/json", "$default"];
        let json = ["application/json"];
        let none: [&str; 0] = [];
        let choose = |content_type: Option<&str>, templates: &[&'static str], passthrough| {
            let content_type = content_type.map(str::as_bytes);
            choose_request_template(content_type, templates.iter().copied(), passthrough)
        };
        use Passthrough::{Never, WhenNoMatch, WhenNoTemplates};
        assert_eq!(choose(None, &both, Never), Choice::Template(0));
        assert_eq!(choose(Some("application/json; charset=UTF-8"), &both, Never), Choice::Template(0));
        assert_eq!(choose(Some("text/plain"), &both, Never), Choice::Template(1));
        assert_eq!(choose(Some("text/plain"), &json, WhenNoMatch), Choice::Pass);
        assert_eq!(choose(Some("text/plain"), &json, WhenNoTemplates), Choice::Unsupported);
        assert_eq!(choose(Some("text/plain"), &json, Never), Choice::Unsupported);
        assert_eq!(choose(None, &none, WhenNoMatch), Choice::Pass);
        assert_eq!(choose(None, &none, WhenNoTemplates), Choice::Pass);
        assert_eq!(choose(None, &none, Never), Choice::Unsupported);
    }

    #[test]
    fn a_response_template_is_chosen_by_accept() {
        let choose = |accept: Option<&str>, templates: &[&'static str]| {
            choose_response_template(accept.map(str::as_bytes), templates.iter().copied())
        };
        let two = ["text/xml", "application/json"];
        assert_eq!(choose(None, &two), Some(1));
        assert_eq!(choose(Some("text/xml;q=0.9, application/json"), &two), Some(0));
        assert_eq!(choose(Some("image/png"), &two), Some(1));
        assert_eq!(choose(Some("image/png"), &["text/xml"]), Some(0));
        assert_eq!(choose(Some("*/*"), &[]), None);
    }
}
