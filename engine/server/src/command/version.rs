//! `turnpike version`: what this binary is, and which event loop this machine allows.

use std::process::ExitCode;

/// Prints version, target and runtime support.
pub(crate) fn run() -> ExitCode {
    println!("turnpike {}", env!("CARGO_PKG_VERSION"));
    println!("target: {}-{}", std::env::consts::ARCH, std::env::consts::OS);
    match shard::rt::probe::probe_ring() {
        Ok(()) => println!("runtime: ring"),
        Err(error) => println!("runtime: portable (ring is not available: {error})"),
    }
    ExitCode::SUCCESS
}
