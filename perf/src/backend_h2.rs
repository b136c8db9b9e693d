//! The HTTP/2 side of the backend: prior knowledge, the same answer on every stream, all frames of a turn in one send.

use codec::h2::{Allowance, Connection, Event as Frame, Limits, fields_of};
use shard::rt::ring::Ring;
use shard::rt::{Chunk, Lent, Runtime, SocketKey};
use slab::Slab;

struct Peer {
    socket: SocketKey,
    connection: Connection,
    out: Vec<u8>,
    listed: bool,
    /// Answers whose body waits for a window, with what is left of it.
    held: Vec<(u32, usize)>,
}

/// Answers on every socket it is given.
pub(crate) struct Answerer {
    peers: Slab<Peer>,
    listed: Vec<usize>,
    fields: Vec<u8>,
    body: Vec<u8>,
}

/// A load is no attack: it may open and ask as fast as it likes.
fn limits() -> Limits {
    let open = Allowance { burst: u32::MAX, per_second: u32::MAX };
    Limits {
        streams: 1024,
        ignored_frames: open,
        window_updates: open,
        late_frames: open,
        ..Limits::default()
    }
}

impl Answerer {
    pub(crate) fn new(body_bytes: usize) -> Self {
        let fields = format!("content-type: application/octet-stream\r\ncontent-length: {body_bytes}\r\n")
            .into_bytes();
        Answerer { peers: Slab::new(), listed: Vec::new(), fields, body: vec![b'x'; body_bytes] }
    }

    /// Takes a connection on; events carry `base` and its number.
    pub(crate) fn accept(&mut self, rt: &mut Ring, socket: SocketKey, base: u32) {
        let mut connection = Connection::server(limits());
        let mut out = Vec::new();
        connection.start(&mut out);
        let index = self.peers.insert(Peer { socket, connection, out, listed: false, held: Vec::new() });
        rt.own(socket, base | u32::try_from(index).unwrap_or(0));
        rt.receive(socket);
        self.list(index);
    }

    /// The peer has left.
    pub(crate) fn close(&mut self, rt: &mut Ring, socket: SocketKey, index: usize) {
        if self.peers.get(index).is_some_and(|peer| peer.socket == socket) {
            self.peers.remove(index);
            rt.close(socket);
        }
    }

    /// Answers every request in these bytes.
    pub(crate) fn receive(&mut self, rt: &mut Ring, socket: SocketKey, index: usize, lent: Lent) {
        if self.peers.get(index).is_none_or(|peer| peer.socket != socket) {
            rt.release(lent);
            return;
        }
        self.list(index);
        let Answerer { peers, fields, body, .. } = self;
        let Peer { connection, out, held, .. } = &mut peers[index];
        let mut input = rt.bytes(&lent);
        while !input.is_empty() {
            let step = connection.receive(input, out);
            match step.event {
                Some(Frame::RequestHead { stream, .. }) => {
                    // A stream that is gone is reported by an event of its own.
                    let _ = connection.send_head(stream, 200, fields_of(fields), body.is_empty(), out);
                    held.push((stream, body.len()));
                }
                Some(Frame::Reset { stream, .. }) => held.retain(|(known, _)| *known != stream),
                Some(Frame::Data { stream, range, .. }) => connection.consumed(stream, range.len(), out),
                _ => {}
            }
            input = &input[step.consumed..];
        }
        held.retain_mut(|(stream, left)| {
            let rest = &body[body.len() - *left..];
            let sent = connection.send_data(*stream, rest, true, out).unwrap_or(*left);
            *left -= sent;
            *left > 0
        });
        rt.release(lent);
    }

    /// Sends the frames of a turn.
    pub(crate) fn flush(&mut self, rt: &mut Ring) {
        for index in self.listed.drain(..) {
            if let Some(peer) = self.peers.get_mut(index) {
                peer.listed = false;
                let next = rt.take_buffer();
                rt.send(peer.socket, Chunk::Owned(std::mem::replace(&mut peer.out, next)));
            }
        }
    }

    fn list(&mut self, index: usize) {
        if !self.peers[index].listed {
            self.peers[index].listed = true;
            self.listed.push(index);
        }
    }
}
