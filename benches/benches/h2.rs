//! HTTP/2: field blocks of a browser's request and of an answer, and whole exchanges through a connection.
//!
//! Blocks come as the peer's warm table makes them, and once as a new connection's first.

use std::hint::black_box;

use codec::h1::{HeadLimits, RequestHead};
use codec::h2::hpack::{Decoder, Encoder, Field, Sink};
use codec::h2::{Connection, Event, HEADER_BYTES, Limits, PREFACE, answer_of, call_of};
use criterion::{Criterion, criterion_group, criterion_main};
use turnpike_benches::{BROWSER_HEAD, RESPONSE_HEAD};

const BODY: [u8; 1_024] = [b'x'; 1_024];
/// SETTINGS without values, as a whole opening of a peer.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// Credit for one body.
const WINDOW_UPDATE: &[u8] = b"\0\0\x04\x08\0\0\0\0\0\0\0\x04\0";

/// Counts what comes, so that nothing is optimised away.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn field(&mut self, field: Field<'_>) -> bool {
        self.0 += field.name.len() + field.value.len();
        false
    }
}

/// Appends a block.
type Encode = fn(&mut Encoder, &mut Vec<u8>);

/// Appends the browser's request as a block.
fn encode_request(encoder: &mut Encoder, out: &mut Vec<u8>) {
    let call = call_of(BROWSER_HEAD).expect("a head");
    encoder.begin(out);
    for (name, value) in [
        (&b":method"[..], call.method),
        (b":scheme", b"https"),
        (b":authority", call.authority),
        (b":path", call.path),
    ] {
        encoder.field(name, value, out);
    }
    call.fields.for_each(|(name, value)| encoder.field(name, value, out));
}

/// Appends the backend's answer as a block.
fn encode_answer(encoder: &mut Encoder, out: &mut Vec<u8>) {
    let (status, fields) = answer_of(RESPONSE_HEAD).expect("a head");
    encoder.begin(out);
    encoder.status(status, out);
    fields.for_each(|(name, value)| encoder.field(name, value, out));
}

fn blocks(criterion: &mut Criterion) {
    let kinds: [(&str, Encode); 2] = [("browser", encode_request), ("answer", encode_answer)];
    for (name, encode) in kinds {
        let (mut encoder, mut first, mut warm) = (Encoder::new(4_096), Vec::new(), Vec::new());
        encode(&mut encoder, &mut first);
        encode(&mut encoder, &mut warm);
        let mut group = criterion.benchmark_group(format!("hpack_{name}"));
        group.bench_function(format!("decode_first_{}", first.len()), |bencher| {
            let (mut decoder, mut count) = (Decoder::default(), Count::default());
            bencher.iter(|| decoder.decode(black_box(&first), &mut count).expect("good block"));
        });
        group.bench_function(format!("decode_warm_{}", warm.len()), |bencher| {
            let (mut decoder, mut count) = (Decoder::default(), Count::default());
            decoder.decode(&first, &mut count).expect("good block");
            bencher.iter(|| decoder.decode(black_box(&warm), &mut count).expect("good block"));
        });
        group.bench_function("encode_warm", |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                out.clear();
                encode(black_box(&mut encoder), &mut out);
            });
        });
    }
}

/// A frame of which the stream id is still to be set.
fn head_frame(block: &[u8], flags: u8) -> Vec<u8> {
    let len = (block.len() as u32).to_be_bytes();
    [&len[1..], &[1, flags, 0, 0, 0, 0], block].concat()
}

fn set_stream(frame: &mut [u8], stream: u32) {
    frame[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&stream.to_be_bytes());
}

/// A server: a browser's request in, an answer with 1 KiB out.
fn server(criterion: &mut Criterion) {
    let (mut encoder, mut first, mut warm) = (Encoder::new(4_096), Vec::new(), Vec::new());
    encode_request(&mut encoder, &mut first);
    encode_request(&mut encoder, &mut warm);
    let mut out = Vec::new();
    let mut connection = Connection::server(Limits::default());
    connection.start(&mut out);
    connection.receive(&[PREFACE, SETTINGS].concat(), &mut out);
    let mut head = RequestHead::default();
    let mut exchange = |request: &mut [u8], stream: u32| {
        out.clear();
        set_stream(request, stream);
        let step = connection.receive(black_box(request), &mut out);
        assert_eq!(step.event, Some(Event::RequestHead { stream, end_stream: true }));
        head.clear();
        head.parse(connection.head(), &HeadLimits::default()).expect("good head");
        assert_eq!(connection.receive(&request[step.consumed..], &mut out).event, None);
        let (status, fields) = answer_of(RESPONSE_HEAD).expect("a head");
        connection.send_head(stream, status, fields, false, &mut out).expect("open");
        assert_eq!(connection.send_data(stream, &BODY, true, &mut out), Ok(BODY.len()));
    };
    exchange(&mut [&head_frame(&first, 5), WINDOW_UPDATE].concat(), 1);
    let mut request = [&head_frame(&warm, 5), WINDOW_UPDATE].concat();
    let mut stream = 1;
    criterion.bench_function("h2_server_browser_1KiB", |bencher| {
        bencher.iter(|| {
            stream += 2;
            exchange(&mut request, stream);
        });
    });
}

/// A client: a browser's call out, an answer with 1 KiB in.
fn client(criterion: &mut Criterion) {
    let (mut encoder, mut first, mut warm) = (Encoder::new(4_096), Vec::new(), Vec::new());
    encode_answer(&mut encoder, &mut first);
    encode_answer(&mut encoder, &mut warm);
    let mut out = Vec::new();
    let mut connection = Connection::client(Limits::default());
    connection.start(&mut out);
    connection.receive(SETTINGS, &mut out);
    let mut exchange = |answer: &mut [u8], head_len: usize| {
        out.clear();
        let call = call_of(BROWSER_HEAD).expect("a head");
        let stream = connection.open(call, "http", true, &mut out).expect("room");
        set_stream(answer, stream);
        set_stream(&mut answer[head_len..], stream);
        let step = connection.receive(black_box(answer), &mut out);
        assert_eq!(step.event, Some(Event::ResponseHead { stream, end_stream: false }));
        let data = connection.receive(&answer[step.consumed..], &mut out);
        assert!(matches!(data.event, Some(Event::Data { end_stream: true, .. })));
        connection.consumed(stream, BODY.len(), &mut out);
    };
    let data = [&b"\0\x04\0\0\x01\0\0\0\0"[..], &BODY].concat();
    let answer_of = |block: &[u8]| ([&head_frame(block, 4)[..], &data].concat(), HEADER_BYTES + block.len());
    let (mut answer, head_len) = answer_of(&first);
    exchange(&mut answer, head_len);
    let (mut answer, head_len) = answer_of(&warm);
    criterion.bench_function("h2_client_browser_1KiB", |bencher| {
        bencher.iter(|| exchange(&mut answer, head_len));
    });
}

criterion_group!(benches, blocks, server, client);
criterion_main!(benches);
