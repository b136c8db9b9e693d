//! One run: a shard, its network and its peers from a seed, until nothing more happens; then the books are checked.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use plan::NodePlan;
use records::metrics::ShardMetrics;
use shard::rt::probe::Kind;
use shard::rt::simulated::{Dice, Faults, Network, Simulated};
use shard::{Audit, Entrance, Listener, Shard, Spec, Timeouts};
use throttling::Registry;
use vocabulary::limits::Limits;

use crate::documents;
use crate::request::PAYLOAD_BYTES;
use crate::world::World;

/// Waiting times of the simulated node; short ones, so that runs meet them.
pub(crate) const IDLE_CLIENT_NS: u64 = 60_000_000_000;
pub(crate) const HALF_CLOSE_NS: u64 = 3_000_000_000;
/// No run takes longer, in virtual time and in turns.
const RUN_NS_MAX: u64 = 900_000_000_000;
const TURNS_MAX: u64 = 400_000;
/// Last lines of the story that a failure prints, unless `TURNPIKE_SIM_STORY` asks for more.
const STORY_LINES: usize = 80;

/// The plans are the same in every run, so they are compiled once.
static PLANS: LazyLock<[Arc<NodePlan>; 2]> = LazyLock::new(documents::plans);

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The seed that tells it again.
    pub seed: u64,
    /// Rules that were broken; empty in a good run.
    pub violations: Vec<String>,
    /// Requests that clients began.
    pub requests: usize,
    /// Whole answers that clients saw.
    pub answers: usize,
    /// Of those: what backends said.
    pub relayed: usize,
    /// Connections cut, each with good reason.
    pub cuts: usize,
    /// Requests refused because the shard was full.
    pub shed: usize,
    /// Turns of the shard.
    pub turns: u64,
    /// Virtual time.
    pub virtual_ns: u64,
    story: Vec<String>,
}

impl Report {
    /// What a failing test prints.
    #[must_use]
    pub fn complaint(&self) -> String {
        let mut text = format!("seed {} breaks {} rules:\n", self.seed, self.violations.len());
        for violation in &self.violations {
            // Writing to a string doesn't fail.
            let _ = writeln!(text, "  {violation}");
        }
        let asked = std::env::var("TURNPIKE_SIM_STORY").ok().and_then(|lines| lines.parse().ok());
        let skipped = self.story.len().saturating_sub(asked.unwrap_or(STORY_LINES));
        for line in &self.story[skipped..] {
            let _ = writeln!(text, "    {line}");
        }
        text.push_str("TURNPIKE_SIM_STORY=1000 prints more of the story\n");
        let _ = writeln!(text, "replay: TURNPIKE_SIM_SEED={} cargo test -p turnpike-simulation", self.seed);
        text
    }
}

/// Runs a seed.
#[must_use]
pub fn run(seed: u64) -> Report {
    Run::new(seed, false).play()
}

/// Runs a seed and keeps its story.
#[must_use]
pub fn replay(seed: u64) -> Report {
    Run::new(seed, true).play()
}

struct Run {
    seed: u64,
    shard: Shard<Simulated>,
    world: Rc<RefCell<World>>,
    metrics: Arc<ShardMetrics>,
    /// Names that the shard asked for.
    asked: Arc<ArrayQueue<String>>,
    turns: u64,
}

impl Run {
    fn new(seed: u64, keeps_story: bool) -> Run {
        let mut dice = Dice::new(seed);
        let is_calm = dice.chance(10);
        let faults = if is_calm { Faults::calm() } else { Faults::drawn(&mut dice) };
        let mut network = Network::new(dice.below(u64::MAX), faults);
        if keeps_story {
            network.keep_log();
            network.note(|| format!("{faults:?}, calm: {is_calm}"));
        }
        let (mailbox, near) = shard::mailbox().expect("descriptors");
        let second_plan = Arc::clone(&PLANS[1]);
        let world = Rc::new(RefCell::new(World::draw(
            &mut network,
            mailbox,
            second_plan,
            is_calm,
            is_introduced(seed),
            is_multiplexed(seed),
        )));
        world.borrow_mut().ledger.is_bounded = in_flight_max(seed).is_some();
        let metrics = Arc::new(ShardMetrics::default());
        let asked = Arc::new(ArrayQueue::new(64));
        let rt = Simulated::new(network, Rc::clone(&world) as _);
        let spec = spec(seed, Arc::clone(&metrics), Arc::clone(&asked));
        let shard = Shard::new(rt, spec, near).expect("a shard");
        Run { seed, shard, world, metrics, asked, turns: 0 }
    }

