//! The first thing a person runs: it does the whole job, says so, and does it again without a change.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;
use tokio_postgres::NoTls;

use crate::lab::stack;
use crate::migrator::{Desk, Run, sample};

async fn stack_command(args: &[&str]) -> Run {
    Command::new(stack()).args(args).stdin(Stdio::null()).output().await.unwrap().into()
}

#[tokio::test]
async fn the_demo_moves_a_sample_shows_it_and_changes_nothing_the_second_time() {
    let desk = Desk::new();
    let data = desk.path().join("demo");
    let data = data.to_str().unwrap();
    let first = desk.run(&["demo", "--data", data, "--json"]).await.ended(0);
    let rows = first.total("inserted");
    assert!(rows > 0, "{first}");
    let told = first.json();
    assert_eq!((&told["seen"]["owner"], &told["seen"]["stranger"]), (&rows.into(), &0.into()), "{first}");
    assert_eq!(told["seen"]["anonymous"], Value::Null, "nobody may not even ask\n{first}");

    let status = stack_command(&["status", "-o", "json", "--data", data]).await.ended(0).json();
    let url = status["DB_URL"].as_str().unwrap();
    let (database, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut counted = 0;
    for table in told["tables"].as_array().unwrap() {
        let sql = format!("select count(*) from public.{}", table["name"].as_str().unwrap());
        let count: i64 = database.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(u64::try_from(count).unwrap(), table["inserted"].as_u64().unwrap(), "{sql}");
        counted += count;
    }
    assert_eq!(u64::try_from(counted).unwrap(), rows);
    drop(database);
    connection.await.unwrap().unwrap();

    let second = desk.run(&["demo", "--data", data, "--json", "--stop"]).await.ended(0);
    assert_eq!(
        (second.total("same"), second.total("inserted"), second.total("updated")),
        (rows, 0, 0),
        "{second}"
    );
    stack_command(&["status", "-o", "json", "--data", data]).await.ended(3);
}

#[tokio::test]
async fn the_demo_speaks_in_words_and_the_local_stack_takes_an_export() {
    let desk = Desk::new();
    let data = desk.path().join("demo");
    let data = data.to_str().unwrap();
    let told = desk.run(&["demo", "--data", data]).await.ended(0);
    for words in ["owner", "stranger", "psql", "stop"] {
        assert!(told.stdout.contains(words), "{words}\n{told}");
    }
    let (file, local) = (sample(), format!("--local={data}"));
    let import = [
        "import",
        file.to_str().unwrap(),
        "--mapping",
        "garage",
        "--json",
        &local,
        "--owner",
        "me@garage.test",
    ];
    desk.run(&import).await.ended(7);
    let created = desk.run(&[&import[..], &["--create-owner"]].concat()).await.ended(0);
    assert!(created.total("inserted") > 0);
    let again = desk.run(&import).await.ended(0);
    assert_eq!(again.total("same"), created.total("inserted"));
    stack_command(&["stop", "--data", data]).await.ended(0);
    let stopped = desk.run(&import).await.ended(6);
    assert!(stopped.stderr.contains("supabase-stack start"), "{stopped}");
}
