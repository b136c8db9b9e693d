//! `X-Amzn-Trace-Id`: the client's trace goes on, or one begins here.
//!
//! AWS: X-Ray developer guide, "Tracing header". Root, parent and flag of the client are kept; without a parent this
//! gateway's segment is the parent and nothing is sampled, with one the default is to sample.

use context::Exchange;
use vocabulary::KnownField;
use vocabulary::id::hex;

/// Appends the field's value.
pub(crate) fn write(exchange: &Exchange, out: &mut Vec<u8>) {
    let incoming = exchange.request.find(KnownField::XAmznTraceId).unwrap_or_default();
    let root = member(incoming, b"Root").filter(|root| is_root(root));
    let parent = member(incoming, b"Parent").filter(|parent| is_hex(parent, 16));
    let sampled = member(incoming, b"Sampled").filter(|flag| matches!(*flag, b"0" | b"1" | b"?"));
    out.extend_from_slice(b"Root=");
    out.extend_from_slice(root.unwrap_or(&exchange.trace_root.0));
    out.extend_from_slice(b";Parent=");
    match parent {
        Some(parent) => out.extend_from_slice(parent),
        None => out.extend_from_slice(&hex(exchange.trace_parent)),
    }
    out.extend_from_slice(b";Sampled=");
    out.extend_from_slice(sampled.unwrap_or(if parent.is_some() { b"1" } else { b"0" }));
    for (key, value) in members(incoming) {
        let ours = [b"Root".as_slice(), b"Parent", b"Sampled"];
        if !ours.iter().any(|name| key.eq_ignore_ascii_case(name)) {
            out.push(b';');
            out.extend_from_slice(key);
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
}

/// Keys and values, in any order; keys are matched without regard to case.
fn members(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|&byte| byte == b';').filter_map(|pair| {
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        Some((pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii()))
    })
}

fn member<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    members(text).find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// `1-{8 hex}-{24 hex}`
fn is_root(text: &[u8]) -> bool {
    text.len() == 35
        && text.starts_with(b"1-")
        && is_hex(&text[2..10], 8)
        && text[10] == b'-'
        && is_hex(&text[11..], 24)
}

fn is_hex(text: &[u8], len: usize) -> bool {
    text.len() == len && text.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_trace_goes_on() {
        let root = "1-5c75b5d0-07b29b94e632d3da19d88789";
        let own = "1-00000000-000000000000000000000000";
        let long =
            "Root=1-5c75b5d0-07b29b94e632d3da19d88789;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:710fb532:0";
        for (incoming, outgoing) in [
            (String::new(), format!("Root={own};Parent=00000000000000ab;Sampled=0")),
            (format!("Root={root}"), format!("Root={root};Parent=00000000000000ab;Sampled=0")),
            (format!("root={root}; sampled=1"), format!("Root={root};Parent=00000000000000ab;Sampled=1")),
            (
                format!("Root={root};Parent=53995c3f42cd8ad8"),
                format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1"),
            ),
            (long.to_owned(), long.to_owned()),
            ("Root=nonsense;Parent=x".to_owned(), format!("Root={own};Parent=00000000000000ab;Sampled=0")),
        ] {
            let mut exchange = Exchange { trace_parent: 0xab, ..Exchange::default() };
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\nx-amzn-trace-id: {incoming}\r\n\r\n");
            exchange.request.parse(head.as_bytes(), &codec::h1::HeadLimits::default()).expect("head");
            let mut out = Vec::new();
            write(&exchange, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), outgoing, "{incoming}");
        }
    }
}
