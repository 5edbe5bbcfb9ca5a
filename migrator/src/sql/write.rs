//! Writing a batch: one statement for each kind of change, and the ledger in the same transaction.
//!
//! A row that should be new and is there already becomes an update, and the other way round: between the
//! comparison and the write somebody may have been faster. A row the server refuses is found by halving,
//! and the others go in.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type as PgType};
use uuid::Uuid;

use crate::cell::Cell;
use crate::diff::Change;
use crate::exit::Failure;
use crate::ledger::Op;
use crate::plan::{Row, TablePlan};

use super::cells::Column;
use super::refusal::{Fault, Refused, moment_failure, table_failure};
use super::shape::Shape;
use super::{Patience, SqlTarget, Transaction, quoted, relation, writing};

/// Rows that one statement can write: the same change, the same columns.
#[derive(Debug, Clone)]
struct Piece<'r> {
    op: Op,
    /// The columns, by their place in a row.
    columns: Vec<usize>,
    rows: Vec<&'r Row>,
    /// Whether they have changed sides already.
    turned: bool,
}

/// Which batch it is, and whose.
#[derive(Debug, Clone, Copy)]
struct Place<'t> {
    table: &'t TablePlan,
    shape: &'t Shape,
    run: Uuid,
    n: i32,
}

/// Why a batch did not go in.
enum Trouble {
    /// It is in already.
    Known,
    /// The server said no.
    Said(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        // The one key of ours that a batch can break is that of its ledger.
        let known = error.as_db_error().is_some_and(|said| {
            *said.code() == SqlState::UNIQUE_VIOLATION && said.schema() == Some("migrator")
        });
        if known { Self::Known } else { Self::Said(error) }
    }
}

/// How carefully a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// In the hope that nothing is refused.
    None,
    /// Piece by piece, and halving those that are refused.
    Halving,
}

impl SqlTarget {
    /// Writes rows of a table as the batch `n` of a run, and answers with those the server refuses. Rows
    /// that are to stay as they are may be among them. A batch that was written before is left alone, and
    /// answered as it was then.
    ///
    /// # Errors
    /// Exit code 6 when nobody answers any more, 7 when the table as a whole is refused, 8 when another
    /// import is at work. Batches written until then stay.
    pub async fn write(
        &mut self,
        table: &TablePlan,
        rows: &[(&Row, Change)],
        run: Uuid,
        n: u32,
    ) -> Result<Vec<Refused>, Failure> {
        if self.transaction == Transaction::PerBatch {
            self.lock().await?;
        }
        let shape = self.shape(&table.name).await?.clone();
        let place = Place { table, shape: &shape, run, n: i32::try_from(n).unwrap_or(i32::MAX) };
        let pieces = pieces(rows);
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let (mut care, mut patience) = (Care::None, Patience::new());
        loop {
            match self.attempt(place, &pieces, care).await {
                Ok(refused) => return Ok(refused),
                Err(Trouble::Known) => {
                    self.take_back().await.map_err(|error| table_failure(&table.name, error))?;
                    return self.refused_before(place).await;
                }
                Err(Trouble::Said(error)) => match Fault::of(&error) {
                    Fault::Rows | Fault::Size if care == Care::None => {
                        self.take_back().await.map_err(|error| table_failure(&table.name, error))?;
                        care = Care::Halving;
                    }
                    Fault::Rows | Fault::Size | Fault::Moment | Fault::Other => {
                        let callers = self.transaction == Transaction::Callers;
                        if !callers && Fault::of(&error) != Fault::Moment {
                            self.take_back().await.ok(); // it is over either way
                        }
                        self.again(&mut patience, &table.name, error).await?;
                    }
                },
            }
        }
    }

    /// Undoes an attempt, and nothing before it.
    async fn take_back(&self) -> Result<(), tokio_postgres::Error> {
        self.client()
            .batch_execute(match self.transaction {
                Transaction::PerBatch => "rollback",
                Transaction::Callers => "rollback to savepoint batch",
            })
            .await
    }

