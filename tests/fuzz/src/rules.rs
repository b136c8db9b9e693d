//! RFC 9112 and our strictness written down plainly, without regard to speed: what a whole head must look like. The
//! parsers must accept exactly this.

use codec::h1::{BodyFraming, HeadLimits};
use vocabulary::Method;

/// Bytes of a request line beside its target.
const REQUEST_LINE_REST: usize = 48;

/// A name and a value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// Lines up to the empty one, and the bytes behind it. A line has neither CR nor LF.
pub(crate) struct Lines<'a> {
    pub(crate) lines: Vec<&'a [u8]>,
    pub(crate) consumed: usize,
}

/// What the fields say.
#[derive(Debug, PartialEq)]
pub(crate) struct Fields<'a> {
    pub(crate) pairs: Vec<Pair<'a>>,
    pub(crate) length: Option<u64>,
    pub(crate) chunked: bool,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) options: Vec<Vec<u8>>,
}

/// What both kinds of heads have.
#[derive(Debug, PartialEq)]
pub(crate) struct Common<'a> {
    pub(crate) consumed: usize,
    pub(crate) minor: u8,
    pub(crate) fields: Fields<'a>,
}

/// A request head.
#[derive(Debug, PartialEq)]
pub(crate) struct Request<'a> {
    pub(crate) common: Common<'a>,
    pub(crate) method: &'a [u8],
    pub(crate) path: &'a [u8],
    pub(crate) query: Option<&'a [u8]>,
    pub(crate) host: &'a [u8],
}

/// A response head.
#[derive(Debug, PartialEq)]
pub(crate) struct Response<'a> {
    pub(crate) common: Common<'a>,
    pub(crate) status: u16,
    pub(crate) reason: &'a [u8],
}

impl<'a> AsRef<Common<'a>> for Request<'a> {
    fn as_ref(&self) -> &Common<'a> {
        &self.common
    }
}

impl<'a> AsRef<Common<'a>> for Response<'a> {
    fn as_ref(&self) -> &Common<'a> {
        &self.common
    }
}

/// The first place of `part` in `text`.
fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn split_once<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = position(text, at)?;
    Some((&text[..found], &text[found + at.len()..]))
}

/// `may_skip`: one empty line may come first.
fn head_lines(input: &[u8], may_skip: bool) -> Option<Lines<'_>> {
    let mut lines = Vec::new();
    let mut rest = input;
    if may_skip && let Some(after) = rest.strip_prefix(b"\r\n") {
        rest = after;
    }
    loop {
        let (line, after) = split_once(rest, b"\r\n")?;
        rest = after;
        if line.contains(&b'\r') || line.contains(&b'\n') {
            return None;
        }
        if line.is_empty() {
            let whole = !lines.is_empty();
            return whole.then_some(Lines { lines, consumed: input.len() - rest.len() });
        }
        lines.push(line);
    }
}

/// RFC 9110 §5.6.2.
pub(crate) fn token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|o| o.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(o))
}

/// RFC 9110 §5.5.
pub(crate) fn value(text: &[u8]) -> bool {
    text.iter().all(|octet| matches!(octet, b'\t' | b' '..=b'~' | 0x80..))
}

/// RFC 3986 §3.2: a name, an address or a literal in brackets, and a port.
fn authority(text: &[u8]) -> bool {
    let bracket = if text.starts_with(b"[") { position(text, b"]").map(|at| at + 1) } else { None };
    let host_end = bracket.or_else(|| position(text, b":")).unwrap_or(text.len());
    let (host, port) = text.split_at(host_end);
    let digits = port.strip_prefix(b":").or(port.is_empty().then_some(port));
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
        && host.iter().all(|o| o.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(o))
}

fn fields<'a>(lines: &[&'a [u8]], minor: u8, limits: &HeadLimits) -> Option<Fields<'a>> {
    if lines.len() > limits.fields
        || lines.iter().map(|line| line.len() + 2).sum::<usize>() > limits.fields_bytes
    {
        return None;
    }
    let mut pairs = Vec::new();
    for line in lines {
        let (name, rest) = split_once(line, b":")?;
        let mut text = rest;
        while let [b' ' | b'\t', after @ ..] = text {
            text = after;
        }
        while let [before @ .., b' ' | b'\t'] = text {
            text = before;
        }
        if !token(name) || !value(text) {
            return None;
        }
        pairs.push((name, text));
    }
    let all = |name: &str| -> Vec<&'a [u8]> {
        pairs.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| *v).collect()
    };
    let length = match all("content-length")[..] {
        [] => None,
        [digits] if digits.iter().all(u8::is_ascii_digit) && (1..=18).contains(&digits.len()) => {
            Some(String::from_utf8_lossy(digits).parse().ok()?)
        }
        _ => return None,
    };
    let chunked = match all("transfer-encoding")[..] {
        [] => false,
        [coding] if coding.eq_ignore_ascii_case(b"chunked") && minor == 1 && length.is_none() => true,
        _ => return None,
    };
    let host = match all("host")[..] {
        [] => None,
        [host] => Some(host),
        _ => return None,
    };
    let options = all("connection").into_iter().flat_map(|list| list.split(|octet| *octet == b','));
    let options = options.map(|option| option.trim_ascii().to_ascii_lowercase()).collect();
    Some(Fields { pairs, length, chunked, host, options })
}

