//! What a run would do: rows by table, parents first, and everything that needs saying.
//!
//! A plan is made from the export, the mapping and the owner alone, and has no way to
//! write. Its rows are read back in pieces, so it needs no more memory for a large export than for a small
//! one. Every record of the file is accounted for: in each table
//! `records = rows + merged + rejected`, and what belongs to no table is listed by its key.

mod build;
mod candidate;
mod explain;
mod media;
mod rows;
mod settle;
mod shape;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use uuid::Uuid;

use crate::cell::Type;

use crate::destination::RefusedRow;
use crate::exit::{self, Failure};
use crate::export::{Export, Repairs};
use crate::mapping::Mapping;
use crate::pointer::Pointer;
use crate::reject::Reject;
use crate::scratch::{Index, Scratch};

pub use crate::cell::Cell;
pub use crate::convert::Coercion;
pub(crate) use build::MEND;
pub use explain::{Explained, ExplainedColumn, Refused, Wanted};
pub use media::{Media, MediaFiles};
pub use rows::{Batches, Rows};

/// What a plan takes from whoever runs it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Whose rows these will be.
    pub owner: Uuid,
    /// Part of every id; two scopes never meet.
    pub scope: String,
    /// The zone of times that do not say theirs.
    pub zone: TimeZone,
    /// The day it is there, for bounds such as `today+2y`.
    pub today: Date,
    /// What becomes of files.
    pub media: MediaMode,
    /// A record to be explained.
    pub explain: Option<Wanted>,
}

/// What becomes of files that lie in fields whose column has `media`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MediaMode {
    /// They go to Storage, and the column takes their path
    #[default]
    Storage,
    /// The column takes the text as it is
    Keep,
    /// They are left out
    Drop,
}

/// What a run would do.
#[derive(Debug)]
pub struct Plan {
    /// The shape the file was recognised by.
    pub shape: String,
    /// The tables, each after those it points at.
    pub tables: Vec<TablePlan>,
    /// The records refused.
    pub rejects: Limited<Reject>,
    /// How many of them there are of each kind.
    pub rejects_by_code: BTreeMap<String, usize>,
    /// All of them with what they hold, a line of JSON each: to be mended and imported again.
    pub(crate) rejected: Scratch,
    /// What conversions changed, by table, column and kind.
    pub coercions: Vec<Tally>,
    /// What a person should look at.
    pub warnings: Limited<Warning>,
    /// Fields that no column reads.
    pub unknown_fields: Vec<UnknownField>,
    /// Keys of the file that the mapping does not mention.
    pub not_mapped: Vec<Collection>,
    /// Keys of the file that the mapping leaves out on purpose.
    pub ignored: Vec<Collection>,
    /// The places of passwords, tokens and the like; none of them is in a row.
    pub secrets: Vec<Pointer>,
    /// What reading the file had to replace.
    pub repairs: Repairs,
    /// The record that was to be explained; several where they share an id.
    pub explained: Vec<Explained>,
    /// Files that go to Storage before the rows that name them.
    pub files: MediaFiles,
    /// Rows that are referred to and not in the export, by table; the target may have them.
    pub orphans: HashMap<String, Vec<Uuid>>,
}

/// The first thousand of many, and how many there are.
#[derive(Debug, Clone)]
pub struct Limited<T> {
    /// The first of them.
    pub shown: Vec<T>,
    /// How many there are.
    pub count: usize,
}

/// What the target has told.
#[derive(Debug, Default)]
pub struct Known {
    /// Rows it has that the export only refers to, by table.
    pub there: HashMap<String, HashSet<Uuid>>,
    /// Rows it does not take, with the reason.
    pub refused: HashMap<Uuid, RefusedRow>,
}

/// The rows of one table.
#[derive(Debug)]
pub struct TablePlan {
    /// The table.
    pub name: String,
    /// The columns every row has a cell for, beside its id and its owner.
    pub columns: Vec<PlannedColumn>,
    /// The column that says whose row it is, and the owner.
    pub owner: Option<(String, Uuid)>,
    /// The rows, in file order.
    pub rows: Rows,
    /// Their ids.
    pub(crate) ids: Arc<Index<16>>,
    /// The cell that says when the old app last changed the record, by its place in a row.
    pub clock: Option<usize>,
    /// What its rows lie in, for a child.
    pub parent: Option<PlannedParent>,
    /// The cells that point at rows of this table, which may come later.
    pub late: Vec<usize>,
    /// The columns that point at tables of the plan, and at which.
    pub references: Vec<(String, String)>,
    /// How many records the file has for this table.
    pub records: usize,
    /// How many of them were copies of another.
    pub merged: usize,
    /// How many of them were refused.
    pub rejected: usize,
}

/// Where the rows of a child lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedParent {
    /// The parent's table.
    pub table: String,
    /// The cell that holds the parent's id, by its place in a row.
    pub cell: usize,
}

/// A column a plan fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id, computed from the record.
    pub id: Uuid,
    /// The record it was made from.
    pub at: Pointer,
    /// Its values, one for each column of the table's plan.
    pub cells: Vec<Cell>,
}

/// How often a column was changed in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tally {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What was done.
    #[cfg_attr(test, schemars(with = "String"))]
    pub kind: Coercion,
    /// How often.
    pub count: usize,
    /// The first few records it was done to.
    pub examples: Vec<String>,
}

