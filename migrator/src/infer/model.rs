//! The model of an export: tables, columns, children, references, and why.
//!
//! Made from places alone, in one direction: what was counted comes in, nothing is asked again.
//! The same exports give the same model.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::keys::{self, Id};
use super::layout::{self, Found, Ignored, Items, Layout};
use super::merge;
use super::names::{self, Scope};
use super::refs;
use super::source::Read;
use super::stats::{Place, Values};
use super::types::{self, Typed};
use crate::mapping::{EXTRA, Path};

/// The names every table has already.
pub(crate) const TAKEN: [&str; 5] = ["id", "owner_id", "legacy_id", "legacy_scope", EXTRA];

/// More columns than anybody reads; what is left goes to `extra`.
const MOST_COLUMNS: usize = 200;

/// How deep children lie in each other; what lies deeper is a document.
const DEEPEST_CHILD: usize = 4;

/// What an app left, as tables.
#[derive(Debug)]
pub(crate) struct Model {
    /// The name of the app, as far as its file and keys tell.
    pub(crate) name: String,
    /// The namespace of its ids.
    pub(crate) namespace: Uuid,
    /// The shapes its files have.
    pub(crate) shapes: Vec<Shape>,
    /// Tables, those at the top first in the order of the file; children within their parents.
    pub(crate) tables: Vec<Table>,
    /// What becomes no rows, as paths, and why.
    pub(crate) ignored: Vec<Left>,
    /// What a person should know before anything else.
    pub(crate) notes: Vec<String>,
    /// References by the tables and columns they are in.
    pub(crate) links: Vec<refs::Link>,
}

/// One shape of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) name: String,
    /// A JSON Pointer.
    pub(crate) root: String,
    pub(crate) prefix: String,
}

/// A place that becomes no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) path: String,
    pub(crate) reason: String,
    pub(crate) records: u64,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) from: Vec<String>,
    pub(crate) items: Items,
    pub(crate) id: Id,
    pub(crate) clock: Option<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) children: Vec<Self>,
    /// The columns that take the parent's id and the place in it, for a child.
    pub(crate) parent: Option<(String, String)>,
    pub(crate) records: u64,
    /// Fields without a column, and why.
    pub(crate) left: Vec<(String, String)>,
    /// Fields that are secrets.
    pub(crate) secrets: Vec<String>,
    /// What else there is to say.
    pub(crate) notes: Vec<String>,
    pub(crate) place: Place,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) from: Vec<String>,
    pub(crate) typed: Typed,
    pub(crate) reference: Option<Reference>,
    /// The words it is a choice of.
    pub(crate) choices: Option<Vec<String>>,
    /// Records with something in it.
    pub(crate) filled: u64,
}

/// A column that points at a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) table: String,
    /// The fields of the target it may name; none for the target's id.
    pub(crate) by: Vec<String>,
    pub(crate) hits: u64,
    pub(crate) total: u64,
}

/// What somebody wants of a model that its files do not say.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// What the app is called.
    pub name: Option<String>,
    /// The zone of times that do not say theirs.
    pub tz: String,
    /// Whether files in Base64 go to Storage instead of a column of text.
    pub media: bool,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { name: None, tz: "UTC".to_owned(), media: false }
    }
}

impl Model {
    /// The model of some exports of one app.
    pub(crate) fn of(reads: &[Read], wishes: &Wishes) -> Self {
        let mut gathered = Gathered::default();
        for read in reads {
            gathered.file(read, reads.len() > 1);
        }
        let Gathered { shapes, collections, ignored, mut notes } = gathered;
        let mut scope = Scope::default();
        let named = table_names(&collections, &mut scope);
        let mut tables: Vec<Table> = collections
            .into_iter()
            .zip(named)
            .map(|(collection, name)| collection.table(name, &mut scope))
            .collect();
        let links = refs::link(&mut tables);
        let name = wishes.name.clone().unwrap_or_else(|| app_name(reads, &shapes));
        if tables.is_empty() {
            notes.push("no records were found".to_owned());
        }
        let namespace = namespace(&name, &tables);
        Self { name, namespace, shapes, tables, ignored, notes, links }
    }
}

/// Collections of several files, put together where they have one path.
#[derive(Default)]
struct Gathered {
    shapes: Vec<Shape>,
    collections: Vec<Collection>,
    ignored: Vec<Left>,
    notes: Vec<String>,
}

/// A collection with every path it is under.
struct Collection {
    /// Paths, the one that wins first.
    from: Vec<String>,
    /// What its key is called, without the app's prefix.
    key: String,
    found: Found,
    /// What its records are known by, where several places were looked at.
    id: Option<Id>,
    notes: Vec<String>,
}

