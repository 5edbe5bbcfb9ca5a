//! How a date may be spelt.
//!
//! A text is read in the spellings its column declares, in their order, and in no other.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::mapping::DateFormat;
use crate::number::Number;

/// A moment as the app spelt it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    /// Without a zone.
    Local(DateTime),
    Instant(Timestamp),
}

/// Since 1e11 seconds is the year 5138, a larger number counts milliseconds.
const FIRST_MILLISECONDS: Decimal = Decimal::from_parts(1_215_752_192, 23, 0, false, 0);

/// The first of the two-digit years that lie in the last century, as in POSIX.
const LAST_CENTURY: i16 = 69;

/// Reads a text in one spelling.
pub(super) fn read(text: &str, format: DateFormat) -> Option<Moment> {
    match format {
        DateFormat::Iso => iso(text),
        DateFormat::Ymd => numbered(text, |[year, month, day]| [year, month, day]),
        DateFormat::Dmy => numbered(text, |[day, month, year]| [year, month, day]),
        DateFormat::Mdy => numbered(text, |[month, day, year]| [year, month, day]),
        DateFormat::Compact => compact(text),
        DateFormat::Ddmmyy => ddmmyy(text),
        DateFormat::Js => js(text),
        DateFormat::Epoch => epoch(&Number::parse(text)?),
    }
}

/// Reads a number in one spelling; only some of them are digits alone.
pub(super) fn read_number(number: &Number, format: DateFormat) -> Option<Moment> {
    match format {
        DateFormat::Epoch => epoch(number),
        DateFormat::Compact => compact(number.as_str()),
        DateFormat::Iso
        | DateFormat::Ymd
        | DateFormat::Dmy
        | DateFormat::Mdy
        | DateFormat::Ddmmyy
        | DateFormat::Js => None,
    }
}

/// True for a spelling that a number can have.
pub(super) fn is_for_numbers(format: DateFormat) -> bool {
    matches!(format, DateFormat::Epoch | DateFormat::Compact)
}

fn iso(text: &str) -> Option<Moment> {
    // Digits alone may be a day or an epoch: nobody can tell, so they are not ISO here.
    if !text.get(1..)?.contains('-') {
        return None;
    }
    let pieces = Pieces::parse(text).ok().filter(|pieces| pieces.time_zone_annotation().is_none())?;
    let Some(time) = pieces.time() else { return Some(Moment::Day(pieces.date())) };
    let local = pieces.date().to_datetime(time);
    match pieces.offset() {
        None => Some(Moment::Local(local)),
        Some(PiecesOffset::Zulu) => TimeZone::UTC.to_timestamp(local).ok().map(Moment::Instant),
        // No clock on Earth is further from UTC than 14 hours; JavaScript reads up to 24.
        Some(offset) if offset.to_numeric_offset().seconds().abs() >= 24 * 3600 => None,
        Some(offset) => offset.to_numeric_offset().to_timestamp(local).ok().map(Moment::Instant),
    }
}

/// Three numbers with `/`, `.` or `-` between them, and a time of day or none.
fn numbered(text: &str, year_month_day: for<'t> fn([&'t str; 3]) -> [&'t str; 3]) -> Option<Moment> {
    let (date, time) = match text.split_once(|character: char| character.is_whitespace() || character == 'T')
    {
        Some((date, time)) => (date.trim_end_matches(','), Some(time.trim())),
        None => (text, None),
    };
    let mark = date.chars().find(|character| matches!(character, '/' | '.' | '-'))?;
    let parts: Vec<&str> = date.split(mark).collect();
    let [year, month, day] = year_month_day(parts.try_into().ok()?);
    let month: i8 = digits(month, 1..=2)?.parse().ok()?;
    let day: i8 = digits(day, 1..=2)?.parse().ok()?;
    let date = Date::new(digits(year, 4..=4)?.parse().ok()?, month, day).ok()?;
    Some(match time {
        None => Moment::Day(date),
        Some(time) => Moment::Local(date.to_datetime(time_of_day(time)?)),
    })
}

