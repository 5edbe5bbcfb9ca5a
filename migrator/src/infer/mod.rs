//! What a file nobody has seen holds, and the tables it would fit.
//!
//! [`source`] walks the export once and counts what stands in each place (`stats`); `layout` finds the
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

use crate::export::Export;
use crate::mapping::Mapping;
use model::Model;
use sql::Schema;

/// Says what is in an export.
pub fn inspect(export: &Export) -> Inspection {
    let read = source::read(export);
    let reads = [read];
    let model = Model::of(&reads, &Wishes::default());
    let [read] = &reads;
    Inspection::of(read, &model)
}

/// A mapping for the exports of one app, as TOML; times without a zone are read in `tz`.
pub fn mapping(exports: &[Export], wishes: &Wishes, tz: &str) -> String {
    toml::mapping(&model_of(exports, wishes), tz)
}

/// The tables for the exports of one app, as SQL, with the name of the app.
pub fn tables(exports: &[Export], wishes: &Wishes, owner: &str, choice: Choice) -> (String, String) {
    let schema = Schema::of_model(&model_of(exports, wishes), owner);
    (schema.name().to_owned(), schema.sql(choice))
}

/// The tables a mapping fills, as SQL.
pub fn tables_of_mapping(mapping: &Mapping, owner: &str, choice: Choice) -> String {
    Schema::of_mapping(mapping, owner).sql(choice)
}

/// Which paths of a mapping lead nowhere in an export.
pub fn paths_that_lead_nowhere(mapping: &Mapping, export: &Export) -> Vec<fit::Misfit> {
    fit::with_file(mapping, &source::read(export))
}

/// A name as a file or a table can have it.
pub fn plain_name(name: &str) -> String {
    names::plain(name)
}

fn model_of(exports: &[Export], wishes: &Wishes) -> Model {
    let reads: Vec<_> = exports.iter().map(source::read).collect();
    Model::of(&reads, wishes)
}
