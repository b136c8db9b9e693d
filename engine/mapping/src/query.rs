//! Reading a query string as it came: parameters split at `&` and `;`, names compared decoded and case-sensitively.

use vocabulary::percent;

/// Name and value of each parameter, both raw, in order. A name without `=` has an empty value.
pub fn pairs(query: &[u8]) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
    query.split(|byte| matches!(byte, b'&' | b';')).filter(|pair| !pair.is_empty()).map(|pair| {
        match pair.iter().position(|&byte| byte == b'=') {
            Some(equals) => (&pair[..equals], &pair[equals + 1..]),
            None => (pair, [].as_slice()),
        }
    })
}

/// Raw values of one name, in order.
pub fn values<'a>(query: &'a [u8], name: &'a [u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> {
    pairs(query).filter(move |(raw, _)| percent::query_name_is(raw, name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(query: &str, name: &str) -> Vec<String> {
        let values = values(query.as_bytes(), name.as_bytes());
        values.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn values_are_found_by_name() {
        assert_eq!(all("price=10&price=20&x=1&price=30", "price"), ["10", "20", "30"]);
        assert_eq!(all("a&b=&c=1", "a"), [""]);
        assert_eq!(all("a&b=&c=1", "b"), [""]);
        assert_eq!(all("a=1;b=2", "b"), ["2"]);
        assert_eq!(all("a=x=y", "a"), ["x=y"]);
        assert_eq!(all("%61=1", "a"), ["1"]);
        assert_eq!(all("A=1", "a"), Vec::<String>::new());
        assert_eq!(all("", "a"), Vec::<String>::new());
    }
}
