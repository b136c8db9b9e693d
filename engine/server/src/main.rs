//! The binary `turnpike`: the command line over the libraries.
//!
//! In: flags, environment, files. Out: a running node, or a report that points at what is wrong.
//! Never: behaviour of its own. What a request meets is decided below; `node` only puts the parts together.

#![forbid(unsafe_code)]

mod announce;
mod certificates;
mod cli;
mod command;
mod control;
mod descriptors;
mod documents;
mod example;
mod example_backend;
mod gatekeeper;
mod handover;
mod happenings;
mod inherited;
mod keeper;
mod listeners;
mod memory;
mod node;
mod notes;
mod report;
mod systemd;
mod test_invoke;
mod trouble;
mod upgrade;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages: they more than doubled a node's memory and gained no speed (docs/performance.md).
    // A kernel that can't do this goes on as before.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    command::run(&cli::command().get_matches())
}
