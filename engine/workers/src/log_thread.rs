//! The thread that writes access-log records: it empties the shards' rings and writes blocks.
//!
//! A sink that blocks stops this thread and nothing else: rings fill, and shards count what they drop. What a sink
//! refuses is counted here.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use records::metrics::ShardMetrics;
use records::{Doorbell, RecordReader};

/// Bytes of a write.
const BLOCK_BYTES: usize = 64 * 1024;
/// Between two looks at busy rings: long enough for a block to gather, short enough for `tail -f`.
const BATCHING: Duration = Duration::from_millis(5);
/// A sleeping thread looks up this often, whatever the bell says.
const NAP: Duration = Duration::from_secs(1);

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Standard output.
    Stdout,
    /// A file, appended to; made if it isn't there.
    File(PathBuf),
}

impl Sink {
    fn open(&self) -> io::Result<Output> {
        match self {
            Sink::Stdout => Ok(Output::Stdout(io::stdout())),
            Sink::File(path) => {
                let mut options = OpenOptions::new();
                options.create(true).append(true);
                // Opening a FIFO only to write waits for a reader, which may never come (fifo(7)).
                options.read(path.metadata().is_ok_and(|known| known.file_type().is_fifo()));
                options.open(path).map(Output::File)
            }
        }
    }
}

enum Output {
    Stdout(io::Stdout),
    File(File),
}

impl Output {
    fn write(&mut self, block: &[u8]) -> io::Result<()> {
        match self {
            Output::Stdout(stdout) => stdout.write_all(block).and_then(|()| stdout.flush()),
            Output::File(file) => file.write_all(block),
        }
    }
}

#[derive(Default)]
struct Requests {
    reopen: AtomicBool,
    stop: AtomicBool,
    failing: AtomicBool,
}

/// A running log thread.
pub struct LogThread {
    requests: Arc<Requests>,
    thread: JoinHandle<()>,
}

impl LogThread {
    /// Opens the sink and starts the thread; records that the sink refuses are added to `metrics`, which must be this
    /// thread's own.
    ///
    /// # Errors
    /// The sink can't be opened.
    pub fn start(
        sink: Sink,
        readers: Vec<RecordReader>,
        doorbell: Arc<Doorbell>,
        metrics: Arc<ShardMetrics>,
    ) -> io::Result<Self> {
        let output = sink.open()?;
        let requests = Arc::new(Requests::default());
        let theirs = Arc::clone(&requests);
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || Writer { sink, output, readers, doorbell, requests: theirs, metrics }.run())?;
        Ok(LogThread { requests, thread })
    }

    /// Closes the file and opens it anew before the next write (after a rotation).
    pub fn reopen(&self) {
        self.requests.reopen.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// Whether the last write failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.requests.failing.load(Ordering::Relaxed)
    }

    /// Writes what is in the rings and ends; gives up after `patience`, when the sink is stuck. Says whether it ended.
    #[must_use]
    pub fn stop(self, patience: Duration) -> bool {
        self.requests.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let step = Duration::from_millis(5);
        for _ in 0..patience.as_millis() / step.as_millis() {
            if self.thread.is_finished() {
                return self.thread.join().is_ok();
            }
            std::thread::park_timeout(step);
        }
        false
    }
}

struct Writer {
    sink: Sink,
    output: Output,
    readers: Vec<RecordReader>,
    doorbell: Arc<Doorbell>,
    requests: Arc<Requests>,
    metrics: Arc<ShardMetrics>,
}

impl Writer {
    fn run(mut self) {
        self.doorbell.attend();
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        loop {
            let stopping = self.requests.stop.load(Ordering::Acquire);
            if self.requests.reopen.swap(false, Ordering::AcqRel)
                && let Ok(output) = self.sink.open()
            {
                self.output = output;
            }
            let wrote = self.drain(&mut block);
            if stopping {
                return;
            }
            if wrote {
                std::thread::park_timeout(BATCHING);
                continue;
            }
            self.doorbell.doze();
            // A line may have come between the look and the nap.
            if !self.drain(&mut block) {
                std::thread::park_timeout(NAP);
            }
            self.doorbell.rise();
        }
    }

