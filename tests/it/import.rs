//! An export reaches the tables: whole, once, for its owner alone, and whatever breaks on the way.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use supabase_sdk::Client;
use supabase_sdk::rest::Count;

use crate::migrator::{Desk, Run, sample};
use crate::project::{Person, Project};

const TABLES: [&str; 10] = [
    "customers",
    "vehicles",
    "mechanics",
    "repairs",
    "repair_lines",
    "invoices",
    "invoice_lines",
    "appointments",
    "stock_items",
    "settings",
];

/// How many rows of each table a client sees.
async fn counts(client: &Client) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for table in TABLES {
        let rows = client.from(table).select("id").count(Count::Exact).limit(1).fetch().await.unwrap();
        counts.insert(table, rows.total().unwrap());
    }
    counts
}

/// Every row a person sees, without what differs between owners and runs.
async fn content(person: &Person) -> BTreeMap<&'static str, Vec<Value>> {
    let mut content = BTreeMap::new();
    for table in TABLES {
        let rows = person.client.from(table).select("*").fetch().await.unwrap();
        let mut rows: Vec<Value> = rows.into_iter().map(without_ids).collect();
        rows.sort_by_key(Value::to_string);
        content.insert(table, rows);
    }
    content
}

fn without_ids(mut row: Value) -> Value {
    let fields = row.as_object_mut().unwrap();
    // Where the old app gave no date, the row has the time of its insert.
    fields.retain(|name, _| {
        !(name == "id"
            || name.ends_with("_id") && name != "legacy_id"
            || name.ends_with("_scope")
            || name.ends_with("_at"))
    });
    row
}

/// What PostgreSQL stamps on every write: equal before and after means that nothing was written.
async fn versions(project: &Project, person: &Person) -> Vec<String> {
    let database = project.database().await;
    let mut versions = Vec::new();
    for table in TABLES {
        let sql = format!("select id::text || xmin::text from public.{table} where owner_id = $1 order by 1");
        versions.extend(
            database.query(&sql, &[&person.id]).await.unwrap().iter().map(|row| row.get::<_, String>(0)),
        );
    }
    versions
}

fn adds_up(run: &Run) {
    for table in TABLES {
        let [counted, rows @ ..] = run.table(table);
        assert_eq!(counted, rows.iter().sum::<u64>(), "{table}\n{run}");
    }
}

#[tokio::test]
async fn an_export_is_its_owners_and_a_second_run_writes_nothing() {
    let project = Project::embedded().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let desk = Desk::of(&project, &owner);
    let first = desk.import(&sample(), &owner, &[]).await.ended(0);
    adds_up(&first);
    assert_eq!(first.total("inserted"), first.total("in") - first.total("merged"), "{first}");
    let counted = counts(&owner.client).await;
    assert!(counted.values().all(|rows| *rows > 0), "{counted:?}");
    for table in TABLES {
        assert_eq!(counted[table], first.table(table)[1], "{table}");
        assert_eq!(
            i64::try_from(counted[table]).unwrap(),
            project.count(table).await,
            "psql agrees on {table}"
        );
    }
    assert!(counts(&stranger.client).await.values().all(|rows| *rows == 0));
    project.anonymous().from("customers").select("*").fetch().await.unwrap_err();

    let written = versions(&project, &owner).await;
    let second = desk.import(&sample(), &owner, &[]).await.ended(0);
    adds_up(&second);
    assert_eq!((second.total("inserted"), second.total("updated")), (0, 0), "{second}");
    assert_eq!(versions(&project, &owner).await, written);
}

#[tokio::test]
async fn the_secret_key_writes_the_same_rows_in_the_owners_name() {
    let project = Project::target().await;
    let (by_session, by_secret) = (project.person("session").await, project.person("secret").await);
    Desk::of(&project, &by_session).import(&sample(), &by_session, &[]).await.ended(0);
    let run = Desk::with_secret(&project).import(&sample(), &by_secret, &[]).await.ended(0);
    assert_eq!(run.json()["authority"], json!("secret_key"), "{run}");
    let desk = Desk::new().set("SUPABASE_URL", &project.url).set("MIGRATOR_PASSWORD", "not theirs");
    let key = desk.file("secret-key", &project.secret_key);
    let named = ["--secret-key-file", key.to_str().unwrap()];
    let run = desk.import(&sample(), &by_secret, &named).await.ended(0);
    assert_eq!(run.json()["authority"], json!("secret_key"), "what is named wins over what is set\n{run}");
    assert_eq!(content(&by_session).await, content(&by_secret).await);
    Desk::of(&project, &by_secret).import(&sample(), &by_secret, &[]).await.ended(0);
}

