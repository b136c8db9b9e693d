//! The dynamic table (RFC 7541 §2.3.2, §4): newest first, evicted from the old end.
//!
//! Text lies end to end in one buffer of up to twice the table's size. It only grows at its end; once that is
//! reached, what is alive moves to the front, so each byte is moved once per turn of the buffer.

use std::collections::VecDeque;

/// What an entry costs beside its text (§4.1).
pub(super) const ENTRY_OVERHEAD: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    name_len: u32,
    value_len: u32,
    vouched: bool,
}

/// Text of an entry, and whether a sink has vouched for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) vouched: bool,
}

/// Fields by recency, within a size.
#[derive(Debug, Default)]
pub(super) struct DynamicTable {
    /// Oldest first.
    entries: VecDeque<Entry>,
    text: Vec<u8>,
    /// Size of the entries with their overhead, and the most that it may be.
    size: usize,
    size_max: usize,
    /// Entries ever added, wrapping.
    added: u16,
}

impl DynamicTable {
    pub(super) fn new(size_max: usize) -> Self {
        DynamicTable { size_max, ..DynamicTable::default() }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn size_max(&self) -> usize {
        self.size_max
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Bytes on the heap.
    pub(super) fn held_bytes(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Bytes of text that are kept, of entries that are alive and of others.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.text.len()
    }

    /// Changes the most that the entries may take (§4.3).
    pub(super) fn resize(&mut self, size_max: usize) {
        self.size_max = size_max;
        self.evict(0);
    }

    /// The entry that was added `age` entries before the newest.
    #[inline]
    pub(super) fn get(&self, age: usize) -> Option<Row<'_>> {
        let at = self.entries.len().checked_sub(age + 1)?;
        let entry = self.entries.get(at)?;
        let name_end = entry.start as usize + entry.name_len as usize;
        let value_end = name_end + entry.value_len as usize;
        let (name, value) = (&self.text[entry.start as usize..name_end], &self.text[name_end..value_end]);
        Some(Row { name, value, vouched: entry.vouched })
    }

    /// Adds an entry, evicting old ones (§4.4). One that is larger than the table empties it.
    pub(super) fn add(&mut self, name: &[u8], value: &[u8], vouched: bool) {
        let len = name.len() + value.len();
        let size = len + ENTRY_OVERHEAD;
        self.evict(size);
        if size > self.size_max {
            return;
        }
        if self.text.len() + len > self.size_max * 2 {
            self.compact();
        }
        let start = self.text.len() as u32;
        self.text.extend_from_slice(name);
        self.text.extend_from_slice(value);
        self.entries.push_back(Entry {
            start,
            name_len: name.len() as u32,
            value_len: value.len() as u32,
            vouched,
        });
        self.size += size;
        self.added = self.added.wrapping_add(1);
    }

    /// The number of the newest entry; the one before has the number before.
    pub(super) fn newest(&self) -> u16 {
        self.added
    }

    /// Evicts until `room` fits.
    fn evict(&mut self, room: usize) {
        while self.size + room > self.size_max
            && let Some(oldest) = self.entries.pop_front()
        {
            self.size -= oldest.name_len as usize + oldest.value_len as usize + ENTRY_OVERHEAD;
        }
        if self.entries.is_empty() {
            self.text.clear();
        }
    }

    fn compact(&mut self) {
        let start = self.entries.front().map_or(self.text.len(), |oldest| oldest.start as usize);
        self.text.copy_within(start.., 0);
        self.text.truncate(self.text.len() - start);
        for entry in &mut self.entries {
            entry.start -= start as u32;
        }
    }
}
