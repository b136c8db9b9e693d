//! PROXY protocol headers: whole, in parts, and against the plain rule.

use std::net::{IpAddr, SocketAddr};

use codec::proxy_protocol::{Endpoints, HEADER_BYTES_MAX, Progress, V1_BYTES_MAX, parse};

/// Reads any bytes as the beginning of a connection.
pub fn proxy_protocol(input: &[u8]) {
    let whole = parse(input);
    match (whole, rule(input)) {
        (Ok(Progress::Complete { endpoints, consumed }), Some(rule)) => {
            assert_eq!((endpoints, consumed), rule)
        }
        (Ok(Progress::Partial) | Err(_), None) => {}
        (read, rule) => panic!("read {read:?}, the rule says {rule:?}"),
    }
    let mut settled = None;
    for end in 0..=input.len().min(HEADER_BYTES_MAX + 1) {
        let part = parse(&input[..end]);
        match settled {
            Some(settled) => assert_eq!(part, settled, "a byte more changed what was settled"),
            None if part != Ok(Progress::Partial) => settled = Some(part),
            None => {}
        }
        if let Ok(Progress::Complete { consumed, .. }) = part {
            assert!(consumed <= end, "bytes that aren't there");
        }
    }
    assert_eq!(settled.unwrap_or(Ok(Progress::Partial)), whole, "parts read otherwise");
    assert!(input.len() < HEADER_BYTES_MAX || settled.is_some(), "more is waited for than a header can have");
}

/// The specification written down plainly: what a whole and good header says, and its length.
fn rule(input: &[u8]) -> Option<(Endpoints, usize)> {
    if input.starts_with(b"PROXY ") { version_1(input) } else { version_2(input) }
}

fn version_1(input: &[u8]) -> Option<(Endpoints, usize)> {
    let end = input.windows(2).position(|pair| pair == b"\r\n")?;
    let line = &input[..end];
    if end + 2 > V1_BYTES_MAX || line.iter().any(u8::is_ascii_control) {
        return None;
    }
    if line == b"PROXY UNKNOWN" || line.starts_with(b"PROXY UNKNOWN ") {
        return Some((Endpoints::Own, end + 2));
    }
    let words: Vec<&str> = std::str::from_utf8(line).ok()?.split(' ').collect();
    let [_, protocol, source, destination, source_port, destination_port] = words[..] else { return None };
    let address = |text: &str| {
        let address: IpAddr = text.parse().ok()?;
        (protocol == if address.is_ipv4() { "TCP4" } else { "TCP6" }).then_some(address)
    };
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| port.to_string() == text);
    let source = SocketAddr::new(address(source)?, port(source_port)?);
    let destination = SocketAddr::new(address(destination)?, port(destination_port)?);
    Some((Endpoints::Proxied { source, destination }, end + 2))
}

fn version_2(input: &[u8]) -> Option<(Endpoints, usize)> {
    let rest = input.strip_prefix(b"\r\n\r\n\0\r\nQUIT\n")?;
    let (&[command, family, high, low], rest) = rest.split_first_chunk()?;
    let payload = rest.get(..usize::from(high) * 256 + usize::from(low))?;
    let consumed = 16 + payload.len();
    if consumed > HEADER_BYTES_MAX {
        return None;
    }
    match command {
        0x20 => return Some((Endpoints::Own, consumed)),
        0x21 => {}
        _ => return None,
    }
    let (endpoints, mut fields) = match family {
        0x00 => return Some((Endpoints::Own, consumed)),
        0x11 | 0x12 => {
            let (source, rest) = payload.split_first_chunk::<4>()?;
            let (destination, rest) = rest.split_first_chunk::<4>()?;
            ports(IpAddr::from(*source), IpAddr::from(*destination), rest)?
        }
        0x21 | 0x22 => {
            let (source, rest) = payload.split_first_chunk::<16>()?;
            let (destination, rest) = rest.split_first_chunk::<16>()?;
            ports(IpAddr::from(*source), IpAddr::from(*destination), rest)?
        }
        0x31 | 0x32 => (Endpoints::Own, payload.get(216..)?),
        _ => return None,
    };
    while !fields.is_empty() {
        let (&[_, high, low], rest) = fields.split_first_chunk()?;
        fields = rest.get(usize::from(high) * 256 + usize::from(low)..)?;
    }
    Some((endpoints, consumed))
}

fn ports(source: IpAddr, destination: IpAddr, rest: &[u8]) -> Option<(Endpoints, &[u8])> {
    let (&[a, b, c, d], rest) = rest.split_first_chunk()?;
    let source = SocketAddr::new(source, u16::from_be_bytes([a, b]));
    let destination = SocketAddr::new(destination, u16::from_be_bytes([c, d]));
    Some((Endpoints::Proxied { source, destination }, rest))
}
