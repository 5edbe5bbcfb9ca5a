//! The command line. The comments here are what `--help` shows.

use std::fmt;
use std::path::PathBuf;

use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::export::Encoding;
use crate::infer::Choice;
use crate::lang::Lang;
use crate::plan::MediaMode;
use crate::typegen::{Rename, Time};

macro_rules! exit_codes {
    () => {
        "\
Exit codes:
  0  done, or nothing to do
  1  a fault of the program
  2  the command line or the mapping is wrong
  3  records were rejected
  4  what was read back is not what was written, or a file of types is stale
  5  the exported file cannot be read
  6  the target did not answer; try again later
  7  the target refuses, or going on would be unsafe
  8  another run is at work on the target; try again later
  9  there is no such run
  130, 143  interrupted; run again to go on"
    };
}

/// What `--help` says last.
const EXIT_CODES: &str = concat!(exit_codes!(), "\n\n`migrator help exit-codes` says more.");

/// What `extract --help` says last: how it is used, then the exit codes.
const EXTRACT_HELP: &str = concat!(
    "\
Examples:
  migrator extract --bookmarklet
  migrator extract --profile ~/.config/chromium --list
  migrator extract --profile ~/.mozilla/firefox --origin https://app.example --out export.json

The profile is read, never written. Close the browser first: what a page wrote in the last
seconds may not be in it yet. Keys that hold a session are left out of the file, and named.

",
    exit_codes!()
);

/// What `import --help` says last: the variables, then the exit codes.
const IMPORT_HELP: &str = concat!(
    "\
Variables, also read from .env here and above:
  SUPABASE_URL               the project, where neither --local nor --url names one
  SUPABASE_PUBLISHABLE_KEY   with MIGRATOR_PASSWORD, the owner's password: writes as the owner
  SUPABASE_SECRET_KEY        writes for the owner, past row-level security
  MIGRATOR_PASSWORD          with --local: the password of an account that --create-owner makes
  SUPABASE_STACK_BIN         the supabase-stack program, for --local

",
    exit_codes!()
);

/// What `rollback --help` says last: what it does, then the exit codes.
const ROLLBACK_HELP: &str = concat!(
    "\
Rows the run added are removed, rows it changed are put back, children first. A row stays, and is
named, if somebody has changed it since, if another row now refers to it, or if the server does not
let it go; the exit code is 3 then. Where a trigger keeps the time of the last change, a row that was
put back says that it changed just now; entries of a history stay.

A run that wrote straight to a database is found there, from any machine: pass --db-url. It is taken
back as a whole or not at all, and --dry-run tries it. A run over the API is taken back by the ledger
in .migrator/runs, with the same variables and options as its import; stopped half way, run it again.

Examples:
  migrator rollback latest --dry-run
  migrator rollback 0193f2c4 --local
  migrator rollback latest --db-url 'postgresql://postgres:PASSWORD@HOST:5432/postgres?sslmode=require'

",
    exit_codes!()
);

/// What `users import --help` says last.
const USERS_HELP: &str = concat!(
    "\
Hashes that Auth takes: bcrypt ($2a$, $2b$, $2y$, as Laravel's), argon2i and argon2id, and Firebase's
scrypt. A password in clear is never moved: its owner asks for a new one.

Examples:
  migrator users import backup.json --mapping garage --local --dry-run
  migrator users import backup.json --mapping shop.map.toml --url https://ref.supabase.co --secret-key-file key

",
    exit_codes!()
);

/// What `types --help` says last: how it is used, the variables, then the exit codes.
const TYPES_HELP: &str = concat!(
    "\
Examples:
  migrator types --local --out src/schema.rs
  migrator types --db-url 'postgresql://postgres:PASSWORD@HOST:5432/postgres?sslmode=require'
  migrator types --schema public --schema billing --rename people=Human --out src/schema.rs
  migrator types --out src/schema.rs --check     # in CI: fails if the tables have changed since

The address takes libpq's sslmode (disable, prefer, require, verify-ca, verify-full) and
sslrootcert (a PEM file, or system).

Variables, also read from .env here and above:
  SUPABASE_DB_URL    the database, where neither --local nor --db-url names one
  DATABASE_URL       the same, if the first is not set

",
    exit_codes!()
);

