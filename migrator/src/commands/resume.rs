//! `migrator resume`: goes on with an import that stopped half way.

use std::path::PathBuf;

use clap::ValueEnum as _;
use serde_json::Value;

use crate::args::{self, Atomic, Mode};
use crate::commands::{Variables, import};
use crate::exit::{self, Failure};
use crate::printer::Printer;
use crate::run::folder::Runs;
use crate::run::{Kind, Run, Status};

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 7 when the files, the mapping, the target, the owner or the program have changed since, 9 when
/// there is no such run, and as an import.
pub async fn run(
    args: &args::Resume,
    variables: Variables<'_>,
    runs: &Runs,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let run = runs.find(&args.run)?;
    match (run.kind, run.status) {
        (Kind::Import, Status::Planned | Status::Loading | Status::Failed) => {}
        (Kind::Import, Status::Done) => {
            printer.say("this run came to its end: there is nothing to go on with");
            return Ok(exit::OK);
        }
        (Kind::Import, Status::RolledBack | Status::RolledBackInPart) => {
            return Err(refuse("this run was taken back", "import anew"));
        }
        (Kind::Rollback, _) => {
            return Err(refuse(
                "this run is a rollback",
                "run `migrator rollback` again: it goes on by itself",
            ));
        }
    }
    let import = as_it_was(&run, args)?;
    Box::pin(import::carry_out(&import, Some(run), variables, runs, printer)).await
}

/// The command line of an import, as its run remembers it.
pub(super) fn as_it_was(run: &Run, args: &args::Resume) -> Result<args::Import, Failure> {
    let options = &run.inputs.options;
    let text = |name: &str| options.get(name).and_then(Value::as_str).map(str::to_owned);
    let unreadable =
        || refuse("the run's own file is damaged", "import anew: rows that are there are left alone");
    let encoding = text("encoding").map(|name| name.parse().map_err(|_| unreadable())).transpose()?;
    Ok(args::Import {
        files: run.inputs.files.iter().map(|file| PathBuf::from(&file.path)).collect(),
        mapping: PathBuf::from(&run.inputs.mapping.path),
        owner: Some(run.inputs.owner.clone()),
        create_owner: false,
        target: args.target.clone(),
        db_url: args.db_url.clone(),
        scope: text("scope"),
        tz: text("tz"),
        mode: text("mode").and_then(|mode| Mode::from_str(&mode, false).ok()).unwrap_or_default(),
        atomic: text("atomic").and_then(|atomic| Atomic::from_str(&atomic, false).ok()).unwrap_or_default(),
        dry_run: false,
        encoding,
        salvage: options.get("salvage").and_then(Value::as_bool).unwrap_or_default(),
        from_rejects: text("from_rejects").map(PathBuf::from),
        max_rejects: options
            .get("max_rejects")
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or_default(),
        yes: true,
        no_input: true,
    })
}

fn refuse(message: &str, help: &str) -> Failure {
    Failure::new(exit::REFUSED, "run.over", message).help(help)
}
