//! Backends by name: answers of a scripted name server, their times, its outages; several addresses, some of them dead.

use std::net::{IpAddr, SocketAddr};

use crate::document::Document;
use crate::observing::{control, metric};
use support::{BlackHole, Identity, NameServer, Node, NodeBuilder, Reply, Says, Upstream, eventually};

const ANY: &str = "x-amazon-apigateway-any-method";
const LOOPS: [&str; 2] = ["auto", "portable"];
const NAME: &str = "backend.test";

fn ips<const N: usize>(texts: [&str; N]) -> Vec<IpAddr> {
    texts.map(|text| text.parse().expect("an address")).to_vec()
}

fn document(name: &str, port: u16) -> String {
    Document::new().proxy(ANY, "/{proxy+}", &format!("http://{name}:{port}/{{proxy}}")).text()
}

/// A node on two shards that asks this name server. Waits for connects outlast those of the tests, so that an answer
/// in time didn't wait for one.
fn builder(runtime: &str, names: &NameServer, document: &str) -> NodeBuilder {
    let server = names.address().to_string();
    let flags =
        ["--runtime", runtime, "--shards", "2", "--resolver-servers", &server, "--timeouts-connect", "28s"];
    Node::builder().document("api.yaml", document).flags(&flags)
}

fn get(node: &Node) -> (u16, String) {
    let answer = node.client().ask("GET", "/a", "h");
    (answer.status(), answer.text())
}

/// Backends on one port of several addresses, each of which says its own and closes.
fn closing<const N: usize>(addresses: [&str; N]) -> (u16, Vec<Upstream>) {
    let mut port = 0;
    let mut upstreams = Vec::new();
    for ip in addresses {
        let Reply::Bytes(bytes) = Reply::with(200, &[("Connection", "close")], ip.as_bytes()) else {
            continue;
        };
        let address = SocketAddr::new(ip.parse().expect("an address"), port);
        let upstream = Upstream::start_at(address, move |_| Reply::Last(bytes.clone()));
        port = upstream.address().port();
        upstreams.push(upstream);
    }
    (port, upstreams)
}

#[test]
fn traffic_moves_when_the_time_of_an_answer_is_over() {
    for runtime in LOOPS {
        let one = Upstream::start(|_| Reply::text("one"));
        let port = one.address().port();
        let two = Upstream::start_at(("127.0.0.2", port), |_| Reply::text("two"));
        let names = NameServer::start();
        names.say(NAME, Says::Addresses(ips(["127.0.0.1"]), 1));
        names.say("still.test", Says::Addresses(ips(["127.0.0.1"]), 3600));
        let document = Document::new()
            .proxy("get", "/a", &format!("http://{NAME}:{port}/a"))
            .proxy("get", "/still", &format!("http://still.test:{port}/still"))
            .text();
        let node = builder(runtime, &names, &document).start();
        assert_eq!(get(&node), (200, "one".to_owned()), "{runtime}");
        assert_eq!(node.client().ask("GET", "/still", "h").text(), "one", "{runtime}");
        names.say(NAME, Says::Addresses(ips(["127.0.0.2"]), 1));
        names.say("still.test", Says::Addresses(ips(["127.0.0.2"]), 1));
        eventually("traffic moves", || get(&node) == (200, "two".to_owned()));
        // One is left, to the name that stays.
        eventually("connections to what has left are let go", || one.open() == 1);
        assert!(two.connections() > 0, "{runtime}");
        assert_eq!(node.client().ask("GET", "/still", "h").text(), "one", "{runtime}");
        assert_eq!(names.questions("still.test"), 2, "{runtime}: one for each family, and an hour to go");
    }
}

