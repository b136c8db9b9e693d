//! A client that says exactly the bytes a test wrote, and waits no longer than a test may.

use crate::{Message, PATIENCE};
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    /// Nobody listens there.
    #[must_use]
    pub fn connect(address: SocketAddr) -> Self {
        let stream =
            TcpStream::connect(address).unwrap_or_else(|error| panic!("connect to {address}: {error}"));
        stream.set_read_timeout(Some(PATIENCE)).expect("sockets take timeouts");
        stream.set_write_timeout(Some(PATIENCE)).expect("sockets take timeouts");
        stream.set_nodelay(true).expect("sockets take options");
        Client { stream: BufReader::new(stream) }
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// The peer closed.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_send(bytes).expect("the peer takes bytes");
        self
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The peer closed.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Reads the answer to a GET or the like.
    ///
    /// # Panics
    /// There is none in time.
    pub fn response(&mut self) -> Message {
        self.try_response("GET").expect("a response")
    }

    /// Reads the answer to a request of the given method.
    ///
    /// # Errors
    /// There is none in time.
    pub fn try_response(&mut self, method: &str) -> io::Result<Message> {
        Message::read_response(&mut self.stream, method)
    }

    /// Sends one request without a body and reads its answer. The connection stays open.
    pub fn ask(&mut self, method: &str, target: &str, host: &str) -> Message {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        self.try_response(method).expect("a response")
    }

    /// Says that no more bytes will come.
    ///
    /// # Panics
    /// The connection is gone.
    pub fn finish(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// Whether the peer closes without another byte.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0; 1]), Ok(0))
            || matches!(self.stream.read(&mut [0; 1]), Err(error) if error.kind() == io::ErrorKind::ConnectionReset)
    }

    /// Whether the peer has closed, without waiting for it.
    ///
    /// # Panics
    /// The socket takes no options.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let stream = self.stream.get_ref();
        stream.set_nonblocking(true).expect("sockets take options");
        let ended = match stream.peek(&mut [0; 1]) {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        stream.set_nonblocking(false).expect("sockets take options");
        ended
    }

    /// Everything until the peer closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset after the last byte is an end as well.
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }
}
