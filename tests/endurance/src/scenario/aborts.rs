//! Clients that leave in the middle: of a head, of a body, of waiting, of an answer. The call to the backend ends with
//! them, and nothing is left behind.

use super::{GROWTH_KIB_MAX, behind, node};
use crate::Setting;
use crate::backend::{Backend, reset_on_close};
use crate::process::{Holdings, nothing_leaked};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use support::{Node, eventually};

/// Clients that leave at the same time.
const LEAVERS: usize = 8;
/// What a client sends before it leaves, how much of the answer it waits for, and whether it leaves with a reset.
type Way = (&'static str, usize, bool);

const HEAD: &str = "GET /ok/1 HTTP/1.1\r\nHost: loc";
const BODY: &str = "POST /count/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\npart";
const CHUNK: &str =
    "POST /echo/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n40\r\npart";
const WAIT: &str = "GET /hang/1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
const ANSWER: &str = "GET /big/100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
const PIPELINE: &str = "GET /ok/1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hang/1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ok/1 HT";

/// A FIN while waiting is no loss by itself: such a client may still read. It is taken for gone after a while.
const WAYS: [Way; 10] = [
    (HEAD, 0, false),
    (HEAD, 0, true),
    (BODY, 0, false),
    (BODY, 0, true),
    (CHUNK, 20, true),
    (CHUNK, 20, false),
    (WAIT, 0, true),
    (ANSWER, 1_000, false),
    (ANSWER, 100_000, true),
    (PIPELINE, 20, true),
];

pub(crate) fn run(setting: Setting<'_>) -> String {
    let backend = Backend::start();
    let node = node(setting.runtime, &behind(&backend)).start();
    leave_all(&node, 3_000);
    eventually("no call is left after the first", || backend.open() == 0);
    let before = Holdings::of(&node);
    let rounds = if setting.full { 50_000 } else { 10_000 };
    leave_all(&node, rounds);
    eventually("no call is left", || backend.open() == 0);
    // Those that only finished sending, a few at the end: each holds its call until it is taken for gone.
    for _ in 0..50 {
        leave(node.address(), (WAIT, 0, false));
    }
    eventually("no call of a client that finished sending is left", || backend.open() == 0);
    format!("{} clients left, no call stayed; {}", rounds + 50, nothing_leaked(&node, before, GROWTH_KIB_MAX))
}

fn leave_all(node: &Node, rounds: usize) {
    std::thread::scope(|scope| {
        for leaver in 0..LEAVERS {
            let address = node.address();
            scope.spawn(move || {
                for round in (leaver..rounds).step_by(LEAVERS) {
                    leave(address, WAYS[(round / LEAVERS + leaver) % WAYS.len()]);
                }
            });
        }
    });
}

/// Leaves in one of the ways.
pub(super) fn leave_one(address: SocketAddr, number: usize) {
    leave(address, WAYS[number % WAYS.len()]);
}

fn leave(address: SocketAddr, (words, awaited, with_reset): Way) {
    let mut stream = TcpStream::connect(address).expect("the node accepts");
    stream.set_read_timeout(Some(support::PATIENCE)).expect("sockets take timeouts");
    stream.write_all(words.as_bytes()).expect("the node reads");
    let mut part = vec![0; awaited];
    stream.read_exact(&mut part).expect("the answer begins");
    if with_reset {
        reset_on_close(&stream);
    }
}
