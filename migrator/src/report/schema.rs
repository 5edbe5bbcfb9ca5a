//! The published shape of a report, made from its types.

use std::path::Path;

use schemars::generate::SchemaSettings;

use super::Report;

/// `UPDATE_SCHEMA=1 cargo test -p supabase-migrator schema` writes the file anew.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("report.schema.json");
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema = generator.into_root_schema_for::<Report>();
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &text).expect("the crate's own folder");
    }
    let published = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(published == text, "{} is stale: run this test with UPDATE_SCHEMA=1", file.display());
}
