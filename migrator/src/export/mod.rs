//! What the old app left: one file, read once, whole.
//!
//! A file is either the app's own backup, or a dump of localStorage: an object whose
//! values are all texts, most of them JSON. Values of a dump are opened, so every record
//! has one place in one tree. A value that looks like JSON and is not stays a text and is
//! listed in [`Export::broken`]; nothing is dropped.

mod encoding;
mod json;
mod lz;
mod mojibake;
mod utf8;

use serde::Serialize;

pub use encoding::Encoding;
use json::Fault;

use crate::exit::{self, Failure};
use crate::node::Node;
use crate::pointer::Pointer;

/// How often a text may hold JSON that is again a text.
const DEEPEST_TEXT: u8 = 3;

/// An exported file.
#[derive(Debug, Clone)]
pub struct Export {
    /// The name it was given, for messages.
    pub file: String,
    /// Its size.
    pub bytes: usize,
    /// How its characters were spelt.
    pub encoding: Encoding,
    /// Everything in it.
    pub document: Node,
    /// What had to be replaced.
    pub repairs: Repairs,
    /// Values of a localStorage dump that look like JSON and cannot be read.
    pub broken: Vec<Broken>,
}

/// Characters and keys that no table can hold as they are; how many were changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// Halves of a UTF-16 pair, replaced by U+FFFD.
    pub lone_surrogates: usize,
    /// NUL characters, removed.
    pub nul_characters: usize,
    /// Keys that one object had twice; the last one won, as in a browser.
    pub duplicate_keys: usize,
}

/// A value that looks like JSON and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it stands.
    pub at: Pointer,
    /// Why it cannot be read.
    pub reason: String,
}

impl Export {
    /// Reads the bytes of an exported file; `file` is its name, for messages.
    ///
    /// # Errors
    /// Exit code 5 with the reason and the place, when the file is empty, in an unknown
    /// encoding, cut off, nested too deeply, or not JSON.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let mut repairs = Repairs::default();
        let (encoding, text) = utf8::decode(file, bytes, &mut repairs)?;
        let document = json::read(&text, &mut repairs).map_err(|fault| failure(file, &fault))?;
        let mut dump = Dump { repairs, broken: Vec::new() };
        let document = dump.open(document, &Pointer::root());
        Ok(Self {
            file: file.to_owned(),
            bytes: bytes.len(),
            encoding,
            document,
            repairs: dump.repairs,
            broken: dump.broken,
        })
    }

    /// Why the value at this place could not be opened, if it could not.
    pub fn broken_at(&self, at: &Pointer) -> Option<&Broken> {
        self.broken.iter().find(|broken| broken.at == *at)
    }
}

/// Reads one JSON text as the database writes it; nothing when it is not JSON.
pub(crate) fn read_json(text: &str) -> Option<Node> {
    json::read(text, &mut Repairs::default()).ok()
}

/// A localStorage dump being opened.
struct Dump {
    repairs: Repairs,
    broken: Vec<Broken>,
}

impl Dump {
    /// Opens the values of a dump; leaves any other document as it is.
    fn open(&mut self, document: Node, at: &Pointer) -> Node {
        let Node::Map(members) = document else { return document };
        let of_texts = members.values().all(|value| matches!(value, Node::Text(_) | Node::Null));
        if !of_texts {
            return Node::Map(members);
        }
        let opened = members.into_iter().map(|(name, value)| {
            let at = at.member(&name);
            let value = self.value(value, &at, DEEPEST_TEXT);
            // redux-persist turns each slice of its state into a text of its own.
            let value = if name.starts_with("persist:") { self.open(value, &at) } else { value };
            (name, value)
        });
        Node::Map(opened.collect())
    }

    /// Opens a text that holds a list, an object, or a text that does.
    fn value(&mut self, value: Node, at: &Pointer, levels: u8) -> Node {
        let Node::Text(text) = value else { return value };
        let (container, quoted) = match text.trim_start().as_bytes().first() {
            Some(b'{' | b'[') => (true, false),
            Some(b'"') => (false, true),
            _ => (false, false),
        };
        if levels == 0 || !(container || quoted) {
            return Node::Text(text);
        }
        let mut repairs = self.repairs;
        match json::read(&text, &mut repairs) {
            Ok(inner) if container => {
                self.repairs = repairs;
                inner
            }
            Ok(inner) => match self.value(inner, at, levels - 1) {
                opened if opened.is_container() => opened,
                _ => Node::Text(text),
            },
            Err(fault) => {
                if container {
                    self.broken.push(Broken { at: at.clone(), reason: describe(&fault) });
                }
                Node::Text(text)
            }
        }
    }
}

