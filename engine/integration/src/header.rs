//! What becomes of each field that has a rule: dropped, passed, renamed, or an illegal target of a mapping.
//!
//! AWS: recorded tables first, "Amazon API Gateway important notes" where nothing was recorded. Rules that only
//! protect the message (hop-by-hop fields, RFC 9110 §7.6.1) are ours.

use vocabulary::KnownField as Field;

use crate::Kind;

/// Prefix of a backend's field that the gateway keeps for itself.
pub const REMAPPED: &[u8] = b"x-amzn-Remapped-";

/// What a mapping to `integration.request.header.X` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestTarget {
    /// The field is sent with the mapped value.
    Set,
    /// The mapping has no effect.
    Drop,
    /// A call whose mapping yields a value is refused: 500, API_CONFIGURATION_ERROR.
    Refuse,
}

/// What becomes of a field on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// Returned under its name.
    Pass,
    /// Returned as `x-amzn-Remapped-<Name>`.
    Remap,
    /// Not returned.
    Drop,
}

/// The client's fields that never go on by themselves under `HTTP_PROXY`: those removed when a request is parsed,
/// `Host`, `Content-Encoding` and `Via`, the hop-by-hop ones, and those the gateway writes itself.
const HELD_BACK: [Field; 25] = [
    Field::Connection,
    Field::ContentLength,
    Field::ContentMd5,
    Field::Expect,
    Field::MaxForwards,
    Field::ProxyAuthenticate,
    Field::Server,
    Field::Te,
    Field::TransferEncoding,
    Field::Trailer,
    Field::Upgrade,
    Field::WwwAuthenticate,
    Field::Host,
    Field::ContentEncoding,
    Field::Via,
    Field::KeepAlive,
    Field::ProxyConnection,
    Field::ProxyAuthorization,
    Field::Http2Settings,
    Field::XHttpMethodOverride,
    Field::XAmznTraceId,
    Field::XAmznApigatewayApiId,
    Field::XForwardedFor,
    Field::XForwardedPort,
    Field::XForwardedProto,
];

const FORWARDED: [bool; Field::COUNT] = {
    let mut table = [true; Field::COUNT];
    let mut at = 0;
    while at < HELD_BACK.len() {
        table[HELD_BACK[at] as usize] = false;
        at += 1;
    }
    table
};

/// A backend's fields that are renamed: the recorded five, and those the documentation names.
const RENAMED: [Field; 10] = [
    Field::Connection,
    Field::ContentLength,
    Field::Date,
    Field::Server,
    Field::XAmznRequestId,
    Field::Authorization,
    Field::ContentMd5,
    Field::MaxForwards,
    Field::UserAgent,
    Field::WwwAuthenticate,
];

/// A backend's fields that end at the gateway. `x-amz-apigw-id` can't be set from outside, so there is one only.
const ENDED: [Field; 12] = [
    Field::Expect,
    Field::Host,
    Field::ProxyAuthenticate,
    Field::ProxyAuthorization,
    Field::ProxyConnection,
    Field::KeepAlive,
    Field::Te,
    Field::TransferEncoding,
    Field::Trailer,
    Field::Upgrade,
    Field::Via,
    Field::XAmzApigwId,
];

const RETURNED: [Return; Field::COUNT] = {
    let mut table = [Return::Pass; Field::COUNT];
    let mut at = 0;
    while at < RENAMED.len() {
        table[RENAMED[at] as usize] = Return::Remap;
        at += 1;
    }
    at = 0;
    while at < ENDED.len() {
        table[ENDED[at] as usize] = Return::Drop;
        at += 1;
    }
    table
};

/// Whether `HTTP_PROXY` forwards a client's field that nothing maps.
#[must_use]
#[inline]
pub fn is_forwarded(known: Field) -> bool {
    FORWARDED[known as usize]
}

/// Whether a field carries a signature made for this gateway: such an `Authorization` is for no one else (documented).
#[must_use]
#[inline]
pub fn is_signature(known: Field, value: &[u8]) -> bool {
    known == Field::Authorization && value.starts_with(b"AWS4-")
}

/// What becomes of a field of an `HTTP_PROXY` backend.
#[must_use]
#[inline]
pub fn returned(known: Field) -> Return {
    RETURNED[known as usize]
}

/// What a mapping to `integration.request.header.X` does (recorded, `GET`, regional API).
#[must_use]
pub fn request_target(kind: Kind, known: Field) -> RequestTarget {
    match (kind, known) {
        (Kind::Mock, _) => RequestTarget::Drop,
        (_, Field::Connection | Field::Expect | Field::ProxyAuthenticate | Field::Te | Field::Via) => {
            RequestTarget::Drop
        }
        // Ours: they would speak for the next hop.
        (_, Field::KeepAlive | Field::ProxyConnection | Field::Http2Settings) => RequestTarget::Drop,
        (
            _,
            Field::ContentLength
            | Field::TransferEncoding
            | Field::XAmznTraceId
            | Field::XAmznApigatewayApiId,
        ) => RequestTarget::Refuse,
        _ => RequestTarget::Set,
    }
}

