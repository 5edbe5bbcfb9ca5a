//! Taking rows back: how they are now, removing them, putting them back as they were.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use tokio_postgres::types::{ToSql, Type as PgType};
use uuid::Uuid;

use crate::exit::Failure;
use crate::ledger::Digest;
use crate::rollback::Taken;

use super::refusal::{Fault, moment_failure, table_failure};
use super::{SqlTarget, quoted, relation};

/// A foreign key that points at a table: who has it, and which columns meet.
struct Pointing {
    table: String,
    is_itself: bool,
    columns: Vec<(String, String)>,
}

impl SqlTarget {
    /// The hash of each of these rows as a seal made it, and none of those that are gone. Until the
    /// transaction ends nobody can change them.
    pub(crate) async fn hashes(
        &mut self,
        run: Uuid,
        table: &str,
        ids: &[Uuid],
    ) -> Result<Option<HashMap<Uuid, Digest>>, Failure> {
        let Some(columns) = self.sealed_columns(run, table).await? else { return Ok(None) };
        let shape = self.shape(table).await?;
        // A column that is gone took its values with it.
        if columns.iter().any(|column| shape.column(column).is_none()) {
            return Ok(None);
        }
        let row: Vec<String> = columns.iter().map(|column| format!("t.{}", quoted(column))).collect();
        let question = format!(
            "select id, md5(row({})::text)::uuid from {} as t where id = any($1) order by id for update",
            row.join(", "),
            relation(table)
        );
        let rows = self.ask_spelled(table, &question, &[(&ids, PgType::UUID_ARRAY)]).await?;
        Ok(Some(rows.iter().map(|row| (row.get(0), Digest(row.get(1)))).collect()))
    }

