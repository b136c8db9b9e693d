//! The bare relay: bytes from one socket to the other, without a look at them.

use std::io;

use clap::Args;
use shard::rt::ring::{Ring, Shape};
use shard::rt::{Address, Chunk, Event, Runtime, SocketKey};
use slab::Slab;

use crate::target;

/// Pass bytes between clients and one backend connection each.
#[derive(Args, Debug)]
pub(crate) struct Relay {
    /// Where to listen.
    #[arg(long, value_parser = target::parse)]
    listen: Address,
    /// Where to connect for each client.
    #[arg(long, value_parser = target::parse)]
    backend: Address,
}

struct Pair {
    sockets: [SocketKey; 2],
}

/// Runs until killed. The side of a pair is the owner's lowest bit.
pub(crate) fn run(relay: &Relay) -> io::Result<()> {
    let mut rt = Ring::new(Shape::default())?;
    rt.listen(target::listen(&relay.listen)?, false)?;
    let mut pairs: Slab<Pair> = Slab::new();
    let mut events = Vec::new();
    loop {
        rt.turn(None, &mut events)?;
        for event in events.drain(..) {
            match event {
                Event::Accepted { socket, .. } => {
                    let entry = pairs.vacant_entry();
                    let owner = u32::try_from(entry.key()).unwrap_or(0) * 2;
                    rt.own(socket, owner);
                    let upstream = rt.connect(&relay.backend, owner + 1)?;
                    entry.insert(Pair { sockets: [socket, upstream] });
                    rt.receive(socket);
                }
                Event::Connected { socket, error: 0, .. } => rt.receive(socket),
                Event::Received { socket, owner, lent } => match pairs.get((owner / 2) as usize) {
                    Some(pair) if pair.sockets[(owner & 1) as usize] == socket => {
                        rt.send(pair.sockets[1 - (owner & 1) as usize], Chunk::Lent(lent));
                    }
                    _ => rt.release(lent),
                },
                Event::Ended { socket, owner } | Event::Failed { socket, owner, .. } => {
                    let known =
                        pairs.get((owner / 2) as usize).is_some_and(|pair| pair.sockets.contains(&socket));
                    if known {
                        pairs
                            .remove((owner / 2) as usize)
                            .sockets
                            .into_iter()
                            .for_each(|socket| rt.close(socket));
                    }
                }
                Event::Connected { .. } | Event::Sent { .. } => {}
            }
        }
    }
}
