//! What an import costs from a file to rows in the garage's table, beside what people would write instead, and
//! beside the limit: `psql \copy` of the same rows, ready as CSV. All in one run, on one server, into one table
//! with its policies and triggers, emptied before each step.
//!
//! `ROWS` says how many (`10000,100000`); those who are given their rows as one JSON document take no part above
//! 200,000. The migrator is a process, and its time is that of the whole command:
//! reading, planning, comparing, writing, reading back, sealing. Set `MIGRATOR_BIN` and `SUPABASE_STACK_BIN` to
//! release builds. pgloader takes part where it is installed, and dlt where `DLT_PYTHON` names a Python that has it.
#![allow(clippy::print_stdout, reason = "a benchmark tells its result")]
#![allow(clippy::unwrap_used, reason = "a benchmark ends where it is surprised")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::json;
use supabase_sdk::auth::NewUser;
use supabase_sdk::rest::col;
use tokio_postgres::{Client, NoTls};

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../it/lab.rs"]
mod lab;

use lab::{Lab, Place};

const OWNER: &str = "owner@garage.test";
const COLUMNS: &str = "id, owner_id, workspace_id, legacy_id, legacy_scope, first_name, last_name, email, phone, address, city, \
    postal_code, notes, created_at, legacy_updated_at, extra";

/// How many rows fit into one JSON document, and into the node that reads it.
const MOST_AS_JSON: usize = 200_000;

/// One step of a round: who, and how long it took.
struct Step {
    who: &'static str,
    took: Duration,
}

