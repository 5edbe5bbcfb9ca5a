//! Values that JSON numbers and Rust's own types would bend: exact decimals, search documents, and the
//! labels of an enum.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::rest::literal::{Comparable, Literal};
use crate::rest::write::Assign;

/// An exact decimal, as long as PostgreSQL's `numeric` may be. It keeps the text it came as, and never
/// passes through a float.
///
/// ```
/// use supabase_sdk::rest::Numeric;
/// let total: Numeric = serde_json::from_str("12345678901234567890.10")?;
/// assert_eq!(total.as_str(), "12345678901234567890.10");
/// assert_eq!(serde_json::to_string(&total)?, "12345678901234567890.10");
/// assert!("12,50".parse::<Numeric>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Two are equal if their texts are: `1.0` is not `1.00`. Compare values with a decimal type; the feature
/// `rust_decimal` converts to and from one. Inside `#[serde(flatten)]` serde itself makes floats of
/// numbers, and so reading one there fails: select the column as text instead.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Numeric(String);

impl Numeric {
    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if JSON can hold it as a number; NaN and the infinities go as text.
    fn is_finite(&self) -> bool {
        self.0.bytes().last().is_some_and(|byte| byte.is_ascii_digit())
    }
}

/// What is not a number, of [`Numeric`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNumeric;

impl fmt::Display for NotNumeric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not a decimal number: digits with an optional sign, point and exponent are expected")
    }
}

impl std::error::Error for NotNumeric {}

impl FromStr for Numeric {
    type Err = NotNumeric;

    /// Reads a number as JSON writes it, or NaN, Infinity, -Infinity.
    fn from_str(text: &str) -> Result<Self, NotNumeric> {
        let words = ["NaN", "Infinity", "-Infinity"];
        let is_number = || {
            serde_json::from_str::<&RawValue>(text).is_ok_and(|_| !text.starts_with(['"', '[', '{']))
                && text.bytes().any(|byte| byte.is_ascii_digit())
        };
        if words.contains(&text) || (text.trim() == text && is_number()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotNumeric)
        }
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Numeric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Numeric({})", self.0)
    }
}

macro_rules! from_integers {
    ($($integer:ty)+) => { $(
        impl From<$integer> for Numeric {
            fn from(integer: $integer) -> Self {
                Self(integer.to_string())
            }
        }
    )+ };
}
from_integers! { i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 }

/// From a JSON number, by its text, or from a JSON text.
impl<'de> Deserialize<'de> for Numeric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let text = match text.strip_prefix('"') {
            Some(_) => serde_json::from_str::<String>(text).map_err(D::Error::custom)?,
            None => text.to_owned(),
        };
        text.parse()
            .map_err(|_| D::Error::invalid_value(Unexpected::Other("another value"), &"a decimal number"))
    }
}

