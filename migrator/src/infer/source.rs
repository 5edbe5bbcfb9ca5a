//! The one place that reads an export: everything else of the inference sees places.
//!
//! What is small is read whole. A list or an object of many records is read one record at a time, so
//! memory is bounded by the largest record and by what a place keeps.

use super::stats::Place;
use crate::exit::Failure;
use crate::export::{Document, Encoding, Export, Items, Kind, Outline, Repairs};
use crate::pointer::Pointer;

/// A value with fewer parts than this is read whole.
const SMALL: usize = 2_000;

/// A file that was read, and what stands where in it.
#[derive(Debug)]
pub(crate) struct Read {
    /// The name it was given.
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) encoding: Encoding,
    /// What had to be repaired.
    pub(crate) repairs: Repairs,
    /// Where values lie that look like JSON and are not, and why.
    pub(crate) broken: Vec<(String, String)>,
    /// Values that were packed into texts, and how.
    pub(crate) wrapped: Vec<(String, &'static str)>,
    /// True where most members of the document are texts that were opened: a dump.
    pub(crate) dump: bool,
    /// Where it was cut off.
    pub(crate) cut: Option<String>,
    /// The document.
    pub(crate) root: Place,
}

/// Reads every value of every document once.
///
/// # Errors
/// Exit code 5 when a file can no longer be read.
pub(crate) fn read(export: &Export) -> Result<Vec<Read>, Failure> {
    export.documents.iter().map(|document| read_one(export, document)).collect()
}

fn read_one(export: &Export, document: &Document) -> Result<Read, Failure> {
    let mut walk = Walk { export, repairs: Repairs::default() };
    let mut root = Place::default();
    walk.outline(&document.root, &mut root, 0)?;
    let mut repairs = walk.repairs;
    if let [_] = export.documents.as_slice() {
        repairs.add(export.repairs);
    }
    let mut wrapped = Vec::new();
    wrappings(&document.root, &Pointer::root(), &mut wrapped);
    let dump = document.root.members().is_some_and(|members| {
        members.values().any(|member| !member.wrapped.is_empty())
            && members.values().all(|member| !member.wrapped.is_empty() || !member.is_container())
    });
    Ok(Read {
        file: document.file.clone(),
        bytes: document.bytes,
        encoding: document.encoding,
        repairs,
        broken: document.broken.iter().map(|broken| (broken.at.to_string(), broken.reason.clone())).collect(),
        wrapped,
        dump,
        cut: document.cut.as_ref().map(ToString::to_string),
        root,
    })
}

impl Read {
    /// The file's name without its folder and its ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.file.rsplit(['/', '\\']).next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

struct Walk<'e> {
    export: &'e Export,
    repairs: Repairs,
}

impl Walk<'_> {
    fn outline(&mut self, outline: &Outline, place: &mut Place, depth: usize) -> Result<(), Failure> {
        if self.is_small(outline) {
            let value = self.export.value(outline, &mut self.repairs)?;
            place.take(&value, depth);
            return Ok(());
        }
        let at = Pointer::root();
        match &outline.kind {
            Kind::Map(members)
                if members.values().all(|member| self.is_small(member)) && !is_opened(outline) =>
            {
                place.begin_map();
                self.members(outline, place, depth)
            }
            Kind::Map(members) => {
                place.begin_map();
                for (name, member) in members {
                    if let Some(inner) = place.member(name, member.is_blank()) {
                        self.outline(member, inner, depth + 1)?;
                    }
                }
                Ok(())
            }
            Kind::Many { .. } => {
                place.begin_map();
                self.members(outline, place, depth)
            }
            Kind::List { .. } => {
                let items = place.begin_list();
                self.export.each(outline, &at, Items::List, &mut self.repairs, &mut |item| {
                    items.take(&item.value, depth + 1);
                    Ok(())
                })
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::Text { .. } => Ok(()),
        }
    }

    /// True if a value may be read as a whole; where something was cut off, none that may hold the cut.
    fn is_small(&self, outline: &Outline) -> bool {
        !outline.is_container() || !self.export.is_salvaged() && is_small(outline)
    }

    fn members(&mut self, outline: &Outline, place: &mut Place, depth: usize) -> Result<(), Failure> {
        self.export.each(outline, &Pointer::root(), Items::Members, &mut self.repairs, &mut |item| {
            place.take_member(&item.key.unwrap_or_default(), &item.value, depth);
            Ok(())
        })
    }
}

/// How many parts a value has, as far as its outline tells.
fn parts(outline: &Outline) -> usize {
    match &outline.kind {
        Kind::List { items, .. } => *items + 1,
        Kind::Many { members, .. } => *members + 1,
        Kind::Map(members) => members.values().map(parts).sum::<usize>() + 1,
        Kind::Null | Kind::Bool | Kind::Number | Kind::Text { .. } => 1,
    }
}

fn is_small(outline: &Outline) -> bool {
    let plain = matches!(outline.kind, Kind::List { lines: false, .. } | Kind::Map(_) | Kind::Many { .. });
    !outline.is_container() || plain && parts(outline) <= SMALL && !is_opened(outline)
}

/// True if something below lies in another text, so that the text around it does not hold it.
fn is_opened(outline: &Outline) -> bool {
    let below = |members: &indexmap::IndexMap<String, Outline>| {
        members.values().any(|member| !member.wrapped.is_empty() || is_opened(member))
    };
    outline.members().is_some_and(below)
}

fn wrappings(outline: &Outline, at: &Pointer, found: &mut Vec<(String, &'static str)>) {
    use crate::export::Wrapping;
    for wrapping in &outline.wrapped {
        let how = match wrapping {
            Wrapping::Stringified => continue,
            Wrapping::LzString => "packed by lz-string",
            Wrapping::LzStringUtf16 => "packed by lz-string for UTF-16",
            Wrapping::LzStringBase64 => "packed by lz-string as Base64",
            Wrapping::LzStringUri => "packed by lz-string for an address",
            Wrapping::Pairs => "a list of names and values",
        };
        found.push((at.to_string(), how));
    }
    for (name, member) in outline.members().into_iter().flatten() {
        wrappings(member, &at.member(name), found);
    }
}
