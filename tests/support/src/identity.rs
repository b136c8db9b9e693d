//! Certificates of a test's own, made on the spot.

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    SignatureAlgorithm,
};

/// A certificate with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// PEM of the chain, leaf first.
    pub certificate: String,
    /// PEM of the key.
    pub key: String,
    /// The leaf as it is presented.
    pub der: Vec<u8>,
}

impl Identity {
    /// A self-signed certificate with an ECDSA key.
    #[must_use]
    pub fn ecdsa(names: &[&str]) -> Self {
        Self::made(names, &PKCS_ECDSA_P256_SHA256)
    }

    /// A self-signed certificate with an RSA key.
    #[must_use]
    pub fn rsa(names: &[&str]) -> Self {
        Self::made(names, &PKCS_RSA_SHA256)
    }

    fn made(names: &[&str], algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).expect("a key can be made");
        let certificate = named(names).self_signed(&key).expect("a certificate can be made");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().as_ref().to_vec(),
        }
    }

    /// The same certificate with another one's key.
    #[must_use]
    pub fn with_key_of(&self, other: &Identity) -> Self {
        Identity { key: other.key.clone(), ..self.clone() }
    }
}

/// Who issues certificates that can be verified.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

impl Authority {
    /// A fresh one.
    ///
    /// # Panics
    /// No key can be made.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = named(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).expect("a certificate can be made").der().as_ref().to_vec();
        Authority { issuer: Issuer::new(params, key), der }
    }

    /// A certificate of its own.
    ///
    /// # Panics
    /// No key can be made.
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> Identity {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = named(names).signed_by(&key, &self.issuer).expect("a certificate can be made");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().as_ref().to_vec(),
        }
    }

    /// The root as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn named(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("names of a test are well-formed")
}
