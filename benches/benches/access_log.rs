//! An access-log record: its line, and its way into the ring.

use std::hint::black_box;
use std::sync::Arc;

use codec::h1::HeadLimits;
use context::{Exchange, Facts, RouteFacts, StageFacts};
use criterion::{Criterion, criterion_group, criterion_main};
use records::access_log::{CLF, Format, JSON};

fn records(criterion: &mut Criterion) {
    let mut exchange = Exchange::default();
    exchange.request.parse(turnpike_benches::SMALL_HEAD, &HeadLimits::default()).expect("good head");
    exchange.arrive(1, 1_795_514_399_000, [1, 2, 3, 4, 5, 6]);
    exchange.method = vocabulary::Method::Get;
    exchange.status = 200;
    exchange.response_length = 1024;
    let stage = StageFacts { stage: "prod".to_owned(), ..StageFacts::default() };
    let route = RouteFacts { resource_path: "/items/{id}".to_owned(), ..RouteFacts::default() };
    let facts = Facts { exchange: &exchange, stage: Some(&stage), route: Some(&route) };
    let mut line = Vec::with_capacity(1024);
    for (name, text) in [("json", JSON), ("clf", CLF)] {
        let format = Format::compile(text).expect("a reference format");
        criterion.bench_function(&format!("access_log_format_{name}"), |bencher| {
            bencher.iter(|| {
                line.clear();
                format.write(black_box(&facts), &mut line);
            });
        });
    }
    let (mut writer, mut reader) = records::ring::ring(Arc::default());
    let mut block = Vec::with_capacity(2 * 1024 * 1024);
    criterion.bench_function("access_log_append", |bencher| {
        bencher.iter(|| {
            if !writer.push(black_box(&line)) {
                block.clear();
                reader.read(&mut block, usize::MAX);
            }
        });
    });
}

criterion_group!(benches, records);
criterion_main!(benches);
