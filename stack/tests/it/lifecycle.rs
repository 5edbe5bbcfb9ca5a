//! Nothing outlives a stack, however it ends, and what is kept is kept.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::Method;
use rustix::process::geteuid;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::sandbox::{Foreground, Release, Sandbox};

async fn write_row(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute("create table kept (n int); insert into kept values (42)").await.unwrap();
}

async fn read_row(url: &str) -> i32 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("select n from kept").fetch_one(&mut connection).await.unwrap()
}

#[test]
fn a_stack_that_is_told_to_end_leaves_no_process_and_no_directory() {
    for sandbox in [Sandbox::new(), Sandbox::ordinary()] {
        let stack = sandbox.start(&[]);
        assert_eq!(sandbox.places().len(), 1);
        assert!(stack.interrupt());
        sandbox.assert_quiet();
    }
}

#[test]
fn a_stack_that_is_killed_leaves_nothing_either() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(&[]);
    let release = Release::of(&sandbox.places()[0]);
    stack.kill();
    release.wait();
    sandbox.assert_quiet();
}

#[test]
fn a_kept_place_is_all_that_is_left_of_a_stack_that_is_killed() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(&["--data", "data"]);
    let release = Release::of(&sandbox.path("data"));
    stack.kill();
    release.wait();
    sandbox.assert_quiet();
    assert!(sandbox.path("data/pg").exists());
}

#[test]
fn a_lab_leaves_nothing_either() {
    for killed in [false, true] {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command(&["lab", "--until-eof"]);
        let mut lab = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(lab.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let release = Release::of(&sandbox.places()[0]);
        if killed {
            lab.kill().unwrap();
        }
        lab.wait().unwrap(); // closes its input first
        release.wait();
        sandbox.assert_quiet();
    }
}

#[test]
fn what_a_stack_and_its_guard_leave_when_both_are_killed_goes_with_the_next_start() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(&[]);
    let left = sandbox.places();
    sandbox.kill_guards();
    stack.kill();
    assert!(left[0].exists() && !sandbox.processes().is_empty(), "the server should have been left running");
    sandbox.fail(3, &["status"]);

    let next = sandbox.start(&[]);
    assert!(!left[0].exists());
    assert!(sandbox.processes().iter().all(|(_, line)| !line.contains(left[0].to_str().unwrap())));
    assert!(next.interrupt());
    sandbox.assert_quiet();
}

#[test]
fn what_a_stack_and_its_guard_leave_goes_with_a_stop_too() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(&[]);
    sandbox.kill_guards();
    stack.kill();
    sandbox.fail(3, &["stop"]);
    sandbox.assert_quiet();
}

#[tokio::test]
async fn kept_data_survive_every_kind_of_end() {
    for sandbox in [Sandbox::new(), Sandbox::ordinary()] {
        let first = sandbox.start(&["--data", "data"]);
        write_row(first.db_url()).await;
        let keys = |status: &serde_json::Value| [status["SECRET_KEY"].clone(), status["JWT_SECRET"].clone()];
        let known = keys(&first.status);
        assert!(first.interrupt());
        sandbox.assert_quiet();

        let second = sandbox.start(&["--data", "data"]);
        assert_eq!(read_row(second.db_url()).await, 42);
        second.kill(); // its guard may still be at work when the next one starts

        let third = sandbox.start(&["--data", "data"]);
        assert_eq!(read_row(third.db_url()).await, 42);
        sandbox.kill_guards();
        third.kill();

        let fourth = sandbox.start(&["--data", "data"]);
        assert_eq!(read_row(fourth.db_url()).await, 42);
        assert_eq!(keys(&fourth.status), known);
        assert!(fourth.interrupt());
        sandbox.assert_quiet();
    }
}

#[tokio::test]
async fn what_is_stored_is_kept_and_what_a_kill_left_is_swept() {
    let sandbox = Sandbox::new();
    let ask = |stack: &Foreground, method: Method, path: &str| {
        let text = |name: &str| stack.status[name].as_str().unwrap().to_owned();
        let address = format!("{}/storage/v1/{path}", text("API_URL"));
        reqwest::Client::new().request(method, address).header("apikey", text("SECRET_KEY"))
    };
    let first = sandbox.start(&["--data", "data"]);
    let bucket = ask(&first, Method::POST, "bucket").json(&json!({"name": "notes"})).send().await.unwrap();
    let note = ask(&first, Method::POST, "object/notes/a").body("tea").send().await.unwrap();
    assert!(bucket.status().is_success() && note.status().is_success());
    first.kill();
    let stored = sandbox.path("data/storage/postgres");
    fs::write(stored.join("objects/8b7c8e0c-6f1d-4f3e-9a55-3d3d3d3d3d3d"), "its row was never written")
        .unwrap();
    fs::write(stored.join("incoming/half"), "the rest never came").unwrap();

    let second = sandbox.start(&["--data", "data"]);
    let note = ask(&second, Method::GET, "object/notes/a").send().await.unwrap();
    assert_eq!(note.text().await.unwrap(), "tea");
    let count = |folder: &str| fs::read_dir(stored.join(folder)).unwrap().count();
    assert_eq!((count("objects"), count("incoming")), (1, 0));
    assert!(second.interrupt());
    sandbox.assert_quiet();
}

