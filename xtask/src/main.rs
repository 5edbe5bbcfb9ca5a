//! The two front-door commands, and what they need.
//!
//! The stack is built apart from the workspace (ARCHITECTURE.md, "Why two workspaces"), so a plain
//! `cargo run` cannot see to it. Here each command builds what it needs, hands on where it lies, and runs.
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a build tool talks to the person who called it"
)]

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use watch::Watch;

// The stack's own search for PostgreSQL, so that a machine without it learns so now, and not after the
// minutes the stack takes to compile.
#[allow(dead_code, unreachable_pub, reason = "the stack uses all of it")]
#[path = "../../stack/src/postgres/binaries.rs"]
mod binaries;
mod compile_time;
mod watch;

const HELP: &str = "\
cargo xtask demo [ARGS]    moves a sample export into a local stack and shows what happened
cargo xtask test [ARGS]    runs every test; ARGS go to cargo test
cargo xtask check          formatting, clippy and docs, both workspaces, warnings refused
cargo xtask stack [ARGS]   builds supabase-stack and runs it, e.g. `cargo xtask stack start`
cargo xtask migrator ARGS  builds migrator and runs it, with the stack at hand
cargo xtask compile-time   says what fifty derived tables cost who compiles them";

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let command = args.next().and_then(|command| command.into_string().ok()).unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let done = match command.as_str() {
        "demo" => migrator(&[vec!["demo".into()], rest].concat()),
        "test" => test(&rest),
        "check" => check(),
        "stack" => Build::stack().and_then(|stack| run(Command::new(stack).args(rest))),
        "migrator" => migrator(&rest),
        "compile-time" => compile_time::measure(),
        "" | "help" | "--help" | "-h" => {
            eprintln!("{HELP}");
            Ok(())
        }
        other => {
            eprintln!("there is no task {other:?}\n\n{HELP}");
            Err(Failed(2).into())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<Failed>() {
            Ok(Failed(code)) => ExitCode::from(code),
            Err(error) => {
                eprintln!("xtask: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn migrator(args: &[OsString]) -> Result<()> {
    let (stack, migrator) = (Build::stack()?, Build::migrator()?);
    run(Command::new(migrator)
        .args(args)
        .env("SUPABASE_STACK_BIN", stack)
        .envs([("SUPABASE_STACK_SHOWN", "cargo xtask stack"), ("MIGRATOR_SHOWN", "cargo xtask migrator")]))
}

/// Every test there is. The lab, one running PostgreSQL for all of them, ends with this function.
fn test(args: &[OsString]) -> Result<()> {
    let (stack, migrator) = (Build::stack()?, Build::migrator()?);
    let watch = Watch::start()?;
    let lab = Lab::start(&stack, &watch)?;
    let tests = |workspace: &Path| {
        run(cargo(workspace).arg("test").arg("--workspace").args(args).envs([
            ("SUPABASE_STACK_BIN", stack.as_os_str()),
            ("MIGRATOR_BIN", migrator.as_os_str()),
            ("SUPABASE_LAB", lab.address.as_ref()),
            ("SECRETS_WATCH", watch.folder().as_os_str()),
        ]))
    };
    // The SDK once more with all it can have: other types of time and number, and a serde_json that keeps
    // numbers as text, which an app may turn on for us. What its documents show is the same.
    let all = || {
        let sdk = ["test", "--package", "supabase-sdk", "--all-features", "--lib", "--tests"];
        run(cargo(&root()).args(sdk).args(args))
    };
    let tested = tests(&root()).and_then(|()| all()).and_then(|()| tests(&root().join("stack")));
    lab.stop()?;
    tested?;
    // Some tests alone may plant nothing.
    watch.look(args.is_empty())
}

fn check() -> Result<()> {
    for workspace in [root(), root().join("stack")] {
        run(cargo(&workspace).args(["fmt", "--all", "--check"]))?;
        let clippy = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
        run(cargo(&workspace).args(clippy))?;
        let doc = ["doc", "--workspace", "--no-deps", "--document-private-items"];
        run(cargo(&workspace).args(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

/// Builds a binary and says where it lies.
struct Build;

impl Build {
    fn stack() -> Result<PathBuf> {
        binaries::Binaries::find(&binaries::Surroundings::from_environment(), None)?;
        Self::binary(&root().join("stack"), "supabase-stack", "supabase-stack")
    }

    fn migrator() -> Result<PathBuf> {
        Self::binary(&root(), "supabase-migrator", "migrator")
    }

    fn binary(workspace: &Path, package: &str, binary: &str) -> Result<PathBuf> {
        run(cargo(workspace).args(["build", "--package", package, "--bin", binary]))?;
        Ok(target(workspace).join("debug").join(binary).with_extension(env::consts::EXE_EXTENSION))
    }
}

/// The stack in test service: it hands each test a project of its own, and ends when its input closes,
/// however this process ends.
struct Lab {
    process: Child,
    address: String,
}

impl Lab {
    fn start(stack: &Path, watch: &Watch) -> Result<Self> {
        let mut process = Command::new(stack)
            .args(["lab", "--until-eof", "--workdir"])
            .arg(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} does not start", stack.display()))?;
        watch.overhear(process.stderr.take().context("the lab has no standard error")?)?;
        let mut address = String::new();
        let stdout = process.stdout.take().context("the lab has no output")?;
        BufReader::new(stdout).read_line(&mut address).context("the lab's first line cannot be read")?;
        if address.trim().is_empty() {
            bail!("the stack ended before it was ready ({}); what it said stands above", process.wait()?);
        }
        Ok(Self { process, address })
    }

    fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        if !status.success() {
            bail!("the stack did not end well: {status}");
        }
        Ok(())
    }
}

/// A command ran and failed; it has said why, and its exit code is ours.
#[derive(Debug)]
struct Failed(u8);

impl std::fmt::Display for Failed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "exit code {}", self.0)
    }
}

impl std::error::Error for Failed {}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{:?} does not start", command.get_program()))?;
    if status.success() {
        return Ok(());
    }
    bail!(Failed(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

fn cargo(workspace: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace);
    cargo
}

/// Where what is built lies.
fn target(workspace: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
}

/// The repository: the folder above this package.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
