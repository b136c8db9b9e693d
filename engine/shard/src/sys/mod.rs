//! What the standard library has no word for.

mod inherited;

pub use inherited::inherited;
