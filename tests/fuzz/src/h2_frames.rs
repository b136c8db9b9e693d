//! HTTP/2 connections: any bytes whole and in pieces, with a caller that answers.
//!
//! The first octet of an input chooses the role and the limits, and whether the opening comes with the input.

use codec::h1::{HeadError, HeadLimits, Progress, RequestHead, ResponseHead};
use codec::h2::{Connection, ErrorCode, Event, Limits, PREFACE, call_of};

use crate::random::Random;

const CLIENT: u8 = 1;
const TIGHT: u8 = 2;
const BARE: u8 = 4;
const HEADER_BYTES: usize = 9;

/// What came of an input: events in words, bodies, and the frames that were written, WINDOW_UPDATE apart: when credit
/// is told depends on where pieces end.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    events: Vec<String>,
    body: Vec<u8>,
    written: Vec<Vec<u8>>,
}

/// Receives any bytes, as a server or as a client with three calls under way.
pub fn h2_frames(input: &[u8]) {
    let Some((&choice, rest)) = input.split_first() else { return };
    let mut bytes = Vec::new();
    if choice & BARE == 0 {
        let preface = if choice & CLIENT == 0 { &PREFACE[..] } else { &[] };
        bytes.extend_from_slice(preface);
        bytes.extend_from_slice(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0");
    }
    bytes.extend_from_slice(rest);
    let whole = run(choice, &bytes, &[bytes.len()]);
    let pieces = run(choice, &bytes, &Random::of(&bytes).cuts(bytes.len()));
    assert_eq!(whole, pieces, "pieces read otherwise");
}

fn limits(choice: u8) -> Limits {
    if choice & TIGHT == 0 {
        return Limits::default();
    }
    Limits {
        streams: 2,
        closed_streams: 2,
        header_list_bytes: 200,
        block_bytes: 300,
        continuation_frames: 2,
        decode_table_bytes: 100,
        encode_table_bytes: 100,
        stream_window_bytes: 100,
        ..Limits::default()
    }
}

fn run(choice: u8, bytes: &[u8], ends: &[usize]) -> Seen {
    let is_client = choice & CLIENT != 0;
    let mut connection =
        if is_client { Connection::client(limits(choice)) } else { Connection::server(limits(choice)) };
    let (mut out, mut seen) = (Vec::new(), Seen::default());
    connection.start(&mut out);
    for method in ["GET", "HEAD", "POST"].into_iter().filter(|_| is_client) {
        let head = format!("{method} / HTTP/1.1\r\nHost: h\r\nX-A: b\r\n\r\n");
        let call = call_of(head.as_bytes()).expect("a head");
        let opened = connection.open(call, "https", method != "POST", &mut out);
        assert!(opened.is_ok() || choice & TIGHT != 0, "there is room for three");
    }
    let mut at = 0;
    for &end in ends {
        loop {
            let step = connection.receive(&bytes[at..end], &mut out);
            let Some(event) = step.event else {
                assert_eq!(step.consumed, end - at, "stopped without an event");
                at = end;
                break;
            };
            act(&mut connection, &event, &bytes[at..end], step.consumed, &mut out, &mut seen);
            at += step.consumed;
        }
        assert!(connection.open_streams() <= 128, "too many streams");
    }
    seen.written = written(&out, connection.is_dead());
    seen
}

/// What a caller does: bodies are consumed, requests are answered at their end.
fn act(
    connection: &mut Connection,
    event: &Event,
    piece: &[u8],
    consumed: usize,
    out: &mut Vec<u8>,
    seen: &mut Seen,
) {
    let mut words = format!("{event:?}");
    let mut ended = None;
    match event {
        Event::RequestHead { stream, end_stream } => {
            is_good_request(connection.head());
            assert!(connection.slot(*stream).is_some());
            ended = end_stream.then_some(*stream);
        }
        Event::ResponseHead { .. } | Event::InformationalHead { .. } => is_good_answer(connection.head()),
        Event::Trailers { stream } => {
            let lines = connection.head();
            assert!(lines.is_empty() || lines.ends_with(b"\r\n") && !lines.starts_with(b"\r\n"));
            ended = Some(*stream);
        }
        Event::Data { stream, range, end_stream } => {
            assert!(range.end <= consumed, "data that wasn't read");
            seen.body.extend_from_slice(&piece[range.clone()]);
            connection.consumed(*stream, range.len(), out);
            words = format!("data of {stream} ends: {end_stream}");
            ended = end_stream.then_some(*stream);
            if !end_stream {
                return;
            }
        }
        Event::HeadTooLarge { stream, .. } => connection.reset(*stream, ErrorCode::CANCEL, out),
        Event::Reset { stream, .. } | Event::Rejected { stream, .. } => {
            assert_eq!(connection.slot(*stream), None, "reset and open");
        }
        Event::ConnectionError { .. } => assert!(connection.is_dead()),
        _ => {}
    }
    seen.events.push(words);
    seen.events.push(String::from_utf8_lossy(connection.head()).into_owned());
    if let Some(stream) = ended
        && connection.slot(stream).is_some()
        && connection.send_head(stream, 200, [(&b"X-A"[..], &b"b"[..])], false, out).is_ok()
    {
        let room = connection.sendable(stream);
        let sent = connection.send_data(stream, &[b'x'; 100], false, out);
        assert_eq!(sent, Ok(room.min(100)));
        if stream % 4 == 1 {
            connection.send_trailers(stream, [(&b"x-b"[..], &b"c"[..])], out).expect("open");
            assert_eq!(connection.slot(stream), None, "both sides have ended");
        }
    }
}

/// Whatever passed as HTTP/2 passes as HTTP/1.1, limits and a missing host apart.
fn is_good_request(text: &[u8]) {
    let limits = HeadLimits { target_bytes: 1 << 20, fields_bytes: 1 << 20, fields: 1 << 20 };
    match RequestHead::default().parse(text, &limits) {
        Ok(Progress::Complete { consumed }) => assert_eq!(consumed, text.len(), "two heads in one"),
        Err(HeadError::Host) => assert!(!text.windows(6).any(|line| line == b"Host: ")),
        other => panic!("{other:?}: {}", String::from_utf8_lossy(text)),
    }
}

fn is_good_answer(text: &[u8]) {
    let limits = HeadLimits { target_bytes: 1 << 20, fields_bytes: 1 << 20, fields: 1 << 20 };
    match ResponseHead::default().parse(text, &limits) {
        Ok(Progress::Complete { consumed }) => assert_eq!(consumed, text.len(), "two heads in one"),
        // Nobody sends it in an answer; twice is too much for HTTP/1.1.
        Err(HeadError::Host) => assert!(text.windows(6).any(|line| line == b"host: ")),
        other => panic!("{other:?}: {}", String::from_utf8_lossy(text)),
    }
}

/// The frames of our output, which must be whole; GOAWAY is the last, if the connection ended.
fn written(out: &[u8], dead: bool) -> Vec<Vec<u8>> {
    let mut rest = out.strip_prefix(PREFACE).unwrap_or(out);
    let mut frames: Vec<Vec<u8>> = Vec::new();
    while !rest.is_empty() {
        let len = usize::from(rest[1]) << 8 | usize::from(rest[2]);
        let (frame, after) = rest.split_at(HEADER_BYTES + len);
        let kind = frame[3];
        assert_ne!(frames.last().map(|frame| frame[3]), Some(7), "a frame after GOAWAY");
        if kind != 8 {
            frames.push(frame.to_vec());
        }
        rest = after;
    }
    assert_eq!(frames.last().is_some_and(|frame| frame[3] == 7), dead);
    frames
}
