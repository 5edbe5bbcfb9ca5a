//! Whatever the file holds, every record is accounted for and nothing panics.

use std::collections::HashSet;

use migrator::cell::Cell;
use migrator::plan::Plan;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{club, garage, plan};

/// Any value, with the texts and numbers that old data is known for.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter_map("JSON has no NaN", |number| serde_json::Number::from_f64(number)
            .map(Value::Number)),
        ".{0,6}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "1",
            "2",
            "007",
            "1 234,5",
            "2025-08-11",
            "2024-03-31T02:30",
            "31/12/1999",
            "Invalid Date",
            "termine",
            "[1]",
            "{\"token\":\"t\"}",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,5}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A record whose fields are often those the mapping reads.
fn record(fields: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let known = prop::sample::select(fields).prop_map(str::to_owned);
    let field = prop_oneof![8 => known, 1 => "[a-zA-Z]{1,8}"];
    let id = prop_oneof![3 => (0_u8..4).prop_map(Value::from), 1 => value()];
    let fields = prop::collection::hash_map(field, value(), 0..8);
    prop_oneof![
        9 => (id, fields).prop_map(|(id, mut fields)| {
            fields.entry("id".to_owned()).or_insert(id);
            Value::Object(fields.into_iter().collect())
        }),
        1 => value(),
    ]
}

fn list(fields: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![9 => prop::collection::vec(record(fields), 0..6).prop_map(Value::from), 1 => value()]
}

fn holds_together(plan: &Plan) {
    let mut ids = HashSet::new();
    for table in &plan.tables {
        assert_eq!(table.records, table.rows.len() + table.merged + table.rejected, "{}", table.name);
        let named = plan.rejects.shown.iter().filter(|reject| reject.table == table.name).count();
        assert_eq!(table.rejected, named, "each refusal is named");
        for row in &table.rows.all().expect("room") {
            assert!(ids.insert(row.id), "an id is used once");
            assert_eq!(row.cells.len(), table.columns.len());
            let json = serde_json::to_string(&table.payload(row)).expect("a row is JSON");
            assert!(!json.contains("\\u0000"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_garage_adds_up(
        customers in list(&["firstName", "email", "createdAt", "updatedAt", "password"]),
        repairs in list(&["customerId", "status", "parts", "actualCost", "startDate", "priority"]),
        settings in value(),
    ) {
        let document = json!({"data": {"customers": customers, "repairs": repairs, "settings": settings, "stock": []}});
        let plan = plan(&garage(), &document.to_string());
        holds_together(&plan);
        let known: HashSet<_> = plan.table("customers").expect("mapped").rows.all().expect("room").iter().map(|row| row.id).collect();
        let repairs = plan.table("repairs").expect("mapped");
        let place = repairs.position("customer_id").expect("mapped");
        for row in &repairs.rows.all().expect("room") {
            let Cell::Uuid(customer) = &row.cells[place] else { continue };
            prop_assert!(known.contains(customer), "a reference leads to a row");
        }
    }

    #[test]
    fn any_club_adds_up(
        members in prop::collection::hash_map("[0-9a-c]{0,2}", record(&["nom", "name", "born", "fee", "level", "seen"]), 0..5),
        plots in list(&["row", "place", "member", "area", "tags", "planted", "harvests", "recoltes"]),
        visits in list(&["member", "day"]),
    ) {
        let document = json!({"members": members, "plots": plots, "visits": visits});
        holds_together(&plan(&club(), &document.to_string()));
    }

    #[test]
    fn the_order_of_records_changes_no_id(seed in any::<prop::sample::Index>(), fields in prop::collection::vec(
        record(&["firstName", "email"]), 2..6))
    {
        let ids = |records: &[Value]| {
            let plan = plan(&garage(), &json!({"data": {"customers": records}}).to_string());
            let mut ids: Vec<_> = plan.table("customers").expect("mapped").rows.all().expect("room").iter().map(|row| row.id).collect();
            ids.sort();
            ids
        };
        let mut turned = fields.clone();
        turned.rotate_left(seed.index(fields.len()));
        prop_assert_eq!(ids(&fields), ids(&turned));
    }
}
