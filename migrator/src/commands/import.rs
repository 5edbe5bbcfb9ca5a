//! `migrator import`: an exported file into the tables.
//!
//! Everything that can be known is known before the first write: file and mapping before the target is
//! asked at all, then whether the tables are there and whose the rows are. What was written is read back
//! and compared with the plan.

use uuid::Uuid;

use crate::args;
use crate::commands::{Variables, read_export, read_mapping};
use crate::diff::{Change, Group};
use crate::exit::{self, Failure};
use crate::export::Export;
use crate::load::{Payload, Refused, load};
use crate::local::LocalStack;
use crate::mapping::Mapping;
use crate::plan::{Context, Plan, Row, TablePlan};
use crate::printer::{Printer, Task};
use crate::reject::Reject;
use crate::report::{Ending, Report};
use crate::target::{Access, Authority, Target, UnknownOwner};

/// How an import is to be done, beside what and where to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Part of every id.
    pub scope: Option<&'a str>,
    /// The zone of times that do not say theirs.
    pub zone: Option<&'a str>,
    /// How many rejects are too many to write anything is one more than this.
    pub max_rejects: usize,
    /// Whether to stop before the first write.
    pub dry_run: bool,
}

/// Runs the command, and says how it ended.
///
/// # Errors
/// As the exit codes say; nothing is written then, unless the target stopped answering in the middle.
pub async fn run(
    args: &args::Import,
    variables: Variables<'_>,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let mapping = read_mapping(&args.mapping)?;
    let export = read_export(&args.file)?;
    let options = Options {
        scope: args.scope.as_deref(),
        zone: args.tz.as_deref(),
        max_rejects: args.max_rejects,
        dry_run: args.dry_run,
    };
    // A rehearsal in nobody's name: what is wrong with the file is said before the target is asked.
    Plan::new(&export, &mapping, &Context::new(&mapping, Uuid::nil(), options.scope, options.zone)?)?;

    let owner = args.owner.as_deref().ok_or_else(|| {
        Failure::new(exit::USAGE, "usage.owner", "whose rows will these be?").help("pass --owner EMAIL")
    })?;
    let access = access(&args.target, variables).await?;
    let unknown = match (args.create_owner, args.dry_run) {
        (true, true) => UnknownOwner::Assume,
        (true, false) => UnknownOwner::Create,
        (false, _) => UnknownOwner::Refuse,
    };
    let target = Target::open(access, owner, unknown).await?;
    let report = import(&export, &mapping, &target, options, printer).await?;
    printer.report(&report);
    Ok(report.exit_code)
}

