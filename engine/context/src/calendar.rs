//! Calendar arithmetic for dates in fields and logs: no time zone, no allocation, no formatting machinery.

/// English month names as dates in HTTP and logs have them.
pub const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Year, month (1–12) and day (1–31) of a day count since 1970-01-01 in the proleptic Gregorian calendar.
#[must_use]
pub fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Two decimal digits.
#[must_use]
pub fn two_digits(value: u64) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

/// `hh:mm:ss` of a second count since 1970.
#[must_use]
pub fn time_of_day(unix_s: u64) -> [u8; 8] {
    let rest = unix_s % 86_400;
    let mut text = *b"00:00:00";
    text[..2].copy_from_slice(&two_digits(rest / 3600));
    text[3..5].copy_from_slice(&two_digits(rest / 60 % 60));
    text[6..].copy_from_slice(&two_digits(rest % 60));
    text
}

/// `$context.requestTime`: `dd/MMM/yyyy:HH:mm:ss +0000`.
#[must_use]
pub fn request_time(unix_ms: u64) -> [u8; 26] {
    let unix_s = unix_ms / 1000;
    let (year, month, day) = civil(unix_s / 86_400);
    let mut text = *b"00/Jan/0000:00:00:00 +0000";
    text[..2].copy_from_slice(&two_digits(day));
    text[3..6].copy_from_slice(MONTHS[(month - 1) as usize].as_bytes());
    text[7..9].copy_from_slice(&two_digits(year / 100));
    text[9..11].copy_from_slice(&two_digits(year % 100));
    text[12..20].copy_from_slice(&time_of_day(unix_s));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_times_match_the_calendar() {
        for (unix_ms, expected) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (1_626_327_316_999, "15/Jul/2021:05:35:16 +0000"),
            (951_782_400_000, "29/Feb/2000:00:00:00 +0000"),
        ] {
            assert_eq!(String::from_utf8_lossy(&request_time(unix_ms)), expected);
        }
    }
}
