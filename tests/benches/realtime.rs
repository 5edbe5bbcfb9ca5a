//! What news costs: from the insert of a row to the listener, broadcasts to oneself, memory of channels; ours and
//! supabase-js, on one stack, one after the other. Each client is a process of its own; this one is ours too, when
//! it is started with what to do.
#![allow(clippy::print_stdout, reason = "a benchmark tells its result")]
#![allow(clippy::unwrap_used, reason = "a benchmark ends where it is surprised")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::auth::NewUser;
use supabase_sdk::realtime::{Binding, Broadcast, Change};
use supabase_sdk::{Client, Table};
use tokio_postgres::NoTls;

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../it/lab.rs"]
mod lab;

use lab::{Lab, Place};

/// How many rows are written, how far apart, how many broadcasts are sent, how many channels joined.
const ROWS: usize = 500;
const PACE: Duration = Duration::from_millis(5);
const BROADCASTS: usize = 20_000;
const CHANNELS: usize = 1_000;

#[derive(Serialize, Deserialize, Table)]
#[table(name = "customers")]
struct Customer {
    #[table(key)]
    id: uuid::Uuid,
    last_name: String,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["client", what, count] => client(what, count.parse().unwrap()).await,
        // `cargo test --benches` runs this too, and does not want a benchmark.
        arguments if arguments.contains(&"--test") => {}
        _ => compare().await,
    }
}

/// Microseconds since 1970.
fn micros() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

/// Our client, doing what it is told.
async fn client(what: &str, count: usize) {
    let new = || {
        let (url, key) =
            (std::env::var("SUPABASE_URL").unwrap(), std::env::var("SUPABASE_SECRET_KEY").unwrap());
        Client::builder(url, key).build().unwrap()
    };
    let client = new();
    match what {
        "latency" => {
            let mut channel = client.channel("news");
            let mut changes = channel.on_changes(Binding::<Customer>::inserts());
            let _channel = channel.subscribe().await.unwrap();
            say("ready");
            let mut times = Vec::new();
            while times.len() < count {
                if let Change::Inserted { row, .. } = changes.next().await.unwrap().unwrap() {
                    times.push(micros() - (row.last_name.parse::<f64>().unwrap() * 1_000.0) as u128);
                }
            }
            times.sort_unstable();
            let at = |part: f64| {
                times[((times.len() as f64 * part) as usize).min(times.len() - 1)] as f64 / 1_000.0
            };
            say(json!({ "p50": at(0.5), "p99": at(0.99) }));
        }
        "broadcasts" => {
            let mut channel = client.channel("room").broadcast_self().queue(count);
            let mut heard = channel.on_broadcast("moved");
            let channel = channel.subscribe().await.unwrap();
            say("ready");
            let begun = Instant::now();
            let sending = async {
                for number in 0..count {
                    channel
                        .send("moved", &json!({ "number": number, "to": "the next place" }))
                        .await
                        .unwrap();
                }
            };
            let hearing = async {
                for _ in 0..count {
                    assert!(matches!(heard.next().await, Some(Broadcast::Message(_))));
                }
            };
            tokio::join!(sending, hearing);
            say(json!({ "per_second": count as f64 / begun.elapsed().as_secs_f64() }));
        }
        _ => {
            let before = resident();
            let (mut clients, mut channels) = (Vec::new(), Vec::new());
            for first in (0..count).step_by(100) {
                let client = new();
                let some = (first..count.min(first + 100))
                    .map(|number| client.channel(format!("c{number}")).subscribe());
                channels.extend(futures_util::future::try_join_all(some).await.unwrap());
                clients.push(client);
            }
            say("ready");
            say(json!({ "bytes": resident() - before }));
        }
    }
}

/// How much of this process lies in memory, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

/// A client that has said it is ready.
struct Running {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    fn start(place: &Place, ours: bool, what: &str, count: usize) -> Self {
        let mut command = match ours {
            true => Command::new(std::env::current_exe().unwrap()),
            false => Command::new("node"),
        };
        match ours {
            true => command.arg("client"),
            false => command.arg(lab::root().join("tests/js/realtime-bench.mjs")),
        };
        command.args([what, &count.to_string()]).stdout(Stdio::piped());
        command.env("SUPABASE_URL", &place.api_url).env("SUPABASE_SECRET_KEY", &place.secret_key);
        let mut process = command.spawn().unwrap();
        let mut running = Self { out: BufReader::new(process.stdout.take().unwrap()), process };
        assert_eq!(running.line(), "ready");
        running
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn result(mut self) -> Value {
        let result = serde_json::from_str(&self.line()).unwrap();
        assert!(self.process.wait().unwrap().success());
        result
    }
}

async fn compare() {
    let place = Lab::get().project().await;
    let (admin, connection) = tokio_postgres::connect(&place.admin_db_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let secret = Client::builder(&place.api_url, &place.secret_key).build().unwrap();
    let email = Some("owner@garage.test".to_owned());
    let owner = NewUser { email, email_confirm: true, ..NewUser::default() };
    let owner = secret.auth().admin().create_user(&owner).await.unwrap().id;
    let find = "select id from workspaces where kind = 'garage' limit 1";
    let garage: uuid::Uuid = admin.query_one(find, &[]).await.unwrap().get(0);
    let insert = "insert into customers (workspace_id, owner_id, last_name) values ($1, $2, $3)";
    let insert = admin.prepare(insert).await.unwrap();
    println!(
        "| client | insert to listener, p50 ms | p99 ms | broadcasts/s | kB a channel |\n|---|---:|---:|---:|---:|"
    );
    for ours in [true, false] {
        let listening = Running::start(&place, ours, "latency", ROWS);
        let mut pace = tokio::time::interval(PACE);
        for _ in 0..ROWS {
            let now = format!("{:.3}", micros() as f64 / 1_000.0);
            admin.execute(&insert, &[&garage, &owner, &now]).await.unwrap();
            pace.tick().await;
        }
        let latency = listening.result();
        let broadcasts = Running::start(&place, ours, "broadcasts", BROADCASTS).result();
        let memory = Running::start(&place, ours, "channels", CHANNELS).result();
        println!(
            "| {} | {:.1} | {:.1} | {:.0} | {:.1} |",
            if ours { "supabase-sdk" } else { "supabase-js" },
            latency["p50"].as_f64().unwrap(),
            latency["p99"].as_f64().unwrap(),
            broadcasts["per_second"].as_f64().unwrap(),
            memory["bytes"].as_f64().unwrap() / 1_000.0 / CHANNELS as f64,
        );
    }
    Lab::get().remove(&place.name).await;
}
