//! RFC 9113 rule by rule: frames in, events and frames out.

mod flow;
mod frames;
mod messages;
mod pieces;
mod roles;

use super::*;
use crate::h2::hpack::{Field, Sink};

/// Builds what a peer sends.
#[derive(Clone, Default)]
struct Wire(Vec<u8>);

impl Wire {
    /// A client's opening: preface, SETTINGS, acknowledgement of ours.
    fn client() -> Self {
        Wire(PREFACE.to_vec()).settings(&[]).frame(4, ACK, 0, &[])
    }

    fn server() -> Self {
        Wire::default().settings(&[]).frame(4, ACK, 0, &[])
    }

    fn frame(self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        self.frame_of(payload.len(), kind, flags, stream, payload)
    }

    /// A frame whose header tells another length.
    fn frame_of(mut self, len: usize, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        self.0.extend_from_slice(&(len as u32).to_be_bytes()[1..]);
        self.0.extend_from_slice(&[kind, flags]);
        self.0.extend_from_slice(&stream.to_be_bytes());
        self.0.extend_from_slice(payload);
        self
    }

    fn settings(self, values: &[(u16, u32)]) -> Self {
        let entry = |(id, value): &(u16, u32)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
        let payload: Vec<u8> = values.iter().flat_map(entry).collect();
        self.frame(4, 0, 0, &payload)
    }

    /// HEADERS with plain literals.
    fn head(self, stream: u32, end_stream: bool, fields: &[(&str, &str)]) -> Self {
        self.frame(1, 4 | u8::from(end_stream), stream, &block(fields))
    }

    fn get(self, stream: u32) -> Self {
        self.head(stream, true, &GET)
    }

    fn post(self, stream: u32) -> Self {
        self.head(stream, false, &POST)
    }

    fn data(self, stream: u32, end_stream: bool, payload: &[u8]) -> Self {
        self.frame(0, u8::from(end_stream), stream, payload)
    }

    fn reset(self, stream: u32, code: u32) -> Self {
        self.frame(3, 0, stream, &code.to_be_bytes())
    }

    fn window(self, stream: u32, increment: u32) -> Self {
        self.frame(8, 0, stream, &increment.to_be_bytes())
    }

    fn also(mut self, other: &[u8]) -> Self {
        self.0.extend_from_slice(other);
        self
    }
}

const GET: [(&str, &str); 4] = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")];
const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "h")];

/// A block of literals without indexing.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let len = text.len();
            // Up to 127 + 127 fits two octets.
            assert!(len < 255, "longer than the tests need");
            if len < 127 {
                block.push(len as u8)
            } else {
                block.extend_from_slice(&[127, (len - 127) as u8])
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// What came of input: events, heads in between, and what we wrote.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    events: Vec<Event>,
    heads: Vec<String>,
    body: Vec<u8>,
    out: Vec<u8>,
}

impl Outcome {
    fn last(&self) -> Option<&Event> {
        self.events.last()
    }

    /// The error that ended the connection.
    fn fatal(&self) -> Option<ErrorCode> {
        match self.last() {
            Some(Event::ConnectionError { code, .. }) => Some(*code),
            _ => None,
        }
    }

    /// RST_STREAM frames that we wrote.
    fn resets(&self) -> Vec<(u32, ErrorCode)> {
        let code = |payload: &[u8]| ErrorCode(frame::number(payload));
        let frames = sent(&self.out).into_iter();
        frames.filter(|sent| sent.kind == 3).map(|sent| (sent.stream, code(&sent.payload))).collect()
    }
}

/// A frame that we wrote.
#[derive(Debug, PartialEq)]
struct Sent {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

fn sent(out: &[u8]) -> Vec<Sent> {
    let mut rest = out.strip_prefix(PREFACE).unwrap_or(out);
    let mut frames = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<9>() {
        let len = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let stream = frame::number(&header[5..]);
        let payload = after[..len].to_vec();
        frames.push(Sent { kind: header[3], flags: header[4], stream, payload });
        rest = &after[len..];
    }
    assert!(rest.is_empty(), "half a frame");
    frames
}

/// Hands over all of `input`.
fn feed(connection: &mut Connection, input: &[u8], outcome: &mut Outcome) {
    let mut at = 0;
    loop {
        let step = connection.receive(&input[at..], &mut outcome.out);
        assert!(step.consumed <= input.len() - at, "read more than there is");
        let Some(event) = step.event else {
            assert_eq!(step.consumed, input.len() - at, "stopped without an event");
            return;
        };
        match &event {
            Event::RequestHead { .. }
            | Event::ResponseHead { .. }
            | Event::InformationalHead { .. }
            | Event::Trailers { .. } => {
                outcome.heads.push(String::from_utf8_lossy(connection.head()).into_owned());
            }
            Event::Data { range, stream, .. } => {
                assert!(range.end <= step.consumed, "data that wasn't read");
                outcome.body.extend_from_slice(&input[at..][range.clone()]);
                connection.consumed(*stream, range.len(), &mut outcome.out);
            }
            _ => {}
        }
        outcome.events.push(event);
        at += step.consumed;
    }
}

fn limits() -> Limits {
    Limits { stream_window_bytes: 65_535, connection_window_bytes: 65_535, ..Limits::default() }
}

/// A server that has started, and what came of the input.
fn serve(wire: &Wire) -> (Connection, Outcome) {
    serve_within(limits(), wire)
}

fn serve_within(limits: Limits, wire: &Wire) -> (Connection, Outcome) {
    let mut connection = Connection::server(limits);
    connection.start(&mut Vec::new());
    let mut outcome = Outcome::default();
    feed(&mut connection, &wire.0, &mut outcome);
    (connection, outcome)
}

/// Fields of a block that we wrote.
#[derive(Default)]
struct Fields(Decoder);

impl Fields {
    fn of(&mut self, block: &[u8]) -> Vec<String> {
        struct List(Vec<String>);
        impl Sink for List {
            fn field(&mut self, field: Field<'_>) -> bool {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                self.0.push(format!("{}: {}", text(field.name), text(field.value)));
                false
            }
        }
        let mut list = List(Vec::new());
        self.0.decode(block, &mut list).expect("our own block");
        list.0
    }
}
