//! The refused records: all of them counted, the first of them listed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::Plan;
use crate::reject::Reject;

/// How many a document lists. The file beside it has them all.
const LISTED: usize = 1_000;

/// The refused records.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rejects {
    /// How many there are.
    count: usize,
    /// How many of each kind.
    by_code: BTreeMap<String, usize>,
    /// The file that has all of them, one JSON document a line; none for a run that keeps no folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The first 1,000 of them.
    items: Vec<Reject>,
}

impl Rejects {
    /// Those of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let (count, items) = (plan.rejects.count, plan.rejects.shown.clone());
        Self { count, by_code: plan.rejects_by_code.clone(), file: None, items }
    }

    /// Counts one more, and lists it if there is room.
    pub fn push(&mut self, reject: Reject) {
        self.count += 1;
        *self.by_code.entry(reject.code.to_string()).or_default() += 1;
        if self.items.len() < LISTED {
            self.items.push(reject);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many there are of each kind.
    pub fn by_code(&self) -> &BTreeMap<String, usize> {
        &self.by_code
    }

    /// Those that are listed.
    pub fn listed(&self) -> &[Reject] {
        &self.items
    }
}

impl FromIterator<Reject> for Rejects {
    fn from_iter<I: IntoIterator<Item = Reject>>(rejects: I) -> Self {
        let mut all = Self::default();
        rejects.into_iter().for_each(|reject| all.push(reject));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_listed() {
        let reject = |number: usize| Reject {
            file: "export.json".to_owned(),
            pointer: format!("/customers/{number}"),
            table: "customers".to_owned(),
            column: None,
            code: if number == 0 { "id_missing" } else { "not_a_date" }.into(),
            message: String::new(),
            help: String::new(),
        };
        let rejects: Rejects = (0..2_500).map(reject).collect();
        assert_eq!((rejects.count(), rejects.listed().len()), (2_500, 1_000));
        assert_eq!(rejects.by_code()["not_a_date"], 2_499);
    }
}
