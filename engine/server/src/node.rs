//! Constructs everything a node consists of, in order; stopping is this file backwards.
//!
//! example backends → workers → access log → control listener → resolver → listeners → shards

use crate::certificates::{self, Presented};
use crate::documents::Compiled;
use crate::example_backend::ExampleBackend;
use crate::inherited::{Inherited, Role, Socket};
use crate::listeners::Places;
use crate::memory;
use crate::test_invoke::Door;
use crate::trouble::Trouble;
use plan::{NodePlan, Target};
use records::metrics::ShardMetrics;
use records::{Doorbell, RecordReader, RecordWriter};
use settings::{Address, Destination, Runtime, Settings};
use shard::rt::probe::{Kind, probe_ring};
use shard::tls::Terms;
use shard::{Handle, Mailbox, Near, Resolve, SocketFile, Spec, Timeouts};
use std::collections::{BTreeMap, HashSet};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use throttling::Registry;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use workers::resolver::{Bounds, Resolver, Wishes};
use workers::{LogThread, Operations, Sink, Workers};

/// A shard links a plan in microseconds; one that takes this long is stuck.
const LINK_PATIENCE: Duration = Duration::from_secs(10);
/// What the log thread may take to write what it still holds.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at draining shards.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// The control listener, served by the workers.
pub(crate) struct ControlListener {
    pub(crate) address: SocketAddr,
    /// What it accepts with from now on, where it speaks TLS.
    tls: Option<watch::Sender<TlsAcceptor>>,
    accepting: AbortHandle,
}

/// A running node.
pub(crate) struct Node {
    shards: Vec<Handle>,
    ready: Arc<AtomicBool>,
    log: Option<LogThread>,
    registry: Arc<Registry>,
    resolver: Resolver,
    /// Names of backends in the plan in force.
    names: HashSet<String>,
    example_backends: BTreeMap<SocketAddr, ExampleBackend>,
    /// All listening sockets once more, for a process that takes over.
    held: Vec<Socket>,
    /// Data-plane addresses, with the ports that were taken.
    pub(crate) addresses: Vec<Address>,
    socket_files: Vec<SocketFile>,
    /// Control address, with the port that was taken.
    pub(crate) control: ControlListener,
    /// The event loop that runs.
    pub(crate) runtime: Kind,
    drain: Duration,
    /// The way to a shard for tests of methods.
    door: Door,
    workers: Workers,
}

/// Both ends of every shard's mailbox.
type Mailboxes = (Vec<Mailbox>, Vec<Near>);

impl Node {
    /// Starts everything, on `inherited` sockets where there are some; when it returns, every listener accepts.
    ///
    /// # Errors
    /// Something can't be had; what was started before it is stopped again.
    pub(crate) fn start(
        settings: &Settings,
        compiled: &Compiled,
        presented: Presented,
        mut inherited: Inherited,
        calls: workers::Calls,
    ) -> Result<Self, Trouble> {
        let (runtime, cpus) = (runtime(settings)?, cpus(settings)?);
        let workers = Workers::start().map_err(|error| Trouble::new(format!("no worker thread: {error}")))?;
        // One of each shard, and one of the log thread.
        let mut metrics: Vec<Arc<ShardMetrics>> = (0..=cpus.len()).map(|_| Arc::default()).collect();
        let (log, writers) = access_log(settings, cpus.len(), &metrics[cpus.len()])?;
        let ready = Arc::new(AtomicBool::new(false));
        let Presented { listeners: terms, control: own } = presented;
        let (control, held) = control(settings, (&metrics, &ready, calls), own, &workers, &mut inherited)?;
        let (mailboxes, nears) = mailboxes(cpus.len())?;
        let resolver = resolver(settings, &workers, mailboxes.clone(), Arc::clone(&metrics[cpus.len()]));
        metrics.truncate(cpus.len());
        let mut places = Places::take(settings, &mut inherited)?;
        let roots = certificates::roots(settings)?;
        let door = door(&mut places)?;
        let mut node = Node {
            shards: Vec::new(),
            ready,
            log,
            registry: Arc::default(),
            resolver: resolver.clone(),
            names: names(&compiled.plan),
            example_backends: BTreeMap::new(),
            held,
            addresses: places.addresses(),
            socket_files: Vec::new(),
            control,
            runtime,
            drain: settings.timeouts.drain,
            door,
            workers,
        };
        node.start_example_backends(compiled, &mut inherited)?;
        inherited.settle()?;
        let count = cpus.len();
        let parts = mailboxes.into_iter().zip(nears).zip(metrics).zip(writers).zip(cpus).enumerate();
        for (index, ((((mailbox, near), metrics), records), cpu)) in parts {
            let spec = Spec {
                index,
                cpu,
                runtime,
                plan: Arc::clone(&compiled.plan),
                registry: Arc::clone(&node.registry),
                seed: None,
                listeners: places.listeners(settings, &terms, (index, count), &mut node.held)?,
                limits: settings.limits.request,
                timeouts: timeouts(settings),
                connections_max: settings.limits.connections,
                roots: roots.clone(),
                spin_us: settings.shards.spin_us,
                busy_poll_us: settings.shards.busy_poll_us,
                overload: overload(settings, count),
                idle_upstreams_max: settings.limits.idle_upstreams,
                metrics,
                records,
                resolve: resolve(&resolver, index),
            };
            node.shards.push(started(index, shard::start(spec, mailbox, near))?);
        }
        node.socket_files = places.into_files();
        node.ready.store(true, Ordering::Release);
        Ok(node)
    }

