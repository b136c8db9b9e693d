//! Ids for what has none: stable, and shaped like AWS's.

const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Ten lower-case letters and digits that depend on `name` alone: the id of an API served from the file of that path.
/// The first is a letter, so that the id can be a host's label anywhere.
#[must_use]
pub fn stable_id(name: &str) -> String {
    let mut id = write(hash(name.as_bytes()), 10);
    id[0] = ALPHABET[10 + usize::from(id[0]) % 26];
    String::from_utf8_lossy(&id).into_owned()
}

/// Six characters for a resource, from its API and path.
#[must_use]
pub fn resource_id(api_id: &str, path: &str) -> String {
    String::from_utf8_lossy(&write(hash(format!("{api_id} {path}").as_bytes()), 6)).into_owned()
}

fn write(mut hash: u64, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| {
            let digit = ALPHABET[(hash % 36) as usize];
            hash /= 36;
            digit
        })
        .collect()
}

/// FNV-1a with a final mix: the ids must stay what they are from release to release, so the function is spelled out.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}
