//! The tables of a mapping as SQL, with who may do what to them.
//!
//! Every row is its owner's. A row can point at rows of its owner alone, since foreign keys carry
//! the owner; nobody signed out sees that there are tables.

use std::fmt::Write;

use super::model::{Model, Table};
use super::toml;
use crate::cell::Type;
use crate::mapping::{EXTRA, Mapping, UnknownKeys};

/// What a column of words becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Choice {
    /// A text, whatever it is
    #[default]
    Text,
    /// A text that a check holds to the words that were seen
    Check,
}

/// Tables to be made.
#[derive(Debug)]
pub(crate) struct Schema {
    name: String,
    owner: String,
    legacy: Option<String>,
    scope: Option<String>,
    extra: bool,
    tables: Vec<SqlTable>,
}

#[derive(Debug)]
struct SqlTable {
    name: String,
    comment: String,
    parent: Option<Above>,
    columns: Vec<SqlColumn>,
}

/// The table a child's rows belong to, with the columns that say so.
#[derive(Debug)]
struct Above {
    table: String,
    column: String,
    position: Option<String>,
}

#[derive(Debug)]
struct SqlColumn {
    name: String,
    kind: Type,
    required: bool,
    reference: Option<String>,
    choices: Vec<String>,
    comment: String,
}

impl Schema {
    /// The tables of a model.
    pub(crate) fn of_model(model: &Model, owner: &str) -> Self {
        let mut tables = Vec::new();
        model.tables.iter().for_each(|table| add(table, None, &mut tables));
        Self {
            name: model.name.clone(),
            owner: owner.to_owned(),
            legacy: Some("legacy_id".to_owned()),
            scope: Some("legacy_scope".to_owned()),
            extra: true,
            tables: targets_first(tables),
        }
    }

