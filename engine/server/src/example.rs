//! The request that people are told to try: one that the gateway serves, as words for `curl`.

use model::{Definition, IntegrationType, Method, PassthroughBehavior};
use std::fmt::Write;
use vocabulary::MethodKey;

/// Methods from the most harmless and telling to the least; `ANY` is asked as GET.
const PREFERRED: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "DELETE"];
/// Stands for every value that a path, a query or a header needs.
const SAMPLE: &str = "1";
const JSON: &str = "application/json";

/// A request to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Example {
    /// Words between `curl` and the address, each with a space behind it.
    options: String,
    /// Path and query.
    target: String,
}

impl Example {
    /// A request that one of the API's methods serves; `None` for an API without methods.
    pub(crate) fn of(definition: &Definition) -> Option<Self> {
        let methods = definition.resources.iter().flat_map(|(path, resource)| {
            resource.methods.iter().map(move |(key, method)| (path, *key, method))
        });
        let (path, key, method) = methods.min_by_key(|(path, key, method)| rank(path, *key, method))?;
        let word = word(key);
        Some(Example { options: options(word, method), target: target(path, method) })
    }

    /// The line to type, for an address without a path.
    pub(crate) fn line(&self, address: &str) -> String {
        format!("curl {}{}", self.options, quoted(&format!("{address}{}", self.target)))
    }
}

/// Less is better: served at all, GET, nothing to fill in.
fn rank(path: &str, key: MethodKey, method: &Method) -> (bool, usize, usize) {
    let place = PREFERRED.iter().position(|preferred| *preferred == word(key));
    let variables = path.matches('{').count();
    (is_always_refused(method), place.unwrap_or(PREFERRED.len()), variables + required(method).count())
}

fn word(key: MethodKey) -> &'static str {
    match key {
        MethodKey::Any => "GET",
        MethodKey::One(method) => method.as_str(),
    }
}

/// Whether no request can succeed: a mock that no template gives a status (500), or every media type refused (415).
fn is_always_refused(method: &Method) -> bool {
    let Some(integration) = &method.integration else { return true };
    let never = integration.passthrough_behavior == PassthroughBehavior::Never;
    integration.request_templates.is_empty()
        && match integration.kind {
            IntegrationType::Mock => true,
            IntegrationType::Http => never,
            IntegrationType::HttpProxy | IntegrationType::Aws | IntegrationType::AwsProxy => false,
        }
}

/// Required parameters beside those of the path: location and name.
fn required(method: &Method) -> impl Iterator<Item = (&str, &str)> {
    let needed = method.request_parameters.iter().filter(|(_, required)| **required);
    needed
        .filter_map(|(key, _)| key.strip_prefix("method.request.")?.split_once('.'))
        .filter(|(location, _)| *location != "path")
}

fn options(word: &str, method: &Method) -> String {
    let mut options = match word {
        "GET" => String::new(),
        // `-X HEAD` would wait for a body.
        "HEAD" => "--head ".to_owned(),
        word => format!("-X {word} "),
    };
    let has_body = matches!(word, "POST" | "PUT" | "PATCH");
    let templates = method.integration.as_ref().map(|integration| &integration.request_templates);
    let media_type = match templates.and_then(|templates| Some((templates, templates.keys().next()?))) {
        Some((templates, first)) if !templates.contains_key(JSON) && !templates.contains_key("$default") => {
            first
        }
        _ => JSON,
    };
    let headers = required(method).filter(|(location, _)| *location == "header").map(|(_, name)| name);
    let headers: Vec<&str> = headers.filter(|name| !name.eq_ignore_ascii_case("content-type")).collect();
    // Without a Content-Type a body is JSON to the gateway, and a form to curl.
    if has_body || media_type != JSON {
        push_header(&mut options, "Content-Type", media_type);
    }
    for name in headers {
        push_header(&mut options, name, SAMPLE);
    }
    if has_body {
        options.push_str("-d '{}' ");
    }
    options
}

