//! Fields to field blocks (RFC 7541 §6).
//!
//! A field that came before is one index. What is worth remembering is learned per name: after a few values that
//! never came again, a name's values are sent without being added, so request ids don't push out what repeats.

use super::dynamic_table::DynamicTable;
use super::{huffman, integer, static_table};

/// Whether no value of a name is remembered, here or by anyone behind (§7.1.3): on a connection that several clients'
/// calls share, a guess that compresses would be a guess confirmed.
fn is_secret(name: &[u8], static_name: Option<usize>) -> bool {
    match static_name {
        Some(index) => SECRETS >> index & 1 == 1,
        None => matches!(name, b"x-api-key" | b"x-amz-security-token"),
    }
}

/// A bit for each secret of the static table: authorization, cookie, proxy-authorization, set-cookie,
/// www-authenticate.
const SECRETS: u64 = 1 << 23 | 1 << 32 | 1 << 49 | 1 << 55 | 1 << 61;

/// A name and a value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The look-up by hash: sets of numbers of entries (see [`DynamicTable::newest`]), newest first. The table of 4,096
/// bytes has at most 128 entries. What is pushed out of a full set costs a few bytes on the wire, never a wrong field.
const SETS: usize = 32;
const WAYS: usize = 8;
type Numbers = [[u16; WAYS]; SETS];
/// Values of a name that may go unrepeated before its values are no longer added.
const MISSES_MAX: u8 = 3;
/// A field larger than this part of the table isn't added.
const LARGE: usize = 4;

/// Fields of a block, from its first on, of which it is remembered where they were found.
const HINTS: usize = 16;

/// Where a field of the last block was found. Messages of one kind have the same fields in the same places, mostly.
#[derive(Clone, Copy, Debug)]
enum Hint {
    Nowhere,
    /// Index in the static table.
    Static(u8),
    /// Number in the dynamic table, and the name's set.
    Entry(u16, u8),
}

