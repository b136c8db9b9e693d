//! HPACK (RFC 7541): field blocks to fields and back.
//!
//! In: whole field blocks, or fields. Out: fields, one by one to a [`Sink`], or bytes appended to a caller's buffer.
//! Never: an allocation per field, or a table that the two ends could see differently after an oversized block.

mod decoder;
mod dynamic_table;
mod encoder;
mod huffman;
mod integer;
mod static_table;

pub use decoder::{Decoder, Field, HpackError, Sink};
pub use encoder::Encoder;
pub(super) use static_table::name_of;

#[cfg(test)]
mod tests;