/// What `doctor --help` says last.
const DOCTOR_HELP: &str = "\
Examples:
  migrator doctor --local
  migrator doctor --url https://ref.supabase.co --owner zoe@example.com --mapping garage
  migrator doctor --settings

Exit codes:
  0  nothing is in the way
  6  somebody did not answer; try again later
  7  something is in the way that will not go away by itself";

/// What `completions --help` says last.
const COMPLETIONS_HELP: &str = "\
Examples:
  migrator completions bash > ~/.local/share/bash-completion/completions/migrator
  migrator completions zsh > ~/.zfunc/_migrator
  migrator completions fish > ~/.config/fish/completions/migrator.fish";

/// What `help exit-codes` prints.
pub const EXIT_CODES_PAGE: &str = concat!(
    exit_codes!(),
    "

A code that is not listed is a failure too. With --json a failed run leaves one line on stderr,
  {\"type\":\"error\",\"code\":7,\"id\":\"target.column_missing\",\"message\":\"…\",\"help\":\"…\"}
whose id is stable. Code 6 is worth another try; no other is, before something has changed."
);

/// What `inspect --help` says last.
const INSPECT_HELP: &str = concat!(
    "\
Nothing is sent anywhere, and nothing of a record is shown but short words that many records repeat,
as those of a status.

Examples:
  migrator inspect garage-backup.json
  migrator inspect exports/ --json

",
    exit_codes!()
);

/// What `map init --help` says last.
const MAP_INIT_HELP: &str = concat!(
    "\
The mapping says in comments why each column is as it is. Read it before you import by it: what nobody
can know from a file, as the zone of its times, stands there to be decided. The same files give the
same mapping.

Examples:
  migrator map init garage-backup.json --tz Africa/Casablanca
  migrator map init customers.json vehicles.json --name garage --out garage.map.toml

",
    exit_codes!()
);

/// What `map check --help` says last.
const MAP_CHECK_HELP: &str = concat!(
    "\
Examples:
  migrator map check garage.map.toml
  migrator map check garage.map.toml garage-backup.json
  migrator map check garage.map.toml --local

",
    exit_codes!()
);

/// What `scaffold --help` says last.
const SCAFFOLD_HELP: &str = concat!(
    "\
The migration is a file and is not applied: read it, then let `supabase db push`, `sqlx migrate run` or
the stack apply it. Every row belongs to the account in its owner column; nobody else sees it.

Examples:
  migrator scaffold garage-backup.json
  migrator scaffold garage-backup.json --mapping garage.map.toml --out supabase/migrations
  migrator scaffold garage-backup.json --enum check --stdout

",
    exit_codes!()
);

/// Move what a browser app left in localStorage into Supabase tables
#[derive(Debug, Parser)]
#[command(name = "migrator", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// How to talk.
    #[command(flatten)]
    pub talk: Talk,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take what an app keeps in a browser out of it, as a file to import
    #[command(after_help = EXTRACT_HELP)]
    Extract(Extract),
    /// Bring an exported file into the tables
    #[command(after_help = IMPORT_HELP)]
    Import(Import),
    /// Show the whole way on this machine: a database, an app's export, the import
    #[command(after_help = EXIT_CODES)]
    Demo(Demo),
    /// Go on with an import that stopped half way
    #[command(after_help = IMPORT_HELP)]
    Resume(Resume),
    /// Look whether the target still is as an import left it
    #[command(after_help = IMPORT_HELP)]
    Verify(Resume),
    /// Say what is in an exported file: what its records are, how they hang together, what is odd
    #[command(after_help = INSPECT_HELP)]
    Inspect(Inspect),
    /// Write a mapping for a file nobody has seen, or check one
    #[command(subcommand)]
    Map(Map),
    /// Write the tables for an export as a migration: columns, keys, policies, grants
    #[command(after_help = SCAFFOLD_HELP)]
    Scaffold(Scaffold),
    /// Take back what a run wrote, as far as nobody has changed it since
    #[command(after_help = ROLLBACK_HELP)]
    Rollback(Rollback),
    /// Show the runs there were
    #[command(after_help = EXIT_CODES)]
    Runs(Runs),
    /// Make the accounts of the old app accounts of the project
    #[command(subcommand)]
    Users(Users),
    /// Write the tables of a database as Rust structs for supabase-sdk
    #[command(after_help = TYPES_HELP)]
    Types(Types),
    /// Say what is missing to reach the target, and what to do about it
    #[command(after_help = DOCTOR_HELP)]
    Doctor(Doctor),
    /// Print what makes a shell complete this program's arguments
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(Completions),
    /// Print the manual page, or write all of them into a folder
    Man(Man),
    /// Say what the exit codes mean
    #[command(hide = true, help_template = "{after-help}", after_help = EXIT_CODES_PAGE)]
    ExitCodes,
}

