//! Which columns point at records of another table.
//!
//! By name and by values: `customerId` points at `customers` if any of its values is an id there,
//! and a column of any name does if nearly all of its values are ids that no chance would repeat.

use std::collections::HashMap;

use super::keys::{self, Id};
use super::model::{Column, Reference, Table};
use super::names;
use super::stats::Values;
use crate::cell::Type;

/// So many in a hundred make a column a reference whatever it is called.
const NEARLY_ALL: u64 = 95;

/// So many in a hundred make a name a reference.
const MOST: u64 = 50;

/// A reference that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) table: String,
    pub(crate) field: String,
    pub(crate) target: String,
    pub(crate) by: Vec<String>,
    pub(crate) hits: u64,
    pub(crate) total: u64,
    /// Why it is no column that points there, if it is not.
    pub(crate) left: Option<&'static str>,
}

/// A table that may be pointed at.
struct Target {
    name: String,
    /// Its name in the singular, in words.
    stem: Vec<String>,
    id_field: Option<String>,
    ids: Option<Values>,
    /// Ids that no chance repeats.
    random: bool,
    /// Fields that say what a record is called.
    titles: Vec<(String, Values)>,
    records: u64,
}

/// A column that may point somewhere.
struct Candidate {
    table: String,
    field: String,
    target: usize,
    by: Vec<String>,
    hits: u64,
    total: u64,
    /// What the column would be called.
    wish: Option<String>,
}

/// Turns columns that point at records into references.
pub(crate) fn link(tables: &mut [Table]) -> Vec<Link> {
    let targets: Vec<Target> = tables.iter().map(target).collect();
    let mut candidates = Vec::new();
    tables.iter().for_each(|table| look(table, &targets, &mut candidates));
    candidates.sort_by_key(|one| std::cmp::Reverse(one.hits * 100 / one.total.max(1)));
    let mut needs: HashMap<String, Vec<String>> = HashMap::new();
    tables.iter().for_each(|table| owned(table, &mut needs));
    let mut links = Vec::new();
    for candidate in candidates {
        let Some(target) = targets.get(candidate.target) else { continue };
        let left = if candidate.hits == 0 {
            Some("none of its values is there")
        } else if target.name != candidate.table && reaches(&needs, &target.name, &candidate.table) {
            Some("it would close a circle of tables that point at each other")
        } else {
            None
        };
        links.push(Link {
            table: candidate.table.clone(),
            field: candidate.field.clone(),
            target: target.name.clone(),
            by: candidate.by.clone(),
            hits: candidate.hits,
            total: candidate.total,
            left,
        });
        if left.is_some() {
            continue;
        }
        if target.name != candidate.table {
            needs.entry(candidate.table.clone()).or_default().push(target.name.clone());
        }
        let reference = Reference {
            table: target.name.clone(),
            by: candidate.by,
            hits: candidate.hits,
            total: candidate.total,
        };
        if let Some(table) = find(tables, &candidate.table) {
            place(table, &candidate.field, reference, candidate.wish);
        }
    }
    links.sort_by(|one, other| (&one.table, &one.field).cmp(&(&other.table, &other.field)));
    links
}

fn target(table: &Table) -> Target {
    let id_field = match &table.id {
        Id::Fields(fields) if fields.len() == 1 => fields.first().cloned(),
        Id::Fields(_) | Id::Natural(_) => None,
    };
    let random = id_field.as_ref().is_some_and(|field| match table.place.field(field) {
        Some(place) => matches!(
            keys::style(place),
            "uuid" | "epoch" | "prefix + time" | "base36" | "composite" | "natural key" | "e-mail"
        ),
        None => true,
    });
    let titles = table.place.maps.fields.iter().filter(|(field, stands)| {
        let called = names::is_title(field) && stands.texts.count > 0;
        // An id that only some records have, or two of them, may still be pointed at.
        let known = id_field.is_none() && names::is_own_id(field) && stands.scalars() > 0;
        (called || known) && Some(*field) != id_field.as_ref()
    });
    let titles = titles.map(|(field, stands)| (field.clone(), stands.values.clone())).collect();
    Target {
        name: table.name.clone(),
        stem: names::stem(&table.name),
        ids: table.ids().cloned(),
        id_field,
        random,
        titles,
        records: table.records,
    }
}

