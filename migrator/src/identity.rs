//! The id of a row is computed, never drawn: the same record gives the same row for ever.
//!
//! A record with an id of its own: `uuid5(namespace, scope ␟ table ␟ id)`.
//! A record without one: `uuid5(namespace, scope ␟ table ␟ key ␟ rank)`, where the key is
//! made of the fields that tell such records apart and the rank counts equals in file order.
//! A child: `uuid5(namespace, parent's uuid ␟ path ␟ key ␟ rank)`.
//! ␟ is U+001F; a place in a list is never part of an id.
//!
//! An old id that is a UUID is hashed like any other. Kept as it is, it would be the
//! primary key of two different rows as soon as two owners import the same file, or one
//! owner imports two copies under two scopes; the scope (the owner, unless the mapping
//! or the command line says otherwise) keeps them apart. The old id itself stays readable
//! in the legacy column, so every id can be computed again in SQL.

use uuid::Uuid;

use crate::node::Node;

/// Stands between the parts of a name; no part that is an id may hold it.
pub const SEPARATOR: char = '\u{1F}';

/// Makes the ids of one import.
#[derive(Debug, Clone)]
pub struct Identity {
    namespace: Uuid,
    scope: String,
}

/// A row's id and the text it was made from, as the legacy column keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The row's id.
    pub id: Uuid,
    /// The old id; for a record without one, what stood in for it.
    pub legacy: String,
    /// True of a record without an id.
    pub nameless: bool,
}

impl Identity {
    /// Makes ids in this namespace and scope.
    pub fn new(namespace: Uuid, scope: impl Into<String>) -> Self {
        Self { namespace, scope: scope.into() }
    }

    /// The scope all ids are made in.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The row of a record that has an id.
    pub fn of_record(&self, table: &str, canon: String) -> Identified {
        let id = self.hash(&[&self.scope, table, &canon]);
        Identified { id, legacy: canon, nameless: false }
    }

    /// The row of a record that has none: `rank` numbers those with the same key.
    pub fn of_nameless(&self, table: &str, key: &str, rank: usize) -> Identified {
        let legacy = format!("{key}{SEPARATOR}{rank}");
        Identified { id: self.hash(&[&self.scope, table, &legacy]), legacy, nameless: true }
    }

    /// The row of a record that lies in another: `rank` numbers siblings with the same key.
    pub fn of_child(&self, parent: Uuid, path: &str, key: &str, rank: usize) -> Identified {
        let legacy = format!("{path}{SEPARATOR}{key}{SEPARATOR}{rank}");
        Identified { id: self.hash(&[&parent.to_string(), &legacy]), legacy, nameless: true }
    }

    fn hash(&self, parts: &[&str]) -> Uuid {
        Uuid::new_v5(&self.namespace, parts.join(&SEPARATOR.to_string()).as_bytes())
    }
}

/// An old id as one text: `7`, `"7"` and `7.0` are one id, `"007"` is another.
///
/// Nothing when the value cannot be an id: a boolean, a list, an object, or a text with
/// the separator in it. A blank is no id either, and is told apart by the caller.
pub(crate) fn canon(value: &Node) -> Option<String> {
    match value {
        Node::Number(number) => Some(number.canonical()),
        Node::Text(text) => (!text.contains(SEPARATOR)).then(|| text.clone()),
        Node::Null | Node::Bool(_) | Node::List(_) | Node::Map(_) => None,
    }
}

/// A part of a natural key; what is missing counts as an empty text.
pub(crate) fn key_part(value: Option<&Node>) -> String {
    match value {
        None | Some(Node::Null) => String::new(),
        Some(Node::Text(text)) => text.clone(),
        Some(Node::Number(number)) => number.canonical(),
        Some(node @ (Node::Bool(_) | Node::List(_) | Node::Map(_))) => node.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;
    use proptest::prelude::*;

    fn identity(scope: &str) -> Identity {
        Identity::new(Uuid::from_u128(0x6ba7b810_9dad_11d1_80b4_00c04fd430c8), scope)
    }

    #[test]
    fn an_id_is_the_uuid5_anybody_can_compute() {
        // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_DNS, "s\x1fcustomers\x1f7"))'
        let made = identity("s").of_record("customers", "7".to_owned());
        assert_eq!(made.id.to_string(), "4e045cc0-f524-56b6-88f2-c606e0437993");
        assert_eq!(made.legacy, "7");
    }

    #[test]
    fn seven_is_seven_however_it_is_written() {
        let number = |text| Node::Number(Number::from_json(text));
        let text = |text: &str| Node::Text(text.to_owned());
        assert_eq!(canon(&number("7")), canon(&text("7")));
        assert_eq!(canon(&number("7.0")), canon(&text("7")));
        assert_ne!(canon(&text("007")), canon(&text("7")));
        assert_eq!(canon(&number("0")).as_deref(), Some("0"));
        assert_eq!(canon(&text("a\u{1f}b")), None);
        assert_eq!(canon(&Node::Bool(true)), None);
    }

    proptest! {
        #[test]
        fn different_names_have_different_ids(
            left in ("[^\u{1f}]{0,6}", "[a-z]{1,3}", "[^\u{1f}]{1,6}"),
            right in ("[^\u{1f}]{0,6}", "[a-z]{1,3}", "[^\u{1f}]{1,6}"),
        ) {
            let id = |(scope, table, old): &(String, String, String)| identity(scope).of_record(table, old.clone()).id;
            prop_assert_eq!(left == right, id(&left) == id(&right));
        }

        #[test]
        fn equal_children_get_different_ids(key in ".{0,8}", ranks in (0_usize..50, 0_usize..50)) {
            let child = |rank| identity("s").of_child(Uuid::from_u128(1), "lines", &key, rank).id;
            prop_assert_eq!(ranks.0 == ranks.1, child(ranks.0) == child(ranks.1));
        }

        #[test]
        fn an_integer_is_the_same_id_as_number_and_as_text(value in any::<i64>()) {
            let plain = canon(&Node::Text(value.to_string()));
            prop_assert_eq!(&canon(&Node::Number(Number::from_json(&value.to_string()))), &plain);
            prop_assert_eq!(&canon(&Node::Number(Number::from_json(&format!("{value}.0")))), &plain);
        }
    }
}