/// The sending half of a compression context.
#[derive(Debug)]
pub struct Encoder {
    table: DynamicTable,
    /// The most that we use of what the peer allows.
    bytes_max: usize,
    /// Smallest and last size since the last block, to be announced (§4.2).
    announce: Option<(usize, usize)>,
    fields: Numbers,
    /// One number per name.
    names: Numbers,
    /// By the name's hash: values that were added and didn't come again.
    misses: [u8; SETS],
    hints: [Hint; HINTS],
    /// Fields of the block so far.
    place: usize,
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
            fields: [[0; WAYS]; SETS],
            names: [[0; WAYS]; SETS],
            misses: [0; SETS],
            hints: [Hint::Nowhere; HINTS],
            place: 0,
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
        self.place = 0;
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
        self.place += 1;
        out.push(0x80 | known);
    }

    /// Appends a field. The name is sent in lower case (RFC 9113 §8.2.1); the caller vouches for name and value.
    pub fn field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        if self.follow_hint(name, value, out) {
            return;
        }
        let mut lower = std::mem::take(&mut self.lower);
        lower.clear();
        lower.extend_from_slice(name);
        lower.make_ascii_lowercase();
        self.look_up(&lower, value, out);
        self.lower = lower;
    }

    /// Appends a field whose name is in lower case.
    pub(in crate::h2) fn lower_field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        if !self.follow_hint(name, value, out) {
            self.look_up(name, value, out);
        }
    }

    /// Appends the field if it is where the field of this place was found last time.
    #[inline]
    fn follow_hint(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) -> bool {
        let (index, known, set) = match self.hints.get(self.place) {
            Some(&Hint::Static(index)) => (index as usize, static_table::ENTRIES[index as usize - 1], None),
            Some(&Hint::Entry(number, set)) => match self.entry(number) {
                Some((index, entry)) => (index, entry, Some(set)),
                None => return false,
            },
            Some(Hint::Nowhere) | None => return false,
        };
        if known.1 != value || !known.0.eq_ignore_ascii_case(name) {
            return false;
        }
        if let Some(set) = set {
            self.misses[set as usize] = 0;
        }
        self.place += 1;
        integer::encode(out, 0x80, 7, index);
        true
    }

    fn hint(&mut self, hint: Hint) {
        if let Some(place) = self.hints.get_mut(self.place) {
            *place = hint;
        }
    }

    /// Appends a field whose name is in lower case, wherever it is found.
    fn look_up(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        self.hint(Hint::Nowhere);
        self.find_or_spell(name, value, out);
        self.place += 1;
    }

    fn find_or_spell(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let static_name = static_table::find_name(name);
        if let Some(index) = static_name.and_then(|first| static_table::find_value(first, value)) {
            self.hint(Hint::Static(index as u8));
            return integer::encode(out, 0x80, 7, index);
        }
        let name_hash = hash(0, name);
        let name_set = name_hash as usize % SETS;
        if is_secret(name, static_name) {
            let index = static_name.or_else(|| self.find_name(name_set, name).map(|(_, index)| index));
            return self.literal(0x10, 4, index, name, value, out);
        }
        let field_set = hash(name_hash, value) as usize % SETS;
        if let Some(index) = self.find_field(field_set, (name, value)) {
            self.misses[name_set] = 0;
            let age = (index - static_table::LEN - 1) as u16;
            self.hint(Hint::Entry(self.table.newest().wrapping_sub(age), name_set as u8));
            return integer::encode(out, 0x80, 7, index);
        }
        let dynamic_name = self.find_name(name_set, name);
        let index = static_name.or(dynamic_name.map(|(_, index)| index));
        let misses = self.misses[name_set];
        self.misses[name_set] = misses.wrapping_add(1);
        let large = (name.len() + value.len()) * LARGE > self.table.size_max();
        if large || misses >= MISSES_MAX && index.is_some() {
            return self.literal(0x00, 4, index, name, value, out);
        }
        self.literal(0x40, 6, index, name, value, out);
        self.table.add(name, value, false);
        let number = self.table.newest();
        self.hint(Hint::Entry(number, name_set as u8));
        self.fields[field_set].rotate_right(1);
        self.fields[field_set][0] = number;
        if let Some((way, _)) = dynamic_name {
            self.names[name_set][way] = number;
        } else {
            self.names[name_set].rotate_right(1);
            self.names[name_set][0] = number;
        }
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

    /// Index of a field, if its set still knows.
    #[inline]
    fn find_field(&self, set: usize, field: Pair<'_>) -> Option<usize> {
        // Newest first: behind one that is gone are older ones.
        let mut entries = self.fields[set].iter().map_while(|&number| self.entry(number));
        entries.find(|&(_, entry)| entry == field).map(|(index, _)| index)
    }

    /// Place in its set and index of the newest field of a name.
    #[inline]
    fn find_name(&self, set: usize, name: &[u8]) -> Option<(usize, usize)> {
        let mut entries = self.names[set].iter().enumerate();
        entries.find_map(|(way, &number)| {
            let (index, entry) = self.entry(number)?;
            (entry.0 == name).then_some((way, index))
        })
    }

    /// Index and text of the entry of a number. A number that has gone round finds another entry, so callers compare.
    #[inline]
    fn entry(&self, number: u16) -> Option<(usize, Pair<'_>)> {
        let age = self.table.newest().wrapping_sub(number) as usize;
        let row = self.table.get(age)?;
        Some((static_table::LEN + 1 + age, (row.name, row.value)))
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.table.held_bytes()
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

/// Spreads text over the sets.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_their_bits() {
        let names: Vec<&[u8]> =
            (1..=61).filter(|index| SECRETS >> index & 1 == 1).map(static_table::name_of).collect();
        let expected =
            [&b"authorization"[..], b"cookie", b"proxy-authorization", b"set-cookie", b"www-authenticate"];
        assert_eq!(names, expected);
    }
}
