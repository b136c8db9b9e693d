//! A TLS client that offers what a test wants, takes any certificate, and tells how a connection ended.

use crate::{Message, PATIENCE};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind,
    ProtocolVersion, RootCertStore, SignatureScheme, StreamOwned, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Full handshakes whose OCSP responses a test may leave unread.
const HANDSHAKES_MAX: usize = 1_000;

/// How a client's bytes are cut on their way.
#[derive(Clone, Copy, Debug)]
pub enum Pieces {
    /// Not at all.
    Whole,
    /// Bytes come one by one.
    Single,
    /// At places drawn from this seed.
    Drawn(u64),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer said that nothing follows.
    CloseNotify,
    /// The peer's TCP ended without a word of TLS.
    Truncated,
    /// A reset, or an alert.
    Broken,
}

/// Makes connections that have their offers and their session tickets in common.
#[derive(Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    ocsp: Receiver<Vec<u8>>,
    pieces: Pieces,
}

impl Connector {
    /// Offers every version, suite and group, and HTTP/1.1, which this client speaks.
    #[must_use]
    pub fn new() -> Self {
        Self::offering(&[&rustls::version::TLS13, &rustls::version::TLS12], |_| {})
    }

    /// Offers one version.
    #[must_use]
    pub fn of(version: &'static SupportedProtocolVersion) -> Self {
        Self::offering(&[version], |_| {})
    }

