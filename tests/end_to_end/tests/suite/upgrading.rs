//! A new process takes over: requests go on, a failing one changes nothing, and systemd passes sockets and is told.

use crate::document::Document;
use rustix::process::Signal;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use support::{Client, Message, Node, NodeBuilder, Scratch, Upstream, binary, eventually, is_running};

const RUNTIMES: [&str; 2] = ["auto", "portable"];

fn answering(text: &str) -> String {
    Document::new().mock("get", "/version", 200, text).text()
}

/// A node on two shards, with a UNIX socket beside its port.
fn builder(runtime: &str, document: &str) -> NodeBuilder {
    Node::builder()
        .document("api.yaml", document)
        .settings(
            "listeners: [{address: 127.0.0.1:0}, {address: 'unix:turnpike.sock'}]\nshards: {count: 2}\n",
        )
        .flags(&["--runtime", runtime])
}

/// What clients count while processes come and go.
#[derive(Default)]
struct Counts {
    done: AtomicBool,
    kept: AtomicUsize,
    single: AtomicUsize,
    unix: AtomicUsize,
    control: AtomicUsize,
}

impl Counts {
    fn count(&self, counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::AcqRel);
    }

    fn goes_on(&self) -> bool {
        !self.done.load(Ordering::Acquire)
    }
}

/// Asks without a pause; a connection that the node wants closed is made anew.
fn keep_asking(address: SocketAddr, counts: &Counts) {
    let mut client = Client::connect(address);
    while counts.goes_on() {
        let answer = client.ask("GET", "/a", "localhost");
        assert_eq!(answer.status(), 200, "{answer:?}");
        counts.count(&counts.kept);
        if answer.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            client = Client::connect(address);
        }
    }
}

fn ask_once(address: SocketAddr, counts: &Counts, counter: &AtomicUsize, path: &str) {
    while counts.goes_on() {
        assert_eq!(Client::connect(address).ask("GET", path, "localhost").status(), 200);
        counts.count(counter);
    }
}

