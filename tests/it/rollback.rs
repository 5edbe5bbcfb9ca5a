//! A run is taken back: what it added goes, what it changed is put back, and nobody's work is lost.

use std::collections::BTreeMap;

use migrator::cell::Cell;
use migrator::diff::Change;
use migrator::ledger::file::{self, Writer};
use migrator::ledger::{Batch, Digest, Key, Op, Reference, Table, Touched};
use migrator::plan::{Row, TablePlan};
use migrator::run::folder::Runs;
use migrator::run::{Inputs, Kind, Place, Run, Status, Text, Way};
use migrator::sql::SqlTarget;
use migrator::target::{Access, Grant, Target, UnknownOwner};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::migrator::Desk;
use crate::project::{Person, Project};
use crate::sql_target::{begin, open, plan, row, text, write};

/// A garage as an old app left it, and again as it was a year later.
struct Garage {
    tables: Vec<(TablePlan, Vec<Row>, Vec<Reference>)>,
}

fn at(year: i16) -> Cell {
    Cell::Instant(format!("{year}-01-02T03:04:05Z").parse().unwrap())
}

fn money(amount: &str) -> Cell {
    Cell::Numeric(amount.parse().unwrap())
}

fn refers(column: &str, table: &str) -> Reference {
    Reference { column: column.to_owned(), table: table.to_owned() }
}

impl Garage {
    /// Its customers are 1 and 2, and later 3; the invoice is sent and does not add up, as old ones do.
    fn of(owner: Uuid, year: i16) -> Self {
        let later = year > 2023;
        let id = |number: u128| Cell::Uuid(Uuid::from_u128(number));
        let common = [("legacy_id", "text"), ("legacy_updated_at", "timestamptz")];
        let table =
            |name, columns: &[(&str, &str)]| plan(name, &[&common[..], columns].concat(), Some(owner));
        let row = |number: u128, cells: Vec<Cell>| {
            row(number, [vec![text(&number.to_string()), at(year)], cells].concat())
        };
        let name = if later { "Durand" } else { "Dupont" };
        let mut customers = vec![row(1, vec![text(name)]), row(2, vec![text("Martin")])];
        if later {
            customers.push(row(3, vec![text("Petit")]));
        }
        let status = if later { "paid" } else { "sent" };
        let tables = vec![
            (table("customers", &[("last_name", "text")]), customers, vec![]),
            (
                table("vehicles", &[("customer_id", "uuid"), ("mileage_km", "numeric")]),
                vec![row(11, vec![id(1), money(if later { "120000.5" } else { "90000" })])],
                vec![refers("customer_id", "customers")],
            ),
            (
                table(
                    "invoices",
                    &[("customer_id", "uuid"), ("status", "text"), ("total_amount", "numeric(12,2)")],
                ),
                vec![row(21, vec![id(1), text(status), money(if later { "99.99" } else { "12.34" })])],
                vec![refers("customer_id", "customers")],
            ),
            (
                table(
                    "invoice_lines",
                    &[("invoice_id", "uuid"), ("quantity", "numeric"), ("total_price", "numeric")],
                ),
                vec![row(31, vec![id(21), money("2"), money(if later { "7" } else { "5.55" })])],
                vec![refers("invoice_id", "invoices")],
            ),
            (
                table("stock_items", &[("name", "text"), ("opening_quantity", "numeric")]),
                vec![row(41, vec![text("filter"), money(if later { "14" } else { "10" })])],
                vec![],
            ),
            (
                table(
                    "stock_movements",
                    &[
                        ("stock_item_id", "uuid"),
                        ("kind", "text"),
                        ("quantity", "numeric"),
                        ("moves_stock", "bool"),
                    ],
                ),
                vec![row(51, vec![id(41), text("out"), money("3"), Cell::Bool(false)])],
                vec![refers("stock_item_id", "stock_items")],
            ),
        ];
        Self { tables }
    }

    /// Imports it straight into the database; gives the run.
    async fn import(&self, target: &mut SqlTarget) -> Uuid {
        let plans: Vec<&TablePlan> = self.tables.iter().map(|(plan, ..)| plan).collect();
        let run = begin(target, &plans).await;
        for (table, rows, _) in &self.tables {
            let existing = target.existing(table, &rows.iter().collect::<Vec<_>>()).await.unwrap();
            let changes = table.compare(rows, &existing).unwrap();
            let due: Vec<(&Row, Change)> = rows.iter().zip(changes).collect();
            assert_eq!(target.write(table, &due, run, 0).await.unwrap(), []);
        }
        run
    }
}

