//! Hands a running node's listeners to a new process of the binary, and goes on if that fails.
//!
//! Feature: Binary upgrade

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::handover::{self, Message, Word};
use crate::inherited::{Inherited, Socket};
use crate::trouble::Trouble;

/// Names the descriptor on which a successor speaks with the process before it.
const VARIABLE: &str = "TURNPIKE_TAKES_OVER";
/// The process before it answers at once, or is gone.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// Where this program was found when it started. An upgrade starts what is there by then, also by way of a link.
#[derive(Clone, Debug)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// To be asked at start, before anybody can have replaced the file.
    ///
    /// # Errors
    /// The system doesn't tell.
    pub(crate) fn here() -> io::Result<Self> {
        let name = PathBuf::from(std::env::args_os().next().unwrap_or_default());
        if name.components().count() > 1 {
            return std::path::absolute(name).map(Program);
        }
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let found =
            std::env::split_paths(&paths).map(|folder| folder.join(&name)).find(|path| path.is_file());
        found.map_or_else(std::env::current_exe, std::path::absolute).map(Program)
    }
}

/// A successor whose end of the way is closed has ended, or ends within this time.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// How a hand-over goes.
pub(crate) enum Progress {
    /// The successor isn't ready yet.
    Waiting,
    /// It serves; its process id.
    Ready(u32),
    /// It won't: why.
    Failed(Trouble),
}

/// A successor that is being started.
pub(crate) struct Upgrade {
    child: Child,
    way: OwnedFd,
    until: Instant,
    patience: Duration,
    ready: bool,
    /// It says nothing any more.
    silent: bool,
}

impl Upgrade {
    /// Starts the program with the arguments of this one.
    ///
    /// # Errors
    /// It can't be run.
    #[expect(clippy::disallowed_methods, reason = "the node's own time, far from any shard")]
    pub(crate) fn start(program: &Program, patience: Duration) -> Result<Self, Trouble> {
        let cannot = |error: io::Error| {
            Trouble::new(format!("{} can't be started: {error}", program.0.display()))
                .with_help("the running process goes on; put a working binary there and send SIGUSR2 again")
        };
        let (way, theirs) = handover::pair().map_err(cannot)?;
        // Nothing else starts programs meanwhile, which would inherit it as well.
        rustix::io::fcntl_setfd(&theirs, rustix::io::FdFlags::empty())
            .map_err(|error| cannot(error.into()))?;
        let child = Command::new(&program.0)
            .args(std::env::args_os().skip(1))
            .env(VARIABLE, theirs.as_raw_fd().to_string())
            .env_remove("LISTEN_PID")
            .env_remove("LISTEN_FDS")
            .env_remove("LISTEN_FDNAMES")
            .spawn()
            .map_err(cannot)?;
        Ok(Upgrade { child, way, until: Instant::now() + patience, patience, ready: false, silent: false })
    }

    /// The successor's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Looks what the successor says, and gives it what it asks for. `release` lets go of what only one process can have,
    /// before the successor hears anything.
    #[expect(clippy::disallowed_methods, reason = "the node's own time, far from any shard")]
    pub(crate) fn go_on(&mut self, sockets: &[Socket], release: impl FnOnce()) -> Progress {
        let failed = |why: String| {
            Progress::Failed(
                Trouble::new(why).with_help("the running process goes on; SIGUSR2 tries it again"),
            )
        };
        if self.silent {
            return match self.child.try_wait() {
                Ok(Some(status)) => failed(format!("the new process ended before it was ready: {status}")),
                _ if Instant::now() >= self.until => failed("the new process doesn't take over".to_owned()),
                _ => Progress::Waiting,
            };
        }
        match handover::hear(&self.way, false) {
            Ok(Some(Message::Word(Word::Ready))) => {
                self.ready = true;
                return Progress::Ready(self.child.id());
            }
            Ok(Some(Message::Word(Word::Hello))) => {
                release();
                let told = sockets.iter().try_for_each(|socket| handover::hand_over(&self.way, socket));
                if let Err(error) = told.and_then(|()| handover::say(&self.way, Word::End)) {
                    return failed(format!("the listeners can't be handed over: {error}"));
                }
            }
            Ok(Some(Message::Socket(_) | Message::Word(Word::End))) => {
                return failed("the new process says what only an old one says".to_owned());
            }
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                // It has ended, or is about to.
                self.silent = true;
                self.until = Instant::now() + END_PATIENCE;
                return Progress::Waiting;
            }
            Err(error) => return failed(format!("the new process can't be understood: {error}")),
        }
        if Instant::now() >= self.until {
            return failed(format!(
                "the new process wasn't ready within {:?} (`upgrade.patience`)",
                self.patience
            ));
        }
        Progress::Waiting
    }
}

impl Drop for Upgrade {
    fn drop(&mut self) {
        if !self.ready {
            // Both fail only for one that has ended.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The way to the process before this one, on the side of the successor.
pub(crate) struct Predecessor(OwnedFd);

impl Predecessor {
    /// The process before this one, if there is one, and the sockets that it hands over.
    ///
    /// # Errors
    /// It is gone or doesn't answer.
    pub(crate) fn ask() -> Result<Option<(Self, Inherited)>, Trouble> {
        let Some(number) = std::env::var_os(VARIABLE) else { return Ok(None) };
        let number: Option<RawFd> = number.to_str().and_then(|text| text.parse().ok());
        let cannot =
            |error: io::Error| Trouble::new(format!("nothing can be taken over ({VARIABLE}): {error}"));
        let way = number.ok_or_else(|| cannot(io::ErrorKind::InvalidInput.into()))?;
        let way = shard::inherited(way).map_err(cannot)?;
        rustix::net::sockopt::set_socket_timeout(
            &way,
            rustix::net::sockopt::Timeout::Recv,
            Some(ANSWER_PATIENCE),
        )
        .map_err(|error| cannot(error.into()))?;
        handover::say(&way, Word::Hello).map_err(cannot)?;
        let mut sockets = Vec::new();
        loop {
            match handover::hear(&way, true).map_err(cannot)? {
                Some(Message::Socket(socket)) => sockets.push(socket),
                Some(Message::Word(Word::End)) => break,
                _ => return Err(cannot(io::ErrorKind::InvalidData.into())),
            }
        }
        Ok(Some((Predecessor(way), Inherited::handed_over(sockets))))
    }

    /// Tells it that this process serves. It may be gone by now, which changes nothing.
    pub(crate) fn relieve(&self) {
        let _ = handover::say(&self.0, Word::Ready);
    }

    /// Whether it has ended: it holds its end of the way until then.
    pub(crate) fn is_gone(&self) -> bool {
        !matches!(handover::hear(&self.0, false), Ok(None))
    }
}
