//! Proof that the sweep can fail: each planted defect is found within a quarter of an ordinary run's seeds.

use turnpike_simulation::{Planted, plant, run};

const SEEDS: u64 = 1000;

/// The first seed that notices the defect, and the rule it breaks.
fn found(defect: Planted) -> Option<(u64, String)> {
    plant(Some(defect));
    let found = (0..SEEDS).find_map(|seed| run(seed).violations.first().map(|rule| (seed, rule.clone())));
    plant(None);
    found
}

fn is_found(defect: Planted) {
    let found = found(defect);
    println!("{defect:?}: {found:?}");
    let (seed, _) = found.unwrap_or_else(|| panic!("{defect:?} goes unnoticed in {SEEDS} seeds"));
    assert!(run(seed).violations.is_empty(), "seed {seed} complains without the defect, too");
}

#[test]
fn a_lost_wake_up_is_found() {
    is_found(Planted::LostWakeUp);
}

#[test]
fn a_double_pool_return_is_found() {
    is_found(Planted::DoublePoolReturn);
}

#[test]
fn a_missing_timeout_is_found() {
    is_found(Planted::MissingTimeout);
}

#[test]
fn credit_that_is_kept_is_found() {
    is_found(Planted::CreditKept);
}

#[test]
fn a_stream_kept_after_its_reset_is_found() {
    is_found(Planted::StreamKept);
}

#[test]
fn data_beyond_a_window_is_found() {
    is_found(Planted::WindowOverrun);
}

#[test]
fn a_lost_end_of_a_stream_is_found() {
    is_found(Planted::EndLost);
}

#[test]
fn answers_on_each_others_streams_are_found() {
    is_found(Planted::AnswersSwapped);
}

#[test]
fn credit_of_a_backend_that_is_kept_is_found() {
    is_found(Planted::BackendCreditKept);
}

#[test]
fn a_call_made_twice_is_found() {
    is_found(Planted::CallRepeated);
}

#[test]
fn a_body_forgotten_before_a_window_is_found() {
    is_found(Planted::OutboxForgotten);
}

#[test]
fn a_goodbye_of_a_backend_overheard_is_found() {
    is_found(Planted::GoodbyeOverheard);
}

#[test]
fn a_listener_not_looked_at_again_is_found() {
    is_found(Planted::NoSecondLook);
}

#[test]
fn a_late_comer_dropped_is_found() {
    is_found(Planted::LateComersDropped);
}

#[test]
fn leaving_without_a_goodbye_is_found() {
    is_found(Planted::NoGoodbye);
}
