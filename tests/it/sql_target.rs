//! Straight to PostgreSQL: every value arrives as it was meant, a bad row stands alone, and whatever
//! breaks, a batch is written once.

use migrator::cell::Cell;
use migrator::diff::Change;
use migrator::exit;
use migrator::ledger::{Column, Table};
use migrator::plan::{Row, TablePlan};
use migrator::run::{Kind, Run, Status};
use migrator::sql::{Recorded, Refused, SqlTarget};
use migrator::{Node, Number, Pointer};
use uuid::Uuid;

use crate::project::{Person, Project};

/// A plan of no rows.
pub(crate) fn plan(name: &str, columns: &[(&str, &str)], owner: Option<Uuid>) -> TablePlan {
    let column = |(name, kind): &(&str, &str)| Column { name: (*name).to_owned(), kind: (*kind).to_owned() };
    let owner = owner.map(|owner| ("owner_id".to_owned(), owner));
    let columns = columns.iter().map(column).collect();
    Table { name: name.to_owned(), columns, owner, refers: Vec::new() }.plan().unwrap()
}

pub(crate) fn row(id: u128, cells: Vec<Cell>) -> Row {
    Row { id: Uuid::from_u128(id), at: Pointer::root().item(usize::try_from(id % 1_000_000).unwrap()), cells }
}

pub(crate) fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A run of these tables, noted.
pub(crate) async fn begin(target: &mut SqlTarget, tables: &[&TablePlan]) -> Uuid {
    let now = jiff::Timestamp::now();
    let id = Run::id(now, Uuid::new_v4().into_bytes()[..10].try_into().unwrap());
    let run = Recorded {
        id,
        kind: Kind::Import,
        undoes: None,
        status: Status::Loading,
        owner: Some(target.owner()),
        plan: None,
        tool: "test".to_owned(),
        tables: tables.iter().map(|table| Table::of(table, Vec::new())).collect(),
        started_at: now,
        ended_at: None,
        rows: 0,
    };
    target.start_run(&run).await.unwrap();
    id
}

/// Writes rows as a batch, all with the same change.
pub(crate) async fn write(
    target: &mut SqlTarget,
    table: &TablePlan,
    rows: &[Row],
    change: Change,
    run: Uuid,
    n: u32,
) -> Vec<Refused> {
    let rows: Vec<(&Row, Change)> = rows.iter().map(|row| (row, change)).collect();
    target.write(table, &rows, run, n).await.unwrap()
}

pub(crate) async fn open(project: &Project, owner: &Person) -> SqlTarget {
    SqlTarget::open(project.db_url.as_deref().unwrap(), &owner.email).await.unwrap()
}

const CUSTOMERS: [(&str, &str); 4] =
    [("legacy_id", "text"), ("last_name", "text"), ("extra", "jsonb"), ("legacy_updated_at", "timestamptz")];

fn customer(id: u128, name: &str) -> Row {
    row(id, vec![text(&id.to_string()), text(name), Cell::Unset, Cell::Unset])
}

/// What a batch of these is in the table, by `compare`.
async fn changes(target: &mut SqlTarget, table: &TablePlan, rows: &[Row]) -> Vec<Change> {
    let rows: Vec<&Row> = rows.iter().collect();
    let existing = target.existing(table, &rows).await.unwrap();
    table.compare(rows, &existing).unwrap()
}

