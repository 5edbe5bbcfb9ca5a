//! What lies where in a document, without its records.
//!
//! An outline names the members of objects down to where records begin and counts the rest. Its size is
//! bounded: a list is a number, and so is an object with very many members.

use std::io::BufRead;

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::Repairs;
use super::json::characters;
use super::lz::Flavour;
use super::token::{Fault, Token, Tokens};
use crate::pointer::Pointer;

/// How deep members are named.
const LEVELS: usize = 6;

/// An object with more members than this is a collection, unless it is the document itself.
const NAMED: usize = 2_000;

/// How many members are named in all.
const BUDGET: usize = 200_000;

/// Where the text of a value begins: which text, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) text: usize,
    pub(super) offset: u64,
}

/// A value, as far as it can be known without its records.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    pub(super) place: Place,
    /// What it is.
    pub kind: Kind,
    /// How the value was wrapped, outermost first, if it was a text that held this.
    pub wrapped: Vec<Wrapping>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text {
        /// Whether nothing is in it.
        empty: bool,
    },
    /// A list.
    List {
        /// How many items it has.
        items: usize,
        /// How many of them are lists or objects.
        containers: usize,
        /// Whether it is the document itself, an item a line (NDJSON).
        lines: bool,
    },
    /// An object, with its members.
    Map(IndexMap<String, Outline>),
    /// An object whose members are only counted.
    Many {
        /// How many members it has.
        members: usize,
        /// How many of them are lists or objects.
        containers: usize,
    },
}

/// How a value was put into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrapping {
    /// JSON in a text.
    Stringified,
    /// lz-string: `compress`.
    LzString,
    /// lz-string: `compressToUTF16`.
    LzStringUtf16,
    /// lz-string: `compressToBase64`.
    LzStringBase64,
    /// lz-string: `compressToEncodedURIComponent`.
    LzStringUri,
    /// A list of names and values, as Playwright and others write it.
    Pairs,
}

impl From<Flavour> for Wrapping {
    fn from(flavour: Flavour) -> Self {
        match flavour {
            Flavour::Raw => Self::LzString,
            Flavour::Utf16 => Self::LzStringUtf16,
            Flavour::Base64 => Self::LzStringBase64,
            Flavour::Uri => Self::LzStringUri,
        }
    }
}

impl Outline {
    pub(super) fn new(place: Place, kind: Kind) -> Self {
        Self { place, kind, wrapped: Vec::new() }
    }

    /// True for a list or an object.
    pub fn is_container(&self) -> bool {
        matches!(self.kind, Kind::List { .. } | Kind::Map(_) | Kind::Many { .. })
    }

    /// True for a list or an object with nothing in it.
    pub fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::List { items, .. } => *items == 0,
            Kind::Map(members) => members.is_empty(),
            _ => false,
        }
    }

    /// True for `null` and the empty text.
    pub fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Null | Kind::Text { empty: true })
    }

    /// The kind of value, in a word an error can use.
    pub fn word(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool => "a boolean",
            Kind::Number => "a number",
            Kind::Text { .. } => "a text",
            Kind::List { .. } => "a list",
            Kind::Map(_) | Kind::Many { .. } => "an object",
        }
    }

    /// The items of a list, the members of an object of objects, one for any other object, none for a plain value.
    pub fn records(&self) -> usize {
        match &self.kind {
            Kind::List { items, .. } => *items,
            Kind::Map(members) if members.is_empty() => 0,
            Kind::Map(members) if members.values().all(Self::is_container) => {
                members.values().filter(|member| !member.is_empty()).count()
            }
            Kind::Many { members, containers } if members == containers => *members,
            Kind::Map(_) | Kind::Many { .. } => 1,
            Kind::Null | Kind::Bool | Kind::Number | Kind::Text { .. } => 0,
        }
    }

    /// The members of an object that are named.
    pub fn members(&self) -> Option<&IndexMap<String, Self>> {
        match &self.kind {
            Kind::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The value at a pointer.
    pub fn find(&self, at: &Pointer) -> Option<&Self> {
        at.segments().try_fold(self, |outline, segment| outline.members()?.get(&segment))
    }
}

/// An outline being made.
pub(super) struct Outliner<'r> {
    pub(super) text: usize,
    /// What is added to each offset.
    pub(super) base: u64,
    /// Whether a text that was cut off counts up to its last whole value.
    pub(super) salvage: bool,
    pub(super) repairs: &'r mut Repairs,
    /// Where a text was cut off, if it was and that is all right.
    pub(super) cut: Option<Pointer>,
    named: usize,
}

impl<'r> Outliner<'r> {
    pub(super) fn new(text: usize, base: u64, salvage: bool, repairs: &'r mut Repairs) -> Self {
        Self { text, base, salvage, repairs, cut: None, named: 0 }
    }

