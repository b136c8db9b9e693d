//! Fields to field blocks (RFC 7541 §6).
//!
//! A field that came before is one index. What is worth remembering is learned per name: after a few values that
//! never came again, a name's values are sent without being added, so request ids don't push out what repeats.

use super::dynamic_table::DynamicTable;
use super::{huffman, integer, static_table};

/// Names of which no value is remembered, here or by anyone behind (§7.1.3): on a connection that several clients'
/// calls share, a guess that compresses would be a guess confirmed.
const SECRETS: [&[u8]; 7] = [
    b"authorization",
    b"cookie",
    b"proxy-authorization",
    b"set-cookie",
    b"x-amz-security-token",
    b"x-api-key",
    b"www-authenticate",
];

/// A name and a value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// Slots of the look-up by hash. The table of 4,096 bytes has at most 128 entries.
const SLOTS: usize = 128;
/// Values of a name that may go unrepeated before its values are no longer added.
const MISSES_MAX: u8 = 3;
/// A field larger than this part of the table isn't added.
const LARGE: usize = 4;

/// The sending half of a compression context.
#[derive(Debug)]
pub struct Encoder {
    table: DynamicTable,
    /// The most that we use of what the peer allows.
    bytes_max: usize,
    /// Smallest and last size since the last block, to be announced (§4.2).
    announce: Option<(usize, usize)>,
    /// By hash: the number of the newest entry of that hash, see [`DynamicTable::newest`].
    fields: [u16; SLOTS],
    names: [u16; SLOTS],
    /// By the name's hash: values that were added and didn't come again.
    misses: [u8; SLOTS],
    lower: Vec<u8>,
}

impl Encoder {
    /// An encoder that keeps at most `bytes_max` in its table, which is 4,096 until the peer says otherwise.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        let at_first = 4_096;
        Encoder {
            table: DynamicTable::new(bytes_max.min(at_first)),
            bytes_max,
            announce: (bytes_max < at_first).then_some((bytes_max, bytes_max)),
            fields: [0; SLOTS],
            names: [0; SLOTS],
            misses: [0; SLOTS],
            lower: Vec::new(),
        }
    }

    /// Takes the peer's SETTINGS_HEADER_TABLE_SIZE, in bytes.
    pub fn allow(&mut self, table_bytes: usize) {
        let size = table_bytes.min(self.bytes_max);
        if size == self.table.size_max() {
            return;
        }
        self.table.resize(size);
        let smallest = self.announce.map_or(size, |(smallest, _)| smallest.min(size));
        self.announce = Some((smallest, size));
    }

    /// Begins a block.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some((smallest, last)) = self.announce.take() {
            if smallest < last {
                integer::encode(out, 0x20, 5, smallest);
            }
            integer::encode(out, 0x20, 5, last);
        }
    }

    /// Appends `:status`.
    pub fn status(&mut self, status: u16, out: &mut Vec<u8>) {
        let digits =
            [b'0' + (status / 100 % 10) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8];
        let known = match status {
            200 => 8,
            204 => 9,
            206 => 10,
            304 => 11,
            400 => 12,
            404 => 13,
            500 => 14,
            _ => return self.lower_field(b":status", &digits, out),
        };
        out.push(0x80 | known);
    }

    /// Appends a field. The name is sent in lower case (RFC 9113 §8.2.1); the caller vouches for name and value.
    pub fn field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let mut lower = std::mem::take(&mut self.lower);
        lower.clear();
        lower.extend_from_slice(name);
        lower.make_ascii_lowercase();
        self.lower_field(&lower, value, out);
        self.lower = lower;
    }

    /// Appends a field whose name is in lower case.
    pub(in crate::h2) fn lower_field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let static_name = static_table::find_name(name);
        if let Some(index) = static_name.and_then(|first| static_table::find_value(first, value)) {
            return integer::encode(out, 0x80, 7, index);
        }
        let name_hash = hash(0, name);
        let name_slot = name_hash as usize % SLOTS;
        if SECRETS.contains(&name) {
            return self.literal(
                0x10,
                4,
                static_name.or_else(|| self.find(name_slot, name)),
                name,
                value,
                out,
            );
        }
        let field_slot = hash(name_hash, value) as usize % SLOTS;
        if let Some((age, _)) =
            self.entry(self.fields[field_slot]).filter(|(_, entry)| *entry == (name, value))
        {
            self.misses[name_slot] = 0;
            return integer::encode(out, 0x80, 7, static_table::LEN + 1 + age);
        }
        let index = static_name.or_else(|| self.find(name_slot, name));
        let misses = self.misses[name_slot];
        self.misses[name_slot] = misses.wrapping_add(1);
        let large = (name.len() + value.len()) * LARGE > self.table.size_max();
        if large || misses >= MISSES_MAX && index.is_some() {
            return self.literal(0x00, 4, index, name, value, out);
        }
        self.literal(0x40, 6, index, name, value, out);
        self.table.add(name, value);
        self.fields[field_slot] = self.table.newest();
        self.names[name_slot] = self.table.newest();
    }

    fn literal(
        &self,
        pattern: u8,
        prefix: u32,
        index: Option<usize>,
        name: &[u8],
        value: &[u8],
        out: &mut Vec<u8>,
    ) {
        integer::encode(out, pattern, prefix, index.unwrap_or(0));
        if index.is_none() {
            string(name, out);
        }
        string(value, out);
    }

    /// Index of the newest field of a name, if its slot still knows.
    fn find(&self, slot: usize, name: &[u8]) -> Option<usize> {
        let (age, entry) = self.entry(self.names[slot])?;
        (entry.0 == name).then_some(static_table::LEN + 1 + age)
    }

    /// The entry of a number and its age. A number that has gone round finds another entry, so callers compare.
    #[inline]
    fn entry(&self, number: u16) -> Option<(usize, Pair<'_>)> {
        let age = self.table.newest().wrapping_sub(number) as usize;
        Some((age, self.table.get(age)?))
    }

    #[cfg(test)]
    pub(super) fn table(&self) -> &DynamicTable {
        &self.table
    }
}

/// Appends a string, in the Huffman code where that is shorter (§5.2).
fn string(text: &[u8], out: &mut Vec<u8>) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::encode(out, 0x80, 7, coded);
        huffman::encode(out, text);
    } else {
        integer::encode(out, 0x00, 7, text.len());
        out.extend_from_slice(text);
    }
}

/// Spreads text over the slots. A collision costs a few bytes on the wire, never a wrong field.
#[inline]
fn hash(seed: u64, text: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word).wrapping_mul(u128::from(FACTOR));
        product as u64 ^ (product >> 64) as u64
    };
    let (words, rest) = text.as_chunks::<8>();
    let state =
        words.iter().fold(seed ^ text.len() as u64, |state, word| mix(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(state, u64::from_le_bytes(last))
}
