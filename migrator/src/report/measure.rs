//! What a run counted and timed beside its rows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// Files that went to Storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Media {
    /// Files sent.
    pub uploaded: usize,
    /// Files that were there with the same content.
    pub already_there: usize,
    /// Bytes sent.
    pub bytes: u64,
}

/// What was compared with the target afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verification {
    /// Rows read back.
    pub rows: usize,
    /// Those of them that are as planned.
    pub equal: usize,
    /// Tables whose digest was taken of the plan and of the target.
    pub tables: usize,
    /// Those of them where both are the same.
    pub equal_digests: usize,
    /// References in the rows read back that lead to no row.
    pub orphans: usize,
    /// Rows the owner sees with their own rights; none where that was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_to_owner: Option<usize>,
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Reading the files.
    Read,
    /// Turning records into rows.
    Plan,
    /// Looking what is there already.
    Compare,
    /// Sending files to Storage.
    Media,
    /// Writing rows.
    Load,
    /// Reading back.
    Verify,
}

/// Milliseconds by phase, in the order of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Timings(BTreeMap<Phase, u64>);

impl Timings {
    pub(super) fn add(&mut self, phase: Phase, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let spent = self.0.entry(phase).or_default();
        *spent = spent.saturating_add(milliseconds);
    }

    /// Phases and milliseconds.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, u64)> {
        self.0.iter().map(|(phase, milliseconds)| (*phase, *milliseconds))
    }

    /// True if nothing was timed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole time in milliseconds.
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |sum, milliseconds| sum.saturating_add(*milliseconds))
    }
}
