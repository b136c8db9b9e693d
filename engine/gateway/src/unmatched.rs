//! What a request without a route is told: there, `Authorization` is read as a signature (observed).
//!
//! In: the request. Out: MISSING_AUTHENTICATION_TOKEN, as `IncompleteSignatureException` where the header is there and
//! isn't one. The header is only ever repeated as a hash, as the service does today.
//! AWS: "Troubleshooting HTTP 403 errors from API Gateway", "Signature Version 4 troubleshooting".

use codec::h1::RequestHead;
use vocabulary::{KnownField, Refusal};

use crate::digest::{base64, sha256};

/// The refusal of a request that no route takes.
pub(crate) fn refusal(request: &RequestHead) -> Refusal {
    let value = request.find(KnownField::Authorization).map_or(b"".as_slice(), <[u8]>::trim_ascii);
    // A real signature would be verified; this version has no keys to do so.
    if value.is_empty() || value.starts_with(b"AWS4-") {
        return Refusal::missing_authentication_token();
    }
    let hash = || base64(&sha256(value));
    if !is_pairs(value) {
        return Refusal::incomplete_signature(format!(
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with \
             Base64): '{}'.",
            hash()
        ));
    }
    let mut message = String::new();
    for name in ["Credential", "Signature", "SignedHeaders"] {
        if !has_pair(value, name.as_bytes()) {
            message.push_str(&format!("Authorization header requires '{name}' parameter. "));
        }
    }
    let dated = request.fields().iter().any(|field| {
        field.known == KnownField::Date || request.name(field).eq_ignore_ascii_case(b"x-amz-date")
    });
    if !dated {
        message.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    message.push_str(&format!("(Hashed with SHA-256 and encoded with Base64) Authorization={}", hash()));
    Refusal::incomplete_signature(message)
}

/// Pieces after the first word, which names the algorithm.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let first_word = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    let pieces = value[first_word..].split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    pieces.filter(|piece| !piece.is_empty())
}

fn is_pairs(value: &[u8]) -> bool {
    pieces(value).all(|piece| piece.contains(&b'='))
}

fn has_pair(value: &[u8], name: &[u8]) -> bool {
    pieces(value).any(|piece| piece.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"=")))
}
