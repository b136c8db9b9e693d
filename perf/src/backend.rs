//! A backend that costs next to nothing: each request head gets the same bytes.

use std::io;
use std::sync::Arc;

use clap::Args;
use shard::rt::ring::{Ring, Shape};
use shard::rt::{Address, Chunk, Event, Lent, Runtime, SocketKey};

use crate::{backend_h2, target};

/// Answer requests.
#[derive(Args, Debug)]
pub(crate) struct Backend {
    /// Where to listen.
    #[arg(long, value_parser = target::parse)]
    listen: Address,
    /// Where to listen for HTTP/2 with prior knowledge, besides.
    #[arg(long, value_parser = target::parse)]
    listen_h2: Option<Address>,
    /// Bytes of each answer's body.
    #[arg(long, default_value_t = 1024)]
    body_bytes: usize,
}

/// Owners of HTTP/2 connections have this bit.
const H2: u32 = 1 << 29;

/// Runs until killed.
pub(crate) fn run(backend: &Backend) -> io::Result<()> {
    let mut rt = Ring::new(Shape::default())?;
    let plain = rt.listen(target::listen(&backend.listen)?, false)?;
    if let Some(address) = &backend.listen_h2 {
        rt.listen(target::listen(address)?, false)?;
    }
    let mut answerer = Answerer::new(backend.body_bytes);
    let mut multiplexed = backend_h2::Answerer::new(backend.body_bytes);
    let mut events = Vec::new();
    loop {
        rt.turn(None, &mut events)?;
        for event in events.drain(..) {
            match event {
                Event::Accepted { listener, socket } if listener != plain => {
                    multiplexed.accept(&mut rt, socket, H2);
                }
                Event::Received { socket, owner, lent } if owner & H2 != 0 => {
                    multiplexed.receive(&mut rt, socket, (owner & !H2) as usize, lent);
                }
                Event::Ended { socket, owner } | Event::Failed { socket, owner, .. } if owner & H2 != 0 => {
                    multiplexed.close(&mut rt, socket, (owner & !H2) as usize);
                }
                event => answerer.on_event(&mut rt, event),
            }
        }
        multiplexed.flush(&mut rt);
    }
}

/// Answers on every socket it is given.
pub(crate) struct Answerer {
    answer: Arc<[u8]>,
    /// Bytes of `\r\n\r\n` seen at the end of what a socket sent so far, by socket owner.
    matched: Vec<u8>,
}

impl Answerer {
    pub(crate) fn new(body_bytes: usize) -> Self {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {body_bytes}\r\n\r\n"
        );
        let answer = [head.into_bytes(), vec![b'x'; body_bytes]].concat();
        Answerer { answer: answer.into(), matched: Vec::new() }
    }

    /// Takes a connection on; its owner number counts from zero.
    pub(crate) fn accept(&mut self, rt: &mut Ring, socket: SocketKey, owner: u32) {
        let place = (owner & 0x3fff_ffff) as usize;
        if self.matched.len() <= place {
            self.matched.resize(place + 1, 0);
        }
        self.matched[place] = 0;
        rt.own(socket, owner);
        rt.receive(socket);
    }

    fn on_event(&mut self, rt: &mut Ring, event: Event) {
        match event {
            Event::Accepted { socket, .. } => {
                let owner = u32::try_from(self.matched.len()).unwrap_or(0);
                self.accept(rt, socket, owner);
            }
            Event::Received { socket, owner, lent } => self.receive(rt, socket, owner, lent),
            Event::Ended { socket, .. } | Event::Failed { socket, .. } => rt.close(socket),
            Event::Sent { .. } | Event::Connected { .. } => {}
        }
    }

    /// Answers every head that ends in these bytes. Requests have no body.
    pub(crate) fn receive(&mut self, rt: &mut Ring, socket: SocketKey, owner: u32, lent: Lent) {
        let place = (owner & 0x3fff_ffff) as usize;
        let mut heads = 0;
        let bytes = rt.bytes(&lent);
        if self.matched[place] == 0 && bytes.ends_with(b"\r\n\r\n") && bytes.len() < 2048 {
            // The usual case: one whole head.
            heads = bytes.windows(4).filter(|window| *window == b"\r\n\r\n").count();
        } else {
            for &byte in bytes {
                self.matched[place] = match (self.matched[place], byte) {
                    (0 | 2, b'\r') | (1 | 3, b'\n') => self.matched[place] + 1,
                    (_, b'\r') => 1,
                    _ => 0,
                };
                if self.matched[place] == 4 {
                    self.matched[place] = 0;
                    heads += 1;
                }
            }
        }
        rt.release(lent);
        for _ in 0..heads {
            rt.send(socket, Chunk::Shared(Arc::clone(&self.answer)));
        }
    }
}