    /// Number of event loops.
    pub(crate) fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// Swaps the plan on every shard: all link it, then all serve it; if one can't, none does.
    ///
    /// # Errors
    /// The first shard's reason; the old plan goes on.
    pub(crate) fn publish(&mut self, compiled: &Compiled) -> Result<(), Trouble> {
        self.start_example_backends(compiled, &mut Inherited::default())?;
        self.prepare(compiled)?;
        self.commit(compiled)
    }

    /// Serves a plan that every shard has linked.
    ///
    /// # Errors
    /// A shard can't be told; others may serve it.
    pub(crate) fn commit(&mut self, compiled: &Compiled) -> Result<(), Trouble> {
        for shard in &self.shards {
            let told = shard.mailbox().commit();
            told.map_err(|error| Trouble::new(format!("a shard can't be told: {error}")))?;
        }
        self.registry.prune();
        self.names = names(&compiled.plan);
        self.resolver.retain(&self.names);
        Ok(())
    }

    /// Forgets a plan that shards have linked, or were to link.
    pub(crate) fn discard(&self) {
        for shard in &self.shards {
            // One whose mailbox is full is stuck; the next plan replaces what it holds.
            let _ = shard.mailbox().discard();
        }
        self.resolver.retain(&self.names);
    }

    /// Has every shard link a plan.
    ///
    /// # Errors
    /// The first shard's reason; none keeps it.
    pub(crate) fn prepare(&self, compiled: &Compiled) -> Result<(), Trouble> {
        self.link(&compiled.plan).inspect_err(|_| self.discard())
    }

    /// Presents other certificates to connections from now on; those there are stay as they are.
    ///
    /// # Errors
    /// A shard can't be told; others may have been.
    pub(crate) fn present(&self, presented: &Presented) -> Result<(), Trouble> {
        if let (Some(tls), Some(terms)) = (&self.control.tls, &presented.control) {
            // Nobody to tell is a listener that has ended.
            let _ = tls.send(acceptor(terms));
        }
        for shard in &self.shards {
            let told = shard.mailbox().present(presented.listeners.clone());
            told.map_err(|error| Trouble::new(format!("a shard can't be told: {error}")))?;
        }
        Ok(())
    }

    fn link(&self, plan: &Arc<NodePlan>) -> Result<(), Trouble> {
        let asked: Result<Vec<_>, _> =
            self.shards.iter().map(|shard| shard.mailbox().prepare(Arc::clone(plan))).collect();
        let answers = asked.map_err(|error| Trouble::new(format!("a shard can't be asked: {error}")))?;
        for answer in answers {
            match answer.recv_timeout(LINK_PATIENCE) {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => return Err(Trouble::new(format!("the plan can't be linked: {reason}"))),
                Err(_) => return Err(Trouble::new("a shard doesn't answer".to_owned())),
            }
        }
        Ok(())
    }

