//! One connection's TLS: records in and plain bytes out, and the other way round.
//!
//! What arrives is read as far as whole records go. What follows them waits here: the beginning of a record, and a
//! handshake message that goes over several. rustls remembers places in those bytes, so it gets to see them at each call.

use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CipherSuite, ClientConfig, CommonState, HandshakeKind, ProtocolVersion};

use rustls::pki_types::ServerName;

use super::terms::Terms;

/// Plain bytes in one record (RFC 8446 section 5.1).
const RECORD_PLAIN_MAX: usize = 16 * 1024;
/// What a record is longer than its plain bytes, in either version, with some room.
const RECORD_OVERHEAD: usize = 64;
/// Bytes that may wait for the rest of what they begin. A handshake message may have 64 KiB and lies in several
/// records then, which rustls reads as one; a peer that cuts it into slivers, each with a head of its own, is refused.
const PENDING_MAX: usize = 96 * 1024;

/// The TLS state of a connection.
pub(crate) struct Session {
    side: Side,
    /// What has begun and whose rest is still to come.
    pending: Vec<u8>,
    /// The peer said that it sends no more.
    ended: bool,
    /// We said so, or the session failed.
    closed: bool,
    /// The handshake's end has been told.
    greeted: bool,
}

enum Side {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The peer broke the protocol, or we have nothing in common. An alert may be among the bytes to send.
    Failed,
    /// The peer's certificate is for another name.
    OtherName,
    /// Nothing can be sent: the handshake isn't over, or the session is.
    Over,
}

impl Stop {
    fn of(error: rustls::Error) -> Self {
        use rustls::{CertificateError, Error};
        match error {
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => Stop::OtherName,
            _ => Stop::Failed,
        }
    }
}

impl Session {
    /// Bytes that it holds, apart from what its keys take on the heap.
    pub(crate) fn held_bytes(&self) -> usize {
        let side = match self.side {
            Side::Server(_) => size_of::<UnbufferedServerConnection>(),
            Side::Client(_) => size_of::<UnbufferedClientConnection>(),
        };
        size_of::<Self>() + side + self.pending.capacity()
    }

    /// The server's side of a new connection.
    ///
    /// # Errors
    /// The terms can't be used, which building them should have shown.
    pub(crate) fn accept(terms: &Terms) -> Result<Self, rustls::Error> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&terms.0))?;
        Ok(Session {
            side: Side::Server(Box::new(connection)),
            pending: Vec::new(),
            ended: false,
            closed: false,
            greeted: false,
        })
    }

    /// The client's side of a new connection; `out` gets the first message.
    ///
    /// # Errors
    /// The terms can't be used.
    pub(crate) fn connect(
        config: &Arc<ClientConfig>,
        name: &ServerName<'static>,
        out: &mut Vec<u8>,
    ) -> Result<Self, Stop> {
        let connection =
            UnbufferedClientConnection::new(Arc::clone(config), name.clone()).map_err(|_| Stop::Failed)?;
        let mut session = Session {
            side: Side::Client(Box::new(connection)),
            pending: Vec::new(),
            ended: false,
            closed: false,
            greeted: false,
        };
        session.receive(&mut [], &mut Vec::new(), out)?;
        Ok(session)
    }

    /// Reads `records`, whose bytes may be changed in place. Appends plain bytes to `plain`, and to `out` what the
    /// protocol wants to tell the peer, also when it fails.
    ///
    /// # Errors
    /// The connection can't go on; `out` may hold an alert.
    pub(crate) fn receive(
        &mut self,
        records: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let outcome = self.gather(records, plain, out);
        // After a failure there is nothing to say, and rustls must not be asked again.
        self.closed |= outcome.is_err();
        outcome
    }

    fn gather(&mut self, records: &mut [u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), Stop> {
        if self.pending.is_empty() {
            let read = self.read(records, plain, out)?;
            self.pending.extend_from_slice(&records[read..]);
        } else {
            let mut gathered = std::mem::take(&mut self.pending);
            gathered.extend_from_slice(records);
            let read = self.read(&mut gathered, plain, out)?;
            gathered.drain(..read);
            self.pending = gathered;
        }
        if self.pending.is_empty() {
            // An idle connection keeps no buffer.
            self.pending = Vec::new();
        }
        if self.pending.len() > PENDING_MAX {
            return Err(Stop::Failed);
        }
        Ok(())
    }

    fn read(&mut self, records: &mut [u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<usize, Stop> {
        match &mut self.side {
            Side::Server(connection) => read(&mut **connection, records, plain, out, &mut self.ended),
            Side::Client(connection) => read(&mut **connection, records, plain, out, &mut self.ended),
        }
    }

    /// Encrypts `plain` and appends the records to `out`.
    ///
    /// # Errors
    /// [`Stop::Over`], or the peer broke the protocol before.
    pub(crate) fn encrypt(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        if self.closed {
            return Err(Stop::Over);
        }
        self.write(Outgoing::Plain(plain), out)
    }

    /// Says that nothing more follows (`close_notify`), once, if the handshake got that far.
    pub(crate) fn close(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.closed, true) {
            // Before the handshake's end there is nobody to tell it to.
            let _ = self.write(Outgoing::CloseNotify, out);
        }
    }

    /// Once, when the handshake is over: whether it resumed an earlier session.
    pub(crate) fn greeted(&mut self) -> Option<bool> {
        let common = self.common();
        if self.greeted || common.is_handshaking() {
            return None;
        }
        let kind = common.handshake_kind()?;
        self.greeted = true;
        Some(kind == HandshakeKind::Resumed)
    }

    /// HTTP/2 was agreed on (ALPN).
    pub(crate) fn speaks_http2(&self) -> bool {
        self.common().alpn_protocol() == Some(b"h2")
    }

    /// The peer said that it sends no more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Bytes that wait for the rest of what they begin.
    #[cfg(test)]
    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Version and suite, once agreed: `TLSv1.3`, `TLS_AES_128_GCM_SHA256`.
    pub(crate) fn agreed(&self) -> Option<(&'static str, &'static str)> {
        let common = self.common();
        Some((
            version_name(common.protocol_version()?),
            suite_name(common.negotiated_cipher_suite()?.suite()),
        ))
    }

    fn common(&self) -> &CommonState {
        match &self.side {
            Side::Server(connection) => connection,
            Side::Client(connection) => connection,
        }
    }

    fn write(&mut self, what: Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
        match &mut self.side {
            Side::Server(connection) => write(&mut **connection, &mut self.pending, what, out),
            Side::Client(connection) => write(&mut **connection, &mut self.pending, what, out),
        }
    }
}

/// What the two sides have in common.
trait Records {
    type Data;
    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Records for UnbufferedServerConnection {
    type Data = ServerConnectionData;
    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(records)
    }
}

impl Records for UnbufferedClientConnection {
    type Data = ClientConnectionData;
    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(records)
    }
}

