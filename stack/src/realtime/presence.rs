//! Who is in a room, and with what to say of themselves.
//!
//! Everybody is known by a key, which several may share: two tabs of one person. Each change is told as what
//! came and what went, so a changed entry both goes and comes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::hub::MemberId;

/// Everybody in one room.
#[derive(Debug, Default)]
pub(super) struct Presence(BTreeMap<String, Vec<Entry>>);

#[derive(Debug, Clone)]
struct Entry {
    member: MemberId,
    reference: String,
    before: Option<String>,
    said: Map<String, Value>,
}

impl Presence {
    /// Takes what somebody says of themselves; returns what everybody is told, or nothing if it is no news.
    pub(super) fn track(
        &mut self,
        member: MemberId,
        key: &str,
        reference: String,
        said: Map<String, Value>,
    ) -> Option<Value> {
        let entries = self.0.entry(key.to_owned()).or_default();
        let known = entries.iter().position(|entry| entry.member == member);
        let old = known.map(|at| entries.remove(at));
        if let Some(old) = &old
            && old.said == said
        {
            entries.push(old.clone());
            return None;
        }
        let before = old.as_ref().map(|old| old.reference.clone());
        let new = Entry { member, reference, before, said };
        entries.push(new.clone());
        Some(diff(key, Some(&new), old.as_ref()))
    }

    /// Forgets somebody; returns what everybody is told, if they were there.
    pub(super) fn untrack(&mut self, member: MemberId) -> Option<Value> {
        let (key, at) = self.0.iter().find_map(|(key, entries)| {
            Some((key.clone(), entries.iter().position(|entry| entry.member == member)?))
        })?;
        let entries = self.0.get_mut(&key)?;
        let old = entries.remove(at);
        if entries.is_empty() {
            self.0.remove(&key);
        }
        Some(diff(&key, None, Some(&old)))
    }

    /// Everybody, as who comes is told.
    pub(super) fn state(&self) -> Value {
        let metas = |entries: &[Entry]| json!({"metas": entries.iter().map(Entry::meta).collect::<Vec<_>>()});
        self.0.iter().map(|(key, entries)| (key.clone(), metas(entries))).collect::<Map<_, _>>().into()
    }

    /// True if nobody is there.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entry {
    fn meta(&self) -> Value {
        let mut meta = self.said.clone();
        meta.insert("phx_ref".to_owned(), Value::from(self.reference.as_str()));
        if let Some(before) = &self.before {
            meta.insert("phx_ref_prev".to_owned(), Value::from(before.as_str()));
        }
        Value::Object(meta)
    }
}

fn diff(key: &str, came: Option<&Entry>, went: Option<&Entry>) -> Value {
    let side = |entry: Option<&Entry>| match entry {
        Some(entry) => json!({key: {"metas": [entry.meta()]}}),
        None => json!({}),
    };
    json!({"joins": side(came), "leaves": side(went)})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(said: &Value) -> Map<String, Value> {
        said.as_object().unwrap().clone()
    }

    #[test]
    fn who_comes_changes_and_goes_is_told() {
        let (mut room, ana) = (Presence::default(), MemberId(1));
        let mut track =
            |reference: &str, says: &Value| room.track(ana, "ana", reference.to_owned(), said(says));
        assert_eq!(
            track("A", &json!({"x": 1})).unwrap(),
            json!({"joins": {"ana": {"metas": [{"x": 1, "phx_ref": "A"}]}}, "leaves": {}})
        );
        assert_eq!(track("B", &json!({"x": 1})), None, "nothing new");
        assert_eq!(
            track("C", &json!({"x": 2})).unwrap(),
            json!({
                "joins": {"ana": {"metas": [{"x": 2, "phx_ref": "C", "phx_ref_prev": "A"}]}},
                "leaves": {"ana": {"metas": [{"x": 1, "phx_ref": "A"}]}},
            })
        );
        let gone = room.untrack(ana).unwrap();
        assert_eq!(gone["leaves"]["ana"]["metas"][0]["phx_ref"], "C");
        assert_eq!((room.untrack(ana), room.is_empty()), (None, true));
    }

    #[test]
    fn two_may_share_a_key() {
        let mut room = Presence::default();
        for (member, reference) in [(1, "A"), (2, "B")] {
            room.track(MemberId(member), "ana", reference.to_owned(), Map::new()).unwrap();
        }
        let metas = |room: &Presence| room.state()["ana"]["metas"].as_array().unwrap().len();
        assert_eq!(metas(&room), 2);
        room.untrack(MemberId(1)).unwrap();
        assert_eq!(metas(&room), 1);
    }
}
