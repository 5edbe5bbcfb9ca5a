//! A file nobody has seen: what is found in it, and that the mapping made for it loses nothing.

use std::path::PathBuf;

use insta::assert_snapshot;
use migrator::export::{Export, Reading};
use migrator::infer::{self, Choice, Wishes};
use migrator::lang::Lang;
use migrator::mapping::Mapping;
use migrator::plan::{Context, Known, Plan};
use proptest::prelude::*;

use crate::{export, plan};

/// A bakery's localStorage, as JSON.stringify writes it.
fn bakery() -> String {
    let customers = r#"[
        {"id":"c1","name":"Zoé  Blé","phone":"0612345678","createdAt":"2025-01-02T08:00:00.000Z","password":"x"},
        {"id":"c2","name":"O'Neil","phone":"+33612345678","createdAt":"2025-01-03T08:00:00.000Z","password":"y"},
        {"id":"c3","name":"Łukasz","phone":"","createdAt":"2025-01-04T08:00:00.000Z"}]"#;
    let orders = r#"[
        {"id":1,"customerId":"c1","Title":"a","title":"b","total":12.5,"tax":370.18000000000006,"day":"31/12/2024","due":"03/04/2025","paid":true,
         "lines":[{"what":"pain","qty":1},{"what":"pain","qty":1},{"what":"thé","qty":2.5}]},
        {"id":2,"customerId":"c2","total":8,"tax":1.25,"day":"01/02/2025","due":"05/06/2025","paid":20,"lines":[]},
        {"id":3,"customerId":"gone","total":9007199254740993,"tax":0,"day":"02/02/2025","due":"","paid":false}]"#;
    let visits = r#"[{"who":1,"at":"2025-01-01T10:00:00"},{"who":1,"at":"2025-01-01T10:00:00"},{"who":2,"at":"2025-01-02T10:00:00"}]"#;
    let backup =
        format!(r#"{{"when":"x","data":{{"customers":{}}}}}"#, customers.replace("Zoé  Blé", "Zoé Blé"));
    let keys = [
        ("bakery_customers", customers.to_owned()),
        ("bakery_orders", orders.to_owned()),
        ("bakery_visits", visits.to_owned()),
        ("bakery_full_backup", backup),
        ("bakery_theme", "dark".to_owned()),
        ("bakery_settings", r#"{"currency":"EUR","open":["mon","tue"]}"#.to_owned()),
        ("bakery_counters", r#"{"orders":3}"#.to_owned()),
    ];
    let pairs: Vec<String> = keys
        .iter()
        .map(|(key, value)| format!("{key:?}:{}", serde_json::to_string(value).expect("JSON")))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

fn mapping_of(json: &str) -> String {
    infer::mapping(&export(json), &Wishes::default()).expect("the export stays")
}

#[test]
fn a_mapping_for_a_strange_export_loses_nothing() {
    let json = bakery();
    let text = mapping_of(&json);
    let mapping = Mapping::read("bakery.map.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let plan = plan(&mapping, &json);
    let rows: Vec<(&str, usize)> =
        plan.tables.iter().map(|table| (table.name.as_str(), table.rows.len())).collect();
    assert_eq!(
        rows,
        [("customers", 3), ("orders", 3), ("order_lines", 3), ("visits", 3), ("settings", 1)],
        "{text}"
    );
    assert!(plan.rejects.is_empty(), "{:?}\n{text}", plan.rejects.shown);
    assert!(plan.not_mapped.iter().all(|left| left.records == 0), "{:?}", plan.not_mapped);
    assert!(plan.unknown_fields.iter().all(|field| field.field == "customerId"), "{:?}", plan.unknown_fields);
    for line in [
        "prefix = \"bakery_\"",
        "phone = { from = \"phone\", type = \"text\" } # texts of digits that a number would lose",
        "customer_id = { ref = \"customers\", from = \"customerId\", orphan = \"null\" } # 2 of 3 are an id of customers, 1 lead nowhere",
        "title_2 = { from = \"title\"",
        "total = { from = \"total\", type = \"numeric\" }",
        "tax = { from = \"tax\", type = \"numeric(18,2)\", round = \"float_artifact\" }",
        "day = { from = \"day\", type = \"date\", format = [\"dmy\"] }",
        "paid = { from = \"paid\", type = \"jsonb\" }",
        "# decide: 2 dates like 03/04/2024 and none proves the order",
        "id = { natural = [\"who\", \"at\"] }",
        "\"/bakery_full_backup\", # the same records once more",
        "\"/bakery_theme\", # how the app looks",
        "# secrets, never moved: password",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert_eq!(text, mapping_of(&json), "the same file gives the same mapping");
}

#[test]
fn records_lie_in_many_ways() {
    for (json, lines) in [
        // A map by its key, which is not repeated.
        (
            r#"{"tt1234567":{"title":"a"},"tt7654321":{"title":"b"}}"#,
            &["from = \"{*}\"", "id = \"$key\""][..],
        ),
        // Groups of records, four levels deep.
        (
            r#"{"2025-10-18":{"date":"2025-10-18","regions":[{"id":"r1","spots":{"cafe":[{"name":"a"}],"bar":[{"name":"b"},{"name":"c"}]}}]}}"#,
            &[
                "id = \"$key\"",
                "from = \"regions[*]\"",
                "from = \"spots{*}[*]\"",
                "spot = { from = \"$group\"",
            ],
        ),
        // A bare list.
        (r#"[{"_id":"64b7f0c2a1","x":1},{"_id":"64b7f0c2a2","x":2}]"#, &["from = \"[*]\"", "id = \"_id\""]),
        // One entity over many keys.
        (
            r#"{"orders_2024-01":[{"id":1,"a":2}],"orders_2024-02":[{"id":2,"a":3}],"orders_2024-03":[]}"#,
            &["from = \"orders_*[*]\"", "from = \"$group\""],
        ),
        // Which list a film is in says something, the one it is in twice included.
        (
            r#"{"films":[{"id":"tt1","title":"a"},{"id":"tt2","title":"b"}],"favourites":[{"id":"tt2","title":"b"}]}"#,
            &["from = \"films[*]\"", "from = \"favourites[*]\""],
        ),
        (
            r#"{"films":[{"id":"tt1","title":"a"},{"id":"tt2","title":"b"}],"favouriteFilms":[{"id":"tt2","title":"b"}]}"#,
            &["from = \"films[*]\"", "from = \"favouriteFilms[*]\""],
        ),
        // A whole database below envelopes and stores.
        (
            r#"{"store":{"state":{"todos":[{"id":1},{"id":2}],"filter":"all"},"version":3}}"#,
            &["root = \"/store/state\"", "from = \"todos[*]\""],
        ),
        // A store of stores, each a text of its own, its records by key.
        (
            r#"{"persist:root":"{\"todos\":\"{\\\"ids\\\":[\\\"a1\\\",\\\"b2\\\"],\\\"entities\\\":{\\\"a1\\\":{\\\"id\\\":\\\"a1\\\"},\\\"b2\\\":{\\\"id\\\":\\\"b2\\\"}},\\\"loading\\\":false}\",\"_persist\":\"{}\"}"}"#,
            &["from = \"entities{*}\"", "id = \"id\""],
        ),
        // Days below habits: each is a value.
        (
            r#"{"habits":{"h1":{"2025-01-01":true,"2025-01-02":false},"h2":{"2025-01-01":true}}}"#,
            &[
                "from = \"habits{*}{*}\"",
                "id = [\"$group\", \"$key\"]",
                "value = { from = \"$\", type = \"bool\" }",
            ],
        ),
        // The same by day in a dump, where each value is a text of its own.
        (
            r#"{"2025-01-01":"[{\"n\":1}]","2025-01-02":"[{\"n\":2}]"}"#,
            &["from = \"*[*]\"", "id = { natural = [\"$group\", \"n\"] }"],
        ),
        // A tree points at itself.
        (
            r#"{"nodes":[{"_id":"64b7f0c2a1aa","parentId":null},{"_id":"64b7f0c2a1ab","parentId":"64b7f0c2a1aa"}]}"#,
            &["parent_id = { ref = \"nodes\", from = \"parentId\", orphan = \"null\" }"],
        ),
        // Two keys for one entity: the newer first.
        (
            r#"{"old-desks":{"a-1":{"id":"a-1","desk":"a","createdAt":"2025-01-01T00:00:00Z"}},"desks":{"a-1":{"id":"a-1","desk":"a","createdAt":"2025-01-01T00:00:00Z"},"b-2":{"id":"b-2","desk":"b","createdAt":"2025-02-01T00:00:00Z"}}}"#,
            &["from = [\"desks{*}\", \"old-desks{*}\"]"],
        ),
        // Small numbers are no proof: these are two entities.
        (
            r#"{"incomes":[{"id":1,"amount":5,"label":"a"},{"id":2,"amount":6,"label":"b"}],"expenses":[{"id":1,"amount":9,"label":"c"},{"id":2,"amount":8,"label":"d"}]}"#,
            &["from = \"incomes[*]\"", "from = \"expenses[*]\""],
        ),
        // A list that changed its name, once packed into a text.
        (
            r#"{"receipts":[{"day":"2025-01-01","basket":"[{\"id\":0,\"name\":\"x\",\"qty\":1}]"},{"day":"2025-01-02","lines":[{"name":"x","qty":1},{"name":"y","qty":2}]}]}"#,
            &["from = [\"lines[*]\", \"basket[*]\"]"],
        ),
        // The place in a list is the only id there is.
        (
            r#"{"products":[{"name":"x","price":1},{"name":"y","price":2}],"lots":[{"product_id":0,"qty":1},{"product_id":1,"qty":2}]}"#,
            &["by = [\"$index\"]"],
        ),
        // The number of one, the text of another.
        (
            r#"{"plans":[{"id":3,"name":"x"}],"clients":[{"cedula":"00123456789","plan_id":"3"},{"cedula":"99999999901","plan_id":null},{"cedula":"123456","plan_id":"3"}],"visits":[{"id":1,"client_cedula":"123456"}]}"#,
            &[
                "id = \"cedula\"",
                "cedula = { from = \"cedula\", type = \"text\" }",
                "plan_id = { ref = \"plans\"",
                "client_id = { ref = \"clients\", from = \"client_cedula\"",
            ],
        ),
        // One id for two records: neither is lost.
        (
            r#"{"notes":[{"id":1754904169902,"t":"a"},{"id":1754904169902,"t":"b"}]}"#,
            &["id = { natural = [\"id\", \"t\"] }"],
        ),
        // Values without a record around them.
        (
            r#"{"tags":["a","b"],"x":[{"id":1}]}"#,
            &["from = \"tags[*]\"", "value = { from = \"$\", type = \"text\" }"],
        ),
        // Names that are none.
        (
            r#"{"Жанр":[{"id":1,"S's":"x","order":2,"owner_id":3}]}"#,
            &["[table.zhanr]", "ss = {", "order_value = {", "legacy_owner_id = {"],
        ),
    ] {
        let text = mapping_of(json);
        toml_of(&text);
        for line in lines {
            assert!(text.contains(line), "{line} for {json}\n{text}");
        }
    }
}

#[test]
fn what_is_in_there_is_told_without_a_value() {
    let inspections = infer::inspect(&export(&bakery())).expect("the export stays");
    let [inspection] = inspections.as_slice() else { panic!("one file") };
    let told =
        format!("{}\n{}", inspection.text(Lang::En), serde_json::to_string(&inspection).expect("JSON"));
    for value in ["Zoé", "O'Neil", "0612345678", "370.18", "gone"] {
        assert!(!told.contains(value), "{value}\n{told}");
    }
    for line in [
        "orders.customerId -> customers.id 2/3, 1 broken",
        "/bakery_customers/*/password (2)",
        "visits  3 records",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[test]
fn what_is_in_there_is_told_in_the_readers_language() {
    let inspections = infer::inspect(&export(&bakery())).expect("the export stays");
    let [inspection] = inspections.as_slice() else { panic!("one file") };
    assert_snapshot!("an_inspection", inspection.text(Lang::En));
    assert_snapshot!("an_inspection_in_french", inspection.text(Lang::Fr));
}

#[test]
fn several_files_of_one_app_are_one_mapping() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let files =
        [("customers.json", r#"[{"id":1,"name":"a"}]"#), ("visits.json", r#"[{"id":1,"customerId":1}]"#)];
    let files: Vec<PathBuf> = files
        .iter()
        .map(|(name, json)| {
            let file = folder.path().join(name);
            std::fs::write(&file, json).expect("room");
            file
        })
        .collect();
    let export = Export::open(&files, Reading::default()).expect("JSON");
    let wishes = Wishes { name: Some("shop".to_owned()), tz: "Europe/Paris".to_owned(), media: false };
    let text = infer::mapping(&export, &wishes).expect("the export stays");
    for line in [
        "name = \"shop\"",
        "from = \"customers[*]\"",
        "from = \"visits[*]\"",
        "customer_id = { ref = \"customers\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let mapping = Mapping::read("shop.map.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let context = Context::new(&mapping, crate::OWNER, None, None, crate::NOW).expect("a context");
    let plan = Plan::new(&export, &mapping, &context, &Known::default()).expect("a shop");
    assert_eq!((plan.rows(), plan.rejects.count), (2, 0));
    let (name, sql) =
        infer::tables(&export, &Wishes::default(), "owner_id", Choice::Check).expect("the export stays");
    assert_eq!(name, "customers");
    assert!(sql.contains("foreign key (owner_id, customer_id) references public.customers (owner_id, id) on delete set null (customer_id)"), "{sql}");
}

fn toml_of(text: &str) {
    if let Err(error) = toml::from_str::<toml::Table>(text) {
        panic!("{error}\n{text}");
    }
}

fn any_json() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[a-z]{1,6}",
        "[a-zA-Z_]{1,8}Id",
        Just("id".to_owned()),
        Just("key".to_owned()),
        "[^\\*\\pC]{0,6}", // a star in a path stands for any characters
        "[a-z]{1,3}_[0-9]{4}",
        Just("data".to_owned()),
        Just("state".to_owned()),
        Just("$x".to_owned()),
        Just("a/b~[*]".to_owned()),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("0".to_owned()),
        "[0-9]{1,13}(\\.[0-9]{1,3})?".prop_map(|text| text.trim_start_matches('0').to_owned()).prop_map(
            |text| if text.is_empty() || text.starts_with('.') { format!("0{text}") } else { text }
        ),
        "\\PC{0,8}".prop_map(|text| serde_json::to_string(&text).expect("JSON")),
        Just("\"2025-08-11\"".to_owned()),
        Just("\"[{\\\"a\\\":1}]\"".to_owned()),
        Just("\"c1\"".to_owned()),
    ];
    leaf.prop_recursive(5, 80, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|members| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).expect("JSON")))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_has_a_mapping_and_tables(json in any_json()) {
        let Ok(export) = Export::read("any.json", json.as_bytes()) else { return Ok(()) };
        if !export.documents.iter().all(|document| document.root.is_container()) {
            let refused = infer::mapping(&export, &Wishes::default()).expect_err("nothing to make rows of");
            prop_assert_eq!(refused.id, "export.no_records");
            return Ok(());
        }
        let text = infer::mapping(&export, &Wishes::default()).expect("the export stays");
        prop_assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{}", text);
        let inspections = infer::inspect(&export).expect("the export stays");
        let [inspection] = inspections.as_slice() else { panic!("one file") };
        let _ = inspection.text(Lang::En);
        if !inspection.entities.is_empty() {
            let mapping = Mapping::read("any.map.toml", &text);
            prop_assert!(mapping.is_ok(), "{:?}\n{}\n{}", mapping.map_err(|error| error.message), json, text);
            if let Ok(mapping) = mapping {
                let context = Context::new(&mapping, crate::OWNER, None, None, crate::NOW).expect("a context");
                let Ok(plan) = Plan::new(&export, &mapping, &context, &Known::default()) else {
                    return Ok(()); // values alone: nothing in them says which app they are of
                };
                // A hole in a list is refused whatever the mapping says.
                let mut refused = plan.rejects.shown.iter().filter(|reject| !reject.message.contains("is null"));
                prop_assert!(refused.next().is_none(), "{:?}\n{}\n{}", plan.rejects.shown, json, text);
                let lost: usize = plan.not_mapped.iter().map(|left| left.records).sum();
                prop_assert!(lost == 0, "{:?}\n{}\n{}", plan.not_mapped, json, text);
            }
        }
        let (_, sql) = infer::tables(&export, &Wishes::default(), "owner_id", Choice::Check).expect("the export stays");
        for table in &inspection.entities {
            let made = sql.matches(&format!("create table public.{} (", table.table)).count();
            prop_assert_eq!(made, 1, "{}", table.table);
        }
    }
}

/// Real exports, where `EXPORTS_DIR` names the folder they lie in.
#[test]
fn every_real_export_has_a_mapping() {
    let Some(folder) = std::env::var_os("EXPORTS_DIR").map(PathBuf::from) else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    for file in files {
        let name = file.display().to_string();
        let bytes = std::fs::read(&file).expect("a readable file");
        let Ok(export) = Export::read(&name, &bytes) else { continue };
        let inspections = infer::inspect(&export).expect("the export stays");
        inspections.iter().for_each(|inspection| assert!(!inspection.text(Lang::En).is_empty()));
        let text = infer::mapping(&export, &Wishes::default()).expect("the export stays");
        let mapping = Mapping::read(&name, &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let context = Context::new(&mapping, crate::OWNER, None, None, crate::NOW).expect("a context");
        let plan = Plan::new(&export, &mapping, &context, &Known::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(plan.rejects.is_empty(), "{name}: {:?}", plan.rejects.shown);
        assert!(plan.not_mapped.iter().all(|left| left.records == 0), "{name}: {:?}", plan.not_mapped);
    }
}
