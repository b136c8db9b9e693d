//! Everybody on the far side of the shard: clients, backends, the resolver and the hand that swaps plans and drains.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use plan::NodePlan;
use shard::rt::Address;
use shard::rt::simulated::{Dice, Network, Peers, Reception, WireKey};
use shard::{Mailbox, MailboxFull};

use crate::backend::Backend;
use crate::client::Client;
use crate::h2;
use crate::h2::backend::Backend as SecondBackend;
use crate::ledger::{Ledger, Left, Target};
use crate::script::{self, Script};

/// Errnos as connects report them.
const ENOENT: i32 = 2;
const ECONNREFUSED: i32 = 111;
const ETIMEDOUT: i32 = 110;
const EHOSTUNREACH: i32 = 113;

const MS: u64 = 1_000_000;

/// What a timer is for; the rest of a token is an index.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Kind {
    Open = 1,
    Step,
    Read,
    Backend,
    Resolve,
    Prepare,
    Commit,
    Discard,
    Drain,
    Upgrade,
    Relieve,
    LookAgain,
}

fn token(kind: Kind, index: usize) -> u64 {
    (kind as u64) << 56 | index as u64
}

enum Role {
    Client(usize),
    Backend(usize),
}

/// A client to come.
enum Plan {
    OneByOne(Script),
    Multiplexed(h2::script::Script),
}

/// A client that has come, of either version.
enum Guest {
    OneByOne(Client),
    Multiplexed(Box<h2::client::Client>),
}

impl Guest {
    fn unfinished(&self) -> Option<String> {
        match self {
            Guest::OneByOne(client) => (!client.is_done).then(|| client.describe()),
            Guest::Multiplexed(client) => (!client.is_done).then(|| client.describe()),
        }
    }

    fn go_on(&mut self, network: &mut Network, ledger: &mut Ledger) {
        match self {
            Guest::OneByOne(client) => client.go_on(network, ledger),
            Guest::Multiplexed(client) => client.go_on(network, ledger),
        }
    }

    fn read(&mut self, network: &mut Network, ledger: &mut Ledger, is_timer: bool) {
        match self {
            Guest::OneByOne(client) => client.read(network, ledger, is_timer),
            Guest::Multiplexed(client) => client.read(network, ledger, is_timer),
        }
    }
}

/// A backend's connection, of either version.
enum Host {
    OneByOne(Backend),
    Multiplexed(Box<SecondBackend>),
}

/// What clients of a run may be, and what happens to the shard meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) is_calm: bool,
    /// Clients come by way of a proxy that says whom it speaks for.
    pub(crate) is_introduced: bool,
    /// Some clients speak HTTP/2.
    pub(crate) is_multiplexed: bool,
    /// Another process takes over.
    pub(crate) is_upgraded: bool,
}

/// An upgrade's progress.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// None is asked for.
    Not,
    /// A second shard is to be started.
    Asked,
    /// Both serve.
    Both,
    /// One of them drains; the other has to look at the listener again now and then.
    Leaving(usize),
}

/// Between two looks at the listener while another process is on its way out, as the node has it.
const LOOK_NS: u64 = 50 * MS;
/// Time to finish what is in flight when another process takes over: more than anything takes.
const UPGRADE_DRAIN: Duration = Duration::from_secs(120);

/// The far side.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) upgrade: Upgrade,
    mailboxes: Vec<Mailbox>,
    second_plan: Arc<NodePlan>,
    prepared: Option<std::sync::mpsc::Receiver<Result<(), String>>>,
    scripts: Vec<Option<Plan>>,
    clients: Vec<Option<Guest>>,
    backends: Vec<Host>,
    roles: BTreeMap<WireKey, Role>,
    asked: Vec<(usize, String)>,
    is_calm: bool,
    /// The name's first address leads nowhere.
    is_half_dead: bool,
}