fn look(table: &Table, targets: &[Target], found: &mut Vec<Candidate>) {
    for (field, values) in scalars(table) {
        let total = values.total();
        if total == 0 {
            continue;
        }
        let own = matches!(&table.id, Id::Fields(fields) if fields.len() == 1 && fields.contains(&field) && names::is_own_id(&field));
        if own {
            continue;
        }
        let fits = targets.iter().enumerate().filter_map(|(at, target)| {
            let (named, by, hits) = points(table, &field, values, target)?;
            Some((named, hits, at, by))
        });
        if let Some((_, hits, target, by)) =
            fits.max_by_key(|(named, hits, at, _)| (*named, *hits, usize::MAX - at))
        {
            let wish = targets.get(target).and_then(|target| shorter(&field, target));
            found.push(Candidate { table: table.name.clone(), field, target, by, hits, total, wish });
        }
    }
    table.children.iter().for_each(|child| look(child, targets, found));
}

/// `client_id` for `client_cedula`, where clients are known by their `cedula`.
fn shorter(field: &str, target: &Target) -> Option<String> {
    let id = target.id_field.as_ref().filter(|id| !names::is_own_id(id))?;
    let plain = names::plain(field);
    let rest = plain.strip_suffix(&names::plain(id))?.strip_suffix('_')?;
    (!rest.is_empty()).then(|| format!("{rest}_id"))
}

/// The columns that hold one scalar, each with its field and its values.
fn scalars(table: &Table) -> impl Iterator<Item = (String, &Values)> {
    table.columns.iter().filter_map(|column| {
        let [field] = column.from.as_slice() else { return None };
        let field = field.replace("~1", "/").replace("~0", "~");
        if matches!(
            column.typed.kind,
            Type::Bool | Type::Date | Type::Timestamptz | Type::Jsonb | Type::TextArray
        ) {
            return None;
        }
        let values = match field.as_str() {
            "$key" => &table.place.maps.keys,
            "$" => &table.place.values,
            "$group" => return None,
            _ => &table.place.field(&field)?.values,
        };
        Some((field, values))
    })
}

/// Whether a column points at a table: how well it is named for it, by which fields, how often it hits.
fn points(table: &Table, field: &str, values: &Values, target: &Target) -> Option<(u8, Vec<String>, u64)> {
    if field.starts_with('$') && target.name == table.name {
        return None;
    }
    let named = named_for(field, target);
    let total = values.total();
    let share = |hits: u64| hits * 100 / total.max(1);
    let hits = target.ids.as_ref().map_or(0, |ids| values.hits(ids));
    if named > 0 && hits > 0 && (target.name != table.name || named > 1) {
        return Some((named + 1, Vec::new(), hits));
    }
    if target.name == table.name && names::is_kin(field) && hits > 0 && share(hits) >= MOST {
        return Some((2, Vec::new(), hits));
    }
    let is_label = names::reference_stem(field).is_some() || field.starts_with('$');
    if named == 0
        && target.random
        && share(hits) >= NEARLY_ALL
        && (is_label || values.len() >= 3)
        && target.name != table.name
    {
        return Some((1, Vec::new(), hits));
    }
    if target.name == table.name {
        return (named == 0 && is_label && target.random && share(hits) >= NEARLY_ALL)
            .then(|| (0, Vec::new(), hits));
    }
    if named == 0 {
        return None;
    }
    // The place in a list, where the app has nothing else, or what the record is called.
    let numbers = table.place.field(field).map(|stands| &stands.numbers);
    let place = target.id_field.is_none()
        && numbers.is_some_and(|numbers| {
            let within = |number: Option<i64>| {
                number.is_some_and(|number| u64::try_from(number).is_ok_and(|number| number < target.records))
            };
            numbers.count > 0 && numbers.fractions == 0 && within(numbers.least) && within(numbers.most)
        });
    let titles = target.titles.iter().map(|(title, called)| (title, values.hits(called)));
    let title = titles.max_by_key(|(_, hits)| *hits).filter(|(_, hits)| *hits > 0);
    let at = numbers.filter(|_| place).map_or(0, |numbers| numbers.count);
    let called = title.map_or(0, |(_, hits)| hits);
    let called_id = title.filter(|(title, hits)| names::is_own_id(title) && *hits == total);
    let by: Vec<String> = match (called_id, place, title) {
        // Ids that some share, or that some records lack: all of these are there.
        (Some((id, _)), _, _) => vec![id.clone()],
        // A number may be a place and an id of another record: then the places, which all of them fit.
        (None, true, _) if at == total => vec!["$index".to_owned()],
        (None, true, Some((title, _))) => vec!["$index".to_owned(), title.clone()],
        (None, true, None) => vec!["$index".to_owned()],
        (None, false, title) => title.map(|(title, _)| title.clone()).into_iter().collect(),
    };
    let hits = if place && by.iter().any(|by| by == "$index") { (at + called).min(total) } else { called };
    if share(hits) >= MOST && !by.is_empty() {
        return Some((named, by, hits));
    }
    // Named for it, and all of them lead nowhere: worth saying, and no reference.
    (named > 1 && target.records > 0).then(|| (0, Vec::new(), 0))
}

