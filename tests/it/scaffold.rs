//! Tables made for an export that nobody has seen: they take its rows, and are their owner's alone.

use serde_json::{Value, json};
use supabase_sdk::Client;

use crate::migrator::Desk;
use crate::project::Project;

/// A tennis club, in the likeness of what such apps export: two entities, a child, a reference that leads
/// nowhere, a reserved word, and one list that is a choice of words.
fn club() -> String {
    let members: Vec<Value> = (1..=24)
        .map(|n| json!({ "id": format!("m{n}x{}", 7 * n), "name": format!("Member {n}"), "order": n, "status": if n % 3 == 0 { "paused" } else { "active" } }))
        .collect();
    let bookings = json!([
        { "id": 1, "memberId": "m1x7", "day": "2025-08-11", "price": 12.5, "players": [{ "name": "a" }, { "name": "b" }] },
        { "id": 2, "memberId": "gone", "day": "2025-08-12", "price": 8, "players": [] },
    ]);
    json!({ "version": 1, "members": members, "bookings": bookings }).to_string()
}

async fn count(client: &Client, table: &str) -> usize {
    client.from(table).select("*").fetch().await.unwrap().into_iter().count()
}

#[tokio::test]
async fn a_strange_export_gets_tables_its_rows_and_nobody_else() {
    let desk = Desk::new();
    let file = desk.file("club.json", club());
    let file = file.to_str().unwrap();
    desk.run(&["map", "init", file]).await.ended(0);
    let refused = desk.run(&["map", "init", file]).await.ended(2);
    assert!(refused.stderr.contains("club.map.toml is there already"), "{refused}");
    desk.run(&["map", "init", file, "--force"]).await.ended(0);
    let sql = desk.run(&["scaffold", file, "--enum", "check", "--stdout"]).await.ended(0).stdout;
    desk.run(&["scaffold", file, "--mapping", "club.map.toml", "--out", "migrations", "--name", "club"])
        .await
        .ended(0);
    let written: Vec<_> = std::fs::read_dir(desk.path().join("migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [migration] = written.as_slice() else { panic!("{written:?}") };
    assert!(migration.to_str().unwrap().ends_with("_club.sql"), "{written:?}");

    // What the mapping suggests and what is made from it fit each other, and any project takes both.
    let of_mapping = Project::with_tables(&std::fs::read_to_string(migration).unwrap()).await;
    let address = of_mapping.db_url.clone().unwrap();
    desk.run(&["map", "check", "club.map.toml", file, "--db-url", &address]).await.ended(0);
    of_mapping.database().await.batch_execute("alter table public.bookings drop column price").await.unwrap();
    let misfit = desk.run(&["map", "check", "club.map.toml", "--db-url", &address]).await.ended(4);
    assert!(misfit.stdout.contains("bookings.price: the table has no such column"), "{misfit}");

    let project = Project::with_tables(&sql).await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let at_home = Desk::of(&project, &owner);
    let (export, mapping) = (at_home.file("club.json", club()), desk.path().join("club.map.toml"));
    let import = async || {
        let line = [
            "import",
            export.to_str().unwrap(),
            "--mapping",
            mapping.to_str().unwrap(),
            "--owner",
            &owner.email,
            "--json",
        ];
        at_home.run(&line).await.ended(0)
    };
    let first = import().await;
    assert_eq!((first.total("inserted"), first.total("rejected")), (28, 0), "{first}");
    let second = import().await;
    assert_eq!((second.total("inserted"), second.total("updated")), (0, 0), "{second}");

    for (table, rows) in [("members", 24), ("bookings", 2), ("booking_players", 2)] {
        assert_eq!(count(&owner.client, table).await, rows, "{table}");
        assert_eq!(count(&stranger.client, table).await, 0, "{table}");
        project.anonymous().from(table).select("*").fetch().await.unwrap_err();
    }
    only_their_own(&project, &owner.client, &stranger.client).await;
}

/// A stranger changes nothing, points at nothing, and gives nothing away.
async fn only_their_own(project: &Project, owner: &Client, stranger: &Client) {
    let database = project.database().await;
    let member: uuid::Uuid =
        database.query_one("select id from public.members limit 1", &[]).await.unwrap().get(0);
    let send = async |client: &Client, method: http::Method, path: &str, body: Value| {
        let request = supabase_sdk::Request::new(method, path).json(&body).unwrap();
        client.send(request).await.unwrap().accepted()
    };
    let theirs = json!({ "id": uuid::Uuid::new_v4(), "member_id": member });
    send(stranger, http::Method::POST, "/rest/v1/bookings", theirs).await.unwrap_err();
    let own = json!({ "id": uuid::Uuid::new_v4(), "name": "mine", "status": "active" });
    send(stranger, http::Method::POST, "/rest/v1/members", own).await.unwrap();
    let word = json!({ "id": uuid::Uuid::new_v4(), "status": "retired" });
    send(stranger, http::Method::POST, "/rest/v1/members", word).await.unwrap_err();
    assert_eq!((count(stranger, "members").await, count(owner, "members").await), (1, 24));
    // Whoever leaves takes what is theirs along, and a booking outlives its member.
    database.execute("delete from public.members where id = $1", &[&member]).await.unwrap();
    assert_eq!(count(owner, "bookings").await, 2);
    database.execute("delete from public.bookings", &[]).await.unwrap();
    assert_eq!(count(owner, "booking_players").await, 0);
}
