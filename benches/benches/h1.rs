//! Message heads and chunks, beside httparse: why the parser is our own (one strict pass, spans kept, names known).

use std::hint::black_box;

use codec::h1::{BodyDecoder, BodyFraming, HeadLimits, RequestHead, ResponseHead};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use turnpike_benches::{BROWSER_HEAD, RESPONSE_HEAD, SMALL_HEAD};

fn heads(criterion: &mut Criterion) {
    let limits = HeadLimits::default();
    for (name, bytes) in [("small", SMALL_HEAD), ("browser", BROWSER_HEAD)] {
        let mut group = criterion.benchmark_group(format!("request_head_{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let mut head = RequestHead::default();
        group.bench_function("ours", |bencher| {
            bencher.iter(|| {
                head.clear();
                head.parse(black_box(bytes), &limits).expect("good head")
            });
        });
        group.bench_function("httparse", |bencher| {
            bencher.iter(|| {
                let mut fields = [httparse::EMPTY_HEADER; 64];
                let mut request = httparse::Request::new(&mut fields);
                request.parse(black_box(bytes)).expect("good head").is_complete()
            });
        });
    }
    let mut head = ResponseHead::default();
    criterion.bench_function("response_head", |bencher| {
        bencher.iter(|| {
            head.clear();
            head.parse(black_box(RESPONSE_HEAD), &limits).expect("good head")
        });
    });
}

fn chunks(criterion: &mut Criterion) {
    let chunk = [b"400\r\n".to_vec(), vec![b'x'; 1024], b"\r\n".to_vec()].concat();
    let body = [chunk.repeat(16), b"0\r\n\r\n".to_vec()].concat();
    criterion.bench_function("chunked_body_16x1KiB", |bencher| {
        bencher.iter(|| {
            let mut decoder = BodyDecoder::new(BodyFraming::Chunked);
            let mut rest = black_box(&body[..]);
            while !decoder.is_done() {
                let decoded = decoder.next(rest).expect("good body");
                rest = &rest[decoded.consumed..];
            }
        });
    });
}

criterion_group!(benches, heads, chunks);
criterion_main!(benches);