    /// Opens the access log anew, after a rotation.
    pub(crate) fn reopen_log(&self) {
        if let Some(log) = &self.log {
            log.reopen();
        }
    }

    /// Whether a shard ended, which none does by itself.
    pub(crate) fn is_broken(&self) -> bool {
        self.shards.iter().any(Handle::is_finished)
    }

    /// Looks at listeners as if they were new, while the process before this one is on its way out.
    pub(crate) fn look_again(&self) {
        for shard in &self.shards {
            // A full mailbox is one that is being read: the next look is soon.
            let _ = shard.mailbox().look_again();
        }
    }

    /// The way to a shard for tests of methods, and the pool that walks it.
    pub(crate) fn door(&self) -> (&Door, &tokio::runtime::Handle) {
        (&self.door, self.workers.handle())
    }

    /// The sockets that another process takes over.
    pub(crate) fn sockets(&self) -> &[Socket] {
        &self.held
    }

    /// Finishes what is under way within the drain timeout, then stops everything, last started first. If another process
    /// has the sockets as well (`left`), connections that wait are its own, and so are files and the control listener.
    /// `hurry` says whether somebody lost patience. Tells whether it was an orderly end.
    pub(crate) fn stop(self, left: bool, mut hurry: impl FnMut(Duration) -> bool) -> bool {
        let Node { shards, ready, log, example_backends, socket_files, held, drain, control, .. } = self;
        ready.store(false, Ordering::Release);
        drop(held);
        if left {
            control.accepting.abort();
            socket_files.into_iter().for_each(SocketFile::leave);
        } else {
            // Before the shards stop accepting: who comes now finds no gateway, rather than one that refuses.
            drop(socket_files);
        }
        for shard in &shards {
            // A shard whose mailbox is full is stuck; the process's end is its end.
            let _ = shard.mailbox().drain(drain, left);
        }
        let mut orderly = true;
        while shards.iter().any(|shard| !shard.is_finished()) {
            if hurry(DRAIN_STEP) {
                orderly = false;
                break;
            }
        }
        for shard in shards.into_iter().filter(Handle::is_finished) {
            if let Err(error) = shard.join() {
                orderly = false;
                eprintln!("turnpike: a shard ended badly: {error}");
            }
        }
        if log.is_some_and(|log| !log.stop(FLUSH_PATIENCE)) {
            orderly = false;
            eprintln!("turnpike: the access log's sink is stuck; its last records are lost");
        }
        drop(self.workers);
        drop(example_backends);
        orderly
    }

    /// Starts the backends that documents bring along, those that don't run yet.
    fn start_example_backends(
        &mut self,
        compiled: &Compiled,
        inherited: &mut Inherited,
    ) -> Result<(), Trouble> {
        for (at, address) in compiled.example_backends().enumerate() {
            let std::collections::btree_map::Entry::Vacant(free) = self.example_backends.entry(address)
            else {
                continue;
            };
            let cannot = |error| {
                Trouble::new(format!("the example backend can't listen on {address}: {error}"))
                    .with_help("change exampleBackend and the integrations' URIs in the document")
            };
            let listener = match inherited.take_one(Role::Example, address) {
                Some(socket) => TcpListener::from(socket),
                None => TcpListener::bind(address).map_err(cannot)?,
            };
            self.held.push(held_alone(Role::Example, at, address, &listener).map_err(cannot)?);
            free.insert(ExampleBackend::start(listener).map_err(cannot)?);
        }
        Ok(())
    }
}

/// The event loop to run: what was asked for, or what this machine allows.
fn runtime(settings: &Settings) -> Result<Kind, Trouble> {
    let kind = probed(settings.runtime)?;
    if settings.shards.busy_poll_us > 0 && kind != Kind::Ring {
        return Err(Trouble::new(
            "shards.busy_poll_us needs the `ring` event loop, which doesn't run here".to_owned(),
        )
        .with_help("set it to 0, or see `turnpike version` for what this machine allows"));
    }
    Ok(kind)
}