/// How to talk.
#[derive(Debug, Clone, Copy, Args)]
pub struct Talk {
    /// Print one JSON document instead of text
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Say nothing but the result, rejects and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Show lists whole, and how long each part took
    #[arg(short, long, global = true, help_heading = "Output", action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// The language of what people read [default: MIGRATOR_LANG, else that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, global = true, help_heading = "Output", value_enum)]
    pub lang: Option<Lang>,
    /// When to use colours
    #[arg(long, global = true, help_heading = "Output", value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// How to show progress
    #[arg(long, global = true, help_heading = "Output", value_enum, default_value_t = Progress::Auto, value_name = "HOW")]
    pub progress: Progress,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, lines otherwise
    Auto,
    /// A bar
    Bar,
    /// A line for each step, and every five seconds of it
    Plain,
    /// An event a line on stderr, as JSON, and no text there
    Json,
    /// Nothing
    None,
}

/// Take what an app keeps in a browser out of it, as a file to import
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("way").required(true))]
pub struct Extract {
    /// Print a bookmark and a console line that make the browser save the file, in any browser
    #[arg(long, group = "way")]
    pub bookmarklet: bool,
    /// Read it from a browser's profile: the profile's folder, the folder with the profiles, or a database
    #[cfg(feature = "profiles")]
    #[arg(long, value_name = "DIR", group = "way")]
    pub profile: Option<PathBuf>,
    /// Whose storage: scheme, host and port, as in the address bar [default: the only site there is]
    #[cfg(feature = "profiles")]
    #[arg(long, value_name = "ORIGIN", conflicts_with = "bookmarklet")]
    pub origin: Option<String>,
    /// The file to write [default: stdout]
    #[cfg(feature = "profiles")]
    #[arg(short, long, value_name = "FILE", conflicts_with = "bookmarklet")]
    pub out: Option<PathBuf>,
    /// List the sites with how much each has, and write nothing
    #[cfg(feature = "profiles")]
    #[arg(long, conflicts_with_all = ["bookmarklet", "origin", "out"])]
    pub list: bool,
}

/// Bring an exported file into the tables
#[derive(Debug, Args)]
pub struct Import {
    /// The files the app exported; - is standard input
    #[arg(required_unless_present = "from_rejects", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Mended rejects of an earlier run, its rejects.ndjson, instead of an export
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    pub from_rejects: Option<PathBuf>,
    /// The mapping: a TOML file, or the name of one that comes with the program (garage)
    #[arg(short, long, value_name = "NAME|FILE")]
    pub mapping: PathBuf,
    /// Whose rows they will be, by e-mail address; with --db-url also by id
    #[arg(long, value_name = "EMAIL")]
    pub owner: Option<String>,
    /// Make the owner's account if there is none
    #[arg(long)]
    pub create_owner: bool,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
    /// Straight into the database at this address, postgresql://…
    #[arg(long, value_name = "URL", conflicts_with_all = ["local", "url", "secret_key_file"])]
    pub db_url: Option<Hidden>,
    /// Part of every id: exports under two scopes never meet [default: the mapping's, or the owner]
    #[arg(long)]
    pub scope: Option<String>,
    /// The zone of times that do not say theirs, such as Europe/Paris [default: the mapping's]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// What becomes of a row that is there and differs
    #[arg(long, value_enum, default_value_t = Mode::Newer)]
    pub mode: Mode,
    /// What becomes of files that lie in fields whose column has `media`
    #[arg(long, value_enum, default_value_t = MediaMode::Storage, value_name = "HOW")]
    pub media: MediaMode,
    /// Whether all rows are written or none, with --db-url
    #[arg(long, value_enum, default_value_t = Atomic::Auto, value_name = "WHEN")]
    pub atomic: Atomic,
    /// Say what would be done, and write nothing; with --db-url it is tried, and taken back
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How the file spells its characters, where it does not say so itself
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// Take a file that was cut off up to its last whole record
    #[arg(long)]
    pub salvage: bool,
    /// Write the good records if at most this many are rejected
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_rejects: usize,
    /// Ask nothing before the first write
    #[arg(short, long, env = "MIGRATOR_YES", value_parser = clap::builder::FalseyValueParser::new())]
    pub yes: bool,
    /// Ask nothing at all; so it is where there is no terminal
    #[arg(long)]
    pub no_input: bool,
}

