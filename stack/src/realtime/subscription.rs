//! Which changes a channel wants to hear of, as its join says.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    change::{Change, Operation, Relation},
    filter::Filter,
};

/// One entry of `postgres_changes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    /// The same for the same wish, so that equal ones share it.
    pub(super) id: u32,
    /// Any, if it is not said.
    pub(super) operation: Option<Operation>,
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) filters: Vec<Filter>,
    /// In order; all columns, if it is not said.
    pub(super) select: Option<Vec<String>>,
}

const ANY: &str = "*";

impl Subscription {
    /// Reads an entry. The error is what the client is told.
    pub(super) fn read(wish: &Map<String, Value>) -> Result<Self, String> {
        let text = |name: &str| wish.get(name).and_then(Value::as_str);
        let (schema, table) = match (text("schema"), text("table"), wish.contains_key("filter")) {
            (Some(schema), Some(table), _) => (schema, table),
            (Some(schema), None, false) if !wish.contains_key("table") => (schema, ANY),
            (None, Some(table), false) if !wish.contains_key("schema") => ("public", table),
            _ => return Err(nothing_said()), // every other form leaves open which table is meant
        };
        let filters = match wish.get("filter") {
            None => vec![],
            Some(Value::String(filter)) => Filter::read_all(filter)
                .map_err(|reason| format!("Error parsing `filter` params: {reason}"))?,
            Some(_) => return Err(nothing_said()),
        };
        let select = selected(wish.get("select"))?;
        if select.is_some() && (schema == ANY || table == ANY) {
            return Err("Column selection is not supported for wildcard subscriptions. \
                        Provide an explicit schema and table name."
                .to_owned());
        }
        Ok(Self {
            id: id_of(wish),
            operation: text("event").and_then(operation),
            schema: schema.to_owned(),
            table: table.to_owned(),
            filters,
            select,
        })
    }

    /// True if it is about this table.
    pub(super) fn is_about(&self, schema: &str, table: &str) -> bool {
        [(&self.schema, schema), (&self.table, table)].iter().all(|(own, name)| *own == ANY || own == name)
    }

    /// True if it is about what happened, whatever the row holds.
    pub(super) fn wants(&self, change: &Change) -> bool {
        let Relation { schema, table, .. } = &*change.relation;
        self.operation.is_none_or(|only| only == change.operation) && self.is_about(schema, table)
    }

    /// As a client is told what it asked for.
    pub(super) fn describe(&self) -> String {
        let event = self.operation.map_or(ANY, Operation::name);
        let filters: Vec<_> = self
            .filters
            .iter()
            .map(|f| format!("{}={}{}", f.column, if f.negated { "not." } else { "" }, f.operator.name()))
            .collect();
        let select = self.select.as_ref().map_or("nil".to_owned(), |select| format!("{select:?}"));
        format!(
            "[event: {event}, schema: {}, table: {}, filters: {filters:?}, select: {select}]",
            self.schema, self.table
        )
    }
}

/// The number of a wish, whatever order its names come in.
pub(super) fn id_of(wish: &Map<String, Value>) -> u32 {
    let mut pairs: Vec<_> = wish.iter().map(|(name, value)| format!("{name:?}{value}")).collect();
    pairs.sort();
    let digest = Sha256::digest(pairs.join("\n"));
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> 5
}

fn nothing_said() -> String {
    "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: \
     <redacted>"
        .to_owned()
}

fn operation(event: &str) -> Option<Operation> {
    match event.to_ascii_uppercase().as_str() {
        "INSERT" => Some(Operation::Insert),
        "UPDATE" => Some(Operation::Update),
        "DELETE" => Some(Operation::Delete),
        _ => None, // `*`, and what is taken for it
    }
}

fn selected(select: Option<&Value>) -> Result<Option<Vec<String>>, String> {
    match select {
        Some(Value::Array(names)) => {
            let mut names: Vec<_> = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            names.sort();
            names.dedup();
            Ok((!names.is_empty()).then_some(names))
        }
        Some(Value::String(_)) => {
            Err("Error parsing `select` params: expected a list of column name strings, \
                                       e.g. select: [\"col1\", \"col2\"]"
                .to_owned())
        }
        Some(_) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(wish: &Value) -> Result<Subscription, String> {
        Subscription::read(wish.as_object().unwrap())
    }

    #[test]
    fn a_wish_names_a_table_a_schema_or_all() {
        for (wish, about, not_about) in [
            (json!({"schema": "public", "table": "a"}), ("public", "a"), ("public", "b")),
            (json!({"schema": "public"}), ("public", "b"), ("other", "b")),
            (json!({"table": "a"}), ("public", "a"), ("other", "a")),
            (json!({"schema": "*", "table": "*"}), ("other", "x"), ("", "")),
        ] {
            let read = read(&wish).unwrap();
            assert!(read.is_about(about.0, about.1), "{wish}");
            assert!(not_about.0.is_empty() || !read.is_about(not_about.0, not_about.1), "{wish}");
        }
    }

    #[test]
    fn a_wish_nobody_understands_is_refused_in_words() {
        for (wish, reason) in [
            (json!({}), "No subscription params"),
            (json!({"schema": "public", "table": "a", "filter": null}), "No subscription params"),
            (
                json!({"schema": "public", "table": "a", "filter": "a=foo.1"}),
                "Error parsing `filter` params: [",
            ),
            (json!({"schema": "public", "table": "a", "select": "a,b"}), "Error parsing `select` params"),
            (json!({"schema": "public", "select": ["a"]}), "Column selection is not supported"),
        ] {
            assert!(read(&wish).unwrap_err().starts_with(reason), "{wish}");
        }
    }

    #[test]
    fn equal_wishes_have_one_number() {
        let id = |wish: &Value| id_of(wish.as_object().unwrap());
        assert_eq!(id(&json!({"event": "*", "schema": "a"})), id(&json!({"schema": "a", "event": "*"})));
        assert_ne!(id(&json!({"event": "*", "schema": "a"})), id(&json!({"event": "INSERT", "schema": "a"})));
    }
}