    /// The tables of a mapping.
    pub(crate) fn of_mapping(mapping: &Mapping, owner: &str) -> Self {
        let tables = mapping.tables.iter().map(|table| SqlTable {
            name: table.name.clone(),
            comment: format!(
                "From {}.",
                table.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
            parent: table.parent.as_ref().map(|parent| Above {
                table: parent.table.clone(),
                column: parent.column.clone(),
                position: parent.position.clone(),
            }),
            columns: table.columns.iter().map(of_column).collect(),
        });
        Self {
            name: mapping.name.clone(),
            owner: mapping.owner_column.clone().unwrap_or_else(|| owner.to_owned()),
            legacy: mapping.ids.legacy_column.clone(),
            scope: mapping.ids.scope_column.clone(),
            extra: mapping.source.unknown_keys == UnknownKeys::Extra,
            tables: targets_first(tables.collect()),
        }
    }

    /// The name of the app.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The statements that make the tables.
    pub(crate) fn sql(&self, choice: Choice) -> String {
        let mut out = format!(
            "-- Tables for what {} kept in the browser. Each row belongs to one person, in {}; nobody else can see\n-- that it exists, and a row can point at rows of its owner alone.\n",
            one_line(&self.name),
            self.owner
        );
        let stamped: Vec<&SqlTable> = self.tables.iter().filter(|table| !table.has("updated_at")).collect();
        if !stamped.is_empty() {
            let function = self.touch();
            let _ = write!(
                out,
                "\n-- Whatever a client sends, updated_at is when the row last changed here.\ncreate function public.{function}() returns trigger\nlanguage plpgsql set search_path = '' as $$\nbegin\n    new.updated_at := old.updated_at;\n    if new is distinct from old then\n        new.updated_at := now();\n    end if;\n    return new;\nend\n$$;\nrevoke execute on function public.{function}() from public, anon, authenticated;\n"
            );
        }
        self.tables.iter().for_each(|table| self.table(&mut out, table, choice));
        out.push_str("\nnotify pgrst, 'reload schema';\n");
        out
    }

    fn touch(&self) -> String {
        let name: String = super::names::plain(&self.name).chars().take(40).collect();
        format!("{name}_touch_updated_at")
    }

    fn table(&self, out: &mut String, table: &SqlTable, choice: Choice) {
        let (name, owner) = (quoted(&table.name), quoted(&self.owner));
        let mut lines = vec![
            "id uuid primary key".to_owned(),
            format!("{owner} uuid not null default auth.uid() references auth.users (id) on delete cascade"),
        ];
        if let Some(Above { column, position, .. }) = &table.parent {
            lines.push(format!("{} uuid not null", quoted(column)));
            lines.extend(position.iter().map(|position| format!("{} integer", quoted(position))));
        }
        lines.extend(table.columns.iter().map(|column| column.line(choice)));
        lines.extend(self.legacy.iter().map(|column| format!("{} text", quoted(column))));
        lines.extend(self.scope.iter().map(|column| format!("{} text", quoted(column))));
        if self.extra {
            lines.push(format!("{EXTRA} jsonb not null default '{{}}'"));
        }
        for stamp in ["created_at", "updated_at"].into_iter().filter(|stamp| !table.has(stamp)) {
            lines.push(format!("{stamp} timestamptz not null default now()"));
        }
        lines.push(format!("unique ({owner}, id)"));
        if let Some(Above { table: parent, column, .. }) = &table.parent {
            lines.push(format!(
                "foreign key ({owner}, {column}) references public.{} ({owner}, id) on delete cascade",
                quoted(parent),
                column = quoted(column)
            ));
        }
        for (column, target) in table.references() {
            let column = quoted(&column.name);
            lines.push(format!(
                "foreign key ({owner}, {column}) references public.{} ({owner}, id) on delete set null ({column})",
                quoted(target)
            ));
        }
        let _ = write!(out, "\ncreate table public.{name} (\n    {}\n);\n", lines.join(",\n    "));
        self.comments(out, table);
        self.indexes(out, table);
        if !table.has("updated_at") {
            let _ = write!(
                out,
                "create trigger touch_updated_at before update on public.{name}\nfor each row execute function public.{}();\n",
                self.touch()
            );
        }
        let mine = format!("(select auth.uid()) = {owner}");
        let _ = write!(
            out,
            "alter table public.{name} enable row level security;\nrevoke all on public.{name} from anon, authenticated;\ngrant select, insert, update, delete on public.{name} to authenticated;\ngrant all on public.{name} to service_role;\n"
        );
        for (does, verb, rule) in [
            ("read", "select", format!("using ({mine})")),
            ("add", "insert", format!("with check ({mine})")),
            ("change", "update", format!("using ({mine}) with check ({mine})")),
            ("remove", "delete", format!("using ({mine})")),
        ] {
            let policy = quoted(&format!("{does}_own"));
            let _ =
                writeln!(out, "create policy {policy} on public.{name} for {verb} to authenticated\n{rule};");
        }
    }

    fn comments(&self, out: &mut String, table: &SqlTable) {
        let name = quoted(&table.name);
        let _ = writeln!(out, "comment on table public.{name} is {};", literal(&table.comment));
        for column in table.columns.iter().filter(|column| !column.comment.is_empty()) {
            let _ = writeln!(
                out,
                "comment on column public.{name}.{} is {};",
                quoted(&column.name),
                literal(&column.comment)
            );
        }
        if let Some(legacy) = &self.legacy {
            let _ = writeln!(
                out,
                "comment on column public.{name}.{} is 'The id in the old app, or what stood in for it.';",
                quoted(legacy)
            );
        }
    }

    /// The unique key begins with the owner, so it finds an owner's rows; what points elsewhere needs its own.
    fn indexes(&self, out: &mut String, table: &SqlTable) {
        let owner = quoted(&self.owner);
        let parent = table.parent.iter().map(|above| above.column.as_str());
        let columns = parent.chain(table.references().map(|(column, _)| column.name.as_str()));
        for column in columns {
            let _ = writeln!(
                out,
                "create index on public.{} ({owner}, {});",
                quoted(&table.name),
                quoted(column)
            );
        }
    }
}

impl SqlTable {
    fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }

