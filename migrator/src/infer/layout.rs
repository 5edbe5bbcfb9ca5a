//! Where the collections of an export lie.
//!
//! An object is a branch, with collections below it; or it is a collection itself, each member a
//! record or a list of records; or it is one record. Names that are data, and members that look
//! alike, tell them apart.

use super::names;
use super::noise;
use super::stats::{Maps, Place};

/// How much two kinds of records have in common to be one.
pub(crate) const ALIKE: f64 = 0.5;

/// How much the members of an object have in common to be records of one collection.
const UNIFORM: f64 = 0.6;

/// How deep branches lie in each other.
const DEEPEST: usize = 6;

/// How a collection becomes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Items {
    /// `[*]`: each item of a list.
    List,
    /// `{*}`: each member of an object.
    Members,
    /// `{*}[*]`: each item of each list of an object.
    Groups,
    /// `{*}{*}`: each member of each object of an object.
    Nested,
    /// The value itself.
    One,
}

/// A collection that was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The names on the way; the last may hold a `*`.
    pub(crate) steps: Vec<String>,
    pub(crate) items: Items,
    /// What stands in a record.
    pub(crate) place: Place,
}

/// What becomes no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// The names on the way.
    pub(crate) steps: Vec<String>,
    pub(crate) reason: String,
    pub(crate) records: u64,
}

/// Everything that lies in a document.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) found: Vec<Found>,
    pub(crate) ignored: Vec<Ignored>,
    /// How the file is made, in a few words.
    pub(crate) shape: String,
}

impl Items {
    /// The end of a path.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::List => "[*]",
            Self::Members => "{*}",
            Self::Groups => "{*}[*]",
            Self::Nested => "{*}{*}",
            Self::One => "",
        }
    }

    /// True where a record is kept under a name.
    pub(crate) fn has_key(self) -> bool {
        matches!(self, Self::Members | Self::Nested)
    }

    /// True where records lie in groups that have names.
    pub(crate) fn has_group(self) -> bool {
        matches!(self, Self::Groups | Self::Nested)
    }
}

impl Found {
    /// How many records it holds.
    pub(crate) fn records(&self) -> u64 {
        self.place.count
    }

    /// The path as a mapping writes it, from here on.
    pub(crate) fn path(&self, steps: &[String]) -> String {
        let steps: Vec<String> = steps.iter().map(|step| escaped(step)).collect();
        format!("{}{}", steps.join("/"), self.items.suffix())
    }

    /// True where one key is one record, and its name says which.
    pub(crate) fn is_family(&self) -> bool {
        self.steps.last().is_some_and(|step| step.contains('*'))
    }
}

/// A name as a step of a path.
pub(crate) fn escaped(step: &str) -> String {
    // Brackets mean something in a path; a star matches them.
    step.replace('~', "~0").replace('/', "~1").replace(['[', ']', '{', '}'], "*")
}

/// Finds what lies in a document.
pub(crate) fn of(root: &Place, dump: bool) -> Layout {
    let mut layout = Layout { shape: shape(root, dump), ..Layout::default() };
    let own = collection(root).filter(|_| !is_family(&root.maps));
    if let Some((items, place)) = own {
        // The values of a dump lie in texts of their own, so each key has to be opened by itself.
        let (steps, items) = match items {
            Items::Members if dump => (vec!["*".to_owned()], Items::One),
            Items::Groups if dump => (vec!["*".to_owned()], Items::List),
            Items::Nested if dump => (vec!["*".to_owned()], Items::Members),
            Items::List | Items::Members | Items::Groups | Items::Nested | Items::One => (Vec::new(), items),
        };
        layout.found.push(Found { steps, items, place });
    } else if root.maps.count > 0 {
        branch(root, &mut Vec::new(), &mut layout);
    }
    layout
}

