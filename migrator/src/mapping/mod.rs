//! Which record becomes which row.
//!
//! A mapping is a TOML file. What it says is checked when it is read, against itself:
//! every key is known, every name is plain, every reference leads to a table, and no
//! option stands where it has no meaning. After that nothing about it can fail.
//! Tables are kept parents first; the children of a table are tables with a [`Parent`].

mod bound;
mod check;
mod file;
pub mod media;
mod path;

use jiff::tz::TimeZone;
use uuid::Uuid;

pub use bound::{Bound, Unit};
pub use file::{DateFormat, Day, Empty, Mojibake, NumberStyle, Orphan, Round, Unknown, UnknownKeys, Via};
pub use media::{Media, Pattern};
pub(crate) use path::Found;
pub use path::Path;

pub use crate::export::Items;

use crate::cell::{Cell, Type};
use crate::exit::Failure;
use crate::pointer::Pointer;

/// The mapping of the garage app, which comes with the program.
pub const GARAGE: &str = include_str!("../../mappings/garage.toml");

/// The column that takes what has no column, under `unknown_keys = "extra"`.
pub const EXTRA: &str = "extra";

/// The mappings that come with the program, by name.
pub const SHIPPED: [(&str, &str); 4] = [
    ("garage", GARAGE),
    ("calendar", include_str!("../../mappings/calendar.toml")),
    ("streaming", include_str!("../../mappings/streaming.toml")),
    ("health", include_str!("../../mappings/health.toml")),
];

/// Returns the mapping that comes with the program under this name.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, mapping)| *mapping)
}

/// A mapping, checked.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The name of the app it is for.
    pub name: String,
    /// How the export looks.
    pub source: Source,
    /// How ids are made.
    pub ids: Ids,
    /// The column that says whose row it is.
    pub owner_column: Option<String>,
    /// What is left out on purpose.
    pub ignore: Vec<Path>,
    /// Parents before children and before whoever refers to them.
    pub tables: Vec<Table>,
    /// Where the accounts of the old app lie.
    pub accounts: Option<Accounts>,
    /// The mapping as it is written.
    pub text: String,
}

/// The accounts of the old app: they become accounts of the project, and no rows.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// The collections.
    pub from: Vec<Path>,
    /// The old id.
    pub id: Field,
    /// The address they sign in with.
    pub email: Option<Field>,
    /// The number they sign in with.
    pub phone: Option<Field>,
    /// The hash of their password.
    pub password_hash: Option<Field>,
    /// What else is kept with the account.
    pub data: Vec<(String, Field)>,
}

/// How the export looks.
#[derive(Debug, Clone)]
pub struct Source {
    /// The zone of times that do not say theirs.
    pub zone: TimeZone,
    /// What becomes of a field that no column reads.
    pub unknown_keys: UnknownKeys,
    /// The scope of all ids; none means the owner.
    pub scope: Option<String>,
    /// The shapes the file may have, in the order they are tried.
    pub shapes: Vec<Shape>,
    /// What becomes of texts whose characters were spelt twice.
    pub mojibake: Mojibake,
}

/// One shape an export may have.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What the report calls it.
    pub name: String,
    /// Where the collections lie.
    pub root: Pointer,
    /// What the app puts before the name of each.
    pub prefix: String,
}

/// How ids are made, and where what they were made from is kept.
#[derive(Debug, Clone)]
pub struct Ids {
    /// The namespace of the app; fixed for good.
    pub namespace: Uuid,
    /// The column for the old id.
    pub legacy_column: Option<String>,
    /// The column for the scope.
    pub scope_column: Option<String>,
}

/// What one collection becomes.
#[derive(Debug, Clone)]
pub struct Table {
    /// The table.
    pub name: String,
    /// The collections, all that the file has. Of two records with one id that of the earlier is taken, where
    /// no clock tells.
    pub from: Vec<Path>,
    /// Collections of other things that name records of this table.
    pub mentions: Option<Mentions>,
    /// Where the id comes from.
    pub id: IdRule,
    /// The field that tells the newer of two records with one id.
    pub clock: Option<String>,
    /// The columns it fills.
    pub columns: Vec<Column>,
    /// The record its records lie in, for a child.
    pub parent: Option<Parent>,
}

/// Records that name those of a table, which may have no list of their own: who is named and listed nowhere
/// is a record with nothing but a name, which is its `$key`.
#[derive(Debug, Clone)]
pub struct Mentions {
    /// The collections.
    pub from: Vec<Path>,
    /// The first of these fields that holds something is the id of who is named.
    pub by: Vec<Field>,
}

/// What a child knows of its parent.
#[derive(Debug, Clone)]
pub struct Parent {
    /// The parent's table.
    pub table: String,
    /// The column that takes the parent's id.
    pub column: String,
    /// The column that takes the place in the list.
    pub position: Option<String>,
    /// The field that names the parent, in records that do not lie in it.
    pub named_by: Option<Field>,
}

