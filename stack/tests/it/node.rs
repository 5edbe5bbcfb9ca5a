//! Node, with the packages of the repository's scripts and of those here.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
    sync::Once,
};

const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/js");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/js");

/// A node that is about to run one of the scripts in `tests/js`; `None`, and said aloud, where there is none.
pub(crate) fn node(script: &str) -> Option<Command> {
    let found = ["node", "npm"].iter().all(|program| Command::new(program).arg("--version").output().is_ok());
    if !found {
        // Past the test runner, which keeps what a passing test prints to itself.
        let reason = format!("skipped: node and npm are not on this machine, so {script} cannot run\n");
        io::stderr().write_all(reason.as_bytes()).unwrap();
        return None;
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| [PACKAGES, SCRIPTS].iter().for_each(|folder| install(Path::new(folder))));
    let mut node = Command::new("node");
    node.arg(Path::new(SCRIPTS).join(script)).env("PACKAGES", Path::new(PACKAGES).join("package.json"));
    Some(node)
}

/// As the tests of the workspace do it, which have done it by now if they ran first.
fn install(folder: &Path) {
    let (wanted, done) =
        (fs::read(folder.join("package-lock.json")).unwrap(), folder.join("node_modules/.installed"));
    if !fs::read(&done).is_ok_and(|installed| installed == wanted) {
        let options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
        assert!(Command::new("npm").args(options).current_dir(folder).status().unwrap().success());
        fs::write(done, wanted).unwrap();
    }
}
