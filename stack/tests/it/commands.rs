//! The commands as a script sees them: output, exit codes, the background.

use std::process::Command;

use serde_json::Value;

use crate::sandbox::Sandbox;

const NAMES: [&str; 7] =
    ["API_URL", "DB_URL", "PUBLISHABLE_KEY", "SECRET_KEY", "ANON_KEY", "SERVICE_ROLE_KEY", "JWT_SECRET"];

#[test]
fn starting_twice_in_the_background_is_starting_once() {
    let sandbox = Sandbox::new();
    let start = ["start", "--detach", "--port", "0", "--data", "data"];
    let first = sandbox.succeed(&start);
    let second = sandbox.run(&start);
    assert!(second.status.success());
    assert_eq!(String::from_utf8(second.stdout).unwrap(), first);
    assert!(String::from_utf8(second.stderr).unwrap().contains("already running"));
    let said = sandbox.fail(1, &["start", "--port", "0", "--data", "data"]);
    assert!(said.contains("already using"), "{said}");
    sandbox.succeed(&["stop", "--data", "data"]);
    sandbox.assert_quiet();
}

#[test]
fn status_says_the_same_in_every_form() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&["start", "--detach", "--port", "0"]);
    let json = sandbox.status(&[]);
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), NAMES);

    let script = format!(
        "{}\nprintf '%s\\n' {}",
        sandbox.succeed(&["status", "-o", "env"]),
        NAMES.map(|n| format!("\"${n}\"")).join(" ")
    );
    let shell = Command::new("sh").args(["-c", &script]).output().unwrap();
    let read: Vec<String> = String::from_utf8(shell.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(read, NAMES.map(|name| json[name].as_str().unwrap()));

    let pretty = sandbox.succeed(&["status"]);
    assert!(NAMES.iter().all(|name| pretty.contains(json[name].as_str().unwrap())));

    let port = json["API_URL"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    assert_eq!(sandbox.status(&["--port", &port]), json);
    assert!(sandbox.fail(3, &["status", "--port", "1"]).contains("No stack is running on port 1."));
    sandbox.succeed(&["stop", "--port", &port]);
    assert!(sandbox.fail(3, &["status"]).contains("No stack is running."));
    assert!(sandbox.fail(3, &["stop"]).contains("No stack is running."));
    sandbox.assert_quiet();
}

#[test]
fn a_stack_in_the_background_that_fails_says_why() {
    let sandbox = Sandbox::new();
    sandbox.write(&[("migrations/1_broken.sql", "create table a (n int);\nselect nothing;")]);
    for detach in [&[][..], &["--detach"]] {
        let said = sandbox.fail(1, &[&["start", "--port", "0"], detach].concat());
        assert!(
            said.contains("1_broken.sql:2: column \"nothing\" does not exist (SQLSTATE 42703)"),
            "{said}"
        );
        sandbox.assert_quiet();
    }
}

#[test]
fn migrations_and_seed_are_applied_once() {
    let sandbox = Sandbox::new();
    sandbox.write(&[
        ("migrations/1_notes.sql", "create table notes (body text primary key);"),
        ("seed.sql", "insert into notes values ('tea');"),
    ]);
    for (said, is) in [("Applied 1_notes.\nPlanted the seed.", true), ("Applied", false)] {
        let output = sandbox.run(&["start", "--detach", "--seed", "--port", "0", "--data", "data"]);
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && talk.contains(said) == is, "{talk}");
        sandbox.succeed(&["stop"]);
    }
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let sandbox = Sandbox::new();
    sandbox.fail(2, &["start", "--port", "many"]);
    sandbox.fail(2, &["begin"]);
    let said = sandbox.fail(1, &["start", "--seed", "--port", "0"]);
    assert!(said.contains("--workdir"), "{said}");
}

#[test]
fn the_database_is_as_the_url_says() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(&[]);
    let Value::String(url) = &stack.status["DB_URL"] else { panic!("no DB_URL") };
    assert!(url.starts_with("postgresql://postgres:") && url.contains("@127.0.0.1:"));
    assert!(stack.interrupt());
}
