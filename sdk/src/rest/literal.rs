//! Values as PostgREST reads them in a query, and which column they compare with.

use serde_json::Value;
use uuid::Uuid;

use crate::rest::quote;
use crate::rest::value::TsVector;

/// A value as text, before quoting.
pub trait Literal: Sized {
    /// The text of the value.
    fn literal(self) -> String;
}

/// A value a column of type `T` compares with. `&str` compares with text, an `i32` with any integer.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` does not compare with `{Self}`",
    note = "for a type of your own implement `Literal` and `Comparable`"
)]
pub trait Comparable<T>: Literal {}

/// The type of a column that is named at run time: it compares with any [`Literal`].
#[derive(Debug, Clone, Copy)]
pub struct Any;

impl<L: Literal> Comparable<Any> for L {}

/// A column type that full-text search applies to.
#[diagnostic::on_unimplemented(message = "a column of type `{Self}` cannot be searched for words")]
pub trait Searchable {}
impl Searchable for String {}
impl Searchable for TsVector {}
impl Searchable for Any {}

/// A column type that patterns apply to.
#[diagnostic::on_unimplemented(message = "a column of type `{Self}` holds no text")]
pub trait Textual {}
impl Textual for String {}
impl Textual for Any {}

/// A column type that contains things: arrays, ranges, JSON.
#[diagnostic::on_unimplemented(message = "a column of type `{Self}` contains nothing")]
pub trait Container {}
impl<T> Container for Vec<T> {}
impl Container for Value {}
impl Container for Any {}

macro_rules! literals {
    ($($value:ty => $($column:ty),+;)+) => { $(
        impl Literal for $value {
            fn literal(self) -> String {
                self.to_string()
            }
        }
        $(impl Comparable<$column> for $value {})+
    )+ };
}

literals! {
    bool => bool;
    i16 => i16, i32, i64, f32, f64;
    i32 => i32, i64, f64;
    i64 => i64;
    u8 => i16, i32, i64, f32, f64;
    u16 => i32, i64, f32, f64;
    u32 => i64, f64;
    f32 => f32, f64;
    f64 => f64;
    Uuid => Uuid;
    String => String;
    &str => String;
    &String => String;
}

/// An array literal, `{a,"b c"}`.
impl<L: Literal> Literal for Vec<L> {
    fn literal(self) -> String {
        quote::array(&self.into_iter().map(Literal::literal).collect::<Vec<_>>())
    }
}
impl<T, L: Comparable<T>> Comparable<Vec<T>> for Vec<L> {}

/// An array literal, `{a,"b c"}`.
impl<L: Literal, const N: usize> Literal for [L; N] {
    fn literal(self) -> String {
        Vec::from(self).literal()
    }
}
impl<T, L: Comparable<T>, const N: usize> Comparable<Vec<T>> for [L; N] {}

/// An array literal, `{a,"b c"}`.
impl<L: Literal + Clone> Literal for &[L] {
    fn literal(self) -> String {
        self.to_vec().literal()
    }
}
impl<T, L: Comparable<T> + Clone> Comparable<Vec<T>> for &[L] {}

/// JSON; a JSON text is its text, so that it compares with a text column.
impl Literal for Value {
    fn literal(self) -> String {
        match self {
            Self::String(text) => text,
            other => other.to_string(),
        }
    }
}
impl Comparable<Self> for Value {}

/// JSON, as above.
impl Literal for &Value {
    fn literal(self) -> String {
        self.clone().literal()
    }
}
impl Comparable<Value> for &Value {}

#[cfg(feature = "jiff")]
mod with_jiff {
    use jiff::{Timestamp, Zoned, civil};

    use super::{Comparable, Literal};

    literals! {
        Timestamp => Timestamp;
        civil::DateTime => civil::DateTime;
        civil::Date => civil::Date;
        civil::Time => civil::Time;
    }

    impl Literal for &Zoned {
        fn literal(self) -> String {
            self.timestamp().literal()
        }
    }
    impl Comparable<Timestamp> for &Zoned {}
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone};

    use super::{Comparable, Literal};

    impl<Z: TimeZone<Offset: std::fmt::Display>> Literal for DateTime<Z> {
        fn literal(self) -> String {
            self.to_rfc3339_opts(SecondsFormat::AutoSi, true)
        }
    }
    impl<Z: TimeZone<Offset: std::fmt::Display>, W: TimeZone> Comparable<DateTime<W>> for DateTime<Z> {}

    literals! {
        NaiveDateTime => NaiveDateTime;
        NaiveDate => NaiveDate;
        NaiveTime => NaiveTime;
    }
}
