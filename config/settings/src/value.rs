//! From the text of a value to the value, the same way for file, environment and flag.

use crate::settings::Address;
use crate::table::Kind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use vocabulary::network::Networks;

/// A value within its bounds. Durations are in milliseconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Integer(u64),
    Text(String),
}

/// Reads a value of a kind.
///
/// # Errors
/// What is expected instead, to be said after the setting's name.
pub(crate) fn parse(kind: &Kind, text: &str) -> Result<Value, String> {
    let text = text.trim();
    match *kind {
        Kind::Count { min, max } => bounded(plain(text), min, max, "a number", &|n| n.to_string()),
        Kind::Bytes { min, max } => bounded(bytes(text), min, max, "a size such as 10485760 or 10MiB", &size),
        Kind::Duration { min, max } => {
            bounded(duration(text), min, max, "a time such as 500ms, 30s or 5m", &time)
        }
        Kind::CountOrAuto { .. } | Kind::BytesOrAuto { .. } if text == "auto" => {
            Ok(Value::Text(text.to_owned()))
        }
        Kind::CountOrOff { .. } if text == "off" => Ok(Value::Text(text.to_owned())),
        Kind::CountOrOff { min, max } => {
            bounded(plain(text), min, max, "a number or `off`", &|n| n.to_string())
        }
        Kind::BytesOrAuto { min, max } => {
            bounded(bytes(text), min, max, "a size such as 512MiB, or `auto`", &size)
        }
        Kind::CountOrAuto { min, max } => {
            bounded(plain(text), min, max, "a number or `auto`", &|n| n.to_string())
        }
        Kind::Choice { of, later } => choice(text, of, later),
        Kind::Address => address(text).map(|address| Value::Text(address.to_string())),
        Kind::AddressOrPath => listening(text).map(|_| Value::Text(text.to_owned())),
        Kind::Mode => match u64::from_str_radix(text, 8) {
            Ok(mode) if mode <= 0o777 && (3..=4).contains(&text.len()) && !text.starts_with('+') => {
                Ok(Value::Integer(mode))
            }
            _ => Err("must be three or four octal digits, such as 0660".to_owned()),
        },
        Kind::AccountId => {
            let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
            text_if(fits, text, "must be twelve digits, such as 123456789012")
        }
        Kind::Region => {
            let fits = (1..=32).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            text_if(fits, text, "must be a region such as us-east-1")
        }
        Kind::Path => text_if(!text.is_empty() && !text.contains('\0'), text, "must be a path"),
        Kind::Text { max } => {
            text_if((1..=max).contains(&text.len()), text, &format!("must have 1 to {max} bytes"))
        }
        Kind::Cpus if text == "auto" => Ok(Value::Text(text.to_owned())),
        Kind::Cpus => cpus(text).map(|_| Value::Text(text.to_owned())),
        Kind::Networks => networks(text).map(|_| Value::Text(text.to_owned())),
    }
}

fn bounded(
    parsed: Option<u64>,
    min: u64,
    max: u64,
    shape: &str,
    show: &dyn Fn(u64) -> String,
) -> Result<Value, String> {
    match parsed {
        None => Err(format!("must be {shape}")),
        Some(number) if (min..=max).contains(&number) => Ok(Value::Integer(number)),
        Some(_) if min == max => Err(format!("can only be {} in this version", show(min))),
        Some(_) => Err(format!("must be between {} and {}", show(min), show(max))),
    }
}

fn text_if(fits: bool, text: &str, otherwise: &str) -> Result<Value, String> {
    if fits { Ok(Value::Text(text.to_owned())) } else { Err(otherwise.to_owned()) }
}

fn choice(text: &str, of: &[&str], later: &[(&str, &str)]) -> Result<Value, String> {
    if of.contains(&text) {
        return Ok(Value::Text(text.to_owned()));
    }
    match later.iter().find(|(name, _)| *name == text) {
        Some((name, why)) => Err(format!("`{name}` isn't in this version: {why}")),
        None => Err(format!("must be {}", of.join(" or "))),
    }
}

fn plain(text: &str) -> Option<u64> {
    (!text.starts_with('+')).then(|| text.parse().ok()).flatten()
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = units.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor)?;
    plain(number)?.checked_mul(factor)
}

