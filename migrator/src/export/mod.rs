//! What the old app left: files, read as streams.
//!
//! A file is either the app's own backup, or a dump of localStorage: an object whose values are all texts,
//! most of them JSON. Values of a dump are opened, so every record has one place in one tree. A value that
//! looks like JSON and is not stays a text and is listed in [`Document::broken`]; nothing is dropped.
//!
//! Of a document only its [`Outline`] is kept. Records are read from the file when they are asked for, one
//! at a time, so memory is bounded by the largest of them and not by the file.

mod encoding;
mod items;
mod json;
mod lz;
mod mojibake;
mod outline;
mod token;
mod utf8;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

pub use encoding::Encoding;
pub(crate) use items::place as item_place;
pub use items::{Item, Items};
pub use outline::{Kind, Outline, Wrapping};

use encoding::Unreadable;
use outline::{Outliner, Place};
use token::{Fault, Token, Tokens};
use utf8::Utf8;

use crate::exit::{self, Failure};
use crate::node::{Map, Node};
use crate::pointer::Pointer;
use crate::scratch::{self, Scratch};

/// How often a text may hold JSON that is again a text.
const DEEPEST_TEXT: u8 = 3;

/// The text that holds the values which were opened.
const OPENED: usize = 0;

/// What the old app left.
#[derive(Debug)]
pub struct Export {
    /// The files, in the order they were named.
    pub documents: Vec<Document>,
    texts: Vec<Text>,
    opened: Scratch,
    /// What had to be replaced, outside records.
    pub repairs: Repairs,
    /// Whether it holds rejects of an earlier run.
    pub(crate) is_of_rejects: bool,
    /// Whether something was cut off, and is read as far as it goes.
    salvaged: bool,
}

/// An exported file.
#[derive(Debug)]
pub struct Document {
    /// The name it was given, for messages.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How its characters were spelt.
    pub encoding: Encoding,
    /// What lies where in it.
    pub root: Outline,
    /// Values of a localStorage dump that look like JSON and cannot be read.
    pub broken: Vec<Broken>,
    /// Where it was cut off, if it was and is taken up to there.
    pub cut: Option<Pointer>,
    /// What its pointers begin with: nothing, or its name where there are several files.
    pub base: Pointer,
}

/// How to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Take a file that was cut off up to its last whole value.
    pub salvage: bool,
    /// How the characters are spelt, where they do not say so themselves.
    pub encoding: Option<Encoding>,
}

/// Characters and keys that no table can hold as they are; how many were changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Repairs {
    /// Halves of a UTF-16 pair, replaced by U+FFFD.
    pub lone_surrogates: usize,
    /// NUL characters, removed.
    pub nul_characters: usize,
    /// Keys that one object had twice; the last one won, as in a browser.
    pub duplicate_keys: usize,
    /// Texts whose characters had been spelt twice, such as `LefÃ¨vre`, put right.
    pub mojibake: usize,
}

impl Repairs {
    /// Takes the repairs of a part into account.
    pub(crate) fn add(&mut self, part: Self) {
        self.lone_surrogates += part.lone_surrogates;
        self.nul_characters += part.nul_characters;
        self.duplicate_keys += part.duplicate_keys;
        self.mojibake += part.mojibake;
    }
}

/// A value that looks like JSON and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it stands.
    pub at: Pointer,
    /// Why it cannot be read.
    pub reason: String,
}

/// Bytes that hold JSON, in UTF-8.
#[derive(Debug)]
enum Text {
    /// The values that were opened.
    Opened,
    /// A file, read where it lies, from behind its byte order mark.
    File(PathBuf, u64),
    Memory(Arc<[u8]>),
    /// What was written in another encoding, or came from a pipe.
    Scratch(Scratch),
}

