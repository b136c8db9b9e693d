//! Everything at once, for long: well-behaved clients over HTTP/1.1, HTTP/2 and TLS, clients that leave and that read
//! slowly, backends that fail in every way and one that is killed and comes back, edits and renewals. Who behaves is served
//! right each time; afterwards nothing is left.

use super::aborts::leave_one;
use super::bodies::echo;
use super::failures::{KINDS, Seen, ask};
use super::{behind, route_by};
use crate::Setting;
use crate::backend::Backend;
use crate::h2load::H2load;
use crate::process::{Holdings, metric, nothing_leaked};
use crate::stream::{Head, Pattern, read_body};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::{Client, Identity, Node};

/// Memory that ten minutes may leave behind, whatever was asked: buffers and spare memory that stay for the next.
const GROWTH_KIB_MAX: u64 = 32 * 1024;
/// Bytes of the bodies that go both ways.
const BODY_BYTES: u64 = 300_000;
/// Paths below this one go by HTTP/2 to a node that comes and goes.
const BEHIND: &str = "/behind";

/// A small generator of numbers, so that a run can be told by its seed.
struct Dice(u64);

impl Dice {
    /// A number below `bound` (Marsaglia's xorshift).
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What clients count.
#[derive(Default)]
struct Counts {
    /// Answers as they should be.
    right: AtomicU64,
    /// Calls by way of the node that comes and goes that were answered as they should be,
    behind: AtomicU64,
    /// and those that it failed.
    behind_failed: AtomicU64,
    echoed: AtomicU64,
    left: AtomicU64,
    read_slowly: AtomicU64,
    kills: AtomicU64,
    edits: AtomicU64,
}

pub(crate) fn run(setting: Setting<'_>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let seed = std::env::var("TURNPIKE_ENDURANCE_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(u64::try_from(now.as_millis()).expect("a small number"));
    println!("{}, mixed: seed {seed}", setting.runtime);
    let backend = Backend::start();
    let down = free_address();
    let far =
        Far { address: free_address(), document: behind(&backend), runtime: setting.runtime.to_owned() };
    // Bodies go to one that keeps its connections: what can't be sent again may find one closed under it otherwise.
    let steady = Backend::start();
    let mut document = behind(&backend);
    for path in ["/ok", "/echo", "/big"] {
        document = document.replace(
            &format!("http://{}{path}/", backend.address),
            &format!("http://{}{path}/", steady.address),
        );
    }
    document.push_str(&super::route("/down", down, 20_000));
    document.push_str(&route_by(BEHIND, &format!("http://{}", far.address), 20_000, "h2c"));
    let identity = Identity::ecdsa(&["localhost"]);
    let node = Node::builder()
        .document("api.yaml", &document)
        .file("own.pem", &identity.certificate)
        .file("own.key", &identity.key)
        .settings(
            "listeners:\n  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\n    tls: {certificate: own.pem, key: own.key}\n\
             timeouts: {idle_upstream: 300ms}\nlimits: {payload_bytes: 2GiB}\n",
        )
        .flags(&["--runtime", setting.runtime, "--shards", "2"])
        .start();
    let counts = Counts::default();
    // What a first round leaves is what a node that has worked holds.
    spell(&node, &far, &document, &counts, seed, if setting.full { 20 } else { 3 });
    settle(&node, &backend);
    let before = Holdings::of(&node);
    let seconds = if setting.full { 600 } else { 6 };
    let served = spell(&node, &far, &document, &counts, seed ^ 0x9e37_79b9_7f4a_7c15, seconds);
    settle(&node, &backend);
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    format!(
        "{seconds} s: {served} by h2load, 0 failed; {} asked one by one, all as they should be; {} bodies echoed; {} clients left; \
         {} read slowly; {} kills of a backend, by way of it {} as they should be and {} failed; {} edits and renewals; {}",
        count(&counts.right),
        count(&counts.echoed),
        count(&counts.left),
        count(&counts.read_slowly),
        count(&counts.kills),
        count(&counts.behind),
        count(&counts.behind_failed),
        count(&counts.edits),
        nothing_leaked(&node, before, GROWTH_KIB_MAX)
    )
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound")
}

fn settle(node: &Node, backend: &Backend) {
    support::eventually("nothing is in flight", || metric(node, "turnpike_requests_in_flight") == 0);
    support::eventually("no call is left", || backend.open() == 0);
}

/// A node in the place of a backend, killed and started again.
struct Far {
    address: SocketAddr,
    document: String,
    runtime: String,
}

impl Far {
    fn start(&self) -> Node {
        let address = self.address.to_string();
        let flags =
            ["--listen", &address, "--shards", "1", "--runtime", &self.runtime, "--timeouts-drain", "1s"];
        let flags =
            [&flags[..], &["--timeouts-idle-upstream", "300ms", "--limits-payload-bytes", "2GiB"]].concat();
        Node::builder().document("api.yaml", &self.document).flags(&flags).start()
    }
}

/// All of them at once for so many seconds; gives the requests that h2load saw answered.
fn spell(node: &Node, far: &Far, document: &str, counts: &Counts, seed: u64, seconds: u64) -> u64 {
    let (plain, secure) = (node.addresses()[0], node.addresses()[1]);
    let loads = [
        H2load::start(&format!("http://{plain}/ok/1"), seconds, &["--rps", "60"]),
        H2load::start(&format!("https://{secure}/ok/1"), seconds, &["--rps", "60"]),
        H2load::start(&format!("https://{secure}/ok/1"), seconds, &["--rps", "60", "--h1"]),
    ];
    let stop = AtomicBool::new(false);
    let until = Instant::now() + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        let stop = &stop;
        for number in 0..3 {
            scope.spawn(move || ask_on(plain, counts, seed + number, stop));
        }
        scope.spawn(move || ask_behind(plain, counts, seed + 10, stop));
        scope.spawn(move || echo_on(plain, counts, stop));
        scope.spawn(move || leave_on(plain, counts, seed + 20, stop));
        scope.spawn(move || read_slowly_on(plain, counts, stop));
        meddle(node, far, document, counts, seed, until);
        stop.store(true, Ordering::Release);
    });
    loads.map(H2load::finish).iter().sum()
}

