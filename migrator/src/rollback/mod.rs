//! Taking a run back: rows it added are removed and rows it changed are put back, children first.
//!
//! Only what is still as the run left it is touched. Somebody's work since then, a row that others now
//! refer to, and a row the server does not let go stay, and are named. Everything is judged before the
//! first row is touched, for triggers on children may change their parents.
//!
//! Straight to PostgreSQL a rollback is one transaction. Over REST it may be killed half way; repeated, it
//! judges by the columns the run wrote, for the first half may have moved the others.
//!
//! Not here: what a run has done (`ledger`).

mod rest;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::exit::Failure;
use crate::ledger::file::Reader;
use crate::ledger::{Batch, Digest, Key, Op, Table, Touched, unreadable};
use crate::plan::TablePlan;
use crate::printer::Task;
use crate::sql::SqlTarget;
use crate::target::Target;

/// The way to a run's rows, and to its ledger.
#[derive(Debug)]
pub enum Way<'a> {
    /// Straight to PostgreSQL, in a transaction that the caller began.
    Sql {
        /// The database.
        target: &'a mut SqlTarget,
        /// The run.
        run: Uuid,
    },
    /// Over REST.
    Rest {
        /// The project.
        target: &'a Target,
        /// The ledger.
        ledger: Reader,
        /// The rows whose seal no longer holds.
        moved: Moved,
    },
}

/// The rows that a rollback has moved since a run was sealed, if only in what triggers write. They are judged
/// by what the run wrote.
#[derive(Debug)]
pub enum Moved {
    /// These: later runs that touched them are rolled back.
    These(HashSet<Uuid>),
    /// Any: a rollback of this run was stopped half way.
    Any,
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Rows that others have changed stay.
    Untouched,
    /// They are taken back too; in those that are put back, only what the run wrote.
    Everything,
}

/// Whether it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// It is done.
    Do,
    /// It is only said what would be done. Straight to PostgreSQL it is tried, and the caller takes the
    /// transaction back.
    Say,
}

/// What became of a run's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Each table, parents first.
    pub tables: Vec<Line>,
    /// The rows that stayed.
    pub kept: Vec<Kept>,
}

/// What became of the rows of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The table.
    pub name: String,
    /// How many were removed.
    pub removed: usize,
    /// How many were put back.
    pub restored: usize,
    /// How many were gone, or as before, already.
    pub already: usize,
    /// How many stayed.
    pub kept: usize,
}

/// A row that stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its table.
    pub table: String,
    /// Its id.
    pub id: Uuid,
    /// Why.
    #[serde(flatten)]
    pub why: Why,
}

/// Why a row stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// Somebody has changed it since the run.
    ChangedSince,
    /// A row that stays refers to it.
    Referred,
    /// The server does not let it go.
    Refused {
        /// The server's code.
        code: String,
    },
}

/// What became of a row that was to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is removed, or as it was before.
    Done,
    /// Another row refers to it.
    Referred,
    /// The server does not let it go, with its code.
    Refused(String),
}

/// A row as it is now.
#[derive(Debug, Default)]
struct Seen {
    /// The hash of the whole row, as a seal made it.
    whole: Option<Digest>,
    image: Option<Box<RawValue>>,
}

/// What a run did to a row, over all of its batches.
#[derive(Debug)]
struct Story {
    /// The batch that touched it first: it knows what was before.
    first: usize,
    /// The batch that touched it last: it knows what the run left.
    last: usize,
    op: Op,
    verdict: Verdict,
}

/// What is to become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is as the run left it.
    Undo,
    /// It is gone, or as before.
    Already,
    /// Somebody has changed it.
    Changed,
}

