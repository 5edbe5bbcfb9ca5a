//! Days and instants.
//!
//! A day made of an instant is the day it was where the app was used: 22:00 UTC in May is
//! the next morning in Paris. A time without an offset is read in the same zone; one that
//! does not exist there is refused, one that exists twice is the earlier and is warned of.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{Coercion, Converted, Refusal, fold};
use crate::cell::{Cell, Type};
use crate::mapping::{Column, DateFormat};
use crate::node::Node;
use crate::number::Number;

/// Texts that say there is no date.
const SENTINELS: [&str; 8] =
    ["invalid date", "null", "undefined", "nan", "n/a", "-", "0000-00-00", "0000-00-00 00:00:00"];

/// Since 1e11 seconds is the year 5138, a larger number counts milliseconds.
const FIRST_MILLISECONDS: Decimal = Decimal::from_parts(1_215_752_192, 23, 0, false, 0);

/// A moment as the app spelt it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Day(Date),
    /// Without a zone.
    Local(DateTime),
    Instant(Timestamp),
}

pub(super) fn read(column: &Column, value: &Node, zone: &TimeZone) -> Result<Converted, Refusal> {
    let formats = &column.reading.formats;
    let moment = match value {
        Node::Text(text) if SENTINELS.contains(&fold(text).as_str()) => {
            return Ok(Converted::by(Cell::Null, Coercion::SentinelAsNull));
        }
        Node::Text(text) => formats.iter().find_map(|format| spelt(text.trim(), *format)),
        Node::Number(number) if formats.contains(&DateFormat::Epoch) => epoch(number),
        Node::Number(_) => return Err(undeclared_epoch()),
        Node::Null | Node::Bool(_) | Node::List(_) | Node::Map(_) => {
            return Err(Refusal::wrong_kind(value, column.kind));
        }
    };
    let moment = moment.filter(|moment| has_a_plain_year(*moment, zone)).ok_or_else(not_a_date)?;
    match column.kind {
        Type::Date => Ok(day(moment, zone)),
        Type::Timestamptz => instant(moment, zone),
        Type::Text
        | Type::Int4
        | Type::Int8
        | Type::Numeric(_)
        | Type::Bool
        | Type::Uuid
        | Type::Jsonb
        | Type::TextArray => Err(Refusal::wrong_kind(value, column.kind)),
    }
}

/// What a text or a number says of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// A day.
    Day,
    /// A time without a zone.
    Local,
    /// An instant.
    Instant,
}

/// What a text says when it is read in this format; nothing when it is no date in it.
pub(crate) fn spelling(text: &str, format: DateFormat) -> Option<Spelling> {
    let moment = spelt(text.trim(), format).filter(|moment| has_a_plain_year(*moment, &TimeZone::UTC))?;
    Some(match moment {
        Moment::Day(_) => Spelling::Day,
        Moment::Local(_) => Spelling::Local,
        Moment::Instant(_) => Spelling::Instant,
    })
}

/// True for a text that says there is no date.
pub(crate) fn says_no_date(text: &str) -> bool {
    SENTINELS.contains(&fold(text).as_str())
}

/// Reads an instant that a text spells in full; what a clock field holds.
pub(crate) fn clock(value: &Node) -> Option<Timestamp> {
    match value {
        Node::Text(text) => match spelt(text.trim(), DateFormat::Iso)? {
            Moment::Instant(instant) => Some(instant),
            Moment::Day(day) => TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok(),
            Moment::Local(local) => TimeZone::UTC.to_timestamp(local).ok(),
        },
        Node::Number(number) => match epoch(number)? {
            Moment::Instant(instant) => Some(instant),
            Moment::Day(_) | Moment::Local(_) => None,
        },
        Node::Null | Node::Bool(_) | Node::List(_) | Node::Map(_) => None,
    }
}

fn day(moment: Moment, zone: &TimeZone) -> Converted {
    let (local, coercion) = match moment {
        Moment::Day(day) => return Converted::new(Cell::Date(day)),
        Moment::Local(local) => (local, None),
        Moment::Instant(instant) => (zone.to_datetime(instant), Some(Coercion::DayFromInstant)),
    };
    let mut converted = Converted::new(Cell::Date(local.date()));
    converted.coercions.extend(coercion);
    converted.keep = local.time() != Time::midnight();
    converted
}

fn instant(moment: Moment, zone: &TimeZone) -> Result<Converted, Refusal> {
    let (local, coercion) = match moment {
        Moment::Instant(instant) => {
            let cell = Cell::instant(instant);
            let exact = cell == Cell::Instant(instant);
            return Ok(if exact {
                Converted::new(cell)
            } else {
                Converted::by(cell, Coercion::RoundedToMicrosecond)
            });
        }
        Moment::Day(day) => (day.to_datetime(Time::midnight()), Coercion::InstantFromDay),
        Moment::Local(local) => (local, Coercion::TimeReadInZone),
    };
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let warning = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Fold { .. } => {
            Some("the clock showed this time twice; the earlier one is stored".to_owned())
        }
        AmbiguousOffset::Gap { .. } => {
            return Err(Refusal::new(
                "time_gap",
                "the clock was put forward and never showed this time",
                "correct the time in a copy of the file, or set source.tz to the zone the app was used in",
            ));
        }
    };
    let instant = ambiguous.earlier().map_err(|_| not_a_date())?;
    Ok(Converted { warning, ..Converted::by(Cell::instant(instant), coercion) })
}

