//! Ranges, as PostgreSQL has them: `[2026-01-01,2026-02-01)`.
//!
//! Source: PostgreSQL §8.17.5 (range input and output).

use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::rest::literal::{Comparable, Container, Literal};

/// A range of values: `int4range`, `numrange`, `tstzrange` and the like.
///
/// ```
/// use std::ops::Bound;
/// use supabase_sdk::rest::Range;
/// let week: Range<i32> = "[3,10)".parse()?;
/// assert_eq!(week, Range::from(3..10));
/// assert_eq!(week.to_string(), "[3,10)");
/// assert_eq!("empty".parse::<Range<i32>>()?, Range::Empty);
/// # Ok::<(), supabase_sdk::rest::NotARange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range<T> {
    /// No value at all.
    Empty,
    /// The values between two bounds.
    Between(Bound<T>, Bound<T>),
}

impl<T> From<std::ops::Range<T>> for Range<T> {
    fn from(range: std::ops::Range<T>) -> Self {
        Self::Between(Bound::Included(range.start), Bound::Excluded(range.end))
    }
}

impl<T> From<std::ops::RangeFrom<T>> for Range<T> {
    fn from(range: std::ops::RangeFrom<T>) -> Self {
        Self::Between(Bound::Included(range.start), Bound::Unbounded)
    }
}

impl<T> From<std::ops::RangeTo<T>> for Range<T> {
    fn from(range: std::ops::RangeTo<T>) -> Self {
        Self::Between(Bound::Unbounded, Bound::Excluded(range.end))
    }
}

impl<T> From<std::ops::RangeInclusive<T>> for Range<T> {
    fn from(range: std::ops::RangeInclusive<T>) -> Self {
        let (start, end) = range.into_inner();
        Self::Between(Bound::Included(start), Bound::Included(end))
    }
}

impl<T: fmt::Display> fmt::Display for Range<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Between(lower, upper) = self else { return out.write_str("empty") };
        match lower {
            Bound::Included(value) => write!(out, "[{}", Quoted(value))?,
            Bound::Excluded(value) => write!(out, "({}", Quoted(value))?,
            Bound::Unbounded => out.write_str("(")?,
        }
        match upper {
            Bound::Included(value) => write!(out, ",{}]", Quoted(value)),
            Bound::Excluded(value) => write!(out, ",{})", Quoted(value)),
            Bound::Unbounded => out.write_str(",)"),
        }
    }
}

/// A bound's text, quoted where it must be.
struct Quoted<'a, T>(&'a T);

impl<T: fmt::Display> fmt::Display for Quoted<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let special =
            |char: char| matches!(char, '"' | '\\' | '(' | ')' | '[' | ']' | ',') || char.is_whitespace();
        if text.is_empty() || text.contains(special) {
            write!(out, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            out.write_str(&text)
        }
    }
}

/// What is not a range, of [`Range`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARange;

impl fmt::Display for NotARange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not a range: two bounds in brackets are expected, such as [1,5)")
    }
}

impl std::error::Error for NotARange {}

impl<T: FromStr> FromStr for Range<T> {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        if text.eq_ignore_ascii_case("empty") {
            return Ok(Self::Empty);
        }
        let mut chars = text.chars();
        let (first, last) = (chars.next(), chars.next_back());
        let (lower, upper) = split(chars.as_str()).ok_or(NotARange)?;
        let bound = |text: Option<String>, closed: bool| match text {
            None => Ok(Bound::Unbounded),
            Some(text) => {
                let value = text.parse().map_err(|_| NotARange)?;
                Ok(if closed { Bound::Included(value) } else { Bound::Excluded(value) })
            }
        };
        let closed = |bracket: Option<char>, closed: char, open: char| match bracket {
            Some(bracket) if bracket == closed => Ok(true),
            Some(bracket) if bracket == open => Ok(false),
            _ => Err(NotARange),
        };
        Ok(Self::Between(bound(lower, closed(first, '[', '(')?)?, bound(upper, closed(last, ']', ')')?)?))
    }
}

/// The texts of both bounds; `None` for one that is left out. An empty text is `""`.
fn split(inside: &str) -> Option<(Option<String>, Option<String>)> {
    let mut bounds = [None::<String>, None];
    let (mut at, mut in_quotes) = (0, false);
    let mut chars = inside.chars().peekable();
    while let Some(char) = chars.next() {
        let bound = bounds.get_mut(at)?;
        match char {
            '\\' => bound.get_or_insert_default().push(chars.next()?),
            '"' if in_quotes && chars.peek() == Some(&'"') => {
                chars.next();
                bound.get_or_insert_default().push('"');
            }
            '"' => {
                in_quotes = !in_quotes;
                bound.get_or_insert_default();
            }
            ',' if !in_quotes => at += 1,
            char => bound.get_or_insert_default().push(char),
        }
    }
    let [lower, upper] = bounds;
    (at == 1 && !in_quotes).then_some((lower, upper))
}

/// From a JSON text. A bound PostgreSQL writes with a blank between date and time is read as well.
impl<'de, T: FromStr> Deserialize<'de> for Range<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<T: fmt::Display> Serialize for Range<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<T: fmt::Display> Literal for Range<T> {
    fn literal(self) -> String {
        self.to_string()
    }
}
impl<T: fmt::Display> Comparable<Self> for Range<T> {}
impl<T> Comparable<Range<T>> for &str {}
impl<T> Container for Range<T> {}

/// A single value of the range: `during.contains(now)`.
impl<T> Comparable<Range<T>> for Point<T> where T: Literal {}

/// One value, where a range is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Point<T>(pub T);

impl<T: Literal> Literal for Point<T> {
    fn literal(self) -> String {
        let text = self.0.literal();
        format!("[{0},{0}]", Quoted(&text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bound() -> impl Strategy<Value = Bound<String>> {
        prop_oneof![".*".prop_map(Bound::Included), ".*".prop_map(Bound::Excluded), Just(Bound::Unbounded)]
    }

    proptest! {
        #[test]
        fn a_range_of_anything_is_read_as_it_was_written(lower in bound(), upper in bound()) {
            let range = Range::Between(lower, upper);
            prop_assert_eq!(range.to_string().parse::<Range<String>>().unwrap(), range);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = text.parse::<Range<i32>>();
        }
    }

    #[test]
    fn ranges_are_read_as_postgresql_writes_them() {
        let times: Range<String> = r#"["2026-01-01 00:00:00+00","2026-01-02 00:00:00+00")"#.parse().unwrap();
        assert_eq!(
            times,
            Range::from("2026-01-01 00:00:00+00".to_owned().."2026-01-02 00:00:00+00".to_owned())
        );
        assert_eq!("(,5]".parse(), Ok(Range::Between(Bound::Unbounded, Bound::Included(5))));
        for text in ["", "[", "[1,2", "1,2)", "[1;2)", "[1,2,3)", "[a,b)", "[\"1,2)"] {
            assert_eq!(text.parse::<Range<i32>>(), Err(NotARange), "{text:?}");
        }
    }
}
