//! What is known of a name: the last good answer, and when to ask again. Pure; time comes in.
//!
//! Never: a query.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use vocabulary::limits::{
    BACKEND_ADDRESSES, RESOLVER_GRACE_MS, RESOLVER_NEGATIVE_MS_MAX, RESOLVER_RETRY_MS_MAX,
    RESOLVER_RETRY_MS_MIN,
};

/// What name servers said of one name and family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome<A> {
    /// Its addresses, for so long.
    Found(Vec<A>, Duration),
    /// It has none, or there is no such name (RFC 2308), for so long, if that was said.
    Nothing(Option<Duration>),
    /// Nobody said anything of use.
    Failed(String),
}

/// Bounds on the time an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// At least.
    pub ttl_min: Duration,
    /// At most.
    pub ttl_max: Duration,
}

/// The last good answers of a name.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    /// Look-ups in a row that failed, for either family.
    failures: u32,
    /// Since when servers say that there is nothing.
    gone_since: Option<Duration>,
    /// Why there are no addresses.
    reason: String,
}

impl Knowledge {
    /// Takes what a look-up gave at `now`, and tells after how long to ask again.
    pub(super) fn learn(
        &mut self,
        v4: Outcome<Ipv4Addr>,
        v6: Outcome<Ipv6Addr>,
        now: Duration,
        bounds: &Bounds,
    ) -> Duration {
        let mut again = bounds.ttl_max;
        let mut failed = None;
        let found = matches!(v4, Outcome::Found(..)) || matches!(v6, Outcome::Found(..));
        let gone = matches!((&v4, &v6), (Outcome::Nothing(_), Outcome::Nothing(_)));
        // A family that isn't there doesn't hurry the one that is.
        let negative = if found {
            (bounds.ttl_max, bounds.ttl_max)
        } else {
            (
                bounds.ttl_min,
                Duration::from_millis(RESOLVER_NEGATIVE_MS_MAX).clamp(bounds.ttl_min, bounds.ttl_max),
            )
        };
        let is_gone = gone && self.is_over(now);
        let keeps = !found && !is_gone;
        take(&mut self.v4, v4, keeps, bounds, negative, &mut again, &mut failed);
        take(&mut self.v6, v6, keeps, bounds, negative, &mut again, &mut failed);
        if found || !gone {
            self.gone_since = None;
        }
        if let Some(reason) = failed {
            // An outage keeps the last good answer, of one family as of both.
            let retry = RESOLVER_RETRY_MS_MIN << self.failures.min(16);
            self.failures += 1;
            self.reason = reason;
            return again.min(Duration::from_millis(retry.min(RESOLVER_RETRY_MS_MAX)));
        }
        self.failures = 0;
        if gone {
            "no such name, or it has no address".clone_into(&mut self.reason);
            if self.is_known() {
                // Within its grace a name is looked for as one that fails is.
                return again.min(Duration::from_millis(RESOLVER_RETRY_MS_MIN));
            }
        }
        again
    }

    /// Servers say that there is nothing: whether they have said so for long enough to be believed. A zone that is being
    /// loaded, or a service between two of its instances, is not there for a moment either.
    fn is_over(&mut self, now: Duration) -> bool {
        let since = *self.gone_since.get_or_insert(now);
        now.saturating_sub(since) >= Duration::from_millis(RESOLVER_GRACE_MS)
    }

    /// Whether there are addresses.
    pub(super) fn is_known(&self) -> bool {
        !self.v4.is_empty() || !self.v6.is_empty()
    }

    /// Whether its last look-up failed for both families, with nothing from before.
    pub(super) fn failed(&self) -> bool {
        self.failures > 0 && !self.is_known()
    }

    /// Its IPv6 addresses.
    pub(super) fn v6(&self) -> &[Ipv6Addr] {
        &self.v6
    }

