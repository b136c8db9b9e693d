//! Signature Version 4: canonical request, string to sign, signature.
//!
//! AWS: "Create a signed AWS API request".

use aws_lc_rs::{digest, hmac};
use vocabulary::percent;

/// First word of the field and of the string to sign.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Last part of a scope.
pub const TERMINATOR: &str = "aws4_request";

/// A request's parts, as they came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET` and its like.
    pub method: &'a str,
    /// The raw path.
    pub path: &'a str,
    /// What follows `?`.
    pub query: &'a str,
    /// Fields in the order they came, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body, whole.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// A field by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The canonical request over signed fields, which are put in their order.
#[must_use]
pub fn canonical(request: &Request<'_>, signed: &[&str], payload_hash: &str) -> String {
    let mut text =
        format!("{}\n{}\n{}\n", request.method, canonical_path(request.path), canonical_query(request.query));
    let mut names = signed.to_vec();
    names.sort_unstable();
    for name in &names {
        let values = request.headers.iter().filter(|(known, _)| known == name);
        let values: Vec<String> = values.map(|(_, value)| squeezed(value)).collect();
        text.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    text.push_str(&format!("\n{}\n{payload_hash}", names.join(";")));
    text
}

/// Without dot segments and doubled slashes, encoded once more than it came.
fn canonical_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let ends =
        path.ends_with(['/', '.']) && (path.ends_with('/') || path.ends_with("/.") || path.ends_with("/.."));
    let mut canonical = String::from("/");
    canonical.push_str(&parts.iter().map(|part| encode(part.as_bytes())).collect::<Vec<_>>().join("/"));
    if ends && !parts.is_empty() {
        canonical.push('/');
    }
    canonical
}

fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let again = |text: &str| {
                let mut decoded = Vec::with_capacity(text.len());
                percent::decode_path(text.as_bytes(), &mut decoded);
                encode(&decoded)
            };
            (again(name), again(value))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encode(octets: &[u8]) -> String {
    let mut text = Vec::with_capacity(octets.len());
    percent::encode_query(octets, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Trimmed, and each run of blanks one blank.
fn squeezed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256(octets: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, octets).as_ref())
}

/// Where and until when a signature counts: `date/region/service/aws4_request`.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `YYYYMMDD`
    pub date: &'a str,
    /// Name of the region.
    pub region: &'a str,
    /// Name of the service, as endpoints sign for it.
    pub service: &'a str,
}

impl std::fmt::Display for Scope<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Scope { date, region, service } = self;
        write!(formatter, "{date}/{region}/{service}/{TERMINATOR}")
    }
}

/// The string to sign of a canonical request, at a time as its field has it.
#[must_use]
pub fn string_to_sign(time: &str, scope: &Scope<'_>, canonical: &str) -> String {
    format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()))
}

/// The signature of a string, by a secret access key: lower-case hex.
#[must_use]
pub fn signature(secret: &str, scope: &Scope<'_>, to_sign: &str) -> String {
    hex(hmac::sign(&signing_key(secret, scope), to_sign.as_bytes()).as_ref())
}

fn signing_key(secret: &str, scope: &Scope<'_>) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [scope.date, scope.region, scope.service, TERMINATOR] {
        let tag = hmac::sign(&key, part.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
    }
    key
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "20260102T030405Z";

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Documented signatures (the authorization specification's vectors, computed by a public signer).
    #[test]
    fn known_signatures_are_reached() {
        let host = ("host", "abc123defg.execute-api.us-east-1.amazonaws.com");
        let date = ("x-amz-date", NOW);
        let json_type = ("content-type", "application/json");
        let token = ("x-amz-security-token", "SESSIONTOKEN");
        for (method, path, query, fields, body, signed, expected) in [
            (
                "GET",
                "/prod/pets",
                "b=2&a=1&a=0",
                vec![host, date],
                "",
                "host;x-amz-date",
                "f9997935968c198a78e6fc4ee8f501fd70f28f5d94c73763b63c729ddd6744bf",
            ),
            (
                "POST",
                "/prod/pets/a%20b",
                "",
                vec![json_type, host, date],
                "{\"x\":1}",
                "content-type;host;x-amz-date",
                "525c80a69fd32ea787f093deb55f5d61e3cc26e029d375a7460dc4dec4afe27a",
            ),
            (
                "GET",
                "/prod/./x//y/",
                "",
                vec![host, date, token],
                "",
                "host;x-amz-date;x-amz-security-token",
                "e8ceb73a7a2c7333f28b75e95bb75bdb83deedf76de827eed29913681ad4077e",
            ),
        ] {
            let headers = headers(&fields);
            let request = Request { method, path, query, headers: &headers, body: body.as_bytes() };
            let names: Vec<&str> = signed.split(';').collect();
            let canonical = canonical(&request, &names, &sha256(request.body));
            let scope = Scope { date: "20260102", region: "us-east-1", service: "execute-api" };
            let to_sign = string_to_sign(NOW, &scope, &canonical);
            let reached = signature("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &scope, &to_sign);
            assert_eq!(reached, expected, "{canonical}");
        }
    }

    proptest! {
        #[test]
        fn no_request_is_too_strange(path in ".{0,50}", query in ".{0,50}", value in ".{0,50}") {
            let all = headers(&[("host", &value)]);
            let request = Request { method: "GET", path: &path, query: &query, headers: &all, body: b"" };
            let text = canonical(&request, &["host"], "");
            prop_assert_eq!(text.lines().count() >= 6, true);
        }
    }
}
