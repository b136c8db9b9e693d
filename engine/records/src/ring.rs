//! The road from a shard to the log thread: whole lines in a bounded ring of bytes, and a bell for a sleeping reader.
//!
//! One writer, one reader. A line goes in whole or not at all, and lines are published one by one, so that what the
//! reader finds always ends at a line's end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use rtrb::{Consumer, Producer, RingBuffer};

/// Bytes a shard may be ahead of the log thread. Ours: about 5,000 records.
pub const RING_BYTES: usize = 1024 * 1024;

/// Wakes the log thread if it sleeps.
#[derive(Debug, Default)]
pub struct Doorbell {
    sleeping: AtomicBool,
    reader: OnceLock<Thread>,
}

impl Doorbell {
    /// To be called once by the reading thread.
    pub fn attend(&self) {
        // A second reader would be a defect of the caller; the first stays.
        let _ = self.reader.set(std::thread::current());
    }

    /// The reader is about to sleep; it must look at the rings once more after this.
    pub fn doze(&self) {
        self.sleeping.store(true, Ordering::SeqCst);
    }

    /// The reader is awake.
    pub fn rise(&self) {
        self.sleeping.store(false, Ordering::SeqCst);
    }

    /// Wakes the reader if it sleeps; costs a load if it doesn't.
    pub fn ring(&self) {
        if self.sleeping.load(Ordering::SeqCst)
            && self.sleeping.swap(false, Ordering::SeqCst)
            && let Some(reader) = self.reader.get()
        {
            reader.unpark();
        }
    }
}

/// The shard's end.
#[derive(Debug)]
pub struct RecordWriter {
    producer: Producer<u8>,
    doorbell: Arc<Doorbell>,
    written: bool,
    /// The core was offered to the reader since the ring was last less than half full.
    yielded: bool,
}

/// The log thread's end.
#[derive(Debug)]
pub struct RecordReader {
    consumer: Consumer<u8>,
}

/// A ring for one shard.
#[must_use]
pub fn ring(doorbell: Arc<Doorbell>) -> (RecordWriter, RecordReader) {
    let (producer, consumer) = RingBuffer::new(RING_BYTES);
    (RecordWriter { producer, doorbell, written: false, yielded: false }, RecordReader { consumer })
}

impl RecordWriter {
    /// Puts a whole line in; false if there is no room, which the caller counts.
    pub fn push(&mut self, line: &[u8]) -> bool {
        let pushed = self.producer.push_entire_slice(line).is_ok();
        self.written |= pushed;
        pushed
    }

    /// To be called once per turn: wakes a sleeping reader for what the turn wrote, and offers it the core, once,
    /// when the ring is half full: under a real-time policy a busy shard would otherwise never let it run.
    pub fn end_turn(&mut self) {
        if !std::mem::take(&mut self.written) {
            return;
        }
        self.doorbell.ring();
        if self.producer.slots() >= RING_BYTES / 2 {
            self.yielded = false;
        } else if !std::mem::replace(&mut self.yielded, true) {
            std::thread::yield_now();
        }
    }
}

impl RecordReader {
    /// Appends what is there to `block`, at most `bytes_max` bytes; returns how many.
    pub fn read(&mut self, block: &mut Vec<u8>, bytes_max: usize) -> usize {
        let count = self.consumer.slots().min(bytes_max);
        let Ok(chunk) = self.consumer.read_chunk(count) else { return 0 };
        let (first, second) = chunk.as_slices();
        block.extend_from_slice(first);
        block.extend_from_slice(second);
        chunk.commit_all();
        count
    }

    /// Whether the shard's end is gone.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.consumer.is_abandoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_drops_whole_lines() {
        let (mut writer, mut reader) = ring(Arc::default());
        let line = [b"x".repeat(999), b"\n".to_vec()].concat();
        let pushed = (0..2_000).filter(|_| writer.push(&line)).count();
        assert_eq!(pushed, RING_BYTES / 1000);
        let mut block = Vec::new();
        while reader.read(&mut block, 64 * 1024) > 0 {}
        assert_eq!(block.len(), pushed * 1000);
        assert!(block.ends_with(b"\n") && writer.push(&line));
    }
}
