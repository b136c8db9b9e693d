//! Signature Version 4 in headers: taken apart, judged, compared.
//!
//! AWS: "Create a signed AWS API request", "Troubleshoot Signature Version 4 signing"; texts are documented or recorded.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac};

use crate::identity::{Identities, Principal};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
/// How far a request's time may be from the clock, in seconds (recorded for the past side).
const SKEW_S: i64 = 5 * 60;

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

/// Why a signature isn't accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `x-amzn-ErrorType`
    pub code: &'static str,
    /// The text for the caller.
    pub message: String,
}

fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.into() })
}

impl Request<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The parts of an `Authorization` field.
struct Parts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// Takes the field apart. What is missing is told in AWS's order; the field itself only by its hash.
fn parts<'a>(request: &Request<'_>, field: &'a str) -> Result<Parts<'a>, Refusal> {
    let rest = field.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with([' ', ',']));
    let find = |name: &str| {
        let pairs = rest.into_iter().flat_map(|rest| rest.split(',')).map(str::trim);
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    };
    let (credential, signature, signed_headers) =
        (find("Credential"), find("Signature"), find("SignedHeaders"));
    let mut missing: Vec<String> =
        [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
            .iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
            .collect();
    if request.header("x-amz-date").is_none() {
        missing.push(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
        );
    }
    match (credential, signature, signed_headers) {
        (Some(credential), Some(signature), Some(signed_headers)) if missing.is_empty() => {
            Ok(Parts { credential, signed_headers, signature })
        }
        _ => refuse(
            "IncompleteSignatureException",
            format!(
                "{} (Hashed with SHA-256: {})",
                missing.join(" "),
                hex(sha256(field.as_bytes()).as_ref())
            ),
        ),
    }
}

/// Who signed a request for a service, at a time in seconds of the Unix epoch.
///
/// # Errors
/// AWS's code and text for what is wrong with the signature. No secret, and nothing that a secret was made of, is in it.
pub fn verify<'a>(
    request: &Request<'_>,
    service: &str,
    now: i64,
    identities: &'a Identities,
) -> Result<&'a Principal, Refusal> {
    let Some(field) = request.header("authorization") else {
        return refuse("MissingAuthenticationTokenException", "Missing Authentication Token");
    };
    let Parts { credential, signed_headers, signature } = parts(request, field)?;
    let time = request.header("x-amz-date").unwrap_or_default();
    let scope: Vec<&str> = credential.split('/').collect();
    let [access_key, date, region, of_service, terminator] = *scope.as_slice() else {
        let message =
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term";
        return refuse("IncompleteSignatureException", message);
    };
    check_scope(date, of_service, terminator, service, time)?;
    check_time(time, now)?;
    let names: Vec<&str> = signed_headers.split(';').collect();
    if !names.contains(&"host") {
        let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return refuse("InvalidSignatureException", message);
    }
    let Some((secret, principal)) = identities.find(access_key) else {
        return refuse(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        );
    };
    // A key that lasts has no token.
    if request.header("x-amz-security-token").is_some() {
        return refuse(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        );
    }
    let hash = payload_hash(request)?;
    let canonical = canonical(request, &names, &hash);
    let scope = format!("{date}/{region}/{of_service}/{terminator}");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(sha256(canonical.as_bytes()).as_ref()));
    let key = signing_key(secret, date, region, of_service);
    let expected = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    if verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_err() {
        return refuse(
            "InvalidSignatureException",
            format!(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
                 Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this \
                 request should have been\n'{canonical}'\n\nThe String-to-Sign should have been\n'{to_sign}'\n"
            ),
        );
    }
    Ok(principal)
}

/// The credential's scope must be of the day, the service and this way of signing.
fn check_scope(
    date: &str,
    of_service: &str,
    terminator: &str,
    service: &str,
    time: &str,
) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    if of_service != service {
        wrong.push(format!("Credential should be scoped to correct service: '{service}'."));
    }
    if terminator != TERMINATOR {
        wrong.push(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
            plain(terminator)
        ));
    }
    if time.get(..8) != Some(date) {
        wrong.push(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from \
             '{}'.",
            plain(date),
            plain(time.get(..8).unwrap_or_default()),
            plain(time)
        ));
    }
    if wrong.is_empty() { Ok(()) } else { refuse("InvalidSignatureException", wrong.join(" ")) }
}