    /// Reads a whole document, which may be an object a line.
    pub(super) fn document<B: BufRead>(&mut self, tokens: &mut Tokens<B>) -> Result<Outline, Fault> {
        let root = self.value(tokens, 0)?.ok_or(Fault::Empty)?;
        if self.cut.is_some() {
            return Ok(root);
        }
        if matches!(root.kind, Kind::Map(_) | Kind::Many { .. }) && tokens.more_lines()? {
            return self.lines(tokens, root.place);
        }
        tokens.next()?;
        Ok(root)
    }

    fn lines<B: BufRead>(&mut self, tokens: &mut Tokens<B>, place: Place) -> Result<Outline, Fault> {
        let (mut items, mut containers) = (1, 1);
        loop {
            match tokens.skip_next() {
                Ok(token) => {
                    items += 1;
                    containers += usize::from(matches!(token, Token::BeginMap | Token::BeginList));
                }
                Err(fault) => {
                    self.forgive(fault)?;
                    break;
                }
            }
            if !tokens.more_lines()? {
                // A line that is no record hides those behind it.
                tokens.next()?;
                break;
            }
        }
        Ok(Outline::new(place, Kind::List { items, containers, lines: true }))
    }

    /// Reads a value; none if it was cut off and nothing of it can be used.
    fn value<B: BufRead>(&mut self, tokens: &mut Tokens<B>, level: usize) -> Result<Option<Outline>, Fault> {
        let offset = match tokens.begin() {
            Ok(offset) => offset,
            Err(fault) => return self.forgive(fault).map(|()| None),
        };
        let place = Place { text: self.text, offset: self.base + offset };
        let first = match tokens.next() {
            Ok(first) => first,
            Err(fault) => return self.forgive(fault).map(|()| None),
        };
        Ok(Some(Outline::new(
            place,
            match first {
                Token::Null => Kind::Null,
                Token::True | Token::False => Kind::Bool,
                Token::Number => Kind::Number,
                Token::Text => Kind::Text { empty: tokens.text().is_empty() },
                Token::BeginList => self.list(tokens)?,
                Token::BeginMap => self.map(tokens, level)?,
                Token::EndList | Token::EndMap | Token::Name | Token::End => return Ok(None),
            },
        )))
    }

    fn list<B: BufRead>(&mut self, tokens: &mut Tokens<B>) -> Result<Kind, Fault> {
        let (mut items, mut containers) = (0, 0);
        loop {
            match tokens.skip_next() {
                Ok(Token::EndList) => break,
                Ok(token) => {
                    items += 1;
                    containers += usize::from(matches!(token, Token::BeginMap | Token::BeginList));
                }
                Err(fault) => {
                    self.forgive(fault)?;
                    break;
                }
            }
        }
        Ok(Kind::List { items, containers, lines: false })
    }

    fn map<B: BufRead>(&mut self, tokens: &mut Tokens<B>, level: usize) -> Result<Kind, Fault> {
        let mut members: IndexMap<String, Outline> = IndexMap::new();
        let (mut count, mut containers) = (0, 0);
        let mut naming = level < LEVELS;
        loop {
            match tokens.next() {
                Ok(Token::Name) => {}
                Ok(_) => break,
                Err(fault) => {
                    self.forgive(fault)?;
                    break;
                }
            }
            if !naming {
                match tokens.skip_next() {
                    Ok(token) => {
                        count += 1;
                        containers += usize::from(matches!(token, Token::BeginMap | Token::BeginList));
                    }
                    Err(fault) => {
                        self.forgive(fault)?;
                        break;
                    }
                }
                continue;
            }
            let name = characters(tokens.text(), self.repairs).into_owned();
            let Some(value) = self.value(tokens, level + 1)? else { break };
            count += 1;
            containers += usize::from(value.is_container());
            self.named += 1;
            match members.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(place) if place.get().is_container() => {
                    return Err(Fault::Repeated { name: place.key().clone() });
                }
                Entry::Occupied(mut place) => {
                    place.insert(value);
                    count -= 1;
                    self.repairs.duplicate_keys += 1;
                }
            }
            if self.cut.is_some() {
                break;
            }
            naming = self.named < BUDGET && (level == 0 || members.len() < NAMED);
        }
        let all_named = members.len() == count;
        Ok(if all_named && level < LEVELS {
            Kind::Map(members)
        } else {
            Kind::Many { members: count, containers }
        })
    }

    /// A text that was cut off is taken up to there, if that was asked for.
    fn forgive(&mut self, fault: Fault) -> Result<(), Fault> {
        match fault {
            Fault::Truncated { inside, .. } if self.salvage => {
                self.cut.get_or_insert(inside);
                Ok(())
            }
            fault => Err(fault),
        }
    }
}
