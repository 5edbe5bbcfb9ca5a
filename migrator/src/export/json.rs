//! Text to nodes.
//!
//! `serde_json` checks the whole text first, so a fault is found once and with its place;
//! what follows takes checked text apart without reading any number as a float. Depth is
//! limited, a repeated key goes as in `JSON.parse` (the last one wins, at the first one's
//! place) unless records would be lost with it, and what Unicode or PostgreSQL cannot hold is replaced and counted.

use std::borrow::Cow;

use indexmap::map::Entry;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::Repairs;
use crate::node::{Map, Node};
use crate::number::Number;
use crate::pointer::Pointer;

/// How deep lists and objects may lie in each other.
const DEEPEST: usize = 128;

/// Why a text is not the JSON we expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing but blanks.
    Empty,
    /// It stops before it is complete.
    Truncated { line: usize, column: usize, inside: Pointer },
    /// It is not JSON.
    Syntax { line: usize, column: usize, reason: String },
    /// Lists or objects lie deeper in each other than any app would put them.
    TooDeep,
    /// One object has this key twice, and what would be dropped is a list or an object.
    Repeated { name: String },
}

/// Reads one JSON text.
pub(super) fn read(text: &str, repairs: &mut Repairs) -> Result<Node, Fault> {
    if text.trim_ascii().is_empty() {
        return Err(Fault::Empty);
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| fault(text, &error))?;
    node(raw, 0, repairs)
}

fn node(raw: &RawValue, depth: usize, repairs: &mut Repairs) -> Result<Node, Fault> {
    let text = raw.get();
    let of_part = |error: serde_json::Error| fault(text, &error);
    if depth > DEEPEST {
        return Err(Fault::TooDeep);
    }
    Ok(match text.as_bytes().first() {
        Some(b'n') => Node::Null,
        Some(b't') => Node::Bool(true),
        Some(b'f') => Node::Bool(false),
        Some(b'"') => {
            let mut json = serde_json::Deserializer::from_str(text);
            Node::Text(Characters { repairs }.deserialize(&mut json).map_err(of_part)?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(of_part)?;
            Node::List(
                items.into_iter().map(|item| node(item, depth + 1, repairs)).collect::<Result<_, _>>()?,
            )
        }
        Some(b'{') => {
            let mut json = serde_json::Deserializer::from_str(text);
            let members = Members { repairs }.deserialize(&mut json).map_err(of_part)?;
            map(members, depth + 1, repairs)?
        }
        _ => Node::Number(Number::from_json(text)),
    })
}

fn map(members: Vec<(String, &RawValue)>, depth: usize, repairs: &mut Repairs) -> Result<Node, Fault> {
    let mut map = Map::with_capacity(members.len());
    for (name, value) in members {
        let value = node(value, depth, repairs)?;
        match map.entry(name) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            Entry::Occupied(place) if place.get().is_container() => {
                return Err(Fault::Repeated { name: place.key().clone() });
            }
            Entry::Occupied(mut place) => {
                place.insert(value);
                repairs.duplicate_keys += 1;
            }
        }
    }
    Ok(Node::Map(map))
}

/// A text as its bytes, because `\ud8a0` alone is legal JSON and no Unicode.
struct Characters<'r> {
    repairs: &'r mut Repairs,
}

impl<'de> DeserializeSeed<'de> for Characters<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<String, D::Error> {
        json.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Characters<'_> {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(characters(bytes, self.repairs))
    }
}

/// A lone surrogate arrives as three bytes that begin with 0xED, each of them invalid.
fn characters(bytes: &[u8], repairs: &mut Repairs) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(&without_nul(chunk.valid(), repairs));
        if chunk.invalid().first() == Some(&0xED) {
            text.push(char::REPLACEMENT_CHARACTER);
            repairs.lone_surrogates += 1;
        }
    }
    text
}

fn without_nul<'t>(text: &'t str, repairs: &mut Repairs) -> Cow<'t, str> {
    let found = text.matches('\0').count();
    repairs.nul_characters += found;
    if found == 0 { Cow::Borrowed(text) } else { Cow::Owned(text.replace('\0', "")) }
}

/// The members of an object, each value still as its text.
struct Members<'r> {
    repairs: &'r mut Repairs,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Vec<(String, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = members.next_key_seed(Characters { repairs: self.repairs })? {
            all.push((name, members.next_value()?));
        }
        Ok(all)
    }
}