fn shape(root: &Place, dump: bool) -> String {
    let has = |name: &str| root.field(name).is_some();
    if root.lists.count > 0 {
        return "a bare list".to_owned();
    }
    if root.maps.count == 0 {
        return "a single value".to_owned();
    }
    if has("origins") && has("cookies") {
        return "a Playwright storage state".to_owned();
    }
    let stores = root.maps.fields.values().filter(|field| is_store(field)).count();
    if root.maps.fields.keys().any(|name| name.starts_with("persist:")) {
        return "localStorage with a redux-persist store".to_owned();
    }
    if stores > 0 {
        return format!("localStorage with {stores} zustand store(s)");
    }
    if let Some((items, _)) = collection(root) {
        return match items {
            Items::Members => "an object of records by key".to_owned(),
            Items::Groups | Items::Nested => "an object of groups of records".to_owned(),
            Items::List | Items::One => "one record".to_owned(),
        };
    }
    let scalars = root.maps.fields.iter().filter(|(_, field)| field.scalars() > 0);
    let header = scalars.clone().filter(|(name, _)| noise::is_header(name)).count();
    match (root.maps.fields.len(), header) {
        (1, 0) => "a whole database in one key".to_owned(),
        _ if dump => "a raw dump of localStorage".to_owned(),
        _ if header > 0 && header == scalars.count() => "a backup with an envelope".to_owned(),
        _ => "an object of collections".to_owned(),
    }
}

/// `{state, version}`, as zustand keeps it.
fn is_store(place: &Place) -> bool {
    let names = &place.maps.fields;
    place.maps.count > 0
        && names.len() <= 2
        && names.get("state").is_some_and(|state| state.maps.count > 0)
        && names.keys().all(|name| matches!(name.as_str(), "state" | "version"))
}

fn branch(place: &Place, steps: &mut Vec<String>, layout: &mut Layout) {
    let families = families(&place.maps);
    let entities = place.field("entities").is_some_and(|entities| collection(entities).is_some());
    for (name, member) in &place.maps.fields {
        if families.iter().any(|(_, names)| names.contains(name)) {
            continue;
        }
        steps.push(name.clone());
        if entities && name == "ids" {
            ignore(layout, steps, "the order of the records beside it", member);
        } else {
            visit(name, member, steps, layout);
        }
        steps.pop();
    }
    for (template, names) in families {
        let mut all = Place::default();
        for (_, member) in place.maps.fields.iter().filter(|(name, _)| names.contains(name)) {
            all.merge(member.clone());
        }
        let (items, place) = collection(&all).unwrap_or((Items::One, all));
        let mut steps = steps.clone();
        steps.push(template);
        layout.found.push(Found { steps, items, place });
    }
}

fn visit(name: &str, place: &Place, steps: &mut Vec<String>, layout: &mut Layout) {
    if let Some(reason) = noise::reason(name, place) {
        return ignore(layout, steps, reason, place);
    }
    if is_family(&place.maps) && place.is_records() {
        return branch(place, steps, layout);
    }
    if let Some((items, records)) = collection(place) {
        return layout.found.push(Found { steps: steps.clone(), items, place: records });
    }
    if place.maps.count == 0 {
        // Lists beside other things: no rule says what they are.
        return layout.found.push(Found { steps: steps.clone(), items: Items::One, place: place.clone() });
    }
    if is_store(place) || is_branch(name, place, steps.len()) {
        return branch(place, steps, layout);
    }
    layout.found.push(Found { steps: steps.clone(), items: Items::One, place: place.clone() });
}

fn ignore(layout: &mut Layout, steps: &[String], reason: &str, place: &Place) {
    let records = place.items().map_or(0, |items| items.count);
    layout.ignored.push(Ignored { steps: steps.to_vec(), reason: reason.to_owned(), records });
}

/// What a place holds, if it is a collection.
pub(crate) fn collection(place: &Place) -> Option<(Items, Place)> {
    if place.is_lists() {
        return Some((Items::List, place.items().cloned().unwrap_or_default()));
    }
    if !place.is_records() {
        return None;
    }
    members(&place.maps, Words::NameTables)
}

