//! `turnpike serve`: settings, documents, node; then reloads until a signal ends it.

use crate::certificates::{Certificates, Presented};
use crate::control::ControlPlane;
use crate::documents::{Compiled, Documents};
use crate::happenings::{Happening, Happenings};
use crate::inherited::Inherited;
use crate::node::Node;
use crate::trouble::Trouble;
use crate::upgrade::{Predecessor, Program, Progress, Upgrade};
use crate::{announce, report, systemd};
use clap::ArgMatches;
use model::Account;
use settings::Settings;
use std::process::ExitCode;
use std::time::Duration;

use End::{Asked, Broken, Relieved};

/// How often the node's own health is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often a process that is to take over is looked at.
const UPGRADE_LOOK: Duration = Duration::from_millis(10);
/// How often listeners are looked at anew while the process before this one ends.
const PREDECESSOR_LOOK: Duration = Duration::from_millis(100);

/// Runs a node until a signal ends it.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let Some(settings) = super::resolve::settings(matches) else { return ExitCode::FAILURE };
    crate::descriptors::make_room();
    let program = Program::here();
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
    // What is wrong with the files is told before anything is asked of a process that runs.
    let Some(compiled) = compile(&mut documents, &settings, &Account::default()) else {
        return ExitCode::FAILURE;
    };
    match start(&happenings, documents, compiled, &settings) {
        Ok(Some((node, sources, predecessor))) => {
            let serving = Serving { node, sources, program, predecessor, upgrade: None };
            serving.serve(&happenings, &settings)
        }
        Ok(None) => ExitCode::FAILURE,
        Err(trouble) => {
            report::plain(&trouble.message, trouble.help.as_deref());
            ExitCode::FAILURE
        }
    }
}

/// Starts the node and says so; nothing is a failure that was reported. `compiled` are the files alone.
fn start(
    happenings: &Happenings,
    mut documents: Documents,
    mut compiled: Compiled,
    settings: &Settings,
) -> Result<Option<(Node, Sources, Option<Predecessor>)>, Trouble> {
    let mut certificates = Certificates::new()?;
    let Some(presented) = load(&mut certificates, settings) else { return Ok(None) };
    let (predecessor, inherited) = match Predecessor::ask()? {
        Some((predecessor, inherited)) => (Some(predecessor), inherited),
        None => (None, Inherited::passed()?),
    };
    // The process before this one has let go of the store by now.
    let control = ControlPlane::open(settings)?;
    if *control.account() != Account::default() {
        match compile(&mut documents, settings, control.account()) {
            Some(all) => compiled = all,
            None => return Ok(None),
        }
    }
    let node = Node::start(settings, &compiled, presented, inherited, happenings.calls())?;
    announce::ready(&node, &compiled, settings);
    systemd::ready();
    if let Some(predecessor) = &predecessor {
        predecessor.relieve();
    }
    Ok(Some((node, Sources { documents, certificates, control }, predecessor)))
}

/// What a running node is reloaded from.
struct Sources {
    documents: Documents,
    certificates: Certificates,
    control: ControlPlane,
}

/// A running node, what it is reloaded from, and who may take over from it.
struct Serving {
    node: Node,
    sources: Sources,
    program: std::io::Result<Program>,
    /// The process that this one has taken over from, until it has ended.
    predecessor: Option<Predecessor>,
    upgrade: Option<Upgrade>,
}

/// Why a node no longer serves.
enum End {
    /// It was told to.
    Asked,
    /// Another process has taken over.
    Relieved(u32),
    /// An event loop ended by itself.
    Broken,
}

impl Serving {
    fn serve(mut self, happenings: &Happenings, settings: &Settings) -> ExitCode {
        let end = loop {
            if let Some(end) = self.next(happenings, settings) {
                break end;
            }
        };
        // A process that isn't ready yet must not outlive this one; one that is sees the end of this one.
        let upgrade = self.upgrade.take().filter(|_| matches!(end, Relieved(_)));
        match end {
            Relieved(pid) => {
                systemd::relieved_by(pid);
                eprintln!(
                    "process {pid} has taken over; finishing what is under way, for {:?} at most",
                    settings.timeouts.drain
                );
            }
            Asked => {
                systemd::stopping();
                eprintln!("stopping: finishing what is under way, for {:?} at most", settings.timeouts.drain);
            }
            Broken => eprintln!("turnpike: an event loop ended by itself; stopping"),
        }
        let left = matches!(end, Relieved(_));
        let orderly = self.node.stop(left, |step| matches!(happenings.next(step), Some(Happening::Stop)));
        drop(upgrade);
        match (end, orderly) {
            (Broken, _) => ExitCode::FAILURE,
            (Asked | Relieved(_), true) => {
                eprintln!("stopped");
                ExitCode::SUCCESS
            }
            (Asked | Relieved(_), false) => {
                eprintln!("stopped before everything under way was finished");
                ExitCode::FAILURE
            }
        }
    }

