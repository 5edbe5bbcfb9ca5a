//! Tokens to nodes.
//!
//! A repeated key goes as in `JSON.parse` (the last one wins, at the first one's place) unless records would
//! be lost with it, and what Unicode or PostgreSQL cannot hold is replaced and counted.

use std::borrow::Cow;
use std::io::BufRead;

use indexmap::map::Entry;

use super::Repairs;
use super::token::{Fault, Token, Tokens};
use crate::node::{Map, Node};
use crate::number::Number;

/// Reads one JSON text.
pub(super) fn read(text: &[u8], repairs: &mut Repairs) -> Result<Node, Fault> {
    let mut tokens = Tokens::new(text);
    let first = tokens.next()?;
    let node = node(&mut tokens, first, repairs)?;
    tokens.next()?; // nothing may follow
    Ok(node)
}

/// Reads the value that began with `first`.
pub(super) fn node<B: BufRead>(
    tokens: &mut Tokens<B>,
    first: Token,
    repairs: &mut Repairs,
) -> Result<Node, Fault> {
    Ok(match first {
        Token::Null => Node::Null,
        Token::True => Node::Bool(true),
        Token::False => Node::Bool(false),
        Token::Text => Node::Text(characters(tokens.text(), repairs).into_owned()),
        // The tokens let nothing through but digits, signs and points.
        Token::Number => Node::Number(Number::from_json(&String::from_utf8_lossy(tokens.text()))),
        Token::BeginList => {
            let mut items = Vec::new();
            loop {
                match tokens.next()? {
                    Token::EndList => break Node::List(items),
                    first => items.push(node(tokens, first, repairs)?),
                }
            }
        }
        Token::BeginMap => {
            let mut members = Map::new();
            while tokens.next()? == Token::Name {
                let name = characters(tokens.text(), repairs).into_owned();
                let first = tokens.next()?;
                let value = node(tokens, first, repairs)?;
                match members.entry(name) {
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
            Node::Map(members)
        }
        // Not the beginning of a value: the tokens come in an order that a value has.
        Token::EndList | Token::EndMap | Token::Name | Token::End => Node::Null,
    })
}

/// A text in Unicode and without NUL, from WTF-8.
pub(super) fn characters<'t>(text: &'t [u8], repairs: &mut Repairs) -> Cow<'t, str> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(with_halves_replaced(text, repairs)),
    };
    let nul = text.matches('\0').count();
    repairs.nul_characters += nul;
    if nul == 0 { text } else { Cow::Owned(text.replace('\0', "")) }
}

/// A lone half of a pair is three bytes that begin with 0xED, each of them invalid.
fn with_halves_replaced(bytes: &[u8], repairs: &mut Repairs) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if chunk.invalid().first() == Some(&0xED) {
            text.push(char::REPLACEMENT_CHARACTER);
            repairs.lone_surrogates += 1;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::token::DEEPEST;
    use super::*;
    use proptest::prelude::*;

    fn read_all(text: &str) -> (Result<Node, Fault>, Repairs) {
        let mut repairs = Repairs::default();
        (read(text.as_bytes(), &mut repairs), repairs)
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
        assert_eq!(
            repairs,
            Repairs { lone_surrogates: 1, nul_characters: 2, duplicate_keys: 2, ..Repairs::default() }
        );
        let (node, _) = read_all(r#""x\ud8a0y""#);
        assert_eq!(node, Ok(Node::Text("x\u{FFFD}y".to_owned())));
    }

    #[test]
    fn depth_is_limited_without_using_the_stack() {
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read_all(&deep(DEEPEST)).0.is_ok());
        assert_eq!(read_all(&deep(DEEPEST + 1)).0, Err(Fault::TooDeep));
        assert_eq!(read_all(&deep(100_000)).0, Err(Fault::TooDeep));
        assert_eq!(read_all(&"[".repeat(1_000_000)).0, Err(Fault::TooDeep));
    }

    proptest! {
        #[test]
        fn what_is_read_says_what_serde_json_reads(text in r#"[\[\]{}:,"ab1 2e.tfn-]{0,40}"#) {
            if let (Ok(node), Ok(theirs)) = (read_all(&text).0, serde_json::from_str::<serde_json::Value>(&text)) {
                let ours: serde_json::Value = serde_json::from_str(&node.to_json()).unwrap();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