/// Takes back what a run did to these tables, parents first; `task` hears of each row.
///
/// # Errors
/// Exit code 6 when nobody answers, 7 when the ledger cannot be read or a table refuses as a whole.
pub async fn roll_back(
    way: &mut Way<'_>,
    tables: &[Table],
    reach: Reach,
    intent: Intent,
    task: &Task,
) -> Result<Outcome, Failure> {
    let mut keys: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    for key in way.keys().await? {
        keys.entry(key.table.clone()).or_default().push(key);
    }
    if let Some(strange) = keys.keys().find(|name| !tables.iter().any(|table| table.name == **name)) {
        return Err(unreadable(&format!("it does not say what table {strange} is")));
    }
    let mut judged = Vec::new();
    for table in tables {
        let keys = keys.remove(&table.name).unwrap_or_default();
        let stories = judge_table(way, &table.plan()?, &keys).await?;
        judged.push((table, keys, stories));
    }
    let mut outcome = Outcome::default();
    for (table, keys, stories) in judged.iter().rev() {
        let line =
            undo_table(way, tables, table, keys, stories, (reach, intent), &mut outcome.kept, task).await?;
        outcome.tables.insert(0, line);
    }
    Ok(outcome)
}

/// What a run did to the rows of a table, and whether each is still as it left it.
async fn judge_table(
    way: &mut Way<'_>,
    plan: &TablePlan,
    keys: &[Key],
) -> Result<HashMap<Uuid, Story>, Failure> {
    let mut stories: HashMap<Uuid, Story> = HashMap::new();
    for (place, key) in keys.iter().enumerate() {
        let Batch { op, rows, .. } = way.batch(key).await?;
        for row in rows {
            let new = Story { first: place, last: place, op, verdict: Verdict::Changed };
            stories.entry(row.id).or_insert(new).last = place;
        }
    }
    for (place, key) in keys.iter().enumerate() {
        let batch = way.batch(key).await?;
        let last = |row: &&Touched| stories.get(&row.id).is_some_and(|story| story.last == place);
        let rows: Vec<&Touched> = batch.rows.iter().filter(last).collect();
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut seen = way.look(plan, &ids).await?;
        let whole = |row: &Touched, seen: &HashMap<Uuid, Seen>| {
            row.after.is_some() && seen.get(&row.id).is_some_and(|now| now.whole == row.after)
        };
        let unclear = rows.iter().filter(|row| !whole(row, &seen)).map(|row| row.id);
        let unclear: Vec<Uuid> =
            unclear.filter(|id| seen.get(id).is_some_and(|now| now.image.is_none())).collect();
        if !unclear.is_empty() {
            for (id, image) in way.images(&plan.name, &unclear).await? {
                seen.entry(id).or_default().image = Some(image);
            }
        }
        for row in rows {
            let verdict = judge(plan, &batch.columns, row, seen.get(&row.id));
            stories.entry(row.id).and_modify(|story| story.verdict = verdict);
        }
    }
    Ok(stories)
}

/// Whether a row is still as the run left it: by the seal where there is one, else by what the run wrote.
fn judge(plan: &TablePlan, sent: &[String], row: &Touched, now: Option<&Seen>) -> Verdict {
    let Some(now) = now else { return Verdict::Already };
    if now.whole.is_some() && now.whole == row.after {
        return Verdict::Undo;
    }
    // A column that is gone since makes the row another one.
    let ours = |image: &RawValue| Some(plan.ours(&plan.decode(image).ok()?, sent));
    let current = now.image.as_deref().and_then(ours);
    if current.is_none() {
        return Verdict::Changed;
    }
    let sealed = now.whole.is_some() && row.after.is_some();
    if current == row.before.as_deref().and_then(ours) {
        return Verdict::Already;
    }
    if !sealed && current == Some(row.ours) { Verdict::Undo } else { Verdict::Changed }
}