fn fault(text: &str, error: &serde_json::Error) -> Fault {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => Fault::Truncated { line, column, inside: end_of(text) },
        Category::Syntax | Category::Data | Category::Io => {
            let story = error.to_string();
            let reason = story.split(" at line ").next().unwrap_or(&story).to_owned();
            Fault::Syntax { line, column, reason }
        }
    }
}

/// A list or an object that is still open, and where in it we are.
enum Open {
    List(usize),
    Map(Option<String>),
}

/// The innermost place a text has reached when it stops too early, down to the depth we read.
fn end_of(text: &str) -> Pointer {
    let mut open: Vec<Open> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '{', '[', '}', ']', ',']) {
        let (mark, after) = (rest.as_bytes().get(at), rest.get(at + 1..).unwrap_or_default());
        rest = after;
        if open.len() > DEEPEST {
            break;
        }
        match (mark, open.last_mut()) {
            (Some(b'{'), _) => open.push(Open::Map(None)),
            (Some(b'['), _) => open.push(Open::List(0)),
            (Some(b'}' | b']'), _) => {
                open.pop();
            }
            (Some(b','), Some(Open::List(index))) => *index += 1,
            (Some(b','), Some(Open::Map(name))) => *name = None,
            (Some(b'"'), within) => {
                let length = string_length(after);
                if let Some(Open::Map(name @ None)) = within {
                    *name = after.get(..length).map(str::to_owned);
                }
                rest = after.get(length + 1..).unwrap_or_default();
            }
            _ => {}
        }
    }
    open.iter().fold(Pointer::root(), |pointer, level| match level {
        Open::List(index) => pointer.item(*index),
        Open::Map(Some(name)) => pointer.member(name),
        Open::Map(None) => pointer,
    })
}

/// How many bytes come before the quote that closes a string.
fn string_length(after_quote: &str) -> usize {
    let mut escaped = false;
    after_quote
        .bytes()
        .position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        })
        .unwrap_or(after_quote.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(text: &str) -> (Result<Node, Fault>, Repairs) {
        let mut repairs = Repairs::default();
        (read(text, &mut repairs), repairs)
    }

    #[test]
    fn numbers_keep_their_text_and_members_their_order() {
        let text = r#"{"b":370.18000000000006,"a":[12345678901234567890,1e5,-0.0]}"#;
        assert_eq!(read_all(text).0.map(|node| node.to_json()).as_deref(), Ok(text));
    }

    #[test]
    fn what_cannot_be_stored_is_replaced_and_counted() {
        let (node, repairs) = read_all(r#"{"a\u0000":"x\ud8a0y\u0000","a":"\ud83d\ude42","a":2}"#);
        assert_eq!(node.map(|node| node.to_json()).as_deref(), Ok(r#"{"a":2}"#));
        assert_eq!(repairs, Repairs { lone_surrogates: 1, nul_characters: 2, duplicate_keys: 2 });
        let (node, _) = read_all(r#""x\ud8a0y""#);
        assert_eq!(node, Ok(Node::Text("x\u{FFFD}y".to_owned())));
    }

    #[test]
    fn a_cut_text_says_where_it_ends() {
        for (text, place) in [
            (r#"{"data":{"customers":[{"id":1},{"id":2,"na"#, "/data/customers/1/na"),
            (r#"{"data":{"customers":[{"id":1},{"name":"a \" b"#, "/data/customers/1/name"),
            (r#"{"a":1,"b":"#, "/b"),
            ("[1, 2", "/1"),
            (r#"{"a/b":["#, "/a~1b/0"),
        ] {
            let Err(Fault::Truncated { inside, .. }) = read_all(text).0 else { panic!("{text} is cut") };
            assert_eq!(inside.as_str(), place, "{text}");
        }
    }

    #[test]
    fn depth_is_limited_without_using_the_stack() {
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read_all(&deep(DEEPEST)).0.is_ok());
        assert_eq!(read_all(&deep(DEEPEST + 1)).0, Err(Fault::TooDeep));
        assert_eq!(read_all(&deep(100_000)).0, Err(Fault::TooDeep));
        assert!(matches!(read_all(&"[".repeat(1_000_000)).0, Err(Fault::Truncated { .. })));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = read_all(&text);
        }

        #[test]
        fn no_json_like_text_panics(text in r#"[\[\]{}:,"\\u0d8a1 e.-]{0,60}"#) {
            let _ = read_all(&text);
            let _ = end_of(&text);
        }
    }
}
