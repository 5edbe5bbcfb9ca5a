//! Edge: carries out what a plan and its diff say, table by table, parents first.
//!
//! A batch is one statement: all of its rows or none. One that is refused is halved until the row the
//! server does not want stands alone; that row becomes a reject, the others go in. One that is too large
//! or too slow is halved as well. Stopping anywhere is safe: what is written is found there next time.

use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::value::RawValue;
use supabase_sdk::{Error, ErrorKind};
use uuid::Uuid;

use crate::destination::RefusedRow;
use crate::diff::{Change, Group};
use crate::exit::{self, Failure};
use crate::ledger::file::Writer;
use crate::ledger::{Batch, Key, Op, Touched};
use crate::plan::{Row, TablePlan};
use crate::printer::Task;
use crate::target::{AT_ONCE, Target, is_too_much, table_failure};

/// The most rows of a batch, and the most bytes.
const BATCH_ROWS: usize = 500;
const BATCH_BYTES: usize = 1 << 20;

/// A row to be written, and its JSON.
#[derive(Debug)]
struct Payload<'a> {
    /// The row of the plan.
    row: &'a Row,
    /// The row as the server takes it.
    json: Box<RawValue>,
}

/// A row the server refused.
#[derive(Debug)]
struct Refused<'a> {
    /// The row of the plan.
    row: &'a Row,
    /// Why.
    error: Error,
}

/// Writes some rows of a table, and answers with those the server refused. The ledger, if there is one, knows
/// of them before the server does.
///
/// # Errors
/// Exit code 6 when nobody answers any more, 7 when the table as a whole is refused, 2 when the ledger cannot
/// be written. Rows written until then stay.
pub async fn window(
    target: &Target,
    table: &TablePlan,
    due: &[(&Row, Change)],
    n: u32,
    mut ledger: Option<&mut Writer>,
    task: &Task,
) -> Result<Vec<RefusedRow>, Failure> {
    let mut all_refused = Vec::new();
    let mut part = 0;
    for (change, op) in [(Change::Insert, Op::Insert), (Change::Update, Op::Update)] {
        let rows = due.iter().filter(|(_, planned)| *planned == change).map(|(row, _)| *row);
        for Group { columns, rows } in table.groups(rows) {
            let key = Key { table: table.name.clone(), n, part };
            part += 1;
            if let Some(ledger) = &mut ledger {
                let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
                let mut before = match op {
                    Op::Insert => HashMap::new(),
                    Op::Update => target.images(&table.name, &ids).await?,
                };
                let touched = rows.iter().map(|row| Touched {
                    id: row.id,
                    ours: table.written(row),
                    before: before.remove(&row.id),
                    after: None,
                });
                let sent = rows.first().map(|row| table.sent_columns(row).map(str::to_owned).collect());
                ledger.intend(Batch {
                    key: key.clone(),
                    op,
                    columns: sent.unwrap_or_default(),
                    rows: touched.collect(),
                })?;
            }
            let payloads = rows.into_iter().map(|row| payload(table, row)).collect::<Result<Vec<_>, _>>()?;
            let refused = load(target, &table.name, &columns, &payloads, task).await?;
            let refused: Vec<RefusedRow> = refused
                .into_iter()
                .map(|Refused { row, error }| RefusedRow {
                    id: row.id,
                    code: error.code().unwrap_or("refused").to_owned(),
                    column: None,
                    message: message(row, &error),
                })
                .collect();
            if let Some(ledger) = &mut ledger {
                ledger.done(key, refused.iter().map(|row| row.id).collect())?;
            }
            all_refused.extend(refused);
        }
    }
    Ok(all_refused)
}

/// Why a row is refused, without a value of it.
fn message(row: &Row, error: &Error) -> String {
    match error.code() {
        Some(code) if code.starts_with("22") => format!("a value does not fit its column ({code})"),
        _ if row.is_quoted_in(error.message()) => {
            "the server refuses the row, in words that repeat a value of it".to_owned()
        }
        _ => error.to_string(),
    }
}

