//! A session against rustls's own client, in memory: whatever way the bytes are cut, and whatever a peer makes of them.

#![expect(clippy::disallowed_methods, reason = "what a session holds is bounded by what a test wrote")]

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::io::{Read, Write};

use super::session::Stop;
use super::{Identity, POLICIES, Policy, Session, Terms, Tickets};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Takes any certificate whose key signs the handshake.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

fn terms() -> Terms {
    let made = rcgen::generate_simple_self_signed(["x".to_owned()]).expect("a certificate");
    let key = made.signing_key.serialize_pem();
    let identity = Identity::from_pem(made.cert.pem().as_bytes(), key.as_bytes(), None).expect("an identity");
    Terms::new(&[identity], &POLICIES[0], &Tickets::new().expect("random numbers")).expect("terms")
}

fn client_config(version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = AnyCertificate(provider.signature_verification_algorithms);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("the version is known")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Arc::new(builder.with_no_client_auth())
}

/// Both ends, and what the server read.
struct Pair {
    client: ClientConnection,
    server: Session,
    read: Vec<u8>,
}

impl Pair {
    fn new(terms: &Terms, config: &Arc<ClientConfig>) -> Self {
        let name = ServerName::try_from("x").expect("a name");
        Pair {
            client: ClientConnection::new(Arc::clone(config), name).expect("a client"),
            server: Session::accept(terms).expect("a session"),
            read: Vec::new(),
        }
    }

    /// What the client wants to send.
    fn sent(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).expect("a vector takes bytes");
        }
        bytes
    }

    /// Gives the server bytes, and the client what it says to them.
    fn deliver(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let mut out = Vec::new();
        let outcome = self.server.receive(&mut bytes.to_vec(), &mut self.read, &mut out);
        self.hear(&out);
        outcome
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.client.read_tls(&mut bytes).expect("a slice gives bytes");
            // What the client thinks of it is asked where it matters.
            let _ = self.client.process_new_packets();
        }
    }

    /// A handshake and a request whose bytes arrive in the pieces that `cut` says: it gets the number of bytes sent
    /// before and a flight, and gives the length of the next piece.
    fn ask(&mut self, mut cut: impl FnMut(usize, &[u8]) -> usize) {
        self.client.writer().write_all(REQUEST).expect("the client takes bytes");
        let mut before = 0;
        loop {
            let flight = self.sent();
            if flight.is_empty() {
                break;
            }
            let mut rest = &flight[..];
            while !rest.is_empty() {
                let (piece, further) = rest.split_at(cut(before, rest).clamp(1, rest.len()));
                before += piece.len();
                rest = further;
                self.deliver(piece).expect("the client is well-behaved");
            }
        }
        assert_eq!(self.read, REQUEST);
        assert!(self.server.pending_bytes() == 0, "whole records leave nothing");
    }

    /// Answers the request; what the client read.
    fn answer(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.server.encrypt(ANSWER, &mut out).expect("the handshake is over");
        self.server.close(&mut out);
        self.server.close(&mut out);
        self.hear(&out);
        let mut answer = Vec::new();
        // Anything but a clean close is an error here.
        self.client.reader().read_to_end(&mut answer).expect("a clean close");
        answer
    }
}

#[test]
fn a_stream_cut_at_any_byte_is_the_same_stream() {
    let terms = terms();
    for version in VERSIONS {
        let mut length = 0;
        let mut at = 1;
        loop {
            // Fresh configuration: a resumed handshake has other bytes.
            let mut pair = Pair::new(&terms, &client_config(version));
            pair.ask(|before, flight| {
                length = before + flight.len();
                if (before + 1..length).contains(&at) { at - before } else { flight.len() }
            });
            assert_eq!(pair.answer(), ANSWER, "{version:?} cut at {at}");
            at += 1;
            if at >= length {
                break;
            }
        }
    }
}

#[test]
fn a_stream_that_comes_byte_by_byte_is_the_same_stream() {
    let terms = terms();
    for version in VERSIONS {
        let config = client_config(version);
        for resumed in [false, true] {
            let mut pair = Pair::new(&terms, &config);
            pair.ask(|_, _| 1);
            assert_eq!(pair.server.greeted(), Some(resumed), "{version:?}");
            assert_eq!(pair.server.greeted(), None, "told once");
            assert!(
                pair.server
                    .agreed()
                    .is_some_and(|(version, suite)| version.starts_with("TLSv1.") && suite != "-")
            );
            assert_eq!(pair.answer(), ANSWER);
        }
    }
}

#[test]
fn an_answer_longer_than_a_record_arrives_whole() {
    let terms = terms();
    for version in VERSIONS {
        let mut pair = Pair::new(&terms, &client_config(version));
        pair.ask(|_, flight| flight.len());
        for len in [0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 1_000_000] {
            let plain: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            let mut out = Vec::new();
            pair.server.encrypt(&plain, &mut out).expect("the handshake is over");
            let (mut read, mut rest) = (Vec::new(), &out[..]);
            while !rest.is_empty() {
                pair.client.read_tls(&mut rest).expect("a slice gives bytes");
                pair.client.process_new_packets().expect("records of a session");
                // `WouldBlock` says that there is no more for now.
                let _ = pair.client.reader().read_to_end(&mut read);
            }
            assert!(read == plain, "{version:?}: {len}");
        }
    }
}

/// A record of a handshake in the clear.
fn handshake_record(payload: &[u8]) -> Vec<u8> {
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&u16::try_from(payload.len()).expect("a short one").to_be_bytes());
    record.extend_from_slice(payload);
    record
}

/// The first record of a client, cut into records of `size` bytes each.
fn slivers(hello: &[u8], size: usize) -> Vec<u8> {
    hello[5..].chunks(size).flat_map(handshake_record).collect()
}

