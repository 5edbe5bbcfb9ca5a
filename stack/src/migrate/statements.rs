//! SQL text, cut into statements without understanding them.
//!
//! A semicolon ends a statement unless it is inside quotes, a dollar-quoted string, a
//! comment, parentheses or a `begin atomic` body. Nothing is lost: the pieces put
//! together are the text. Any text can be cut, also one that is not SQL.

/// One statement of a text, with the comments before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    /// Without the final semicolon.
    pub(super) text: &'a str,
    /// Where `text` begins in the source, in bytes.
    pub(super) start: usize,
    /// Where its first word begins in the source.
    pub(super) first: usize,
}

impl Statement<'_> {
    /// The first two words, in lower case.
    pub(super) fn opening(&self) -> [String; 2] {
        let words = &self.text[self.first - self.start..];
        let mut words =
            words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        [(); 2].map(|()| words.next().unwrap_or_default().to_lowercase())
    }
}

/// The statements of a text; blank ones are left out.
pub(super) fn statements(source: &str) -> Vec<Statement<'_>> {
    let mut start = 0;
    let mut found = Vec::new();
    for piece in pieces(source) {
        found.extend(statement(piece, start));
        start += piece.len();
    }
    found
}

fn statement(piece: &str, start: usize) -> Option<Statement<'_>> {
    let text = piece.trim_end_matches(';').trim();
    let start = start + (piece.len() - piece.trim_start().len());
    let first = start + Scanner { source: text.as_bytes(), at: 0 }.past_blanks();
    (!text.is_empty()).then_some(Statement { text, start, first })
}

/// The text in pieces, each up to and including the semicolon that ends it.
fn pieces(source: &str) -> Vec<&str> {
    let mut scanner = Scanner { source: source.as_bytes(), at: 0 };
    let mut pieces = Vec::new();
    while scanner.at < source.len() {
        let start = scanner.at;
        scanner.pass_statement();
        pieces.push(&source[start..scanner.at]);
    }
    pieces
}