enum Source<'e> {
    File(BufReader<File>),
    Memory(&'e [u8]),
    Scratch(BufReader<scratch::Reader<'e>>),
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Memory(bytes) => bytes.read(buffer),
            Self::Scratch(scratch) => scratch.read(buffer),
        }
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::File(file) => file.fill_buf(),
            Self::Memory(bytes) => bytes.fill_buf(),
            Self::Scratch(scratch) => scratch.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        match self {
            Self::File(file) => file.consume(count),
            Self::Memory(bytes) => bytes.consume(count),
            Self::Scratch(scratch) => scratch.consume(count),
        }
    }
}

impl Export {
    /// Opens exported files; `-` is standard input.
    ///
    /// # Errors
    /// Exit code 5 with the reason and the place, when a file is empty, in an unknown encoding, cut off,
    /// nested too deeply, or not JSON.
    pub fn open(files: &[PathBuf], reading: Reading) -> Result<Self, Failure> {
        let mut export = Self::empty();
        for file in files {
            let name = file.display().to_string();
            let unreadable = |error: io::Error| {
                Failure::new(exit::INPUT, "export.unreadable", format!("{name} cannot be read: {error}"))
                    .help("check the name of the exported file")
                    .because(error)
            };
            if file == Path::new("-") {
                let mut piped = Scratch::default();
                io::copy(&mut io::stdin().lock(), &mut piped).map_err(unreadable)?;
                export.take("standard input", Text::Scratch(piped), reading)?;
                continue;
            }
            let mut opened = File::open(file).map_err(unreadable)?;
            let about = opened.metadata().map_err(unreadable)?;
            if about.is_dir() {
                return Err(unreadable(io::Error::from(io::ErrorKind::IsADirectory)));
            }
            // What is no file, such as the pipe of a shell's `<(…)`, can be read only once.
            if !about.is_file() {
                let mut piped = Scratch::default();
                io::copy(&mut opened, &mut piped).map_err(unreadable)?;
                export.take(&name, Text::Scratch(piped), reading)?;
                continue;
            }
            export.take(&name, Text::File(file.clone(), 0), reading)?;
        }
        Ok(export.with_bases())
    }

    /// Opens the rejects of an earlier run, a line each; they say themselves where they belong.
    ///
    /// # Errors
    /// As [`Export::open`].
    pub fn open_rejects(file: &Path) -> Result<Self, Failure> {
        let mut export = Self::open(&[file.to_owned()], Reading::default())?;
        export.is_of_rejects = true;
        Ok(export)
    }

