//! What a table plan would change: it meets the rows that exist.
//!
//! Rows are compared by value, column by column; columns the plan leaves to the database
//! do not count. A row of ours that belongs to somebody else stops everything: writing on
//! would take it away from its owner.

use std::collections::{HashMap, HashSet};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::cell::{Cell, Type};
use crate::exit::{self, Failure};
use crate::export::read_json;
use crate::ledger::Digest;
use crate::node::{Map, Node};
use crate::plan::{Row, TablePlan};

/// What has to happen to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is not there.
    Insert,
    /// It is there and differs.
    Update,
    /// It is there as planned.
    Same,
    /// It is there and differs, and nothing says that the file is newer: it is left alone.
    Keep,
}

/// A row as the database has it.
#[derive(Debug, Clone)]
pub struct Existing {
    id: Uuid,
    owner: Option<Uuid>,
    /// A value that no plan could have written is nothing here, and so differs from any.
    cells: Vec<Option<Cell>>,
}

/// The rows of tables with children that were there and differed.
#[derive(Debug, Default)]
pub struct Parents {
    /// Those that are overwritten.
    pub updated: HashSet<Uuid>,
    /// Those that are left alone.
    pub kept: HashSet<Uuid>,
}

/// Rows that send the same columns and may share a request.
#[derive(Debug)]
pub struct Group<'a> {
    /// The columns, for `?columns=`.
    pub columns: Vec<&'a str>,
    /// The rows.
    pub rows: Vec<&'a Row>,
}

/// A row as PostgREST takes it, for `serde_json` to write as text.
#[derive(Debug)]
pub struct Payload<'a> {
    table: &'a TablePlan,
    row: &'a Row,
}

impl TablePlan {
    /// Reads a whole row that was asked for as one document.
    ///
    /// # Errors
    /// Exit code 7 when a column of the plan is not in it.
    pub fn decode(&self, image: &RawValue) -> Result<Existing, Failure> {
        self.existing(&self.document(image)?)
    }

    /// The same, and what the row is sealed with.
    pub(crate) fn decode_sealed(&self, image: &RawValue) -> Result<(Existing, Digest), Failure> {
        let document = self.document(image)?;
        Ok((self.existing(&document)?, Digest::of_document(&document)))
    }

    fn document(&self, image: &RawValue) -> Result<Node, Failure> {
        read_json(image.get()).ok_or_else(|| self.unexpected("a row of the answer is not JSON"))
    }

    fn existing(&self, document: &Node) -> Result<Existing, Failure> {
        let Node::Map(members) = document else {
            return Err(self.unexpected("a row of the answer is not an object"));
        };
        let cell = |kind, name: &str| self.member(members, name).map(|value| Cell::of_image(kind, value));
        let Some(Cell::Uuid(id)) = cell(Type::Uuid, "id")? else {
            return Err(self.unexpected("its ids are not UUIDs"));
        };
        let owner = match &self.owner {
            None => None,
            Some((column, _)) => match cell(Type::Uuid, column)? {
                Some(Cell::Uuid(owner)) => Some(owner),
                _ => None, // a row that is nobody's
            },
        };
        let cells = self.columns.iter().map(|column| cell(column.kind, &column.name));
        Ok(Existing { id, owner, cells: cells.collect::<Result<_, _>>()? })
    }