/// The same of a field of a record, where lists of one kind are groups whatever they are called.
pub(crate) fn collection_within(place: &Place) -> Option<(Items, Place)> {
    if place.is_records() { members(&place.maps, Words::NameGroups) } else { None }
}

/// What words are where lists have names: `incomes` and `expenses` are tables at the top, and groups of the
/// lines of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    NameTables,
    NameGroups,
}

/// What the members of an object are, if they are records.
fn members(maps: &Maps, words: Words) -> Option<(Items, Place)> {
    let filled: Vec<(&String, &Place)> =
        maps.fields.iter().filter(|(_, member)| member.filled() > 0).collect();
    if filled.is_empty() {
        return None;
    }
    let named_by_data = filled.iter().all(|(name, _)| names::is_key(name));
    let all = || {
        let mut all = Place::default();
        filled.iter().for_each(|(_, member)| all.merge((*member).clone()));
        all
    };
    if filled.iter().all(|(_, member)| member.is_records()) {
        let by_id = filled.iter().all(|(name, member)| is_kept_under_its_id(name, member));
        if !(named_by_data || by_id || is_uniform(&filled)) {
            return None;
        }
        let all = all();
        let plain = |member: &Place| member.scalars() > 0 && member.scalars() == member.filled();
        if names_are_data(&all.maps) && all.maps.fields.values().all(plain) {
            let mut values = Place::default();
            all.maps.fields.values().for_each(|member| values.merge(member.clone()));
            return Some((Items::Nested, values));
        }
        let deeper = names_are_data(&all.maps) && all.maps.fields.values().all(Place::is_records);
        return Some(match deeper.then(|| members(&all.maps, words)).flatten() {
            Some((Items::Members, records)) => (Items::Nested, records),
            _ => (Items::Members, all),
        });
    }
    if filled.iter().all(|(_, member)| member.is_lists()) {
        let items: Vec<&Place> = filled.iter().filter_map(|(_, member)| member.items()).collect();
        let of_records = !items.is_empty() && items.iter().all(|items| items.is_records());
        let alike =
            items.len() >= 2 && items.iter().all(|one| items.iter().all(|other| alike(one, other) >= ALIKE));
        if of_records && (named_by_data || words == Words::NameGroups && alike && !repeat(&items)) {
            return Some((Items::Groups, all().items().cloned().unwrap_or_default()));
        }
    }
    named_by_data.then(|| (Items::Members, all()))
}

fn names_are_data(maps: &Maps) -> bool {
    !maps.fields.is_empty() && maps.fields.keys().all(|name| names::is_key(name))
}

/// True if lists hold the same records once more.
fn repeat(items: &[&Place]) -> bool {
    let shares = |one: &Place, other: &Place| one.maps.records.hits(&other.maps.records) > 0;
    items.iter().enumerate().any(|(place, one)| items.iter().skip(place + 1).any(|other| shares(one, other)))
}

fn is_kept_under_its_id(name: &str, member: &Place) -> bool {
    member.maps.fields.iter().any(|(field, place)| names::is_own_id(field) && place.values.holds(name))
}

/// True for objects that are made alike, so that their names say which and not what.
fn is_uniform(members: &[(&String, &Place)]) -> bool {
    let Some(((_, first), rest)) = members.split_first() else { return false };
    let fields = first.maps.fields.len();
    let most = if rest.is_empty() {
        0.0
    } else {
        rest.iter().map(|(_, other)| alike(first, other)).sum::<f64>() / count(rest.len())
    };
    match members.len() {
        0 | 1 => false,
        2 => fields >= 3 && most > 0.9,
        _ => fields >= 2 && most >= UNIFORM,
    }
}

/// How much of their fields two kinds of records have in common, from 0 to 1.
pub(crate) fn alike(one: &Place, other: &Place) -> f64 {
    let (left, right) = (&one.maps.fields, &other.maps.fields);
    let both = left.keys().filter(|name| right.contains_key(*name)).count();
    let all = left.len() + right.len() - both;
    if all == 0 { 0.0 } else { count(both) / count(all) }
}

