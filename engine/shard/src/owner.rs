//! Who a socket or a deadline belongs to, packed into the 32 bits that events carry.

/// The owner of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A client connection by index.
    Client(u32),
    /// An upstream connection by index.
    Upstream(u32),
    /// The mailbox's wake socket.
    Mailbox,
    /// Nobody yet.
    Nobody,
}

const INDEX_BITS: u32 = 30;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

impl Owner {
    /// The packed form.
    pub(crate) fn pack(self) -> u32 {
        match self {
            Owner::Client(index) => index & INDEX_MASK,
            Owner::Upstream(index) => (1 << INDEX_BITS) | (index & INDEX_MASK),
            Owner::Mailbox => 2 << INDEX_BITS,
            Owner::Nobody => u32::MAX,
        }
    }

    /// The owner of a packed form.
    pub(crate) fn unpack(packed: u32) -> Self {
        match packed >> INDEX_BITS {
            0 => Owner::Client(packed),
            1 => Owner::Upstream(packed & INDEX_MASK),
            2 => Owner::Mailbox,
            _ => Owner::Nobody,
        }
    }
}
