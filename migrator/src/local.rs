//! Edge: the Supabase on this machine, known only as a program with a command line.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde::Deserialize;
use tokio::process::Command;

use crate::exit::{self, Failure};

/// The program that runs a Supabase on this machine.
#[derive(Debug, Clone)]
pub struct LocalStack {
    program: PathBuf,
}

/// Where a running stack answers, in the names of `supabase status -o json`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct Status {
    /// The address of the project.
    pub api_url: String,
    /// The address of its database.
    pub db_url: String,
    /// The key of an app.
    pub publishable_key: String,
    /// The key that passes row-level security.
    pub secret_key: String,
}

/// Without the keys, and the database address, which holds a password.
impl fmt::Debug for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Status").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// `supabase-stack` says so when there is nothing to show or to stop, and when several stacks could be meant.
const NOT_RUNNING: i32 = 3;
const WRONG_USAGE: i32 = 2;

impl LocalStack {
    const NAME: &str = "supabase-stack";

    /// Takes the program that `SUPABASE_STACK_BIN` names, else the one beside this program, else the one
    /// on the `PATH`.
    pub fn find(named: Option<String>) -> Self {
        let beside = || {
            let program = std::env::current_exe().ok()?.with_file_name(Self::NAME);
            program.is_file().then_some(program)
        };
        let program = named.map(PathBuf::from).or_else(beside).unwrap_or_else(|| Self::NAME.into());
        Self { program }
    }

    /// The program, as it is called.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Where the stack answers that keeps its data in this folder; without one, the only stack there is.
    ///
    /// # Errors
    /// Exit code 6 when none is running, 1 when the program is not there.
    pub async fn status(&self, data: Option<&Path>) -> Result<Status, Failure> {
        let output = self.run("status", &[OsStr::new("-o"), OsStr::new("json")], data).await?;
        if output.status.code() == Some(NOT_RUNNING) {
            return Err(Failure::new(exit::UNREACHABLE, "local.not_running", "no local Supabase is running")
                .help(
                    "start one with `supabase-stack start --detach`, or name its folder with --local=DIR",
                ));
        }
        if output.status.code() == Some(WRONG_USAGE) {
            return Err(Failure::new(exit::USAGE, "local.several", words(&output))
                .help("name the folder of the one you mean: --local=DIR"));
        }
        serde_json::from_slice(&said(output)?.stdout).map_err(|error| {
            Failure::new(exit::BUG, "local.status", "supabase-stack does not say where it answers")
                .because(error)
        })
    }

    /// Starts a stack in the background, with its data in a folder and the migrations of another. One that
    /// runs there already is left as it is.
    ///
    /// # Errors
    /// Exit code 1 with what the program said, when it does not start.
    pub async fn start(&self, data: &Path, workdir: &Path) -> Result<Status, Failure> {
        let args = ["--detach", "--port", "0", "--workdir"].map(OsStr::new);
        said(self.run("start", &[&args[..], &[workdir.as_os_str()]].concat(), Some(data)).await?)?;
        self.status(Some(data)).await
    }

    /// Stops the stack that keeps its data in this folder; the data stay. True if one was running.
    ///
    /// # Errors
    /// Exit code 1 with what the program said, when it does not stop.
    pub async fn stop(&self, data: &Path) -> Result<bool, Failure> {
        let output = self.run("stop", &[], Some(data)).await?;
        if output.status.code() == Some(NOT_RUNNING) {
            return Ok(false);
        }
        said(output).map(|_| true)
    }

    async fn run(&self, verb: &str, args: &[&OsStr], data: Option<&Path>) -> Result<Output, Failure> {
        let mut command = Command::new(&self.program);
        command.arg(verb).args(args).stdin(Stdio::null());
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        command.output().await.map_err(|error| self.absent(error))
    }

    fn absent(&self, error: io::Error) -> Failure {
        Failure::new(exit::BUG, "local.absent", format!("{} does not start: {error}", self.program.display()))
            .help("build it with `cargo build --release --manifest-path stack/Cargo.toml`, then name it in SUPABASE_STACK_BIN")
            .because(error)
    }
}

/// What a program answered, if it did well; what it said, if not.
fn said(output: Output) -> Result<Output, Failure> {
    if output.status.success() {
        return Ok(output);
    }
    Err(Failure::new(exit::BUG, "local.failed", words(&output)).help("see `supabase-stack --help`"))
}

/// What a program said about its end.
fn words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    said.strip_prefix("error: ").unwrap_or(said).to_owned()
}
