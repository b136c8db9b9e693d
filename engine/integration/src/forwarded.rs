//! `X-Forwarded-For`, `-Port` and `-Proto` towards a backend.
//!
//! The chain of addresses is kept and the TCP peer added to it; port and scheme are those of this gateway's own
//! listener (inferred from a recorded echo).

use std::net::IpAddr;

use codec::h1::{RequestHead, encode};
use context::address;
use vocabulary::KnownField;

/// Where the client's connection came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The TCP peer.
    pub peer: IpAddr,
    /// Port of the listener.
    pub port: u16,
    /// The client spoke TLS.
    pub secure: bool,
}

/// Appends the client's chain with the peer at its end.
pub fn write_for(request: &RequestHead, arrival: Arrival, out: &mut Vec<u8>) {
    out.extend_from_slice(b"X-Forwarded-For: ");
    for field in request.fields() {
        if field.known == KnownField::XForwardedFor && field.value.len > 0 {
            out.extend_from_slice(request.value(field));
            out.extend_from_slice(b", ");
        }
    }
    address::write(out, arrival.peer);
    out.extend_from_slice(b"\r\n");
}

/// Appends the listener's port.
pub fn write_port(arrival: Arrival, out: &mut Vec<u8>) {
    out.extend_from_slice(b"X-Forwarded-Port: ");
    address::decimal(out, arrival.port);
    out.extend_from_slice(b"\r\n");
}

/// Appends the scheme the client used.
pub fn write_proto(arrival: Arrival, out: &mut Vec<u8>) {
    let scheme: &[u8] = if arrival.secure { b"https" } else { b"http" };
    encode::field(out, b"X-Forwarded-Proto", scheme);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(head: &str, peer: &str, port: u16) -> String {
        let mut request = RequestHead::default();
        request.parse(head.as_bytes(), &codec::h1::HeadLimits::default()).expect("head");
        let arrival = Arrival { peer: peer.parse().expect("address"), port, secure: false };
        let mut out = Vec::new();
        write_for(&request, arrival, &mut out);
        write_port(arrival, &mut out);
        write_proto(arrival, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_chain_grows_by_the_peer() {
        let plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(
            written(plain, "203.0.113.9", 8080),
            "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Port: 8080\r\nX-Forwarded-Proto: http\r\n"
        );
        let chained =
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-for: 5.6.7.8\r\n\r\n";
        assert!(
            written(chained, "::ffff:10.0.0.1", 0)
                .starts_with("X-Forwarded-For: 1.2.3.4, 5.6.7.8, 10.0.0.1\r\nX-Forwarded-Port: 0\r\n")
        );
        assert!(
            written(plain, "2001:db8::1", 65_535)
                .starts_with("X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Port: 65535\r\n")
        );
    }
}
