//! The node's settings: what the file, the environment and the command line say, resolved to what the node runs on.
//!
//! In: the text of `turnpike.yaml`, `TURNPIKE_*` variables, flags. Out: [`Settings`], complete and within bounds.
//! Refuses with: [`Problem`]s that point at file:line:column, at the variable or at the flag.
//! Never: a setting outside [`table::TABLE`]; flags, bounds, defaults, `--help` and docs/settings.md come from there.

#![forbid(unsafe_code)]

mod gather;
mod problem;
pub mod reference;
mod settings;
pub mod table;
mod tree;
mod value;

/// `data_dir` where none is named.
pub const DEFAULT_DATA_DIR: &str = "./turnpike-data";

pub use gather::{File, Sources};
pub use problem::{Origin, Problem};
pub use settings::{
    AccessLog, Address, ControlAuth, Destination, Format, Identity, Limits, Listener, ListenerKind, Runtime,
    Settings, Shards, Timeouts, Tls,
};

/// Settles every setting: flag over environment over file over default.
///
/// # Errors
/// Every problem that was found, not only the first.
pub fn resolve(sources: &Sources) -> Result<Settings, Vec<Problem>> {
    let chosen = gather::gather(sources)?;
    settings::build(&chosen)
}
