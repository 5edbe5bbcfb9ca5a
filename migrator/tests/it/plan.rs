//! Which record becomes which row, and what is said about the others.

use crate::{club, export, garage, plan, story};
use insta::assert_snapshot;
use migrator::plan::{Context, Known, Plan};
use uuid::Uuid;

#[test]
fn a_small_club_becomes_rows() {
    assert_snapshot!(story(&plan(
        &club(),
        r#"{
        "exportedAt": "2026-03-01", "theme": "dark", "sb-abc-auth-token": {"access_token": "x"},
        "members": {
            "7": {"nom": " Zoé   Lefèvre ", "nick": "", "born": "14/05/1990", "fee": "1 234,50", "level": "Débutant"},
            "a b": {"nom": "", "name": "Ali", "born": "1990-05-14T22:00:00.000Z", "fee": 19.989999999999998},
            "c": {"name": null},
            "d": {"name": "Dora", "level": "champion"},
            "e": ["not", "an", "object"]
        },
        "plots": [
            {"row": 1, "place": "A", "member": 7, "area": 12.0, "planted": 1754904169902,
             "harvests": [{"what": "thym", "day": "2025-06-01", "kilos": 1.50}, {"what": "thym", "day": "2025-06-01"}]},
            {"row": 2, "place": "A", "member": "c", "harvests": [{"what": "sauge"}]},
            {"row": 3, "member": "7"},
            {"row": 4, "place": "A", "member": "", "tags": ["x"]},
            {"row": 5, "place": "A", "member": "7", "harvests": "none"}
        ],
        "visits": [{"member": "7", "day": "2025-01-01"}, {"member": "7", "day": "2025-01-01"}, {"member": 99}],
        "old": [{}, {}], "counters": {"a": 1}
        }"#
    )));
}

#[test]
fn several_records_with_one_id_merge_or_are_refused() {
    assert_snapshot!(story(&plan(
        &garage(),
        r#"{"data": {
        "customers": [
            {"id": "1", "firstName": "Ana"}, {"id": 1.0, "firstName": "Ana", "notes": null},
            {"id": "3", "firstName": "Cy"}, {"id": "3", "firstName": "Cyd"},
            {"id": "2", "firstName": "Bo", "updatedAt": "2026-01-01T00:00:00Z"},
            {"id": "2", "firstName": "Bob", "updatedAt": "2026-02-01T00:00:00Z"},
            {"firstName": "nobody"}, {"id": "", "firstName": "nobody"}, {"id": true}
        ],
        "repairs": [
            {"id": "r", "parts": [{"partId": "oil"}]}, {"id": "r", "parts": [{"partId": "oil"}]},
            {"id": "s", "customerId": "1"}
        ]}}"#
    )));
}

#[test]
fn a_damaged_collection_is_refused_and_never_swallowed() {
    assert_snapshot!(story(&plan(
        &garage(),
        r#"{"spark_kv_entities_customers": "[{\"id\":\"1\"}]", "spark_kv_entities_vehicles": "[{\"id\":\"v\"},{\"id\"",
            "spark_kv_entities_stock": "{\"id\":\"x\"}", "spark_kv_notes": "[{\"a\":", "spark_kv_theme": "dark"}"#
    )));
}

#[test]
fn references_follow_the_fate_of_their_record() {
    assert_snapshot!(story(&plan(
        &garage(),
        r#"{"data": {
        "customers": [{"id": 7}, {"id": "bad", "createdAt": "yesterday"}],
        "vehicles": [{"id": 1, "customerId": "7"}, {"id": 2, "customerId": "007"}, {"id": 3, "customerId": "bad"},
                     {"id": 4, "customerId": ""}, {"id": 5, "customerId": null}, {"id": 6, "customerId": {"id": 7}}]
        }}"#
    )));
}

#[test]
fn no_secret_reaches_a_row() {
    let json = r#"{"data": {
        "customers": [{"id": "1", "notes": "eyJhbGciOiJIUzI1NiJ9.eyJTRUNSRVQiOjF9.SECRET", "password": "SECRET",
            "meta": {"deep": [{"githubToken": "SECRET", "kept": "yes"}]}, "raw": "{\"api_key\":\"SECRET\",\"kept\":1}"}],
        "settings": {"id": "main", "session": {"x": "SECRET"}, "sb": "sb_secret_SECRET"},
        "users": [{"id": "u", "pwd": "SECRET"}]}, "backup": {"token": "SECRET"}}"#;
    let plan = plan(&garage(), json);
    let rows = plan.tables.iter().flat_map(|table| {
        table
            .rows
            .all()
            .expect("room")
            .iter()
            .map(|row| serde_json::to_string(&table.payload(row)).expect("JSON"))
            .collect::<Vec<_>>()
    });
    for row in rows {
        assert!(!row.contains("SECRET"), "{row}");
    }
    assert_snapshot!(story(&plan));
}

#[test]
fn two_owners_of_one_file_never_meet() {
    let (mapping, export) = (garage(), export(migrator::sample::GARAGE));
    let ids = |owner: u128, scope: Option<&str>| {
        let context =
            Context::new(&mapping, Uuid::from_u128(owner), scope, None, crate::NOW).expect("a context");
        let plan = Plan::new(&export, &mapping, &context, &Known::default()).expect("the sample fits");
        let mut ids: Vec<Uuid> =
            plan.tables.iter().flat_map(|table| table.rows.all().expect("room")).map(|row| row.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(1, None), ids(1, None), "the same file twice gives the same rows");
    assert!(ids(1, None).iter().all(|id| !ids(2, None).contains(id)));
    assert!(ids(1, None).iter().all(|id| !ids(1, Some("tablet")).contains(id)));
    assert_eq!(ids(1, Some("tablet")), ids(2, Some("tablet")), "a scope that is shared is shared");
}

#[test]
fn another_apps_export_is_recognised_as_such() {
    let mapping = garage();
    let context = Context::new(&mapping, crate::OWNER, None, None, crate::NOW).expect("a context");
    for json in [r#"{"bookings": [], "members": {}}"#, "[]", "3", "{}", r#"{"data": {"customers": 3}}"#] {
        let failure = Plan::new(&export(json), &mapping, &context, &Known::default()).expect_err(json);
        assert_eq!((failure.code, failure.id), (migrator::exit::INPUT, "export.shape"));
    }
    let failure =
        Plan::new(&export(r#"{"bookings": [], "members": {}}"#), &mapping, &context, &Known::default())
            .expect_err("no shape");
    assert_snapshot!(format!("{}\n{}", failure.message, failure.help));
}
