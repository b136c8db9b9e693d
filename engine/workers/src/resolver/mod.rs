//! Names of backends to addresses: kept fresh by their TTL while a plan uses them; an outage keeps the last good answer.
//!
//! Feature: Backends by name

#![expect(clippy::disallowed_types, reason = "workers only; held for one look or insertion")]

mod knowledge;
mod questions;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use vocabulary::limits::{BACKEND_NAMES, RESOLVER_RETRY_MS_MIN};

pub use knowledge::Bounds;
use knowledge::{Knowledge, Outcome};
use questions::{Look, Questions};

/// Between two looks whether `/etc/hosts` or `/etc/resolv.conf` are others.
const LOOK: Duration = Duration::from_secs(5);
/// An answer that somebody couldn't take is delivered again after this long.
const REDELIVERY: Duration = Duration::from_millis(100);

/// What a look-up gave: addresses, none if the name is gone, or why nothing can be said.
pub type Resolved = Result<Vec<SocketAddr>, String>;

/// Gets `host:port` and each new answer, for one asker or (without one) for all. False if it couldn't be taken: it
/// comes again.
pub type Deliver = Arc<dyn Fn(Option<usize>, &str, &Resolved) -> bool + Send + Sync>;

/// Whom to ask, how long answers hold, and what happens with them.
#[derive(Clone)]
pub struct Wishes {
    /// Name servers; none for those of `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// Bounds on what TTLs say.
    pub bounds: Bounds,
    /// Gets the answers, on the worker's thread or on an asker's.
    pub deliver: Deliver,
    /// Is told of every look-up that gave nothing of use, on the worker's thread.
    pub failed: Arc<dyn Fn() + Send + Sync>,
}

/// A name that is kept fresh.
struct Entry {
    /// The last answer; none before the first.
    last: Option<Resolved>,
    /// Somebody asked while there was none, or a bad one: the next is delivered even if it is the same.
    awaited: bool,
    looked_at: Option<Instant>,
    /// Makes the next look-up come now.
    wake: Arc<Notify>,
    task: Option<AbortHandle>,
}

struct Shared {
    wishes: Wishes,
    start: Instant,
    names: Mutex<HashMap<String, Entry>>,
    /// Made with the first name: who has none pays for none of it.
    questions: OnceLock<watch::Receiver<Arc<Questions>>>,
}

/// Looks names up and keeps them fresh.
#[derive(Clone)]
pub struct Resolver {
    handle: Handle,
    shared: Arc<Shared>,
}

impl Resolver {
    /// A resolver on a worker pool.
    #[must_use]
    pub fn new(handle: Handle, wishes: Wishes) -> Self {
        let (names, questions) = (Mutex::default(), OnceLock::new());
        let shared = Shared { wishes, start: Instant::now(), names, questions };
        Resolver { handle, shared: Arc::new(shared) }
    }

    /// Asks for a name, which is kept fresh from then on. Every question is answered: at once, or when a look-up ends.
    pub fn ask(&self, asker: usize, host: &str, port: u16) {
        let name = format!("{host}:{port}");
        let Some(answer) = self.note(&name, host, port) else { return };
        if !(self.shared.wishes.deliver)(Some(asker), &name, &answer)
            && let Some(entry) = self.shared.names().get_mut(&name)
        {
            entry.awaited = true;
            entry.wake.notify_one();
        }
    }

    /// The answer that can be given now; otherwise it will come by itself.
    fn note(&self, name: &str, host: &str, port: u16) -> Option<Resolved> {
        let mut names = self.shared.names();
        if let Some(entry) = names.get_mut(name) {
            let retry = Duration::from_millis(RESOLVER_RETRY_MS_MIN);
            let recent = entry.looked_at.is_some_and(|looked_at| looked_at.elapsed() < retry);
            match &entry.last {
                Some(last) if recent || last.as_ref().is_ok_and(|addresses| !addresses.is_empty()) => {
                    return Some(last.clone());
                }
                Some(_) => entry.wake.notify_one(),
                None => {}
            }
            entry.awaited = true;
            return None;
        }
        if names.len() >= BACKEND_NAMES {
            return Some(Err(format!("more than {BACKEND_NAMES} names of backends")));
        }
        let wake = Arc::new(Notify::new());
        let entry = Entry { last: None, awaited: true, looked_at: None, wake: Arc::clone(&wake), task: None };
        names.insert(name.to_owned(), entry);
        let keeper = Keeper {
            shared: Arc::clone(&self.shared),
            name: name.to_owned(),
            host: host.to_owned(),
            port,
            wake,
            knowledge: Knowledge::default(),
        };
        let task = self.handle.spawn(keeper.keep());
        if let Some(entry) = names.get_mut(name) {
            entry.task = Some(task.abort_handle());
        }
        None
    }

