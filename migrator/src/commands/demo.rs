//! `migrator demo`: the whole way on this machine, with a sample, in words.
//!
//! It starts a Supabase of its own, imports a garage's backup as its owner, and reads the rows back as the
//! owner, as a stranger and as nobody. The data stay, so a second demo finds every row unchanged.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use jiff::Timestamp;
use serde::Serialize;
use supabase_sdk::auth::NewUser;
use supabase_sdk::rest::Count;
use supabase_sdk::{Client, Error, ErrorKind};

use crate::args;
use crate::commands::Variables;
use crate::destination::Destination;
use crate::engine::{Job, Options, import};
use crate::exit::{self, Failure};
use crate::export::Export;
use crate::local::{LocalStack, Status};
use crate::mapping::{self, Mapping};
use crate::printer::Printer;
use crate::report::Report;
use crate::sample;
use crate::target::{self, Access, Grant, Target, UnknownOwner};

/// The tables of the sample's app, as the repository has them.
static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../supabase/migrations");

const OWNER: &str = "owner@garage.test";
const STRANGER: &str = "stranger@garage.test";
/// Known to everybody, and good for nothing beyond this machine: the demo listens on loopback only.
const PASSWORD: &str = "garage-demo";

/// What the demo did and saw.
#[derive(Serialize)]
struct Demo<'a> {
    #[serde(flatten)]
    report: &'a Report,
    seen: &'a Seen,
    data: &'a Path,
}

/// How many of the rows each of three people sees.
#[derive(Debug, Serialize)]
struct Seen {
    owner: u64,
    stranger: u64,
    /// None: the question itself is refused.
    anonymous: Option<u64>,
}

/// How the reader calls our programs: by the task that called us, or by name.
struct Programs {
    stack: String,
    migrator: String,
}

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 1 when the local stack does not start, and as an import otherwise.
pub async fn run(args: &args::Demo, variables: Variables<'_>, printer: &mut Printer) -> Result<u8, Failure> {
    let stack = LocalStack::find(variables("SUPABASE_STACK_BIN"));
    let data = args.data.clone().unwrap_or_else(|| PathBuf::from(".migrator/demo"));
    printer.say(&format!("Starting a Supabase on this machine; its data stay in {}", data.display()));
    let migrations = Migrations::unpack()?;
    let status = stack.start(&data, migrations.0.path()).await.map_err(|failure| {
        let data = data.display();
        failure.help(format!(
            "if an older version of this program made {data}, remove that folder; the demo makes it anew"
        ))
    })?;
    let shown = show(&status, printer).await;
    if args.stop {
        stack.stop(&data).await?;
    }
    let (report, seen) = shown?;
    let shown = |variable: &str, program: String| variables(variable).unwrap_or(program);
    let programs = Programs {
        stack: shown("SUPABASE_STACK_SHOWN", stack.program().display().to_string()),
        migrator: shown("MIGRATOR_SHOWN", "migrator".to_owned()),
    };
    let text = words(&report, &seen, &status, &data, args.stop, &programs);
    printer.report_with(&report, &Demo { report: &report, seen: &seen, data: &data }, &text);
    Ok(if seen.is_private(&report) { report.exit_code } else { exit::MISMATCH })
}

/// Imports the sample, and looks at it with three pairs of eyes.
async fn show(status: &Status, printer: &mut Printer) -> Result<(Report, Seen), Failure> {
    let mapping = Mapping::read("garage", mapping::GARAGE)?;
    let export = Export::read("garage-backup.json", sample::GARAGE.as_bytes())?;
    let secret = Client::builder(&status.api_url, &status.secret_key).build().map_err(target::failure)?;
    for person in [OWNER, STRANGER] {
        sign_up(&secret, person).await.map_err(target::failure)?;
    }
    printer.say(&format!("Importing a garage's backup as {OWNER}, whose own rights are all it needs"));
    let access = Access {
        url: status.api_url.clone(),
        key: status.publishable_key.clone(),
        grant: Grant::Password(PASSWORD.to_owned()),
    };
    let target = Target::open(access, OWNER, UnknownOwner::Refuse).await?;
    let options = Options { yes: true, now: Timestamp::now(), ..Options::default() };
    let job = Job { export: &export, mapping: &mapping, options, storage: None };
    let mut destination = Destination::Rest(Box::new(target));
    let report = import(job, &mut destination, None, printer).await?;
    let seen = Seen::look(status, &report).await.map_err(target::failure)?;
    Ok((report, seen))
}