    /// One happening; says whether the node is to end.
    fn next(&mut self, happenings: &Happenings, settings: &Settings) -> Option<End> {
        let look = match (&self.upgrade, &self.predecessor) {
            (Some(_), _) => UPGRADE_LOOK,
            (None, Some(_)) => PREDECESSOR_LOOK,
            (None, None) => LOOK,
        };
        match happenings.next(look) {
            Some(Happening::Stop) => return Some(Asked),
            Some(Happening::Reload) => {
                systemd::reloading();
                self.node.reopen_log();
                reload(&mut self.node, &mut self.sources, settings);
                renew(&mut self.node, &mut self.sources.certificates, settings);
                self.sources.control.renew_identities(settings);
                systemd::ready();
            }
            Some(Happening::Edited) => {
                if self.sources.documents.changed() {
                    reload(&mut self.node, &mut self.sources, settings);
                }
                if self.sources.certificates.changed(settings) {
                    renew(&mut self.node, &mut self.sources.certificates, settings);
                }
            }
            Some(Happening::Upgrade) => self.begin_upgrade(settings),
            Some(Happening::Call(call)) => {
                let Sources { documents, control, .. } = &mut self.sources;
                control.answer(*call, &mut self.node, documents, settings, happenings);
            }
            Some(Happening::Tested(api_id)) => {
                let Sources { documents, control, .. } = &mut self.sources;
                control.tested(&api_id, &mut self.node, documents, settings);
            }
            None if self.node.is_broken() => return Some(Broken),
            None => {}
        }
        if let Some(predecessor) = &self.predecessor {
            let gone = predecessor.is_gone();
            self.node.look_again();
            if gone {
                self.predecessor = None;
            }
        }
        let keeper = self.sources.control.keeper();
        match self.upgrade.as_mut()?.go_on(self.node.sockets(), || keeper.give_away()) {
            Progress::Waiting => None,
            Progress::Ready(pid) => Some(Relieved(pid)),
            Progress::Failed(trouble) => {
                // It is gone by the end of this line, and with it its hold on the store.
                self.upgrade = None;
                if let Err(trouble) = self.sources.control.keeper().take_back() {
                    report::plain(&trouble.message, trouble.help.as_deref());
                }
                not_upgraded(&trouble);
                // It may have been woken for connections that it didn't take.
                self.node.look_again();
                None
            }
        }
    }

    /// Starts a process that is to take over.
    fn begin_upgrade(&mut self, settings: &Settings) {
        if let Some(upgrade) = &self.upgrade {
            eprintln!("process {} is taking over already; the signal changes nothing", upgrade.pid());
            return;
        }
        let program = self
            .program
            .as_ref()
            .map_err(|error| Trouble::new(format!("this program's own file isn't known: {error}")));
        match program.and_then(|program| Upgrade::start(program, settings.timeouts.upgrade)) {
            Ok(upgrade) => {
                eprintln!("upgrading: process {} starts, this one serves until it is ready", upgrade.pid());
                self.upgrade = Some(upgrade);
            }
            Err(trouble) => not_upgraded(&trouble),
        }
    }
}

fn not_upgraded(trouble: &Trouble) {
    report::plain(&trouble.message, trouble.help.as_deref());
    eprintln!("not upgraded: this process goes on");
}

/// Reads the documents again. Whatever is wrong is reported, and the running plan goes on.
fn reload(node: &mut Node, sources: &mut Sources, settings: &Settings) {
    let outcome = match compile(&mut sources.documents, settings, sources.control.account()) {
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
    match load(certificates, settings).map(|presented| node.present(&presented)) {
        Some(Ok(())) => eprintln!("certificates renewed"),
        Some(Err(trouble)) => report::plain(&trouble.message, trouble.help.as_deref()),
        None => eprintln!("certificates not renewed: the old ones are presented on"),
    }
}

/// What every listener presents; `None` is a reported failure.
fn load(certificates: &mut Certificates, settings: &Settings) -> Option<Presented> {
    match certificates.load(settings) {
        Ok((presented, notes)) => {
            report::findings(&notes);
            Some(presented)
        }
        Err(findings) => {
            report::findings(&findings);
            None
        }
    }
}

fn compile(documents: &mut Documents, settings: &Settings, account: &Account) -> Option<Compiled> {
    match documents.compile(settings, account) {
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
