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
    pub fn of(name: &[u8]) -> Self {
        // The length leaves few candidates, so most names cost one comparison or none.
        let candidates = if name.len() <= 12 { of_short(name.len()) } else { of_long(name.len()) };
        candidates
            .iter()
            .find(|(candidate, _)| is_lower_case_of(name, candidate))
            .map_or(KnownField::Other, |&(_, known)| known)
    }

    /// The name as AWS or its RFC spells it; empty for `Other`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
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

type Candidates = &'static [(&'static [u8], KnownField)];

/// Names of up to twelve bytes, by their length.
fn of_short(len: usize) -> Candidates {
    match len {
        2 => &[(b"te", KnownField::Te)],
        3 => &[(b"age", KnownField::Age), (b"via", KnownField::Via)],
        4 => &[
            (b"host", KnownField::Host),
            (b"date", KnownField::Date),
            (b"warn", KnownField::Warn),
            (b"etag", KnownField::Etag),
        ],
        5 => &[(b"range", KnownField::Range)],
        6 => &[
            (b"expect", KnownField::Expect),
            (b"accept", KnownField::Accept),
            (b"pragma", KnownField::Pragma),
            (b"server", KnownField::Server),
            (b"cookie", KnownField::Cookie),
            (b"origin", KnownField::Origin),
        ],
        7 => &[
            (b"trailer", KnownField::Trailer),
            (b"upgrade", KnownField::Upgrade),
            (b"referer", KnownField::Referer),
        ],
        8 => &[(b"location", KnownField::Location)],
        9 => &[(b"x-api-key", KnownField::XApiKey), (b"forwarded", KnownField::Forwarded)],
        10 => &[
            (b"connection", KnownField::Connection),
            (b"keep-alive", KnownField::KeepAlive),
            (b"user-agent", KnownField::UserAgent),
            (b"set-cookie", KnownField::SetCookie),
        ],
        11 => &[(b"content-md5", KnownField::ContentMd5)],
        12 => &[(b"content-type", KnownField::ContentType), (b"max-forwards", KnownField::MaxForwards)],
        _ => &[],
    }
}

/// Longer names, by their length.
fn of_long(len: usize) -> Candidates {
    match len {
        13 => &[(b"authorization", KnownField::Authorization), (b"cache-control", KnownField::CacheControl)],
        14 => &[
            (b"content-length", KnownField::ContentLength),
            (b"accept-charset", KnownField::AcceptCharset),
            (b"x-amz-apigw-id", KnownField::XAmzApigwId),
            (b"http2-settings", KnownField::Http2Settings),
        ],
        15 => &[
            (b"accept-encoding", KnownField::AcceptEncoding),
            (b"x-amzn-trace-id", KnownField::XAmznTraceId),
            (b"x-forwarded-for", KnownField::XForwardedFor),
        ],
        16 => &[
            (b"proxy-connection", KnownField::ProxyConnection),
            (b"content-encoding", KnownField::ContentEncoding),
            (b"www-authenticate", KnownField::WwwAuthenticate),
            (b"x-amzn-requestid", KnownField::XAmznRequestId),
            (b"x-amzn-errortype", KnownField::XAmznErrorType),
            (b"x-forwarded-port", KnownField::XForwardedPort),
        ],
        17 => &[
            (b"transfer-encoding", KnownField::TransferEncoding),
            (b"x-forwarded-proto", KnownField::XForwardedProto),
        ],
        18 => &[(b"proxy-authenticate", KnownField::ProxyAuthenticate)],
        19 => &[(b"proxy-authorization", KnownField::ProxyAuthorization)],
        22 => &[(b"x-http-method-override", KnownField::XHttpMethodOverride)],
        24 => &[(b"x-amzn-apigateway-api-id", KnownField::XAmznApigatewayApiId)],
        _ => &[],
    }
}

/// Whether `name` is `lower` but for the case of its letters, eight bytes at a time. Both have the same length.
///
/// Setting bit 5 makes letters lower-case and leaves digits and `-` as they are, so for field names, which hold no
/// control characters, the comparison is exact.
#[inline]
fn is_lower_case_of(name: &[u8], lower: &[u8]) -> bool {
    const CASE: u64 = 0x2020_2020_2020_2020;
    let word = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let Some(last) = name.len().checked_sub(8) else {
        return name.iter().zip(lower).all(|(byte, expected)| byte | 0x20 == *expected);
    };
    let mut at = 0;
    while at < last {
        if word(name, at) | CASE != word(lower, at) {
            return false;
        }
        at += 8;
    }
    word(name, last) | CASE == word(lower, last)
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
        ] {
            assert_eq!(KnownField::of(other.as_bytes()), KnownField::Other);
        }
        assert!((KnownField::Http2Settings as usize) < KnownField::COUNT);
    }
}
