//! A changed row, and how much of it somebody may be shown.
//!
//! What a table is like is asked of the database at the time of the change, not remembered: grants and
//! row-level security may have changed since. A row without a primary key, or one whose primary key the
//! caller's role may not select, is told of and not shown.

use std::sync::Arc;

use serde_json::{Map, Value, json};

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Insert,
    Update,
    Delete,
}

/// A table as the stream describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) columns: Vec<Column>,
}

/// A column as the stream describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Part of what a row is known by: of the primary key, or of everything (`replica identity full`).
    pub(super) identifies: bool,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Text(String),
    /// Stored apart and unchanged, or no part of what identifies the row.
    Unsaid,
}

/// A changed row: the new one, and as much of the old one as identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) relation: Arc<Relation>,
    pub(super) operation: Operation,
    /// Empty for a deletion.
    pub(super) new: Vec<Cell>,
    /// Empty for an insertion.
    pub(super) old: Vec<Cell>,
}

/// A table as the database has it now.
#[derive(Debug)]
pub(super) struct Facts {
    /// Row-level security is on.
    pub(super) is_guarded: bool,
    /// As SQL names it.
    pub(super) name: String,
    pub(super) columns: Vec<Fact>,
}

/// A column as the database has it now.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) name: String,
    /// As SQL names it.
    pub(super) identifier: String,
    /// As clients are told.
    pub(super) type_name: String,
    /// As SQL names it.
    pub(super) sql_type: String,
    pub(super) is_key: bool,
    /// For each role that listens, whether it may select the column.
    pub(super) readable: Vec<bool>,
}

/// A row as JSON, by the columns of its relation; `None` where nothing was said.
pub(super) type Row = Vec<Option<Value>>;

/// A change as JSON, before it is cut to what somebody may see.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) change: &'a Change,
    pub(super) facts: &'a Facts,
    /// When it was committed, as clients are told.
    pub(super) committed: &'a str,
    pub(super) new: Row,
    pub(super) old: Row,
}

/// No larger change is sent whole.
const LARGEST: usize = 1 << 20;
/// And of one that is larger, no larger value.
const SMALL: usize = 64;

impl Operation {
    /// As clients are told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl Relation {
    /// A row without the values that do not identify it.
    pub(super) fn identity(&self, row: &[Cell]) -> Vec<Cell> {
        let pairs = self.columns.iter().zip(row);
        pairs.map(|(column, cell)| if column.identifies { cell.clone() } else { Cell::Unsaid }).collect()
    }

    /// Where a row has this column.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl Cell {
    /// The value as a text the database reads; `None` if nothing was said.
    pub(super) fn said(&self) -> Option<Option<&str>> {
        match self {
            Self::Null => Some(None),
            Self::Text(text) => Some(Some(text)),
            Self::Unsaid => None,
        }
    }
}

impl Change {
    /// What a column is compared by: the new row, or what identifies the old one where there is no new.
    pub(super) fn value(&self, column: &str) -> Option<Option<&str>> {
        let row = if self.operation == Operation::Delete { &self.old } else { &self.new };
        row.get(self.relation.position(column)?)?.said()
    }

    fn is_too_large(&self) -> bool {
        let cells = self.new.iter().chain(&self.old);
        cells.filter_map(|cell| cell.said().flatten()).map(str::len).sum::<usize>() > LARGEST
    }
}

impl Facts {
    /// What is known of a column.
    pub(super) fn column(&self, name: &str) -> Option<&Fact> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The same, if the first role that was asked about may read it.
    pub(super) fn readable(&self, name: &str) -> Option<&Fact> {
        self.column(name).filter(|column| column.may_read(0))
    }

    /// Why a role is told that something happened, and no more.
    fn objection(&self, operation: Operation, role: usize) -> Option<&'static str> {
        let mut keys = self.columns.iter().filter(|column| column.is_key).peekable();
        if operation == Operation::Delete {
            None
        } else if keys.peek().is_none() {
            Some("Error 400: Bad Request, no primary key")
        } else if keys.any(|key| !key.may_read(role)) {
            Some("Error 401: Unauthorized")
        } else {
            None
        }
    }
}

