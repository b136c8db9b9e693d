//! `turnpike-load`: drives proxies and stands in for their backends, on the shard's own event loop.
//!
//! Load and backend share one thread, so that one core can keep a proxy on another core busy. The relay is the floor:
//! the same loop, receive and send, without a byte of HTTP.

#![forbid(unsafe_code)]

mod backend;
mod backend_h2;
mod load;
mod relay;
mod target;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Drives proxies and stands in for their backends.
#[derive(Debug, Parser)]
#[command(name = "turnpike-load", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Send requests; with --backend also answer what the proxy passes on.
    Load(load::Load),
    /// Pass bytes between clients and one backend connection each.
    Relay(relay::Relay),
    /// Answer requests.
    Backend(backend::Backend),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().mode {
        Mode::Load(load) => load::run(&load),
        Mode::Relay(relay) => relay::run(&relay),
        Mode::Backend(backend) => backend::run(&backend),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("turnpike-load: {error}");
            ExitCode::FAILURE
        }
    }
}
