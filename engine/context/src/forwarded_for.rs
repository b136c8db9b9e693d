//! The client's address behind proxies that are trusted.
//!
//! Feature: Proxies in front
//! AWS doesn't believe what clients say of themselves: `identity.sourceIp` is the TCP peer. Who puts a proxy of their own
//! in front can name it; then the chain in `X-Forwarded-For` is followed from its end as far as the proxies reach.

use std::net::{IpAddr, SocketAddr};

use codec::h1::RequestHead;
use vocabulary::KnownField;
use vocabulary::network::Networks;

/// The last address of peer and chain that isn't one of a trusted proxy. An entry that is no address ends the walk: the
/// proxy that vouches for it is as far as anybody knows. So does the chain's beginning.
#[must_use]
pub fn source_ip(request: &RequestHead, peer: IpAddr, trusted: &Networks) -> IpAddr {
    let mut source = peer;
    if !trusted.contains(source) {
        return source;
    }
    let fields = request.fields().iter().rev();
    let chains = fields.filter(|field| field.known == KnownField::XForwardedFor);
    for entry in chains.flat_map(|field| request.value(field).rsplit(|byte| *byte == b',')) {
        let Some(address) = address(entry.trim_ascii()) else { break };
        source = address;
        if !trusted.contains(source) {
            break;
        }
    }
    source
}

/// An address alone, or as some balancers write it: in brackets, with a port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?;
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || entry.parse().ok().map(|address: SocketAddr| address.ip());
    let address: Option<IpAddr> = entry.parse().ok();
    Some(address.or_else(bracketed).or_else(with_port)?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(chains: &[&str], peer: &str, trusted: &str) -> String {
        let fields: String = chains.iter().map(|chain| format!("X-Forwarded-For: {chain}\r\n")).collect();
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let mut request = RequestHead::default();
        request.parse(head.as_bytes(), &codec::h1::HeadLimits::default()).expect("a head");
        let trusted =
            if trusted.is_empty() { Networks::default() } else { trusted.parse().expect("networks") };
        source_ip(&request, peer.parse().expect("an address"), &trusted).to_string()
    }

    #[test]
    fn nobody_is_believed_unasked() {
        assert_eq!(source(&["203.0.113.9"], "10.0.0.1", ""), "10.0.0.1");
        assert_eq!(source(&["203.0.113.9"], "192.0.2.1", "10.0.0.0/8"), "192.0.2.1");
    }

    #[test]
    fn the_walk_ends_at_the_first_stranger() {
        let trusted = "10.0.0.0/8,2001:db8::/32";
        for (chains, found) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9 ,10.0.0.2"], "203.0.113.9"),
            (&["1.1.1.1", "203.0.113.9", "10.0.0.3, 10.0.0.2"], "203.0.113.9"),
            (&["203.0.113.9, 2001:db8::7"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["[2001:db9::1]:4711"], "2001:db9::1"),
            (&["[2001:db9::1]"], "2001:db9::1"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["203.0.113.9, ::ffff:10.0.0.2"], "203.0.113.9"),
            // Trusted all the way: the farthest one.
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&[], "10.0.0.1"),
            // What is no address ends the walk at the proxy that wrote it.
            (&["203.0.113.9, unknown"], "10.0.0.1"),
            (&["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
            (&["203.0.113.9,"], "10.0.0.1"),
            (&["203.0.113.9,,10.0.0.2"], "10.0.0.2"),
            (&["203.0.113.9 10.0.0.2"], "10.0.0.1"),
            (&["203.0.113.09"], "10.0.0.1"),
            (&["\u{201c}203.0.113.9"], "10.0.0.1"),
        ] {
            assert_eq!(source(chains, "10.0.0.1", trusted), found, "{chains:?}");
        }
        assert_eq!(source(&["203.0.113.9"], "::ffff:10.0.0.1", trusted), "203.0.113.9");
    }
}
