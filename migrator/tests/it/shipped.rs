//! What comes with the program: the garage's mapping, and a sample of its export.

use migrator::mapping::{self, Mapping};

use crate::{garage, plan};

#[test]
fn the_sample_becomes_rows_without_a_reject() {
    let plan = plan(&garage(), migrator::sample::GARAGE);
    let counts: Vec<_> = plan.tables.iter().map(|table| (table.name.as_str(), table.rows.len())).collect();
    assert_eq!(
        counts,
        [
            ("customers", 12),
            ("vehicles", 15),
            ("mechanics", 3),
            ("repairs", 20),
            ("repair_lines", 26),
            ("invoices", 8),
            ("invoice_lines", 18),
            ("appointments", 6),
            ("stock_items", 10),
            ("settings", 1),
        ]
    );
    assert!(plan.rejects.is_empty());
    assert_eq!(plan.warnings.count, 1, "one repair is of a vehicle that is gone");
    assert_eq!(plan.secrets.len(), 3, "two passwords and a token");
}

#[test]
fn a_shipped_mapping_is_found_by_its_name() {
    assert_eq!(mapping::shipped("garage"), Some(mapping::GARAGE));
    assert_eq!(mapping::shipped("garden"), None);
}

#[test]
fn the_mapping_the_guide_shows_can_be_read() {
    let guide = include_str!("../../MAPPING.md");
    let (_, rest) = guide.split_once("```toml\n").expect("the guide shows a mapping");
    let (toml, _) = rest.split_once("```").expect("and ends it");
    let mapping = Mapping::read("MAPPING.md", toml).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(mapping.tables.len(), 3);
}
