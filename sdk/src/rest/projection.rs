//! What a row is made of: the select list as data, written by the derives and rendered here.

use serde::de::DeserializeOwned;

use crate::rest::quote;

/// A row of a known table or view. `#[derive(Table)]` writes it.
pub trait Row: Projection<Of = Self> {
    /// The table's name.
    const TABLE: &'static str;
    /// The table's schema, where it is not the client's.
    const SCHEMA: Option<&'static str> = None;
    /// The columns of the primary key: what an upsert meets on, and what pages go on from.
    const KEY: &'static [&'static str];
}

/// What is asked of each row of a table: some of its columns, and rows embedded in it.
/// `#[derive(Projection)]` writes it; every [`Row`] is a projection of itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which columns it is made of",
    note = "derive `Table` for the row of a table, `Projection` for a part of one"
)]
pub trait Projection: DeserializeOwned {
    /// The row of the table it is taken from.
    type Of: Row;
    /// What it is made of.
    const FIELDS: &'static [Field];
}

/// One field of a [`Projection`].
#[derive(Debug, Clone, Copy)]
pub enum Field {
    /// A column.
    Column {
        /// The field's name in the answer.
        name: &'static str,
        /// The column, or a path into its JSON, as it stands in a query; the same as `name` if empty.
        column: &'static str,
        /// The type it is cast to; none if empty.
        cast: &'static str,
        /// True if the database computes it, so that it is never written.
        generated: bool,
    },
    /// Rows of another table, or one of them.
    Embed {
        /// The field's name in the answer.
        name: &'static str,
        /// The other table.
        table: &'static str,
        /// What tells several references apart: a column or a foreign key; none if empty.
        hint: &'static str,
        /// True if rows around that have none of it are left out.
        inner: bool,
        /// What the embedded rows are made of.
        fields: &'static [Self],
    },
    /// The columns of another table's row, as if they were of this one.
    Spread {
        /// The other table.
        table: &'static str,
        /// What tells several references apart; none if empty.
        hint: &'static str,
        /// True if rows around that have none of it are left out.
        inner: bool,
        /// What the spread row is made of.
        fields: &'static [Self],
    },
    /// A sum, an average and the like of the rows that are equal in the other fields.
    Aggregate {
        /// The field's name in the answer.
        name: &'static str,
        /// The column; empty for `count()` of the rows.
        column: &'static str,
        /// `sum`, `avg`, `min`, `max` or `count`.
        function: &'static str,
        /// The type the result is cast to; none if empty.
        cast: &'static str,
    },
}

impl Field {
    /// A column of that name.
    pub const fn column(name: &'static str) -> Self {
        Self::Column { name, column: "", cast: "", generated: false }
    }

    fn render(&self, out: &mut String) {
        match *self {
            Self::Column { name, column, cast, .. } => {
                let plain = quote::name(name);
                let column = if column.is_empty() { &*plain } else { column };
                if column != plain {
                    out.extend([&plain, ":"]);
                }
                out.push_str(column);
                push_cast(out, cast);
            }
            Self::Embed { name, table, hint, inner, fields } => {
                let (name, table) = (quote::name(name), quote::name(table));
                if name != table {
                    out.extend([&name, ":"]);
                }
                push_embedded(out, &table, hint, inner, fields);
            }
            Self::Spread { table, hint, inner, fields } => {
                out.push_str("...");
                push_embedded(out, &quote::name(table), hint, inner, fields);
            }
            Self::Aggregate { name, column, function, cast } => {
                if name != function || !column.is_empty() {
                    out.extend([&quote::name(name), ":"]);
                }
                if !column.is_empty() {
                    out.extend([&quote::name(column), "."]);
                }
                out.extend([function, "()"]);
                push_cast(out, cast);
            }
        }
    }
}

fn push_cast(out: &mut String, cast: &str) {
    if !cast.is_empty() {
        out.extend(["::", cast]);
    }
}

fn push_embedded(out: &mut String, table: &str, hint: &str, inner: bool, fields: &[Field]) {
    out.push_str(table);
    if !hint.is_empty() {
        // PostgREST would read the beginning as the word for a kind of join.
        let word = hint.starts_with("left") || hint.starts_with("inner");
        let hint = if word { format!("\"{hint}\"").into() } else { quote::name(hint) };
        out.extend(["!", &hint]);
    }
    if inner {
        out.push_str("!inner");
    }
    out.push('(');
    push_list(out, fields);
    out.push(')');
}

fn push_list(out: &mut String, fields: &[Field]) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        field.render(out);
    }
}

/// The select list that asks for these fields.
pub(super) fn list(fields: &[Field]) -> String {
    let mut list = String::with_capacity(fields.len() * 12);
    push_list(&mut list, fields);
    list
}

/// The columns that the database computes, which are never written.
pub(super) fn generated(fields: &'static [Field]) -> impl Iterator<Item = &'static str> {
    fields.iter().filter_map(|field| match field {
        Field::Column { name, generated: true, .. } => Some(*name),
        _ => None, // only a column can be written at all
    })
}

/// A foreign key from the table whose row is `Self` to the one whose row is `Other`.
/// `#[derive(Table)]` writes it for each `references(…)`; an embed compiles only along one.
#[diagnostic::on_unimplemented(
    message = "no foreign key from `{Self}` to `{Other}` is declared",
    note = "declare it: `#[table(…, references({Other}))]` on `{Self}`; or say `unchecked` in the embed"
)]
pub trait References<Other> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_select_list_says_what_the_fields_are() {
        const NAME: &[Field] = &[Field::column("name")];
        let fields = [
            Field::column("id"),
            Field::column("first name"),
            Field::Column { name: "theme", column: "preferences->>theme", cast: "", generated: false },
            Field::Column { name: "price", column: "price_cents", cast: "text", generated: false },
            Field::Column { name: "total", column: "", cast: "text", generated: false },
            Field::Embed { name: "customer", table: "customers", hint: "", inner: true, fields: NAME },
            Field::Embed { name: "repairs", table: "repairs", hint: "", inner: false, fields: NAME },
            Field::Embed { name: "from", table: "users", hint: "sender_id", inner: false, fields: NAME },
            Field::Spread { table: "customers", hint: "", inner: false, fields: NAME },
            Field::Aggregate { name: "average", column: "rating", function: "avg", cast: "" },
            Field::Aggregate { name: "count", column: "", function: "count", cast: "" },
            Field::Aggregate { name: "n", column: "", function: "count", cast: "text" },
        ];
        assert_eq!(
            list(&fields),
            "id,\"first name\",theme:preferences->>theme,price:price_cents::text,total::text,\
             customer:customers!inner(name),repairs(name),from:users!sender_id(name),...customers(name),\
             average:rating.avg(),count(),n:count()::text"
        );
    }
}
