//! Edge: an export into a target that is open.
//!
//! Everything that can be known is known before the first write: what the file holds, whether the tables are
//! there and whose the rows are. What was written is read back and compared with the plan. Rows pass through
//! in windows, so that memory does not grow with them.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use jiff::Timestamp;
use supabase_sdk::Client;
use uuid::Uuid;

use crate::args::{Atomic, Mode};
use crate::destination::{Destination, RefusedRow, is_due};
use crate::diff::{Change, Parents};
use crate::exit::{self, Failure};
use crate::export::Export;
use crate::mapping::Mapping;
use crate::media;
use crate::papers::Papers;
use crate::plan::{Cell, Context, Known, MEND, MediaMode, Plan, Row, TablePlan};
use crate::printer::{Answer, Event, Printer, Task};
use crate::reject::Reject;
use crate::report::{Ending, Phase, Report};
use crate::target::{Authority, NewPassword};

/// How many rows are in memory at a time, and about how many bytes of them.
const WINDOW_ROWS: usize = 5_000;
const WINDOW_BYTES: usize = 4 << 20;

/// Up to so many rows are one transaction, where the target has transactions.
const ATOMIC_ROWS: usize = 100_000;

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
    /// Whether all is written or nothing, where the target can do that.
    pub atomic: Atomic,
    /// What becomes of files that lie in fields.
    pub media: MediaMode,
    /// Whether to stop before the first write.
    pub dry_run: bool,
    /// Whether nobody is asked before the first write.
    pub yes: bool,
    /// The time of the run.
    pub now: Timestamp,
}

/// An import.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// What the old app left.
    pub export: &'a Export,
    /// Which record becomes which row.
    pub mapping: &'a Mapping,
    /// How it is to be done.
    pub options: Options<'a>,
    /// Who takes files, where rows go straight to PostgreSQL.
    pub storage: Option<&'a Client>,
}

/// A run up to its first write.
struct Survey {
    plan: Plan,
    /// What has to happen to each row of each table.
    changes: Vec<Vec<Change>>,
    /// What the target has told.
    known: Known,
    /// Its ending says whether there will be a write.
    report: Report,
    /// The digests of rows that are there as planned, by table.
    digests: Vec<u128>,
}

/// Imports an export into a target that is open. `papers` is where the run is written down.
///
/// # Errors
/// As the exit codes say.
pub async fn import(
    job: Job<'_>,
    destination: &mut Destination,
    papers: Option<Papers>,
    printer: &mut Printer,
) -> Result<Report, Failure> {
    if destination.authority() == Authority::SecretKey {
        printer.warn("writing with the project's secret key: it may write everything, and row-level security is not tried");
    }
    if let Some(papers) = &papers {
        papers.check(&job, destination)?;
    }
    if let (Destination::Sql(target), false) = (&mut *destination, job.options.dry_run) {
        // Before the comparison: a batch of a run that was killed may still be on its way.
        target.lock().await?;
    }
    let mut survey = job.survey(destination, printer).await?;
    match (survey.report.ending, &*destination) {
        (Ending::Written, _) => {}
        (Ending::DryRun, Destination::Sql(_)) => {
            job.try_out(&mut survey, destination, printer).await?;
            return Ok(survey.report);
        }
        _ => return Ok(survey.report),
    }
    job.ask(&mut survey, destination, printer);
    if survey.report.ending != Ending::Written {
        return Ok(survey.report);
    }
    if let Destination::Rest(target) = destination
        && let Some((new, password)) = target.with_new_owner().await?
    {
        printer.say(match password {
            NewPassword::Given => "made the owner's account; MIGRATOR_PASSWORD is its password",
            NewPassword::None => {
                "made the owner's account; it has no password yet: they ask for a new one to get in"
            }
        });
        **target = new;
        // The ids are made from the owner's, so they are known only now.
        survey = job.survey(destination, printer).await?;
    }
    job.write(survey, destination, papers, printer).await
}

/// Reads back what an import would write, and says where it differs; nothing is written.
///
/// # Errors
/// As [`import`].
pub async fn verify(
    job: Job<'_>,
    destination: &mut Destination,
    printer: &mut Printer,
) -> Result<Report, Failure> {
    let job = Job { options: Options { mode: Mode::Upsert, dry_run: true, ..job.options }, ..job };
    let Survey { plan, changes, mut report, digests, .. } = job.survey(destination, printer).await?;
    for ((table, changes), digest) in plan.tables.iter().zip(&changes).zip(digests) {
        report.digest(&table.name, digest);
        let mut changes = changes.iter();
        for window in table.rows.batches(WINDOW_ROWS, WINDOW_BYTES) {
            for (row, change) in window?.iter().zip(&mut changes) {
                match change {
                    Change::Insert => report.mismatch(&table.name, row, "is not there"),
                    Change::Update | Change::Keep => {
                        report.mismatch(&table.name, row, "is not as the file has it");
                    }
                    Change::Same => report.verified += 1,
                }
            }
        }
    }
    report.ending = Ending::Verified;
    Ok(report)
}

