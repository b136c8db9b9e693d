//! `turnpike serve`: settings, documents, node; then reloads until a signal ends it.

use crate::certificates::Certificates;
use crate::documents::{Compiled, Documents};
use crate::happenings::{Happening, Happenings};
use crate::node::Node;
use crate::{announce, report};
use clap::ArgMatches;
use settings::Settings;
use shard::tls::Terms;
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
    crate::descriptors::make_room();
    // Signals count from here on, so that a stop during a slow start isn't lost.
    let watched: Vec<_> = settings.files.iter().cloned().chain(Certificates::files(&settings)).collect();
    let happenings = match Happenings::start(&watched) {
        Ok(happenings) => happenings,
        Err(error) => {
            report::plain(&format!("signals and files can't be watched: {error}"), None);
            return ExitCode::FAILURE;
        }
    };
    let mut documents = Documents::new(&settings.files);
    let Some(compiled) = compile(&mut documents, &settings) else { return ExitCode::FAILURE };
    let started = Certificates::new().and_then(|mut certificates| {
        let Some(terms) = load(&mut certificates, &settings) else { return Ok(None) };
        Node::start(&settings, &compiled, terms).map(|node| Some((node, certificates)))
    });
    match started {
        Ok(Some((node, certificates))) => {
            announce::ready(&node, &compiled, &settings);
            serve(node, &happenings, Sources { documents, certificates }, &settings)
        }
        Ok(None) => ExitCode::FAILURE,
        Err(trouble) => {
            report::plain(&trouble.message, trouble.help.as_deref());
            ExitCode::FAILURE
        }
    }
}

/// What a running node is reloaded from.
struct Sources {
    documents: Documents,
    certificates: Certificates,
}

fn serve(mut node: Node, happenings: &Happenings, mut sources: Sources, settings: &Settings) -> ExitCode {
    loop {
        match happenings.next(LOOK) {
            Some(Happening::Stop) => break,
            Some(Happening::Reload) => {
                node.reopen_log();
                reload(&mut node, &mut sources.documents, settings);
                renew(&mut node, &mut sources.certificates, settings);
            }
            Some(Happening::Edited) => {
                if sources.documents.changed() {
                    reload(&mut node, &mut sources.documents, settings);
                }
                if sources.certificates.changed(settings) {
                    renew(&mut node, &mut sources.certificates, settings);
                }
            }
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

/// Reads the certificates again. Whatever is wrong is reported, and the old ones are presented on.
fn renew(node: &mut Node, certificates: &mut Certificates, settings: &Settings) {
    if Certificates::files(settings).is_empty() {
        return;
    }
    match load(certificates, settings).map(|terms| node.present(&terms)) {
        Some(Ok(())) => eprintln!("certificates renewed"),
        Some(Err(trouble)) => report::plain(&trouble.message, trouble.help.as_deref()),
        None => eprintln!("certificates not renewed: the old ones are presented on"),
    }
}

/// The terms of every listener; `None` is a reported failure.
fn load(certificates: &mut Certificates, settings: &Settings) -> Option<Vec<Option<Terms>>> {
    match certificates.load(settings) {
        Ok((terms, notes)) => {
            report::findings(&notes);
            Some(terms)
        }
        Err(findings) => {
            report::findings(&findings);
            None
        }
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
