//! One value as PostgreSQL will hold it: typed, and with one spelling per value.
//!
//! A cell made from a record and a cell read back from the table are equal exactly when
//! the database would call the two values equal. Numbers of an answer are read as their
//! text, so no precision is lost on the way back.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use rust_decimal::Decimal;
use serde::ser::{Serialize, Serializer};
use uuid::Uuid;

use crate::node::Node;

/// A column type a mapping may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `text`.
    Text,
    /// `int4`, 32 bits.
    Int4,
    /// `int8`, 64 bits.
    Int8,
    /// `numeric`, or `numeric(precision,scale)`.
    Numeric(Option<Size>),
    /// `bool`.
    Bool,
    /// `date`.
    Date,
    /// `timestamptz`.
    Timestamptz,
    /// `uuid`.
    Uuid,
    /// `jsonb`.
    Jsonb,
    /// `text[]`.
    TextArray,
}

/// The digits a `numeric(precision,scale)` has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// All digits.
    pub precision: u32,
    /// Those behind the point.
    pub scale: u32,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing is sent: the column's own default decides, and what is there stays.
    Unset,
    /// NULL.
    Null,
    /// `text`.
    Text(String),
    /// `int4` and `int8`.
    Int(i64),
    /// `numeric`; `1.50` equals `1.5`.
    Numeric(Decimal),
    /// `bool`.
    Bool(bool),
    /// `date`.
    Date(Date),
    /// `timestamptz`, in whole microseconds.
    Instant(Timestamp),
    /// `uuid`.
    Uuid(Uuid),
    /// `jsonb`.
    Json(Node),
    /// `text[]`.
    TextArray(Vec<Option<String>>),
}

impl Cell {
    /// An instant as PostgreSQL keeps it, in whole microseconds.
    pub(crate) fn instant(exact: Timestamp) -> Self {
        Self::Instant(exact.round(Unit::Microsecond).unwrap_or(exact))
    }

    /// True for a value that leaves the column without one.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Reads a value of a row that was asked for as one document, as `select=*` or `to_jsonb` give it; nothing
    /// when it is one we could not have written.
    pub(crate) fn of_image(kind: Type, value: &Node) -> Option<Self> {
        Some(match (kind, value) {
            (_, Node::Null) => Self::Null,
            (Type::Text, Node::Text(text)) => Self::Text(text.clone()),
            (Type::Int4 | Type::Int8, Node::Number(number)) => Self::Int(number.as_str().parse().ok()?),
            (Type::Numeric(_), Node::Number(number)) => Self::Numeric(number.to_decimal()?),
            (Type::Bool, Node::Bool(value)) => Self::Bool(*value),
            (Type::Date, Node::Text(text)) => Self::Date(text.parse().ok()?),
            (Type::Timestamptz, Node::Text(text)) => Self::Instant(text.parse().ok()?),
            (Type::Uuid, Node::Text(text)) => Self::Uuid(text.parse().ok()?),
            (Type::Jsonb, document) => Self::Json(document.clone()),
            (Type::TextArray, Node::List(items)) => {
                Self::TextArray(items.iter().map(array_item).collect::<Option<_>>()?)
            }
            (
                Type::Text
                | Type::Int4
                | Type::Int8
                | Type::Numeric(_)
                | Type::Bool
                | Type::Date
                | Type::Timestamptz
                | Type::Uuid
                | Type::TextArray,
                _,
            ) => return None,
        })
    }
}

impl Cell {
    /// Adds the value to a hash: equal values add the same bytes, others do not.
    pub(crate) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        // A tag, then the length where it is not fixed: no two lists of values add the same bytes.
        match self {
            Self::Unset => hash(hasher, b'u', b""),
            Self::Null => hash(hasher, b'0', b""),
            Self::Text(text) => hash(hasher, b't', text.as_bytes()),
            Self::Int(value) => hash(hasher, b'i', &value.to_be_bytes()),
            Self::Numeric(value) => hash(hasher, b'n', value.normalize().to_string().as_bytes()),
            Self::Bool(value) => hash(hasher, b'b', &[u8::from(*value)]),
            Self::Date(date) => hash(hasher, b'd', date.to_string().as_bytes()),
            Self::Instant(instant) => hash(hasher, b's', &instant.as_microsecond().to_be_bytes()),
            Self::Uuid(id) => hash(hasher, b'g', id.as_bytes()),
            Self::Json(node) => hash(hasher, b'j', node.canonical_json().as_bytes()),
            Self::TextArray(items) => {
                hash(hasher, b'a', &(items.len() as u64).to_be_bytes());
                for item in items {
                    match item {
                        None => hash(hasher, b'0', b""),
                        Some(text) => hash(hasher, b't', text.as_bytes()),
                    }
                }
            }
        }
    }
}

fn hash(hasher: &mut blake3::Hasher, tag: u8, bytes: &[u8]) {
    hasher.update(&[tag]).update(&(bytes.len() as u64).to_be_bytes()).update(bytes);
}

fn array_item(item: &Node) -> Option<Option<String>> {
    match item {
        Node::Null => Some(None),
        Node::Text(text) => Some(Some(text.clone())),
        Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => None,
    }
}

/// The form PostgREST takes: exact numbers as texts, documents as themselves.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset | Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Numeric(value) => serializer.collect_str(value),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Date(date) => serializer.collect_str(date),
            Self::Instant(instant) => serializer.collect_str(instant),
            Self::Uuid(id) => serializer.collect_str(id),
            Self::Json(node) => node.serialize(serializer),
            Self::TextArray(items) => items.serialize(serializer),
        }
    }
}

impl FromStr for Type {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        Ok(match plain.as_str() {
            "text" => Self::Text,
            "int4" => Self::Int4,
            "int8" => Self::Int8,
            "numeric" => Self::Numeric(None),
            "bool" => Self::Bool,
            "date" => Self::Date,
            "timestamptz" => Self::Timestamptz,
            "uuid" => Self::Uuid,
            "jsonb" => Self::Jsonb,
            "text[]" => Self::TextArray,
            sized => Self::Numeric(Some(size(sized).ok_or_else(|| {
                format!(
                    "unknown type `{text}`; known are text, int4, int8, numeric, numeric(p,s), bool, date, \
                     timestamptz, uuid, jsonb, text[]"
                )
            })?)),
        })
    }
}

fn size(text: &str) -> Option<Size> {
    let (precision, scale) = text.strip_prefix("numeric(")?.strip_suffix(')')?.split_once(',')?;
    let size = Size { precision: precision.parse().ok()?, scale: scale.parse().ok()? };
    // A decimal here has at most 28 digits; a wider column can hold all of them anyway.
    (size.precision >= 1 && size.precision <= 1000 && size.scale <= size.precision.min(28)).then_some(size)
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Numeric(Some(Size { precision, scale })) => {
                return write!(f, "numeric({precision},{scale})");
            }
            Self::Text => "text",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Numeric(None) => "numeric",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Timestamptz => "timestamptz",
            Self::Uuid => "uuid",
            Self::Jsonb => "jsonb",
            Self::TextArray => "text[]",
        })
    }
}