fn payload<'a>(table: &TablePlan, row: &'a Row) -> Result<Payload<'a>, Failure> {
    let json = serde_json::value::to_raw_value(&table.payload(row)).map_err(|error| {
        Failure::new(exit::BUG, "payload", format!("{} cannot be written as JSON", row.at)).because(error)
    })?;
    Ok(Payload { row, json })
}

/// Writes rows to a table, several batches at a time; `task` hears how many more are done, refused ones
/// included.
///
/// # Errors
/// Exit code 6 when nobody answers any more, 7 when the table as a whole is refused. Rows written until
/// then stay.
async fn load<'a>(
    target: &Target,
    table: &str,
    columns: &[&str],
    rows: &[Payload<'a>],
    task: &Task,
) -> Result<Vec<Refused<'a>>, Failure> {
    let batches = batches(rows).into_iter().map(|batch| async move {
        let refused = self::batch(target, table, columns, batch).await;
        task.add(batch.len());
        refused
    });
    let refused: Vec<Vec<Refused<'a>>> =
        futures_util::stream::iter(batches).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(refused.into_iter().flatten().collect())
}

async fn batch<'a>(
    target: &Target,
    table: &str,
    columns: &[&str],
    batch: &[Payload<'a>],
) -> Result<Vec<Refused<'a>>, Failure> {
    let mut refused = Vec::new();
    // The next piece is on top.
    let mut waiting: Vec<&[Payload<'a>]> = vec![batch];
    while let Some(batch) = waiting.pop() {
        let json: Vec<&RawValue> = batch.iter().map(|payload| &*payload.json).collect();
        match (target.upsert(table, columns, &json).await, batch) {
            (Ok(()), _) => {}
            (Err(error), [payload]) if is_about_rows(&error) => {
                refused.push(Refused { row: payload.row, error });
            }
            (Err(error), batch) if batch.len() > 1 && (is_about_rows(&error) || is_too_much(&error)) => {
                let (first, second) = batch.split_at(batch.len() / 2);
                waiting.extend([second, first]);
            }
            (Err(error), _) => return Err(table_failure(table, error)),
        }
    }
    Ok(refused)
}

/// Rows in their order, in pieces within both limits; a row over the limit stands alone.
fn batches<'p, 'a>(mut rows: &'p [Payload<'a>]) -> Vec<&'p [Payload<'a>]> {
    let mut batches = Vec::new();
    while !rows.is_empty() {
        let mut bytes = 0;
        let fits = rows.iter().take(BATCH_ROWS).take_while(|payload| {
            bytes += payload.json.get().len() + 1;
            bytes <= BATCH_BYTES
        });
        let (batch, rest) = rows.split_at(fits.count().max(1));
        batches.push(batch);
        rows = rest;
    }
    batches
}

/// True if some row of the batch is to blame: a value, a constraint, a policy on rows.
fn is_about_rows(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Conflict | ErrorKind::Invalid => {
            error.code().is_some_and(|code| !code.starts_with("PGRST"))
        }
        ErrorKind::Forbidden => error.message().contains("row-level security"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pointer::Pointer;

    #[test]
    fn batches_keep_order_and_both_limits() {
        let row = Row { id: uuid::Uuid::nil(), at: Pointer::root(), cells: Vec::new() };
        let payload = |bytes: usize| Payload {
            row: &row,
            json: RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap(),
        };
        let many: Vec<_> = (0..1_201).map(|_| payload(1)).collect();
        assert_eq!(batches(&many).iter().map(|batch| batch.len()).collect::<Vec<_>>(), [500, 500, 201]);
        let large: Vec<_> =
            [600_000, 600_000, 2_000_000, 10, 10].iter().map(|bytes| payload(*bytes)).collect();
        assert_eq!(batches(&large).iter().map(|batch| batch.len()).collect::<Vec<_>>(), [1, 1, 1, 2]);
        assert!(batches(&[]).is_empty());
    }
}
