//! `turnpike backup` and `turnpike restore`: the control plane's store as one file, and back.

use crate::report;
use clap::ArgMatches;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use store::{FILE_NAME, Store, StoreError};

fn path(matches: &ArgMatches) -> &Path {
    matches.get_one::<PathBuf>("backup").map_or(Path::new(""), PathBuf::as_path)
}

fn refused(error: &StoreError) -> ExitCode {
    report::plain(&error.to_string(), Some(error.help()));
    ExitCode::FAILURE
}

/// Writes all that the control plane was told to a file.
pub(crate) fn backup(matches: &ArgMatches) -> ExitCode {
    let Some(settings) = super::resolve::settings(matches) else { return ExitCode::FAILURE };
    if !settings.data_dir.join(FILE_NAME).exists() {
        report::plain(
            &format!("{} has no store", settings.data_dir.display()),
            Some("--data-dir names the folder that `serve` keeps its state in"),
        );
        return ExitCode::FAILURE;
    }
    let file = path(matches);
    let done =
        Store::open(&settings.data_dir).and_then(|(store, _)| store.backup(file, matches.get_flag("force")));
    match done {
        Ok(records) => {
            println!("{records} records written to {}; it holds secrets", file.display());
            ExitCode::SUCCESS
        }
        Err(error) => refused(&error),
    }
}

/// Makes a store from such a file.
pub(crate) fn restore(matches: &ArgMatches) -> ExitCode {
    let Some(settings) = super::resolve::settings(matches) else { return ExitCode::FAILURE };
    match store::restore(path(matches), &settings.data_dir, matches.get_flag("force")) {
        Ok(records) => {
            println!("{records} records restored to {}", settings.data_dir.display());
            ExitCode::SUCCESS
        }
        Err(error) => refused(&error),
    }
}
