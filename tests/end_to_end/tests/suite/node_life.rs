//! A node's life: settings, edits while it serves, signals, and the two event loops.

use crate::document::Document;
use rustix::process::Signal;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::{Client, Node, Reply, Upstream, eventually};

fn answering(text: &str) -> String {
    Document::new().mock("get", "/version", 200, text).text()
}

fn version(client: &mut Client) -> String {
    client.ask("GET", "/version", "localhost").text()
}

#[test]
fn an_edit_takes_over_without_a_restart_and_on_open_connections() {
    let node = Node::serve(&answering("one"));
    let mut client = node.client();
    assert_eq!(version(&mut client), "one");
    node.folder().write("api.yaml", &answering("two"));
    eventually("the edit is served", || version(&mut client) == "two");
}

#[test]
fn a_bad_edit_is_reported_with_its_line_and_the_running_api_goes_on() {
    let mut node = Node::serve(&answering("one"));
    let mut client = node.client();
    node.folder().write("api.yaml", "openapi: 3.0.1\npaths:\n  bad\n  : [\n");
    node.wait_for_log("api.yaml:");
    assert_eq!(version(&mut client), "one");
    node.folder().write("api.yaml", &answering("three"));
    eventually("the next edit is served", || version(&mut client) == "three");
}

#[test]
fn a_note_is_told_once_and_again_when_it_changes() {
    let document = |routes: usize, body: &str| {
        let routes = (0..routes).map(|route| format!("/a{route}"));
        routes.fold(Document::new(), |document, path| document.mock("get", &path, 200, body)).text()
    };
    let mut node = Node::serve(&document(300, "one"));
    for (text, reloaded) in [(document(300, "two"), "300 routes"), (document(301, "two"), "301 routes")] {
        node.folder().write("api.yaml", &text);
        node.wait_for_log(&format!("reloaded: {reloaded}"));
    }
    let notes: Vec<&String> = node.seen().iter().filter(|line| line.contains("AWS's quota is 300")).collect();
    let counts: Vec<bool> = notes.iter().map(|note| note.contains("301 resources")).collect();
    assert_eq!((counts, notes[1].contains("302 resources")), (vec![true, false], true), "{notes:?}");
}

#[test]
fn network_cards_are_polled_by_the_ring_alone() {
    let node = |runtime: &str| {
        let flags = ["--runtime", runtime, "--shards-busy-poll-us", "50"];
        Node::builder().document("api.yaml", &answering("one")).flags(&flags).try_start()
    };
    let log = node("portable").expect_err("refused");
    assert!(log.contains("shards.busy_poll_us needs the `ring` event loop"), "{log}");
    // An older kernel says so; one that can serves.
    match node("auto") {
        Ok(node) => assert_eq!(version(&mut node.client()), "one"),
        Err(log) => assert!(log.contains("Linux 6.9") || log.contains("needs the `ring`"), "{log}"),
    }
}

#[test]
fn no_request_fails_while_the_document_changes_all_the_time() {
    let upstream = Upstream::plain();
    let document = |n: usize| {
        Document::new().proxy("get", "/a", &upstream.url()).mock("get", "/n", 200, &n.to_string()).text()
    };
    let node = Node::serve(&document(0));
    let (done, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let (done, asked, address) = (Arc::clone(&done), Arc::clone(&asked), node.address());
            std::thread::spawn(move || {
                let mut client = Client::connect(address);
                while !done.load(Ordering::Acquire) {
                    assert_eq!(client.ask("GET", "/a", "localhost").status(), 200);
                    asked.fetch_add(1, Ordering::AcqRel);
                }
            })
        })
        .collect();
    let mut client = node.client();
    for n in 1..=10 {
        node.folder().write("api.yaml", &document(n));
        eventually("the edit is served", || client.ask("GET", "/n", "localhost").text() == n.to_string());
    }
    done.store(true, Ordering::Release);
    for asker in askers {
        asker.join().expect("no request failed");
    }
    assert!(asked.load(Ordering::Acquire) > 100);
}

#[test]
fn a_term_signal_lets_requests_finish_and_refuses_new_connections() {
    let slow = Upstream::start(|_| {
        std::thread::sleep(std::time::Duration::from_millis(700));
        Reply::text("late")
    });
    let mut node = Node::serve(&Document::new().proxy("get", "/slow", &slow.url()).text());
    let mut client = node.client();
    client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    let _ = slow.request();
    node.signal(Signal::TERM);
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str()), (200, "late"));
    assert_eq!(answer.field("connection"), Some("close"));
    assert!(node.wait().success());
    assert!(TcpStream::connect(node.address()).is_err());
}

#[test]
fn both_event_loops_serve() {
    let upstream = Upstream::start(|request| Reply::with(200, &[], &request.body));
    let document = Document::new().proxy("post", "/a", &upstream.url()).text();
    for runtime in ["auto", "portable"] {
        let mut node = Node::builder().document("api.yaml", &document).flags(&["--runtime", runtime]).start();
        let mut client = node.client();
        for _ in 0..50 {
            let answer =
                client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").response();
            assert_eq!((answer.status(), answer.text().as_str()), (200, "abc"), "{runtime}");
        }
        drop(client);
        assert!(node.stop().success(), "{runtime}");
    }
}

