//! Signature Version 4: any request against a store of one key.
//!
//! An input is a line `METHOD /path?query`, lines `name: value`, an empty line, and the body.

use access::{Identities, Request, sigv4};
use serde_json::json;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const CODES: [&str; 4] = [
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
];

/// Verifies the request. What is accepted is refused with one octet more.
pub fn signature(input: &[u8]) {
    let content = json!({"users": [{"name": "ann", "access_keys": [{"id": "AKIDEXAMPLE0000000000", "secret": SECRET}]}]});
    let identities = Identities::read(content, "123456789012").expect("identities");
    let split = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let head = String::from_utf8_lossy(&input[..split]);
    let body = input.get(split + 2..).unwrap_or_default();
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let request = Request { method, path, query, headers: &headers, body };
    // 30 August 2015, 12:36:00, the moment of the published vectors.
    let verify = |request: &Request<'_>| sigv4::verify(request, "service", 1_440_938_160, &identities);
    match verify(&request) {
        Ok(principal) => {
            assert_eq!(principal.name, "ann");
            let more = [body, b"x"].concat();
            let is_unsigned = headers.iter().any(|(_, value)| value == "UNSIGNED-PAYLOAD");
            assert!(is_unsigned || verify(&Request { body: &more, ..request }).is_err(), "another body");
            let method = format!("{method}X");
            assert!(verify(&Request { method: &method, ..request }).is_err(), "another method");
        }
        Err(refusal) => {
            assert!(CODES.contains(&refusal.code), "{refusal:?}");
            assert!(head.contains(SECRET) || !refusal.message.contains(SECRET), "{refusal:?}");
        }
    }
}