/// A word of a caller as it may stand in a text: short and printable.
fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_graphic).take(64).collect()
}

/// `x-amz-content-sha256` if it is there, which must be true then, else the body's hash.
fn payload_hash(request: &Request<'_>) -> Result<String, Refusal> {
    let actual = hex(sha256(request.body).as_ref());
    match request.header("x-amz-content-sha256") {
        None => Ok(actual),
        Some(said) if said == actual || said == "UNSIGNED-PAYLOAD" => Ok(said.to_owned()),
        Some(_) => refuse(
            "InvalidSignatureException",
            "The value of the x-amz-content-sha256 header doesn't match the hash of the body.",
        ),
    }
}

/// `YYYYMMDDTHHMMSSZ` in seconds of the Unix epoch.
fn seconds(time: &str) -> Option<i64> {
    if time.len() != 16 || !time.is_ascii() || &time[8..9] != "T" || !time.ends_with('Z') {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = &time[from..to];
        if digits.bytes().all(|octet| octet.is_ascii_digit()) { digits.parse::<i64>().ok() } else { None }
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + number(9, 11)? * 3_600 + number(11, 13)? * 60 + number(13, 15)?)
}

/// The same backwards.
fn basic(seconds: i64) -> String {
    let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

fn check_time(time: &str, now: i64) -> Result<(), Refusal> {
    let Some(at) = seconds(time) else {
        return refuse(
            "IncompleteSignatureException",
            format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                plain(time)
            ),
        );
    };
    if at < now - SKEW_S {
        return refuse(
            "InvalidSignatureException",
            format!(
                "Signature expired: {time} is now earlier than {} ({} - 5 min.)",
                basic(now - SKEW_S),
                basic(now)
            ),
        );
    }
    if at > now + SKEW_S {
        return refuse(
            "InvalidSignatureException",
            format!(
                "Signature not yet current: {time} is still later than {} ({} + 5 min.)",
                basic(now + SKEW_S),
                basic(now)
            ),
        );
    }
    Ok(())
}

/// The canonical request.
fn canonical(request: &Request<'_>, signed: &[&str], payload_hash: &str) -> String {
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
            (encode(&decode(name)), encode(&decode(value)))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn decode(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |octet: u8| char::from(octet).to_digit(16);
        if first == b'%'
            && let [high, low, tail @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            octets.push((high * 16 + low) as u8);
            rest = tail;
        } else {
            octets.push(first);
            rest = tail;
        }
    }
    octets
}

fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            text.push(char::from(octet));
        } else {
            text.push_str(&format!("%{octet:02X}"));
        }
    }
    text
}

