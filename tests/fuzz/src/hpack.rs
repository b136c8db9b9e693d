//! Field blocks: against the plain rule, and written again.
//!
//! An input is a list of blocks, each behind an octet with its length; 255 stands for a setting of the table's size
//! instead, in 64 bytes, by the octet that follows.

use std::collections::HashMap;
use std::sync::LazyLock;

use codec::h2::hpack::{Decoder, Encoder, Field, HpackError, Sink};

/// A name and a value.
type Pair = (Vec<u8>, Vec<u8>);

#[derive(Default)]
struct Fields(Vec<Pair>);

impl Sink for Fields {
    fn field(&mut self, field: Field<'_>) -> bool {
        let pair = (field.name.to_vec(), field.value.to_vec());
        if let Some(index) = field.static_name {
            let named = static_field(usize::from(index)).map(|(name, _)| name);
            assert_eq!(named.as_ref(), Some(&pair.0), "another name than the static table's");
        }
        self.0.push(pair);
        let vouched = is_vouched(&self.0[self.0.len() - 1]);
        assert!(!field.vouched || vouched, "vouched for another");
        vouched
    }
}

/// Some fields, as good as any choice.
fn is_vouched((name, value): &Pair) -> bool {
    (name.len() + value.len()).is_multiple_of(2)
}

/// Decodes any bytes as blocks of one connection.
pub fn hpack(input: &[u8]) {
    let (mut decoder, mut rule) = (Decoder::default(), Rule::default());
    let (mut encoder, mut reader) = (Encoder::new(4_096), Decoder::default());
    let mut rest = input;
    while let Some((&len, after)) = rest.split_first() {
        if len == 255 {
            let Some((&size, after)) = after.split_first() else { return };
            rest = after;
            let size = usize::from(size) * 64;
            decoder.allow(size);
            rule.allowed = size;
            encoder.allow(size);
            reader.allow(size);
            continue;
        }
        let (block, after) = after.split_at(after.len().min(usize::from(len)));
        rest = after;
        let mut read = Fields::default();
        let outcome = decoder.decode(block, &mut read);
        let expected = rule.decode(block);
        match (&outcome, &expected) {
            (Ok(()), Some(fields)) => assert_eq!(read.0, *fields),
            (Err(_), None) => return,
            _ => panic!("read {outcome:?}, the rule says {expected:?}"),
        }
        assert_eq!(written_again(&mut encoder, &mut reader, &read.0), Ok(lower(read.0)), "written again");
    }
}

/// Encodes fields and decodes the block.
fn written_again(
    encoder: &mut Encoder,
    reader: &mut Decoder,
    fields: &[Pair],
) -> Result<Vec<Pair>, HpackError> {
    let mut block = Vec::new();
    encoder.begin(&mut block);
    fields.iter().for_each(|(name, value)| encoder.field(name, value, &mut block));
    let mut again = Fields::default();
    reader.decode(&block, &mut again)?;
    Ok(again.0)
}

fn lower(mut fields: Vec<Pair>) -> Vec<Pair> {
    fields.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
    fields
}

/// A row of the static table, by asking for it.
fn static_field(index: usize) -> Option<Pair> {
    let mut fields = Fields::default();
    if index <= 61 {
        struct Bare<'a>(&'a mut Fields);
        impl Sink for Bare<'_> {
            fn field(&mut self, field: Field<'_>) -> bool {
                self.0.0.push((field.name.to_vec(), field.value.to_vec()));
                false
            }
        }
        Decoder::default().decode(&[0x80 | index as u8], &mut Bare(&mut fields)).ok()?;
    }
    fields.0.pop()
}

/// RFC 7541 written down plainly.
struct Rule {
    /// Newest first.
    table: Vec<Pair>,
    size_max: usize,
    allowed: usize,
}

impl Default for Rule {
    fn default() -> Self {
        Rule { table: Vec::new(), size_max: 4_096, allowed: 4_096 }
    }
}

impl Rule {
    fn decode(&mut self, mut block: &[u8]) -> Option<Vec<Pair>> {
        let mut fields = Vec::new();
        while let Some(&first) = block.first() {
            if first >= 0x80 {
                fields.push(self.row(integer(&mut block, 7)?)?);
            } else if first >= 0x40 {
                let field = self.literal(&mut block, 6)?;
                self.table.insert(0, field.clone());
                self.evict();
                fields.push(field);
            } else if first >= 0x20 {
                let size = integer(&mut block, 5)?;
                if !fields.is_empty() || size > self.allowed {
                    return None;
                }
                self.size_max = size;
                self.evict();
                continue;
            } else {
                fields.push(self.literal(&mut block, 4)?);
            }
            // A table larger than the setting has to shrink first.
            if self.size_max > self.allowed {
                return None;
            }
        }
        (self.size_max <= self.allowed).then_some(fields)
    }

    fn row(&self, index: usize) -> Option<Pair> {
        if index <= 61 { static_field(index) } else { self.table.get(index - 62).cloned() }
    }

    fn literal(&self, block: &mut &[u8], prefix: u32) -> Option<Pair> {
        let index = integer(block, prefix)?;
        let name = if index == 0 { string(block)? } else { self.row(index)?.0 };
        Some((name, string(block)?))
    }

    fn evict(&mut self) {
        let size =
            |table: &[Pair]| table.iter().map(|(name, value)| name.len() + value.len() + 32).sum::<usize>();
        while size(&self.table) > self.size_max {
            self.table.pop();
        }
    }
}

/// Five octets at most, as ours: beyond those is an attack or a defect.
fn integer(block: &mut &[u8], prefix: u32) -> Option<usize> {
    let max = (1 << prefix) - 1;
    let mut take = || {
        let (&octet, after) = block.split_first()?;
        *block = after;
        Some(usize::from(octet))
    };
    let mut value = take()? & max;
    if value == max {
        for place in 0..=4 {
            let octet = if place == 4 { return None } else { take()? };
            value += (octet % 128) << (7 * place);
            if octet < 128 {
                break;
            }
        }
    }
    Some(value)
}

fn string(block: &mut &[u8]) -> Option<Vec<u8>> {
    let huffman = *block.first()? >= 0x80;
    let len = integer(block, 7)?;
    let (text, after) = block.split_at_checked(len)?;
    *block = after;
    if huffman { unpack(text) } else { Some(text.to_vec()) }
}

/// Bit by bit: a code is canonical when codes of a length follow each other, and longer ones follow them.
fn unpack(coded: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let (mut code, mut length) = (0_u32, 0_usize);
    let mut ones = true;
    for bit in coded.iter().flat_map(|octet| (0..8).rev().map(move |place| octet >> place & 1)) {
        code = code << 1 | u32::from(bit);
        ones &= bit == 1;
        length += 1;
        if let Some(symbol) = symbol(code, length) {
            text.push(u8::try_from(symbol).ok()?);
            (code, length, ones) = (0, 0, true);
        }
    }
    (ones && length < 8).then_some(text)
}

fn symbol(code: u32, length: usize) -> Option<usize> {
    static SYMBOLS: LazyLock<HashMap<(usize, u32), usize>> = LazyLock::new(|| {
        let mut symbols = HashMap::new();
        let mut code = 0;
        for length in 1..=30 {
            for (symbol, _) in LENGTHS.iter().enumerate().filter(|(_, bits)| usize::from(**bits) == length) {
                symbols.insert((length, code), symbol);
                code += 1;
            }
            code <<= 1;
        }
        symbols
    });
    SYMBOLS.get(&(length, code)).copied()
}

/// RFC 7541 appendix B.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];
