//! The static table (RFC 7541 appendix A), and where a name or a field is in it.

/// Entries; the dynamic table's indices begin after them.
pub(super) const LEN: usize = 61;

/// Index one is the first.
pub(super) static ENTRIES: [(&[u8], &[u8]); LEN] = TABLE;

#[rustfmt::skip]
const TABLE: [(&[u8], &[u8]); LEN] = [
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    (b"accept-language", b""),
    (b"accept-ranges", b""),
    (b"accept", b""),
    (b"access-control-allow-origin", b""),
    (b"age", b""),
    (b"allow", b""),
    (b"authorization", b""),
    (b"cache-control", b""),
    (b"content-disposition", b""),
    (b"content-encoding", b""),
    (b"content-language", b""),
    (b"content-length", b""),
    (b"content-location", b""),
    (b"content-range", b""),
    (b"content-type", b""),
    (b"cookie", b""),
    (b"date", b""),
    (b"etag", b""),
    (b"expect", b""),
    (b"expires", b""),
    (b"from", b""),
    (b"host", b""),
    (b"if-match", b""),
    (b"if-modified-since", b""),
    (b"if-none-match", b""),
    (b"if-range", b""),
    (b"if-unmodified-since", b""),
    (b"last-modified", b""),
    (b"link", b""),
    (b"location", b""),
    (b"max-forwards", b""),
    (b"proxy-authenticate", b""),
    (b"proxy-authorization", b""),
    (b"range", b""),
    (b"referer", b""),
    (b"refresh", b""),
    (b"retry-after", b""),
    (b"server", b""),
    (b"set-cookie", b""),
    (b"strict-transport-security", b""),
    (b"transfer-encoding", b""),
    (b"user-agent", b""),
    (b"vary", b""),
    (b"via", b""),
    (b"www-authenticate", b""),
];

/// The name at an index of the static table, for rules that ask about names.
#[must_use]
pub(in crate::h2) fn name_of(index: usize) -> &'static [u8] {
    ENTRIES[index - 1].0
}

/// Where a name is looked up; the factors give each name of the table a slot of its own.
#[inline]
const fn slot(name: &[u8]) -> usize {
    let (first, middle, last) = (name[0], name[name.len() / 2], name[name.len() - 1]);
    (name.len() + first as usize + middle as usize * 7 + last as usize * 34) % 256
}

/// By slot, the first index of a name; zero for none.
static SLOTS: [u8; 256] = {
    let mut slots = [0; 256];
    let mut at = 0;
    while at < LEN {
        let name = TABLE[at].0;
        let slot = slot(name);
        if slots[slot] == 0 {
            slots[slot] = at as u8 + 1;
        } else {
            let other = TABLE[slots[slot] as usize - 1].0;
            assert!(
                other.len() == name.len() && other[1] == name[1],
                "two names share a slot: find other factors"
            );
        }
        at += 1;
    }
    slots
};

/// The first index of a lower-case name.
#[inline]
pub(super) fn find_name(name: &[u8]) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let index = SLOTS[slot(name)] as usize;
    (index > 0 && ENTRIES[index - 1].0 == name).then_some(index)
}

/// The index of a field whose name is first found at `index`.
#[inline]
pub(super) fn find_value(index: usize, value: &[u8]) -> Option<usize> {
    // Entries of a name stand together.
    let values = match index {
        2 | 4 | 6 => 2,
        8 => 7,
        _ => 1,
    };
    ENTRIES[index - 1..index - 1 + values].iter().position(|entry| entry.1 == value).map(|at| index + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found() {
        for (at, (name, value)) in ENTRIES.iter().enumerate() {
            let first = find_name(name).expect("a name of the table");
            assert_eq!(ENTRIES[first - 1].0, *name);
            assert_eq!(find_value(first, value), Some(at + 1));
            assert_eq!(find_value(first, b"another"), None);
        }
        for other in ["", "x", ":patH", "hosu", "content-lengt", "x-content-type"] {
            assert_eq!(find_name(other.as_bytes()), None, "{other}");
        }
    }
}
