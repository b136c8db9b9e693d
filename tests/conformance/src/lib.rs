//! The suite is in `tests/suite`, its cases in the folders beside it; this crate has no code of its own.

#![forbid(unsafe_code)]
