//! Node, and the scripts of `tests/js` with their packages.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::{fs, io};

use crate::lab::root;

/// A command that runs a script of `tests/js`, whose packages are there. `None` where node or npm is not on
/// this machine: said aloud, as the test then has nothing to run.
pub(crate) fn script(name: &str) -> Option<Command> {
    let mut node = Command::new("node");
    node.arg(installed_for(name)?.join(name)).current_dir(packages());
    Some(node)
}

/// The Supabase CLI, as npm has it; the same otherwise.
pub(crate) fn supabase_cli() -> Option<Command> {
    Some(Command::new(installed_for("the Supabase CLI")?.join("node_modules/.bin/supabase")))
}

fn packages() -> PathBuf {
    root().join("tests/js")
}

/// Where the packages are, once they are there.
fn installed_for(what: &str) -> Option<PathBuf> {
    let found = ["node", "npm"].iter().all(|program| Command::new(program).arg("--version").output().is_ok());
    if !found {
        // Past the test runner, which keeps what a passing test prints to itself.
        let reason = format!("skipped: node and npm are not on this machine, so {what} cannot run\n");
        io::stderr().write_all(reason.as_bytes()).unwrap();
        return None;
    }
    // Tests run side by side, and whoever comes second waits here.
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(install);
    Some(packages())
}

/// Installs what the lock file says, unless that is what was installed last.
fn install() {
    let folder = packages();
    let wanted = fs::read(folder.join("package-lock.json")).unwrap();
    let done = folder.join("node_modules/.installed");
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return;
    }
    let options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    let status = Command::new("npm").args(options).current_dir(&folder).status().unwrap();
    assert!(status.success(), "npm ci in {}: {status}", folder.display());
    fs::write(done, wanted).unwrap();
}
