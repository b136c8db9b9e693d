//! What the control plane acknowledged survives a kill: eight writers, acknowledgements kept outside the process, a kill at
//! a random moment, a restart, a comparison. `TURNPIKE_CRASH_ROUNDS=200` for more rounds, `TURNPIKE_CRASH_SEED` to repeat.

use crate::controlling::Management;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::{Node, Scratch};

const WRITERS: usize = 8;

/// Numbers that a seed gives again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What one writer was told.
#[derive(Default)]
struct Told {
    /// Keys that were made, and not deleted.
    keys: HashSet<String>,
    /// Keys that were deleted.
    deleted: HashSet<String>,
    /// A key whose deletion was asked for and not acknowledged.
    in_doubt: Option<String>,
    /// The writer's API and what its stage was last told to serve.
    api: Option<(String, String)>,
    /// Deployments that were acknowledged.
    deployments: HashSet<String>,
}

impl Told {
    /// Writes until the node is gone; every acknowledgement is noted.
    fn write(&mut self, node: SocketAddr, mut dice: Dice, calls_made: &AtomicUsize) {
        let mut calls = Management::at(node);
        if self.api.is_none() {
            let Some((api, root)) = calls.try_api() else { return };
            let method = format!("/restapis/{api}/resources/{root}/methods/GET");
            let made = calls.attempt("PUT", &method, json!({"authorizationType": "NONE"})).is_some()
                && calls.attempt("PUT", &format!("{method}/integration"), json!({"type": "MOCK"})).is_some();
            if !made {
                return;
            }
            self.api = Some((api, String::new()));
        }
        loop {
            // Within the quotas, and within one page.
            let done = match dice.roll(4) {
                0 if self.deployments.len() < 400 => self.deploy(&mut calls),
                0 | 1 => self.delete(&mut calls),
                _ if self.keys.len() >= 500 => self.delete(&mut calls),
                _ => self.create(&mut calls),
            };
            if !done {
                return;
            }
            calls_made.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn create(&mut self, calls: &mut Management) -> bool {
        let Some(key) = calls.attempt("POST", "/apikeys", json!({"name": "k"})) else { return false };
        self.keys.insert(key["id"].as_str().expect("id").to_owned());
        true
    }

    fn delete(&mut self, calls: &mut Management) -> bool {
        let Some(id) = self.keys.iter().next().cloned() else { return true };
        self.keys.remove(&id);
        self.in_doubt = Some(id.clone());
        if calls.attempt("DELETE", &format!("/apikeys/{id}"), Value::Null).is_none() {
            return false;
        }
        self.in_doubt = None;
        self.deleted.insert(id);
        true
    }

    fn deploy(&mut self, calls: &mut Management) -> bool {
        let Some((api, serves)) = &mut self.api else { return true };
        // A deployment is in doubt from here on: the stage may serve the one before or the one that was asked for.
        let before = std::mem::take(serves);
        let target = format!("/restapis/{api}/deployments");
        match calls.attempt("POST", &target, json!({"stageName": "prod"})) {
            Some(made) => {
                *serves = made["id"].as_str().expect("id").to_owned();
                self.deployments.insert(serves.clone());
                true
            }
            None => {
                drop(before);
                false
            }
        }
    }

    /// Compares what the node has with what the writer was told.
    fn compare(&self, calls: &mut Management, seed: u64) {
        for id in &self.keys {
            assert_eq!(
                calls.call("GET", &format!("/apikeys/{id}"), Value::Null).0,
                200,
                "{id} is lost; seed {seed}"
            );
        }
        for id in &self.deleted {
            assert_eq!(
                calls.call("GET", &format!("/apikeys/{id}"), Value::Null).0,
                404,
                "{id} is back; seed {seed}"
            );
        }
        let Some((api, serves)) = &self.api else { return };
        let list = calls.ok("GET", &format!("/restapis/{api}/deployments?limit=500"), Value::Null);
        let items = list["item"].as_array().expect("list").iter();
        let known: HashSet<String> = items.map(|one| one["id"].as_str().expect("id").to_owned()).collect();
        let lost: Vec<&String> = self.deployments.difference(&known).collect();
        assert!(lost.is_empty(), "{lost:?} are lost; seed {seed}");
        let (status, stage) = calls.call("GET", &format!("/restapis/{api}/stages/prod"), Value::Null);
        if status == 200 {
            // A call is there whole or not at all.
            let deployment = stage["deploymentId"].as_str().expect("deployment");
            let whole = known.contains(deployment);
            assert!(whole, "the stage serves {deployment}, which isn't there; seed {seed}");
            assert!(serves.is_empty() || serves == deployment, "the stage is behind; seed {seed}");
        }
    }
}

#[test]
fn acknowledged_writes_survive_kills() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("TURNPIKE_CRASH_ROUNDS").unwrap_or(12);
    let seed = number("TURNPIKE_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}, {rounds} rounds");
    let data = Scratch::new();
    let folder = data.path().display().to_string();
    let start = || Node::builder().flags(&["--data-dir", &folder, "--shards", "1"]).start();
    let mut dice = Dice(seed);
    let mut writers: Vec<Told> = (0..WRITERS).map(|_| Told::default()).collect();
    let calls_made = AtomicUsize::new(0);
    for _ in 0..rounds {
        let node = start();
        let moment = Duration::from_millis(20 + dice.roll(150));
        std::thread::scope(|scope| {
            for told in &mut writers {
                let dice = Dice(dice.roll(u64::MAX >> 1));
                let (node, calls_made) = (node.control(), &calls_made);
                scope.spawn(move || told.write(node, dice, calls_made));
            }
            std::thread::sleep(moment);
            node.signal(Signal::KILL);
        });
        let mut node = node;
        node.wait();
        let node = start();
        let mut calls = Management::of(&node);
        for told in &mut writers {
            told.compare(&mut calls, seed);
            // What was in doubt is settled now.
            if let Some(id) = told.in_doubt.take()
                && calls.call("GET", &format!("/apikeys/{id}"), Value::Null).0 == 200
            {
                told.keys.insert(id);
            }
        }
    }
    let calls_made = calls_made.into_inner();
    println!("{calls_made} calls were acknowledged");
    assert!(calls_made > rounds as usize, "{calls_made}");
}
