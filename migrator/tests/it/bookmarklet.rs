//! What `extract --bookmarklet` prints, run by a browser.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use migrator::extract::bookmarklet::Bookmarklet;
use serde_json::{Value, json};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/bookmarklet.mjs");

#[test]
fn a_browser_saves_everything_the_page_has() {
    if ["node", "chromium"].iter().any(|program| Command::new(program).arg("--version").output().is_err()) {
        // Past the test runner, which keeps what a passing test prints to itself.
        let reason = "skipped: node and chromium are not on this machine, so no bookmarklet can run\n";
        io::stderr().write_all(reason.as_bytes()).expect("said");
        return;
    }
    let mut node = Command::new("node")
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node runs");
    let scripts = serde_json::to_vec(&Bookmarklet::new()).expect("JSON");
    node.stdin.take().expect("piped").write_all(&scripts).expect("read");
    let output = node.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let file = json!({ "name": "localhost_PORT-DAY.json", "whole": true });
    assert_eq!(
        seen,
        json!({
            "keys": 17,
            "bookmark": file,
            "line": file,
            "message": "This page keeps nothing in localStorage. Open the app itself, in its own tab.",
        })
    );
}