/// A request head, if `input` begins with a whole and good one.
pub(crate) fn request<'a>(input: &'a [u8], limits: &HeadLimits) -> Option<Request<'a>> {
    let Lines { lines, consumed } = head_lines(input, true)?;
    let parts: Vec<&[u8]> = lines[0].split(|octet| *octet == b' ').collect();
    let &[method, target, version] = &parts[..] else { return None };
    let minor = match version {
        b"HTTP/1.1" => 1,
        b"HTTP/1.0" => 0,
        _ => return None,
    };
    let target_octet = |o: &u8| o.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?[]".contains(o);
    let fits =
        target.len() <= limits.target_bytes && lines[0].len() <= limits.target_bytes + REQUEST_LINE_REST;
    if !token(method) || target.is_empty() || !target.iter().all(target_octet) || !fits {
        return None;
    }
    let lower = target.to_ascii_lowercase();
    let scheme = ["http://", "https://"].into_iter().find(|scheme| lower.starts_with(scheme.as_bytes()));
    let (named, rest) = match scheme {
        _ if target == b"*" && method == b"OPTIONS" => (None, target),
        _ if target[0] == b'/' => (None, target),
        Some(scheme) => {
            let after = &target[scheme.len()..];
            let end = after.iter().position(|octet| b"/?".contains(octet)).unwrap_or(after.len());
            if end == 0 || !authority(&after[..end]) {
                return None;
            }
            (Some(&after[..end]), &after[end..])
        }
        None => return None,
    };
    let (path, query) = split_once(rest, b"?").map_or((rest, None), |(path, query)| (path, Some(query)));
    let path = if path.is_empty() { b"/" } else { path };
    let fields = fields(&lines[1..], minor, limits)?;
    let host_fits = fields.host.map_or(minor == 0, authority);
    let host = named.or(fields.host).unwrap_or_default();
    let common = Common { consumed, minor, fields };
    host_fits.then_some(Request { common, method, path, query, host })
}

/// A response head, if `input` begins with a whole and good one.
pub(crate) fn response<'a>(input: &'a [u8], limits: &HeadLimits) -> Option<Response<'a>> {
    let Lines { lines, consumed } = head_lines(input, false)?;
    let minor = match lines[0].get(..9)? {
        b"HTTP/1.1 " => 1,
        b"HTTP/1.0 " => 0,
        _ => return None,
    };
    let (code, rest) = lines[0][9..].split_at_checked(3)?;
    let status = std::str::from_utf8(code).ok()?.parse().ok()?;
    let reason = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    let good = lines[0].len() <= limits.fields_bytes
        && code.iter().all(u8::is_ascii_digit)
        && (100..600).contains(&status)
        && value(reason);
    let fields = fields(&lines[1..], minor, limits)?;
    let common = Common { consumed, minor, fields };
    good.then_some(Response { common, status, reason })
}

impl Fields<'_> {
    /// RFC 9112 §9.3.
    pub(crate) fn persists(&self, minor: u8) -> bool {
        let has = |option: &[u8]| self.options.iter().any(|known| known == option);
        !has(b"close") && (minor == 1 || has(b"keep-alive"))
    }

    /// RFC 9110 §7.6.1, by name or because `Connection` lists it.
    pub(crate) fn hop_by_hop(&self, name: &[u8]) -> bool {
        const KNOWN: [&[u8]; 8] = [
            b"connection",
            b"keep-alive",
            b"proxy-connection",
            b"te",
            b"trailer",
            b"transfer-encoding",
            b"upgrade",
            b"http2-settings",
        ];
        let name = name.to_ascii_lowercase();
        KNOWN.contains(&&name[..]) || self.options.contains(&name)
    }

    /// RFC 9112 §6.3, for requests.
    pub(crate) fn request_framing(&self) -> BodyFraming {
        match self.length {
            _ if self.chunked => BodyFraming::Chunked,
            Some(length) => BodyFraming::Length(length),
            None => BodyFraming::None,
        }
    }
}

impl Response<'_> {
    /// RFC 9112 §6.3.
    pub(crate) fn framing(&self, method: Method) -> BodyFraming {
        let none = method == Method::Head || self.status < 200 || self.status == 204 || self.status == 304;
        match self.common.fields.request_framing() {
            _ if none => BodyFraming::None,
            BodyFraming::None => BodyFraming::UntilClose,
            framed => framed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_rule_knows_good_from_bad() {
        let good = |head: &str| request(head.as_bytes(), &HeadLimits::default()).is_some();
        assert!(good("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest"));
        assert!(good("\r\nGET http://a:1?x HTTP/1.0\r\n\r\n"));
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert!(!good(bad), "{bad:?}");
        }
    }
}
