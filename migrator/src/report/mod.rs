//! What a run did, or would do, as a value that prints and serialises.
//!
//! Every record is in exactly one column of its table's line:
//! `in = inserted + updated + same + kept + merged + rejected + not_written`.
//! The names of the fields are a promise to scripts; new ones may be added. They are published as a
//! JSON Schema, `report.schema.json`. No value of a record is in a report.

mod account;
mod measure;
mod provenance;
mod rejects;
#[cfg(test)]
mod schema;

use std::time::Duration;

use serde::Serialize;

use crate::diff::Change;
use crate::exit;
use crate::export::{Export, Repairs};
use crate::mapping::Mapping;
use crate::plan::{Collection, Limited, Plan, Row, Tally, UnknownField, Warning};
use crate::reject::Reject;
use crate::target::Authority;

pub use account::Line;
pub use measure::{Media, Phase, Timings, Verification};
pub use provenance::{MappingFile, Source, SourceFile, Via, masked};
pub use rejects::Rejects;

/// The version of the JSON document.
const SCHEMA: u32 = 1;

/// A finished run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// The version of this document.
    schema: u32,
    /// The run's id; none for a run that keeps no folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The folder the run keeps its papers in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// In a word.
    pub verdict: Verdict,
    /// How far the run went.
    pub ending: Ending,
    /// What was read.
    pub source: Source,
    /// The mapping's name.
    pub mapping: String,
    /// Where the mapping came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping_file: Option<MappingFile>,
    /// The same for the same files, mapping and owner: what a run is resumed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_hash: Option<String>,
    /// The address written to; none for a plan alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Which way; none for a plan alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// By whose authority; none for a plan alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// Whose rows they are: an address with its name masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A line for each table, parents first.
    pub tables: Vec<Line>,
    /// The sums of all tables.
    pub total: Line,
    /// How many of the rows written were read back as they were written.
    pub verified: usize,
    /// Rows written that did not read back so.
    pub mismatches: Vec<Warning>,
    /// What was compared with the target afterwards.
    pub verify: Verification,
    /// Files that went to Storage.
    pub media: Media,
    /// The records refused.
    pub rejects: Rejects,
    /// What conversions changed.
    pub coercions: Vec<Tally>,
    /// What a person should look at.
    #[cfg_attr(test, schemars(with = "Vec<Warning>"))]
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
    /// Milliseconds a phase of the run took.
    pub timings: Timings,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// A run in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// To the end.
    Written,
    /// It only said what it would do.
    DryRun,
    /// Nothing is written: more records were refused than allowed, or somebody said no.
    Stopped,
    /// It only looked whether the target is as the file has it.
    Verified,
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
            run: None,
            folder: None,
            source: Source::of(export, &plan.shape),
            mapping: mapping.name.clone(),
            mapping_file: None,
            plan_hash: None,
            target: None,
            via: None,
            authority: None,
            owner: None,
            verified: 0,
            mismatches: Vec::new(),
            verify: Verification::default(),
            media: Media::default(),
            tables: tables.collect(),
            total: Line::default(),
            rejects: Rejects::of(plan),
            coercions: plan.coercions.clone(),
            warnings: plan.warnings.clone(),
            unknown_fields: plan.unknown_fields.clone(),
            not_mapped: plan.not_mapped.clone(),
            not_mapped_records: plan.not_mapped.iter().map(|collection| collection.records).sum(),
            ignored: plan.ignored.clone(),
            secrets: plan.secrets.iter().map(ToString::to_string).collect(),
            repairs: plan.repairs,
            timings: Timings::default(),
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
        self.rejects.push(reject);
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

    /// Says what the rows of a table come to, in any order.
    pub fn digest(&mut self, table: &str, digest: u128) {
        if let Some(line) = self.line(table) {
            line.digest = Some(format!("{digest:032x}"));
        }
    }

    /// Says that nothing of what was to be written is.
    pub fn nothing_kept(&mut self) {
        for line in &mut self.tables {
            line.not_written += line.inserted + line.updated;
            (line.inserted, line.updated) = (0, 0);
        }
        self.ending = Ending::Stopped;
        self.sum_up();
    }

    /// Says that a phase took so long; what it took before is added to.
    pub fn took(&mut self, phase: Phase, time: Duration) {
        self.timings.add(phase, time);
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
        (self.verdict, self.exit_code) = match (self.mismatches.is_empty(), self.rejects.is_empty()) {
            (false, _) => (Verdict::Mismatch, exit::MISMATCH),
            (true, false) => (Verdict::Rejects, exit::REJECTS),
            (true, true) => (Verdict::Ok, exit::OK),
        };
    }
}
