//! A request as a client sends it, and what is particular about it.

use shard::rt::simulated::Dice;

use crate::body::{Author, body};
use crate::documents::{ROUTES, Route};

/// What is wrong with a request, or with the way it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// Its head breaks the grammar: refused, the connection closes.
    Malformed,
    /// It stops in the middle for longer than the gateway waits.
    Stalls,
    /// It states a body over the payload limit.
    TooLarge,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: u64,
    pub(crate) route: Route,
    pub(crate) method: &'static str,
    pub(crate) minor: u8,
    pub(crate) flaw: Flaw,
    pub(crate) expects_continue: bool,
    pub(crate) closes: bool,
    pub(crate) head: Vec<u8>,
    /// The body as it goes over the wire.
    pub(crate) payload: Vec<u8>,
    pub(crate) body_length: usize,
    /// When its first byte was written.
    pub(crate) begun_ns: Option<u64>,
    /// When its last byte was written.
    pub(crate) sent_ns: Option<u64>,
}

/// Payload limit of the simulated node.
pub(crate) const PAYLOAD_BYTES: usize = 700_000;

impl Request {
    /// A request by chance; the flaw and the last word on its connection are given.
    pub(crate) fn drawn(dice: &mut Dice, id: u64, flaw: Flaw, closes: bool) -> Request {
        let route = *dice.pick(&ROUTES);
        // A refusal may come before the method is known, and then has a body even for HEAD.
        let methods = ["HEAD", "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE"];
        let method = *dice.pick(if flaw == Flaw::None { &methods } else { &methods[1..] });
        let has_body = matches!(method, "POST" | "PUT") || flaw == Flaw::TooLarge;
        let minor = u8::from(!(closes && !has_body && dice.chance(40)));
        let body_length = if has_body { upload_length(dice) } else { 0 };
        let chunked = has_body && dice.chance(40);
        let expects_continue = body_length > 0 && dice.chance(20);
        let mut request = Request {
            id,
            route,
            method,
            minor,
            flaw,
            expects_continue,
            closes: closes || minor == 0,
            head: Vec::new(),
            payload: Vec::new(),
            body_length,
            begun_ns: None,
            sent_ns: None,
        };
        let content = body(Author::Client, id, body_length);
        request.payload = if chunked { chunks(dice, &content) } else { content };
        request.write_head(dice, has_body, chunked);
        request
    }

    fn write_head(&mut self, dice: &mut Dice, has_body: bool, chunked: bool) {
        let mut head =
            format!("{} /{}/{} HTTP/1.{}\r\n", self.method, self.route.segment(), self.id, self.minor);
        head.push_str("Host: localhost\r\nAccept: */*\r\n");
        if self.flaw == Flaw::Malformed {
            let flaws = ["Bad Name: x\r\n", "Host: twice\r\n", " folded\r\n", "X:\u{1}\r\n"];
            head.push_str(dice.pick::<&str>(&flaws));
        }
        if self.flaw == Flaw::TooLarge {
            head.push_str(&format!("Content-Length: {}\r\n", PAYLOAD_BYTES + 1));
        } else if chunked {
            head.push_str("Transfer-Encoding: chunked\r\n");
        } else if has_body {
            head.push_str(&format!("Content-Length: {}\r\n", self.body_length));
        }
        if has_body {
            head.push_str("Content-Type: application/json\r\n");
        }
        if self.expects_continue {
            head.push_str("Expect: 100-continue\r\n");
        }
        if self.closes && self.minor == 1 {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        self.head = head.into_bytes();
    }
}

fn upload_length(dice: &mut Dice) -> usize {
    let most = *dice.pick(&[0, 10, 3_000, 3_000, 20_000, 120_000]);
    if dice.chance(2) { 600_000 } else { usize::try_from(dice.below(most + 1)).unwrap_or(0) }
}

fn chunks(dice: &mut Dice, content: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        // Not byte by byte: the size of a chunk is no secret, and megabytes of size lines only cost time.
        let count = (dice.length(rest.len()).max(rest.len() / 20 + 1)).min(rest.len());
        wire.extend_from_slice(format!("{count:x}\r\n").as_bytes());
        wire.extend_from_slice(&rest[..count]);
        wire.extend_from_slice(b"\r\n");
        rest = &rest[count..];
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}