/// Takes back the rows of a table, the last batch first.
#[allow(clippy::too_many_arguments, reason = "what is known of one table, what to do, and who hears of it")]
async fn undo_table(
    way: &mut Way<'_>,
    tables: &[Table],
    table: &Table,
    keys: &[Key],
    stories: &HashMap<Uuid, Story>,
    (reach, intent): (Reach, Intent),
    kept: &mut Vec<Kept>,
    task: &Task,
) -> Result<Line, Failure> {
    let mut line = Line { name: table.name.clone(), ..Line::default() };
    let mut referred: Vec<Uuid> = Vec::new();
    let mut keep = |line: &mut Line, id, why| {
        line.kept += 1;
        kept.push(Kept { table: table.name.clone(), id, why });
    };
    for (place, key) in keys.iter().enumerate().rev() {
        let batch = way.batch(key).await?;
        task.add(batch.rows.len());
        let first = batch.rows.iter().filter_map(|row| Some((row, stories.get(&row.id)?)));
        let (mut gone, mut back, mut forced) = (Vec::new(), Vec::new(), Vec::new());
        for (row, story) in first.filter(|(_, story)| story.first == place) {
            match (story.verdict, reach, story.op, row.before.as_deref()) {
                (Verdict::Already, _, _, _) => line.already += 1,
                (Verdict::Changed, Reach::Untouched, _, _) => keep(&mut line, row.id, Why::ChangedSince),
                (Verdict::Undo | Verdict::Changed, _, Op::Insert, _) => gone.push(row.id),
                (Verdict::Undo, _, Op::Update, Some(before)) => back.push((row.id, before)),
                (Verdict::Changed, Reach::Everything, Op::Update, Some(before)) => {
                    forced.push((row.id, before))
                }
                // It was about to be changed, and nobody knows what it was.
                (Verdict::Undo | Verdict::Changed, _, Op::Update, None) => {
                    keep(&mut line, row.id, Why::ChangedSince);
                }
            }
        }
        for (id, taken) in way.remove(tables, table, &gone, intent).await? {
            match taken {
                Taken::Done => line.removed += 1,
                Taken::Referred => referred.push(id),
                Taken::Refused(code) => keep(&mut line, id, Why::Refused { code }),
            }
        }
        for (images, only) in [(&back, None), (&forced, Some(&batch.columns[..]))] {
            for (id, taken) in way.restore(table, images, &batch.columns, only, intent).await? {
                match taken {
                    Taken::Done => line.restored += 1,
                    Taken::Referred => keep(&mut line, id, Why::Referred),
                    Taken::Refused(code) => keep(&mut line, id, Why::Refused { code }),
                }
            }
        }
    }
    // Rows of one table may refer to each other; what referred to these may be gone now.
    if !referred.is_empty() {
        for (id, taken) in way.remove(tables, table, &referred, intent).await? {
            match taken {
                Taken::Done => line.removed += 1,
                Taken::Referred => keep(&mut line, id, Why::Referred),
                Taken::Refused(code) => keep(&mut line, id, Why::Refused { code }),
            }
        }
    }
    Ok(line)
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChangedSince => out.write_str("somebody has changed it since"),
            Self::Referred => out.write_str("another row refers to it"),
            Self::Refused { code } => write!(out, "the server does not let it go ({code})"),
        }
    }
}

impl Outcome {
    /// True if nothing of the run is left.
    pub fn is_whole(&self) -> bool {
        self.kept.is_empty()
    }
}