fn push_header(options: &mut String, name: &str, value: &str) {
    // Writing to a string doesn't fail.
    let _ = write!(options, "-H {} ", quoted(&format!("{name}: {value}")));
}

fn target(path: &str, method: &Method) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { SAMPLE } else { part });
    let path = parts.collect::<Vec<_>>().join("/");
    let query = required(method).filter(|(location, _)| *location == "querystring");
    let query: Vec<String> = query.map(|(_, name)| format!("{}={SAMPLE}", encoded(name))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn encoded(name: &str) -> String {
    let mut text = String::new();
    for octet in name.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            text.push(char::from(octet));
        } else {
            let _ = write!(text, "%{octet:02X}");
        }
    }
    text
}

/// One word to a shell.
fn quoted(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:/@%+,=".contains(&octet);
    if text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::Example;

    /// The line for an API of operations `method path more`, each with the integration given.
    fn line(operations: &[(&str, &str, &str)]) -> Option<String> {
        let mut text = String::from("{\"openapi\":\"3.0.1\",\"paths\":{");
        for (index, (path, verb, operation)) in operations.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            text.push_str(&format!("{comma}\"{path}\":{{\"{verb}\":{{{operation}}}}}"));
        }
        text.push_str("}}");
        let environment = openapi::Environment { account_id: String::new(), region: String::new() };
        let reading = openapi::read(&text, &environment);
        let definition = reading.definition.unwrap_or_else(|| panic!("{:?}", reading.diagnostics));
        Example::of(&definition.api.definition).map(|example| example.line("http://h"))
    }

    #[test]
    fn what_is_suggested_is_served() {
        let any = "x-amazon-apigateway-any-method";
        let proxy =
            r#""x-amazon-apigateway-integration":{"type":"http_proxy","httpMethod":"ANY","uri":"http://a/"}"#;
        let mute = r#""x-amazon-apigateway-integration":{"type":"mock"}"#;
        let xml = r#""x-amazon-apigateway-integration":{"type":"mock","requestTemplates":{"text/xml":"{}"}}"#;
        let needs = |rest: &str| format!("\"parameters\":[{rest}],{proxy}");
        let query = needs(r#"{"name":"a b","in":"query","required":true},{"name":"c","in":"query"}"#);
        let header = needs(r#"{"name":"X-A","in":"header","required":true}"#);
        let post = "curl -X POST -H 'Content-Type: application/json' -d '{}' http://h/";
        for (operations, expected) in [
            (vec![("/b", "get", proxy), ("/a/{id}", "get", proxy), ("/a", "post", proxy)], "curl http://h/b"),
            (vec![("/a/{id}/{rest+}", "get", proxy), ("/a", "post", proxy)], "curl http://h/a/1/1"),
            (vec![("/a", "post", proxy), ("/z/{id}", any, proxy)], "curl http://h/z/1"),
            (vec![("/a", "head", proxy), ("/b", "delete", proxy)], "curl --head http://h/a"),
            (vec![("/a", "delete", proxy)], "curl -X DELETE http://h/a"),
            (vec![("/", "post", proxy), ("/b", "options", proxy)], post),
            (vec![("/a", "get", &query)], "curl 'http://h/a?a%20b=1'"),
            (vec![("/a", "get", &header)], "curl -H 'X-A: 1' http://h/a"),
            (vec![("/a", "get", &header), ("/b/{id}", "get", proxy)], "curl -H 'X-A: 1' http://h/a"),
            (vec![("/a", "get", &header), ("/b", "get", proxy)], "curl http://h/b"),
            (vec![("/a", "get", mute), ("/", "post", proxy)], post),
            (vec![("/a", "get", xml)], "curl -H 'Content-Type: text/xml' http://h/a"),
            (vec![("/it's", "get", proxy)], "curl 'http://h/it'\\''s'"),
        ] {
            assert_eq!(line(&operations).as_deref(), Some(expected), "{operations:?}");
        }
        assert_eq!(line(&[]), None);
    }
}
