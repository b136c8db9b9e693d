//! Request heads: what every head must hold, and the request line, host and framing of a request.

use codec::h1::{Field, HeadError, HeadLimits, Progress, RequestHead};
use vocabulary::{KnownField, Method};

use crate::head::{self, Head};
use crate::rules;

/// Reads a request head from any bytes, within the default limits and within small ones.
pub fn request_head(input: &[u8]) {
    head::check::<RequestHead>(input, HeadLimits::default());
}

impl Head for RequestHead {
    type Rule<'a> = rules::Request<'a>;

    head::as_the_codec_reads!();

    fn rule<'a>(input: &'a [u8], limits: &HeadLimits) -> Option<rules::Request<'a>> {
        rules::request(input, limits)
    }

    fn facts(&self) -> String {
        let flags = (self.expect_continue(), self.minor_version());
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {flags:?}",
            self.method_bytes(),
            self.path(),
            self.query(),
            self.host(),
            self.form(),
            self.body()
        )
    }

    fn agrees(&self, rule: &rules::Request<'_>) {
        assert_eq!((self.method_bytes(), self.path(), self.query()), (rule.method, rule.path, rule.query));
        assert_eq!(self.method(), Method::from_bytes(rule.method));
        let rules::Common { minor, fields, .. } = &rule.common;
        assert_eq!((self.host(), self.minor_version()), (rule.host, *minor));
        assert_eq!(self.body(), fields.request_framing());
        let expects = |pair: &rules::Pair<'_>| {
            pair.0.eq_ignore_ascii_case(b"expect") && pair.1.eq_ignore_ascii_case(b"100-continue")
        };
        assert_eq!(self.expect_continue(), *minor == 1 && fields.pairs.iter().any(expects));
    }

    fn write_start(&self, out: &mut Vec<u8>) {
        let start = self.bytes().strip_prefix(b"\r\n").unwrap_or(self.bytes());
        let line_end = start.iter().position(|octet| *octet == b'\r').unwrap_or(0);
        out.extend_from_slice(&start[..line_end]);
        out.extend_from_slice(b"\r\n");
    }
}
