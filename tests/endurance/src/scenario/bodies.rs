//! A body of 1 GiB, both ways at once, doesn't show in the node's memory; nor does a client that doesn't read.

use super::{behind, node};
use crate::Setting;
use crate::backend::Backend;
use crate::process::{Holdings, forget_peak, nothing_leaked, peak_kib};
use crate::stream::{Head, Pattern, read_body};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const MIB: u64 = 1024 * 1024;
/// What streaming may cost, whatever the body's size: the shard's receive buffers (16 MiB at most), and what the kernel
/// had taken in on both connections before reception paused.
const GROWTH_KIB_MAX: u64 = 64 * 1024;

pub(crate) fn run(setting: Setting<'_>) -> String {
    let backend = Backend::start();
    let node = node(setting.runtime, &behind(&backend)).start();
    let size = if setting.full { 1024 * MIB } else { 256 * MIB };
    let before = Holdings::of(&node);
    let mut told = Vec::new();
    for (name, chunked) in [("with a length", false), ("in chunks", true)] {
        forget_peak(&node);
        echo(node.address(), size, chunked);
        let growth = peak_kib(&node).saturating_sub(before.rss_kib);
        assert!(growth < GROWTH_KIB_MAX, "{} MiB {name} took {growth} KiB of memory", size / MIB);
        told.push(format!("{} MiB both ways {name}, peak +{growth} KiB", size / MIB));
    }
    forget_peak(&node);
    unread(node.address(), size);
    let growth = peak_kib(&node).saturating_sub(before.rss_kib);
    assert!(growth < GROWTH_KIB_MAX, "an answer that nobody read took {growth} KiB of memory");
    told.push(format!("unread answer, peak +{growth} KiB"));
    told.push(nothing_leaked(&node, before, GROWTH_KIB_MAX));
    told.join("; ")
}

/// Sends a body and reads it back at the same time.
pub(super) fn echo(address: SocketAddr, size: u64, chunked: bool) {
    let stream = TcpStream::connect(address).expect("the node accepts");
    stream.set_read_timeout(Some(support::PATIENCE)).expect("sockets take timeouts");
    let mut writer = stream.try_clone().expect("sockets are cloned");
    let pattern = Pattern::new();
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            let framing = match chunked {
                true => "Transfer-Encoding: chunked".to_owned(),
                false => format!("Content-Length: {size}"),
            };
            write!(
                writer,
                "POST /echo/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}\r\n\r\n"
            )?;
            if chunked {
                // Chunks of a size that no buffer has.
                let mut body = Chunks { out: &mut writer };
                Pattern::new().write(&mut body, size)?;
                return writer.write_all(b"0\r\n\r\n");
            }
            Pattern::new().write(&mut writer, size)
        });
        let mut reader = BufReader::with_capacity(64 * 1024, &stream);
        let head = Head::read(&mut reader).expect("an answer").expect("an answer");
        assert_eq!(head.word(1), "200", "{}", head.start);
        let mut at = 0;
        let length = read_body(&mut reader, head.framing(), |piece| {
            assert!(pattern.has(at, piece), "the body is changed near byte {at}");
            at += piece.len() as u64;
            Ok(())
        });
        assert_eq!(length.expect("the whole body comes back"), size);
        sender.join().expect("the sender ends").expect("the node takes the whole body");
    });
}

/// Frames every write as a chunk.
struct Chunks<'a> {
    out: &'a mut TcpStream,
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let len = bytes.len().min(10_007);
        write!(self.out, "{len:x}\r\n")?;
        self.out.write_all(&bytes[..len])?;
        self.out.write_all(b"\r\n")?;
        Ok(len)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Asks for a large body and reads none of it for a while, then all.
fn unread(address: SocketAddr, size: u64) {
    let mut stream = TcpStream::connect(address).expect("the node accepts");
    stream.set_read_timeout(Some(support::PATIENCE)).expect("sockets take timeouts");
    write!(stream, "GET /big/{size} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
    std::thread::sleep(Duration::from_millis(700));
    let mut reader = BufReader::with_capacity(64 * 1024, &stream);
    let head = Head::read(&mut reader).expect("an answer").expect("an answer");
    let length = read_body(&mut reader, head.framing(), |_| Ok(()));
    assert_eq!(length.expect("the whole body comes"), size);
}