impl Job<'_> {
    /// What the plan takes from whoever runs it.
    fn context(&self, destination: &Destination) -> Result<Context, Failure> {
        let Options { scope, zone, media, now, .. } = self.options;
        let context = Context::new(self.mapping, destination.owner(), scope, zone, now)?;
        Ok(Context { media, ..context })
    }

    /// Who takes the files.
    fn storage<'s>(&'s self, destination: &'s Destination) -> Option<&'s Client> {
        match destination {
            Destination::Rest(target) => Some(target.client()),
            Destination::Sql(_) => self.storage,
        }
    }

    /// Sends the files of a plan.
    async fn send_files(
        &self,
        survey: &mut Survey,
        destination: &Destination,
        printer: &mut Printer,
    ) -> Result<(), Failure> {
        let Some(client) = self.storage(destination).filter(|_| !survey.plan.files.is_empty()) else {
            return Ok(());
        };
        let begun = Instant::now();
        let task = printer.task("files", survey.plan.files.len());
        survey.report.media = media::upload(client, &survey.plan.files, &task).await?;
        survey.report.took(Phase::Media, begun.elapsed());
        Ok(())
    }

    /// Everything that can be known before the first write.
    async fn survey(&self, destination: &mut Destination, printer: &mut Printer) -> Result<Survey, Failure> {
        let Self { export, mapping, options, .. } = *self;
        let begun = Instant::now();
        let context = self.context(destination)?;
        let mut plan = Plan::new(export, mapping, &context, &Known::default())?;
        for table in &plan.tables {
            destination.check(table).await?;
        }
        let mut known = Known::default();
        for (table, ids) in &plan.orphans {
            known.there.insert(table.clone(), destination.those_there(table, ids).await?);
        }
        if !known.is_empty() {
            plan = Plan::new(export, mapping, &context, &known)?;
        }
        if !plan.files.is_empty() && self.storage(destination).is_none() {
            let message = "there are files for Storage, and a database takes none";
            return Err(Failure::new(exit::USAGE, "usage.media", message).help(
                "set SUPABASE_URL and SUPABASE_SECRET_KEY beside --db-url, or pass --media keep or --media drop",
            ));
        }
        let mut report = Report::of(export, mapping, &plan);
        report.target = Some(destination.address());
        report.via = Some(destination.via());
        report.authority = Some(destination.authority());
        report.took(Phase::Plan, begun.elapsed());
        for table in &plan.tables {
            printer.event(&Event::TablePlanned {
                table: &table.name,
                records: table.records,
                rows: table.rows.len(),
                merged: table.merged,
                rejected: table.rejected,
            });
        }
        let begun = Instant::now();
        let (mut changes, mut digests) = (Vec::new(), Vec::new());
        let mut parents = Parents::default();
        let task = printer.task("comparing", plan.rows());
        for table in &plan.tables {
            let compared = compare(table, &plan, options.mode, destination, &mut parents, &task).await?;
            changes.push(compared.0);
            digests.push(compared.1);
        }
        drop(task);
        report.took(Phase::Compare, begun.elapsed());
        let mut survey = Survey { plan, changes, known, report, digests };
        if survey.plan.rejects.count > options.max_rejects {
            survey.report.ending = Ending::Stopped;
            return Ok(survey);
        }
        survey.tell(destination).await?;
        survey.report.ending = if options.dry_run { Ending::DryRun } else { Ending::Written };
        Ok(survey)
    }

    /// Lets a person look at what will be done before it is.
    fn ask(&self, survey: &mut Survey, destination: &Destination, printer: &mut Printer) {
        let rows = survey.report.written();
        if self.options.yes || rows == 0 {
            return;
        }
        let question = format!("{rows} rows will be written to {}. Go on?", destination.address());
        if printer.confirm(&question) == Answer::No {
            survey.report.nothing_kept();
        }
    }

    /// Writes in a transaction that is not kept: what the server would refuse is known then.
    async fn try_out(
        &self,
        survey: &mut Survey,
        destination: &mut Destination,
        printer: &mut Printer,
    ) -> Result<(), Failure> {
        let Destination::Sql(target) = &mut *destination else { return Ok(()) };
        let id = Uuid::new_v4();
        target.begin().await?;
        target.start_run(&crate::papers::recorded(id, &survey.plan, self.options.now)).await?;
        let mut papers = None;
        let tried = write_all(self, survey, destination, &mut papers, id, printer).await;
        if let Destination::Sql(target) = destination {
            target.roll_back().await?;
        }
        tried.map(drop)
    }

    /// Writes what the survey found due, and reads it back.
    async fn write(
        &self,
        mut survey: Survey,
        destination: &mut Destination,
        mut papers: Option<Papers>,
        printer: &mut Printer,
    ) -> Result<Report, Failure> {
        // A run without papers is a run of its own all the same: the database knows batches by it.
        let run = papers.as_ref().map_or_else(Uuid::new_v4, Papers::id);
        self.send_files(&mut survey, destination, printer).await?;
        if let Some(papers) = &mut papers {
            papers.begin(self, &survey.plan, destination, &mut survey.report)?;
        }
        let rows = survey.report.written();
        let atomic = match self.options.atomic {
            Atomic::Always => true,
            Atomic::Auto => rows <= ATOMIC_ROWS,
            Atomic::Never => false,
        };
        let written = self.carry_out(&mut survey, destination, &mut papers, (run, atomic), printer).await;
        let refused = match written {
            Ok(refused) => refused,
            Err(failure) => {
                // Without its transaction nothing of it is there; a lost answer leaves that open.
                let is_gone = atomic && failure.code == exit::REFUSED;
                if let (true, Destination::Sql(_), Some(papers)) = (is_gone, &*destination, &mut papers) {
                    papers.failed()?;
                }
                return Err(failure);
            }
        };
        if let Some(mut papers) = papers {
            if !refused.is_empty() {
                // The file of rejects holds records, and those are only in the export.
                survey.known.refused = refused;
                let context = self.context(destination)?;
                survey.plan = Plan::new(self.export, self.mapping, &context, &survey.known)?;
            }
            papers.end(&survey.plan, destination, &mut survey.report, printer).await?;
        }
        Ok(survey.report)
    }
}

