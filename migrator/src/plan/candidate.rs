//! The records of a table on their way to be rows, one at a time, each with its identity.
//!
//! A collection is read anew whenever it is needed. What was found out about a record before is kept under
//! its number in the table: how it ended, and its rank among records without an id that look alike.

use std::collections::HashMap;

use uuid::Uuid;

use super::build::Ground;
use super::settle::Settled;
use crate::convert::Refusal;
use crate::exit::{self, Failure};
use crate::export::{Item, Items, Outline, Repairs, mend, opened_text};
use crate::identity::{self, Identified, SEPARATOR};
use crate::mapping::{Absent, Column, Field, Found, IdRule, Mentions, Mojibake, Path, Table};
use crate::node::Node;
use crate::pointer::Pointer;
use crate::record::Record;

/// A record on its way to be a row.
pub(super) struct Candidate {
    /// Which of the table's records it is.
    pub(super) number: usize,
    /// Which of the table's paths it lies under.
    pub(super) path: usize,
    /// True of one that is named by a record of something else, and of which nothing else is known.
    pub(super) is_mentioned: bool,
    pub(super) record: Record,
    /// What became of the record it lies in, for a child.
    pub(super) parent: Option<ParentFate>,
    /// Where it stands among records that look alike.
    pub(super) rank: usize,
    /// Its row's id, or why it can have none.
    pub(super) identified: Result<Identified, Refusal>,
}

/// The record a child lies in.
#[derive(Debug, Clone)]
pub(super) struct ParentFate {
    pub(super) outcome: Outcome,
    pub(super) id: Option<Uuid>,
    pub(super) at: Pointer,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Row,
    Merged,
    Rejected,
}

/// What is noticed while records are read.
#[derive(Default)]
pub(super) struct Notice {
    pub(super) secrets: Vec<Pointer>,
    pub(super) repairs: Repairs,
    /// The collections that were read.
    pub(super) read: Vec<Pointer>,
    /// Items that are null where records should be: there is nothing in them to keep or to refuse.
    pub(super) empty: Vec<Pointer>,
}

/// A record among the rejects of an earlier run.
struct RejectedRecord {
    item: Item,
    parent: Option<Uuid>,
    rank: usize,
}

