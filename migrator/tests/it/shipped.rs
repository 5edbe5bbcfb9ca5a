//! What comes with the program: mappings, each for the exports of several apps, and a sample of the garage's.

use std::collections::HashSet;
use std::path::PathBuf;

use migrator::cell::Cell;
use migrator::export::Export;
use migrator::mapping::{self, Mapping};
use migrator::plan::{Context, Known, Plan, TablePlan};

use crate::{garage, plan};

/// A garage whose fields are French.
const FRENCH_GARAGE: &str = include_str!("fixtures/shipped/garage-fr.json");

/// All of localStorage, with two keys for the same bookings.
const CALENDAR: &str = include_str!("fixtures/shipped/calendar.json");

/// Bookings as a list, with French fields.
const FRENCH_CALENDAR: &str = include_str!("fixtures/shipped/calendar-fr.json");

/// Films watched by two people of one browser.
const STREAMING: &str = include_str!("fixtures/shipped/streaming.json");

/// Stock whose products are known by name and by place.
const HEALTH: &str = include_str!("fixtures/shipped/health.json");

/// How each line of a report begins: table, records, rows, merged, rejected.
type Counts<'a> = &'a [(&'a str, usize, usize, usize, usize)];

fn shipped(name: &str) -> Mapping {
    let text = mapping::shipped(name).expect("a mapping that comes with the program");
    Mapping::read(name, text).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The rows of a table.
fn table<'p>(plan: &'p Plan, name: &str) -> &'p TablePlan {
    plan.table(name).unwrap_or_else(|| panic!("{name} is not planned"))
}

/// The cells of one column, from top to bottom.
fn column(plan: &Plan, name: &str, column: &str) -> Vec<Cell> {
    let table = table(plan, name);
    let place = table.position(column).unwrap_or_else(|| panic!("{name}.{column} is not mapped"));
    table.rows.all().expect("room").into_iter().map(|mut row| row.cells.swap_remove(place)).collect()
}

/// The same as JSON, to compare with.
fn values(plan: &Plan, name: &str, of: &str) -> Vec<String> {
    column(plan, name, of).iter().map(|cell| serde_json::to_string(cell).expect("JSON")).collect()
}

/// Tables without a record may be left out of `expected`.
#[track_caller]
fn accounts_for(plan: &Plan, expected: Counts<'_>) {
    let mut ids = HashSet::new();
    for table in &plan.tables {
        assert_eq!(table.records, table.rows.len() + table.merged + table.rejected, "{}", table.name);
        for row in table.rows.all().expect("room") {
            assert!(ids.insert(row.id), "an id is used once: {}", row.at);
        }
    }
    let counts: Vec<_> = plan
        .tables
        .iter()
        .filter(|table| table.records > 0)
        .map(|table| (table.name.as_str(), table.records, table.rows.len(), table.merged, table.rejected))
        .collect();
    assert_eq!(counts, expected, "{:?}", plan.rejects.shown);
}

/// Every reference of a column leads to a row of a table; how many there are.
#[track_caller]
fn resolve(plan: &Plan, from: &str, of: &str, to: &str) -> usize {
    let known: HashSet<_> = table(plan, to).rows.all().expect("room").iter().map(|row| row.id).collect();
    let ids: Vec<_> = column(plan, from, of)
        .into_iter()
        .filter_map(|cell| match cell {
            Cell::Uuid(id) => Some(id),
            _ => None,
        })
        .collect();
    assert!(ids.iter().all(|id| known.contains(id)), "{from}.{of}");
    ids.len()
}

#[test]
fn the_sample_becomes_rows_without_a_reject() {
    let plan = plan(&garage(), migrator::sample::GARAGE);
    let counts: Vec<_> = plan.tables.iter().map(|table| (table.name.as_str(), table.rows.len())).collect();
    assert_eq!(
        counts,
        [
            ("customers", 12),
            ("vehicles", 15),
            ("vehicle_photos", 1),
            ("mechanics", 3),
            ("repairs", 20),
            ("repair_lines", 26),
            ("invoices", 8),
            ("invoice_lines", 18),
            ("appointments", 6),
            ("stock_items", 10),
            ("stock_movements", 0),
            ("settings", 1),
        ]
    );
    assert!(plan.rejects.is_empty());
    assert_eq!(plan.warnings.count, 1, "one repair is of a vehicle that is gone");
    assert_eq!(plan.secrets.len(), 3, "two passwords and a token");
}

#[test]
fn a_shipped_mapping_is_found_by_its_name_and_holds_together() {
    for (name, _) in mapping::SHIPPED {
        assert_eq!(shipped(name).name, name);
    }
    assert_eq!(mapping::shipped("garden"), None);
    let namespaces: HashSet<_> =
        mapping::SHIPPED.iter().map(|(name, _)| shipped(name).ids.namespace).collect();
    assert_eq!(namespaces.len(), mapping::SHIPPED.len(), "each app has its own");
}

#[test]
fn a_french_garage_is_the_same_tables() {
    let plan = plan(&garage(), FRENCH_GARAGE);
    accounts_for(
        &plan,
        &[
            ("customers", 2, 2, 0, 0),
            ("vehicles", 2, 2, 0, 0),
            ("vehicle_photos", 2, 2, 0, 0),
            ("mechanics", 1, 1, 0, 0),
            ("repairs", 2, 2, 0, 0),
            ("repair_lines", 2, 2, 0, 0),
            ("invoices", 1, 1, 0, 0),
            ("invoice_lines", 1, 1, 0, 0),
            ("appointments", 1, 1, 0, 0),
            ("stock_items", 1, 1, 0, 0),
            ("stock_movements", 2, 1, 0, 1),
        ],
    );
    assert_eq!(values(&plan, "customers", "first_name"), [r#""Zoé""#, r#""Ali""#]);
    assert_eq!(values(&plan, "customers", "postal_code"), [r#""33000""#, r#""75011""#]);
    assert_eq!(values(&plan, "vehicles", "license_plate"), [r#""AB-123-CD""#, r#""EF-456-GH""#]);
    assert_eq!(values(&plan, "invoices", "total_amount"), [r#""1234.56""#]);
    assert_eq!(values(&plan, "invoices", "due_on"), [r#""2025-09-30""#]);
    // 9:00 in Casablanca, where it was summer.
    assert_eq!(values(&plan, "appointments", "starts_at"), [r#""2025-08-12T08:00:00Z""#]);
    assert_eq!(resolve(&plan, "repairs", "vehicle_id", "vehicles"), 2, "by id and by plate");
    assert_eq!(resolve(&plan, "repairs", "mechanic_id", "mechanics"), 1, "by first name");
    assert_eq!(resolve(&plan, "vehicle_photos", "vehicle_id", "vehicles"), 2);
    assert_eq!(plan.rejects.shown[0].column.as_deref(), Some("kind"), "a movement must say its way");
    assert!(plan.not_mapped.is_empty(), "{:?}", plan.not_mapped);
}

#[test]
fn a_booking_under_two_keys_is_one_and_a_desk_comes_from_its_bookings() {
    let plan = plan(&shipped("calendar"), CALENDAR);
    accounts_for(&plan, &[("resources", 7, 3, 4, 0), ("bookings", 7, 5, 2, 0), ("waiting_list", 1, 1, 0, 0)]);
    assert_eq!(
        values(&plan, "resources", "name"),
        [r#""room1-desk1""#, r#""room1-desk2""#, r#""room3-desk1""#]
    );
    assert_eq!(resolve(&plan, "bookings", "resource_id", "resources"), 5);
    assert_eq!(values(&plan, "bookings", "guest_name")[0], r#""Chloé""#, "of the newer key");
    assert_eq!(plan.warnings.count, 1, "the older copy that says something else");
    assert_eq!(values(&plan, "bookings", "ends_at")[0], r#""2025-08-26T00:00:00Z""#, "a day ends after it");
    assert_eq!(values(&plan, "bookings", "status")[2], r#""blocked""#);
    assert!(values(&plan, "bookings", "extra")[2].contains("unavailable"), "the app's own word stays");
    assert!(plan.not_mapped.is_empty(), "{:?}", plan.not_mapped);
}

#[test]
fn a_list_of_bookings_with_times_beside_the_day() {
    let plan = plan(&shipped("calendar"), FRENCH_CALENDAR);
    accounts_for(&plan, &[("resources", 4, 2, 2, 0), ("bookings", 3, 2, 0, 1)]);
    assert_eq!(values(&plan, "resources", "name"), [r#""Salle bleue""#, r#""b2""#], "one is only named");
    assert_eq!(values(&plan, "bookings", "starts_at")[0], r#""2025-08-12T09:00:00Z""#);
    assert_eq!(values(&plan, "bookings", "ends_at")[0], r#""2025-08-12T10:30:00Z""#);
    assert_eq!(values(&plan, "bookings", "status"), [r#""cancelled""#, r#""confirmed""#]);
    assert_eq!(plan.rejects.shown[0].column.as_deref(), Some("starts_at"));
}

#[test]
fn what_was_watched_twice_is_two_events() {
    let plan = plan(&shipped("streaming"), STREAMING);
    accounts_for(
        &plan,
        &[
            ("contents", 2, 2, 0, 0),
            ("watch_history", 8, 8, 0, 0),
            ("watchlist", 3, 3, 0, 0),
            ("ratings", 2, 1, 0, 1),
        ],
    );
    assert_eq!(values(&plan, "contents", "content_type"), [r#""movie""#, r#""series""#]);
    assert_eq!(values(&plan, "watch_history", "watched_at")[0], r#""2026-05-16T01:41:48.474239Z""#);
    let progress: Vec<_> = values(&plan, "watch_history", "progress_seconds").split_off(5);
    assert_eq!(progress, ["1", "null", "96"], "seconds; minutes stay as they are");
    assert_eq!(plan.warnings.count, 1, "a film that is nowhere in the catalogue");
    assert_eq!(plan.secrets.len(), 2, "passwords as they are typed");
    assert!(plan.not_mapped.is_empty(), "{:?}", plan.not_mapped);
    assert_eq!(shipped("streaming").accounts.expect("accounts").from.len(), 1);
}

#[test]
fn a_product_is_known_by_id_place_or_name() {
    let plan = plan(&shipped("health"), HEALTH);
    accounts_for(
        &plan,
        &[
            ("products", 5, 5, 0, 0),
            ("inventory_counts", 5, 5, 0, 0),
            ("lots", 3, 2, 0, 1),
            ("receptions", 3, 3, 0, 0),
            ("reception_lines", 4, 4, 0, 0),
            ("withdrawals", 2, 2, 0, 0),
            ("withdrawal_lines", 2, 2, 0, 0),
        ],
    );
    let rows = table(&plan, "products").rows.all().expect("room");
    let ids = |names: &[usize]| names.iter().map(|name| Cell::Uuid(rows[*name].id)).collect::<Vec<_>>();
    assert_eq!(column(&plan, "lots", "product_id"), ids(&[0, 1]), "0 is a place, and so is 1");
    assert_eq!(plan.rejects.shown[0].table, "lots", "of a product that is nowhere");
    assert_eq!(
        column(&plan, "reception_lines", "product_id"),
        [ids(&[0]), vec![Cell::Null, Cell::Null], ids(&[1])].concat(),
        "a name that two have, or none, is no product"
    );
    assert_eq!(column(&plan, "withdrawal_lines", "product_id"), ids(&[4, 1]), "by id, and by name");
    assert_eq!(column(&plan, "inventory_counts", "product_id"), ids(&[0, 1, 2, 3, 4]));
    assert!(column(&plan, "reception_lines", "moves_stock").iter().all(|moves| *moves == Cell::Bool(false)));
    assert!(plan.not_mapped.is_empty(), "{:?}", plan.not_mapped);
}

#[test]
fn the_mapping_the_guide_shows_can_be_read() {
    let guide = include_str!("../../MAPPING.md");
    let (_, rest) = guide.split_once("```toml\n").expect("the guide shows a mapping");
    let (toml, _) = rest.split_once("```").expect("and ends it");
    let mapping = Mapping::read("MAPPING.md", toml).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(mapping.tables.len(), 3);
}

/// Real exports: file, mapping, what becomes of it, how many warnings there are, and how many collections
/// that nobody asked for.
type Real<'a> = (&'a str, &'a str, Counts<'a>, usize, usize);

const REAL: [Real<'_>; 7] = [
    // 46 bookings; the desks are named by them alone.
    (
        "deskplanner-export-bookings.json",
        "calendar",
        &[("resources", 46, 8, 38, 0), ("bookings", 46, 46, 0, 0)],
        0,
        0,
    ),
    // 46 + 11 bookings are 48: 8 copies and one conflict, taken from the newer key.
    (
        "deskplanner-localstorage-dump.json",
        "calendar",
        &[("resources", 57, 9, 48, 0), ("bookings", 57, 48, 9, 0), ("waiting_list", 3, 3, 0, 0)],
        1,
        0,
    ),
    // 20 films, 44 events and 5 progresses, 6 favourites; 4 of them name films that do not exist.
    (
        "netflux-localstorage-dump.json",
        "streaming",
        &[("contents", 20, 20, 0, 0), ("watch_history", 49, 49, 0, 0), ("watchlist", 6, 6, 0, 0)],
        4,
        0,
    ),
    // 25 products, 14 deliveries and 4 returns, 22 lines and those of the returns, 10 lots, 8 sales; 9 lines
    // whose product nobody can tell.
    (
        "dikolo-stock-receptions-ventes.json",
        "health",
        &[
            ("products", 25, 25, 0, 0),
            ("inventory_counts", 25, 25, 0, 0),
            ("lots", 10, 10, 0, 0),
            ("receptions", 18, 18, 0, 0),
            ("reception_lines", 26, 26, 0, 0),
            ("withdrawals", 8, 8, 0, 0),
            ("withdrawal_lines", 8, 8, 0, 0),
        ],
        9,
        0,
    ),
    (
        "papeterie-stock-mouvements.json",
        "health",
        &[
            ("products", 26, 26, 0, 0),
            ("inventory_counts", 26, 26, 0, 0),
            ("withdrawals", 12, 12, 0, 0),
            ("withdrawal_lines", 12, 12, 0, 0),
        ],
        0,
        0,
    ),
    (
        "garage-backup-2025-08-11.json",
        "garage",
        &[
            ("customers", 6, 6, 0, 0),
            ("vehicles", 6, 6, 0, 0),
            ("vehicle_photos", 1, 1, 0, 0),
            ("mechanics", 2, 2, 0, 0),
            ("repairs", 5, 5, 0, 0),
            ("repair_lines", 4, 4, 0, 0),
            ("invoices", 2, 2, 0, 0),
            ("invoice_lines", 4, 4, 0, 0),
            ("appointments", 2, 2, 0, 0),
            ("stock_items", 2, 2, 0, 0),
            ("settings", 1, 1, 0, 0),
        ],
        1,
        0,
    ),
    // The same, and what the screens keep: payments, notifications and settings are a document each.
    (
        "garage-localstorage-dump.json",
        "garage",
        &[
            ("customers", 6, 6, 0, 0),
            ("vehicles", 6, 6, 0, 0),
            ("vehicle_photos", 2, 2, 0, 0),
            ("mechanics", 3, 3, 0, 0),
            ("repairs", 6, 6, 0, 0),
            ("repair_lines", 4, 4, 0, 0),
            ("invoices", 3, 3, 0, 0),
            ("invoice_lines", 5, 5, 0, 0),
            ("appointments", 4, 4, 0, 0),
            ("stock_items", 4, 4, 0, 0),
            ("stock_movements", 2, 2, 0, 0),
            ("settings", 4, 4, 0, 0),
        ],
        5,
        0,
    ),
];

#[test]
#[allow(clippy::print_stderr, reason = "whoever runs it should know what it did not do")]
fn real_exports_end_with_the_counts_that_are_known_of_them() {
    let Some(folder) = std::env::var_os("EXPORTS_DIR").map(PathBuf::from) else {
        eprintln!("EXPORTS_DIR names no folder of real exports: nothing is tried on them");
        return;
    };
    for (file, name, expected, warnings, not_mapped) in REAL {
        let bytes = std::fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mapping = shipped(name);
        let context = Context::new(&mapping, crate::OWNER, None, None, crate::NOW).expect("a context");
        let export = Export::read(file, &bytes).expect("a readable file");
        let plan = Plan::new(&export, &mapping, &context, &Known::default()).expect("the app's export");
        accounts_for(&plan, expected);
        assert_eq!(plan.warnings.count, warnings, "{file}: {:?}", plan.warnings.shown);
        assert_eq!(plan.not_mapped.len(), not_mapped, "{file}: {:?}", plan.not_mapped);
    }
}
