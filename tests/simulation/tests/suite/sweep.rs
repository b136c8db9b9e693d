//! The sweep: `TURNPIKE_SIM_SEEDS=100000` runs more seeds, `TURNPIKE_SIM_SEED=7` tells one again.

use std::time::Instant;

use turnpike_simulation::{replay, run};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 4000;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "says how long the sweep took")]
fn no_seed_breaks_a_rule() {
    if let Some(seed) = setting("TURNPIKE_SIM_SEED") {
        let report = replay(seed);
        assert!(report.violations.is_empty(), "{}", report.complaint());
        return;
    }
    let started = Instant::now();
    let first = setting("TURNPIKE_SIM_FIRST").unwrap_or(0);
    let seeds = setting("TURNPIKE_SIM_SEEDS").unwrap_or(SEEDS);
    let (mut requests, mut answers, mut relayed, mut cuts) = (0, 0, 0, 0);
    let (mut shed, mut upgrades) = (0, 0);
    let mut broken = Vec::new();
    for seed in first..first + seeds {
        let report = run(seed);
        requests += report.requests;
        answers += report.answers;
        relayed += report.relayed;
        cuts += report.cuts;
        shed += report.shed;
        upgrades += report.upgrades;
        if let Some(rule) = report.violations.first() {
            println!("seed {seed}: {rule}");
            broken.push(seed);
        }
    }
    println!(
        "{seeds} seeds in {:.1} s: {requests} requests, {answers} answers ({relayed} of backends), {cuts} cuts, {shed} shed, \
         {upgrades} upgrades",
        started.elapsed().as_secs_f64()
    );
    if let Some(&seed) = broken.first() {
        panic!("seeds {broken:?}\n{}", replay(seed).complaint());
    }
    assert!(upgrades > 0 || seeds < 100, "no shard took over from another");
    assert!(shed > 0 || seeds < 100, "no shard was full");
    // A sweep that hardly gets answers proves nothing.
    assert!(answers * 2 > requests && relayed * 4 > requests, "few of the requests were answered");
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed));
    }
}
