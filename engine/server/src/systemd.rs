//! What a service manager is told (sd_notify(3)): ready, reloading, stopping, and which process is the main one.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::time::{ClockId, clock_gettime};

/// The node serves.
pub(crate) fn ready() {
    tell("READY=1\nSTATUS=serving");
}

/// Files are being read again; [`ready`] follows.
pub(crate) fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let microseconds = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000);
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
}

/// The node ends.
pub(crate) fn stopping() {
    tell("STOPPING=1\nSTATUS=finishing what is under way");
}

/// Another process has taken over.
pub(crate) fn relieved_by(pid: u32) {
    tell(&format!("MAINPID={pid}\nREADY=1\nSTATUS=serving"));
}

/// Sends a message if a manager listens. One that doesn't take it is none of the node's business.
fn tell(message: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&name),
    };
    let sent = address.and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        socket.send(message.as_bytes())
    });
    drop(sent);
}
