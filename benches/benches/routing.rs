//! A look-up must cost the same with ten routes and with ten thousand.

use std::hint::black_box;

use context::PathParameters;
use criterion::{Criterion, criterion_group, criterion_main};
use vocabulary::Method;

fn routes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route_match");
    for count in [10, 300, 10_000] {
        let router = turnpike_benches::router(count);
        let path = format!("/items{}/abc", count / 2);
        let mut parameters = PathParameters::new();
        group.bench_function(format!("{count}"), |bencher| {
            bencher.iter(|| router.find(Method::Get, black_box(path.as_bytes()), &mut parameters));
        });
    }
    group.finish();
}

criterion_group!(benches, routes);
criterion_main!(benches);
