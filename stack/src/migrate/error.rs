//! Why migrations stopped, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use super::statements::Statement;

/// A folder of migrations that cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: a migration is named <version>_<name>.sql, with digits as its version: rename it", .0.display())]
    Name(PathBuf),
    #[error("{} and {} have the same version: rename one of them", first.display(), second.display())]
    SameVersion { first: PathBuf, second: PathBuf },
    #[error(
        "{} was changed after it was applied to this database: restore it and correct what it did in a new \
         migration, or start with a new database",
        .0.display()
    )]
    Changed(PathBuf),
    #[error(
        "migration {version}_{name} was applied to this database, but its file is gone from {}: restore it, \
         or start with a new database",
        dir.display()
    )]
    Missing { dir: PathBuf, version: String, name: String },
    #[error(
        "{} is older than {newest}, which is already applied: give it a newer version, or start with a new database",
        path.display()
    )]
    Late { path: PathBuf, newest: String },
    #[error(
        "{}:{line}: `{statement}` in a file that already runs in a transaction: remove it, or open the file \
         with the line `-- no-transaction`",
        path.display()
    )]
    TransactionControl { path: PathBuf, line: usize, statement: String },
    #[error("{0}")]
    Failed(Box<Failure>),
    #[error("cannot use the database")]
    Database(#[from] sqlx::Error),
}

/// A statement PostgreSQL refused.
#[derive(Debug)]
pub struct Failure {
    pub path: PathBuf,
    pub line: usize,
    /// None if the connection failed rather than the statement.
    pub sqlstate: Option<String>,
    pub message: String,
    /// How many statements of the file stay applied: none, if it runs in a transaction.
    pub applied: usize,
}

impl MigrateError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    /// Finds the place in the file that PostgreSQL means.
    pub(super) fn failed(
        path: &Path,
        source: &str,
        statement: &Statement<'_>,
        applied: usize,
        error: &sqlx::Error,
    ) -> Self {
        let database =
            error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        let offset = match database.and_then(PgDatabaseError::position) {
            Some(PgErrorPosition::Original(nth)) => statement.start + byte_of(statement.text, nth),
            // In the body of a function, which this statement only called.
            Some(PgErrorPosition::Internal { .. }) | None => statement.first,
        };
        let message = database.map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Self::Failed(Box::new(Failure {
            path: path.to_owned(),
            line: line_of(source, offset),
            sqlstate: database.map(|error| error.code().to_owned()),
            message,
            applied,
        }))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)?;
        if let Some(sqlstate) = &self.sqlstate {
            write!(f, " (SQLSTATE {sqlstate})")?;
        }
        match self.applied {
            0 => write!(f, "; nothing of this file was applied"),
            1 => write!(f, "; the statement before it stays applied"),
            before => write!(f, "; the {before} statements before it stay applied"),
        }
    }
}

/// The line an offset is in, counted from one.
pub(super) fn line_of(source: &str, offset: usize) -> usize {
    source.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// PostgreSQL counts characters, from one.
fn byte_of(text: &str, nth: usize) -> usize {
    text.char_indices().nth(nth.saturating_sub(1)).map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_becomes_a_line() {
        let source = "-- é\n\nselect\n  nothing";
        assert_eq!(line_of(source, 0), 1);
        assert_eq!(line_of(source, byte_of(source, 16)), 4);
        assert_eq!(line_of(source, byte_of(source, 1000)), 4);
    }
}
