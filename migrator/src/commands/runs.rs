//! `migrator runs`: which runs there are, in this folder or, with `--db-url`, in a database.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::args::{self, RunsCommand};
use crate::commands::Variables;
use crate::exit::{self, Failure};
use crate::lang::{Lang, Phrase};
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
    let lang = printer.lang();
    match &args.command {
        RunsCommand::List => {
            let entries = entries(database.as_mut(), runs).await?;
            printer.result(&entries, &table(&entries, lang));
        }
        RunsCommand::Show { run } => match &mut database {
            Some(database) => {
                let entry = Entry::from(database.find_run(run).await?);
                printer.result(&entry, &story(&entry, lang));
            }
            None => {
                let run = runs.find(run)?;
                printer.result(&run, &story(&Entry::from(run.clone()), lang));
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
            let all = lang.digits(entries.len());
            printer.result(&old, &lang.tally_with(Phrase::RunsForgotten, old.len(), &[("all", &all)]));
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
    fn way(&self, lang: Lang) -> String {
        match self.files.as_slice() {
            [] => format!("→ {}", self.target),
            [file] => format!("{file} → {}", self.target),
            [file, more @ ..] => {
                let files = lang.tally_with(Phrase::AndMoreFiles, more.len(), &[("file", file)]);
                format!("{files} → {}", self.target)
            }
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

fn table(entries: &[Entry], lang: Lang) -> String {
    if entries.is_empty() {
        return lang.say(Phrase::RunsNone);
    }
    let kinds = [Kind::Import, Kind::Rollback].map(kind);
    let kind_width = widest(&kinds, lang).max(widest(&[Phrase::RunKind], lang));
    let status_width = widest(&STATUSES.map(words), lang);
    let row = |[run, started, kind, status, rows, way]: [&str; 6]| {
        format!("{run:36} {started:20} {kind:kind_width$} {status:status_width$} {rows:>8}  {way}")
    };
    let head = [
        Phrase::RunId,
        Phrase::RunStarted,
        Phrase::RunKind,
        Phrase::RunStatus,
        Phrase::RunRows,
        Phrase::FromTo,
    ]
    .map(|phrase| lang.say(phrase));
    let mut lines = vec![row(head.each_ref().map(String::as_str))];
    lines.extend(entries.iter().map(|entry| {
        let (kind, status) = (lang.say(kind(entry.kind)), lang.say(words(entry.status)));
        let (id, started) = (entry.id.to_string(), second(entry.started_at));
        row([&id, &started, &kind, &status, &lang.digits(entry.rows), &entry.way(lang)])
    }));
    lines.join("\n")
}

fn story(entry: &Entry, lang: Lang) -> String {
    let mut facts = vec![
        (Phrase::RunId, entry.id.to_string()),
        (Phrase::RunKind, lang.say(kind(entry.kind))),
        (Phrase::RunStatus, lang.say(words(entry.status))),
        (Phrase::RunStarted, second(entry.started_at)),
    ];
    facts.extend(entry.ended_at.map(|at| (Phrase::RunEnded, second(at))));
    facts.extend(entry.undoes.map(|run| (Phrase::RunUndoes, run.to_string())));
    facts.extend(entry.files.iter().map(|file| (Phrase::File, file.clone())));
    facts.extend([
        (Phrase::Target, entry.target.clone()),
        (Phrase::RunRows, lang.digits(entry.rows)),
        (Phrase::Program, entry.tool.clone()),
    ]);
    let labels: Vec<Phrase> = facts.iter().map(|(label, _)| *label).collect();
    let width = widest(&labels, lang) + 2;
    let lines = facts.iter().map(|(label, fact)| format!("{:width$}{fact}", lang.say(*label)));
    lines.collect::<Vec<_>>().join("\n")
}

/// How many columns the longest of some phrases takes.
fn widest(phrases: &[Phrase], lang: Lang) -> usize {
    phrases.iter().map(|phrase| lang.say(*phrase).chars().count()).max().unwrap_or_default()
}

fn kind(kind: Kind) -> Phrase {
    match kind {
        Kind::Import => Phrase::KindImport,
        Kind::Rollback => Phrase::KindRollback,
    }
}

const STATUSES: [Status; 6] = [
    Status::Planned,
    Status::Loading,
    Status::Done,
    Status::Failed,
    Status::RolledBack,
    Status::RolledBackInPart,
];

/// A status as people say it.
fn words(status: Status) -> Phrase {
    match status {
        Status::Planned => Phrase::StatusPlanned,
        Status::Loading => Phrase::StatusLoading,
        Status::Done => Phrase::StatusDone,
        Status::Failed => Phrase::StatusFailed,
        Status::RolledBack => Phrase::StatusRolledBack,
        Status::RolledBackInPart => Phrase::StatusRolledBackInPart,
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> [Entry; 2] {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let import = Entry {
            id: Uuid::from_u128(1),
            kind: Kind::Import,
            status: Status::RolledBackInPart,
            undoes: None,
            started_at: at("2026-01-02T03:04:05Z"),
            ended_at: Some(at("2026-01-02T03:04:06Z")),
            rows: 12_345,
            target: "http://127.0.0.1:54321".to_owned(),
            tool: "0.1.0".to_owned(),
            files: vec!["a.json".to_owned(), "b.json".to_owned()],
        };
        let rollback = Entry {
            id: Uuid::from_u128(2),
            kind: Kind::Rollback,
            status: Status::Loading,
            undoes: Some(import.id),
            ended_at: None,
            rows: 0,
            files: Vec::new(),
            ..import.clone()
        };
        [rollback, import]
    }

    #[test]
    fn runs_are_listed_in_the_readers_language() {
        assert_eq!(
            table(&entries(), Lang::En),
            "run                                  started              kind     status                  rows  from → to\n\
             00000000-0000-0000-0000-000000000002 2026-01-02T03:04:05Z rollback loading, or stopped        0  → http://127.0.0.1:54321\n\
             00000000-0000-0000-0000-000000000001 2026-01-02T03:04:05Z import   rolled back in part    12345  a.json and 1 more → http://127.0.0.1:54321"
        );
        assert_eq!(
            table(&entries(), Lang::Fr),
            "exécution                            début                genre      état                   lignes  de → vers\n\
             00000000-0000-0000-0000-000000000002 2026-01-02T03:04:05Z annulation en cours, ou arrêtée        0  → http://127.0.0.1:54321\n\
             00000000-0000-0000-0000-000000000001 2026-01-02T03:04:05Z import     annulée en partie      12\u{202f}345  a.json et 1 autre → http://127.0.0.1:54321"
        );
        assert_eq!(table(&[], Lang::Fr), "aucune exécution");
    }

    #[test]
    fn a_run_is_told_in_the_readers_language() {
        let [rollback, import] = entries();
        assert_eq!(
            story(&import, Lang::En),
            "run      00000000-0000-0000-0000-000000000001\nkind     import\nstatus   rolled back in part\n\
             started  2026-01-02T03:04:05Z\nended    2026-01-02T03:04:06Z\nfile     a.json\nfile     b.json\n\
             target   http://127.0.0.1:54321\nrows     12345\nprogram  0.1.0"
        );
        assert_eq!(
            story(&rollback, Lang::Fr),
            "exécution       00000000-0000-0000-0000-000000000002\ngenre           annulation\n\
             état            en cours, ou arrêtée\ndébut           2026-01-02T03:04:05Z\n\
             annule          00000000-0000-0000-0000-000000000001\nbase d’arrivée  http://127.0.0.1:54321\n\
             lignes          0\nprogramme       0.1.0"
        );
    }
}
