//! Names of backends to addresses, through the system's resolver; refreshed, and an outage keeps the last good answer.

#![expect(clippy::disallowed_types, reason = "workers only; held for one insertion")]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

/// A name is looked up again after this long. The system's resolver tells no TTL.
const REFRESH: Duration = Duration::from_secs(30);
/// A name that failed is tried again after this long.
const RETRY: Duration = Duration::from_secs(2);
/// One look-up may take this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a look-up gave.
pub type Resolved = Result<Vec<SocketAddr>, String>;

/// Gets `host:port` and each new answer.
pub type Deliver = Arc<dyn Fn(&str, Resolved) + Send + Sync>;

/// Looks names up and keeps them fresh.
#[derive(Clone)]
pub struct Resolver {
    handle: Handle,
    known: Arc<Mutex<HashSet<String>>>,
    deliver: Deliver,
}

impl Resolver {
    /// A resolver on a worker pool; `deliver` gets `host:port` and each new answer, on the worker's thread.
    #[must_use]
    pub fn new(handle: Handle, deliver: Deliver) -> Self {
        Resolver { handle, known: Arc::default(), deliver }
    }

    /// Asks for a name. The first call begins to keep it fresh; every call is answered.
    pub fn ask(&self, host: &str, port: u16) {
        let name = format!("{host}:{port}");
        let first = self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        let deliver = Arc::clone(&self.deliver);
        self.handle.spawn(async move {
            let mut last = None;
            loop {
                let resolved = look_up(&name).await;
                let good = resolved.is_ok();
                if last.as_ref() != Some(&resolved) {
                    deliver(&name, resolved.clone());
                    last = Some(resolved);
                }
                if !first {
                    return;
                }
                tokio::time::sleep(if good { REFRESH } else { RETRY }).await;
            }
        });
    }
}

async fn look_up(name: &str) -> Resolved {
    match tokio::time::timeout(PATIENCE, tokio::net::lookup_host(name)).await {
        Ok(Ok(addresses)) => {
            let mut addresses: Vec<SocketAddr> = addresses.collect();
            addresses.dedup();
            if addresses.is_empty() { Err("no address".to_owned()) } else { Ok(addresses) }
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the resolver didn't answer in time".to_owned()),
    }
}
