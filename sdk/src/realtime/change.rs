//! A change of a row, typed.
//!
//! Values are kept as the text they came in until they are read into the row's own types, so that no number
//! passes through a float and no time through a zone.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::realtime::Gap;
use crate::realtime::binding::Kind;
use crate::realtime::frame::Frame;
use crate::rest::Column;
use crate::transport::read;

/// What happened to a row of a table.
///
/// Changes are told at most once, and in the order in which they were committed. Where some may be missing
/// stands a [`Change::Gap`]: whoever keeps a copy of the table fetches again, or lets
/// [`crate::realtime::Live`] do it.
pub enum Change<R> {
    /// It was added.
    Inserted {
        /// The row.
        row: R,
        /// When, and where.
        commit: Commit,
    },
    /// It changed.
    Updated {
        /// The row as it is now.
        row: R,
        /// What is known of it as it was.
        old: Old<R>,
        /// When, and where.
        commit: Commit,
    },
    /// It was removed.
    Deleted {
        /// What is known of it as it was.
        old: Old<R>,
        /// When, and where.
        commit: Commit,
    },
    /// Something may be missing here.
    Gap(Gap),
}

/// When and where a change happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// When it was committed, as the server writes it: `2026-01-01T00:00:00.000Z`.
    pub at: String,
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
}

/// What is known of a row as it was before: its key, and more where the table's `replica identity` is full and
/// no policy stands before it. `Debug` does not show it.
pub struct Old<R> {
    record: Option<Box<RawValue>>,
    of: PhantomData<fn() -> R>,
}

impl<R> Old<R> {
    /// A key, as the JSON object it is kept as.
    pub(super) fn of_key(key: String) -> Self {
        Self { record: RawValue::from_string(key).ok(), of: PhantomData }
    }

    /// A column's value as it was; `None` where that is not known.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use supabase_sdk::{Error, Table, realtime::Old};
    /// # #[derive(Serialize, Deserialize, Table)]
    /// # #[table(name = "bookings")]
    /// # struct Booking { #[table(key)] id: i64 }
    /// fn removed(old: &Old<Booking>) -> Result<Option<i64>, Error> {
    ///     old.get(Booking::ID)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when the value is not what the column holds.
    pub fn get<T: DeserializeOwned>(&self, column: Column<R, T>) -> Result<Option<T>, Error> {
        self.named(column.name())
    }

    /// The same for a column that is named at run time.
    ///
    /// # Errors
    /// As [`Old::get`].
    pub fn named<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, Error> {
        let Some(record) = &self.record else { return Ok(None) };
        let columns: std::collections::BTreeMap<String, &RawValue> = read(record.get())?;
        columns.get(column).map(|value| read(value.get())).transpose()
    }

    /// All that is known, read as one.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when it does not have this shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read(self.record.as_ref().map_or("{}", |record| record.get()))
    }
}

impl<R> Clone for Old<R> {
    fn clone(&self) -> Self {
        Self { record: self.record.clone(), of: PhantomData }
    }
}

impl<R> fmt::Debug for Old<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Old(values hidden)")
    }
}

/// Says what happened and where; values are not shown.
impl<R> fmt::Debug for Change<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, commit) = match self {
            Self::Inserted { commit, .. } => ("Inserted", commit),
            Self::Updated { commit, .. } => ("Updated", commit),
            Self::Deleted { commit, .. } => ("Deleted", commit),
            Self::Gap(gap) => return write!(out, "Gap({gap:?})"),
        };
        write!(out, "{word}({}.{} at {})", commit.schema, commit.table, commit.at)
    }
}

impl<R: Clone> Clone for Change<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Inserted { row, commit } => Self::Inserted { row: row.clone(), commit: commit.clone() },
            Self::Updated { row, old, commit } => {
                Self::Updated { row: row.clone(), old: old.clone(), commit: commit.clone() }
            }
            Self::Deleted { old, commit } => Self::Deleted { old: old.clone(), commit: commit.clone() },
            Self::Gap(gap) => Self::Gap(gap.clone()),
        }
    }
}

/// A change as it came.
pub(super) struct Told {
    pub(super) ids: Vec<u64>,
    pub(super) kind: Kind,
    pub(super) commit: Commit,
    record: Option<Box<RawValue>>,
    old: Option<Box<RawValue>>,
    /// Why it is not all there; empty if it is.
    pub(super) errors: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    ids: Vec<u64>,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    schema: String,
    #[serde(default)]
    table: String,
    #[serde(default)]
    commit_timestamp: String,
    #[serde(default)]
    record: Option<Box<RawValue>>,
    #[serde(default)]
    old_record: Option<Box<RawValue>>,
    #[serde(default)]
    errors: Option<Vec<String>>,
}

impl Told {
    /// Reads a change out of the frame it came in; `None` for what is none.
    pub(super) fn read(frame: &Frame) -> Option<Self> {
        let Envelope { ids, data } = frame.json()?;
        let kind = match &*data.kind {
            "INSERT" => Kind::Insert,
            "UPDATE" => Kind::Update,
            "DELETE" => Kind::Delete,
            _ => return None, // a kind of another version
        };
        let commit = Commit { at: data.commit_timestamp, schema: data.schema, table: data.table };
        let errors = data.errors.unwrap_or_default();
        Some(Self { ids, kind, commit, record: data.record, old: data.old_record, errors })
    }

    /// The row as it is now; `None` where it was removed.
    pub(super) fn record(&self) -> Option<&RawValue> {
        self.record.as_deref().filter(|_| self.kind != Kind::Delete)
    }

    /// What is known of the row as it was.
    pub(super) fn old(&self) -> Option<&RawValue> {
        self.old.as_deref()
    }

    /// The change with its row's own types.
    pub(super) fn typed<R: DeserializeOwned>(&self) -> Result<Change<R>, Error> {
        let row = || read::<R>(self.record.as_ref().map_or("null", |record| record.get()));
        let commit = self.commit.clone();
        let old = Old { record: self.old.clone(), of: PhantomData };
        Ok(match self.kind {
            Kind::Insert => Change::Inserted { row: row()?, commit },
            Kind::Update => Change::Updated { row: row()?, old, commit },
            Kind::Delete | Kind::Any => Change::Deleted { old, commit }, // no change is of any kind
        })
    }
}
