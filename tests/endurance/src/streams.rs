//! A client of HTTP/2 with prior knowledge that does as a GOAWAY says (RFC 9113 section 6.8): it begins no further stream, waits
//! for those that are taken, and comes again on a new connection.
//!
//! h2load isn't of use where connections go away: it counts what it can't begin then as failed.

use codec::h2::{Connection, Event, Limits, call_of};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

/// Streams open at a time.
const STREAMS: usize = 8;

/// What a client counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Whole answers with status 200.
    pub(crate) answered: u64,
    /// Requests above the last stream that the node looked at: they are asked again.
    pub(crate) untouched: u64,
    /// Connections.
    pub(crate) connections: u64,
}

/// Asks for `path` without a pause until `done`. A request that is lost ends the scenario.
pub(crate) fn ask(address: SocketAddr, path: &str, done: &AtomicBool) -> Counts {
    let mut counts = Counts::default();
    while !done.load(Ordering::Acquire) {
        counts.connections += 1;
        Client::connect(address, path).run(&mut counts, done);
    }
    counts
}

struct Client {
    stream: TcpStream,
    connection: Connection,
    head: String,
    open: BTreeSet<u32>,
    /// The last stream that the node looks at, once it goes away.
    last: Option<u32>,
    out: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the node accepts");
        stream.set_read_timeout(Some(support::PATIENCE)).expect("sockets take timeouts");
        let mut connection = Connection::client(Limits::backend());
        let mut out = Vec::new();
        connection.start(&mut out);
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Client { stream, connection, head, open: BTreeSet::new(), last: None, out }
    }

    fn run(mut self, counts: &mut Counts, done: &AtomicBool) {
        let mut input = Vec::new();
        let mut piece = vec![0; 64 * 1024];
        loop {
            let goes_on = self.last.is_none() && !done.load(Ordering::Acquire);
            while goes_on && self.open.len() < STREAMS && self.connection.can_open() {
                let call = call_of(self.head.as_bytes()).expect("a head");
                self.open.insert(self.connection.open(call, "http", true, &mut self.out).expect("a stream"));
            }
            if self.open.is_empty() {
                return;
            }
            // A node that has gone away may have closed its end: what counts is what it answered.
            let sent = self.stream.write_all(&self.out);
            self.out.clear();
            let length = self.stream.read(&mut piece).unwrap_or(0);
            if length == 0 {
                let last = self.last.unwrap_or(u32::MAX);
                let untouched = self.open.iter().filter(|stream| **stream > last).count();
                assert_eq!(
                    untouched,
                    self.open.len(),
                    "requests are lost: {:?}, last {last}, {sent:?}",
                    self.open
                );
                counts.untouched += untouched as u64;
                return;
            }
            input.extend_from_slice(&piece[..length]);
            self.read(&mut input, counts);
        }
    }

    fn read(&mut self, input: &mut Vec<u8>, counts: &mut Counts) {
        let mut at = 0;
        while at < input.len() {
            let step = self.connection.receive(&input[at..], &mut self.out);
            at += step.consumed;
            let ended = match step.event {
                Some(Event::ResponseHead { stream, end_stream }) => {
                    let head = String::from_utf8_lossy(self.connection.head());
                    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                    end_stream.then_some(stream)
                }
                Some(Event::Data { stream, range, end_stream }) => {
                    self.connection.consumed(stream, range.len(), &mut self.out);
                    end_stream.then_some(stream)
                }
                Some(Event::GoAway { last, .. }) => {
                    self.last = Some(last);
                    let untouched = self.open.split_off(&last.saturating_add(1));
                    counts.untouched += untouched.len() as u64;
                    None
                }
                Some(event @ (Event::Reset { .. } | Event::ConnectionError { .. })) => panic!("{event:?}"),
                _ => None,
            };
            if let Some(stream) = ended {
                assert!(self.open.remove(&stream), "an answer to a request of this client");
                counts.answered += 1;
            }
            if step.consumed == 0 {
                break;
            }
        }
        input.drain(..at);
    }
}
