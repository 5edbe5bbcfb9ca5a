//! A row's own clock: the value of the column that says how new a row is, to be compared and gone back from.

use std::time::Duration;

/// A point on a row's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stamp {
    /// A counter, or a version.
    Count(i128),
    /// Microseconds since 1970, as PostgreSQL counts.
    Time(i64),
}

const MICROS: i64 = 1_000_000;

impl Stamp {
    /// Reads a value as it stands in a row's JSON; `None` for what is no clock, null included.
    pub(super) fn read(json: &str) -> Option<Self> {
        match json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(text) => time(text).map(Self::Time),
            None => json.parse().ok().map(Self::Count),
        }
    }

    /// A while before, where it is a time; a counter has no time to go back by.
    pub(super) fn before(self, overlap: Duration) -> Self {
        match self {
            Self::Count(count) => Self::Count(count),
            Self::Time(at) => {
                let overlap = i64::try_from(overlap.as_micros()).unwrap_or(i64::MAX);
                Self::Time(at.saturating_sub(overlap))
            }
        }
    }

    /// The value in a query.
    pub(super) fn text(self) -> String {
        let at = match self {
            Self::Count(count) => return count.to_string(),
            Self::Time(at) => at,
        };
        let (seconds, micros) = (at.div_euclid(MICROS), at.rem_euclid(MICROS));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Reads `2026-01-31T12:00:00.123456+02:00`, with a blank for the `T` and the zone as `Z`, `+02` or none, which
/// is read as UTC.
fn time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(date, '-')?;
    let rest = rest.strip_prefix(['T', ' '])?;
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 25 && minute < 60;
    if !plausible || second > 60 || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    Some(seconds * MICROS + micros)
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.split_at_checked(1) {
        None | Some(("Z", "")) => return Some(0),
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let read = |part: &str| {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    };
    let mut parts = text.split(between).map(read);
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// Days from 1970 to a date, in eras of 400 years that begin with March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The date so many days from 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year + era * 400;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_in_every_zone() {
        let at = |text: &str| Stamp::read(&format!("\"{text}\"")).map(Stamp::text);
        for (text, read) in [
            ("2026-01-31T12:00:00.123456+00:00", "2026-01-31T12:00:00.123456Z"),
            ("2026-01-31 12:00:00.5+02", "2026-01-31T10:00:00.500000Z"),
            ("2024-02-29T23:30:00-05:30", "2024-03-01T05:00:00.000000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999000Z"),
            ("2026-01-31T12:00:00", "2026-01-31T12:00:00.000000Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(read), "{text}");
        }
        for text in
            ["", "infinity", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T1", "é026-01-01T00:00:00Z"]
        {
            assert_eq!(at(text), None, "{text}");
        }
        assert_eq!(Stamp::read("9007199254740993").unwrap().text(), "9007199254740993");
        assert_eq!(Stamp::read("null"), None);
        let minute = Duration::from_secs(60);
        assert_eq!(
            Stamp::read("\"2026-01-01T00:00:30Z\"").unwrap().before(minute).text(),
            "2025-12-31T23:59:30.000000Z"
        );
        assert_eq!(Stamp::read("5").unwrap().before(minute), Stamp::Count(5));
    }

    proptest! {
        #[test]
        fn a_time_is_read_as_it_is_written(at in -60_000_000_000_000_000_i64..250_000_000_000_000_000) {
            let stamp = Stamp::Time(at);
            prop_assert_eq!(Stamp::read(&format!("\"{}\"", stamp.text())), Some(stamp));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            Stamp::read(&text);
            Stamp::read(&format!("\"{text}\""));
        }
    }
}