/// Make the accounts of the old app accounts of the project
#[derive(Debug, Subcommand)]
pub enum Users {
    /// Make those that are not there yet; a password goes along if it is a hash Auth takes
    #[command(after_help = USERS_HELP)]
    Import(UsersImport),
}

/// Make the accounts that are not there yet
#[derive(Debug, Args)]
pub struct UsersImport {
    /// The files the app exported
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The mapping, whose section accounts says where they lie
    #[arg(short, long, value_name = "NAME|FILE")]
    pub mapping: PathBuf,
    /// Where to; it takes the secret key.
    #[command(flatten)]
    pub target: Target,
    /// Part of every id [default: the mapping's name]
    #[arg(long)]
    pub scope: Option<String>,
    /// Say what would be done, and make nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Name a run and where it wrote to
#[derive(Debug, Args)]
pub struct Resume {
    /// The run: its id, four or more characters from either end of it, or `latest`, the latest import
    #[arg(default_value = "latest")]
    pub run: String,
    /// Where the run wrote to.
    #[command(flatten)]
    pub target: Target,
    /// The database at this address, for a run with --db-url
    #[arg(long, value_name = "URL", conflicts_with_all = ["local", "url", "secret_key_file"])]
    pub db_url: Option<Hidden>,
}

/// What becomes of a row that is there and differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Mode {
    /// It is overwritten if the old app changed the record since; otherwise it is kept, and named
    #[default]
    Newer,
    /// It is overwritten
    Upsert,
    /// It is left alone
    Skip,
}

/// Whether all rows are written or none; over the API each batch stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Atomic {
    /// All or none up to 100,000 rows
    #[default]
    Auto,
    /// All or none
    Always,
    /// Batch by batch
    Never,
}

/// Where to.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// Into the stack that runs on this machine; where several do, into the one with this data folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with_all = ["url", "secret_key_file"])]
    pub local: Option<Option<PathBuf>>,
    /// Into the project at this address [default: the variable SUPABASE_URL]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A file with the project's secret key [default: the variable SUPABASE_SECRET_KEY]
    #[arg(long, value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
}

/// Take back what a run wrote, as far as nobody has changed it since
#[derive(Debug, Args)]
pub struct Rollback {
    /// The run: its id, four or more characters from either end of it, or `latest`, the latest import
    pub run: String,
    /// Where the run wrote to.
    #[command(flatten)]
    pub target: Undo,
    /// Whose rows they are, by e-mail address [default: as the import said]
    #[arg(long, value_name = "EMAIL")]
    pub owner: Option<String>,
    /// Take back rows too that somebody has changed since
    #[arg(long)]
    pub force: bool,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Where a run wrote to.
#[derive(Debug, Args)]
pub struct Undo {
    /// Over the API.
    #[command(flatten)]
    pub api: Target,
    /// The database at this address, postgresql://… [default: the variable SUPABASE_DB_URL]
    #[arg(long, value_name = "URL", conflicts_with_all = ["local", "url", "secret_key_file"])]
    pub db_url: Option<Hidden>,
}

/// Show the runs there were
#[derive(Debug, Args)]
pub struct Runs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: RunsCommand,
    /// Those that the database of the stack on this machine knows
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with = "db_url")]
    pub local: Option<Option<PathBuf>>,
    /// Those that the database at this address knows, instead of those in .migrator/runs
    #[arg(long, global = true, value_name = "URL")]
    pub db_url: Option<Hidden>,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List them, the latest first
    List,
    /// Show one
    Show {
        /// The run: its id, four or more characters from either end of it, or `latest`, the latest import
        run: String,
    },
    /// Forget old ones; they cannot be rolled back any more
    Prune {
        /// How many of the latest stay
        #[arg(long, value_name = "N", default_value_t = 20)]
        keep: usize,
    },
}

