//! What can go wrong with a store.

use std::path::{Path, PathBuf};

/// An error of the store.
#[derive(Debug)]
pub enum StoreError {
    /// Another process has it open.
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// It was written by a newer version of Turnpike.
    Newer {
        /// The store's file.
        path: PathBuf,
        /// Number of its format.
        found: u64,
        /// Greatest number that this version knows.
        known: u64,
    },
    /// A record can't be read.
    Record {
        /// The store's file.
        path: PathBuf,
        /// The record's key.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file system or the database says no.
    Failed {
        /// The store's file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What was said.
        why: String,
    },
}

impl StoreError {
    pub(crate) fn failed(path: &Path, what: &'static str, why: impl std::fmt::Display) -> Self {
        StoreError::Failed { path: path.to_owned(), what, why: why.to_string() }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            StoreError::Locked { .. } => {
                "stop the other process, or give this one a folder of its own with --data-dir"
            }
            StoreError::Newer { .. } => "run the newer version, or restore a backup of this one",
            StoreError::Record { .. } => {
                "nothing was changed; restore a backup, or report this with the record's key"
            }
            StoreError::Failed { .. } => "check the folder's permissions and the space on its disk",
        }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreError::Locked { path } => {
                write!(formatter, "{} is open in another process", path.display())
            }
            StoreError::Newer { path, found, known } => write!(
                formatter,
                "{} has format {found}; this version of Turnpike knows formats up to {known}",
                path.display()
            ),
            StoreError::Record { path, key, why } => {
                write!(formatter, "{}: the record {key} can't be read: {why}", path.display())
            }
            StoreError::Failed { path, what, why } => write!(formatter, "{}: {what}: {why}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {}
