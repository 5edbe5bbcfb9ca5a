//! One item of a collection, and which of its fields have found a column.
//!
//! Secrets are gone before anything else looks at a record. Every other field is either
//! taken by a column, an id or a child, or is left over at the end; nothing falls between.

use std::collections::HashMap;

use crate::mapping::Field;
use crate::node::{Map, Node};
use crate::number::Number;
use crate::pointer::Pointer;
use crate::secret;

/// One item of a collection.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Where it stands.
    pub(crate) at: Pointer,
    /// Its place in its list.
    pub(crate) index: usize,
    key: Option<Node>,
    place: Node,
    /// The record without its secrets.
    value: Node,
}

/// What has become of the fields of a record so far; those not listed are left over.
#[derive(Debug, Default)]
pub(crate) struct Fates(HashMap<String, Fate>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A column holds all there is to know of it.
    Taken,
    /// A column has read it, and its old value must be kept beside.
    Kept,
}

/// What a column finds in a record.
#[derive(Debug)]
pub(crate) struct Found<'r> {
    /// The value, if there is one; it may be null or empty.
    pub(crate) value: Option<&'r Node>,
    /// The field it came from.
    pub(crate) field: Option<&'r Field>,
    /// How many other fields held the same or nothing, and were dropped.
    pub(crate) dropped: usize,
}

impl Record {
    /// Takes an item of a collection; the places of its secrets are added to `secrets`.
    pub(crate) fn new(
        at: Pointer,
        index: usize,
        key: Option<&str>,
        value: &Node,
        secrets: &mut Vec<Pointer>,
    ) -> Self {
        let value = secret::without_secrets(value, &at, secrets).unwrap_or(Node::Null);
        Self {
            at,
            index,
            key: key.map(|key| Node::Text(key.to_owned())),
            place: Node::Number(Number::from_json(&index.to_string())),
            value,
        }
    }

    /// The record as a whole.
    pub(crate) fn value(&self) -> &Node {
        &self.value
    }

    /// What stands in a field, without taking it.
    pub(crate) fn peek(&self, field: &Field) -> Option<&Node> {
        match field {
            Field::Whole => Some(&self.value),
            Field::Key => self.key.as_ref(),
            Field::Index => Some(&self.place),
            Field::Named(name) => self.member(name),
        }
    }

    /// What stands under a name.
    pub(crate) fn member(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Node::Map(members) => members.get(name),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => None,
        }
    }

    /// Takes the best of several fields: the first with something in it, else the first
    /// empty text, else the first null. The others are dropped if they say the same or
    /// nothing, and stay otherwise.
    pub(crate) fn take<'r>(&'r self, fields: &'r [Field], fates: &mut Fates) -> Found<'r> {
        let present = || fields.iter().filter_map(|field| Some((field, self.peek(field)?)));
        let best = present()
            .find(|(_, value)| !value.is_blank())
            .or_else(|| present().find(|(_, value)| matches!(value, Node::Text(_))))
            .or_else(|| present().next());
        let Some((field, value)) = best else { return Found { value: None, field: None, dropped: 0 } };
        let mut dropped = 0;
        for (other, alternative) in present() {
            if other == field {
                fates.take(other, self);
            } else if alternative.is_blank() || alternative == value {
                fates.take(other, self);
                dropped += 1;
            }
        }
        Found { value: Some(value), field: Some(field), dropped }
    }

    /// The fields that no column holds, with their values.
    pub(crate) fn left_over(&self, fates: &Fates) -> Map {
        let Node::Map(members) = &self.value else { return Map::new() };
        let left = members.iter().filter(|(name, _)| fates.0.get(*name) != Some(&Fate::Taken));
        left.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl Fates {
    /// Says that a column holds all there is to know of a field.
    pub(crate) fn take(&mut self, field: &Field, record: &Record) {
        match (field, &record.value) {
            (Field::Named(name), _) => {
                self.0.entry(name.clone()).or_insert(Fate::Taken);
            }
            (Field::Whole, Node::Map(members)) => {
                self.0.extend(members.keys().map(|name| (name.clone(), Fate::Taken)));
            }
            (Field::Whole | Field::Key | Field::Index, _) => {}
        }
    }

    /// Says that a field's old value must stay, because its column could not hold it.
    pub(crate) fn keep(&mut self, field: &Field) {
        if let Field::Named(name) = field {
            self.0.insert(name.clone(), Fate::Kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::read_json;

    #[test]
    fn the_first_field_with_something_in_it_wins() {
        for (json, value, left) in [
            (r#"{"brand":"Renault","make":"Renault"}"#, Some(r#""Renault""#), "{}"),
            (r#"{"brand":"Renault","make":"Dacia"}"#, Some(r#""Renault""#), r#"{"make":"Dacia"}"#),
            (r#"{"brand":"","make":"Dacia"}"#, Some(r#""Dacia""#), "{}"),
            (r#"{"brand":null,"make":""}"#, Some(r#""""#), "{}"),
            (r#"{"brand":null,"other":1}"#, Some("null"), r#"{"other":1}"#),
            (r#"{"other":1}"#, None, r#"{"other":1}"#),
        ] {
            let node = read_json(json).expect("JSON");
            let record = Record::new(Pointer::root(), 0, None, &node, &mut Vec::new());
            let fields = [Field::Named("brand".to_owned()), Field::Named("make".to_owned())];
            let mut fates = Fates::default();
            let found = record.take(&fields, &mut fates).value.map(Node::to_json);
            assert_eq!(found.as_deref(), value, "{json}");
            assert_eq!(Node::Map(record.left_over(&fates)).to_json(), left, "{json}");
        }
    }
}
