//! A value as the file has it: members in their order, numbers as their text.
//!
//! Equality is by meaning: member order and the spelling of a number do not count.

use indexmap::IndexMap;
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use crate::number::Number;

/// The members of an object, in file order.
pub type Map = IndexMap<String, Node>;

/// One JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(Number),
    /// A text, in Unicode and without NUL.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Map(Map),
}

impl Node {
    /// True for what an old app leaves where there is nothing: `null` and `""`.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => false,
        }
    }

    /// True for a list or an object.
    pub(crate) fn is_container(&self) -> bool {
        match self {
            Self::List(_) | Self::Map(_) => true,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// The kind of value, in a word an error can use.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    /// Adds the value to a hash: equal values the same, whatever the order of members and the spelling of
    /// numbers.
    pub(crate) fn feed(&self, hasher: &mut blake3::Hasher) {
        let put = |hasher: &mut blake3::Hasher, tag: u8, text: &str| {
            hasher.update(&[tag]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        };
        match self {
            Self::Null => put(hasher, 0x80, ""),
            Self::Bool(value) => put(hasher, 0x81, if *value { "t" } else { "f" }),
            Self::Number(number) => put(hasher, 0x82, &number.canonical()),
            Self::Text(text) => put(hasher, 0x83, text),
            Self::List(items) => {
                put(hasher, 0x84, &items.len().to_string());
                items.iter().for_each(|item| item.feed(hasher));
            }
            Self::Map(members) => {
                put(hasher, 0x85, &members.len().to_string());
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by_key(|(name, _)| *name);
                for (name, value) in sorted {
                    put(hasher, 0x83, name);
                    value.feed(hasher);
                }
            }
        }
    }

    /// The value as JSON text with one spelling per value: members by name, numbers in their shortest form.
    pub fn canonical_json(&self) -> String {
        self.canonical().to_json()
    }

    fn canonical(&self) -> Self {
        match self {
            Self::Number(number) => {
                Self::Number(Number::parse(&number.canonical()).unwrap_or_else(|| number.clone()))
            }
            Self::List(items) => Self::List(items.iter().map(Self::canonical).collect()),
            Self::Map(members) => {
                let mut members: Map =
                    members.iter().map(|(name, value)| (name.clone(), value.canonical())).collect();
                members.sort_unstable_keys();
                Self::Map(members)
            }
            Self::Null | Self::Bool(_) | Self::Text(_) => self.clone(),
        }
    }

    /// The value as JSON text.
    pub fn to_json(&self) -> String {
        // Every part of a node is valid JSON already, so there is nothing left to fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// For `serde_json` writing text; a detour through `serde_json::Value` would cut long numbers.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => RawValue::from_string(number.as_str().to_owned())
                .map_err(S::Error::custom)?
                .serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}
