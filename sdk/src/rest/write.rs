//! What is written: values that may be unset, and the shapes of an insert and an update.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::rest::Row;

/// A column in an insert or an update: a value, null among them, or not mentioned at all.
///
/// ```
/// use supabase_sdk::rest::Set;
/// let name: Set<Option<String>> = Set::Unset;      // the column keeps what it has, or takes its default
/// let null: Set<Option<String>> = Set::To(None);   // the column becomes null
/// assert!(name.is_unset() && !null.is_unset());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Set<T> {
    /// Not mentioned.
    #[default]
    Unset,
    /// Becomes this.
    To(T),
}

impl<T> Set<T> {
    /// True if the column is not mentioned.
    pub fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }
}

impl<T> From<T> for Set<T> {
    fn from(value: T) -> Self {
        Self::To(value)
    }
}

/// As its value. One that is unset has to be skipped, `#[serde(skip_serializing_if = "Set::is_unset")]`, as
/// the derives do; JSON has no word for it.
impl<T: Serialize> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::To(value) => value.serialize(serializer),
            Self::Unset => Err(serde::ser::Error::custom("an unset column has to be skipped")),
        }
    }
}

/// A value that a column of type `T` can be set to: `T` itself, a `&str` for text, and for a column that
/// may be null also the value without `Some`.
#[diagnostic::on_unimplemented(message = "a column of type `{T}` cannot be set to `{Self}`")]
pub trait Assign<T> {
    /// The column's value.
    fn assign(self) -> T;
}

impl<T> Assign<T> for T {
    fn assign(self) -> T {
        self
    }
}

impl<T> Assign<Option<T>> for T {
    fn assign(self) -> Option<T> {
        Some(self)
    }
}

impl Assign<String> for &str {
    fn assign(self) -> String {
        self.to_owned()
    }
}

impl Assign<Option<String>> for &str {
    fn assign(self) -> Option<String> {
        Some(self.to_owned())
    }
}

/// What can be added to the table whose row is `R`: a whole row, or the shape `#[derive(Table)]` makes
/// with `insert = …`.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be added to the table of `{R}`")]
pub trait Insertable<R>: Serialize {}

impl<R: Row + Serialize> Insertable<R> for R {}

/// What rows of the table whose row is `R` can be changed by: the shape `#[derive(Table)]` makes with
/// `update = …`, or a whole row.
#[diagnostic::on_unimplemented(message = "`{Self}` does not change rows of the table of `{R}`")]
pub trait Changes<R>: Serialize {}

impl<R: Row + Serialize> Changes<R> for R {}

/// The columns each row of a JSON body sets, read off the body, so that they are those that are sent.
#[derive(Clone, Default)]
pub(super) struct RowKeys {
    /// A set of columns, in the order they were met, and which rows set exactly these.
    pub(super) groups: Vec<(Vec<String>, Vec<usize>)>,
}

impl RowKeys {
    /// Reads a body that is one object or an array of them.
    pub(super) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let rows = serde_json::from_slice::<OneOrMany>(body)?.0;
        let mut keys = Self::default();
        for (index, row) in rows.into_iter().enumerate() {
            let same = |known: &Vec<String>| {
                known.len() == row.len() && row.iter().all(|name| known.iter().any(|known| known == name))
            };
            match keys.groups.iter_mut().find(|(known, _)| same(known)) {
                Some((_, rows)) => rows.push(index),
                None => keys.groups.push((row.into_iter().map(Cow::into_owned).collect(), vec![index])),
            }
        }
        Ok(keys)
    }

    /// True if not all rows set the same columns.
    pub(super) fn are_ragged(&self) -> bool {
        self.groups.len() > 1
    }

    /// Every column that some row sets.
    pub(super) fn union(&self) -> Vec<&str> {
        let mut union: Vec<&str> = Vec::new();
        for name in self.groups.iter().flat_map(|(names, _)| names) {
            if !union.contains(&name.as_str()) {
                union.push(name);
            }
        }
        union
    }
}

/// The keys of one object, or of each in an array.
struct OneOrMany<'a>(Vec<Vec<Cow<'a, str>>>);

impl<'de> Deserialize<'de> for OneOrMany<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = OneOrMany<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a row, or several")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(OneOrMany(vec![keys(map)?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::with_capacity(rows.size_hint().unwrap_or_default());
                while let Some(Keys(row)) = rows.next_element()? {
                    read.push(row);
                }
                Ok(OneOrMany(read))
            }
        }
        deserializer.deserialize_any(Rows)
    }
}

struct Keys<'a>(Vec<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Keys<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneRow;
        impl<'de> Visitor<'de> for OneRow {
            type Value = Keys<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a row: an object with a value for each column")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                keys(map).map(Keys)
            }
        }
        deserializer.deserialize_map(OneRow)
    }
}

fn keys<'de, A: MapAccess<'de>>(mut map: A) -> Result<Vec<Cow<'de, str>>, A::Error> {
    #[derive(Deserialize)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
    let mut read = Vec::with_capacity(map.size_hint().unwrap_or_default());
    while let Some((Key(name), IgnoredAny)) = map.next_entry()? {
        read.push(name);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_each_row_are_read_off_the_body() {
        let keys = RowKeys::read(br#"[{"a":1,"b":{"x":[1]}},{"b":2,"a":null},{"c \"q":"y"}]"#).unwrap();
        assert!(keys.are_ragged());
        assert_eq!(keys.union(), ["a", "b", "c \"q"]);
        assert_eq!(keys.groups[0].1, [0, 1]);
        assert!(!RowKeys::read(br#"{"a":1}"#).unwrap().are_ragged());
        for body in ["", "[1]", "3", "[[]]", "null", "[{\"a\":1}"] {
            assert!(RowKeys::read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn unset_null_and_a_value_are_three_things() {
        #[derive(Serialize, Default)]
        struct Patch {
            #[serde(skip_serializing_if = "Set::is_unset")]
            a: Set<Option<i32>>,
            #[serde(skip_serializing_if = "Set::is_unset")]
            b: Set<Option<i32>>,
            #[serde(skip_serializing_if = "Set::is_unset")]
            c: Set<Option<i32>>,
        }
        let patch = Patch { b: Set::To(None), c: Some(1).into(), ..Patch::default() };
        assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"b":null,"c":1}"#);
        assert!(serde_json::to_string(&Set::<i32>::Unset).is_err());
    }
}
