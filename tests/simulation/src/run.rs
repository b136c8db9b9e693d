//! One run: a shard or two, their network and its peers from a seed, until nothing more happens; then the books are checked.

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
use shard::{Audit, Entrance, Listener, Near, Shard, Spec, Timeouts};
use throttling::Registry;
use vocabulary::limits::Limits;

use crate::documents;
use crate::request::PAYLOAD_BYTES;
use crate::world::{Setting, Upgrade, World};

/// Waiting times of the simulated node; short ones, so that runs meet them.
pub(crate) const IDLE_CLIENT_NS: u64 = 60_000_000_000;
pub(crate) const HALF_CLOSE_NS: u64 = 3_000_000_000;
pub(crate) const DRAIN_LINGER_NS: u64 = 500_000_000;
/// A network with this latency or less is a fast one.
const BRISK_NS: u64 = 500_000;
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
    /// Shards that took over from another.
    pub upgrades: usize,
    /// Turns of the shards.
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

/// One process of the node: a shard of its own, and what it counts.
struct Node {
    shard: Shard<Simulated>,
    metrics: Arc<ShardMetrics>,
    /// Names that the shard asked for.
    asked: Arc<ArrayQueue<String>>,
    has_ended: bool,
}

impl Node {
    fn new(seed: u64, rt: Simulated, near: Near) -> Node {
        let metrics = Arc::new(ShardMetrics::default());
        let asked = Arc::new(ArrayQueue::new(64));
        let spec = spec(seed, Arc::clone(&metrics), Arc::clone(&asked));
        Node { shard: Shard::new(rt, spec, near).expect("a shard"), metrics, asked, has_ended: false }
    }
}

