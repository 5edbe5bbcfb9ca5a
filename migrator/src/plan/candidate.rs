//! The records of a table on their way to be rows, one at a time, each with its identity.
//!
//! A collection is read anew whenever it is needed. What was found out about a record before is kept under
//! its number in the table: how it ended, and its rank among records without an id that look alike.

use std::collections::HashMap;

use uuid::Uuid;

use super::build::Ground;
use super::settle::Settled;
use crate::convert::Refusal;
use crate::exit::Failure;
use crate::export::{Item, Items, Outline, Repairs, mend, opened_text};
use crate::identity::{self, Identified, SEPARATOR};
use crate::mapping::{Field, Found, IdRule, Mojibake, Path, Table};
use crate::node::Node;
use crate::pointer::Pointer;
use crate::record::Record;

/// A record on its way to be a row.
pub(super) struct Candidate {
    /// Which of the table's records it is.
    pub(super) number: usize,
    /// Which of the table's paths it lies under.
    pub(super) path: usize,
    pub(super) record: Record,
    /// What became of the record it lies in, for a child.
    pub(super) parent: Option<ParentFate>,
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
        match &table.parent {
            None => self.items(table, settled, notice, take),
            Some(parent) => match self.mapping.table(&parent.table) {
                Some(parent) => self.children(table, parent, take),
                None => Ok(()),
            },
        }
    }

    /// The records of a table's collections.
    fn items(
        &self,
        table: &'a Table,
        settled: &Settled,
        notice: &mut Notice,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let any = table.takes_any_value();
        let mut number = 0;
        for (document, shape) in self.export.documents.iter().zip(&self.shapes) {
            let Some(shape) = shape else { continue };
            for (path_number, path) in table.from.iter().enumerate() {
                for Found { at, outline, group } in path.find(&shape.root, &shape.prefix, document) {
                    let at = document.base.join(&at);
                    let broken = self.broken(path, outline, &at, any);
                    // A star stands for whatever fits; a path that names its key means it.
                    if group.is_some() && broken.is_some() {
                        continue;
                    }
                    notice.read.push(at.clone());
                    if outline.is_blank() {
                        continue;
                    }
                    let Notice { secrets, repairs, .. } = notice;
                    if let Some(refusal) = broken {
                        let item = Item { at, index: 0, key: None, group: None, value: Node::Null };
                        let record = Record::new(item, secrets);
                        let (parent, identified) = (None, Err(refusal));
                        take(Candidate { number, path: path_number, record, parent, identified })?;
                        number += 1;
                        continue;
                    }
                    let mut mended = 0;
                    self.export.each(outline, &at, path.items, repairs, &mut |mut item| {
                        item.group = item.group.or_else(|| group.clone());
                        if path.items == Items::One && item.key.is_none() {
                            item.key.clone_from(&group);
                        }
                        if self.mapping.source.mojibake != Mojibake::Off {
                            let fix = self.mapping.source.mojibake == Mojibake::Fix;
                            mended += mend(&mut item.value, fix);
                        }
                        let record = Record::new(item, secrets);
                        let identified = self.identify(table, &record, settled.rank(number));
                        take(Candidate { number, path: path_number, record, parent: None, identified })?;
                        number += 1;
                        Ok(())
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

    /// The records that lie in those of the parent.
    fn children(&self, table: &'a Table, parent: &'a Table, take: Take<'_>) -> Result<(), Failure> {
        let (mut number, nothing) = (0, Settled::default());
        let done = self.done(&parent.name);
        // The parent's secrets are gone already, with those of all that lies in it, and its repairs counted.
        let mut quiet = Notice::default();
        let settled = done.map_or(&nothing, |done| &done.settled);
        self.each(parent, settled, &mut quiet, &mut |candidate| {
            let outcome = done.map_or(Outcome::Rejected, |done| done.outcome(candidate.number));
            let id = candidate.identified.as_ref().ok().map(|identified| identified.id);
            let fate = ParentFate { outcome, id, at: candidate.record.at.clone() };
            let mut ranks: HashMap<String, usize> = HashMap::new();
            for (path, item) in child_items(table, &candidate.record) {
                let record = Record::new(item, &mut Vec::new());
                let identified = self.identify_child(table, &record, &fate, &mut ranks);
                take(Candidate { number, path, record, parent: Some(fate.clone()), identified })?;
                number += 1;
            }
            Ok(())
        })
    }

    fn identify(&self, table: &Table, record: &Record, rank: usize) -> Result<Identified, Refusal> {
        is_an_object(table, record)?;
        match &table.id {
            IdRule::Fields(fields) => Ok(self.identity.of_record(&table.name, legacy_id(record, fields)?)),
            IdRule::Natural(fields) => {
                Ok(self.identity.of_nameless(&table.name, &natural_key(record, fields), rank))
            }
        }
    }

    fn identify_child(
        &self,
        table: &Table,
        record: &Record,
        parent: &ParentFate,
        ranks: &mut HashMap<String, usize>,
    ) -> Result<Identified, Refusal> {
        is_an_object(table, record)?;
        let (IdRule::Natural(fields) | IdRule::Fields(fields)) = &table.id;
        let key = natural_key(record, fields);
        let rank = ranks.entry(key.clone()).or_default();
        let path = table.from.first().map(Path::steps).unwrap_or_default().join("/");
        let identified = self.identity.of_child(parent.id.unwrap_or_default(), &path, &key, *rank);
        *rank += 1;
        Ok(identified)
    }
}

/// The records of a child table that lie in a record, each with the number of its path. A list that only
/// repeats one before it is another spelling of it.
pub(super) fn child_items(table: &Table, record: &Record) -> Vec<(usize, Item)> {
    let mut seen: Vec<Node> = Vec::new();
    let mut found = Vec::new();
    for (number, path) in table.from.iter().enumerate() {
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