/// Rows are asked for by stretches of keys; where others' rows lie between them most of an answer is theirs.
#[tokio::test]
async fn a_few_rows_in_a_table_full_of_others_are_found_again_and_taken_back() {
    let project = Project::embedded().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let database = project.database().await;
    let crowd = "insert into customers (workspace_id, owner_id, last_name) \
        select id, $1, 'Nº ' || number from workspaces, generate_series(1, 3000) as number \
        where kind = 'garage' and id in (select workspace_id from members where user_id = $1)";
    assert_eq!(database.execute(crowd, &[&stranger.id]).await.unwrap(), 3_000);
    let customers: Vec<Value> =
        (0..350).map(|id| json!({ "id": id, "lastName": format!("Nº {id}") })).collect();
    let desk = Desk::with_secret(&project);
    let file = desk.file("many.json", json!({ "data": { "customers": customers } }).to_string());
    let run = desk.import(&file, &owner, &[]).await.ended(0);
    assert_eq!((run.total("inserted"), &run.json()["verified"]), (350, &json!(350)), "{run}");
    let again = desk.import(&file, &owner, &[]).await.ended(0);
    assert_eq!(again.total("same"), 350, "{again}");
    let latest = run.json()["run"].as_str().unwrap().to_owned();
    desk.run(&["verify", &latest, "--json"]).await.ended(0);
    desk.run(&["rollback", &latest, "--json"]).await.ended(0);
    assert_eq!(project.count("customers").await, 3_000);
}

#[tokio::test]
async fn a_changed_record_is_one_update_and_a_new_one_one_insert() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    desk.import(&sample(), &owner, &[]).await.ended(0);
    let mut export: Value = serde_json::from_slice(&std::fs::read(sample()).unwrap()).unwrap();
    let customers = export["data"]["customers"].as_array_mut().unwrap();
    customers[0]["city"] = json!("Tanger");
    customers[0]["updatedAt"] = json!("2099-01-01T00:00:00.000Z");
    let mut newcomer = customers[1].clone();
    newcomer["id"] = json!("brand-new");
    customers.push(newcomer);
    let file = desk.file("changed.json", export.to_string());
    let run = desk.import(&file, &owner, &[]).await.ended(0);
    assert_eq!((run.total("inserted"), run.total("updated")), (1, 1), "{run}");
    assert_eq!(run.table("customers")[1..3], [1, 1]);
}

/// A garage with one repair of two lines, and what may be said of it differently.
fn repair(title: &str, updated_at: &str, lines: &[&str]) -> String {
    let line = |label: &&str| json!({ "partId": label, "quantity": 1, "unitPrice": 12 });
    let lines: Vec<Value> = lines.iter().map(line).collect();
    json!({ "data": { "repairs": [{ "id": "r1", "title": title, "parts": lines, "updatedAt": updated_at }] } }).to_string()
}