/// What stands in every table of the garage, but for the time of the last change.
async fn content(project: &Project) -> BTreeMap<&'static str, String> {
    let tables =
        ["customers", "vehicles", "repairs", "invoices", "invoice_lines", "stock_items", "stock_movements"];
    let database = project.database().await;
    let mut content = BTreeMap::new();
    for table in tables {
        let rows = format!(
            "select coalesce(string_agg((to_jsonb(t) - 'updated_at')::text, ' ' order by id), '') from public.{table} as t"
        );
        content.insert(table, database.query_one(&rows, &[]).await.unwrap().get(0));
    }
    content
}

async fn done(target: &mut SqlTarget, run: Uuid) {
    target.seal(run).await.unwrap();
    target.end_run(run, Status::Done).await.unwrap();
}

/// Which rows stayed, and why.
fn kept(document: &Value) -> Vec<(&str, u128, &str)> {
    let kept = document["kept"].as_array().unwrap().iter();
    let row = |row: &Value| row["id"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128();
    let mut kept: Vec<_> =
        kept.map(|one| (one["table"].as_str().unwrap(), row(one), one["why"].as_str().unwrap())).collect();
    kept.sort_unstable();
    kept
}

fn sum(document: &Value, what: &str) -> u64 {
    document["tables"].as_array().unwrap().iter().map(|line| line[what].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn what_was_there_before_is_there_again() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let url = project.db_url.clone().unwrap();
    let empty = content(&project).await;
    let first = Garage::of(owner.id, 2023).import(&mut target).await;
    done(&mut target, first).await;
    let before = content(&project).await;
    let second = Garage::of(owner.id, 2024).import(&mut target).await;
    done(&mut target, second).await;
    let after = content(&project).await;
    assert_ne!(before, after);
    drop(target);

    let desk = Desk::new();
    let try_it = desk.run(&["rollback", "latest", "--db-url", &url, "--json", "--dry-run"]).await.ended(0);
    assert_eq!((sum(&try_it.json(), "removed"), sum(&try_it.json(), "restored")), (1, 7), "{try_it}");
    assert_eq!(content(&project).await, after, "a dry run does nothing");
    let run = desk.run(&["rollback", "latest", "--db-url", &url, "--json"]).await.ended(0);
    assert_eq!(run.json()["tables"], try_it.json()["tables"], "{run}");
    assert_eq!(run.json()["run"], json!(second), "{run}");
    assert_eq!(content(&project).await, before);
    // Twice is once.
    desk.run(&["rollback", &second.to_string(), "--db-url", &url]).await.ended(7);

    let run = desk.run(&["rollback", &first.to_string()[..18], "--db-url", &url]).await;
    // Both began in the same moment, or nearly: what names both names none.
    assert!([0, 2].contains(&run.code.unwrap()), "{run}");
    if run.code == Some(2) {
        desk.run(&["rollback", &first.to_string(), "--db-url", &url]).await.ended(0);
    }
    assert_eq!(content(&project).await, empty);

    let list = desk.run(&["runs", "list", "--db-url", &url, "--json"]).await.ended(0).json();
    let told: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["kind"].as_str().unwrap(), run["status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("rollback", "done"), ("rollback", "done"), ("import", "rolled_back"), ("import", "rolled_back")]
    );
    let shown = desk.run(&["runs", "show", &second.to_string(), "--db-url", &url]).await.ended(0);
    assert!(shown.stdout.contains("rolled back") && shown.stdout.contains("customers"), "{shown}");
    desk.run(&["runs", "show", "ffffffff", "--db-url", &url]).await.ended(9);
    desk.run(&["rollback", "ffffffff", "--db-url", &url]).await.ended(9);
    desk.run(&["runs", "prune", "--keep", "1", "--db-url", &url]).await.ended(0);
    let list = desk.run(&["runs", "list", "--db-url", &url, "--json"]).await.ended(0).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_somebody_did_since_stays_and_is_named() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let url = project.db_url.clone().unwrap();
    let first = Garage::of(owner.id, 2023).import(&mut target).await;
    done(&mut target, first).await;
    let second = Garage::of(owner.id, 2024).import(&mut target).await;
    done(&mut target, second).await;
    drop(target);
    // The owner works on: renames customer 1, gives customer 3 a car, takes two filters.
    let id = |number: u128| Uuid::from_u128(number);
    let garage = &owner.client;
    let by_id = |number: u128| supabase_sdk::rest::col("id").eq(id(number));
    garage.from("customers").update(&json!({ "last_name": "Dupond" })).filter(by_id(1)).send().await.unwrap();
    let car = json!({ "id": id(90), "customer_id": id(3), "license_plate": "AB-123-CD" });
    garage.from("vehicles").insert(&car).send().await.unwrap();
    let taken = json!({ "stock_item_id": id(41), "kind": "out", "quantity": 2 });
    garage.from("stock_movements").insert(&taken).send().await.unwrap();
    let before = content(&project).await;

    let desk = Desk::new();
    let named = second.to_string();
    let run = desk.run(&["rollback", &named, "--db-url", &url, "--json"]).await.ended(3);
    let document = run.json();
    let changed = [
        ("customers", 1, "changed_since"),
        ("customers", 3, "referred"),
        ("stock_items", 41, "changed_since"),
    ];
    assert_eq!(kept(&document), changed, "{run}");
    assert_eq!((sum(&document, "removed"), sum(&document, "restored")), (0, 5), "{run}");
    let after = content(&project).await;
    for table in ["customers", "stock_items"] {
        // Customer 2 alone is put back: only the clock of the old app had moved.
        assert_eq!(
            after[table].matches("2024-01-02").count() + 1,
            before[table].matches("2024-01-02").count() + usize::from(table == "stock_items")
        );
    }
    assert!(after["vehicles"].contains("AB-123-CD") && after["vehicles"].contains(&id(3).to_string()));

    let run = desk.run(&["rollback", &named, "--db-url", &url]).await.ended(3);
    assert!(run.stdout.contains(&format!("kept customers {}: another row refers to it", id(3))), "{run}");
    assert!(run.stdout.contains("put back 0, kept 3"), "{run}");
    let run = desk.run(&["rollback", &named, "--db-url", &url, "--json", "--force"]).await.ended(3);
    assert_eq!(kept(&run.json()), [("customers", 3, "referred")], "{run}");
    let stock = "select opening_quantity = 10 and quantity = 8 from public.stock_items";
    assert!(
        project.database().await.query_one(stock, &[]).await.unwrap().get::<_, bool>(0),
        "what was taken is taken"
    );
    assert!(content(&project).await["customers"].contains("Dupont"));
}

#[tokio::test]
async fn a_run_that_was_killed_is_judged_by_what_it_wrote() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let empty = content(&project).await;
    let run = Garage::of(owner.id, 2023).import(&mut target).await;
    drop(target);
    let database = project.database().await;
    // Not a column of ours, and one.
    let id = |number: u128| Uuid::from_u128(number);
    database.execute("update public.vehicles set notes = 'seen' where id = $1", &[&id(11)]).await.unwrap();
    database
        .execute("update public.stock_movements set quantity = 4 where id = $1", &[&id(51)])
        .await
        .unwrap();
    let (url, desk) = (project.db_url.clone().unwrap(), Desk::new());
    let rollback = desk.run(&["rollback", &run.to_string(), "--db-url", &url, "--json"]).await.ended(3);
    let stayed = [("stock_items", 41, "referred"), ("stock_movements", 51, "changed_since")];
    assert_eq!(kept(&rollback.json()), stayed, "{rollback}");
    desk.run(&["rollback", &run.to_string(), "--db-url", &url, "--force"]).await.ended(0);
    assert_eq!(content(&project).await, empty);
}

#[tokio::test]
async fn a_table_that_has_grown_is_no_table_that_has_changed() {
    let project = Project::with_tables(
        "create table public.things (id uuid primary key, name text, next uuid references public.things,
            serial bigint generated always as identity, twice text generated always as (name || name) stored,
            kept text default 'x')",
    )
    .await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let table = plan("things", &[("name", "text"), ("next", "uuid")], None);
    let rows: Vec<Row> = (1..=6)
        .map(|id| {
            row(id, vec![text("a"), if id < 6 { Cell::Uuid(Uuid::from_u128(id + 1)) } else { Cell::Null }])
        })
        .collect();
    let first = begin(&mut target, &[&table]).await;
    write(&mut target, &table, &rows, Change::Insert, first, 0).await;
    done(&mut target, first).await;
    let database = project.database().await;
    let all = "select string_agg(to_jsonb(t)::text, ' ' order by id) from public.things as t";
    let before: Option<String> = database.query_one(all, &[]).await.unwrap().get(0);
    let second = begin(&mut target, &[&table]).await;
    let renamed: Vec<Row> = (1..=6).map(|id| row(id, vec![text("b"), Cell::Null])).collect();
    write(&mut target, &table, &renamed, Change::Update, second, 0).await;
    done(&mut target, second).await;
    database.batch_execute("alter table public.things add column later int default 7").await.unwrap();
    let (url, desk) = (project.db_url.clone().unwrap(), Desk::new());
    drop(target);
    desk.run(&["rollback", &second.to_string(), "--db-url", &url]).await.ended(0);
    let now: Option<String> =
        database.query_one(&all.replace("to_jsonb(t)", "(to_jsonb(t) - 'later')"), &[]).await.unwrap().get(0);
    assert_eq!(now, before);
    // Rows that point at each other go one after the other.
    desk.run(&["rollback", &first.to_string(), "--db-url", &url]).await.ended(0);
    assert_eq!(project.count("things").await, 0);
}

