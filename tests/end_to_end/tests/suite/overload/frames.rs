//! A client of HTTP/2 in a few frames.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use support::PATIENCE;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const GOAWAY: u8 = 7;

pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) struct H2(TcpStream);

impl H2 {
    /// Connects and says hello.
    pub(super) fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("sends");
        // SETTINGS without values, and the answer to theirs.
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0]).expect("sends");
        H2(stream)
    }

    /// Asks for `path` on a stream.
    pub(super) fn get(&mut self, stream: u8, path: &str) {
        // :method GET and :scheme http by index; :path and :authority as literals (RFC 7541 section 6.2.2).
        let mut block = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).expect("short")];
        block.extend_from_slice(path.as_bytes());
        block.extend_from_slice(&[0x01, 1, b'x']);
        let mut frame = vec![0, 0, u8::try_from(block.len()).expect("short"), HEADERS, 0x5, 0, 0, 0, stream];
        frame.append(&mut block);
        self.0.write_all(&frame).expect("sends");
    }

    /// The next frame; nothing at the end of the connection.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        match self.0.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return None;
            }
            Err(error) => panic!("no frame: {error}"),
        }
        let mut payload = vec![0; usize::from(head[1]) * 256 + usize::from(head[2])];
        self.0.read_exact(&mut payload).expect("a whole frame");
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of a kind.
    pub(super) fn next(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.frame().expect("the connection goes on");
            if frame.kind == kind {
                return frame;
            }
        }
    }
}
