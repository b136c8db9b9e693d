//! Signature Version 4 in headers: taken apart, judged, compared.
//!
//! AWS: "Create a signed AWS API request", "Troubleshoot Signature Version 4 signing"; texts are documented or recorded.

use aws_lc_rs::constant_time::verify_slices_are_equal;
pub use signing::sigv4::Request;
use signing::sigv4::{ALGORITHM, Scope, TERMINATOR, canonical, sha256, signature, string_to_sign};
use signing::time::{basic, seconds};

use crate::identity::{Identities, Principal};

/// How far a request's time may be from the clock, in seconds (recorded for the past side).
const SKEW_S: i64 = 5 * 60;

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
            format!("{} (Hashed with SHA-256: {})", missing.join(" "), sha256(field.as_bytes())),
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
    let Parts { credential, signed_headers, signature: given } = parts(request, field)?;
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
    let scope = Scope { date, region, service: of_service };
    let to_sign = string_to_sign(time, &scope, &canonical);
    let expected = signature(secret, &scope, &to_sign);
    if verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_err() {
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
    let actual = sha256(request.body);
    match request.header("x-amz-content-sha256") {
        None => Ok(actual),
        Some(said) if said == actual || said == "UNSIGNED-PAYLOAD" => Ok(said.to_owned()),
        Some(_) => refuse(
            "InvalidSignatureException",
            "The value of the x-amz-content-sha256 header doesn't match the hash of the body.",
        ),
    }
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

    /// A request that is signed as it should be, changed by `change`.
    fn outcome(now: &str, change: impl FnOnce(&mut Vec<(String, String)>)) -> Result<String, Refusal> {
        let scope = "20260102/us-east-1/apigateway/aws4_request";
        let mut all = headers(&[("host", "h"), ("x-amz-date", NOW)]);
        let request = Request { method: "GET", path: "/restapis", query: "", headers: &all, body: b"" };
        let canonical = canonical(&request, &["host", "x-amz-date"], &payload_hash(&request).expect("hash"));
        let of = Scope { date: "20260102", region: "us-east-1", service: "apigateway" };
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let signature = signature(secret, &of, &string_to_sign(NOW, &of, &canonical));
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
        }

    }
}