    /// Reads the bytes of one exported file; `file` is its name, for messages.
    ///
    /// # Errors
    /// As [`Export::open`].
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let mut export = Self::empty();
        export.take(file, Text::Memory(bytes.into()), Reading::default())?;
        Ok(export)
    }

    /// The name for messages: the file, or all of them.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.documents.iter().map(|document| document.file.as_str()).collect();
        names.join(", ")
    }

    /// The file a place is in.
    pub(crate) fn file_of(&self, at: &Pointer) -> String {
        let of = |document: &&Document| document.base.leads_to(at);
        match self.documents.as_slice() {
            [only] => only.file.clone(),
            all => all.iter().find(of).map(|document| document.file.clone()).unwrap_or_default(),
        }
    }

    /// Why the value at this place could not be opened, if it could not.
    pub fn broken_at(&self, at: &Pointer) -> Option<&Broken> {
        self.documents.iter().flat_map(|document| &document.broken).find(|broken| broken.at == *at)
    }

    /// The whole value an outline stands for.
    ///
    /// # Errors
    /// Exit code 5 when the file can no longer be read.
    pub fn value(&self, outline: &Outline, repairs: &mut Repairs) -> Result<Node, Failure> {
        if self.salvaged && outline.is_container() {
            return self.whole_of(outline, repairs);
        }
        let mut tokens = self.tokens(outline.place).map_err(changed)?;
        let read = tokens.next().and_then(|first| json::node(&mut tokens, first, repairs));
        read.map_err(|fault| changed(fault_error(&fault)))
    }

    /// What is whole of a list or object that may have been cut off.
    fn whole_of(&self, outline: &Outline, repairs: &mut Repairs) -> Result<Node, Failure> {
        let (mut list, mut map) = (Vec::new(), Map::new());
        let is_list = matches!(outline.kind, Kind::List { .. });
        let items = if is_list { Items::List } else { Items::Members };
        self.each(outline, &Pointer::root(), items, repairs, &mut |item| {
            match item.key {
                Some(key) => drop(map.insert(key, item.value)),
                None => list.push(item.value),
            }
            Ok(())
        })?;
        Ok(if is_list { Node::List(list) } else { Node::Map(map) })
    }

    /// True if something was cut off, and is read as far as it goes.
    pub(crate) fn is_salvaged(&self) -> bool {
        self.salvaged
    }

    fn empty() -> Self {
        Self {
            documents: Vec::new(),
            texts: vec![Text::Opened],
            opened: Scratch::default(),
            repairs: Repairs::default(),
            is_of_rejects: false,
            salvaged: false,
        }
    }

    /// Where there are several files, pointers begin with the name of theirs.
    fn with_bases(mut self) -> Self {
        if self.documents.len() > 1 {
            for document in &mut self.documents {
                document.base = Pointer::in_file(&document.file);
                for broken in &mut document.broken {
                    broken.at = document.base.join(&broken.at);
                }
            }
        }
        self
    }

    fn tokens(&self, place: Place) -> io::Result<Tokens<Source<'_>>> {
        let source = match self.texts.get(place.text) {
            Some(Text::File(path, skip)) => {
                let mut file = File::open(path)?;
                io::Seek::seek(&mut file, io::SeekFrom::Start(skip + place.offset))?;
                Source::File(BufReader::with_capacity(64 << 10, file))
            }
            Some(Text::Memory(bytes)) => {
                let from = usize::try_from(place.offset).unwrap_or(usize::MAX);
                Source::Memory(bytes.get(from..).unwrap_or_default())
            }
            Some(Text::Scratch(scratch)) => Source::Scratch(scratch.reader(place.offset)),
            Some(Text::Opened) | None => Source::Scratch(self.opened.reader(place.offset)),
        };
        Ok(Tokens::value_at(source, place.offset))
    }

    fn take(&mut self, file: &str, text: Text, reading: Reading) -> Result<(), Failure> {
        let unreadable = |error: io::Error| {
            Failure::new(exit::INPUT, "export.unreadable", format!("{file} cannot be read: {error}"))
                .help("check that the file can be read, and that the disk has room")
                .because(error)
        };
        let (sha256, bytes) = fingerprint(&mut raw(&text).map_err(unreadable)?).map_err(unreadable)?;
        let (encoding, text) = self::text(file, text, reading)?;
        let at = self.texts.len();
        self.texts.push(text);
        let mut repairs = self.repairs;
        let mut outliner = Outliner::new(at, 0, reading.salvage, &mut repairs);
        let mut tokens = self.tokens(Place { text: at, offset: 0 }).map_err(unreadable)?.whole();
        let root = outliner.document(&mut tokens).map_err(|fault| failure(file, &fault))?;
        let cut = outliner.cut;
        self.salvaged |= cut.is_some();
        self.repairs = repairs;
        let mut opener = Opener { export: self, salvage: reading.salvage, broken: Vec::new() };
        let root = opener.document(root).map_err(unreadable)?;
        let broken = opener.broken;
        self.documents.push(Document {
            file: file.to_owned(),
            bytes,
            sha256,
            encoding,
            root,
            broken,
            cut,
            base: Pointer::root(),
        });
        Ok(())
    }
}

impl Document {
    /// The value at a place of the document, which may begin with the file's name. A document that is a list
    /// answers to its name as well.
    pub fn find(&self, at: &Pointer) -> Option<&Outline> {
        self.root.find(at).or_else(|| {
            let is_list = matches!(self.root.kind, Kind::List { .. });
            let mut segments = at.segments();
            let named = segments.next().is_some_and(|first| first == self.stem());
            (is_list && named && segments.next().is_none()).then_some(&self.root)
        })
    }