impl Job<'_> {
    /// The part of a run that writes, up to where the target keeps it.
    async fn carry_out(
        &self,
        survey: &mut Survey,
        destination: &mut Destination,
        papers: &mut Option<Papers>,
        (run, atomic): (Uuid, bool),
        printer: &mut Printer,
    ) -> Result<HashMap<Uuid, RefusedRow>, Failure> {
        if let Destination::Sql(target) = &mut *destination {
            if atomic {
                target.begin().await?;
            }
            target.start_run(&crate::papers::recorded(run, &survey.plan, self.options.now)).await?;
        }
        let begun = Instant::now();
        let refused = write_all(self, survey, destination, papers, run, printer).await?;
        survey.report.took(Phase::Load, begun.elapsed());
        let begun = Instant::now();
        read_back(survey, &refused, destination, papers, printer).await?;
        survey.report.took(Phase::Verify, begun.elapsed());
        let Destination::Sql(target) = &mut *destination else { return Ok(refused) };
        let too_many = survey.report.rejects.count() > self.options.max_rejects;
        if atomic && (too_many || !survey.report.mismatches.is_empty()) {
            target.roll_back().await?;
            survey.report.nothing_kept();
            return Ok(refused);
        }
        // Before they are kept nobody else can have changed them.
        target.seal(run).await?;
        target.end_run(run, crate::run::Status::Done).await?;
        if atomic {
            target.commit(run).await?;
        }
        Ok(refused)
    }
}

impl Survey {
    /// Counts what will be done, and names what will not.
    async fn tell(&mut self, destination: &mut Destination) -> Result<(), Failure> {
        let Self { plan, changes, report, .. } = self;
        for (table, changes) in plan.tables.iter().zip(&*changes) {
            report.add(&table.name, changes);
            tell_kept(table, changes, report)?;
        }
        for table in &plan.tables {
            match leftover(table, plan, changes, destination).await? {
                0 => {}
                rows => report.leftover(&table.name, rows),
            }
        }
        Ok(())
    }
}

