//! Edge: carries out what a plan and its diff say, table by table, parents first.
//!
//! A batch is one statement: all of its rows or none. One that is refused is halved until the row the
//! server does not want stands alone; that row becomes a reject, the others go in. One that is too large
//! or too slow is halved as well. Stopping anywhere is safe: what is written is found there next time.

use serde_json::value::RawValue;
use supabase_sdk::{Error, ErrorKind};

use crate::exit::Failure;
use crate::plan::Row;
use crate::target::{Target, is_too_much, table_failure};

/// The most rows of a batch, and the most bytes.
const BATCH_ROWS: usize = 500;
const BATCH_BYTES: usize = 1 << 20;

/// A row to be written, and its JSON.
#[derive(Debug)]
pub struct Payload<'a> {
    /// The row of the plan.
    pub row: &'a Row,
    /// The row as the server takes it.
    pub json: Box<RawValue>,
}

/// A row the server refused.
#[derive(Debug)]
pub struct Refused<'a> {
    /// The row of the plan.
    pub row: &'a Row,
    /// Why.
    pub error: Error,
}

/// Writes rows to a table; `written` hears how many more are done, refused ones included.
///
/// # Errors
/// Exit code 6 when nobody answers any more, 7 when the table as a whole is refused. Rows written until
/// then stay.
pub async fn load<'a>(
    target: &Target,
    table: &str,
    columns: &[&str],
    rows: &[Payload<'a>],
    mut written: impl FnMut(usize),
) -> Result<Vec<Refused<'a>>, Failure> {
    let mut refused = Vec::new();
    // The next batch is on top.
    let mut waiting: Vec<&[Payload<'a>]> = batches(rows).into_iter().rev().collect();
    while let Some(batch) = waiting.pop() {
        let json: Vec<&RawValue> = batch.iter().map(|payload| &*payload.json).collect();
        match (target.upsert(table, columns, &json).await, batch) {
            (Ok(()), batch) => written(batch.len()),
            (Err(error), [payload]) if is_about_rows(&error) => {
                refused.push(Refused { row: payload.row, error });
                written(1);
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
