//! One token from a bucket, alone and against a second thread on the same word.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};
use throttling::Bucket;

fn buckets(criterion: &mut Criterion) {
    let bucket = Arc::new(Bucket::new(1e7, 1_000_000));
    let mut now_ns = 0;
    criterion.bench_function("bucket_1_thread", |bencher| {
        bencher.iter(|| {
            now_ns += 100;
            bucket.try_take(black_box(now_ns))
        });
    });
    let stop = Arc::new(AtomicBool::new(false));
    let (theirs, ends) = (Arc::clone(&bucket), Arc::clone(&stop));
    let rival = std::thread::spawn(move || {
        let mut now_ns = 0;
        while !ends.load(Ordering::Relaxed) {
            now_ns += 100;
            black_box(theirs.try_take(now_ns));
        }
    });
    criterion.bench_function("bucket_2_threads", |bencher| {
        bencher.iter(|| {
            now_ns += 100;
            bucket.try_take(black_box(now_ns))
        });
    });
    stop.store(true, Ordering::Relaxed);
    rival.join().expect("the rival thread ends");
}

criterion_group!(benches, buckets);
criterion_main!(benches);
