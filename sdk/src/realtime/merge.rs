//! A table as it is told: rows that were fetched and changes that came, made into one story without loss and
//! without doubles.
//!
//! What is kept of each row is its key, how new it is by its own clock, and a hash of what it said. With that:
//! - A row that says what it said before is not told again, whichever way it comes.
//! - A change that is older than what was told is not told: it is an echo of what was fetched meanwhile. A row
//!   that is fetched is what it is, whatever its clock says.
//! - After a gap, what the server no longer lists was removed, and what it lists and nobody told is fetched.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use serde_json::value::RawValue;

use crate::realtime::binding::Kind;
use crate::realtime::stamp::Stamp;

/// A row's key: a JSON object of the key's columns, in their order.
pub(super) type Key = String;

/// What there is to tell.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// This row is new, or changed.
    Put(Box<RawValue>),
    /// The row of this key is gone.
    Remove(Key),
    /// What came is not enough to say; the table has to be looked at again.
    Doubt,
}

/// How a row came.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    Fetched,
    Told,
}

pub(super) struct Merge {
    key: &'static [&'static str],
    /// The columns a row is made of: what else comes makes no difference.
    columns: Vec<&'static str>,
    clock: Option<String>,
    known: HashMap<Key, Known>,
    hashing: RandomState,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    says: u64,
    stamp: Option<Stamp>,
}

impl Merge {
    pub(super) fn new(
        key: &'static [&'static str],
        columns: Vec<&'static str>,
        clock: Option<String>,
    ) -> Self {
        Self { key, columns, clock, known: HashMap::new(), hashing: RandomState::new() }
    }

    /// How new the newest row is.
    pub(super) fn newest(&self) -> Option<Stamp> {
        self.known.values().filter_map(|known| known.stamp).max()
    }

    /// Takes a row as it was fetched.
    pub(super) fn fetched(&mut self, row: &RawValue) -> Option<News> {
        self.put(row, Source::Fetched)
    }

    /// Takes a change as it came. `record` is the row as it is, `old` what is known of it as it was.
    pub(super) fn changed(
        &mut self,
        kind: Kind,
        record: Option<&RawValue>,
        old: Option<&RawValue>,
    ) -> Vec<News> {
        let old = old.and_then(|old| self.key_of(&columns(old)?));
        match (kind, record) {
            (Kind::Delete, _) => match old {
                Some(key) => self.remove(&key).into_iter().collect(),
                None => vec![News::Doubt],
            },
            (Kind::Insert | Kind::Update | Kind::Any, Some(record)) => {
                let Some(key) = columns(record).and_then(|columns| self.key_of(&columns)) else {
                    return vec![News::Doubt];
                };
                // A key that changed is another row's, and the old one is gone.
                let moved = old.filter(|old| *old != key).and_then(|old| self.remove(&old));
                moved.into_iter().chain(self.put(record, Source::Told)).collect()
            }
            (Kind::Insert | Kind::Update | Kind::Any, None) => vec![News::Doubt],
        }
    }

    /// Takes the keys of all rows there are. What is known and not among them is gone.
    pub(super) fn listed(&mut self, keys: &BTreeSet<Key>) -> Vec<News> {
        let mut gone: Vec<Key> = self.known.keys().filter(|key| !keys.contains(*key)).cloned().collect();
        gone.sort_unstable();
        gone.iter().filter_map(|key| self.remove(key)).collect()
    }

    /// The keys of rows that were listed and never told.
    pub(super) fn untold<'a>(&self, keys: &'a BTreeSet<Key>) -> Vec<&'a Key> {
        keys.iter().filter(|key| !self.known.contains_key(*key)).collect()
    }

    /// A row's key; `None` for what has none.
    pub(super) fn key(&self, row: &RawValue) -> Option<Key> {
        self.key_of(&columns(row)?)
    }

    fn put(&mut self, row: &RawValue, source: Source) -> Option<News> {
        let columns = columns(row)?;
        let key = self.key_of(&columns)?;
        let stamp = self.clock.as_ref().and_then(|clock| Stamp::read(columns.get(clock)?.get()));
        let says: Vec<_> =
            self.columns.iter().map(|name| columns.get(*name).map(|value| dense(value.get()))).collect();
        let now = Known { says: self.hashing.hash_one(says), stamp };
        if let Some(before) = self.known.get(&key) {
            let older = matches!((before.stamp, now.stamp), (Some(before), Some(now)) if now < before);
            if (older && source == Source::Told) || *before == now {
                return None;
            }
        }
        self.known.insert(key, now);
        Some(News::Put(row.to_owned()))
    }

    fn remove(&mut self, key: &Key) -> Option<News> {
        self.known.remove(key).map(|_| News::Remove(key.clone()))
    }

    fn key_of(&self, columns: &BTreeMap<String, &RawValue>) -> Option<Key> {
        let mut key = String::from("{");
        for (at, name) in self.key.iter().enumerate() {
            let value = columns.get(*name).map(|value| value.get()).filter(|value| *value != "null")?;
            key.push_str(if at == 0 { "" } else { "," });
            key.extend([&serde_json::to_string(name).ok()?, ":", value]);
        }
        key.push('}');
        Some(key)
    }
}

