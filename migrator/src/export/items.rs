//! The records of a collection, one at a time.

use super::outline::{Kind, Outline};
use super::token::{Token, Tokens};
use super::{Export, Repairs, Source, changed, fault_error, json};
use crate::exit::Failure;
use crate::node::{Map, Node};
use crate::number::Number;
use crate::pointer::Pointer;

/// How a value becomes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Items {
    /// `[*]`: each item of a list.
    List,
    /// `{*}`: each member of an object.
    Members,
    /// `{*}[*]`: each item of each list of an object.
    Lists,
    /// `{*}{*}`: each member of each object of an object.
    Maps,
    /// The value itself.
    One,
}

/// A record on its way out of the export.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it stands.
    pub at: Pointer,
    /// Its place in its list or object.
    pub index: usize,
    /// The name it is kept under.
    pub key: Option<String>,
    /// The name of what it lies in.
    pub group: Option<String>,
    /// What it holds.
    pub value: Node,
}

impl Items {
    /// How it is spelt behind a path.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::List => "[*]",
            Self::Members => "{*}",
            Self::Lists => "{*}[*]",
            Self::Maps => "{*}{*}",
            Self::One => "",
        }
    }

    /// Whether a value is the collection a path announces; `any` takes a plain value for a record.
    pub fn fits(self, outline: &Outline, any: bool) -> bool {
        match (self, &outline.kind) {
            (Self::List, Kind::List { .. })
            | (Self::Members | Self::Lists | Self::Maps | Self::One, Kind::Map(_) | Kind::Many { .. }) => {
                true
            }
            (Self::One, _) => any,
            _ => false,
        }
    }

    /// The same of a value that lies in a record.
    pub(crate) fn fits_node(self, node: &Node) -> bool {
        match (self, node) {
            (Self::List, Node::List(_)) | (Self::Members | Self::One, Node::Map(_)) => true,
            (Self::Lists, Node::Map(members)) => {
                members.values().all(|list| matches!(list, Node::List(_) | Node::Null))
            }
            (Self::Maps, Node::Map(members)) => {
                members.values().all(|map| matches!(map, Node::Map(_) | Node::Null))
            }
            _ => false,
        }
    }

    /// The records in a value that lies in a record.
    pub(crate) fn of_node(self, node: &Node, at: &Pointer) -> Vec<Item> {
        let item = |at: Pointer, index, key: Option<&String>, group: Option<&String>, value: &Node| Item {
            at,
            index,
            key: key.cloned(),
            group: group.cloned(),
            value: value.clone(),
        };
        match (self, node) {
            (Self::List, Node::List(list)) => list
                .iter()
                .enumerate()
                .map(|(index, value)| item(at.item(index), index, None, None, value))
                .collect(),
            (Self::Members, Node::Map(members)) => {
                let record = |(index, (key, value)): (usize, (&String, &Node))| {
                    item(at.member(key), index, Some(key), None, value)
                };
                members.iter().enumerate().map(record).collect()
            }
            (Self::Lists | Self::Maps, Node::Map(groups)) => {
                let inner = if self == Self::Lists { Self::List } else { Self::Members };
                let items = groups.iter().flat_map(|(group, value)| {
                    let named = |item| Item { group: Some(group.clone()), ..item };
                    inner.of_node(value, &at.member(group)).into_iter().map(named)
                });
                items.collect()
            }
            (Self::One, Node::Map(members)) if members.is_empty() => Vec::new(),
            (Self::One, one) => vec![item(at.clone(), 0, None, None, one)],
            _ => Vec::new(),
        }
    }
}

impl Export {
    /// Hands out the records of a collection in the order of the file.
    ///
    /// # Errors
    /// Exit code 5 when the file can no longer be read, and whatever `take` answers with.
    pub fn each(
        &self,
        outline: &Outline,
        at: &Pointer,
        items: Items,
        repairs: &mut Repairs,
        take: &mut dyn FnMut(Item) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if items == Items::One {
            if matches!(&outline.kind, Kind::Map(members) if members.is_empty()) {
                return Ok(());
            }
            let value = self.value(outline, repairs)?;
            return take(Item { at: at.clone(), index: 0, key: None, group: None, value });
        }
        if !outline.is_container() {
            return Ok(());
        }
        let mut tokens = self.tokens(outline.place).map_err(changed)?;
        let lines = matches!(outline.kind, Kind::List { lines: true, .. });
        // What was cut off is counted up to its last whole value.
        let mut stream = Stream { tokens: &mut tokens, salvaged: self.salvaged, repairs, take };
        match (&outline.kind, items) {
            (Kind::List { items: count, .. }, Items::List) if lines => stream.lines(at, *count),
            (Kind::List { items: count, .. }, Items::List) => stream.open()?.list(at, None, Some(*count)),
            (Kind::Map(members), Items::Members) => stream.open()?.members(at, None, Some(members.len())),
            (Kind::Many { members, .. }, Items::Members) => stream.open()?.members(at, None, Some(*members)),
            (Kind::Map(members), Items::Lists | Items::Maps) => {
                stream.open()?.groups(at, items, members.len())
            }
            (Kind::Many { members, .. }, Items::Lists | Items::Maps) => {
                stream.open()?.groups(at, items, *members)
            }
            _ => Ok(()),
        }
    }
}

