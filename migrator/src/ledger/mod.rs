//! The ledger: what a run did to which row, so that it can be undone.
//!
//! A [`Batch`] names the rows that were written together. It keeps, for each, a hash of what the run
//! wrote ([`Touched::ours`]), the whole row before an update, and, once the run is sealed, a hash of the
//! whole row as the run left it. A seal comes last, because triggers of later rows may touch earlier ones.
//!
//! Written straight to PostgreSQL, the ledger stands in schema `migrator`, in the transaction of the rows
//! ([`crate::sql`]). Written over REST it stands in a file: what is intended before it is sent, and that it
//! was done after ([`mod@file`]).
//!
//! Not here: what may be undone (`rollback`).

pub mod file;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::cell::Cell;
use crate::diff::Existing;
use crate::exit::{self, Failure};
use crate::export::read_json;
use crate::node::Node;
use crate::plan::{PlannedColumn, Row, Rows, TablePlan};

/// A table a run wrote to, as far as undoing needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The columns of its plan, with their types.
    pub columns: Vec<Column>,
    /// The column that says whose row it is, and the owner.
    pub owner: Option<(String, Uuid)>,
    /// Columns that point at tables of the same run.
    #[serde(default)]
    pub refers: Vec<Reference>,
}

/// A column and its type, as a mapping writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
}

/// A column that holds the id of a row of another table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The column.
    pub column: String,
    /// The other table.
    pub table: String,
}

/// Which batch of which table. A batch that was taken apart, by columns or because a row of it was refused,
/// has several parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The table.
    pub table: String,
    /// The batch's number in its table.
    pub n: u32,
    /// The part.
    pub part: u32,
}

/// What was done to the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// They were added.
    Insert,
    /// They were there, and were changed.
    Update,
}

/// Rows written together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Batch {
    /// Which it is.
    pub key: Key,
    /// What was done.
    pub op: Op,
    /// The columns that were sent, beside the id and the owner.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Touched>,
}

/// What was done to one row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Touched {
    /// The row.
    pub id: Uuid,
    /// What the run wrote: see [`TablePlan::ours`].
    pub ours: Digest,
    /// The whole row before an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<RawValue>>,
    /// The whole row as the run left it, if the run was sealed and the row was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
}

/// A hash of 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub Uuid);

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:x}", self.0.simple())
    }
}

impl Digest {
    /// As a number: sums of numbers do not depend on the order of rows.
    pub(crate) fn number(self) -> u128 {
        self.0.as_u128()
    }

    fn of(hasher: &blake3::Hasher) -> Self {
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        Self(Uuid::from_bytes(bytes))
    }

    /// The hash of a whole row that was asked for as one document; member order and the spelling of
    /// numbers do not count.
    pub fn of_image(image: &RawValue) -> Option<Self> {
        Some(Self::of_document(&read_json(image.get())?))
    }

    pub(crate) fn of_document(document: &Node) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(document.canonical_json().as_bytes());
        Self::of(&hasher)
    }

    /// The same of several, as they are sealed.
    pub fn of_images(images: &HashMap<Uuid, Box<RawValue>>) -> Vec<(Uuid, Self)> {
        images.iter().filter_map(|(id, image)| Some((*id, Self::of_image(image)?))).collect()
    }
}

impl Table {
    /// What undoing needs of a table's plan. `refers` are its columns that point at tables of the plan.
    pub fn of(plan: &TablePlan, refers: Vec<Reference>) -> Self {
        let column =
            |column: &PlannedColumn| Column { name: column.name.clone(), kind: column.kind.to_string() };
        Self {
            name: plan.name.clone(),
            columns: plan.columns.iter().map(column).collect(),
            owner: plan.owner.clone(),
            refers,
        }
    }

    /// A plan of no rows for the table.
    ///
    /// # Errors
    /// Exit code 7 for a type this program does not know.
    pub fn plan(&self) -> Result<TablePlan, Failure> {
        let column = |column: &Column| {
            let kind = column.kind.parse().map_err(|why: String| unreadable(&why))?;
            Ok(PlannedColumn { name: column.name.clone(), kind })
        };
        Ok(TablePlan {
            name: self.name.clone(),
            columns: self.columns.iter().map(column).collect::<Result<_, Failure>>()?,
            owner: self.owner.clone(),
            rows: Rows::default(),
            ids: Arc::default(),
            clock: None,
            parent: None,
            late: Vec::new(),
            references: Vec::new(),
            records: 0,
            merged: 0,
            rejected: 0,
        })
    }
}

impl TablePlan {
    /// The hash of what a row writes: its id, its owner, and each cell that is set.
    pub fn written(&self, row: &Row) -> Digest {
        let owner = self.owner.as_ref().map(|(_, owner)| *owner);
        self.digest(row.id, owner, row.cells.iter().map(Some))
    }

    /// The columns a row sends, beside its id and its owner.
    pub fn sent_columns<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a str> {
        let cells = self.columns.iter().zip(&row.cells);
        cells.filter(|(_, cell)| **cell != Cell::Unset).map(|(column, _)| column.name.as_str())
    }

