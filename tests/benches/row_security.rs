//! What row-level security costs a member who reads a page of fifty from a table of a million rows.
//!
//! Each question is put twice on one connection: by the owner of the tables, whom no policy holds, and by a
//! member. Buffers are what `explain (analyze, buffers)` counts once everything is in memory; times are medians
//! of prepared statements, in turns. It fails where a page costs more than one and a half times the buffers, or
//! more of them than a page has rows and an index has levels.
#![allow(clippy::print_stdout, reason = "a benchmark tells its result")]
#![allow(clippy::unwrap_used, reason = "a benchmark ends where it is surprised")]

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_postgres::{Client, NoTls, Statement};

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../it/lab.rs"]
mod lab;

use lab::Lab;

const ROUNDS: usize = 400;
const PAGE: i64 = 50;

/// A thousand garages with their customers, each garage with an owner and somebody else's viewer; the
/// customers in the order of time, so that the rows of a garage lie far apart.
const LOAD: &str = "
    set session_replication_role = replica;
    insert into auth.users (id, email) select md5('p' || n)::uuid, n || '@example.test' from generate_series(1, 1000) as n;
    insert into users (id) select id from auth.users;
    insert into workspaces (id, kind, name, home_of)
    select md5('w' || n)::uuid, 'garage', 'Garage', md5('p' || n)::uuid from generate_series(1, 1000) as n;
    insert into garages (id) select id from workspaces;
    insert into members (workspace_id, user_id, role)
    select md5('w' || n)::uuid, md5('p' || (n + step - 1) % 1000 + 1)::uuid, role
    from generate_series(1, 1000) as n, (values (0, 'owner'), (1, 'viewer')) as members (step, role);
    insert into customers (id, workspace_id, owner_id, last_name, first_name)
    select md5('c' || n)::uuid, md5('w' || (n - 1) % 1000 + 1)::uuid, md5('p' || (n - 1) % 1000 + 1)::uuid, md5(n::text), 'Zoé'
    from generate_series(1, ROWS) as n;
    set session_replication_role = origin;
    analyze;";

const QUESTIONS: [(&str, &str); 4] = [
    (
        "the first page",
        "select * from customers where workspace_id = md5('w7')::uuid order by last_name, first_name limit 50",
    ),
    (
        "a page from the middle",
        "select * from customers where workspace_id = md5('w7')::uuid and (last_name, first_name) > ('8', '')
        order by last_name, first_name limit 50",
    ),
    (
        "a page without naming the garage",
        "select * from customers where last_name > '8' order by workspace_id, last_name, first_name limit 50",
    ),
    ("one row", "select * from customers where id = md5('c7')::uuid"),
];

#[derive(Clone, Copy)]
enum Asking {
    Owner,
    Member,
}

async fn ask_as(client: &Client, asking: Asking) {
    let sql = match asking {
        Asking::Owner => "reset role; reset request.jwt.claims",
        Asking::Member => {
            "select set_config('request.jwt.claims', json_build_object('sub', md5('p7')::uuid)::text, false); set role authenticated"
        }
    };
    client.batch_execute(sql).await.unwrap();
}

/// How many buffers a question touches, all of them in memory, and how many rows it has.
async fn buffers(client: &Client, question: &str) -> (i64, i64) {
    let explain = format!("explain (analyze, buffers, timing off, format json) {question}");
    let mut told = Value::Null;
    for _ in 0..3 {
        told = client.query_one(&explain, &[]).await.unwrap().get(0);
    }
    let plan = &told[0]["Plan"];
    let count = |name: &str| plan[name].as_i64().unwrap_or_default();
    let rows = plan["Actual Rows"].as_f64().unwrap_or_default();
    #[allow(clippy::cast_possible_truncation, reason = "a page")]
    (count("Shared Hit Blocks") + count("Shared Read Blocks"), rows as i64)
}

async fn time(client: &Client, statement: &Statement) -> Duration {
    let start = Instant::now();
    client.query(statement, &[]).await.unwrap();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` runs this too, and does not want a benchmark.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let project = Lab::get().project().await;
    let connect = async |url: &str| {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    let started = Instant::now();
    // Buffers, which is what is asserted, hardly grow with the table: fewer rows do for a check.
    let rows: u32 = std::env::var("ROWS").map_or(1_000_000, |rows| rows.parse().expect("ROWS is a number"));
    let load = LOAD.replace("ROWS", &rows.to_string());
    connect(&project.admin_db_url).await.batch_execute(&load).await.unwrap();
    println!("{rows} rows loaded in {:.0} s\n", started.elapsed().as_secs_f64());

    let client = connect(&project.db_url).await;
    println!("| a member reads | rows | buffers without | with | ratio | µs without | with | ratio |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for (what, question) in QUESTIONS {
        ask_as(&client, Asking::Owner).await;
        let (without, rows) = buffers(&client, question).await;
        ask_as(&client, Asking::Member).await;
        let (with, seen) = buffers(&client, question).await;
        assert_eq!(rows, seen, "{what}");
        let mut times = [Vec::new(), Vec::new()];
        for turn in 0..8 {
            let asking = if turn % 2 == 0 { Asking::Owner } else { Asking::Member };
            ask_as(&client, asking).await;
            let statement = client.prepare(question).await.unwrap();
            for _ in 0..ROUNDS / 4 {
                let took = time(&client, &statement).await;
                times[turn % 2].push(took);
            }
        }
        let [free, held] = times.map(median);
        #[allow(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = with as f64 / without as f64;
        println!(
            "| {what} | {rows} | {without} | {with} | {ratio:.2} | {free:.0} | {held:.0} | {:.2} |",
            held / free
        );
        if rows == PAGE && question.contains("workspace_id") {
            assert!(with <= PAGE + 20, "{what}: {with} buffers are more than a page");
            assert!(with * 2 <= without * 3, "{what}: {with} buffers instead of {without}");
        }
    }
    Lab::get().remove(&project.name).await;
}