    /// Those of these rows that the rollback of a later run has moved, if only in what triggers write.
    pub(crate) async fn moved(
        &mut self,
        run: Uuid,
        table: &str,
        ids: &[Uuid],
    ) -> Result<HashSet<Uuid>, Failure> {
        let question = "select touched.id from migrator.runs join migrator.batches as b on b.run = runs.id, \
            unnest(b.ids) as touched(id) where runs.id > $1 and runs.kind = 'import' \
            and runs.status in ('rolled_back', 'rolled_back_in_part') and b.tbl = $2 and touched.id = any($3)";
        let params: [(&(dyn ToSql + Sync), PgType); 3] =
            [(&run, PgType::UUID), (&table, PgType::TEXT), (&ids, PgType::UUID_ARRAY)];
        let rows = self.client().query_typed(question, &params).await;
        let rows = rows.map_err(|error| table_failure("migrator.batches", error))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// These rows, each as one document.
    pub(crate) async fn images(
        &mut self,
        table: &str,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Box<RawValue>>, Failure> {
        let question = format!(
            "select id, to_jsonb(t)::text from {} as t where id = any($1) order by id for update",
            relation(table)
        );
        let rows = self.ask_spelled(table, &question, &[(&ids, PgType::UUID_ARRAY)]).await?;
        let image = |row: &tokio_postgres::Row| Some((row.get(0), RawValue::from_string(row.get(1)).ok()?));
        Ok(rows.iter().filter_map(image).collect())
    }

    /// Removes rows, but for those that others refer to: what would go with them, or lose what it points
    /// at, is somebody's.
    pub(crate) async fn remove(
        &mut self,
        table: &str,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Taken>, Failure> {
        let pointing = self.pointing(table).await?;
        let mut taken = HashMap::new();
        let statement = removal(table, &pointing);
        let mut waiting: Vec<Vec<Uuid>> = vec![ids.to_vec()];
        while let Some(ids) = waiting.pop() {
            let answer = self.carefully(table, &statement, &[(&ids, PgType::UUID_ARRAY)]).await?;
            match (answer, &ids[..]) {
                (Ok(gone), ids) => {
                    taken.extend(ids.iter().map(|id| (*id, Taken::Referred)));
                    taken.extend(gone.iter().map(|row| (row.get(0), Taken::Done)));
                }
                (Err(code), [id]) if code == "23503" => _ = taken.insert(*id, Taken::Referred),
                (Err(code), [id]) => _ = taken.insert(*id, Taken::Refused(code)),
                (Err(_), ids) => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    waiting.extend([second.to_vec(), first.to_vec()]);
                }
            }
        }
        Ok(taken)
    }

    /// Puts rows back as they were, in the columns an app may write, or in these alone. What the database
    /// keeps itself follows from them.
    pub(crate) async fn restore(
        &mut self,
        table: &str,
        images: &[(Uuid, &RawValue)],
        only: Option<&[String]>,
    ) -> Result<HashMap<Uuid, Taken>, Failure> {
        let mut taken = HashMap::new();
        let Some((_, first)) = images.first() else { return Ok(taken) };
        let known = crate::ledger::names(first);
        let shape = self.shape(table).await?;
        let wanted = |name: &&str| {
            known.iter().any(|known| known == name)
                && only.is_none_or(|only| only.iter().any(|only| only == name))
        };
        let set: Vec<String> =
            shape.writable().filter(wanted).map(|name| format!("{0} = was.{0}", quoted(name))).collect();
        if set.is_empty() {
            return Ok(images.iter().map(|(id, _)| (*id, Taken::Done)).collect());
        }
        let target = relation(table);
        let statement = format!(
            "update {target} as t set {} from jsonb_populate_recordset(null::{target}, $1::text::jsonb) as was \
             where t.id = was.id returning t.id",
            set.join(", ")
        );
        let mut waiting = vec![images];
        while let Some(images) = waiting.pop() {
            let rows: Vec<&str> = images.iter().map(|(_, image)| image.get()).collect();
            let rows = format!("[{}]", rows.join(","));
            match (self.carefully(table, &statement, &[(&rows, PgType::TEXT)]).await?, images) {
                (Ok(_), images) => taken.extend(images.iter().map(|(id, _)| (*id, Taken::Done))),
                (Err(code), [(id, _)]) => _ = taken.insert(*id, Taken::Refused(code)),
                (Err(_), images) => {
                    let (first, second) = images.split_at(images.len() / 2);
                    waiting.extend([second, first]);
                }
            }
        }
        Ok(taken)
    }

    /// Does something to rows in the caller's transaction, which goes on when they refuse; then their code.
    async fn carefully(
        &mut self,
        table: &str,
        statement: &str,
        params: &[(&(dyn ToSql + Sync), PgType)],
    ) -> Result<Result<Vec<tokio_postgres::Row>, String>, Failure> {
        let client = self.client();
        let fatal = |error| table_failure(table, error);
        client.batch_execute("savepoint part").await.map_err(fatal)?;
        match client.query_typed(statement, params).await {
            Ok(rows) => {
                client.batch_execute("release savepoint part").await.map_err(fatal)?;
                Ok(Ok(rows))
            }
            Err(error) => match Fault::of(&error) {
                Fault::Rows | Fault::Size => {
                    client.batch_execute("rollback to savepoint part").await.map_err(fatal)?;
                    let code = error.code().map(|code| code.code().to_owned());
                    Ok(Err(code.unwrap_or_default()))
                }
                Fault::Moment => Err(moment_failure(table, error)),
                Fault::Other => Err(table_failure(table, error)),
            },
        }
    }

    /// The foreign keys that point at a table. Where no person may add rows, triggers did: those that go with
    /// what they tell of are nobody's.
    async fn pointing(&mut self, table: &str) -> Result<Vec<Pointing>, Failure> {
        let question = "
            select c.conrelid::regclass::text, c.conrelid = c.confrelid,
                array(select attname::text from unnest(c.conkey) with ordinality as k(n, place)
                    join pg_catalog.pg_attribute on attrelid = c.conrelid and attnum = k.n order by k.place),
                array(select attname::text from unnest(c.confkey) with ordinality as k(n, place)
                    join pg_catalog.pg_attribute on attrelid = c.confrelid and attnum = k.n order by k.place)
            from pg_catalog.pg_constraint as c
            where c.contype = 'f' and c.confrelid = to_regclass($1) and c.conparentid = 0
                and not (c.confdeltype = 'c' and coalesce((select not has_any_column_privilege(oid, c.conrelid, 'insert')
                    from pg_catalog.pg_roles where rolname = 'authenticated'), false))";
        let rows = self.client().query_typed(question, &[(&relation(table), PgType::TEXT)]).await;
        let rows = rows.map_err(|error| table_failure(table, error))?;
        let pointing = |row: &tokio_postgres::Row| {
            let (from, to): (Vec<String>, Vec<String>) = (row.get(2), row.get(3));
            Pointing { table: row.get(0), is_itself: row.get(1), columns: from.into_iter().zip(to).collect() }
        };
        Ok(rows.iter().map(pointing).collect())
    }

    /// Takes a transaction for a rollback: all of it or nothing.
    ///
    /// # Errors
    /// Exit code 6, 7 or 8.
    pub(crate) async fn begin_undoing(&mut self) -> Result<(), Failure> {
        self.lock().await?;
        self.begin().await
    }
}

/// Removes the rows `$1`, but for those that a row points at which stays: one that is not among them, or one
/// that is kept itself. So a circle goes as a whole or not at all.
fn removal(table: &str, pointing: &[Pointing]) -> String {
    let target = relation(table);
    let meets = |key: &Pointing| {
        let meet = key.columns.iter().map(|(from, to)| format!("o.{} = t.{}", quoted(from), quoted(to)));
        meet.collect::<Vec<_>>().join(" and ")
    };
    let held = pointing.iter().map(|key| {
        let stays = if key.is_itself { " and o.id <> all($1)" } else { "" };
        format!(" or exists (select from {} as o where {}{stays})", key.table, meets(key))
    });
    let through: Vec<String> =
        pointing.iter().filter(|key| key.is_itself).map(|key| format!("({})", meets(key))).collect();
    let through = match through.is_empty() {
        true => String::new(),
        false => format!(
            " union select t.id from kept join {target} as o on o.id = kept.id \
             join {target} as t on {} where t.id = any($1)",
            through.join(" or ")
        ),
    };
    format!(
        "with recursive kept as (select t.id from {target} as t where t.id = any($1) and (false{}){through}) \
         delete from {target} as t where t.id = any($1) and not exists (select from kept where kept.id = t.id) \
         returning t.id",
        held.collect::<String>()
    )
}