#[tokio::test]
async fn every_value_reads_back_as_it_was_written() {
    let project = Project::with_tables(
        "create type public.mood as enum ('good', 'bad');
        create table public.\"Odd Things\" (id uuid primary key, \"a text\" text, short varchar(5), mood public.mood,
            small smallint, whole integer, big bigint, exact numeric, money numeric(12,2), rough double precision,
            yes boolean, day date, at timestamptz, local timestamp, other uuid, doc jsonb, plain json, tags text[],
            label text default 'as the table has it')",
    )
    .await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let columns = [
        ("a text", "text"),
        ("short", "text"),
        ("mood", "text"),
        ("small", "int4"),
        ("whole", "int4"),
        ("big", "int8"),
        ("exact", "numeric"),
        ("money", "numeric(12,2)"),
        ("rough", "numeric"),
        ("yes", "bool"),
        ("day", "date"),
        ("at", "timestamptz"),
        ("local", "timestamptz"),
        ("other", "uuid"),
        ("doc", "jsonb"),
        ("plain", "jsonb"),
        ("tags", "text[]"),
        ("label", "text"),
    ];
    let table = plan("Odd Things", &columns, None);
    target.check(&table).await.unwrap();
    assert!(!target.has_rows(&table).await.unwrap());
    let number = |text: &str| Node::Number(Number::parse(text).unwrap());
    let doc = Node::List(vec![Node::Null, number("0.10000000000000000001"), Node::Text("\"\\{}".to_owned())]);
    let full = |id, at: &str, day: &str| {
        let at: jiff::Timestamp = at.parse().unwrap();
        row(
            id,
            vec![
                text("l'été \"\\ \t\n {NULL},\u{10ffff}"),
                text("court"),
                text("bad"),
                Cell::Int(-32_768),
                Cell::Int(i64::from(i32::MAX)),
                Cell::Int(i64::MIN),
                Cell::Numeric("-7922816251426433759354395033.5".parse().unwrap()),
                Cell::Numeric("0.10".parse().unwrap()),
                Cell::Numeric("0.5".parse().unwrap()),
                Cell::Bool(false),
                Cell::Date(day.parse().unwrap()),
                Cell::Instant(at),
                Cell::Instant(at),
                Cell::Uuid(Uuid::max()),
                Cell::Json(doc.clone()),
                Cell::Json(doc.clone()),
                Cell::TextArray(vec![
                    None,
                    Some(String::new()),
                    Some("a,\"b\\c\" {d}".to_owned()),
                    Some("NULL".to_owned()),
                ]),
                Cell::Unset,
            ],
        )
    };
    let empty = {
        let mut cells = vec![Cell::Null; columns.len() - 1];
        cells.push(text(""));
        row(3, cells)
    };
    let rows = [
        full(1, "2024-02-29T23:59:59.999999Z", "1990-05-14"),
        full(2, "1752-09-14T00:00:00.000001Z", "0001-01-01"),
        empty,
    ];
    let run = begin(&mut target, &[&table]).await;
    assert_eq!(changes(&mut target, &table, &rows).await, [Change::Insert; 3]);
    assert_eq!(write(&mut target, &table, &rows, Change::Insert, run, 0).await, []);
    assert_eq!(changes(&mut target, &table, &rows).await, [Change::Same; 3]);
    assert!(target.has_rows(&table).await.unwrap());
    // What the plan leaves open is the table's.
    let database = project.database().await;
    let labels = database.query("select label from public.\"Odd Things\" order by id", &[]).await.unwrap();
    let labels: Vec<String> = labels.iter().map(|row| row.get(0)).collect();
    assert_eq!(labels, ["as the table has it", "as the table has it", ""]);
    // And what no plan can write is like nothing in it.
    let strange = "update public.\"Odd Things\" set exact = 'NaN', at = 'infinity', day = '-infinity', tags = '{{a},{b}}'";
    database.batch_execute(strange).await.unwrap();
    assert_eq!(changes(&mut target, &table, &rows).await, [Change::Update; 3]);
    assert_eq!(write(&mut target, &table, &rows, Change::Update, run, 1).await, []);
    assert_eq!(changes(&mut target, &table, &rows).await, [Change::Same; 3]);
}

#[tokio::test]
async fn a_row_that_is_as_it_should_be_is_not_written() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let table = plan("customers", &CUSTOMERS, Some(owner.id));
    target.check(&table).await.unwrap();
    let run = begin(&mut target, &[&table]).await;
    let rows: Vec<Row> = (1..=40).map(|id| customer(id, "Dupont")).collect();
    // A row that is new to the plan and there all the same is compared before it is changed.
    assert_eq!(write(&mut target, &table, &rows[..20], Change::Insert, run, 0).await, []);
    assert_eq!(write(&mut target, &table, &rows, Change::Insert, run, 1).await, []);
    assert_eq!(write(&mut target, &table, &rows, Change::Update, run, 2).await, []);
    let written = "select count(*)::int8 from public.history where table_name = 'customers'";
    let database = project.database().await;
    assert_eq!(database.query_one(written, &[]).await.unwrap().get::<_, i64>(0), 40);
    // One that is to be changed and was removed meanwhile is added.
    database.batch_execute("delete from public.customers where legacy_id = '7'").await.unwrap();
    let renamed: Vec<Row> = (1..=40).map(|id| customer(id, "Durand")).collect();
    assert_eq!(write(&mut target, &table, &renamed, Change::Update, run, 3).await, []);
    assert_eq!(changes(&mut target, &table, &renamed).await, [Change::Same; 40]);
    assert_eq!(project.count("customers").await, 40);
}

