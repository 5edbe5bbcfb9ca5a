//! Cells on the wire: a column of a batch is one array, a value that comes back is read by its type.
//!
//! What PostgreSQL would have to be asked about, exact numbers and documents, travels as text.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type as PgType, accepts, to_sql_checked};
use uuid::Uuid;

use crate::cell::{Cell, Type};
use crate::export::read_json;

/// 2000-01-01, where PostgreSQL begins to count.
const EPOCH: Date = jiff::civil::date(2000, 1, 1);
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// One column of a batch.
#[derive(Debug)]
pub(super) enum Column<'a> {
    Text(Vec<Option<&'a str>>),
    Spelled(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Date(Vec<Option<Day>>),
    Instant(Vec<Option<Moment>>),
    Uuid(Vec<Option<Uuid>>),
}

impl<'a> Column<'a> {
    /// The column of this type that holds these cells.
    pub(super) fn of(kind: Type, cells: impl Iterator<Item = &'a Cell>) -> Self {
        match kind {
            Type::Text => Self::Text(
                cells
                    .map(|cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None })
                    .collect(),
            ),
            Type::Int4 | Type::Int8 => Self::Int(
                cells.map(|cell| if let Cell::Int(value) = cell { Some(*value) } else { None }).collect(),
            ),
            Type::Bool => Self::Bool(
                cells.map(|cell| if let Cell::Bool(value) = cell { Some(*value) } else { None }).collect(),
            ),
            Type::Date => Self::Date(
                cells.map(|cell| if let Cell::Date(date) = cell { Day::of(*date) } else { None }).collect(),
            ),
            Type::Timestamptz => Self::Instant(
                cells
                    .map(|cell| if let Cell::Instant(at) = cell { Some(Moment::of(*at)) } else { None })
                    .collect(),
            ),
            Type::Uuid => Self::Uuid(
                cells.map(|cell| if let Cell::Uuid(id) = cell { Some(*id) } else { None }).collect(),
            ),
            Type::Numeric(_) | Type::Jsonb | Type::TextArray => Self::Spelled(cells.map(spelled).collect()),
        }
    }

    /// The value of a parameter, and its type.
    pub(super) fn parameter(&self) -> (&(dyn ToSql + Sync), PgType) {
        match self {
            Self::Text(values) => (values, PgType::TEXT_ARRAY),
            Self::Spelled(values) => (values, PgType::TEXT_ARRAY),
            Self::Int(values) => (values, PgType::INT8_ARRAY),
            Self::Bool(values) => (values, PgType::BOOL_ARRAY),
            Self::Date(values) => (values, PgType::DATE_ARRAY),
            Self::Instant(values) => (values, PgType::TIMESTAMPTZ_ARRAY),
            Self::Uuid(values) => (values, PgType::UUID_ARRAY),
        }
    }
}

fn spelled(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Numeric(value) => Some(value.to_string()),
        Cell::Json(document) => Some(document.to_json()),
        Cell::TextArray(items) => Some(array(items)),
        // Of no other type, as the plan has it.
        Cell::Unset
        | Cell::Null
        | Cell::Text(_)
        | Cell::Int(_)
        | Cell::Bool(_)
        | Cell::Date(_)
        | Cell::Instant(_)
        | Cell::Uuid(_) => None,
    }
}

/// A list as PostgreSQL reads it: `{"a","b \"c\"",NULL}`.
fn array(items: &[Option<String>]) -> String {
    let mut text = String::from("{");
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        match item {
            None => text.push_str("NULL"),
            Some(item) => {
                text.push('"');
                for character in item.chars() {
                    if matches!(character, '"' | '\\') {
                        text.push('\\');
                    }
                    text.push(character);
                }
                text.push('"');
            }
        }
    }
    text.push('}');
    text
}

