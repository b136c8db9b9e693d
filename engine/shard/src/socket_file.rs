//! UNIX-socket listeners: one socket that all shards accept from, and its file.
//!
//! Feature: Listeners

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::listener::BACKLOG;

/// The file of a listening UNIX socket. Dropping it removes the file, unless another one has taken its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// The file itself: while it is held, no other file gets its number.
    held: OwnedFd,
    /// Whether the file goes with this.
    owned: bool,
}

impl SocketFile {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the file over for good: from now on it goes with this.
    pub fn own(&mut self) {
        self.owned = true;
    }

    /// Leaves the file to another process, which listens on it as well.
    pub fn leave(mut self) {
        self.owned = false;
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.owned {
            return;
        }
        let (Ok(own), Ok(found)) = (rustix::fs::fstat(&self.held), rustix::fs::lstat(&self.path)) else {
            return;
        };
        if (own.st_dev, own.st_ino) == (found.st_dev, found.st_ino) {
            // Nobody is left to be told that it can't be removed; the next start finds it stale.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Binds and listens. A file that a dead process left is replaced. `mode` holds from the first moment: nobody can connect
/// before it is set.
///
/// # Errors
/// `AddrInUse`: somebody listens there. `AlreadyExists`: a file that is no socket is in the way. Others: of the system,
/// `InvalidInput` for a path of more than 107 bytes.
pub fn bind_unix(path: &Path, mode: u32) -> io::Result<(OwnedFd, SocketFile)> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path, &address)?;
            socket.bind(&address)?;
        }
        bound => bound?,
    }
    let mut file = adopt_unix(path, mode).inspect_err(|_| {
        // It is ours, and of no use.
        let _ = std::fs::remove_file(path);
    })?;
    file.own();
    socket.listen(BACKLOG)?;
    Ok((socket.into(), file))
}

/// Finds the file of a socket that another process bound and has given to this one. It stays the other's until this one
/// [owns](SocketFile::own) it.
///
/// # Errors
/// The file is gone, or isn't this user's.
pub fn adopt_unix(path: &Path, mode: u32) -> io::Result<SocketFile> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    Ok(SocketFile { path: path.to_owned(), held, owned: false })
}

/// Removes the socket at `path` if nobody listens on it.
fn remove_stale(path: &Path, address: &SockAddr) -> io::Result<()> {
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A full queue of connections must not keep us waiting: it tells enough.
    probe.set_nonblocking(true)?;
    match probe.connect(address) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::portable::Portable;
    use crate::rt::ring::{Ring, Shape};
    use crate::rt::{Event, Runtime, probe::probe_ring};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("turnpike-socket-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        path
    }

    #[test]
    fn only_a_socket_that_nobody_listens_on_is_replaced() {
        let folder = folder("stale");
        let path = folder.join("a.sock");
        let (socket, file) = bind_unix(&path, 0o640).expect("binds");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
        let kind = |path: &Path| bind_unix(path, 0o600).expect_err("refused").kind();
        assert_eq!(kind(&path), io::ErrorKind::AddrInUse, "a live one");
        drop(socket);
        let (_again, newer) = bind_unix(&path, 0o600).expect("a stale one is replaced");
        drop(file);
        assert!(path.exists(), "the file is another's by now");
        drop(newer);
        assert!(!path.exists());
        drop(UnixListener::bind(&path).expect("binds"));
        assert!(bind_unix(&path, 0o600).is_ok(), "left by a process that was killed");
        let plain = folder.join("plain");
        std::fs::write(&plain, "precious").expect("writes");
        assert_eq!(kind(&plain), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&plain).expect("still there"), b"precious");
        assert_eq!(kind(&folder.join("nowhere/a.sock")), io::ErrorKind::NotFound);
        assert_eq!(kind(&folder.join("x".repeat(120))), io::ErrorKind::InvalidInput);
        std::fs::remove_dir_all(&folder).expect("removes");
    }

    /// Lets four loops accept from one socket, and gives the number of connections of each.
    fn share<R: Runtime>(path: &Path, make: impl Fn() -> R + Sync, connect: impl FnOnce()) -> Vec<usize> {
        const LOOPS: usize = 4;
        let (socket, _file) = bind_unix(path, 0o600).expect("binds");
        let (total, ready) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let accept = || {
                let mut rt = make();
                rt.listen(socket.try_clone().expect("a descriptor"), true).expect("listens");
                let (mut own, mut events) = (0, Vec::new());
                rt.turn(Some(0), &mut events).expect("turns");
                ready.fetch_add(1, Ordering::AcqRel);
                while total.load(Ordering::Acquire) < CONNECTIONS {
                    rt.turn(Some(20_000_000), &mut events).expect("turns");
                    for event in events.drain(..) {
                        if matches!(event, Event::Accepted { .. }) {
                            own += 1;
                            total.fetch_add(1, Ordering::AcqRel);
                        }
                    }
                }
                own
            };
            let loops: Vec<_> = (0..LOOPS).map(|_| scope.spawn(accept)).collect();
            while ready.load(Ordering::Acquire) < LOOPS {
                std::thread::yield_now();
            }
            connect();
            loops.into_iter().map(|accepting| accepting.join().expect("ends")).collect()
        })
    }

    const CONNECTIONS: usize = 400;

    #[test]
    fn every_loop_gets_its_share_of_connections() {
        let folder = folder("share");
        let path = folder.join("a.sock");
        for one_by_one in [true, false] {
            let connect = || {
                let mut held = Vec::new();
                for _ in 0..CONNECTIONS {
                    held.push(UnixStream::connect(&path).expect("connects"));
                    if one_by_one {
                        std::thread::park_timeout(std::time::Duration::from_micros(200));
                    }
                }
            };
            let mut shares = vec![share(&path, || Portable::new(0).expect("a loop"), connect)];
            if probe_ring().is_ok() {
                shares.push(share(&path, || Ring::new(Shape::default()).expect("a loop"), connect));
            }
            eprintln!("one by one: {one_by_one}: {shares:?}");
            for shares in shares {
                assert_eq!(shares.iter().sum::<usize>(), CONNECTIONS);
                let least = shares.iter().min().copied().unwrap_or(0);
                // Who takes part in a burst is the scheduler's choice.
                assert!(!one_by_one || least >= CONNECTIONS / 20, "one by one: {one_by_one}: {shares:?}");
            }
        }
        std::fs::remove_dir_all(&folder).expect("removes");
    }
}
