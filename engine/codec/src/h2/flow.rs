//! Flow control (RFC 9113 §5.2, §6.9).

/// The largest window.
pub(super) const WINDOW_MAX: u32 = 0x7fff_ffff;

/// What we may send.
#[derive(Clone, Copy, Debug)]
pub(super) struct SendWindow(i64);

impl SendWindow {
    pub(super) fn new(bytes: u32) -> Self {
        SendWindow(i64::from(bytes))
    }

    /// Bytes that may go; a window below zero has none.
    #[inline]
    pub(super) fn available(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    #[inline]
    pub(super) fn spend(&mut self, bytes: usize) {
        self.0 -= bytes as i64;
    }

    /// Widens or, by SETTINGS, narrows it. `None`: above the largest. Otherwise whether it opened.
    #[inline]
    pub(super) fn change(&mut self, bytes: i64) -> Option<bool> {
        let before = self.0;
        self.0 += bytes;
        (self.0 <= i64::from(WINDOW_MAX)).then_some(before <= 0 && self.0 > 0)
    }
}

/// What the peer may send. Credit is given back in halves of the window, so that few frames carry it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReceiveWindow {
    /// What the peer knows to be free.
    free: u32,
    /// What is free beside it.
    unsaid: u32,
    size: u32,
}

impl ReceiveWindow {
    /// A window of `size` bytes, of which the peer knows `known`.
    pub(super) fn new(known: u32, size: u32) -> Self {
        ReceiveWindow { free: known, unsaid: size.saturating_sub(known), size: size.max(known) }
    }

    /// Takes bytes that came; false if there was no room for them.
    #[inline]
    pub(super) fn take(&mut self, bytes: u32) -> bool {
        let Some(free) = self.free.checked_sub(bytes) else { return false };
        self.free = free;
        true
    }

    /// Gives bytes back. `Some`: the increment to be told now.
    #[inline]
    pub(super) fn give(&mut self, bytes: u32) -> Option<u32> {
        // More than was taken is a caller's mistake that mustn't widen the window.
        self.unsaid += bytes.min(self.taken());
        (self.unsaid > 0 && self.unsaid >= self.size / 2).then(|| self.tell())
    }

    /// What has come and not been given back.
    pub(super) fn taken(&self) -> u32 {
        self.size - self.free - self.unsaid
    }

    /// What has been given back and not told; it counts as told now.
    pub(super) fn tell(&mut self) -> u32 {
        let increment = std::mem::take(&mut self.unsaid);
        self.free += increment;
        increment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_is_what_was_taken() {
        let mut window = ReceiveWindow::new(100, 100);
        assert_eq!(window.give(100), None, "nothing was taken");
        assert!(window.take(60) && !window.take(41));
        assert_eq!((window.give(49), window.give(1), window.taken()), (None, Some(50), 10));
        assert_eq!((window.give(u32::MAX), window.tell(), window.tell()), (None, 10, 0));
        assert!(window.take(100), "no more and no less than before");
    }
}
