//! A relay that parses as loosely as some servers do, to prove that the set notices: it takes bare LF for a line end,
//! believes the first length it finds, and copies heads as they came.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Starts the relay in threads that end with the test's process.
pub(super) fn start(backend: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || relay(client, backend));
        }
    });
    address
}

fn relay(mut client: TcpStream, backend: SocketAddr) {
    let quiet = Some(Duration::from_millis(15));
    let mut held = Vec::new();
    // Whatever fails here ends the exchange; the set looks at what each side saw.
    let _ = client.set_read_timeout(quiet);
    let mut buffer = [0; 65_536];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        held.extend_from_slice(&buffer[..read]);
    }
    while let Some(length) = message_length(&held) {
        let Ok(mut upstream) = TcpStream::connect(backend) else { return };
        let _ = upstream.set_read_timeout(quiet);
        let _ = upstream.write_all(&held[..length]);
        held.drain(..length);
        let mut answer = Vec::new();
        let _ = upstream.read_to_end(&mut answer);
        if answer.is_empty() {
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
        }
        let _ = client.write_all(&answer);
    }
}

/// Bytes of the first message: its head to the first empty line of any kind, and a body by the first length.
fn message_length(held: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(held).to_ascii_lowercase();
    let head = text.find("\r\n\r\n").map(|at| at + 4).or_else(|| text.find("\n\n").map(|at| at + 2))?;
    let length = text[..head].split("content-length").nth(1).map(|rest| {
        let digits: String =
            rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    });
    let rest = if text[..head].contains("chunked") { held.len() - head } else { 0 };
    Some((head + length.unwrap_or(rest)).min(held.len()))
}