#[tokio::test]
async fn an_older_export_takes_nothing_back_and_a_newer_one_wins() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let import = async |name: &str, content: &str, more: &[&str]| {
        desk.import(&desk.file(name, content), &owner, more).await.ended(0)
    };
    let title = async || {
        let rows = owner.client.from("repairs").select("title").fetch().await.unwrap();
        rows[0]["title"].as_str().unwrap().to_owned()
    };
    let (old, new) =
        (repair("old", "2025-01-01T00:00:00Z", &["a"]), repair("new", "2025-06-01T00:00:00Z", &["a", "b"]));
    import("new.json", &new, &[]).await;
    let older = import("old.json", &old, &[]).await;
    assert_eq!(
        (older.table("repairs")[4], older.table("repair_lines")[3], &*title().await),
        (1, 1, "new"),
        "{older}"
    );
    assert!(older.json()["warnings"].to_string().contains("--mode upsert"), "{older}");

    let newest = repair("newest", "2025-07-01T00:00:00Z", &["b", "c"]);
    let newer = import("newest.json", &newest, &[]).await;
    assert_eq!((newer.table("repairs")[2], &*title().await), (1, "newest"), "{newer}");
    let leftover = newer.json()["warnings"].to_string();
    assert!(leftover.contains("no longer: 1"), "line a is in the table and not in the file\n{newer}");

    let emptied = import("emptied.json", &repair("emptied", "2025-08-01T00:00:00Z", &[]), &[]).await;
    assert!(emptied.json()["warnings"].to_string().contains("no longer: 3"), "{emptied}");

    import("old.json", &old, &["--mode", "upsert"]).await;
    assert_eq!(title().await, "old");
}

#[tokio::test]
async fn what_was_changed_in_the_new_app_is_kept() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    desk.import(&sample(), &owner, &[]).await.ended(0);
    for table in ["customers", "repair_lines", "settings"] {
        let request = supabase_sdk::Request::new(http::Method::PATCH, format!("/rest/v1/{table}"));
        let request =
            request.query("legacy_id", "not.is.null").json(&json!({ "extra": { "edited": true } })).unwrap();
        owner.client.send(request).await.unwrap().accepted().unwrap();
    }
    let again = desk.import(&sample(), &owner, &[]).await.ended(0);
    adds_up(&again);
    assert_eq!((again.total("updated"), again.total("inserted")), (0, 0), "{again}");
    for table in ["customers", "repair_lines", "settings"] {
        assert_eq!(again.table(table)[4], again.table(table)[0], "{table}\n{again}");
    }
}

#[tokio::test]
async fn exports_of_two_devices_stand_side_by_side() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let first = desk.import(&sample(), &owner, &["--scope", "desk"]).await.ended(0);
    let second = desk.import(&sample(), &owner, &["--scope", "phone"]).await.ended(0);
    assert_eq!(second.total("inserted"), first.total("inserted"));
}

#[tokio::test]
async fn a_file_that_is_no_mapping_is_not_quoted() {
    let desk = Desk::new();
    let (file, keys) = (sample(), desk.file("keys.env", "SUPABASE_SECRET_KEY=sb_secret_HUSH\n"));
    let file = file.to_str().unwrap();
    for mapping in [file, keys.to_str().unwrap()] {
        for more in [&[][..], &["--json"]] {
            let run = desk.run(&[&["import", file, "--mapping", mapping], more].concat()).await.ended(2);
            assert!(!run.stderr.contains("HUSH") && run.stderr.len() < 600, "{run}");
        }
    }
}

#[tokio::test]
async fn an_account_is_made_with_the_first_row_and_not_before() {
    let project = Project::embedded().await;
    let desk = Desk::with_secret(&project);
    let bad = desk.file("bad.json", r#"{"data":{"customers":[{"firstName":"no id"}]}}"#);
    let (bad, good) = (bad.to_str().unwrap().to_owned(), sample().to_str().unwrap().to_owned());
    let import = async |file: &str, more: &[&str]| {
        let args =
            ["import", file, "--mapping", "garage", "--owner", "new@garage.test", "--create-owner", "--json"];
        desk.run(&[&args[..], more].concat()).await
    };
    import(&bad, &[]).await.ended(3);
    import(&good, &["--dry-run"]).await.ended(0);
    let admin = project.secret().auth().admin();
    assert!(admin.user_by_email("new@garage.test").await.unwrap().is_none());
    import(&good, &[]).await.ended(0);
    assert!(admin.user_by_email("new@garage.test").await.unwrap().is_some());
}

#[tokio::test]
async fn a_dump_of_local_storage_gives_the_same_rows_as_the_apps_own_backup() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    desk.import(&sample(), &owner, &[]).await.ended(0);
    let backup: Value = serde_json::from_slice(&std::fs::read(sample()).unwrap()).unwrap();
    let mut dump = serde_json::Map::new();
    for (entity, records) in backup["data"].as_object().unwrap() {
        dump.insert(format!("spark_kv_entities_{entity}"), json!(records.to_string()));
    }
    dump.insert("spark_kv_theme".to_owned(), json!("dark"));
    let file = desk.file("dump.json", serde_json::to_string(&dump).unwrap());
    let run = desk.import(&file, &owner, &[]).await.ended(0);
    let entities = run.total("in") - run.table("settings")[0];
    assert_eq!(run.total("inserted") - run.table("settings")[1], 0, "{run}");
    assert!(entities > 0);
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_writes_nothing() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let run = Desk::of(&project, &owner).import(&sample(), &owner, &["--dry-run"]).await.ended(0);
    assert!(run.total("inserted") > 0, "{run}");
    assert!(counts(&owner.client).await.values().all(|rows| *rows == 0));
}

