//! TLS of calls to backends: whom to trust, and the sessions that a shard resumes.
//!
//! Feature: TLS of backends

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;

use super::policy::Policy;

/// Sessions that one shard keeps to resume, over all backends.
const SESSIONS_MAX: usize = 256;

/// Certificate authorities that backends' certificates are checked against.
#[derive(Clone, Debug)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Reads every usable certificate of a PEM file; those that can't be used are passed over, as a bundle of a system
    /// may hold some of an older age.
    ///
    /// # Errors
    /// There is none.
    pub fn from_pem(text: &[u8]) -> Result<Self, String> {
        let certificates = CertificateDer::pem_slice_iter(text).filter_map(Result::ok);
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates);
        if store.is_empty() {
            Err("holds no usable certificate".to_owned())
        } else {
            Ok(Roots(Arc::new(store)))
        }
    }
}

/// Terms of one shard's calls. Each shard has its own, so that the lock in the cache of sessions is never waited for.
pub(crate) struct CallTerms {
    /// `None` without roots: nobody can be verified.
    verified: Option<Offers>,
    any_issuer: Offers,
}

/// The same terms, without and with the offer of HTTP/2.
struct Offers([Arc<ClientConfig>; 2]);

impl CallTerms {
    /// Terms by roots.
    ///
    /// # Errors
    /// The roots can't be used.
    pub(crate) fn new(roots: Option<&Roots>) -> Result<Self, String> {
        let policy = Policy::named("TLS_1_2").ok_or("no policy for calls")?;
        let provider = Arc::new(policy.provider());
        let config = |verifier: Arc<dyn ServerCertVerifier>| -> Result<Offers, String> {
            let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(&policy.versions())
                .map_err(|error| error.to_string())?;
            let mut config =
                builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
            config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            let mut http2 = config.clone();
            http2.alpn_protocols.insert(0, b"h2".to_vec());
            Ok(Offers([Arc::new(config), Arc::new(http2)]))
        };
        let verified = roots.map(|roots| {
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots.0), Arc::clone(&provider));
            config(builder.build().map_err(|error| error.to_string())?)
        });
        Ok(CallTerms {
            verified: verified.transpose()?,
            any_issuer: config(Arc::new(AnyIssuer(Arc::clone(&provider))))?,
        })
    }

    /// The configuration of a call.
    pub(crate) fn of(&self, any_issuer: bool, http2: bool) -> Option<&Arc<ClientConfig>> {
        let offers = if any_issuer { &self.any_issuer } else { self.verified.as_ref()? };
        Some(&offers.0[usize::from(http2)])
    }
}

/// `insecureSkipVerification`: the issuer isn't checked; dates, host name and possession of the key are (REST API
/// developer guide, "Integration request: tlsConfig").
#[derive(Debug)]
struct AnyIssuer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyIssuer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = webpki::EndEntityCert::try_from(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let verified = certificate.verify_for_usage(
            self.0.signature_verification_algorithms.all,
            &[],
            intermediates,
            now,
            webpki::KeyUsage::server_auth(),
            None,
            None,
        );
        match verified.map(|_| ()) {
            // Without a trusted root every path ends like this, after what doesn't depend on the issuer was checked.
            // The second is that of a certificate which signed itself.
            Ok(()) | Err(webpki::Error::UnknownIssuer | webpki::Error::CaUsedAsEndEntity) => {}
            Err(webpki::Error::CertExpired { .. }) => {
                return Err(Error::InvalidCertificate(CertificateError::Expired));
            }
            Err(webpki::Error::CertNotValidYet { .. }) => {
                return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
            }
            Err(_) => return Err(Error::InvalidCertificate(CertificateError::BadEncoding)),
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