impl Gathered {
    fn file(&mut self, read: &Read, several: bool) {
        let Layout { found, mut ignored, shape } = layout::of(&read.root, read.dump);
        let groups = merge::copies(found, &mut ignored);
        let steps: Vec<&[String]> =
            groups.iter().flat_map(|group| &group.paths).map(|(steps, _)| steps.as_slice()).collect();
        let (root, prefix) = frame(&steps);
        let this = Shape { name: shape, root: pointer(&root), prefix: prefix.clone() };
        if !self.shapes.iter().any(|known| (&known.root, &known.prefix) == (&this.root, &this.prefix)) {
            self.shapes.push(this);
        }
        for group in groups {
            let bare = several && group.found.steps.is_empty() && group.found.items == Items::List;
            let relative = |(steps, items): &(Vec<String>, Items)| {
                let found = Found { steps: steps.clone(), items: *items, place: Place::default() };
                if bare {
                    format!("{}[*]", layout::escaped(read.stem()))
                } else {
                    within(&found, &root, &prefix)
                }
            };
            let mut from = Vec::new();
            for path in &group.paths {
                let spelt = relative(path);
                // A key without a name, or with brackets in it, has no path.
                let nameless = |step: &String| step.is_empty() || step.contains(['[', ']', '{', '}']);
                if spelt.parse::<Path>().is_ok() && !path.0.iter().any(nameless) {
                    from.push(spelt);
                } else {
                    let reason = "no path can name it: change the key in a copy of the file".to_owned();
                    ignored.push(Ignored { steps: path.0.clone(), reason, records: group.found.records() });
                }
            }
            if from.is_empty() {
                continue;
            }
            let key = match group.found.steps.last() {
                None => read.stem().to_owned(),
                Some(last) if group.found.steps.len() == root.len() + 1 => {
                    last.strip_prefix(&prefix).unwrap_or(last).to_owned()
                }
                Some(_) => own_name(&group.found.steps, &prefix),
            };
            let same =
                self.collections.iter_mut().find(|known| known.from.iter().any(|path| from.contains(path)));
            match same {
                Some(known) => {
                    known.from.extend(
                        from.into_iter().filter(|path| !known.from.contains(path)).collect::<Vec<_>>(),
                    );
                    known.found.place.merge(group.found.place);
                }
                None => {
                    let merge::Group { found, id, notes, .. } = group;
                    self.collections.push(Collection { from, key, found, id, notes });
                }
            }
        }
        for Ignored { steps, reason, records } in ignored {
            let path = pointer(&steps).replace(['[', ']', '{', '}'], "*");
            if !self.ignored.iter().any(|left| left.path == path) {
                self.ignored.push(Left { path, reason, records });
            }
        }
    }
}

/// The key that names a collection: the last step that is no word for a container.
fn own_name(steps: &[String], prefix: &str) -> String {
    let is_container = |step: &&String| {
        !matches!(
            names::plain(step).as_str(),
            "state" | "data" | "entities" | "items" | "list" | "value" | "values" | "records"
        )
    };
    let step = steps.iter().rev().find(is_container).or(steps.last()).cloned().unwrap_or_default();
    step.strip_prefix(prefix).map(str::to_owned).filter(|rest| !rest.is_empty()).unwrap_or(step)
}

/// The step below which all collections lie, and what the names there begin with.
fn frame(paths: &[&[String]]) -> (Vec<String>, String) {
    let Some((first, rest)) = paths.split_first() else { return (Vec::new(), String::new()) };
    let most = paths.iter().map(|steps| steps.len().saturating_sub(1)).min().unwrap_or(0);
    let same = |place: &usize| rest.iter().all(|steps| steps.get(*place) == first.get(*place));
    let depth = (0..most).take_while(same).count();
    let root: Vec<String> = first.iter().take(depth).cloned().collect();
    let mut keys: Vec<&str> = paths.iter().filter_map(|steps| steps.get(depth)).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    let whole = names::common_prefix(&keys);
    if !whole.is_empty() {
        return (root, whole.to_owned());
    }
    // Most keys of the app; the others are named from the top.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in &keys {
        if let Some(end) = key.find(['_', '-', ':', '.']) {
            *counts.entry(key.get(..=end).unwrap_or_default()).or_default() += 1;
        }
    }
    let best = counts.into_iter().max_by_key(|(_, count)| *count);
    let most = best.filter(|(head, count)| *count >= 3 && count * 3 >= keys.len() * 2 && head.len() >= 3);
    let prefix = most.map(|(head, _)| {
        let own: Vec<&str> = keys.iter().copied().filter(|key| key.starts_with(head)).collect();
        names::common_prefix(&own).to_owned()
    });
    (root, prefix.unwrap_or_default())
}