    /// Keeps these names (`host:port`) only: no plan uses others any more.
    pub fn retain(&self, used: &HashSet<String>) {
        let mut unanswered = Vec::new();
        self.shared.names().retain(|name, entry| {
            let stays = used.contains(name);
            if !stays {
                entry.task.iter().for_each(AbortHandle::abort);
                if entry.awaited {
                    unanswered.push(name.clone());
                }
            }
            stays
        });
        for name in unanswered {
            // Who can't take it has a request that ends by its own time.
            (self.shared.wishes.deliver)(None, &name, &Err("no plan uses the name any more".to_owned()));
        }
    }
}

impl Shared {
    fn names(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to ask. To be called on the worker's thread: files are read.
    fn questions(&self) -> watch::Receiver<Arc<Questions>> {
        let made = self.questions.get_or_init(|| {
            let look = Look::now();
            let servers = self.wishes.servers.clone();
            let (sender, questions) = watch::channel(Arc::new(Questions::read(&servers)));
            tokio::spawn(watch_files(sender, look, servers));
            questions
        });
        made.clone()
    }
}

/// Reads the files anew when they change.
async fn watch_files(sender: watch::Sender<Arc<Questions>>, mut last: Look, servers: Vec<SocketAddr>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let look = Look::now();
        if look == last {
            continue;
        }
        last = look;
        if sender.send(Arc::new(Questions::read(&servers))).is_err() {
            return;
        }
    }
}

/// The task of one name.
struct Keeper {
    shared: Arc<Shared>,
    name: String,
    host: String,
    port: u16,
    wake: Arc<Notify>,
    knowledge: Knowledge,
}

impl Keeper {
    /// Looks the name up for ever; [`Resolver::retain`] ends it.
    async fn keep(mut self) {
        let mut questions = self.shared.questions();
        loop {
            let asked = Arc::clone(&questions.borrow_and_update());
            let (v4, v6) = asked.look_up(&self.host, !self.knowledge.is_known()).await;
            let failed = !matches!(v4, Outcome::Found(..))
                && !matches!(v6, Outcome::Found(..))
                && (matches!(v4, Outcome::Failed(_)) || matches!(v6, Outcome::Failed(_)));
            if failed {
                (self.shared.wishes.failed)();
            }
            let again = self.knowledge.learn(v4, v6, self.shared.start.elapsed(), &self.shared.wishes.bounds);
            let next = Instant::now() + again;
            while !self.tell() {
                tokio::time::sleep(REDELIVERY).await;
            }
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.wake.notified() => {}
                _ = questions.changed() => {}
            }
        }
    }

    /// Delivers what is known if it is news or awaited; false if it has to be tried again.
    fn tell(&self) -> bool {
        let is_v6_first = questions::has_route(self.knowledge.v6());
        let resolved = match self.knowledge.addresses(is_v6_first) {
            Ok(addresses) => Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, self.port)).collect()),
            Err(reason) if self.knowledge.failed() => Err(reason),
            Err(_) => Ok(Vec::new()),
        };
        let is_news = {
            let mut names = self.shared.names();
            let Some(entry) = names.get_mut(&self.name) else { return true };
            entry.looked_at = Some(Instant::now());
            let is_news = entry.last.as_ref() != Some(&resolved);
            entry.last = Some(resolved.clone());
            std::mem::take(&mut entry.awaited) || is_news
        };
        if !is_news || (self.shared.wishes.deliver)(None, &self.name, &resolved) {
            return true;
        }
        if let Some(entry) = self.shared.names().get_mut(&self.name) {
            entry.awaited = true;
        }
        false
    }
}