impl Fact {
    fn may_read(&self, role: usize) -> bool {
        self.readable.get(role).copied().unwrap_or_default()
    }

    /// True if it is among those that were asked for; the key always is.
    fn is_wanted(&self, select: Option<&[String]>) -> bool {
        self.is_key || select.is_none_or(|select| select.contains(&self.name))
    }
}

impl Picture<'_> {
    /// What a role is told without being asked whether it may see the row: why it may not see any.
    pub(super) fn refusal(&self, role: usize) -> Option<Value> {
        let Change { operation, .. } = self.change;
        let error = self.facts.objection(*operation, role)?;
        let mut data = self.head();
        data.insert("columns".to_owned(), json!([]));
        data.insert("record".to_owned(), json!({}));
        if *operation == Operation::Update {
            data.insert("old_record".to_owned(), json!({}));
        }
        data.insert("errors".to_owned(), json!([error]));
        Some(Value::Object(data))
    }

    /// What a role is shown of a row it may see.
    pub(super) fn show(&self, role: usize, select: Option<&[String]>) -> Value {
        let Self { change, facts, .. } = self;
        let is_too_large = change.is_too_large();
        let shown: Vec<_> =
            facts.columns.iter().filter(|fact| fact.may_read(role) && fact.is_wanted(select)).collect();
        let columns: Vec<_> =
            shown.iter().map(|fact| json!({"name": fact.name, "type": fact.type_name})).collect();
        let at = |row: &Row, fact: &Fact| row.get(change.relation.position(&fact.name)?)?.clone();
        let fits = |value: &Value| !is_too_large || value.to_string().len() <= SMALL;
        let collect = |value: &dyn Fn(&Fact) -> Option<Value>| -> Value {
            let pairs = shown.iter().filter_map(|fact| Some((fact.name.clone(), value(fact).filter(fits)?)));
            Value::Object(pairs.collect())
        };
        let mut data = self.head();
        data.insert("columns".to_owned(), Value::Array(columns));
        // A value that is stored apart and did not change is in the old row, if that is whole.
        let record = || collect(&|fact| at(&self.new, fact).or_else(|| at(&self.old, fact)));
        let old_record = || collect(&|fact| at(&self.old, fact));
        match change.operation {
            Operation::Insert => {
                data.insert("record".to_owned(), record());
            }
            Operation::Update => {
                data.insert("record".to_owned(), record());
                data.insert("old_record".to_owned(), old_record());
            }
            Operation::Delete => {
                // Nobody can be asked any more who might have seen it.
                let keys = || collect(&|fact| at(&self.old, fact).filter(|_| fact.is_key));
                data.insert("old_record".to_owned(), if facts.is_guarded { keys() } else { old_record() });
            }
        }
        let errors = if is_too_large { json!(["Error 413: Payload Too Large"]) } else { Value::Null };
        data.insert("errors".to_owned(), errors);
        Value::Object(data)
    }

    fn head(&self) -> Map<String, Value> {
        let Change { relation, operation, .. } = self.change;
        Map::from_iter([
            ("schema".to_owned(), Value::from(relation.schema.as_str())),
            ("table".to_owned(), Value::from(relation.table.as_str())),
            ("commit_timestamp".to_owned(), Value::from(self.committed)),
            ("type".to_owned(), Value::from(operation.name())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(is_guarded: bool, columns: &[(&str, bool, bool)]) -> Facts {
        let fact = |(name, is_key, readable): &(&str, bool, bool)| Fact {
            name: (*name).to_owned(),
            identifier: (*name).to_owned(),
            type_name: "text".to_owned(),
            sql_type: "text".to_owned(),
            is_key: *is_key,
            readable: vec![*readable],
        };
        Facts { is_guarded, name: "t".to_owned(), columns: columns.iter().map(fact).collect() }
    }

    fn change(operation: Operation, columns: &[&str], new: &[&str]) -> Change {
        let column = |name: &&str| Column { name: (*name).to_owned(), identifies: true };
        let columns = columns.iter().map(column).collect();
        let relation = Relation { oid: 1, schema: "public".to_owned(), table: "t".to_owned(), columns };
        let cells = |texts: &[&str]| texts.iter().map(|text| Cell::Text((*text).to_owned())).collect();
        Change { relation: Arc::new(relation), operation, new: cells(new), old: vec![] }
    }

    fn picture<'a>(change: &'a Change, facts: &'a Facts, new: Row, old: Row) -> Picture<'a> {
        Picture { change, facts, committed: "2026-01-01T00:00:00.000Z", new, old }
    }

    #[test]
    fn a_deletion_under_row_security_tells_the_key_alone() {
        let change = change(Operation::Delete, &["id", "name"], &[]);
        let old = || vec![Some(json!(1)), Some(json!("tea"))];
        let columns = [("id", true, true), ("name", false, true)];
        for (is_guarded, told) in [(true, json!({"id": 1})), (false, json!({"id": 1, "name": "tea"}))] {
            let facts = facts(is_guarded, &columns);
            let shown = picture(&change, &facts, vec![], old()).show(0, None);
            assert_eq!((&shown["old_record"], &shown["errors"]), (&told, &Value::Null));
            assert_eq!(shown.get("record"), None);
        }
    }

    #[test]
    fn a_row_is_cut_to_what_may_be_read_and_was_asked_for() {
        let change = change(Operation::Update, &["id", "name", "secret", "big"], &["1", "a", "b", "c"]);
        let facts = facts(
            true,
            &[("id", true, true), ("name", false, true), ("secret", false, false), ("big", false, true)],
        );
        let new = vec![Some(json!(1)), Some(json!("tea")), Some(json!("hush")), None];
        let old = vec![Some(json!(1)), Some(json!("milk")), None, Some(json!("unchanged"))];
        let picture = picture(&change, &facts, new, old);
        let shown = picture.show(0, None);
        assert_eq!(shown["record"], json!({"id": 1, "name": "tea", "big": "unchanged"}));
        assert_eq!(shown["columns"].as_array().unwrap().len(), 3);
        let some = picture.show(0, Some(&["name".to_owned()]));
        assert_eq!(some["record"], json!({"id": 1, "name": "tea"}));
        assert_eq!(some["old_record"], json!({"id": 1, "name": "milk"}));
    }

    #[test]
    fn a_row_without_a_key_one_can_read_is_told_of_and_not_shown() {
        let insert = change(Operation::Insert, &["id"], &["1"]);
        for (columns, error) in [
            ([("id", false, true)], Some("Error 400: Bad Request, no primary key")),
            ([("id", true, false)], Some("Error 401: Unauthorized")),
            ([("id", true, true)], None),
        ] {
            let facts = facts(false, &columns);
            let refusal = picture(&insert, &facts, vec![Some(json!(1))], vec![]).refusal(0);
            assert_eq!(refusal.as_ref().map(|data| &data["errors"][0]), error.map(Value::from).as_ref());
            assert!(refusal.is_none_or(|data| data["record"] == json!({})));
        }
    }

    #[test]
    fn a_change_that_is_too_large_keeps_its_small_values() {
        let large = "x".repeat(LARGEST + 1);
        let change = change(Operation::Insert, &["id", "text"], &["1", &large]);
        let facts = facts(false, &[("id", true, true), ("text", false, true)]);
        let shown = picture(&change, &facts, vec![Some(json!(1)), Some(json!(large))], vec![]).show(0, None);
        assert_eq!(shown["record"], json!({"id": 1}));
        assert_eq!(shown["errors"], json!(["Error 413: Payload Too Large"]));
    }
}