#[tokio::test]
async fn a_row_the_server_refuses_stands_alone_and_is_told_of_without_its_values() {
    let project = Project::with_tables(
        "create table public.parents (id uuid primary key);
        create table public.things (id uuid primary key, short varchar(6), price numeric(5,2) check (price > 0),
            parent uuid references public.parents deferrable initially deferred, label text not null, code text unique);
        create function public.grumble() returns trigger language plpgsql as $$ begin
            if new.label = 'loud' then raise exception 'not %', new.label; end if;
            if new.label = 'quiet' then raise exception 'this table takes no whispers'; end if;
            return new; end $$;
        create trigger grumble before insert on public.things for each row execute function public.grumble()",
    )
    .await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let columns =
        [("short", "text"), ("price", "numeric"), ("parent", "uuid"), ("label", "text"), ("code", "text")];
    let table = plan("things", &columns, None);
    let good = |id: u128| {
        row(id, vec![text("short"), Cell::Numeric(1.into()), Cell::Null, text("fine"), text(&id.to_string())])
    };
    let mut rows: Vec<Row> = (1..=300).map(good).collect();
    let bad = [
        (10, 0, text("secretly long"), "22001", "a value does not fit its column (22001)"),
        (11, 1, Cell::Numeric((-4).into()), "23514", "check things_price_check does not hold"),
        (120, 1, Cell::Numeric(123_456.into()), "22003", "a value does not fit its column (22003)"),
        (
            121,
            2,
            Cell::Uuid(Uuid::max()),
            "23503",
            "things_parent_fkey: it points at a row that is not there",
        ),
        (150, 3, Cell::Null, "23502", "column label may not be empty"),
        (200, 3, text("loud"), "P0001", "the server refuses the row, in words that repeat a value of it"),
        (201, 3, text("quiet"), "P0001", "this table takes no whispers"),
        (300, 4, text("9"), "23505", "things_code_key: another row has the same key"),
    ];
    for (id, place, cell, ..) in &bad {
        rows[id - 1].cells[*place] = cell.clone();
    }
    let run = begin(&mut target, &[&table]).await;
    let mut refused = write(&mut target, &table, &rows, Change::Insert, run, 0).await;
    refused.sort_by_key(|refused| refused.id);
    let found: Vec<_> =
        refused.iter().map(|one| (one.id.as_u128(), one.code.as_str(), one.message.as_str())).collect();
    let expected: Vec<_> =
        bad.iter().map(|(id, _, _, code, message)| (*id as u128, *code, *message)).collect();
    assert_eq!(found, expected);
    assert_eq!(project.count("things").await, 292);
    // Asked again, the batch is answered as it was, and not written.
    let mut again = write(&mut target, &table, &rows, Change::Insert, run, 0).await;
    again.sort_by_key(|refused| refused.id);
    assert_eq!(again, refused);
    // A batch of nothing but bad rows is one too.
    let only: Vec<Row> = vec![rows[9].clone(), rows[10].clone()];
    for _ in 0..2 {
        assert_eq!(write(&mut target, &table, &only, Change::Insert, run, 1).await.len(), 2);
    }
    assert_eq!(project.count("things").await, 292);
}

#[tokio::test]
async fn another_owners_row_is_never_taken_over() {
    let project = Project::embedded().await;
    let (zoe, sam) = (project.person("zoe").await, project.person("sam").await);
    let mut target = open(&project, &zoe).await;
    let theirs = plan("customers", &CUSTOMERS, Some(zoe.id));
    let ours = plan("customers", &CUSTOMERS, Some(sam.id));
    let run = begin(&mut target, &[&theirs]).await;
    write(&mut target, &theirs, &[customer(1, "Dupont")], Change::Insert, run, 0).await;
    for (n, change) in [(1, Change::Insert), (2, Change::Update)] {
        let refused = write(
            &mut target,
            &ours,
            &[customer(1, "Durand"), customer(10 + u128::from(n), "x")],
            change,
            run,
            n,
        )
        .await;
        let found: Vec<_> = refused.iter().map(|one| (one.id.as_u128(), one.code.as_str())).collect();
        assert_eq!(found, [(1, "owner")]);
    }
    assert_eq!(changes(&mut target, &theirs, &[customer(1, "Dupont")]).await, [Change::Same]);
}

