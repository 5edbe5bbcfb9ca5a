//! `migrator runs`: which runs there are, in this folder or, with `--db-url`, in a database.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::args::{self, RunsCommand};
use crate::commands::Variables;
use crate::exit::{self, Failure};
use crate::printer::Printer;
use crate::run::folder::Runs;
use crate::run::{Kind, Run, Status};
use crate::sql::{Recorded, SqlTarget};

/// A run, whoever tells of it.
#[derive(Debug, Clone, Serialize)]
struct Entry {
    id: Uuid,
    kind: Kind,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<Uuid>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    rows: u64,
    target: String,
    tool: String,
    files: Vec<String>,
}

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 9 for a run that is not there, else as the exit codes say.
pub async fn run(
    args: &args::Runs,
    variables: Variables<'_>,
    runs: &Runs,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let mut database = match (&args.local, &args.db_url) {
        (None, None) => None,
        (local, named) => {
            let url = super::database_address(local.as_ref(), named.as_ref(), variables).await?;
            Some(SqlTarget::connect(&url).await?)
        }
    };
    match &args.command {
        RunsCommand::List => {
            let entries = entries(database.as_mut(), runs).await?;
            printer.result(&entries, &table(&entries));
        }
        RunsCommand::Show { run } => match &mut database {
            Some(database) => {
                let entry = Entry::from(database.find_run(run).await?);
                printer.result(&entry, &story(&entry));
            }
            None => {
                let run = runs.find(run)?;
                printer.result(&run, &story(&Entry::from(run.clone())));
            }
        },
        RunsCommand::Prune { keep } => {
            let entries = entries(database.as_mut(), runs).await?;
            // What was stopped half way may still go on, or be taken back.
            let old = entries.iter().filter(|entry| entry.status != Status::Loading).skip(*keep);
            let old: Vec<Uuid> = old.map(|entry| entry.id).collect();
            match &mut database {
                Some(database) => database.forget(&old).await?,
                None => old.iter().try_for_each(|id| runs.remove(*id))?,
            }
            printer.result(
                &old,
                &format!(
                    "forgot {} of {} runs; they cannot be rolled back any more",
                    old.len(),
                    entries.len()
                ),
            );
        }
    }
    Ok(exit::OK)
}

async fn entries(database: Option<&mut SqlTarget>, runs: &Runs) -> Result<Vec<Entry>, Failure> {
    Ok(match database {
        Some(database) => database.runs().await?.into_iter().map(Entry::from).collect(),
        None => runs.list()?.into_iter().map(Entry::from).collect(),
    })
}

impl Entry {
    /// From which files to where; of a rollback, only where.
    fn way(&self) -> String {
        match self.files.as_slice() {
            [] => format!("→ {}", self.target),
            [file] => format!("{file} → {}", self.target),
            [file, more @ ..] => format!("{file} and {} more → {}", more.len(), self.target),
        }
    }
}

impl From<Run> for Entry {
    fn from(run: Run) -> Self {
        let Run { id, kind, status, undoes, started_at, ended_at, inputs, rows, plan: _ } = run;
        Self {
            id,
            kind,
            status,
            undoes,
            started_at,
            ended_at,
            rows,
            target: inputs.target.address,
            tool: inputs.tool,
            files: inputs.files.into_iter().map(|file| file.path).collect(),
        }
    }
}

impl From<Recorded> for Entry {
    fn from(run: Recorded) -> Self {
        let Recorded {
            id,
            kind,
            undoes,
            status,
            tool,
            tables,
            started_at,
            ended_at,
            rows,
            owner: _,
            plan: _,
        } = run;
        let target = tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ");
        Self { id, kind, status, undoes, started_at, ended_at, rows, target, tool, files: Vec::new() }
    }
}

fn table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "no runs".to_owned();
    }
    let mut lines = vec![format!(
        "{:36} {:20} {:8} {:19} {:>8}  {}",
        "run", "started", "kind", "status", "rows", "from → to"
    )];
    lines.extend(entries.iter().map(|entry| {
        let (kind, status) = (entry.kind.name(), words(entry.status));
        let (started, way) = (second(entry.started_at), entry.way());
        format!("{} {started:20} {kind:8} {status:19} {:>8}  {way}", entry.id, entry.rows)
    }));
    lines.join("\n")
}

fn story(entry: &Entry) -> String {
    let mut lines = vec![
        format!("run      {}", entry.id),
        format!("kind     {}", entry.kind.name()),
        format!("status   {}", words(entry.status)),
        format!("started  {}", second(entry.started_at)),
    ];
    lines.extend(entry.ended_at.map(|at| format!("ended    {}", second(at))));
    lines.extend(entry.undoes.map(|run| format!("undoes   {run}")));
    lines.extend(entry.files.iter().map(|file| format!("file     {file}")));
    lines.extend([
        format!("target   {}", entry.target),
        format!("rows     {}", entry.rows),
        format!("program  {}", entry.tool),
    ]);
    lines.join("\n")
}

/// A status as people say it.
fn words(status: Status) -> &'static str {
    match status {
        Status::Planned => "planned",
        Status::Loading => "loading, or stopped",
        Status::Done => "done",
        Status::Failed => "failed",
        Status::RolledBack => "rolled back",
        Status::RolledBackInPart => "rolled back in part",
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