impl Type {
    /// The type as SQL writes it.
    pub(super) fn in_sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int4 | Self::Int8 => "bigint",
            Self::Numeric(_) => "numeric",
            Self::Bool => "boolean",
            Self::Date => "date",
            Self::Timestamptz => "timestamp with time zone",
            Self::Uuid => "uuid",
            Self::Jsonb => "jsonb",
            Self::TextArray => "text[]",
        }
    }

    /// An expression of this type as it is asked for, so that the answer is exact.
    pub(super) fn asked(self, expression: &str) -> String {
        let typed = format!("{expression}::{}", self.in_sql());
        match self {
            Self::Numeric(_) | Self::Jsonb => format!("{typed}::text"),
            Self::Text
            | Self::Int4
            | Self::Int8
            | Self::Bool
            | Self::Date
            | Self::Timestamptz
            | Self::Uuid
            | Self::TextArray => typed,
        }
    }
}

/// The bytes of a value, whatever its type.
pub(super) struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &PgType, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &PgType) -> bool {
        true
    }
}

/// Reads the answer to [`Type::asked`]; nothing when no plan could have written the value.
pub(super) fn read(kind: Type, answer: Option<&Raw<'_>>) -> Option<Cell> {
    let Some(&Raw(raw)) = answer else { return Some(Cell::Null) };
    let text = || std::str::from_utf8(raw).ok();
    let int = || Some(i64::from_be_bytes(raw.try_into().ok()?));
    Some(match kind {
        Type::Text => Cell::Text(text()?.to_owned()),
        Type::Int4 | Type::Int8 => Cell::Int(int()?),
        Type::Numeric(_) => Cell::Numeric(rust_decimal::Decimal::from_str_exact(text()?).ok()?),
        Type::Bool => Cell::Bool(*raw.first()? != 0),
        Type::Date => {
            let days = i32::from_be_bytes(raw.try_into().ok()?);
            Cell::Date(EPOCH.checked_add(Span::new().try_days(days).ok()?).ok()?)
        }
        Type::Timestamptz => {
            Cell::Instant(Timestamp::from_microsecond(int()?.checked_add(EPOCH_MICROSECONDS)?).ok()?)
        }
        Type::Uuid => Cell::Uuid(Uuid::from_slice(raw).ok()?),
        Type::Jsonb => Cell::Json(read_json(text()?)?),
        Type::TextArray => Cell::TextArray(Vec::from_sql(&PgType::TEXT_ARRAY, raw).ok()?),
    })
}

/// A day as PostgreSQL counts it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day(i32);

impl Day {
    fn of(date: Date) -> Option<Self> {
        Some(Self((date - EPOCH).get_days()))
    }
}

impl ToSql for Day {
    fn to_sql(&self, _: &PgType, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i32(self.0);
        Ok(IsNull::No)
    }

    accepts!(DATE);
    to_sql_checked!();
}

/// A moment as PostgreSQL counts it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(i64);

impl Moment {
    fn of(at: Timestamp) -> Self {
        Self(at.as_microsecond() - EPOCH_MICROSECONDS)
    }
}

impl ToSql for Moment {
    fn to_sql(&self, _: &PgType, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64(self.0);
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_whatever_is_in_it() {
        let items = [Some("a".to_owned()), None, Some("b \"c\" \\ {d},".to_owned()), Some("NULL".to_owned())];
        assert_eq!(array(&items), r#"{"a",NULL,"b \"c\" \\ {d},","NULL"}"#);
        assert_eq!(array(&[]), "{}");
    }

    #[test]
    fn a_time_that_is_none_is_no_cell() {
        let read = |kind, raw: &[u8]| read(kind, Some(&Raw(raw)));
        assert_eq!(read(Type::Timestamptz, &i64::MAX.to_be_bytes()), None);
        assert_eq!(read(Type::Date, &i32::MIN.to_be_bytes()), None);
        assert_eq!(
            read(Type::Date, &(-1_i32).to_be_bytes()),
            Some(Cell::Date(jiff::civil::date(1999, 12, 31)))
        );
        assert_eq!(read(Type::Numeric(None), b"NaN"), None);
        let at: Timestamp = "1969-12-31T23:59:59.999999Z".parse().unwrap();
        assert_eq!(read(Type::Timestamptz, &Moment::of(at).0.to_be_bytes()), Some(Cell::Instant(at)));
    }
}
