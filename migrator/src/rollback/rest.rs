//! Edge: taking rows back over REST.
//!
//! What a client may not write it cannot put back; the database keeps that itself. Rows that others refer
//! to are looked for in the tables of the run; what else refers to them, only the server knows.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use supabase_sdk::rest::{Affected, col};
use supabase_sdk::{Error, ErrorKind};
use uuid::Uuid;

use crate::exit::Failure;
use crate::export::read_json;
use crate::ledger::{Table, unreadable};
use crate::node::{Map, Node};
use crate::target::{Target, is_too_much, table_failure};

use super::{Intent, Taken};

/// How many ids one question holds.
const IDS_A_QUESTION: usize = 100;

/// How often something is sent again.
const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(250);

impl Target {
    /// Removes rows, but for those that others refer to.
    pub(super) async fn remove(
        &self,
        tables: &[Table],
        table: &str,
        ids: &[Uuid],
        intent: Intent,
    ) -> Result<HashMap<Uuid, Taken>, Failure> {
        let mut taken = HashMap::new();
        let mut waiting: Vec<Vec<Uuid>> = ids.chunks(IDS_A_QUESTION).map(<[_]>::to_vec).collect();
        while let Some(mut ids) = waiting.pop() {
            if intent == Intent::Do {
                let referred = self.referred(tables, table, &ids).await?;
                ids.retain(|id| !referred.contains(id));
                taken.extend(referred.into_iter().map(|id| (id, Taken::Referred)));
            }
            if ids.is_empty() {
                continue;
            }
            let answer = match intent {
                Intent::Say => Ok(Some(u64::try_from(ids.len()).unwrap_or_default())),
                Intent::Do => self.delete(table, &ids).await,
            };
            match (answer, &ids[..]) {
                (Ok(Some(rows)), ids) if usize::try_from(rows) == Ok(ids.len()) => {
                    taken.extend(ids.iter().map(|id| (*id, Taken::Done)));
                }
                (Ok(_), ids) => {
                    // Some were gone, or are not ours to remove.
                    let there = self.images(table, ids).await?;
                    let became = |id: &Uuid| match there.contains_key(id) {
                        true => (*id, Taken::Refused("42501".to_owned())),
                        false => (*id, Taken::Done),
                    };
                    taken.extend(ids.iter().map(became));
                }
                (Err(error), [id]) if is_about_rows(&error) => {
                    let code = error.code().unwrap_or_default().to_owned();
                    let why = if code == "23503" { Taken::Referred } else { Taken::Refused(code) };
                    taken.insert(*id, why);
                }
                (Err(error), ids) if ids.len() > 1 && (is_about_rows(&error) || is_too_much(&error)) => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    waiting.extend([second.to_vec(), first.to_vec()]);
                }
                (Err(error), _) => return Err(table_failure(table, error)),
            }
        }
        Ok(taken)
    }

    /// Puts rows back as they were: what the run sent, and, unless only that is wanted, what else differs
    /// and may be written.
    pub(super) async fn restore(
        &self,
        table: &str,
        images: &[(Uuid, &RawValue)],
        sent: &[String],
        only_sent: bool,
    ) -> Result<HashMap<Uuid, Taken>, Failure> {
        let ids: Vec<Uuid> = images.iter().map(|(id, _)| *id).collect();
        let now = self.images(table, &ids).await?;
        let mut taken = HashMap::new();
        for (id, before) in images {
            let Some(Node::Map(current)) = now.get(id).and_then(|image| read_json(image.get())) else {
                taken.insert(*id, Taken::Done); // it is gone
                continue;
            };
            let Some(Node::Map(before)) = read_json(before.get()) else {
                return Err(unreadable("a row is no object"));
            };
            let differ = |all: bool| -> Map {
                let wanted = |name: &str| name != "id" && (all || sent.iter().any(|sent| sent == name));
                let differing = before.iter().filter(|(name, value)| {
                    wanted(name) && current.get(*name).is_some_and(|current| current != *value)
                });
                differing.map(|(name, value)| (name.clone(), value.clone())).collect()
            };
            let mut answer = self.patch(table, *id, differ(!only_sent)).await;
            // Some column is the database's own: what the run itself wrote it may take back.
            if !only_sent
                && answer.as_ref().is_err_and(|error| is_about_columns(error) || is_about_rows(error))
            {
                answer = self.patch(table, *id, differ(false)).await;
            }
            let became = match answer {
                Ok(true) => Taken::Done,
                Ok(false) => Taken::Refused("42501".to_owned()),
                Err(error) if is_about_rows(&error) => {
                    Taken::Refused(error.code().unwrap_or_default().to_owned())
                }
                Err(error) => return Err(table_failure(table, error)),
            };
            taken.insert(*id, became);
        }
        Ok(taken)
    }

    /// Which of these rows a row of the run's tables refers to.
    async fn referred(&self, tables: &[Table], table: &str, ids: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
        let mut referred = HashSet::new();
        for other in tables {
            for reference in other.refers.iter().filter(|reference| reference.table == table) {
                let column = &reference.column;
                let select = self.client().from(&other.name).select(&format!("id,to:{column}"));
                let select = select.filter(col(column).is_in(ids.iter().copied()));
                let rows = select.typed::<Pointer>().fetch().await;
                let rows = rows.map_err(|error| table_failure(&other.name, error))?;
                let others = rows.iter().filter(|row| other.name != table || !ids.contains(&row.id));
                referred.extend(others.map(|row| row.to));
            }
        }
        Ok(referred)
    }

    async fn delete(&self, table: &str, ids: &[Uuid]) -> Result<Option<u64>, Error> {
        let gone = || self.client().from(table).delete().filter(col("id").is_in(ids.iter().copied())).send();
        Ok(insist(gone).await?.rows())
    }

    /// Changes a row; false when it hides from us.
    async fn patch(&self, table: &str, id: Uuid, changes: Map) -> Result<bool, Error> {
        if changes.is_empty() {
            return Ok(true);
        }
        let changes = Node::Map(changes);
        let changed = || self.client().from(table).update(&changes).filter(col("id").eq(id)).send();
        Ok(insist(changed).await?.rows() != Some(0))
    }
}

/// Sends what does no harm twice, until the server has heard it or that was often enough.
async fn insist<F>(send: impl Fn() -> F) -> Result<Affected, Error>
where
    F: Future<Output = Result<Affected, Error>>,
{
    let mut tries = 0;
    loop {
        match send().await {
            Err(error) if is_passing(&error) && tries < TRIES => {}
            answer => return answer,
        }
        tokio::time::sleep(FIRST_WAIT * 2_u32.pow(tries)).await;
        tries += 1;
    }
}

#[derive(Deserialize)]
struct Pointer {
    id: Uuid,
    to: Uuid,
}

fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Busy)
}

/// True if a column may not be written: no grant, or computed.
fn is_about_columns(error: &Error) -> bool {
    matches!(error.code(), Some("42501" | "428C9"))
}

/// True if a row is to blame.
fn is_about_rows(error: &Error) -> bool {
    error
        .code()
        .is_some_and(|code| ["22", "23", "P0"].iter().any(|class| code.starts_with(class)) || code == "42501")
}
