//! An address that never answers a connect: its queue is full and nobody accepts.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};

/// How long a connect may take that is going to succeed.
const SOON: Duration = Duration::from_millis(500);
/// Connections that a queue of no length at all may still take.
const FILL_MAX: usize = 16;

/// A listener with a full queue: the kernel drops what knocks (the peer sees silence).
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    _listener: OwnedFd,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    /// At an address that is free.
    ///
    /// # Panics
    /// It isn't, or the queue doesn't fill.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
        let listener = socket(family, SocketType::STREAM, None).expect("a socket");
        bind(&listener, &address).expect("a free address");
        listen(&listener, 0).expect("it listens");
        let name = getsockname(&listener).expect("a bound socket has an address");
        let address = SocketAddr::try_from(name).expect("an address of IP");
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, SOON) {
            queue.push(stream);
            assert!(queue.len() < FILL_MAX, "a queue of length zero takes no end of connections");
        }
        BlackHole { address, _listener: listener, _queue: queue }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