    /// The file's name without folder and ending.
    pub fn stem(&self) -> String {
        Path::new(&self.file).file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Reads one JSON text as the database writes it; nothing when it is not JSON.
pub(crate) fn read_json(text: &str) -> Option<Node> {
    json::read(text.as_bytes(), &mut Repairs::default()).ok()
}

/// Counts the texts in a value whose characters were spelt twice, and puts them right if asked to.
pub(crate) fn mend(value: &mut Node, fix: bool) -> usize {
    match value {
        Node::Text(text) => match mojibake::repaired(text) {
            Some(repaired) => {
                if fix {
                    *text = repaired;
                }
                1
            }
            None => 0,
        },
        Node::List(items) => items.iter_mut().map(|item| mend(item, fix)).sum(),
        Node::Map(members) => members.values_mut().map(|member| mend(member, fix)).sum(),
        Node::Null | Node::Bool(_) | Node::Number(_) => 0,
    }
}

/// The list or object a text holds, if that is all it holds.
pub(crate) fn opened_text(text: &str) -> Option<Node> {
    text.trim_start().starts_with(['{', '[']).then(|| read_json(text)).flatten()
}

fn raw(text: &Text) -> io::Result<Box<dyn Read + '_>> {
    Ok(match text {
        Text::Opened => Box::new(io::empty()),
        Text::File(path, _) => Box::new(File::open(path)?),
        Text::Memory(bytes) => Box::new(&bytes[..]),
        Text::Scratch(scratch) => Box::new(scratch.reader(0)),
    })
}

/// The SHA-256 of all that can be read, and how much it is.
fn fingerprint(bytes: &mut dyn Read) -> io::Result<(String, u64)> {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    let (mut buffer, mut length) = (vec![0; 64 << 10], 0);
    loop {
        let count = bytes.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        length += count as u64;
    }
    let hex = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hex, length))
}

/// The text of a file in UTF-8, which is the file itself if it is; its validity is known then.
fn text(file: &str, text: Text, reading: Reading) -> Result<(Encoding, Text), Failure> {
    let failed = |error: io::Error| match Unreadable::of(&error) {
        Some(reason) => reason.failure(file),
        None => changed(error),
    };
    let (encoding, decoded) = {
        let mut utf8 = Utf8::new(raw(&text).map_err(changed)?, reading.encoding).map_err(failed)?;
        let mut decoded = Scratch::default();
        let is_utf8 = |encoding| matches!(encoding, Encoding::Utf8 | Encoding::Utf8WithMark);
        if is_utf8(utf8.encoding()) {
            io::copy(&mut utf8, &mut io::sink()).map_err(failed)?;
        } else {
            io::copy(&mut utf8, &mut decoded).map_err(failed)?;
        }
        let encoding = utf8.encoding();
        if !is_utf8(encoding) && decoded.len() == 0 {
            // Only ASCII for so long that it passed for UTF-8.
            let mut again = Utf8::new(raw(&text).map_err(changed)?, Some(encoding)).map_err(failed)?;
            io::copy(&mut again, &mut decoded).map_err(failed)?;
        }
        (encoding, (!is_utf8(encoding)).then_some(decoded))
    };
    Ok(match (decoded, encoding, text) {
        (Some(decoded), encoding, _) => (encoding, Text::Scratch(decoded)),
        (None, Encoding::Utf8WithMark, Text::File(path, _)) => (encoding, Text::File(path, 3)),
        (None, Encoding::Utf8WithMark, Text::Memory(bytes)) => {
            (encoding, Text::Memory(bytes.get(3..).unwrap_or_default().into()))
        }
        (None, encoding, Text::Scratch(scratch)) if encoding == Encoding::Utf8WithMark => {
            let mut rest = Scratch::default();
            io::copy(&mut scratch.reader(3), &mut rest).map_err(changed)?;
            (encoding, Text::Scratch(rest))
        }
        (None, encoding, text) => (encoding, text),
    })
}

/// A localStorage dump being opened.
struct Opener<'e> {
    export: &'e mut Export,
    salvage: bool,
    broken: Vec<Broken>,
}

