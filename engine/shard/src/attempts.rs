//! Connects to a target: one address as it is, several in a race (Happy Eyeballs, RFC 8305).
//!
//! With a single address the call is queued behind its connect and leaves with it. With several, the next address is
//! tried as soon as one fails, or beside it when it hasn't connected within the Connection Attempt Delay. The first that
//! connects wins and gets the call; the others are closed before a byte went to them.
//! Never: a call on two connections.

use vocabulary::limits::CONNECT_ATTEMPT_DELAY_MS;

use crate::connect::Failure;
use crate::health::Order;
use crate::owner::Owner;
use crate::rt::Runtime;
use crate::shard::Shard;
use crate::slot::NONE;
use crate::upstream::{Addresses, Phase, Upstream};

const ATTEMPT_DELAY_NS: u64 = CONNECT_ATTEMPT_DELAY_MS * 1_000_000;

/// The connects of one call.
pub(crate) struct Race {
    slot: u32,
    pool: u32,
    /// Addresses that are still to be tried, the next one first.
    left: Order,
    /// Connections that are being opened, the oldest first.
    running: Vec<u32>,
    /// The next address is tried then.
    next_ns: u64,
}

impl<R: Runtime> Shard<R> {
    /// Opens a connection for a slot.
    pub(crate) fn connect(&mut self, slot_index: u32) {
        let now_ns = self.rt.now_ns();
        let pool_index = self.slots[slot_index].pool;
        let Addresses::Known(endpoints) = &mut self.pools[pool_index].addresses else {
            self.call_failed(slot_index, Failure::Unresolved);
            return;
        };
        if let Some(endpoint) = endpoints.sole() {
            match self.open(slot_index, pool_index, endpoint) {
                Some(index) => self.lead(slot_index, index),
                None => {
                    self.call_failed(slot_index, Failure::Network);
                    return;
                }
            }
            let (pool, index) = (&self.pools[pool_index], self.slots[slot_index].upstream);
            if !pool.multiplexes() && pool.secure.is_none() {
                // The request waits in the socket's queue and leaves with the connection's beginning.
                self.send_call(slot_index, index);
            }
            return;
        }
        let left = endpoints.order(now_ns);
        let race = Race { slot: slot_index, pool: pool_index, left, running: Vec::new(), next_ns: 0 };
        let race = u32::try_from(self.races.insert(race)).expect("fewer than requests");
        self.try_next(race, Failure::Unresolved);
    }