/// Show the whole way on this machine: a database, an app's export, the import
#[derive(Debug, Args)]
pub struct Demo {
    /// Where the demo keeps its database [default: a folder of its own under .migrator]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Stop the demo's Supabase afterwards; its data stay
    #[arg(long)]
    pub stop: bool,
}

/// Write the tables of a database as Rust structs for supabase-sdk
#[derive(Debug, Args)]
pub struct Types {
    /// The database of the stack that runs on this machine; where several do, of the one with this data folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with = "db_url")]
    pub local: Option<Option<PathBuf>>,
    /// The database at this address, postgresql://… [default: the variable SUPABASE_DB_URL]
    #[arg(long, value_name = "URL")]
    pub db_url: Option<Hidden>,
    /// A schema whose tables, types and functions are written; repeat it for more
    #[arg(long = "schema", value_name = "NAME", default_value = "public")]
    pub schemas: Vec<String>,
    /// The file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write nothing; fail with exit code 4 if the file after --out is not what would be written
    #[arg(long, requires = "out")]
    pub check: bool,
    /// What dates and times become
    #[arg(long, value_enum, default_value_t = Time::Jiff, value_name = "HOW")]
    pub time: Time,
    /// What to call the struct of a table; repeat it for more
    #[arg(long = "rename", value_name = "TABLE=STRUCT")]
    pub renames: Vec<Rename>,
}

/// Say what is missing to reach the target, and what to do about it
#[derive(Debug, Args)]
pub struct Doctor {
    /// Where to.
    #[command(flatten)]
    pub target: Target,
    /// The database at this address, postgresql://… [default: the variable SUPABASE_DB_URL]
    #[arg(long, value_name = "URL", conflicts_with = "local")]
    pub db_url: Option<Hidden>,
    /// Whose rows they will be, by e-mail address; with --db-url also by id
    #[arg(long, value_name = "EMAIL")]
    pub owner: Option<String>,
    /// Look whether the tables of this mapping are there
    #[arg(short, long, value_name = "NAME|FILE")]
    pub mapping: Option<PathBuf>,
    /// Show each setting and where it comes from, and ask nobody
    #[arg(long)]
    pub settings: bool,
}

