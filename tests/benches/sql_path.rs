//! What the straight way to PostgreSQL costs, against `psql \copy` of the same rows ready as CSV: the limit of
//! what the server takes.
//!
//! `SQL_PATH_ROWS` says how many rows, `SQL_PATH_BATCH` how many at once. Each step is timed three times on an
//! empty table and the fastest counts, for what else the machine does can only be slower.
#![allow(clippy::print_stdout, reason = "a benchmark tells its result")]
#![allow(clippy::unwrap_used, reason = "a benchmark ends where it is surprised")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use migrator::cell::Cell;
use migrator::diff::Change;
use migrator::ledger::{Column, Table};
use migrator::plan::{Row, TablePlan};
use migrator::run::{Kind, Run, Status};
use migrator::sql::{Recorded, SqlTarget};
use migrator::{Node, Pointer};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../it/lab.rs"]
mod lab;

use lab::Lab;

const COLUMNS: [(&str, &str); 7] = [
    ("legacy_id", "text"),
    ("last_name", "text"),
    ("city", "text"),
    ("notes", "text"),
    ("created_at", "timestamptz"),
    ("legacy_updated_at", "timestamptz"),
    ("extra", "jsonb"),
];

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn rows(count: usize, year: i16) -> Vec<Row> {
    let at: jiff::Timestamp = format!("{year}-01-02T03:04:05Z").parse().unwrap();
    let row = |place: usize| {
        let text = |text: String| Cell::Text(text);
        let cells = vec![
            text(place.to_string()),
            text(format!("Dupont {place}")),
            text(format!("Ville {}", place % 100)),
            text(format!("a note of some length, as people write them, number {place}")),
            Cell::Instant(at),
            Cell::Instant(at),
            Cell::Json(Node::Map(std::iter::once(("old".to_owned(), Node::Bool(true))).collect())),
        ];
        Row { id: Uuid::new_v4(), at: Pointer::root().item(place), cells }
    };
    (0..count).map(row).collect()
}

fn csv(rows: &[Row], owner: Uuid, file: &Path) {
    let mut csv = String::new();
    for (place, row) in rows.iter().enumerate() {
        let at = "2023-01-02T03:04:05Z";
        writeln!(
            csv,
            "{},{owner},{place},Dupont {place},Ville {},\"a note of some length, as people write them, number {place}\",{at},{at},\"{{\"\"old\"\":true}}\"",
            row.id,
            place % 100
        )
        .unwrap();
    }
    std::fs::write(file, csv).unwrap();
}

struct Bench {
    target: SqlTarget,
    database: Client,
    url: String,
    batch: usize,
}

impl Bench {
    async fn begin(&mut self, table: &TablePlan) -> Uuid {
        let now = jiff::Timestamp::now();
        let id = Run::id(now, Uuid::new_v4().into_bytes()[..10].try_into().unwrap());
        let run = Recorded {
            id,
            kind: Kind::Import,
            undoes: None,
            status: Status::Loading,
            owner: None,
            plan: None,
            tool: "bench".to_owned(),
            tables: vec![Table::of(table, Vec::new())],
            started_at: now,
            ended_at: None,
            rows: 0,
        };
        self.target.start_run(&run).await.unwrap();
        id
    }

    async fn write(
        &mut self,
        table: &TablePlan,
        rows: &[Row],
        change: Change,
        run: Uuid,
        from: u32,
    ) -> Duration {
        let began = Instant::now();
        for (n, rows) in (from..).zip(rows.chunks(self.batch)) {
            let rows: Vec<(&Row, Change)> = rows.iter().map(|row| (row, change)).collect();
            assert!(self.target.write(table, &rows, run, n).await.unwrap().is_empty());
        }
        began.elapsed()
    }

