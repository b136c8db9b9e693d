//! The load: closed loop (each connection asks again when it is answered), open loop (a fixed rate, latencies counted
//! from when a request was due), or a connection for each request. Every answer's status and length is checked.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use clap::Args;
use codec::h1::{HeadLimits, Progress, ResponseHead};
use hdrhistogram::Histogram;
use shard::rt::ring::{Ring, Shape};
use shard::rt::{Address, Chunk, Event, Lent, Runtime, SocketKey};
use slab::Slab;

use crate::backend::Answerer;
use crate::target;

/// Owners of backend connections have this bit.
const BACKEND: u32 = 1 << 30;
/// Connections being opened at once, so that no backlog overflows.
const OPENING_MAX: usize = 64;
/// Requests in flight may take this long after the end.
const TAIL_NS: u64 = 2_000_000_000;

/// Send requests.
#[derive(Args, Debug)]
pub(crate) struct Load {
    /// The proxy.
    #[arg(long, value_parser = target::parse)]
    target: Address,
    /// Request target; `{n}` becomes a number that changes with each request.
    #[arg(long, default_value = "/")]
    path: String,
    /// Host field.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Requests a second in all (open loop); without it connections ask as fast as they are answered.
    #[arg(long)]
    rate: Option<f64>,
    /// Requests in flight at most, taking connections in turn: the others are idle.
    #[arg(long)]
    active: Option<usize>,
    /// A connection for each request.
    #[arg(long)]
    close: bool,
    /// Also be the backend, here.
    #[arg(long, value_parser = target::parse)]
    backend: Option<Address>,
    /// Bytes of each answer's body, expected and (as backend) sent.
    #[arg(long, default_value_t = 1024)]
    body_bytes: usize,
    /// Status that counts as good.
    #[arg(long, default_value_t = 200)]
    status: u16,
    /// After the load, keep the connections open and idle until standard input ends.
    #[arg(long)]
    hold: bool,
}

struct Connection {
    socket: SocketKey,
    head: ResponseHead,
    /// Bytes of a head that came in pieces.
    carry: Vec<u8>,
    body_left: Option<u64>,
    due_ns: u64,
    busy: bool,
    connected: bool,
    /// Requests answered.
    answered: u64,
}

struct Loader<'a> {
    load: &'a Load,
    rt: Ring,
    answerer: Answerer,
    backend_connections: u32,
    connections: Slab<Connection>,
    request: Arc<[u8]>,
    latencies: Histogram<u64>,
    good: u64,
    bad: u64,
    errors: u64,
    idle: VecDeque<usize>,
    due: VecDeque<u64>,
    in_flight: usize,
    opening: usize,
    end_ns: u64,
    stopping: bool,
}

