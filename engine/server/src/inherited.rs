//! Listening sockets that this process was given: by systemd, or by the process that it takes over from.
//!
//! Feature: Socket activation

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::net::{SocketAddrUnix, SocketType, getsockname, sockopt};
use settings::Address;

use crate::trouble::Trouble;

/// Descriptors that systemd passes begin here (sd_listen_fds(3)).
const FIRST_PASSED: RawFd = 3;
/// Descriptors that are taken at most.
const PASSED_MAX: RawFd = 256;

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A listener of the data plane.
    Listener,
    /// The control listener.
    Control,
    /// The example backend of a document.
    Example,
}

impl Role {
    const ALL: [Role; 3] = [Role::Listener, Role::Control, Role::Example];

    /// Its word between processes.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Listener => "listener",
            Role::Control => "control",
            Role::Example => "example",
        }
    }

    /// The role of a word.
    pub(crate) fn of(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// One socket, and what is known of it.
#[derive(Debug)]
pub(crate) struct Socket {
    /// What it is for; unknown of those that systemd passes.
    pub(crate) role: Option<Role>,
    /// Sockets of one listener have the same number.
    pub(crate) group: usize,
    /// The address as the settings had it; the socket's own if systemd bound it.
    pub(crate) address: Address,
    /// One for all shards.
    pub(crate) shared: bool,
    /// The file of a UNIX socket goes with the process that ends last.
    pub(crate) owns_file: bool,
    /// The socket.
    pub(crate) socket: OwnedFd,
}

/// Sockets of one listener.
#[derive(Debug)]
pub(crate) struct Group {
    /// As many as there were shards, or one that is shared.
    pub(crate) sockets: Vec<OwnedFd>,
    /// See [`Socket::shared`].
    pub(crate) shared: bool,
    /// See [`Socket::owns_file`].
    pub(crate) owns_file: bool,
}

/// All that was given and isn't taken yet.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    sockets: Vec<Socket>,
    /// What isn't asked for is a mistake, rather than a listener that settings no longer name.
    passed_by_systemd: bool,
}

impl Inherited {
    /// What another process handed over.
    pub(crate) fn handed_over(sockets: Vec<Socket>) -> Self {
        Inherited { sockets, passed_by_systemd: false }
    }

    /// What systemd passed: `LISTEN_FDS` descriptors, if `LISTEN_PID` names this process.
    ///
    /// # Errors
    /// One of them isn't a listening stream socket.
    pub(crate) fn passed() -> Result<Self, Trouble> {
        let number = |name: &str| std::env::var(name).ok()?.parse::<RawFd>().ok();
        let ours = number("LISTEN_PID").is_some_and(|pid| u32::try_from(pid) == Ok(std::process::id()));
        let count = if ours { number("LISTEN_FDS").unwrap_or(0) } else { 0 };
        if count > PASSED_MAX {
            return Err(Trouble::new(format!(
                "LISTEN_FDS passes {count} sockets, {PASSED_MAX} are taken at most"
            )));
        }
        let sockets: Result<Vec<Socket>, Trouble> =
            (0..count).map(|at| look_at(FIRST_PASSED + at, at)).collect();
        Ok(Inherited { sockets: sockets?, passed_by_systemd: count > 0 })
    }

    /// Takes what was given for an address.
    pub(crate) fn take(&mut self, role: Role, address: &Address) -> Option<Group> {
        let fits =
            |socket: &Socket| socket.role.is_none_or(|known| known == role) && socket.address == *address;
        let first = self.sockets.iter().find(|socket| fits(socket))?;
        let (group, known, shared, owns_file) = (first.group, first.role, first.shared, first.owns_file);
        let (taken, left): (Vec<Socket>, Vec<Socket>) = self
            .sockets
            .drain(..)
            .partition(|socket| socket.group == group && socket.role == known && socket.address == *address);
        self.sockets = left;
        Some(Group { sockets: taken.into_iter().map(|socket| socket.socket).collect(), shared, owns_file })
    }

    /// Takes a TCP socket that was given for an address.
    pub(crate) fn take_one(&mut self, role: Role, address: SocketAddr) -> Option<OwnedFd> {
        self.take(role, &Address::Tcp(address))?.sockets.pop()
    }

    /// Says that every listener has its sockets.
    ///
    /// # Errors
    /// systemd passed one that no listener asked for.
    pub(crate) fn settle(self) -> Result<(), Trouble> {
        match self.sockets.first() {
            Some(socket) if self.passed_by_systemd => Err(Trouble::new(format!(
                "a socket on {} was passed (LISTEN_FDS), which is no listener's address",
                socket.address
            ))
            .with_help("name it in `listeners[].address` or `control`, or take it out of the socket unit")),
            _ => Ok(()),
        }
    }
}

fn look_at(number: RawFd, at: RawFd) -> Result<Socket, Trouble> {
    let refused =
        |why: String| Trouble::new(format!("descriptor {number} (LISTEN_FDS) can't be listened on: {why}"));
    let socket = shard::inherited(number).map_err(|error| refused(error.to_string()))?;
    let kind = sockopt::socket_type(&socket).map_err(|_| refused("it is no socket".to_owned()))?;
    if kind != SocketType::STREAM {
        return Err(refused("it is no stream socket; `ListenStream=` makes those".to_owned()));
    }
    if !sockopt::socket_acceptconn(&socket).unwrap_or(false) {
        return Err(refused("it doesn't listen; `Accept=no` passes listening sockets".to_owned()));
    }
    let address =
        address_of(&socket).ok_or_else(|| refused("it has no address of IP or a file".to_owned()))?;
    // Inherited by what is accepted, as for sockets that are bound here.
    let _ = sockopt::set_tcp_nodelay(&socket, true);
    let group = usize::try_from(at).unwrap_or(0);
    Ok(Socket { role: None, group, address, shared: true, owns_file: false, socket })
}

/// Where a socket listens.
pub(crate) fn address_of(socket: impl AsFd) -> Option<Address> {
    let address = getsockname(socket).ok()?;
    if let Ok(unix) = SocketAddrUnix::try_from(address.clone()) {
        let path = unix.path()?;
        return Some(Address::Unix(PathBuf::from(OsStr::from_bytes(path.to_bytes()))));
    }
    SocketAddr::try_from(address).ok().map(Address::Tcp)
}
