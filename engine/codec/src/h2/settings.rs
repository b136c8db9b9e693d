//! SETTINGS (RFC 9113 §6.5): what the peer asks for, and what we tell it.

use super::error::{ErrorCode, Fault};
use super::flow::WINDOW_MAX;
use super::frame::{self, Kind};
use super::limits::Limits;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;
const ENABLE_CONNECT_PROTOCOL: u16 = 8;
const NO_RFC7540_PRIORITIES: u16 = 9;

/// Before the first SETTINGS (§6.5.2, §6.9.2).
pub(super) const WINDOW_AT_FIRST: u32 = 65_535;
pub(super) const FRAME_BYTES_MIN: u32 = 16_384;
pub(super) const FRAME_BYTES_MAX: u32 = 16_777_215;

/// The peer's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) table_bytes: u32,
    pub(super) streams_max: u32,
    pub(super) window: u32,
    pub(super) frame_bytes_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            table_bytes: 4_096,
            streams_max: u32::MAX,
            window: WINDOW_AT_FIRST,
            frame_bytes_max: FRAME_BYTES_MIN,
        }
    }
}

impl Settings {
    /// Takes a payload, value by value (§6.5.3). `of_server` says whose settings they are.
    pub(super) fn apply(&mut self, payload: &[u8], of_server: bool) -> Result<(), Fault> {
        let (entries, _) = payload.as_chunks::<6>();
        for [id_0, id_1, value @ ..] in entries {
            let value = u32::from_be_bytes(*value);
            let protocol = |reason| Err(Fault::connection(ErrorCode::PROTOCOL_ERROR, reason));
            match u16::from_be_bytes([*id_0, *id_1]) {
                HEADER_TABLE_SIZE => self.table_bytes = value,
                ENABLE_PUSH if value > 1 => return protocol("SETTINGS_ENABLE_PUSH that is neither 0 nor 1"),
                ENABLE_PUSH if of_server && value == 1 => {
                    return protocol("SETTINGS_ENABLE_PUSH by a server");
                }
                MAX_CONCURRENT_STREAMS => self.streams_max = value,
                INITIAL_WINDOW_SIZE if value > WINDOW_MAX => {
                    let code = ErrorCode::FLOW_CONTROL_ERROR;
                    return Err(Fault::connection(code, "SETTINGS_INITIAL_WINDOW_SIZE over 2^31-1"));
                }
                INITIAL_WINDOW_SIZE => self.window = value,
                MAX_FRAME_SIZE if !(FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&value) => {
                    return protocol("SETTINGS_MAX_FRAME_SIZE out of its range");
                }
                MAX_FRAME_SIZE => self.frame_bytes_max = value,
                // RFC 8441 §3, RFC 9218 §2.1.
                ENABLE_CONNECT_PROTOCOL | NO_RFC7540_PRIORITIES if value > 1 => {
                    return protocol("a setting that is neither 0 nor 1");
                }
                // MAX_HEADER_LIST_SIZE is a wish (§6.5.2); unknown ones are none of ours.
                _ => {}
            }
        }
        Ok(())
    }
}

/// Appends our SETTINGS: what differs from the RFC's defaults.
pub(super) fn write(limits: &Limits, is_server: bool, out: &mut Vec<u8>) {
    let defaults = Settings::default();
    let mut payload = [0_u8; 36];
    let mut len = 0;
    let mut add = |id: u16, value: u32, default: u32| {
        if value != default {
            payload[len..len + 2].copy_from_slice(&id.to_be_bytes());
            payload[len + 2..len + 6].copy_from_slice(&value.to_be_bytes());
            len += 6;
        }
    };
    add(HEADER_TABLE_SIZE, limits.decode_table_bytes as u32, defaults.table_bytes);
    // A server can't be pushed to.
    add(ENABLE_PUSH, 0, u32::from(!is_server));
    // Nor does it open streams.
    add(MAX_CONCURRENT_STREAMS, if is_server { limits.streams } else { u32::MAX }, u32::MAX);
    add(INITIAL_WINDOW_SIZE, limits.stream_window_bytes, WINDOW_AT_FIRST);
    add(MAX_FRAME_SIZE, limits.frame_bytes, FRAME_BYTES_MIN);
    add(MAX_HEADER_LIST_SIZE, limits.header_list_bytes as u32, u32::MAX);
    frame::write_header(out, len, Kind::Settings, 0, 0);
    out.extend_from_slice(&payload[..len]);
}