#[test]
fn a_start_killed_while_it_made_the_cluster_is_made_up_for() {
    for guard_too in [false, true] {
        let sandbox = Sandbox::new();
        let reached = slow_initdb(&sandbox);
        let mut command = sandbox.command(&["start", "--port", "0", "--data", "data"]);
        let mut child = command.env("PG_BIN", sandbox.path("bin")).spawn().unwrap();
        assert_eq!(fs::read(reached).unwrap(), b"made\n"); // returns when initdb has done its work, and hangs
        let release = Release::of(&sandbox.path("data"));
        if guard_too {
            sandbox.kill_guards();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        release.wait();
        assert!(!sandbox.path("data/pg").exists());

        let stack = sandbox.start(&["--data", "data"]);
        let left = fs::read_dir(sandbox.path("data")).unwrap().flatten();
        assert!(left.map(|entry| entry.file_name()).all(|name| !name.to_str().unwrap().contains("partial")));
        assert!(stack.interrupt());
    }
}

/// An initdb that does not return while the test lasts, and the pipe it says so on.
fn slow_initdb(sandbox: &Sandbox) -> std::path::PathBuf {
    let found = supabase_stack::postgres::Binaries::find(
        &supabase_stack::postgres::Surroundings::from_environment(),
        None,
    )
    .unwrap();
    let (bin, pipe) = (sandbox.path("bin"), sandbox.path("pipe"));
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(found.postgres(), bin.join("postgres")).unwrap();
    let script = format!(
        "#!/bin/sh\n{initdb} \"$@\"\necho made > {pipe}\nwhile [ -p {pipe} ]; do sleep 0.1; done\n",
        initdb = found.initdb().display(),
        pipe = pipe.display()
    );
    fs::write(bin.join("initdb"), script).unwrap();
    fs::set_permissions(bin.join("initdb"), PermissionsExt::from_mode(0o755)).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "666"]).arg(&pipe).status().unwrap().success());
    pipe
}

#[test]
fn two_stacks_live_side_by_side() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&["start", "--detach", "--port", "0", "--data", "one"]);
    sandbox.succeed(&["start", "--detach", "--port", "0"]);
    assert_ne!(
        sandbox.status(&["--data", "one"])["API_URL"],
        serde_json::Value::Null,
        "each answers for itself"
    );
    for command in ["status", "stop"] {
        let said = sandbox.fail(2, &[command]);
        assert!(said.contains("several stacks") && said.lines().count() == 1, "{said}");
        assert!(said.contains("--port") && said.contains("--data"), "{said}");
        assert!(said.contains(sandbox.path("one").to_str().unwrap()), "{said}");
    }
    sandbox.succeed(&["stop", "--all"]);
    sandbox.assert_quiet();
    sandbox.fail(3, &["stop", "--all"]);
}

#[test]
fn a_server_that_dies_ends_the_stack_with_its_last_words() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["start", "--port", "0"]);
    let child =
        command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut child = child;
    let said = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::lines(said).map_while(Result::ok).find(|line| line.contains("JWT secret")).unwrap();
    let server = sandbox
        .processes()
        .into_iter()
        .find(|(_, line)| line.contains("/postgres -D") && !line.contains(" guard "));
    crate::sandbox::kill(server.unwrap().0, rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("PostgreSQL ended by itself") && said.contains("shut down"), "{said}");
    sandbox.assert_quiet();
}

#[test]
fn a_directory_that_is_not_ours_is_left_alone() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("photos")).unwrap();
    fs::write(sandbox.path("photos/cat.jpg"), "cat").unwrap();
    let said = sandbox.fail(1, &["start", "--port", "0", "--data", "photos"]);
    assert!(said.contains("was not made by supabase-stack"), "{said}");
    assert_eq!(fs::read_dir(sandbox.path("photos")).unwrap().count(), 1);
}

