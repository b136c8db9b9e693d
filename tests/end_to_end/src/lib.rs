//! The tests are in `tests/suite`: one binary, one module per subject.

#![forbid(unsafe_code)]
