//! Endurance from outside: the real binary, a backend that misbehaves, and counts before and after.
//!
//! `turnpike-endurance [--full] [--only SCENARIO] [--runtime ring|portable]`. Each scenario says in one line what it
//! counted; the first that doesn't hold ends the run. `--backend ADDRESS` is the backend alone, until it is killed.

#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "the suite lives in real time and owns its sockets and files")]

mod backend;
mod h2load;
mod process;
mod scenario;
mod stream;
mod streams;
mod wrk;

use std::process::ExitCode;
use std::time::Instant;

/// What a scenario runs on, and for how long.
#[derive(Clone, Copy)]
struct Setting<'a> {
    runtime: &'a str,
    full: bool,
}

/// A scenario tells what it counted.
type Scenario = (&'static str, fn(Setting<'_>) -> String);

const SCENARIOS: [Scenario; 11] = [
    ("bodies", scenario::bodies::run),
    ("curl", scenario::curl::run),
    ("failures", scenario::failures::run),
    ("killed", scenario::killed::run),
    ("aborts", scenario::aborts::run),
    ("floods", scenario::floods::run),
    ("reload", scenario::reload::run),
    ("stop", scenario::stop::run),
    ("log_sink", scenario::log_sink::run),
    ("mixed", scenario::mixed::run),
    ("upgrade", scenario::upgrade::run),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).map(String::as_str)
    };
    if let Some(address) = value("--backend").and_then(|text| text.parse().ok()) {
        let backend = backend::Backend::start_at(address);
        println!("{}", backend.address);
        loop {
            std::thread::park();
        }
    }
    let full = words.iter().any(|word| word == "--full");
    let (only, runtime) = (value("--only"), value("--runtime"));
    let known = |name: &str| SCENARIOS.iter().any(|(known, _)| *known == name);
    if only.is_some_and(|name| !known(name)) {
        eprintln!("scenarios are {}", SCENARIOS.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    }
    let started = Instant::now();
    for runtime in ["ring", "portable"].into_iter().filter(|name| runtime.is_none_or(|only| only == *name)) {
        for (name, run) in SCENARIOS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
            let began = Instant::now();
            let counted = run(Setting { runtime, full });
            println!("{runtime}, {name}: {counted} ({:.1} s)", began.elapsed().as_secs_f64());
        }
    }
    println!("endurance: passed in {:.0} s", started.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}
