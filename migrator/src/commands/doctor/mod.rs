//! `migrator doctor`: what stands between us and the target, step by step, and what to do about it.
//!
//! It writes nothing anywhere. Each step says one thing; where a step fails, those that need it are not tried.

mod database;
mod findings;
mod key;
mod project;
mod settings;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::args;
use crate::commands::Variables;
use crate::exit::{self, Failure};
use crate::lang::Phrase as P;
use crate::local::LocalStack;
use crate::printer::Printer;

use findings::{Checkup, Finding};
use project::Project;

/// How long any one step may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was found, for programs.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    checks: &'a [Finding],
    exit_code: u8,
}

/// Runs the command, and says how it ended. `environment` is the variables without those of a file.
///
/// # Errors
/// None: what is wrong is a finding.
pub async fn run(
    args: &args::Doctor,
    variables: Variables<'_>,
    environment: Variables<'_>,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    if args.settings {
        settings::show(args, variables, environment, printer);
        return Ok(exit::OK);
    }
    let mut checkup = Checkup::new(printer.lang());
    env_file(&mut checkup);
    folder(&mut checkup);
    let (project, database) = targets(args, variables, &mut checkup).await;
    if let Some(project) = &project {
        project.look(args, SystemTime::now(), &mut checkup).await;
    }
    if let Some(url) = &database {
        database::look(url, &mut checkup).await;
    }
    let code = checkup.exit_code();
    let document = Document { schema: 1, checks: checkup.findings(), exit_code: code };
    printer.marks(&document, checkup.findings().iter().map(Finding::line));
    Ok(code)
}

/// What is named: a project, a database, or both.
async fn targets(
    args: &args::Doctor,
    variables: Variables<'_>,
    checkup: &mut Checkup,
) -> (Option<Project>, Option<String>) {
    if let Some(data) = &args.target.local {
        return local(data.as_deref(), variables, checkup).await;
    }
    let named = args.db_url.as_ref().map(|url| url.0.clone());
    let database = named.or_else(|| ["SUPABASE_DB_URL", "DATABASE_URL"].into_iter().find_map(variables));
    let url = args.target.url.clone().or_else(|| variables("SUPABASE_URL"));
    if url.is_none() && database.is_none() {
        checkup.fail("target.none", exit::REFUSED, P::TargetNone, &[], P::TargetNoneHelp);
    }
    (url.map(|url| Project::named(url, args, variables, checkup)), database)
}

async fn local(
    data: Option<&Path>,
    variables: Variables<'_>,
    checkup: &mut Checkup,
) -> (Option<Project>, Option<String>) {
    match LocalStack::find(variables("SUPABASE_STACK_BIN")).status(data).await {
        Ok(status) => {
            checkup.ok("local.runs", P::LocalRuns, &[("url", &status.api_url)]);
            let database = status.db_url.clone();
            (Some(Project::local(status)), Some(database))
        }
        Err(failure) => {
            let reason = [("reason", &failure.message as _)];
            // Only an edge knows whether the program is missing or nothing runs; both are repaired by hand.
            let code = if failure.code == exit::UNREACHABLE { exit::UNREACHABLE } else { exit::REFUSED };
            checkup.fail("local.missing", code, P::LocalMissing, &reason, P::LocalHelp);
            (None, None)
        }
    }
}

/// The file of variables this folder has, by the names it sets.
fn env_file(checkup: &mut Checkup) {
    let Some(file) = find_env_file() else { return checkup.ok("env.file", P::EnvFileNone, &[]) };
    let shown = file.display().to_string();
    let (mut names, mut broken) = (Vec::new(), 0);
    match dotenvy::from_path_iter(&file) {
        Ok(pairs) => pairs.for_each(|pair| match pair {
            Ok((name, _)) => names.push(name),
            Err(_) => broken += 1,
        }),
        Err(_) => broken = 1,
    }
    let known: Vec<&str> =
        settings::NAMES.iter().copied().filter(|known| names.iter().any(|name| name == known)).collect();
    if broken > 0 {
        let values = [("file", &shown as _)];
        checkup.warn_count("env.broken", P::EnvFileBroken, broken, &values, P::EnvFileBrokenHelp);
    }
    match known.is_empty() {
        true => checkup.ok("env.file", P::EnvFileEmpty, &[("file", &shown)]),
        false => checkup.ok("env.file", P::EnvFileFound, &[("file", &shown), ("names", &known.join(", "))]),
    }
}

/// The file that is read at the start: the first on the way up.
fn find_env_file() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(".env")).find(|file| file.is_file())
}

/// Whether a run can keep its papers.
fn folder(checkup: &mut Checkup) {
    let folder = Path::new(".migrator");
    let nearest = if folder.is_dir() { folder } else { Path::new(".") };
    match tempfile::tempfile_in(nearest) {
        Ok(_) => checkup.ok("folder.writable", P::FolderWritable, &[("folder", &folder.display())]),
        Err(error) => {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("folder", &folder.display()), ("reason", &error)];
            checkup.fail("folder.refused", exit::REFUSED, P::FolderRefused, &values, P::FolderHelp);
        }
    }
}
