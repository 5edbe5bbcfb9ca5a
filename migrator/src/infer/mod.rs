//! What a file nobody has seen holds, and the tables it would fit.
//!
//! `source` walks the export once and counts what stands in each place (`stats`); `layout` finds the
//! collections, `merge` those that hold the same records twice, and `model` makes tables of the rest.
//! A model is rendered three ways: as a report, as a mapping, as SQL. All of it is pure, and every value
//! of every record is counted: nothing is decided by a sample.

pub mod fit;
mod keys;
mod layout;
mod merge;
mod model;
mod names;
mod noise;
mod refs;
mod report;
mod source;
mod sql;
mod stats;
mod text;
mod toml;
mod types;

pub use model::Wishes;
pub use report::Inspection;
pub use sql::Choice;

use crate::exit::{self, Failure};
use crate::export::Export;
use crate::mapping::Mapping;
use model::Model;
use source::Read;
use sql::Schema;

/// Says what is in each file of an export.
///
/// # Errors
/// Exit code 5 when a file can no longer be read.
pub fn inspect(export: &Export) -> Result<Vec<Inspection>, Failure> {
    let reads = source::read(export)?;
    let inspect =
        |read: &Read| Inspection::of(read, &Model::of(std::slice::from_ref(read), &Wishes::default()));
    Ok(reads.iter().map(inspect).collect())
}

/// A mapping for the exports of one app, as TOML.
///
/// # Errors
/// Exit code 5 when a file can no longer be read, or holds nothing that could be a record.
pub fn mapping(export: &Export, wishes: &Wishes) -> Result<String, Failure> {
    must_hold_something(export)?;
    Ok(toml::mapping(&Model::of(&source::read(export)?, wishes), wishes))
}

/// The tables for the exports of one app, as SQL, with the name of the app.
///
/// # Errors
/// Exit code 5 when a file can no longer be read, or holds nothing that could be a record.
pub fn tables(
    export: &Export,
    wishes: &Wishes,
    owner: &str,
    choice: Choice,
) -> Result<(String, String), Failure> {
    must_hold_something(export)?;
    let schema = Schema::of_model(&Model::of(&source::read(export)?, wishes), owner);
    Ok((schema.name().to_owned(), schema.sql(choice)))
}

/// The tables a mapping fills, as SQL.
pub fn tables_of_mapping(mapping: &Mapping, owner: &str, choice: Choice) -> String {
    Schema::of_mapping(mapping, owner).sql(choice)
}

/// Which tables of a mapping find nothing in an export.
pub fn paths_that_lead_nowhere(mapping: &Mapping, export: &Export) -> Vec<fit::Misfit> {
    fit::with_export(mapping, export)
}

/// A name as a file or a table can have it.
pub fn plain_name(name: &str) -> String {
    names::plain(name)
}

/// Refuses a document that is a single value: no mapping makes rows of it.
fn must_hold_something(export: &Export) -> Result<(), Failure> {
    let Some(bare) = export.documents.iter().find(|document| !document.root.is_container()) else {
        return Ok(());
    };
    let message = format!("{}: there are no records in it, it is just {}", bare.file, bare.root.word());
    Err(Failure::new(exit::INPUT, "export.no_records", message)
        .help("give the file the app exported, unchanged"))
}