/// What has to happen to each row of a table, and the digest of those that are as planned.
async fn compare(
    table: &TablePlan,
    plan: &Plan,
    mode: Mode,
    destination: &mut Destination,
    parents: &mut Parents,
    task: &Task,
) -> Result<(Vec<Change>, u128), Failure> {
    if table.rows.is_empty() || destination.is_empty(table).await? {
        task.add(table.rows.len());
        return Ok((vec![Change::Insert; table.rows.len()], 0));
    }
    let has_children = plan.has_children(table);
    let (mut changes, mut digest) = (vec![Change::Same; table.rows.len()], 0_u128);
    for window in table.rows.by_id(WINDOW_ROWS, WINDOW_BYTES)? {
        let window = window?;
        let rows: Vec<&Row> = window.iter().map(|(_, row)| row).collect();
        let existing = destination.existing(table, &rows, task).await?;
        let differ = table.compare(rows.iter().copied(), &existing)?;
        let settled = match mode {
            Mode::Upsert => differ,
            Mode::Newer => table.newer_wins(&rows, &differ, &existing, parents),
            Mode::Skip => differ
                .into_iter()
                .map(|change| if change == Change::Update { Change::Keep } else { change })
                .collect(),
        };
        for ((place, row), change) in window.iter().zip(settled) {
            match change {
                Change::Same => digest = digest.wrapping_add(table.written(row).number()),
                Change::Update if has_children => _ = parents.updated.insert(row.id),
                Change::Keep if has_children => _ = parents.kept.insert(row.id),
                Change::Insert | Change::Update | Change::Keep => {}
            }
            changes[*place] = change;
        }
    }
    Ok((changes, digest))
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
    destination: &mut Destination,
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
        leftover += destination.leftover(table, &ids).await?;
    }
    Ok(leftover)
}

/// What is written of a table at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// What is due, but for changed rows that others are part of.
    First,
    /// Those. Whether the rows within one are taken from the file is told by its clock: it may say that all
    /// is done only when it is, or a run that is killed in between would leave them as they were for good.
    Last,
}

impl Turn {
    fn of(self, changes: &[Change], has_children: bool) -> Vec<Change> {
        let waits = |change: Change| has_children && change == Change::Update;
        let turn =
            |change: &Change| if waits(*change) == (self == Self::Last) { *change } else { Change::Same };
        changes.iter().map(turn).collect()
    }
}

/// Writes all that is due, table by table; answers with what was refused.
async fn write_all(
    job: &Job<'_>,
    survey: &mut Survey,
    destination: &mut Destination,
    papers: &mut Option<Papers>,
    run: Uuid,
    printer: &mut Printer,
) -> Result<HashMap<Uuid, RefusedRow>, Failure> {
    let mut refused = HashMap::new();
    let tables: Vec<_> = survey.plan.tables.iter().zip(&survey.changes).collect();
    let mut turns: Vec<_> = tables.iter().map(|table| (Turn::First, *table)).collect();
    turns.extend(tables.iter().rev().map(|table| (Turn::Last, *table)));
    let mut batches: HashMap<&str, u32> = HashMap::new();
    for (turn, (table, changes)) in turns {
        let changes = turn.of(changes, survey.plan.has_children(table));
        let due = changes.iter().filter(|change| is_due(**change)).count();
        if due == 0 {
            continue;
        }
        let task = printer.task(&table.name, due);
        let first = match (batches.get(&*table.name), &*papers) {
            (Some(next), _) => *next,
            (None, Some(papers)) => papers.next_batch(&table.name, destination).await?,
            (None, None) => 0,
        };
        let mut writer = Writer {
            job,
            table,
            destination: &mut *destination,
            papers: &mut *papers,
            run,
            batch: first,
            task: &task,
            report: &mut survey.report,
            refused: &mut refused,
            printer: &mut *printer,
        };
        writer.all(&changes).await?;
        batches.insert(&table.name, writer.batch);
    }
    Ok(refused)
}

