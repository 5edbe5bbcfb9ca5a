//! `migrator import`: an exported file into the tables.
//!
//! Everything that can be known is known before the first write: file and mapping before the target is
//! asked at all, then whether the tables are there and whose the rows are. What was written is read back
//! and compared with the plan.

use std::collections::HashMap;

use uuid::Uuid;

use crate::args::{self, Mode};
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
use crate::target::{Access, Authority, Grant, NewPassword, Target, UnknownOwner};

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
        mode: args.mode,
        dry_run: args.dry_run,
    };
    // A rehearsal in nobody's name: what is wrong with the file is said before the target is asked.
    Plan::new(&export, &mapping, &Context::new(&mapping, Uuid::nil(), options.scope, options.zone)?)?;

    let owner = args.owner.as_deref().ok_or_else(|| {
        Failure::new(exit::USAGE, "usage.owner", "whose rows will these be?").help("pass --owner EMAIL")
    })?;
    if !is_an_address(owner) {
        return Err(Failure::new(exit::USAGE, "usage.owner", "--owner is no e-mail address")
            .help("pass the address they sign in with, such as --owner zoe@example.com"));
    }
    let access = access(&args.target, variables).await?;
    let unknown = if args.create_owner { UnknownOwner::Create } else { UnknownOwner::Refuse };
    let target = Target::open(access, owner, unknown).await?;
    let report = import(&export, &mapping, &target, options, printer).await?;
    printer.report(&report);
    Ok(report.exit_code)
}

/// True for what Auth may take; Auth itself has the last word.
fn is_an_address(text: &str) -> bool {
    let plain = text.chars().all(|character| character.is_ascii_graphic());
    plain
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// What opens the target: the local stack's secret key, the owner's password, or a secret key.
pub(super) async fn access(args: &args::Target, variables: Variables<'_>) -> Result<Access, Failure> {
    if let Some(data) = &args.local {
        let status = LocalStack::find(variables("SUPABASE_STACK_BIN")).status(data.as_deref()).await?;
        let grant = Grant::SecretKey { new_password: variables("MIGRATOR_PASSWORD") };
        return Ok(Access { url: status.api_url, key: status.secret_key, grant });
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
    // A key that is named on the command line wins over a password that happens to be set.
    let password = variables("MIGRATOR_PASSWORD").filter(|_| args.secret_key_file.is_none());
    if let Some(password) = password {
        let key = first(&["SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY"]).ok_or_else(|| {
            missing(
                "usage.key",
                "the owner's password needs the project's publishable key",
                "set SUPABASE_PUBLISHABLE_KEY",
            )
        })?;
        return Ok(Access { url, key, grant: Grant::Password(password) });
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
    Ok(Access { url, key, grant: Grant::SecretKey { new_password: None } })
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
    let context = Context::new(mapping, target.owner(), options.scope, options.zone)?;
    let plan = Plan::new(export, mapping, &context)?;
    let mut report = Report::of(export, mapping, &plan);
    report.target = Some(target.url().to_owned());
    report.authority = Some(target.authority());
    for table in &plan.tables {
        target.check(table).await?;
    }
    let changes = compare(&plan, options.mode, target, printer).await?;
    if plan.rejects.len() > options.max_rejects {
        report.ending = Ending::Stopped;
        return Ok(Survey { plan, changes, report });
    }
    let changes_of: HashMap<&str, &[Change]> =
        plan.tables.iter().map(|table| table.name.as_str()).zip(changes.iter().map(Vec::as_slice)).collect();
    for (table, changes) in plan.tables.iter().zip(&changes) {
        report.add(&table.name, changes);
        let kept = table.rows.iter().zip(changes).filter(|(_, change)| **change == Change::Keep);
        kept.for_each(|(row, _)| report.keep(&table.name, row));
        match target.leftover(table, &parents_there(table, &plan, &changes_of)).await? {
            0 => {}
            rows => report.leftover(&table.name, rows),
        }
    }
    report.ending = if options.dry_run { Ending::DryRun } else { Ending::Written };
    Ok(Survey { plan, changes, report })
}

/// The rows a child's rows lie in, as far as they are there already.
fn parents_there(table: &TablePlan, plan: &Plan, changes: &HashMap<&str, &[Change]>) -> Vec<Uuid> {
    let parent = table.parent.as_ref().and_then(|parent| plan.table(&parent.table));
    let Some((parent, changes)) =
        parent.and_then(|parent| Some((parent, changes.get(parent.name.as_str())?)))
    else {
        return Vec::new();
    };
    let there = parent.rows.iter().zip(*changes).filter(|(_, change)| **change != Change::Insert);
    there.map(|(row, _)| row.id).collect()
}

/// Writes what the survey found due, and reads it back.
async fn write(
    export: &Export,
    survey: Survey,
    target: &Target,
    printer: &mut Printer,
) -> Result<Report, Failure> {
    let Survey { plan, changes, mut report } = survey;
    let mut written = Vec::new();
    for (table, changes) in plan.tables.iter().zip(&changes) {
        let mut due: Vec<(&Row, Change)> = table.rows.iter().zip(changes.iter().copied()).collect();
        due.retain(|(_, change)| matches!(change, Change::Insert | Change::Update));
        for Refused { row, error } in write_table(table, &due, target, printer).await? {
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
async fn compare(
    plan: &Plan,
    mode: Mode,
    target: &Target,
    printer: &mut Printer,
) -> Result<Vec<Vec<Change>>, Failure> {
    let mut changes = Vec::new();
    let mut settled: HashMap<Uuid, Change> = HashMap::new();
    let task = printer.task("comparing", plan.rows());
    for table in &plan.tables {
        let rows: Vec<&Row> = table.rows.iter().collect();
        let existing = target.existing(table, &rows, |rows| task.add(rows)).await?;
        let differ = table.diff(&existing)?;
        let change = match mode {
            Mode::Upsert => differ,
            Mode::Newer => table.newer_wins(&differ, &existing, &settled),
        };
        settled.extend(table.rows.iter().map(|row| row.id).zip(change.iter().copied()));
        changes.push(change);
    }
    Ok(changes)
}

/// Writes rows of a table; answers with those the server refused.
async fn write_table<'a>(
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
            Change::Update | Change::Keep => {
                report.mismatch(&table.name, row, "does not read back as it was written");
            }
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
