//! `migrator rollback`: takes back what a run did, as far as it is still as the run left it.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::args;
use crate::commands::{Variables, database_url, import};
use crate::exit::{self, Failure};
use crate::ledger::file::{self, Reader};
use crate::printer::Printer;
use crate::rollback::{Intent, Moved, Outcome, Reach, Way, roll_back};
use crate::run::folder::Runs;
use crate::run::{self, Kind, Run, Status};
use crate::sql::{Recorded, SqlTarget};
use crate::target::{Target, UnknownOwner};

/// How many rows that stayed are named before they are only counted.
const SHOWN: usize = 20;

/// What `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    schema: u8,
    run: Uuid,
    rollback: Option<Uuid>,
    dry_run: bool,
    status: &'a str,
    #[serde(flatten)]
    outcome: &'a Outcome,
    exit_code: u8,
}

/// Runs the command, and says how it ended.
///
/// # Errors
/// As the exit codes say.
pub async fn run(
    args: &args::Rollback,
    variables: Variables<'_>,
    runs: &Runs,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let reach = if args.force { Reach::Everything } else { Reach::Untouched };
    let intent = if args.dry_run { Intent::Say } else { Intent::Do };
    // A run straight to PostgreSQL is told of by its database, wherever it was started from.
    let known = if args.target.db_url.is_some() { None } else { Some(find(&args.run, runs)?) };
    let (id, rollback, outcome) = match known {
        Some(run) if run.inputs.target.way == run::Way::Rest => {
            let (rollback, outcome) =
                over_rest(&run, args, variables, runs, (reach, intent), printer).await?;
            (run.id, rollback, outcome)
        }
        Some(run) => straight(&run.id.to_string(), args, variables, runs, (reach, intent), printer).await?,
        None => straight(&args.run, args, variables, runs, (reach, intent), printer).await?,
    };
    let exit_code = if outcome.is_whole() { exit::OK } else { exit::REJECTS };
    let status = status_after(&outcome).name();
    let dry_run = intent == Intent::Say;
    let document = Document { schema: 1, run: id, rollback, dry_run, status, outcome: &outcome, exit_code };
    printer.result(&document, &text(&outcome, intent));
    Ok(exit_code)
}

/// The run that is named; `latest` is the latest import that may have written something.
fn find(named: &str, runs: &Runs) -> Result<Run, Failure> {
    let wrote = |run: &Run| match run.status {
        Status::Done => run.rows > 0,
        Status::Loading => true,
        Status::Planned | Status::Failed | Status::RolledBack | Status::RolledBackInPart => false,
    };
    let latest = runs.list()?.into_iter().find(|run| run.kind == Kind::Import && wrote(run));
    match latest {
        Some(run) if named == "latest" => Ok(run),
        _ => runs.find(named),
    }
}

/// Takes back a run that the database has the ledger of.
async fn straight(
    named: &str,
    args: &args::Rollback,
    variables: Variables<'_>,
    runs: &Runs,
    (reach, intent): (Reach, Intent),
    printer: &mut Printer,
) -> Result<(Uuid, Option<Uuid>, Outcome), Failure> {
    let url = database_url(&args.target, variables).await?;
    let mut target = SqlTarget::connect(&url).await?;
    let run = target.find_run(named).await?;
    may_be_undone(run.kind, run.status, reach)?;
    let now = Timestamp::now();
    let rollback = Run::id(now, random());
    let task = printer.task("taking back", usize::try_from(run.rows).unwrap_or_default());
    target.begin_undoing().await?;
    let note = Recorded {
        id: rollback,
        kind: Kind::Rollback,
        undoes: Some(run.id),
        status: Status::Done,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        ..run.clone()
    };
    target.start_run(&note).await?;
    let outcome =
        roll_back(&mut Way::Sql { target: &mut target, run: run.id }, &run.tables, reach, intent, &task)
            .await?;
    target.end_run(rollback, Status::Done).await?;
    target.end_run(run.id, status_after(&outcome)).await?;
    if intent == Intent::Say {
        target.roll_back().await?;
        return Ok((run.id, None, outcome));
    }
    target.commit(rollback).await?;
    // The folder of the run, if it was started here, says the same.
    if let Ok(mut known) = runs.folder(run.id).load() {
        known.status = status_after(&outcome);
        runs.folder(run.id).save(&known)?;
    }
    Ok((run.id, Some(rollback), outcome))
}