/// Print what makes a shell complete this program's arguments
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Print the manual page, or write all of them into a folder
#[derive(Debug, Args)]
pub struct Man {
    /// The folder to write a page for each command into
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Say what is in an exported file
#[derive(Debug, Args)]
pub struct Inspect {
    /// The files the app exported, or folders of them; - is standard input
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// How the file spells its characters, where it does not say so itself
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// Take a file that was cut off up to its last whole value
    #[arg(long)]
    pub salvage: bool,
}

/// Write a mapping, or check one
#[derive(Debug, Subcommand)]
pub enum Map {
    /// Write a mapping for the files an app exported
    #[command(after_help = MAP_INIT_HELP)]
    Init(MapInit),
    /// Check a mapping: by itself, against the tables of a database, against a file
    #[command(after_help = MAP_CHECK_HELP)]
    Check(MapCheck),
    /// Show how one record becomes a row, value by value
    #[command(after_help = EXIT_CODES)]
    Explain(MapExplain),
}

/// Show how one record becomes a row; what it holds is printed
#[derive(Debug, Args)]
pub struct MapExplain {
    /// The table it goes to
    pub table: String,
    /// Its old id, its row's id, or its place in the file, such as /data/customers/3
    pub id: String,
    /// The files the app exported
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The mapping: a TOML file, or the name of one that comes with the program
    #[arg(short, long, value_name = "NAME|FILE")]
    pub mapping: PathBuf,
    /// Part of every id [default: the mapping's, or nobody's]
    #[arg(long)]
    pub scope: Option<String>,
    /// The zone of times that do not say theirs [default: the mapping's]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
}

/// Write a mapping for the files an app exported
#[derive(Debug, Args)]
pub struct MapInit {
    /// The files the app exported
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The file to write [default: the first file's name with .map.toml]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What the app is called [default: what its keys begin with, or the name of the file]
    #[arg(long)]
    pub name: Option<String>,
    /// The zone of times that do not say theirs, such as Europe/Paris
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub tz: String,
    /// Put files in Base64 into Storage; otherwise they stay texts, and the mapping says how
    #[arg(long)]
    pub media: bool,
    /// How the file spells its characters, where it does not say so itself
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// Take a file that was cut off up to its last whole value
    #[arg(long)]
    pub salvage: bool,
    /// Write over a mapping that is there
    #[arg(long)]
    pub force: bool,
    /// Print the mapping instead of writing a file
    #[arg(long, conflicts_with_all = ["out", "force"])]
    pub stdout: bool,
}

/// Check a mapping
#[derive(Debug, Args)]
pub struct MapCheck {
    /// The mapping: a TOML file, or the name of one that comes with the program (garage)
    #[arg(value_name = "NAME|FILE")]
    pub mapping: PathBuf,
    /// A file the app exported: says which paths lead nowhere in it
    pub file: Option<PathBuf>,
    /// Against the stack that runs on this machine; where several do, the one with this data folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with = "db_url")]
    pub local: Option<Option<PathBuf>>,
    /// Against the database at this address, postgresql://…
    #[arg(long, value_name = "URL")]
    pub db_url: Option<Hidden>,
}

/// Write the tables for an export as a migration
#[derive(Debug, Args)]
pub struct Scaffold {
    /// The files the app exported; none where a mapping says all
    #[arg(required_unless_present = "mapping")]
    pub files: Vec<PathBuf>,
    /// Make the tables of this mapping instead of those the files suggest
    #[arg(short, long, value_name = "NAME|FILE")]
    pub mapping: Option<PathBuf>,
    /// How the file spells its characters, where it does not say so itself
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// Take a file that was cut off up to its last whole value
    #[arg(long)]
    pub salvage: bool,
    /// The folder of migrations to write into
    #[arg(short, long, value_name = "DIR", default_value = "supabase/migrations")]
    pub out: PathBuf,
    /// What the migration is called [default: the app's name]
    #[arg(long)]
    pub name: Option<String>,
    /// The column that says whose row it is, where the mapping does not
    #[arg(long, value_name = "COLUMN", default_value = "owner_id")]
    pub owner_column: String,
    /// What a column becomes that is a choice of few words
    #[arg(long = "enum", value_enum, default_value_t = Choice::Text, value_name = "HOW")]
    pub choice: Choice,
    /// Print the SQL instead of writing a file
    #[arg(long)]
    pub stdout: bool,
}

/// A text with a password in it, which `Debug` does not show.
#[derive(Clone)]
pub struct Hidden(pub String);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("hidden")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from([
            "migrator",
            "import",
            "x.json",
            "--mapping",
            "garage",
            "--local",
            "-n",
            "--json",
        ]);
        let Ok(Cli { talk, command: Command::Import(import) }) = cli else {
            panic!("an ordinary import parses")
        };
        assert!(talk.json && import.dry_run && import.target.local.is_some());
        assert_eq!(import.max_rejects, 0);
    }

    #[test]
    fn an_extract_goes_one_way() {
        let parse =
            |args: &str| Cli::try_parse_from(["migrator", "extract"].into_iter().chain(args.split(' ')));
        assert!(parse("--bookmarklet").is_ok());
        for args in [
            "--bookmarklet --profile p",
            "--list",
            "--bookmarklet --out f",
            "--profile p --list --origin o",
            "-q",
        ] {
            assert!(parse(args).is_err(), "{args}");
        }
    }

    #[test]
    fn the_address_of_a_database_stays_hidden() {
        let line = ["migrator", "types", "--db-url", "postgresql://zoe:secret@host/x", "--rename", "a=B"];
        let cli = Cli::try_parse_from(line).expect("an ordinary command line");
        assert!(!format!("{cli:?}").contains("secret"));
        assert!(Cli::try_parse_from(["migrator", "types", "--check"]).is_err());
        assert!(Cli::try_parse_from(["migrator", "types", "--rename", "a=no struct"]).is_err());
    }
}
