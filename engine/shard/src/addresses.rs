//! Addresses of names as the resolver tells them: calls that waited go on, connections to what has left are let go.

use crate::connect::Failure;
use crate::health::Endpoints;
use crate::rt::{Address, Runtime};
use crate::shard::Shard;
use crate::spec::Resolved;
use crate::upstream::Addresses;

impl<R: Runtime> Shard<R> {
    /// Asks for a pool's addresses.
    pub(crate) fn ask_resolver(&mut self, pool_index: u32) {
        let pool = &mut self.pools[pool_index];
        pool.addresses = Addresses::Awaited;
        if let Some((host, port)) = pool.name.rsplit_once(':')
            && let Ok(port) = port.parse()
        {
            (self.resolve)(host, port);
        }
    }

    /// Asks for every target of a plan that has no address yet.
    pub(crate) fn ask_for_addresses(&mut self, pools: &[u32]) {
        for &pool in pools {
            if matches!(self.pools[pool].addresses, Addresses::Unknown) {
                self.ask_resolver(pool);
            }
        }
    }

    /// Forgets the addresses of names that the plan in force doesn't use: the resolver may no longer keep them fresh.
    pub(crate) fn forget_unused_addresses(&mut self) {
        let used = std::rc::Rc::clone(&self.linked);
        for pool_index in self.pools.named_ones() {
            if !used.pools.contains(&pool_index) && self.pools[pool_index].waiting.is_empty() {
                self.take_addresses(pool_index, Vec::new());
            }
        }
    }

    /// The resolver answered: calls that waited go on.
    pub(crate) fn resolved(&mut self, name: &str, outcome: &Resolved) {
        for pool_index in self.pools.find(name) {
            self.pool_resolved(pool_index, outcome);
        }
    }

    fn pool_resolved(&mut self, pool_index: u32, outcome: &Resolved) {
        match outcome {
            Ok(addresses) => {
                self.take_addresses(pool_index, addresses.iter().copied().map(Address::Tcp).collect());
            }
            // An outage keeps the last good answer.
            Err(_) if matches!(self.pools[pool_index].addresses, Addresses::Known(_)) => {}
            Err(_) => self.pools[pool_index].addresses = Addresses::Unknown,
        }
        // What one does may take another off the list.
        for _ in 0..self.pools[pool_index].waiting.len() {
            let Some(slot_index) = self.pools[pool_index].waiting.pop_front() else { return };
            self.slots[slot_index].waiting = false;
            if matches!(self.pools[pool_index].addresses, Addresses::Known(_)) {
                self.attach(slot_index);
            } else {
                self.call_failed(slot_index, Failure::Unresolved);
            }
        }
    }

    /// A pool's addresses from now on; none says that there is no such name any more.
    fn take_addresses(&mut self, pool_index: u32, addresses: Vec<Address>) {
        let pool = &mut self.pools[pool_index];
        if addresses.is_empty() {
            self.with_health(pool_index, |endpoints| endpoints.replace(Vec::new()));
            self.pools[pool_index].addresses = Addresses::Unknown;
        } else if matches!(pool.addresses, Addresses::Known(_)) {
            if self.with_health(pool_index, |endpoints| endpoints.replace(addresses)) == Some(false) {
                return;
            }
        } else {
            let turn = usize::try_from(self.random.draw() >> 33).unwrap_or(0);
            pool.addresses = Addresses::Known(Endpoints::several(addresses, turn));
            return;
        }
        self.let_go(pool_index);
    }

    /// Closes connections without calls to addresses that have left; the others end with their last call.
    fn let_go(&mut self, pool_index: u32) {
        let pool = &self.pools[pool_index];
        let has_left = |index: &&u32| !pool.has(self.upstreams[**index as usize].endpoint);
        let idle: Vec<u32> = pool.idle.iter().filter(has_left).copied().collect();
        let shared: Vec<u32> = pool.shared.iter().filter(has_left).copied().collect();
        for index in idle {
            self.close_upstream(index);
        }
        for index in shared {
            self.pools[pool_index].shared.retain(|&known| known != index);
            if self.upstreams[index as usize].h2.as_deref().is_none_or(|calls| calls.slots().is_empty()) {
                self.close_upstream(index);
            }
        }
    }
}