/// Asks for all that backends do, on connections of its own.
fn ask_on(address: SocketAddr, counts: &Counts, seed: u64, stop: &AtomicBool) {
    let mut dice = Dice(seed | 1);
    let mut client = Client::connect(address);
    while !stop.load(Ordering::Acquire) {
        let (path, expected, _) = KINDS[usize::try_from(dice.below(KINDS.len() as u64)).expect("small")];
        let seen = ask(&mut client, path);
        assert_eq!(seen, expected, "{path}");
        counts.right.fetch_add(1, Ordering::Relaxed);
        if seen == Seen::Broken || dice.below(20) == 0 {
            client = Client::connect(address);
        }
        std::thread::sleep(Duration::from_millis(dice.below(8)));
    }
}

/// The same by way of a node that may be gone: a whole answer of some status, or one that breaks off.
fn ask_behind(address: SocketAddr, counts: &Counts, seed: u64, stop: &AtomicBool) {
    let mut dice = Dice(seed | 1);
    let mut client = Client::connect(address);
    while !stop.load(Ordering::Acquire) {
        let (path, expected, _) = KINDS[usize::try_from(dice.below(KINDS.len() as u64)).expect("small")];
        if path == "/down/1" {
            continue;
        }
        let seen = ask(&mut client, &format!("{BEHIND}{path}"));
        let fitting = seen == expected || matches!(seen, Seen::Broken | Seen::Status(500 | 502 | 503 | 504));
        assert!(fitting, "{BEHIND}{path}: {seen:?}");
        let counter = if seen == expected { &counts.behind } else { &counts.behind_failed };
        counter.fetch_add(1, Ordering::Relaxed);
        if seen == Seen::Broken {
            client = Client::connect(address);
        }
        std::thread::sleep(Duration::from_millis(dice.below(8)));
    }
}

/// Sends bodies and compares what comes back.
fn echo_on(address: SocketAddr, counts: &Counts, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        echo(address, BODY_BYTES, false);
        counts.echoed.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn leave_on(address: SocketAddr, counts: &Counts, seed: u64, stop: &AtomicBool) {
    let mut dice = Dice(seed | 1);
    while !stop.load(Ordering::Acquire) {
        leave_one(address, usize::try_from(dice.below(1000)).expect("small"));
        counts.left.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(dice.below(10)));
    }
}

/// Takes 3 MB in small steps, in about three seconds.
fn read_slowly_on(address: SocketAddr, counts: &Counts, stop: &AtomicBool) {
    const BYTES: u64 = 3_000_000;
    let pattern = Pattern::new();
    while !stop.load(Ordering::Acquire) {
        let stream = TcpStream::connect(address).expect("the node accepts");
        stream.set_read_timeout(Some(support::PATIENCE)).expect("sockets take timeouts");
        let request = format!("GET /big/{BYTES} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        (&stream).write_all(request.as_bytes()).expect("the node reads");
        let mut reader = BufReader::with_capacity(32 * 1024, &stream);
        let head = Head::read(&mut reader).expect("an answer").expect("an answer");
        let mut at = 0;
        let length = read_body(&mut reader, head.framing(), |piece| {
            assert!(pattern.has(at, piece), "the body is changed near byte {at}");
            at += piece.len() as u64;
            std::thread::sleep(Duration::from_millis(30));
            Ok(())
        });
        assert_eq!(length.expect("the whole body comes"), BYTES);
        counts.read_slowly.fetch_add(1, Ordering::Relaxed);
    }
}

/// Kills and starts the far node, edits the document and renews the certificate, until the time is over.
fn meddle(node: &Node, far: &Far, document: &str, counts: &Counts, seed: u64, until: Instant) {
    let mut dice = Dice(seed | 1);
    let mut one = Some(far.start());
    while Instant::now() < until {
        match dice.below(4) {
            0 => {
                one = match one.take() {
                    Some(mut running) => {
                        if dice.below(2) == 0 {
                            running.stop();
                        }
                        // Dropped, it is killed.
                        counts.kills.fetch_add(1, Ordering::Relaxed);
                        None
                    }
                    None => Some(far.start()),
                };
            }
            1 => {
                let identity = Identity::ecdsa(&["localhost"]);
                node.folder().write("own.key", &identity.key);
                node.folder().write("own.pem", &identity.certificate);
                counts.edits.fetch_add(1, Ordering::Relaxed);
            }
            2 => {
                node.folder().write("api.yaml", &format!("{document}# {}\n", dice.below(1_000_000)));
                counts.edits.fetch_add(1, Ordering::Relaxed);
            }
            _ => {
                if one.is_none() {
                    one = Some(far.start());
                }
            }
        }
        std::thread::sleep(
            Duration::from_millis(300 + dice.below(2_000)).min(until - Instant::now().min(until)),
        );
    }
}
