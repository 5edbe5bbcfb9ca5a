//! Collections that hold the same records twice: a backup within the export, two keys of one app.
//!
//! A copy that adds nothing is left out. One that adds records, or says other things of some, is
//! read as well: its path comes after that of the newer, or else the fuller one.

use super::keys::{self, Id};
use super::layout::{self, Found, Ignored, Items};
use super::names;
use super::stats::Place;

/// How much two collections of one name have in common.
const SAME: f64 = 0.8;

/// Collections of one entity.
#[derive(Debug)]
pub(crate) struct Group {
    /// Where they lie, the one that wins first.
    pub(crate) paths: Vec<(Vec<String>, Items)>,
    /// All of their records together.
    pub(crate) found: Found,
    /// What they are known by, where there are several.
    pub(crate) id: Option<Id>,
    pub(crate) notes: Vec<String>,
}

/// Puts collections of one entity together, and ignores those that add nothing.
pub(crate) fn copies(mut found: Vec<Found>, ignored: &mut Vec<Ignored>) -> Vec<Group> {
    drop_backups(&mut found, ignored);
    let mut groups: Vec<Vec<Found>> = Vec::new();
    for one in found {
        match groups.iter_mut().find(|group| group.iter().any(|other| are_one(other, &one))) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups.into_iter().filter_map(together).collect()
}

fn drop_backups(found: &mut Vec<Found>, ignored: &mut Vec<Ignored>) {
    let mut tops: Vec<(bool, usize, String)> = Vec::new();
    for (at, one) in found.iter().enumerate() {
        if let [top, _, ..] = one.steps.as_slice()
            && !tops.iter().any(|(_, _, known)| known == top)
        {
            let is_backup = ["backup", "copy", "snapshot", "sauvegarde", "respaldo", "previous", "old"]
                .iter()
                .any(|word| top.to_lowercase().contains(word));
            tops.push((!is_backup, usize::MAX - at, top.clone()));
        }
    }
    tops.sort();
    for (_, _, top) in tops {
        let is_below = |one: &Found| one.steps.first() == Some(&top);
        let (below, others): (Vec<&Found>, Vec<&Found>) = found.iter().partition(|one| is_below(one));
        let copied = |one: &&Found| others.iter().any(|other| is_covered(one, other));
        let covered: Vec<Vec<String>> = below
            .iter()
            .copied()
            .filter(|one| one.records() == 0 || copied(one))
            .map(|one| one.steps.clone())
            .collect();
        let records: u64 = below.iter().filter(|one| copied(one)).map(|one| one.records()).sum();
        if records == 0 {
            continue;
        }
        let whole = covered.len() == below.len();
        let reason = "the same records once more: all of them are under other keys";
        if whole {
            ignored.retain(|left| left.steps.first() != Some(&top));
            ignored.push(Ignored { steps: vec![top.clone()], reason: reason.to_owned(), records });
        } else {
            for steps in &covered {
                let records = found.iter().find(|one| one.steps == *steps).map_or(0, Found::records);
                ignored.push(Ignored { steps: steps.clone(), reason: reason.to_owned(), records });
            }
        }
        found.retain(|one| !(is_below(one) && covered.contains(&one.steps)));
    }
}

/// True if another collection has every record of this one, blanks aside.
fn is_covered(one: &Found, other: &Found) -> bool {
    if one.place.maps.count == 0 || other.place.maps.count == 0 {
        return false;
    }
    let (left, right) = (&one.place.maps.records, &other.place.maps.records);
    if left.hits(right) == left.total() && !left.overflow {
        return true;
    }
    let ids =
        (keys::ids(&one.place, one.items, &table(one)), keys::ids(&other.place, other.items, &table(other)));
    let (Some(left), Some(right)) = ids else { return false };
    let (shared, same) = left.shared(right);
    !left.is_empty() && shared == left.len() as u64 && same == shared && !left.overflow
}

fn table(found: &Found) -> String {
    found.steps.last().map(|step| names::plain(step)).unwrap_or_default()
}

/// True if two collections hold records of one entity.
fn are_one(one: &Found, other: &Found) -> bool {
    if one.place.maps.count == 0
        || other.place.maps.count == 0
        || one.items == Items::One
        || other.items == Items::One
    {
        return false;
    }
    if one.items.has_group() != other.items.has_group() {
        return false;
    }
    let alike = layout::alike(&one.place, &other.place);
    let (left, right) = (words(one), words(other));
    let named_alike = left == right || left.ends_with(&right) || right.ends_with(&left);
    if are_lists_apart(one, other, &left, &right) {
        return false;
    }
    let ids = keys::ids(&one.place, one.items, &table(one)).zip(keys::ids(
        &other.place,
        other.items,
        &table(other),
    ));
    if let Some((left, right)) = ids {
        let (shared, same) = left.shared(right);
        let kin = alike >= layout::ALIKE || layout::contained(&one.place, &other.place) >= SAME;
        // Small numbers are shared by strangers; what the records say is not.
        let told = same * 2 >= shared || named_alike && !is_counted(&one.place);
        if kin && shared > 0 && told {
            return true;
        }
    }
    let (left_records, right_records) = (&one.place.maps.records, &other.place.maps.records);
    let repeated = left_records.hits(right_records);
    let fewest = left_records.total().min(right_records.total());
    if repeated > 0 && repeated * 2 >= fewest && alike >= layout::ALIKE {
        return true;
    }
    // `luxe_properties` and `luxeProperties` are spelt apart and are one; so is a list that was split.
    named_alike && (alike >= SAME || left == right && alike >= layout::ALIKE) && ids_do_not_clash(one, other)
}

/// True if which of the two a record is in says something: side by side, and with no word in common, `todo`
/// and `done`, or one named as a choice from the other, `films` and `favouriteFilms`.
fn are_lists_apart(one: &Found, other: &Found, left: &[String], right: &[String]) -> bool {
    let parent = |found: &Found| found.steps.split_last().map(|(_, parent)| parent.to_vec());
    let chosen =
        |words: &[String]| words.iter().any(|word| CHOICES.iter().any(|stem| word.starts_with(stem)));
    parent(one) == parent(other)
        && (!left.iter().any(|word| right.contains(word)) || chosen(left) != chosen(right))
}

/// How words for a choice from a list begin, in English and in French.
const CHOICES: [&str; 14] = [
    "fav", "liked", "saved", "pinned", "done", "complet", "archiv", "delet", "trash", "recent", "wish",
    "termin", "supprim", "epingl",
];

/// True unless the same ids stand for records that say other things.
fn ids_do_not_clash(one: &Found, other: &Found) -> bool {
    let ids = keys::ids(&one.place, one.items, &table(one)).zip(keys::ids(
        &other.place,
        other.items,
        &table(other),
    ));
    ids.is_none_or(|(left, right)| {
        let (shared, same) = left.shared(right);
        shared == same
    })
}

fn is_counted(place: &Place) -> bool {
    let id = place.maps.fields.iter().find(|(field, _)| names::is_own_id(field));
    id.is_some_and(|(_, id)| matches!(keys::style(id), "small int" | "digits as text"))
}

/// The words of the last name, the app's own in front left out by comparing ends.
fn words(found: &Found) -> Vec<String> {
    found.steps.last().map(|step| names::stem(step)).unwrap_or_default()
}

fn together(mut parts: Vec<Found>) -> Option<Group> {
    if parts.len() == 1 {
        let found = parts.pop()?;
        return Some(Group {
            paths: vec![(found.steps.clone(), found.items)],
            found,
            id: None,
            notes: Vec::new(),
        });
    }
    let newest = |found: &Found| latest(&found.place);
    let by_time = parts.iter().all(|part| newest(part).is_some())
        && parts.iter().any(|part| newest(part) != parts.first().and_then(newest));
    parts.sort_by(|one, other| {
        let newer = if by_time { newest(other).cmp(&newest(one)) } else { std::cmp::Ordering::Equal };
        newer.then(other.records().cmp(&one.records()))
    });
    let items: Vec<Items> = parts.iter().map(|part| part.items).collect();
    let places: Vec<&Place> = parts.iter().map(|part| &part.place).collect();
    let name = parts.first().map(table).unwrap_or_default();
    let id = keys::decide_together(&places, &items, &name);
    let why = if by_time { "its records are newer" } else { "it has more records" };
    let paths: Vec<(Vec<String>, Items)> =
        parts.iter().map(|part| (part.steps.clone(), part.items)).collect();
    let names: Vec<String> =
        parts.iter().map(|part| format!("`{}` ({})", part.steps.join("/"), part.records())).collect();
    let note = format!(
        "one entity under several keys: {}; the first wins where they differ: {why}",
        names.join(", ")
    );
    let mut parts = parts.into_iter();
    let mut found = parts.next()?;
    parts.for_each(|part| found.place.merge(part.place));
    Some(Group { paths, found, id, notes: vec![note] })
}

/// The latest moment its records speak of.
fn latest(place: &Place) -> Option<String> {
    let clock = keys::clock(place);
    let fields = place.maps.fields.iter().filter(|(field, _)| match &clock {
        Some(clock) => *field == clock,
        None => matches!(
            names::plain(field).as_str(),
            "created_at" | "created" | "createdat" | "date_created" | "timestamp"
        ),
    });
    fields.filter_map(|(_, stands)| stands.texts.dates.as_ref().map(|(_, most)| most.clone())).max()
}
