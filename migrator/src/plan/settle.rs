//! Which of several records with one id becomes the row.
//!
//! Copies merge. Of others the newest is taken where a clock tells, else the one under the table's earlier
//! path; otherwise none, because nobody knows which is right. Records without an id are numbered among
//! those that look alike.

use std::collections::{HashMap, HashSet};
use std::io;

use super::candidate::Candidate;
use crate::convert;
use crate::mapping::{Field, IdRule, Table};
use crate::node::Node;
use crate::record::Record;
use crate::scratch::{Index, Sorter};

/// What is known of records by their number; of most there is nothing to know.
#[derive(Debug, Default)]
pub(super) struct Settled {
    special: HashMap<usize, Special>,
    /// The ids of all records that have one.
    pub(super) ids: Index<16>,
}

/// What is known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// It is among those that look alike at this place.
    Rank(usize),
    /// Another record stands for it.
    Merged {
        /// The number of that record.
        by: usize,
        /// Why that one.
        why: Why,
    },
    /// Another record with its id says something else.
    Conflict,
}

/// Why one record stands for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Copy,
    Newer,
    /// It lies under an earlier path.
    First,
}

/// Id, number, time, path, kind, content.
const ENTRY: usize = 16 + 8 + 8 + 2 + 1 + 16;

/// A record with an id of its own, one without, and one that is only named elsewhere.
const NAMED: u8 = 0;
const NAMELESS: u8 = 1;
const MENTIONED: u8 = 2;

/// Collects what is needed to settle.
pub(super) struct Settling<'t> {
    table: &'t Table,
    entries: Sorter<ENTRY>,
    ids: Sorter<16>,
}

struct Entry {
    number: usize,
    time: u64,
    path: u16,
    kind: u8,
    content: [u8; 16],
}

impl Settled {
    /// Where a record without an id stands among those that look alike.
    pub(super) fn rank(&self, number: usize) -> usize {
        match self.special.get(&number) {
            Some(Special::Rank(rank)) => *rank,
            _ => 0,
        }
    }

    /// What is known of a record, if anything.
    pub(super) fn special(&self, number: usize) -> Option<Special> {
        self.special.get(&number).copied()
    }

    /// The records that stand for others.
    pub(super) fn stand_for_others(&self) -> HashSet<usize> {
        let winners = self.special.values().filter_map(|special| match special {
            Special::Merged { by, why: Why::Newer | Why::First } => Some(*by),
            _ => None,
        });
        winners.collect()
    }
}

impl<'t> Settling<'t> {
    pub(super) fn new(table: &'t Table) -> Self {
        Self { table, entries: Sorter::default(), ids: Sorter::default() }
    }

    /// Takes a record into account.
    pub(super) fn add(&mut self, candidate: &Candidate) -> io::Result<()> {
        let Ok(identified) = &candidate.identified else { return Ok(()) };
        self.ids.push(*identified.id.as_bytes())?;
        let clock = self.table.clock.as_deref().and_then(|clock| candidate.record.peek(&Field::named(clock)));
        let time = clock.and_then(convert::clock).map_or(0, |time| {
            // In order as bytes, and never zero, which means that there is none.
            u64::try_from(i128::from(time.as_microsecond()) + i128::from(i64::MAX)).unwrap_or(1).max(1)
        });
        let mut entry = [0; ENTRY];
        entry[..16].copy_from_slice(identified.id.as_bytes());
        entry[16..24].copy_from_slice(&(candidate.number as u64).to_be_bytes());
        entry[24..32].copy_from_slice(&time.to_be_bytes());
        entry[32..34].copy_from_slice(&u16::try_from(candidate.path).unwrap_or(u16::MAX).to_be_bytes());
        entry[34] = match candidate.is_mentioned {
            true => MENTIONED,
            false if identified.nameless => NAMELESS,
            false => NAMED,
        };
        entry[35..].copy_from_slice(&content(self.table, &candidate.record));
        self.entries.push(entry)
    }

