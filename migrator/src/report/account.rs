//! The account of one table.

use serde::Serialize;

use crate::diff::Change;

/// The account of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Line {
    /// The table.
    pub name: String,
    /// Its records in the file.
    #[serde(rename = "in")]
    pub records: usize,
    /// Rows that were not there.
    pub inserted: usize,
    /// Rows that were there and differed.
    pub updated: usize,
    /// Rows that were there as planned.
    pub same: usize,
    /// Rows that were there and differed, and were left alone because the file is not newer.
    pub kept: usize,
    /// Records that were copies of another.
    pub merged: usize,
    /// Records refused, by us or by the server.
    pub rejected: usize,
    /// Rows that were planned and not written, because the run stopped.
    pub not_written: usize,
    /// The rows as they were read back, in hexadecimal: equal for equal rows in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Line {
    /// Where a change is counted.
    pub(super) fn place(&mut self, change: Change) -> &mut usize {
        match change {
            Change::Insert => &mut self.inserted,
            Change::Update => &mut self.updated,
            Change::Same => &mut self.same,
            Change::Keep => &mut self.kept,
        }
    }

    /// The sums of two lines, under the name of the first.
    pub(super) fn plus(self, other: &Self) -> Self {
        Self {
            name: self.name,
            records: self.records + other.records,
            inserted: self.inserted + other.inserted,
            updated: self.updated + other.updated,
            same: self.same + other.same,
            kept: self.kept + other.kept,
            merged: self.merged + other.merged,
            rejected: self.rejected + other.rejected,
            not_written: self.not_written + other.not_written,
            digest: None,
        }
    }
}