#[tokio::test]
async fn what_cannot_be_read_fails_before_the_first_write() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let whole = std::fs::read(sample()).unwrap();
    let cases: [(&str, &[u8], &str); 5] = [
        ("truncated.json", &whole[..whole.len() / 2], "line"),
        ("empty.json", b"", "empty"),
        ("page.json", b"<!doctype html><p>Not found", "line 1"),
        ("list.json", b"[1, 2, 3]", "garage"),
        ("other.json", br#"{"todos":[{"id":1}]}"#, "todos"),
    ];
    for (name, content, said) in cases {
        let file = desk.file(name, content);
        let run = desk.import(&file, &owner, &[]).await.ended(5);
        assert!(run.stderr.contains(name) && run.stderr.contains(said), "{run}");
        let error: Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(5)), "{run}");
    }
    let run = desk.import(Path::new("not-there.json"), &owner, &[]).await.ended(5);
    assert!(run.stderr.contains("not-there.json"), "{run}");
    assert!(counts(&owner.client).await.values().all(|rows| *rows == 0));
}

#[tokio::test]
async fn a_wrong_mapping_is_named_with_its_line() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let garage = std::fs::read_to_string(crate::lab::root().join("migrator/mappings/garage.toml")).unwrap();
    let cases = [
        ("tabel.toml:87:2", "tabel.toml", 2, garage.replacen("[table.", "[tabel.", 1)),
        ("syntax.toml:", "syntax.toml", 2, garage.replacen("format = 1", "format = = 1", 1)),
        ("no_such_column", "column.toml", 7, garage.replacen("\nfirst_name", "\nno_such_column", 1)),
    ];
    for (said, name, code, text) in cases {
        assert_ne!(text, garage, "{name} is a wrong mapping");
        let mapping = desk.file(name, text);
        let mapping = mapping.to_str().unwrap();
        let file = sample();
        let args = ["import", file.to_str().unwrap(), "--mapping", mapping, "--owner", &owner.email];
        let run = desk.run(&args).await.ended(code);
        assert!(run.stderr.contains(said), "{run}");
    }
    assert!(counts(&owner.client).await.values().all(|rows| *rows == 0));
}

#[tokio::test]
async fn a_target_that_cannot_be_is_one_clear_error() {
    let bare = Project::bare().await;
    let someone = bare.person("someone").await;
    let missing = Desk::of(&bare, &someone).import(&sample(), &someone, &[]).await.ended(7);
    assert!(missing.stderr.contains("table customers"), "{missing}");

    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let nobody = Desk::of(&project, &owner).set("SUPABASE_URL", "http://127.0.0.1:9");
    nobody.import(&sample(), &owner, &[]).await.ended(6);
    let key = Desk::of(&project, &owner).set("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_unknown");
    key.import(&sample(), &owner, &[]).await.ended(7);
    let password = Desk::of(&project, &owner).set("MIGRATOR_PASSWORD", "hunter2");
    let run = password.import(&sample(), &owner, &[]).await.ended(7);
    assert!(!run.stderr.contains("hunter2"), "{run}");
    let page = Desk::of(&project, &owner).set("SUPABASE_URL", &format!("{}/health", project.url));
    page.import(&sample(), &owner, &[]).await.ended(7);

    let desk = Desk::with_secret(&project);
    let (file, unknown) = (sample(), "nobody@garage.test");
    let args = ["import", file.to_str().unwrap(), "--mapping", "garage", "--json", "--owner", unknown];
    let run = desk.run(&args).await.ended(7);
    assert!(run.stderr.contains("--create-owner"), "{run}");
    for odd in ["", "nobody", "a b@garage.test", "é@garage.test"] {
        desk.run(&[&args[..args.len() - 1], &[odd]].concat()).await.ended(2);
    }
    desk.run(&[&args[..], &["--create-owner"]].concat()).await.ended(0);
    assert!(counts(&owner.client).await.values().all(|rows| *rows == 0));
}