    async fn attempt(
        &self,
        place: Place<'_>,
        pieces: &[Piece<'_>],
        care: Care,
    ) -> Result<Vec<Refused>, Trouble> {
        let (open, close) = match self.transaction {
            Transaction::PerBatch => (writing(), "commit"),
            Transaction::Callers => ("savepoint batch".to_owned(), "release savepoint batch"),
        };
        self.client().batch_execute(&open).await?;
        let mut refused = Vec::new();
        let mut waiting: Vec<Piece<'_>> = pieces.iter().rev().cloned().collect();
        let mut part = 0;
        while let Some(piece) = waiting.pop() {
            if care == Care::Halving {
                self.client().batch_execute("savepoint part").await?;
            }
            let written = match self.put(place, part, &piece).await {
                Ok(written) if care == Care::Halving => {
                    // What the table checks at the end of the transaction is checked now, while we can still
                    // tell whose fault it is.
                    let now =
                        "set constraints all immediate; set constraints all deferred; release savepoint part";
                    match self.transaction {
                        Transaction::PerBatch => self.client().batch_execute(now).await.map(|()| written),
                        Transaction::Callers => {
                            self.client().batch_execute("release savepoint part").await.map(|()| written)
                        }
                    }
                    .map_err(Trouble::Said)
                }
                written => written,
            };
            match (written, &piece.rows[..]) {
                (Ok(written), _) => {
                    part += 1;
                    waiting.extend(self.turn(place, piece, &written, &mut refused).await?);
                }
                (Err(Trouble::Said(error)), [row])
                    if care == Care::Halving && Fault::of(&error) == Fault::Rows =>
                {
                    self.client().batch_execute("rollback to savepoint part").await?;
                    refused.extend(error.as_db_error().map(|said| Refused::of(row, said)));
                }
                (Err(Trouble::Said(error)), rows)
                    if care == Care::Halving
                        && rows.len() > 1
                        && matches!(Fault::of(&error), Fault::Rows | Fault::Size) =>
                {
                    self.client().batch_execute("rollback to savepoint part").await?;
                    let (first, second) = rows.split_at(rows.len() / 2);
                    let half = |rows: &[_]| Piece { rows: rows.to_vec(), ..piece.clone() };
                    waiting.extend([half(second), half(first)]);
                }
                (Err(trouble), _) => return Err(trouble),
            }
        }
        if part == 0 || !refused.is_empty() {
            self.note_refused(place, &refused).await?;
        }
        self.client().batch_execute(close).await?;
        Ok(refused)
    }

    /// The rows of a piece that were not written: those on the other side, once. What is as it should be
    /// already is fine, and what is another owner's is refused.
    async fn turn<'r>(
        &self,
        place: Place<'_>,
        piece: Piece<'r>,
        written: &[Uuid],
        refused: &mut Vec<Refused>,
    ) -> Result<Option<Piece<'r>>, Trouble> {
        if written.len() == piece.rows.len() {
            return Ok(None);
        }
        let written: std::collections::HashSet<&Uuid> = written.iter().collect();
        let mut rows = piece.rows;
        rows.retain(|row| !written.contains(&row.id));
        let op = match piece.op {
            Op::Insert => Op::Update,
            Op::Update => {
                let there = self.whose(place.table, &rows).await?;
                rows.retain(|row| match there.iter().find(|(id, _)| *id == row.id) {
                    None => true,
                    Some((_, true)) => false,
                    Some((_, false)) => {
                        refused.push(Refused::not_ours(row));
                        false
                    }
                });
                Op::Insert
            }
        };
        if piece.turned {
            // It comes and goes under our hands, or hides.
            refused.extend(rows.iter().filter(|_| op == Op::Insert).map(|row| Refused::not_ours(row)));
        }
        Ok((!rows.is_empty() && !piece.turned).then_some(Piece {
            op,
            columns: piece.columns,
            rows,
            turned: true,
        }))
    }

    /// Which of these rows are there, and whether they are the owner's.
    async fn whose(&self, table: &TablePlan, rows: &[&Row]) -> Result<Vec<(Uuid, bool)>, Trouble> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let (ours, owner) = match &table.owner {
            Some((column, owner)) => (format!("{} is not distinct from $2", quoted(column)), *owner),
            None => ("$2::uuid is not null".to_owned(), Uuid::nil()),
        };
        let question = format!("select id, {ours} from {} where id = any($1)", relation(&table.name));
        let params: [(&(dyn ToSql + Sync), PgType); 2] = [(&ids, PgType::UUID_ARRAY), (&owner, PgType::UUID)];
        let rows = self.client().query_typed(&question, &params).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Writes a piece, and notes it in the ledger; gives the rows that were written.
    async fn put(&self, place: Place<'_>, part: i32, piece: &Piece<'_>) -> Result<Vec<Uuid>, Trouble> {
        let Place { table, shape, run, n } = place;
        let ids: Vec<Uuid> = piece.rows.iter().map(|row| row.id).collect();
        let ours: Vec<Uuid> = piece.rows.iter().map(|row| table.written(row).0).collect();
        let name = |column: &usize| table.columns[*column].name.as_str();
        let sent: Vec<&str> = piece.columns.iter().map(name).collect();
        let columns: Vec<Column<'_>> = piece
            .columns
            .iter()
            .map(|column| {
                Column::of(table.columns[*column].kind, piece.rows.iter().map(|row| &row.cells[*column]))
            })
            .collect();
        let statement = match piece.op {
            Op::Insert => insert(table, shape, &piece.columns),
            Op::Update => {
                let lock = format!(
                    "select count(*) from (select from {} where id = any($1) order by id for update) as rows",
                    relation(&table.name)
                );
                self.client().query_typed(&lock, &[(&ids, PgType::UUID_ARRAY)]).await?;
                update(table, shape, &piece.columns)
            }
        };
        let owner = table.owner.as_ref().map_or(Uuid::nil(), |(_, owner)| *owner);
        let mut params: Vec<(&(dyn ToSql + Sync), PgType)> = vec![
            (&ids, PgType::UUID_ARRAY),
            (&owner, PgType::UUID),
            (&ours, PgType::UUID_ARRAY),
            (&run, PgType::UUID),
            (&table.name, PgType::TEXT),
            (&n, PgType::INT4),
            (&part, PgType::INT4),
            (&sent, PgType::TEXT_ARRAY),
        ];
        params.extend(columns.iter().map(Column::parameter));
        let row = self.client().query_typed_one(&statement, &params).await?;
        Ok(row.get(0))
    }

    /// Notes what was refused, so that the batch is answered the same when it is asked for again.
    async fn note_refused(&self, place: Place<'_>, refused: &[Refused]) -> Result<(), Trouble> {
        let ids: Vec<Uuid> = refused.iter().map(|row| row.id).collect();
        let codes: Vec<&str> = refused.iter().map(|row| row.code.as_str()).collect();
        let columns: Vec<Option<&str>> = refused.iter().map(|row| row.column.as_deref()).collect();
        let messages: Vec<&str> = refused.iter().map(|row| row.message.as_str()).collect();
        let params: [(&(dyn ToSql + Sync), PgType); 7] = [
            (&place.run, PgType::UUID),
            (&place.table.name, PgType::TEXT),
            (&place.n, PgType::INT4),
            (&ids, PgType::UUID_ARRAY),
            (&codes, PgType::TEXT_ARRAY),
            (&columns, PgType::TEXT_ARRAY),
            (&messages, PgType::TEXT_ARRAY),
        ];
        let note = "insert into migrator.refusals (run, tbl, n, ids, codes, columns, messages) \
            values ($1, $2, $3, $4, $5, $6, $7)";
        self.client().query_typed(note, &params).await?;
        Ok(())
    }

    async fn refused_before(&self, place: Place<'_>) -> Result<Vec<Refused>, Failure> {
        let question = "select noted.* from migrator.refusals as r, unnest(r.ids, r.codes, r.columns, r.messages) \
            as noted(id, code, col, message) where r.run = $1 and r.tbl = $2 and r.n = $3";
        let params: [(&(dyn ToSql + Sync), PgType); 3] =
            [(&place.run, PgType::UUID), (&place.table.name, PgType::TEXT), (&place.n, PgType::INT4)];
        let rows = self.client().query_typed(question, &params).await;
        let rows = rows.map_err(|error| moment_failure(&place.table.name, error))?;
        let refused = rows.iter().map(|row| Refused {
            id: row.get(0),
            code: row.get(1),
            column: row.get(2),
            message: row.get(3),
        });
        Ok(refused.collect())
    }
}