/// Takes back a run over the API, by the ledger in its folder.
async fn over_rest(
    run: &Run,
    args: &args::Rollback,
    variables: Variables<'_>,
    runs: &Runs,
    (reach, intent): (Reach, Intent),
    printer: &mut Printer,
) -> Result<(Option<Uuid>, Outcome), Failure> {
    may_be_undone(run.kind, run.status, reach)?;
    let ledger = Reader::open(&runs.folder(run.id).file(file::NAME))?;
    let owner = args.owner.as_deref().unwrap_or(&run.inputs.owner);
    let access = import::access(&args.target.api, variables).await?;
    let target = Target::open(access, owner, UnknownOwner::Refuse).await?;
    same_place(&run.inputs.target.address, target.url())?;
    printer.warn("over the API only the tables of the run are looked at for rows that refer to others; rows of other tables go along where the database says on delete cascade");
    let _lock = runs.folder(run.id).lock()?;
    let earlier = runs.list()?.into_iter().find(|other| {
        other.kind == Kind::Rollback && other.undoes == Some(run.id) && other.status == Status::Loading
    });
    let moved = if earlier.is_some() { Moved::Any } else { Moved::These(moved_since(run, runs)?) };
    let mut rollback = earlier.unwrap_or_else(|| {
        let now = Timestamp::now();
        run.undo(Run::id(now, random()), now)
    });
    if intent == Intent::Do {
        runs.create(&rollback)?;
    }
    let rows = usize::try_from(run.rows).unwrap_or_default();
    let task = printer.task("taking back", rows);
    let tables = ledger.tables.clone();
    let mut way = Way::Rest { target: &target, ledger, moved };
    let outcome = roll_back(&mut way, &tables, reach, intent, &task).await?;
    if intent == Intent::Say {
        return Ok((None, outcome));
    }
    (rollback.status, rollback.ended_at) = (Status::Done, Some(Timestamp::now()));
    let undone = Run { status: status_after(&outcome), ..run.clone() };
    runs.folder(run.id).save(&undone)?;
    runs.folder(rollback.id).save(&rollback)?;
    Ok((Some(rollback.id), outcome))
}

/// The rows of later runs that are rolled back.
fn moved_since(run: &Run, runs: &Runs) -> Result<HashSet<Uuid>, Failure> {
    let later = runs.list()?.into_iter().filter(|other| {
        other.id > run.id
            && other.kind == Kind::Import
            && matches!(other.status, Status::RolledBack | Status::RolledBackInPart)
    });
    let mut moved = HashSet::new();
    for other in later.filter(|other| other.inputs.target == run.inputs.target) {
        let mut ledger = Reader::open(&runs.folder(other.id).file(file::NAME))?;
        for key in ledger.keys() {
            moved.extend(ledger.batch(&key)?.rows.iter().map(|row| row.id));
        }
    }
    Ok(moved)
}

fn status_after(outcome: &Outcome) -> Status {
    if outcome.is_whole() { Status::RolledBack } else { Status::RolledBackInPart }
}

fn may_be_undone(kind: Kind, status: Status, reach: Reach) -> Result<(), Failure> {
    let refuse = |id, what: &str, help: &str| Err(Failure::new(exit::REFUSED, id, what).help(help));
    match (kind, status, reach) {
        (Kind::Rollback, _, _) => {
            refuse("rollback.rollback", "this run is a rollback", "import again to have the rows back")
        }
        (Kind::Import, Status::RolledBack, _) => refuse(
            "rollback.done",
            "this run is rolled back already",
            "`migrator runs list` shows the others",
        ),
        (
            Kind::Import,
            Status::Planned | Status::Loading | Status::Done | Status::Failed | Status::RolledBackInPart,
            _,
        ) => Ok(()),
    }
}

fn same_place(was: &str, is: &str) -> Result<(), Failure> {
    if was.trim_end_matches('/') == is.trim_end_matches('/') {
        return Ok(());
    }
    let message = format!("the run wrote to {was}, and this is {is}");
    Err(Failure::new(exit::REFUSED, "rollback.target", message).help("name the project the run wrote to"))
}

/// What makes the id of a run one of its kind.
fn random() -> [u8; 10] {
    let mut random = [0; 10];
    let drawn = Uuid::new_v4().into_bytes();
    // Without the bytes that say what version of UUID it is.
    random[..6].copy_from_slice(&drawn[..6]);
    random[6..].copy_from_slice(&drawn[12..]);
    random
}

fn text(outcome: &Outcome, intent: Intent) -> String {
    let width = outcome.tables.iter().map(|line| line.name.len()).max().unwrap_or_default().max(5);
    let mut lines =
        vec![format!("{:width$} {:>8} {:>8} {:>8} {:>8}", "table", "removed", "restored", "already", "kept")];
    let line = |line: &crate::rollback::Line| {
        format!(
            "{:width$} {:>8} {:>8} {:>8} {:>8}",
            line.name, line.removed, line.restored, line.already, line.kept
        )
    };
    lines.extend(outcome.tables.iter().map(line));
    if !outcome.kept.is_empty() {
        lines.push(String::new());
        lines.extend(
            outcome
                .kept
                .iter()
                .take(SHOWN)
                .map(|kept| format!("kept {} {}: {}", kept.table, kept.id, kept.why)),
        );
        let more = outcome.kept.len().saturating_sub(SHOWN);
        if more > 0 {
            lines.push(format!("and {more} more; --json names them all"));
        }
    }
    let (removed, restored) = outcome
        .tables
        .iter()
        .fold((0, 0), |(removed, restored), line| (removed + line.removed, restored + line.restored));
    let would = if intent == Intent::Say { "dry run: would have " } else { "" };
    lines.push(format!("\n{would}removed {removed}, put back {restored}, kept {}", outcome.kept.len()));
    if restored > 0 {
        lines.push(
            "rows that were put back say that they changed just now, where a trigger keeps that time"
                .to_owned(),
        );
    }
    lines.join("\n")
}