impl World {
    /// Draws who will come and when.
    pub(crate) fn draw(
        network: &mut Network,
        mailbox: Mailbox,
        second_plan: Arc<NodePlan>,
        setting: Setting,
    ) -> World {
        let Setting { is_calm, is_introduced, is_multiplexed, is_upgraded } = setting;
        let mut next_id = 1000;
        let count = usize::try_from(network.dice().between(3, 16)).unwrap_or(3);
        let mut scripts = Vec::new();
        for index in 0..count {
            let plan = if is_multiplexed && network.dice().chance(60) {
                let mut script = h2::script::draw(network.dice(), &mut next_id, is_calm);
                if is_introduced {
                    script.introduction = script::introduction(index);
                }
                Plan::Multiplexed(script)
            } else {
                let mut script = script::draw(network.dice(), &mut next_id, is_calm);
                if is_introduced {
                    script.steps.push_front(script::Step::Write(script::introduction(index)));
                }
                Plan::OneByOne(script)
            };
            scripts.push(Some(plan));
            let after_ns = network.dice().below(1500 * MS);
            network.wake(after_ns, token(Kind::Open, index));
        }
        if is_upgraded {
            let after_ns = network.dice().below(2000 * MS);
            network.wake(after_ns, token(Kind::Upgrade, 0));
        } else if network.dice().chance(30) {
            let after_ns = network.dice().below(1000 * MS);
            network.wake(after_ns, token(Kind::Prepare, 0));
        }
        if !is_upgraded && network.dice().chance(15) {
            let after_ns = network.dice().below(3000 * MS);
            network.wake(after_ns, token(Kind::Drain, 0));
        }
        let is_half_dead = !is_calm && network.dice().chance(30);
        World {
            ledger: Ledger::default(),
            upgrade: Upgrade::Not,
            mailboxes: vec![mailbox],
            second_plan,
            prepared: None,
            clients: scripts.iter().map(|_| None).collect(),
            scripts,
            backends: Vec::new(),
            roles: BTreeMap::new(),
            asked: Vec::new(),
            is_calm,
            is_half_dead,
        }
    }

    /// A second shard has been started.
    pub(crate) fn succeeded(&mut self, network: &mut Network, mailbox: Mailbox) {
        self.mailboxes.push(mailbox);
        self.upgrade = Upgrade::Both;
        let after_ns = network.dice().below(300 * MS);
        network.wake(after_ns, token(Kind::Relieve, 0));
    }

    /// A shard has ended; the other one looks once more.
    pub(crate) fn ended(&mut self, network: &mut Network, side: usize) {
        if self.upgrade == Upgrade::Leaving(side) {
            self.upgrade = Upgrade::Not;
            self.look_again(network, 1 - side);
        }
    }

    /// One of two shards leaves: the first one, or the second if it turns out to be no good.
    fn relieve(&mut self, network: &mut Network) {
        let side = usize::from(network.dice().chance(15));
        network.note(|| format!("shard {side} leaves"));
        self.upgrade = Upgrade::Leaving(side);
        self.ledger.left = Some(Left { side, from_ns: network.now_ns() });
        self.tell(network, side, |mailbox| mailbox.drain(UPGRADE_DRAIN, true));
        // Some come just then.
        let to_come: Vec<usize> =
            (0..self.scripts.len()).filter(|&index| self.scripts[index].is_some()).collect();
        for index in to_come.into_iter().take(3) {
            self.open(network, index);
        }
        network.wake(LOOK_NS, token(Kind::LookAgain, 1 - side));
    }

    fn look_again(&mut self, network: &mut Network, side: usize) {
        self.tell(network, side, Mailbox::look_again);
        if self.upgrade != Upgrade::Not {
            network.wake(LOOK_NS, token(Kind::LookAgain, side));
        }
    }

    /// Sends a shard a command.
    fn tell(
        &mut self,
        network: &mut Network,
        side: usize,
        command: impl FnOnce(&Mailbox) -> Result<(), MailboxFull>,
    ) {
        network.rouse(side);
        if command(&self.mailboxes[side]).is_err() {
            self.ledger.break_rule("the mailbox is full");
        }
    }

    /// A shard asked for the addresses of a name.
    pub(crate) fn resolve(&mut self, network: &mut Network, side: usize, name: String) {
        let most = *network.dice().pick(&[1, 30, 30, 3000]);
        let after_ns = network.dice().below(if self.is_calm { MS } else { most * MS });
        network.wake(after_ns, token(Kind::Resolve, self.asked.len()));
        self.asked.push((side, name));
    }

