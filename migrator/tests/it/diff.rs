//! What a second run would change: nothing, unless something changed.

use migrator::cell::{Cell, Type};
use migrator::diff::{Change, Existing};
use migrator::plan::{Row, TablePlan};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{OWNER, garage, plan};

/// The row as PostgREST answers it: numbers with all their digits.
fn answer(table: &TablePlan, row: &Row, owner: Uuid) -> Existing {
    let cells = table.columns.iter().zip(&row.cells).map(|(column, cell)| {
        let json = serde_json::to_string(cell).expect("JSON");
        let json = match (column.kind, cell) {
            (Type::Numeric(_), Cell::Numeric(_)) => json.trim_matches('"').to_owned(),
            (Type::Timestamptz, Cell::Instant(_)) => json.replace('Z', "+00:00"),
            (Type::Timestamptz, Cell::Unset) => "\"2026-01-01T00:00:00+00:00\"".to_owned(),
            _ => json,
        };
        format!("\"{}\":{json}", column.name)
    });
    let cells: Vec<String> = cells.collect();
    let json = format!("{{\"id\":\"{}\",\"owner_id\":\"{owner}\",{}}}", row.id, cells.join(","));
    table.decode(&RawValue::from_string(json).expect("JSON")).expect("the answer has every column")
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let plan = plan(&garage(), migrator::sample::GARAGE);
    for table in &plan.tables {
        let existing: Vec<_> =
            table.rows.all().expect("room").iter().map(|row| answer(table, row, OWNER)).collect();
        let changes = table.compare(&table.rows.all().expect("room"), &existing).expect("our own rows");
        assert!(changes.iter().all(|change| *change == Change::Same), "{}", table.name);
        assert!(
            table
                .compare(&table.rows.all().expect("room"), &[])
                .expect("no rows")
                .iter()
                .all(|change| *change == Change::Insert)
        );
    }
}

#[test]
fn each_changed_row_is_an_update() {
    let before = r#"{"data": {"stock": [{"id": 1, "unitPrice": 12.5, "other": 1.0}, {"id": 2, "name": "a"}, {"id": 3}]}}"#;
    let after = r#"{"data": {"stock": [{"id": "1", "unitPrice": "12.50", "other": 1}, {"id": 2, "name": "b"}, {"id": 4}]}}"#;
    let (before, after) = (plan(&garage(), before), plan(&garage(), after));
    let (before, after) =
        (before.table("stock_items").expect("mapped"), after.table("stock_items").expect("mapped"));
    let existing: Vec<_> =
        before.rows.all().expect("room").iter().map(|row| answer(before, row, OWNER)).collect();
    assert_eq!(
        after.compare(&after.rows.all().expect("room"), &existing).expect("ours"),
        [Change::Same, Change::Update, Change::Insert]
    );
}

#[test]
fn a_row_of_somebody_else_stops_everything() {
    let plan = plan(&garage(), r#"{"data": {"customers": [{"id": 1}]}}"#);
    let table = plan.table("customers").expect("mapped");
    let theirs = answer(table, &table.rows.all().expect("room")[0], Uuid::from_u128(2));
    let failure = table.compare(&table.rows.all().expect("room"), &[theirs]).expect_err("not ours");
    assert_eq!((failure.code, failure.id), (migrator::exit::REFUSED, "target.unsafe"));
    assert!(failure.message.contains("/data/customers/0"), "{}", failure.message);
}

#[test]
fn an_answer_without_a_column_is_refused() {
    let plan = plan(&garage(), r#"{"data": {"customers": [{"id": 1}]}}"#);
    let table = plan.table("customers").expect("mapped");
    let json = format!("{{\"id\":\"{OWNER}\",\"owner_id\":\"{OWNER}\"}}");
    let failure = table.decode(&RawValue::from_string(json).expect("JSON")).expect_err("columns are missing");
    assert_eq!(failure.id, "target.answer");
}

#[test]
fn rows_that_leave_a_column_to_the_table_go_apart() {
    let json =
        r#"{"data": {"customers": [{"id": 1, "createdAt": "2026-01-01T00:00:00Z"}, {"id": 2}, {"id": 3}]}}"#;
    let plan = plan(&garage(), json);
    let table = plan.table("customers").expect("mapped");
    let rows = table.rows.all().expect("room");
    let groups = table.groups(&rows);
    assert_eq!(groups.iter().map(|group| group.rows.len()).collect::<Vec<_>>(), [1, 2]);
    assert!(groups[0].columns.contains(&"created_at") && !groups[1].columns.contains(&"created_at"));
    assert!(!groups[0].columns.contains(&"updated_at"));
}