impl Opener<'_> {
    /// Opens the values of a dump; leaves any other document as it is.
    fn document(&mut self, root: Outline) -> io::Result<Outline> {
        match &root.kind {
            // A whole export that was copied as a text.
            Kind::Text { .. } => self.value(root, &Pointer::root(), true),
            Kind::List { items, containers, .. } if items == containers => self.pairs(root),
            Kind::Map(members) if members.contains_key("origins") && members.contains_key("cookies") => {
                self.pairs(root)
            }
            _ => self.members(root, &Pointer::root()),
        }
    }

    /// Opens the members of an object whose values are all texts; of another one those that hold records.
    fn members(&mut self, mut outline: Outline, at: &Pointer) -> io::Result<Outline> {
        let Kind::Map(members) = &mut outline.kind else { return Ok(outline) };
        let of_texts = members.values().all(|value| matches!(value.kind, Kind::Text { .. } | Kind::Null));
        for (name, value) in members.iter_mut() {
            if !matches!(value.kind, Kind::Text { .. }) {
                continue;
            }
            let at = at.member(name);
            let opened = self.value(value.clone(), &at, of_texts)?;
            // redux-persist turns each slice of its state into a text of its own.
            *value = if name.starts_with("persist:") { self.members(opened, &at)? } else { opened };
        }
        Ok(outline)
    }

    /// Opens a text that holds a list, an object, or a text that does. In a document that is no dump only
    /// texts that hold objects are taken for more than texts.
    fn value(&mut self, outline: Outline, at: &Pointer, dump: bool) -> io::Result<Outline> {
        let mut tokens = self.export.tokens(outline.place)?;
        let Ok(Token::Text) = tokens.next() else { return Ok(outline) };
        let mut text = tokens.text().to_vec();
        drop(tokens);
        let mut wrapped = Vec::new();
        for _ in 0..DEEPEST_TEXT {
            match text.trim_ascii_start().first() {
                Some(b'{' | b'[') => return self.container(outline, &text, wrapped, at, dump),
                Some(b'"') => match json::read(&text, &mut Repairs::default()) {
                    Ok(Node::Text(inner)) => {
                        wrapped.push(Wrapping::Stringified);
                        text = inner.into_bytes();
                    }
                    _ => return Ok(outline),
                },
                Some(_) => match lz::open(&token::units(&text)) {
                    Some(opened) => {
                        self.export.repairs.lone_surrogates += opened.lone_surrogates;
                        wrapped.push(Wrapping::from(opened.flavour));
                        text = opened.text.into_bytes();
                    }
                    None => return Ok(outline),
                },
                None => return Ok(outline),
            }
        }
        Ok(outline)
    }

    fn container(
        &mut self,
        outline: Outline,
        text: &[u8],
        mut wrapped: Vec<Wrapping>,
        at: &Pointer,
        dump: bool,
    ) -> io::Result<Outline> {
        let base = self.export.opened.len();
        let mut repairs = self.export.repairs;
        let mut outliner = Outliner::new(OPENED, base, self.salvage, &mut repairs);
        let mut tokens = Tokens::new(text);
        let read = outliner.document(&mut tokens);
        let cut = outliner.cut;
        match read {
            Ok(inner) if dump || holds_records(&inner) => {
                self.export.opened.write_all(text)?;
                self.export.opened.write_all(b"\n")?;
                self.export.repairs = repairs;
                if let Some(inside) = cut {
                    self.export.salvaged = true;
                    let reason = format!("it ends in the middle of {inside}; what came before was taken");
                    self.broken.push(Broken { at: at.clone(), reason });
                }
                wrapped.push(Wrapping::Stringified);
                Ok(Outline { wrapped, ..inner })
            }
            Ok(_) => Ok(outline),
            Err(fault) => {
                if dump {
                    self.broken.push(Broken { at: at.clone(), reason: describe(&fault) });
                }
                Ok(outline)
            }
        }
    }

    /// Looks at the first item only: a list of records may be long.
    fn begins_with_a_pair(&self, list: &Outline) -> io::Result<bool> {
        let mut tokens = self.export.tokens(list.place)?;
        let first = tokens.next().and_then(|_| tokens.next());
        let item = first.and_then(|first| json::node(&mut tokens, first, &mut Repairs::default()));
        Ok(item.is_ok_and(|item| items::of_pairs(&Node::List(vec![item])).is_some()))
    }

    /// A list of `{name, value}` or `{key, value}`, or a browser's saved state, as the object it means.
    fn pairs(&mut self, root: Outline) -> io::Result<Outline> {
        let mut repairs = Repairs::default();
        if matches!(root.kind, Kind::List { .. }) && !self.begins_with_a_pair(&root)? {
            return Ok(root);
        }
        let Ok(node) = self.export.value(&root, &mut repairs) else { return Ok(root) };
        let Some(object) = items::of_pairs(&node) else { return self.members(root, &Pointer::root()) };
        let text = object.to_json();
        let base = self.export.opened.len();
        let mut outliner = Outliner::new(OPENED, base, false, &mut repairs);
        let Ok(inner) = outliner.document(&mut Tokens::new(text.as_bytes())) else { return Ok(root) };
        self.export.opened.write_all(text.as_bytes())?;
        self.export.opened.write_all(b"\n")?;
        let opened = self.members(inner, &Pointer::root())?;
        Ok(Outline { wrapped: vec![Wrapping::Pairs], ..opened })
    }
}

