//! Edge: where rows go, whichever way they get there.

use std::collections::HashSet;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::diff::{Change, Existing};
use crate::exit::Failure;
use crate::ledger::Digest;
use crate::plan::{Row, TablePlan};
use crate::printer::Task;
use crate::report::Via;
use crate::run::Way;
use crate::sql::SqlTarget;
use crate::target::{Authority, Target};

/// Where rows go.
#[derive(Debug)]
pub enum Destination {
    /// Over the API.
    Rest(Box<Target>),
    /// Straight to PostgreSQL.
    Sql(Box<SqlTarget>),
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// The row.
    pub id: Uuid,
    /// The server's code.
    pub code: String,
    /// The column, where the server names one.
    pub column: Option<String>,
    /// Why, without any value.
    pub message: String,
}

impl Destination {
    /// Whose rows we write; nobody's yet, if their account is still to be made.
    pub fn owner(&self) -> Uuid {
        match self {
            Self::Rest(target) => target.owner(),
            Self::Sql(target) => target.owner(),
        }
    }

    /// The address, without a password.
    pub fn address(&self) -> String {
        match self {
            Self::Rest(target) => target.url().to_owned(),
            Self::Sql(target) => target.server().fingerprint.clone(),
        }
    }

    /// The way there.
    pub fn way(&self) -> Way {
        match self {
            Self::Rest(_) => Way::Rest,
            Self::Sql(_) => Way::Sql,
        }
    }

    /// The same, as a report says it.
    pub fn via(&self) -> Via {
        match self {
            Self::Rest(_) => Via::Rest,
            Self::Sql(_) => Via::Sql,
        }
    }

    /// By whose authority.
    pub fn authority(&self) -> Authority {
        match self {
            Self::Rest(target) => target.authority(),
            Self::Sql(_) => Authority::Database,
        }
    }

    /// Asks whether a table is there with every column we would write.
    ///
    /// # Errors
    /// Exit code 7, naming the table and the columns, when not.
    pub async fn check(&mut self, table: &TablePlan) -> Result<(), Failure> {
        match self {
            Self::Rest(target) => target.check(table).await,
            Self::Sql(target) => target.check(table).await,
        }
    }

    /// True if a table has no row that we can see: then none of ours is there.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn is_empty(&mut self, table: &TablePlan) -> Result<bool, Failure> {
        match self {
            Self::Rest(target) => target.is_empty(table).await,
            Self::Sql(target) => Ok(!target.has_rows(table).await?),
        }
    }

    /// Those of these rows that are there, as they are.
    ///
    /// # Errors
    /// Exit code 6 when nobody answers, 7 when the table is not as the plan has it.
    pub async fn existing(
        &mut self,
        table: &TablePlan,
        rows: &[&Row],
        task: &Task,
    ) -> Result<Vec<Existing>, Failure> {
        match self {
            Self::Rest(target) => {
                let mut existing = Vec::with_capacity(rows.len());
                let take = |_, image: Box<RawValue>| {
                    existing.push(table.decode(&image)?);
                    Ok(())
                };
                target.each(&table.name, &ids(rows), |rows| task.add(rows), take).await?;
                Ok(existing)
            }
            Self::Sql(target) => {
                let existing = target.existing(table, rows).await;
                task.add(rows.len());
                existing
            }
        }
    }

    /// The same after a write, with what a run over the API is sealed with: how it left each row.
    ///
    /// # Errors
    /// As [`Self::existing`].
    pub async fn left(
        &mut self,
        table: &TablePlan,
        rows: &[&Row],
        task: &Task,
    ) -> Result<(Vec<Existing>, Vec<(Uuid, Digest)>), Failure> {
        let Self::Rest(target) = self else {
            return Ok((self.existing(table, rows, task).await?, Vec::new()));
        };
        let (mut existing, mut seals) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let take = |id, image: Box<RawValue>| {
            let (row, seal) = table.decode_sealed(&image)?;
            existing.push(row);
            seals.push((id, seal));
            Ok(())
        };
        target.each(&table.name, &ids(rows), |rows| task.add(rows), take).await?;
        Ok((existing, seals))
    }

    /// Those of these ids that a table has.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn those_there(&mut self, table: &str, ids: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
        match self {
            Self::Rest(target) => target.those_there(table, ids).await,
            Self::Sql(target) => target.those_there(table, ids).await,
        }
    }

    /// How many rows lie in these parents and are not in the plan.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn leftover(&mut self, table: &TablePlan, parents: &[Uuid]) -> Result<usize, Failure> {
        match self {
            Self::Rest(target) => target.leftover(table, parents).await,
            Self::Sql(target) => target.leftover(table, parents).await,
        }
    }
}

fn ids(rows: &[&Row]) -> Vec<Uuid> {
    rows.iter().map(|row| row.id).collect()
}

/// True for a change that is a write.
pub(crate) fn is_due(change: Change) -> bool {
    matches!(change, Change::Insert | Change::Update)
}
