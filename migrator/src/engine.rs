//! Edge: an export into a target that is open.
//!
//! Everything that can be known is known before the first write: what the file holds, whether the tables are
//! there and whose the rows are. What was written is read back and compared with the plan. Rows pass through
//! in windows, so that memory does not grow with them.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use crate::args::Mode;
use crate::diff::{Change, Group, Parents};
use crate::exit::{self, Failure};
use crate::export::Export;
use crate::load::{Payload, Refused, load};
use crate::mapping::Mapping;
use crate::plan::{Cell, Context, Known, Plan, Row, TablePlan};
use crate::printer::{Printer, Task};
use crate::reject::Reject;
use crate::report::{Ending, Report};
use crate::target::{Authority, NewPassword, Target};

/// How many rows are in memory at a time, and about how many bytes of them.
const WINDOW_ROWS: usize = 5_000;
const WINDOW_BYTES: usize = 4 << 20;

/// How an import is to be done, beside what and where to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Part of every id.
    pub scope: Option<&'a str>,
    /// The zone of times that do not say theirs.
    pub zone: Option<&'a str>,
    /// How many rejects are too many to write anything is one more than this.
    pub max_rejects: usize,
    /// What becomes of a row that is there and differs.
    pub mode: Mode,
    /// Whether to stop before the first write.
    pub dry_run: bool,
    /// The time of the run.
    pub now: Timestamp,
}

/// Imports an export into a target that is open.
///
/// # Errors
/// As the exit codes say.
pub async fn import(
    export: &Export,
    mapping: &Mapping,
    target: &Target,
    options: Options<'_>,
    printer: &mut Printer,
) -> Result<Report, Failure> {
    if target.authority() == Authority::SecretKey {
        printer.warn("writing with the project's secret key: it may write everything, and row-level security is not tried");
    }
    let survey = survey(export, mapping, target, options, printer).await?;
    if survey.report.ending != Ending::Written {
        return Ok(survey.report);
    }
    let Some((target, password)) = target.with_new_owner().await? else {
        return write(export, survey, target, printer).await;
    };
    printer.say(match password {
        NewPassword::Given => "made the owner's account; MIGRATOR_PASSWORD is its password",
        NewPassword::None => {
            "made the owner's account; it has no password yet: they ask for a new one to get in"
        }
    });
    // The ids are made from the owner's, so they are known only now.
    let survey = self::survey(export, mapping, &target, options, printer).await?;
    write(export, survey, &target, printer).await
}

/// A run up to its first write.
struct Survey {
    plan: Plan,
    /// What has to happen to each row of each table.
    changes: Vec<Vec<Change>>,
    /// Its ending says whether there will be a write.
    report: Report,
}

/// Everything that can be known before the first write.
async fn survey(
    export: &Export,
    mapping: &Mapping,
    target: &Target,
    options: Options<'_>,
    printer: &mut Printer,
) -> Result<Survey, Failure> {
    let context = Context::new(mapping, target.owner(), options.scope, options.zone, options.now)?;
    let mut plan = Plan::new(export, mapping, &context, &Known::default())?;
    for table in &plan.tables {
        target.check(table).await?;
    }
    let known = known(&plan, target).await?;
    if !known.is_empty() {
        plan = Plan::new(export, mapping, &context, &known)?;
    }
    let mut report = Report::of(export, mapping, &plan);
    report.target = Some(target.url().to_owned());
    report.authority = Some(target.authority());
    let mut changes = Vec::new();
    let mut parents = Parents::default();
    let task = printer.task("comparing", plan.rows());
    for table in &plan.tables {
        changes.push(compare(table, &plan, options.mode, target, &mut parents, &task).await?);
    }
    drop(task);
    if plan.rejects.count > options.max_rejects {
        report.ending = Ending::Stopped;
        return Ok(Survey { plan, changes, report });
    }
    let all = &changes;
    for (table, changes) in plan.tables.iter().zip(all) {
        report.add(&table.name, changes);
        tell_kept(table, changes, &mut report)?;
        match leftover(table, &plan, all, target).await? {
            0 => {}
            rows => report.leftover(&table.name, rows),
        }
    }
    report.ending = if options.dry_run { Ending::DryRun } else { Ending::Written };
    Ok(Survey { plan, changes, report })
}

/// Those rows the target has, of those that are referred to and not in the export.
async fn known(plan: &Plan, target: &Target) -> Result<Known, Failure> {
    let mut known = Known::default();
    for (table, ids) in &plan.orphans {
        known.0.insert(table.clone(), target.those_there(table, ids).await?);
    }
    Ok(known)
}

