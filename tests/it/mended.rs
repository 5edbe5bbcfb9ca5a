//! What an import did not take is mended and brought again; who had an account keeps it; a picture goes where
//! it is told to; a tree that points at itself grows whole.

use serde_json::{Value, json};

use crate::migrator::{Desk, sample};
use crate::project::{Person, Project};

fn args<'a>(person: &'a Person, more: &[&'a str]) -> Vec<&'a str> {
    [&["import", "-m", "garage", "--owner", &person.email, "--json", "--yes"], more].concat()
}

/// The file of rejects of a run.
fn rejects(run: &crate::migrator::Run, desk: &Desk) -> std::path::PathBuf {
    desk.path().join(run.json()["rejects"]["file"].as_str().expect("there are rejects"))
}

#[tokio::test]
async fn rejects_are_mended_and_become_the_rows_they_would_have_been() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let export = |wrong: bool| {
        let year = if wrong { json!("MMXX") } else { json!(2019) };
        let price = if wrong { json!("cher") } else { json!(9.5) };
        let line =
            |price: Value| json!({ "partId": "p", "name": "filtre", "quantity": 1, "unitPrice": price });
        json!({ "data": {
            "customers": [{ "id": "c", "lastName": "Zoé" }],
            "vehicles": [{ "id": "v", "customerId": "c", "year": year }],
            "repairs": [{ "id": "r", "vehicleId": "v", "parts": [line(json!(1)), line(price)] }],
        } })
        .to_string()
    };
    let (wrong, right) = (desk.file("wrong.json", export(true)), desk.file("right.json", export(false)));
    let run = desk.run(&args(&owner, &[wrong.to_str().unwrap(), "--max-rejects", "9"])).await.ended(3);
    assert_eq!(run.total("rejected"), 2, "{run}");
    let file = rejects(&run, &desk);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");

    // Mended one at a time: a file of one line is a file of rejects too.
    for line in text.lines() {
        let mended = line.replace("\"MMXX\"", "2019").replace("\"cher\"", "9.5");
        assert_ne!(mended, line);
        let mended = desk.file("mended.ndjson", mended + "\n");
        let again = desk.run(&args(&owner, &["--from-rejects", mended.to_str().unwrap()])).await.ended(0);
        assert_eq!((again.total("in"), again.total("inserted")), (1, 1), "{again}");
    }
    // The rows are those of an export that had been right from the start, but for the reference that led to
    // a rejected vehicle.
    let whole = desk.run(&args(&owner, &[right.to_str().unwrap(), "--mode", "upsert"])).await.ended(0);
    assert_eq!((whole.total("inserted"), whole.total("updated"), whole.total("same")), (0, 1, 4), "{whole}");

    for (content, says) in [("{\"a\":1}", "table"), ("[{\"id\":1}]", "table"), ("", "empty")] {
        let other = desk.file("other.ndjson", content);
        let refused = desk.run(&args(&owner, &["--from-rejects", other.to_str().unwrap()])).await.ended(5);
        assert!(refused.stderr.contains(says), "{refused}");
    }
}

#[tokio::test]
async fn what_the_server_refuses_is_told_without_its_values() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let database = project.database().await;
    let check = "alter table customers add check (city <> 'Zanzibar-42');
        create function no_such_name() returns trigger language plpgsql as $$
        begin if new.last_name like 'Secret%' then raise exception 'not %', new.last_name; end if; return new; end $$;
        create trigger no_such_name before insert on customers for each row execute function no_such_name()";
    database.batch_execute(check).await.unwrap();
    project.reload().await;
    let export = json!({ "data": { "customers": [
        { "id": 1, "lastName": "Zoé" }, { "id": 2, "lastName": "A", "city": "Zanzibar-42" }, { "id": 3, "lastName": "SecretName" },
    ] } });
    let url = project.db_url.clone().unwrap();
    for more in [vec![], vec!["--db-url", url.as_str(), "--atomic", "never"]] {
        let desk = Desk::of(&project, &owner);
        let file = desk.file("three.json", export.to_string());
        let all = [&[file.to_str().unwrap(), "--max-rejects", "2"], &more[..]].concat();
        let run = desk.run(&args(&owner, &all)).await.ended(3);
        assert_eq!(
            (run.table("customers")[6], run.json()["rejects"]["count"].as_u64()),
            (2, Some(2)),
            "{run}"
        );
        for secret in ["Zanzibar", "SecretName"] {
            assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run}");
            assert!(std::fs::read_to_string(rejects(&run, &desk)).unwrap().contains(secret), "to be mended");
        }
    }
}

