//! `turnpike serve`: settings, documents, node; then reloads until a signal ends it.

use crate::documents::{Compiled, Documents};
use crate::happenings::{Happening, Happenings};
use crate::node::Node;
use crate::{announce, report};
use clap::ArgMatches;
use settings::Settings;
use std::process::ExitCode;
use std::time::Duration;

/// How often the node's own health is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Runs a node until a signal ends it.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let Some(settings) = super::resolve::settings(matches) else { return ExitCode::FAILURE };
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