#[test]
fn settings_come_from_the_file_and_a_refused_one_is_pointed_at() {
    let settings = "listeners:\n  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\nshards: {count: 2}\n";
    let node = Node::builder().document("api.yaml", &answering("one")).settings(settings).start();
    assert_eq!(node.addresses().len(), 2);
    for address in node.addresses() {
        assert_eq!(version(&mut Client::connect(*address)), "one");
    }
    let refused = Node::builder().document("api.yaml", &answering("one")).settings("shard: 2\n").try_start();
    let log = refused.expect_err("an unknown setting is refused");
    assert!(log.contains("turnpike.yaml:1:1") && log.contains("shards"), "{log}");
}

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let status_of = |node: &Node, bytes: usize| {
        let head = format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {bytes}\r\n\r\n");
        node.client().send(head + &"x".repeat(bytes)).response().status()
    };
    let settings = "listeners: [{address: \"127.0.0.1:0\"}]\nlimits: {payload_bytes: 10}\n";
    let builder = || {
        let document = Document::new().mock("post", "/a", 200, "a").text();
        Node::builder().document("api.yaml", &document).settings(settings)
    };
    let variable = ("TURNPIKE_LIMITS_PAYLOAD_BYTES", "20");
    let file = builder().start();
    assert_eq!((status_of(&file, 10), status_of(&file, 11)), (200, 413));
    let environment = builder().variable(variable.0, variable.1).start();
    assert_eq!((status_of(&environment, 20), status_of(&environment, 21)), (200, 413));
    let flag = builder().variable(variable.0, variable.1).flags(&["--limits-payload-bytes", "30"]).start();
    assert_eq!((status_of(&flag, 30), status_of(&flag, 31)), (200, 413));
}

#[test]
fn a_taken_port_is_told_in_one_message() {
    let node = Node::serve(&answering("one"));
    let listen = node.address().to_string();
    let second =
        Node::builder().document("api.yaml", &answering("two")).flags(&["--listen", &listen]).try_start();
    let log = second.expect_err("the port is taken");
    assert!(log.contains(&listen) && log.contains("in use"), "{log}");
}

#[test]
fn every_request_that_the_start_suggests_is_served() {
    let upstream = Upstream::plain();
    let needy = "parameters: [{name: a b, in: query, required: true}, {name: X-A, in: header, required: true}], \
                 responses: {}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: \"URL\"}";
    let document = Document::new;
    for text in [
        document().proxy("post", "/only", &upstream.url()).text(),
        document()
            .proxy("get", "/a/{id}/{rest+}", &upstream.url())
            .proxy("put", "/b", &upstream.url())
            .text(),
        document().proxy("x-amazon-apigateway-any-method", "/a", &upstream.url()).text(),
        document().proxy("head", "/a", &upstream.url()).text(),
        document().route("get", "/a", &needy.replace("URL", &upstream.url())).text(),
        document().mock("delete", "/a", 200, "a").text(),
    ] {
        let node = Node::serve(&text);
        let lines: Vec<&str> =
            node.seen().iter().filter_map(|line| line.trim().strip_prefix("curl ")).collect();
        assert_eq!(lines.len(), 2, "one on any Host and one by API id: {:?}", node.seen());
        for line in lines {
            let command = format!("curl --silent --output /dev/null --write-out '%{{http_code}}' {line}");
            let output = Command::new("sh").args(["-c", &command]).output().expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), "200", "{line}");
        }
    }
}

#[test]
fn the_example_backend_starts_with_its_document() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let root = format!("x-turnpike: {{id: testapi001, stage: test, exampleBackend: \"{free}\"}}\n");
    let document =
        Document::with_root(&root).proxy("get", "/pets/{id}", &format!("http://{free}/pets/{{id}}"));
    let node = Node::serve(&document.text());
    let answer = node.client().ask("GET", "/pets/1", "localhost");
    assert_eq!(answer.status(), 200);
    assert!(answer.text().contains("\"Rex\""), "{}", answer.text());
}

#[test]
fn a_drain_that_cuts_a_request_says_so_and_fails() {
    for (body, cut) in [("half", true), ("whole!!!", false)] {
        let upstream = Upstream::plain();
        let document = Document::new().proxy("post", "/up", &upstream.url()).text();
        let mut node =
            Node::builder().document("api.yaml", &document).flags(&["--timeouts-drain", "300ms"]).start();
        let mut client = node.client();
        client.send(format!("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n{body}"));
        if cut {
            eventually("the call begins", || upstream.connections() > 0);
        } else {
            assert_eq!(client.response().status(), 200);
        }
        assert_eq!(node.stop().success(), !cut);
    }
}

#[test]
fn a_shard_that_polls_before_it_sleeps_serves_and_stops() {
    for runtime in ["auto", "portable"] {
        let document = Document::new().mock("get", "/hello", 200, "{}").text();
        let mut node = Node::builder()
            .document("api.yaml", &document)
            .flags(&["--runtime", runtime, "--shards", "1", "--shards-spin-us", "200"])
            .start();
        let mut client = node.client();
        for _ in 0..500 {
            assert_eq!(client.ask("GET", "/hello", "x").status(), 200, "{runtime}");
        }
        // Long enough for it to fall asleep, then awake again.
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(client.ask("GET", "/hello", "x").status(), 200, "{runtime}");
        assert!(node.stop().success(), "{runtime}");
    }
}
