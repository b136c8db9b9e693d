//! The simulation suite: a sweep of seeds, and proof that it tells the same story twice.

mod planted;
mod sweep;
