//! The items of the file that hold values: enums, domains, composite types, and the rows of tables.

use std::collections::BTreeSet;

use crate::catalog::{Column, Composite, Domain, Enum, Fill, Kind, Object, Reference, Relation};
use crate::typegen::name::{self, Names};
use crate::typegen::scope::{RowNames, Scope};
use crate::typegen::source::{Source, code, comment, literal};

/// What a row derives; the last of them reads the attribute after it.
pub(crate) const ROW: &str =
    "#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]";

/// A field of a struct, ready to be written.
pub(crate) struct Field {
    pub(crate) doc: Vec<String>,
    /// What `#[table(…)]` says about it, if anything.
    pub(crate) marks: Vec<&'static str>,
    /// Its name in the database.
    pub(crate) column: String,
    /// Its type, with the `Option` around it.
    pub(crate) of: String,
    /// Whether it is left out of what is sent while it is unset.
    pub(crate) may_be_unset: bool,
}

/// Writes an enum type. The macro adds a variant for labels that come later, called `Other`.
pub(crate) fn write_enum(item: &Enum, name: &str, source: &mut Source) {
    source.line(0, "");
    source.line(0, "supabase_sdk::pg_enum! {");
    source.doc(1, &[said(&item.object, &format!("One of the labels of {}.", code(&item.object.name)))]);
    source.line(1, &format!("pub enum {name} {{"));
    let mut names = Names::without(&["Other"]);
    for label in &item.labels {
        let wish = name::of_variant(label);
        let variant = match wish.as_str() {
            "Other" => names.give(&["Other_"]),
            _ => names.give(&[&wish]),
        };
        source.line(2, &format!("{variant} = {},", literal(label)));
    }
    source.line(1, "}");
    source.line(0, "}");
}

/// Writes a domain: another name for the type it is over.
pub(crate) fn write_domain(item: &Domain, name: &str, scope: &Scope<'_>, source: &mut Source) {
    let mut rules: Vec<String> = item.checks.iter().map(|check| code(check)).collect();
    if item.not_null {
        rules.push(code("NOT NULL"));
    }
    source.line(0, "");
    source
        .doc(0, &[said(&item.object, &format!("A value of the domain {}.", code(&item.object.name))), rules]);
    source.typed(0, &format!("pub type {name} ="), &scope.rust(&item.base), ';');
}

/// Writes a composite type. PostgreSQL takes a null for each of its fields.
pub(crate) fn write_composite(item: &Composite, name: &str, scope: &Scope<'_>, source: &mut Source) {
    source.line(0, "");
    source.doc(0, &[said(&item.object, &format!("A value of {}.", code(&item.object.name)))]);
    source.line(0, "#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]");
    let fields = item.fields.iter().map(|column| Field {
        doc: comment(column.comment.as_deref().unwrap_or_default()),
        marks: Vec::new(),
        column: column.name.clone(),
        of: format!("Option<{}>", scope.rust(&column.of)),
        may_be_unset: false,
    });
    write_struct(name, &fields.collect::<Vec<_>>(), source);
}

/// Writes the row of a table or view.
pub(crate) fn write_row(relation: &Relation, names: &RowNames, scope: &Scope<'_>, source: &mut Source) {
    let references =
        sorted(relation.references.iter().map(|reference| {
            format!("References {} by {}.", code(&target(reference)), code(&reference.name))
        }));
    let uniques =
        sorted(relation.uniques.iter().map(|unique| {
            format!("Unique: {} by {}.", code(&unique.columns.join(", ")), code(&unique.name))
        }));
    source.line(0, "");
    source.doc(
        0,
        &[said(&relation.object, &format!("Row of {}.", code(&relation.object.name))), references, uniques],
    );
    source.line(0, ROW);
    let structs: BTreeSet<&str> = relation
        .references
        .iter()
        .filter_map(|reference| scope.row(&reference.schema, &reference.table))
        .collect();
    let structs: Vec<&str> = structs.into_iter().collect();
    let mut parts = table(&relation.object);
    if !structs.is_empty() {
        parts.push(format!("references({})", structs.join(", ")));
    }
    parts.extend(names.insert.iter().map(|insert| format!("insert = {insert}")));
    parts.extend(names.update.iter().map(|update| format!("update = {update}")));
    source.line(0, &format!("#[table({})]", parts.join(", ")));
    let is_written = names.insert.is_some() || names.update.is_some();
    // A view's columns promise nothing: it may join rows that are not there.
    let is_view = matches!(relation.kind, Kind::View | Kind::MaterializedView);
    let fields = relation.columns.iter().map(|column| {
        let rust = scope.rust(&column.of);
        Field {
            doc: comment(column.comment.as_deref().unwrap_or_default()),
            marks: marks(column, relation, is_written, scope),
            column: column.name.clone(),
            of: if is_view || scope.catalog.is_nullable(column) { format!("Option<{rust}>") } else { rust },
            may_be_unset: false,
        }
    });
    write_struct(&names.row, &fields.collect::<Vec<_>>(), source);
}

/// Writes a struct, whose documentation and attributes stand before it.
pub(crate) fn write_struct(name: &str, fields: &[Field], source: &mut Source) {
    if fields.is_empty() {
        return source.line(0, &format!("pub struct {name} {{}}"));
    }
    source.line(0, &format!("pub struct {name} {{"));
    let names = Names::fields(fields.iter().map(|field| field.column.as_str()));
    for (field, name) in fields.iter().zip(names) {
        source.doc(1, std::slice::from_ref(&field.doc));
        if !field.marks.is_empty() {
            source.line(1, &format!("#[table({})]", field.marks.join(", ")));
        }
        if name != field.column {
            source.line(1, &format!("#[serde(rename = {})]", literal(&field.column)));
        }
        if field.may_be_unset {
            source.line(1, r#"#[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]"#);
        }
        source.typed(1, &format!("pub {name}:"), &field.of, ',');
    }
    source.line(0, "}");
}

/// An object's comment, or what there is to say without one.
pub(crate) fn said(object: &Object, otherwise: &str) -> Vec<String> {
    let lines = comment(object.comment.as_deref().unwrap_or_default());
    if lines.is_empty() { vec![otherwise.to_owned()] } else { lines }
}

/// What `#[table(…)]` says first.
pub(crate) fn table(object: &Object) -> Vec<String> {
    let mut parts = vec![format!("name = {}", literal(&object.name))];
    if object.schema != "public" {
        parts.push(format!("schema = {}", literal(&object.schema)));
    }
    parts
}

fn marks(column: &Column, relation: &Relation, is_written: bool, scope: &Scope<'_>) -> Vec<&'static str> {
    let marks = [
        ("key", relation.key.contains(&column.name)),
        ("default", is_written && scope.catalog.has_default(column)),
        ("generated", is_written && column.fill == Fill::Always),
    ];
    marks.into_iter().filter(|(_, holds)| *holds).map(|(mark, _)| mark).collect()
}

fn target(reference: &Reference) -> String {
    let schema = if reference.schema == "public" { String::new() } else { format!("{}.", reference.schema) };
    format!("{schema}{} ({})", reference.table, reference.target.join(", "))
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort_unstable();
    lines
}