#[tokio::test]
async fn one_import_at_a_time_and_the_lock_goes_with_who_holds_it() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (mut first, mut second) = (open(&project, &owner).await, open(&project, &owner).await);
    first.lock().await.unwrap();
    first.lock().await.unwrap();
    let failure = second.lock().await.unwrap_err();
    assert_eq!((failure.code, failure.id), (exit::LOCKED, "target.locked"));
    drop(first);
    // The server hears of it when it reads next.
    let taken = async { while second.lock().await.is_err() {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), taken).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_doubles_nothing_and_loses_nothing() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let table = plan("customers", &CUSTOMERS, Some(owner.id));
    let run = begin(&mut target, &[&table]).await;
    let database = project.database().await;
    // As a load balancer does it: without a word, while nobody looks.
    let cut = "select count(pg_terminate_backend(pid))::int8 from pg_stat_activity \
        where datname = current_database() and application_name = 'migrator'";
    for n in 0..6 {
        let rows: Vec<Row> =
            (0..100).map(|place| customer(1 + u128::from(n) * 100 + place, "Dupont")).collect();
        let rows: Vec<(&Row, Change)> = rows.iter().map(|row| (row, Change::Insert)).collect();
        let cutting = async {
            for _ in 0..n {
                tokio::task::yield_now().await;
            }
            database.query_one(cut, &[]).await.unwrap().get::<_, i64>(0)
        };
        let (refused, cut) = tokio::join!(target.write(&table, &rows, run, n), cutting);
        assert_eq!(refused.unwrap(), []);
        assert!(cut > 0);
    }
    assert_eq!(project.count("customers").await, 600);
    let noted = "select sum(cardinality(ids))::int8, count(*)::int8 from migrator.batches";
    let noted = database.query_one(noted, &[]).await.unwrap();
    assert_eq!((noted.get::<_, i64>(0), noted.get::<_, i64>(1)), (600, 6));
}

#[tokio::test]
async fn what_the_caller_takes_back_was_never_written() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let columns = [&CUSTOMERS[..], &[("created_at", "timestamptz")]].concat();
    let table = plan("customers", &columns, Some(owner.id));
    let with = |id, created| {
        let mut row = customer(id, "Dupont");
        row.cells.push(created);
        row
    };
    // created_at may not be empty: the second stands alone inside the caller's transaction too.
    let rows = [with(1, Cell::Unset), with(2, Cell::Null), with(3, Cell::Unset)];
    let run = begin(&mut target, &[&table]).await;
    for (keep, there) in [(false, 0), (true, 2)] {
        target.begin().await.unwrap();
        let refused = write(&mut target, &table, &rows, Change::Insert, run, 0).await;
        assert_eq!(refused.iter().map(|one| one.id.as_u128()).collect::<Vec<_>>(), [2]);
        assert_eq!(changes(&mut target, &table, &rows).await, [Change::Same, Change::Insert, Change::Same]);
        if keep {
            target.commit().await.unwrap()
        } else {
            target.roll_back().await.unwrap()
        }
        assert_eq!(project.count("customers").await, there);
    }
}

#[tokio::test]
async fn an_owner_is_known_by_address_or_id() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let url = project.db_url.as_deref().unwrap();
    for named in [owner.email.to_uppercase(), owner.id.to_string()] {
        let target = SqlTarget::open(url, &named).await.unwrap();
        assert_eq!(target.owner(), owner.id);
        assert!(target.server().bypasses && target.server().role == "postgres", "{:?}", target.server());
        let password = url.split(['@', ':']).nth(2).unwrap();
        assert!(!format!("{target:?}").contains(password) && !target.server().fingerprint.contains(password));
    }
    for unknown in ["nobody@garage.test".to_owned(), Uuid::max().to_string()] {
        let failure = SqlTarget::open(url, &unknown).await.unwrap_err();
        assert_eq!((failure.code, failure.id), (exit::REFUSED, "target.owner_unknown"));
        assert!(!failure.message.contains(&unknown));
    }
    let nobody = SqlTarget::open("postgresql://postgres:x@127.0.0.1:9/x", "x").await.unwrap_err();
    assert_eq!(nobody.code, exit::UNREACHABLE);
}