    fn play(mut self) -> Report {
        let mut events = Vec::new();
        let start_ns = self.shard.runtime().network().now_ns();
        let is_drained = loop {
            let goes_on = match self.shard.step(&mut events) {
                Ok(goes_on) => goes_on,
                Err(error) => {
                    self.complain(error.to_string());
                    break false;
                }
            };
            self.turns += 1;
            self.resolve();
            if !goes_on {
                break true;
            }
            if self.shard.runtime().is_still() && self.shard.audit().timers == 0 {
                break false;
            }
            let virtual_ns = self.shard.runtime().network().now_ns() - start_ns;
            if self.turns > TURNS_MAX || virtual_ns > RUN_NS_MAX {
                let turns = self.turns;
                self.complain(format!("no end after {turns} turns and {} s", virtual_ns / 1_000_000_000));
                break false;
            }
            if !self.world.borrow().ledger.violations.is_empty() {
                // What follows a broken rule says little.
                break false;
            }
        };
        self.check_books(is_drained);
        let network = self.shard.runtime().network();
        let (virtual_ns, story) = (network.now_ns() - start_ns, network.log().to_vec());
        let mut world = self.world.borrow_mut();
        let ledger = &mut world.ledger;
        Report {
            seed: self.seed,
            violations: std::mem::take(&mut ledger.violations),
            requests: ledger.requests(),
            answers: ledger.answers,
            relayed: ledger.relayed,
            cuts: ledger.cuts,
            shed: ledger.shed,
            turns: self.turns,
            virtual_ns,
            story,
        }
    }

    fn resolve(&mut self) {
        while let Some(name) = self.asked.pop() {
            self.world.borrow_mut().resolve(self.shard.runtime().network(), name);
        }
    }

    fn complain(&self, rule: String) {
        self.world.borrow_mut().ledger.break_rule(rule);
    }

    /// Nothing goes on any more, so nothing may be left.
    fn check_books(&mut self, is_drained: bool) {
        let metrics = Arc::clone(&self.metrics);
        if metrics.panics.value() != 0 {
            self.complain(format!("{} panics", metrics.panics.value()));
        }
        if !self.world.borrow().ledger.violations.is_empty() {
            return;
        }
        let audit = self.shard.audit();
        if is_drained {
            // Connections to backends go with the shard.
            self.expect_nothing(
                "after the drain",
                Audit { clients: audit.clients, slots: audit.slots, ..Audit::default() },
            );
            self.shard.runtime().settle();
        } else {
            self.expect_nothing("at rest", audit);
            let sockets = self.shard.runtime().sockets_open();
            if sockets != 0 {
                self.complain(format!("{sockets} sockets are left open"));
            }
        }
        let held = self.shard.runtime().buffers_held();
        if held != 0 && !is_drained {
            self.complain(format!("{held} receive buffers never came back"));
        }
        for gauge in [&metrics.requests_in_flight, &metrics.connections_open] {
            if gauge.value() != 0 {
                self.complain(format!(
                    "in flight {:?}, open {:?}",
                    metrics.requests_in_flight, metrics.connections_open
                ));
            }
        }
        let series = metrics.series(&documents::labels());
        let recorded = series.count.value() + metrics.requests_unrouted.value();
        let (answers, requests) =
            (self.world.borrow().ledger.answers as u64, self.world.borrow().ledger.requests() as u64);
        if recorded < answers || recorded > requests {
            self.complain(format!("{recorded} records of {requests} requests, {answers} of them answered"));
        }
        let unfinished = self.world.borrow().unfinished();
        for client in unfinished {
            self.complain(format!("hangs: {client}"));
        }
    }

    fn expect_nothing(&self, when: &str, audit: Audit) {
        if audit != Audit::default() {
            self.complain(format!("{when}: {audit:?}"));
        }
    }
}

/// Whether the clients of a seed come by way of a proxy that says whom it speaks for.
fn is_introduced(seed: u64) -> bool {
    seed % 4 == 3
}

/// Whether some clients of a seed speak HTTP/2.
fn is_multiplexed(seed: u64) -> bool {
    (seed / 4).is_multiple_of(2)
}

/// Requests that the shard of a seed may have in flight; so few that clients feel it.
fn in_flight_max(seed: u64) -> Option<u64> {
    (seed % 8 == 6).then_some(2 + seed / 8 % 5)
}

fn spec(seed: u64, metrics: Arc<ShardMetrics>, asked: Arc<ArrayQueue<String>>) -> Spec {
    let listener = std::fs::File::open("/dev/null").expect("the null device");
    let timeouts = Timeouts {
        header: Duration::from_secs(10),
        body: Duration::from_secs(5),
        idle_client: Duration::from_nanos(IDLE_CLIENT_NS),
        idle_upstream: Duration::from_secs(20),
        connect: Duration::from_secs(1),
        send: Duration::from_secs(10),
        linger: Duration::from_secs(5),
        half_close: Duration::from_nanos(HALF_CLOSE_NS),
        drain_linger: Duration::from_millis(500),
    };
    Spec {
        index: 0,
        cpu: None,
        runtime: Kind::Portable,
        plan: Arc::clone(&PLANS[0]),
        registry: Arc::new(Registry::default()),
        seed: Some(seed),
        listeners: vec![Listener {
            place: 0,
            socket: listener.into(),
            shared: false,
            entrance: Entrance { port: 8080, proxy_protocol: is_introduced(seed), ..Entrance::default() },
            tls: None,
        }],
        limits: Limits { payload_bytes: PAYLOAD_BYTES as u64, ..Limits::default() },
        timeouts,
        connections_max: 1000,
        roots: None,
        spin_us: 0,
        busy_poll_us: 0,
        idle_upstreams_max: 4,
        overload: in_flight_max(seed)
            .map_or(shard::Bounds::NONE, |in_flight| shard::Bounds { in_flight, ..shard::Bounds::NONE }),
        metrics,
        records: None,
        resolve: Arc::new(move |host, port| {
            // The shard asks once per name and waits, so the queue has room.
            let _ = asked.push(format!("{host}:{port}"));
        }),
    }
}
