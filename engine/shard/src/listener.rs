//! Binds a shard's TCP listeners: one socket per shard on a shared port (SO_REUSEPORT).

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
pub(crate) const BACKLOG: i32 = 4096;

/// Binds and listens. The port may be shared by all shards of this user.
///
/// # Errors
/// The address is in use by somebody else, not ours, or a privileged port.
pub fn bind(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // `[::]` takes no clients of IPv4, whatever the system's default is: `0.0.0.0` beside it does.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    // Accepted sockets inherit it, which saves a call per connection.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Binds once without sharing, to learn that no other program holds the port, then lets go.
///
/// # Errors
/// As [`bind`]; a port that another program shares is refused too.
pub fn probe(address: SocketAddr) -> io::Result<SocketAddr> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    let bound = socket.local_addr()?.as_socket();
    bound.ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))
}
