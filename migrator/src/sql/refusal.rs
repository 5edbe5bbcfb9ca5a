//! What PostgreSQL says, sorted: whose fault it is, and whether it may be said aloud.
//!
//! A refused row is told of without any of its values. What the server says is passed on only where
//! nothing of the row stands in it; a broken constraint and a bad value get a sentence of ours.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::DbError;
use uuid::Uuid;

use crate::exit::{self, Failure};
use crate::plan::Row;

/// A row the server does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The row.
    pub id: Uuid,
    /// The server's code, such as `23514`; `owner` for a row that is somebody else's.
    pub code: String,
    /// The column, where the server names one.
    pub column: Option<String>,
    /// Why, without any value.
    pub message: String,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Some row's: a value, a constraint, a policy, a trigger.
    Rows,
    /// Nobody's: there is too much of it for a time limit.
    Size,
    /// The moment's: the connection is gone, the server restarts, somebody holds a lock.
    Moment,
    /// The table's, the role's, ours.
    Other,
}

impl Fault {
    pub(super) fn of(error: &Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let broken = error.source().is_some_and(|source| source.is::<std::io::Error>());
            return if broken || error.is_closed() { Self::Moment } else { Self::Other };
        };
        let code = said.code().code();
        match (code.get(..2).unwrap_or_default(), code) {
            (_, "57014") => Self::Size,
            ("08" | "53" | "57" | "58", _) | (_, "40001" | "40P01" | "55P03" | "25P03" | "25P04") => {
                Self::Moment
            }
            // A role without a grant is told so by one routine; a trigger that says the same means the row.
            (_, "42501") if said.routine() == Some("aclcheck_error") => Self::Other,
            ("22" | "23" | "44" | "54" | "P0", _) | (_, "42501") => Self::Rows,
            _ if said.routine() == Some("exec_stmt_raise") => Self::Rows,
            _ => Self::Other,
        }
    }
}

impl Refused {
    /// A row that is somebody else's.
    pub(super) fn not_ours(row: &Row) -> Self {
        Self {
            id: row.id,
            code: "owner".to_owned(),
            column: None,
            message: "the row is there and belongs to another owner".to_owned(),
        }
    }

    /// What the server said of a row that stood alone.
    pub(super) fn of(row: &Row, said: &DbError) -> Self {
        Self {
            id: row.id,
            code: said.code().code().to_owned(),
            column: said.column().map(str::to_owned),
            message: message(said, row),
        }
    }
}

/// Why, without a value of the row.
fn message(said: &DbError, row: &Row) -> String {
    let constraint = said.constraint().unwrap_or_default();
    let raised = said.routine() == Some("exec_stmt_raise");
    match said.code().code() {
        "23502" => format!("column {} may not be empty", said.column().unwrap_or_default()),
        "23503" => format!("{constraint}: it points at a row that is not there"),
        "23505" => format!("{constraint}: another row has the same key"),
        "23514" if !raised => format!("check {constraint} does not hold"),
        "23P01" => format!("{constraint}: it overlaps another row"),
        code if code.starts_with("22") && !raised => {
            format!("a value does not fit its column ({})", said.code().code())
        }
        _ if row.is_quoted_in(said.message()) => {
            "the server refuses the row, in words that repeat a value of it".to_owned()
        }
        _ => said.message().to_owned(),
    }
}

/// What an error means for a run, where a table is concerned and no row to blame.
pub(super) fn table_failure(table: &str, error: Error) -> Failure {
    if Fault::of(&error) == Fault::Moment {
        return moment_failure(table, error);
    }
    let Some(said) = error.as_db_error() else {
        return Failure::new(
            exit::UNREACHABLE,
            "database.unreachable",
            format!("table {table}: the connection broke"),
        )
        .help("run again; what is written stays")
        .because(error);
    };
    let code = said.code().code().to_owned();
    let (id, help) = match code.as_str() {
        "42P01" | "3F000" => (
            "target.table_missing",
            "apply the migrations of this project to the target, or correct the mapping",
        ),
        "42703" => (
            "target.column_missing",
            "apply the migrations of this project to the target, or correct the mapping",
        ),
        "42P10" => {
            ("target.no_key", "the table needs a primary key or a unique constraint on its column id alone")
        }
        "42501" => ("target.forbidden", "connect as the role postgres, or grant the role what it lacks"),
        "42846" | "42804" => ("target.type", "correct the type of the column in the mapping"),
        _ => ("target.refused", "see what the server says, and mend the table or the mapping"),
    };
    // Of the codes that are no row's fault, only those for bad syntax of a value could repeat one.
    let message = format!("table {table}: {} ({code})", said.message());
    Failure::new(exit::REFUSED, id, message).help(help).because(error)
}

/// What an error means that has been tried again often enough.
pub(super) fn moment_failure(table: &str, error: Error) -> Failure {
    let what = match error.as_db_error() {
        Some(said) if said.code().code() == "55P03" => "somebody else holds a lock on its rows".to_owned(),
        Some(said) => format!("the server cannot go on ({})", said.code().code()),
        None => "the connection broke".to_owned(),
    };
    Failure::new(exit::UNREACHABLE, "database.busy", format!("table {table}: {what}"))
        .help("run again; what is written stays")
        .because(error)
}

/// The same for a transaction of many batches.
pub(super) fn nothing_kept(table: &str, error: Error) -> Failure {
    moment_failure(table, error).help("run again; nothing of this run was kept")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;
    use crate::pointer::Pointer;

    #[test]
    fn a_text_that_repeats_a_value_is_known() {
        let cells =
            vec![Cell::Text("Dupont".to_owned()), Cell::Int(1234), Cell::Text("x".to_owned()), Cell::Null];
        let row = Row { id: Uuid::nil(), at: Pointer::root(), cells };
        assert!(row.is_quoted_in("M. Dupont is known"));
        assert!(row.is_quoted_in("number 1234 is taken"));
        assert!(!row.is_quoted_in("an invoice begins as an extra draft"));
    }
}
