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
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
        std::fs::write(&file, text).expect("the crate's own folder");
    }
    // As values: which order keys come in hangs on what else the build holds.
    let published: Option<serde_json::Value> =
        std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    assert!(
        published.as_ref() == Some(schema.as_value()),
        "{} is stale: run this test with UPDATE_SCHEMA=1",
        file.display()
    );
}
