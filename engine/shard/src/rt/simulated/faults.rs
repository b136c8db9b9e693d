//! How rough a simulated network is.

use super::dice::Dice;

/// Bounds and chances of one run; what its peers do comes on top.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// One way between shard and peer, in nanoseconds, at most.
    pub latency_ns_max: u64,
    /// Percent of arrivals that the shard sees in pieces.
    pub split_percent: u64,
    /// Percent of sends of which the kernel takes only a part at first.
    pub short_send_percent: u64,
    /// Percent of ready sockets that are reported a turn later.
    pub late_percent: u64,
    /// Percent of pauses after which one more arrival is reported.
    pub stray_percent: u64,
    /// Percent of resets that destroy what had arrived before them.
    pub purge_percent: u64,
    /// Bytes that a connection holds between shard and peer, at most.
    pub room_bytes_max: usize,
    /// Receive buffers.
    pub buffers_max: usize,
}

impl Faults {
    /// A network that only delays.
    #[must_use]
    pub fn calm() -> Self {
        Faults {
            latency_ns_max: 200_000,
            split_percent: 0,
            short_send_percent: 0,
            late_percent: 0,
            stray_percent: 0,
            purge_percent: 50,
            room_bytes_max: 256 * 1024,
            buffers_max: 256,
        }
    }

    /// A network as rough as chance wants it.
    pub fn drawn(dice: &mut Dice) -> Self {
        Faults {
            latency_ns_max: *dice.pick(&[20_000, 500_000, 20_000_000]),
            split_percent: *dice.pick(&[0, 10, 40, 90]),
            short_send_percent: *dice.pick(&[0, 10, 60]),
            late_percent: *dice.pick(&[0, 10, 50]),
            stray_percent: *dice.pick(&[0, 50, 100]),
            purge_percent: 50,
            room_bytes_max: *dice.pick(&[4_000, 9_000, 70_000, 300_000]),
            buffers_max: *dice.pick(&[4, 8, 32, 256]),
        }
    }
}
