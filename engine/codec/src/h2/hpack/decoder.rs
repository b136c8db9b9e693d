//! Field blocks to fields (RFC 7541 §3.2, §6).

use super::dynamic_table::DynamicTable;
use super::{huffman, integer, static_table};

/// Table size that both ends begin with (RFC 9113 §6.5.2).
const TABLE_BYTES_AT_FIRST: usize = 4_096;

/// Why a block can't be decoded; the connection can't go on (RFC 9113 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HpackError {
    /// An index that is zero or beyond the tables (§2.3.3, §6.1).
    Index,
    /// An integer that is too large or cut short (§5.1).
    Integer,
    /// A string longer than the block (§5.2).
    StringLength,
    /// A Huffman string with a wrong end (§5.2).
    Huffman,
    /// A size update after a field, above the setting, or missing (§4.2, §6.3).
    SizeUpdate,
}

/// A field on its way to a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as it came; nothing is checked.
    pub name: &'a [u8],
    /// The value as it came.
    pub value: &'a [u8],
    /// Index of the name in the static table, if it came by one.
    pub static_name: Option<u8>,
    /// The sink has vouched for this very field, and it came again.
    pub vouched: bool,
}

/// Takes fields in their order.
pub trait Sink {
    /// One field. A sink that has had enough ignores the rest: the block is decoded to its end regardless.
    ///
    /// True vouches for the field: whatever message it comes in again, nothing about it has to be judged.
    fn field(&mut self, field: Field<'_>) -> bool;
}

/// The receiving half of a compression context.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable,
    /// What our setting allows.
    size_allowed: usize,
    /// The setting fell below the table's size: the next block has to begin with an update.
    update_due: bool,
    /// Times that the table was changed, wrapping.
    changes: u32,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// Where a string is.
enum Text<'a> {
    Block(&'a [u8]),
    Scratch,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder {
            table: DynamicTable::new(TABLE_BYTES_AT_FIRST),
            size_allowed: TABLE_BYTES_AT_FIRST,
            update_due: false,
            changes: 0,
            name: Vec::new(),
            value: Vec::new(),
        }
    }
}

impl Decoder {
    /// Says that the peer has acknowledged this SETTINGS_HEADER_TABLE_SIZE, in bytes.
    pub fn allow(&mut self, table_bytes: usize) {
        self.size_allowed = table_bytes;
        self.update_due = self.table.size_max() > table_bytes;
    }

    /// Decodes a whole block.
    ///
    /// # Errors
    /// What [`HpackError`] lists. Fields before the error have reached the sink.
    pub fn decode(&mut self, block: &[u8], sink: &mut impl Sink) -> Result<(), HpackError> {
        let mut at = 0;
        while let Some(&octet) = block.get(at)
            && octet & 0xe0 == 0x20
        {
            let size = integer::decode(block, &mut at, 5).ok_or(HpackError::Integer)?;
            if size > self.size_allowed {
                return Err(HpackError::SizeUpdate);
            }
            self.table.resize(size);
            self.changes = self.changes.wrapping_add(1);
            self.update_due = false;
        }
        if self.update_due {
            return Err(HpackError::SizeUpdate);
        }
        while let Some(&octet) = block.get(at) {
            match octet {
                0x80.. => {
                    let index = integer::decode(block, &mut at, 7).ok_or(HpackError::Integer)?;
                    sink.field(self.indexed(index)?);
                }
                0x40.. => self.literal(block, &mut at, 6, true, sink)?,
                0x20.. => return Err(HpackError::SizeUpdate),
                // Without indexing, and never indexed: the difference is for those who encode it again (§6.2.3).
                _ => self.literal(block, &mut at, 4, false, sink)?,
            }
        }
        Ok(())
    }

    #[inline]
    fn indexed(&self, index: usize) -> Result<Field<'_>, HpackError> {
        if index == 0 {
            return Err(HpackError::Index);
        }
        if index <= static_table::LEN {
            let (name, value) = static_table::ENTRIES[index - 1];
            return Ok(Field { name, value, static_name: Some(index as u8), vouched: false });
        }
        let row = self.table.get(index - static_table::LEN - 1).ok_or(HpackError::Index)?;
        Ok(Field { name: row.name, value: row.value, static_name: None, vouched: row.vouched })
    }

    fn literal(
        &mut self,
        block: &[u8],
        at: &mut usize,
        prefix: u32,
        add: bool,
        sink: &mut impl Sink,
    ) -> Result<(), HpackError> {
        let index = integer::decode(block, at, prefix).ok_or(HpackError::Integer)?;
        let mut static_name = None;
        let mut name = Text::Scratch;
        if index == 0 {
            name = string(block, at, &mut self.name)?;
        } else if index <= static_table::LEN {
            static_name = Some(index as u8);
            name = Text::Block(static_table::name_of(index));
        } else {
            // The entry may be evicted by the field that names it (§4.4).
            let row = self.table.get(index - static_table::LEN - 1).ok_or(HpackError::Index)?;
            self.name.clear();
            self.name.extend_from_slice(row.name);
        }
        let value = string(block, at, &mut self.value)?;
        let name = match name {
            Text::Block(text) => text,
            Text::Scratch => &self.name,
        };
        let value = match value {
            Text::Block(text) => text,
            Text::Scratch => &self.value,
        };
        let vouched = sink.field(Field { name, value, static_name, vouched: false });
        if add {
            self.table.add(name, value, vouched);
            self.changes = self.changes.wrapping_add(1);
        }
        Ok(())
    }

    /// What the table's changes can be told by: while it stays the same, a block means the same. `None`: the next block has
    /// to begin with an update.
    pub(in crate::h2) fn state(&self) -> Option<u32> {
        (!self.update_due).then_some(self.changes)
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.table.held_bytes() + self.name.capacity() + self.value.capacity()
    }

    /// Gives back what large fields have taken.
    pub fn shrink(&mut self, bytes: usize) {
        for scratch in [&mut self.name, &mut self.value] {
            scratch.clear();
            scratch.shrink_to(bytes);
        }
    }

    #[cfg(test)]
    pub(super) fn table(&self) -> &DynamicTable {
        &self.table
    }
}

/// Reads a string (§5.2): from the block, or decoded to `scratch`.
#[inline]
fn string<'a>(block: &'a [u8], at: &mut usize, scratch: &mut Vec<u8>) -> Result<Text<'a>, HpackError> {
    let huffman = block.get(*at).is_some_and(|octet| octet & 0x80 != 0);
    let len = integer::decode(block, at, 7).ok_or(HpackError::Integer)?;
    let text = block[*at..].get(..len).ok_or(HpackError::StringLength)?;
    *at += len;
    if !huffman {
        return Ok(Text::Block(text));
    }
    scratch.clear();
    huffman::decode(text, scratch).ok_or(HpackError::Huffman)?;
    Ok(Text::Scratch)
}
