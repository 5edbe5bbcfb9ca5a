//! Which shape a file has, and what in it nobody asked for.
//!
//! A file is recognised by what is in it, never by its name: one name is used by many
//! apps, and one app may write two shapes.

use crate::exit::{self, Failure};
use crate::export::Export;
use crate::mapping::{Mapping, Path, Shape};
use crate::node::Node;
use crate::pointer::Pointer;
use crate::secret;

use super::Collection;

/// How many keys an error lists.
const SHOWN_KEYS: usize = 20;

/// The first shape whose root is there and under which some mapped collection is found.
pub(super) fn recognise<'m>(export: &Export, mapping: &'m Mapping) -> Result<&'m Shape, Failure> {
    let fits = |shape: &&Shape| {
        collections(mapping).any(|path| is_collection(export, &path.at(&shape.root, &shape.prefix)))
    };
    mapping.source.shapes.iter().find(fits).ok_or_else(|| unknown_shape(export, mapping))
}

/// Where the collections of a shape lie; those at a fixed place say nothing about it.
fn collections(mapping: &Mapping) -> impl Iterator<Item = &Path> {
    let tables = mapping.tables.iter().filter(|table| table.parent.is_none());
    tables.flat_map(|table| &table.from).filter(|path| !path.is_absolute())
}

fn is_collection(export: &Export, at: &Pointer) -> bool {
    let found = at.find(&export.document);
    found.is_some_and(|node| node.is_container() || export.broken_at(at).is_some())
}

fn unknown_shape(export: &Export, mapping: &Mapping) -> Failure {
    let has = match &export.document {
        Node::Map(members) if members.is_empty() => "the file is an empty object".to_owned(),
        Node::Map(members) => format!("the file has {}", listed(members.keys().map(String::as_str))),
        Node::List(items) => format!("the file is a list of {}", items.len()),
        other => format!("the file is just {}", other.kind()),
    };
    let wanted = mapping.source.shapes.iter().map(|shape| {
        let places: Vec<String> =
            collections(mapping).map(|path| path.at(&shape.root, &shape.prefix).to_string()).collect();
        format!("{} ({})", listed(places.iter().map(String::as_str)), shape.name)
    });
    let wanted: Vec<String> = wanted.collect();
    let help = if export.document.is_container() {
        "this looks like another app's export; give the mapping that was written for it"
    } else {
        "give the file the app exported, unchanged"
    };
    let message = format!(
        "{}: not an export of `{}`: {has}; the mapping looks for {}",
        export.file,
        mapping.name,
        wanted.join(", or ")
    );
    Failure::new(exit::INPUT, "export.shape", message).help(help)
}

fn listed<'k>(keys: impl Iterator<Item = &'k str>) -> String {
    let keys: Vec<String> = keys.map(|key| key.chars().take(40).collect()).collect();
    let shown = keys.iter().take(SHOWN_KEYS).map(String::as_str).collect::<Vec<_>>().join(", ");
    match keys.len().checked_sub(SHOWN_KEYS) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

/// Everything of a file that becomes no row.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) not_mapped: Vec<Collection>,
    pub(super) ignored: Vec<Collection>,
    pub(super) secrets: Vec<Pointer>,
}

/// Looks at what lies outside the collections that were read.
pub(super) fn survey(export: &Export, mapping: &Mapping, shape: &Shape, read: &[Pointer]) -> Survey {
    let mut survey = Survey::default();
    look(&export.document, &Pointer::root(), &Known { mapping, shape, read }, &mut survey);
    survey
}

struct Known<'a> {
    mapping: &'a Mapping,
    shape: &'a Shape,
    read: &'a [Pointer],
}

fn look(node: &Node, at: &Pointer, known: &Known<'_>, survey: &mut Survey) {
    let Known { mapping, shape, read } = known;
    if read.contains(at) {
        return;
    }
    let ignored = mapping.ignore.iter().any(|path| path.matches(&shape.root, &shape.prefix, at));
    let on_the_way = at.leads_to(&shape.root) || read.iter().any(|place| at.leads_to(place));
    if let (false, true, Node::Map(members)) = (ignored, on_the_way, node) {
        for (name, member) in members {
            look(member, &at.member(name), known, survey);
        }
        return;
    }
    let _without = secret::without_secrets(node, at, &mut survey.secrets);
    let collection = Collection { pointer: at.to_string(), records: records(node) };
    if ignored { survey.ignored.push(collection) } else { survey.not_mapped.push(collection) }
}

fn records(node: &Node) -> usize {
    match node {
        Node::List(items) => items.len(),
        Node::Map(members) if members.values().all(Node::is_container) => members.len(),
        Node::Map(_) => 1,
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => 0,
    }
}
