//! JSON as a stream of tokens, strictly by RFC 8259, from any reader.
//!
//! Texts are kept as WTF-8: `\ud8a0` alone is legal JSON and no Unicode, and values compressed in a browser
//! are full of it. Memory is bounded by the longest text, and by nothing at all while a value is skipped.

use std::io::{self, BufRead};

use crate::pointer::Pointer;

/// How deep lists and objects may lie in each other.
pub(super) const DEEPEST: usize = 128;

/// Why a text is not the JSON we expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing but blanks.
    Empty,
    /// It stops before it is complete.
    Truncated { line: usize, column: usize, inside: Pointer },
    /// It is not JSON.
    Syntax { line: usize, column: usize, inside: Pointer, reason: &'static str },
    /// Lists or objects lie deeper in each other than any app would put them.
    TooDeep,
    /// One object has this key twice, and what would be dropped is a list or an object.
    Repeated { name: String },
    /// It cannot be read at all.
    Unreadable { kind: io::ErrorKind, reason: String },
}

impl Fault {
    /// True if a text that was cut off may show it: what came before is good.
    pub(super) fn ends_a_cut(&self) -> bool {
        // Behind an opened value that was cut off the next one begins.
        matches!(self, Self::Truncated { .. } | Self::Syntax { .. })
    }
}

/// A step in a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    BeginList,
    EndList,
    BeginMap,
    EndMap,
    /// The name of a member; [`Tokens::text`] has it.
    Name,
    /// A text; [`Tokens::text`] has it.
    Text,
    /// A number; [`Tokens::text`] has its spelling.
    Number,
    True,
    False,
    Null,
    /// Nothing follows but blanks.
    End,
}

/// A list or an object that is still open, and where in it we are.
#[derive(Debug, Clone, Copy)]
enum Open {
    List {
        index: usize,
    },
    /// Where in `names` the name of the present member begins; whether there is one.
    Map {
        name: usize,
        named: bool,
    },
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    FirstItem,
    FirstName,
    /// A comma or the end of what is open.
    Next,
    Nothing,
}

/// Reads a JSON text token by token.
#[derive(Debug)]
pub(super) struct Tokens<B> {
    input: B,
    offset: u64,
    line: usize,
    line_start: u64,
    open: Vec<Open>,
    names: Vec<u8>,
    expect: Expect,
    text: Vec<u8>,
    keep: bool,
    /// Ends after one value, whatever follows.
    one_value: bool,
}

impl<B: BufRead> Tokens<B> {
    /// Reads a whole document.
    pub(super) fn new(input: B) -> Self {
        Self {
            input,
            offset: 0,
            line: 1,
            line_start: 0,
            open: Vec::new(),
            names: Vec::new(),
            expect: Expect::Value,
            text: Vec::new(),
            keep: true,
            one_value: false,
        }
    }

    /// Reads one value that lies in a longer text.
    pub(super) fn value_at(input: B, offset: u64) -> Self {
        Self { offset, line_start: offset, one_value: true, ..Self::new(input) }
    }

    /// Reads on to the end of the text, instead of to that of the value.
    pub(super) fn whole(self) -> Self {
        Self { one_value: false, ..self }
    }

    /// The name, text or number that was read last, as WTF-8.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where the next value begins, if there is one.
    pub(super) fn begin(&mut self) -> Result<u64, Fault> {
        self.blanks()?;
        Ok(self.offset)
    }

