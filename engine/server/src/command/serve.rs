//! `turnpike serve`: settings, documents, node; then reloads until a signal ends it.

use crate::documents::{Compiled, Documents};
use crate::happenings::{Happening, Happenings};
use crate::node::Node;
use crate::{announce, cli, report};
use clap::ArgMatches;
use settings::{File, Settings, Sources};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The settings file that is read without being asked for.
const DEFAULT_FILE: &str = "turnpike.yaml";
/// How often the node's own health is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Runs a node until a signal ends it.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let Some(settings) = resolve(matches) else { return ExitCode::FAILURE };
    if settings.files.is_empty() {
        report::plain(
            "there is nothing to serve",
            Some("name OpenAPI documents: turnpike serve petstore.yaml, or `files:` in turnpike.yaml"),
        );
        return ExitCode::FAILURE;
    }
    // Signals count from here on, so that a stop during a slow start isn't lost.
    let happenings = match Happenings::start(&settings.files) {
        Ok(happenings) => happenings,
        Err(error) => {
            report::plain(&format!("signals and files can't be watched: {error}"), None);
            return ExitCode::FAILURE;
        }
    };
    let mut documents = Documents::new(&settings.files);
    let Some(compiled) = compile(&mut documents, &settings) else { return ExitCode::FAILURE };
    match Node::start(&settings, &compiled) {
        Ok(node) => {
            announce::ready(&node, &compiled);
            serve(node, &happenings, &mut documents, &settings)
        }
        Err(trouble) => {
            report::plain(&trouble.message, trouble.help.as_deref());
            ExitCode::FAILURE
        }
    }
}

fn serve(
    mut node: Node,
    happenings: &Happenings,
    documents: &mut Documents,
    settings: &Settings,
) -> ExitCode {
    loop {
        match happenings.next(LOOK) {
            Some(Happening::Stop) => break,
            Some(Happening::Reload) => {
                node.reopen_log();
                reload(&mut node, documents, settings);
            }
            Some(Happening::Edited) if documents.changed() => reload(&mut node, documents, settings),
            Some(Happening::Edited) => {}
            None if node.is_broken() => {
                eprintln!("turnpike: an event loop ended by itself; stopping");
                node.stop(|step| happenings.next(step) == Some(Happening::Stop));
                return ExitCode::FAILURE;
            }
            None => {}
        }
    }
    eprintln!("stopping: finishing what is under way, for {:?} at most", settings.timeouts.drain);
    if node.stop(|step| happenings.next(step) == Some(Happening::Stop)) {
        eprintln!("stopped");
        ExitCode::SUCCESS
    } else {
        eprintln!("stopped before everything under way was finished");
        ExitCode::FAILURE
    }
}

/// Reads the documents again. Whatever is wrong is reported, and the running plan goes on.
fn reload(node: &mut Node, documents: &mut Documents, settings: &Settings) {
    let outcome = match compile(documents, settings) {
        Some(compiled) => node.publish(&compiled).map(|()| announce::reloaded(&compiled)),
        None => {
            eprintln!("not reloaded: the running version goes on");
            return;
        }
    };
    if let Err(trouble) = outcome {
        report::plain(&trouble.message, trouble.help.as_deref());
        eprintln!("not reloaded: the running version goes on");
    }
}

fn compile(documents: &mut Documents, settings: &Settings) -> Option<Compiled> {
    match documents.compile(settings) {
        Ok((compiled, notes)) => {
            report::findings(&notes);
            Some(compiled)
        }
        Err(findings) => {
            report::findings(&findings);
            None
        }
    }
}

fn resolve(matches: &ArgMatches) -> Option<Settings> {
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
