//! What happened to several records for one reason.

use crate::lang::{Lang, Phrase};
use crate::plan::Warning;
use crate::reject::Reject;

use super::{Piece, cut, pieces, redacted};

/// How many places a cause shows.
const PLACES: usize = 20;
/// How many places all causes of a kind show together; beyond them each shows one.
const ALL_PLACES: usize = 200;

/// One reason, and where it applied.
pub(super) struct Cause {
    pub(super) reason: Vec<Piece>,
    /// Its stable name, or nothing.
    pub(super) code: String,
    pub(super) remedy: Vec<Piece>,
    pub(super) count: String,
    pub(super) places: Vec<String>,
    pub(super) more: Option<String>,
}

/// A cause while its places are collected.
struct Group<'a> {
    reason: String,
    code: String,
    remedy: String,
    places: Vec<Place<'a>>,
}

/// A record, and the table and column it concerns.
#[derive(Clone, Copy)]
struct Place<'a> {
    pointer: &'a str,
    table: &'a str,
    column: &'a str,
}

impl Cause {
    pub(super) fn of_rejects(rejects: &[Reject], lang: Lang) -> Vec<Self> {
        let groups = rejects.iter().map(|reject| Group {
            reason: redacted(&lang.reason(reject)),
            code: reject.code.to_string(),
            remedy: lang.remedy(reject),
            places: vec![Place {
                pointer: &reject.pointer,
                table: &reject.table,
                column: reject.column.as_deref().unwrap_or_default(),
            }],
        });
        Self::of(groups, lang)
    }

    pub(super) fn of_warnings(warnings: &[Warning], lang: Lang) -> Vec<Self> {
        let groups = warnings.iter().map(|warning| Group {
            reason: redacted(&lang.remark(&warning.message)),
            code: String::new(),
            remedy: String::new(),
            places: vec![Place { pointer: &warning.pointer, table: &warning.table, column: &warning.column }],
        });
        Self::of(groups, lang)
    }

    /// The most frequent first; equals stay in the order they came.
    fn of<'a>(groups: impl Iterator<Item = Group<'a>>, lang: Lang) -> Vec<Self> {
        let mut causes: indexmap::IndexMap<(String, String), Group> = indexmap::IndexMap::new();
        for group in groups {
            match causes.entry((group.code.clone(), group.reason.clone())) {
                indexmap::map::Entry::Occupied(mut known) => known.get_mut().places.extend(group.places),
                indexmap::map::Entry::Vacant(free) => _ = free.insert(group),
            }
        }
        let mut causes: Vec<Group> = causes.into_values().collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.places.len()));
        let mut room = ALL_PLACES;
        let finished = causes.into_iter().map(|Group { reason, code, remedy, places }| {
            let count = lang.number(places.len());
            let (places, more) = cut(places, PLACES.min(room).max(1), Phrase::PlacesMore, lang);
            room = room.saturating_sub(places.len());
            let places = places.into_iter().map(Place::shown).collect();
            let (reason, remedy) = (pieces(&reason), pieces(&remedy));
            Self { reason, code, remedy, count, places, more }
        });
        finished.collect()
    }
}

impl Place<'_> {
    fn shown(self) -> String {
        let of_table = match (self.table, self.column) {
            ("", _) => String::new(),
            (table, "") => table.to_owned(),
            (table, column) => format!("{table}.{column}"),
        };
        match (redacted(self.pointer), of_table) {
            (pointer, table) if pointer.is_empty() => table,
            (pointer, table) if table.is_empty() => pointer,
            (pointer, table) => format!("{pointer} → {table}"),
        }
    }
}