    /// Says what has to happen to each of some rows of the plan, in their order.
    ///
    /// # Errors
    /// Exit code 7 when a row with one of our ids belongs to another owner.
    pub fn compare<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r Row>,
        existing: &[Existing],
    ) -> Result<Vec<Change>, Failure> {
        let by_id: HashMap<Uuid, &Existing> = existing.iter().map(|row| (row.id, row)).collect();
        let change = |row: &Row| match by_id.get(&row.id) {
            None => Ok(Change::Insert),
            Some(found) if self.owner.as_ref().is_some_and(|(_, owner)| found.owner != Some(*owner)) => {
                Err(self.not_ours(row))
            }
            Some(found) if is_as_planned(row, found) => Ok(Change::Same),
            Some(_) => Ok(Change::Update),
        };
        rows.into_iter().map(change).collect()
    }

    /// Takes back every change that might undo somebody's work.
    ///
    /// A row that differs is overwritten only if the file is newer: by the table's clock, or, for a child,
    /// because its parent is written. A child of a row that is kept is not added either: it belongs to
    /// another state of its parent. `parents` is what becomes of the rows of the tables before this one.
    pub fn newer_wins(
        &self,
        rows: &[&Row],
        changes: &[Change],
        existing: &[Existing],
        parents: &Parents,
    ) -> Vec<Change> {
        let by_id: HashMap<Uuid, &Existing> = existing.iter().map(|row| (row.id, row)).collect();
        let settled = rows.iter().zip(changes).map(|(row, change)| {
            let parent = self.parent_of(row);
            let among = |ids: &HashSet<Uuid>| parent.is_some_and(|parent| ids.contains(&parent));
            let written = among(&parents.updated);
            match change {
                Change::Insert if among(&parents.kept) => Change::Keep,
                Change::Update if self.is_newer(row, by_id.get(&row.id).copied(), written) => Change::Update,
                Change::Update => Change::Keep,
                Change::Insert | Change::Same | Change::Keep => *change,
            }
        });
        settled.collect()
    }

    /// The row a child lies in.
    pub fn parent_of(&self, row: &Row) -> Option<Uuid> {
        match row.cells.get(self.parent.as_ref()?.cell)? {
            Cell::Uuid(parent) => Some(*parent),
            _ => None,
        }
    }

    fn is_newer(&self, row: &Row, found: Option<&Existing>, parent_is_written: bool) -> bool {
        let Some(clock) = self.clock else { return parent_is_written };
        match (row.cells.get(clock), found.and_then(|found| found.cells.get(clock)?.as_ref())) {
            (Some(Cell::Instant(planned)), Some(Cell::Instant(there))) => planned > there,
            // The row was made before it had a clock.
            (Some(Cell::Instant(_)), Some(Cell::Null)) => true,
            _ => false,
        }
    }

    /// A row in the form PostgREST takes.
    pub fn payload<'a>(&'a self, row: &'a Row) -> Payload<'a> {
        Payload { table: self, row }
    }

    /// Puts rows that send the same columns together: one request may hold no others.
    pub fn groups<'a>(&'a self, rows: impl IntoIterator<Item = &'a Row>) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for row in rows {
            let columns: Vec<&str> = self.sent(row).map(|(name, _)| name).collect();
            match groups.iter_mut().find(|group| group.columns == columns) {
                Some(group) => group.rows.push(row),
                None => groups.push(Group { columns, rows: vec![row] }),
            }
        }
        groups
    }

    /// What a row sends: its id, its owner, and every cell that is set.
    fn sent<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a str, Sent<'a>)> {
        let owner = self.owner.iter().map(|(column, owner)| (column.as_str(), Sent::Id(*owner)));
        let cells = self.columns.iter().zip(&row.cells);
        let set = cells.filter(|(_, cell)| **cell != Cell::Unset);
        std::iter::once(("id", Sent::Id(row.id)))
            .chain(owner)
            .chain(set.map(|(column, cell)| (column.name.as_str(), Sent::Cell(cell))))
    }

    fn member<'m>(&self, members: &'m Map, name: &str) -> Result<&'m Node, Failure> {
        members.get(name).ok_or_else(|| self.unexpected(&format!("it has no column `{name}`")))
    }

    fn unexpected(&self, why: &str) -> Failure {
        Failure::new(exit::REFUSED, "target.answer", format!("table `{}`: {why}", self.name))
            .help("apply the migrations of this project to the target, or correct the mapping")
    }

    fn not_ours(&self, row: &Row) -> Failure {
        let message =
            format!("table `{}`: the row of {} is there and belongs to another owner", self.name, row.at);
        Failure::new(exit::REFUSED, "target.unsafe", message)
            .help("nothing was written; import under another --scope, or as the owner who imported it first")
    }
}

impl Existing {
    /// Makes a row of what the database has: one cell for each column of the plan, and nothing for a value
    /// that no plan could have written.
    pub fn new(id: Uuid, owner: Option<Uuid>, cells: Vec<Option<Cell>>) -> Self {
        Self { id, owner, cells }
    }

    /// Whose row it is.
    pub fn owner(&self) -> Option<Uuid> {
        self.owner
    }

    /// Its cells, one for each column of the plan.
    pub fn cells(&self) -> &[Option<Cell>] {
        &self.cells
    }

    /// The id of the row.
    pub fn id(&self) -> Uuid {
        self.id
    }
}

/// A value a row sends.
enum Sent<'a> {
    Id(Uuid),
    Cell(&'a Cell),
}

impl Serialize for Sent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => serializer.collect_str(id),
            Self::Cell(cell) => cell.serialize(serializer),
        }
    }
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.table.sent(self.row).try_for_each(|(name, value)| map.serialize_entry(name, &value))?;
        map.end()
    }
}

fn is_as_planned(row: &Row, found: &Existing) -> bool {
    row.cells.iter().zip(&found.cells).all(|(planned, there)| match planned {
        Cell::Unset => true,
        cell => there.as_ref() == Some(cell),
    })
}
