//! Backups: all records in one readable file, and back.
//!
//! Lines of JSON: a head with the number of records, each record with its key, and a foot with a checksum over all before
//! it. The file holds values of keys and private keys, as the store does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use model::Change;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::StoreError;
use crate::format::{FORMAT, RECORDS};
use crate::store::{FILE_NAME, Store};
use crate::{key, record};

const MAGIC: &str = "turnpike-backup";
/// Bytes of one record in a backup: the definition of an API, and as much again for what JSON escapes.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// Records of one transaction of a restore.
const BATCH: usize = 1_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    magic: String,
    format: u64,
    records: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    key: String,
    #[serde(borrow)]
    record: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    checksum: String,
}

/// FNV-1a over lines: it tells a cut or damaged file, not a forged one.
struct Checksum(u64);

impl Checksum {
    fn new() -> Self {
        Checksum(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, line: &[u8]) {
        for octet in line {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}

impl Store {
    /// Writes all records, as they are at one moment, to a new file; gives their number.
    ///
    /// # Errors
    /// The file is there already (unless `force`), or can't be written; the store can't be read.
    pub fn backup(&self, file: &Path, force: bool) -> Result<u64, StoreError> {
        let failed = |error: io::Error| StoreError::failed(file, "the backup can't be written", error);
        // Beside it first, so that a backup that fails leaves an older one alone.
        let fresh = beside(file);
        if !force && file.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh);
        let mut out = BufWriter::new(made.map_err(failed)?);
        let written = self.write_records(&mut out).map_err(|error| {
            // What was begun is of no use to anybody.
            let _ = fs::remove_file(&fresh);
            StoreError::failed(file, "the backup can't be written", error)
        })?;
        let done = out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        done.and_then(|()| fs::rename(&fresh, file)).map_err(failed)?;
        Ok(written)
    }

    fn write_records(&self, out: &mut impl Write) -> Result<u64, redb::Error> {
        let transaction = self.database().begin_read()?;
        let table = transaction.open_table(RECORDS)?;
        let mut checksum = Checksum::new();
        let mut put = |line: serde_json::Result<Vec<u8>>| -> io::Result<()> {
            let mut line = line.map_err(io::Error::other)?;
            line.push(b'\n');
            checksum.add(&line);
            out.write_all(&line)
        };
        let records = table.len()?;
        put(serde_json::to_vec(&Head { magic: MAGIC.to_owned(), format: FORMAT, records }))?;
        for entry in table.iter()? {
            let (key, bytes) = entry?;
            let text = std::str::from_utf8(bytes.value()).map_err(io::Error::other)?;
            let record = serde_json::from_str::<&RawValue>(text).map_err(io::Error::other)?;
            put(serde_json::to_vec(&Line { key: key.value().to_owned(), record }))?;
        }
        let foot = Foot { checksum: checksum.text() };
        serde_json::to_writer(&mut *out, &foot).map_err(io::Error::other)?;
        out.write_all(b"\n")?;
        Ok(records)
    }
}

/// A name in the same folder.
fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.new"))
}

/// Reads a backup line by line: each record is a change to make. Gives their number.
fn read(
    input: impl Read,
    mut take: impl FnMut(Change) -> Result<(), StoreError>,
    file: &Path,
) -> Result<u64, StoreError> {
    let failed = |why: String| StoreError::failed(file, "this is no whole backup", why);
    let mut input = BufReader::new(input);
    let mut checksum = Checksum::new();
    let mut line = String::new();
    let mut number = 0_u64;
    let mut next = |line: &mut String, number: &mut u64| {
        line.clear();
        *number += 1;
        let read = (&mut input).take(LINE_BYTES_MAX).read_line(line);
        let read = read.map_err(|error| failed(format!("line {number}: {error}")))?;
        if read == 0 || !line.ends_with('\n') {
            return Err(failed(format!("it ends in line {number}")));
        }
        Ok(())
    };
    next(&mut line, &mut number)?;
    let head: Head = serde_json::from_str(&line).map_err(|error| failed(format!("line 1: {error}")))?;
    if head.magic != MAGIC {
        return Err(failed("it doesn't begin like one".to_owned()));
    }
    if head.format > FORMAT {
        return Err(StoreError::Newer { path: file.to_owned(), found: head.format, known: FORMAT });
    }
    checksum.add(line.as_bytes());
    for _ in 0..head.records {
        next(&mut line, &mut number)?;
        checksum.add(line.as_bytes());
        let wrong = |why: String| failed(format!("line {number}: {why}"));
        let Line { key, record } = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        let (region, key) = key::read(&key).ok_or_else(|| wrong("its key is unknown".to_owned()))?;
        let record = record::read(&key, record.get().as_bytes()).map_err(|error| wrong(error.to_string()))?;
        take(Change { region, key, record: Some(record) })?;
    }
    next(&mut line, &mut number)?;
    let foot: Foot =
        serde_json::from_str(&line).map_err(|error| failed(format!("line {number}: {error}")))?;
    if foot.checksum != checksum.text() {
        return Err(failed("its checksum is another one".to_owned()));
    }
    Ok(head.records)
}

/// Makes a data directory's store from a backup; gives the number of records. The backup is read to its end first.
///
/// # Errors
/// It is damaged, or the directory has a store already (unless `force`); the store that was there is left alone then.
pub fn restore(file: &Path, directory: &Path, force: bool) -> Result<u64, StoreError> {
    let open = || File::open(file).map_err(|error| StoreError::failed(file, "can't be opened", error));
    let records = read(open()?, |_| Ok(()), file)?;
    let target = directory.join(FILE_NAME);
    if target.exists() {
        if !force {
            let why = "there is a store already; --force replaces it";
            return Err(StoreError::failed(&target, "nothing was restored", why));
        }
        // Whoever has it open would go on with a file that has no name any more.
        Store::open(directory)?.0.close();
    }
    let workshop = directory.join(".restore");
    let failed = |error: io::Error| StoreError::failed(&workshop, "can't be restored into", error);
    if workshop.exists() {
        fs::remove_dir_all(&workshop).map_err(failed)?;
    }
    let (mut store, _) = Store::open(&workshop)?;
    let mut batch = Vec::new();
    let restored = read(
        open()?,
        |change| {
            batch.push(change);
            if batch.len() < BATCH { Ok(()) } else { store.commit(&std::mem::take(&mut batch)) }
        },
        file,
    );
    restored?;
    store.commit(&batch)?;
    store.close();
    fs::rename(workshop.join(FILE_NAME), &target).and_then(|()| fs::remove_dir(&workshop)).map_err(failed)?;
    Ok(records)
}

/// Judges bytes as a backup, for those who test the reader.
///
/// # Errors
/// They are none.
pub fn check(bytes: &[u8]) -> Result<u64, StoreError> {
    read(bytes, |_| Ok(()), Path::new("-"))
}
