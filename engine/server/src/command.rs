//! The verbs of the command line, one file each.

mod backup;
mod check;
mod generate;
mod resolve;
mod serve;
mod version;

use clap::ArgMatches;
use std::process::ExitCode;

/// Runs the verb that was asked for.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches),
        Some(("check", matches)) => check::run(matches),
        Some(("backup", matches)) => backup::backup(matches),
        Some(("restore", matches)) => backup::restore(matches),
        Some(("sdk", matches)) => generate::sdk(matches),
        Some(("export", matches)) => generate::export(matches),
        _ => version::run(),
    }
}
