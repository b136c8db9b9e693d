//! Backends by address. Calls name them by index, so that all routes to one backend share its connections.

/// A place in [`NodePlan::targets`](crate::NodePlan::targets).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetIndex(pub u32);

impl TargetIndex {
    /// The place as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a backend listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// TCP.
    Http {
        /// Name or address; IPv6 addresses in brackets.
        host: Box<str>,
        /// Port.
        port: u16,
        /// HTTP/2 with prior knowledge.
        h2c: bool,
    },
    /// TLS over TCP.
    Https {
        /// Name or address, which the backend's certificate has to stand for; IPv6 addresses in brackets.
        host: Box<str>,
        /// Port.
        port: u16,
        /// `tlsConfig.insecureSkipVerification`: the issuer may be anybody.
        any_issuer: bool,
        /// HTTP/2, if the backend agrees to it.
        h2: bool,
    },
    /// A UNIX socket.
    Unix {
        /// Path of the socket.
        path: Box<str>,
        /// HTTP/2 with prior knowledge.
        h2c: bool,
    },
}

/// Collects the targets of a node, each once.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    list: Vec<Target>,
    places: std::collections::HashMap<Target, TargetIndex>,
}

impl Targets {
    /// The index of a target.
    pub fn index_of(&mut self, target: Target) -> TargetIndex {
        if let Some(&index) = self.places.get(&target) {
            return index;
        }
        let index = TargetIndex(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(target.clone());
        self.places.insert(target, index);
        index
    }

    /// The list for the plan.
    #[must_use]
    pub fn into_vec(self) -> Vec<Target> {
        self.list
    }
}
