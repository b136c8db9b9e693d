//! The `Date` field, written once a second (RFC 9110 §5.6.7, IMF-fixdate).

use context::calendar;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
/// A `Date:` line that is made anew when the second changes.
pub(crate) struct DateLine {
    second: u64,
    line: Vec<u8>,
}

impl DateLine {
    /// An empty line; [`at`](Self::at) fills it.
    pub(crate) fn new() -> Self {
        DateLine { second: u64::MAX, line: Vec::with_capacity(40) }
    }

    /// `Date: Tue, 24 Nov 2026 10:00:00 GMT\r\n` for the given wall clock.
    pub(crate) fn at(&mut self, unix_ms: u64) -> &[u8] {
        let second = unix_ms / 1000;
        if second != self.second {
            self.second = second;
            self.line.clear();
            write_date(&mut self.line, second);
        }
        &self.line
    }
}

fn write_date(out: &mut Vec<u8>, unix_s: u64) {
    let days = unix_s / 86_400;
    let (year, month, day) = calendar::civil(days);
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(DAYS[(days % 7) as usize].as_bytes());
    out.extend_from_slice(b", ");
    out.extend_from_slice(&calendar::two_digits(day));
    out.push(b' ');
    out.extend_from_slice(calendar::MONTHS[(month - 1) as usize].as_bytes());
    out.push(b' ');
    out.extend_from_slice(&calendar::two_digits(year / 100));
    out.extend_from_slice(&calendar::two_digits(year % 100));
    out.push(b' ');
    out.extend_from_slice(&calendar::time_of_day(unix_s));
    out.extend_from_slice(b" GMT\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_match_the_calendar() {
        let mut line = DateLine::new();
        for (unix_s, expected) in [
            (0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
            (784_111_777, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
            (951_782_400, "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n"),
            (1_795_514_399, "Date: Tue, 24 Nov 2026 09:59:59 GMT\r\n"),
        ] {
            assert_eq!(line.at(unix_s * 1000), expected.as_bytes());
        }
    }
}