/// A collection being read.
struct Stream<'s, 'e> {
    tokens: &'s mut Tokens<Source<'e>>,
    /// Whether what is cut off ends the collection.
    salvaged: bool,
    repairs: &'s mut Repairs,
    take: &'s mut dyn FnMut(Item) -> Result<(), Failure>,
}

impl Stream<'_, '_> {
    fn open(&mut self) -> Result<&mut Self, Failure> {
        self.next()?;
        Ok(self)
    }

    fn next(&mut self) -> Result<Token, Failure> {
        match self.tokens.next() {
            Err(fault) if self.salvaged && fault.ends_a_cut() => Ok(Token::End),
            read => read.map_err(|fault| changed(fault_error(&fault))),
        }
    }

    /// The value that began with a token; none of one that was cut off.
    fn node(&mut self, first: Token) -> Result<Option<Node>, Failure> {
        if first == Token::End {
            return Ok(None);
        }
        match json::node(self.tokens, first, self.repairs) {
            Err(fault) if self.salvaged && fault.ends_a_cut() => Ok(None),
            read => read.map(Some).map_err(|fault| changed(fault_error(&fault))),
        }
    }

    fn name(&mut self) -> String {
        json::characters(self.tokens.text(), self.repairs).into_owned()
    }

    fn lines(&mut self, at: &Pointer, count: usize) -> Result<(), Failure> {
        for index in 0..count {
            let first = self.next()?;
            let Some(value) = self.node(first)? else { return Ok(()) };
            (self.take)(Item { at: at.item(index), index, key: None, group: None, value })?;
            if !self.tokens.more_lines().map_err(|fault| changed(fault_error(&fault)))? {
                break;
            }
        }
        Ok(())
    }

    fn list(&mut self, at: &Pointer, group: Option<&str>, count: Option<usize>) -> Result<(), Failure> {
        for index in 0..count.unwrap_or(usize::MAX) {
            let first = self.next()?;
            if first == Token::EndList {
                return Ok(());
            }
            let Some(value) = self.node(first)? else { return Ok(()) };
            let group = group.map(str::to_owned);
            (self.take)(Item { at: at.item(index), index, key: None, group, value })?;
        }
        Ok(())
    }

    fn members(&mut self, at: &Pointer, group: Option<&str>, count: Option<usize>) -> Result<(), Failure> {
        for index in 0..count.unwrap_or(usize::MAX) {
            if self.next()? != Token::Name {
                return Ok(());
            }
            let name = self.name();
            let first = self.next()?;
            let Some(value) = self.node(first)? else { return Ok(()) };
            let (at, group) = (at.member(&name), group.map(str::to_owned));
            (self.take)(Item { at, index, key: Some(name), group, value })?;
        }
        Ok(())
    }

    fn groups(&mut self, at: &Pointer, items: Items, count: usize) -> Result<(), Failure> {
        for _ in 0..count {
            if self.next()? != Token::Name {
                return Ok(());
            }
            let name = self.name();
            let at = at.member(&name);
            match (self.next()?, items) {
                (Token::BeginList, Items::Lists) => self.list(&at, Some(&name), None)?,
                (Token::BeginMap, Items::Maps) => self.members(&at, Some(&name), None)?,
                (first, _) => {
                    // Neither a list nor an object of records: one odd record, for the plan to refuse.
                    let Some(value) = self.node(first)? else { return Ok(()) };
                    if !value.is_blank() {
                        (self.take)(Item { at, index: 0, key: None, group: Some(name), value })?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The object that a list of names and values stands for, or the localStorage in a browser's saved state.
pub(super) fn of_pairs(node: &Node) -> Option<Node> {
    match node {
        Node::List(items) if !items.is_empty() => pairs(items).map(Node::Map),
        Node::Map(state) => {
            let Node::List(origins) = state.get("origins")? else { return None };
            let mut found = Map::new();
            for origin in origins {
                let Node::Map(origin) = origin else { return None };
                let (Node::Text(name), Node::List(items)) =
                    (origin.get("origin")?, origin.get("localStorage")?)
                else {
                    return None;
                };
                found.insert(name.clone(), Node::Map(pairs(items)?));
            }
            match found.len() {
                1 => found.into_values().next(),
                _ => Some(Node::Map(found)),
            }
        }
        _ => None,
    }
}

fn pairs(items: &[Node]) -> Option<Map> {
    let mut object = Map::new();
    for item in items {
        let Node::Map(pair) = item else { return None };
        let name = pair.get("name").or_else(|| pair.get("key"))?;
        let (Node::Text(name), value @ (Node::Text(_) | Node::Null)) = (name, pair.get("value")?) else {
            return None;
        };
        let others =
            pair.keys().filter(|key| !matches!(key.as_str(), "name" | "key" | "value" | "updatedAt"));
        if others.count() > 0 || object.insert(name.clone(), value.clone()).is_some() {
            return None;
        }
    }
    Some(object)
}

/// The place of an item as a value.
pub(crate) fn place(index: usize) -> Node {
    Node::Number(Number::from_json(&index.to_string()))
}
