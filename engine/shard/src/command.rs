//! What other threads tell a shard, and how it acts on it: plans in two steps, resolver answers, drain.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use plan::{NodePlan, Target};
use rustls_pki_types::ServerName;
use throttling::Registry;

use crate::books::Books;
use crate::health::Endpoints;
use crate::linked::Linked;
use crate::rt::{Address, Runtime};
use crate::shard::Shard;
use crate::spec::Resolved;
use crate::tls::Terms;
use crate::upstream::{Addresses, Pools, Secure};

/// A message to a shard.
pub(crate) enum Command {
    /// Link a plan and keep it aside; says whether it links.
    Prepare(Arc<NodePlan>, SyncSender<Result<(), String>>),
    /// Serve the prepared plan from the next request on.
    Commit,
    /// Forget the prepared plan.
    Discard,
    /// Offer these terms to connections from now on, by the node's listeners.
    Present(Vec<Option<Terms>>),
    /// The resolver's answer for `host:port`.
    Resolved(String, Resolved),
    /// Look at the listeners as if they were new: another process, which accepted from them too, is going or gone.
    LookAgain,
    /// Finish what is in flight within the given time and end. `left`: another process accepts from the listeners' sockets.
    Drain {
        /// Time for it.
        timeout: Duration,
        /// Connections that wait to be accepted are left to it.
        left: bool,
    },
}

impl<R: Runtime> Shard<R> {
    /// Acts on everything in the mailbox.
    pub(crate) fn read_mailbox(&mut self) {
        self.mailbox.rearm();
        while let Some(command) = self.mailbox.take() {
            match command {
                Command::Prepare(plan, reply) => {
                    let outcome = self.prepare(plan);
                    // The control side may have given up waiting.
                    let _ = reply.try_send(outcome);
                }
                Command::Commit => self.commit(),
                Command::Discard => self.prepared = None,
                Command::Present(terms) => self.present(&terms),
                Command::Resolved(name, outcome) => self.resolved(&name, &outcome),
                Command::LookAgain => self.look_again(),
                Command::Drain { timeout, left } => {
                    self.drain(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX), left);
                }
            }
        }
    }

    fn present(&mut self, terms: &[Option<Terms>]) {
        self.terms = self.places.iter().map(|&place| terms.get(place).cloned().flatten()).collect();
    }

    /// First step: binds a plan to what lives on this shard.
    fn prepare(&mut self, plan: Arc<NodePlan>) -> Result<(), String> {
        let linked = link(&plan, &self.registry, &mut self.pools, &self.books)?;
        self.forget_unused_addresses();
        self.ask_for_addresses(&linked.pools);
        self.prepared = Some(Rc::new(linked));
        Ok(())
    }

    /// Second step: requests from now on run on the prepared plan; those in flight end on theirs.
    pub(crate) fn commit(&mut self) {
        if let Some(linked) = self.prepared.take() {
            self.linked = linked;
        }
    }
}

/// Binds a plan to the node's buckets and the shard's pools.
pub(crate) fn link(
    plan: &Arc<NodePlan>,
    registry: &Registry,
    pools: &mut Pools,
    books: &Books,
) -> Result<Linked, String> {
    let node = gateway::link(Arc::clone(plan), registry).map_err(|error| error.to_string())?;
    let pools: Result<Vec<u32>, String> = plan.targets.iter().map(|target| pool_of(target, pools)).collect();
    Ok(Linked { node: Rc::new(node), pools: pools?, series: books.series(plan) })
}

/// The pool of a target, by its address.
fn pool_of(target: &Target, pools: &mut Pools) -> Result<u32, String> {
    match target {
        Target::Unix { path, h2c } => {
            let path = std::path::PathBuf::from(path.as_ref());
            let addresses = Addresses::Known(Endpoints::one(Address::Unix(path.clone())));
            Ok(pools.named(format!("unix:{}", path.display()), None, *h2c, addresses))
        }
        Target::Http { host, port, h2c } => {
            Ok(pools.named(format!("{host}:{port}"), None, *h2c, addresses(host, *port)))
        }
        Target::Https { host, port, any_issuer, h2 } => {
            let name = ServerName::try_from(bare(host).to_owned())
                .map_err(|_| format!("`{host}` is no name that a certificate can stand for"))?;
            let secure = Secure { name, any_issuer: *any_issuer };
            Ok(pools.named(format!("{host}:{port}"), Some(secure), *h2, addresses(host, *port)))
        }
    }
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// An address that is written out needs no resolver.
fn addresses(host: &str, port: u16) -> Addresses {
    match bare(host).parse() {
        Ok(ip) => Addresses::Known(Endpoints::one(Address::Tcp(std::net::SocketAddr::new(ip, port)))),
        Err(_) => Addresses::Unknown,
    }
}