fn ask_by_path(path: &Path, counts: &Counts) {
    use std::io::Write;
    while counts.goes_on() {
        let mut stream = UnixStream::connect(path).expect("the socket accepts");
        stream.set_read_timeout(Some(support::PATIENCE)).expect("sockets take timeouts");
        stream.write_all(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the node reads");
        assert_eq!(Message::read_response(&mut stream, "GET").expect("an answer").status(), 200);
        counts.count(&counts.unix);
    }
}

/// Lets clients of all kinds ask while `meanwhile` goes on; none may fail.
fn under_load(node: &mut Node, meanwhile: impl FnOnce(&mut Node)) {
    let counts = Counts::default();
    let (address, control) = (node.address(), node.control());
    let path = node.folder().path().join("turnpike.sock");
    std::thread::scope(|scope| {
        let counts = &counts;
        for _ in 0..4 {
            scope.spawn(move || keep_asking(address, counts));
        }
        for _ in 0..2 {
            scope.spawn(move || ask_once(address, counts, &counts.single, "/a"));
        }
        scope.spawn(move || ask_once(control, counts, &counts.control, "/healthz"));
        scope.spawn(|| ask_by_path(&path, counts));
        // A failure must not leave the others asking for ever.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| meanwhile(node)));
        counts.done.store(true, Ordering::Release);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    for counter in [&counts.kept, &counts.single, &counts.unix, &counts.control] {
        assert!(counter.load(Ordering::Acquire) > 20, "clients of each kind asked");
    }
}

#[test]
fn no_request_fails_over_a_chain_of_upgrades() {
    let upstream = Upstream::plain();
    let document = Document::new().proxy("get", "/a", &upstream.url()).text();
    for runtime in RUNTIMES {
        let mut node = builder(runtime, &document).start();
        under_load(&mut node, |node| {
            for _ in 0..4 {
                std::thread::sleep(Duration::from_millis(150));
                node.upgrade();
            }
        });
        let path = node.folder().path().join("turnpike.sock");
        assert!(path.exists(), "the file is the last process's");
        let last = node.pid();
        node.signal(Signal::TERM);
        eventually("the last process ends", || !is_running(last));
        assert!(!path.exists(), "the file went with it");
    }
}

#[test]
fn settings_that_are_read_at_start_change_by_an_upgrade() {
    let upstream = Upstream::plain();
    let document = Document::new().proxy("get", "/a", &upstream.url()).text();
    let settings = |shards: usize, more: &str| {
        format!(
            "listeners: [{{address: 127.0.0.1:0}}, {{address: 'unix:turnpike.sock'}}{more}]\nshards: {{count: {shards}}}\n"
        )
    };
    for runtimes in [["auto", "auto", "auto"], ["auto", "portable", "auto"]] {
        let mut node = builder(runtimes[0], &document).start();
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        under_load(&mut node, |node| {
            let runtime = |at: usize| format!("runtime: {}\n", runtimes[at]);
            let one_more = format!(", {{address: '{free}'}}");
            for (at, (shards, more)) in [(1, one_more.as_str()), (3, "")].into_iter().enumerate() {
                node.folder().write("turnpike.yaml", &(settings(shards, more) + &runtime(at + 1)));
                node.upgrade();
                assert_eq!(
                    TcpStream::connect(free).is_ok(),
                    !more.is_empty(),
                    "listeners are those of the file"
                );
                std::thread::sleep(Duration::from_millis(150));
            }
        });
    }
}

#[test]
fn a_new_process_that_fails_changes_nothing() {
    let mut node = Node::builder()
        .document("api.yaml", &answering("one"))
        .own_program()
        .flags(&["--timeouts-upgrade", "1s"])
        .start();
    let mut client = node.client();
    let mut ask = move || client.ask("GET", "/version", "localhost").text();
    let program = node.folder().path().join("turnpike");
    let replace = |text: &[u8]| {
        let new = program.with_extension("new");
        std::fs::write(&new, text).expect("writes");
        std::fs::set_permissions(&new, PermissionsExt::from_mode(0o755)).expect("sets");
        std::fs::rename(&new, &program).expect("renames");
    };
    let good = std::fs::read(&program).expect("reads");
    node.folder().write("api.yaml", "openapi: 3.0.1\npaths: [\n");
    node.wait_for_log("not reloaded");
    node.signal(Signal::USR2);
    node.wait_for_log("ended before it was ready");
    node.wait_for_log("not upgraded");
    assert_eq!(ask(), "one");
    node.folder().write("api.yaml", &answering("two"));
    node.wait_for_log("reloaded");
    for (script, complaint) in [
        ("#!/bin/sh\nexit 3\n", "ended before it was ready: exit status: 3"),
        ("#!/bin/sh\nsleep 60\n", "wasn't ready within 1s"),
        ("no program at all", "can't be started"),
    ] {
        replace(script.as_bytes());
        node.signal(Signal::USR2);
        node.wait_for_log(complaint);
        node.wait_for_log("not upgraded");
        assert_eq!(ask(), "two");
    }
    replace(&good);
    node.upgrade();
    assert_eq!(node.client().ask("GET", "/version", "localhost").text(), "two");
}

#[test]
fn a_socket_file_stays_with_the_process_that_goes_on() {
    let mut node = builder("auto", &answering("one")).start();
    let path = node.folder().path().join("turnpike.sock");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let settings = format!(
        "listeners: [{{address: 127.0.0.1:0}}, {{address: 'unix:turnpike.sock'}}, {{address: '{}'}}]\n",
        taken.local_addr().expect("bound")
    );
    node.folder().write("turnpike.yaml", &settings);
    node.signal(Signal::USR2);
    node.wait_for_log("not upgraded");
    assert!(UnixStream::connect(&path).is_ok(), "the running process listens on it");
    drop(taken);
    node.upgrade();
    assert!(UnixStream::connect(&path).is_ok(), "the new process does");
}

#[test]
fn a_stop_ends_both_processes() {
    let mut node = Node::builder().document("api.yaml", &answering("one")).own_program().start();
    let script = "#!/bin/sh\nexec sleep 60\n";
    let new = node.folder().write("new", script);
    std::fs::set_permissions(&new, PermissionsExt::from_mode(0o755)).expect("sets");
    std::fs::rename(&new, node.folder().path().join("turnpike")).expect("renames");
    node.signal(Signal::USR2);
    let line = node.wait_for_log("upgrading: process");
    let started: u32 = line.split(' ').nth(2).and_then(|word| word.parse().ok()).expect("a process id");
    assert!(is_running(started));
    node.signal(Signal::USR2);
    node.wait_for_log("is taking over already");
    assert!(node.stop().success());
    eventually("the new process ends as well", || !is_running(started));
}

/// A node that gets a socket as descriptor 3, as systemd passes it.
fn activated(folder: &Scratch, socket: impl Into<OwnedFd>, flags: &[&str]) -> Child {
    folder.write("api.yaml", &answering("passed"));
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve api.yaml \"$@\"";
    Command::new("sh")
        .args(["-c", script])
        .arg(binary())
        .args(["--control", "127.0.0.1:0", "--shards", "2"])
        .args(flags)
        .current_dir(folder.path())
        .stdin(Stdio::from(socket.into()))
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh runs")
}

#[test]
fn sockets_that_are_passed_are_served() {
    for runtime in RUNTIMES {
        let folder = Scratch::new();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        // It connects before there is a node.
        let mut early = Client::connect(address);
        let mut node =
            activated(&folder, listener, &["--listen", &address.to_string(), "--runtime", runtime]);
        assert_eq!(early.ask("GET", "/version", "localhost").text(), "passed");
        for _ in 0..20 {
            assert_eq!(Client::connect(address).ask("GET", "/version", "localhost").text(), "passed");
        }
        node.kill().expect("ends");
        node.wait().expect("ends");
    }
}

#[test]
fn sockets_that_nobody_asked_for_end_the_start() {
    let said = |mut child: Child| {
        assert!(!child.wait().expect("it ends").success());
        let mut text = String::new();
        #[expect(clippy::disallowed_methods, reason = "a process that has ended said little")]
        std::io::Read::read_to_string(&mut child.stderr.take().expect("piped"), &mut text).expect("text");
        text
    };
    let folder = Scratch::new();
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("bound").to_string();
    let text = said(activated(&folder, other, &["--listen", "127.0.0.1:0"]));
    assert!(text.contains(&address) && text.contains("no listener's address"), "{text}");
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let text = said(activated(&folder, datagrams, &["--listen", "127.0.0.1:0"]));
    assert!(text.contains("no stream socket"), "{text}");
    let file = std::fs::File::open("/dev/null").expect("opens");
    let text = said(activated(&folder, file, &["--listen", "127.0.0.1:0"]));
    assert!(text.contains("it is no socket"), "{text}");
}

#[test]
fn the_service_manager_is_told() {
    let folder = Scratch::new();
    let path: PathBuf = folder.path().join("notify.sock");
    let manager = UnixDatagram::bind(&path).expect("binds");
    manager.set_read_timeout(Some(support::PATIENCE)).expect("sockets take timeouts");
    let told = || {
        let mut text = [0; 512];
        let length = manager.recv(&mut text).expect("a message");
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let mut node = Node::builder()
        .document("api.yaml", &answering("one"))
        .variable("NOTIFY_SOCKET", path.to_str().expect("plain"))
        .start();
    assert!(told().starts_with("READY=1\n"));
    node.signal(Signal::HUP);
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert!(told().starts_with("READY=1\n"));
    node.upgrade();
    assert!(told().starts_with("READY=1\n"), "the new process is ready");
    assert_eq!(told().lines().next(), Some(format!("MAINPID={}", node.pid()).as_str()));
    node.signal(Signal::TERM);
    assert!(told().starts_with("STOPPING=1\n"));
}