fn columns(row: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(row.get()).ok()
}

/// A value without the blanks that stand outside its texts: servers differ in these and in nothing else.
fn dense(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let kept = json.chars().filter(|char| {
        let inside = in_text;
        in_text ^= *char == '"' && !escaped;
        escaped = inside && *char == '\\' && !escaped;
        inside || !char.is_ascii_whitespace()
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn merge(clock: bool) -> Merge {
        Merge::new(&["id"], vec!["id", "v", "at"], clock.then(|| "at".to_owned()))
    }

    fn words(news: impl IntoIterator<Item = News>) -> Vec<String> {
        let word = |news: News| match news {
            News::Put(row) => format!("put {}", row.get()),
            News::Remove(key) => format!("remove {key}"),
            News::Doubt => "doubt".to_owned(),
        };
        news.into_iter().map(word).collect()
    }

    fn change(merge: &mut Merge, kind: Kind, record: &str, old: &str) -> Vec<String> {
        let (record, old) = (raw(record), raw(old));
        words(merge.changed(kind, Some(&record), Some(&old)))
    }

    #[test]
    fn what_was_told_is_not_told_again_and_what_is_older_not_at_all() {
        let mut table = merge(true);
        assert_eq!(words(table.fetched(&raw(r#"{"id":1,"v":"b","at":2}"#))).len(), 1);
        assert!(change(&mut table, Kind::Insert, r#"{"id":1,"v":"a","at":1}"#, "null").is_empty(), "an echo");
        assert!(change(&mut table, Kind::Update, r#"{"id":1, "v":"b", "at":2, "x":9}"#, "{}").is_empty());
        assert_eq!(
            change(&mut table, Kind::Update, r#"{"id":1,"v":"c","at":2}"#, "{}"),
            [r#"put {"id":1,"v":"c","at":2}"#],
            "the clock did not move, and the row did"
        );
        assert_eq!(table.newest(), Some(Stamp::Count(2)));
        assert!(
            table.fetched(&raw(r#"{"id":1,"v":"restored","at":1}"#)).is_some(),
            "a clock may be set back"
        );
        let mut table = merge(false);
        table.fetched(&raw(r#"{"id":1,"v":{"a": " b"}}"#));
        assert!(table.fetched(&raw(r#"{"id":1,"v":{"a":" b"}}"#)).is_none());
        assert!(table.fetched(&raw(r#"{"id":1,"v":{"a":"b"}}"#)).is_some());
    }

    #[test]
    fn removals_are_told_once_by_event_or_by_list() {
        let mut table = merge(false);
        for id in 1..=4 {
            table.fetched(&raw(&format!(r#"{{"id":{id}}}"#)));
        }
        assert_eq!(change(&mut table, Kind::Delete, "null", r#"{"id":1}"#), [r#"remove {"id":1}"#]);
        assert!(change(&mut table, Kind::Delete, "null", r#"{"id":1}"#).is_empty());
        assert_eq!(change(&mut table, Kind::Delete, "null", "{}"), ["doubt"]);
        let listed: BTreeSet<Key> = [r#"{"id":2}"#, r#"{"id":9}"#].map(str::to_owned).into();
        assert_eq!(table.untold(&listed), [r#"{"id":9}"#]);
        assert_eq!(words(table.listed(&listed)), [r#"remove {"id":3}"#, r#"remove {"id":4}"#]);
        assert_eq!(
            change(&mut table, Kind::Update, r#"{"id":7}"#, r#"{"id":2}"#),
            [r#"remove {"id":2}"#, r#"put {"id":7}"#]
        );
    }
}