    /// Clients that neither closed nor saw an end.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        self.clients.iter().flatten().filter_map(Guest::unfinished).collect()
    }

    fn open(&mut self, network: &mut Network, index: usize) {
        let Some(script) = self.scripts[index].take() else { return };
        let octet = u8::try_from(index % 250).unwrap_or(0);
        let origin = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, octet)), 40_000);
        let wire = network.open(Some(origin));
        self.roles.insert(wire, Role::Client(index));
        let tokens = [token(Kind::Step, index), token(Kind::Read, index)];
        let mut client = match script {
            Plan::OneByOne(script) => Guest::OneByOne(Client::new(wire, script, tokens, network.now_ns())),
            Plan::Multiplexed(script) => {
                Guest::Multiplexed(Box::new(h2::client::Client::new(network, wire, script, tokens)))
            }
        };
        client.go_on(network, &mut self.ledger);
        self.clients[index] = Some(client);
    }

    fn answer_resolver(&mut self, network: &mut Network, index: usize) {
        let fails = !self.is_calm && network.dice().chance(15);
        let outcome = if fails {
            self.ledger.trouble(Target::Named, true, network.now_ns(), 0);
            Err("no such name".to_owned())
        } else {
            let address = |&last: &u8| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), 9002);
            let sets: [&[u8]; 6] = [&[2, 3], &[2, 3], &[2, 3], &[4, 2, 3], &[3], &[]];
            let set = if self.is_calm { sets[0] } else { network.dice().pick(&sets) };
            if set.is_empty() {
                // The name is gone for now.
                self.ledger.trouble(Target::Named, true, network.now_ns(), 0);
            }
            Ok(set.iter().map(address).collect())
        };
        if !self.is_calm && network.dice().chance(50) {
            // The time of the answer will be over.
            let after_ns = network.dice().below(2000 * MS);
            network.wake(after_ns, token(Kind::Resolve, index));
        }
        let (side, name) = self.asked[index].clone();
        network.note(|| format!("resolver: {name} is {outcome:?}"));
        self.tell(network, side, |mailbox| mailbox.resolved(name, outcome));
    }

    fn prepare(&mut self, network: &mut Network) {
        network.note(|| "prepares the second plan".to_owned());
        match self.mailboxes[0].prepare(Arc::clone(&self.second_plan)) {
            Ok(answer) => self.prepared = Some(answer),
            Err(full) => self.ledger.break_rule(full.to_string()),
        }
        let kind = if network.dice().chance(80) { Kind::Commit } else { Kind::Discard };
        network.wake(100 * MS, token(kind, 0));
    }

    /// Second step of a swap, once the shard has said that the plan links.
    fn decide(&mut self, network: &mut Network, commits: bool) {
        let linked = self.prepared.take().is_some_and(|answer| matches!(answer.try_recv(), Ok(Ok(()))));
        if self.ledger.drained_ns.is_some() {
            return;
        }
        if !linked {
            self.ledger.break_rule("a good plan was not linked within its time");
        }
        self.tell(network, 0, if commits { Mailbox::commit } else { Mailbox::discard });
        if commits {
            network.note(|| "commits the second plan".to_owned());
            self.ledger.committed_ns = Some(network.now_ns());
        }
    }

    fn drain(&mut self, network: &mut Network) {
        network.note(|| "drains".to_owned());
        self.ledger.drained_ns = Some(network.now_ns());
        let timeout = Duration::from_millis(*network.dice().pick(&[100, 1000, 4000]));
        self.tell(network, 0, |mailbox| mailbox.drain(timeout, false));
    }

    fn reception(&mut self, dice: &mut Dice, target: Target, is_dead: bool, now_ns: u64) -> Reception {
        let soon_ns = dice.below(2 * MS) + 1000;
        let refused = if target == Target::Socket { ENOENT } else { ECONNREFUSED };
        if is_dead {
            // No trouble: the name's other address is tried.
            return Reception::Refused { after_ns: soon_ns, errno: refused };
        }
        let fate = if self.is_calm { 99 } else { dice.below(60) };
        let (reception, is_refusal, lasts_ns) = match fate {
            0 | 1 => (Reception::Refused { after_ns: soon_ns, errno: refused }, true, soon_ns),
            2 => (Reception::Refused { after_ns: soon_ns, errno: EHOSTUNREACH }, false, soon_ns),
            3 => (Reception::Refused { after_ns: 800 * MS, errno: ETIMEDOUT }, false, 800 * MS),
            4 => (Reception::Impossible { errno: EHOSTUNREACH }, false, 0),
            5 => (Reception::Silence, false, 1000 * MS),
            6 | 7 => return Reception::Accepted { after_ns: dice.below(900 * MS) },
            _ => return Reception::Accepted { after_ns: soon_ns },
        };
        self.ledger.trouble(target, is_refusal, now_ns, lasts_ns);
        if target == Target::Named && self.is_half_dead {
            // The dead address may be the one that the answer tells of.
            self.ledger.trouble(target, true, now_ns, lasts_ns);
        }
        reception
    }
}

