//! Days and instants.
//!
//! A day made of an instant is the day it was where the app was used: 22:00 UTC in May is
//! the next morning in Paris. A time without an offset is read in the same zone. When the clock
//! there is put back it shows an hour twice, and the first is taken; when it is put forward it
//! leaves one out, and a time within counts from before, as in a browser: 02:30 is 03:30. Either
//! way there is a warning.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::spelling::{self, Moment};
use super::{Coercion, Converted, Refusal, fold};
use crate::cell::{Cell, Type};
use crate::mapping::{Bounds, Column, DateFormat, Day, Unknown};
use crate::node::Node;

/// Texts that say there is no date, beside those that say there is nothing.
const SENTINELS: [&str; 5] =
    ["invalid date", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00t00:00:00.000z", "00/00/0000"];

pub(super) fn read(column: &Column, value: &Node, zone: &TimeZone) -> Result<Converted, Refusal> {
    let formats = &column.reading.formats;
    let moment = match value {
        Node::Text(text) if SENTINELS.contains(&fold(text).as_str()) => {
            return Ok(Converted::by(Cell::Null, Coercion::SentinelAsNull));
        }
        Node::Text(text) => formats.iter().find_map(|format| spelling::read(text.trim(), *format)),
        Node::Number(number) if formats.iter().any(|format| spelling::is_for_numbers(*format)) => {
            formats.iter().find_map(|format| spelling::read_number(number, *format))
        }
        Node::Number(_) => return Err(undeclared_epoch()),
        Node::Null | Node::Bool(_) | Node::List(_) | Node::Map(_) => {
            return Err(Refusal::wrong_kind(value, column.kind));
        }
    };
    let moment = moment.filter(|moment| has_a_plain_year(*moment, zone)).ok_or_else(not_a_date)?;
    match column.kind {
        Type::Date => Ok(day(moment, zone)),
        Type::Timestamptz => instant(moment, column.reading.day, zone),
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
    let moment =
        spelling::read(text.trim(), format).filter(|moment| has_a_plain_year(*moment, &TimeZone::UTC))?;
    Some(match moment {
        Moment::Day(_) => Spelling::Day,
        Moment::Local(_) => Spelling::Local,
        Moment::Instant(_) => Spelling::Instant,
    })
}

/// True for a text that says there is no date.
pub(crate) fn says_no_date(text: &str) -> bool {
    let folded = fold(text);
    SENTINELS.iter().chain(&super::SENTINELS).any(|sentinel| *sentinel == folded)
}

/// Reads an instant that a text spells in full; what a clock field holds.
pub(crate) fn clock(value: &Node) -> Option<Timestamp> {
    match value {
        Node::Text(text) => match spelling::read(text.trim(), DateFormat::Iso)? {
            Moment::Instant(instant) => Some(instant),
            Moment::Day(day) => TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok(),
            Moment::Local(local) => TimeZone::UTC.to_timestamp(local).ok(),
        },
        Node::Number(number) => match spelling::epoch(number)? {
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

fn instant(moment: Moment, means: Day, zone: &TimeZone) -> Result<Converted, Refusal> {
    let local = match moment {
        Moment::Instant(instant) => {
            let cell = Cell::instant(instant);
            let exact = cell == Cell::Instant(instant);
            return Ok(if exact {
                Converted::new(cell)
            } else {
                Converted::by(cell, Coercion::RoundedToMicrosecond)
            });
        }
        // The day begins with the first moment the clock shows, whatever it shows.
        Moment::Day(day) => {
            let day = match means {
                Day::Start => day,
                Day::End => day.tomorrow().map_err(|_| not_a_date())?,
            };
            let midnight = zone.to_ambiguous_timestamp(day.to_datetime(Time::midnight()));
            let first = midnight.compatible().map_err(|_| not_a_date())?;
            return Ok(Converted::by(Cell::instant(first), Coercion::InstantFromDay));
        }
        Moment::Local(local) => local,
    };
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let (warning, keep) = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => (None, false),
        AmbiguousOffset::Fold { .. } => {
            (Some("the clock was put back and showed this time twice; the first is stored"), false)
        }
        AmbiguousOffset::Gap { .. } => {
            (Some("the clock was put forward and never showed this time; it is stored as much later"), true)
        }
    };
    let instant = ambiguous.compatible().map_err(|_| not_a_date())?;
    let converted = Converted::by(Cell::instant(instant), Coercion::TimeReadInZone);
    Ok(Converted { warning: warning.map(str::to_owned), keep, ..converted })
}

/// A day and the time of day that stands in a field beside it, as one text; nothing if they are not that.
pub(crate) fn at_time(day: &Node, time: &Node) -> Option<Node> {
    let (Node::Text(day), Node::Text(time)) = (day, time) else { return None };
    let (day, time) = (day.trim(), time.trim());
    let parts: Vec<&str> = time.split(':').collect();
    let is_time = matches!(parts.len(), 2 | 3)
        && parts
            .iter()
            .all(|part| matches!(part.len(), 1 | 2) && part.bytes().all(|digit| digit.is_ascii_digit()));
    // Only a day, with no time of its own.
    let is_day = matches!(day.len(), 6..=10) && !day.contains(':');
    (is_day && is_time).then(|| {
        let padded: Vec<String> = parts.iter().map(|part| format!("{part:0>2}")).collect();
        Node::Text(format!("{day} {}", padded.join(":")))
    })
}

/// Refuses a date that lies outside what its column allows, or leaves it out.
pub(super) fn within(
    bounds: &Bounds,
    converted: Converted,
    zone: &TimeZone,
    today: Date,
) -> Result<Converted, Refusal> {
    let day = match converted.cell {
        Cell::Date(day) => day,
        Cell::Instant(instant) => zone.to_datetime(instant).date(),
        // Nothing to compare.
        _ => return Ok(converted),
    };
    let is_within = bounds.min.is_none_or(|min| min.day(today) <= day)
        && bounds.max.is_none_or(|max| day <= max.day(today));
    match bounds.unknown {
        _ if is_within => Ok(converted),
        Unknown::Null => Ok(Converted {
            keep: true,
            warning: Some(
                "the date is out of the column's bounds; the column has its default instead".to_owned(),
            ),
            ..Converted::by(Cell::Null, Coercion::OutOfBoundsAsNull)
        }),
        Unknown::Reject => Err(Refusal::new(
            "date_out_of_bounds",
            "the date is out of the column's bounds",
            "correct it, move min or max, or write unknown = \"null\"",
        )),
    }
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
        "write format = [\"dmy\"], [\"mdy\"], [\"ymd\"], [\"js\"] or [\"epoch\"] if the app spells it so",
    )
}

fn undeclared_epoch() -> Refusal {
    Refusal::new(
        "undeclared_epoch",
        "a number is a date only where the mapping says so",
        "write format = [\"iso\", \"epoch\"], or \"compact\" for 20251001",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;
    use crate::mapping::Reading;
    use proptest::prelude::*;

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
                ("\"2024-03-31T02:30:00\"", "\"2024-03-31T01:30:00Z\" time_read_in_zone +kept +warning"),
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
    fn a_day_may_mean_its_end_and_has_its_time_beside_it() {
        let reading = Reading { day: Day::End, ..Reading::default() };
        for (json, expected) in [
            ("\"2025-09-11\"", "\"2025-09-11T22:00:00Z\" instant_from_day"),
            ("\"2025-09-11T08:00:00Z\"", "\"2025-09-11T08:00:00Z\" "),
        ] {
            assert_eq!(outcome("timestamptz", reading.clone(), json), expected, "{json}");
        }
        let text = |text: &str| Node::Text(text.to_owned());
        let at = |day: &str, time: &str| at_time(&text(day), &text(time));
        assert_eq!(at("2025-08-12", "9:00"), Some(text("2025-08-12 09:00")));
        assert_eq!(at("12/08/2025", "08:30:15"), Some(text("12/08/2025 08:30:15")));
        for (day, time) in [("2025-08-12T08:00:00Z", "9:00"), ("2025-08-12", "morning"), ("2025-08-12", "")] {
            assert_eq!(at(day, time), None, "{day} {time}");
        }
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
                ("\"2024-6-3\"", "not_a_date"),
                ("\"03/06.2024\"", "not_a_date"),
            ],
        );
        check(
            "timestamptz",
            &[DateFormat::Dmy],
            &[
                ("\"29/08/2026 13:24\"", "\"2026-08-29T11:24:00Z\" time_read_in_zone"),
                ("\"29/08/2026, 9:24:05\"", "\"2026-08-29T07:24:05Z\" time_read_in_zone"),
                ("\"20.02.2023\"", "\"2023-02-19T23:00:00Z\" instant_from_day"),
                ("\"29/08/2026 24:24\"", "not_a_date"),
                ("\"29/08/2026 \"", "\"2026-08-28T22:00:00Z\" instant_from_day"),
            ],
        );
        check("date", &[DateFormat::Mdy], &[("\"4/15/2020\"", "\"2020-04-15\" ")]);
        check(
            "timestamptz",
            &[DateFormat::Mdy],
            &[
                ("\"4/15/2020, 1:24:05 PM\"", "\"2020-04-15T11:24:05Z\" time_read_in_zone"),
                ("\"4/15/2020, 12:00:05\u{202F}AM\"", "\"2020-04-14T22:00:05Z\" time_read_in_zone"),
                ("\"4/15/2020, 13:24:05 PM\"", "not_a_date"),
            ],
        );
        check(
            "date",
            &[DateFormat::Ymd],
            &[
                ("\"2025-10-1\"", "\"2025-10-01\" "),
                ("\"2025/10/01\"", "\"2025-10-01\" "),
                ("\"2025.1.1 9:05\"", "\"2025-01-01\"  +kept"),
                ("\"2025-13-1\"", "not_a_date"),
                ("\"25-10-1\"", "not_a_date"),
                ("\"+2025-10-1\"", "not_a_date"),
            ],
        );
        check(
            "date",
            &[DateFormat::Compact, DateFormat::Ddmmyy],
            &[
                ("\"20251001\"", "\"2025-10-01\" "),
                ("20251001", "\"2025-10-01\" "),
                ("\"010226\"", "\"2026-02-01\" "),
                ("\"010269\"", "\"1969-02-01\" "),
                ("\"310226\"", "not_a_date"),
                ("\"2025100\"", "not_a_date"),
            ],
        );
        check(
            "timestamptz",
            &[DateFormat::Compact],
            &[
                ("\"20220706195408687\"", "\"2022-07-06T17:54:08.687Z\" time_read_in_zone"),
                ("20220706195408687", "\"2022-07-06T17:54:08.687Z\" time_read_in_zone"),
                ("\"202207061954\"", "\"2022-07-06T17:54:00Z\" time_read_in_zone"),
                ("\"20220706T195408Z\"", "\"2022-07-06T19:54:08Z\" "),
                ("\"20220706195\"", "not_a_date"),
            ],
        );
        check(
            "timestamptz",
            &[DateFormat::Js],
            &[
                (
                    "\"Mon Nov 21 2022 19:27:54 GMT+0100 (Central European Standard Time)\"",
                    "\"2022-11-21T18:27:54Z\" ",
                ),
                ("\"Mon Nov 21 2022 19:27:54 GMT+0100\"", "\"2022-11-21T18:27:54Z\" "),
                ("\"Mon, 21 Nov 2022 18:27:54 GMT\"", "\"2022-11-21T18:27:54Z\" "),
                ("\"Mon Nov 21 2022\"", "\"2022-11-20T23:00:00Z\" instant_from_day"),
                ("\"Tue Nov 21 2022 19:27:54 GMT+0100\"", "not_a_date"),
            ],
        );
        check(
            "timestamptz",
            &[DateFormat::Epoch],
            &[
                ("1754904169902", "\"2025-08-11T09:22:49.902Z\" "),
                ("\"1754904169902\"", "\"2025-08-11T09:22:49.902Z\" "),
                ("\"1754904169\"", "\"2025-08-11T09:22:49Z\" "),
                ("1754904169.5", "\"2025-08-11T09:22:49.5Z\" "),
                ("1754904169.474846", "\"2025-08-11T09:22:49.474846Z\" "),
                ("-1", "\"1969-12-31T23:59:59Z\" "),
                ("1e30", "not_a_date"),
            ],
        );
    }

    #[test]
    fn a_text_that_means_no_date_is_null_and_counted() {
        for kind in ["date", "timestamptz"] {
            for text in ["-", "N/A", "Invalid Date", "0000-00-00", "null", "undefined", "NaN", "00/00/0000"] {
                check(kind, &[], &[(&format!("\"{text}\""), "null sentinel_as_null")]);
            }
        }
    }

    #[test]
    fn a_date_out_of_bounds_is_refused_or_left_out() {
        let bounds =
            |unknown| Bounds { min: "1950-01-01".parse().ok(), max: "today+2y".parse().ok(), unknown };
        let reading = |unknown| Reading { bounds: Some(bounds(unknown)), ..Reading::default() };
        for (kind, json, expected) in [
            ("date", "\"1950-01-01\"", "\"1950-01-01\" "),
            ("date", "\"1949-12-31\"", "date_out_of_bounds"),
            // In Paris it was 1950 already.
            ("timestamptz", "\"1949-12-31T23:00:00Z\"", "\"1949-12-31T23:00:00Z\" "),
            ("timestamptz", "\"1949-12-31T22:59:59Z\"", "date_out_of_bounds"),
            ("date", "\"2028-03-01\"", "\"2028-03-01\" "),
            ("date", "\"2028-03-02\"", "date_out_of_bounds"),
            ("date", "\"\"", "null empty_as_null"),
        ] {
            assert_eq!(outcome(kind, reading(Unknown::Reject), json), expected, "{kind} {json}");
        }
        let left_out = outcome("date", reading(Unknown::Null), "\"1949-12-31\"");
        assert_eq!(left_out, "null out_of_bounds_as_null +kept +warning");
    }

    #[test]
    fn a_day_may_begin_after_midnight() {
        let column = super::super::tests::column("timestamptz", Reading::default());
        let beirut = TimeZone::get("Asia/Beirut").expect("a zone");
        let converted = read(&column, &Node::Text("2022-03-27".to_owned()), &beirut).expect("a day");
        // The clock went from midnight to one.
        assert_eq!(converted.cell, Cell::Instant("2022-03-26T22:00:00Z".parse().expect("an instant")));
        assert_eq!(converted.warning, None);
    }

    proptest! {
        /// A browser in the zone picks a day and exports its midnight as an instant.
        #[test]
        fn a_day_picked_in_its_zone_comes_back(
            days in -20_000_i32..20_000,
            zone in prop::sample::select(vec!["Europe/Paris", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "UTC"]),
        ) {
            let zone = TimeZone::get(zone).expect("a zone");
            let day = jiff::civil::date(1990, 1, 1).saturating_add(jiff::Span::new().days(days));
            let midnight = zone.to_ambiguous_timestamp(day.to_datetime(Time::midnight())).compatible();
            let instant = midnight.expect("a midnight");
            // The Friday that Samoa left out is no day anybody picked.
            prop_assume!(zone.to_datetime(instant).date() == day);
            let column = super::super::tests::column("date", Reading::default());
            let converted = read(&column, &Node::Text(instant.to_string()), &zone).expect("an instant");
            prop_assert_eq!(converted.cell, Cell::Date(day));
        }

        /// Whatever the clock did, an instant is stored, and what it says there differs only with a warning.
        #[test]
        fn a_time_is_stored_as_the_clock_showed_it(
            minutes in 0_i32..(40 * 366 * 24 * 60),
            zone in prop::sample::select(vec!["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        ) {
            let zone = TimeZone::get(zone).expect("a zone");
            let local = jiff::civil::datetime(1990, 1, 1, 0, 0, 0, 0).saturating_add(jiff::Span::new().minutes(minutes));
            let column = super::super::tests::column("timestamptz", Reading::default());
            let converted = read(&column, &Node::Text(local.to_string()), &zone).expect("a time");
            let Cell::Instant(instant) = converted.cell else { panic!("{:?}", converted.cell) };
            let shown = zone.to_datetime(instant);
            prop_assert!(shown == local || (converted.keep && converted.warning.is_some()), "{} {}", local, shown);
        }

        #[test]
        fn a_day_is_the_same_in_every_spelling(days in -20_000_i32..20_000) {
            let day = jiff::civil::date(1990, 1, 1).saturating_add(jiff::Span::new().days(days));
            for (format, text) in [
                (DateFormat::Iso, day.strftime("%Y-%m-%d")),
                (DateFormat::Ymd, day.strftime("%Y/%-m/%-d")),
                (DateFormat::Dmy, day.strftime("%d.%m.%Y")),
                (DateFormat::Mdy, day.strftime("%-m/%-d/%Y")),
                (DateFormat::Compact, day.strftime("%Y%m%d")),
                (DateFormat::Js, day.strftime("%a %b %d %Y")),
            ] {
                prop_assert_eq!(spelling::read(&text.to_string(), format), Some(Moment::Day(day)));
            }
        }
    }
}