#[test]
fn an_outage_keeps_the_last_good_answer_and_ends() {
    for runtime in LOOPS {
        let (port, _upstreams) = closing(["127.0.0.1", "127.0.0.2"]);
        let names = NameServer::start();
        names.say(NAME, Says::Addresses(ips(["127.0.0.1"]), 1));
        let node = builder(runtime, &names, &document(NAME, port)).start();
        assert_eq!(get(&node), (200, "127.0.0.1".to_owned()), "{runtime}");
        names.say(NAME, Says::Failure);
        eventually("look-ups fail", || {
            assert_eq!(get(&node), (200, "127.0.0.1".to_owned()), "{runtime}");
            metric(&control(&node, "/metrics").text(), "turnpike_resolver_failures_total") >= 2.0
        });
        names.say(NAME, Says::Addresses(ips(["127.0.0.2"]), 1));
        eventually("the outage ends", || get(&node) == (200, "127.0.0.2".to_owned()));
        let asked = names.questions(NAME);
        names.say(NAME, Says::Silence);
        eventually("silence is asked", || names.questions(NAME) > asked);
        assert_eq!(get(&node), (200, "127.0.0.2".to_owned()), "{runtime}");
    }
}

#[test]
fn a_name_that_nobody_knows_is_answered_as_before_and_looked_for() {
    for runtime in LOOPS {
        let (port, _upstreams) = closing(["127.0.0.1"]);
        for nothing in [Says::Failure, Says::NoSuchName(1), Says::Addresses(Vec::new(), 1)] {
            let names = NameServer::start();
            names.say(NAME, nothing.clone());
            let node = builder(runtime, &names, &document(NAME, port)).start();
            let error = (500, "{\"message\": \"Internal server error\"}".to_owned());
            assert_eq!(get(&node), error, "{runtime}, {nothing:?}");
            names.say(NAME, Says::Addresses(ips(["127.0.0.1"]), 1));
            eventually("the name is there", || get(&node).0 == 200);
        }
    }
}

#[test]
fn a_name_that_goes_away_has_a_grace() {
    for runtime in LOOPS {
        let (port, _upstreams) = closing(["127.0.0.1"]);
        let names = NameServer::start();
        names.say(NAME, Says::Addresses(ips(["127.0.0.1"]), 1));
        let node = builder(runtime, &names, &document(NAME, port)).start();
        assert_eq!(get(&node).0, 200, "{runtime}");
        names.say(NAME, Says::NoSuchName(1));
        let asked = names.questions(NAME);
        eventually("it is asked for again", || names.questions(NAME) > asked + 3);
        assert_eq!(get(&node).0, 200, "{runtime}");
    }
}

#[test]
fn an_answer_that_is_too_long_comes_by_tcp() {
    for runtime in LOOPS {
        let (port, upstreams) = closing(["127.0.0.1", "127.0.0.2"]);
        let names = NameServer::start();
        names.say(NAME, Says::Long(ips(["127.0.0.1", "127.0.0.2"]), 3600));
        let node = builder(runtime, &names, &document(NAME, port)).start();
        for _ in 0..8 {
            assert_eq!(get(&node).0, 200, "{runtime}");
        }
        assert_eq!(names.by_tcp(), 2, "{runtime}");
        // Each shard takes the addresses in turn.
        assert!(upstreams.iter().all(|upstream| upstream.connections() >= 3), "{runtime}: {upstreams:?}");
    }
}

#[test]
fn names_of_the_hosts_file_need_no_name_server() {
    for runtime in LOOPS {
        let upstream = Upstream::plain();
        let names = NameServer::start();
        names.say("localhost", Says::Silence);
        let document = document("localhost", upstream.address().port());
        let node = builder(runtime, &names, &document).start();
        // Its first address may be that of IPv6, where nobody listens.
        assert_eq!(get(&node), (200, "ok".to_owned()), "{runtime}");
        assert_eq!(names.questions("localhost"), 0, "{runtime}");
    }
}

