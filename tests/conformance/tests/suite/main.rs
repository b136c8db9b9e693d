//! Conformance: cases as data, run against the real binary on each of its event loops.
//!
//! A feature is a folder beside `src`; its files hold cases, and `tests/README.md` says how to write one. Every field
//! of an answer, every byte of its body and every field of a call is compared: what a case doesn't mention is what
//! all answers and calls have.

#![expect(clippy::disallowed_types, reason = "one thread sets the answer that the backend's threads give")]

mod case;
mod checks;
mod exchange;
mod files;
mod text;

use std::collections::{BTreeMap, BTreeSet};

macro_rules! features {
    ($($feature:ident),* $(,)?) => {
        const FEATURES: &[&str] = &[$(stringify!($feature)),*];
        $(
            mod $feature {
                #[test]
                fn on_the_ring() {
                    crate::exchange::run(stringify!($feature), crate::ring());
                }
                #[test]
                fn on_the_portable_loop() {
                    crate::exchange::run(stringify!($feature), "portable");
                }
            }
        )*
    };
}

features!(
    access_log,
    addressing,
    errors,
    headers_to_backends,
    headers_to_clients,
    http,
    http_proxy,
    import,
    integration_responses,
    limits,
    mock,
    parameter_mapping,
    request_ids,
    routing,
    throttling
);

#[test]
fn documents_that_are_refused_and_why() {
    checks::run(CHECKED);
}

/// The feature whose files hold runs of `turnpike check`.
const CHECKED: &str = "import";

/// `ring`, or what the binary takes where the kernel has no io_uring.
fn ring() -> &'static str {
    let output =
        std::process::Command::new(support::binary()).arg("version").output().expect("the binary runs");
    if String::from_utf8_lossy(&output.stdout).contains("runtime: ring") { "ring" } else { "auto" }
}

#[test]
fn every_folder_is_run_and_every_case_says_where_it_comes_from() {
    assert_eq!(files::features(), FEATURES);
    let mut names = BTreeSet::new();
    let mut standings: BTreeMap<case::Standing, usize> = BTreeMap::new();
    for feature in FEATURES {
        for file in files::of(feature) {
            assert!(*feature == CHECKED || file.cases.check.is_empty(), "checks are in {CHECKED}");
            let cases = file.cases.case.iter().map(|case| (&case.name, &case.source, case.standing));
            let checks = file.cases.check.iter().map(|check| (&check.name, &check.source, check.standing));
            for (name, source, standing) in cases.chain(checks) {
                assert!(
                    names.insert(format!("{}: {name}", file.path)),
                    "{}: {name} is there twice",
                    file.path
                );
                assert!(source.contains('§'), "{}: {name} names no section", file.path);
                *standings.entry(standing).or_default() += 1;
            }
        }
    }
    println!("{} cases: {standings:?}", names.len());
    assert!(names.len() >= 200, "{} cases", names.len());
}
