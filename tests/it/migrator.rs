//! The migrator as a user runs it: a process, with its arguments and the variables it reads, and nothing else.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::lab::{built, root, stack};
use crate::project::{Person, Project};
use crate::watch;

/// A folder to work in, with no settings of the developer's.
pub(crate) struct Desk {
    folder: TempDir,
    variables: Vec<(&'static str, OsString)>,
}

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let binaries = vec![("SUPABASE_STACK_BIN", stack().into())];
        let folder = TempDir::new().unwrap();
        // PostgreSQL runs as another user when we are root, and has to reach what we keep here.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, variables: binaries }
    }

    /// A desk from which a person writes to a project: their policies hold.
    pub(crate) fn of(project: &Project, person: &Person) -> Self {
        Self::new()
            .set("SUPABASE_URL", &project.url)
            .set("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key)
            .set("MIGRATOR_PASSWORD", &person.password)
    }

    /// A desk with the project's secret key.
    pub(crate) fn with_secret(project: &Project) -> Self {
        Self::new().set("SUPABASE_URL", &project.url).set("SUPABASE_SECRET_KEY", &project.secret_key)
    }

    pub(crate) fn set(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Puts a file on it.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the migrator to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Run {
        Run::from(self.command(args).output().await.unwrap()).noted()
    }

    /// Imports a file for a person, as JSON.
    pub(crate) async fn import(&self, file: &Path, person: &Person, more: &[&str]) -> Run {
        let file = file.to_str().unwrap();
        self.run(
            &[&["import", file, "--mapping", "garage", "--owner", &person.email, "--json"], more].concat(),
        )
        .await
    }

    /// Starts the migrator and leaves it running; it ends with its handle.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).kill_on_drop(true).spawn().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(migrator());
        command.args(args).current_dir(self.path()).env_clear();
        for name in ["PATH", "HOME", "TMPDIR", "PG_BIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Run {
    /// The one document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// What one table's line says: in, inserted, updated, same, kept, merged, rejected.
    pub(crate) fn table(&self, name: &str) -> [u64; 7] {
        let json = self.json();
        let table = json["tables"].as_array().unwrap().iter().find(|table| table["name"] == name);
        let table = table.unwrap_or_else(|| panic!("{name} is not in the report\n{self}"));
        ["in", "inserted", "updated", "same", "kept", "merged", "rejected"]
            .map(|count| table[count].as_u64().unwrap())
    }

    /// The sum of a count over all tables.
    pub(crate) fn total(&self, count: &str) -> u64 {
        self.json()["tables"].as_array().unwrap().iter().map(|table| table[count].as_u64().unwrap()).sum()
    }

    /// Has what it said looked through for secrets. Not so a stack's `status`, which is asked for some.
    pub(crate) fn noted(self) -> Self {
        watch::note(&self.stdout);
        watch::note(&self.stderr);
        self
    }

    /// Fails unless the run ended so; shows what it said.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "exit {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The migrator's binary: the one `cargo xtask test` built, or one built now.
fn migrator() -> PathBuf {
    static MIGRATOR: OnceLock<PathBuf> = OnceLock::new();
    built(&MIGRATOR, "MIGRATOR_BIN", &root(), "migrator")
}

/// The sample the migrator ships.
pub(crate) fn sample() -> PathBuf {
    root().join("migrator/samples/garage-backup.json")
}