/// As a JSON number, by its text.
impl Serialize for Numeric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_finite() {
            return serializer.serialize_str(&self.0);
        }
        RawValue::from_string(self.0.clone()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl Literal for Numeric {
    fn literal(self) -> String {
        self.0
    }
}
impl Literal for &Numeric {
    fn literal(self) -> String {
        self.0.clone()
    }
}
impl Comparable<Self> for Numeric {}
impl Comparable<Numeric> for &Numeric {}
impl Comparable<Numeric> for i32 {}
impl Comparable<Numeric> for i64 {}

macro_rules! assign_integers {
    ($($integer:ty)+) => { $(
        impl Assign<Numeric> for $integer {
            fn assign(self) -> Numeric {
                self.into()
            }
        }
        impl Assign<Option<Numeric>> for $integer {
            fn assign(self) -> Option<Numeric> {
                Some(self.into())
            }
        }
    )+ };
}
assign_integers! { i32 i64 }

#[cfg(feature = "rust_decimal")]
mod with_rust_decimal {
    use rust_decimal::Decimal;

    use super::{Assign, Comparable, Literal, NotNumeric, Numeric};

    impl Assign<Numeric> for Decimal {
        fn assign(self) -> Numeric {
            self.into()
        }
    }
    impl Assign<Option<Numeric>> for Decimal {
        fn assign(self) -> Option<Numeric> {
            Some(self.into())
        }
    }

    impl From<Decimal> for Numeric {
        fn from(decimal: Decimal) -> Self {
            Self(decimal.to_string())
        }
    }

    /// Fails for more digits than a [`Decimal`] holds, 28; nothing is rounded.
    impl TryFrom<&Numeric> for Decimal {
        type Error = NotNumeric;

        fn try_from(numeric: &Numeric) -> Result<Self, NotNumeric> {
            let text = numeric.as_str();
            match text.contains(['e', 'E']) {
                true => Self::from_scientific(text),
                false => Self::from_str_exact(text),
            }
            .map_err(|_| NotNumeric)
        }
    }

    impl Literal for Decimal {
        fn literal(self) -> String {
            self.to_string()
        }
    }
    impl Comparable<Numeric> for Decimal {}
}

/// A document prepared for full-text search, `tsvector`, as its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TsVector(pub String);

/// Makes an enum of a PostgreSQL enum: its labels as variants, and `Other` for one that came later.
///
/// ```
/// supabase_sdk::pg_enum! {
///     /// How far a booking has come.
///     pub enum Status {
///         Pending = "pending",
///         InProgress = "in progress",
///     }
/// }
///
/// let read: Vec<Status> = serde_json::from_str(r#"["in progress", "brand new"]"#)?;
/// assert_eq!(read, [Status::InProgress, Status::Other("brand new".into())]);
/// assert_eq!(serde_json::to_string(&read)?, r#"["in progress","brand new"]"#);
/// assert_eq!(Status::from("pending"), Status::Pending);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! pg_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $label:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[$variant_meta])*
                #[doc = concat!("`", $label, "`")]
                $variant,
            )*
            /// A label that was not there when this was written.
            Other(String),
        }

        impl $name {
            /// Its label.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $label,)*
                    Self::Other(label) => label,
                }
            }
        }

        impl From<&str> for $name {
            fn from(label: &str) -> Self {
                match label {
                    $($label => Self::$variant,)*
                    label => Self::Other(label.to_owned()),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, out: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                let label = <::std::borrow::Cow<'de, str> as $crate::serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(&*label))
            }
        }

        impl $crate::rest::Literal for $name {
            fn literal(self) -> String {
                self.as_str().to_owned()
            }
        }
        impl $crate::rest::Literal for &$name {
            fn literal(self) -> String {
                self.as_str().to_owned()
            }
        }
        impl $crate::rest::Comparable<$name> for $name {}
        impl $crate::rest::Comparable<$name> for &$name {}
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_kept_to_the_last_digit() {
        for text in ["0", "-1.50", "12345678901234567890.1234567890123456789", "1e-7", "NaN", "-Infinity"] {
            let number: Numeric = text.parse().unwrap();
            let json = serde_json::to_string(&number).unwrap();
            assert_eq!(serde_json::from_str::<Numeric>(&json).unwrap().as_str(), text);
        }
        assert_eq!(serde_json::from_str::<Numeric>(r#""12.50""#).unwrap().as_str(), "12.50");
        let in_value: serde_json::Value = serde_json::from_str("[12.5]").unwrap();
        assert_eq!(serde_json::from_value::<Vec<Numeric>>(in_value).unwrap()[0].as_str(), "12.5");
    }

    #[test]
    fn what_is_no_number_is_refused_and_not_repeated() {
        for text in ["", " 1", "1 ", "12,50", "0x1", "1.", "+1", "true", "null", "\"1\"", "[1]", "nan"] {
            assert_eq!(text.parse::<Numeric>(), Err(NotNumeric), "{text:?}");
        }
        let error = serde_json::from_str::<Numeric>("\"s3cret\"").unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[cfg(feature = "rust_decimal")]
    #[test]
    fn a_decimal_that_does_not_fit_is_not_rounded() {
        use rust_decimal::Decimal;
        let number = |text: &str| Decimal::try_from(&text.parse::<Numeric>().unwrap());
        assert_eq!(number("12.50").unwrap().to_string(), "12.50");
        assert_eq!(number("1.5e3").unwrap(), Decimal::from(1500));
        assert_eq!(number("0.12345678901234567890123456789012345"), Err(NotNumeric));
        assert_eq!(number("NaN"), Err(NotNumeric));
    }
}