    /// Writes everything the rings hold; false if that was nothing.
    fn drain(&mut self, block: &mut Vec<u8>) -> bool {
        let mut wrote = false;
        for index in 0..self.readers.len() {
            while self.readers[index].read(block, BLOCK_BYTES) > 0 {
                wrote = true;
                if block.len() >= BLOCK_BYTES {
                    self.write(block);
                }
            }
        }
        if !block.is_empty() {
            self.write(block);
        }
        wrote
    }

    /// Writes the block's whole records; the beginning of a further one stays for the next write.
    fn write(&mut self, block: &mut Vec<u8>) {
        let whole = whole_records(block);
        let outcome = self.output.write(&block[..whole]);
        if outcome.is_err() {
            // A line is a record. Of a block that was written in part, all count: none of it is to be relied on.
            let lost = block[..whole].iter().filter(|&&octet| octet == b'\n').count();
            self.metrics.access_log_dropped.add(lost as u64);
        }
        // Said once per outage: a full disk must not fill a second log.
        if let Err(error) = &outcome
            && !self.requests.failing.load(Ordering::Relaxed)
        {
            let name = match &self.sink {
                Sink::Stdout => "standard output".to_owned(),
                Sink::File(path) => path.display().to_string(),
            };
            eprintln!("access log: can't write to {name}: {error}; records are lost until it works again");
        }
        self.requests.failing.store(outcome.is_err(), Ordering::Relaxed);
        block.drain(..whole);
    }
}

/// Bytes up to the end of the last whole record. Another process may append between two writes: while an old and a new
/// one serve, a record cut in two would be torn. One that is longer than a block goes in pieces, so that a block has a bound.
fn whole_records(block: &[u8]) -> usize {
    block.iter().rposition(|&octet| octet == b'\n').map_or(block.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use records::ring::ring;

    use super::*;

    #[test]
    fn a_write_ends_with_a_record() {
        let cases = [("", 0), ("longer than a block", 19), ("a\n", 2), ("a\nb\nbegun", 4)];
        for (block, whole) in cases {
            assert_eq!(whole_records(block.as_bytes()), whole, "{block:?}");
        }
    }

    #[test]
    fn every_line_reaches_the_file() {
        let path = std::env::temp_dir().join(format!("turnpike-log-{}", std::process::id()));
        let doorbell = Arc::new(Doorbell::default());
        let (mut writer, reader) = ring(Arc::clone(&doorbell));
        let sink = Sink::File(path.clone());
        let thread = LogThread::start(sink, vec![reader], doorbell, Arc::default()).expect("start");
        for _ in 0..1_000 {
            assert!(writer.push(b"line\n"));
            writer.end_turn();
        }
        assert!(thread.stop(Duration::from_secs(10)));
        let written = std::fs::read(&path).expect("file");
        std::fs::remove_file(&path).expect("remove");
        assert_eq!(written, b"line\n".repeat(1_000));
    }

    #[test]
    fn what_a_sink_refuses_is_counted() {
        let doorbell = Arc::new(Doorbell::default());
        let (mut writer, reader) = ring(Arc::clone(&doorbell));
        let (sink, metrics) = (Sink::File("/dev/full".into()), Arc::new(ShardMetrics::default()));
        let thread = LogThread::start(sink, vec![reader], doorbell, Arc::clone(&metrics)).expect("start");
        for _ in 0..1_000 {
            assert!(writer.push(b"line\n"));
        }
        writer.end_turn();
        assert!(thread.stop(Duration::from_secs(10)));
        assert_eq!(metrics.access_log_dropped.value(), 1_000);
    }

    #[test]
    fn a_fifo_without_a_reader_keeps_nobody_from_starting() {
        let path = std::env::temp_dir().join(format!("turnpike-fifo-{}", std::process::id()));
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        let doorbell = Arc::new(Doorbell::default());
        let (mut writer, reader) = ring(Arc::clone(&doorbell));
        let sink = Sink::File(path.clone());
        let thread = LogThread::start(sink, vec![reader], doorbell, Arc::default()).expect("start");
        // More than a pipe holds: the thread is stuck, and stopping gives up on it.
        while writer.push(&[b'a'; 1_000]) {}
        writer.end_turn();
        assert!(!thread.stop(Duration::from_millis(300)));
        std::fs::remove_file(&path).expect("remove");
    }
}