/// Every byte that means something here is ASCII, so cuts fall between characters.
struct Scanner<'a> {
    source: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn pass_statement(&mut self) {
        let (mut parentheses, mut body) = (0_usize, Body::default());
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\'' => self.pass_quoted(b'\'', false),
                b'"' => self.pass_quoted(b'"', false),
                b'-' if self.peek(1) == Some(b'-') => self.pass_line(),
                b'/' if self.peek(1) == Some(b'*') => self.pass_comment(),
                b'$' => self.pass_dollar(),
                _ if is_word(byte) => self.pass_word(&mut body),
                _ => {
                    self.at += 1;
                    match byte {
                        b'(' => parentheses += 1,
                        b')' => parentheses = parentheses.saturating_sub(1),
                        b';' if parentheses == 0 && body.depth == 0 => return,
                        _ => {}
                    }
                }
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    /// From a quote to the one that closes it. A doubled quote closes and opens again.
    fn pass_quoted(&mut self, quote: u8, backslashes: bool) {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            let escaped = backslashes && byte == b'\\' && self.peek(1).is_some();
            self.at += if escaped { 2 } else { 1 };
            if byte == quote {
                return;
            }
        }
    }

    fn pass_line(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    /// A comment in a comment is one more to close.
    fn pass_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.source.len() {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// From `$tag$` to the next `$tag$`; a dollar that opens none is passed alone.
    fn pass_dollar(&mut self) {
        let rest = &self.source[self.at..];
        let name = rest[1..].iter().take_while(|byte| is_word(**byte)).count();
        let is_tag = rest.get(1 + name) == Some(&b'$') && !rest[1].is_ascii_digit();
        if !is_tag {
            self.at += 1;
            return;
        }
        let (tag, inside) = rest.split_at(name + 2);
        let close = inside.windows(tag.len()).position(|window| window == tag);
        self.at += close.map_or(rest.len(), |close| close + 2 * tag.len());
    }

    /// A word may hold dollars, and one that is just `e` turns backslashes on in the string after it.
    fn pass_word(&mut self, body: &mut Body) {
        let start = self.at;
        while self.peek(0).is_some_and(|byte| is_word(byte) || byte == b'$') {
            self.at += 1;
        }
        let word = &self.source[start..self.at];
        body.read(word);
        if word.eq_ignore_ascii_case(b"e") && self.peek(0) == Some(b'\'') {
            self.pass_quoted(b'\'', true);
        }
    }

    /// Where the first thing that is neither blank nor comment begins.
    fn past_blanks(mut self) -> usize {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'-' if self.peek(1) == Some(b'-') => self.pass_line(),
                b'/' if self.peek(1) == Some(b'*') => self.pass_comment(),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => break,
            }
        }
        self.at
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether we are in a `begin atomic` body of a routine, and how many `end`s it takes to leave.
#[derive(Default)]
struct Body {
    words: usize,
    creates: bool,
    routine: bool,
    began: bool,
    depth: usize,
}

impl Body {
    fn read(&mut self, word: &[u8]) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        self.creates |= self.words == 0 && is("create");
        // `create [or replace] function`
        self.routine |= self.creates && self.words <= 3 && (is("function") || is("procedure"));
        if self.depth > 0 && is("case") || self.began && is("atomic") {
            self.depth += 1;
        } else if is("end") {
            self.depth = self.depth.saturating_sub(1);
        }
        self.began = self.routine && self.depth == 0 && is("begin");
        self.words += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(source: &str, expected: &[&str]) {
        let texts: Vec<&str> = statements(source).iter().map(|statement| statement.text).collect();
        assert_eq!(texts, expected, "{source}");
    }

    #[test]
    fn a_semicolon_ends_a_statement() {
        check("select 1; select 2", &["select 1", "select 2"]);
        check(" \n ; ;; select 1;\n", &["select 1"]);
        check("", &[]);
    }

    #[test]
    fn but_not_inside_something() {
        check("select ';', 'it''s;'; x", &["select ';', 'it''s;'", "x"]);
        check(r"select '\'; x", &[r"select '\'", "x"]);
        check(r"select E'\';', e'a;'; x", &[r"select E'\';', e'a;'", "x"]);
        check(r"select note'\'; x", &[r"select note'\'", "x"]);
        check("select \";\"\"\"; x", &["select \";\"\"\"", "x"]);
        check("select 1 -- a; b\n; x", &["select 1 -- a; b", "x"]);
        check("/* a; /* b; */ c; */ select 1; x", &["/* a; /* b; */ c; */ select 1", "x"]);
        check("do $$ begin; end $$; x", &["do $$ begin; end $$", "x"]);
        check("do $ä$ $$; $b$; $ä$; x", &["do $ä$ $$; $b$; $ä$", "x"]);
        check("select a$b$; x$b$", &["select a$b$", "x$b$"]);
        check("select $1; x", &["select $1", "x"]);
        check(
            "create rule r as on insert to t do (a; b); x",
            &["create rule r as on insert to t do (a; b)", "x"],
        );
    }

    #[test]
    fn a_body_of_statements_is_one_statement() {
        let routine = "create or replace function f() returns int begin atomic; \
                       select case when true then 1 end; select 2; end";
        check(&format!("{routine}; x"), &[routine, "x"]);
        check(
            "create procedure p() BEGIN ATOMIC; a; END; x",
            &["create procedure p() BEGIN ATOMIC; a; END", "x"],
        );
        check("begin; select 1; end; x", &["begin", "select 1", "end", "x"]);
    }

    #[test]
    fn what_is_never_closed_goes_to_the_end() {
        for open in ["'a; b", "\"a; b", "$$ a; b", "/* a; /* */ b", "(a; b", "e'\\", "$"] {
            check(open, &[open]);
        }
    }

    #[test]
    fn a_statement_knows_where_it_is() {
        let source = "select 1;\n-- why\n/* really */ Begin Work;";
        let found = statements(source)[1];
        assert_eq!(&source[found.start..found.start + 6], "-- why");
        assert_eq!(&source[found.first..], "Begin Work;");
        assert_eq!(found.opening(), ["begin", "work"]);
    }

    /// Text made of what means something, so that it meets often.
    fn sql() -> impl Strategy<Value = String> {
        const PARTS: [&str; 23] = [
            ";",
            "'",
            "''",
            "E'",
            "\\",
            "\"",
            "$$",
            "$a$",
            "$1",
            "--",
            "\n",
            "/*",
            "*/",
            "(",
            ")",
            " ",
            "é",
            "create function ",
            "begin ",
            "atomic ",
            "case ",
            "end",
            "select",
        ];
        proptest::collection::vec(prop::sample::select(&PARTS[..]), 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(source in prop_oneof![sql(), any::<String>()]) {
            prop_assert_eq!(pieces(&source).concat(), source);
        }

        #[test]
        fn every_statement_is_where_it_says(source in prop_oneof![sql(), any::<String>()]) {
            for found in statements(&source) {
                prop_assert_eq!(&source[found.start..][..found.text.len()], found.text);
                prop_assert!(found.first >= found.start && found.first <= found.start + found.text.len());
                found.opening();
            }
        }
    }
}