impl Way<'_> {
    async fn keys(&mut self) -> Result<Vec<Key>, Failure> {
        match self {
            Self::Sql { target, run } => target.keys(*run).await,
            Self::Rest { ledger, .. } => Ok(ledger.keys()),
        }
    }

    async fn batch(&mut self, key: &Key) -> Result<Batch, Failure> {
        match self {
            Self::Sql { target, run } => target.batch(*run, key).await,
            Self::Rest { ledger, .. } => ledger.batch(key),
        }
    }

    /// The rows that are there, each with its hash if the run was sealed.
    async fn look(&mut self, plan: &TablePlan, ids: &[Uuid]) -> Result<HashMap<Uuid, Seen>, Failure> {
        let image = |(id, image)| (id, Seen { whole: None, image: Some(image) });
        match self {
            Self::Sql { target, run } => {
                let Some(hashes) = target.hashes(*run, &plan.name, ids).await? else {
                    return Ok(target.images(&plan.name, ids).await?.into_iter().map(image).collect());
                };
                let moved = target.moved(*run, &plan.name, ids).await?;
                let seen = |(id, whole)| {
                    let whole = Some(whole).filter(|_| !moved.contains(&id));
                    (id, Seen { whole, image: None })
                };
                Ok(hashes.into_iter().map(seen).collect())
            }
            Self::Rest { target, ledger, moved } => {
                let sealed = ledger.is_sealed(&plan.name);
                let mut seen: HashMap<_, _> =
                    target.images(&plan.name, ids).await?.into_iter().map(image).collect();
                if let (true, Moved::These(moved)) = (sealed, moved) {
                    let holds = seen.iter_mut().filter(|(id, _)| !moved.contains(id));
                    holds.for_each(|(_, now)| now.whole = now.image.as_deref().and_then(Digest::of_image));
                }
                Ok(seen)
            }
        }
    }

    async fn images(&mut self, table: &str, ids: &[Uuid]) -> Result<HashMap<Uuid, Box<RawValue>>, Failure> {
        match self {
            Self::Sql { target, .. } => target.images(table, ids).await,
            Self::Rest { target, .. } => target.images(table, ids).await,
        }
    }

    async fn remove(
        &mut self,
        tables: &[Table],
        table: &Table,
        ids: &[Uuid],
        intent: Intent,
    ) -> Result<HashMap<Uuid, Taken>, Failure> {
        match (ids, self) {
            ([], _) => Ok(HashMap::new()),
            (ids, Self::Sql { target, .. }) => target.remove(&table.name, ids).await,
            (ids, Self::Rest { target, .. }) => target.remove(tables, &table.name, ids, intent).await,
        }
    }

    async fn restore(
        &mut self,
        table: &Table,
        images: &[(Uuid, &RawValue)],
        sent: &[String],
        only: Option<&[String]>,
        intent: Intent,
    ) -> Result<HashMap<Uuid, Taken>, Failure> {
        match (images, self, intent) {
            ([], _, _) => Ok(HashMap::new()),
            (images, Self::Sql { target, .. }, _) => target.restore(&table.name, images, only).await,
            (images, Self::Rest { .. }, Intent::Say) => {
                Ok(images.iter().map(|(id, _)| (*id, Taken::Done)).collect())
            }
            (images, Self::Rest { target, .. }, Intent::Do) => {
                target.restore(&table.name, images, sent, only.is_some()).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Column;

    fn plan() -> TablePlan {
        let columns = vec![Column { name: "name".to_owned(), kind: "text".to_owned() }];
        Table { name: "things".to_owned(), columns, owner: None, refers: Vec::new() }.plan().unwrap()
    }

    fn image(name: &str, moved: &str) -> Box<RawValue> {
        let id = Uuid::from_u128(1);
        RawValue::from_string(format!(r#"{{"id":"{id}","name":"{name}","moved":"{moved}"}}"#)).unwrap()
    }

    fn seen(image: Box<RawValue>, sealed: bool) -> Seen {
        Seen { whole: sealed.then(|| Digest::of_image(&image)).flatten(), image: Some(image) }
    }

    #[test]
    fn a_row_is_taken_back_only_as_the_run_left_it() {
        let (plan, sent) = (plan(), ["name".to_owned()]);
        let ours = plan.ours(&plan.decode(&image("new", "1")).unwrap(), &sent);
        let after = Digest::of_image(&image("new", "1"));
        let id = Uuid::from_u128(1);
        let sealed = Touched { id, ours, before: Some(image("old", "0")), after };
        let unsealed = Touched { after: None, ..sealed.clone() };
        let cases = [
            (&sealed, None, Verdict::Already),
            (&sealed, Some(seen(image("new", "1"), true)), Verdict::Undo),
            (&sealed, Some(seen(image("new", "2"), true)), Verdict::Changed),
            (&sealed, Some(seen(image("mine", "1"), true)), Verdict::Changed),
            (&sealed, Some(seen(image("old", "3"), true)), Verdict::Already),
            (&sealed, Some(seen(image("new", "2"), false)), Verdict::Undo),
            (&unsealed, Some(seen(image("new", "2"), false)), Verdict::Undo),
            (&unsealed, Some(seen(image("new", "2"), true)), Verdict::Undo),
            (&unsealed, Some(seen(image("mine", "1"), false)), Verdict::Changed),
            (&unsealed, Some(seen(image("old", "3"), false)), Verdict::Already),
        ];
        for (place, (row, now, verdict)) in cases.into_iter().enumerate() {
            assert_eq!(judge(&plan, &sent, row, now.as_ref()), verdict, "case {place}");
        }
    }
}
