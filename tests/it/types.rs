//! What `migrator types` writes is what the database holds, and it says so when that has changed.
//!
//! `schema.rs` and `odd_schema.rs` beside this file are its work. To write them anew, run what the first
//! two tests run without `--check`.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::lab::root;
use crate::migrator::{Desk, Run};
use crate::project::Project;

/// A schema as people make them and nobody expects them.
const ODD: &str = include_str!("fixtures/odd.sql");

/// Tables of our own, and of the odd schema.
const GENERATED: [&str; 2] = ["schema.rs", "odd_schema.rs"];

fn generated(name: &str) -> PathBuf {
    root().join("tests/it").join(name)
}

fn address(project: &Project) -> &str {
    project.db_url.as_deref().expect("the project's database address")
}

/// Runs the command at a desk, against a project's database.
async fn types(desk: &Desk, project: &Project, args: &[&str]) -> Run {
    desk.run(&[&["types", "--db-url", address(project)], args].concat()).await
}

#[tokio::test]
async fn our_own_schema_is_current() {
    let project = Project::target().await;
    let out = generated("schema.rs");
    let run = types(&Desk::new(), &project, &["--out", out.to_str().unwrap(), "--check"]).await.ended(0);
    assert!(run.stderr.contains("is what the database says"), "{run}");
    assert_eq!(run.stdout, "");
}

#[tokio::test]
async fn an_odd_schema_is_written_and_what_nobody_can_call_is_named() {
    let project = Project::bare().await;
    project.database().await.batch_execute(ODD).await.unwrap();
    let out = generated("odd_schema.rs");
    let schemas = ["--schema", "public", "--schema", "Odd Schema"];
    let check = ["--out", out.to_str().unwrap(), "--check"];
    let run = types(&Desk::new(), &project, &[schemas.as_slice(), &check].concat()).await.ended(0);
    for function in ["add_all(int4[])", "anything(anyelement)", "nameless(int4)", "some_record()"] {
        assert!(run.stderr.contains(&format!("{function} is left out")), "{run}");
    }
}

#[tokio::test]
async fn what_is_written_is_as_rustfmt_would_have_it() {
    for file in GENERATED {
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.args(["--check", "--edition", "2024"]).arg(generated(file)).stdin(Stdio::null());
        let run = Run::from(rustfmt.output().await.unwrap());
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{file}: {run}");
    }
}

#[tokio::test]
async fn a_file_is_written_once_and_stale_when_the_tables_change() {
    let project = Project::bare().await;
    let database = project.database().await;
    database.batch_execute("create table public.teas (id bigint primary key)").await.unwrap();
    let desk = Desk::new();
    let check = ["--out", "teas.rs", "--check"];

    let run = types(&desk, &project, &check).await.ended(4);
    assert!(run.stderr.contains("teas.rs is not there"), "{run}");

    types(&desk, &project, &["--out", "teas.rs"]).await.ended(0);
    let written = std::fs::read_to_string(desk.path().join("teas.rs")).unwrap();
    assert_eq!(types(&desk, &project, &[]).await.ended(0).stdout, written);
    let run = types(&desk, &project, &["--out", "teas.rs"]).await.ended(0);
    assert!(run.stderr.contains("already"), "{run}");
    desk.file("teas.rs", written.replace('\n', "\r\n"));
    types(&desk, &project, &check).await.ended(0);

    database.batch_execute("alter table public.teas add steeped interval").await.unwrap();
    let run = types(&desk, &project, &check).await.ended(4);
    for line in ["teas.rs is not what the database says", "@@ line", "+    pub steeped: Option<String>,"] {
        assert!(run.stderr.contains(line), "{line}: {run}");
    }
    assert!(
        std::fs::read_to_string(desk.path().join("teas.rs")).unwrap().contains("\r\n"),
        "nothing is written"
    );
}

#[tokio::test]
async fn a_table_is_called_what_one_wishes() {
    let project = Project::bare().await;
    project.database().await.batch_execute("create table public.people (born date)").await.unwrap();
    let args = ["--rename", "people=Human", "--time", "text"];
    let run = types(&Desk::new(), &project, &args).await.ended(0);
    assert!(run.stdout.contains("pub struct Human {\n    pub born: Option<String>,\n}"), "{run}");
    let run = types(&Desk::new(), &project, &["--rename", "peple=Human"]).await.ended(2);
    assert!(run.stderr.contains("names no table"), "{run}");
}

#[tokio::test]
async fn a_database_that_cannot_be_read_is_an_error_without_its_password() {
    let project = Project::bare().await;
    let (before, place) = address(&project).split_once('@').unwrap();
    let user = before.rsplit_once(':').unwrap().0;
    let elsewhere = |place: &str| format!("{user}:hunter2@{place}");
    let wrong_password = elsewhere(place);
    let cases = [
        (wrong_password.as_str(), 7, "password"),
        (&elsewhere("127.0.0.1:1/postgres"), 6, "127.0.0.1:1 does not answer"),
        (&elsewhere("127.0.0.1/postgres?sslmode=maybe"), 2, "sslmode"),
        ("mysql://zoe:hunter2@localhost/x", 2, "postgresql://"),
    ];
    for (address, code, says) in cases {
        let run = Desk::new().set("SUPABASE_DB_URL", address).run(&["types"]).await.ended(code);
        assert!(run.stderr.contains(says), "{says}: {run}");
        assert!(!run.stderr.contains("hunter2"), "{run}");
    }
    let run = types(&Desk::new(), &project, &["--schema", "nowhere"]).await.ended(7);
    assert!(run.stderr.contains("no schema \"nowhere\"") && run.stderr.contains("public"), "{run}");
    let run = Desk::new().run(&["types"]).await.ended(2);
    assert!(run.stderr.contains("SUPABASE_DB_URL"), "{run}");
}
