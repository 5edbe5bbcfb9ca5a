//! `migrator rollback`: takes back what a run did, as far as it is still as the run left it.

use std::collections::HashSet;
use std::fmt::Display;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::args;
use crate::commands::{Variables, database_url, import};
use crate::exit::{self, Failure};
use crate::lang::{Lang, Phrase};
use crate::ledger::file::{self, Reader};
use crate::printer::Printer;
use crate::rollback::{Intent, Kept, Line, Moved, Outcome, Reach, Way, roll_back};
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
    printer.result(&document, &text(&outcome, intent, printer.lang()));
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
    let task =
        printer.task(&printer.lang().say(Phrase::TakingBack), usize::try_from(run.rows).unwrap_or_default());
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
    let task = printer.task(&printer.lang().say(Phrase::TakingBack), rows);
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

fn text(outcome: &Outcome, intent: Intent, lang: Lang) -> String {
    let counts = [Phrase::Removed, Phrase::Restored, Phrase::Already, Phrase::RowsKept];
    let counts = counts.map(|label| lang.say(label));
    let widths = counts.each_ref().map(|label| label.chars().count().max(8));
    let first = outcome.tables.iter().map(|line| line.name.len()).max().unwrap_or_default().max(5);
    let row = |name: &str, cells: &[String; 4]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!(" {cell:>width$}"));
        format!("{name:first$}{}", cells.collect::<String>())
    };
    let mut lines = vec![row(&lang.say(Phrase::Table), &counts)];
    lines.extend(outcome.tables.iter().map(|line| {
        let Line { name, removed, restored, already, kept } = line;
        row(name, &[removed, restored, already, kept].map(|count| lang.digits(*count)))
    }));
    if !outcome.kept.is_empty() {
        lines.push(String::new());
        lines.extend(outcome.kept.iter().take(SHOWN).map(|kept| stayed(kept, lang)));
        if let Some(more @ 1..) = outcome.kept.len().checked_sub(SHOWN) {
            lines.push(lang.tally(Phrase::KeptMore, more));
        }
    }
    let (removed, restored) = outcome
        .tables
        .iter()
        .fold((0, 0), |(removed, restored), line| (removed + line.removed, restored + line.restored));
    let verdict = if intent == Intent::Say { Phrase::WouldRollBack } else { Phrase::RolledBack };
    let [of_removed, of_restored, of_kept] =
        [removed, restored, outcome.kept.len()].map(|count| lang.digits(count));
    let counts: [(&str, &dyn Display); 3] =
        [("removed", &of_removed), ("restored", &of_restored), ("kept", &of_kept)];
    lines.extend([String::new(), lang.fill(verdict, &counts)]);
    if restored > 0 {
        lines.push(lang.say(Phrase::RestoredNow));
    }
    lines.join("\n")
}

/// A row that stayed, and why.
fn stayed(kept: &Kept, lang: Lang) -> String {
    let why = lang.remark(&kept.why.to_string());
    lang.fill(Phrase::KeptRow, &[("table", &kept.table), ("id", &kept.id), ("why", &why)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollback::Why;

    #[test]
    fn what_was_taken_back_is_told_in_the_readers_language() {
        let line = |name: &str, removed, restored, already, kept| Line {
            name: name.to_owned(),
            removed,
            restored,
            already,
            kept,
        };
        let kept = |id, why| Kept { table: "orders".to_owned(), id: Uuid::from_u128(id), why };
        let refused = Why::Refused { code: "23503".to_owned() };
        let outcome = Outcome {
            tables: vec![line("customers", 1_200, 1, 0, 0), line("orders", 0, 0, 4, 2)],
            kept: vec![kept(1, Why::ChangedSince), kept(2, refused)],
        };
        assert_eq!(
            text(&outcome, Intent::Do, Lang::En),
            "table      removed restored  already     kept\n\
             customers     1200        1        0        0\n\
             orders           0        0        4        2\n\n\
             kept orders 00000000-0000-0000-0000-000000000001: somebody has changed it since\n\
             kept orders 00000000-0000-0000-0000-000000000002: the server does not let it go (23503)\n\n\
             removed 1200, put back 1, kept 2\n\
             rows that were put back say that they changed just now, where a trigger keeps that time"
        );
        let french = text(&outcome, Intent::Do, Lang::Fr).replace(['\u{a0}', '\u{202f}'], " ");
        assert_eq!(
            french,
            "table     retirées rétablies     déjà  gardées\n\
             customers    1 200         1        0        0\n\
             orders           0         0        4        2\n\n\
             gardée orders 00000000-0000-0000-0000-000000000001 : quelqu’un l’a changée depuis\n\
             gardée orders 00000000-0000-0000-0000-000000000002 : le serveur ne la laisse pas partir (23503)\n\n\
             lignes retirées : 1 200, rétablies : 1, gardées : 2\n\
             les lignes rétablies se disent changées à l’instant, là où un trigger tient cette heure"
        );
        let tried = |lang| text(&Outcome::default(), Intent::Say, lang);
        assert!(tried(Lang::En).ends_with("\n\ndry run: would have removed 0, put back 0, kept 0"));
        assert!(tried(Lang::Fr).ends_with("\n\nessai\u{a0}: 0 à retirer, 0 à rétablir, 0 à garder"));
    }
}