/// The same over the API: what is sent is in the ledger before.
struct Api {
    target: Target,
    desk: Desk,
    runs: Runs,
}

impl Api {
    async fn of(project: &Project, owner: &Person) -> Self {
        let access = Access {
            url: project.url.clone(),
            key: project.publishable_key.clone(),
            grant: Grant::Password(owner.password.clone()),
        };
        let target = Target::open(access, &owner.email, UnknownOwner::Refuse).await.unwrap();
        let desk = Desk::of(project, owner);
        let runs = Runs::within(desk.path());
        Self { target, desk, runs }
    }

    async fn import(&self, garage: &Garage, owner: &Person) -> Uuid {
        let inputs = Inputs {
            files: Vec::new(),
            mapping: Text { path: "garage".to_owned(), text: String::new() },
            target: Place { way: Way::Rest, address: self.target.url().to_owned() },
            owner: owner.email.clone(),
            owner_id: owner.id,
            scope: "phone".to_owned(),
            options: serde_json::Map::new(),
            tool: "0.1.0".to_owned(),
        };
        let now = jiff::Timestamp::now();
        let id = Run::id(now, Uuid::new_v4().into_bytes()[..10].try_into().unwrap());
        let mut run = Run::new(id, Kind::Import, inputs, now);
        let folder = self.runs.create(&run).unwrap();
        let mut ledger = Writer::open(&folder.file(file::NAME)).unwrap();
        for (table, rows, refers) in &garage.tables {
            ledger.table(Table::of(table, refers.clone())).unwrap();
            let all: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            let there = self.target.images(&table.name, &all).await.unwrap();
            let existing: Vec<_> = there.values().map(|image| table.decode(image).unwrap()).collect();
            let changes = table.compare(rows, &existing).unwrap();
            for (part, (op, change)) in [(0, (Op::Insert, Change::Insert)), (1, (Op::Update, Change::Update))]
            {
                let due: Vec<&Row> =
                    rows.iter().zip(&changes).filter(|(_, is)| **is == change).map(|(row, _)| row).collect();
                if due.is_empty() {
                    continue;
                }
                let ids: Vec<Uuid> = due.iter().map(|row| row.id).collect();
                let mut before = self.target.images(&table.name, &ids).await.unwrap();
                let touched = due.iter().map(|row| Touched {
                    id: row.id,
                    ours: table.written(row),
                    before: before.remove(&row.id),
                    after: None,
                });
                let key = Key { table: table.name.clone(), n: 0, part };
                let columns = table.sent_columns(due[0]).map(str::to_owned).collect();
                ledger.intend(Batch { key: key.clone(), op, columns, rows: touched.collect() }).unwrap();
                let groups = table.groups(due.iter().copied());
                let json = |row: &&Row| serde_json::value::to_raw_value(&table.payload(row)).unwrap();
                let rows: Vec<Box<RawValue>> = due.iter().map(json).collect();
                let rows: Vec<&RawValue> = rows.iter().map(|row| &**row).collect();
                self.target.upsert(&table.name, &groups[0].columns, &rows).await.unwrap();
                ledger.done(key, Vec::new()).unwrap();
            }
        }
        for (table, rows, _) in &garage.tables {
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            let images = self.target.images(&table.name, &ids).await.unwrap();
            ledger.seal(&table.name, Digest::of_images(&images)).unwrap();
        }
        run.status = Status::Done;
        folder.save(&run).unwrap();
        id
    }
}

