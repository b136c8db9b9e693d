//! What the control plane needs of the node it runs in.

use model::{Account, Change, ClientCertificate};

/// Makes client certificates.
pub trait Certificates: Send {
    /// A new key and a certificate for it that signs itself, valid for 365 days from `now` (seconds of the Unix epoch).
    ///
    /// # Errors
    /// It can't be made: why.
    fn make(&mut self, now: i64) -> Result<ClientCertificate, String>;
}

/// Why a node can't take a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeError {
    /// The API can't be compiled or linked; the text names the part and the reason.
    Refused(String),
    /// The node can't do it now; the text is for its operator's log and for the caller.
    Unavailable(String),
}

/// The running node, as the control plane sees it. A change is prepared, written down, and then published or taken back.
pub trait Node {
    /// Compiles what the account is now and links it on every shard, without serving it yet.
    ///
    /// # Errors
    /// Something can't be compiled or linked: nothing has changed.
    fn prepare(&mut self, account: &Account) -> Result<(), NodeError>;

    /// Serves what was prepared.
    fn publish(&mut self);

    /// Forgets what was prepared.
    fn discard(&mut self);

    /// Writes changes down, all or none, so that they survive a crash.
    ///
    /// # Errors
    /// The store can't; nothing was written.
    fn write(&mut self, changes: &[Change]) -> Result<(), NodeError>;
}