/// Runs the load and prints one line of JSON.
pub(crate) fn run(load: &Load) -> io::Result<()> {
    let mut rt = Ring::new(Shape::default())?;
    if let Some(address) = &load.backend {
        rt.listen(target::listen(address)?, false)?;
    }
    let connection = if load.close { "Connection: close\r\n" } else { "" };
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: load\r\nAccept: */*\r\n{connection}\r\n",
        load.path, load.host
    );
    let mut loader = Loader {
        load,
        rt,
        answerer: Answerer::new(load.body_bytes),
        backend_connections: 0,
        connections: Slab::new(),
        request: request.into_bytes().into(),
        latencies: Histogram::new_with_bounds(1, 60_000_000_000, 3).map_err(io::Error::other)?,
        good: 0,
        bad: 0,
        errors: 0,
        idle: VecDeque::new(),
        due: VecDeque::new(),
        in_flight: 0,
        opening: 0,
        end_ns: 0,
        stopping: false,
    };
    loader.run()
}

impl Loader<'_> {
    fn run(&mut self) -> io::Result<()> {
        let mut events = Vec::new();
        let began_ns = self.rt.now_ns();
        self.end_ns = began_ns + (self.load.seconds * 1e9) as u64;
        let mut next_ns = began_ns;
        let mut opened = 0;
        loop {
            let now_ns = self.rt.now_ns();
            self.stopping |= now_ns >= self.end_ns;
            let in_flight = self.connections.iter().any(|(_, connection)| connection.busy);
            if self.stopping && (!in_flight || now_ns > self.end_ns + TAIL_NS) {
                break;
            }
            let wanted = if self.stopping { 0 } else { self.load.connections };
            while opened < wanted && self.opening < OPENING_MAX {
                self.open()?;
                opened += 1;
            }
            let mut timeout_ns = 10_000_000;
            if let Some(rate) = self.load.rate {
                while !self.stopping && next_ns <= now_ns {
                    self.due.push_back(next_ns);
                    next_ns += (1e9 / rate) as u64;
                }
                self.ask_due();
                timeout_ns = timeout_ns.min(next_ns.saturating_sub(now_ns));
            }
            self.rt.turn(Some(timeout_ns), &mut events)?;
            for event in events.drain(..) {
                self.on_event(event)?;
            }
        }
        let seconds = (self.rt.now_ns() - began_ns) as f64 / 1e9;
        self.report(seconds.min(self.load.seconds));
        if self.load.hold { self.hold() } else { Ok(()) }
    }

    fn report(&self, seconds: f64) {
        let fewest = self.connections.iter().map(|(_, connection)| connection.answered).min().unwrap_or(0);
        let us = |quantile| self.latencies.value_at_quantile(quantile) as f64 / 1e3;
        println!(
            "{{\"requests\":{},\"bad\":{},\"errors\":{},\"seconds\":{seconds:.3},\"rps\":{:.0},\"p50_us\":{:.1},\
             \"p99_us\":{:.1},\"p999_us\":{:.1},\"connections\":{},\"fewest\":{fewest}}}",
            self.good,
            self.bad,
            self.errors,
            self.good as f64 / seconds,
            us(0.5),
            us(0.99),
            us(0.999),
            self.connections.len(),
        );
    }

    /// Serves what is open until standard input ends.
    fn hold(&mut self) -> io::Result<()> {
        let (near, far) = std::os::unix::net::UnixStream::pair()?;
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            drop(far);
        });
        let wake = self.rt.adopt(near.into(), u32::MAX);
        self.rt.receive(wake);
        let mut events = Vec::new();
        loop {
            self.rt.turn(None, &mut events)?;
            for event in events.drain(..) {
                if matches!(&event, Event::Ended { socket, .. } if *socket == wake) {
                    return Ok(());
                }
                self.on_event(event)?;
            }
        }
    }

    fn open(&mut self) -> io::Result<()> {
        let entry = self.connections.vacant_entry();
        let owner = u32::try_from(entry.key()).unwrap_or(0);
        let socket = self.rt.connect(&self.load.target, owner)?;
        self.opening += 1;
        entry.insert(Connection {
            socket,
            head: ResponseHead::default(),
            carry: Vec::new(),
            body_left: None,
            due_ns: 0,
            busy: false,
            connected: false,
            answered: 0,
        });
        Ok(())
    }

    fn ask(&mut self, index: usize, due_ns: u64) {
        let connection = &mut self.connections[index];
        connection.busy = true;
        self.in_flight += 1;
        connection.due_ns = due_ns;
        let socket = connection.socket;
        self.rt.send(socket, Chunk::Shared(Arc::clone(&self.request)));
    }

    fn ask_due(&mut self) {
        while !self.due.is_empty() && !self.idle.is_empty() {
            let (Some(due_ns), Some(index)) = (self.due.pop_front(), self.idle.pop_front()) else { return };
            if self.connections.get(index).is_some_and(|connection| !connection.busy) {
                self.ask(index, due_ns);
            }
        }
    }

    fn on_event(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Accepted { socket, .. } => {
                let owner = BACKEND | self.backend_connections;
                self.backend_connections += 1;
                self.answerer.accept(&mut self.rt, socket, owner);
            }
            Event::Received { socket, owner, lent } if owner & BACKEND != 0 => {
                self.answerer.receive(&mut self.rt, socket, owner, lent);
            }
            Event::Ended { socket, owner } | Event::Failed { socket, owner, .. } if owner & BACKEND != 0 => {
                self.rt.close(socket);
            }
            Event::Connected { socket, owner, error } => {
                if error != 0 {
                    return Err(io::Error::from_raw_os_error(error));
                }
                self.rt.receive(socket);
                self.opening -= 1;
                let index = owner as usize;
                self.connections[index].connected = true;
                self.next(index);
            }
            Event::Received { socket, owner, lent } => self.receive(socket, owner as usize, lent)?,
            Event::Ended { socket, owner } | Event::Failed { socket, owner, .. } => {
                self.lost(socket, owner as usize)?;
            }
            Event::Sent { .. } => {}
        }
        Ok(())
    }

    /// What a free connection does next.
    fn next(&mut self, index: usize) {
        if self.stopping {
            return;
        }
        if self.load.rate.is_some() {
            self.idle.push_back(index);
            self.ask_due();
        } else if let Some(active) = self.load.active {
            self.idle.push_back(index);
            // Whoever has waited longest is next. Until all are there, they only gather.
            while self.in_flight < active
                && self.idle.len() + self.in_flight == self.load.connections.min(self.connections.len())
                && let Some(next) = self.idle.pop_front()
            {
                self.ask(next, self.rt.now_ns());
            }
        } else {
            self.ask(index, self.rt.now_ns());
        }
    }

    fn receive(&mut self, socket: SocketKey, index: usize, lent: Lent) -> io::Result<()> {
        let Some(connection) =
            self.connections.get_mut(index).filter(|connection| connection.socket == socket)
        else {
            self.rt.release(lent);
            return Ok(());
        };
        let mut taken = 0;
        if connection.body_left.is_none() {
            let bytes = self.rt.bytes(&lent);
            let before = connection.carry.len();
            let input = if before == 0 {
                bytes
            } else {
                connection.carry.extend_from_slice(bytes);
                &connection.carry
            };
            match connection.head.parse(input, &HeadLimits::backend()) {
                Ok(Progress::Complete { consumed }) => {
                    taken = consumed - before;
                    connection.carry.clear();
                    connection.body_left = Some(connection.head.content_length().unwrap_or(u64::MAX));
                }
                Ok(Progress::Partial) => {
                    if before == 0 {
                        connection.carry.extend_from_slice(bytes);
                    }
                    self.rt.release(lent);
                    return Ok(());
                }
                Err(error) => return Err(io::Error::other(format!("a bad answer: {error:?}"))),
            }
        }
        let body = (lent.len() - taken) as u64;
        self.rt.release(lent);
        let left = connection.body_left.unwrap_or(0).saturating_sub(body);
        connection.body_left = Some(left);
        if left == 0 {
            self.answered(index);
        }
        Ok(())
    }

    fn answered(&mut self, index: usize) {
        let now_ns = self.rt.now_ns();
        let connection = &mut self.connections[index];
        let good = connection.head.status() == self.load.status
            && connection.head.content_length() == Some(self.load.body_bytes as u64);
        let latency_ns = now_ns.saturating_sub(connection.due_ns).max(1);
        connection.head.clear();
        connection.body_left = None;
        connection.busy = false;
        connection.answered += 1;
        self.in_flight -= 1;
        if good {
            self.good += 1;
            // Out of the histogram's bounds is a minute and more; the count above still has it.
            let _ = self.latencies.record(latency_ns);
        } else {
            self.bad += 1;
        }
        if !self.load.close {
            self.next(index);
        }
    }

    fn lost(&mut self, socket: SocketKey, index: usize) -> io::Result<()> {
        let known = self.connections.get(index).is_some_and(|connection| connection.socket == socket);
        if !known {
            return Ok(());
        }
        let connection = self.connections.remove(index);
        self.rt.close(socket);
        if connection.busy {
            self.errors += 1;
            self.in_flight -= 1;
        }
        if self.stopping { Ok(()) } else { self.open() }
    }
}