    /// Its addresses, the families in turn (RFC 8305 section 4); within a family they are sorted, so that servers that
    /// rotate them don't look like a change. An error says why there are none.
    ///
    /// # Errors
    /// There are none.
    pub(super) fn addresses(&self, is_v6_first: bool) -> Result<Vec<IpAddr>, String> {
        if !self.is_known() {
            return Err(self.reason.clone());
        }
        let v4 = self.v4.iter().copied().map(IpAddr::V4);
        let v6 = self.v6.iter().copied().map(IpAddr::V6);
        let (mut first, mut second): (Vec<IpAddr>, Vec<IpAddr>) =
            if is_v6_first { (v6.collect(), v4.collect()) } else { (v4.collect(), v6.collect()) };
        let places = first.len().max(second.len());
        let (mut first, mut second) = (first.drain(..), second.drain(..));
        let alternating = (0..places).flat_map(|_| [first.next(), second.next()]).flatten();
        Ok(alternating.take(BACKEND_ADDRESSES).collect())
    }
}

/// Takes one family's outcome; `again` is lowered to the time it holds. `negative` is how long nothing holds when no time
/// is said, and at most.
fn take<A: Ord>(
    known: &mut Vec<A>,
    outcome: Outcome<A>,
    keeps: bool,
    bounds: &Bounds,
    negative: (Duration, Duration),
    again: &mut Duration,
    failed: &mut Option<String>,
) {
    match outcome {
        Outcome::Found(mut addresses, ttl) => {
            addresses.sort_unstable();
            addresses.dedup();
            *known = addresses;
            *again = (*again).min(ttl.clamp(bounds.ttl_min, bounds.ttl_max));
        }
        Outcome::Nothing(ttl) => {
            if !keeps {
                known.clear();
            }
            *again = (*again).min(ttl.unwrap_or(negative.0).clamp(bounds.ttl_min, negative.1));
        }
        Outcome::Failed(reason) => *failed = Some(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { ttl_min: Duration::from_secs(1), ttl_max: Duration::from_secs(3600) };

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn v4(last: &[u8], ttl: u64) -> Outcome<Ipv4Addr> {
        Outcome::Found(last.iter().map(|&last| Ipv4Addr::new(10, 0, 0, last)).collect(), seconds(ttl))
    }

    fn v6(last: &[u16], ttl: u64) -> Outcome<Ipv6Addr> {
        let of = |&last: &u16| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
        Outcome::Found(last.iter().map(of).collect(), seconds(ttl))
    }

    fn nothing<A>(ttl: u64) -> Outcome<A> {
        Outcome::Nothing(Some(seconds(ttl)))
    }

    fn failed<A>() -> Outcome<A> {
        Outcome::Failed("SERVFAIL".to_owned())
    }

    fn shown(knowledge: &Knowledge) -> Vec<String> {
        let addresses = knowledge.addresses(true).unwrap_or_default();
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_answer_holds_for_the_least_of_its_times_within_bounds() {
        let mut knowledge = Knowledge::default();
        for (a, aaaa, again) in [(60, 300, 60), (300, 60, 60), (0, 300, 1), (90_000, 90_000, 3600)] {
            assert_eq!(knowledge.learn(v4(&[1], a), v6(&[1], aaaa), seconds(0), &BOUNDS), seconds(again));
        }
        // The family that isn't there has a time as well, if its answer says one.
        for (ttl, again) in [(Some(86_400), 300), (Some(100), 100), (Some(0), 1), (None, 300)] {
            let none = Outcome::Nothing(ttl.map(seconds));
            assert_eq!(knowledge.learn(v4(&[1], 300), none, seconds(0), &BOUNDS), seconds(again), "{ttl:?}");
        }
        let mut nobody = Knowledge::default();
        for (ttl, again) in [(Some(86_400), 60), (Some(30), 30), (Some(0), 1), (None, 1)] {
            let none = (Outcome::Nothing(ttl.map(seconds)), Outcome::Nothing(ttl.map(seconds)));
            assert_eq!(nobody.learn(none.0, none.1, seconds(0), &BOUNDS), seconds(again), "{ttl:?}");
        }
    }

    #[test]
    fn families_alternate_and_rotation_is_no_change() {
        let mut knowledge = Knowledge::default();
        knowledge.learn(v4(&[3, 1, 2], 60), v6(&[2, 1], 60), seconds(0), &BOUNDS);
        let order = ["2001:db8::1", "10.0.0.1", "2001:db8::2", "10.0.0.2", "10.0.0.3"];
        assert_eq!(shown(&knowledge), order);
        knowledge.learn(v4(&[2, 3, 1, 1], 60), v6(&[1, 2], 60), seconds(60), &BOUNDS);
        assert_eq!(shown(&knowledge), order);
        let v4_first = knowledge.addresses(false).expect("known");
        assert_eq!(
            v4_first[..2],
            [order[1], order[0]].map(|text| text.parse::<IpAddr>().expect("an address"))
        );
    }

    #[test]
    fn addresses_are_bounded_with_both_families_among_them() {
        let mut knowledge = Knowledge::default();
        let many: Vec<u8> = (1..=200).collect();
        knowledge.learn(v4(&many, 60), v6(&[1], 60), seconds(0), &BOUNDS);
        let kept = knowledge.addresses(false).expect("known");
        assert_eq!((kept.len(), kept.iter().filter(|ip| ip.is_ipv6()).count()), (BACKEND_ADDRESSES, 1));
    }

    #[test]
    fn an_outage_keeps_the_last_good_answer_and_is_looked_at_ever_less_often() {
        let mut knowledge = Knowledge::default();
        knowledge.learn(v4(&[1], 60), v6(&[1], 60), seconds(0), &BOUNDS);
        let mut now = seconds(60);
        for again in [1, 2, 4, 8, 16, 30, 30, 30] {
            assert_eq!(knowledge.learn(failed(), failed(), now, &BOUNDS), seconds(again));
            now += seconds(86_400);
            assert_eq!(shown(&knowledge), ["2001:db8::1", "10.0.0.1"]);
        }
        // Each family for itself.
        assert_eq!(knowledge.learn(v4(&[9], 300), failed(), now, &BOUNDS), seconds(30));
        assert_eq!(shown(&knowledge), ["2001:db8::1", "10.0.0.9"]);
        assert_eq!(knowledge.learn(v4(&[9], 300), nothing(300), now, &BOUNDS), seconds(300));
        assert_eq!(shown(&knowledge), ["10.0.0.9"]);
        assert_eq!(knowledge.learn(failed(), failed(), now, &BOUNDS), seconds(1), "the count begins anew");
    }

    #[test]
    fn a_name_that_goes_away_keeps_its_addresses_for_a_grace() {
        let mut knowledge = Knowledge::default();
        knowledge.learn(v4(&[1], 60), nothing(60), seconds(0), &BOUNDS);
        assert_eq!(knowledge.learn(nothing(300), nothing(300), seconds(60), &BOUNDS), seconds(1));
        assert_eq!(knowledge.learn(nothing(300), nothing(300), seconds(89), &BOUNDS), seconds(1));
        assert_eq!(shown(&knowledge), ["10.0.0.1"]);
        assert_eq!(knowledge.learn(nothing(45), nothing(300), seconds(90), &BOUNDS), seconds(45));
        assert!(knowledge.addresses(true).is_err() && !knowledge.failed());
        knowledge.learn(v4(&[1], 60), nothing(60), seconds(100), &BOUNDS);
        knowledge.learn(nothing(300), nothing(300), seconds(160), &BOUNDS);
        assert_eq!(shown(&knowledge), ["10.0.0.1"], "a new grace");
    }

    #[test]
    fn an_unclear_answer_ends_no_name() {
        let mut knowledge = Knowledge::default();
        knowledge.learn(v4(&[1], 60), nothing(60), seconds(0), &BOUNDS);
        for now in 1..100 {
            knowledge.learn(failed(), nothing(60), seconds(now), &BOUNDS);
        }
        assert_eq!(shown(&knowledge), ["10.0.0.1"]);
        let mut unknown = Knowledge::default();
        unknown.learn(failed(), nothing(60), seconds(0), &BOUNDS);
        assert!(unknown.failed());
        assert_eq!(unknown.addresses(true), Err("SERVFAIL".to_owned()));
    }
}
