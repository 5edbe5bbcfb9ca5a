//! The ledger in the database: schema `migrator`, which the API does not expose and apps cannot enter.
//!
//! A batch is a row: the ids of its rows, what we wrote, what stood there before. Sealing adds a hash of
//! each row as it is then, over the columns the table has then: one that is added later changes nothing.

use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio_postgres::types::{ToSql, Type as PgType};
use uuid::Uuid;

use crate::exit::{self, Failure};
use crate::ledger::{Batch, Digest, Key, Op, Table, Touched, unreadable};
use crate::run::{Kind, Status};

use super::refusal::Fault;
use super::{Patience, SqlTarget, Transaction, quoted, relation};

/// The version of the tables below.
const VERSION: i32 = 1;

const SCHEMA: &str = "
create schema if not exists migrator;
revoke all on schema migrator from public;
comment on schema migrator is 'What imports have written, so that they can be undone; not exposed by the API.';
create table if not exists migrator.version (version integer primary key);
insert into migrator.version values (1) on conflict do nothing;
create table if not exists migrator.runs (
    id uuid primary key,
    kind text not null,
    undoes uuid,
    status text not null,
    owner uuid,
    plan text,
    tool text not null,
    tables jsonb not null,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);
create table if not exists migrator.batches (
    run uuid not null references migrator.runs (id) on delete cascade,
    tbl text not null,
    n integer not null,
    part integer not null,
    op text not null,
    columns text[] not null,
    ids uuid[] not null,
    ours uuid[] not null,
    before jsonb[],
    after uuid[],
    primary key (run, tbl, n, part)
);
create table if not exists migrator.seals (
    run uuid not null references migrator.runs (id) on delete cascade,
    tbl text not null,
    columns text[] not null,
    primary key (run, tbl)
);
create table if not exists migrator.refusals (
    run uuid not null references migrator.runs (id) on delete cascade,
    tbl text not null,
    n integer not null,
    ids uuid[] not null,
    codes text[] not null,
    columns text[] not null,
    messages text[] not null,
    primary key (run, tbl, n)
);
comment on table migrator.batches is 'Rows written together: their ids, what was written, and the rows before.';";

/// What makes the text of a row the same on every connection.
pub(super) const SPELLING: &str = "set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; \
    set local intervalstyle = 'postgres'; set local extra_float_digits = 1; set local bytea_output = 'hex'";

/// A run as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub id: Uuid,
    /// What kind of run it is.
    pub kind: Kind,
    /// The run it takes back, for a rollback.
    pub undoes: Option<Uuid>,
    /// How far it is.
    pub status: Status,
    /// Whose rows it writes.
    pub owner: Option<Uuid>,
    /// The hash of what it was made from.
    pub plan: Option<String>,
    /// The version of the program.
    pub tool: String,
    /// The tables it writes, parents first.
    pub tables: Vec<Table>,
    /// When it began, by the database's clock.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How many rows it has written.
    pub rows: u64,
}

impl SqlTarget {
    /// Notes a run before its first batch; one that goes on is noted again.
    ///
    /// # Errors
    /// Exit code 6 or 7: a role that may not make the ledger cannot import this way. Exit code 8 when
    /// another import is at work.
    pub async fn start_run(&mut self, run: &Recorded) -> Result<(), Failure> {
        self.lock().await?;
        self.make_ledger().await?;
        let tables = serde_json::to_string(&run.tables).map_err(|error| unreadable(&error.to_string()))?;
        let (kind, status) = (run.kind.name(), run.status.name());
        let params: [(&(dyn ToSql + Sync), PgType); 8] = [
            (&run.id, PgType::UUID),
            (&kind, PgType::TEXT),
            (&run.undoes, PgType::UUID),
            (&status, PgType::TEXT),
            (&run.owner, PgType::UUID),
            (&run.plan, PgType::TEXT),
            (&run.tool, PgType::TEXT),
            (&tables, PgType::TEXT),
        ];
        let note = "insert into migrator.runs (id, kind, undoes, status, owner, plan, tool, tables) \
            values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) \
            on conflict (id) do update set status = excluded.status, tables = excluded.tables, ended_at = null";
        self.ask_ledger(note, &params).await.map(drop)
    }

