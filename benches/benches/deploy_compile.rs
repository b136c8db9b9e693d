//! From the text of a document to a plan: what a reload costs, off the request path.

use criterion::{Criterion, criterion_group, criterion_main};
use deploy::{Deployment, NodeSettings};
use openapi::Environment;

fn compile(criterion: &mut Criterion) {
    let environment = Environment { account_id: "000000000000".to_owned(), region: "us-east-1".to_owned() };
    let mut group = criterion.benchmark_group("plan_compile");
    group.sample_size(10);
    for routes in [300, 10_000] {
        let text = turnpike_benches::document(routes);
        group.bench_function(format!("read_{routes}"), |bencher| {
            bencher.iter(|| openapi::read(&text, &environment));
        });
        let definition = openapi::read(&text, &environment).definition.expect("a good document");
        group.bench_function(format!("compile_{routes}"), |bencher| {
            let deployment = Deployment {
                api_name: &definition.api.name,
                definition: &definition.api.definition,
                stage: &definition.stage,
                late_variables: false,
                canary: None,
                api_id: "abc",
            };
            bencher.iter(|| deploy::compile(&[deployment], &NodeSettings::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, compile);
criterion_main!(benches);
