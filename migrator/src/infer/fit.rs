//! Whether a mapping fits the tables that are there, and the file it is for.

use serde::Serialize;

use crate::catalog::{Catalog, Column as Held, Relation, TypeName};
use crate::cell::Type;
use crate::export::Export;
use crate::mapping::{Absent, EXTRA, Mapping, Path, Table, UnknownKeys};

/// The schema the tables lie in.
const SCHEMA: &str = "public";

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// The table of the mapping.
    pub table: String,
    /// Its column, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// A stable name for the reason.
    pub code: &'static str,
    /// The reason.
    pub message: String,
}

/// What a column must be able to hold.
struct Sent<'m> {
    name: &'m str,
    kind: Type,
    /// True when every row has a value.
    always: bool,
    /// True when some row may leave it to the table.
    unset: bool,
}

/// What of a mapping the tables cannot take.
pub fn with_catalog(mapping: &Mapping, catalog: &Catalog) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    for table in &mapping.tables {
        let is_it = |relation: &&Relation| {
            (relation.object.schema.as_str(), &relation.object.name) == (SCHEMA, &table.name)
        };
        match catalog.relations.iter().find(is_it) {
            None => misfits.push(misfit(table, None, "table_missing", "there is no such table in public")),
            Some(relation) => with_table(mapping, table, relation, catalog, &mut misfits),
        }
    }
    misfits
}

fn with_table(
    mapping: &Mapping,
    table: &Table,
    relation: &Relation,
    catalog: &Catalog,
    misfits: &mut Vec<Misfit>,
) {
    let sent = sent(mapping, table);
    let unique_id = relation.key == ["id"] || relation.uniques.iter().any(|unique| unique.columns == ["id"]);
    if !unique_id {
        misfits.push(misfit(
            table,
            Some("id"),
            "id_not_unique",
            "no primary or unique key on id alone: rows could not be found again",
        ));
    }
    for column in &sent {
        let Some(held) = relation.columns.iter().find(|held| held.name == column.name) else {
            misfits.push(misfit(table, Some(column.name), "column_missing", "the table has no such column"));
            continue;
        };
        if !holds(&held.of, column.kind, catalog) {
            let message = format!("the column is {}, and the mapping sends {}", held.of, column.kind);
            misfits.push(misfit(table, Some(column.name), "column_type", &message));
        }
        let filled = column.always || column.unset && catalog.has_default(held);
        if !filled && !catalog.is_nullable(held) {
            misfits.push(misfit(
                table,
                Some(column.name),
                "column_not_null",
                "the column is NOT NULL, and a record may have nothing for it: write required = true, or a default",
            ));
        }
    }
    let unfilled = |held: &&Held| {
        !sent.iter().any(|column| column.name == held.name)
            && !catalog.is_nullable(held)
            && !catalog.has_default(held)
            && held.fill == crate::catalog::Fill::Never
    };
    for held in relation.columns.iter().filter(unfilled) {
        misfits.push(misfit(
            table,
            Some(&held.name),
            "column_without_source",
            "the column is NOT NULL without a default, and the mapping does not fill it",
        ));
    }
}

fn sent<'m>(mapping: &'m Mapping, table: &'m Table) -> Vec<Sent<'m>> {
    let always = |name: &'m str, kind| Sent { name, kind, always: true, unset: false };
    let mut sent = vec![always("id", Type::Uuid)];
    sent.extend(table.columns.iter().map(|column| Sent {
        name: &column.name,
        kind: column.kind,
        always: matches!(column.absent, Absent::Value(_) | Absent::Reject)
            || column.source.fields().is_empty(),
        unset: matches!(column.absent, Absent::Database),
    }));
    if let Some(parent) = &table.parent {
        sent.push(always(&parent.column, Type::Uuid));
        sent.extend(parent.position.as_deref().map(|name| always(name, Type::Int4)));
    }
    sent.extend(mapping.owner_column.as_deref().map(|name| always(name, Type::Uuid)));
    sent.extend(mapping.ids.legacy_column.as_deref().map(|name| always(name, Type::Text)));
    sent.extend(mapping.ids.scope_column.as_deref().map(|name| always(name, Type::Text)));
    sent.extend((mapping.source.unknown_keys == UnknownKeys::Extra).then(|| always(EXTRA, Type::Jsonb)));
    sent
}

/// True if a column of the database takes what the mapping sends.
fn holds(held: &TypeName, kind: Type, catalog: &Catalog) -> bool {
    let mut of = held;
    // A domain holds what the type below it does.
    while let Some(domain) = catalog
        .domains
        .iter()
        .find(|domain| !of.array && (&domain.object.schema, &domain.object.name) == (&of.schema, &of.name))
    {
        of = &domain.base;
    }
    let is_enum =
        catalog.enums.iter().any(|one| (&one.object.schema, &one.object.name) == (&of.schema, &of.name));
    let name = of.name.as_str();
    match kind {
        Type::TextArray => of.array && matches!(name, "text" | "varchar"),
        _ if of.array => false,
        Type::Text => is_enum || matches!(name, "text" | "varchar" | "bpchar" | "citext" | "name"),
        Type::Int4 => matches!(name, "int4" | "int8" | "numeric"),
        Type::Int8 => matches!(name, "int8" | "numeric"),
        Type::Numeric(_) => name == "numeric",
        Type::Bool => name == "bool",
        Type::Date => name == "date",
        Type::Timestamptz => name == "timestamptz",
        Type::Uuid => name == "uuid",
        Type::Jsonb => matches!(name, "jsonb" | "json"),
    }
}

/// Which tables of a mapping find nothing in an export.
pub(crate) fn with_export(mapping: &Mapping, export: &Export) -> Vec<Misfit> {
    let leads = |path: &Path| {
        export.documents.iter().any(|document| {
            let shapes = &mapping.source.shapes;
            shapes.iter().any(|shape| !path.find(&shape.root, &shape.prefix, document).is_empty())
        })
    };
    let tables =
        mapping.tables.iter().filter(|table| table.parent.is_none() && !table.from.iter().any(leads));
    let lost = tables.map(|table| {
        let paths: Vec<String> = table.from.iter().map(ToString::to_string).collect();
        misfit(
            table,
            None,
            "path_matches_nothing",
            &format!("nothing in {} is at {}", export.name(), paths.join(" or ")),
        )
    });
    lost.collect()
}

fn misfit(table: &Table, column: Option<&str>, code: &'static str, message: &str) -> Misfit {
    Misfit { table: table.name.clone(), column: column.map(str::to_owned), code, message: message.to_owned() }
}
