//! What a listener offers its clients: identities by name, a policy, protocols, tickets.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::identity::Identity;
use super::policy::Policy;

/// Tickets sent after a TLS 1.3 handshake. One is what a client needs that opens connections one after the other, and
/// what parallel ones each bring along; a second costs 7 µs of the handshake's 140 (docs/performance.md).
const TICKETS_PER_SESSION: usize = 1;

/// Keys of session tickets, rotated by the clock: one set for all shards and all listeners of a node, and the same
/// one after a reload, so that sessions are resumed wherever and whenever their client comes back.
#[derive(Clone)]
pub struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    /// Fresh keys. A ticket is good for 12 hours at most; its key is replaced after six.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new() -> Result<Self, String> {
        rustls::crypto::aws_lc_rs::Ticketer::new().map(Tickets).map_err(|error| error.to_string())
    }
}

/// Terms of one listener.
#[derive(Clone)]
pub struct Terms(pub(super) Arc<ServerConfig>);

impl Terms {
    /// The same for clients that speak HTTP/1.1 only, and another loop.
    #[must_use]
    pub fn http1(&self) -> Arc<ServerConfig> {
        let mut config = (*self.0).clone();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// Puts them together. The first identity serves clients that name no server, or one that nobody here is.
    ///
    /// # Errors
    /// No identity, or a policy that doesn't fit together.
    pub fn new(identities: &[Identity], policy: &Policy, tickets: &Tickets) -> Result<Self, String> {
        if identities.is_empty() {
            return Err("no certificate".to_owned());
        }
        let builder = ServerConfig::builder_with_provider(Arc::new(policy.provider()))
            .with_protocol_versions(&policy.versions())
            .map_err(|error| error.to_string())?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(ByName::new(identities)));
        config.ignore_client_order = true;
        config.ticketer = Arc::clone(&tickets.0);
        config.send_tls13_tickets = TICKETS_PER_SESSION;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Terms(Arc::new(config)))
    }
}

/// Identities by exact name and by wildcard; of several for a name, the first whose key the client can check.
#[derive(Debug)]
struct ByName {
    names: HashMap<String, Vec<Arc<CertifiedKey>>>,
    fallback: Vec<Arc<CertifiedKey>>,
}

impl ByName {
    fn new(identities: &[Identity]) -> Self {
        // The cheaper signature first.
        let mut ordered: Vec<&Identity> = identities.iter().collect();
        ordered.sort_by_key(|identity| !identity.ecdsa);
        let mut names: HashMap<String, Vec<Arc<CertifiedKey>>> = HashMap::new();
        for identity in &ordered {
            for name in &identity.names {
                names.entry(name.clone()).or_default().push(Arc::clone(&identity.key));
            }
        }
        // The first identity's companions (the same names, another kind of key) answer in its place where it can't.
        let first = &identities[0];
        let companions = ordered.iter().filter(|identity| identity.names == first.names);
        let mut fallback: Vec<_> = companions.map(|identity| Arc::clone(&identity.key)).collect();
        fallback.push(Arc::clone(&first.key));
        ByName { names, fallback }
    }

    /// Exact before wildcard, which stands for one label (RFC 9525 section 6.3).
    fn find(&self, name: &str) -> &[Arc<CertifiedKey>] {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.names
            .get(&name)
            .or_else(|| self.names.get(&format!("*.{}", name.split_once('.')?.1)))
            .unwrap_or(&self.fallback)
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = hello.server_name().map_or(self.fallback.as_slice(), |name| self.find(name));
        let usable = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        // With none that the client can check, rustls refuses the first with the alert meant for that; with no answer
        // at all it says `access_denied`.
        found.iter().find(usable).or(found.first()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{ByName, Identity};
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm};

    fn identity(names: &[&str], algorithm: &'static SignatureAlgorithm) -> Identity {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).and_then(|params| params.self_signed(&key));
        let certificate = certificate.expect("a certificate").pem();
        Identity::from_pem(certificate.as_bytes(), key.serialize_pem().as_bytes(), None).expect("an identity")
    }

    #[test]
    fn names_are_found_exactly_then_by_one_label_then_by_default() {
        let own = identity(&["own.example"], &PKCS_ECDSA_P256_SHA256);
        let wild = identity(&["*.api.example"], &PKCS_ECDSA_P256_SHA256);
        let exact = identity(&["one.api.example"], &PKCS_ECDSA_P256_SHA256);
        let by_name = ByName::new(&[own.clone(), wild.clone(), exact.clone()]);
        for (name, expected) in [
            ("own.example", &own),
            ("OWN.example.", &own),
            ("one.api.example", &exact),
            ("two.api.example", &wild),
            ("Two.API.example", &wild),
            ("three.two.api.example", &own),
            ("api.example", &own),
            ("*.api.example", &wild),
            ("elsewhere.example", &own),
            ("localhost", &own),
            ("", &own),
        ] {
            let found = &by_name.find(name)[0];
            assert!(std::sync::Arc::ptr_eq(found, &expected.key), "{name}");
        }
    }

    #[test]
    fn the_cheaper_signature_comes_first_and_the_other_kind_stands_in() {
        let rsa = identity(&["a.example"], &PKCS_RSA_SHA256);
        let ecdsa = identity(&["a.example"], &PKCS_ECDSA_P256_SHA256);
        let by_name = ByName::new(&[rsa.clone(), ecdsa.clone()]);
        for found in [by_name.find("a.example"), by_name.find("unknown.example")] {
            assert!(std::sync::Arc::ptr_eq(&found[0], &ecdsa.key));
            assert!(std::sync::Arc::ptr_eq(&found[1], &rsa.key));
        }
    }
}
