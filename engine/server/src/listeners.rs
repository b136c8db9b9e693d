//! Takes the places that listeners accept at: TCP ports, which each shard binds anew, and UNIX sockets, which all share.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use settings::{Address, Origin, Settings};
use shard::tls::Terms;
use shard::{Entrance, SocketFile};

use crate::trouble::Trouble;

/// The places of all listeners, in their order.
pub(crate) struct Places {
    places: Vec<Place>,
    files: Vec<SocketFile>,
}

enum Place {
    Tcp(SocketAddr),
    Unix(OwnedFd),
}

impl Places {
    /// Finds each listener's port, and refuses those that other programs hold; binds UNIX sockets.
    ///
    /// # Errors
    /// A place can't be had.
    pub(crate) fn take(settings: &Settings) -> Result<Self, Trouble> {
        let mut taken = Places { places: Vec::new(), files: Vec::new() };
        for listener in &settings.listeners {
            let cannot = |error| cannot_listen(listener, &listener.address, &error);
            taken.places.push(match &listener.address {
                Address::Tcp(address) => Place::Tcp(shard::probe(*address).map_err(cannot)?),
                Address::Unix(path) => {
                    let (socket, file) = shard::bind_unix(path, listener.mode).map_err(cannot)?;
                    taken.files.push(file);
                    Place::Unix(socket)
                }
            });
        }
        Ok(taken)
    }

    /// The addresses, with the ports that were taken.
    pub(crate) fn addresses(&self, settings: &Settings) -> Vec<Address> {
        let address = |(place, listener): (&Place, &settings::Listener)| match place {
            Place::Tcp(address) => Address::Tcp(*address),
            Place::Unix(_) => listener.address.clone(),
        };
        self.places.iter().zip(&settings.listeners).map(address).collect()
    }

    /// One shard's own sockets on the shared ports, and its hold on the shared sockets.
    ///
    /// # Errors
    /// A port can't be bound once more, or no descriptor is left.
    pub(crate) fn listeners(
        &self,
        settings: &Settings,
        terms: &[Option<Terms>],
    ) -> Result<Vec<shard::Listener>, Trouble> {
        let bind = |((wanted, place), terms): ((&settings::Listener, &Place), &Option<Terms>)| {
            let (socket, shared, port) = match place {
                Place::Tcp(address) => (shard::bind(*address), false, address.port()),
                // It has no port; clients take the scheme's own for it.
                Place::Unix(socket) => (socket.try_clone(), true, if terms.is_some() { 443 } else { 80 }),
            };
            let socket = socket.map_err(|error| cannot_listen(wanted, &wanted.address, &error))?;
            let (proxy_protocol, trusted_proxies) = (wanted.proxy_protocol, wanted.trusted_proxies.clone());
            let entrance = Entrance { port, proxy_protocol, trusted_proxies };
            Ok(shard::Listener { socket, shared, entrance, tls: terms.clone() })
        };
        settings.listeners.iter().zip(&self.places).zip(terms).map(bind).collect()
    }

    /// Once every shard has its sockets: what is left to hold, so that sockets end with the shards.
    pub(crate) fn into_files(self) -> Vec<SocketFile> {
        self.files
    }
}

fn cannot_listen(listener: &settings::Listener, address: &Address, error: &std::io::Error) -> Trouble {
    let origin = match &listener.origin {
        origin @ Origin::File { .. } => format!("{origin}: "),
        _ => String::new(),
    };
    let trouble = |why: &str| Trouble::new(format!("{origin}can't listen on {address}: {why}"));
    let unix = matches!(address, Address::Unix(_));
    match error.kind() {
        ErrorKind::AddrInUse if unix => trouble("another program listens there")
            .with_help("stop it, or choose another path with `--listen unix:PATH`"),
        ErrorKind::AlreadyExists if unix => trouble("a file that is no socket has this name")
            .with_help("remove it yourself if nobody needs it, or choose another path"),
        ErrorKind::InvalidInput if unix => {
            trouble("the path is too long").with_help("paths of UNIX sockets have 107 bytes at most")
        }
        _ if unix => trouble(&error.to_string())
            .with_help("the folder must exist, and this user must be allowed to make files in it"),
        ErrorKind::AddrInUse => trouble(&error.to_string())
            .with_help("another program holds the port; `--listen ADDR` chooses another"),
        ErrorKind::PermissionDenied => trouble(&error.to_string())
            .with_help("ports below 1024 need CAP_NET_BIND_SERVICE; `--listen ADDR` chooses another"),
        _ => trouble(&error.to_string()).with_help("the address must be one of this machine's"),
    }
}