#[tokio::test]
async fn over_the_api_what_was_there_before_is_there_again() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let api = Api::of(&project, &owner).await;
    let empty = content(&project).await;
    let first = api.import(&Garage::of(owner.id, 2023), &owner).await;
    let before = content(&project).await;
    let second = api.import(&Garage::of(owner.id, 2024), &owner).await;
    let after = content(&project).await;
    let said = api.desk.run(&["rollback", "latest", "--json", "-n"]).await.ended(0);
    assert_eq!(content(&project).await, after);
    let run = api.desk.run(&["rollback", "latest", "--json"]).await.ended(0);
    assert_eq!(run.json()["tables"], said.json()["tables"], "{run}");
    assert_eq!((&run.json()["run"], &run.json()["status"]), (&json!(second), &json!("rolled_back")), "{run}");
    assert_eq!(content(&project).await, before);
    api.desk.run(&["rollback", &second.to_string()]).await.ended(7);
    // Whoever has the secret key may do it too, and stock stays the database's.
    let secret = api.desk.file("key", &project.secret_key);
    let secret = ["rollback", &first.to_string(), "--secret-key-file", secret.to_str().unwrap()];
    api.desk.run(&secret).await.ended(0);
    assert_eq!(content(&project).await, empty);
    let list = api.desk.run(&["runs", "list", "--json"]).await.ended(0).json();
    assert_eq!(list.as_array().unwrap().len(), 4);
    let other = Project::embedded().await;
    let elsewhere = ["rollback", &first.to_string(), "--url", &other.url];
    api.desk.run(&elsewhere).await.ended(7);
}

