//! Sets of IP networks, for questions such as whether a peer is trusted. A look-up takes a few comparisons and no memory.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

/// Networks of both families. Addresses of IPv4 within IPv6 (`::ffff:10.0.0.1`) count as IPv4. Copies share their memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    /// First and last address of each, ascending; none touches another.
    v4: Arc<[(u128, u128)]>,
    v6: Arc<[(u128, u128)]>,
}

/// Why a text is no list of networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// An item that is neither an address nor an address with a prefix length.
    Network(String),
    /// An address with bits set behind its prefix; beside it, the network it lies in.
    Beyond(String, String),
}

impl std::fmt::Display for NetworkError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NetworkError::Network(item) => {
                write!(formatter, "`{item}` is no network such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1")
            }
            NetworkError::Beyond(item, meant) => {
                write!(formatter, "`{item}` has bits behind its prefix: write `{meant}`")
            }
        }
    }
}

impl std::error::Error for NetworkError {}

impl FromStr for Networks {
    type Err = NetworkError;

    /// Reads networks separated by commas; an address alone is a network of one.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for item in text.split(',') {
            let (family_v4, range) = network(item.trim())?;
            if family_v4 { v4.push(range) } else { v6.push(range) }
        }
        Ok(Networks { v4: merged(v4), v6: merged(v6) })
    }
}

impl Networks {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether the address lies in one of the networks.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (ranges, number) = match address.to_canonical() {
            IpAddr::V4(address) => (&self.v4, u128::from(u32::from(address))),
            IpAddr::V6(address) => (&self.v6, u128::from(address)),
        };
        let behind = ranges.partition_point(|(first, _)| *first <= number);
        behind > 0 && number <= ranges[behind - 1].1
    }
}

/// Whether it is one of IPv4, and its first and last address.
fn network(item: &str) -> Result<(bool, (u128, u128)), NetworkError> {
    let wrong = || NetworkError::Network(item.to_owned());
    let (address, prefix) =
        item.split_once('/').map_or((item, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let mut width = if address.is_ipv4() { 32 } else { 128 };
    let mut prefix = match prefix {
        None => width,
        Some(digits) => {
            let number = digits.parse().ok().filter(|number: &u32| *number <= width);
            number.filter(|number| number.to_string() == digits).ok_or_else(wrong)?
        }
    };
    let mut number = match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    if let IpAddr::V6(address) = address
        && let Some(mapped) = address.to_ipv4_mapped()
        && prefix >= 96
    {
        (width, prefix, number) = (32, prefix - 96, u128::from(u32::from(mapped)));
    }
    let hosts = 1_u128.checked_shl(width - prefix).map_or(u128::MAX, |count| count - 1);
    if number & hosts != 0 {
        let base = number & !hosts;
        let base = match u32::try_from(base) {
            Ok(base) if width == 32 => IpAddr::V4(base.into()),
            _ => IpAddr::V6(Ipv6Addr::from(base)),
        };
        return Err(NetworkError::Beyond(item.to_owned(), format!("{base}/{prefix}")));
    }
    Ok((width == 32, (number, number | hosts)))
}

/// In ascending order, those that overlap or touch made one.
fn merged(mut ranges: Vec<(u128, u128)>) -> Arc<[(u128, u128)]> {
    ranges.sort_unstable();
    let mut found: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match found.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => found.push((first, last)),
        }
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(text: &str) -> Networks {
        text.parse().expect("networks")
    }

    fn contains(networks: &Networks, address: &str) -> bool {
        networks.contains(address.parse().expect("an address"))
    }

    #[test]
    fn addresses_lie_within_or_without() {
        let some = networks("10.0.0.0/8, 192.0.2.1,192.0.2.2/31, 2001:db8::/32,::1, ::ffff:172.16.0.0/108");
        for inside in ["10.0.0.0", "10.255.255.255", "192.0.2.1", "192.0.2.3", "172.31.255.255", "::1"] {
            assert!(contains(&some, inside), "{inside}");
        }
        for inside in ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.2.3"] {
            assert!(contains(&some, inside), "{inside}");
        }
        for outside in ["9.255.255.255", "11.0.0.0", "192.0.2.0", "192.0.2.4", "172.32.0.0", "::", "::2"] {
            assert!(!contains(&some, outside), "{outside}");
        }
        assert!(!contains(&some, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"));
        assert!(!contains(&some, "2001:db9::"));
        // `::10.0.0.1` is an address of its own, not one of IPv4.
        assert!(!contains(&some, "::a00:1"));
    }

    #[test]
    fn everything_and_nothing_are_networks() {
        assert!(contains(&networks("0.0.0.0/0"), "255.255.255.255"));
        assert!(!contains(&networks("0.0.0.0/0"), "::1"), "each family has its own");
        assert!(contains(&networks("::/0"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
        assert!(!contains(&networks("::/0"), "::ffff:10.0.0.1"));
        assert!(!contains(&Networks::default(), "127.0.0.1"));
        assert!(Networks::default().is_empty());
        assert_eq!(networks("10.0.0.0/9,10.128.0.0/9,10.1.0.0/16"), networks("10.0.0.0/8"));
    }

    #[test]
    fn anything_else_is_refused() {
        for item in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0/8",
            "::/129",
            "a.example",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(item.parse::<Networks>(), Err(NetworkError::Network(item.to_owned())), "{item}");
        }
        assert!("10.0.0.0/8,".parse::<Networks>().is_err());
        let said = "10.0.0.1/8".parse::<Networks>().expect_err("not the network").to_string();
        assert_eq!(said, "`10.0.0.1/8` has bits behind its prefix: write `10.0.0.0/8`");
        let said = "2001:db8::1/32".parse::<Networks>().expect_err("not the network").to_string();
        assert_eq!(said, "`2001:db8::1/32` has bits behind its prefix: write `2001:db8::/32`");
    }
}
