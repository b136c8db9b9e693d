//! What keeps a node from starting or from taking a new plan: a message and the way out.

/// A failure of construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What can't be had, and why.
    pub(crate) message: String,
    /// The way out.
    pub(crate) help: Option<String>,
}

impl Trouble {
    pub(crate) fn new(message: String) -> Self {
        Trouble { message, help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