#[tokio::test]
async fn a_bad_record_is_rejected_with_its_place_and_the_rest_goes_in_when_allowed() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let mut export: Value = serde_json::from_slice(&std::fs::read(sample()).unwrap()).unwrap();
    export["data"]["mechanics"][0]["hireDate"] = json!("31/02/2024");
    export["data"]["vehicles"][1]["year"] = json!("MMXX");
    let file = desk.file("bad.json", export.to_string());
    let stopped = desk.import(&file, &owner, &[]).await.ended(3);
    assert!(counts(&owner.client).await.values().all(|rows| *rows == 0), "{stopped}");
    let run = desk.import(&file, &owner, &["--max-rejects", "2"]).await.ended(3);
    adds_up(&run);
    let rejects = run.json()["rejects"]["items"].clone();
    let found: Vec<_> =
        rejects.as_array().unwrap().iter().map(|reject| (&reject["pointer"], &reject["column"])).collect();
    let expected =
        [(json!("/data/mechanics/0"), json!("hired_on")), (json!("/data/vehicles/1"), json!("year"))];
    for (pointer, column) in &expected {
        assert!(found.contains(&(pointer, column)), "{run}");
    }
    assert_eq!((run.table("mechanics")[6], run.table("vehicles")[6]), (1, 1), "{run}");
    assert!(
        !run.stdout.contains("MMXX") && !run.stderr.contains("MMXX"),
        "values stay out of reports\n{run}"
    );
    let mended = desk.import(&sample(), &owner, &[]).await.ended(0);
    assert!(mended.total("inserted") >= 2, "{mended}");
}

#[tokio::test]
async fn a_row_the_server_refuses_stands_alone_and_the_others_go_in() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let sql =
        "alter table public.stock_items add constraint known_parts check (name is distinct from 'ghost')";
    project.database().await.batch_execute(sql).await.unwrap();
    let item = |number: usize| json!({ "id": format!("i{number}"), "name": if number == 77 { "ghost" } else { "part" } });
    let items: Vec<Value> = (0..1_200).map(item).collect();
    let desk = Desk::of(&project, &owner);
    let file = desk.file("stock.json", json!({ "data": { "stock": items } }).to_string());
    let run = desk.import(&file, &owner, &["--max-rejects", "1"]).await.ended(3);
    assert_eq!(run.table("stock_items"), [1_200, 1_199, 0, 0, 0, 0, 1], "{run}");
    let reject = &run.json()["rejects"]["items"][0];
    assert_eq!((&reject["pointer"], &reject["code"]), (&json!("/data/stock/77"), &json!("23514")), "{run}");
    assert!(!run.stdout.contains("ghost"), "{run}");
}

#[tokio::test]
async fn another_owners_rows_are_never_taken_over() {
    let project = Project::embedded().await;
    let (zoe, sam) = (project.person("zoe").await, project.person("sam").await);
    let shared = ["--scope", "one-for-both"];
    Desk::of(&project, &zoe).import(&sample(), &zoe, &shared).await.ended(0);
    let before = versions(&project, &zoe).await;
    let run = Desk::with_secret(&project).import(&sample(), &sam, &shared).await.ended(7);
    assert!(run.stderr.contains("--scope"), "{run}");
    Desk::of(&project, &sam).import(&sample(), &sam, &shared).await;
    assert_eq!(versions(&project, &zoe).await, before);
    assert!(counts(&sam.client).await.values().all(|rows| *rows == 0));
    Desk::of(&project, &sam).import(&sample(), &sam, &[]).await.ended(0);
    assert_eq!(content(&zoe).await, content(&sam).await);
}

