//! Runs one kernel many times, for a tool that counts instructions: `benches/instructions` starts it under callgrind.
//!
//! Only what runs inside [`measured`] is counted. `turnpike-instructions` without a kernel lists them.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;

use codec::h1::{HeadLimits, RequestHead, ResponseHead};
use context::PathParameters;
use throttling::Bucket;
use turnpike_benches::{BROWSER_HEAD, RESPONSE_HEAD, SMALL_HEAD, router};
use vocabulary::Method;

/// Operations of a run.
const OPERATIONS: usize = 10_000;
/// Look-ups go round so many paths, so that one lucky place in a table doesn't decide.
const PATHS: usize = 16;

/// A kernel and its name.
type Kernel = (&'static str, fn());

const KERNELS: [Kernel; 8] = [
    ("nothing", || measured(|_| ())),
    ("request_head_small", || request_head(SMALL_HEAD)),
    ("request_head_browser", || request_head(BROWSER_HEAD)),
    ("response_head", response_head),
    ("route_match_10", || route_match(10)),
    ("route_match_300", || route_match(300)),
    ("route_match_10000", || route_match(10_000)),
    ("token_bucket", token_bucket),
];

fn main() -> ExitCode {
    let Some(wanted) = std::env::args().nth(1) else {
        KERNELS.iter().for_each(|(name, _)| println!("{name} {OPERATIONS}"));
        return ExitCode::SUCCESS;
    };
    let Some((_, kernel)) = KERNELS.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("no kernel {wanted}");
        return ExitCode::FAILURE;
    };
    kernel();
    ExitCode::SUCCESS
}

/// The counted loop. Its name is what collection is toggled by.
#[inline(never)]
fn measured(mut operation: impl FnMut(usize)) {
    for n in 0..OPERATIONS {
        operation(black_box(n));
    }
}

fn request_head(bytes: &[u8]) {
    let (mut head, limits) = (RequestHead::default(), HeadLimits::default());
    head.parse(bytes, &limits).expect("good head");
    measured(|_| {
        head.clear();
        black_box(head.parse(black_box(bytes), &limits)).expect("good head");
    });
}

fn response_head() {
    let (mut head, limits) = (ResponseHead::default(), HeadLimits::backend());
    head.parse(RESPONSE_HEAD, &limits).expect("good head");
    measured(|_| {
        head.clear();
        black_box(head.parse(black_box(RESPONSE_HEAD), &limits)).expect("good head");
    });
}

fn route_match(routes: u32) {
    let router = router(routes);
    let step = routes as usize / PATHS.min(routes as usize);
    let paths: [String; PATHS] = std::array::from_fn(|n| format!("/items{}/abc", n * step % routes as usize));
    let mut parameters = PathParameters::new();
    measured(|n| {
        let found = router.find(Method::Get, black_box(paths[n % PATHS].as_bytes()), &mut parameters);
        assert!(black_box(found).is_some(), "every path has its route");
    });
}

fn token_bucket() {
    let bucket = Bucket::new(1e7, 1_000_000);
    let mut taken = 0;
    measured(|n| taken += usize::from(bucket.try_take(black_box(n as u64 * 100))));
    assert_eq!(taken, OPERATIONS, "the bucket fills as fast as it is emptied");
}
