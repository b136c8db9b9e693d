//! What `HTTP` and `HTTP_PROXY` calls have in common.

use vocabulary::Method;

/// Whether a call of this method carries a body (emulator; the service's rule is unknown).
#[must_use]
pub fn carries_body(method: Method) -> bool {
    !matches!(method, Method::Get | Method::Head | Method::Options)
}

/// Whether a mapped value can be a `Host`: a mapping may hand a client's bytes to it (RFC 9110 §7.2).
#[must_use]
pub fn is_host(value: &[u8]) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    !value.is_empty() && value.iter().all(|&byte| fits(byte))
}
