//! TLS on listeners, by real clients: versions, names, sessions, policies; ends, streams, renewal and abuse below.

mod control;
mod ends;
mod hostile;
mod policies;
mod refusals;
mod renewal;
mod sessions;
mod streams;

use crate::document::Document;
use rustls::version::{TLS12, TLS13};
use rustls::{ProtocolVersion, SignatureScheme, SupportedProtocolVersion};
use support::{Authority, Client, Connector, Identity, Node, NodeBuilder, Reply, Upstream};

const RUNTIMES: [&str; 2] = ["auto", "portable"];
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// A node on three shards with a TLS listener, which presents `own`, and a plain one beside it. Settings may follow.
fn builder(runtime: &str, own: &Identity, document: &Document) -> NodeBuilder {
    builder_with(runtime, own, document, "", "")
}

/// The same with further settings of `tls`, each behind a comma, and of the file.
fn builder_with(
    runtime: &str,
    own: &Identity,
    document: &Document,
    tls: &str,
    settings: &str,
) -> NodeBuilder {
    let listeners = format!(
        "listeners:\n  - address: 127.0.0.1:0\n    tls: {{certificate: own.pem, key: own.key{tls}}}\n  \
         - address: 127.0.0.1:0\n"
    );
    Node::builder()
        .document("api.yaml", &document.text())
        .settings(&(listeners + settings))
        .file("own.pem", &own.certificate)
        .file("own.key", &own.key)
        .flags(&["--runtime", runtime, "--shards", "3"])
}

/// A document whose only route answers by itself.
fn mock() -> Document {
    Document::new().mock("get", "/a", 200, "a")
}

/// A document that passes everything on.
fn proxy(upstream: &Upstream) -> Document {
    Document::new().proxy(
        "x-amazon-apigateway-any-method",
        "/{proxy+}",
        &format!("{}/{{proxy}}", upstream.url()),
    )
}

#[test]
fn both_versions_are_served_and_a_backend_learns_of_tls() {
    let upstream = Upstream::start(|request| Reply::with(200, &[], &request.body));
    let own = Identity::ecdsa(&["own.example"]);
    for runtime in RUNTIMES {
        let node = builder(runtime, &own, &proxy(&upstream)).start();
        let port = node.address().port().to_string();
        for (version, agreed) in [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)] {
            let mut client = Connector::of(version).connect(node.address(), "own.example");
            assert_eq!(client.version(), agreed, "{runtime}");
            assert_eq!(client.protocol().as_deref(), Some("http/1.1"), "{runtime}");
            assert_eq!(client.certificate(), own.der, "{runtime}");
            for body in ["one", "two"] {
                let length = body.len();
                client.send(format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}"));
                assert_eq!(client.response().text(), body, "{runtime}");
                let seen = upstream.request();
                assert_eq!(seen.field("x-forwarded-proto"), Some("https"), "{runtime}");
                assert_eq!(seen.field("x-forwarded-port"), Some(port.as_str()), "{runtime}");
                assert_eq!(seen.field("x-forwarded-for"), Some("127.0.0.1"), "{runtime}");
            }
        }
        assert_eq!(Client::connect(node.addresses()[1]).ask("GET", "/a", "h").status(), 200, "{runtime}");
        let seen = upstream.request();
        assert_eq!(seen.field("x-forwarded-proto"), Some("http"), "{runtime}");
        assert_eq!(seen.field("x-forwarded-port"), Some(node.addresses()[1].port().to_string().as_str()));
    }
}

