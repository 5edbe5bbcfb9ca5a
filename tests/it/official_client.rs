//! The official JavaScript client against the same server: what it is content with, an app will be.

use std::io::Write;
use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::lab::root;
use crate::project::Project;

/// True if node and npm are there. Without them this one test has nothing to run.
fn node() -> bool {
    ["node", "npm"].iter().all(|program| Command::new(program).arg("--version").output().is_ok())
}

#[tokio::test]
async fn supabase_js_signs_up_inserts_and_selects() {
    if !node() {
        // Past the test runner, which keeps what a passing test prints to itself.
        writeln!(
            std::io::stderr(),
            "skipped: node and npm are not on this machine, so the official client cannot run"
        )
        .unwrap();
        return;
    }
    let project = Project::target().await;
    let script = root().join("tests/js");
    let install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    let installed = Command::new("npm").args(install).current_dir(&script).status().unwrap();
    assert!(installed.success(), "npm ci in {}: {installed}", script.display());

    let mut node = Command::new("node");
    node.arg("flow.mjs").current_dir(&script).envs([
        ("SUPABASE_URL", project.url.as_str()),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("EMAIL", &format!("js-{}@garage.test", Uuid::new_v4().simple())),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let user: Uuid = serde_json::from_value(seen["userId"].take()).unwrap();
    project.secret().auth().admin().delete_user(user).await.unwrap();
    let expected = json!({
        "sameUser": true,
        "userMetadata": "Zoé",
        "filtered": [{ "license_plate": "A 12345 92", "customers": { "last_name": "O'Brien" } }],
        "inList": [{ "color": null }],
        "upserted": [{ "city": "Larache", "last_name": "O'Brien" }],
        "changed": [{ "color": "Bleu" }],
        "count": 2,
        "left": [{ "color": "Rouge" }],
        "wrongPassword": "invalid_credentials",
        "refused": "PGRST205",
        "anonymous": { "rows": null, "code": "42501" },
        "userId": null,
    });
    assert_eq!(seen, expected);
}