fn spelt(text: &str, format: DateFormat) -> Option<Moment> {
    match format {
        DateFormat::Iso => iso(text),
        DateFormat::Dmy => numbered(text, |first, second| (second, first)),
        DateFormat::Mdy => numbered(text, |first, second| (first, second)),
        DateFormat::Epoch => epoch(&Number::parse(text)?),
    }
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

/// `11/08/2025`, with `/`, `.` or `-`, and a time of day or none.
fn numbered(text: &str, month_and_day: fn(i8, i8) -> (i8, i8)) -> Option<Moment> {
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date.trim_end_matches(','), Some(time.trim())),
        None => (text, None),
    };
    let mut parts = date.split(['/', '.', '-']);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (month, day) = month_and_day(first.parse().ok()?, second.parse().ok()?);
    let date = Date::new(year.parse().ok()?, month, day).ok()?;
    match time {
        None => Some(Moment::Day(date)),
        Some(time) => Some(Moment::Local(date.to_datetime(time.parse().ok()?))),
    }
}

fn epoch(number: &Number) -> Option<Moment> {
    let number = number.to_decimal()?;
    let milliseconds = number.abs() >= FIRST_MILLISECONDS;
    let nanoseconds =
        number.checked_mul(Decimal::from(if milliseconds { 1_000_000 } else { 1_000_000_000 }))?;
    let whole = i128::try_from(nanoseconds.round()).ok()?;
    let duration = SignedDuration::try_from_nanos_i128(whole)?;
    Timestamp::from_duration(duration).ok().map(Moment::Instant)
}

/// PostgreSQL has no year 0, and years before it have another spelling.
fn has_a_plain_year(moment: Moment, zone: &TimeZone) -> bool {
    let year = match moment {
        Moment::Day(day) => day.year(),
        Moment::Local(local) => local.year(),
        Moment::Instant(instant) => zone.to_datetime(instant).year(),
    };
    (2..=9998).contains(&year)
}

fn not_a_date() -> Refusal {
    Refusal::new(
        "not_a_date",
        "the text is no date in a declared format",
        "write format = [\"dmy\"], [\"mdy\"] or [\"epoch\"] if the app spells it so",
    )
}

fn undeclared_epoch() -> Refusal {
    Refusal::new(
        "undeclared_epoch",
        "a number is a date only where the mapping says so",
        "write format = [\"iso\", \"epoch\"]",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;
    use crate::mapping::Reading;

    fn check(kind: &str, formats: &[DateFormat], cases: &[(&str, &str)]) {
        for (json, expected) in cases {
            let reading = Reading { formats: formats.to_vec(), ..Reading::default() };
            assert_eq!(outcome(kind, reading, json), *expected, "{kind} {json}");
        }
    }

    #[test]
    fn an_instant_keeps_its_microseconds() {
        check(
            "timestamptz",
            &[],
            &[
                ("\"2025-08-11T09:47:53.388Z\"", "\"2025-08-11T09:47:53.388Z\" "),
                ("\"2025-08-11T09:47:53.388+02:00\"", "\"2025-08-11T07:47:53.388Z\" "),
                ("\"2026-05-15T15:50:56.788208\"", "\"2026-05-15T13:50:56.788208Z\" time_read_in_zone"),
                ("\"2026-05-15 15:50:56.7882087\"", "\"2026-05-15T13:50:56.788209Z\" time_read_in_zone"),
                ("\"2025-09-11\"", "\"2025-09-10T22:00:00Z\" instant_from_day"),
                ("\"2024-03-31T02:30:00\"", "time_gap"),
                ("\"2024-10-27T02:30:00\"", "\"2024-10-27T00:30:00Z\" time_read_in_zone +warning"),
                ("\"2025-08-11T10:00:00+25:00\"", "not_a_date"),
                ("\"Invalid Date\"", "null sentinel_as_null"),
                ("\"\"", "null empty_as_null"),
                ("1754904169902", "undeclared_epoch"),
                ("\"1754904169902\"", "not_a_date"),
                ("\"11/08/2025\"", "not_a_date"),
                ("\"0000-01-01\"", "not_a_date"),
                ("true", "wrong_kind"),
            ],
        );
    }

    #[test]
    fn a_day_is_the_day_it_was_there() {
        check(
            "date",
            &[],
            &[
                ("\"1990-05-14T22:00:00.000Z\"", "\"1990-05-15\" day_from_instant"),
                ("\"2025-08-11T09:21:48.135Z\"", "\"2025-08-11\" day_from_instant +kept"),
                ("\"2025-09-11\"", "\"2025-09-11\" "),
                ("\"2025-09-11T00:00:00\"", "\"2025-09-11\" "),
                ("\"2025-02-30\"", "not_a_date"),
            ],
        );
    }

    #[test]
    fn other_spellings_are_read_where_declared() {
        check(
            "date",
            &[DateFormat::Iso, DateFormat::Dmy],
            &[
                ("\"03/06/2024\"", "\"2024-06-03\" "),
                ("\"3.6.2024\"", "\"2024-06-03\" "),
                ("\"2024-06-03\"", "\"2024-06-03\" "),
                ("\"31/02/2024\"", "not_a_date"),
                ("\"03/06/24\"", "not_a_date"),
            ],
        );
        check(
            "timestamptz",
            &[DateFormat::Dmy],
            &[("\"29/08/2026 13:24\"", "\"2026-08-29T11:24:00Z\" time_read_in_zone")],
        );
        check("date", &[DateFormat::Mdy], &[("\"4/15/2020\"", "\"2020-04-15\" ")]);
        check(
            "timestamptz",
            &[DateFormat::Epoch],
            &[
                ("1754904169902", "\"2025-08-11T09:22:49.902Z\" "),
                ("\"1754904169\"", "\"2025-08-11T09:22:49Z\" "),
                ("1754904169.5", "\"2025-08-11T09:22:49.5Z\" "),
                ("1e30", "not_a_date"),
            ],
        );
    }
}