/// Trimmed, and each run of blanks one blank.
fn squeezed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn sha256(octets: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, octets)
}

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [date, region, service, TERMINATOR] {
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
    use serde_json::json;

    use super::*;

    const NOW: &str = "20260102T030405Z";

    fn identities() -> Identities {
        let keys = json!([{"id": "AKIDEXAMPLEAAAAA", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}]);
        Identities::read(json!({"users": [{"name": "ann", "access_keys": keys}]}), "1").expect("identities")
    }

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
            let canonical = canonical(&request, &names, &payload_hash(&request).expect("hash"));
            let scope = "20260102/us-east-1/execute-api/aws4_request";
            let to_sign =
                format!("{ALGORITHM}\n{NOW}\n{scope}\n{}", hex(sha256(canonical.as_bytes()).as_ref()));
            let key = signing_key(
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                "20260102",
                "us-east-1",
                "execute-api",
            );
            assert_eq!(hex(hmac::sign(&key, to_sign.as_bytes()).as_ref()), expected, "{canonical}");
        }
    }

    /// A request that is signed as it should be, changed by `change`.
    fn outcome(now: &str, change: impl FnOnce(&mut Vec<(String, String)>)) -> Result<String, Refusal> {
        let scope = "20260102/us-east-1/apigateway/aws4_request";
        let mut all = headers(&[("host", "h"), ("x-amz-date", NOW)]);
        let request = Request { method: "GET", path: "/restapis", query: "", headers: &all, body: b"" };
        let canonical = canonical(&request, &["host", "x-amz-date"], &payload_hash(&request).expect("hash"));
        let to_sign = format!("{ALGORITHM}\n{NOW}\n{scope}\n{}", hex(sha256(canonical.as_bytes()).as_ref()));
        let key =
            signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20260102", "us-east-1", "apigateway");
        let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
        let field = format!(
            "{ALGORITHM} Credential=AKIDEXAMPLEAAAAA/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        all.push(("authorization".to_owned(), field));
        change(&mut all);
        let request = Request { method: "GET", path: "/restapis", query: "", headers: &all, body: b"" };
        let now = seconds(now).expect("time");
        verify(&request, "apigateway", now, &identities()).map(|principal| principal.name.clone())
    }

    #[test]
    fn only_good_signatures_are_accepted() {
        assert_eq!(outcome(NOW, |_| {}), Ok("ann".to_owned()));
        let code = |outcome: Result<String, Refusal>| outcome.expect_err("refused").code;
        let set = |name: &'static str, from: &'static str, to: &'static str| {
            move |all: &mut Vec<(String, String)>| {
                let field = all.iter_mut().find(|(known, _)| known == name).expect(name);
                field.1 = field.1.replace(from, to);
            }
        };
        for (change, expected, text) in [
            (
                set("authorization", "Signature=", "Signature=0"),
                "InvalidSignatureException",
                "The request signature we calculated",
            ),
            (set("host", "h", "other"), "InvalidSignatureException", "The request signature we calculated"),
            (
                set("authorization", "AKIDEXAMPLEAAAAA", "AKIDEXAMPLEBBBBB"),
                "UnrecognizedClientException",
                "The security token",
            ),
            (
                set("authorization", "apigateway", "execute-api"),
                "InvalidSignatureException",
                "Credential should be scoped to correct service: 'apigateway'.",
            ),
            (
                set("authorization", "aws4_request", "x"),
                "InvalidSignatureException",
                "Credential should be scoped with a valid terminator",
            ),
            (
                set("authorization", "20260102", "20260101"),
                "InvalidSignatureException",
                "Date in Credential scope does not match",
            ),
            (set("authorization", "host;x-amz-date", "x-amz-date"), "InvalidSignatureException", "'Host'"),
            (
                set("authorization", "Credential=", "X="),
                "IncompleteSignatureException",
                "Authorization header requires 'Credential' parameter.",
            ),
            (
                set("authorization", "AWS4-HMAC-SHA256", "Bearer"),
                "IncompleteSignatureException",
                "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature'",
            ),
        ] {
            let refusal = outcome(NOW, change).expect_err("refused");
            assert!(refusal.code == expected && refusal.message.starts_with(text), "{refusal:?}");
            assert!(!refusal.message.contains("EXAMPLEKEY"));
        }
        assert_eq!(code(outcome(NOW, |all| drop(all.pop()))), "MissingAuthenticationTokenException");
        assert_eq!(
            outcome("20260102T031000Z", |_| {}).expect_err("late").message,
            "Signature expired: 20260102T030405Z is now earlier than 20260102T030500Z (20260102T031000Z - 5 min.)"
        );
        assert!(
            outcome("20260102T025800Z", |_| {})
                .expect_err("early")
                .message
                .starts_with("Signature not yet current: ")
        );
    }

    proptest! {
        #[test]
        fn no_field_is_too_strange(field in ".{0,200}", date in ".{0,20}", path in ".{0,50}", query in ".{0,50}") {
            let all = headers(&[("host", "h"), ("x-amz-date", &date), ("authorization", &field)]);
            let request = Request { method: "GET", path: &path, query: &query, headers: &all, body: b"" };
            prop_assert!(verify(&request, "apigateway", 0, &identities()).is_err());
            let _ = canonical(&request, &["host"], "");
            let _ = seconds(&date);
        }

        #[test]
        fn times_come_back(at in 0_i64..4_102_444_800) {
            prop_assert_eq!(seconds(&basic(at)), Some(at));
        }
    }
}