    /// After a value that was a document: whether another one follows, as in NDJSON. It is read next.
    pub(super) fn more_lines(&mut self) -> Result<bool, Fault> {
        let more = self.expect == Expect::Nothing && matches!(self.blanks()?, Some(b'{' | b'['));
        if more {
            self.expect = Expect::Value;
        }
        Ok(more)
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, Fault> {
        let Some(byte) = self.blanks()? else {
            return match self.expect {
                Expect::Nothing => Ok(Token::End),
                Expect::Value if self.open.is_empty() => Err(Fault::Empty),
                _ => Err(self.truncated()),
            };
        };
        match (self.expect, byte) {
            (Expect::Nothing, _) if self.one_value => Ok(Token::End),
            (Expect::Nothing, _) => Err(self.syntax("something follows the end of the value")),
            (Expect::Next, b',') => {
                self.consume(1);
                self.blanks()?;
                match self.open.last_mut() {
                    Some(Open::List { index }) => {
                        *index += 1;
                        self.expect = Expect::Value;
                        self.next()
                    }
                    Some(Open::Map { named, .. }) => {
                        *named = false;
                        self.name()
                    }
                    None => Err(self.syntax("a comma where nothing is open")),
                }
            }
            (Expect::Next | Expect::FirstItem, b']')
                if matches!(self.open.last(), Some(Open::List { .. })) =>
            {
                self.consume(1);
                self.open.pop();
                self.ended();
                Ok(Token::EndList)
            }
            (Expect::Next | Expect::FirstName, b'}')
                if matches!(self.open.last(), Some(Open::Map { .. })) =>
            {
                self.consume(1);
                if let Some(Open::Map { name, .. }) = self.open.pop() {
                    self.names.truncate(name);
                }
                self.ended();
                Ok(Token::EndMap)
            }
            (Expect::Next, _) => Err(self.syntax("a comma or the end of the list or object is missing")),
            (Expect::FirstName, _) => self.name(),
            (Expect::Value | Expect::FirstItem, _) => self.value(byte),
        }
    }

    /// Reads on until the value that begins with `first` is over.
    pub(super) fn skip(&mut self, first: Token) -> Result<(), Fault> {
        let opened = matches!(first, Token::BeginList | Token::BeginMap);
        if !opened {
            return Ok(());
        }
        let depth = self.open.len();
        self.keep = false;
        let skipped = (|| {
            while self.open.len() >= depth {
                self.next()?;
            }
            Ok(())
        })();
        self.keep = true;
        skipped
    }

    /// Reads past the next value and tells how it began; a text is not kept.
    pub(super) fn skip_next(&mut self) -> Result<Token, Fault> {
        self.keep = false;
        let first = self.next();
        self.keep = true;
        let first = first?;
        self.skip(first)?;
        Ok(first)
    }

    /// The innermost place that was reached.
    pub(super) fn place(&self) -> Pointer {
        let starts = |open: &Open| match open {
            Open::Map { name, .. } => Some(*name),
            Open::List { .. } => None,
        };
        let step = |place: Pointer, (depth, open): (usize, &Open)| match open {
            Open::List { index } => place.item(*index),
            Open::Map { named: false, .. } => place,
            Open::Map { name, named: true } => {
                let inner = self.open.get(depth + 1..).unwrap_or_default().iter().find_map(starts);
                let bytes = self.names.get(*name..inner.unwrap_or(self.names.len())).unwrap_or_default();
                place.member(&String::from_utf8_lossy(bytes))
            }
        };
        self.open.iter().enumerate().fold(Pointer::root(), step)
    }

    fn value(&mut self, byte: u8) -> Result<Token, Fault> {
        match byte {
            b'{' | b'[' if self.open.len() >= DEEPEST => Err(Fault::TooDeep),
            b'{' => {
                self.consume(1);
                self.open.push(Open::Map { name: self.names.len(), named: false });
                self.expect = Expect::FirstName;
                Ok(Token::BeginMap)
            }
            b'[' => {
                self.consume(1);
                self.open.push(Open::List { index: 0 });
                self.expect = Expect::FirstItem;
                Ok(Token::BeginList)
            }
            b'"' => {
                self.string()?;
                self.ended();
                Ok(Token::Text)
            }
            b't' => self.word(b"true", Token::True),
            b'f' => self.word(b"false", Token::False),
            b'n' => self.word(b"null", Token::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.syntax("expected a value")),
        }
    }

    fn name(&mut self) -> Result<Token, Fault> {
        match self.blanks()? {
            None => Err(self.truncated()),
            Some(b'"') => {
                let keep = std::mem::replace(&mut self.keep, true);
                let read = self.string();
                self.keep = keep;
                if let Some(Open::Map { name, named }) = self.open.last_mut() {
                    self.names.truncate(*name);
                    self.names.extend_from_slice(&self.text);
                    *named = true;
                }
                read.map_err(|fault| match fault {
                    // Half a name says more than none.
                    Fault::Truncated { .. } => self.truncated(),
                    fault => fault,
                })?;
                match self.blanks()? {
                    None => Err(self.truncated()),
                    Some(b':') => {
                        self.consume(1);
                        self.expect = Expect::Value;
                        Ok(Token::Name)
                    }
                    Some(_) => Err(self.syntax("expected `:`")),
                }
            }
            Some(_) => Err(self.syntax("expected the name of a member, in quotes")),
        }
    }

    /// What comes after a value.
    fn ended(&mut self) {
        self.expect = if self.open.is_empty() { Expect::Nothing } else { Expect::Next };
    }

    fn word(&mut self, word: &'static [u8], token: Token) -> Result<Token, Fault> {
        for expected in word {
            match self.peek()? {
                None => return Err(self.truncated()),
                Some(byte) if byte == *expected => self.consume(1),
                Some(_) => return Err(self.syntax("expected a value")),
            }
        }
        if self.peek()?.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            return Err(self.syntax("expected a value"));
        }
        self.ended();
        Ok(token)
    }