struct Run {
    seed: u64,
    /// The second one takes over from the first.
    nodes: Vec<Node>,
    /// Whose turn it is, and who has the network.
    side: usize,
    world: Rc<RefCell<World>>,
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
        let setting = Setting {
            is_calm,
            is_introduced: is_introduced(seed),
            is_multiplexed: is_multiplexed(seed),
            is_upgraded: is_upgraded(seed),
        };
        let world = World::draw(&mut network, mailbox, Arc::clone(&PLANS[1]), setting);
        let world = Rc::new(RefCell::new(world));
        {
            let ledger = &mut world.borrow_mut().ledger;
            ledger.is_bounded = in_flight_max(seed).is_some();
            ledger.is_brisk = faults.latency_ns_max <= BRISK_NS;
        }
        let rt = Simulated::new(network, Rc::clone(&world) as _);
        Run { seed, nodes: vec![Node::new(seed, rt, near)], side: 0, world, turns: 0 }
    }

    fn play(mut self) -> Report {
        let mut events = Vec::new();
        let start_ns = self.network().now_ns();
        let is_drained = loop {
            match self.nodes[self.side].shard.step(&mut events) {
                Ok(true) => {}
                Ok(false) => self.end_node(),
                Err(error) => {
                    self.complain(error.to_string());
                    break false;
                }
            }
            self.turns += 1;
            self.resolve();
            if self.nodes.iter().all(|node| node.has_ended) {
                break true;
            }
            if self.is_still() {
                break false;
            }
            let virtual_ns = self.network().now_ns() - start_ns;
            if self.turns > TURNS_MAX || virtual_ns > RUN_NS_MAX {
                let turns = self.turns;
                self.complain(format!("no end after {turns} turns and {} s", virtual_ns / 1_000_000_000));
                break false;
            }
            if !self.world.borrow().ledger.violations.is_empty() {
                // What follows a broken rule says little.
                break false;
            }
            self.upgrade();
            self.pass();
        };
        self.check_books(is_drained);
        let network = self.network();
        let (virtual_ns, story) = (network.now_ns() - start_ns, network.log().to_vec());
        let upgrades = self.nodes.len() - 1;
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
            upgrades,
            turns: self.turns,
            virtual_ns,
            story,
        }
    }

    fn network(&mut self) -> &mut Network {
        self.nodes[self.side].shard.runtime().network()
    }

    /// The shard whose turn it was has drained: its process ends.
    fn end_node(&mut self) {
        let side = self.side;
        self.nodes[side].has_ended = true;
        self.nodes[side].shard.runtime().leave();
        let world = Rc::clone(&self.world);
        world.borrow_mut().ended(self.network(), side);
    }

    /// Starts a second shard when it is time.
    fn upgrade(&mut self) {
        if self.world.borrow().upgrade != Upgrade::Asked {
            return;
        }
        let (mailbox, near) = shard::mailbox().expect("descriptors");
        let first = self.nodes[0].shard.runtime();
        first.network().note(|| "a second shard starts".to_owned());
        let mut second = first.second();
        first.pass(&mut second);
        self.nodes.push(Node::new(self.seed, second, near));
        self.side = 1;
        let world = Rc::clone(&self.world);
        world.borrow_mut().succeeded(self.network(), mailbox);
    }

    /// The other shard has its turn, if there is one.
    fn pass(&mut self) {
        let [first, second] = &mut self.nodes[..] else { return };
        let other = if self.side == 0 { &*second } else { &*first };
        if other.has_ended {
            return;
        }
        let (from, to) = if self.side == 0 { (first, second) } else { (second, first) };
        from.shard.runtime().pass(to.shard.runtime());
        self.side = 1 - self.side;
    }

    /// Whether nothing more will happen.
    fn is_still(&mut self) -> bool {
        let timers: usize =
            self.nodes.iter().filter(|node| !node.has_ended).map(|node| node.shard.audit().timers).sum();
        let side = self.side;
        let others_idle = self
            .nodes
            .iter_mut()
            .enumerate()
            .all(|(index, node)| index == side || node.has_ended || node.shard.runtime().is_idle());
        timers == 0 && others_idle && self.nodes[side].shard.runtime().is_still()
    }

    fn resolve(&mut self) {
        let side = self.side;
        while let Some(name) = self.nodes[side].asked.pop() {
            let world = Rc::clone(&self.world);
            world.borrow_mut().resolve(self.network(), side, name);
        }
    }

    fn complain(&self, rule: String) {
        self.world.borrow_mut().ledger.break_rule(rule);
    }

    /// Nothing goes on any more, so nothing may be left.
    fn check_books(&mut self, is_drained: bool) {
        for side in 0..self.nodes.len() {
            let panics = self.nodes[side].metrics.panics.value();
            if panics != 0 {
                self.complain(format!("{panics} panics"));
            }
        }
        if !self.world.borrow().ledger.violations.is_empty() {
            return;
        }
        for side in 0..self.nodes.len() {
            self.check_node(side);
        }
        if is_drained {
            self.nodes[self.side].shard.runtime().settle();
        }
        let (mut recorded, labels) = (0, documents::labels());
        for node in &self.nodes {
            recorded += node.metrics.series(&labels).count.value() + node.metrics.requests_unrouted.value();
        }
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

    fn check_node(&mut self, side: usize) {
        let audit = self.nodes[side].shard.audit();
        if self.nodes[side].has_ended {
            // Connections to backends go with the shard.
            self.expect_nothing(
                "after the drain",
                Audit { clients: audit.clients, slots: audit.slots, ..Audit::default() },
            );
        } else {
            self.expect_nothing("at rest", audit);
            let rt = self.nodes[side].shard.runtime();
            let (sockets, held) = (rt.sockets_open(), rt.buffers_held());
            if sockets != 0 {
                self.complain(format!("{sockets} sockets are left open"));
            }
            if held != 0 {
                self.complain(format!("{held} receive buffers never came back"));
            }
        }
        let metrics = Arc::clone(&self.nodes[side].metrics);
        for gauge in [&metrics.requests_in_flight, &metrics.connections_open] {
            if gauge.value() != 0 {
                self.complain(format!(
                    "in flight {:?}, open {:?}",
                    metrics.requests_in_flight, metrics.connections_open
                ));
            }
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

/// Whether another process takes over during a seed's run.
fn is_upgraded(seed: u64) -> bool {
    seed / 8 % 4 == 1
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
        drain_linger: Duration::from_nanos(DRAIN_LINGER_NS),
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