    async fn existing(&mut self, table: &TablePlan, rows: &[Row]) -> Duration {
        let began = Instant::now();
        for rows in rows.chunks(self.batch) {
            let rows: Vec<&Row> = rows.iter().collect();
            let existing = self.target.existing(table, &rows).await.unwrap();
            let changes = table.compare(rows.iter().copied(), &existing).unwrap();
            assert!(changes.iter().all(|change| *change == Change::Same));
        }
        began.elapsed()
    }

    fn copy(&self, table: &TablePlan, file: &Path) -> Duration {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let copy = format!(
            "\\copy public.{} (id, owner_id, {}) from '{}' csv",
            table.name,
            names.join(", "),
            file.display()
        );
        let began = Instant::now();
        let status =
            std::process::Command::new("psql").args(["-q", "-c", &copy, &self.url]).status().unwrap();
        assert!(status.success());
        began.elapsed()
    }

    async fn clear(&self, table: &TablePlan) {
        // Not in one message, which would be one transaction.
        for statement in ["delete from", "vacuum"] {
            self.database.batch_execute(&format!("{statement} public.{}", table.name)).await.unwrap();
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (count, batch) = (number("SQL_PATH_ROWS", 100_000), number("SQL_PATH_BATCH", 5_000));
    let place = Lab::get().project().await;
    let (database, connection) = tokio_postgres::connect(&place.db_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let owner = Uuid::new_v4();
    let prepare = format!(
        "create table public.plain (id uuid primary key, owner_id uuid, legacy_id text, last_name text, city text,
            notes text, created_at timestamptz, legacy_updated_at timestamptz, extra jsonb);
        insert into auth.users (id, email) values ('{owner}', 'owner@garage.test')"
    );
    let (admin, connection) = tokio_postgres::connect(&place.admin_db_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    admin.batch_execute(&prepare).await.unwrap();
    admin.batch_execute("alter table public.plain owner to postgres").await.unwrap();
    let target = SqlTarget::open(&place.db_url, "owner@garage.test").await.unwrap();
    let mut bench = Bench { target, database, url: place.db_url.clone(), batch };
    let file = std::env::temp_dir().join(format!("sql-path-{}.csv", std::process::id()));
    for name in ["plain", "customers"] {
        let columns =
            COLUMNS.map(|(name, kind)| Column { name: name.to_owned(), kind: kind.to_owned() }).to_vec();
        let owned = Some(("owner_id".to_owned(), owner));
        let table =
            Table { name: name.to_owned(), columns, owner: owned, refers: Vec::new() }.plan().unwrap();
        bench.target.check(&table).await.unwrap();
        let mut best: Vec<(&str, Duration)> = Vec::new();
        let mut note = |what, took: Duration| match best.iter_mut().find(|(known, _)| *known == what) {
            Some((_, known)) => *known = took.min(*known),
            None => best.push((what, took)),
        };
        for _ in 0..3 {
            let old = rows(count, 2023);
            csv(&old, owner, &file);
            note("psql \\copy", bench.copy(&table, &file));
            bench.clear(&table).await;
            let run = bench.begin(&table).await;
            note("insert", bench.write(&table, &old, Change::Insert, run, 0).await);
            note("compare", bench.existing(&table, &old).await);
            let new: Vec<Row> =
                rows(count, 2024).into_iter().zip(&old).map(|(row, old)| Row { id: old.id, ..row }).collect();
            let from = u32::try_from(count).unwrap();
            note("update", bench.write(&table, &new, Change::Update, run, from).await);
            let began = Instant::now();
            bench.target.seal(run).await.unwrap();
            note("seal (twice the rows)", began.elapsed());
            bench.clear(&table).await;
        }
        for (what, took) in best {
            let rate = u128::try_from(count).unwrap() * 1_000 / took.as_millis().max(1);
            println!("{name:10} {what:22} {:>6} ms {rate:>8} rows/s", took.as_millis());
        }
    }
    std::fs::remove_file(file).ok();
    Lab::get().remove(&place.name).await;
}
