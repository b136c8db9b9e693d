//! Takes the places that listeners accept at: TCP ports, which each shard binds anew, UNIX sockets, which all share, and
//! sockets that the node was given.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use settings::{Address, Origin, Settings};
use shard::tls::Terms;
use shard::{Entrance, SocketFile};

use crate::inherited::{Group, Inherited, Role, Socket, address_of};
use crate::trouble::Trouble;

/// The places of all listeners, in their order.
pub(crate) struct Places {
    places: Vec<Place>,
    files: Vec<SocketFile>,
    /// A socket for this process's own requests: no setting names it and nobody takes it over.
    inside: Option<OwnedFd>,
}

enum Place {
    /// A port, with sockets on it that were given, for shards to take.
    Tcp(SocketAddr, Vec<OwnedFd>),
    /// One socket for all shards.
    Shared(Address, OwnedFd),
}

impl Places {
    /// Takes what was given; else finds each listener's port, refuses those that other programs hold, and binds UNIX
    /// sockets.
    ///
    /// # Errors
    /// A place can't be had.
    pub(crate) fn take(settings: &Settings, inherited: &mut Inherited) -> Result<Self, Trouble> {
        let mut taken = Places { places: Vec::new(), files: Vec::new(), inside: None };
        for listener in &settings.listeners {
            let cannot = |error| cannot_listen(listener, &listener.address, &error);
            let place = match inherited.take(Role::Listener, &listener.address) {
                Some(group) => taken.adopt(listener, group).map_err(cannot)?,
                None => taken.bind(listener).map_err(cannot)?,
            };
            taken.places.push(place);
        }
        Ok(taken)
    }

    fn bind(&mut self, listener: &settings::Listener) -> std::io::Result<Place> {
        match &listener.address {
            Address::Tcp(address) => Ok(Place::Tcp(shard::probe(*address)?, Vec::new())),
            Address::Unix(path) => {
                let (socket, file) = shard::bind_unix(path, listener.mode)?;
                self.files.push(file);
                Ok(Place::Shared(listener.address.clone(), socket))
            }
        }
    }

    fn adopt(&mut self, listener: &settings::Listener, group: Group) -> std::io::Result<Place> {
        if let Address::Unix(path) = &listener.address
            && group.owns_file
        {
            self.files.push(shard::adopt_unix(path, listener.mode)?);
        }
        let mut sockets = group.sockets;
        let first = sockets.first().ok_or(ErrorKind::NotFound)?;
        let address = address_of(first).unwrap_or_else(|| listener.address.clone());
        match address {
            Address::Tcp(address) if !group.shared => Ok(Place::Tcp(address, sockets)),
            address => Ok(Place::Shared(address, sockets.swap_remove(0))),
        }
    }

    /// The addresses, with the ports that were taken.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        let address = |place: &Place| match place {
            Place::Tcp(address, _) => Address::Tcp(*address),
            Place::Shared(address, _) => address.clone(),
        };
        self.places.iter().map(address).collect()
    }

    /// Has the first shard accept at a socket for this process's own requests.
    pub(crate) fn open_inside(&mut self, socket: OwnedFd) {
        self.inside = Some(socket);
    }

    /// The sockets of one shard among so many: its own on shared ports, and its hold on shared ones. What another process
    /// may take over one day is added to `held`.
    ///
    /// # Errors
    /// A port can't be bound once more, or no descriptor is left.
    pub(crate) fn listeners(
        &mut self,
        settings: &Settings,
        terms: &[Option<Terms>],
        shard: (usize, usize),
        held: &mut Vec<Socket>,
    ) -> Result<Vec<shard::Listener>, Trouble> {
        let mut listeners = Vec::new();
        let Places { places, files, inside } = self;
        for (at, ((wanted, place), terms)) in settings.listeners.iter().zip(places).zip(terms).enumerate() {
            let cannot = |error: std::io::Error| cannot_listen(wanted, &wanted.address, &error);
            let shared = matches!(place, Place::Shared(..));
            // A UNIX socket has no port; clients take the scheme's own for it.
            let port = place.port().unwrap_or(if terms.is_some() { 443 } else { 80 });
            for socket in place.sockets(shard).map_err(cannot)? {
                if !shared || shard.0 == 0 {
                    held.push(Socket {
                        role: Some(Role::Listener),
                        group: at,
                        address: wanted.address.clone(),
                        shared,
                        owns_file: files
                            .iter()
                            .any(|file| wanted.address == Address::Unix(file.path().into())),
                        socket: socket.try_clone().map_err(cannot)?,
                    });
                }
                let (proxy_protocol, trusted_proxies) =
                    (wanted.proxy_protocol, wanted.trusted_proxies.clone());
                let entrance = Entrance { port, proxy_protocol, trusted_proxies };
                listeners.push(shard::Listener { place: at, socket, shared, entrance, tls: terms.clone() });
            }
        }
        listeners.extend(inside.take().map(|socket| {
            let entrance = Entrance { port: 80, ..Entrance::default() };
            shard::Listener { place: usize::MAX, socket, shared: true, entrance, tls: None }
        }));
        Ok(listeners)
    }

    /// Once every shard has its sockets: what is left to hold, so that sockets end with the shards. Files that were given
    /// belong to this process from here on.
    pub(crate) fn into_files(mut self) -> Vec<SocketFile> {
        self.files.iter_mut().for_each(SocketFile::own);
        self.files
    }
}

impl Place {
    fn port(&self) -> Option<u16> {
        match self {
            Place::Tcp(address, _) | Place::Shared(Address::Tcp(address), _) => Some(address.port()),
            Place::Shared(Address::Unix(_), _) => None,
        }
    }

    /// The sockets of one shard among so many. Of given ones the last shard takes all that are left: what waits in their
    /// queues has to be accepted.
    fn sockets(&mut self, (index, count): (usize, usize)) -> std::io::Result<Vec<OwnedFd>> {
        match self {
            Place::Shared(_, socket) => Ok(vec![socket.try_clone()?]),
            Place::Tcp(address, given) => {
                let taken = if index + 1 == count { given.len() } else { 1.min(given.len()) };
                match taken {
                    0 => Ok(vec![shard::bind(*address)?]),
                    taken => Ok(given.drain(..taken).collect()),
                }
            }
        }
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