#[test]
fn a_hello_over_many_records_is_read() {
    let terms = terms();
    let mut pair = Pair::new(&terms, &client_config(&rustls::version::TLS13));
    let hello = pair.sent();
    let records = slivers(&hello, 3);
    for piece in records.chunks(7) {
        pair.deliver(piece).expect("records may be short");
    }
    assert!(!pair.sent().is_empty(), "the client goes on");
}

#[test]
fn half_a_handshake_message_hinders_neither_a_close_nor_an_alert() {
    let terms = terms();
    let hello = Pair::new(&terms, &client_config(&rustls::version::TLS13)).sent();
    let half = handshake_record(&hello[5..60]);
    // A connection that stalls here is closed: there is nobody to tell it to.
    let mut server = Session::accept(&terms).expect("a session");
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    server.receive(&mut half.clone(), &mut plain, &mut out).expect("more may come");
    assert!(server.encrypt(b"x", &mut out).is_err());
    server.close(&mut out);
    assert!(out.is_empty());
    // What is no continuation fails, in the same piece and in the next one.
    let others: [&[u8]; 4] =
        [b"GET / HTTP/1.1\r\n\r\n", &[23, 3, 3, 0, 1, 0], &[21, 3, 3, 0, 2, 1, 0], &[22, 3, 3, 255, 255, 0]];
    for other in others {
        for together in [false, true] {
            let mut server = Session::accept(&terms).expect("a session");
            let mut bytes = half.clone();
            if !together {
                server.receive(&mut bytes, &mut plain, &mut out).expect("more may come");
                bytes.clear();
            }
            bytes.extend_from_slice(other);
            assert!(server.receive(&mut bytes, &mut plain, &mut out).is_err(), "{other:?}");
            server.close(&mut Vec::new());
        }
    }
}

#[test]
fn bytes_that_are_no_handshake_get_an_alert() {
    let terms = terms();
    let samples: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &[0; 64],
        &[22, 3, 1, 0, 4, 9, 0, 0, 0],
        &[22, 3, 1, 255, 255],
    ];
    for sample in samples {
        let mut server = Session::accept(&terms).expect("a session");
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        assert!(server.receive(&mut sample.to_vec(), &mut plain, &mut out).is_err(), "{sample:?}");
        assert_eq!((out[0], out[5], out.len()), (21, 2, 7), "one fatal alert: {out:?}");
        assert!(plain.is_empty());
    }
}

#[test]
fn a_handshake_message_is_not_gathered_without_bound() {
    let terms = terms();
    let mut server = Session::accept(&terms).expect("a session");
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    server.receive(&mut handshake_record(&[1, 0, 255, 0]), &mut plain, &mut out).expect("more may come");
    let sliver = handshake_record(&[0]);
    let taken =
        (0..100_000).take_while(|_| server.receive(&mut sliver.clone(), &mut plain, &mut out).is_ok());
    let bytes = taken.count() * sliver.len();
    assert!((60 * 1024..100 * 1024).contains(&bytes), "{bytes}");
}

#[test]
fn a_ticket_is_good_on_other_terms_with_the_same_keys_and_on_no_others() {
    let made = || {
        let made = rcgen::generate_simple_self_signed(["x".to_owned()]).expect("a certificate");
        Identity::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes(), None)
            .expect("an identity")
    };
    let tickets = Tickets::new().expect("random numbers");
    let policy = Policy::named("TLS_1_2").expect("known");
    let before = Terms::new(&[made()], policy, &tickets).expect("terms");
    let renewed = Terms::new(&[made()], policy, &tickets).expect("terms");
    let foreign = Terms::new(&[made()], policy, &Tickets::new().expect("random numbers")).expect("terms");
    for version in VERSIONS {
        let config = client_config(version);
        for (terms, resumed) in [(&before, false), (&renewed, true), (&foreign, false)] {
            let mut pair = Pair::new(terms, &config);
            pair.ask(|_, flight| flight.len());
            assert_eq!(pair.server.greeted(), Some(resumed), "{version:?}");
            assert_eq!(pair.answer(), ANSWER);
        }
    }
}

#[test]
fn the_end_that_a_client_says_is_noticed_and_its_answer_still_goes_out() {
    let terms = terms();
    for version in VERSIONS {
        let mut pair = Pair::new(&terms, &client_config(version));
        pair.ask(|_, flight| flight.len());
        assert!(!pair.server.has_ended());
        pair.client.send_close_notify();
        let end = pair.sent();
        pair.deliver(&end).expect("a clean end");
        assert!(pair.server.has_ended(), "{version:?}");
        assert_eq!(pair.answer(), ANSWER, "{version:?}");
    }
}

#[test]
fn policies_are_those_that_settings_know_in_their_order() {
    let names: Vec<&str> = POLICIES.iter().map(|policy| policy.name).collect();
    assert_eq!(names, vocabulary::security_policy::NAMES);
    for policy in POLICIES {
        let (suites, groups) = (policy.provider().cipher_suites, policy.provider().kx_groups);
        let names: Vec<String> = suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();
        assert_eq!(
            policy.versions().len() == 1,
            policy.name.contains("_1_3_") || policy.name.contains("TLS13_2025")
        );
        assert_eq!(
            names.iter().all(|name| name.contains("GCM")),
            policy.name.contains("FIPS"),
            "{}",
            policy.name
        );
        let first = format!("{:?}", groups[0].name());
        assert_eq!(first == "X25519MLKEM768", policy.name.contains("_PQ_"), "{}: {first}", policy.name);
    }
    assert!(Policy::named("TLS_1_1").is_none());
}