impl RejectedRecord {
    /// Reads a line of the file of rejects, if it is one for this table.
    fn read(line: &Item, table: &str) -> Result<Option<Self>, Failure> {
        let wrong = |why: &str| {
            let message = format!("line {} of the rejects {why}", line.index + 1);
            Failure::new(exit::INPUT, "rejects.line", message)
                .help("mend what is in `row`, and leave the rest of the line as it is")
        };
        let Node::Map(members) = &line.value else { return Err(wrong("is no object")) };
        let text = |name: &str| match members.get(name) {
            Some(Node::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let count = |name: &str| match members.get(name) {
            Some(Node::Number(number)) => number.as_str().parse().unwrap_or(0),
            _ => 0,
        };
        let of = text("table").ok_or_else(|| wrong("does not say which table it is for"))?;
        if of != table || text("code").as_deref() == Some("parent_rejected") {
            return Ok(None);
        }
        let value = members.get("row").cloned().ok_or_else(|| wrong("has no row"))?;
        let parent = text("parent").map(|id| id.parse().map_err(|_| wrong("has a parent that is no id")));
        let at = text("pointer").and_then(|at| Pointer::parse(&at)).unwrap_or_else(|| line.at.clone());
        let item = Item { at, index: count("index"), key: text("key"), group: text("group"), value };
        Ok(Some(Self { item, parent: parent.transpose()?, rank: count("rank") }))
    }
}

type Take<'t> = &'t mut dyn FnMut(Candidate) -> Result<(), Failure>;

impl<'a> Ground<'a> {
    /// Hands out the records of a table. `settled` is what is known of those with an id in common.
    pub(super) fn each(
        &self,
        table: &'a Table,
        settled: &Settled,
        notice: &mut Notice,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let parent = table.parent.as_ref().map(|parent| self.mapping.table(&parent.table));
        match parent {
            None if self.export.is_of_rejects => self.rejects(table, 0, notice, take),
            None => self.items(table, settled, notice, take),
            Some(None) => Ok(()),
            Some(Some(parent)) => {
                let mut number = 0;
                self.children(table, parent, notice, &mut |candidate| {
                    number += 1;
                    take(candidate)
                })?;
                if self.export.is_of_rejects { self.rejects(table, number, notice, take) } else { Ok(()) }
            }
        }
    }

    /// The records of a table among the rejects of an earlier run. Those whose parent was rejected come with
    /// their parent.
    fn rejects(
        &self,
        table: &'a Table,
        first: usize,
        notice: &mut Notice,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let mut number = first;
        for document in &self.export.documents {
            notice.read.push(document.base.clone());
            let Notice { secrets, repairs, .. } = notice;
            // One line alone is an object.
            let items = if document.root.members().is_some() { Items::One } else { Items::List };
            self.export.each(&document.root, &document.base, items, repairs, &mut |item| {
                let line = RejectedRecord::read(&item, &table.name)?;
                let Some(line) = line else { return Ok(()) };
                let record = Record::new(line.item, secrets);
                let parent = line.parent.map(|id| ParentFate {
                    outcome: Outcome::Row,
                    id: Some(id),
                    at: record.at.clone(),
                });
                let identified = match &parent {
                    None => self.identify(table, &record, line.rank),
                    Some(parent) => {
                        let mut ranks = HashMap::new();
                        ranks.insert((parent.id, natural_key(&record, key_of(table))), line.rank);
                        self.identify_child(table, way(table), &record, parent, &mut ranks)
                    }
                };
                take(Candidate {
                    number,
                    path: 0,
                    is_mentioned: false,
                    record,
                    parent,
                    rank: line.rank,
                    identified,
                })?;
                number += 1;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The records of a table's collections, and those that are only named elsewhere.
    fn items(
        &self,
        table: &'a Table,
        settled: &Settled,
        notice: &mut Notice,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let mut number = 0;
        let listed: Vec<_> = table.from.iter().enumerate().collect();
        self.collections(&listed, table.takes_any_value(), notice, &mut |path, record, broken| {
            let identified = match broken {
                Some(refusal) => Err(refusal),
                None => self.identify(table, &record, settled.rank(number)),
            };
            let rank = settled.rank(number);
            take(Candidate { number, path, is_mentioned: false, record, parent: None, rank, identified })?;
            number += 1;
            Ok(())
        })?;
        let Some(Mentions { from, by }) = &table.mentions else { return Ok(()) };
        let others: Vec<_> = from.iter().enumerate().collect();
        // What else there is to notice of these records is for the table that they are of.
        self.collections(&others, false, &mut Notice::default(), &mut |path, record, broken| {
            let name = record.first(by).and_then(|field| record.peek(field)).and_then(identity::canon);
            let Some(id) = name.filter(|_| broken.is_none()) else { return Ok(()) };
            let record = Record::mentioned(record.at.clone(), record.index, Node::Text(id.clone()));
            let (path, identified) = (listed.len() + path, Ok(self.identity.of_record(&table.name, id)));
            take(Candidate { number, path, is_mentioned: true, record, parent: None, rank: 0, identified })?;
            number += 1;
            Ok(())
        })
    }

    /// The records under some paths, each with the number of its path; for a collection that cannot be read as
    /// its path says, a record of nothing and the reason.
    fn collections(
        &self,
        paths: &[(usize, &Path)],
        any: bool,
        notice: &mut Notice,
        take: &mut dyn FnMut(usize, Record, Option<Refusal>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for (document, shape) in self.export.documents.iter().zip(&self.shapes) {
            let Some(shape) = shape else { continue };
            for (path_number, path) in paths {
                for Found { at, outline, group } in path.find(&shape.root, &shape.prefix, document) {
                    let at = document.base.join(&at);
                    let broken = self.broken(path, outline, &at, any);
                    // Another path may announce it as what it is: bookings{*} and bookings[*].
                    let is_other = |(_, other): &(usize, &Path)| {
                        *other != *path
                            && other.at(&shape.root, &shape.prefix) == path.at(&shape.root, &shape.prefix)
                            && other.items.fits(outline, any)
                    };
                    if broken.is_some() && paths.iter().any(is_other) {
                        continue;
                    }
                    // A star stands for whatever fits; a path that names its key means it. What two paths
                    // lead to is read once.
                    if group.is_some() && broken.is_some() || notice.read.contains(&at) {
                        continue;
                    }
                    notice.read.push(at.clone());
                    if outline.is_blank() {
                        continue;
                    }
                    let Notice { secrets, repairs, empty, .. } = notice;
                    if broken.is_some() {
                        let item = Item { at, index: 0, key: None, group: None, value: Node::Null };
                        take(*path_number, Record::new(item, secrets), broken)?;
                        continue;
                    }
                    let mut mended = 0;
                    self.export.each(outline, &at, path.items, repairs, &mut |mut item| {
                        if item.value == Node::Null && !any {
                            empty.push(item.at);
                            return Ok(());
                        }
                        item.group = item.group.or_else(|| group.clone());
                        if path.items == Items::One && item.key.is_none() {
                            item.key.clone_from(&group);
                        }
                        if self.mapping.source.mojibake != Mojibake::Off {
                            let fix = self.mapping.source.mojibake == Mojibake::Fix;
                            mended += mend(&mut item.value, fix);
                        }
                        take(*path_number, Record::new(item, secrets), None)
                    })?;
                    repairs.mojibake += mended;
                }
            }
        }
        Ok(())
    }

    /// Why a collection cannot be read as its path says.
    fn broken(&self, path: &Path, outline: &Outline, at: &Pointer, any: bool) -> Option<Refusal> {
        if outline.is_blank() {
            return None;
        }
        if let Some(broken) = self.export.broken_at(at).filter(|_| !outline.is_container()) {
            return Some(Refusal::new(
                "collection_unreadable",
                format!("the collection cannot be read: {}", broken.reason),
                "the value was cut off or damaged; export the data again, or take what is there with --salvage",
            ));
        }
        (!path.items.fits(outline, any)).then(|| {
            Refusal::new(
                "collection_shape",
                format!("the collection is {}, which the mapping does not expect", outline.word()),
                "write customers[*] for a list, customers{*} for an object of records, customers for one record",
            )
        })
    }

    /// The records that lie in those of the parent, and those that lie elsewhere and name it.
    fn children(
        &self,
        table: &'a Table,
        parent: &'a Table,
        notice: &mut Notice,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let (mut number, nothing) = (0, Settled::default());
        let done = self.done(&parent.name);
        // The parent's secrets are gone already, with those of all that lies in it, and its repairs counted.
        let mut quiet = Notice::default();
        let settled = done.map_or(&nothing, |done| &done.settled);
        self.each(parent, settled, &mut quiet, &mut |candidate| {
            let outcome = done.map_or(Outcome::Rejected, |done| done.outcome(candidate.number));
            let id = candidate.identified.as_ref().ok().map(|identified| identified.id);
            let fate = ParentFate { outcome, id, at: candidate.record.at.clone() };
            let mut ranks = HashMap::new();
            for (path, item) in child_items(table, &candidate.record) {
                if item.value == Node::Null && !table.takes_any_value() {
                    notice.empty.push(item.at);
                    continue;
                }
                let record = Record::new(item, &mut Vec::new());
                let key = (fate.id, natural_key(&record, key_of(table)));
                let rank = ranks.get(&key).copied().unwrap_or_default();
                let identified = self.identify_child(table, way(table), &record, &fate, &mut ranks);
                let parent = Some(fate.clone());
                take(Candidate { number, path, is_mentioned: false, record, parent, rank, identified })?;
                number += 1;
            }
            Ok(())
        })?;
        let Some(named_by) = table.parent.as_ref().and_then(|parent| parent.named_by.as_ref()) else {
            return Ok(());
        };
        let elsewhere: Vec<_> =
            table.from.iter().enumerate().filter(|(_, path)| path.is_absolute()).collect();
        let mut ranks = HashMap::new();
        self.collections(&elsewhere, false, notice, &mut |path, record, broken| {
            let name = record.peek(named_by).filter(|name| !name.is_blank()).and_then(identity::canon);
            let id = name.map(|name| self.identity.of_record(&parent.name, name).id);
            let is_row = |id: &Uuid| done.is_some_and(|done| done.holds(*id));
            let id = id.filter(is_row);
            let outcome = if id.is_some() { Outcome::Row } else { Outcome::Rejected };
            let fate = ParentFate { outcome, id, at: record.at.clone() };
            let key = (fate.id, natural_key(&record, key_of(table)));
            let rank = ranks.get(&key).copied().unwrap_or_default();
            let identified = match broken {
                Some(refusal) => Err(refusal),
                None => self.identify_child(table, table.from.get(path), &record, &fate, &mut ranks),
            };
            let parent = Some(fate).filter(|_| identified.is_ok());
            take(Candidate { number, path, is_mentioned: false, record, parent, rank, identified })?;
            number += 1;
            Ok(())
        })
    }

    fn identify(&self, table: &Table, record: &Record, rank: usize) -> Result<Identified, Refusal> {
        is_an_object(table, record)?;
        let nameless =
            |fields: &[Field]| self.identity.of_nameless(&table.name, &natural_key(record, fields), rank);
        match &table.id {
            IdRule::Fields(fields) => Ok(self.identity.of_record(&table.name, legacy_id(record, fields)?)),
            IdRule::Natural(fields) => Ok(nameless(fields)),
            IdRule::First { fields, natural } => match record.first(fields) {
                Some(field) => {
                    let legacy = legacy_id(record, std::slice::from_ref(field))?;
                    Ok(self.identity.of_record(&table.name, legacy))
                }
                None => Ok(nameless(natural)),
            },
        }
    }

    fn identify_child(
        &self,
        table: &Table,
        way: Option<&Path>,
        record: &Record,
        parent: &ParentFate,
        ranks: &mut HashMap<(Option<Uuid>, String), usize>,
    ) -> Result<Identified, Refusal> {
        is_an_object(table, record)?;
        let key = natural_key(record, key_of(table));
        let rank = ranks.entry((parent.id, key.clone())).or_default();
        let way = way.map(Path::steps).unwrap_or_default().join("/");
        let identified = self.identity.of_child(parent.id.unwrap_or_default(), &way, &key, *rank);
        *rank += 1;
        Ok(identified)
    }
}

/// The records of a child table that lie in a record, each with the number of its path. A list that only
/// repeats one before it is another spelling of it.
pub(super) fn child_items(table: &Table, record: &Record) -> Vec<(usize, Item)> {
    let mut seen: Vec<Node> = Vec::new();
    let mut found = Vec::new();
    for (number, path) in table.from.iter().enumerate().filter(|(_, path)| !path.is_absolute()) {
        if path.is_the_record() {
            found.extend(own_item(table, record).map(|item| (number, item)));
            continue;
        }
        let Some((node, opened)) = child_value(path, record) else { continue };
        let node = opened.unwrap_or_else(|| node.clone());
        if seen.contains(&node) {
            continue;
        }
        let at = path.steps().iter().fold(record.at.clone(), |at, step| at.member(step));
        found.extend(path.items.of_node(&node, &at).into_iter().map(|item| (number, item)));
        seen.push(node);
    }
    found
}

/// The record as a child of its own, if it has all that the child needs.
pub(super) fn own_item(table: &Table, record: &Record) -> Option<Item> {
    let is_needed = |column: &&Column| matches!(column.absent, Absent::Reject);
    let has_it = |column: &Column| record.first(column.source.fields()).is_some();
    table.columns.iter().filter(is_needed).all(has_it).then(|| Item {
        at: record.at.clone(),
        index: 0,
        key: None,
        group: None,
        value: record.value().clone(),
    })
}

/// What a record has where the records of a child lie; a text that holds them is opened.
pub(super) fn child_value<'r>(path: &Path, record: &'r Record) -> Option<(&'r Node, Option<Node>)> {
    let node = record.find(path.steps())?;
    if path.items.fits_node(node) {
        return Some((node, None));
    }
    let Node::Text(text) = node else { return None };
    let opened = opened_text(text).filter(|opened| path.items.fits_node(opened))?;
    Some((node, Some(opened)))
}

/// The way to a child's records that is part of their ids.
fn way(table: &Table) -> Option<&Path> {
    table.from.iter().find(|path| !path.is_absolute()).or(table.from.first())
}

/// The fields that tell records without an id apart.
fn key_of(table: &Table) -> &[Field] {
    let (IdRule::Natural(fields) | IdRule::Fields(fields) | IdRule::First { natural: fields, .. }) =
        &table.id;
    fields
}

fn is_an_object(table: &Table, record: &Record) -> Result<(), Refusal> {
    if matches!(record.value(), Node::Map(_)) || table.takes_any_value() {
        return Ok(());
    }
    let why = format!("the record is {}, not an object", record.value().kind());
    Err(Refusal::new("record_not_object", why, "correct it in the app and export again"))
}

fn natural_key(record: &Record, fields: &[Field]) -> String {
    let parts: Vec<String> = fields.iter().map(|field| identity::key_part(record.peek(field))).collect();
    parts.join(&SEPARATOR.to_string())
}

fn legacy_id(record: &Record, fields: &[Field]) -> Result<String, Refusal> {
    let mut parts = Vec::with_capacity(fields.len());
    for field in fields {
        let value = record.peek(field).filter(|value| !value.is_blank()).ok_or_else(|| {
            Refusal::new(
                "id_missing",
                "the record has no id",
                "write id = { natural = [\"…\"] } if its records have none",
            )
        })?;
        parts.push(identity::canon(value).ok_or_else(|| {
            Refusal::new(
                "id_unusable",
                "its id is neither a text nor a number",
                "correct it and export again",
            )
        })?);
    }
    Ok(parts.join(&SEPARATOR.to_string()))
}
