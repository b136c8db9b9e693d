//! AWS's security policies: what each lets a client have (REST API developer guide, "Supported security policies").

use super::{VERSIONS, builder_with, mock};
use rustls::crypto::aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, NamedGroup, ProtocolVersion};
use support::{Connector, Identity, Node};

fn serving(policy: &str) -> Node {
    let own = Identity::ecdsa(&["own.example"]);
    builder_with("auto", &own, &mock(), &format!(", security_policy: {policy}"), "").start()
}

/// A client that offers one suite and nothing else.
fn with_suite(node: &Node, version: usize, suite: CipherSuite) -> bool {
    let connector = Connector::offering(&[VERSIONS[version]], |provider| {
        provider.cipher_suites.retain(|known| known.suite() == suite);
    });
    connector
        .try_connect(node.address(), "x")
        .is_ok_and(|mut client| client.ask("GET", "/a", "h").status() == 200)
}

fn note(node: &Node) -> Option<&String> {
    node.seen().iter().find(|line| line.contains("turnpike.yaml:3:"))
}

#[test]
fn policies_of_tls_1_3_refuse_older_clients() {
    for policy in [
        "SecurityPolicy_TLS13_1_3_2025_09",
        "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
        "SecurityPolicy_TLS13_2025_EDGE",
    ] {
        let node = serving(policy);
        let error = Connector::of(&TLS12).try_connect(node.address(), "x").expect_err("too old");
        assert!(error.to_string().contains("ProtocolVersion"), "{policy}: {error}");
        let client = Connector::new().connect(node.address(), "x");
        assert_eq!(client.version(), ProtocolVersion::TLSv1_3, "{policy}");
    }
}

#[test]
fn every_policy_starts_and_its_note_tells_what_differs() {
    for policy in [
        ("TLS_1_0", "TLS 1.0 and 1.1"),
        ("TLS_1_2", "CBC suites and RSA key exchange"),
        ("SecurityPolicy_TLS13_1_3_2025_09", ""),
        ("SecurityPolicy_TLS13_1_3_FIPS_2025_09", "not a validated one"),
        ("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", ""),
        ("SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09", "not a validated one"),
        ("SecurityPolicy_TLS13_1_2_PQ_2025_09", "CBC suites"),
        ("SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09", "CBC suites"),
        ("SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09", "CBC suites"),
        ("SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09", "CBC suites"),
        ("SecurityPolicy_TLS13_1_2_2021_06", "CBC suites"),
        ("SecurityPolicy_TLS13_2025_EDGE", ""),
        ("SecurityPolicy_TLS12_PFS_2025_EDGE", "CBC suites"),
        ("SecurityPolicy_TLS12_2018_EDGE", "CBC suites"),
    ] {
        let node = serving(policy.0);
        match note(&node) {
            Some(line) => {
                assert!(!policy.1.is_empty() && line.contains(policy.0), "{policy:?}: {line}");
                assert!(node.seen().join(" ").contains(policy.1), "{policy:?}: {:?}", node.seen());
            }
            None => assert_eq!(policy.1, "", "{policy:?}: {:?}", node.seen()),
        }
        assert_eq!(Connector::new().connect(node.address(), "x").ask("GET", "/a", "h").status(), 200);
    }
}

#[test]
fn a_note_is_told_once_and_not_at_each_renewal() {
    let own = Identity::ecdsa(&["own.example"]);
    let mut node = builder_with("auto", &own, &mock(), ", security_policy: TLS_1_0", "").start();
    for _ in 0..2 {
        node.signal(rustix::process::Signal::HUP);
        node.wait_for_log("certificates renewed");
    }
    assert_eq!(node.seen().iter().filter(|line| line.contains("TLS_1_0")).count(), 1, "{:?}", node.seen());
}

#[test]
fn fips_policies_have_aes_gcm_alone() {
    use CipherSuite as S;
    let node = serving("SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09");
    let usual = serving("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09");
    for (version, suite, fips) in [
        (0, S::TLS13_AES_128_GCM_SHA256, true),
        (0, S::TLS13_AES_256_GCM_SHA384, true),
        (0, S::TLS13_CHACHA20_POLY1305_SHA256, false),
        (1, S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, true),
        (1, S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true),
        (1, S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, false),
    ] {
        assert_eq!(with_suite(&node, version, suite), fips, "{suite:?}");
        assert!(with_suite(&usual, version, suite), "{suite:?}");
    }
    let curve = Connector::offering(&[&TLS13], |provider| provider.kx_groups = vec![X25519]);
    assert!(curve.try_connect(node.address(), "x").is_err());
    assert!(curve.try_connect(usual.address(), "x").is_ok());
}

#[test]
fn post_quantum_policies_agree_on_the_hybrid_group_with_who_has_it() {
    for (policy, hybrid) in [
        ("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", true),
        ("SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09", true),
        ("SecurityPolicy_TLS13_1_3_2025_09", false),
        ("TLS_1_2", false),
    ] {
        let node = serving(policy);
        let agreed = |groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>| {
            let connector = Connector::offering(&[&TLS13], |provider| provider.kx_groups = groups);
            let mut client = connector.connect(node.address(), "x");
            assert_eq!(client.ask("GET", "/a", "h").status(), 200, "{policy}");
            client.group().expect("a full handshake").name()
        };
        assert_eq!(agreed(vec![X25519MLKEM768, SECP256R1]) == NamedGroup::X25519MLKEM768, hybrid, "{policy}");
        assert_eq!(agreed(vec![SECP256R1]), NamedGroup::secp256r1, "{policy}");
        assert_eq!(agreed(vec![SECP384R1]), NamedGroup::secp384r1, "{policy}");
    }
}

#[test]
fn the_cheapest_suite_of_the_server_wins() {
    let node = serving("TLS_1_2");
    let reversed = |version| Connector::offering(&[version], |provider| provider.cipher_suites.reverse());
    assert_eq!(reversed(&TLS13).connect(node.address(), "x").suite(), CipherSuite::TLS13_AES_128_GCM_SHA256);
    let suite = reversed(&TLS12).connect(node.address(), "x").suite();
    assert_eq!(suite, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
}