/// Rows in their order, by what a statement can take.
fn pieces<'r>(rows: &[(&'r Row, Change)]) -> Vec<Piece<'r>> {
    let mut pieces: Vec<Piece<'r>> = Vec::new();
    for (row, change) in rows {
        let op = match change {
            Change::Insert => Op::Insert,
            Change::Update => Op::Update,
            Change::Same | Change::Keep => continue,
        };
        let is_set = |column: &usize| row.cells[*column] != Cell::Unset;
        let fits = |piece: &&mut Piece<'_>| {
            piece.op == op && (0..row.cells.len()).filter(is_set).eq(piece.columns.iter().copied())
        };
        match pieces.iter_mut().find(fits) {
            Some(piece) => piece.rows.push(row),
            None => {
                let columns = (0..row.cells.len()).filter(is_set).collect();
                pieces.push(Piece { op, columns, rows: vec![row], turned: false });
            }
        }
    }
    pieces
}

/// The parameters before the columns': see `put`.
const FIRST_COLUMN: usize = 9;

/// The rows of a statement, as `s(id, c0, c1, …)`.
fn source(columns: usize) -> String {
    let arrays: String = (0..columns).map(|place| format!(", ${}", place + FIRST_COLUMN)).collect();
    let names: String = (0..columns).map(|place| format!(", c{place}")).collect();
    format!("unnest($1{arrays}) as s(id{names})")
}