    /// Notes how a run ended.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn end_run(&mut self, run: Uuid, status: Status) -> Result<(), Failure> {
        let name = status.name();
        let params: [(&(dyn ToSql + Sync), PgType); 2] = [(&run, PgType::UUID), (&name, PgType::TEXT)];
        let note = "update migrator.runs set status = $2, ended_at = clock_timestamp() where id = $1";
        self.ask_ledger(note, &params).await.map(drop)
    }

    /// True if a run is noted, and noted as over.
    pub(super) async fn has_ended(&mut self, run: Uuid) -> Result<bool, Failure> {
        if !self.has_ledger().await? {
            return Ok(false);
        }
        let params: [(&(dyn ToSql + Sync), PgType); 1] = [(&run, PgType::UUID)];
        let question = "select 1 from migrator.runs where id = $1 and ended_at is not null";
        Ok(!self.ask_ledger(question, &params).await?.is_empty())
    }

    /// Keeps what the rows of a run are like now, at its end: from here on they count as changed by others
    /// when they differ.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn seal(&mut self, run: Uuid) -> Result<(), Failure> {
        let keys = self.keys(run).await?;
        if let (Transaction::Callers, Some(key)) = (self.transaction, keys.first()) {
            // What triggers do at the end of the transaction belongs to it.
            if let Err(error) = self.client().batch_execute("set constraints all immediate").await {
                self.again(&mut Patience::new(), &key.table, error).await?;
            }
        }
        let mut begun: Option<String> = None;
        for key in &keys {
            let columns = self.shape(&key.table).await?.names().to_vec();
            let row: Vec<String> = columns.iter().map(|column| format!("t.{}", quoted(column))).collect();
            let (n, part) = (i64::from(key.n), i64::from(key.part));
            let seal = format!(
                "update migrator.batches as b set after = (select array_agg(md5(row({})::text)::uuid order by s.place) \
                 from unnest(b.ids) with ordinality as s(id, place) left join {} as t on t.id = s.id) \
                 where run = $1 and tbl = $2 and n = $3::bigint and part = $4::bigint",
                row.join(", "),
                relation(&key.table)
            );
            // A row that is gone has a hash too, that of a row of nothing; it cannot be mistaken for one.
            let params: [(&(dyn ToSql + Sync), PgType); 4] =
                [(&run, PgType::UUID), (&key.table, PgType::TEXT), (&n, PgType::INT8), (&part, PgType::INT8)];
            self.ask_spelled(&key.table, &seal, &params).await?;
            if begun.as_ref() != Some(&key.table) {
                let params: [(&(dyn ToSql + Sync), PgType); 3] =
                    [(&run, PgType::UUID), (&key.table, PgType::TEXT), (&columns, PgType::TEXT_ARRAY)];
                let note = "insert into migrator.seals values ($1, $2, $3) \
                    on conflict (run, tbl) do update set columns = excluded.columns";
                self.ask_ledger(note, &params).await?;
                begun = Some(key.table.clone());
            }
        }
        Ok(())
    }

    /// The columns a table had when a run was sealed; none when it never was.
    pub(super) async fn sealed_columns(
        &mut self,
        run: Uuid,
        table: &str,
    ) -> Result<Option<Vec<String>>, Failure> {
        let params: [(&(dyn ToSql + Sync), PgType); 2] = [(&run, PgType::UUID), (&table, PgType::TEXT)];
        let rows = self
            .ask_ledger("select columns from migrator.seals where run = $1 and tbl = $2", &params)
            .await?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// The runs the database knows, the latest first.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn runs(&mut self) -> Result<Vec<Recorded>, Failure> {
        if !self.has_ledger().await? {
            return Ok(Vec::new());
        }
        let question = "select id, kind, undoes, status, owner, plan, tool, tables::text, \
            (extract(epoch from started_at) * 1000000)::bigint, (extract(epoch from ended_at) * 1000000)::bigint, \
            (select coalesce(sum(cardinality(ids)), 0)::bigint from migrator.batches where run = runs.id) \
            from migrator.runs order by id desc";
        self.ask_ledger(question, &[]).await?.iter().map(recorded).collect()
    }

    /// The run that a person names, as in [`crate::run::folder::Runs::find`].
    ///
    /// # Errors
    /// Exit code 9 when there is none, 2 when there are several, else 6 or 7.
    pub async fn find_run(&mut self, named: &str) -> Result<Recorded, Failure> {
        let runs = self.runs().await?;
        let id = crate::run::folder::choose(named, runs.iter().map(|run| (run.id, run.kind)))?;
        runs.into_iter().find(|run| run.id == id).ok_or_else(|| unreadable("a run is gone"))
    }

    /// Takes runs out of the ledger; they cannot be undone any more.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn forget(&mut self, runs: &[Uuid]) -> Result<(), Failure> {
        let params: [(&(dyn ToSql + Sync), PgType); 1] = [(&runs, PgType::UUID_ARRAY)];
        self.ask_ledger("delete from migrator.runs where id = any($1)", &params).await.map(drop)
    }

    /// The batches of a run, in the order of tables and numbers.
    pub(crate) async fn keys(&mut self, run: Uuid) -> Result<Vec<Key>, Failure> {
        let params: [(&(dyn ToSql + Sync), PgType); 1] = [(&run, PgType::UUID)];
        let question = "select tbl, n, part from migrator.batches where run = $1 order by tbl, n, part";
        let number = |value: i32| u32::try_from(value).unwrap_or_default();
        let rows = self.ask_ledger(question, &params).await?;
        Ok(rows
            .iter()
            .map(|row| Key { table: row.get(0), n: number(row.get(1)), part: number(row.get(2)) })
            .collect())
    }

    /// One batch of a run.
    pub(crate) async fn batch(&mut self, run: Uuid, key: &Key) -> Result<Batch, Failure> {
        let (n, part) = (i64::from(key.n), i64::from(key.part));
        let params: [(&(dyn ToSql + Sync), PgType); 4] =
            [(&run, PgType::UUID), (&key.table, PgType::TEXT), (&n, PgType::INT8), (&part, PgType::INT8)];
        let question = "select op, columns, ids, ours, before::text[], after from migrator.batches \
            where run = $1 and tbl = $2 and n = $3::bigint and part = $4::bigint";
        let rows = self.ask_ledger(question, &params).await?;
        let Some(row) = rows.first() else { return Err(unreadable("a batch is gone")) };
        let op = match row.get::<_, &str>(0) {
            "insert" => Op::Insert,
            "update" => Op::Update,
            _ => return Err(unreadable("it holds a kind of change this program does not know")),
        };
        let (ids, ours): (Vec<Uuid>, Vec<Uuid>) = (row.get(2), row.get(3));
        let before: Option<Vec<String>> = row.get(4);
        let after: Option<Vec<Option<Uuid>>> = row.get(5);
        let mut before = before.unwrap_or_default().into_iter();
        let mut after = after.unwrap_or_default().into_iter();
        let touched = ids.into_iter().zip(ours).map(|(id, ours)| Touched {
            id,
            ours: Digest(ours),
            before: before.next().and_then(|image| RawValue::from_string(image).ok()),
            after: after.next().flatten().map(Digest),
        });
        let rows = touched.collect();
        Ok(Batch { key: key.clone(), op, columns: row.get(1), rows })
    }

    /// Asks or tells the ledger something that does no harm twice.
    async fn ask_ledger(
        &mut self,
        statement: &str,
        params: &[(&(dyn ToSql + Sync), PgType)],
    ) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let mut patience = Patience::new();
        loop {
            match self.client().query_typed(statement, params).await {
                Ok(rows) => return Ok(rows),
                Err(error) => self.again(&mut patience, "migrator.runs", error).await?,
            }
        }
    }

    /// The same in a transaction in which rows are always spelled the same.
    pub(super) async fn ask_spelled(
        &mut self,
        table: &str,
        statement: &str,
        params: &[(&(dyn ToSql + Sync), PgType)],
    ) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let own = self.transaction == Transaction::PerBatch;
        let begin = if own { format!("{}; {SPELLING}", super::BEGIN) } else { SPELLING.to_owned() };
        let mut patience = Patience::new();
        loop {
            let client = self.client();
            let asked = async {
                client.batch_execute(&begin).await?;
                let rows = client.query_typed(statement, params).await?;
                if own {
                    client.batch_execute("commit").await?;
                }
                Ok(rows)
            };
            match asked.await {
                Ok(rows) => return Ok(rows),
                Err(error) => self.again(&mut patience, table, error).await?,
            }
        }
    }

    async fn has_ledger(&mut self) -> Result<bool, Failure> {
        let rows = self.ask_ledger("select to_regclass('migrator.batches') is not null", &[]).await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    /// Makes the ledger, unless it is there; in the caller's transaction where there is one.
    async fn make_ledger(&mut self) -> Result<(), Failure> {
        let make = match self.transaction {
            Transaction::PerBatch => format!("begin; {SCHEMA} commit"),
            Transaction::Callers => SCHEMA.to_owned(),
        };
        let mut patience = Patience::new();
        while !self.has_ledger().await? {
            let Err(error) = self.client().batch_execute(&make).await else { break };
            if Fault::of(&error) != Fault::Moment {
                let message =
                    format!("the role {} cannot make the ledger, schema migrator", self.server.role);
                return Err(Failure::new(exit::REFUSED, "ledger.forbidden", message)
                    .help("connect as the role postgres, or import over the API")
                    .because(error));
            }
            self.again(&mut patience, "migrator.runs", error).await?;
        }
        let rows = self.ask_ledger("select max(version) from migrator.version", &[]).await?;
        match rows.first().and_then(|row| row.get::<_, Option<i32>>(0)) {
            Some(VERSION) => Ok(()),
            _ => Err(unreadable("schema migrator was made by another version of the program")),
        }
    }
}

fn recorded(row: &tokio_postgres::Row) -> Result<Recorded, Failure> {
    let moment = |micros: Option<i64>| micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let kind = Kind::named(row.get(1))
        .ok_or_else(|| unreadable("it holds a kind of run this program does not know"))?;
    let status = Status::named(row.get(3))
        .ok_or_else(|| unreadable("a run has a status this program does not know"))?;
    Ok(Recorded {
        id: row.get(0),
        kind,
        undoes: row.get(2),
        status,
        owner: row.get(4),
        plan: row.get(5),
        tool: row.get(6),
        tables: serde_json::from_str(row.get(7)).map_err(|error| unreadable(&error.to_string()))?,
        started_at: moment(row.get(8)).unwrap_or_default(),
        ended_at: moment(row.get(9)),
        rows: u64::try_from(row.get::<_, i64>(10)).unwrap_or_default(),
    })
}