#[test]
fn a_place_the_servers_user_cannot_enter_has_its_data_elsewhere() {
    if !geteuid().is_root() {
        return; // everybody else's server runs as themselves
    }
    let sandbox = Sandbox::new();
    let closed = sandbox.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
    let stack = sandbox.start(&["--data", "closed/data"]);
    let cluster = fs::read_link(closed.join("data/pg")).unwrap();
    assert!(cluster.starts_with("/var/lib/supabase-stack"), "{}", cluster.display());
    assert!(stack.interrupt());
    let again = sandbox.start(&["--data", "closed/data"]);
    assert!(again.interrupt());
    remove_annex(&cluster);
    let said = sandbox.fail(1, &["start", "--port", "0", "--data", "closed/data"]);
    assert!(said.contains("leads nowhere"), "{said}");
}

/// Takes away a database that lies apart, and the directory of such databases if it was the last.
fn remove_annex(cluster: &Path) {
    let annex = cluster.parent().unwrap();
    fs::remove_dir_all(annex).unwrap();
    let _ = fs::remove_dir(annex.parent().unwrap()); // others may be there
}

#[tokio::test]
async fn a_copied_place_leaves_the_database_of_its_original_alone() {
    if !geteuid().is_root() {
        return; // everybody else's database lies in the place and is copied with it
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("closed")).unwrap();
    fs::set_permissions(sandbox.path("closed"), PermissionsExt::from_mode(0o700)).unwrap();
    let start = |name| ["start", "--detach", "--port", "0", "--data", name];
    let refused = |name, original| {
        let said = sandbox.fail(1, &start(name));
        let original = sandbox.path(original).canonicalize().unwrap();
        assert!(said.contains("copy") && said.contains(original.to_str().unwrap()), "{said}");
    };
    sandbox.succeed(&start("closed/a"));
    let url = sandbox.status(&["--data", "closed/a"])["DB_URL"].as_str().unwrap().to_owned();
    write_row(&url).await;
    sandbox.copy("closed/a", "closed/b");
    refused("closed/b", "closed/a");
    assert_eq!(read_row(&url).await, 42);
    sandbox.succeed(&["stop", "--data", "closed/a"]);
    refused("closed/b", "closed/a");

    fs::rename(sandbox.path("closed/a"), sandbox.path("closed/c")).unwrap();
    let moved = sandbox.start(&["--data", "closed/c"]);
    assert_eq!(read_row(moved.db_url()).await, 42);
    refused("closed/b", "closed/c");
    assert!(moved.interrupt());
    refused("closed/b", "closed/c");
    let cluster = fs::read_link(sandbox.path("closed/c/pg")).unwrap();
    remove_annex(&cluster);
    sandbox.assert_quiet();
}

#[test]
fn nobody_else_reads_the_secrets() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(&["--data", "data"]);
    for name in ["keys.json", "passwords.json", "stack.json", "postgres.log"] {
        assert_eq!(fs::metadata(sandbox.path("data").join(name)).unwrap().mode() & 0o777, 0o600, "{name}");
    }
    let log = fs::read_to_string(sandbox.path("data/postgres.log")).unwrap();
    assert!(!log.contains("password"), "{log}");
    assert!(stack.interrupt());

    fs::write(sandbox.path("data/stack.log"), "from before").unwrap();
    sandbox.succeed(&["start", "--detach", "--port", "0", "--data", "data"]);
    assert_eq!(fs::metadata(sandbox.path("data/stack.log")).unwrap().mode() & 0o777, 0o600);
    sandbox.succeed(&["stop"]);
}

#[test]
fn a_taken_port_is_named() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for detach in [&[][..], &["--detach"]] {
        let said = sandbox.fail(1, &[&["start", "--port", &port], detach].concat());
        assert!(said.contains(&port) && said.contains("--port"), "{said}");
        sandbox.assert_quiet();
    }
}

#[test]
fn a_start_that_kept_nothing_leaves_no_directory_it_made() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fs::create_dir(sandbox.path("old")).unwrap();
    for (name, stays) in [("new", false), ("old", true)] {
        sandbox.fail(1, &["start", "--port", &port, "--data", name]);
        assert_eq!(sandbox.path(name).exists(), stays, "{name}");
        let mut command = sandbox.command(&["start", "--port", "0", "--data", name]);
        let output = command.env("PG_BIN", sandbox.path("nowhere")).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(sandbox.path(name).exists(), stays, "{name}");
        sandbox.assert_quiet();
    }
}

#[test]
fn a_database_stays_when_a_migration_fails() {
    let sandbox = Sandbox::new();
    sandbox.write(&[("migrations/1_broken.sql", "select nothing;")]);
    sandbox.fail(1, &["start", "--port", "0", "--data", "new"]);
    assert!(sandbox.path("new/pg/PG_VERSION").exists());
    sandbox.assert_quiet();
}
