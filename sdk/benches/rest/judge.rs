//! Starts server and clients, and has them take turns.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::report::{Figure, Report};
use crate::turn::{Done, Order, Work};

/// How many rows are asked for.
pub(crate) const ROWS: [usize; 3] = [1, 100, 10_000];
/// How many ask at once.
const AT_ONCE: [usize; 2] = [1, 16];

pub(crate) const OURS: &str = "supabase-sdk";
pub(crate) const FLOOR: &str = "reqwest";
pub(crate) const OFFICIAL: &str = "supabase-js";
const RUST: [&str; 3] = [OURS, "postgrest", FLOOR];

/// Has all of them do everything, in rounds.
pub(crate) fn judge(rounds: u64, turn: Duration) -> Result<Report> {
    let (_server, address) = Process::start(Command::new(std::env::current_exe()?).arg("--serve"))
        .and_then(|mut server| server.line().map(|address| (server, address)))
        .context("the server does not start")?;
    let mut clients = Vec::new();
    for name in RUST {
        let client =
            Process::start(Command::new(std::env::current_exe()?).args(["--contend", name, &address]));
        clients.push((name, client.with_context(|| format!("{name} does not start"))?));
    }
    if let Some(script) = official()? {
        clients.push((OFFICIAL, Process::start(Command::new("node").arg(script).arg(&address))?));
    } else {
        eprintln!("supabase-js is left out: node or npm is not on this machine");
    }

    let fetches = ROWS.iter().flat_map(|rows| AT_ONCE.map(|at_once| Work::Fetch { rows: *rows, at_once }));
    let reads = ROWS.map(|rows| Work::Read { rows });
    let works: Vec<_> = fetches.chain([Work::Simple, Work::Complex]).chain(reads).collect();
    let mut figures = Vec::new();
    for work in works {
        eprintln!("{work:?}");
        figures.push(Figure::new(work, &compete(work, &mut clients, rounds, turn)?));
    }
    Ok(Report { rounds, millis: u64::try_from(turn.as_millis())?, figures })
}

/// A measurement a round for each client; who begins changes from round to round.
fn compete(
    work: Work,
    clients: &mut [(&'static str, Process)],
    rounds: u64,
    turn: Duration,
) -> Result<BTreeMap<&'static str, Vec<Done>>> {
    // The work without a network is steadier, and has a fifth of the time.
    let share = if matches!(work, Work::Fetch { .. }) { 1 } else { 5 };
    let order = serde_json::to_string(&Order { work, millis: u64::try_from(turn.as_millis())? / share })?;
    let mut done = BTreeMap::<_, Vec<_>>::new();
    // The first round makes everybody warm, and is not counted.
    for round in 0..=rounds {
        clients.rotate_left(1);
        for (name, client) in clients.iter_mut() {
            if matches!(work, Work::Read { .. }) && *name == "postgrest" {
                continue; // it hands over the body, and reads nothing
            }
            let took = client.turn(&order).with_context(|| format!("{name} failed at {work:?}"))?;
            if round > 0 {
                done.entry(*name).or_default().push(took);
            }
        }
    }
    Ok(done)
}

/// The script that drives the official client, and what it needs; `None` where node or npm is missing.
fn official() -> Result<Option<PathBuf>> {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !there("node") || !there("npm") {
        return Ok(None);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/js");
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let installed = Command::new("npm").args(install).current_dir(&folder).stdout(Stdio::null()).status()?;
    ensure!(installed.success(), "npm ci in {}: {installed}", folder.display());
    Ok(Some(folder.join("contender.mjs")))
}

/// A child that is told what to do on its input, and ends with it.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("it has no output")?;
        Ok(Self { child, input, output: BufReader::new(output).lines() })
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.output.next().context("it ended; what it said stands above")??)
    }

    fn turn(&mut self, order: &str) -> Result<Done> {
        writeln!(self.input.as_ref().context("it has no input")?, "{order}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().ok();
    }
}
