//! The store: opened, read whole, written transaction by transaction.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::{Account, Change, Key};
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable};

use crate::error::StoreError;
use crate::format::{FORMAT, RECORDS, migrate};
use crate::{key, record};

/// Name of the file in the data directory.
pub const FILE_NAME: &str = "control.redb";

/// An open store. No other process can open it until this is closed or dropped.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
}

impl Store {
    /// Opens the store of a data directory, which is made if it isn't there, and reads everything.
    ///
    /// # Errors
    /// See [`StoreError`]: another process has it, a newer version wrote it, a record can't be read, the disk fails.
    pub fn open(directory: &Path) -> Result<(Self, Account), StoreError> {
        let mut builder = fs::DirBuilder::new();
        // It holds values of keys and private keys.
        let made = builder.recursive(true).mode(0o700).create(directory);
        made.map_err(|error| StoreError::failed(directory, "the data directory can't be made", error))?;
        let path = directory.join(FILE_NAME);
        make_file(&path).map_err(|error| StoreError::failed(&path, "can't be opened", error))?;
        let database = Database::create(&path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::Locked { path: path.clone() },
            error => StoreError::failed(&path, "can't be opened", error),
        })?;
        let store = Store { database, path };
        let found = store
            .migrate()
            .map_err(|error| store.failed("can't be brought to the current format", &error))?;
        if found > FORMAT {
            return Err(StoreError::Newer { path: store.path, found, known: FORMAT });
        }
        let account = store.load()?;
        Ok((store, account))
    }

    /// Makes changes durable, all or none. When this returns they survive a crash.
    ///
    /// # Errors
    /// The disk fails; nothing was changed.
    pub fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.write(changes).map_err(|error| self.failed("a change can't be written", &error))
    }

    /// Closes the store, so that another process can open it.
    pub fn close(self) {
        drop(self.database);
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    fn failed(&self, what: &'static str, error: &redb::Error) -> StoreError {
        StoreError::failed(&self.path, what, error)
    }

    fn migrate(&self) -> Result<u64, redb::Error> {
        let transaction = self.database.begin_write()?;
        let found = migrate(&transaction)?;
        if found < FORMAT {
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        Ok(found)
    }

    fn load(&self) -> Result<Account, StoreError> {
        let failed = |error: redb::Error| self.failed("can't be read", &error);
        let transaction = self.database.begin_read().map_err(|error| failed(error.into()))?;
        let table = transaction.open_table(RECORDS).map_err(|error| failed(error.into()))?;
        let mut account = Account::default();
        for entry in table.iter().map_err(|error| failed(error.into()))? {
            let (text, bytes) = entry.map_err(|error| failed(error.into()))?;
            let unreadable = |why: String| StoreError::Record {
                path: self.path.clone(),
                key: key::show(text.value()),
                why,
            };
            let (region, key) =
                key::read(text.value()).ok_or_else(|| unreadable("its key is unknown".to_owned()))?;
            let record = record::read(&key, bytes.value()).map_err(|error| unreadable(error.to_string()))?;
            account.apply([Change { region, key, record: Some(record) }]);
        }
        Ok(account)
    }

    fn write(&self, changes: &[Change]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(RECORDS)?;
            for Change { region, key, record } in changes {
                let text = key::write(region, key);
                match record {
                    Some(record) => {
                        let bytes = record::write(record)
                            .map_err(|error| redb::Error::Io(io::Error::other(error)))?;
                        table.insert(&*text, &*bytes)?;
                    }
                    None => {
                        table.remove(&*text)?;
                        if matches!(key, Key::RestApi(_)) {
                            let below = key::below(region, key);
                            table.retain_in(&*below..&*format!("{below}{}", char::MAX), |_, _| false)?;
                        }
                    }
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

/// Makes the file, if it isn't there, so that nobody else may read it.
fn make_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use model::{ApiKey, Record, RestApi, Secret, Stage};

    use super::*;

    /// A folder of a test's own, gone when the test is.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let name =
                format!("turnpike-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).expect("folder");
            Scratch(path)
        }

        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // What is left is the system's to clean.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn change(key: Key, record: Option<Record>) -> Change {
        Change { region: "eu-west-1".to_owned(), key, record }
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn api(name: &str) -> Option<Record> {
        Some(Record::RestApi(Arc::new(RestApi { name: text(name), ..RestApi::default() })))
    }

    #[test]
    fn what_was_committed_comes_back() {
        let folder = Scratch::new();
        let (mut store, account) = Store::open(folder.path()).expect("open");
        assert_eq!(account, Account::default());
        let key = ApiKey { value: Secret::new(text("secret")), ..ApiKey::default() };
        let stage = Stage { stage_name: text("prod"), ..Stage::default() };
        let changes = vec![
            change(Key::RestApi(text("a")), api("one")),
            change(Key::RestApi(text("ab")), api("two")),
            change(Key::Stage(text("a"), text("prod")), Some(Record::Stage(Arc::new(stage.clone())))),
            change(Key::Stage(text("ab"), text("prod")), Some(Record::Stage(Arc::new(stage)))),
            change(Key::ApiKey(text("k")), Some(Record::ApiKey(Arc::new(key)))),
        ];
        store.commit(&changes).expect("commit");
        let mut expected = Account::default();
        expected.apply(changes);
        store.close();
        let (mut store, account) = Store::open(folder.path()).expect("open again");
        assert_eq!(account, expected);
        // An API takes its stages along, and nobody else's.
        let removal = [change(Key::RestApi(text("a")), None)];
        store.commit(&removal).expect("commit");
        expected.apply(removal);
        drop(store);
        assert_eq!(Store::open(folder.path()).expect("open again").1, expected);
    }

    #[test]
    fn a_store_has_one_owner_and_is_private() {
        let scratch = Scratch::new();
        let folder = scratch.path().join("deep/er");
        let (store, _) = Store::open(&folder).expect("open");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(FILE_NAME))), (0o700, 0o600));
        let refused = Store::open(&folder).expect_err("locked");
        assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
        store.close();
        assert!(Store::open(&folder).is_ok());
    }

    #[test]
    fn strange_stores_are_refused_and_left_alone() {
        let folder = Scratch::new();
        let (store, _) = Store::open(folder.path()).expect("open");
        let transaction = store.database.begin_write().expect("transaction");
        transaction
            .open_table(RECORDS)
            .expect("table")
            .insert("r\0apikey\0k", &b"{\"value\": 1}"[..])
            .expect("insert");
        transaction.commit().expect("commit");
        drop(store);
        let refused = Store::open(folder.path()).expect_err("a record that is none").to_string();
        assert!(refused.contains("the record r/apikey/k can't be read"), "{refused}");

        let newer = Scratch::new();
        let (store, _) = Store::open(newer.path()).expect("open");
        let transaction = store.database.begin_write().expect("transaction");
        let number = FORMAT + 1;
        transaction
            .open_table(crate::format::FACTS)
            .expect("table")
            .insert("format", number)
            .expect("insert");
        transaction.commit().expect("commit");
        drop(store);
        assert!(matches!(Store::open(newer.path()), Err(StoreError::Newer { found, .. }) if found == number));

        let garbage = Scratch::new();
        fs::write(garbage.path().join(FILE_NAME), vec![7; 5_000]).expect("file");
        assert!(matches!(Store::open(garbage.path()), Err(StoreError::Failed { .. })));
    }

    #[test]
    fn a_backup_comes_back_and_a_damaged_one_does_not() {
        let (folder, other) = (Scratch::new(), Scratch::new());
        let file = folder.path().join("backup.jsonl");
        let (mut store, _) = Store::open(&folder.path().join("data")).expect("open");
        let changes: Vec<Change> =
            (0..2_500).map(|n| change(Key::RestApi(format!("a{n}")), api(&format!("ä {n}")))).collect();
        store.commit(&changes).expect("commit");
        assert_eq!(store.backup(&file, false).expect("backup"), 2_500);
        assert!(store.backup(&file, false).is_err(), "a backup is never written over");
        assert_eq!(store.backup(&file, true).expect("backup"), 2_500);
        let mode = fs::metadata(&file).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        store.close();
        let restored = other.path().join("data");
        assert_eq!(crate::restore(&file, &restored, false).expect("restore"), 2_500);
        let mut expected = Account::default();
        expected.apply(changes);
        assert_eq!(Store::open(&restored).expect("open").1, expected);
        assert!(crate::restore(&file, &restored, false).is_err(), "a store is never written over");
        assert_eq!(crate::restore(&file, &restored, true).expect("restore"), 2_500);
        let text = fs::read_to_string(&file).expect("text");
        for damaged in [
            text[..text.len() / 2].to_owned(),
            text.replacen("ä 7", "ö 7", 1),
            String::new(),
            "{}\n".to_owned(),
        ] {
            assert!(crate::backup::check(damaged.as_bytes()).is_err());
        }
        assert_eq!(crate::backup::check(text.as_bytes()).expect("whole"), 2_500);
    }

    #[test]
    fn a_store_without_a_number_is_brought_to_the_current_format() {
        let folder = Scratch::new();
        let (mut store, _) = Store::open(folder.path()).expect("open");
        store.commit(&[change(Key::RestApi(text("a")), api("one"))]).expect("commit");
        let transaction = store.database.begin_write().expect("transaction");
        transaction.delete_table(crate::format::FACTS).expect("delete");
        transaction.commit().expect("commit");
        drop(store);
        let (store, account) = Store::open(folder.path()).expect("open again");
        assert_eq!(account.region("eu-west-1").rest_apis.len(), 1);
        assert_eq!(store.migrate().expect("format"), FORMAT);
    }
}