    /// Offers some versions, and what `narrow` leaves of suites and groups.
    ///
    /// # Panics
    /// Nothing is left.
    #[must_use]
    pub fn offering(
        versions: &[&'static SupportedProtocolVersion],
        narrow: impl FnOnce(&mut CryptoProvider),
    ) -> Self {
        Self::build(versions, narrow, None, None)
    }

    /// Knows signatures by these schemes alone.
    #[must_use]
    pub fn knowing(version: &'static SupportedProtocolVersion, schemes: &[SignatureScheme]) -> Self {
        Self::build(&[version], |_| {}, Some(schemes.to_vec()), None)
    }

    /// Offers everything, and takes only certificates that lead to this root.
    ///
    /// # Panics
    /// The root is no certificate.
    #[must_use]
    pub fn trusting(root: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.to_vec())).expect("a root");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().expect("there is a root");
        Self::build(&[&rustls::version::TLS13, &rustls::version::TLS12], |_| {}, None, Some(verifier))
    }

    fn build(
        versions: &[&'static SupportedProtocolVersion],
        narrow: impl FnOnce(&mut CryptoProvider),
        schemes: Option<Vec<SignatureScheme>>,
        verifier: Option<Arc<WebPkiServerVerifier>>,
    ) -> Self {
        let mut provider = aws_lc_rs::default_provider();
        narrow(&mut provider);
        let known = provider.signature_verification_algorithms;
        let (sender, ocsp) = sync_channel(HANDSHAKES_MAX);
        let witness = Arc::new(Witness {
            schemes: schemes.unwrap_or_else(|| known.supported_schemes()),
            verifier,
            ocsp: sender,
        });
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .expect("something is offered")
            .dangerous()
            .with_custom_certificate_verifier(witness);
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Connector { config: Arc::new(config), ocsp, pieces: Pieces::Whole }
    }

    /// Offers other protocols by ALPN; none is no offer.
    #[must_use]
    pub fn protocols(mut self, protocols: &[&str]) -> Self {
        let config = Arc::make_mut(&mut self.config);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Cuts what is sent.
    #[must_use]
    pub fn in_pieces(mut self, pieces: Pieces) -> Self {
        self.pieces = pieces;
        self
    }

    /// Connects and shakes hands; an IP address as name names nobody.
    ///
    /// # Panics
    /// The handshake fails.
    #[must_use]
    pub fn connect(&self, address: SocketAddr, name: &str) -> TlsClient {
        self.try_connect(address, name).unwrap_or_else(|error| panic!("{name} at {address}: {error}"))
    }

    /// Connects and shakes hands.
    ///
    /// # Errors
    /// The handshake fails.
    ///
    /// # Panics
    /// Nobody listens there.
    pub fn try_connect(&self, address: SocketAddr, name: &str) -> io::Result<TlsClient> {
        let socket =
            TcpStream::connect(address).unwrap_or_else(|error| panic!("connect to {address}: {error}"));
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let session = ClientConnection::new(Arc::clone(&self.config), name).expect("a session");
        let mut stream = StreamOwned::new(session, Wire { socket, pieces: self.pieces });
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        // The last words of the client's handshake.
        stream.flush()?;
        Ok(TlsClient { stream: BufReader::new(stream) })
    }

    /// The bytes that a handshake begins with.
    ///
    /// # Panics
    /// The name is none.
    #[must_use]
    pub fn hello(&self, name: &str) -> Vec<u8> {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let mut session = ClientConnection::new(Arc::clone(&self.config), name).expect("a session");
        let mut hello = Vec::new();
        session.write_tls(&mut hello).expect("a vector takes bytes");
        hello
    }

    /// The OCSP response that came with the last full handshake.
    #[must_use]
    pub fn ocsp(&self) -> Vec<u8> {
        self.ocsp.try_iter().last().unwrap_or_default()
    }
}

impl Default for Connector {
    fn default() -> Self {
        Self::new()
    }
}

/// One connection.
#[derive(Debug)]
pub struct TlsClient {
    stream: BufReader<StreamOwned<ClientConnection, Wire>>,
}

impl TlsClient {
    fn session(&self) -> &ClientConnection {
        &self.stream.get_ref().conn
    }

    /// Sends plain bytes.
    ///
    /// # Panics
    /// The peer closed.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_send(bytes).expect("the peer takes bytes");
        self
    }

    /// Sends plain bytes.
    ///
    /// # Errors
    /// The peer closed.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes.as_ref())?;
        stream.flush()
    }

    /// Sends bytes that are none of the session's.
    ///
    /// # Panics
    /// The peer closed.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().sock.socket.write_all(bytes).expect("the peer takes bytes");
    }

    /// Reads the answer to a GET or the like.
    ///
    /// # Panics
    /// There is none in time.
    pub fn response(&mut self) -> Message {
        self.try_response("GET").expect("a response")
    }

    /// Reads the answer to a request of the given method.
    ///
    /// # Errors
    /// There is none in time.
    pub fn try_response(&mut self, method: &str) -> io::Result<Message> {
        Message::read_response(&mut self.stream, method)
    }

    /// Sends one request without a body and reads its answer. The connection stays open.
    pub fn ask(&mut self, method: &str, target: &str, host: &str) -> Message {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        self.try_response(method).expect("a response")
    }

    /// Says that no more bytes will come, and leaves TCP open.
    ///
    /// # Panics
    /// The connection is gone.
    pub fn close_notify(&mut self) {
        let stream = self.stream.get_mut();
        stream.conn.send_close_notify();
        stream.flush().expect("the peer takes bytes");
    }

    /// Ends TCP's sending side without a word of TLS.
    ///
    /// # Panics
    /// The connection is gone.
    pub fn finish(&mut self) {
        self.stream.get_ref().sock.socket.shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// Everything until the end, and how it ended.
    pub fn rest(&mut self) -> (Vec<u8>, End) {
        let mut rest = Vec::new();
        let end = match self.stream.read_to_end(&mut rest) {
            Ok(_) => End::CloseNotify,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => End::Truncated,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("no end in time"),
            Err(_) => End::Broken,
        };
        (rest, end)
    }

    /// The version agreed.
    ///
    /// # Panics
    /// There is none, which a handshake leaves.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.session().protocol_version().expect("the handshake is over")
    }

    /// The suite agreed.
    ///
    /// # Panics
    /// There is none, which a handshake leaves.
    #[must_use]
    pub fn suite(&self) -> CipherSuite {
        self.session().negotiated_cipher_suite().expect("the handshake is over").suite()
    }

    /// The key-exchange group agreed, which a resumed session of TLS 1.2 has none of.
    #[must_use]
    pub fn group(&self) -> Option<&'static dyn SupportedKxGroup> {
        self.session().negotiated_key_exchange_group()
    }

    /// The protocol agreed by ALPN.
    #[must_use]
    pub fn protocol(&self) -> Option<String> {
        self.session().alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// The certificate presented.
    ///
    /// # Panics
    /// There is none, which a handshake leaves.
    #[must_use]
    pub fn certificate(&self) -> Vec<u8> {
        self.session().peer_certificates().expect("servers present one")[0].as_ref().to_vec()
    }

    /// Whether an earlier session went on.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.session().handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

/// The socket, with a knife.
#[derive(Debug)]
struct Wire {
    socket: TcpStream,
    pieces: Pieces,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.read(into)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = match &mut self.pieces {
            Pieces::Whole => bytes.len(),
            Pieces::Single => 1,
            Pieces::Drawn(state) => {
                // xorshift: any seed but zero.
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                // Mostly short, at times long.
                let most = if state.is_multiple_of(4) { 20_000 } else { 40 };
                usize::try_from(*state % most).unwrap_or(0) + 1
            }
        };
        self.socket.write(&bytes[..len.min(bytes.len())])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Checks signatures, remembers what came along, and trusts whom it is told to, else anybody.
#[derive(Debug)]
struct Witness {
    schemes: Vec<SignatureScheme>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
    ocsp: SyncSender<Vec<u8>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // What nobody reads is lost, as it should be.
        let _ = self.ocsp.try_send(ocsp.to_vec());
        match &self.verifier {
            Some(verifier) => verifier.verify_server_cert(leaf, chain, name, ocsp, now),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signature, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
