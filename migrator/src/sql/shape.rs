//! A table as the database has it: what its columns are of, and who may write them.

use std::collections::HashMap;

use tokio_postgres::Client;
use tokio_postgres::types::Type as PgType;

use super::relation;

/// Asks for the columns of `$1`. A column that apps may not write, where they may write others of the
/// table, is the database's own: triggers keep it.
const QUESTION: &str = "
select a.attname::text, pg_catalog.format_type(a.atttypid, null), a.attgenerated <> '', a.attidentity = 'a',
    has_column_privilege(c.oid, a.attnum, 'select'),
    has_column_privilege(c.oid, a.attnum, 'insert'),
    has_column_privilege(c.oid, a.attnum, 'update'),
    case when to_regrole('authenticated') is null
            or not has_any_column_privilege('authenticated', c.oid, 'update') then true
        else has_column_privilege('authenticated', c.oid, a.attnum, 'update') end
from pg_catalog.pg_class as c join pg_catalog.pg_attribute as a on a.attrelid = c.oid
where c.oid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
order by a.attnum";

/// The columns of a table, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    names: Vec<String>,
    columns: HashMap<String, Column>,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// Its type as SQL writes it, without a length: what is too long is an error and never cut.
    pub(super) kind: String,
    /// Whether the database computes it.
    pub(super) generated: bool,
    /// Whether we may read and write it.
    pub(super) open: bool,
    /// Whether an app may write it.
    pub(super) writable: bool,
}

impl Shape {
    /// Asks for a table; nothing when it is not there.
    pub(super) async fn ask(client: &Client, table: &str) -> Result<Option<Self>, tokio_postgres::Error> {
        let rows = client.query_typed(QUESTION, &[(&relation(table), PgType::TEXT)]).await?;
        let mut shape = Self::default();
        for row in rows {
            let (name, identity): (String, bool) = (row.get(0), row.get(3));
            let generated = row.get::<_, bool>(2) || identity;
            let open = row.get::<_, bool>(4) && row.get(5) && row.get(6);
            let writable = !generated && row.get(6) && row.get(7);
            shape.names.push(name.clone());
            shape.columns.insert(name, Column { kind: row.get(1), generated, open, writable });
        }
        Ok((!shape.names.is_empty()).then_some(shape))
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }

    /// All columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Those that a row may be put back in, but for its id.
    pub(super) fn writable(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| *name != "id" && self.columns[*name].writable)
    }
}