/// `9:05`, `13:24:05.123`, `1:24:05 PM`.
fn time_of_day(text: &str) -> Option<Time> {
    let upper = text.to_ascii_uppercase();
    let (clock, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        (None, None) => (upper.as_str(), None),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 1..=2)?, digits(parts.next()?, 2..=2)?);
    let (second, fraction) = match parts.next() {
        None => ("0", ""),
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "")),
    };
    if parts.next().is_some() {
        return None;
    }
    let hour: i8 = hour.parse().ok()?;
    let hour = match half {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
    };
    Time::new(hour, minute.parse().ok()?, digits(second, 1..=2)?.parse().ok()?, nanoseconds(fraction)?).ok()
}

/// `20251001`, with hours, minutes, seconds and parts of a second behind it or without.
fn compact(text: &str) -> Option<Moment> {
    let (text, is_utc) = match text.strip_suffix('Z') {
        Some(local) => (local, true),
        None => (text, false),
    };
    let (date, time) = match text.split_once('T') {
        Some(parts) => parts,
        None => text.split_at_checked(8)?,
    };
    let year = digits(date.get(..4)?, 4..=4)?.parse().ok()?;
    let two = |text: &str, at: usize| digits(text.get(at..at + 2)?, 2..=2)?.parse::<i8>().ok();
    let date = (date.len() == 8).then(|| Date::new(year, two(date, 4)?, two(date, 6)?).ok()).flatten()?;
    if time.is_empty() {
        return (!is_utc).then_some(Moment::Day(date));
    }
    let second = if time.len() > 4 { two(time, 4)? } else { 0 };
    let fraction = time.get(6..).unwrap_or_default();
    let fraction = nanoseconds(fraction.strip_prefix('.').unwrap_or(fraction))?;
    let local = date.to_datetime(Time::new(two(time, 0)?, two(time, 2)?, second, fraction).ok()?);
    match is_utc {
        true => TimeZone::UTC.to_timestamp(local).ok().map(Moment::Instant),
        false => Some(Moment::Local(local)),
    }
}

/// `010226` is the first of February 2026.
fn ddmmyy(text: &str) -> Option<Moment> {
    let two = |at: usize| digits(text, 6..=6)?.get(at..at + 2)?.parse::<i8>().ok();
    let year = i16::from(two(4)?);
    let year = if year < LAST_CENTURY { 2000 + year } else { 1900 + year };
    Date::new(year, two(2)?, two(0)?).ok().map(Moment::Day)
}

/// What `toString`, `toUTCString` and `toDateString` of a JavaScript `Date` say.
fn js(text: &str) -> Option<Moment> {
    let text = text.split_once(" (").map_or(text, |(moment, _)| moment);
    let read = |format: &str| strtime::parse(format, text).ok();
    if let Some(moment) = read("%a %b %d %Y %H:%M:%S GMT%z") {
        return moment.to_timestamp().ok().map(Moment::Instant);
    }
    if let Some(moment) = read("%a, %d %b %Y %H:%M:%S GMT") {
        return TimeZone::UTC.to_timestamp(moment.to_datetime().ok()?).ok().map(Moment::Instant);
    }
    read("%a %b %d %Y")?.to_date().ok().map(Moment::Day)
}

pub(super) fn epoch(number: &Number) -> Option<Moment> {
    let number = number.to_decimal()?;
    let milliseconds = number.abs() >= FIRST_MILLISECONDS;
    let nanoseconds =
        number.checked_mul(Decimal::from(if milliseconds { 1_000_000 } else { 1_000_000_000 }))?;
    let whole = i128::try_from(nanoseconds.round()).ok()?;
    let duration = SignedDuration::try_from_nanos_i128(whole)?;
    Timestamp::from_duration(duration).ok().map(Moment::Instant)
}

/// The text, if it is digits and so many of them.
fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<&str> {
    (count.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// The digits behind a second.
fn nanoseconds(fraction: &str) -> Option<i32> {
    format!("{:0<9}", digits(fraction, 0..=9)?).parse().ok()
}
