//! Response heads: what every head must hold, and the status line and framing of a response.

use codec::h1::{Field, HeadError, HeadLimits, Progress, ResponseHead, encode};
use vocabulary::{KnownField, Method};

use crate::head::{self, Head};
use crate::rules;

/// Reads a response head from any bytes, within a backend's limits and within small ones.
pub fn response_head(input: &[u8]) {
    head::check::<ResponseHead>(input, HeadLimits::backend());
}

impl Head for ResponseHead {
    type Rule<'a> = rules::Response<'a>;

    head::as_the_codec_reads!();

    fn rule<'a>(input: &'a [u8], limits: &HeadLimits) -> Option<rules::Response<'a>> {
        rules::response(input, limits)
    }

    /// Without the reason phrase, which nobody acts on.
    fn facts(&self) -> String {
        let framing = [Method::Get, Method::Head].map(|method| self.body(method));
        format!("{} {framing:?} {:?}", self.status(), self.content_length())
    }

    fn agrees(&self, rule: &rules::Response<'_>) {
        assert_eq!((self.status(), self.reason()), (rule.status, rule.reason));
        assert_eq!(self.content_length(), rule.common.fields.length);
        for method in [Method::Get, Method::Head, Method::Other] {
            assert_eq!(self.body(method), rule.framing(method));
        }
    }

    fn write_start(&self, out: &mut Vec<u8>) {
        encode::status_line(out, self.status());
        if self.bytes().starts_with(b"HTTP/1.0") {
            out[7] = b'0';
        }
    }
}