#[tokio::test]
async fn a_picture_goes_where_it_is_told_to() {
    let project = Project::embedded().await;
    let (file, url) = (sample(), project.db_url.clone().unwrap());
    let path = async |owner: &Person| -> Option<String> {
        let rows = owner.client.from("vehicle_photos").select("path").fetch().await.unwrap();
        let rows: Vec<Value> = rows.into_iter().collect();
        assert_eq!(rows.len(), 1);
        rows[0]["path"].as_str().map(str::to_owned)
    };
    for straight in [false, true] {
        for media in ["keep", "drop", "storage"] {
            let owner = project.person(media).await;
            // Straight to the database, files need the project's secret key beside it.
            let desk = if straight { Desk::with_secret(&project) } else { Desk::of(&project, &owner) };
            let more: &[&str] = if straight { &["--db-url", &url] } else { &[] };
            let run = desk
                .run(&args(&owner, &[&[file.to_str().unwrap(), "--media", media], more].concat()))
                .await
                .ended(0);
            let stored = path(&owner).await;
            match media {
                "keep" => assert!(stored.is_some_and(|path| path.starts_with("data:image/")), "{run}"),
                "drop" => assert_eq!(stored, None, "{run}"),
                _ => {
                    assert_eq!(run.json()["media"]["uploaded"], 1, "{run}");
                    let files = owner.client.storage();
                    let picture =
                        files.from("vehicle-photos").download(stored.unwrap()).bytes().await.unwrap();
                    assert!(!picture.is_empty());
                    let again =
                        desk.run(&args(&owner, &[&[file.to_str().unwrap()], more].concat())).await.ended(0);
                    assert_eq!(again.json()["media"]["already_there"], 1, "{again}");
                    assert_eq!((again.total("inserted"), again.total("updated")), (0, 0), "{again}");
                }
            }
        }
    }
    let alone = Desk::new();
    let owner = project.person("alone").await;
    let run = alone.run(&args(&owner, &[file.to_str().unwrap(), "--db-url", &url])).await.ended(2);
    assert!(run.stderr.contains("usage.media"), "{run}");
}

#[tokio::test]
async fn who_had_an_account_signs_in_with_the_old_password() {
    let project = Project::embedded().await;
    let desk = Desk::with_secret(&project);
    // `old password`, by bcrypt.
    let database = project.database().await;
    let hash =
        database.query_one("select extensions.crypt('old password', extensions.gen_salt('bf', 4))", &[]);
    let hash: String = hash.await.unwrap().get(0);
    let export = json!({ "data": { "customers": [], "users": [
        { "id": 1, "email": "hashed@garage.test", "passwordHash": hash, "firstName": "Zoé" },
        { "id": 2, "email": "clear@garage.test", "passwordHash": "hunter2hunter2" },
        { "id": 3, "firstName": "nobody" },
    ] } });
    let file = desk.file("users.json", export.to_string());
    let command = ["users", "import", file.to_str().unwrap(), "-m", "garage", "--json"];
    let counts = |run: &crate::migrator::Run| {
        let json = run.json();
        ["in", "made", "already_there", "with_their_password", "passwords_left_out"]
            .map(|name| json[name].as_u64().unwrap())
    };
    let dry = desk.run(&[&command[..], &["--dry-run"]].concat()).await.ended(3);
    assert_eq!(counts(&dry), [3, 2, 0, 1, 1], "{dry}");
    let run = desk.run(&command).await.ended(3);
    assert_eq!(counts(&run), [3, 2, 0, 1, 1], "{run}");
    assert_eq!(run.json()["rejected"][0]["pointer"], "/data/users/2", "{run}");
    assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{run}");
    let again = desk.run(&command).await.ended(3);
    assert_eq!(counts(&again), [3, 0, 2, 0, 0], "{again}");

    let session =
        project.anonymous().auth().sign_in_with_password("hashed@garage.test", "old password").await.unwrap();
    assert_eq!(session.user.user_metadata["first_name"], "Zoé");
    let clear = project.anonymous();
    let refused =
        clear.auth().sign_in_with_password("clear@garage.test", "hunter2hunter2").await.unwrap_err();
    assert_eq!(refused.code(), Some("invalid_credentials"));
}