impl Peers for World {
    fn knock(&mut self, network: &mut Network, wire: WireKey, address: &Address) -> Reception {
        let (target, is_dead) = match address {
            Address::Unix(_) => (Target::Socket, false),
            Address::Tcp(address) if address.port() == 9003 => (Target::Second, false),
            Address::Tcp(address) if address.port() == 9002 => {
                (Target::Named, self.is_half_dead && address.ip() == Ipv4Addr::new(10, 0, 0, 2))
            }
            Address::Tcp(_) => (Target::Plain, false),
        };
        let now_ns = network.now_ns();
        let reception = self.reception(network.dice(), target, is_dead, now_ns);
        network.note(|| format!("{wire}: shard connects to {address:?}: {reception:?}"));
        if matches!(reception, Reception::Accepted { .. }) {
            self.roles.insert(wire, Role::Backend(self.backends.len()));
            let token = token(Kind::Backend, self.backends.len());
            self.backends.push(if target == Target::Second {
                Host::Multiplexed(Box::new(SecondBackend::new(network, wire, token, self.is_calm)))
            } else {
                Host::OneByOne(Backend::new(wire, target, token, self.is_calm))
            });
        }
        reception
    }

    fn connected(&mut self, _network: &mut Network, _wire: WireKey) {}

    fn stir(&mut self, network: &mut Network, wire: WireKey) {
        match self.roles.get(&wire) {
            Some(&Role::Client(index)) => {
                if let Some(client) = &mut self.clients[index] {
                    client.read(network, &mut self.ledger, false);
                }
            }
            Some(&Role::Backend(index)) => match &mut self.backends[index] {
                Host::OneByOne(backend) => backend.stir(network, &mut self.ledger),
                Host::Multiplexed(backend) => backend.stir(network, &mut self.ledger),
            },
            None => {}
        }
    }

    fn woken(&mut self, network: &mut Network, token: u64) {
        let index = usize::try_from(token & 0xff_ffff).unwrap_or(0);
        let kind = token >> 56;
        if kind == Kind::Open as u64 {
            self.open(network, index);
        } else if kind == Kind::Backend as u64 {
            match &mut self.backends[index] {
                Host::OneByOne(backend) => backend.woken(network, &mut self.ledger),
                Host::Multiplexed(backend) => backend.woken(network, &mut self.ledger),
            }
        } else if kind == Kind::Resolve as u64 {
            self.answer_resolver(network, index);
        } else if kind == Kind::Prepare as u64 {
            self.prepare(network);
        } else if kind == Kind::Commit as u64 || kind == Kind::Discard as u64 {
            self.decide(network, kind == Kind::Commit as u64);
        } else if kind == Kind::Drain as u64 {
            self.drain(network);
        } else if kind == Kind::Upgrade as u64 {
            self.upgrade = Upgrade::Asked;
        } else if kind == Kind::Relieve as u64 {
            self.relieve(network);
        } else if kind == Kind::LookAgain as u64 {
            self.look_again(network, index);
        } else if let Some(client) = &mut self.clients[index] {
            if kind == Kind::Read as u64 {
                client.read(network, &mut self.ledger, true);
            } else {
                client.go_on(network, &mut self.ledger);
            }
        }
    }
}