#[tokio::test]
async fn over_the_api_what_somebody_did_since_stays() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let api = Api::of(&project, &owner).await;
    api.import(&Garage::of(owner.id, 2023), &owner).await;
    let database = project.database().await;
    let id = |number: u128| Uuid::from_u128(number);
    database.execute("update public.invoices set notes = 'called' where id = $1", &[&id(21)]).await.unwrap();
    let car = json!({ "id": id(90), "customer_id": id(2) });
    owner.client.from("vehicles").insert(&car).send().await.unwrap();
    let run = api.desk.run(&["rollback", "latest", "--json"]).await.ended(3);
    let stayed =
        [("customers", 1, "referred"), ("customers", 2, "referred"), ("invoices", 21, "changed_since")];
    assert_eq!(kept(&run.json()), stayed, "{run}");
    let run = api.desk.run(&["rollback", "latest", "--json", "--force"]).await.ended(3);
    assert_eq!(kept(&run.json()), [("customers", 2, "referred")], "{run}");
}

#[tokio::test]
async fn over_the_api_a_rollback_that_was_killed_is_finished_by_the_next() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let api = Api::of(&project, &owner).await;
    api.import(&Garage::of(owner.id, 2023), &owner).await;
    let before = content(&project).await;
    api.import(&Garage::of(owner.id, 2024), &owner).await;
    for (table, method) in [("stock_items", "PATCH"), ("invoice_lines", "PATCH"), ("customers", "DELETE")] {
        let delay = json!({ "kind": "delay", "ms": 600_000 });
        project
            .faults(json!([{ "path": format!("/rest/v1/{table}"), "method": method, "action": delay }]))
            .await;
        let mut run = api.desk.start(&["rollback", "latest"]);
        project.wait_for_fault().await;
        run.kill().await.unwrap();
    }
    // And a wire that breaks.
    project
        .faults(json!([
            { "path": "/rest/v1/customers", "method": "DELETE", "times": 1, "action": { "kind": "lose_answer" } },
            { "path": "/rest/v1/vehicles", "method": "PATCH", "times": 1, "action": { "kind": "lose_answer" } },
        ]))
        .await;
    api.desk.run(&["rollback", "latest"]).await.ended(0);
    assert_eq!(content(&project).await, before);
}