#[tokio::test]
async fn a_tree_and_a_circle_arrive_whole() {
    let tables = "create table public.nodes (id uuid primary key, owner_id uuid not null, legacy_id text, legacy_scope text,
        extra jsonb, name text, up uuid references public.nodes);
        alter table public.nodes enable row level security;
        create policy own on public.nodes to authenticated using (owner_id = (select auth.uid()));
        grant select, insert, update, delete on public.nodes to authenticated, service_role;";
    let project = Project::with_tables(tables).await;
    let owner = project.person("owner").await;
    let url = project.db_url.clone().unwrap();
    let mapping = "format = 1\nname = \"tree\"\n[source]\ntz = \"UTC\"\nunknown_keys = \"extra\"\n[ids]\n\
        namespace = \"b2c7a7de-6b29-4a51-9a3a-0d5f5b8f1c11\"\nlegacy_column = \"legacy_id\"\nscope_column = \"legacy_scope\"\n\
        [owner]\ncolumn = \"owner_id\"\n[table.nodes]\nfrom = \"nodes[*]\"\nid = \"id\"\n[table.nodes.columns]\n\
        name = { from = \"name\", type = \"text\" }\nup = { ref = \"nodes\", from = \"up\", orphan = \"null\" }\n";
    // Children before parents, a root that is its own, three in a circle, one that leads nowhere.
    let mut nodes: Vec<Value> =
        (1..=40).rev().map(|n| json!({ "id": n, "up": n / 2, "name": "n" })).collect();
    nodes.extend(
        [("a", "b"), ("b", "c"), ("c", "a"), ("s", "s"), ("x", "gone")]
            .map(|(id, up)| json!({ "id": id, "up": up })),
    );
    let export = json!({ "nodes": nodes }).to_string();
    let there = async || -> (i64, i64) {
        let count = "select count(*), count(up) from nodes";
        let row = project.database().await.query_one(count, &[]).await.unwrap();
        (row.get(0), row.get(1))
    };
    for more in [vec![], vec!["--db-url", url.as_str()]] {
        let desk = Desk::of(&project, &owner);
        let (file, map) = (desk.file("tree.json", &export), desk.file("tree.toml", mapping));
        let map = map.to_str().unwrap();
        let command =
            ["import", file.to_str().unwrap(), "-m", map, "--owner", &owner.email, "--json", "--yes"];
        let run = desk.run(&[&command[..], &more].concat()).await.ended(0);
        assert_eq!((run.total("inserted"), there().await), (45, (45, 43)), "{run}");
        let again = desk.run(&[&command[..], &more].concat()).await.ended(0);
        assert_eq!(
            (again.total("inserted"), again.total("updated"), again.total("same")),
            (0, 0, 45),
            "{again}"
        );
        project.database().await.batch_execute("truncate nodes").await.unwrap();
    }
}