struct Bench {
    place: Place,
    folder: PathBuf,
    migrator: PathBuf,
    admin: Client,
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` runs this too, and does not want a benchmark.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let sizes = std::env::var("ROWS").unwrap_or_else(|_| "10000,100000".to_owned());
    let folder = tempfile::tempdir().unwrap();
    // psql and node run as we do, the server does not read here.
    let migrator = std::env::var_os("MIGRATOR_BIN").map(PathBuf::from);
    let migrator = migrator.unwrap_or_else(|| lab::root().join("target/release/migrator"));
    assert!(migrator.exists(), "build it first: cargo build --release -p supabase-migrator");
    for rows in sizes.split(',').map(|rows| rows.trim().parse::<usize>().unwrap()) {
        let place = Lab::get().project().await;
        let (admin, connection) = tokio_postgres::connect(&place.admin_db_url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let bench = Bench { place, folder: folder.path().to_owned(), migrator: migrator.clone(), admin };
        bench.round(rows).await;
        Lab::get().remove(&bench.place.name).await;
    }
}

impl Bench {
    async fn round(&self, rows: usize) {
        let secret =
            supabase_sdk::Client::builder(&self.place.api_url, &self.place.secret_key).build().unwrap();
        let owner = NewUser {
            email: Some(OWNER.to_owned()),
            password: Some("a password for a benchmark".to_owned()),
            email_confirm: true,
            ..NewUser::default()
        };
        secret.auth().admin().create_user(&owner).await.unwrap();
        let export = self.export("fresh.json", rows, "2025-08-11T09:28:50.640Z", "Ahmed");
        let newer = self.export("newer.json", rows, "2026-08-11T09:28:50.640Z", "Fatima");

        let mut steps = Vec::new();
        steps.push(Step { who: "migrator --db-url", took: self.import(&export, true) });
        steps.push(Step {
            who: "migrator --db-url, again: nothing to write",
            took: self.import(&export, true),
        });
        steps.push(Step { who: "migrator --db-url, every row newer", took: self.import(&newer, true) });
        // The same rows for the others.
        self.psql(&format!("\\copy (select {COLUMNS} from customers) to '{}' csv", self.at("rows.csv")));
        let sent = if rows > MOST_AS_JSON { Vec::new() } else { self.rows_as_json().await };

        self.empty().await;
        let copy = self.psql(&format!("\\copy customers ({COLUMNS}) from '{}' csv", self.at("rows.csv")));
        if Command::new("pgloader").arg("--version").output().is_ok() {
            self.empty().await;
            steps.push(Step { who: "pgloader, the same CSV", took: self.pgloader() });
            let there: i64 =
                self.admin.query_one("select count(*) from customers", &[]).await.unwrap().get(0);
            assert_eq!(usize::try_from(there), Ok(rows), "it ends well even where it loads nothing");
        }
        self.empty().await;
        steps.push(Step { who: "migrator over the API", took: self.import(&export, false) });
        if !sent.is_empty() {
            if let Some(python) = std::env::var_os("DLT_PYTHON") {
                steps.push(Step { who: "dlt, into tables of its own", took: self.dlt(python) });
            }
            self.empty().await;
            steps.push(Step { who: "node, postgres.js, inserts of 500", took: self.node("sql") });
            self.empty().await;
            steps.push(Step {
                who: "supabase-js, upserts of 500, one after the other",
                took: self.node("rest"),
            });
            self.empty().await;
            let took = self.posts(&secret, &sent).await;
            steps.push(Step { who: "posts of 500, four at once, ready as JSON", took });
        }

        let per_second = |took: Duration| rows as f64 / took.as_secs_f64();
        println!("\n{rows} customers\n\n| who | seconds | rows/s | x `\\copy` |\n|---|---:|---:|---:|");
        println!(
            "| `psql \\copy` of ready CSV | {:.2} | {:.0} | 1.00 |",
            copy.as_secs_f64(),
            per_second(copy)
        );
        for Step { who, took } in steps {
            let ratio = copy.as_secs_f64() / took.as_secs_f64();
            println!("| {who} | {:.2} | {:.0} | {ratio:.2} |", took.as_secs_f64(), per_second(took));
        }
    }

    fn at(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn export(&self, name: &str, rows: usize, changed: &str, first: &str) -> PathBuf {
        let mut text = String::from("{\"data\":{\"customers\":[");
        for row in 0..rows {
            let comma = if row == 0 { "" } else { "," };
            write!(
                text,
                "{comma}{{\"id\":\"c{row:x}\",\"firstName\":\"{first}\",\"lastName\":\"Nom {row}\",\
                 \"email\":\"c{row}@example.com\",\"phone\":\"+212 6 {row:08}\",\"address\":\"1 rue de la Paix\",\
                 \"city\":\"Larache\",\"postalCode\":\"92000\",\"notes\":\"Client régulier\",\
                 \"createdAt\":\"2025-08-11T09:28:50.640Z\",\"updatedAt\":\"{changed}\"}}"
            )
            .unwrap();
        }
        text.push_str("]}}");
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn empty(&self) {
        // History is never truncated but by who may do anything.
        let empty = "set session_replication_role = replica; truncate customers, history cascade; \
            set session_replication_role = origin; vacuum customers; vacuum history; checkpoint";
        for statement in empty.split("; ") {
            self.admin.batch_execute(statement).await.unwrap();
        }
    }

    fn import(&self, export: &Path, straight: bool) -> Duration {
        let mut command = Command::new(&self.migrator);
        command
            .current_dir(&self.folder)
            .args(["import", "-m", "garage", "--owner", OWNER, "--yes", "--json"]);
        command.arg(export).env("SUPABASE_URL", &self.place.api_url);
        command.env("SUPABASE_SECRET_KEY", &self.place.secret_key);
        if straight {
            command.args(["--db-url", &self.place.db_url]);
        }
        timed(&mut command)
    }

    fn psql(&self, statement: &str) -> Duration {
        timed(Command::new("psql").args([
            "-q",
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            &self.place.admin_db_url,
            "-c",
            statement,
        ]))
    }

    /// The rows as people have them in a script, here and in `rows.json`.
    async fn rows_as_json(&self) -> Vec<serde_json::Value> {
        let json: String = self
            .admin
            .query_one("select json_agg(to_json(c))::text from (select * from customers) as c", &[])
            .await
            .unwrap()
            .get(0);
        let all: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&json).unwrap();
        let names: Vec<&str> = COLUMNS.split(',').map(str::trim).collect();
        let sent: Vec<serde_json::Value> = all
            .into_iter()
            .map(|row| row.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect())
            .collect();
        std::fs::write(self.at("rows.json"), serde_json::to_vec(&sent).unwrap()).unwrap();
        sent
    }

    fn dlt(&self, python: OsString) -> Duration {
        let mut dlt = Command::new(python);
        dlt.arg(lab::root().join("tests/benches/dlt_import.py")).arg(self.at("rows.json"));
        dlt.env("SUPABASE_DB_URL", &self.place.db_url).env("RUNTIME__DLTHUB_TELEMETRY", "false");
        // It keeps its state at home.
        timed(dlt.env("HOME", &self.folder))
    }

    /// As its manual has it; `rows.csv` lies where it looks.
    fn pgloader(&self) -> Duration {
        let columns: Vec<&str> = COLUMNS.split(',').map(str::trim).collect();
        let fields: Vec<String> = columns.iter().map(|name| format!("{name} [null if blanks]")).collect();
        let (fields, columns) = (fields.join(", "), columns.join(", "));
        let (csv, url) = (self.at("rows.csv"), &self.place.admin_db_url);
        let load = format!(
            "load csv from '{csv}' ({fields}) into {url} target table customers ({columns}) \
             with fields optionally enclosed by '\"', fields escaped by double-quote, \
             fields terminated by ',', on error stop;\n"
        );
        std::fs::write(self.at("customers.load"), load).unwrap();
        timed(Command::new("pgloader").args(["--on-error-stop", &self.at("customers.load")]))
    }

    fn node(&self, how: &str) -> Duration {
        let script = lab::root().join("tests/js/import.mjs");
        let mut command = Command::new("node");
        command.arg(script).args([how, &self.at("rows.json")]).current_dir(lab::root().join("tests/js"));
        command.env("SUPABASE_URL", &self.place.api_url).env("SUPABASE_SECRET_KEY", &self.place.secret_key);
        timed(command.env("SUPABASE_DB_URL", &self.place.db_url))
    }

    /// What the server takes when nothing is done but sending.
    async fn posts(&self, client: &supabase_sdk::Client, rows: &[serde_json::Value]) -> Duration {
        let begun = Instant::now();
        let posts = rows.chunks(500).map(|rows| async move {
            client.from("customers").upsert_many(rows).on_conflict(col("id")).send().await.unwrap();
        });
        futures_util::stream::iter(posts).buffer_unordered(4).collect::<Vec<_>>().await;
        begun.elapsed()
    }
}

fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let output = command.output().unwrap();
    let took = begun.elapsed();
    let said = || json!([String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)]);
    assert!(output.status.success(), "{command:?}: {}", said());
    took
}
