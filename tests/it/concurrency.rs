//! Many at once, on a real PostgreSQL: one books the slot, nobody takes what is not there, and invoices are
//! numbered one after the other. What was counted is said aloud.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::project::{Person, Project};

const CLIENTS: usize = 16;

/// A connection on which somebody is signed in, as PostgREST signs them in.
async fn sign_in(project: &Project, person: &Person) -> tokio_postgres::Client {
    let database = project.database().await;
    let claims = format!(r#"{{"sub": "{}", "role": "authenticated"}}"#, person.id);
    database.execute("select set_config('request.jwt.claims', $1, false)", &[&claims]).await.unwrap();
    database.batch_execute("set role authenticated").await.unwrap();
    database
}

/// Sixteen connections of one person.
struct Crowd(Vec<Arc<tokio_postgres::Client>>);

impl Crowd {
    async fn of(project: &Project, person: &Person) -> Self {
        let clients = join_all((0..CLIENTS).map(|_| sign_in(project, person))).await;
        Self(clients.into_iter().map(Arc::new).collect())
    }

    /// Runs a statement of each, all at the same moment; counts how they ended, by SQLSTATE.
    async fn at_once(&self, statement: impl Fn(usize) -> String) -> BTreeMap<String, usize> {
        let barrier = Arc::new(Barrier::new(self.0.len()));
        let runs = self.0.iter().enumerate().map(|(number, client)| {
            let (barrier, client, statement) = (barrier.clone(), client.clone(), statement(number));
            tokio::spawn(async move {
                barrier.wait().await;
                match client.batch_execute(&statement).await {
                    Ok(()) => "done".to_owned(),
                    Err(error) => error.code().expect("the server's own answer").code().to_owned(),
                }
            })
        });
        let mut ended = BTreeMap::new();
        for run in join_all(runs).await {
            *ended.entry(run.unwrap()).or_default() += 1;
        }
        ended
    }
}

/// Past the test runner, which keeps what a passing test prints to itself.
fn say(what: &str) {
    io::stderr().write_all(format!("{what}\n").as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_book_the_same_slot_one_has_it() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (desk, mut ended) = (Uuid::new_v4(), BTreeMap::<String, usize>::new());
    let (database, crowd) = (sign_in(&project, &owner).await, Crowd::of(&project, &owner).await);
    database.execute("insert into resources (id, name) values ($1, 'desk')", &[&desk]).await.unwrap();
    for hour in 0..8 {
        // Half of them want the slot before as well, so that they overlap in part.
        let book = |client: usize| {
            format!(
                "select book('{desk}', '2026-06-01 {:02}:00', '2026-06-01 {:02}:00')",
                2 * hour + client % 2,
                2 * hour + 2
            )
        };
        let round = crowd.at_once(book).await;
        assert_eq!(round.get("done"), Some(&1), "{round:?}");
        for (code, count) in round {
            *ended.entry(code).or_default() += count;
        }
    }
    say(&format!("8 slots, 16 clients each: {ended:?}"));
    assert_eq!(ended, BTreeMap::from([("done".to_owned(), 8), ("23P01".to_owned(), 8 * (CLIENTS - 1))]));
    assert_eq!(project.count("bookings").await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_the_last_units_twice() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (gauze, tape) = (Uuid::new_v4(), Uuid::new_v4());
    let (database, crowd) = (sign_in(&project, &owner).await, Crowd::of(&project, &owner).await);
    let setup = format!(
        r#"insert into products (id, name) values ('{gauze}', 'gauze'), ('{tape}', 'tape');
        select receive_stock('[{{"product_id": "{gauze}", "quantity": 20, "lot_number": "a", "expires_on": "2099-01-01"}},
            {{"product_id": "{gauze}", "quantity": 11, "lot_number": "b"}}, {{"product_id": "{tape}", "quantity": 100}}]')"#
    );
    database.batch_execute(&setup).await.unwrap();

    // Each takes three of gauze and one of tape, in one order or the other: ten can, and one unit is left.
    let take = |client: usize| {
        let lines = [
            format!(r#"{{"product_id": "{gauze}", "quantity": 3}}"#),
            format!(r#"{{"product_id": "{tape}", "quantity": 1}}"#),
        ];
        let (first, second) =
            if client.is_multiple_of(2) { (&lines[0], &lines[1]) } else { (&lines[1], &lines[0]) };
        format!("select withdraw_stock('[{first}, {second}]')")
    };
    let ended = crowd.at_once(take).await;
    say(&format!("31 units, 16 clients who want 3 each: {ended:?}"));
    assert_eq!(ended, BTreeMap::from([("done".to_owned(), 10), ("23514".to_owned(), 6)]));

    // The last unit, by a line that is written directly.
    let lot: Uuid = database
        .query_one("select lot_id from product_levels where product_id = $1 and quantity > 0", &[&gauze])
        .await
        .unwrap()
        .get(0);
    let line = format!(
        "with taken as (insert into withdrawals default values returning id, workspace_id)
        insert into withdrawal_lines (withdrawal_id, product_id, lot_id, quantity) select id, '{gauze}', '{lot}', 1 from taken"
    );
    let ended = crowd.at_once(|_| line.clone()).await;
    say(&format!("1 unit, 16 clients who write the line themselves: {ended:?}"));
    assert_eq!(ended, BTreeMap::from([("done".to_owned(), 1), ("23514".to_owned(), 15)]));

    // All the operations together: whoever wins, levels are the sum of their movements.
    let mixed = |client: usize| match client % 3 {
        0 => format!(r#"select count_stock('[{{"product_id": "{tape}", "counted": {client}}}]')"#),
        1 => format!(r#"select receive_stock('[{{"product_id": "{tape}", "quantity": 2}}]')"#),
        _ => format!(r#"select withdraw_stock('[{{"product_id": "{tape}", "quantity": 9}}]')"#),
    };
    let ended = crowd.at_once(mixed).await;
    say(&format!("counts, deliveries and withdrawals at once: {ended:?}"));
    assert!(ended.keys().all(|code| ["done", "23514"].contains(&code.as_str())), "{ended:?}");

    // Deliveries of lots nobody has seen yet, and withdrawals of the same products, in either order: the levels are
    // made on the way, and nobody waits in a circle.
    let mut ended = BTreeMap::<String, usize>::new();
    for round in 0..12 {
        let fresh = |client: usize| {
            let (first, second) = if client.is_multiple_of(2) { (gauze, tape) } else { (tape, gauze) };
            if client % 3 == 2 {
                return format!(
                    r#"select withdraw_stock('[{{"product_id": "{first}", "quantity": 1}}, {{"product_id": "{second}", "quantity": 1}}]')"#
                );
            }
            format!(
                r#"select receive_stock('[{{"product_id": "{first}", "quantity": 2, "lot_number": "{round}-{client}"}},
                    {{"product_id": "{second}", "quantity": 2, "lot_number": "{round}-{client}"}}]')"#
            )
        };
        for (code, count) in crowd.at_once(fresh).await {
            *ended.entry(code).or_default() += count;
        }
    }
    say(&format!("12 rounds of deliveries of new lots, and withdrawals: {ended:?}"));
    assert!(ended.keys().all(|code| ["done", "23514"].contains(&code.as_str())), "{ended:?}");

    let remove = "delete from withdrawals where id = (select id from withdrawals order by random() limit 1)";
    let ended = crowd.at_once(|_| remove.to_owned()).await;
    say(&format!("removals at once: {ended:?}"));
    assert!(ended.keys().all(|code| ["done", "23514"].contains(&code.as_str())), "{ended:?}");
    let sql = "select count(*) filter (where quantity < 0), count(*) filter (where quantity <> coalesce((
            select sum(quantity) from product_movements as moved
            where moved.product_id = levels.product_id and moved.lot_id is not distinct from levels.lot_id
        ), 0)) from product_levels as levels";
    let row = database.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_are_numbered_without_a_gap_or_a_double() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (database, crowd) = (sign_in(&project, &owner).await, Crowd::of(&project, &owner).await);
    // Each client sends ten; every third of them is taken back, by a rollback or by an error after it.
    let setup = "insert into invoices (legacy_id) select n::text from generate_series(1, 160) as n;
        insert into invoice_lines (invoice_id, quantity, unit_price) select id, 1, 1 from invoices;
        update invoices set tax_rate = 20";
    let setup = setup.replace("(legacy_id)", "(id)").replace("n::text", "md5(n::text)::uuid");
    database.batch_execute(&setup).await.unwrap();
    let send = |client: usize| {
        let one = |n: usize| {
            let number = client * 10 + n + 1;
            let end = if number.is_multiple_of(3) { "rollback" } else { "commit" };
            format!("begin; select issue_invoice(md5('{number}')::uuid); {end};")
        };
        (0..10).map(one).collect::<String>()
    };
    let ended = crowd.at_once(send).await;
    assert_eq!(ended, BTreeMap::from([("done".to_owned(), CLIENTS)]));
    let sql =
        "select count(serial), count(distinct serial), min(serial), max(serial), count(distinct number),
        count(*) filter (where status = 'draft') from invoices";
    let row = database.query_one(sql, &[]).await.unwrap();
    let told: Vec<i64> = (0..6).map(|column| row.get(column)).collect();
    let [numbered, distinct, least, greatest, numbers, drafts] = told[..] else { panic!("{told:?}") };
    say(&format!(
        "160 invoices by 16 clients: {numbered} sent with {distinct} serials from {least} to {greatest}, {drafts} taken back"
    ));
    assert_eq!((numbered, distinct, least, greatest, numbers, drafts), (107, 107, 1, 107, 107, 53));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_leave_at_once_leave_one() {
    let project = Project::embedded().await;
    let (ana, ben) = (project.person("ana").await, project.person("ben").await);
    let (by_ana, by_ben) = (sign_in(&project, &ana).await, sign_in(&project, &ben).await);
    let database = project.database().await;
    for _ in 0..8 {
        let sql = "with made as (select id from private.create_workspace($1, 'garage', 'ours', false))
            insert into members (workspace_id, user_id, role) select id, $2, 'owner' from made returning workspace_id";
        let workspace: Uuid = database.query_one(sql, &[&ana.id, &ben.id]).await.unwrap().get(0);
        let leave = "delete from members where workspace_id = $1 and user_id = $2";
        let leaving = async |client: &tokio_postgres::Client, person: &Person| {
            client.execute(leave, &[&workspace, &person.id]).await.is_ok()
        };
        let left = tokio::join!(leaving(&by_ana, &ana), leaving(&by_ben, &ben));
        let owners = "select count(*) from members where workspace_id = $1";
        let owners: i64 = database.query_one(owners, &[&workspace]).await.unwrap().get(0);
        assert_eq!((i64::from(left.0) + i64::from(left.1), owners), (1, 1));
    }
}