/// What opens the target: the local stack's secret key, the owner's password, or a secret key.
async fn access(args: &args::Target, variables: Variables<'_>) -> Result<Access, Failure> {
    if let Some(data) = &args.local {
        let status = LocalStack::find(variables("SUPABASE_STACK_BIN")).status(data.as_deref()).await?;
        return Ok(Access { url: status.api_url, key: status.secret_key, password: None });
    }
    let first = |names: &[&str]| names.iter().find_map(|name| variables(name));
    let missing = |id, what: &str, help: &str| Failure::new(exit::USAGE, id, what).help(help);
    let url = args.url.clone().or_else(|| first(&["SUPABASE_URL"])).ok_or_else(|| {
        missing(
            "usage.target",
            "where to?",
            "pass --local for the stack on this machine, or --url, or set SUPABASE_URL",
        )
    })?;
    if let Some(password) = variables("MIGRATOR_PASSWORD") {
        let key = first(&["SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY"]).ok_or_else(|| {
            missing(
                "usage.key",
                "the owner's password needs the project's publishable key",
                "set SUPABASE_PUBLISHABLE_KEY",
            )
        })?;
        return Ok(Access { url, key, password: Some(password) });
    }
    let key = match &args.secret_key_file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| {
            let message = format!("the key file {} cannot be read: {error}", file.display());
            missing("usage.key_file", &message, "check the name after --secret-key-file").because(error)
        })?,
        None => first(&["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"]).ok_or_else(|| {
            missing(
                "usage.key",
                "by whose authority?",
                "set MIGRATOR_PASSWORD and SUPABASE_PUBLISHABLE_KEY to write as the owner, or SUPABASE_SECRET_KEY",
            )
        })?,
    };
    Ok(Access { url, key, password: None })
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
    let context = Context::new(mapping, target.owner(), options.scope, options.zone)?;
    let plan = Plan::new(export, mapping, &context)?;
    let mut report = Report::of(export, mapping, &plan);
    report.target = Some(target.url().to_owned());
    report.authority = Some(target.authority());
    if target.authority() == Authority::SecretKey {
        printer.warn("writing with the project's secret key: row-level security is passed, not tried");
    }
    for table in &plan.tables {
        target.check(table).await?;
    }
    let changes = compare(&plan, target, printer).await?;
    if plan.rejects.len() > options.max_rejects {
        report.ending = Ending::Stopped;
        return Ok(report);
    }
    for (table, changes) in plan.tables.iter().zip(&changes) {
        report.add(&table.name, changes);
    }
    if options.dry_run {
        report.ending = Ending::DryRun;
        return Ok(report);
    }
    report.ending = Ending::Written;
    let mut written = Vec::new();
    for (table, changes) in plan.tables.iter().zip(&changes) {
        let mut due: Vec<(&Row, Change)> = table.rows.iter().zip(changes.iter().copied()).collect();
        due.retain(|(_, change)| *change != Change::Same);
        for Refused { row, error } in write(table, &due, target, printer).await? {
            // A row stands once in a plan.
            let place = due.iter().position(|(planned, _)| planned.id == row.id);
            if let Some((_, change)) = place.map(|place| due.remove(place)) {
                report.refuse(reject(export, table, row, &error), change);
            }
        }
        written.push(due);
    }
    if report.written() > 0 {
        let task = printer.task("reading back", report.written());
        for (table, due) in plan.tables.iter().zip(written) {
            let rows: Vec<&Row> = due.into_iter().map(|(row, _)| row).collect();
            verify(table, &rows, target, &mut report, &task).await?;
        }
    }
    Ok(report)
}

/// What has to happen to each row of each table.
async fn compare(plan: &Plan, target: &Target, printer: &mut Printer) -> Result<Vec<Vec<Change>>, Failure> {
    let mut changes = Vec::new();
    let task = printer.task("comparing", plan.rows());
    for table in &plan.tables {
        let rows: Vec<&Row> = table.rows.iter().collect();
        let existing = target.existing(table, &rows, |rows| task.add(rows)).await?;
        changes.push(table.diff(&existing)?);
    }
    Ok(changes)
}

/// Writes rows of a table; answers with those the server refused.
async fn write<'a>(
    table: &'a TablePlan,
    due: &[(&'a Row, Change)],
    target: &Target,
    printer: &mut Printer,
) -> Result<Vec<Refused<'a>>, Failure> {
    let mut refused = Vec::new();
    if due.is_empty() {
        return Ok(refused);
    }
    let task = printer.task(&table.name, due.len());
    for Group { columns, rows } in table.groups(due.iter().map(|(row, _)| *row)) {
        let payloads = rows.into_iter().map(|row| payload(table, row)).collect::<Result<Vec<_>, _>>()?;
        refused.extend(load(target, &table.name, &columns, &payloads, |rows| task.add(rows)).await?);
    }
    Ok(refused)
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
    rows: &[&Row],
    target: &Target,
    report: &mut Report,
    task: &Task,
) -> Result<(), Failure> {
    let existing = target.existing(table, rows, |rows| task.add(rows)).await?;
    for (row, change) in rows.iter().zip(table.compare(rows.iter().copied(), &existing)?) {
        match change {
            Change::Same => report.verified += 1,
            Change::Insert => report.mismatch(&table.name, row, "is not there after it was written"),
            Change::Update => report.mismatch(&table.name, row, "does not read back as it was written"),
        }
    }
    Ok(())
}

/// A row the server refused, without the values its answer may repeat.
fn reject(export: &Export, table: &TablePlan, row: &Row, error: &supabase_sdk::Error) -> Reject {
    Reject {
        file: export.file.clone(),
        pointer: row.at.to_string(),
        table: table.name.clone(),
        column: None,
        code: error.code().unwrap_or("refused").to_owned().into(),
        message: error.to_string(),
        help: "mend the record in the file, or the mapping, and run again".to_owned(),
    }
}
