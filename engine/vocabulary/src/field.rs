//! Field names that some rule asks about, recognised once when a head is parsed.
//!
//! Rules then compare one byte instead of names. Any other field is `Other` and passes by its bytes.

/// A field name with a rule, or `Other` (RFC 9110 §5.1: names are case-insensitive).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KnownField {
    /// No rule asks about it.
    #[default]
    Other,
    /// `Host`
    Host,
    /// `Connection`
    Connection,
    /// `Content-Length`
    ContentLength,
    /// `Transfer-Encoding`
    TransferEncoding,
    /// `TE`
    Te,
    /// `Trailer`
    Trailer,
    /// `Upgrade`
    Upgrade,
    /// `Expect`
    Expect,
    /// `Keep-Alive`
    KeepAlive,
    /// `Proxy-Connection`
    ProxyConnection,
    /// `Proxy-Authenticate`
    ProxyAuthenticate,
    /// `Proxy-Authorization`
    ProxyAuthorization,
    /// `Content-Type`
    ContentType,
    /// `Content-Encoding`
    ContentEncoding,
    /// `Content-MD5`
    ContentMd5,
    /// `Accept`
    Accept,
    /// `Accept-Encoding`
    AcceptEncoding,
    /// `Accept-Charset`
    AcceptCharset,
    /// `Age`
    Age,
    /// `Authorization`
    Authorization,
    /// `Date`
    Date,
    /// `Max-Forwards`
    MaxForwards,
    /// `Pragma`
    Pragma,
    /// `Range`
    Range,
    /// `Referer`
    Referer,
    /// `Server`
    Server,
    /// `User-Agent`
    UserAgent,
    /// `Via`
    Via,
    /// `Warn`
    Warn,
    /// `WWW-Authenticate`
    WwwAuthenticate,
    /// `X-Amzn-Trace-Id`
    XAmznTraceId,
    /// `x-amzn-RequestId`
    XAmznRequestId,
    /// `X-Amzn-Apigateway-Api-Id`
    XAmznApigatewayApiId,
    /// `x-amz-apigw-id`
    XAmzApigwId,
    /// `x-amzn-ErrorType`
    XAmznErrorType,
    /// `X-Forwarded-For`
    XForwardedFor,
    /// `X-Forwarded-Port`
    XForwardedPort,
    /// `X-Forwarded-Proto`
    XForwardedProto,
    /// `X-API-Key`
    XApiKey,
    /// `X-HTTP-Method-Override`
    XHttpMethodOverride,
    /// `Cookie`
    Cookie,
    /// `Set-Cookie`
    SetCookie,
    /// `Cache-Control`
    CacheControl,
    /// `ETag`
    Etag,
    /// `Forwarded`
    Forwarded,
    /// `Location`
    Location,
    /// `Origin`
    Origin,
    /// `HTTP2-Settings`
    Http2Settings,
}

impl KnownField {
    /// Number of values, for tables by field.
    pub const COUNT: usize = 49;

    /// The field of a name, whatever its case.
    #[must_use]
    #[inline]
    pub fn of(name: &[u8]) -> Self {
        let Some(slot) = slot(name) else { return KnownField::Other };
        // A slot has one candidate, so a name costs one comparison.
        let candidate = SLOTS[slot];
        if is_same_name(name, candidate.as_str().as_bytes()) { candidate } else { KnownField::Other }
    }

    /// The name as AWS or its RFC spells it; empty for `Other`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            KnownField::Other => "",
            KnownField::Host => "Host",
            KnownField::Connection => "Connection",
            KnownField::ContentLength => "Content-Length",
            KnownField::TransferEncoding => "Transfer-Encoding",
            KnownField::Te => "TE",
            KnownField::Trailer => "Trailer",
            KnownField::Upgrade => "Upgrade",
            KnownField::Expect => "Expect",
            KnownField::KeepAlive => "Keep-Alive",
            KnownField::ProxyConnection => "Proxy-Connection",
            KnownField::ProxyAuthenticate => "Proxy-Authenticate",
            KnownField::ProxyAuthorization => "Proxy-Authorization",
            KnownField::ContentType => "Content-Type",
            KnownField::ContentEncoding => "Content-Encoding",
            KnownField::ContentMd5 => "Content-MD5",
            KnownField::Accept => "Accept",
            KnownField::AcceptEncoding => "Accept-Encoding",
            KnownField::AcceptCharset => "Accept-Charset",
            KnownField::Age => "Age",
            KnownField::Authorization => "Authorization",
            KnownField::Date => "Date",
            KnownField::MaxForwards => "Max-Forwards",
            KnownField::Pragma => "Pragma",
            KnownField::Range => "Range",
            KnownField::Referer => "Referer",
            KnownField::Server => "Server",
            KnownField::UserAgent => "User-Agent",
            KnownField::Via => "Via",
            KnownField::Warn => "Warn",
            KnownField::WwwAuthenticate => "WWW-Authenticate",
            KnownField::XAmznTraceId => "X-Amzn-Trace-Id",
            KnownField::XAmznRequestId => "x-amzn-RequestId",
            KnownField::XAmznApigatewayApiId => "X-Amzn-Apigateway-Api-Id",
            KnownField::XAmzApigwId => "x-amz-apigw-id",
            KnownField::XAmznErrorType => "x-amzn-ErrorType",
            KnownField::XForwardedFor => "X-Forwarded-For",
            KnownField::XForwardedPort => "X-Forwarded-Port",
            KnownField::XForwardedProto => "X-Forwarded-Proto",
            KnownField::XApiKey => "X-API-Key",
            KnownField::XHttpMethodOverride => "X-HTTP-Method-Override",
            KnownField::Cookie => "Cookie",
            KnownField::SetCookie => "Set-Cookie",
            KnownField::CacheControl => "Cache-Control",
            KnownField::Etag => "ETag",
            KnownField::Forwarded => "Forwarded",
            KnownField::Location => "Location",
            KnownField::Origin => "Origin",
            KnownField::Http2Settings => "HTTP2-Settings",
        }
    }
}

