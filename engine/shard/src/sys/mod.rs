//! What the standard library has no word for.

pub(crate) mod allocator;
mod inherited;

pub use inherited::inherited;