/// Something a person should look at, without any value of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Warning {
    /// The record.
    pub pointer: String,
    /// The table.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// The column.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// What it is.
    pub message: String,
}

/// A field that no column reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnknownField {
    /// The table its records go to.
    pub table: String,
    /// Its name.
    pub field: String,
    /// How many records have it.
    pub count: usize,
    /// Whether it is kept in the row's `extra` (`unknown_keys = "extra"`), or left out.
    pub kept: bool,
}

/// A key of the file, with how many records lie under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Collection {
    /// Where it is.
    pub pointer: String,
    /// The items of a list, the members of an object of objects, one for any other
    /// object, and none for a plain value.
    pub records: usize,
}

impl Context {
    /// Takes the scope and the zone from the command line, else from the mapping; a scope
    /// that nobody named is the owner.
    ///
    /// # Errors
    /// Exit code 2 when the zone is not known or the scope is not plain text.
    pub fn new(
        mapping: &Mapping,
        owner: Uuid,
        scope: Option<&str>,
        zone: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let scope = match scope.or(mapping.source.scope.as_deref()) {
            None | Some("$owner") => owner.to_string(),
            Some(scope) if scope.is_empty() || scope.contains(char::is_control) => {
                return Err(Failure::new(exit::USAGE, "usage.scope", "--scope is empty or not plain text")
                    .help("name the device or the branch the export comes from"));
            }
            Some(scope) => scope.to_owned(),
        };
        let zone = match zone {
            None => mapping.source.zone.clone(),
            Some(name) => TimeZone::get(name).map_err(|error| {
                Failure::new(exit::USAGE, "usage.tz", format!("--tz: unknown time zone `{name}`"))
                    .help("write a name such as Europe/Paris")
                    .because(error)
            })?,
        };
        let today = zone.to_datetime(now).date();
        Ok(Self { owner, scope, zone, today, media: MediaMode::default(), explain: None })
    }
}

impl Row {
    /// True if something of the row stands in a text.
    pub(crate) fn is_quoted_in(&self, text: &str) -> bool {
        let within = |value: &str| value.chars().count() > 1 && text.contains(value);
        self.cells.iter().any(|cell| match cell {
            Cell::Text(value) => within(value),
            Cell::Int(value) => within(&value.to_string()),
            Cell::Numeric(value) => within(&value.normalize().to_string()),
            Cell::Date(value) => within(&value.to_string()),
            Cell::Instant(value) => text.contains(value.to_string().get(..10).unwrap_or_default()),
            Cell::Uuid(value) => within(&value.to_string()),
            Cell::TextArray(values) => values.iter().flatten().any(|value| within(value)),
            // What a document holds is not told apart; a text that quotes one is not passed on.
            Cell::Json(_) => text.contains('{'),
            Cell::Unset | Cell::Null | Cell::Bool(_) => false,
        })
    }
}

impl<T> Default for Limited<T> {
    fn default() -> Self {
        Self { shown: Vec::new(), count: 0 }
    }
}

impl<T> FromIterator<T> for Limited<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut limited = Self::default();
        all.into_iter().for_each(|one| limited.push(one));
        limited
    }
}

impl<T: Serialize> Serialize for Limited<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

impl<T> Limited<T> {
    /// How many are kept.
    pub const SHOWN: usize = 1_000;

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes one more into account.
    pub fn push(&mut self, one: T) {
        self.count += 1;
        if self.shown.len() < Self::SHOWN {
            self.shown.push(one);
        }
    }
}

impl Known {
    fn holds(&self, table: &str, id: Uuid) -> bool {
        self.there.get(table).is_some_and(|ids| ids.contains(&id))
    }

    /// True if no row is there.
    pub fn is_empty(&self) -> bool {
        self.there.values().all(HashSet::is_empty)
    }
}

impl Plan {
    /// Plans what the export becomes under the mapping. `known` are rows the target has already.
    ///
    /// # Errors
    /// Exit code 5 when the export has none of the shapes the mapping knows, 1 when there is no room for
    /// temporary files. A record that cannot become a row is no error: it is listed in [`Plan::rejects`].
    pub fn new(
        export: &Export,
        mapping: &Mapping,
        context: &Context,
        known: &Known,
    ) -> Result<Self, Failure> {
        let shapes = shape::recognise(export, mapping)?;
        build::plan(export, mapping, context, shapes, known)
    }

    /// All rows of all tables.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    /// True if rows of another table lie in those of this one.
    pub fn has_children(&self, table: &TablePlan) -> bool {
        self.tables.iter().any(|child| child.parent.as_ref().is_some_and(|of| of.table == table.name))
    }

    /// The plan of this table.
    pub fn table(&self, name: &str) -> Option<&TablePlan> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl TablePlan {
    /// True for the id of a row of the plan.
    pub fn plans(&self, id: Uuid) -> bool {
        self.ids.holds(*id.as_bytes()).unwrap_or(false)
    }

    /// The column at this place of a row's cells.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|planned| planned.name == column)
    }
}

/// Each of these once, in their order.
fn distinct(names: Vec<&str>) -> Vec<&str> {
    let mut seen = HashSet::new();
    names.into_iter().filter(|name| seen.insert(*name)).collect()
}

pub(crate) use shape::shape_of;

/// Says whether the mapping knows the shape of the export.
///
/// # Errors
/// Exit code 5 when it does not.
pub fn shape(export: &Export, mapping: &Mapping) -> Result<(), Failure> {
    shape::recognise(export, mapping).map(drop)
}
