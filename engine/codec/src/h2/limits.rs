//! Every bound of a connection, in one table.

use vocabulary::limits;

use super::budget::Allowance;
use super::flow::WINDOW_MAX;
use super::settings::{FRAME_BYTES_MAX, FRAME_BYTES_MIN};

/// What a field counts beside its text (§6.5.2), in bytes.
const FIELD_OVERHEAD: usize = 32;

/// Declares the limits: meaning and unit, name, type, default.
macro_rules! limits {
    ($($(#[doc = $meaning:literal])+ $name:ident: $kind:ty = $default:expr;)+) => {
        /// Bounds of one connection. The defaults suit a connection from the open internet.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $meaning])+ pub $name: $kind,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Limits { $($name: $default,)+ }
            }
        }
    };
}

const fn allowance(burst: u32, per_second: u32) -> Allowance {
    Allowance { burst, per_second }
}

limits! {
    /// Streams open at once (§5.1.2). Server: what clients are told; client: the most that it opens, whatever the
    /// backend allows.
    streams: u32 = 128;
    /// Client: streams opened before the backend's SETTINGS has told how many it takes. Some end the connection over
    /// what they have yet to tell; 100 is what nobody should stay below (§6.5.2).
    streams_at_first: u32 = 100;
    /// Streams whose end is remembered, to tell late frames from broken ones (§5.1).
    closed_streams: usize = 256;
    /// A message's fields with 32 each (§6.5.2), in bytes. Decoded beyond it they are dropped and the stream is
    /// reported as [`HeadTooLarge`](super::Event::HeadTooLarge); the gateway's own limits are tighter.
    header_list_bytes: usize = 65_536;
    /// A field block before it is decoded, in bytes. Beyond it the connection ends.
    block_bytes: usize = 131_072;
    /// CONTINUATION frames of one block.
    continuation_frames: u32 = 32;
    /// The largest payload that we take, in bytes: 16,384 to 16,777,215 (§4.2).
    frame_bytes: u32 = 16_384;
    /// Dynamic table of what comes in, in bytes (RFC 7541 §4.2).
    decode_table_bytes: usize = 4_096;
    /// Dynamic table of what goes out, in bytes; less if the peer says so.
    encode_table_bytes: usize = 4_096;
    /// What a stream may receive ahead of `consumed`, in bytes (§6.9.2).
    stream_window_bytes: u32 = 262_144;
    /// What all streams may together; at least 65,535, which it starts from. Streams whose data isn't taken can use it
    /// up and stop the others: a client stops only itself by that.
    connection_window_bytes: u32 = 1_048_576;
    /// Memory that buffers for blocks and heads keep between uses, in bytes.
    kept_bytes: usize = 16_384;
    /// Server: RST_STREAM on streams that are at work, beyond one for each that went to its end: rapid resets.
    peer_resets: Allowance = allowance(256, 64);
    /// Streams that the peer's faults, or its streams beyond the limit, make us reset.
    made_resets: Allowance = allowance(128, 32);
    /// SETTINGS, each of which wants an answer.
    settings: Allowance = allowance(32, 4);
    /// PING, each of which wants an answer.
    pings: Allowance = allowance(256, 64);
    /// DATA without data and without END_STREAM.
    empty_data: Allowance = allowance(128, 32);
    /// WINDOW_UPDATE beyond those that the DATA we sent explains.
    window_updates: Allowance = allowance(1_024, 256);
    /// PRIORITY, frames of unknown types and others without an effect, beyond two for each request.
    ignored_frames: Allowance = allowance(1_024, 256);
    /// Frames on streams that have ended.
    late_frames: Allowance = allowance(1_024, 256);
}

impl Limits {
    /// Values that the protocol has no room for, cut to those that it has (§4.2, §6.9.1).
    pub(super) fn within_protocol(mut self) -> Self {
        self.frame_bytes = self.frame_bytes.clamp(FRAME_BYTES_MIN, FRAME_BYTES_MAX);
        self.stream_window_bytes = self.stream_window_bytes.min(WINDOW_MAX);
        self.connection_window_bytes = self.connection_window_bytes.min(WINDOW_MAX);
        self
    }

    /// Bounds towards a backend. Calls of several clients share the connection, so that its window has room for all
    /// streams at once: a client that doesn't read its answer stops no other.
    #[must_use]
    pub fn backend() -> Self {
        let (streams, stream_window_bytes) = (128, 131_072);
        Limits {
            streams,
            stream_window_bytes,
            connection_window_bytes: streams * stream_window_bytes,
            header_list_bytes: limits::BACKEND_HEADER_TOTAL_BYTES
                + FIELD_OVERHEAD * limits::BACKEND_HEADER_COUNT,
            ..Limits::default()
        }
    }
}