/// The value of a column, in the plan's type.
fn planned(table: &TablePlan, place: usize, column: usize) -> String {
    format!("s.c{place}::{}", table.columns[column].kind.in_sql())
}

/// The same in the type of the table's column. An explicit cast, which text needs to become an enum; the
/// type has no length, so what is too long is refused.
fn stored(table: &TablePlan, shape: &Shape, place: usize, column: usize) -> String {
    let value = planned(table, place, column);
    match shape.column(&table.columns[column].name) {
        Some(there) if there.kind != table.columns[column].kind.in_sql() => {
            format!("{value}::{}", there.kind)
        }
        _ => value,
    }
}

/// Notes the rows of `put(id, before)` in the ledger, and gives their ids.
fn noted(op: &str, before: &str) -> String {
    format!(
        "kept as (insert into migrator.batches (run, tbl, n, part, op, columns, ids, ours, before) \
         select $4, $5, $6, $7, '{op}', $8, coalesce(array_agg(put.id), '{{}}'), \
         coalesce(array_agg(w.ours), '{{}}'), {before} \
         from put join unnest($1, $3) as w(id, ours) using (id) returning ids) select ids from kept"
    )
}

fn insert(table: &TablePlan, shape: &Shape, columns: &[usize]) -> String {
    let owner = table.owner.as_ref().map(|(column, _)| quoted(column));
    let (owner, owner_value) = owner.map_or((String::new(), ""), |owner| (format!(", {owner}"), ", $2"));
    let names: String =
        columns.iter().map(|column| format!(", {}", quoted(&table.columns[*column].name))).collect();
    let values: String = (0..)
        .zip(columns)
        .map(|(place, column)| format!(", {}", stored(table, shape, place, *column)))
        .collect();
    // A parameter has to be used somewhere.
    let unused = if owner_value.is_empty() { " where $2 is not null" } else { "" };
    format!(
        "with put as (insert into {} (id{owner}{names}) select s.id{owner_value}{values} from {}{unused} \
         on conflict (id) do nothing returning id), {}",
        relation(&table.name),
        source(columns.len()),
        noted("insert", "null")
    )
}

fn update(table: &TablePlan, shape: &Shape, columns: &[usize]) -> String {
    let target = relation(&table.name);
    let set: Vec<String> = (0..)
        .zip(columns)
        .map(|(place, column)| {
            format!("{} = {}", quoted(&table.columns[*column].name), stored(table, shape, place, *column))
        })
        .collect();
    let differs: Vec<String> = (0..)
        .zip(columns)
        .map(|(place, column)| {
            let PlannedIs { name, kind } = PlannedIs::of(table, *column);
            format!("t.{name}::{kind} is distinct from {}", planned(table, place, *column))
        })
        .collect();
    let ours = table
        .owner
        .as_ref()
        .map_or("$2 is not null".to_owned(), |(column, _)| format!("t.{} = $2", quoted(column)));
    let set = if set.is_empty() { "id = t.id".to_owned() } else { set.join(", ") };
    let differs = if differs.is_empty() { "false".to_owned() } else { differs.join(" or ") };
    // `was` is the row before: what is returned of `t` is what it has become.
    format!(
        "with put as (update {target} as t set {set} from {}, {target} as was \
         where t.id = s.id and was.id = s.id and {ours} and ({differs}) returning t.id, to_jsonb(was) as before), {}",
        source(columns.len()),
        noted("update", "coalesce(array_agg(put.before), '{}')")
    )
}

/// A planned column as SQL writes it.
struct PlannedIs {
    name: String,
    kind: &'static str,
}

impl PlannedIs {
    fn of(table: &TablePlan, column: usize) -> Self {
        Self { name: quoted(&table.columns[column].name), kind: table.columns[column].kind.in_sql() }
    }
}
