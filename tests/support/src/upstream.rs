//! A backend that answers as it is told and records every request, parsed and raw.

use crate::Message;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Requests that a test may leave unread.
const RECORDED_MAX: usize = 100_000;

/// What the backend does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes, and the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is closed.
    Last(Vec<u8>),
    /// Nothing, ever: the connection stays open.
    Hang,
    /// The connection is closed without a byte.
    Close,
}

impl Reply {
    /// A response with a length.
    #[must_use]
    pub fn with(status: u16, fields: &[(&str, &str)], body: &[u8]) -> Self {
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut bytes = format!("HTTP/1.1 {status} Status\r\n{fields}Content-Length: {}\r\n\r\n", body.len())
            .into_bytes();
        bytes.extend_from_slice(body);
        Reply::Bytes(bytes)
    }

    /// A plain text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::with(200, &[("Content-Type", "text/plain")], text.as_bytes())
    }
}

/// A running backend.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    requests: Receiver<Message>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Upstream {
    /// Answers every request by `reply`, one thread per connection.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn start(reply: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", reply)
    }

    /// The same at an address.
    ///
    /// # Panics
    /// It isn't free.
    #[must_use]
    pub fn start_at(
        address: impl std::net::ToSocketAddrs,
        reply: impl Fn(&Message) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (sender, requests) = sync_channel(RECORDED_MAX);
        let connections = Arc::new(AtomicUsize::new(0));
        let open = Arc::new(AtomicUsize::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let reply: Arc<dyn Fn(&Message) -> Reply + Send + Sync> = Arc::new(reply);
        let (all, live, ended) = (Arc::clone(&connections), Arc::clone(&open), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                all.fetch_add(1, Ordering::AcqRel);
                live.fetch_add(1, Ordering::AcqRel);
                let (reply, sender, live) = (Arc::clone(&reply), sender.clone(), Arc::clone(&live));
                std::thread::spawn(move || {
                    serve(stream, &*reply, &sender);
                    live.fetch_sub(1, Ordering::AcqRel);
                });
            }
        });
        Upstream { address, requests, connections, open, stopped }
    }

    /// A backend that answers everything with `ok`.
    #[must_use]
    pub fn plain() -> Self {
        Self::start(|_| Reply::text("ok"))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next recorded request.
    ///
    /// # Panics
    /// None comes in time.
    #[must_use]
    pub fn request(&self) -> Message {
        self.requests.recv_timeout(crate::PATIENCE).expect("a request reaches the upstream")
    }

    /// Requests recorded and not yet taken.
    #[must_use]
    pub fn recorded(&self) -> Vec<Message> {
        self.requests.try_iter().collect()
    }

    /// Connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Wakes the accept; if nobody accepts any more there is nothing to wake.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, reply: &dyn Fn(&Message) -> Reply, sender: &SyncSender<Message>) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    while let Ok(Some(request)) = Message::read_request(&mut input) {
        // Recorded before it is answered: a test may act while the answer is still being made.
        let _ = sender.try_send(request.clone());
        let answer = reply(&request);
        let (bytes, last) = match answer {
            Reply::Bytes(bytes) => (bytes, false),
            Reply::Last(bytes) => (bytes, true),
            Reply::Close => (Vec::new(), true),
            Reply::Hang => {
                // Ends when the gateway gives up.
                while matches!(input.read(&mut [0; 1024]), Ok(1..)) {}
                return;
            }
        };
        if out.write_all(&bytes).is_err() || last {
            return;
        }
    }
}