/// What a mapping to `method.response.header.X` does (recorded for `HTTP` and `AWS`; `MOCK` as those).
#[must_use]
pub fn response_target(known: Field) -> Return {
    match known {
        Field::Authorization
        | Field::Connection
        | Field::ContentLength
        | Field::ContentMd5
        | Field::Date
        | Field::Expect
        | Field::Host
        | Field::MaxForwards
        | Field::ProxyAuthenticate
        | Field::Server
        | Field::Trailer
        | Field::Upgrade
        | Field::UserAgent
        | Field::WwwAuthenticate
        | Field::XAmznRequestId => Return::Remap,
        // The last three are ours: hop-by-hop, and an id that can't be set from outside.
        Field::TransferEncoding | Field::KeepAlive | Field::ProxyConnection | Field::XAmzApigwId => {
            Return::Drop
        }
        _ => Return::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: [&str; 19] = [
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Age",
        "Content-Encoding",
        "Content-MD5",
        "Content-Type",
        "Date",
        "Max-Forwards",
        "Pragma",
        "Range",
        "Server",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "Warn",
        "WWW-Authenticate",
        "Referer",
        "Authorization",
    ];

    fn known(name: &str) -> Field {
        let known = Field::of(name.as_bytes());
        assert_ne!(known, Field::Other, "{name} has a rule");
        known
    }

    #[test]
    fn mapped_request_headers_do_as_recorded() {
        for kind in [Kind::Http, Kind::HttpProxy] {
            for name in SENT {
                assert_eq!(request_target(kind, known(name)), RequestTarget::Set, "{name}");
            }
            assert_eq!(request_target(kind, known("Host")), RequestTarget::Set);
            for name in ["Connection", "Expect", "Proxy-Authenticate", "TE", "Via"] {
                assert_eq!(request_target(kind, known(name)), RequestTarget::Drop, "{name}");
            }
            for name in ["Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id"]
            {
                assert_eq!(request_target(kind, known(name)), RequestTarget::Refuse, "{name}");
            }
            assert_eq!(request_target(kind, Field::Other), RequestTarget::Set);
        }
    }

    #[test]
    fn mapped_response_headers_do_as_recorded() {
        for name in [
            "Accept",
            "Accept-Charset",
            "Accept-Encoding",
            "Age",
            "Content-Encoding",
            "Content-Type",
            "Pragma",
            "Range",
            "Referer",
            "TE",
            "Via",
            "Warn",
        ] {
            assert_eq!(response_target(known(name)), Return::Pass, "{name}");
        }
        for name in [
            "Authorization",
            "Connection",
            "Content-Length",
            "Content-MD5",
            "Date",
            "Expect",
            "Host",
            "Max-Forwards",
            "Proxy-Authenticate",
            "Server",
            "Trailer",
            "Upgrade",
            "User-Agent",
            "WWW-Authenticate",
        ] {
            assert_eq!(response_target(known(name)), Return::Remap, "{name}");
        }
        assert_eq!(response_target(known("Transfer-Encoding")), Return::Drop);
    }

    #[test]
    fn a_proxied_backend_gets_some_fields_renamed() {
        for name in ["Connection", "Content-Length", "Date", "Server", "x-amzn-RequestId"] {
            assert_eq!(returned(known(name)), Return::Remap, "{name}");
        }
        for name in ["Transfer-Encoding", "Trailer", "Upgrade", "Expect", "Proxy-Authenticate", "TE", "Host"]
        {
            assert_eq!(returned(known(name)), Return::Drop, "{name}");
        }
        for name in ["Content-Type", "Content-Encoding", "Set-Cookie", "ETag", "Age", "Accept", "Location"] {
            assert_eq!(returned(known(name)), Return::Pass, "{name}");
        }
        assert_eq!(returned(Field::Other), Return::Pass);
    }

    #[test]
    fn fields_removed_when_a_request_is_parsed_go_nowhere() {
        for name in [
            "Connection",
            "Content-Length",
            "Content-MD5",
            "Expect",
            "Max-Forwards",
            "Proxy-Authenticate",
            "Server",
            "TE",
            "Transfer-Encoding",
            "Trailer",
            "Upgrade",
            "WWW-Authenticate",
            "Host",
            "Content-Encoding",
            "Via",
        ] {
            assert!(!is_forwarded(known(name)), "{name}");
        }
        for name in
            ["Authorization", "Accept", "Cookie", "Date", "Range", "User-Agent", "X-API-Key", "Origin"]
        {
            assert!(is_forwarded(known(name)), "{name}");
        }
    }
}