const SIZES: &[(&str, u64)] = &[("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

fn bytes(text: &str) -> Option<u64> {
    with_unit(text, SIZES)
}

/// A time without a unit would leave the reader guessing, so it is refused; `0` needs none.
fn duration(text: &str) -> Option<u64> {
    if text == "0" { Some(0) } else { with_unit(text, TIMES) }
}

/// A size as people write it: the largest unit that divides it.
pub(crate) fn size(bytes: u64) -> String {
    in_units(bytes, &SIZES[2..]).unwrap_or_else(|| bytes.to_string())
}

/// A time as people write it: the largest unit that divides it.
pub(crate) fn time(milliseconds: u64) -> String {
    in_units(milliseconds, TIMES).unwrap_or_else(|| format!("{milliseconds}ms"))
}

fn in_units(number: u64, units: &[(&str, u64)]) -> Option<String> {
    let fits = units.iter().rev().find(|(_, factor)| number >= *factor && number.is_multiple_of(*factor));
    fits.map(|(unit, factor)| format!("{}{unit}", number / factor))
}

/// `HOST:PORT` with an IP address, or `localhost:PORT` for 127.0.0.1.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let spelled = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let parsed = spelled.as_deref().unwrap_or(text).parse().map(canonical);
    parsed.map_err(|_| "must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// One of IPv4 within IPv6 (`[::ffff:127.0.0.1]:80`) is one of IPv4: sockets of IPv6 have no clients of IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        // It may have a scope.
        IpAddr::V6(_) => address,
    }
}

/// Where a listener accepts: as [`address`], or `unix:PATH`.
pub(crate) fn listening(text: &str) -> Result<Address, String> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() && !path.contains('\0') => Ok(Address::Unix(PathBuf::from(path))),
        Some(_) => Err("must have a path behind `unix:`".to_owned()),
        None => address(text).map(Address::Tcp).map_err(|error| format!("{error}, or unix:PATH")),
    }
}

/// IP networks from a list such as `10.0.0.0/8,::1`.
pub(crate) fn networks(text: &str) -> Result<Networks, String> {
    text.parse().map_err(|error| format!("must be IP networks: {error}"))
}

/// CPU numbers from a list such as `0-3,6`.
pub(crate) fn cpus(text: &str) -> Result<Vec<usize>, String> {
    const CPU_MAX: usize = 1023;
    let wrong = || "must be `auto` or a list of CPU numbers such as 0-3,6".to_owned();
    let mut found = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.trim().parse().map_err(|_| wrong())?;
        let last: usize = last.trim().parse().map_err(|_| wrong())?;
        if first > last || last > CPU_MAX {
            return Err(wrong());
        }
        for cpu in first..=last {
            if found.contains(&cpu) {
                return Err(format!("names CPU {cpu} twice"));
            }
            found.push(cpu);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Value, address, cpus, listening, parse};
    use crate::table::Kind;

    #[test]
    fn times_and_sizes_carry_units_and_stay_in_bounds() {
        let kind = Kind::Duration { min: 100, max: 60_000 };
        assert_eq!(parse(&kind, "5s"), Ok(Value::Integer(5_000)));
        assert_eq!(parse(&kind, "1m"), Ok(Value::Integer(60_000)));
        assert_eq!(parse(&kind, "2m"), Err("must be between 100ms and 1m".to_owned()));
        assert!(parse(&kind, "5").is_err());
        assert!(parse(&kind, "-5s").is_err());
        let kind = Kind::Bytes { min: 0, max: u64::MAX };
        assert_eq!(parse(&kind, "10 MiB"), Ok(Value::Integer(10 << 20)));
        assert_eq!(parse(&kind, "10485760"), Ok(Value::Integer(10 << 20)));
        assert!(parse(&kind, "99999999999GiB").is_err());
        let kind = Kind::BytesOrAuto { min: 1 << 20, max: 1 << 40 };
        assert_eq!(parse(&kind, "auto"), Ok(Value::Text("auto".to_owned())));
        assert_eq!(parse(&kind, "64MiB"), Ok(Value::Integer(64 << 20)));
        assert_eq!(parse(&kind, "64KiB"), Err("must be between 1MiB and 1024GiB".to_owned()));
        let kind = Kind::CountOrOff { min: 1, max: 10 };
        assert_eq!(parse(&kind, "off"), Ok(Value::Text("off".to_owned())));
        assert_eq!(parse(&kind, "0"), Err("must be between 1 and 10".to_owned()));
        assert_eq!(parse(&kind, "auto"), Err("must be a number or `off`".to_owned()));
    }

    #[test]
    fn cpu_lists_take_ranges_and_refuse_repeats() {
        assert_eq!(cpus("0-2, 5"), Ok(vec![0, 1, 2, 5]));
        assert!(cpus("3-1").is_err());
        assert!(cpus("1,1").is_err());
        assert!(cpus("0-99999999").is_err());
    }

    #[test]
    fn addresses_name_a_port() {
        assert_eq!(address("localhost:80").map(|a| a.to_string()), Ok("127.0.0.1:80".to_owned()));
        assert!(address("8080").is_err());
        assert_eq!(address("[::ffff:127.0.0.1]:80").map(|a| a.to_string()), Ok("127.0.0.1:80".to_owned()));
        assert_eq!(address("[fe80::1%2]:80").map(|a| a.to_string()), Ok("[fe80::1%2]:80".to_owned()));
        assert!(listening("unix:").is_err());
        assert_eq!(listening("unix:/run/a.sock").map(|a| a.to_string()), Ok("unix:/run/a.sock".to_owned()));
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(parse(&Kind::Mode, "0660"), Ok(Value::Integer(0o660)));
        assert_eq!(parse(&Kind::Mode, "600"), Ok(Value::Integer(0o600)));
        for wrong in ["0o660", "1777", "0888", "+660", "-660", "6", "00660", "rw-rw----"] {
            assert!(parse(&Kind::Mode, wrong).is_err(), "{wrong}");
        }
    }
}