#[tokio::test]
async fn a_wire_that_breaks_loses_nothing_and_doubles_nothing() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    project
        .faults(json!([
            { "path": "/rest/v1/customers", "method": "POST", "times": 2, "action": { "kind": "lose_answer" } },
            { "path": "/rest/v1/vehicles", "times": 2, "action": { "kind": "refuse" } },
            { "path": "/rest/v1/repairs", "method": "POST", "times": 1, "action": { "kind": "answer", "status": 503, "body": {} } },
            { "path": "/rest/v1/invoices", "method": "POST", "times": 2, "action": { "kind": "answer", "status": 413, "body": {} } },
            { "path": "/rest/v1/invoice_lines", "method": "POST", "times": 1, "action": { "kind": "truncate", "bytes": 0 } },
        ]))
        .await;
    let run = desk.import(&sample(), &owner, &[]).await.ended(0);
    adds_up(&run);
    let undisturbed = project.person("undisturbed").await;
    project.faults(json!([])).await;
    Desk::of(&project, &undisturbed).import(&sample(), &undisturbed, &[]).await.ended(0);
    assert_eq!(content(&owner).await, content(&undisturbed).await);
}

#[tokio::test]
async fn a_run_that_is_killed_is_finished_by_the_next() {
    let project = Project::embedded().await;
    let (owner, undisturbed) = (project.person("owner").await, project.person("undisturbed").await);
    let desk = Desk::of(&project, &owner);
    let file = sample();
    let args = ["import", file.to_str().unwrap(), "--mapping", "garage", "--owner", &owner.email];
    for table in ["customers", "repairs", "stock_items"] {
        // The answer never comes, so the run is in the middle of this table when it is killed.
        project
            .faults(json!([{ "path": format!("/rest/v1/{table}"), "method": "POST", "action": { "kind": "delay", "ms": 600_000 } }]))
            .await;
        let mut run = desk.start(&args);
        project.wait_for_fault().await;
        run.kill().await.unwrap();
    }
    project.faults(json!([])).await;
    adds_up(&desk.import(&sample(), &owner, &[]).await.ended(0));
    Desk::of(&project, &undisturbed).import(&sample(), &undisturbed, &[]).await.ended(0);
    assert_eq!(content(&owner).await, content(&undisturbed).await);
}

#[tokio::test]
async fn a_run_that_is_interrupted_says_how_to_go_on() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let file = sample();
    let args = ["import", file.to_str().unwrap(), "--mapping", "garage", "--owner", &owner.email, "--json"];
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let delay = json!({ "kind": "delay", "ms": 600_000 });
        project.faults(json!([{ "path": "/rest/v1/repairs", "method": "POST", "action": delay }])).await;
        let run = desk.start(&args);
        project.wait_for_fault().await;
        let process = run.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &process]).status().unwrap().success());
        let run = Run::from(run.wait_with_output().await.unwrap()).noted().ended(code);
        assert!(run.stderr.contains("run the same command again"), "{run}");
    }
    project.faults(json!([])).await;
    desk.run(&args).await.ended(0);
}

#[tokio::test]
async fn two_runs_at_once_end_as_one() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let file = sample();
    let (first, second) = tokio::join!(desk.import(&file, &owner, &[]), desk.import(&file, &owner, &[]));
    first.ended(0);
    second.ended(0);
    let third = desk.import(&file, &owner, &[]).await.ended(0);
    assert_eq!(third.total("same"), third.total("in") - third.total("merged"), "{third}");
}

/// Exports as people have them, where the machine holds some: `EXPORTS_DIR` names the folder.
#[tokio::test]
async fn exports_of_real_apps_end_as_rows_or_rejects() {
    let Some(folder) = std::env::var_os("EXPORTS_DIR") else { return };
    let project = Project::target().await;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("garage-") {
            continue;
        }
        let owner = project.person("owner").await;
        let desk = Desk::of(&project, &owner);
        let run = desk.import(&file, &owner, &[]).await.ended(0);
        adds_up(&run);
        let again = desk.import(&file, &owner, &[]).await.ended(0);
        assert_eq!((again.total("inserted"), again.total("updated")), (0, 0), "{name}\n{again}");
    }
}
