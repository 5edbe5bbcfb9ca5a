//! Which shape a file has, and what in it nobody asked for.
//!
//! A file is recognised by what is in it, never by its name: one name is used by many
//! apps, and one app may write two shapes.

use crate::exit::{self, Failure};
use crate::export::{Document, Export, Items, Kind, Outline, Repairs};
use crate::mapping::{Found, Mapping, Path, Shape};
use crate::node::Node;
use crate::pointer::Pointer;
use crate::secret;

use super::Collection;

/// How many keys an error lists.
const SHOWN_KEYS: usize = 20;

/// The first shape of each document whose root is there and under which some mapped collection is found.
/// Of several documents one may have none: what it holds is listed as not mapped.
pub(super) fn recognise<'m>(
    export: &Export,
    mapping: &'m Mapping,
) -> Result<Vec<Option<&'m Shape>>, Failure> {
    if export.is_of_rejects {
        return Ok(vec![mapping.source.shapes.first(); export.documents.len()]);
    }
    let shapes: Vec<Option<&Shape>> =
        export.documents.iter().map(|document| shape_of(document, export, mapping)).collect();
    match shapes.iter().any(Option::is_some) {
        true => Ok(shapes),
        false => Err(unknown_shape(export, mapping)),
    }
}

/// The shape of a document, if the mapping knows it.
pub(crate) fn shape_of<'m>(document: &Document, export: &Export, mapping: &'m Mapping) -> Option<&'m Shape> {
    let is_collection = |found: Found<'_>| {
        found.outline.is_container() || export.broken_at(&document.base.join(&found.at)).is_some()
    };
    let fits = |shape: &&Shape| {
        collections(mapping)
            .any(|path| path.find(&shape.root, &shape.prefix, document).into_iter().any(is_collection))
    };
    let is_of_nothing = mapping.tables.is_empty() && document.root.is_container();
    mapping.source.shapes.iter().find(|shape| is_of_nothing || fits(shape))
}

/// Where the collections of a shape lie; those at a fixed place say nothing about it, unless there are no
/// others.
fn collections(mapping: &Mapping) -> impl Iterator<Item = &Path> {
    let tables = mapping.tables.iter().filter(|table| table.parent.is_none());
    let paths: Vec<&Path> = tables.flat_map(|table| &table.from).collect();
    let all_fixed = paths.iter().all(|path| path.is_absolute());
    paths.into_iter().filter(move |path| all_fixed || !path.is_absolute())
}

fn unknown_shape(export: &Export, mapping: &Mapping) -> Failure {
    let has = export.documents.iter().map(|document| match &document.root.kind {
        Kind::Map(members) if members.is_empty() => "the file is an empty object".to_owned(),
        Kind::Map(members) => format!("the file has {}", listed(members.keys().map(String::as_str))),
        Kind::Many { members, .. } => format!("the file is an object with {members} names"),
        Kind::List { items, .. } => format!("the file is a list of {items}"),
        _ => format!("the file is just {}", document.root.word()),
    });
    let has = has.collect::<Vec<_>>().join("; ");
    let wanted = mapping.source.shapes.iter().map(|shape| {
        let places: Vec<String> =
            collections(mapping).map(|path| path.at(&shape.root, &shape.prefix).to_string()).collect();
        format!("{} ({})", listed(places.iter().map(String::as_str)), shape.name)
    });
    let wanted: Vec<String> = wanted.collect();
    let help = if export.documents.iter().any(|document| document.root.is_container()) {
        "this looks like another app's export; give the mapping that was written for it"
    } else {
        "give the file the app exported, unchanged"
    };
    let message = format!(
        "{}: not an export of `{}`: {has}; the mapping looks for {}",
        export.name(),
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
pub(super) fn survey(
    export: &Export,
    mapping: &Mapping,
    shapes: &[Option<&Shape>],
    read: &[Pointer],
) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    for (document, shape) in export.documents.iter().zip(shapes) {
        let known = Known { export, document, mapping, shape: *shape, read };
        known.look(&document.root, &Pointer::root(), &mut survey)?;
    }
    Ok(survey)
}

struct Known<'a> {
    export: &'a Export,
    document: &'a Document,
    mapping: &'a Mapping,
    shape: Option<&'a Shape>,
    read: &'a [Pointer],
}

impl Known<'_> {
    fn look(&self, outline: &Outline, below: &Pointer, survey: &mut Survey) -> Result<(), Failure> {
        let at = self.document.base.join(below);
        if self.read.contains(&at) {
            return Ok(());
        }
        let ignored = self.shape.is_some_and(|shape| {
            self.mapping.ignore.iter().any(|path| path.matches(&shape.root, &shape.prefix, below))
        });
        let on_the_way = self.shape.is_some_and(|shape| below.leads_to(&shape.root))
            || self.read.iter().any(|place| at.leads_to(place))
            || below.as_str().is_empty();
        if let (false, true, Some(members)) = (ignored, on_the_way, outline.members()) {
            for (name, member) in members {
                self.look(member, &below.member(name), survey)?;
            }
            return Ok(());
        }
        self.secrets(outline, &at, survey)?;
        let collection = Collection { pointer: at.to_string(), records: outline.records() };
        if ignored {
            survey.ignored.push(collection)
        } else {
            survey.not_mapped.push(collection)
        }
        Ok(())
    }

    /// Finds the secrets of a value, whose own name may give it away, one record at a time.
    fn secrets(&self, outline: &Outline, at: &Pointer, survey: &mut Survey) -> Result<(), Failure> {
        let name = at.segments().last().unwrap_or_default();
        if secret::is_secret_name(&name) && !outline.is_blank() {
            survey.secrets.push(at.clone());
            return Ok(());
        }
        let items = match &outline.kind {
            Kind::List { .. } => Items::List,
            Kind::Map(_) | Kind::Many { .. } => Items::Members,
            Kind::Text { .. } => Items::One,
            Kind::Null | Kind::Bool | Kind::Number => return Ok(()),
        };
        self.export.each(outline, at, items, &mut Repairs::default(), &mut |item| {
            let named = item.key.as_deref().is_some_and(secret::is_secret_name);
            if named && !item.value.is_blank() && !matches!(item.value, Node::Bool(_)) {
                survey.secrets.push(item.at);
            } else {
                let _without = secret::without_secrets(&item.value, &item.at, &mut survey.secrets);
            }
            Ok(())
        })
    }
}