/// Every name with a rule.
const ALL: [KnownField; KnownField::COUNT - 1] = [
    KnownField::Host,
    KnownField::Connection,
    KnownField::ContentLength,
    KnownField::TransferEncoding,
    KnownField::Te,
    KnownField::Trailer,
    KnownField::Upgrade,
    KnownField::Expect,
    KnownField::KeepAlive,
    KnownField::ProxyConnection,
    KnownField::ProxyAuthenticate,
    KnownField::ProxyAuthorization,
    KnownField::ContentType,
    KnownField::ContentEncoding,
    KnownField::ContentMd5,
    KnownField::Accept,
    KnownField::AcceptEncoding,
    KnownField::AcceptCharset,
    KnownField::Age,
    KnownField::Authorization,
    KnownField::Date,
    KnownField::MaxForwards,
    KnownField::Pragma,
    KnownField::Range,
    KnownField::Referer,
    KnownField::Server,
    KnownField::UserAgent,
    KnownField::Via,
    KnownField::Warn,
    KnownField::WwwAuthenticate,
    KnownField::XAmznTraceId,
    KnownField::XAmznRequestId,
    KnownField::XAmznApigatewayApiId,
    KnownField::XAmzApigwId,
    KnownField::XAmznErrorType,
    KnownField::XForwardedFor,
    KnownField::XForwardedPort,
    KnownField::XForwardedProto,
    KnownField::XApiKey,
    KnownField::XHttpMethodOverride,
    KnownField::Cookie,
    KnownField::SetCookie,
    KnownField::CacheControl,
    KnownField::Etag,
    KnownField::Forwarded,
    KnownField::Location,
    KnownField::Origin,
    KnownField::Http2Settings,
];

/// Where a name is looked up; `None` for an empty one. The factors give each name of [`ALL`] a slot of its own.
#[inline]
const fn slot(name: &[u8]) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let (first, middle, last) = (name[0], name[name.len() / 2], name[name.len() - 1]);
    Some(
        (name.len() + (first | 0x20) as usize * 40 + (middle | 0x20) as usize + (last | 0x20) as usize * 5)
            % 256,
    )
}

const SLOTS: [KnownField; 256] = {
    let mut slots = [KnownField::Other; 256];
    let mut index = 0;
    while index < ALL.len() {
        let Some(slot) = slot(ALL[index].as_str().as_bytes()) else { panic!("a name is empty") };
        assert!(matches!(slots[slot], KnownField::Other), "two names share a slot: find other factors");
        slots[slot] = ALL[index];
        index += 1;
    }
    slots
};

/// Whether none of eight octets is below 0x20. Octets are ASCII here, as they equal those of a known name but for
/// bit 5.
#[inline]
fn printable(word: u64) -> bool {
    const TOP: u64 = 0x8080_8080_8080_8080;
    // Adding 0x60 carries into bit 7 for all octets from 0x20 on.
    word.wrapping_add(0x6060_6060_6060_6060) & TOP == TOP
}

/// Whether two names differ in nothing but the case of their letters, eight bytes at a time.
///
/// Setting bit 5 makes letters lower-case and leaves digits and `-` as they are; control characters, which it could
/// turn into those, are told apart by the bits above it.
#[inline]
fn is_same_name(name: &[u8], known: &[u8]) -> bool {
    const CASE: u64 = 0x2020_2020_2020_2020;
    if name.len() != known.len() {
        return false;
    }
    let same = |name: [u8; 8], known: [u8; 8]| {
        let (name, known) = (u64::from_le_bytes(name), u64::from_le_bytes(known));
        name | CASE == known | CASE && printable(name)
    };
    let (Some(&head), Some(&tail)) = (name.first_chunk(), name.last_chunk()) else {
        return name.eq_ignore_ascii_case(known);
    };
    let (Some(&known_head), Some(&known_tail)) = (known.first_chunk(), known.last_chunk()) else {
        return false;
    };
    // The two overlap in names of up to sixteen bytes, and no name is longer than three times eight.
    same(head, known_head)
        && same(tail, known_tail)
        && (name.len() <= 16 || name[8..name.len() - 8].eq_ignore_ascii_case(&known[8..known.len() - 8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_recognised() {
        for name in ["host", "HOST", "Host"] {
            assert_eq!(KnownField::of(name.as_bytes()), KnownField::Host);
        }
        for known in
            [KnownField::ContentMd5, KnownField::XAmznTraceId, KnownField::Te, KnownField::Http2Settings]
        {
            assert_eq!(KnownField::of(known.as_str().as_bytes()), known);
            assert_eq!(KnownField::of(known.as_str().to_ascii_uppercase().as_bytes()), known);
        }
        // Same length and nearly the same: the first, a middle and the last byte differ.
        for other in [
            "",
            "x",
            "hosts",
            "content_length",
            "x-forwarded-fox",
            "yost",
            "hose",
            "c0nnection",
            "xonnection",
            "connectiom",
            "x-amzn-apigateway_api-id",
            "transfer-encodinG ",
            "content-lenght",
            "user_agent",
            "content\rtype",
            "http\u{12}-settings",
            "h\u{0f}st",
        ] {
            assert_eq!(KnownField::of(other.as_bytes()), KnownField::Other);
        }
        for known in ALL {
            assert_eq!(KnownField::of(known.as_str().to_ascii_lowercase().as_bytes()), known);
        }
        assert_eq!(KnownField::Http2Settings as usize, KnownField::COUNT - 1);
    }
}