#[test]
fn a_name_that_no_plan_uses_is_forgotten() {
    for runtime in LOOPS {
        let upstream = Upstream::plain();
        let port = upstream.address().port();
        let names = NameServer::start();
        for name in ["old.test", "new.test"] {
            names.say(name, Says::Addresses(ips(["127.0.0.1"]), 1));
        }
        let mut node = builder(runtime, &names, &document("old.test", port)).start();
        assert_eq!(get(&node).0, 200, "{runtime}");
        node.folder().write("api.yaml", &document("new.test", port));
        node.wait_for_log("reloaded");
        assert_eq!(get(&node).0, 200, "{runtime}");
        // One that is under way may still come.
        eventually("the new name is refreshed", || names.questions("new.test") >= 4);
        let asked = names.questions("old.test");
        eventually("the new name is refreshed again", || names.questions("new.test") >= 8);
        assert_eq!(names.questions("old.test"), asked, "{runtime}");
        node.folder().write("api.yaml", &document("old.test", port));
        node.wait_for_log("reloaded");
        assert_eq!(get(&node).0, 200, "{runtime}");
        assert!(names.questions("old.test") > asked, "{runtime}: asked for anew");
    }
}

#[test]
fn an_address_that_refuses_costs_no_request_and_is_set_aside() {
    for runtime in LOOPS {
        // IPv6 is tried first where there is a way to it: a dead address of IPv4 is then never met.
        for (alive, dead, is_met) in
            [("127.0.0.1", "127.0.0.2", true), ("127.0.0.1", "::1", true), ("::1", "127.0.0.1", false)]
        {
            let addresses = [alive, dead];
            let (port, upstreams) = closing([alive]);
            let names = NameServer::start();
            names.say(NAME, Says::Addresses(ips(addresses), 3600));
            let node = builder(runtime, &names, &document(NAME, port)).start();
            for _ in 0..30 {
                assert_eq!(get(&node), (200, alive.to_owned()), "{runtime}, {addresses:?}");
            }
            assert_eq!(upstreams[0].connections(), 30, "{runtime}: a call goes out once");
            if is_met {
                eventually("the dead one is set aside", || {
                    assert_eq!(get(&node).0, 200, "{runtime}");
                    let page = control(&node, "/metrics").text();
                    metric(&page, "turnpike_upstream_addresses_set_aside") > 0.0
                });
            }
        }
    }
}

