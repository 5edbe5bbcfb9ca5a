//! Who is there: what each person on a channel says of themselves, kept from the server's state and its
//! differences.
//!
//! The server tells the whole once after each join, and then who came and who went. A difference that comes
//! before the whole is part of it already, and is not looked at.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::realtime::frame::Frame;

/// One connection of somebody, and what it says of itself. `Debug` does not show that.
#[derive(Clone)]
pub struct Meta {
    /// The server's name for it.
    pub reference: String,
    payload: Box<RawValue>,
}

impl Meta {
    /// What it says of itself: what was given to [`crate::realtime::Channel::track`].
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when it does not have this shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        crate::transport::read(self.payload.get())
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Meta({}, payload hidden)", self.reference)
    }
}

/// Who is there, by key: one of their own choice, or one the server gave. Somebody with several connections has
/// one entry for each.
pub type Present = BTreeMap<String, Vec<Meta>>;

/// What happens among those who are there.
#[derive(Debug, Clone)]
pub enum Presence {
    /// Who is there is known, anew or again: see [`crate::realtime::Channel::present`]. Comes after the joins and
    /// leaves it is made of, and alone where a listener fell behind.
    Sync,
    /// Somebody came, or came once more.
    Join {
        /// Their key.
        key: String,
        /// The connections they came with.
        new: Vec<Meta>,
    },
    /// Somebody went, or one connection of theirs did.
    Leave {
        /// Their key.
        key: String,
        /// The connections that went.
        gone: Vec<Meta>,
    },
}

/// What is known of who is there.
#[derive(Default)]
pub(super) struct Roster {
    present: Present,
    /// False until the server told the whole, after each join.
    whole: bool,
}

type Wire = BTreeMap<String, Entry>;

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    metas: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Difference {
    #[serde(default)]
    joins: Wire,
    #[serde(default)]
    leaves: Wire,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    phx_ref: String,
}

impl Roster {
    pub(super) fn present(&self) -> &Present {
        &self.present
    }

    /// Says that the server will tell the whole anew.
    pub(super) fn joined(&mut self) {
        self.whole = false;
    }

    /// Takes the whole.
    pub(super) fn state(&mut self, frame: &Frame) -> Vec<Presence> {
        let Some(wire) = frame.json::<Wire>() else { return Vec::new() };
        let new = metas(wire);
        let missing = |from: &Present, of: &Present| -> Present {
            let only = of.iter().filter_map(|(key, metas)| {
                let known = from.get(key);
                let is_new = |meta: &&Meta| known.is_none_or(|known| !holds(known, &meta.reference));
                let only: Vec<_> = metas.iter().filter(is_new).cloned().collect();
                (!only.is_empty()).then(|| (key.clone(), only))
            });
            only.collect()
        };
        let (joins, leaves) = (missing(&self.present, &new), missing(&new, &self.present));
        (self.present, self.whole) = (new, true);
        events(joins, leaves)
    }

    /// Takes who came and who went.
    pub(super) fn difference(&mut self, frame: &Frame) -> Vec<Presence> {
        let Some(Difference { joins, leaves }) = frame.json().filter(|_| self.whole) else {
            return Vec::new();
        };
        let (joins, leaves) = (metas(joins), metas(leaves));
        for (key, new) in &joins {
            let known = self.present.entry(key.clone()).or_default();
            known.retain(|meta| !holds(new, &meta.reference));
            known.extend(new.iter().cloned());
        }
        for (key, gone) in &leaves {
            if let Some(known) = self.present.get_mut(key) {
                known.retain(|meta| !holds(gone, &meta.reference));
                if known.is_empty() {
                    self.present.remove(key);
                }
            }
        }
        events(joins, leaves)
    }
}

fn holds(metas: &[Meta], reference: &str) -> bool {
    metas.iter().any(|meta| meta.reference == reference)
}

fn metas(wire: Wire) -> Present {
    let read = |payload: Box<RawValue>| {
        let Named { phx_ref } = serde_json::from_str(payload.get()).ok()?;
        Some(Meta { reference: phx_ref, payload })
    };
    wire.into_iter().map(|(key, entry)| (key, entry.metas.into_iter().filter_map(read).collect())).collect()
}

fn events(joins: Present, leaves: Present) -> Vec<Presence> {
    let joins = joins.into_iter().map(|(key, new)| Presence::Join { key, new });
    let leaves = leaves.into_iter().map(|(key, gone)| Presence::Leave { key, gone });
    joins.chain(leaves).chain([Presence::Sync]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::frame::Body;

    fn frame(json: &str) -> Frame {
        Frame {
            join_reference: None,
            reference: None,
            topic: "realtime:a".to_owned(),
            event: String::new(),
            body: Body::Json(RawValue::from_string(json.to_owned()).unwrap()),
        }
    }

    fn words(events: &[Presence]) -> Vec<String> {
        let names = |metas: &[Meta]| metas.iter().map(|meta| meta.reference.clone()).collect::<String>();
        let word = |event: &Presence| match event {
            Presence::Sync => "sync".to_owned(),
            Presence::Join { key, new } => format!("+{key}{}", names(new)),
            Presence::Leave { key, gone } => format!("-{key}{}", names(gone)),
        };
        events.iter().map(word).collect()
    }

    fn there(roster: &Roster) -> String {
        let names = |metas: &Vec<Meta>| metas.iter().map(|meta| &*meta.reference).collect::<String>();
        roster.present().iter().map(|(key, metas)| key.clone() + &names(metas)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn differences_count_after_the_whole_and_not_before() {
        let mut roster = Roster::default();
        let ada = r#"{"joins":{"ada":{"metas":[{"phx_ref":"1","on":true}]}},"leaves":{}}"#;
        assert!(roster.difference(&frame(ada)).is_empty());
        assert_eq!(words(&roster.state(&frame(r#"{"bob":{"metas":[{"phx_ref":"2"}]}}"#))), ["+bob2", "sync"]);
        assert_eq!(words(&roster.difference(&frame(ada))), ["+ada1", "sync"]);
        assert_eq!(there(&roster), "ada1 bob2");
        let meta = &roster.present()["ada"][0];
        assert!(
            meta.read::<serde_json::Value>().unwrap()["on"] == true && !format!("{meta:?}").contains("on")
        );
        let moved = r#"{"joins":{"ada":{"metas":[{"phx_ref":"3"}]}},"leaves":{"ada":{"metas":[{"phx_ref":"1"}]},"bob":{"metas":[{"phx_ref":"2"}]}}}"#;
        assert_eq!(words(&roster.difference(&frame(moved))), ["+ada3", "-ada1", "-bob2", "sync"]);
        assert_eq!(there(&roster), "ada3");
        roster.joined();
        assert!(roster.difference(&frame(ada)).is_empty(), "joined again, the whole comes again");
        let whole = r#"{"ada":{"metas":[{"phx_ref":"3"},{"phx_ref":"4"}]}}"#;
        assert_eq!(words(&roster.state(&frame(whole))), ["+ada4", "sync"]);
        assert_eq!(words(&roster.state(&frame("{}"))), ["-ada34", "sync"]);
    }
}