/// What has to happen to each row of a table.
async fn compare(
    table: &TablePlan,
    plan: &Plan,
    mode: Mode,
    target: &Target,
    parents: &mut Parents,
    task: &Task,
) -> Result<Vec<Change>, Failure> {
    if target.is_empty(table).await? {
        task.add(table.rows.len());
        return Ok(vec![Change::Insert; table.rows.len()]);
    }
    let has_children =
        plan.tables.iter().any(|child| child.parent.as_ref().is_some_and(|of| of.table == table.name));
    let mut changes = Vec::with_capacity(table.rows.len());
    for window in table.rows.batches(WINDOW_ROWS, WINDOW_BYTES) {
        let window = window?;
        let rows: Vec<&Row> = window.iter().collect();
        let existing = target.existing(table, &rows, |rows| task.add(rows)).await?;
        let differ = table.compare(rows.iter().copied(), &existing)?;
        let settled = match mode {
            Mode::Upsert => differ,
            Mode::Newer => table.newer_wins(&rows, &differ, &existing, parents),
        };
        if has_children {
            for (row, change) in window.iter().zip(&settled) {
                match change {
                    Change::Update => _ = parents.updated.insert(row.id),
                    Change::Keep => _ = parents.kept.insert(row.id),
                    Change::Insert | Change::Same => {}
                }
            }
        }
        changes.extend(settled);
    }
    Ok(changes)
}

fn tell_kept(table: &TablePlan, changes: &[Change], report: &mut Report) -> Result<(), Failure> {
    if !changes.contains(&Change::Keep) {
        return Ok(());
    }
    let mut changes = changes.iter();
    for window in table.rows.batches(WINDOW_ROWS, WINDOW_BYTES) {
        for (row, change) in window?.iter().zip(&mut changes) {
            if *change == Change::Keep {
                report.keep(&table.name, row);
            }
        }
    }
    Ok(())
}

/// How many rows lie in records of the export that are there already, and are not in it themselves.
async fn leftover(
    table: &TablePlan,
    plan: &Plan,
    changes: &[Vec<Change>],
    target: &Target,
) -> Result<usize, Failure> {
    let Some(parent) = &table.parent else { return Ok(0) };
    let parent = plan.tables.iter().zip(changes).find(|(planned, _)| planned.name == parent.table);
    let Some((parent, changes)) = parent else { return Ok(0) };
    if changes.iter().all(|change| *change == Change::Insert) {
        return Ok(0);
    }
    let (mut leftover, mut changes) = (0, changes.iter());
    for window in parent.rows.batches(WINDOW_ROWS, WINDOW_BYTES) {
        let there = window?.into_iter().zip(&mut changes).filter(|(_, change)| **change != Change::Insert);
        let ids: Vec<Uuid> = there.map(|(row, _)| row.id).collect();
        leftover += target.leftover(table, &ids).await?;
    }
    Ok(leftover)
}

/// Writes what the survey found due, and reads it back.
async fn write(
    export: &Export,
    survey: Survey,
    target: &Target,
    printer: &mut Printer,
) -> Result<Report, Failure> {
    let Survey { plan, changes, mut report } = survey;
    let mut refused_rows = Vec::new();
    for (table, changes) in plan.tables.iter().zip(&changes) {
        let due = changes.iter().filter(|change| is_due(**change)).count();
        let mut refused: HashSet<Uuid> = HashSet::new();
        if due > 0 {
            let task = printer.task(&table.name, due);
            let mut writer =
                Writer { export, table, target, task: &task, report: &mut report, refused: &mut refused };
            writer.all(changes).await?;
        }
        refused_rows.push(refused);
    }
    if report.written() > 0 {
        let task = printer.task("reading back", report.written());
        for ((table, changes), refused) in plan.tables.iter().zip(&changes).zip(&refused_rows) {
            verify(table, changes, refused, target, &mut report, &task).await?;
        }
    }
    Ok(report)
}

fn is_due(change: Change) -> bool {
    matches!(change, Change::Insert | Change::Update)
}

/// Writes the rows of a table.
struct Writer<'w> {
    export: &'w Export,
    table: &'w TablePlan,
    target: &'w Target,
    task: &'w Task,
    report: &'w mut Report,
    refused: &'w mut HashSet<Uuid>,
}