/// True for an object, or a list of some.
fn holds_records(outline: &Outline) -> bool {
    match &outline.kind {
        Kind::Map(members) => !members.is_empty(),
        Kind::Many { .. } => true,
        Kind::List { items, containers, .. } => *items > 0 && items == containers,
        Kind::Null | Kind::Bool | Kind::Number | Kind::Text { .. } => false,
    }
}

fn fault_error(fault: &Fault) -> io::Error {
    io::Error::other(describe(fault))
}

/// A file that was read once and cannot be again.
fn changed(error: io::Error) -> Failure {
    let message = format!("the exported file cannot be read a second time: {error}");
    Failure::new(exit::INPUT, "export.changed", message)
        .help("leave the file alone while it is read, and run again")
        .because(error)
}

fn describe(fault: &Fault) -> String {
    match fault {
        Fault::Empty => "it is empty".to_owned(),
        Fault::Truncated { line, column, inside } => {
            format!("it ends in the middle of {inside} (line {line}, column {column})")
        }
        Fault::Syntax { line, column, reason, .. } => format!("line {line}, column {column}: {reason}"),
        Fault::TooDeep => "its lists and objects lie more than 128 deep".to_owned(),
        Fault::Repeated { name } => format!("one object has the key {name:?} twice, each with records"),
        Fault::Unreadable { reason, .. } => reason.clone(),
    }
}

