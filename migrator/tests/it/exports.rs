//! Real exports, where there are some: `EXPORTS_DIR` names the folder they lie in.

use std::path::PathBuf;

use migrator::export::Export;
use migrator::plan::{Context, Known, Plan};

use crate::garage;

/// The plan of a file of that folder; nothing when there is no folder.
fn plan(file: &str) -> Option<Plan> {
    let folder = PathBuf::from(std::env::var_os("EXPORTS_DIR")?);
    let bytes = std::fs::read(folder.join(file)).expect("EXPORTS_DIR holds the garage's files");
    let mapping = garage();
    let context = Context::new(&mapping, crate::OWNER, None, None, crate::NOW).expect("a context");
    let export = Export::read(file, &bytes).expect("a readable file");
    Some(Plan::new(&export, &mapping, &context, &Known::default()).expect("a garage"))
}

#[test]
fn the_dump_of_a_garage_has_every_row_of_its_backup() {
    let (Some(backup), Some(dump)) =
        (plan("garage-backup-2025-08-11.json"), plan("garage-localstorage-dump.json"))
    else {
        return;
    };
    for (left, right) in backup.tables.iter().zip(&dump.tables) {
        let rows = |table: &migrator::plan::TablePlan| {
            table.rows.all().expect("room").iter().map(|row| (row.id, row.cells.clone())).collect::<Vec<_>>()
        };
        let (left, right) = (rows(left), rows(right));
        assert!(left.iter().all(|row| right.contains(row)), "the screens have lists of their own beside it");
    }
}

#[test]
fn an_empty_backup_is_no_row_and_no_complaint() {
    let Some(plan) = plan("garage-backup-2025-08-08-empty.json") else { return };
    assert_eq!(plan.rows(), 0);
    assert!(plan.rejects.is_empty() && plan.warnings.is_empty());
}
