//! Exports of apps nobody here has seen, the whole way: `map init`, `scaffold`, the tables, the import.
//!
//! Each ends with the rows that are in it, the same over the API and straight in the database; imported
//! again nothing is written, and taken back nothing is left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::lab::root;
use crate::migrator::{Desk, Run};
use crate::project::{Person, Project};

/// A file, how it is to be read, and the rows it ends with.
struct Export {
    file: &'static str,
    options: &'static [&'static str],
    rows: &'static [(&'static str, i64)],
}

const fn export(file: &'static str, rows: &'static [(&'static str, i64)]) -> Export {
    Export { file, options: &[], rows }
}

/// Our own, in `fixtures/exports`: each has what some app's export had.
const OURS: &[Export] = &[
    // Words SQL keeps for itself, names that are no names, lists and objects in records.
    export("recipes.json", &[("recipes", 3), ("meals", 2)]),
    // Lists in lists in lists.
    export("kanban.json", &[("boards", 2), ("board_lists", 2), ("list_cards", 2), ("card_checklist", 2)]),
    // Numbers no `f64` holds, and some PostgreSQL does not.
    export("numbers.json", &[("rows", 3)]),
    // Null where a record should be, and in records all there is.
    export("nulls.json", &[("a", 2), ("m", 2), ("deep", 4)]),
    // One id for several, none at all, 0 and the empty text.
    export("duplicates.json", &[("todos", 11)]),
    // Tables that point at each other, and at what is not there.
    export("crm.json", &[("companies", 3), ("contacts", 3), ("deals", 3)]),
    // Records that point at their like, before and behind them.
    export("tree.json", &[("cats", 7)]),
    // Times in every spelling, and what only looks like one.
    export("dates.json", &[("events", 3)]),
    // Fields that end with one name.
    export("clash.json", &[("items", 2)]),
    // One collection over many keys, whose names hold people, blanks, dots and slashes.
    export(
        "many-keys.json",
        &[
            ("a_b_c", 1),
            ("star", 1),
            ("finops_user_data", 4),
            ("finops_user_data_accounts", 4),
            ("ns_k", 1),
            ("orders", 6),
            ("prefs", 3),
            ("tilde_k", 1),
            ("two_words", 1),
            ("x_y", 2),
        ],
    ),
    // What keeps people out stays out.
    export("secrets.json", &[("users", 2)]),
    // Two sites in a browser's saved state.
    export(
        "playwright.json",
        &[("a_example", 1), ("a_example_todos", 2), ("b_example", 1), ("b_example_notes", 1)],
    ),
    // Texts of texts.
    export("redux.json", &[("cart", 2), ("persist_root", 2)]),
    export("stringified.json", &[("items", 2)]),
    export("lines.ndjson", &[("lines", 30)]),
    export("latin-1.json", &[("villes", 2)]),
    export("utf-16be.json", &[("laden", 2)]),
    export("empty.json", &[]),
    Export { file: "cut.json", options: &["--salvage"], rows: &[("items", 10), ("item_sub", 10)] },
];

/// Those of a folder that `EXPORTS_DIR` names: with other people's files, which are not ours to keep.
const THEIRS: &[Export] = &[
    export(
        "date-log-day-map-korean.json",
        &[
            ("date_log_day_map_korean", 10),
            ("date_log_day_map_korean_regions", 11),
            ("region_categories", 21),
        ],
    ),
    export("deskplanner-export-bookings.json", &[("bookings", 46)]),
    export(
        "deskplanner-localstorage-dump.json",
        &[("coworking_bookings", 48), ("coworking_waiting_list", 3)],
    ),
    export(
        "dikolo-stock-receptions-ventes.json",
        &[
            ("produits", 25),
            ("receptions", 14),
            ("reception_lignes", 22),
            ("lots", 10),
            ("ventes", 8),
            ("vente_lignes", 8),
            ("retours", 4),
        ],
    ),
    export("excalidraw-clipboard-with-images.json", &[("elements", 5), ("files", 5)]),
    export("expenses-zustand-utf8-bom.json", &[("expenses", 4), ("settings_store", 1)]),
    export("garage-backup-2025-08-08-empty.json", &[("customers", 0), ("repairs", 0)]),
    export(
        "garage-backup-2025-08-11.json",
        &[
            ("customers", 6),
            ("vehicles", 6),
            ("vehicle_photos", 1),
            ("repairs", 5),
            ("repair_parts", 4),
            ("invoices", 2),
            ("invoice_items", 4),
            ("users", 2),
            ("mechanics", 2),
            ("appointments", 2),
            ("stock", 2),
            ("settings", 1),
        ],
    ),
    // 27 records of the collections, once, and beside them what the screens kept.
    export(
        "garage-localstorage-dump.json",
        &[
            ("customers", 6),
            ("vehicles", 6),
            ("entities_repairs", 5),
            ("entities_invoices", 2),
            ("entities_users", 2),
            ("entities_mechanics", 2),
            ("entities_appointments", 2),
            ("stock", 2),
            ("repairs", 1),
            ("appointments", 2),
            ("stock_items", 2),
            ("stock_movements", 2),
            ("mechanics", 1),
            ("invoices", 1),
            ("payments", 1),
            ("notifications", 1),
            ("users", 1),
        ],
    ),
    export("gym-localstorage-backup.json", GYM),
    export("gym-utf16le-bom.json", GYM),
    export(
        "netflux-localstorage-dump.json",
        &[("users", 5), ("content", 20), ("watch_history", 44), ("watch_progress", 5), ("favorites", 6)],
    ),
    export("papeterie-stock-mouvements.json", &[("stock", 26), ("mouvements", 12)]),
    export("stockpro-lzstring-values.json", &[("outputs", 21), ("products", 7), ("deliveries", 6)]),
    export("what-to-watch-status-map.json", &[("what_to_watch_status_map", 12)]),
];

const GYM: &[(&str, i64)] =
    &[("clients", 7), ("trainers", 1), ("memberships", 3), ("attendance", 6), ("payments", 6)];

#[tokio::test]
async fn what_a_stranger_exported_arrives_both_ways_and_goes_again() {
    take(&root().join("tests/it/fixtures/exports"), OURS).await;
}

#[tokio::test]
async fn what_real_apps_exported_arrives_both_ways_and_goes_again() {
    let Some(folder) = std::env::var_os("EXPORTS_DIR") else {
        let reason = "skipped: EXPORTS_DIR names no folder of sample exports\n";
        return std::io::Write::write_all(&mut std::io::stderr(), reason.as_bytes()).unwrap();
    };
    take(&PathBuf::from(folder), THEIRS).await;
}

#[tokio::test]
async fn what_holds_no_records_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    for (name, content) in [
        ("nothing.json", ""),
        ("text.json", "\"hello\""),
        ("number.json", "42"),
        ("script.json", "localStorage = {}"),
        ("page.json", "<html></html>"),
        ("not-a-number.json", "{\"a\": [{\"id\": 1, \"v\": NaN}]}"),
        ("a-line.ndjson", "{\"id\": 1}\nnonsense\n{\"id\": 2}\n"),
        ("twice.json", "{\"a\": [{\"id\": 1}], \"a\": [{\"id\": 2}]}"),
    ] {
        let file = desk.file(name, content);
        let run = desk.run(&["map", "init", file.to_str().unwrap()]).await.ended(5);
        assert!(run.stderr.contains(name), "{run}");
        assert!(!file.with_extension("map.toml").exists(), "{name}");
    }
}

/// What triggers keep of a row is nobody's, and goes with it.
#[tokio::test]
async fn what_the_shipped_mappings_write_straight_goes_again() {
    let project = Project::embedded().await;
    let (owner, desk) = (project.person("owner").await, Desk::new());
    let database = project.db_url.clone().unwrap();
    for (mapping, fixture) in
        [("health", "health.json"), ("calendar", "calendar.json"), ("streaming", "streaming.json")]
    {
        let file = root().join("migrator/tests/it/fixtures/shipped").join(fixture);
        let to = ["--owner", &owner.email, "--db-url", &database, "--max-rejects", "9", "--json", "--yes"];
        let line = [&["import", file.to_str().unwrap(), "--mapping", mapping], &to[..]].concat();
        let run = desk.run(&line).await;
        assert!(run.total("inserted") > 0, "{run}");
        let json = run.json();
        desk.run(&["rollback", text(&json, "run"), "--db-url", &database]).await.ended(0);
        for table in json["tables"].as_array().unwrap() {
            let table = text(table, "name");
            assert_eq!(project.count(table).await, 0, "{mapping}: {table}");
        }
    }
}

/// Takes each export through one project, one after the other.
async fn take(folder: &Path, exports: &[Export]) {
    let project = Project::bare().await;
    let owner = project.person("owner").await;
    for export in exports {
        let file = folder.join(export.file);
        let (file, desk) = (file.to_str().unwrap(), Desk::with_secret(&project));
        let with = |line: &[&str]| [line, &[file], export.options].concat().join("\n");
        let run = async |line: &[&str]| {
            let line = with(line);
            desk.run(&line.split('\n').collect::<Vec<_>>()).await.ended(0)
        };
        run(&["inspect"]).await;
        run(&["map", "init", "--out", "x.map.toml"]).await;
        let sql = run(&["scaffold", "--mapping", "x.map.toml", "--stdout"]).await.stdout;
        project
            .database()
            .await
            .batch_execute(&sql)
            .await
            .unwrap_or_else(|error| panic!("{file}: {error:?}"));
        project.reload().await;

        let database = project.db_url.clone().unwrap();
        let over_the_api = round(&project, &owner, &desk, export, file, &[]).await;
        let straight = round(&project, &owner, &desk, export, file, &["--db-url", &database]).await;
        assert_eq!(over_the_api, straight, "{file}: both ways end with the same rows");
        clear(&project).await;
    }
}

/// Imports, imports again, looks, and takes it back; gives the digest of each table.
async fn round(
    project: &Project,
    owner: &Person,
    desk: &Desk,
    export: &Export,
    file: &str,
    target: &[&str],
) -> BTreeMap<String, String> {
    let line = ["import", file, "--mapping", "x.map.toml", "--owner", &owner.email, "--json", "--yes"];
    let line = [&line, export.options, target].concat();
    let first = desk.run(&line).await.ended(0);
    nothing_is_lost(&first);
    let tables = first.json()["tables"].as_array().cloned().unwrap_or_default();
    let written: BTreeMap<&str, i64> =
        tables.iter().map(|table| (text(table, "name"), table["inserted"].as_i64().unwrap())).collect();
    for (table, rows) in export.rows {
        assert_eq!(written.get(table), Some(rows), "{file}: {table}\n{first}");
        assert_eq!(project.count(table).await, *rows, "{file}: {table}");
    }

    let second = desk.run(&line).await.ended(0);
    for count in ["inserted", "updated", "kept"] {
        assert_eq!(second.total(count), 0, "{file}: {count} by the second run\n{second}");
    }
    let run = first.json()["run"].as_str().map(str::to_owned);
    if let Some(run) = run {
        desk.run(&[&["verify", &run], target].concat()).await.ended(0);
        desk.run(&[&["rollback", &run], target].concat()).await.ended(0);
    }
    for table in written.keys() {
        assert_eq!(project.count(table).await, 0, "{file}: {table} after it was taken back");
    }
    tables.iter().map(|table| (text(table, "name").to_owned(), text(table, "digest").to_owned())).collect()
}

/// Every record is a row, one with another, or rejected.
#[track_caller]
fn nothing_is_lost(run: &Run) {
    assert_eq!(run.total("rejected"), 0, "{run}");
    assert_eq!(run.total("in"), run.total("inserted") + run.total("merged"), "{run}");
    let json = run.json();
    assert_eq!(json["not_mapped_records"], 0, "{run}");
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Makes room for the next: two apps may call their tables the same.
async fn clear(project: &Project) {
    let drop = "do $$ declare it record; begin
        for it in select tablename from pg_tables where schemaname = 'public' loop
            execute format('drop table public.%I cascade', it.tablename);
        end loop;
        for it in select oid::regprocedure as name from pg_proc where pronamespace = 'public'::regnamespace loop
            execute format('drop function %s cascade', it.name);
        end loop;
    end $$";
    project.database().await.batch_execute(drop).await.unwrap();
}
