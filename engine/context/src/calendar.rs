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

/// Appends two decimal digits.
pub fn two_digits(out: &mut Vec<u8>, value: u64) {
    out.push(b'0' + (value / 10 % 10) as u8);
    out.push(b'0' + (value % 10) as u8);
}

/// Appends `hh:mm:ss` of a second count since 1970.
pub fn time_of_day(out: &mut Vec<u8>, unix_s: u64) {
    let rest = unix_s % 86_400;
    two_digits(out, rest / 3600);
    out.push(b':');
    two_digits(out, rest / 60 % 60);
    out.push(b':');
    two_digits(out, rest % 60);
}

/// Appends `$context.requestTime`: `dd/MMM/yyyy:HH:mm:ss +0000`.
pub fn request_time(out: &mut Vec<u8>, unix_ms: u64) {
    let unix_s = unix_ms / 1000;
    let (year, month, day) = civil(unix_s / 86_400);
    two_digits(out, day);
    out.push(b'/');
    out.extend_from_slice(MONTHS[(month - 1) as usize].as_bytes());
    out.push(b'/');
    two_digits(out, year / 100);
    two_digits(out, year % 100);
    out.push(b':');
    time_of_day(out, unix_s);
    out.extend_from_slice(b" +0000");
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
            let mut out = Vec::new();
            request_time(&mut out, unix_ms);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
