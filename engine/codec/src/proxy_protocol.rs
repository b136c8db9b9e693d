//! The PROXY protocol, versions 1 and 2: what a proxy says of a connection before the first byte of its client.
//!
//! Feature: Proxies in front
//! Source: HAProxy's `proxy-protocol.txt`. Only the one canonical spelling of version 1 is read, and only the values that
//! version 2 defines: both come from programs, so anything else is no header. Type-length-value fields are passed over;
//! their lengths must add up. The checksum among them is not verified: TCP has one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Bytes of a version 1 header with its CRLF, at most.
pub const V1_BYTES_MAX: usize = 107;
/// Bytes that a version 2 header should keep to, so that it fits the smallest segment of TCP.
pub const V2_BYTES_USUAL_MAX: usize = 536;
/// Bytes that a version 2 header may have beyond these: proxies may hand on names out of a client's certificate.
pub const V2_BYTES_FURTHER_MAX: usize = 3560;
/// Bytes of a header of either version, at most.
pub const HEADER_BYTES_MAX: usize = V2_BYTES_USUAL_MAX + V2_BYTES_FURTHER_MAX;

const V1_START: &[u8] = b"PROXY ";
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, command, family, length.
const V2_FIXED_BYTES: usize = 16;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// Nothing beyond what the socket knows: a health check of the proxy, or a client whose address isn't known or is
    /// none of IP. The connection's own addresses hold.
    Own,
    /// The proxy speaks for a client.
    Proxied {
        /// The client.
        source: SocketAddr,
        /// What the client connected to.
        destination: SocketAddr,
    },
}

/// How far a header has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It may become a header.
    Partial,
    /// It is whole.
    Complete {
        /// What it says.
        endpoints: Endpoints,
        /// Its bytes; the client's own follow.
        consumed: usize,
    },
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyProtocolError {
    /// They begin like neither version.
    Missing,
    /// Version 1: no CRLF where one has to be.
    Line,
    /// Version 1: a protocol that isn't `TCP4`, `TCP6` or `UNKNOWN`.
    Protocol,
    /// Version 1: an address or a port that isn't spelled as it must be.
    Address,
    /// Version 2: another version or an unknown command.
    Command,
    /// Version 2: an unknown family or transport.
    Family,
    /// Version 2: too short for its family, or fields that don't fit.
    Length,
    /// Version 2: longer than [`HEADER_BYTES_MAX`].
    TooLong,
}

/// Reads a header from the first bytes of a connection.
///
/// # Errors
/// They are none, and no further byte can make them one.
pub fn parse(bytes: &[u8]) -> Result<Progress, ProxyProtocolError> {
    if begins(bytes, V2_SIGNATURE) {
        parse_v2(bytes)
    } else if begins(bytes, V1_START) {
        parse_v1(bytes)
    } else {
        Err(ProxyProtocolError::Missing)
    }
}

/// Whether the bytes begin with `start`, as far as they go.
fn begins(bytes: &[u8], start: &[u8]) -> bool {
    let common = bytes.len().min(start.len());
    bytes[..common] == start[..common]
}

fn parse_v1(bytes: &[u8]) -> Result<Progress, ProxyProtocolError> {
    let seen = &bytes[..bytes.len().min(V1_BYTES_MAX)];
    // The line has no control characters: the first one has to be the CR that ends it.
    let Some(end) = seen.iter().position(|byte| byte.is_ascii_control()) else {
        return if seen.len() < V1_BYTES_MAX { Ok(Progress::Partial) } else { Err(ProxyProtocolError::Line) };
    };
    match (seen[end], seen.get(end + 1)) {
        (b'\r', Some(b'\n')) => {}
        (b'\r', None) if seen.len() < V1_BYTES_MAX => return Ok(Progress::Partial),
        _ => return Err(ProxyProtocolError::Line),
    }
    let said = seen.get(V1_START.len()..end).ok_or(ProxyProtocolError::Line)?;
    Ok(Progress::Complete { endpoints: v1_endpoints(said)?, consumed: end + 2 })
}

