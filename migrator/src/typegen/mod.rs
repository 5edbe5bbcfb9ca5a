//! Rust, from a catalog: a struct for each table, and what its columns are of.
//!
//! The same catalog gives the same text, whatever order it came in. Whatever the database allows, the text
//! is Rust: names become identifiers, comments become documentation that runs no code, and who has a
//! name keeps it alone.

mod item;
pub(crate) mod name;
pub(crate) mod noun;
mod routine;
mod scope;
mod source;
mod stale;

pub use stale::Stale;

use crate::catalog::Catalog;
use crate::exit::{self, Failure};
use crate::typegen::scope::Scope;
use crate::typegen::source::Source;

/// What to write, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The schemas whose tables, types and functions are written.
    pub schemas: Vec<String>,
    /// What times become.
    pub time: Time,
    /// Names for the structs of tables, instead of those we would find.
    pub renames: Vec<Rename>,
}

/// What dates and times become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Time {
    /// Types of the crate jiff
    #[default]
    Jiff,
    /// Types of the crate chrono
    Chrono,
    /// Text, as the database writes it
    Text,
}

/// A struct's name, chosen by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The table, with or without its schema before it.
    pub table: String,
    /// The name of its row's struct.
    pub name: String,
}

/// A Rust file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its text.
    pub source: String,
    /// What is not in it though it is in the schemas, each with the reason.
    pub left_out: Vec<String>,
}

/// Public alone, with jiff.
impl Default for Options {
    fn default() -> Self {
        Self { schemas: vec!["public".to_owned()], time: Time::default(), renames: Vec::new() }
    }
}

impl Time {
    /// The word for it on the command line.
    fn word(self) -> &'static str {
        match self {
            Self::Jiff => "jiff",
            Self::Chrono => "chrono",
            Self::Text => "text",
        }
    }
}

/// `table=StructName`, as on the command line.
impl std::str::FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (table, name) = text.rsplit_once('=').ok_or("write it as table=StructName")?;
        if !name::is_type(name) {
            return Err(format!("{name:?} cannot be the name of a struct; write it like Customer"));
        }
        Ok(Self { table: table.to_owned(), name: name.to_owned() })
    }
}

/// Writes the Rust file of a catalog.
///
/// # Errors
/// Exit code 7 for a schema that is not there, 2 for a name that renames no table or is given twice.
///
/// ```
/// use migrator::catalog::Catalog;
/// use migrator::typegen::{Options, generate};
///
/// let catalog = Catalog { schemas: vec!["public".into()], ..Catalog::default() };
/// let file = generate(&catalog, &Options::default())?;
/// assert!(file.source.starts_with("// Written by `migrator types`. Do not edit: run it again."));
/// # Ok::<(), migrator::exit::Failure>(())
/// ```
pub fn generate(catalog: &Catalog, options: &Options) -> Result<Generated, Failure> {
    let mut schemas: Vec<&str> = options.schemas.iter().map(String::as_str).collect();
    schemas.sort_unstable();
    schemas.dedup();
    if let Some(missing) = schemas.iter().find(|schema| !catalog.schemas.iter().any(|there| there == *schema))
    {
        let mut there = catalog.schemas.clone();
        there.sort_unstable();
        let message = format!("the database has no schema {missing:?}");
        return Err(Failure::new(exit::REFUSED, "catalog.no_schema", message)
            .help(format!("it has {}", there.join(", "))));
    }
    let (scope, left_out) = Scope::new(catalog, &schemas, options)?;
    let mut source = Source::default();
    head(&schemas, options, &mut source);
    scope.enums().for_each(|(item, name)| item::write_enum(item, name, &mut source));
    scope.domains().for_each(|(item, name)| item::write_domain(item, name, &scope, &mut source));
    scope.composites().for_each(|(item, name)| item::write_composite(&item, name, &scope, &mut source));
    scope.rows().for_each(|(relation, names)| item::write_row(relation, names, &scope, &mut source));
    scope.routines().for_each(|(function, names)| routine::write(function, names, &scope, &mut source));
    Ok(Generated { source: source.text(), left_out })
}

/// Says where the file comes from, and asks nobody to approve of its style.
fn head(schemas: &[&str], options: &Options, source: &mut Source) {
    let mut command = "migrator types".to_owned();
    let shown = |word: &str| match word.chars().all(|sign| sign.is_alphanumeric() || "_.=".contains(sign)) {
        true => word.to_owned(),
        false => format!("{word:?}"),
    };
    schemas.iter().for_each(|schema| command.push_str(&format!(" --schema {}", shown(schema))));
    if options.time != Time::default() {
        command.push_str(&format!(" --time {}", options.time.word()));
    }
    let mut renames: Vec<_> = options.renames.iter().map(|rename| shown(&rename.to_string())).collect();
    renames.sort_unstable();
    renames.iter().for_each(|rename| command.push_str(&format!(" --rename {rename}")));
    source.line(0, "// Written by `migrator types`. Do not edit: run it again.");
    source.line(0, &format!("// {command}"));
    source.line(0, "#![allow(dead_code, missing_docs, unreachable_pub)]");
    source.line(0, "#![allow(clippy::all, clippy::pedantic, rustdoc::all)]");
}

impl std::fmt::Display for Rename {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}={}", self.table, self.name)
    }
}
