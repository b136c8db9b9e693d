//! Times of signatures: ISO 8601, basic format, UTC.

use vocabulary::calendar::{civil, days};

/// `YYYYMMDDTHHMMSSZ` in seconds of the Unix epoch.
#[must_use]
pub fn seconds(time: &str) -> Option<i64> {
    if time.len() != 16 || !time.is_ascii() || &time[8..9] != "T" || !time.ends_with('Z') {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = &time[from..to];
        if digits.bytes().all(|octet| octet.is_ascii_digit()) { digits.parse::<i64>().ok() } else { None }
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days(year, month, day) * 86_400 + number(9, 11)? * 3_600 + number(11, 13)? * 60 + number(13, 15)?)
}

/// The same backwards.
#[must_use]
pub fn basic(seconds: i64) -> String {
    let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(day);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_come_back(at in 0_i64..4_102_444_800) {
            prop_assert_eq!(seconds(&basic(at)), Some(at));
        }

        #[test]
        fn no_time_is_too_strange(text in ".{0,20}") {
            let _ = seconds(&text);
        }
    }
}
