//! What the migrator promises about an export, without a network: a file per promise.

mod accounting;
mod bookmarklet;
mod cli;
mod database;
mod diff;
mod exports;
#[cfg(feature = "profiles")]
mod extract;
mod infer;
mod mapping;
mod plan;
mod printer;
mod report;
mod shipped;
mod typegen;
mod unreadable;

use jiff::Timestamp;
use migrator::export::Export;
use migrator::mapping::Mapping;
use migrator::plan::{Context, Known, Plan};
use uuid::Uuid;

/// The owner all these plans are for.
const OWNER: Uuid = Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0001);

/// When all these plans are made.
const NOW: Timestamp = Timestamp::constant(1_772_366_400, 0);

/// A garden club: what the shipped mapping does not use.
const CLUB: &str = include_str!("fixtures/club.toml");

fn garage() -> Mapping {
    Mapping::read("garage", migrator::mapping::GARAGE).expect("the shipped mapping is sound")
}

fn club() -> Mapping {
    Mapping::read("club.toml", CLUB).expect("the fixture is sound")
}

fn export(json: &str) -> Export {
    Export::read("export.json", json.as_bytes()).expect("the fixture is JSON")
}

fn plan(mapping: &Mapping, json: &str) -> Plan {
    let context =
        Context::new(mapping, OWNER, None, None, crate::NOW).expect("the mapping's own scope and zone");
    Plan::new(&export(json), mapping, &context, &Known::default()).expect("the mapping fits the fixture")
}

/// A plan as lines a person can read and compare.
fn story(plan: &Plan) -> String {
    let mut lines = vec![format!("shape {}", plan.shape)];
    for table in &plan.tables {
        lines.push(format!(
            "{}: {} records = {} rows + {} merged + {} rejected",
            table.name,
            table.records,
            table.rows.len(),
            table.merged,
            table.rejected
        ));
        lines.extend(table.rows.all().expect("room").iter().map(|row| {
            let cells = table
                .columns
                .iter()
                .zip(&row.cells)
                .filter(|(_, cell)| **cell != migrator::cell::Cell::Unset);
            let cells: Vec<String> = cells
                .map(|(column, cell)| {
                    format!("{}={}", column.name, serde_json::to_string(cell).expect("JSON"))
                })
                .collect();
            format!("  {} {}", row.at, cells.join(" "))
        }));
    }
    lines.extend(plan.rejects.shown.iter().map(|reject| {
        let column = reject.column.as_deref().unwrap_or("-");
        format!("reject {} {}.{column} {}: {}", reject.pointer, reject.table, reject.code, reject.message)
    }));
    lines.extend(plan.warnings.shown.iter().map(|warning| {
        format!("warning {} {}.{}: {}", warning.pointer, warning.table, warning.column, warning.message)
    }));
    lines.extend(
        plan.coercions.iter().map(|tally| {
            format!("coercion {}.{} {} × {}", tally.table, tally.column, tally.kind, tally.count)
        }),
    );
    lines.extend(
        plan.unknown_fields
            .iter()
            .map(|field| format!("unknown field {}.{} × {}", field.table, field.field, field.count)),
    );
    lines.extend(plan.not_mapped.iter().map(|key| format!("not mapped {} ({})", key.pointer, key.records)));
    lines.extend(plan.ignored.iter().map(|key| format!("ignored {} ({})", key.pointer, key.records)));
    lines.extend(plan.secrets.iter().map(|place| format!("secret {place}")));
    lines.join("\n")
}