fn describe(fault: &Fault) -> String {
    match fault {
        Fault::Empty => "it is empty".to_owned(),
        Fault::Truncated { line, column, inside } => {
            format!("it ends in the middle of {inside} (line {line}, column {column})")
        }
        Fault::Syntax { line, column, reason } => format!("line {line}, column {column}: {reason}"),
        Fault::TooDeep => "its lists and objects lie more than 128 deep".to_owned(),
        Fault::Repeated { name } => format!("one object has the key {name:?} twice, each with records"),
    }
}

fn failure(file: &str, fault: &Fault) -> Failure {
    let (id, message, help) = match fault {
        Fault::Empty => ("export.empty", format!("{file} is empty"), "export the data from the app again"),
        Fault::Truncated { line, column, inside } => (
            "export.truncated",
            format!("{file}: the file ends in the middle of {inside} (line {line}, column {column})"),
            "the download or the copy was cut off; export the data again",
        ),
        Fault::Syntax { line, column, reason } => (
            "export.syntax",
            format!("{file}: not JSON at line {line}, column {column}: {reason}"),
            "give the file the app exported, unchanged",
        ),
        Fault::TooDeep => (
            "export.depth",
            format!("{file}: its lists and objects lie more than 128 deep"),
            "no app writes such a file; check where it comes from",
        ),
        Fault::Repeated { name } => (
            "export.repeated_key",
            format!("{file}: one object has the key {name:?} twice, each with records"),
            "JSON keeps only one of them: put the two together, or give the file the app exported, unchanged",
        ),
    };
    Failure::new(exit::INPUT, id, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Export {
        Export::read("test.json", text.as_bytes()).expect("the text is JSON")
    }

    #[test]
    fn values_of_a_dump_are_opened_and_the_rest_stays_text() {
        let export = read(
            r#"{"list":"[{\"id\":\"007\"}]","twice":"\"[1]\"","word":"dark","number":"1e5","quoted":"\"light\"",
                "nothing":null,"cut":"[{\"id\":1","object":"[object Object]",
                "persist:root":"{\"todos\":\"[{\\\"id\\\":1}]\",\"_persist\":\"{}\"}"}"#,
        );
        assert_eq!(
            export.document.to_json(),
            r#"{"list":[{"id":"007"}],"twice":[1],"word":"dark","number":"1e5","quoted":"\"light\"","nothing":null,"cut":"[{\"id\":1","object":"[object Object]","persist:root":{"todos":[{"id":1}],"_persist":{}}}"#
        );
        let broken: Vec<_> =
            export.broken.iter().map(|broken| (broken.at.as_str(), broken.reason.as_str())).collect();
        assert_eq!(
            broken,
            [
                ("/cut", "it ends in the middle of /0/id (line 1, column 8)"),
                ("/object", "line 1, column 2: expected value"),
            ]
        );
    }

    #[test]
    fn a_backup_keeps_texts_that_happen_to_be_json() {
        let export = read(r#"{"version":1,"notes":"[1]"}"#);
        assert_eq!(export.document.to_json(), r#"{"version":1,"notes":"[1]"}"#);
    }

    #[test]
    fn a_file_may_be_utf_16() {
        let text = "\u{FEFF}[\"é🙂\"]";
        for (bytes, encoding) in [
            (text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), Encoding::Utf16Le),
            (text.encode_utf16().flat_map(u16::to_be_bytes).collect(), Encoding::Utf16Be),
            (text.as_bytes().to_vec(), Encoding::Utf8WithMark),
        ] {
            let export = Export::read("test.json", &bytes).expect("readable");
            assert_eq!((export.encoding, export.document.to_json().as_str()), (encoding, "[\"é🙂\"]"));
        }
    }

    #[test]
    fn an_unreadable_file_names_the_reason_and_the_place() {
        for (bytes, id, part) in [
            (&b""[..], "export.empty", "is empty"),
            (b" \n", "export.empty", "is empty"),
            (b"{\"a\":[{", "export.truncated", "in the middle of /a/0 (line 1, column 7)"),
            (b"{\"a\"\n1}", "export.syntax", "line 2, column 1"),
            (b"[1] 2", "export.syntax", "trailing characters"),
            (b"{\"a\":\"\xC3\xA9 caf\xE9\"}", "export.encoding", "line 1, column 13"),
            (b"PK\x03\x04", "export.encoding", "ZIP"),
            (b"\xFF\xFE\0\0", "export.encoding", "UTF-32"),
            (b"\xFF\xFE[", "export.encoding", "UTF-16"),
            (b"{\"a\":[1],\"a\":[2]}", "export.repeated_key", "the key \"a\" twice"),
        ] {
            let failure = Export::read("test.json", bytes).expect_err(id);
            assert_eq!((failure.code, failure.id), (exit::INPUT, id));
            assert!(failure.message.contains(part), "{}", failure.message);
            assert!(!failure.help.is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Export::read("test.json", &bytes);
        }
    }
}
