//! The control plane with a thousand APIs and ten thousand keys: loading the store, a page of a list, one durable write.

use std::path::PathBuf;

use control::{Certificates, Control, Node, NodeError, Outcome, Random, Request, Settings};
use criterion::{Criterion, criterion_group, criterion_main};
use model::{Account, Change, ClientCertificate};
use store::Store;

const APIS: usize = 1_000;
const KEYS: usize = 10_000;

/// Keeps what is written.
#[derive(Default)]
struct Kept(Vec<Change>);

impl Node for Kept {
    fn prepare(&mut self, _: &Account) -> Result<(), NodeError> {
        Ok(())
    }

    fn publish(&mut self) {}

    fn discard(&mut self) {}

    fn write(&mut self, changes: &[Change]) -> Result<(), NodeError> {
        self.0.extend_from_slice(changes);
        Ok(())
    }
}

/// Numbers that are good enough for ids.
struct Numbers(u64);

impl Random for Numbers {
    fn fill(&mut self, buffer: &mut [u8]) {
        for octet in buffer {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (self.0 >> 33) as u8;
        }
    }
}

struct NoCertificates;

impl Certificates for NoCertificates {
    fn make(&mut self, _: i64) -> Result<ClientCertificate, String> {
        Err("not here".to_owned())
    }
}

fn call(control: &mut Control, node: &mut Kept, method: &str, target: &str, body: &str) -> Vec<u8> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method,
        path,
        query,
        accept: "application/json",
        data_plane: "",
        body: body.as_bytes(),
        region: "us-east-1",
        now: 1_700_000_000,
    };
    let Outcome::Done(done) = control.handle(&request, node) else { return Vec::new() };
    assert!(done.response.status < 300, "{method} {target}: {}", done.response.status);
    done.response.body
}

fn control(account: Account) -> Control {
    let settings = Settings { account_id: "123456789012".to_owned(), integration_timeout_ms_max: 29_000 };
    Control::new(account, settings, Box::new(Numbers(1)), Box::new(NoCertificates))
}

fn management(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("turnpike-bench-{}", std::process::id()));
    let (mut store, account) = Store::open(&folder).expect("a store");
    let (mut plane, mut node) = (control(account), Kept::default());
    let document = turnpike_benches::document(10);
    for _ in 0..APIS {
        call(&mut plane, &mut node, "POST", "/restapis?mode=import", &document);
    }
    for number in 0..KEYS {
        let body = format!("{{\"name\": \"key {number}\", \"enabled\": true}}");
        call(&mut plane, &mut node, "POST", "/apikeys", &body);
    }
    store.commit(&node.0).expect("written");
    drop(store);
    let mut group = criterion.benchmark_group("management");
    group.sample_size(10);
    group.bench_function("load_1000_apis_10000_keys", |bencher| {
        bencher.iter_with_large_drop(|| Store::open(&folder).expect("a store").1);
    });
    group.bench_function("page_of_500_keys", |bencher| {
        bencher.iter(|| call(&mut plane, &mut node, "GET", "/apikeys?limit=500&includeValues=true", ""));
    });
    group.bench_function("page_of_500_apis", |bencher| {
        bencher.iter(|| call(&mut plane, &mut node, "GET", "/restapis?limit=500", ""));
    });
    node.0.clear();
    call(&mut plane, &mut node, "POST", "/restapis?mode=import", &document);
    let (mut store, _) = Store::open(&folder).expect("a store");
    group.bench_function("durable_write_of_an_api", |bencher| {
        bencher.iter(|| store.commit(&node.0).expect("written"));
    });
    group.finish();
    drop(store);
    remove(folder);
}

fn remove(folder: PathBuf) {
    // What is left of a bench in the temporary folder harms nobody.
    let _ = std::fs::remove_dir_all(folder);
}

criterion_group!(benches, management);
criterion_main!(benches);
