//! `migrator import`: an exported file into the tables.

use std::time::Instant;

use clap::ValueEnum as _;
use jiff::Timestamp;
use supabase_sdk::Client;
use uuid::Uuid;

use crate::args;
use crate::commands::{Variables, read_mapping};
use crate::destination::Destination;
use crate::engine::{Job, Options, import};
use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
use crate::local::LocalStack;
use crate::papers::{self, Papers};
use crate::plan::{Context, Known, Plan, shape};
use crate::printer::Printer;
use crate::report::Phase;
use crate::run::folder::Runs;
use crate::run::{Kind, Run, Status};
use crate::sql::SqlTarget;
use crate::target::{Access, Grant, Target, UnknownOwner, failure};

/// Runs the command, and says how it ended.
///
/// # Errors
/// As the exit codes say; nothing is written then, unless the target stopped answering in the middle.
pub async fn run(
    args: &args::Import,
    variables: Variables<'_>,
    runs: &Runs,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    Box::pin(carry_out(args, None, variables, runs, printer)).await
}

/// Imports, or goes on with a run that stopped half way.
pub(super) async fn carry_out(
    args: &args::Import,
    resumed: Option<Run>,
    variables: Variables<'_>,
    runs: &Runs,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let mapping = read_mapping(&args.mapping)?;
    let begun = Instant::now();
    let export = open(args)?;
    let read = begun.elapsed();
    let storage = storage(args, variables)?;
    let job = Job { export: &export, mapping: &mapping, options: options(args), storage: storage.as_ref() };
    let owner = owner(args, &job)?;
    let mut destination = destination(args, owner, variables).await?;
    let papers = match resumed {
        Some(run) => Papers::resume(runs.clone(), run),
        None => {
            let id = Run::id(job.options.now, random());
            let inputs = papers::inputs(&job, &args.mapping, owner, remembered(args));
            Papers::new(runs.clone(), id, inputs, job.options.now)
        }
    };
    let id = papers.id();
    let imported = import(job, &mut destination, Some(papers), printer).await;
    let mut report = imported.map_err(|failure| with_a_way_on(failure, id, runs))?;
    report.took(Phase::Read, read);
    printer.report(&report);
    Ok(report.exit_code)
}

/// Reads the export the command names.
pub(super) fn open(args: &args::Import) -> Result<Export, Failure> {
    let reading = Reading { salvage: args.salvage, encoding: args.encoding };
    match &args.from_rejects {
        Some(file) => Export::open_rejects(file),
        None => Export::open(&args.files, reading),
    }
}

/// How the command wants it done.
pub(super) fn options(args: &args::Import) -> Options<'_> {
    Options {
        scope: args.scope.as_deref(),
        zone: args.tz.as_deref(),
        max_rejects: args.max_rejects,
        mode: args.mode,
        atomic: args.atomic,
        media: args.media,
        dry_run: args.dry_run,
        yes: args.yes || args.no_input,
        now: Timestamp::now(),
    }
}

/// Whose rows they will be. What is wrong with the file is said first, and before the target is asked.
pub(super) fn owner<'a>(args: &'a args::Import, job: &Job<'_>) -> Result<&'a str, Failure> {
    let nobody =
        Context::new(job.mapping, Uuid::nil(), job.options.scope, job.options.zone, job.options.now)?;
    let owner = args.owner.as_deref();
    let is_named = owner.is_some_and(|owner| is_an_address(owner) || owner.parse::<Uuid>().is_ok());
    if !is_named {
        // A rehearsal in nobody's name.
        Plan::new(job.export, job.mapping, &nobody, &Known::default())?;
    } else {
        shape(job.export, job.mapping)?;
    }
    match owner {
        None => {
            Err(Failure::new(exit::USAGE, "usage.owner", "whose rows will these be?")
                .help("pass --owner EMAIL"))
        }
        Some(owner) if is_named => Ok(owner),
        Some(_) => Err(Failure::new(exit::USAGE, "usage.owner", "--owner is no e-mail address")
            .help("pass the address they sign in with, such as --owner zoe@example.com")),
    }
}

/// Where the rows go.
pub(super) async fn destination(
    args: &args::Import,
    owner: &str,
    variables: Variables<'_>,
) -> Result<Destination, Failure> {
    if let Some(url) = &args.db_url {
        if args.create_owner {
            return Err(Failure::new(exit::USAGE, "usage.create_owner", "accounts are made over the API")
                .help("let them sign up first, or import without --db-url"));
        }
        return Ok(Destination::Sql(Box::new(SqlTarget::open(&url.0, owner).await?)));
    }
    let access = access(&args.target, variables).await?;
    let unknown = if args.create_owner { UnknownOwner::Create } else { UnknownOwner::Refuse };
    Ok(Destination::Rest(Box::new(Target::open(access, owner, unknown).await?)))
}

/// Who takes files, where rows go straight to the database: the project, if its address and key are known.
pub(super) fn storage(args: &args::Import, variables: Variables<'_>) -> Result<Option<Client>, Failure> {
    let key = ["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"].into_iter().find_map(variables);
    match (&args.db_url, variables("SUPABASE_URL"), key) {
        (Some(_), Some(url), Some(key)) => Client::builder(url, key).build().map(Some).map_err(failure),
        _ => Ok(None),
    }
}

/// What a run keeps of the command line, to go on with.
fn remembered(args: &args::Import) -> serde_json::Map<String, serde_json::Value> {
    let text = |value: Option<String>| value.map_or(serde_json::Value::Null, serde_json::Value::String);
    let word =
        |value: Option<clap::builder::PossibleValue>| text(value.map(|value| value.get_name().to_owned()));
    [
        ("scope", text(args.scope.clone())),
        ("tz", text(args.tz.clone())),
        ("encoding", text(args.encoding.map(|encoding| encoding.to_string()))),
        ("media", word(args.media.to_possible_value())),
        ("mode", word(args.mode.to_possible_value())),
        ("atomic", word(args.atomic.to_possible_value())),
        ("salvage", args.salvage.into()),
        ("max_rejects", args.max_rejects.into()),
        ("from_rejects", text(args.from_rejects.as_ref().map(|file| file.display().to_string()))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// A failure in the middle of a run says how to go on with it.
fn with_a_way_on(failure: Failure, id: Uuid, runs: &Runs) -> Failure {
    if failure.code != exit::UNREACHABLE || runs.folder(id).load().is_err() {
        return failure;
    }
    let help = format!("{}; `migrator resume {id}` goes on", failure.help);
    failure.help(help)
}

/// The run that a command has begun since then and not brought to its end.
pub fn stopped(runs: Vec<Run>, command: &args::Command, since: Timestamp) -> Option<Uuid> {
    let is_import = matches!(command, args::Command::Import(_));
    let mut own = runs.into_iter().filter(|run| run.status == Status::Loading && run.started_at >= since);
    own.find(|run| is_import && run.kind == Kind::Import).map(|run| run.id)
}

/// Bits for the id of a run.
pub(super) fn random() -> [u8; 10] {
    let mut bits = [0; 10];
    bits.copy_from_slice(&Uuid::new_v4().into_bytes()[..10]);
    bits
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
