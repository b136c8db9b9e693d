//! A backend that does what the path says: answer, stream, be slow, hang, close, reset. One thread per connection.

use crate::stream::{Framing, Head, Pattern, read_body};
use rustix::net::sockopt::set_socket_linger;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A running backend.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    open: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Backend {
    pub(crate) fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"))
    }

    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (open, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (live, ended) = (Arc::clone(&open), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                let live = Arc::clone(&live);
                live.fetch_add(1, Ordering::AcqRel);
                std::thread::spawn(move || {
                    // The peer may go away at any time; that is what is tested.
                    let _ = serve(&stream);
                    drop(stream);
                    live.fetch_sub(1, Ordering::AcqRel);
                });
            }
        });
        Backend { address, open, stopped }
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Wakes the accept.
        let _ = TcpStream::connect(self.address);
    }
}

/// Makes the close of this connection a reset (socket(7), `SO_LINGER`).
pub(crate) fn reset_on_close(stream: &TcpStream) {
    set_socket_linger(stream, Some(Duration::ZERO)).expect("sockets take options");
}

fn serve(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::with_capacity(64 * 1024, stream);
    while let Some(head) = Head::read(&mut input)? {
        if !answer(&head, &mut input, stream)? {
            break;
        }
    }
    Ok(())
}

/// Answers one request; false when the connection is to be closed.
fn answer(head: &Head, input: &mut BufReader<&TcpStream>, stream: &TcpStream) -> io::Result<bool> {
    let mut out = stream;
    let (path, number) = head.word(1).rsplit_once('/').unwrap_or_default();
    let number: u64 = number.parse().unwrap_or_default();
    match path {
        "/ok" => plain(head, input, out).map(|()| true),
        "/slow" => {
            std::thread::sleep(Duration::from_millis(number));
            plain(head, input, out).map(|()| true)
        }
        "/once" => plain(head, input, out).map(|()| false),
        "/once_reset" => {
            plain(head, input, out)?;
            // The answer must be read before the reset overtakes it.
            std::thread::sleep(Duration::from_millis(2));
            reset_on_close(stream);
            Ok(false)
        }
        "/echo" => echo(head, input, out).map(|()| true),
        "/count" => {
            let total = read_body(input, head.framing(), |_| Ok(()))?;
            respond(out, "200 OK", total.to_string().as_bytes()).map(|()| true)
        }
        "/big" => big(head, out, number).map(|()| true),
        "/hang" | "/hang_briefly" => {
            // Ends when the gateway gives up.
            while matches!(input.read(&mut [0; 1024]), Ok(1..)) {}
            Ok(false)
        }
        "/close" => Ok(false),
        "/half" => {
            out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")?;
            Ok(false)
        }
        "/half_reset" => {
            out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")?;
            // Long enough for the head to be on its way to the client.
            std::thread::sleep(Duration::from_millis(2));
            reset_on_close(stream);
            Ok(false)
        }
        "/reset" => {
            reset_on_close(stream);
            Ok(false)
        }
        _ => {
            out.write_all(b"what?\r\n\r\n")?;
            Ok(false)
        }
    }
}

fn plain(head: &Head, input: &mut BufReader<&TcpStream>, out: &TcpStream) -> io::Result<()> {
    read_body(input, head.framing(), |_| Ok(()))?;
    respond(out, "200 OK", b"ok")
}

fn respond(mut out: &TcpStream, status: &str, body: &[u8]) -> io::Result<()> {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    out.write_all(&[head.as_bytes(), body].concat())
}

/// Sends the body back while it comes, framed as it came.
fn echo(head: &Head, input: &mut BufReader<&TcpStream>, mut out: &TcpStream) -> io::Result<()> {
    let framing = head.framing();
    match framing {
        Framing::Length(length) => {
            write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")?;
            read_body(input, framing, |piece| out.write_all(piece))?;
        }
        Framing::Chunked => {
            out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            read_body(input, framing, |piece| {
                write!(out, "{:x}\r\n", piece.len())?;
                out.write_all(piece)?;
                out.write_all(b"\r\n")
            })?;
            out.write_all(b"0\r\n\r\n")?;
        }
    }
    Ok(())
}

/// `length` bytes, or the range of them that is asked for (RFC 9110 §14).
fn big(head: &Head, mut out: &TcpStream, length: u64) -> io::Result<()> {
    let range = head.field("range").and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
    let range = range.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last): (u64, u64) = range.unwrap_or((0, length - 1));
    let status = match range {
        Some(_) => format!("206 Partial Content\r\nContent-Range: bytes {first}-{last}/{length}"),
        None => "200 OK".to_owned(),
    };
    let size = last - first + 1;
    write!(out, "HTTP/1.1 {status}\r\nAccept-Ranges: bytes\r\nContent-Length: {size}\r\n\r\n")?;
    if head.word(0) == "HEAD" {
        return Ok(());
    }
    match range {
        Some(_) => {
            let mut all = Vec::new();
            Pattern::new().write(&mut all, last + 1)?;
            out.write_all(&all[usize::try_from(first).unwrap_or(usize::MAX)..])
        }
        None => Pattern::new().write(&mut out, length),
    }
}
