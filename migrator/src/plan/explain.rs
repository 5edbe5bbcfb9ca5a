//! How one record becomes a row, step by step. It shows values, for it is what was asked for.

use serde::{Serialize, Serializer};

use super::Coercion;
use super::build::{Ground, Notes};
use super::candidate::Candidate;
use super::settle::Settled;
use crate::cell::Cell;
use crate::convert::Refusal;
use crate::mapping::{Field, Input, Table};
use crate::node::Node;
use crate::record::Fates;

/// Which record is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The table it goes to.
    pub table: String,
    /// Its old id, its row's id, or its place in the file.
    pub id: String,
}

/// How a record becomes a row.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// The table.
    pub table: String,
    /// Where the record stands.
    pub pointer: String,
    /// Its row's id; none where it can have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the id was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legacy_id: Option<String>,
    /// Why it becomes no row, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The columns.
    pub columns: Vec<ExplainedColumn>,
    /// What no column reads, as JSON.
    pub left_over: String,
}

/// How a column gets its value.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedColumn {
    /// Its name.
    pub column: String,
    /// Its type.
    pub kind: String,
    /// The field it is read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What stands there, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// What was done to it.
    #[serde(serialize_with = "stories")]
    pub steps: Vec<Coercion>,
    /// What is stored, as JSON; none where the database decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why it cannot be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// What a person should look at.
    pub warnings: Vec<String>,
}

/// Why something cannot be stored. Programs read it as one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// A stable name for the reason.
    pub code: &'static str,
    /// The reason.
    pub message: String,
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        Self { code: refusal.code, message: refusal.message.clone() }
    }
}

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} ({})", self.message, self.code))
    }
}

fn stories<S: Serializer>(steps: &[Coercion], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(steps.iter().map(|step| step.story()))
}

impl Wanted {
    /// True for the record that is meant.
    pub(super) fn means(&self, table: &Table, candidate: &Candidate) -> bool {
        let is_named = candidate.identified.as_ref().is_ok_and(|identified| {
            identified.legacy == self.id || identified.id.to_string() == self.id.to_lowercase()
        });
        table.name == self.table && (is_named || candidate.record.at.as_str() == self.id)
    }
}

impl Ground<'_> {
    /// Explains a record.
    pub(super) fn explain(&self, table: &Table, settled: &Settled, candidate: &Candidate) -> Explained {
        let record = &candidate.record;
        let mut fates = Fates::default();
        let columns = table.columns.iter().map(|column| {
            let mut notes = Notes::default();
            let found = match &column.source {
                Input::Const(_) => None,
                Input::Fields(fields) => {
                    let found = record.take(fields, &mut Fates::default());
                    found.field.zip(found.value)
                }
            };
            let id = candidate.identified.as_ref().map(|identified| identified.id).unwrap_or_default();
            let cell = self.cell(table, settled, column, (record, id), &mut fates, &mut notes);
            ExplainedColumn {
                column: column.name.clone(),
                kind: column.kind.to_string(),
                field: found.map(|(field, _)| spelt(field)),
                raw: found.map(|(_, value)| value.to_json()),
                steps: notes.steps(),
                value: cell
                    .as_ref()
                    .ok()
                    .filter(|cell| **cell != Cell::Unset)
                    .map(|cell| serde_json::to_string(cell).unwrap_or_default()),
                refused: cell.as_ref().err().map(Refused::from),
                warnings: notes.remarks(),
            }
        });
        let columns: Vec<_> = columns.collect();
        let identified = candidate.identified.as_ref();
        Explained {
            table: table.name.clone(),
            pointer: record.at.to_string(),
            id: identified.ok().map(|identified| identified.id.to_string()),
            legacy_id: identified.ok().map(|identified| identified.legacy.clone()),
            refused: identified.err().map(Refused::from),
            columns,
            left_over: Node::Map(record.left_over(&fates)).to_json(),
        }
    }
}

fn spelt(field: &Field) -> String {
    match field {
        Field::Whole => "$".to_owned(),
        Field::Key => "$key".to_owned(),
        Field::Group => "$group".to_owned(),
        Field::Index => "$index".to_owned(),
        Field::Named(steps) => steps.join("/"),
    }
}
