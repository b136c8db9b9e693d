//! The addresses of a backend: in which order a connection tries them, and which are set aside after failures.
//!
//! Calls are spread over the addresses of the first family, one connection each in turn. An address that failed a few
//! times in a row is set aside: other addresses go first. When its rest is over, one connection tries it first; the
//! outcome ends the rest or doubles it. Nothing is ever refused for want of a healthy address.
//! Never: a socket or a clock; the time comes in.

use smallvec::SmallVec;
use vocabulary::limits::{ADDRESS_FAILURES, ADDRESS_REST_MS_MAX, ADDRESS_REST_MS_MIN, BACKEND_ADDRESSES};

use crate::rt::Address;

const REST_NS_MIN: u64 = ADDRESS_REST_MS_MIN * 1_000_000;
const REST_NS_MAX: u64 = ADDRESS_REST_MS_MAX * 1_000_000;

/// The addresses of one call's connects by their ids, next one first.
pub(crate) type Order = SmallVec<[u32; BACKEND_ADDRESSES]>;

/// One address and how it fares.
#[derive(Debug)]
struct Endpoint {
    /// Never given to another address of the pool.
    id: u32,
    address: Address,
    /// Failures since it last answered.
    failures: u8,
    /// How long it rests; zero unless it is set aside.
    rest_ns: u64,
    /// It isn't tried before the others until then.
    until_ns: u64,
    /// Its rest was over and a connection is finding out.
    on_trial: bool,
}

impl Endpoint {
    fn is_set_aside(&self) -> bool {
        self.rest_ns > 0
    }

    fn is_v6(&self) -> bool {
        matches!(&self.address, Address::Tcp(address) if address.is_ipv6())
    }
}

/// The addresses of a target.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    list: Vec<Endpoint>,
    next_id: u32,
    /// Connections begun, for taking turns.
    turn: usize,
    /// Addresses with failures.
    ailing: usize,
}

impl Endpoints {
    /// A single address.
    pub(crate) fn one(address: Address) -> Self {
        let mut endpoints = Self::default();
        endpoints.replace(vec![address]);
        endpoints
    }

    /// Several, the first family first. `turn` is where to begin, so that shards don't begin alike.
    pub(crate) fn several(addresses: Vec<Address>, turn: usize) -> Self {
        let mut endpoints = Endpoints { turn, ..Self::default() };
        endpoints.replace(addresses);
        endpoints
    }

    /// The only address, if there is one only: no order to make, nothing to know of its health.
    pub(crate) fn sole(&self) -> Option<u32> {
        match self.list.as_slice() {
            [endpoint] => Some(endpoint.id),
            _ => None,
        }
    }

    /// The address of an id, unless it has left.
    pub(crate) fn address(&self, id: u32) -> Option<&Address> {
        self.list.iter().find(|endpoint| endpoint.id == id).map(|endpoint| &endpoint.address)
    }

    /// Whether an address has failures, so that its successes are worth telling.
    pub(crate) fn is_ailing(&self) -> bool {
        self.ailing > 0
    }

    /// How many are set aside.
    pub(crate) fn set_aside(&self) -> usize {
        self.list.iter().filter(|endpoint| endpoint.is_set_aside()).count()
    }

    /// Takes another set of addresses; those that stay keep their ids and their health. True if it differs.
    pub(crate) fn replace(&mut self, addresses: Vec<Address>) -> bool {
        if addresses.iter().eq(self.list.iter().map(|endpoint| &endpoint.address)) {
            return false;
        }
        let mut old = std::mem::take(&mut self.list);
        for address in addresses {
            match old.iter().position(|endpoint| endpoint.address == address) {
                Some(known) => self.list.push(old.swap_remove(known)),
                None => {
                    let id = self.next_id;
                    self.next_id = self.next_id.wrapping_add(1);
                    self.list.push(Endpoint {
                        id,
                        address,
                        failures: 0,
                        rest_ns: 0,
                        until_ns: 0,
                        on_trial: false,
                    });
                }
            }
        }
        if let [endpoint] = self.list.as_mut_slice() {
            // It is tried whatever comes.
            endpoint.failures = 0;
            endpoint.rest_ns = 0;
        }
        self.ailing = self.list.iter().filter(|endpoint| endpoint.failures > 0).count();
        true
    }