#[test]
fn alpn_has_http_1_1_or_nothing() {
    let own = Identity::ecdsa(&["own.example"]);
    let node = builder("auto", &own, &mock()).start();
    let offering =
        |protocols: &[&str]| Connector::new().protocols(protocols).try_connect(node.address(), "x");
    assert_eq!(offering(&["http/1.1"]).expect("agreed").protocol().as_deref(), Some("http/1.1"));
    let mut silent = offering(&[]).expect("nothing offered, nothing refused");
    assert_eq!((silent.protocol(), silent.ask("GET", "/a", "h").status()), (None, 200));
    let error = offering(&["spdy/3"]).expect_err("nothing in common (RFC 7301 section 3.2)");
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[test]
fn a_chain_is_presented_that_leads_to_its_root() {
    let authority = Authority::new();
    let node = builder("auto", &authority.issue(&["*.own.example"]), &mock()).start();
    let connector = Connector::trusting(authority.der());
    assert_eq!(connector.connect(node.address(), "a.own.example").ask("GET", "/a", "h").status(), 200);
    assert!(connector.try_connect(node.address(), "elsewhere.example").is_err());
}

#[test]
fn certificates_are_chosen_by_name() {
    let own = Identity::ecdsa(&["own.example"]);
    let wild = Identity::ecdsa(&["*.api.example"]);
    let exact = Identity::ecdsa(&["one.api.example", "exact.example"]);
    let settings = "certificates:\n  - {certificate: wild.pem, key: wild.key}\n  - {certificate: exact.pem, key: exact.key}\n";
    for runtime in RUNTIMES {
        let node = builder_with(runtime, &own, &mock(), "", settings)
            .file("wild.pem", &wild.certificate)
            .file("wild.key", &wild.key)
            .file("exact.pem", &exact.certificate)
            .file("exact.key", &exact.key)
            .start();
        for (name, expected) in [
            ("own.example", &own),
            ("one.api.example", &exact),
            ("EXACT.example", &exact),
            ("two.api.example", &wild),
            ("three.two.api.example", &own),
            ("api.example", &own),
            ("unknown.example", &own),
            ("127.0.0.1", &own),
        ] {
            for version in VERSIONS {
                let mut client = Connector::of(version).connect(node.address(), name);
                assert_eq!(client.certificate(), expected.der, "{runtime}: {name}");
                assert_eq!(client.ask("GET", "/a", "h").status(), 200, "{runtime}: {name}");
            }
        }
    }
}

#[test]
fn rsa_and_ecdsa_stand_side_by_side() {
    let (rsa, ecdsa) = (Identity::rsa(&["own.example"]), Identity::ecdsa(&["own.example"]));
    let settings = "certificates: [{certificate: ecdsa.pem, key: ecdsa.key}]\n";
    let node = builder_with("auto", &rsa, &mock(), "", settings)
        .file("ecdsa.pem", &ecdsa.certificate)
        .file("ecdsa.key", &ecdsa.key)
        .start();
    // TLS 1.3 has no PKCS #1 in handshakes.
    let old = [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256];
    for name in ["own.example", "127.0.0.1"] {
        for version in VERSIONS {
            for (schemes, expected) in
                [(&old[..], &rsa), (&[SignatureScheme::ECDSA_NISTP256_SHA256][..], &ecdsa)]
            {
                let mut client = Connector::knowing(version, schemes).connect(node.address(), name);
                assert_eq!(client.certificate(), expected.der, "{name}");
                assert_eq!(client.ask("GET", "/a", "h").status(), 200);
            }
            let client = Connector::of(version).connect(node.address(), name);
            assert_eq!(client.certificate(), ecdsa.der, "the cheaper one");
        }
    }
}

#[test]
fn who_can_check_no_signature_of_ours_is_told_so() {
    let node = builder("auto", &Identity::ecdsa(&["own.example"]), &mock()).start();
    let schemes = [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256];
    for version in VERSIONS {
        let refused = Connector::knowing(version, &schemes).try_connect(node.address(), "own.example");
        let error = refused.expect_err("the only key is of the other kind");
        assert!(error.to_string().contains("HandshakeFailure"), "{error}");
    }
}

#[test]
fn an_ocsp_response_is_stapled() {
    let own = Identity::ecdsa(&["own.example"]);
    let response = "any bytes: clients judge them";
    for runtime in RUNTIMES {
        let node =
            builder_with(runtime, &own, &mock(), ", ocsp: own.ocsp", "").file("own.ocsp", response).start();
        for version in VERSIONS {
            let connector = Connector::of(version);
            let mut client = connector.connect(node.address(), "own.example");
            assert_eq!(client.ask("GET", "/a", "h").status(), 200);
            assert_eq!(connector.ocsp(), response.as_bytes(), "{runtime}");
        }
    }
}