/// What is to be encrypted.
#[derive(Clone, Copy)]
enum Outgoing<'a> {
    Plain(&'a [u8]),
    CloseNotify,
}

/// Reads whole records; how many bytes of `records` they were.
fn read<C: Records>(
    connection: &mut C,
    records: &mut [u8],
    plain: &mut Vec<u8>,
    out: &mut Vec<u8>,
    ended: &mut bool,
) -> Result<usize, Stop> {
    let mut at = 0;
    loop {
        let UnbufferedStatus { discard, state, .. } = connection.process(&mut records[at..]);
        at += discard;
        match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    let record = record.map_err(|_| Stop::Failed)?;
                    at += record.discard;
                    plain.extend_from_slice(record.payload);
                }
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => encode(|room| data.encode(room), out)?,
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => *ended = true,
            Ok(_) => return Ok(at),
            Err(error) => {
                // The alert that tells the peer why is all that may follow. With bytes left it is the only one there
                // is: asking again would read those a second time.
                let rest = &mut records[at..];
                while let Ok(ConnectionState::EncodeTlsData(mut data)) = connection.process(rest).state {
                    encode(|room| data.encode(room), out)?;
                    if !rest.is_empty() {
                        break;
                    }
                }
                return Err(Stop::of(error));
            }
        }
    }
}

fn write<C: Records>(
    connection: &mut C,
    pending: &mut [u8],
    what: Outgoing<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    loop {
        match connection.process(pending).state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                let start = out.len();
                let plain_bytes = if let Outgoing::Plain(plain) = what { plain.len() } else { 0 };
                let mut room = plain_bytes + (plain_bytes / RECORD_PLAIN_MAX + 1) * RECORD_OVERHEAD;
                loop {
                    out.resize(start + room, 0);
                    let written = match what {
                        Outgoing::Plain(plain) => traffic.encrypt(plain, &mut out[start..]),
                        Outgoing::CloseNotify => traffic.queue_close_notify(&mut out[start..]),
                    };
                    match written {
                        Ok(written) => {
                            out.truncate(start + written);
                            return Ok(());
                        }
                        Err(EncryptError::InsufficientSize(needed)) if needed.required_size > room => {
                            room = needed.required_size;
                        }
                        Err(_) => {
                            out.truncate(start);
                            return Err(Stop::Over);
                        }
                    }
                }
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => encode(|room| data.encode(room), out)?,
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => {}
            Ok(_) => return Err(Stop::Over),
            Err(error) => return Err(Stop::of(error)),
        }
    }
}

/// Appends a record that the protocol made.
fn encode(
    mut record: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    let start = out.len();
    let mut room = RECORD_OVERHEAD;
    loop {
        out.resize(start + room, 0);
        match record(&mut out[start..]) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(needed)) if needed.required_size > room => {
                room = needed.required_size
            }
            Err(_) => return Err(Stop::Over),
        }
    }
}

/// As `$context.tlsVersion` has it.
fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => "TLSv1.2",
    }
}

/// As `$context.cipherSuite` has it: OpenSSL's names for TLS 1.2.
fn suite_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => "-",
    }
}
