//! Days, and the periods of quotas, in UTC.

use model::QuotaPeriod;
use vocabulary::calendar::{civil, days};

/// The day of a moment, since the Unix epoch.
pub(crate) fn day(seconds: i64) -> i64 {
    seconds.div_euclid(86_400)
}

/// `YYYY-MM-DD` of a day (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub(crate) fn show(day: i64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM-DDThh:mm:ssZ` of a moment in seconds.
pub(crate) fn moment(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", show(day(seconds)))
}

/// The day of a `YYYY-MM-DD`; `None` for what is no date.
pub(crate) fn read(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = *parts.as_slice() else { return None };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let day = days(
        year.parse().ok()?,
        month.parse().ok().filter(|month| (1..=12).contains(month))?,
        day.parse().ok()?,
    );
    // The thirtieth of February is another day.
    (show(day) == text).then_some(day)
}

/// The first day of the period that a day is in; `offset` is the day on which periods begin.
pub(crate) fn period(period: QuotaPeriod, offset: i64, day: i64) -> i64 {
    match period {
        QuotaPeriod::Day => day,
        // 1 January 1970 was a Thursday; 0 is Sunday.
        QuotaPeriod::Week => day - (day + 4 - offset).rem_euclid(7),
        QuotaPeriod::Month => {
            let (year, month, _) = civil(day);
            let this = days(year, month, 1 + offset);
            if this <= day {
                this
            } else if month == 1 {
                days(year - 1, 12, 1 + offset)
            } else {
                days(year, month - 1, 1 + offset)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back() {
        for text in ["1970-01-01", "2000-02-29", "2026-11-25", "2100-03-01"] {
            assert_eq!(read(text).map(show).as_deref(), Some(text));
        }
        for text in ["2026-02-30", "2026-13-01", "2026-1-01", "today", ""] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(show(day(1_700_000_000)), "2023-11-14");
    }

    #[test]
    fn periods_begin_on_their_day() {
        let begins = |kind, offset, text: &str| show(period(kind, offset, read(text).expect("date")));
        assert_eq!(begins(QuotaPeriod::Day, 0, "2026-11-25"), "2026-11-25");
        // A Wednesday: the week began on Sunday, or on Monday.
        assert_eq!(begins(QuotaPeriod::Week, 0, "2026-11-25"), "2026-11-22");
        assert_eq!(begins(QuotaPeriod::Week, 1, "2026-11-25"), "2026-11-23");
        assert_eq!(begins(QuotaPeriod::Week, 4, "2026-11-25"), "2026-11-19");
        assert_eq!(begins(QuotaPeriod::Month, 0, "2026-11-25"), "2026-11-01");
        assert_eq!(begins(QuotaPeriod::Month, 27, "2026-01-05"), "2025-12-28");
    }
}
