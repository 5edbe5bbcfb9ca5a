//! A day that dates are held against, fixed or counted from today.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

/// The first or the last day a column allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `1950-01-01`.
    Day(Date),
    /// `today`, `today+2y`, `today-30d`.
    Today {
        /// How many of the unit; before today if negative.
        count: i32,
        /// What is counted.
        unit: Unit,
    },
}

/// What a bound counts from today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `d`.
    Day,
    /// `w`.
    Week,
    /// `m`.
    Month,
    /// `y`.
    Year,
}

impl Bound {
    /// The day it is when today is this one.
    pub fn day(self, today: Date) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Today { count, unit } => today.saturating_add(unit.times(count)),
        }
    }
}

impl Unit {
    fn times(self, count: i32) -> Span {
        // The parser allows no count that a span cannot hold.
        match self {
            Self::Day => count.days(),
            Self::Week => count.weeks(),
            Self::Month => count.months(),
            Self::Year => count.years(),
        }
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is neither a day such as 1950-01-01 nor one such as today+2y");
        let Some(distance) = text.strip_prefix("today") else {
            return text.parse().map(Self::Day).map_err(|_| unknown());
        };
        let distance = distance.trim();
        if distance.is_empty() {
            return Ok(Self::Today { count: 0, unit: Unit::Day });
        }
        let (count, unit) = [('d', Unit::Day), ('w', Unit::Week), ('m', Unit::Month), ('y', Unit::Year)]
            .into_iter()
            .find_map(|(letter, unit)| Some((distance.strip_suffix(letter)?, unit)))
            .ok_or_else(unknown)?;
        let count: i32 = count.parse().ok().filter(|_| count.starts_with(['+', '-'])).ok_or_else(unknown)?;
        if count.unsigned_abs() > 9999 {
            return Err(unknown());
        }
        Ok(Self::Today { count, unit })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Today { count: 0, .. } => f.write_str("today"),
            Self::Today { count, unit } => write!(f, "today{count:+}{unit}"),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "m",
            Self::Year => "y",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_bound_may_move_with_the_day() {
        let today = date(2024, 2, 29);
        for (text, day) in [
            ("1950-01-01", date(1950, 1, 1)),
            ("today", today),
            ("today+2y", date(2026, 2, 28)),
            ("today-18y", date(2006, 2, 28)),
            ("today+1m", date(2024, 3, 29)),
            ("today -2w", date(2024, 2, 15)),
            ("today+1d", date(2024, 3, 1)),
            ("today+9999y", Date::MAX),
        ] {
            let bound: Bound = text.parse().expect(text);
            assert_eq!(bound.day(today), day, "{text}");
            assert_eq!(bound.to_string(), text.replace(' ', ""), "{text}");
        }
        for text in
            ["", "tomorrow", "today2y", "today+y", "today+2h", "today+99999d", "1950-13-01", "01/01/1950"]
        {
            assert!(text.parse::<Bound>().is_err(), "{text}");
        }
    }
}
