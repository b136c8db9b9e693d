//! Floods of every kind, each followed by rest: memory comes back to what it was before the first of them.

use super::{behind, node};
use crate::Setting;
use crate::backend::Backend;
use crate::process::Holdings;
use crate::wrk::Wrk;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use support::Node;

/// What a flood has until its memory must be back.
const REST: Duration = Duration::from_secs(20);
/// Five in a hundred, and three MiB at least: five in a hundred of an idle node are less than a handful of the
/// allocator's pages, of which it fills one per size of block and thread.
const GROWTH_PERCENT: u64 = 5;
const GROWTH_KIB: u64 = 3 * 1024;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// GET of a path that isn't there, as a field block.
const BLOCK: &[u8] = b"\x82\x86\x04\x02/m\x01\x01x";

type Flood = (&'static str, fn(SocketAddr));

const FLOODS: [Flood; 8] = [
    ("connections", connections),
    ("slow bodies", slow_bodies),
    ("slow reads", slow_reads),
    ("heads", heads),
    ("rapid resets", |address| frames(address, &reset_round())),
    ("SETTINGS", |address| frames(address, &frame(4, 0, 0, b"\0\x04\0\x01\0\0").repeat(16))),
    ("PING", |address| frames(address, &frame(6, 0, 0, b"12345678").repeat(64))),
    ("CONTINUATION", continuation),
];

pub(crate) fn run(setting: Setting<'_>) -> String {
    // Both ends of two thousand connections, and the node's to its backend; the node inherits it.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("up to the hard limit");
    let backend = Backend::start();
    let node = node(setting.runtime, &behind(&backend)).start();
    let url = format!("http://{}/ok/1", node.address());
    assert!(Wrk::start(&url, 3).finish().requests > 0, "ordinary load");
    std::thread::sleep(REST);
    let before = Holdings::of(&node).rss_kib;
    let allowed = before + GROWTH_KIB.max(before * GROWTH_PERCENT / 100);
    let mut told = format!("{before} KiB before");
    for (name, flood) in FLOODS {
        flood(node.address());
        let (peak, after) = rested(&node, allowed);
        // Writing to a string doesn't fail.
        let _ = write!(told, "; {name} {peak} -> {after}");
        assert!(after <= allowed, "{}: {told}, {allowed} are allowed", setting.runtime);
    }
    told
}

/// Memory at the end of a flood, and once it is back or has had its time.
fn rested(node: &Node, allowed: u64) -> (u64, u64) {
    let (start, peak) = (Instant::now(), Holdings::of(node).rss_kib);
    loop {
        std::thread::sleep(Duration::from_millis(250));
        let now = Holdings::of(node).rss_kib;
        if now <= allowed || start.elapsed() > REST {
            return (peak, now);
        }
    }
}

fn open(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let connect = |_| TcpStream::connect(address).expect("the node accepts");
    (0..count).map(connect).collect()
}

fn say(streams: &mut [TcpStream], bytes: &[u8]) {
    // Who is told off in the middle of a flood has been answered.
    streams.iter_mut().for_each(|stream| drop(stream.write_all(bytes)));
}

fn hear(streams: &mut [TcpStream], bytes_max: usize) {
    let mut block = vec![0; bytes_max];
    streams.iter_mut().for_each(|stream| drop(stream.read(&mut block)));
}

fn connections(address: SocketAddr) {
    let mut streams = open(address, 2_000);
    for _ in 0..3 {
        say(&mut streams, b"GET /ok/1 HTTP/1.1\r\nHost: x\r\n\r\n");
        hear(&mut streams, 4_096);
    }
}

fn slow_bodies(address: SocketAddr) {
    let mut streams = open(address, 1_000);
    say(&mut streams, b"POST /count/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    for _ in 0..10 {
        say(&mut streams, &[b'x'; 200]);
    }
}

fn slow_reads(address: SocketAddr) {
    let mut streams = open(address, 200);
    say(&mut streams, b"GET /big/100000000 HTTP/1.1\r\nHost: x\r\n\r\n");
    for _ in 0..10 {
        hear(&mut streams, 512);
    }
}

fn heads(address: SocketAddr) {
    let fields: String = (0..200).map(|number| format!("x-h{number}: {}\r\n", "v".repeat(30))).collect();
    for _ in 0..4 {
        let mut streams = open(address, 500);
        say(&mut streams, format!("GET /ok/1 HTTP/1.1\r\nHost: x\r\n{fields}").as_bytes());
        // Half of them end their heads.
        say(&mut streams[..250], b"\r\n");
        hear(&mut streams[..250], 4_096);
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![len[1], len[2], len[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn reset_round() -> Vec<u8> {
    let round = |number: u32| {
        let stream = 2 * number + 1;
        [frame(1, 5, stream, BLOCK), frame(3, 0, stream, &[0, 0, 0, 8])].concat()
    };
    (0..400).flat_map(round).collect()
}

/// The same frames on many connections, until each is told to go.
fn frames(address: SocketAddr, bytes: &[u8]) {
    let mut streams = open(address, 200);
    say(&mut streams, PREFACE);
    say(&mut streams, bytes);
    hear(&mut streams, 4_096);
    say(&mut streams, bytes);
}

fn continuation(address: SocketAddr) {
    let mut streams = open(address, 200);
    say(&mut streams, PREFACE);
    say(&mut streams, &frame(1, 1, 1, BLOCK));
    for _ in 0..20 {
        say(&mut streams, &frame(9, 0, 1, &[0x40; 6_000]));
    }
    hear(&mut streams, 4_096);
}
