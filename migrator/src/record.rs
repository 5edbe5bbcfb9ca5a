//! One item of a collection, and which of its fields have found a column.
//!
//! Secrets are gone before anything else looks at a record. Every other field is either
//! taken by a column, an id or a child, or is left over at the end; nothing falls between.

use std::collections::HashMap;

use crate::export::{Item, item_place};
use crate::mapping::Field;
use crate::node::{Map, Node};
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
    group: Option<Node>,
    place: Node,
    /// The record without its secrets.
    value: Node,
}

/// What has become of the fields of a record so far, by the names on the way to each; those not listed are
/// left over.
#[derive(Debug, Default)]
pub(crate) struct Fates(HashMap<Vec<String>, Fate>);

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
    pub(crate) fn new(item: Item, secrets: &mut Vec<Pointer>) -> Self {
        let Item { at, index, key, group, value } = item;
        let value = match secret::holds_secrets(&value) {
            true => secret::without_secrets(&value, &at, secrets).unwrap_or(Node::Null),
            false => value,
        };
        let (key, group) = (key.map(Node::Text), group.map(Node::Text));
        Self { at, index, key, group, place: item_place(index), value }
    }

    /// A record of which nothing is known but its id.
    pub(crate) fn mentioned(at: Pointer, index: usize, id: Node) -> Self {
        Self { at, index, key: Some(id), group: None, place: item_place(index), value: Node::Map(Map::new()) }
    }

    /// The record as a whole.
    pub(crate) fn value(&self) -> &Node {
        &self.value
    }

    /// The name it is kept under, and that of what it lies in.
    pub(crate) fn names(&self) -> (Option<&Node>, Option<&Node>) {
        (self.key.as_ref(), self.group.as_ref())
    }

    /// What stands in a field, without taking it.
    pub(crate) fn peek(&self, field: &Field) -> Option<&Node> {
        match field {
            Field::Whole => Some(&self.value),
            Field::Key => self.key.as_ref(),
            Field::Group => self.group.as_ref(),
            Field::Index => Some(&self.place),
            Field::Named(steps) => self.find(steps),
        }
    }

    /// The first of some fields that holds something.
    pub(crate) fn first<'f>(&self, fields: &'f [Field]) -> Option<&'f Field> {
        fields.iter().find(|field| self.peek(field).is_some_and(|value| !value.is_blank()))
    }

    /// What stands at the end of a way through objects.
    pub(crate) fn find(&self, steps: &[String]) -> Option<&Node> {
        steps.iter().try_fold(&self.value, |node, step| match node {
            Node::Map(members) => members.get(step),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => None,
        })
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

    /// The fields a column has read and could not hold, with their values.
    pub(crate) fn kept(&self, fates: &Fates) -> Map {
        let Node::Map(members) = &self.value else { return Map::new() };
        let is_kept = |name: &String| fates.0.get(std::slice::from_ref(name)) == Some(&Fate::Kept);
        members
            .iter()
            .filter(|(name, _)| is_kept(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The fields that no column holds, with their values.
    pub(crate) fn left_over(&self, fates: &Fates) -> Map {
        match &self.value {
            Node::Map(members) => fates.left_over(members, &mut Vec::new()),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => Map::new(),
        }
    }
}

impl Fates {
    /// Says that a column holds all there is to know of a field.
    pub(crate) fn take(&mut self, field: &Field, record: &Record) {
        match (field, &record.value) {
            (Field::Named(steps), _) => {
                self.0.entry(steps.clone()).or_insert(Fate::Taken);
            }
            (Field::Whole, Node::Map(members)) => {
                self.0.extend(members.keys().map(|name| (vec![name.clone()], Fate::Taken)));
            }
            (Field::Whole | Field::Key | Field::Group | Field::Index, _) => {}
        }
    }

    /// Says that a field's old value must stay, because its column could not hold it.
    pub(crate) fn keep(&mut self, field: &Field) {
        if let Field::Named(steps) = field {
            self.0.insert(steps.clone(), Fate::Kept);
        }
    }

    /// What is left of an object that lies at the end of `way`. An object of which all was taken is gone.
    fn left_over(&self, members: &Map, way: &mut Vec<String>) -> Map {
        let mut left = Map::new();
        for (name, value) in members {
            way.push(name.clone());
            match (self.0.get(way), value) {
                (Some(Fate::Taken), _) => {}
                (None, Node::Map(inner)) if self.0.keys().any(|taken| taken.starts_with(way)) => {
                    let inner = self.left_over(inner, way);
                    if !inner.is_empty() {
                        left.insert(name.clone(), Node::Map(inner));
                    }
                }
                (Some(Fate::Kept) | None, _) => {
                    left.insert(name.clone(), value.clone());
                }
            }
            way.pop();
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::read_json;

    fn record(value: Node) -> Record {
        let item = Item { at: Pointer::root(), index: 0, key: None, group: None, value };
        Record::new(item, &mut Vec::new())
    }

    #[test]
    fn a_field_of_an_object_is_taken_out_of_it() {
        let field = |names: &[&str]| Field::Named(names.iter().map(|name| (*name).to_owned()).collect());
        for (taken, left) in [
            (vec![field(&["a", "b"])], r#"{"a":{"c":2},"d":3}"#),
            (vec![field(&["a", "b"]), field(&["a", "c"])], r#"{"d":3}"#),
            (vec![field(&["a"])], r#"{"d":3}"#),
            (vec![field(&["a", "x"])], r#"{"a":{"b":1,"c":2},"d":3}"#),
        ] {
            let record = record(read_json(r#"{"a":{"b":1,"c":2},"d":3}"#).expect("JSON"));
            let mut fates = Fates::default();
            for field in &taken {
                record.take(std::slice::from_ref(field), &mut fates);
            }
            assert_eq!(Node::Map(record.left_over(&fates)).to_json(), left, "{taken:?}");
        }
    }

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
            let record = record(node);
            let fields = [Field::named("brand"), Field::named("make")];
            let mut fates = Fates::default();
            let found = record.take(&fields, &mut fates).value.map(Node::to_json);
            assert_eq!(found.as_deref(), value, "{json}");
            assert_eq!(Node::Map(record.left_over(&fates)).to_json(), left, "{json}");
        }
    }
}
