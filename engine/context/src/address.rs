//! Addresses and small numbers as text, digit by digit: every request writes its peer at least once.

use std::net::IpAddr;

/// Each octet in decimal with a full stop behind it, and how many bytes that is.
const DOTTED: [([u8; 4], u8); 256] = {
    let mut table = [([b'.'; 4], 0); 256];
    let mut octet = 0_usize;
    while octet < 256 {
        let digits = [b'0' + (octet / 100) as u8, b'0' + (octet / 10 % 10) as u8, b'0' + (octet % 10) as u8];
        let skipped = if octet < 10 { 2 } else { (octet < 100) as usize };
        let mut at = 0;
        while skipped + at < 3 {
            table[octet].0[at] = digits[skipped + at];
            at += 1;
        }
        table[octet].1 = at as u8 + 1;
        octet += 1;
    }
    table
};

/// Appends an address. One of IPv4 within IPv6, as dual-stack listeners see them, is written as IPv4.
pub fn write(out: &mut Vec<u8>, address: IpAddr) {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let (mut text, mut end) = ([0; 16], 0);
            for octet in address.octets() {
                let (dotted, len) = DOTTED[usize::from(octet)];
                text[end..end + 4].copy_from_slice(&dotted);
                end += usize::from(len);
            }
            out.extend_from_slice(&text[..end - 1]);
        }
        IpAddr::V6(address) => {
            use std::io::Write;
            // Writing to memory doesn't fail.
            let _ = write!(out, "{address}");
        }
    }
}

/// Appends a port or another small number.
pub fn decimal(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_read_as_usual() {
        for text in ["0.0.0.0", "192.0.2.7", "255.255.255.255", "2001:db8::1", "::"] {
            let mut out = Vec::new();
            write(&mut out, text.parse().expect("an address"));
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
        for octet in 0..=u8::MAX {
            let mut out = Vec::new();
            write(&mut out, IpAddr::from([octet, 10, octet, 200]));
            assert_eq!(String::from_utf8_lossy(&out), format!("{octet}.10.{octet}.200"));
        }
        let mut out = Vec::new();
        write(&mut out, "::ffff:10.0.0.1".parse().expect("an address"));
        assert_eq!(out, b"10.0.0.1");
        for value in [0, 9, 10, 99, 100, 8080, 9_999, 10_000, u16::MAX] {
            let mut out = Vec::new();
            decimal(&mut out, value);
            assert_eq!(String::from_utf8_lossy(&out), value.to_string());
        }
    }
}
