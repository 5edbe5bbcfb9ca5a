//! The command line. The comments here are what `--help` shows.

use std::fmt;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

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
  130, 143  interrupted; run again to go on"
    };
}

/// What `--help` says last.
const EXIT_CODES: &str = exit_codes!();

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
    /// Write the tables of a database as Rust structs for supabase-sdk
    #[command(after_help = TYPES_HELP)]
    Types(Types),
}

/// How to talk.
#[derive(Debug, Clone, Copy, Args)]
pub struct Talk {
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but the result, rejects and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// How to show progress
    #[arg(long, global = true, value_enum, default_value_t = Progress::Auto, value_name = "HOW")]
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
    /// A line for each step
    Plain,
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
    /// The file the app exported
    pub file: PathBuf,
    /// The mapping: a TOML file, or the name of one that comes with the program (garage)
    #[arg(short, long, value_name = "NAME|FILE")]
    pub mapping: PathBuf,
    /// Whose rows they will be, by e-mail address
    #[arg(long, value_name = "EMAIL")]
    pub owner: Option<String>,
    /// Make the owner's account if there is none
    #[arg(long)]
    pub create_owner: bool,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
    /// Part of every id: exports under two scopes never meet [default: the mapping's, or the owner]
    #[arg(long)]
    pub scope: Option<String>,
    /// The zone of times that do not say theirs, such as Europe/Paris [default: the mapping's]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// What becomes of a row that is there and differs
    #[arg(long, value_enum, default_value_t = Mode::Newer)]
    pub mode: Mode,
    /// Say what would be done, and write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Write the good records if at most this many are rejected
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_rejects: usize,
}

/// What becomes of a row that is there and differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Mode {
    /// It is overwritten if the old app changed the record since; otherwise it is kept, and named
    #[default]
    Newer,
    /// It is overwritten
    Upsert,
}

/// Where to.
#[derive(Debug, Args)]
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