#[test]
fn an_address_that_never_answers_is_overtaken() {
    for runtime in LOOPS {
        let (port, upstreams) = closing(["127.0.0.1"]);
        let _hole = BlackHole::at(SocketAddr::new("127.0.0.2".parse().expect("an address"), port));
        let _other = BlackHole::at(SocketAddr::new("127.0.0.3".parse().expect("an address"), port));
        let names = NameServer::start();
        names.say(NAME, Says::Addresses(ips(["127.0.0.1", "127.0.0.2", "127.0.0.3"]), 3600));
        let node = builder(runtime, &names, &document(NAME, port)).start();
        let body = "x".repeat(300_000);
        for number in 0..30 {
            let mut client = node.client();
            client.send(format!(
                "POST /{number} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ));
            assert_eq!(client.response().status(), 200, "{runtime}");
            let seen = upstreams[0].request();
            assert_eq!(
                (seen.target(), seen.body.len()),
                (format!("/{number}").as_str(), body.len()),
                "{runtime}"
            );
        }
        assert!(upstreams[0].recorded().is_empty(), "{runtime}: a call goes out once");
        eventually("the dead ones are set aside", || {
            assert_eq!(get(&node).0, 200, "{runtime}");
            metric(&control(&node, "/metrics").text(), "turnpike_upstream_addresses_set_aside") >= 2.0
        });
    }
}

#[test]
fn a_handshake_that_hangs_is_held_against_its_address() {
    let own = Identity::ecdsa(&[NAME]);
    for runtime in LOOPS {
        let backend = Node::builder()
            .document("api.yaml", &Document::new().mock("get", "/a", 200, "far").text())
            .settings("listeners: [{address: '127.0.0.1:0', tls: {certificate: own.pem, key: own.key}}]\n")
            .file("own.pem", &own.certificate)
            .file("own.key", &own.key)
            .flags(&["--shards", "1"])
            .start();
        let port = backend.address().port();
        // The kernel takes connections; nobody ever says a word on them.
        let _mute = std::net::TcpListener::bind(("127.0.0.2", port)).expect("a free address");
        let names = NameServer::start();
        names.say(NAME, Says::Addresses(ips(["127.0.0.1", "127.0.0.2"]), 3600));
        // Its connections aren't kept, so that each call finds an address anew.
        let document = Document::new().route(
            "get",
            "/a",
            &format!(
                "responses: {{}}, x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: GET, uri: \
                 \"https://{NAME}:{port}/a\", timeoutInMillis: 200, tlsConfig: {{insecureSkipVerification: true}}}}"
            ),
        );
        let node =
            builder(runtime, &names, &document.text()).flags(&["--limits-idle-upstreams", "0"]).start();
        eventually("the mute one is set aside", || {
            assert!(matches!(get(&node).0, 200 | 504), "{runtime}");
            metric(&control(&node, "/metrics").text(), "turnpike_upstream_addresses_set_aside") > 0.0
        });
    }
}

#[test]
fn all_are_tried_when_none_connects() {
    for runtime in LOOPS {
        let (port, upstreams) = closing(["127.0.0.1"]);
        drop(upstreams);
        let names = NameServer::start();
        names.say(NAME, Says::Addresses(ips(["127.0.0.2", "127.0.0.3"]), 3600));
        let node = builder(runtime, &names, &document(NAME, port)).start();
        for _ in 0..10 {
            assert_eq!(get(&node).0, 500, "{runtime}");
        }
        let back = Upstream::start_at(("127.0.0.3", port), |_| Reply::text("back"));
        // Both are set aside, and yet the first request finds the one that is back.
        assert_eq!(get(&node), (200, "back".to_owned()), "{runtime}");
        drop(back);
    }
}

/// A second node stands in for a backend that speaks TLS and HTTP/2.
#[test]
fn races_are_run_by_tls_and_http2_as_well() {
    let own = Identity::ecdsa(&[NAME]);
    for runtime in LOOPS {
        let backend = Node::builder()
            .document("api.yaml", &Document::new().mock("get", "/a", 200, "far").text())
            .settings(
                "listeners:\n  - {address: '127.0.0.1:0', tls: {certificate: own.pem, key: own.key}}\n  \
                 - {address: '127.0.0.1:0'}\n",
            )
            .file("own.pem", &own.certificate)
            .file("own.key", &own.key)
            .flags(&["--shards", "1"])
            .start();
        let (tls, plain) = (backend.addresses()[0].port(), backend.addresses()[1].port());
        let holes: Vec<BlackHole> = [tls, plain]
            .map(|port| BlackHole::at(SocketAddr::new("127.0.0.2".parse().expect("an address"), port)))
            .into();
        let names = NameServer::start();
        names.say(NAME, Says::Addresses(ips(["127.0.0.1", "127.0.0.2", "127.0.0.3"]), 3600));
        let call = |uri: String, extra: &str| {
            format!(
                "responses: {{}}, x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: GET, uri: \"{uri}\", \
                 tlsConfig: {{insecureSkipVerification: true}}{extra}}}"
            )
        };
        let document = Document::new()
            .route("get", "/tls", &call(format!("https://{NAME}:{tls}/a"), ""))
            .route("get", "/h2", &call(format!("https://{NAME}:{tls}/a"), ", x-turnpike: {protocol: h2}"))
            .route("get", "/h2c", &call(format!("http://{NAME}:{plain}/a"), ", x-turnpike: {protocol: h2c}"))
            .text();
        let node = builder(runtime, &names, &document).start();
        for _ in 0..4 {
            // Connections that are shared or kept come from many clients at once.
            let mut clients: Vec<_> = (0..6).map(|_| node.client()).collect();
            for path in ["/tls", "/h2", "/h2c"] {
                for client in &mut clients {
                    client.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
                }
                for client in &mut clients {
                    let answer = client.response();
                    assert_eq!((answer.status(), answer.text().as_str()), (200, "far"), "{runtime}, {path}");
                }
            }
        }
        drop(holes);
    }
}