    fn references(&self) -> impl Iterator<Item = (&SqlColumn, &str)> {
        self.columns.iter().filter_map(|column| Some((column, column.reference.as_deref()?)))
    }

    fn needs(&self) -> impl Iterator<Item = &str> {
        self.parent
            .iter()
            .map(|above| above.table.as_str())
            .chain(self.references().map(|(_, target)| target))
    }
}

impl SqlColumn {
    fn line(&self, choice: Choice) -> String {
        let kind = match self.kind {
            Type::Int4 => "integer".to_owned(),
            Type::Int8 => "bigint".to_owned(),
            Type::Bool => "boolean".to_owned(),
            Type::Text
            | Type::Numeric(_)
            | Type::Date
            | Type::Timestamptz
            | Type::Uuid
            | Type::Jsonb
            | Type::TextArray => self.kind.to_string(),
        };
        let mut line = format!("{} {kind}", quoted(&self.name));
        if self.required {
            line.push_str(" not null");
        }
        if choice == Choice::Check && !self.choices.is_empty() {
            let words: Vec<String> = self.choices.iter().map(|word| literal(word)).collect();
            let _ = write!(line, " check ({} in ({}))", quoted(&self.name), words.join(", "));
        }
        line
    }
}

fn add(table: &Table, above: Option<&Table>, tables: &mut Vec<SqlTable>) {
    let columns = table.columns.iter().map(|column| SqlColumn {
        name: column.name.clone(),
        kind: if column.reference.is_some() { Type::Uuid } else { column.typed.kind },
        required: false,
        reference: column.reference.as_ref().map(|reference| reference.table.clone()),
        choices: column.choices.clone().unwrap_or_default(),
        comment: format!("From {}: {}.", column.from.join(", "), toml::evidence(column, table)),
    });
    let known = toml::known_by(table);
    tables.push(SqlTable {
        name: table.name.clone(),
        comment: format!("From {}: {}{known}.", table.from.join(", "), toml::counted(table.records)),
        parent: table.parent.as_ref().zip(above).map(|((column, position), above)| Above {
            table: above.name.clone(),
            column: column.clone(),
            position: Some(position.clone()),
        }),
        columns: columns.collect(),
    });
    table.children.iter().for_each(|child| add(child, Some(table), tables));
}

fn of_column(column: &crate::mapping::Column) -> SqlColumn {
    let choices = column
        .choices
        .as_ref()
        .map(|choices| choices.values.iter().map(|(value, _)| value.clone()).collect());
    SqlColumn {
        name: column.name.clone(),
        kind: column.kind,
        required: matches!(column.absent, crate::mapping::Absent::Reject),
        reference: column.reference.as_ref().map(|reference| reference.table.clone()),
        choices: choices.unwrap_or_default(),
        comment: String::new(),
    }
}

/// Tables after those they point at; a circle stays in its order.
fn targets_first(mut waiting: Vec<SqlTable>) -> Vec<SqlTable> {
    let mut sorted: Vec<SqlTable> = Vec::new();
    while !waiting.is_empty() {
        let is_there = |name: &str| sorted.iter().any(|table| table.name == name);
        let ready =
            waiting.iter().position(|table| table.needs().all(|need| is_there(need) || need == table.name));
        sorted.push(waiting.remove(ready.unwrap_or(0)));
    }
    sorted
}

/// A name as SQL spells it: quoted where it is a word of the language.
fn quoted(name: &str) -> String {
    if super::names::is_reserved(name) { format!("\"{name}\"") } else { name.to_owned() }
}

fn literal(text: &str) -> String {
    let close = one_line(text);
    format!("'{}'", close.replace('\'', "''"))
}

fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
