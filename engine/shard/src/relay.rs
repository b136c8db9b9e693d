//! Body bytes on their way through, in either direction: as they are or decoded, in chunks of ours or plain.

use std::ops::Range;

use crate::egress::Egress;
use crate::input::{COPY_MAX, Input};
use crate::rt::{Chunk, Runtime};

/// A run of body bytes.
pub(crate) struct Run<'a> {
    /// Where it lies,
    pub(crate) input: &'a Input,
    /// counted from the first unread byte.
    pub(crate) data: Range<usize>,
    /// What to send in its place, if a content coding was undone.
    pub(crate) inflated: Option<Vec<u8>>,
    /// Whether it becomes a chunk (RFC 9112 section 7.1).
    pub(crate) chunked: bool,
}

/// Frames a run: a small one joins `out`, a large one follows it in the queue without a copy.
pub(crate) fn relay_run<R: Runtime>(mut egress: Egress<'_, R>, out: &mut Vec<u8>, run: Run<'_>) {
    let len = run.inflated.as_ref().map_or(run.data.len(), Vec::len);
    // An empty chunk would end the body.
    let chunked = run.chunked && len > 0;
    if chunked {
        codec::h1::encode::chunk_prefix(out, len);
    }
    if len > COPY_MAX {
        let full = std::mem::replace(out, egress.rt.take_buffer());
        egress.send(Chunk::Owned(full));
        let piece = match run.inflated {
            Some(plain) => Chunk::Owned(plain),
            None => run.input.piece(egress.rt, run.data),
        };
        egress.send(piece);
    } else if let Some(plain) = run.inflated {
        out.extend_from_slice(&plain);
        egress.rt.give_buffer(plain);
    } else {
        out.extend_from_slice(&run.input.rest(egress.rt)[run.data]);
    }
    if chunked {
        out.extend_from_slice(b"\r\n");
    }
}
