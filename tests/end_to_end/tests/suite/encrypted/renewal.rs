//! Certificates that are replaced while the node serves: taken when they are good, reported when they aren't.

use super::sessions::counted;
use super::{RUNTIMES, VERSIONS, builder, mock};
use support::{Connector, Identity, Node, TlsClient, eventually};

fn present(node: &Node, identity: &Identity) {
    node.folder().write("own.key", &identity.key);
    node.folder().write("own.pem", &identity.certificate);
}

fn presented(node: &Node) -> Vec<u8> {
    Connector::new().connect(node.address(), "own.example").certificate()
}

fn still_asks(client: &mut TlsClient) {
    assert_eq!(client.ask("GET", "/a", "h").text(), "a");
}

#[test]
fn a_renewal_is_taken_and_open_connections_go_on() {
    let (old, new) = (Identity::ecdsa(&["own.example"]), Identity::ecdsa(&["own.example"]));
    for runtime in RUNTIMES {
        let mut node = builder(runtime, &old, &mock()).start();
        let mut open = Connector::new().connect(node.address(), "own.example");
        still_asks(&mut open);
        let connectors = VERSIONS.map(Connector::of);
        for connector in &connectors {
            still_asks(&mut connector.connect(node.address(), "own.example"));
        }
        present(&node, &new);
        node.wait_for_log("certificates renewed");
        eventually("every shard presents the new one", || (0..12).all(|_| presented(&node) == new.der));
        still_asks(&mut open);
        assert_eq!(open.certificate(), old.der);
        // Sessions go on over a renewal.
        for connector in &connectors {
            let mut client = connector.connect(node.address(), "own.example");
            assert!(client.is_resumed(), "{runtime}");
            still_asks(&mut client);
        }
        still_asks(&mut open);
        assert_eq!(counted(&node)[2], 0, "{runtime}: nothing failed");
    }
}

#[test]
fn a_broken_renewal_is_pointed_at_and_the_old_certificate_presented_on() {
    let (old, new) = (Identity::ecdsa(&["own.example"]), Identity::ecdsa(&["own.example"]));
    let mut node = builder("auto", &old, &mock()).start();
    let mut open = Connector::new().connect(node.address(), "own.example");
    let certificate_of = |text: &str| Identity { certificate: text.to_owned(), ..old.clone() };
    let key_of = |text: &str| Identity { key: text.to_owned(), ..old.clone() };
    for (broken, column, words) in [
        (certificate_of("no PEM\n"), "turnpike.yaml:3:24", "own.pem holds no certificate"),
        (key_of(&new.key), "turnpike.yaml:3:38", "own.key is not the key of the certificate"),
        (key_of(""), "turnpike.yaml:3:38", "own.key holds no private key"),
    ] {
        present(&node, &broken);
        node.wait_for_log(words);
        node.wait_for_log("certificates not renewed");
        let said = node.seen().join("\n");
        assert!(said.contains(column) && said.contains(words), "{words}: {said}");
        assert_eq!(presented(&node), old.der, "{words}");
        still_asks(&mut open);
        for line in new.key.lines().chain(old.key.lines()).filter(|line| !line.starts_with('-')) {
            assert!(!said.contains(&line[..line.len().min(16)]), "{said}");
        }
    }
    std::fs::remove_file(node.folder().path().join("own.key")).expect("it is there");
    node.wait_for_log("certificates not renewed");
    assert!(node.seen().join("\n").contains("own.key: No such file"), "{:?}", node.seen());
    assert_eq!(presented(&node), old.der);
    present(&node, &new);
    node.wait_for_log("certificates renewed");
    eventually("the repaired one is presented", || presented(&node) == new.der);
    still_asks(&mut open);
}

#[test]
fn a_touch_is_no_renewal_and_a_hangup_reads_again() {
    let own = Identity::ecdsa(&["own.example"]);
    let mut node = builder("auto", &own, &mock()).start();
    present(&node, &own);
    node.folder().write("api.yaml", &crate::document::Document::new().mock("get", "/b", 200, "b").text());
    node.wait_for_log("reloaded:");
    assert!(!node.seen().iter().any(|line| line.contains("renewed")), "{:?}", node.seen());
    node.signal(rustix::process::Signal::HUP);
    node.wait_for_log("certificates renewed");
    assert_eq!(presented(&node), own.der);
}

#[test]
fn no_handshake_fails_while_certificates_change_all_the_time() {
    let identities = [(); 6].map(|()| Identity::ecdsa(&["own.example"]));
    let mut node = builder("auto", &identities[0], &mock()).start();
    let done = std::sync::atomic::AtomicBool::new(false);
    let address = node.address();
    std::thread::scope(|scope| {
        let askers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut asked, connector) = (0, Connector::new());
                    while !done.load(std::sync::atomic::Ordering::Acquire) {
                        still_asks(&mut connector.connect(address, "own.example"));
                        still_asks(&mut Connector::new().connect(address, "own.example"));
                        asked += 2;
                    }
                    asked
                })
            })
            .collect();
        for identity in &identities[1..] {
            present(&node, identity);
            eventually("it is presented", || presented(&node) == identity.der);
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        for asker in askers {
            assert!(asker.join().expect("no handshake failed") > 20);
        }
    });
    assert!(node.stop().success());
}