/// How much of the smaller one's fields the other has as well, from 0 to 1.
pub(crate) fn contained(one: &Place, other: &Place) -> f64 {
    let (left, right) = (&one.maps.fields, &other.maps.fields);
    let both = left.keys().filter(|name| right.contains_key(*name)).count();
    let least = left.len().min(right.len());
    if least == 0 { 0.0 } else { count(both) / count(least) }
}

#[expect(clippy::cast_precision_loss, reason = "a share of some hundred names")]
fn count(number: usize) -> f64 {
    number as f64
}

/// True for an object with collections below it rather than fields of its own.
fn is_branch(name: &str, place: &Place, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    let fields = &place.maps.fields;
    let is_one = |member: &Place| {
        collection(member).is_some_and(|(items, records)| records.maps.count > 0 && items != Items::One)
    };
    let collections = fields.values().filter(|member| is_one(member)).count();
    let lists = fields.values().filter(|member| member.is_lists()).count();
    let branches = fields
        .iter()
        .filter(|(name, member)| {
            member.is_records() && !is_one(member) && (is_store(member) || is_branch(name, member, depth + 1))
        })
        .count();
    let is_own = |name: &str, member: &Place| {
        member.scalars() > 0 && !noise::is_header(name) && !noise::is_state(name)
    };
    let own = fields.iter().filter(|(name, member)| is_own(name, member)).count();
    let container = names::plain(name);
    let container = container.rsplit('_').next().unwrap_or_default();
    let is_container = matches!(
        container,
        "data"
            | "state"
            | "db"
            | "database"
            | "store"
            | "entities"
            | "payload"
            | "backup"
            | "storage"
            | "root"
            | "tables"
    );
    match (collections + branches, own) {
        (0, 0) => {
            lists > 1 && fields.values().all(|member| member.is_lists() || member.maps.empty == member.count)
        }
        (0, _) => false,
        (_, 0) => true,
        (1, _) => is_container,
        (some, own) => is_container || own <= some,
    }
}

/// True if all members of an object are one family with a name: `orders_2024`, `orders_2025`.
fn is_family(maps: &Maps) -> bool {
    let mut families = families(maps);
    match (families.pop(), families.is_empty()) {
        (Some((template, names)), true) => !template.starts_with('*') && names.len() == maps.fields.len(),
        _ => false,
    }
}

/// Members whose names differ only in what looks like data: one collection over many keys.
fn families(maps: &Maps) -> Vec<(String, Vec<String>)> {
    let mut families: indexmap::IndexMap<String, Vec<String>> = indexmap::IndexMap::new();
    for name in maps.fields.keys() {
        let put_together = maps.folded && name.contains('*');
        let template = if put_together { name.clone() } else { names::template(name) };
        if template.contains('*') {
            families.entry(template).or_default().push(name.clone());
        }
    }
    let folded = |names: &Vec<String>| maps.folded && names.iter().any(|name| name.contains('*'));
    families.retain(|template, names| {
        let places: Vec<&Place> = names.iter().filter_map(|name| maps.fields.get(name)).collect();
        let (lists, records) =
            (places.iter().all(|place| place.is_lists()), places.iter().all(|place| place.is_records()));
        let scalars = places.iter().all(|place| place.scalars() > 0 && place.scalars() == place.filled());
        let member = |place: &Place| match place.lists.count {
            0 => place.clone(),
            _ => place.items().cloned().unwrap_or_default(),
        };
        let mut filled = places.iter().map(|place| member(place)).filter(|place| place.filled() > 0);
        let first = filled.next().unwrap_or_default();
        let alike = filled
            .all(|other| contained(&first, &other) >= ALIKE || first.maps.count + other.maps.count == 0);
        folded(names)
            || names.len() >= 2 && (lists || records) && alike
            || names.len() >= 3 && scalars && template.len() > 1
    });
    families.into_iter().collect()
}