    fn number(&mut self) -> Result<Token, Fault> {
        self.text.clear();
        self.accept(b"-")?;
        match self.accept(b"0123456789")? {
            None => return Err(self.unfinished_number()?),
            Some(b'0') => {}
            Some(_) => while self.accept(b"0123456789")?.is_some() {},
        }
        if self.accept(b".")?.is_some() {
            self.digits()?;
        }
        if self.accept(b"eE")?.is_some() {
            self.accept(b"+-")?;
            self.digits()?;
        }
        if self.peek()?.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'.') {
            return Err(self.syntax("the number is not one in JSON"));
        }
        self.ended();
        Ok(Token::Number)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if self.accept(b"0123456789")?.is_none() {
            return Err(self.unfinished_number()?);
        }
        while self.accept(b"0123456789")?.is_some() {}
        Ok(())
    }

    fn unfinished_number(&mut self) -> Result<Fault, Fault> {
        Ok(match self.peek()? {
            None => self.truncated(),
            Some(_) => self.syntax("the number is not one in JSON"),
        })
    }

    /// Takes the next byte if it is one of these.
    fn accept(&mut self, bytes: &[u8]) -> Result<Option<u8>, Fault> {
        let found = self.peek()?.filter(|byte| bytes.contains(byte));
        if let Some(byte) = found {
            self.text.push(byte);
            self.consume(1);
        }
        Ok(found)
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.consume(1);
        self.text.clear();
        loop {
            let chunk = fill(&mut self.input)?;
            if chunk.is_empty() {
                return Err(self.truncated());
            }
            let plain = chunk.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let (length, stop) = (plain.unwrap_or(chunk.len()), plain.and_then(|at| chunk.get(at).copied()));
            if self.keep {
                self.text.extend_from_slice(&chunk[..length]);
            }
            self.consume(length);
            match stop {
                None => {}
                Some(b'"') => {
                    self.consume(1);
                    return Ok(());
                }
                Some(b'\\') => {
                    self.consume(1);
                    self.escape()?;
                }
                Some(_) => return Err(self.syntax("a line break or another control character in a text")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let Some(byte) = self.peek()? else { return Err(self.truncated()) };
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.consume(1);
                let unit = self.unit()?;
                if self.keep {
                    push_unit(&mut self.text, unit);
                }
                return Ok(());
            }
            _ => return Err(self.syntax("an escape that JSON does not know")),
        };
        self.consume(1);
        if self.keep {
            self.text.push(plain);
        }
        Ok(())
    }

    fn unit(&mut self) -> Result<u16, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek()? else { return Err(self.truncated()) };
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(self.syntax("an escape that JSON does not know"));
            };
            // Four hexadecimal digits fit.
            unit = unit << 4 | u16::try_from(digit).unwrap_or_default();
            self.consume(1);
        }
        Ok(unit)
    }

    /// The first byte that is no blank.
    fn blanks(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let chunk = fill(&mut self.input)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let mut newline = None;
            let mut passed = 0;
            let mut found = None;
            for byte in chunk {
                match byte {
                    b' ' | b'\t' | b'\r' => {}
                    b'\n' => {
                        self.line += 1;
                        newline = Some(passed as u64 + 1);
                    }
                    byte => {
                        found = Some(*byte);
                        break;
                    }
                }
                passed += 1;
            }
            if let Some(behind) = newline {
                self.line_start = self.offset + behind;
            }
            self.consume(passed);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Fault> {
        Ok(fill(&mut self.input)?.first().copied())
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.offset += count as u64;
    }

    fn column(&self) -> usize {
        usize::try_from(self.offset - self.line_start).unwrap_or(usize::MAX)
    }

    fn truncated(&self) -> Fault {
        Fault::Truncated { line: self.line, column: self.column(), inside: self.place() }
    }

    fn syntax(&self, reason: &'static str) -> Fault {
        Fault::Syntax { line: self.line, column: self.column() + 1, inside: self.place(), reason }
    }
}

fn fill(input: &mut impl BufRead) -> Result<&[u8], Fault> {
    input.fill_buf().map_err(|error| Fault::Unreadable { kind: error.kind(), reason: error.to_string() })
}

