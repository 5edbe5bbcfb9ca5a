//! A switch for things that go wrong on purpose: rules, and how often each has fired.
//!
//! Rules are tried in order, and the first that fires decides. A rule counts what reaches and matches it; it
//! lets the first `skip` of them pass and then fires `times` times. Setting rules replaces all of them and
//! starts every count again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// When something goes wrong.
pub(crate) trait Rule: Clone {
    /// How many matches pass before it fires.
    fn skip(&self) -> u64;

    /// How often it fires; for ever, if it does not say.
    fn times(&self) -> Option<u64>;
}

/// A rule and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Armed<R> {
    /// The rule as it was set.
    #[serde(flatten)]
    pub rule: R,
    /// How often it was reached and matched.
    pub seen: u64,
    /// How often it fired.
    pub hits: u64,
}

/// The switch.
#[derive(Debug)]
pub(crate) struct Switch<R>(Mutex<Vec<Armed<R>>>);

impl<R> Default for Switch<R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<R: Rule> Switch<R> {
    /// Replaces all rules.
    pub(crate) fn set(&self, rules: Vec<R>) {
        *self.lock() = rules.into_iter().map(|rule| Armed { rule, seen: 0, hits: 0 }).collect();
    }

    /// The rules and their counts.
    pub(crate) fn list(&self) -> Vec<Armed<R>> {
        self.lock().clone()
    }

    /// The rule that fires, of those that match; counts it.
    pub(crate) fn decide(&self, matches: impl Fn(&R) -> bool) -> Option<R> {
        let mut rules = self.lock();
        rules.iter_mut().filter(|armed| matches(&armed.rule)).find_map(fire)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a match, and gives the rule if this is one that it fires at.
fn fire<R: Rule>(armed: &mut Armed<R>) -> Option<R> {
    armed.seen += 1;
    let fires = armed.seen > armed.rule.skip() && armed.rule.times().is_none_or(|times| armed.hits < times);
    armed.hits += u64::from(fires);
    fires.then(|| armed.rule.clone())
}