#[tokio::test]
async fn a_table_that_cannot_take_the_plan_is_named_with_its_columns() {
    let project = Project::with_tables(
        "create table public.things (id uuid primary key, name text, twice text generated always as (name || name) stored, flag boolean);
        create table public.keyless (id uuid, name text)",
    )
    .await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let cases = [
        (plan("nothing", &[], None), "target.table_missing", vec!["nothing"]),
        (
            plan("things", &[("nom", "text"), ("name", "text"), ("prix", "int4")], None),
            "target.column_missing",
            vec!["things", "nom, prix"],
        ),
        (plan("things", &[("name", "text")], Some(owner.id)), "target.column_missing", vec!["owner_id"]),
        (plan("things", &[("twice", "text")], None), "target.column_generated", vec!["twice"]),
        (
            plan("things", &[("flag", "numeric"), ("name", "date")], None),
            "target.type",
            vec!["flag (boolean, the mapping says numeric)"],
        ),
    ];
    for (table, id, said) in cases {
        let failure = target.check(&table).await.unwrap_err();
        assert_eq!((failure.code, failure.id), (exit::REFUSED, id), "{}", failure.message);
        assert!(said.iter().all(|said| failure.message.contains(said)), "{}", failure.message);
    }
    let keyless = plan("keyless", &[("name", "text")], None);
    let run = begin(&mut target, &[&keyless]).await;
    let rows = [row(1, vec![text("x")])];
    let rows: Vec<(&Row, Change)> = rows.iter().map(|row| (row, Change::Insert)).collect();
    assert_eq!(target.write(&keyless, &rows, run, 0).await.unwrap_err().id, "target.no_key");
}

#[tokio::test]
async fn lines_the_plan_does_not_know_are_counted() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let repairs = plan("repairs", &[("legacy_id", "text")], Some(owner.id));
    let mut lines = plan("repair_lines", &[("repair_id", "uuid"), ("label", "text")], Some(owner.id));
    lines.parent = Some(migrator::plan::PlannedParent { table: "repairs".to_owned(), cell: 0 });
    let run = begin(&mut target, &[&repairs, &lines]).await;
    let parent = [row(1, vec![text("1")])];
    write(&mut target, &repairs, &parent, Change::Insert, run, 0).await;
    let all: Vec<Row> = (10..15).map(|id| row(id, vec![Cell::Uuid(parent[0].id), text("x")])).collect();
    write(&mut target, &lines, &all, Change::Insert, run, 0).await;
    assert_eq!(target.leftover(&lines, &[parent[0].id]).await.unwrap(), 5);
    assert_eq!(target.leftover(&repairs, &[]).await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_of_a_connection_is_needed_after_a_transaction() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let mut target = open(&project, &owner).await;
    let table = plan("customers", &CUSTOMERS, Some(owner.id));
    target.check(&table).await.unwrap();
    let run = begin(&mut target, &[&table]).await;
    let rows: Vec<Row> = (1..=10).map(|id| customer(id, "Dupont")).collect();
    // A pooler asks for this between transactions.
    let database = project.database().await;
    let temporary = "select count(*)::int8 from pg_class where relpersistence = 't' and relkind = 'r'";
    write(&mut target, &table, &rows, Change::Insert, run, 0).await;
    target.seal(run).await.unwrap();
    assert_eq!(database.query_one(temporary, &[]).await.unwrap().get::<_, i64>(0), 0);
    let apps = "select count(*)::int8 from (values ('anon'), ('authenticated'), ('service_role')) as r(name) \
        where has_schema_privilege(r.name, 'migrator', 'usage')";
    assert_eq!(
        database.query_one(apps, &[]).await.unwrap().get::<_, i64>(0),
        0,
        "apps cannot see the ledger"
    );
}