    /// The hash of these columns of a row that is there: equal to [`TablePlan::written`] of a row that sent
    /// them as long as nobody changed them.
    pub fn ours(&self, existing: &Existing, sent: &[String]) -> Digest {
        let cells = self.columns.iter().zip(existing.cells());
        let cells = cells.map(
            |(column, cell)| {
                if sent.contains(&column.name) { cell.as_ref() } else { Some(&Cell::Unset) }
            },
        );
        self.digest(existing.id(), existing.owner(), cells)
    }

    fn digest<'c>(
        &self,
        id: Uuid,
        owner: Option<Uuid>,
        cells: impl Iterator<Item = Option<&'c Cell>>,
    ) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(id.as_bytes()).update(owner.unwrap_or_default().as_bytes());
        for (column, cell) in self.columns.iter().zip(cells) {
            match cell {
                Some(Cell::Unset) => {}
                Some(cell) => {
                    hasher.update(column.name.as_bytes());
                    cell.hash_into(&mut hasher);
                }
                // A value no plan could have written is unlike all that a plan can write.
                None => _ = hasher.update(b"?").update(column.name.as_bytes()),
            }
        }
        Digest::of(&hasher)
    }
}

/// The names of the columns of a whole row.
pub(crate) fn names(image: &RawValue) -> Vec<String> {
    match read_json(image.get()) {
        Some(Node::Map(members)) => members.into_keys().collect(),
        _ => Vec::new(), // no row
    }
}

/// A ledger this program cannot make sense of.
pub(crate) fn unreadable(why: &str) -> Failure {
    Failure::new(exit::REFUSED, "ledger.unreadable", format!("the ledger of the run cannot be read: {why}"))
        .help("use the version of the program that made the run")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pointer::Pointer;

    fn table() -> TablePlan {
        let column = |name: &str, kind: &str| Column { name: name.to_owned(), kind: kind.to_owned() };
        let columns = [
            column("name", "text"),
            column("price", "numeric(12,2)"),
            column("at", "timestamptz"),
            column("tags", "text[]"),
            column("extra", "jsonb"),
        ];
        let owner = Some(("owner_id".to_owned(), Uuid::from_u128(7)));
        Table { name: "things".to_owned(), columns: columns.into(), owner, refers: Vec::new() }
            .plan()
            .unwrap()
    }

    fn row(cells: [Cell; 5]) -> Row {
        Row { id: Uuid::from_u128(1), at: Pointer::root(), cells: cells.into() }
    }

    fn image(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn a_row_is_what_was_written_however_the_server_spells_it() {
        let table = table();
        let json = Cell::Json(read_json(r#"{"b":1.50,"a":[null]}"#).unwrap());
        let written = row([
            Cell::Text("tea".to_owned()),
            Cell::Numeric("1.5".parse().unwrap()),
            Cell::Instant("2024-01-02T03:04:05.000006Z".parse().unwrap()),
            Cell::TextArray(vec![Some("a,b".to_owned()), None]),
            json,
        ]);
        let there = image(
            r#"{"id":"00000000-0000-0000-0000-000000000001","owner_id":"00000000-0000-0000-0000-000000000007",
            "name":"tea","price":1.50,"at":"2024-01-02T03:04:05.000006+00:00","tags":["a,b",null],
            "extra":{"a":[null],"b":1.5},"updated_at":"2024-01-01"}"#,
        );
        let sent: Vec<String> = table.sent_columns(&written).map(str::to_owned).collect();
        assert_eq!(table.ours(&table.decode(&there).unwrap(), &sent), table.written(&written));
        for (from, to) in
            [("tea", "tee"), ("1.50,", "1.51,"), ("a,b", "a"), ("[null],\"b\"", "[],\"b\""), ("07\"", "08\"")]
        {
            let changed = image(&there.get().replacen(from, to, 1));
            assert_ne!(
                table.ours(&table.decode(&changed).unwrap(), &sent),
                table.written(&written),
                "{from}"
            );
        }
    }

    #[test]
    fn a_column_that_was_not_sent_may_be_anything() {
        let table = table();
        let written = row([Cell::Text("tea".to_owned()), Cell::Null, Cell::Unset, Cell::Unset, Cell::Unset]);
        let there = image(
            r#"{"id":"00000000-0000-0000-0000-000000000001","owner_id":"00000000-0000-0000-0000-000000000007",
            "name":"tea","price":null,"at":"-infinity","tags":[],"extra":{}}"#,
        );
        let sent = ["name".to_owned(), "price".to_owned()];
        assert_eq!(table.ours(&table.decode(&there).unwrap(), &sent), table.written(&written));
    }

    #[test]
    fn an_image_is_the_same_row_in_any_order() {
        let digest = |json: &str| Digest::of_image(&image(json));
        assert_eq!(digest(r#"{"a":1.0,"b":{"c":1,"d":2}}"#), digest(r#"{"b":{"d":2,"c":1},"a":1}"#));
        assert_ne!(digest(r#"{"a":1}"#), digest(r#"{"a":"1"}"#));
    }
}
