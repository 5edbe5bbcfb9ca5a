//! What a run did, or would do, as a value that prints and serialises.
//!
//! Every record is in exactly one column of its table's line:
//! `in = inserted + updated + same + kept + merged + rejected + not_written`.
//! The names of the fields are a promise to scripts; new ones may be added.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::diff::Change;
use crate::exit;
use crate::export::{Export, Repairs};
use crate::mapping::Mapping;
use crate::plan::{Collection, Limited, Plan, Row, Tally, UnknownField, Warning};
use crate::reject::Reject;
use crate::target::Authority;

/// The version of the JSON document.
const SCHEMA: u32 = 1;

/// A finished run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    schema: u32,
    /// In a word.
    pub verdict: Verdict,
    /// How far the run went.
    pub ending: Ending,
    /// The file.
    pub source: Source,
    /// The mapping's name.
    pub mapping: String,
    /// The address written to; none for a plan alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// By whose authority; none for a plan alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// A line for each table, parents first.
    pub tables: Vec<Line>,
    /// The sums of all tables.
    pub total: Line,
    /// How many of the rows written were read back as they were written.
    pub verified: usize,
    /// Rows written that did not read back so.
    pub mismatches: Vec<Warning>,
    /// The records refused.
    pub rejects: Rejects,
    /// What conversions changed.
    pub coercions: Vec<Tally>,
    /// What a person should look at.
    pub warnings: Limited<Warning>,
    /// Fields without a column: kept in `extra`, or left out.
    pub unknown_fields: Vec<UnknownField>,
    /// Keys the mapping does not mention.
    pub not_mapped: Vec<Collection>,
    /// How many records lie under them: they have become no row.
    pub not_mapped_records: usize,
    /// Keys the mapping leaves out on purpose.
    pub ignored: Vec<Collection>,
    /// The places of secrets; none of them was moved.
    pub secrets: Vec<String>,
    /// What reading the file had to replace.
    pub repairs: Repairs,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// A run in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every record is a row.
    Ok,
    /// Some records were refused.
    Rejects,
    /// Some rows do not read back as they were written.
    Mismatch,
}

/// How far a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// To the end.
    Written,
    /// It only said what it would do.
    DryRun,
    /// It stopped before the first write: more records were refused than allowed.
    Stopped,
}

/// The exported file.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// Its name.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// How its characters were spelt.
    pub encoding: &'static str,
    /// The shape it was recognised by.
    pub shape: String,
}

/// The account of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
}

/// The refused records.
#[derive(Debug, Clone, Default)]
pub struct Rejects {
    /// The first of them, and how many there are.
    pub all: Limited<Reject>,
    /// How many there are of each kind.
    pub by_code: BTreeMap<String, usize>,
}

impl Report {
    /// The report of a plan; nothing is written yet.
    pub fn of(export: &Export, mapping: &Mapping, plan: &Plan) -> Self {
        let tables = plan.tables.iter().map(|table| Line {
            name: table.name.clone(),
            records: table.records,
            merged: table.merged,
            rejected: table.rejected,
            not_written: table.rows.len(),
            ..Line::default()
        });
        let mut report = Self {
            schema: SCHEMA,
            verdict: Verdict::Ok,
            ending: Ending::Stopped,
            source: Source {
                path: export.name(),
                bytes: export.documents.iter().map(|document| document.bytes).sum(),
                encoding: export.documents.first().map_or("", |document| document.encoding.name()),
                shape: plan.shape.clone(),
            },
            mapping: mapping.name.clone(),
            target: None,
            authority: None,
            verified: 0,
            mismatches: Vec::new(),
            tables: tables.collect(),
            total: Line::default(),
            rejects: Rejects { all: plan.rejects.clone(), by_code: plan.rejects_by_code.clone() },
            coercions: plan.coercions.clone(),
            warnings: plan.warnings.clone(),
            unknown_fields: plan.unknown_fields.clone(),
            not_mapped: plan.not_mapped.clone(),
            not_mapped_records: plan.not_mapped.iter().map(|collection| collection.records).sum(),
            ignored: plan.ignored.clone(),
            secrets: plan.secrets.iter().map(ToString::to_string).collect(),
            repairs: plan.repairs,
            exit_code: exit::OK,
        };
        report.sum_up();
        report
    }

    /// Says what was done, or would be, with some rows of a table.
    pub fn add(&mut self, table: &str, changes: &[Change]) {
        if let Some(line) = self.line(table) {
            for change in changes {
                line.not_written = line.not_written.saturating_sub(1);
                *line.place(*change) += 1;
            }
        }
        self.sum_up();
    }

    /// Says that the server refused a row that was counted as this change.
    pub fn refuse(&mut self, reject: Reject, counted: Change) {
        if let Some(line) = self.line(&reject.table) {
            let place = line.place(counted);
            *place = place.saturating_sub(1);
            line.rejected += 1;
        }
        *self.rejects.by_code.entry(reject.code.to_string()).or_default() += 1;
        self.rejects.all.push(reject);
        self.sum_up();
    }

    /// Says that a row was left alone.
    pub fn keep(&mut self, table: &str, row: &Row) {
        self.warnings.push(Warning {
            pointer: row.at.to_string(),
            table: table.to_owned(),
            column: String::new(),
            message: "the row differs and the file is not newer, so it is kept; --mode upsert writes the file's values"
                .to_owned(),
        });
    }

    /// Says that rows of records in the file are not in the file themselves.
    pub fn leftover(&mut self, table: &str, rows: usize) {
        self.warnings.push(Warning {
            pointer: String::new(),
            table: table.to_owned(),
            column: String::new(),
            message: format!("rows that belong to records of this file and are not in it, or no longer: {rows}; they are left alone"),
        });
    }

    /// Says that a row does not read back as it was written.
    pub fn mismatch(&mut self, table: &str, row: &Row, message: &str) {
        self.mismatches.push(Warning {
            pointer: row.at.to_string(),
            table: table.to_owned(),
            column: String::new(),
            message: message.to_owned(),
        });
        self.sum_up();
    }

    /// How many rows the run wrote, or would write.
    pub fn written(&self) -> usize {
        self.total.inserted + self.total.updated
    }

    fn line(&mut self, table: &str) -> Option<&mut Line> {
        self.tables.iter_mut().find(|line| line.name == table)
    }

    fn sum_up(&mut self) {
        self.total =
            self.tables.iter().fold(Line { name: "total".to_owned(), ..Line::default() }, Line::plus);
        (self.verdict, self.exit_code) = match (self.mismatches.is_empty(), self.rejects.all.count == 0) {
            (false, _) => (Verdict::Mismatch, exit::MISMATCH),
            (true, false) => (Verdict::Rejects, exit::REJECTS),
            (true, true) => (Verdict::Ok, exit::OK),
        };
    }
}

impl Line {
    fn place(&mut self, change: Change) -> &mut usize {
        match change {
            Change::Insert => &mut self.inserted,
            Change::Update => &mut self.updated,
            Change::Same => &mut self.same,
            Change::Keep => &mut self.kept,
        }
    }

    fn plus(self, other: &Self) -> Self {
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
        }
    }
}

/// With their number in front, and how many there are of each kind.
impl Serialize for Rejects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Counted<'a> {
            count: usize,
            by_code: &'a BTreeMap<String, usize>,
            items: &'a [Reject],
        }
        Counted { count: self.all.count, by_code: &self.by_code, items: &self.all.shown }
            .serialize(serializer)
    }
}
