//! A name server that answers as it is told, by UDP and TCP on one port, and counts what it is asked.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the server says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// These addresses, each family to its own question, for so many seconds. A family without one is no error.
    Addresses(Vec<IpAddr>, u32),
    /// The same, by TCP alone: by UDP the answer is truncated.
    Long(Vec<IpAddr>, u32),
    /// There is no such name, for so many seconds (the minimum of the SOA record).
    NoSuchName(u32),
    /// SERVFAIL.
    Failure,
    /// Nothing: the server is out of order.
    Silence,
}

#[derive(Default)]
struct Script {
    names: HashMap<String, Says>,
    questions: HashMap<String, usize>,
    by_tcp: usize,
}

/// A running name server.
pub struct NameServer {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    stopped: Arc<AtomicBool>,
}

impl NameServer {
    /// Starts on a free port of loopback. It knows no name yet.
    ///
    /// # Panics
    /// No port is free for both protocols.
    #[must_use]
    pub fn start() -> Self {
        let both = (0..100).find_map(|_| {
            // Ports of TCP are the rarer ones.
            let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
            UdpSocket::bind(tcp.local_addr().ok()?).ok().map(|udp| (tcp, udp))
        });
        let (tcp, udp) = both.expect("a port that is free for both");
        let address = udp.local_addr().expect("a bound socket has an address");
        let (script, stopped) = (Arc::<Mutex<Script>>::default(), Arc::<AtomicBool>::default());
        udp.set_read_timeout(Some(Duration::from_millis(50))).expect("sockets take timeouts");
        let (told, ended) = (Arc::clone(&script), Arc::clone(&stopped));
        std::thread::spawn(move || {
            let mut question = [0; 2048];
            while !ended.load(Ordering::Acquire) {
                let Ok((length, asker)) = udp.recv_from(&mut question) else { continue };
                if let Some(answer) = answer(&mut lock(&told), &question[..length], false) {
                    // Who doesn't listen any more has given up.
                    let _ = udp.send_to(&answer, asker);
                }
            }
        });
        let (told, ended) = (Arc::clone(&script), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                let told = Arc::clone(&told);
                std::thread::spawn(move || serve(stream, &told));
            }
        });
        NameServer { address, script, stopped }
    }

    /// Where it is asked, by either protocol.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says this of a name from now on.
    pub fn say(&self, name: &str, says: Says) {
        lock(&self.script).names.insert(name.to_owned(), says);
    }

    /// How often a name was asked for, each family counted.
    #[must_use]
    pub fn questions(&self, name: &str) -> usize {
        lock(&self.script).questions.get(name).copied().unwrap_or(0)
    }

    /// Questions that came by TCP.
    #[must_use]
    pub fn by_tcp(&self) -> usize {
        lock(&self.script).by_tcp
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Wakes the accept; if nobody accepts any more there is nothing to wake.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Messages by TCP have their length in front (RFC 1035 section 4.2.2).
fn serve(mut stream: TcpStream, script: &Mutex<Script>) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut question).is_err() {
            return;
        }
        let Some(answer) = answer(&mut lock(script), &question, true) else { continue };
        let length = u16::try_from(answer.len()).expect("answers are short");
        if stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).is_err() {
            return;
        }
    }
}

/// The answer to a message with one question (RFC 1035 section 4.1).
fn answer(script: &mut Script, message: &[u8], by_tcp: bool) -> Option<Vec<u8>> {
    let (name, end) = name_at(message, 12)?;
    let kind = u16::from_be_bytes([*message.get(end)?, *message.get(end + 1)?]);
    *script.questions.entry(name.clone()).or_default() += 1;
    script.by_tcp += usize::from(by_tcp);
    let says = script.names.get(&name).cloned().unwrap_or(Says::NoSuchName(1));
    let (code, is_truncated, addresses, ttl) = match says {
        Says::Addresses(addresses, ttl) => (0, false, addresses, ttl),
        Says::Long(_, ttl) if !by_tcp => (0, true, Vec::new(), ttl),
        Says::Long(addresses, ttl) => (0, false, addresses, ttl),
        Says::NoSuchName(ttl) => (3, false, Vec::new(), ttl),
        Says::Failure => (2, false, Vec::new(), 0),
        Says::Silence => return None,
    };
    let records: Vec<Vec<u8>> = addresses.iter().filter_map(|address| octets(address, kind)).collect();
    let is_negative = records.is_empty() && code != 2 && !is_truncated;
    let mut out = message.get(..2)?.to_vec();
    out.extend([0x81 | u8::from(is_truncated) << 1, 0x80 | code, 0, 1, 0, u8::try_from(records.len()).ok()?]);
    out.extend([0, u8::from(is_negative), 0, 0]);
    out.extend(message.get(12..end + 4)?);
    for record in records {
        record_head(&mut out, kind, ttl, record.len());
        out.extend(record);
    }
    if is_negative {
        // SOA: the root for names, zeros for times, and the minimum, which is how long nothing holds (RFC 2308).
        record_head(&mut out, 6, ttl, 22);
        out.extend([0; 18]);
        out.extend(ttl.to_be_bytes());
    }
    Some(out)
}

/// A record's head; its name points to the question.
fn record_head(out: &mut Vec<u8>, kind: u16, ttl: u32, length: usize) {
    out.extend([0xc0, 12]);
    out.extend(kind.to_be_bytes());
    out.extend([0, 1]);
    out.extend(ttl.to_be_bytes());
    out.extend(u16::try_from(length).expect("records are short").to_be_bytes());
}

/// An address as a record of that type holds it, if it does.
fn octets(address: &IpAddr, kind: u16) -> Option<Vec<u8>> {
    match (address, kind) {
        (IpAddr::V4(address), 1) => Some(address.octets().to_vec()),
        (IpAddr::V6(address), 28) => Some(address.octets().to_vec()),
        _ => None,
    }
}

/// A name without compression, and where it ends.
fn name_at(message: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join(".").to_ascii_lowercase(), at));
        }
        labels.push(String::from_utf8_lossy(message.get(at..at + length)?).into_owned());
        at += length;
    }
}