    /// The addresses in the order in which a new connection tries them: one whose rest is over, then the healthy ones
    /// with the families in turn (RFC 8305 section 4), then those that rest.
    pub(crate) fn order(&mut self, now_ns: u64) -> Order {
        let mut order = Order::new();
        let rested =
            self.list.iter_mut().find(|endpoint| endpoint.is_set_aside() && endpoint.until_ns <= now_ns);
        if let Some(endpoint) = rested {
            endpoint.on_trial = true;
            // Should nobody learn how it went (its client may leave), there is another trial after this long.
            endpoint.until_ns = now_ns + endpoint.rest_ns;
            order.push(endpoint.id);
        }
        let is_v6_first = self.list.first().is_some_and(Endpoint::is_v6);
        let family = |is_v6: bool| -> Order {
            let healthy =
                self.list.iter().filter(|endpoint| !endpoint.is_set_aside() && endpoint.is_v6() == is_v6);
            healthy.map(|endpoint| endpoint.id).collect()
        };
        let (mut first, mut second) = (family(is_v6_first), family(!is_v6_first));
        for family in [&mut first, &mut second] {
            if !family.is_empty() {
                let turn = self.turn % family.len();
                family.rotate_left(turn);
            }
        }
        self.turn = self.turn.wrapping_add(1);
        for place in 0..first.len().max(second.len()) {
            order.extend(first.get(place).copied());
            order.extend(second.get(place).copied());
        }
        let begun = order.len();
        let resting = self.list.iter().filter(|endpoint| endpoint.is_set_aside());
        let resting: Order =
            resting.map(|endpoint| endpoint.id).filter(|id| !order[..begun].contains(id)).collect();
        order.extend(resting);
        order
    }

    /// A connect or a call without an answer has failed; `noise` makes the rests of shards differ.
    pub(crate) fn failed(&mut self, id: u32, now_ns: u64, noise: u64) {
        if self.list.len() < 2 {
            return;
        }
        let Some(endpoint) = self.list.iter_mut().find(|endpoint| endpoint.id == id) else { return };
        self.ailing += usize::from(endpoint.failures == 0);
        endpoint.failures = endpoint.failures.saturating_add(1);
        if endpoint.failures < ADDRESS_FAILURES {
            return;
        }
        if endpoint.is_set_aside() && !std::mem::take(&mut endpoint.on_trial) {
            // Tried since nothing else was left, or begun before: what one trial says counts once.
            return;
        }
        endpoint.rest_ns = endpoint.rest_ns.saturating_mul(2).clamp(REST_NS_MIN, REST_NS_MAX);
        // Between three quarters of the rest and all of it.
        endpoint.until_ns = now_ns + endpoint.rest_ns - noise % (endpoint.rest_ns / 4);
    }

