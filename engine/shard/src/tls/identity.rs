//! A certificate chain with its key: read from PEM, checked as far as can be before anybody connects.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Certificates in one chain. AWS takes four (REST API developer guide, "Mutual TLS"); servers send as many at most.
const CHAIN_MAX: usize = 16;

/// A certificate that a listener can present.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) names: Vec<String>,
    pub(super) ecdsa: bool,
}

/// Why files are no identity. `in_key` tells which of the two files is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityError {
    /// The key's file, not the certificate's.
    pub in_key: bool,
    /// What is wrong, without a word of what the file holds.
    pub reason: String,
}

impl IdentityError {
    fn certificate(reason: impl Into<String>) -> Self {
        IdentityError { in_key: false, reason: reason.into() }
    }

    fn key(reason: impl Into<String>) -> Self {
        IdentityError { in_key: true, reason: reason.into() }
    }
}

impl Identity {
    /// Reads a chain (leaf first) and its private key from PEM; `ocsp` is a DER response to staple.
    ///
    /// # Errors
    /// Nothing usable in either, or they don't belong together.
    pub fn from_pem(certificate: &[u8], key: &[u8], ocsp: Option<Vec<u8>>) -> Result<Self, IdentityError> {
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(certificate).collect();
        let chain =
            chain.map_err(|error| IdentityError::certificate(format!("is no PEM: {}", plain(&error))))?;
        if chain.is_empty() {
            return Err(IdentityError::certificate("holds no certificate (-----BEGIN CERTIFICATE-----)"));
        }
        if chain.len() > CHAIN_MAX {
            return Err(IdentityError::certificate(format!(
                "holds {} certificates; a chain has at most {CHAIN_MAX}",
                chain.len()
            )));
        }
        let leaf = webpki::EndEntityCert::try_from(&chain[0]).map_err(|error| {
            IdentityError::certificate(format!("its first certificate can't be used: {error}"))
        })?;
        let names: Vec<String> = leaf.valid_dns_names().map(str::to_ascii_lowercase).collect();
        let signing = any_supported_type(&private_key(key)?).map_err(|_| {
            IdentityError::key("is of no kind that TLS uses here (RSA, ECDSA P-256/P-384/P-521, Ed25519)")
        })?;
        let ecdsa = signing.algorithm() != rustls::SignatureAlgorithm::RSA;
        let mut certified = CertifiedKey::new(chain, signing);
        certified.keys_match().map_err(|_| IdentityError::key("is not the key of the certificate"))?;
        certified.ocsp = ocsp;
        Ok(Identity { key: Arc::new(certified), names, ecdsa })
    }

    /// DNS names that the certificate stands for, in lower case; wildcards as `*.example.com`.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, IdentityError> {
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => Ok(key),
        Err(_) if holds_encrypted_key(text) => {
            Err(IdentityError::key("is encrypted; give it without a passphrase, readable by this user alone"))
        }
        Err(pem::Error::NoItemsFound) => {
            Err(IdentityError::key("holds no private key (-----BEGIN PRIVATE KEY-----)"))
        }
        Err(error) => Err(IdentityError::key(format!("is no PEM: {}", plain(&error)))),
    }
}

fn holds_encrypted_key(text: &[u8]) -> bool {
    const MARKS: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    MARKS.iter().any(|mark| text.windows(mark.len()).any(|window| window == *mark))
}

/// The parser's reason without the text it stumbled over, which may be part of a key.
fn plain(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a section's first line is broken".to_owned(),
        pem::Error::Base64Decode(_) => "a section isn't base64".to_owned(),
        _ => "it can't be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CHAIN_MAX, Identity, IdentityError};
    use rcgen::{Certificate, CertifiedKey, KeyPair};

    fn made(names: &[&str]) -> (Certificate, KeyPair) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).expect("a certificate");
        (cert, signing_key)
    }

    fn refused(certificate: &str, key: &str) -> IdentityError {
        Identity::from_pem(certificate.as_bytes(), key.as_bytes(), None).expect_err("refused")
    }

    #[test]
    fn names_are_those_of_the_leaf_in_lower_case() {
        let (certificate, key) = made(&["Api.Example.COM", "*.example.com"]);
        let (other, _) = made(&["other.example"]);
        let chain = certificate.pem() + &other.pem();
        let identity = Identity::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes(), Some(vec![7]))
            .expect("fine");
        assert_eq!(identity.names(), ["api.example.com", "*.example.com"]);
        assert_eq!((identity.key.cert.len(), identity.key.ocsp.as_deref()), (2, Some(&[7][..])));
        assert!(identity.ecdsa);
    }

    #[test]
    fn what_is_no_identity_is_told_by_its_file() {
        let (certificate, key) = made(&["a.example"]);
        let (_, other_key) = made(&["a.example"]);
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        let cut = |text: &str| text.split("-----END").next().expect("a first part").to_owned();
        let swapped = certificate.replace("CERTIFICATE", "PRIVATE KEY");
        for (certificate, key, in_key, words) in [
            ("", key.as_str(), false, "holds no certificate"),
            (&key, &key, false, "holds no certificate"),
            (&cut(&certificate), &key, false, "is no PEM: a section has no end"),
            (&certificate.replace("MII", "M!I"), &key, false, "is no PEM: a section isn't base64"),
            (&certificate.repeat(CHAIN_MAX + 1), &key, false, "holds 17 certificates"),
            (&certificate.replacen("MII", "AII", 1), &key, false, "its first certificate can't be used"),
            (&certificate, "", true, "holds no private key"),
            (&certificate, &certificate, true, "holds no private key"),
            (&certificate, &cut(&key), true, "is no PEM: a section has no end"),
            (&certificate, &swapped, true, "is of no kind that TLS uses here"),
            (&certificate, &other_key.serialize_pem(), true, "is not the key of the certificate"),
            (&certificate, &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), true, "is encrypted"),
            (
                &certificate,
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
                true,
                "is encrypted",
            ),
        ] {
            let error = refused(certificate, key);
            assert_eq!(error.in_key, in_key, "{words}: {error:?}");
            assert!(error.reason.contains(words), "{words}: {error:?}");
            for line in key.lines().filter(|line| !line.starts_with('-') && line.len() > 8) {
                assert!(!error.reason.contains(&line[..8]), "{error:?}");
            }
        }
    }
}
