//! Addresses and small numbers as text, digit by digit: every request writes its peer at least once.

use std::net::IpAddr;

/// Appends an address. One of IPv4 within IPv6, as dual-stack listeners see them, is written as IPv4.
pub fn write(out: &mut Vec<u8>, address: IpAddr) {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            for (index, octet) in address.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                decimal(out, u16::from(octet));
            }
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
