//! Where a node listens beside a port of IPv4: IPv6, and UNIX sockets with their files.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::behind_proxies::{seen, start, who};
use support::{Client, Message, Node, PATIENCE, Upstream};

const LOOPS: [&str; 2] = ["auto", "portable"];

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("sockets take timeouts");
    stream
}

/// Sends what comes first on a connection, and a request.
fn ask(stream: &mut UnixStream, first: &str, fields: &str) -> Message {
    write!(stream, "{first}GET /who HTTP/1.1\r\nHost: x\r\n{fields}\r\n").expect("sends");
    Message::read_response(stream, "GET").expect("a response")
}

#[test]
fn ipv6_has_listeners_of_its_own() {
    let upstream = Upstream::plain();
    for runtime in LOOPS {
        let listeners =
            "  - {address: '[::1]:0'}\n  - {address: '[::]:0'}\n  - {address: '[::ffff:127.0.0.1]:0'}\n";
        let mut node = start(runtime, &upstream, listeners);
        let addresses = node.addresses().to_vec();
        assert_eq!(addresses[2].ip().to_string(), "127.0.0.1", "IPv4 within IPv6 is IPv4");
        let any = format!("[::1]:{}", addresses[1].port()).parse().expect("an address");
        for (address, source) in [(addresses[0], "::1"), (any, "::1"), (addresses[2], "127.0.0.1")] {
            assert_eq!(Client::connect(address).ask("GET", "/who", "x").status(), 200);
            let [forwarded, port, found] = seen(&mut node, &upstream);
            assert_eq!([&*forwarded, &*found], [source, source], "{runtime}");
            assert_eq!(port, address.port().to_string(), "{runtime}");
        }
        let v4 = TcpStream::connect(("127.0.0.1", addresses[1].port()));
        assert!(v4.is_err(), "{runtime}: `[::]` is IPv6 alone, so that 0.0.0.0 may stand beside it");
    }
}

#[test]
fn clients_of_a_unix_socket_are_on_this_machine() {
    let upstream = Upstream::plain();
    for runtime in LOOPS {
        let listeners = "  - {address: 'unix:a.sock', mode: '0600'}\n  - {address: 'unix:trusting.sock', trusted_proxies: \
                         127.0.0.1}\n  - {address: 'unix:introduced.sock', proxy_protocol: true, trusted_proxies: 127.0.0.1}\n";
        let mut node = start(runtime, &upstream, listeners);
        let folder = node.folder().path().to_owned();
        let mode =
            |name: &str| std::fs::metadata(folder.join(name)).expect("a file").permissions().mode() & 0o777;
        assert_eq!((mode("a.sock"), mode("trusting.sock")), (0o600, 0o660));
        for (name, first, fields, told) in [
            ("a.sock", "", "", ["127.0.0.1", "80", "127.0.0.1"]),
            ("a.sock", "", "X-Forwarded-For: 203.0.113.9\r\n", ["203.0.113.9, 127.0.0.1", "80", "127.0.0.1"]),
            (
                "trusting.sock",
                "",
                "X-Forwarded-For: 203.0.113.9\r\n",
                ["203.0.113.9, 127.0.0.1", "80", "203.0.113.9"],
            ),
            (
                "introduced.sock",
                "PROXY TCP4 203.0.113.9 203.0.113.1 1 443\r\n",
                "",
                ["203.0.113.9", "443", "203.0.113.9"],
            ),
            ("introduced.sock", "PROXY UNKNOWN\r\n", "", ["127.0.0.1", "80", "127.0.0.1"]),
        ] {
            let mut stream = connect(&folder.join(name));
            assert_eq!(ask(&mut stream, first, fields).status(), 200, "{runtime}");
            assert_eq!(seen(&mut node, &upstream), told, "{runtime}: {name}");
            // The connection stays.
            assert_eq!(ask(&mut stream, "", "").status(), 200, "{runtime}");
            let _ = seen(&mut node, &upstream);
        }
        let log = node.seen().join("\n");
        assert!(log.contains("listening on unix:a.sock, http (1 route of test)"), "{log}");
        assert!(log.contains("curl --unix-socket a.sock http://localhost/who"), "{log}");
    }
}

#[test]
fn all_shards_accept_from_one_socket_and_none_is_lost_at_the_end() {
    let upstream = Upstream::plain();
    for runtime in LOOPS {
        let mut node = Node::builder()
            .document("api.yaml", &who(&upstream))
            .flags(&["--listen", "unix:a.sock", "--shards", "4", "--runtime", runtime])
            .start();
        let path = node.folder().path().join("a.sock");
        let mut streams: Vec<UnixStream> = (0..100).map(|_| connect(&path)).collect();
        for stream in &mut streams {
            assert_eq!(ask(stream, "", "").status(), 200, "{runtime}");
        }
        // Connected but perhaps not accepted yet when the node is told to stop: still answered.
        let mut late: Vec<UnixStream> = (0..20).map(|_| connect(&path)).collect();
        for stream in &mut late {
            write!(stream, "GET /who HTTP/1.1\r\nHost: x\r\n\r\n").expect("sends");
        }
        assert!(node.stop().success(), "{runtime}");
        for stream in &mut late {
            assert_eq!(Message::read_response(stream, "GET").expect("an answer").status(), 200, "{runtime}");
        }
        assert!(!path.exists(), "{runtime}: the file went with the node");
    }
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let document = who(&Upstream::plain());
    let folder = support::Scratch::new();
    let path = folder.path().join("a.sock");
    let listen = format!("unix:{}", path.display());
    let node = |flags: &[&str]| Node::builder().document("api.yaml", &document).flags(flags);
    // Left by a process that was killed.
    let killed = node(&["--listen", &listen]).start();
    drop(killed);
    assert!(path.exists());
    let mut first = node(&["--listen", &listen]).start();
    let log = node(&["--listen", &listen]).try_start().expect_err("it is taken");
    assert!(log.contains("another program listens there"), "{log}");
    let settings = format!("listeners:\n  - address: {listen}\n");
    let log =
        Node::builder().document("api.yaml", &document).settings(&settings).try_start().expect_err("taken");
    assert!(log.contains("turnpike.yaml:2:14: can't listen on unix:"), "{log}");
    assert_eq!(
        ask(&mut connect(&path), "", "").status(),
        500,
        "the first one is untouched; its backend is gone"
    );
    assert!(first.stop().success());
    assert!(!path.exists());
    // What isn't a socket is nobody's to remove.
    std::fs::write(&path, "precious").expect("writes");
    let log = node(&["--listen", &listen]).try_start().expect_err("in the way");
    assert!(log.contains("a file that is no socket has this name"), "{log}");
    assert_eq!(std::fs::read(&path).expect("still there"), b"precious");
    std::fs::remove_file(&path).expect("removes");
    // One that somebody else put in its place stays.
    let mut replaced = node(&["--listen", &listen]).start();
    std::fs::remove_file(&path).expect("removes");
    let _other = UnixListener::bind(&path).expect("binds");
    assert!(replaced.stop().success());
    assert!(path.exists());
}
