//! Starts a shard on its own pinned thread and is the node's hold on it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use plan::NodePlan;

use crate::command::Command;
use crate::mailbox::{self, Sender};
use crate::rt::Runtime;

use crate::rt::portable::Portable;
use crate::rt::probe::Kind;
use crate::rt::ring::{Ring, Shape};
use crate::shard::Shard;
use crate::spec::{Resolved, Spec};

/// The shard's end of its mailbox.
pub struct Near {
    pub(crate) receiver: mailbox::Receiver<Command>,
    pub(crate) wake: OwnedFd,
}

/// A mailbox for a shard that is to be made: the far end for others, the near end for [`Shard::new`].
///
/// # Errors
/// No descriptors are left.
pub fn mailbox() -> io::Result<(Mailbox, Near)> {
    let (sender, receiver, wake) = mailbox::mailbox()?;
    Ok((Mailbox { sender }, Near { receiver, wake }))
}

/// A way to send commands to a shard.
#[derive(Clone)]
pub struct Mailbox {
    sender: Sender<Command>,
}

impl Mailbox {
    /// First step of a swap: asks the shard to link a plan. The answer says whether it can.
    ///
    /// # Errors
    /// The shard's mailbox is full.
    pub fn prepare(&self, plan: Arc<NodePlan>) -> Result<Receiver<Result<(), String>>, MailboxFull> {
        let (reply, answer) = sync_channel(1);
        self.send(Command::Prepare(plan, reply))?;
        Ok(answer)
    }

    /// Second step: serve the prepared plan.
    ///
    /// # Errors
    /// The shard's mailbox is full.
    pub fn commit(&self) -> Result<(), MailboxFull> {
        self.send(Command::Commit)
    }

    /// Instead of the second step, when another shard couldn't link.
    ///
    /// # Errors
    /// The shard's mailbox is full.
    pub fn discard(&self) -> Result<(), MailboxFull> {
        self.send(Command::Discard)
    }

    /// Connections accepted from now on are offered these terms; those there are stay as they are.
    ///
    /// # Errors
    /// The shard's mailbox is full.
    pub fn present(&self, terms: Vec<Option<crate::tls::Terms>>) -> Result<(), MailboxFull> {
        self.send(Command::Present(terms))
    }

    /// The resolver's answer for `host:port`.
    ///
    /// # Errors
    /// The shard's mailbox is full.
    pub fn resolved(&self, name: String, outcome: Resolved) -> Result<(), MailboxFull> {
        self.send(Command::Resolved(name, outcome))
    }

    /// Has the shard look at its listeners as if they were new. The kernel wakes one of those who wait for a connection; if
    /// that was another process, on its way out, the connection would wait for the next one.
    ///
    /// # Errors
    /// The shard's mailbox is full.
    pub fn look_again(&self) -> Result<(), MailboxFull> {
        self.send(Command::LookAgain)
    }

    /// Stops accepting and ends when everything in flight is answered, at the latest after `timeout`. If the listeners'
    /// sockets are `left` to another process, so are the connections that wait to be accepted.
    ///
    /// # Errors
    /// The shard's mailbox is full.
    pub fn drain(&self, timeout: Duration, left: bool) -> Result<(), MailboxFull> {
        self.send(Command::Drain { timeout, left })
    }

    fn send(&self, command: Command) -> Result<(), MailboxFull> {
        self.sender.send(command).map_err(|_| MailboxFull)
    }
}

/// A shard doesn't take commands: it is stuck, or commands come in a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxFull;

impl std::fmt::Display for MailboxFull {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the shard's mailbox is full")
    }
}

impl std::error::Error for MailboxFull {}

/// A running shard.
pub struct Handle {
    mailbox: Mailbox,
    thread: JoinHandle<io::Result<()>>,
}

impl Handle {
    /// The way to send it commands.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Whether its thread has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The loop ended by an error of the kernel or a panic.
    pub fn join(self) -> io::Result<()> {
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the shard's thread panicked")))
    }
}

/// Starts a shard's thread and waits until it accepts. `mailbox` and `near` come from [`mailbox`].
///
/// # Errors
/// The thread, the runtime or a listener can't be set up, or the plan doesn't link.
pub fn start(spec: Spec, mailbox: Mailbox, near: Near) -> io::Result<Handle> {
    let (report, started) = sync_channel(1);
    let thread = std::thread::Builder::new().name(format!("shard-{}", spec.index)).spawn(move || {
        if let Some(cpu) = spec.cpu {
            pin(cpu);
        }
        match spec.runtime {
            Kind::Ring => {
                let (spin_us, busy_poll_us) = (spec.spin_us, spec.busy_poll_us);
                serve(Ring::new(Shape { spin_us, busy_poll_us, ..Shape::default() }), spec, near, &report)
            }
            Kind::Portable => serve(Portable::new(spec.spin_us), spec, near, &report),
        }
    })?;
    match started.recv() {
        Ok(Ok(())) => Ok(Handle { mailbox, thread }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other("the shard's thread ended before it began to serve")),
    }
}

fn serve<R: Runtime>(
    rt: io::Result<R>,
    spec: Spec,
    near: Near,
    report: &std::sync::mpsc::SyncSender<io::Result<()>>,
) -> io::Result<()> {
    let shard = rt.and_then(|rt| Shard::new(rt, spec, near));
    match shard {
        Ok(shard) => {
            // Nobody waits for the report only if the starting thread is gone.
            let _ = report.send(Ok(()));
            shard.run()
        }
        Err(error) => {
            let _ = report.send(Err(error));
            Ok(())
        }
    }
}

/// Pins the calling thread; a CPU that isn't ours is left to the scheduler.
fn pin(cpu: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu);
    let _ = rustix::thread::sched_setaffinity(None, &set);
}
