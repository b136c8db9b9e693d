//! Times of signatures: ISO 8601, basic format, UTC.

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
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + number(9, 11)? * 3_600 + number(11, 13)? * 60 + number(13, 15)?)
}

/// The same backwards.
#[must_use]
pub fn basic(seconds: i64) -> String {
    let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
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