/// The path of a collection below a root, or from the top where the prefix is not its own.
fn within(found: &Found, root: &[String], prefix: &str) -> String {
    let below = found.steps.get(root.len()..).unwrap_or_default();
    match below.split_first() {
        None => found.path(&[]),
        Some((first, rest)) => match first.strip_prefix(prefix) {
            Some(own) => {
                let steps: Vec<String> =
                    std::iter::once(own.to_owned()).chain(rest.iter().cloned()).collect();
                found.path(&steps)
            }
            None => format!("/{}", found.path(&found.steps)),
        },
    }
}

fn pointer(steps: &[String]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Names for the tables: the key's own, shorter where a second prefix stands before many of them.
fn table_names(collections: &[Collection], scope: &mut Scope) -> Vec<String> {
    let keys: Vec<String> = collections.iter().map(|one| names::plain(&one.key.replace('*', ""))).collect();
    let mut heads: BTreeMap<&str, usize> = BTreeMap::new();
    for (head, _) in keys.iter().filter_map(|key| key.split_once('_')) {
        *heads.entry(head).or_default() += 1;
    }
    // `entities_customers` is `customers` where many keys begin so and nobody else has the name.
    let is_common = |head: &str| {
        matches!(head, "entities" | "entity" | "table" | "tbl" | "db" | "data" | "store" | "list")
    };
    let short = |key: &String| {
        let (head, rest) = key.split_once('_')?;
        let shared = heads.get(head).copied().unwrap_or(0);
        (is_common(head) && shared >= 3 && !keys.iter().any(|other| other == rest)).then(|| rest.to_owned())
    };
    keys.iter()
        .map(|key| {
            let wish = short(key).unwrap_or_else(|| key.clone());
            let plural = format!("{wish}s");
            if names::is_reserved(&wish) { scope.give(&[&plural]) } else { scope.give(&[&wish]) }
        })
        .collect()
}

impl Collection {
    fn table(self, name: String, scope: &mut Scope) -> Table {
        let Self { from, found, id, notes, .. } = self;
        let draft = Draft { items: found.items, family: found.is_family(), child: false, depth: 0 };
        let near = name.clone();
        let mut table = draft.table((name, &near), from, found.place, id, scope);
        table.notes.splice(0..0, notes);
        table
    }
}

/// What a table is made from, beside its place.
#[derive(Clone, Copy)]
struct Draft {
    items: Items,
    family: bool,
    child: bool,
    depth: usize,
}

impl Draft {
    fn table(
        self,
        (name, near): (String, &str),
        from: Vec<String>,
        place: Place,
        id: Option<Id>,
        scope: &mut Scope,
    ) -> Table {
        let records = place.count;
        let mut columns = Columns {
            scope: Scope::without(TAKEN),
            columns: Vec::new(),
            left: Vec::new(),
            secrets: Vec::new(),
        };
        let whole = place.has_plain_records();
        let parent = self.child.then(|| {
            // The parent, which knows its own name, puts a better one in place.
            (
                columns.scope.give(&["parent_id", "parent_row_id"]),
                columns.scope.give(&["position", "list_position"]),
            )
        });
        let id = id.unwrap_or_else(|| keys::decide(&place, self.items, self.family, self.child, &name));
        let mut children = Vec::new();
        let mut taken: Vec<&str> = Vec::new();
        let kids = if whole || self.depth >= DEEPEST_CHILD { Vec::new() } else { kids(&place) };
        for kid in &kids {
            taken.extend(kid.fields.iter().map(String::as_str));
        }
        if self.items.has_group() || self.family {
            let (wish, field) = (group_name(&from, self.items), "$group");
            columns.special(&[&wish, "group_name"], field, records);
        }
        if self.items.has_key() && !keys::is_told_by(&place) {
            columns.special(&["key", "legacy_key"], "$key", records);
        }
        if whole {
            columns.value(&place);
        }
        for (field, stands) in &place.maps.fields {
            if taken.contains(&field.as_str()) {
                continue;
            }
            if id.is_plain(field) && !stands.maps.fields.contains_key(field) {
                continue; // kept as the legacy id
            }
            columns.field(field, stands);
        }
        for kid in kids {
            let stem = names::plain(kid.fields.first().map(String::as_str).unwrap_or_default());
            // Deep down the nearest field says enough.
            let near = shortened(&format!("{}_{stem}", names::singular_of(near)));
            let long = shortened(&format!("{}_{stem}", names::singular_of(&name)));
            let child_name = scope.give(&[&near, &long]);
            let paths = kid
                .fields
                .iter()
                .zip(&kid.items)
                .map(|(field, items)| format!("{}{}", layout::escaped(field), items.suffix()));
            let draft = Self { items: kid.kind, family: false, child: true, depth: self.depth + 1 };
            let mut child = draft.table((child_name, &stem), paths.collect(), kid.place, None, scope);
            child.notes.extend(kid.note);
            let above = format!("{}_id", names::singular_of(&name));
            if let Some((column, _)) = &mut child.parent
                && !child.columns.iter().any(|other| other.name == above)
                && !TAKEN.contains(&above.as_str())
            {
                *column = above;
            }
            children.push(child);
        }
        let clock = keys::clock(&place).filter(|_| !self.child);
        let Columns { columns, left, secrets, .. } = columns;
        Table {
            name,
            from,
            items: self.items,
            id,
            clock,
            columns,
            children,
            parent,
            records,
            left,
            secrets,
            notes: holes(&place, whole),
            place,
        }
    }
}

/// What to say of a list with nulls between its records.
fn holes(place: &Place, whole: bool) -> Vec<String> {
    let note = || format!("{} of them are null and no record: the import names them as rejects", place.nulls);
    (place.nulls > 0 && !whole).then(note).into_iter().collect()
}

/// A name cut to what PostgreSQL keeps, with room for a number and an ending.
fn shortened(name: &str) -> String {
    name.get(..50).unwrap_or(name).trim_end_matches('_').to_owned()
}

/// What the groups of records are called: `category` for `categories{*}[*]`.
fn group_name(from: &[String], items: Items) -> String {
    let last = from.first().map(String::as_str).unwrap_or_default();
    let last = last.strip_suffix(items.suffix()).unwrap_or(last);
    let last = last.rsplit('/').next().unwrap_or_default();
    match names::plain(last) {
        name if last.contains('*') || name == "value" => "group_name".to_owned(),
        name => match names::singular_of(&name) {
            one if one == name => "group_name".to_owned(),
            one => one,
        },
    }
}

/// Records that lie in the records of a table.
struct Kid {
    /// The fields they lie in; more than one where the app renamed it.
    fields: Vec<String>,
    items: Vec<Items>,
    kind: Items,
    place: Place,
    /// How many records the fullest of the fields holds.
    most: u64,
    note: Option<String>,
}

/// The fields that hold records of their own.
fn kids(place: &Place) -> Vec<Kid> {
    let mut kids: Vec<Kid> = Vec::new();
    for (field, stands) in &place.maps.fields {
        if field.contains(['[', ']', '{', '}', '*']) {
            continue; // no path can name it: it is a column, whole
        }
        let Some((items, records, packed)) = inner_records(stands) else { continue };
        if is_like_its_parent(place, &records) || field.is_empty() || field.starts_with('$') {
            continue;
        }
        let same = kids.iter_mut().find(|kid| {
            let first = kid.fields.first().map(String::as_str).unwrap_or_default();
            kid.kind == items
                && place.maps.are_apart(first, field)
                && layout::contained(&kid.place, &records) >= if packed { 0.3 } else { layout::ALIKE }
        });
        match same {
            Some(kid) => {
                let others = kid.fields.join("`, `");
                let packed = if packed { ", as JSON in a text" } else { "" };
                let note = format!("`{field}` holds such records where `{others}` holds none{packed}");
                kid.note = Some(match kid.note.take() {
                    Some(before) => format!("{before}; {note}"),
                    None => note,
                });
                // The fullest names the table, and comes first in its ids.
                let at = if records.count > kid.most { 0 } else { kid.fields.len() };
                kid.most = kid.most.max(records.count);
                kid.fields.insert(at, field.clone());
                kid.items.insert(at, items);
                kid.place.merge(records);
            }
            None => {
                let note = packed.then(|| format!("`{field}` holds them as JSON in a text"));
                kids.push(Kid {
                    fields: vec![field.clone()],
                    items: vec![items],
                    kind: items,
                    most: records.count,
                    place: records,
                    note,
                });
            }
        }
    }
    kids
}

/// The records in a field, and whether they are packed into a text.
fn inner_records(stands: &Place) -> Option<(Items, Place, bool)> {
    let (texts, opened) = (&stands.texts, stands.texts.opened.as_deref());
    let all_json = texts.count > 0 && texts.with(super::text::Look::Json) == texts.count;
    let packed = opened.filter(|_| all_json && stands.lists.count + texts.count == stands.filled());
    let source = match packed {
        Some(opened) if stands.lists.count == 0 => opened.clone(),
        Some(opened) => {
            let mut both =
                Place { lists: stands.lists.clone(), count: stands.lists.count, ..Place::default() };
            both.merge(opened.clone());
            both
        }
        None => stands.clone(),
    };
    if source.is_lists() {
        let items = source.items().filter(|items| items.maps.count == items.count)?;
        return Some((Items::List, items.clone(), packed.is_some()));
    }
    let (items, records) = layout::collection_within(&source)?;
    (records.maps.count == records.count && records.count > 0).then_some((items, records, packed.is_some()))
}

/// True for a tree: records in records of the same kind.
fn is_like_its_parent(parent: &Place, records: &Place) -> bool {
    parent.maps.fields.len() >= 2 && layout::alike(parent, records) > 0.8
}

/// Columns being given names.
struct Columns {
    scope: Scope,
    columns: Vec<Column>,
    left: Vec<(String, String)>,
    secrets: Vec<String>,
}

impl Columns {
    fn field(&mut self, field: &str, stands: &Place) {
        if stands.secrets > 0 {
            self.secrets.push(field.to_owned());
        }
        if crate::secret::is_secret_name(field) {
            if stands.secrets == 0 {
                self.left.push((field.to_owned(), "the name of a secret".to_owned()));
            }
            return;
        }
        let why = if field.is_empty() {
            Some("it has no name")
        } else if field.starts_with('$') {
            Some("its name begins with $")
        } else if field.contains('*') {
            Some("names that differ in every record")
        } else if self.columns.len() >= MOST_COLUMNS {
            Some("there are too many fields")
        } else {
            None
        };
        if let Some(why) = why {
            return self.left.push((field.to_owned(), why.to_owned()));
        }
        let plain = names::plain(field);
        let (second, third) = (format!("{plain}_value"), format!("legacy_{plain}"));
        let name = match TAKEN.contains(&plain.as_str()) {
            true if plain == "id" => self.scope.give(&["old_id"]),
            true => self.scope.give(&[&third, &second]),
            false if names::is_reserved(&plain) => self.scope.give(&[&second]),
            false => self.scope.give(&[&plain]),
        };
        let choices = types::choices(stands).map(|words| words.into_iter().map(str::to_owned).collect());
        self.columns.push(Column {
            name,
            from: vec![field_path(field)],
            typed: types::decide(field, stands),
            reference: None,
            choices,
            filled: stands.filled(),
        });
    }

    fn special(&mut self, wishes: &[&str], from: &str, records: u64) {
        let name = self.scope.give(wishes);
        let why = if from == "$key" { "the name each record is kept under" } else { "the name of the group" };
        self.columns.push(Column {
            name,
            from: vec![from.to_owned()],
            typed: Typed::text(why),
            reference: None,
            choices: None,
            filled: records,
        });
    }

    /// A column for records that are no objects.
    fn value(&mut self, place: &Place) {
        let name = self.scope.give(&["value", "record"]);
        let typed = if place.maps.count > 0 {
            Typed::document("records of several kinds")
        } else {
            types::decide("", place)
        };
        self.columns.push(Column {
            name,
            from: vec!["$".to_owned()],
            typed,
            reference: None,
            choices: None,
            filled: place.filled(),
        });
    }
}

/// A field as a mapping names it.
pub(crate) fn field_path(field: &str) -> String {
    field.replace('~', "~0").replace('/', "~1")
}

/// The name of the app: what its keys begin with, or its file.
fn app_name(reads: &[Read], shapes: &[Shape]) -> String {
    let prefix = shapes.iter().map(|shape| shape.prefix.as_str()).find(|prefix| !prefix.is_empty());
    let name = prefix.map(names::plain).filter(|name| name.len() >= 3 && name != "value");
    name.unwrap_or_else(|| {
        reads.first().map(|read| names::plain(read.stem())).unwrap_or_else(|| "export".to_owned())
    })
}

/// One app has one namespace: it is made from what the app calls itself and its collections.
fn namespace(name: &str, tables: &[Table]) -> Uuid {
    let mut keys: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    keys.sort_unstable();
    let text = format!("{name}\u{1F}{}", keys.join("\u{1F}"));
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("supabase-migrator:{text}").as_bytes())
}

impl Table {
    /// The old ids of its records, where it has one field for them.
    pub(crate) fn ids(&self) -> Option<&Values> {
        match &self.id {
            Id::Fields(fields) if self.parent.is_none() => match fields.as_slice() {
                [key] if key == "$key" => Some(&self.place.maps.keys),
                [field] => self.place.field(field).map(|place| &place.values),
                _ => None,
            },
            Id::Fields(_) | Id::Natural(_) => None,
        }
    }
}
