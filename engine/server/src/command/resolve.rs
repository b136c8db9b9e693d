//! The settings of a command: flags, environment and the settings file, the same for `serve` and `check`.

use crate::{cli, report};
use clap::ArgMatches;
use settings::{File, Settings, Sources};
use std::path::{Path, PathBuf};

/// The settings file that is read without being asked for.
const DEFAULT_FILE: &str = "turnpike.yaml";

/// Settles every setting. `None` is a failure that was reported.
pub(crate) fn settings(matches: &ArgMatches) -> Option<Settings> {
    let file = read_file(matches.get_one::<PathBuf>("config"))?;
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let sources = Sources { file, environment, flags: cli::said(matches) };
    match settings::resolve(&sources) {
        Ok(settings) => Some(settings),
        Err(problems) => {
            report::settings(&problems, sources.file.as_ref());
            None
        }
    }
}

/// The settings file that was asked for, or the default one if it is there. The outer `None` is a reported failure.
#[expect(
    clippy::option_option,
    reason = "a failure that was reported and a file that isn't there are two things"
)]
fn read_file(asked: Option<&PathBuf>) -> Option<Option<File>> {
    let path = asked.map_or(Path::new(DEFAULT_FILE), PathBuf::as_path);
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Some(File { path: path.to_path_buf(), text })),
        Err(error) if asked.is_none() && error.kind() == std::io::ErrorKind::NotFound => Some(None),
        Err(error) => {
            report::plain(&format!("{}: {error}", path.display()), None);
            None
        }
    }
}