/// What follows `PROXY `.
fn v1_endpoints(said: &[u8]) -> Result<Endpoints, ProxyProtocolError> {
    let mut words = said.split(|byte| *byte == b' ');
    let read: fn(&str) -> Option<IpAddr> = match words.next() {
        // Whatever follows says nothing.
        Some(b"UNKNOWN") => return Ok(Endpoints::Own),
        Some(b"TCP4") => |text| text.parse().ok().map(IpAddr::V4),
        Some(b"TCP6") => |text| text.parse().ok().map(IpAddr::V6),
        _ => return Err(ProxyProtocolError::Protocol),
    };
    let mut word = || words.next().and_then(|word| std::str::from_utf8(word).ok());
    let mut address = || word().and_then(read).ok_or(ProxyProtocolError::Address);
    let (source, destination) = (address()?, address()?);
    let mut port = || word().and_then(v1_port).ok_or(ProxyProtocolError::Address);
    let (source_port, destination_port) = (port()?, port()?);
    if words.next().is_some() {
        return Err(ProxyProtocolError::Address);
    }
    Ok(Endpoints::Proxied {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

/// Digits alone, without leading zeros.
fn v1_port(text: &str) -> Option<u16> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    canonical.then(|| text.parse().ok()).flatten()
}

fn parse_v2(bytes: &[u8]) -> Result<Progress, ProxyProtocolError> {
    // Each byte is judged as soon as it is there: what can't be a header isn't waited for.
    let local = match bytes.get(12) {
        None => return Ok(Progress::Partial),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(_) => return Err(ProxyProtocolError::Command),
    };
    // Bytes of the addresses. Datagrams are those of a client that came by QUIC.
    let addresses = match bytes.get(13) {
        None => return Ok(Progress::Partial),
        Some(0x00) => 0,
        Some(0x11 | 0x12) => 12,
        Some(0x21 | 0x22) => 36,
        Some(0x31 | 0x32) => 216,
        // What a local connection says of its family is not looked at.
        Some(_) if local => 0,
        Some(_) => return Err(ProxyProtocolError::Family),
    };
    let Some(&[high, low]) = bytes.get(14..V2_FIXED_BYTES) else { return Ok(Progress::Partial) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if V2_FIXED_BYTES + length > HEADER_BYTES_MAX {
        return Err(ProxyProtocolError::TooLong);
    }
    if !local && length < addresses {
        return Err(ProxyProtocolError::Length);
    }
    let Some(payload) = bytes.get(V2_FIXED_BYTES..V2_FIXED_BYTES + length) else {
        return Ok(Progress::Partial);
    };
    let mut endpoints = Endpoints::Own;
    // Without a family, the rest of the header has no meaning.
    if !local && addresses > 0 {
        let (said, fields) = payload.split_at(addresses);
        check_fields(fields)?;
        endpoints = v2_endpoints(said);
    }
    Ok(Progress::Complete { endpoints, consumed: V2_FIXED_BYTES + length })
}

/// Addresses and ports by the length that their family has.
fn v2_endpoints(said: &[u8]) -> Endpoints {
    let port = |at: usize| u16::from_be_bytes([said[at], said[at + 1]]);
    match said.len() {
        12 => {
            let address = |at: usize| Ipv4Addr::new(said[at], said[at + 1], said[at + 2], said[at + 3]);
            Endpoints::Proxied {
                source: SocketAddr::new(address(0).into(), port(8)),
                destination: SocketAddr::new(address(4).into(), port(10)),
            }
        }
        36 => {
            let address = |at: usize| Ipv6Addr::from(std::array::from_fn::<u8, 16, _>(|n| said[at + n]));
            Endpoints::Proxied {
                source: SocketAddr::new(address(0).into(), port(32)),
                destination: SocketAddr::new(address(16).into(), port(34)),
            }
        }
        // A client of one of the proxy's UNIX sockets has no address.
        _ => Endpoints::Own,
    }
}

/// Type-length-value fields: their lengths must add up.
fn check_fields(mut fields: &[u8]) -> Result<(), ProxyProtocolError> {
    while let [_, high, low, rest @ ..] = fields {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        fields = rest.get(length..).ok_or(ProxyProtocolError::Length)?;
    }
    if fields.is_empty() { Ok(()) } else { Err(ProxyProtocolError::Length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied(source: &str, destination: &str) -> Endpoints {
        let read = |text: &str| text.parse().expect("an address");
        Endpoints::Proxied { source: read(source), destination: read(destination) }
    }

    /// Reads the whole, which is followed by a client's bytes, and every part of it.
    fn read(header: &[u8]) -> Result<Endpoints, ProxyProtocolError> {
        let followed = [header, b"GET / HTTP/1.1\r\n"].concat();
        match parse(&followed)? {
            Progress::Partial => panic!("no end: {header:?}"),
            Progress::Complete { endpoints, consumed } => {
                assert_eq!(consumed, header.len());
                for end in 0..header.len() {
                    assert_eq!(parse(&header[..end]), Ok(Progress::Partial), "{end} bytes of {header:?}");
                }
                assert_eq!(parse(header), Ok(Progress::Complete { endpoints, consumed }));
                Ok(endpoints)
            }
        }
    }

    fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).expect("short").to_be_bytes();
        [V2_SIGNATURE, &[command, family], &length, payload].concat()
    }

    #[test]
    fn version_1_is_one_line() {
        let full = proxied("192.0.2.7:56324", "203.0.113.1:443");
        assert_eq!(read(b"PROXY TCP4 192.0.2.7 203.0.113.1 56324 443\r\n"), Ok(full));
        let full = proxied("[2001:db8::1]:0", "[::ffff:10.0.0.1]:65535");
        assert_eq!(read(b"PROXY TCP6 2001:db8::1 ::ffff:10.0.0.1 0 65535\r\n"), Ok(full));
        assert_eq!(read(b"PROXY UNKNOWN\r\n"), Ok(Endpoints::Own));
        let mapped = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let longest = format!("PROXY UNKNOWN {mapped} {mapped} 65535 65535\r\n");
        assert_eq!(longest.len(), V1_BYTES_MAX, "the specification's worst case");
        assert_eq!(read(longest.as_bytes()), Ok(Endpoints::Own));
    }

    #[test]
    fn version_1_has_one_spelling() {
        use ProxyProtocolError::{Address, Line, Missing, Protocol};
        for (line, error) in [
            ("PROXY TCP4 192.0.2.7 203.0.113.1 56324 443\n", Line),
            ("PROXY TCP4 192.0.2.7 203.0.113.1 56324 443\r\r\n", Line),
            ("PROXY TCP4 192.0.2.7\t203.0.113.1 56324 443\r\n", Line),
            ("PROXY TCP4  192.0.2.7 203.0.113.1 56324 443\r\n", Address),
            ("PROXY TCP4 192.0.2.7 203.0.113.1 56324 443 \r\n", Address),
            ("PROXY TCP4 192.0.2.7 203.0.113.1 56324\r\n", Address),
            ("PROXY TCP4 192.0.2.07 203.0.113.1 56324 443\r\n", Address),
            ("PROXY TCP4 192.0.2 203.0.113.1 56324 443\r\n", Address),
            ("PROXY TCP4 192.0.2.256 203.0.113.1 56324 443\r\n", Address),
            ("PROXY TCP4 192.0.2.7 203.0.113.1 056324 443\r\n", Address),
            ("PROXY TCP4 192.0.2.7 203.0.113.1 56324 +443\r\n", Address),
            ("PROXY TCP4 192.0.2.7 203.0.113.1 65536 443\r\n", Address),
            ("PROXY TCP4 192.0.2.7 203.0.113.1 00 443\r\n", Address),
            ("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", Address),
            ("PROXY TCP6 192.0.2.7 203.0.113.1 1 2\r\n", Address),
            ("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", Address),
            ("PROXY TCP6 [::1] ::1 1 2\r\n", Address),
            ("PROXY tcp4 192.0.2.7 203.0.113.1 1 2\r\n", Protocol),
            ("PROXY UDP4 192.0.2.7 203.0.113.1 1 2\r\n", Protocol),
            ("PROXY UNKNOWNS\r\n", Protocol),
            ("PROXY \r\n", Protocol),
            ("PROXY\r\n", Missing),
            ("proxy TCP4 192.0.2.7 203.0.113.1 1 2\r\n", Missing),
            ("GET / HTTP/1.1\r\n", Missing),
            ("\r\nPROXY UNKNOWN\r\n", Missing),
        ] {
            assert_eq!(parse(line.as_bytes()), Err(error), "{line:?}");
        }
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(V1_BYTES_MAX - 15));
        assert_eq!(long.len(), V1_BYTES_MAX + 1);
        assert_eq!(parse(long.as_bytes()), Err(Line));
        assert_eq!(parse(&long.as_bytes()[..V1_BYTES_MAX]), Err(Line), "no byte more is waited for");
    }

    #[test]
    fn version_2_has_families_and_fields() {
        let four = [192, 0, 2, 7, 203, 0, 113, 1, 0xdc, 0x04, 0x01, 0xbb];
        let full = proxied("192.0.2.7:56324", "203.0.113.1:443");
        assert_eq!(read(&v2(0x21, 0x11, &four)), Ok(full));
        assert_eq!(read(&v2(0x21, 0x12, &four)), Ok(full), "a client that came by QUIC");
        let fields = [&four[..], &[0x04, 0, 3, 0, 0, 0], &[0xea, 0, 0]].concat();
        assert_eq!(read(&v2(0x21, 0x11, &fields)), Ok(full));
        let (source, destination) = ("2001:db8::1", "2001:db8::2");
        let octets = |text: &str| text.parse::<Ipv6Addr>().expect("an address").octets();
        let six = [&octets(source)[..], &octets(destination), &[0, 1, 0, 2]].concat();
        let full = proxied("[2001:db8::1]:1", "[2001:db8::2]:2");
        assert_eq!(read(&v2(0x21, 0x21, &six)), Ok(full));
        assert_eq!(read(&v2(0x21, 0x31, &[b'/'; 216])), Ok(Endpoints::Own));
        assert_eq!(read(&v2(0x21, 0x00, b"")), Ok(Endpoints::Own));
        assert_eq!(read(&v2(0x21, 0x00, b"whatever")), Ok(Endpoints::Own));
        assert_eq!(read(&v2(0x20, 0x11, &four)), Ok(Endpoints::Own), "a health check");
        assert_eq!(read(&v2(0x20, 0xff, b"?")), Ok(Endpoints::Own));
    }

    #[test]
    fn version_2_is_bounded_and_adds_up() {
        use ProxyProtocolError::{Command, Family, Length, TooLong};
        let four = [0; 12];
        for (header, error) in [
            (v2(0x11, 0x11, &four), Command),
            (v2(0x22, 0x11, &four), Command),
            (v2(0x21, 0x10, &four), Family),
            (v2(0x21, 0x01, &four), Family),
            (v2(0x21, 0x13, &four), Family),
            (v2(0x21, 0x41, &four), Family),
            (v2(0x21, 0x11, &four[1..]), Length),
            (v2(0x21, 0x21, &[0; 35]), Length),
            (v2(0x21, 0x31, &[0; 215]), Length),
            (v2(0x21, 0x11, &[0; 13]), Length),
            (v2(0x21, 0x11, &[&four[..], &[4, 0, 2, 0]].concat()), Length),
            (v2(0x21, 0x00, &[0; HEADER_BYTES_MAX - 15]), TooLong),
        ] {
            assert_eq!(parse(&header), Err(error), "{header:?}");
        }
        assert_eq!(read(&v2(0x21, 0x00, &[0; HEADER_BYTES_MAX - 16])), Ok(Endpoints::Own));
        assert_eq!(parse(b"\r\n\r\n\0\r\nQUIX"), Err(ProxyProtocolError::Missing));
    }
}