/// Adds a UTF-16 unit to a WTF-8 text; the second half of a pair joins the first.
fn push_unit(text: &mut Vec<u8>, unit: u16) {
    if (0xDC00..0xE000).contains(&unit)
        && let Some([0xED, second @ 0xA0..0xB0, third]) = text.last_chunk::<3>().copied()
    {
        let high = 0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F);
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
        text.truncate(text.len() - 3);
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    match char::from_u32(u32::from(unit)) {
        Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        // A lone half: three bytes, as if it were a character.
        None => text.extend([0xED, 0x80 | (unit >> 6 & 0x3F) as u8, 0x80 | (unit & 0x3F) as u8]),
    }
}

/// The UTF-16 units of a WTF-8 text.
pub(super) fn units(text: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let valid = std::str::from_utf8(rest).map_or_else(|error| error.valid_up_to(), str::len);
        let (good, bad) = rest.split_at(valid);
        units.extend(std::str::from_utf8(good).unwrap_or_default().encode_utf16());
        rest = match bad {
            [0xED, second @ 0xA0..0xC0, third, behind @ ..] => {
                units.push(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F));
                behind
            }
            [_, behind @ ..] => {
                units.push(0xFFFD);
                behind
            }
            [] => bad,
        };
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
        let mut tokens = Tokens::new(text.as_bytes());
        let mut all = Vec::new();
        loop {
            match tokens.next()? {
                Token::End => return Ok(all),
                token => all.push(token),
            }
        }
    }

    #[test]
    fn a_cut_text_says_where_it_ends() {
        for (text, place) in [
            (r#"{"data":{"customers":[{"id":1},{"id":2,"na"#, "/data/customers/1/na"),
            (r#"{"data":{"customers":[{"id":1},{"name":"a \" b"#, "/data/customers/1/name"),
            (r#"{"a":1,"b":"#, "/b"),
            ("[1, 2", "/1"),
            (r#"{"a/b":["#, "/a~1b/0"),
            (r#"{"a":{"b":{}},"c":{"d":tr"#, "/c/d"),
        ] {
            let Err(Fault::Truncated { inside, .. }) = tokens(text) else { panic!("{text} is cut") };
            assert_eq!(inside.as_str(), place, "{text}");
        }
    }

    #[test]
    fn halves_of_pairs_are_kept_and_joined() {
        let mut tokens = Tokens::new(r#"["\ud83d\ude42","x\ud8a0y","\ude42\ud83d"]"#.as_bytes());
        let mut texts = Vec::new();
        loop {
            match tokens.next().unwrap() {
                Token::Text => texts.push((tokens.text().to_vec(), units(tokens.text()))),
                Token::End => break,
                _ => {}
            }
        }
        assert_eq!(texts[0].0, "🙂".as_bytes());
        assert_eq!(texts[1].1, [0x78, 0xD8A0, 0x79]);
        assert_eq!(texts[2].1, [0xDE42, 0xD83D]);
    }

    #[test]
    fn skipping_goes_by_values_and_knows_where_it_is() {
        let text = r#"{"a":[{"x":"]"},[]],"b":"t","c":7}"#;
        let mut tokens = Tokens::new(text.as_bytes());
        assert_eq!(tokens.next(), Ok(Token::BeginMap));
        assert_eq!(tokens.next(), Ok(Token::Name));
        assert_eq!(tokens.begin(), Ok(5));
        assert_eq!(tokens.skip_next(), Ok(Token::BeginList));
        assert_eq!((tokens.next(), tokens.text()), (Ok(Token::Name), &b"b"[..]));
        assert_eq!(tokens.skip_next(), Ok(Token::Text));
        let mut inner = Tokens::value_at(&text.as_bytes()[5..], 5);
        assert_eq!(inner.skip_next(), Ok(Token::BeginList));
        assert_eq!(inner.next(), Ok(Token::End));
    }

    proptest! {
        // What serde_json takes, and only that, is taken.
        #[test]
        fn we_agree_with_serde_json(text in r#"[\[\]{}:,"\\u0d8a1 e.tfn-]{0,40}|\PC{0,30}"#) {
            let theirs: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
            prop_assert_eq!(tokens(&text).is_ok(), theirs.is_ok(), "{}", text);
        }

        #[test]
        fn units_of_any_text_are_javascripts(units_in in prop::collection::vec(any::<u16>(), 0..40)) {
            let mut text = Vec::new();
            units_in.iter().for_each(|unit| push_unit(&mut text, *unit));
            prop_assert_eq!(units(&text), units_in);
        }
    }
}