    /// An address has answered: what it did before is forgotten.
    pub(crate) fn answered(&mut self, id: u32) {
        let Some(endpoint) = self.list.iter_mut().find(|endpoint| endpoint.id == id) else { return };
        self.ailing -= usize::from(endpoint.failures > 0);
        endpoint.failures = 0;
        endpoint.rest_ns = 0;
        endpoint.on_trial = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn address(text: &str) -> Address {
        Address::Tcp(text.parse().expect("an address"))
    }

    fn several(texts: &[&str]) -> Endpoints {
        Endpoints::several(texts.iter().map(|text| address(text)).collect(), 0)
    }

    fn order(endpoints: &mut Endpoints, now_ns: u64) -> Vec<u32> {
        endpoints.order(now_ns).to_vec()
    }

    #[test]
    fn connections_take_turns_within_a_family_and_families_alternate() {
        let mut endpoints = several(&["[::1]:80", "10.0.0.1:80", "[::2]:80", "10.0.0.2:80", "10.0.0.3:80"]);
        assert_eq!(order(&mut endpoints, 0), [0, 1, 2, 3, 4]);
        assert_eq!(order(&mut endpoints, 0), [2, 3, 0, 4, 1]);
        assert_eq!(order(&mut endpoints, 0), [0, 4, 2, 1, 3]);
    }

    #[test]
    fn an_address_that_fails_rests_longer_each_time_and_is_tried_once_when_rested() {
        let mut endpoints = several(&["10.0.0.1:80", "10.0.0.2:80"]);
        endpoints.failed(0, 0, 0);
        assert_eq!(endpoints.set_aside(), 0, "one failure may be chance");
        endpoints.failed(0, 0, 0);
        assert_eq!(endpoints.set_aside(), 1);
        let (mut now_ns, mut rest_ns) = (0, SECOND_NS);
        for _ in 0..8 {
            assert_eq!(order(&mut endpoints, now_ns + rest_ns - 1), [1, 0], "resting for {rest_ns}");
            now_ns += rest_ns;
            assert_eq!(order(&mut endpoints, now_ns), [0, 1], "a trial");
            assert_eq!(order(&mut endpoints, now_ns), [1, 0], "one trial only");
            endpoints.failed(0, now_ns, 0);
            endpoints.failed(0, now_ns, 0);
            rest_ns = (rest_ns * 2).min(30 * SECOND_NS);
        }
        endpoints.answered(0);
        assert_eq!((endpoints.set_aside(), endpoints.is_ailing()), (0, false));
    }

    #[test]
    fn a_trial_whose_outcome_nobody_learns_is_repeated() {
        let mut endpoints = several(&["10.0.0.1:80", "10.0.0.2:80"]);
        endpoints.failed(0, 0, 0);
        endpoints.failed(0, 0, 0);
        assert_eq!(order(&mut endpoints, SECOND_NS), [0, 1]);
        assert_eq!(order(&mut endpoints, SECOND_NS + 1), [1, 0]);
        assert_eq!(order(&mut endpoints, 2 * SECOND_NS), [0, 1]);
    }

    #[test]
    fn noise_shortens_a_rest_by_a_quarter_at_most() {
        for noise in [0, 1, 249_999_999, 250_000_000, u64::MAX] {
            let mut endpoints = several(&["10.0.0.1:80", "10.0.0.2:80"]);
            endpoints.failed(0, 0, noise);
            endpoints.failed(0, 0, noise);
            assert_eq!(order(&mut endpoints, SECOND_NS * 3 / 4), [1, 0]);
            assert_eq!(order(&mut endpoints, SECOND_NS), [0, 1]);
        }
    }

    #[test]
    fn all_are_tried_when_all_are_set_aside() {
        let mut endpoints = several(&["10.0.0.1:80", "10.0.0.2:80"]);
        for id in [0, 1, 0, 1] {
            endpoints.failed(id, 0, 0);
        }
        assert_eq!(endpoints.set_aside(), 2);
        assert_eq!(order(&mut endpoints, 1), [0, 1]);
    }

    #[test]
    fn another_set_keeps_the_health_of_those_that_stay() {
        let mut endpoints = several(&["10.0.0.1:80", "10.0.0.2:80"]);
        endpoints.failed(1, 0, 0);
        endpoints.failed(1, 0, 0);
        assert!(!endpoints.replace(vec![address("10.0.0.1:80"), address("10.0.0.2:80")]));
        assert!(endpoints.replace(vec![address("10.0.0.2:80"), address("10.0.0.3:80")]));
        assert_eq!((endpoints.address(0), endpoints.set_aside()), (None, 1));
        assert_eq!(order(&mut endpoints, 1), [2, 1]);
        assert!(endpoints.replace(vec![address("10.0.0.2:80")]));
        assert_eq!((endpoints.sole(), endpoints.set_aside(), endpoints.is_ailing()), (Some(1), 0, false));
        endpoints.failed(1, 0, 0);
        endpoints.failed(1, 0, 0);
        assert!(!endpoints.is_ailing(), "a single address is tried whatever comes");
    }
}