    /// Begins to connect to an address.
    fn open(&mut self, slot_index: u32, pool_index: u32, endpoint: u32) -> Option<u32> {
        let pool = &mut self.pools[pool_index];
        let Addresses::Known(endpoints) = &pool.addresses else { return None };
        let address = endpoints.address(endpoint)?;
        let entry = self.upstreams.vacant_entry();
        let index = u32::try_from(entry.key()).expect("fewer than 2^30 connections");
        let socket = self.rt.connect(address, Owner::Upstream(index).pack()).ok()?;
        let due_ns = self.rt.now_ns() + self.timeouts.connect_ns;
        let upstream = entry.insert(Upstream::connecting(socket, pool_index, slot_index, endpoint));
        upstream.connect_due_ns = due_ns;
        self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, due_ns);
        pool.open += 1;
        self.books.upstream_connected();
        Some(index)
    }

    fn knows_address(&self, pool_index: u32, endpoint: u32) -> bool {
        let Addresses::Known(endpoints) = &self.pools[pool_index].addresses else { return false };
        endpoints.address(endpoint).is_some()
    }

    /// Makes a connection the one that stands for a slot's call.
    fn lead(&mut self, slot_index: u32, index: u32) {
        let slot = &mut self.slots[slot_index];
        slot.upstream = index;
        let pool = &mut self.pools[slot.pool];
        if pool.multiplexes() {
            pool.opening = index;
        }
    }

    /// Tries the next address of a race. Without one, and with nothing running, the call fails with `failure`.
    fn try_next(&mut self, race_index: u32, mut failure: Failure) {
        loop {
            let race = &mut self.races[race_index as usize];
            let (slot_index, pool_index) = (race.slot, race.pool);
            if race.left.is_empty() {
                if race.running.is_empty() {
                    self.races.remove(race_index as usize);
                    self.nothing_opened(slot_index, pool_index, failure);
                }
                return;
            }
            let endpoint = race.left.remove(0);
            let Some(index) = self.open(slot_index, pool_index, endpoint) else {
                // An address that the name has lost since is no failure: what happened before it counts.
                if self.knows_address(pool_index, endpoint) {
                    self.address_failed(pool_index, endpoint);
                    failure = Failure::Network;
                }
                continue;
            };
            let next_ns = self.rt.now_ns() + ATTEMPT_DELAY_NS;
            let race = &mut self.races[race_index as usize];
            race.running.push(index);
            race.next_ns = next_ns;
            let upstream = &mut self.upstreams[index as usize];
            upstream.race = race_index;
            if !race.left.is_empty() {
                let due_ns = next_ns.min(upstream.connect_due_ns);
                self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, due_ns);
            }
            if self.slots[slot_index].upstream == NONE {
                self.lead(slot_index, index);
            }
            return;
        }
    }

    fn nothing_opened(&mut self, slot_index: u32, pool_index: u32, failure: Failure) {
        if self.pools[pool_index].multiplexes() {
            self.fail_queued(pool_index, failure);
        }
        self.call_failed(slot_index, failure);
    }

    /// A connection that is being opened has waited: for the next attempt, or too long.
    pub(crate) fn connect_due(&mut self, index: u32) {
        let now_ns = self.rt.now_ns();
        let upstream = &mut self.upstreams[index as usize];
        if upstream.race == NONE || upstream.connect_due_ns <= now_ns {
            self.connect_failed(index, Failure::Timeout);
            return;
        }
        let (race, is_connecting) = (upstream.race, upstream.phase == Phase::Connecting);
        let due_ns = upstream.connect_due_ns;
        self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, due_ns);
        if is_connecting && self.races[race as usize].next_ns <= now_ns {
            self.try_next(race, Failure::Timeout);
        }
    }

    /// The first of a race has connected: the others are closed. Those that had begun before it and are overtaken count
    /// as failed; a connect into the void would otherwise cost every call its delay.
    pub(crate) fn win(&mut self, index: u32) {
        let upstream = &self.upstreams[index as usize];
        let (race_index, slot_index, pool_index) = (upstream.race, upstream.slot, upstream.pool);
        if race_index == NONE {
            return;
        }
        let running = std::mem::replace(&mut self.races[race_index as usize].running, vec![index]);
        let mut is_older = true;
        for rival in running {
            if rival == index {
                is_older = false;
                continue;
            }
            let upstream = &mut self.upstreams[rival as usize];
            upstream.race = NONE;
            let endpoint = upstream.endpoint;
            if is_older {
                self.address_failed(pool_index, endpoint);
            }
            // It comes last, should the winner fail to agree on TLS.
            self.races[race_index as usize].left.push(endpoint);
            self.close_upstream(rival);
        }
        self.lead(slot_index, index);
        let upstream = &mut self.upstreams[index as usize];
        let due_ns = upstream.connect_due_ns;
        self.timers.set(Owner::Upstream(index).pack(), &mut upstream.deadline, due_ns);
        if self.pools[pool_index].secure.is_none() {
            self.end_race(index);
        }
    }

    /// A connection is open for good: no other address is needed.
    pub(crate) fn end_race(&mut self, index: u32) {
        let upstream = &mut self.upstreams[index as usize];
        let race = std::mem::replace(&mut upstream.race, NONE);
        if race != NONE {
            self.races.remove(race as usize);
        }
    }

    /// A connection of a race is closed while its call has no use for any: so are the others.
    pub(crate) fn abandon_race(&mut self, race: u32, index: u32) {
        if race == NONE {
            return;
        }
        for rival in self.races.remove(race as usize).running {
            if rival != index {
                self.upstreams[rival as usize].race = NONE;
                self.close_upstream(rival);
            }
        }
    }

    /// The call has no time left, and none of its connections has opened.
    pub(crate) fn race_timed_out(&mut self, index: u32) {
        let upstream = &self.upstreams[index as usize];
        let pool_index = upstream.pool;
        let Some(race) = self.races.get(upstream.race as usize) else { return };
        let endpoints: Order =
            race.running.iter().map(|&index| self.upstreams[index as usize].endpoint).collect();
        for endpoint in endpoints {
            self.address_failed(pool_index, endpoint);
        }
    }

    /// A connection didn't open: the target's other addresses are tried, if there are any.
    pub(crate) fn connect_failed(&mut self, index: u32, failure: Failure) {
        let upstream = &mut self.upstreams[index as usize];
        let (slot_index, pool_index, endpoint) = (upstream.slot, upstream.pool, upstream.endpoint);
        let race_index = std::mem::replace(&mut upstream.race, NONE);
        self.address_failed(pool_index, endpoint);
        self.close_upstream(index);
        let rival = match self.races.get_mut(race_index as usize) {
            Some(race) => {
                race.running.retain(|&running| running != index);
                race.running.first().copied().unwrap_or(NONE)
            }
            None => NONE,
        };
        if self.pools[pool_index].opening == index {
            self.pools[pool_index].opening = rival;
        }
        if slot_index == NONE {
            return;
        }
        let slot = &mut self.slots[slot_index];
        if slot.upstream == index {
            slot.upstream = rival;
        }
        if race_index == NONE {
            self.nothing_opened(slot_index, pool_index, failure);
        } else {
            self.try_next(race_index, failure);
        }
    }

    /// An address of a target didn't connect, didn't agree on TLS, or hung up before a byte of an answer.
    pub(crate) fn address_failed(&mut self, pool_index: u32, endpoint: u32) {
        let (now_ns, noise) = (self.rt.now_ns(), self.random.draw());
        self.with_health(pool_index, |endpoints| endpoints.failed(endpoint, now_ns, noise));
    }

    /// A connection brought an answer.
    pub(crate) fn address_answered(&mut self, index: u32) {
        let upstream = &self.upstreams[index as usize];
        let (pool_index, endpoint) = (upstream.pool, upstream.endpoint);
        if self.pools[pool_index].is_ailing() {
            self.with_health(pool_index, |endpoints| endpoints.answered(endpoint));
        }
    }

    /// Changes addresses or their health, and keeps the gauge of those set aside.
    pub(crate) fn with_health<T>(
        &mut self,
        pool_index: u32,
        change: impl FnOnce(&mut crate::health::Endpoints) -> T,
    ) -> Option<T> {
        let Addresses::Known(endpoints) = &mut self.pools[pool_index].addresses else { return None };
        let before = endpoints.set_aside();
        let outcome = change(endpoints);
        let after = endpoints.set_aside();
        self.books.addresses_set_aside(before, after);
        Some(outcome)
    }
}