    /// Decides.
    pub(super) fn settle(self) -> io::Result<Settled> {
        let mut special = HashMap::new();
        let (mut id, mut group): ([u8; 16], Vec<Entry>) = ([0; 16], Vec::new());
        let mut close = |group: &mut Vec<Entry>| {
            match group.as_slice() {
                [] | [_] => {}
                // Ids of both kinds are never alike.
                alike if alike[0].kind == NAMELESS => {
                    let ranks = alike.iter().enumerate().skip(1);
                    special.extend(ranks.map(|(rank, entry)| (entry.number, Special::Rank(rank))));
                }
                rivals => special.extend(verdicts(rivals)),
            }
            group.clear();
        };
        self.entries.each(|entry| {
            if entry[..16] != id {
                close(&mut group);
                id.copy_from_slice(&entry[..16]);
            }
            group.push(read(&entry));
            Ok(())
        })?;
        close(&mut group);
        Ok(Settled { special, ids: self.ids.index()? })
    }
}

fn read(entry: &[u8; ENTRY]) -> Entry {
    let word = |from: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&entry[from..from + 8]);
        u64::from_be_bytes(word)
    };
    let mut content = [0; 16];
    content.copy_from_slice(&entry[35..]);
    Entry {
        number: usize::try_from(word(16)).unwrap_or(usize::MAX),
        time: word(24),
        path: u16::from_be_bytes([entry[32], entry[33]]),
        kind: entry[34],
        content,
    }
}

/// What becomes of each of several records with one id.
fn verdicts(rivals: &[Entry]) -> Vec<(usize, Special)> {
    // Who is only named says nothing against who is listed.
    let listed: Vec<&Entry> = rivals.iter().filter(|entry| entry.kind != MENTIONED).collect();
    let listed = if listed.is_empty() { rivals.iter().collect() } else { listed };
    let Some((winner, why)) = winner(&listed) else {
        return rivals.iter().map(|entry| (entry.number, Special::Conflict)).collect();
    };
    let losers = rivals.iter().filter(|entry| entry.number != winner.number);
    let verdict = |entry: &Entry| {
        let says_the_same = entry.content == winner.content || entry.kind == MENTIONED;
        let why = if says_the_same { Why::Copy } else { why };
        (entry.number, Special::Merged { by: winner.number, why })
    };
    losers.map(verdict).collect()
}

fn winner<'e>(rivals: &[&'e Entry]) -> Option<(&'e Entry, Why)> {
    let first = rivals.first()?;
    if rivals.iter().all(|entry| entry.content == first.content) {
        return Some((first, Why::Copy));
    }
    // The first of those that are left, if they all say the same.
    let agreed = |mut left: Vec<&'_ Entry>| {
        left.sort_by_key(|entry| entry.number);
        let first = left.first().map(|first| first.content)?;
        left.iter().all(|entry| entry.content == first).then(|| left.first().map(|entry| entry.number))?
    };
    let by_number = |number: usize| rivals.iter().find(|entry| entry.number == number).copied();
    let newest = rivals.iter().map(|entry| entry.time).max()?;
    if rivals.iter().all(|entry| entry.time > 0)
        && let Some(number) = agreed(rivals.iter().copied().filter(|entry| entry.time == newest).collect())
    {
        return by_number(number).map(|entry| (entry, Why::Newer));
    }
    let earliest = rivals.iter().map(|entry| entry.path).min()?;
    if rivals.iter().all(|entry| entry.path == earliest) {
        return None;
    }
    let number = agreed(rivals.iter().copied().filter(|entry| entry.path == earliest).collect())?;
    by_number(number).map(|entry| (entry, Why::First))
}

/// What a record says: equal for records that say the same. A field that is null says nothing, and the id
/// may be spelt `7` in one and `"7"` in the other.
fn content(table: &Table, record: &Record) -> [u8; 16] {
    let is_id = |name: &str| match &table.id {
        IdRule::Fields(fields) => fields.contains(&Field::named(name)),
        IdRule::First { fields, .. } => record.first(fields) == Some(&Field::named(name)),
        IdRule::Natural(_) => false,
    };
    let mut hasher = blake3::Hasher::new();
    match record.value() {
        Node::Map(members) => {
            let mut said: Vec<_> =
                members.iter().filter(|(name, value)| **value != Node::Null && !is_id(name)).collect();
            said.sort_by_key(|(name, _)| *name);
            for (name, value) in said {
                Node::Text(name.clone()).feed(&mut hasher);
                value.feed(&mut hasher);
            }
        }
        other => other.feed(&mut hasher),
    }
    let mut content = [0; 16];
    content.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    content
}