fn failure(file: &str, fault: &Fault) -> Failure {
    let (id, message, help) = match fault {
        Fault::Empty => ("export.empty", format!("{file} is empty"), "export the data from the app again"),
        Fault::Truncated { line, column, inside } => (
            "export.truncated",
            format!("{file}: the file ends in the middle of {inside} (line {line}, column {column})"),
            "the download or the copy was cut off; export the data again, or take what is there with --salvage",
        ),
        Fault::Syntax { line, column, inside, reason } => (
            "export.syntax",
            format!("{file}: not JSON at line {line}, column {column}, in {inside}: {reason}"),
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
        Fault::Unreadable { kind: io::ErrorKind::InvalidData, reason } => (
            "export.encoding",
            format!("{file} cannot be read as text: {reason}"),
            "export it again, or open it in an editor and save it as UTF-8",
        ),
        Fault::Unreadable { reason, .. } => (
            "export.unreadable",
            format!("{file} cannot be read: {reason}"),
            "check that the file can be read, and that the disk has room",
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

    /// The whole of an export, as one value.
    fn whole(export: &Export) -> String {
        node(export, &export.documents[0].root).to_json()
    }

    fn node(export: &Export, outline: &Outline) -> Node {
        match &outline.kind {
            Kind::Map(members) => {
                Node::Map(members.iter().map(|(name, inner)| (name.clone(), node(export, inner))).collect())
            }
            _ => export.value(outline, &mut Repairs::default()).expect("readable"),
        }
    }

    #[test]
    fn values_of_a_dump_are_opened_and_the_rest_stays_text() {
        let export = read(
            r#"{"list":"[{\"id\":\"007\"}]","twice":"\"[1]\"","word":"dark","number":"1e5","quoted":"\"light\"",
                "nothing":null,"cut":"[{\"id\":1","object":"[object Object]",
                "persist:root":"{\"todos\":\"[{\\\"id\\\":1}]\",\"_persist\":\"{}\"}"}"#,
        );
        assert_eq!(
            whole(&export),
            r#"{"list":[{"id":"007"}],"twice":[1],"word":"dark","number":"1e5","quoted":"\"light\"","nothing":null,"cut":"[{\"id\":1","object":"[object Object]","persist:root":{"todos":[{"id":1}],"_persist":{}}}"#
        );
        let broken: Vec<_> = export.documents[0]
            .broken
            .iter()
            .map(|broken| (broken.at.as_str(), broken.reason.as_str()))
            .collect();
        assert_eq!(
            broken,
            [
                ("/cut", "it ends in the middle of /0/id (line 1, column 8)"),
                ("/object", "line 1, column 2: expected a value"),
            ]
        );
    }

    #[test]
    fn a_backup_keeps_texts_that_happen_to_be_json() {
        let export = read(r#"{"version":1,"notes":"[1]"}"#);
        assert_eq!(whole(&export), r#"{"version":1,"notes":"[1]"}"#);
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
            assert_eq!((export.documents[0].encoding, whole(&export).as_str()), (encoding, "[\"é🙂\"]"));
        }
    }

    #[test]
    fn an_unreadable_file_names_the_reason_and_the_place() {
        for (bytes, id, part) in [
            (&b""[..], "export.empty", "is empty"),
            (b" \n", "export.empty", "is empty"),
            (b"{\"a\":[{", "export.truncated", "in the middle of /a/0 (line 1, column 7)"),
            (b"{\"a\"\n1}", "export.syntax", "line 2, column 1"),
            (b"[1] 2", "export.syntax", "follows the end"),
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

    /// Everything that can be read of an export, record by record.
    fn read_all(export: &Export, outline: &Outline, at: &Pointer) {
        for items in [Items::List, Items::Members, Items::Lists, Items::Maps, Items::One] {
            if items.fits(outline, true) {
                let _ = export.each(outline, at, items, &mut Repairs::default(), &mut |_| Ok(()));
            }
        }
        for (name, member) in outline.members().into_iter().flatten() {
            read_all(export, member, &at.member(name));
        }
    }

    const ODD: &str = r#"{"list":"[{\"id\":1,\"n\":\"a\ud8a0\"},{\"id\":2}]","twice":"\"[1]\"","packed":"NoIg+ghgJgXEA=",
        "persist:root":"{\"a\":\"[{}]\"}","origins":null,"deep":"{\"x\":{\"y\":[[1e400,-0]]}}","é\u0000":"x"}"#;

    proptest! {
        // What a browser wrote, damaged: bytes changed, taken out, doubled, and cut off.
        #[test]
        fn no_damage_panics(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..6),
            cut in prop::option::of(any::<prop::sample::Index>()),
            salvage in any::<bool>(),
        ) {
            let mut bytes = ODD.as_bytes().to_vec();
            for (at, byte, how) in edits {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => _ = bytes.remove(at),
                    2 => bytes.insert(at, byte),
                    _ => bytes.extend_from_within(at..),
                }
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let mut export = Export::empty();
            let reading = Reading { salvage, encoding: None };
            if export.take("test.json", Text::Memory(bytes.into()), reading).is_ok() {
                for document in &export.documents {
                    read_all(&export, &document.root, &document.base);
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Export::read("test.json", &bytes);
        }
    }
}