/// Makes an account, unless an earlier demo did.
async fn sign_up(secret: &Client, email: &str) -> Result<(), Error> {
    let user = NewUser {
        email: Some(email.to_owned()),
        password: Some(PASSWORD.to_owned()),
        email_confirm: true,
        ..NewUser::default()
    };
    match secret.auth().admin().create_user(&user).await {
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        made => made.map(drop),
    }
}

impl Seen {
    async fn look(status: &Status, report: &Report) -> Result<Self, Error> {
        let app = || Client::builder(&status.api_url, &status.publishable_key).build();
        let (owner, stranger) = (app()?, app()?);
        owner.auth().sign_in_with_password(OWNER, PASSWORD).await?;
        stranger.auth().sign_in_with_password(STRANGER, PASSWORD).await?;
        let anonymous = match count(&app()?, report).await {
            Err(error) if error.kind() == ErrorKind::Unauthenticated => None,
            counted => Some(counted?),
        };
        Ok(Self { owner: count(&owner, report).await?, stranger: count(&stranger, report).await?, anonymous })
    }

    /// True if the owner sees every row and nobody else any.
    fn is_private(&self, report: &Report) -> bool {
        let rows = report.total.inserted + report.total.updated + report.total.same;
        u64::try_from(rows).is_ok_and(|rows| rows == self.owner)
            && self.stranger == 0
            && self.anonymous.unwrap_or_default() == 0
    }
}

/// How many rows a client sees in the tables of a report.
async fn count(client: &Client, report: &Report) -> Result<u64, Error> {
    let mut rows = 0;
    for table in &report.tables {
        let select = client.from(&table.name).select("id").limit(1);
        rows += select.count(Count::Exact).fetch().await?.total().unwrap_or_default();
    }
    Ok(rows)
}

fn words(
    report: &Report,
    seen: &Seen,
    status: &Status,
    data: &Path,
    stopped: bool,
    programs: &Programs,
) -> String {
    let mut text = String::new();
    let anonymous = match seen.anonymous {
        None => "may not even ask".to_owned(),
        Some(rows) => format!("sees {rows}"),
    };
    let news = match (report.total.inserted, report.written()) {
        (0, 0) => "Every row was there already and unchanged: an import can be repeated.",
        (_, _) => "Run it again: every row will be there already, and unchanged.",
    };
    // Writing to a String cannot fail.
    let _ =
        writeln!(text, "Who sees these rows over REST, with the key every app holds (password: {PASSWORD}):");
    let _ = writeln!(text, "  {OWNER:22} sees {}, their owner", seen.owner);
    let _ = writeln!(text, "  {STRANGER:22} sees {}, a stranger who is signed in", seen.stranger);
    let _ = writeln!(text, "  {:22} {anonymous}", "nobody signed in");
    let _ = writeln!(text, "\n{news}");
    let (data, Programs { stack, migrator }) = (data.display(), programs);
    if stopped {
        let _ = write!(text, "The Supabase is stopped. Its data stay in {data}");
        return text;
    }
    let _ = writeln!(text, "\nThe Supabase goes on running at {}. What to try next:", status.api_url);
    let _ = writeln!(text, "  look:   psql '{}' -c 'select * from customers'", status.db_url);
    let _ = writeln!(text, "  keys:   {stack} status --data {data}");
    let _ = writeln!(
        text,
        "  yours:  {migrator} import FILE.json --mapping garage --local={data} --owner {OWNER} --dry-run"
    );
    let _ = write!(text, "  stop:   {stack} stop --data {data}");
    text
}

/// The migrations in a folder of their own, where the stack looks for them. Gone with this value.
struct Migrations(tempfile::TempDir);

impl Migrations {
    fn unpack() -> Result<Self, Failure> {
        let unpack = || {
            let folder = tempfile::tempdir()?;
            let migrations = folder.path().join("supabase/migrations");
            std::fs::create_dir_all(&migrations)?;
            MIGRATIONS.extract(&migrations)?;
            Ok(Self(folder))
        };
        unpack().map_err(|error: std::io::Error| {
            Failure::new(
                exit::BUG,
                "demo.migrations",
                "the sample's tables cannot be put into the folder for temporary files",
            )
            .because(error)
        })
    }
}