fn probed(wanted: Runtime) -> Result<Kind, Trouble> {
    match (wanted, probe_ring()) {
        (Runtime::Portable, _) => Ok(Kind::Portable),
        (_, Ok(())) => Ok(Kind::Ring),
        (Runtime::Auto, Err(error)) => {
            eprintln!("io_uring isn't usable here ({error}): the portable event loop serves");
            Ok(Kind::Portable)
        }
        (Runtime::Ring, Err(error)) => Err(Trouble::new(format!("io_uring isn't usable here: {error}"))
            .with_help("`--runtime portable` runs anywhere; containers often forbid io_uring by their seccomp profile")),
    }
}

/// CPU of each shard. Without a wish there is one shard per CPU that this process may use.
fn cpus(settings: &Settings) -> Result<Vec<Option<usize>>, Trouble> {
    let allowed = rustix::thread::sched_getaffinity(None)
        .map_err(|error| Trouble::new(format!("the usable CPUs can't be read: {error}")))?;
    let usable: Vec<usize> =
        (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect();
    let chosen = settings.shards.cpus.as_ref().unwrap_or(&usable);
    if let Some(cpu) = chosen.iter().find(|cpu| !usable.contains(cpu)) {
        return Err(Trouble::new(format!("shards.cpus names CPU {cpu}, which this process may not use"))
            .with_help(format!("usable: {usable:?}")));
    }
    let count = settings.shards.count.unwrap_or(chosen.len());
    // More shards than CPUs is for tests: the kernel shares the CPUs better when nothing is pinned.
    let pinned = count <= chosen.len();
    Ok((0..count).map(|index| if pinned { chosen.get(index).copied() } else { None }).collect())
}

/// The log thread and each shard's end of its ring.
fn access_log(
    settings: &Settings,
    shards: usize,
    metrics: &Arc<ShardMetrics>,
) -> Result<(Option<LogThread>, Vec<Option<RecordWriter>>), Trouble> {
    let sink = match &settings.access_log.destination {
        Destination::Off => return Ok((None, (0..shards).map(|_| None).collect())),
        Destination::Stdout => Sink::Stdout,
        Destination::File(path) => Sink::File(path.clone()),
    };
    let doorbell = Arc::new(Doorbell::default());
    let rings = (0..shards).map(|_| records::ring::ring(Arc::clone(&doorbell)));
    let (writers, readers): (Vec<RecordWriter>, Vec<RecordReader>) = rings.unzip();
    let name = match &sink {
        Sink::Stdout => "standard output".to_owned(),
        Sink::File(path) => path.display().to_string(),
    };
    let log = LogThread::start(sink, readers, doorbell, Arc::clone(metrics))
        .map_err(|error| Trouble::new(format!("the access log can't be written to {name}: {error}")))?;
    Ok((Some(log), writers.into_iter().map(Some).collect()))
}

/// A socket that has no shards, to be held.
fn held_alone(
    role: Role,
    group: usize,
    wanted: SocketAddr,
    listener: &TcpListener,
) -> std::io::Result<Socket> {
    let socket = listener.try_clone()?.into();
    let (role, address) = (Some(role), Address::Tcp(wanted));
    Ok(Socket { role, group, address, shared: true, owns_file: false, socket })
}

/// The way to a shard for tests of methods; its inner side is among the places of listeners.
fn door(places: &mut Places) -> Result<Door, Trouble> {
    let opened = Door::open();
    let (door, inside) =
        opened.map_err(|error| Trouble::new(format!("no socket for test invocations: {error}")))?;
    places.open_inside(inside);
    Ok(door)
}

/// TLS as the workers speak it.
fn acceptor(terms: &Terms) -> TlsAcceptor {
    TlsAcceptor::from(terms.http1())
}

/// The control listener, served by the workers, and its socket for a process that takes over.
fn control(
    settings: &Settings,
    (metrics, ready, calls): (&[Arc<ShardMetrics>], &Arc<AtomicBool>, workers::Calls),
    terms: Option<Terms>,
    workers: &Workers,
    inherited: &mut Inherited,
) -> Result<(ControlListener, Vec<Socket>), Trouble> {
    let trouble = |error| {
        Trouble::new(format!("the control listener can't listen on {}: {error}", settings.control))
            .with_help("`--control ADDR` chooses another address; port 0 takes a free one")
    };
    let listener = match inherited.take_one(Role::Control, settings.control) {
        Some(socket) => TcpListener::from(socket),
        None => TcpListener::bind(settings.control).map_err(trouble)?,
    };
    let held = vec![held_alone(Role::Control, 0, settings.control, &listener).map_err(trouble)?];
    let address = listener.local_addr().map_err(trouble)?;
    let tls = terms.as_ref().map(acceptor).map(watch::Sender::new);
    let (metrics, ready) = (metrics.to_vec(), Arc::clone(ready));
    let shards = metrics[..metrics.len() - 1].to_vec();
    // Whoever asks should send its clients elsewhere only if no shard takes a request.
    let refuses = move || shards.iter().all(|shard| shard.overload_step.value() >= shard::REFUSES_REQUESTS);
    let operations = Operations {
        ready: Arc::new(move || ready.load(Ordering::Acquire) && !refuses()),
        metrics: Arc::new(move || records::prometheus::render(&metrics)),
        calls,
        tls: tls.as_ref().map(watch::Sender::subscribe),
    };
    let accepting = operations.serve(listener, workers.handle()).map_err(trouble)?;
    Ok((ControlListener { address, tls, accepting }, held))
}

/// What each shard may hold before it sheds load. Of memory, half is for what isn't counted: the kernel's own buffers,
/// what is kept for reuse, the program itself.
fn overload(settings: &Settings, shards: usize) -> shard::Bounds {
    let share = |total: Option<u64>| total.map_or(u64::MAX, |total| total.div_ceil(shards.max(1) as u64));
    let bytes = settings.overload.memory_bytes.or_else(|| memory::limit().map(|bytes| bytes / 2));
    shard::Bounds { in_flight: share(settings.overload.in_flight), bytes: share(bytes) }
}

fn started(index: usize, shard: std::io::Result<Handle>) -> Result<Handle, Trouble> {
    shard.map_err(|error| Trouble::new(format!("shard {index} can't start: {error}")))
}

fn mailboxes(shards: usize) -> Result<Mailboxes, Trouble> {
    let pairs: Result<Vec<(Mailbox, Near)>, _> = (0..shards).map(|_| shard::mailbox()).collect();
    Ok(pairs.map_err(|error| Trouble::new(format!("no mailbox for a shard: {error}")))?.into_iter().unzip())
}

/// Names are resolved by the workers; every shard gets every answer, and at once what is known already.
fn resolver(
    settings: &Settings,
    workers: &Workers,
    mailboxes: Vec<Mailbox>,
    metrics: Arc<ShardMetrics>,
) -> Resolver {
    let deliver = move |asker: Option<usize>, name: &str, resolved: &workers::resolver::Resolved| {
        let askers = match asker {
            Some(index) => &mailboxes[index..=index],
            None => &mailboxes[..],
        };
        // Each is told, also behind one whose mailbox is full.
        let full = askers.iter().filter(|shard| shard.resolved(name.to_owned(), resolved.clone()).is_err());
        full.count() == 0
    };
    let wishes = Wishes {
        servers: settings.resolver.servers.clone(),
        bounds: Bounds { ttl_min: settings.resolver.ttl_min, ttl_max: settings.resolver.ttl_max },
        deliver: Arc::new(deliver),
        failed: Arc::new(move || metrics.resolver_failures.add(1)),
    };
    Resolver::new(workers.handle().clone(), wishes)
}

/// How a shard asks.
fn resolve(resolver: &Resolver, shard: usize) -> Resolve {
    let resolver = resolver.clone();
    Arc::new(move |host, port| resolver.ask(shard, host, port))
}

/// Names of backends that a plan calls, as shards ask for them.
fn names(plan: &NodePlan) -> HashSet<String> {
    let names = plan.targets.iter().filter_map(|target| match target {
        Target::Http { host, port, .. } | Target::Https { host, port, .. } => Some(format!("{host}:{port}")),
        Target::Unix { .. } => None,
    });
    names.collect()
}

fn timeouts(settings: &Settings) -> Timeouts {
    let wanted = &settings.timeouts;
    Timeouts {
        header: wanted.header,
        body: wanted.body,
        idle_client: wanted.idle_client,
        idle_upstream: wanted.idle_upstream,
        connect: wanted.connect,
        send: wanted.send,
        ..Timeouts::default()
    }
}