/// Reads back what was written, says where it differs, and seals it: from here on who changes a row has
/// changed it since. Triggers of later rows may touch earlier ones, so it is done when all are written.
async fn read_back(
    survey: &mut Survey,
    refused: &HashMap<Uuid, RefusedRow>,
    destination: &mut Destination,
    papers: &mut Option<Papers>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let Survey { plan, changes, report, digests, .. } = survey;
    let task = (report.written() > 0).then(|| printer.task("reading back", report.written()));
    for ((table, changes), digest) in plan.tables.iter().zip(&*changes).zip(digests) {
        let Some(task) = task.as_ref().filter(|_| changes.iter().any(|change| is_due(*change))) else {
            report.digest(&table.name, *digest);
            continue;
        };
        for window in table.rows.by_id(WINDOW_ROWS, WINDOW_BYTES)? {
            let window = window?;
            let written = window.iter().filter(|(place, _)| changes.get(*place).copied().is_some_and(is_due));
            let rows: Vec<&Row> =
                written.map(|(_, row)| row).filter(|row| !refused.contains_key(&row.id)).collect();
            if rows.is_empty() {
                continue;
            }
            let (existing, seals) = destination.left(table, &rows, task).await?;
            report.verify.rows += rows.len();
            for (row, change) in rows.iter().zip(table.compare(rows.iter().copied(), &existing)?) {
                match change {
                    Change::Same => {
                        report.verified += 1;
                        report.verify.equal += 1;
                        *digest = digest.wrapping_add(table.written(row).number());
                    }
                    Change::Insert => {
                        report.mismatch(&table.name, row, "is not there after it was written");
                    }
                    Change::Update | Change::Keep => {
                        report.mismatch(&table.name, row, "does not read back as it was written");
                    }
                }
            }
            if let Some(ledger) = papers.as_mut().and_then(Papers::ledger) {
                ledger.seal(&table.name, seals)?;
            }
        }
        report.digest(&table.name, *digest);
    }
    Ok(())
}

/// Writes the rows of a table.
struct Writer<'w, 'j> {
    job: &'w Job<'j>,
    table: &'w TablePlan,
    destination: &'w mut Destination,
    papers: &'w mut Option<Papers>,
    run: Uuid,
    batch: u32,
    task: &'w Task,
    report: &'w mut Report,
    refused: &'w mut HashMap<Uuid, RefusedRow>,
    printer: &'w mut Printer,
}

impl Writer<'_, '_> {
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
                let due = window.iter().zip(&mut changes).filter(|(_, change)| is_due(*change));
                let ready: Vec<(&Row, Change)> =
                    due.filter(|(row, _)| before == 0 || self.is_ready(row, &waiting, last)).collect();
                for (row, _) in &ready {
                    waiting.remove(&row.id);
                }
                if !ready.is_empty() {
                    self.window(&ready).await?;
                }
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

    /// True for a row that waits and need not any longer; in the last round none does.
    fn is_ready(&self, row: &Row, waiting: &HashSet<Uuid>, last: bool) -> bool {
        let points_at = |place: &usize| match row.cells.get(*place) {
            Some(Cell::Uuid(id)) => Some(*id),
            _ => None,
        };
        let mut targets = self.table.late.iter().filter_map(points_at);
        waiting.contains(&row.id) && (last || !targets.any(|id| id != row.id && waiting.contains(&id)))
    }

    async fn window(&mut self, due: &[(&Row, Change)]) -> Result<(), Failure> {
        let begun = Instant::now();
        let refused = match &mut *self.destination {
            Destination::Sql(target) => {
                let refused = target.write(self.table, due, self.run, self.batch).await?;
                self.task.add(due.len());
                let row = |row: crate::sql::Refused| RefusedRow {
                    id: row.id,
                    code: row.code,
                    column: row.column,
                    message: row.message,
                };
                refused.into_iter().map(row).collect()
            }
            Destination::Rest(target) => {
                let ledger = self.papers.as_mut().and_then(Papers::ledger);
                crate::load::window(target, self.table, due, self.batch, ledger, self.task).await?
            }
        };
        self.printer.event(&Event::BatchCommitted {
            table: &self.table.name,
            batch: usize::try_from(self.batch).unwrap_or(usize::MAX),
            rows: due.len() - refused.len(),
            ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        self.batch += 1;
        for refused in refused {
            let planned = due.iter().find(|(row, _)| row.id == refused.id);
            if let Some((row, change)) = planned {
                let reject = reject(self.job.export, self.table, row, &refused);
                self.printer.event(&Event::RowRejected {
                    file: &reject.file,
                    pointer: &reject.pointer,
                    table: &reject.table,
                    column: reject.column.as_deref(),
                    code: &reject.code,
                });
                self.report.refuse(reject, *change);
            }
            self.refused.insert(refused.id, refused);
        }
        Ok(())
    }
}

/// A row the server refused, without the values its answer may repeat.
fn reject(export: &Export, table: &TablePlan, row: &Row, refused: &RefusedRow) -> Reject {
    Reject {
        file: export.file_of(&row.at),
        pointer: row.at.to_string(),
        table: table.name.clone(),
        column: refused.column.clone(),
        code: refused.code.clone().into(),
        message: refused.message.clone(),
        help: MEND.to_owned(),
    }
}
