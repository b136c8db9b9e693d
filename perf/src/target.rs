//! Addresses on the command line: `127.0.0.1:8080` or `unix:/run/app.sock`.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use shard::rt::Address;

/// Reads an address.
pub(crate) fn parse(text: &str) -> Result<Address, String> {
    match text.strip_prefix("unix:") {
        Some(path) => Ok(Address::Unix(path.into())),
        None => text.parse().map(Address::Tcp).map_err(|error| format!("{text}: {error}")),
    }
}

/// Binds and listens.
pub(crate) fn listen(address: &Address) -> io::Result<OwnedFd> {
    match address {
        Address::Tcp(address) => shard::bind(*address),
        Address::Unix(path) => {
            // A socket file of an earlier run is in the way; anything else makes the bind fail.
            let _ = std::fs::remove_file(path);
            UnixListener::bind(path).map(OwnedFd::from)
        }
    }
}
