//! The durable store of the control plane: one file in the data directory, crash-safe, one transaction a call.
//!
//! In: changes of records. Out: the account as it was last acknowledged.
//! Refuses with: errors that name the path, the record, and what to do.
//! Never: a judgement of what a record says; a write that is acknowledged before it is on the disk.

#![forbid(unsafe_code)]

pub mod backup;
mod error;
mod format;
mod key;
mod record;
mod store;

pub use backup::restore;
pub use error::StoreError;
pub use format::FORMAT;
pub use store::{FILE_NAME, Store};