impl Writer<'_> {
    /// All that are due. Rows that point at others of their table wait until those are there; what is left
    /// then points in a circle, and goes in together.
    async fn all(&mut self, changes: &[Change]) -> Result<(), Failure> {
        let mut waiting = self.waiting(changes)?;
        let mut last = false;
        loop {
            let before = waiting.len();
            let mut changes = changes.iter().copied();
            for window in self.table.rows.batches(WINDOW_ROWS, WINDOW_BYTES) {
                let window = window?;
                let due: Vec<(&Row, Change)> =
                    window.iter().zip(&mut changes).filter(|(_, change)| is_due(*change)).collect();
                let ready: Vec<(&Row, Change)> = match before {
                    0 => due,
                    _ => due.into_iter().filter(|(row, _)| last || self.is_ready(row, &waiting)).collect(),
                };
                for (row, _) in &ready {
                    waiting.remove(&row.id);
                }
                self.window(&ready).await?;
            }
            if before == 0 || waiting.is_empty() {
                return Ok(());
            }
            last = waiting.len() == before;
        }
    }

    /// The rows that have to wait for others of their table.
    fn waiting(&self, changes: &[Change]) -> Result<HashSet<Uuid>, Failure> {
        let mut waiting = HashSet::new();
        if self.table.late.is_empty() {
            return Ok(waiting);
        }
        let mut changes = changes.iter();
        for window in self.table.rows.batches(WINDOW_ROWS, WINDOW_BYTES) {
            let due = window?.into_iter().zip(&mut changes).filter(|(_, change)| is_due(**change));
            waiting.extend(due.map(|(row, _)| row.id));
        }
        Ok(waiting)
    }

    fn is_ready(&self, row: &Row, waiting: &HashSet<Uuid>) -> bool {
        let points_at = |place: &usize| match row.cells.get(*place) {
            Some(Cell::Uuid(id)) => Some(*id),
            _ => None,
        };
        waiting.contains(&row.id)
            && !self.table.late.iter().filter_map(points_at).any(|id| id != row.id && waiting.contains(&id))
    }

    async fn window(&mut self, due: &[(&Row, Change)]) -> Result<(), Failure> {
        for Group { columns, rows } in self.table.groups(due.iter().map(|(row, _)| *row)) {
            let payloads =
                rows.into_iter().map(|row| payload(self.table, row)).collect::<Result<Vec<_>, _>>()?;
            let task = self.task;
            let refused =
                load(self.target, &self.table.name, &columns, &payloads, |rows| task.add(rows)).await?;
            for Refused { row, error } in refused {
                self.refused.insert(row.id);
                let change = due.iter().find(|(planned, _)| planned.id == row.id).map(|(_, change)| *change);
                if let Some(change) = change {
                    self.report.refuse(reject(self.export, self.table, row, &error), change);
                }
            }
        }
        Ok(())
    }
}

fn payload<'a>(table: &TablePlan, row: &'a Row) -> Result<Payload<'a>, Failure> {
    let json = serde_json::value::to_raw_value(&table.payload(row)).map_err(|error| {
        Failure::new(exit::BUG, "payload", format!("{} cannot be written as JSON", row.at)).because(error)
    })?;
    Ok(Payload { row, json })
}

/// Reads back what was written, and says where it differs.
async fn verify(
    table: &TablePlan,
    changes: &[Change],
    refused: &HashSet<Uuid>,
    target: &Target,
    report: &mut Report,
    task: &Task,
) -> Result<(), Failure> {
    let mut changes = changes.iter();
    for window in table.rows.batches(WINDOW_ROWS, WINDOW_BYTES) {
        let window = window?;
        let rows: Vec<&Row> = window
            .iter()
            .zip(&mut changes)
            .filter(|(row, change)| is_due(**change) && !refused.contains(&row.id))
            .map(|(row, _)| row)
            .collect();
        let existing = target.existing(table, &rows, |rows| task.add(rows)).await?;
        for (row, change) in rows.iter().zip(table.compare(rows.iter().copied(), &existing)?) {
            match change {
                Change::Same => report.verified += 1,
                Change::Insert => report.mismatch(&table.name, row, "is not there after it was written"),
                Change::Update | Change::Keep => {
                    report.mismatch(&table.name, row, "does not read back as it was written");
                }
            }
        }
    }
    Ok(())
}

/// A row the server refused, without the values its answer may repeat.
fn reject(export: &Export, table: &TablePlan, row: &Row, error: &supabase_sdk::Error) -> Reject {
    Reject {
        file: export.file_of(&row.at),
        pointer: row.at.to_string(),
        table: table.name.clone(),
        column: None,
        code: error.code().unwrap_or("refused").to_owned().into(),
        message: error.to_string(),
        help: "mend the record in the file, or the mapping, and run again".to_owned(),
    }
}