/// Where a record's id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdRule {
    /// These fields, all of them required.
    Fields(Vec<Field>),
    /// These fields tell records without an id apart; equals are numbered.
    Natural(Vec<Field>),
    /// The first of some fields that holds something; a record without any goes by its natural key.
    First {
        /// The fields, best first.
        fields: Vec<Field>,
        /// The natural key of those without.
        natural: Vec<Field>,
    },
}

/// What a column or an id reads from a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `$`: the whole record.
    Whole,
    /// `$key`: the name it is kept under.
    Key,
    /// `$group`: the name of what it lies in.
    Group,
    /// `$index`: its place in the list.
    Index,
    /// A field, or one in an object in a field: the names on the way to it, at least one.
    Named(Vec<String>),
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// What it reads.
    pub source: Input,
    /// What is stored when the record has nothing.
    pub absent: Absent,
    /// The table it points at.
    pub reference: Option<Reference>,
    /// The values it may have.
    pub choices: Option<Choices>,
    /// How a value is read.
    pub reading: Reading,
    /// The fields that may hold the time of day of what the column reads.
    pub time: Vec<Field>,
    /// Whether the value as it was stays in `extra` as well.
    pub keep: bool,
    /// Where the file goes that the value holds; the column then takes its path.
    pub media: Option<Media>,
}

/// What a column reads.
#[derive(Debug, Clone)]
pub enum Input {
    /// The same value for every row.
    Const(Cell),
    /// The first of these fields that has something.
    Fields(Vec<Field>),
}

/// What is stored when the record has nothing.
#[derive(Debug, Clone)]
pub enum Absent {
    /// NULL.
    Null,
    /// This value.
    Value(Cell),
    /// Whatever the table says: the column is not sent.
    Database,
    /// Nothing; the record is rejected.
    Reject,
}

/// A column that points at another record by its old id.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The table it points at.
    pub table: String,
    /// The fields of the other record that the value may be; none for its id.
    pub by: Vec<Field>,
    /// What becomes of it when the record is not there.
    pub orphan: Orphan,
}

/// The values an enumerated column may have, and how the app spells each.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The value stored, and its folded spellings; it is one of them itself.
    pub values: Vec<(String, Vec<String>)>,
    /// What becomes of any other value.
    pub unknown: Unknown,
}

/// How a value is read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Changes to a text, in order.
    pub via: Vec<Via>,
    /// How a date may be spelt.
    pub formats: Vec<DateFormat>,
    /// Which moment a day means.
    pub day: Day,
    /// Which dates the column allows.
    pub bounds: Option<Bounds>,
    /// How a text spells a number.
    pub number: Option<NumberStyle>,
    /// The code of the currency that may stand beside a number.
    pub money: Option<String>,
    /// Which digits may go.
    pub round: Option<Round>,
    /// What an empty text means.
    pub empty: Option<Empty>,
}

/// Which dates a column allows.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The first day.
    pub min: Option<Bound>,
    /// The last day.
    pub max: Option<Bound>,
    /// What becomes of any other.
    pub unknown: Unknown,
}

impl Mapping {
    /// Reads a mapping; `file` is its name, for messages.
    ///
    /// # Errors
    /// Exit code 2 with file, line and column, when the text is not TOML, has a key that
    /// is not known, or contradicts itself.
    pub fn read(file: &str, text: &str) -> Result<Self, Failure> {
        check::read(file, text)
    }

    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl Table {
    /// True for a table whose records lie in those of this one.
    pub(crate) fn is_child_of(&self, table: &str) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.table == table)
    }

    /// The tables whose rows must be there before the rows of this one.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        let references = self.columns.iter().filter_map(|column| column.reference.as_ref());
        let parent = self.parent.iter().map(|parent| parent.table.as_str());
        // A record may point at one of its own kind: that holds up nothing.
        let others = references.map(|reference| reference.table.as_str()).filter(|table| *table != self.name);
        others.chain(parent)
    }

    /// True when some column takes the record whole, whatever it is.
    pub(crate) fn takes_any_value(&self) -> bool {
        self.columns.iter().any(|column| column.source.fields().contains(&Field::Whole))
    }
}

impl Column {
    /// True when an empty text is a value of its own here.
    pub(crate) fn keeps_empty_text(&self) -> bool {
        self.kind == Type::Text && self.choices.is_none() && self.reading.empty.is_none()
    }
}

impl Field {
    /// A field of this name.
    pub fn named(name: &str) -> Self {
        Self::Named(vec![name.to_owned()])
    }
}

impl Input {
    /// The fields it reads, best first.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Const(_) => &[],
            Self::Fields(fields) => fields,
        }
    }
}