/// How well a field is named for a table: 2 with an ending that says so, 1 by its name alone.
fn named_for(field: &str, target: &Target) -> u8 {
    if field.starts_with('$') {
        return 0;
    }
    let stem = |words: &[String]| names::stem(&words.join("_"));
    let ends =
        |words: &[String]| words.ends_with(&target.stem) || !words.is_empty() && target.stem.ends_with(words);
    if let Some(words) = names::reference_stem(field) {
        return if ends(&stem(&words)) { 2 } else { 0 };
    }
    let words = names::stem(field);
    // `client_cedula`, where clients are known by their `cedula`.
    if let Some(id) = &target.id_field {
        let id: Vec<String> = names::stem(id);
        if let Some(rest) = words.strip_suffix(id.as_slice())
            && !rest.is_empty()
            && ends(&stem(rest))
        {
            return 2;
        }
        if words == id && !names::is_own_id(field) && target.random {
            return 1;
        }
    }
    for (title, _) in &target.titles {
        let title = names::stem(title);
        if words.strip_suffix(title.as_slice()).is_some_and(|rest| !rest.is_empty() && ends(&stem(rest))) {
            return 1;
        }
    }
    u8::from(words == target.stem)
}

/// Makes a column a reference; one that names a record keeps the name beside it.
fn place(table: &mut Table, field: &str, reference: Reference, wish: Option<String>) {
    let mut taken: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    if let Some((parent, position)) = &table.parent {
        taken.extend([parent.clone(), position.clone()]);
    }
    let from = [super::model::field_path(field)];
    let Some(column) = table.columns.iter().position(|column| column.from == from) else { return };
    let Some(old) = table.columns.get_mut(column) else { return };
    let is_special = old.from.first().is_some_and(|from| from.starts_with('$'));
    if reference.by.is_empty() && !is_special {
        let wish = wish.unwrap_or_else(|| {
            if old.name.ends_with("_id") { old.name.clone() } else { format!("{}_id", old.name) }
        });
        if wish == old.name
            || !taken.contains(&wish) && old.name.len() < 55 && !super::model::TAKEN.contains(&wish.as_str())
        {
            old.name = wish;
        }
        old.reference = Some(reference);
        old.choices = None;
        return;
    }
    let base = names::singular_of(&reference.table);
    let free = |name: &String| !taken.contains(name) && !super::model::TAKEN.contains(&name.as_str());
    let wishes = [format!("{base}_id"), format!("{}_ref", old.name), format!("{}_{base}_ref", old.name)];
    let Some(name) = wishes.into_iter().find(free) else { return };
    let new = Column {
        name,
        from: old.from.clone(),
        typed: old.typed.clone(),
        reference: Some(reference),
        choices: None,
        filled: old.filled,
    };
    table.columns.insert(column + 1, new);
}

fn find<'t>(tables: &'t mut [Table], name: &str) -> Option<&'t mut Table> {
    for table in tables {
        if table.name == name {
            return Some(table);
        }
        if let Some(found) = find(&mut table.children, name) {
            return Some(found);
        }
    }
    None
}

/// A child needs its parent.
fn owned(table: &Table, needs: &mut HashMap<String, Vec<String>>) {
    for child in &table.children {
        needs.entry(child.name.clone()).or_default().push(table.name.clone());
        owned(child, needs);
    }
}

/// True if one table needs another, directly or through others, or is the other.
fn reaches(needs: &HashMap<String, Vec<String>>, from: &str, to: &str) -> bool {
    let (mut seen, mut waiting) = (vec![from.to_owned()], vec![from.to_owned()]);
    while let Some(name) = waiting.pop() {
        if name == to {
            return true;
        }
        for next in needs.get(&name).into_iter().flatten() {
            if !seen.contains(next) {
                seen.push(next.clone());
                waiting.push(next.clone());
            }
        }
    }
    false
}
