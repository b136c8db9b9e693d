//! What can happen to a running node from outside: signals and edited files, in one queue.

use notify::{RecursiveMode, Watcher};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use workers::Call;

/// Editors write a file in several steps; an edit counts when it has been quiet this long.
const QUIET: Duration = Duration::from_millis(100);
/// Happenings that may wait: one call of each control connection, and some signals.
const QUEUE_MAX: usize = workers::operations::CONNECTIONS_MAX + 16;

/// One thing that happened.
pub(crate) enum Happening {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
    /// SIGUSR2: a new process is to take over.
    Upgrade,
    /// A served file may have changed.
    Edited,
    /// A call of the control plane.
    Call(Box<Call>),
    /// A test of a method has ended: its secret id.
    Tested(String),
}

/// The queue, and what feeds it. Files are watched as long as this lives.
pub(crate) struct Happenings {
    queue: Receiver<Happening>,
    sender: SyncSender<Happening>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Happenings {
    /// Listens to signals and watches `files`.
    ///
    /// # Errors
    /// Signal handlers, a thread or the watcher can't be set up.
    pub(crate) fn start(files: &[PathBuf]) -> io::Result<Self> {
        let (sender, queue) = sync_channel(QUEUE_MAX);
        signals(sender.clone())?;
        let watcher = if files.is_empty() { None } else { Some(watch(files, sender.clone())?) };
        Ok(Happenings { queue, sender, _watcher: watcher })
    }

    /// Where a test of a method tells its end.
    pub(crate) fn tested(&self, api_id: String) -> impl FnOnce() + Send + 'static {
        let sender = self.sender.clone();
        // A full queue leaves the method in the plan, under a name that nobody knows, until the next test ends.
        move || drop(sender.try_send(Happening::Tested(api_id)))
    }

    /// Where the control listener puts its calls. A full queue refuses one at once.
    pub(crate) fn calls(&self) -> workers::Calls {
        let sender = self.sender.clone();
        std::sync::Arc::new(move |call| sender.try_send(Happening::Call(Box::new(call))).is_ok())
    }

    /// The next happening, or `None` when nothing happened in time.
    pub(crate) fn next(&self, within: Duration) -> Option<Happening> {
        match self.queue.recv_timeout(within) {
            Ok(happening) => Some(happening),
            Err(RecvTimeoutError::Timeout) => None,
            // Only if the signal thread died: without it the node couldn't be stopped in order later.
            Err(RecvTimeoutError::Disconnected) => Some(Happening::Stop),
        }
    }
}

fn signals(sender: SyncSender<Happening>) -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR2])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let happening = match signal {
                SIGHUP => Happening::Reload,
                SIGUSR2 => Happening::Upgrade,
                _ => Happening::Stop,
            };
            if sender.send(happening).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// Watches the folders of the files: editors replace a file by renaming, which a watch on the file would lose.
fn watch(files: &[PathBuf], sender: SyncSender<Happening>) -> io::Result<notify::RecommendedWatcher> {
    let names: BTreeSet<OsString> =
        files.iter().filter_map(|file| Some(file.file_name()?.to_owned())).collect();
    let (raw, events) = sync_channel::<()>(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let concerns_us = match &event {
            Ok(event) => !event.kind.is_access() && event.paths.iter().any(|path| named(path, &names)),
            Err(_) => true, // events were lost: look at the files
        };
        if concerns_us {
            // One pending wake-up is enough.
            let _ = raw.try_send(());
        }
    })
    .map_err(io::Error::other)?;
    let folders: BTreeSet<&Path> = files.iter().map(|file| folder(file)).collect();
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
    }
    std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
        while events.recv().is_ok() {
            while events.recv_timeout(QUIET).is_ok() {}
            if sender.send(Happening::Edited).is_err() {
                return;
            }
        }
    })?;
    Ok(watcher)
}

fn named(path: &Path, names: &BTreeSet<OsString>) -> bool {
    path.file_name().is_some_and(|name| names.contains(name))
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
