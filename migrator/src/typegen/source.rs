//! The text that grows: lines in the shape rustfmt gives them, and comments that stay comments.

/// The widest line: rustfmt's own default.
const WIDTH: usize = 100;

/// How far each level stands in.
const INDENT: usize = 4;

/// A Rust file in the making.
#[derive(Debug, Default)]
pub(crate) struct Source(String);

impl Source {
    /// The file.
    pub(crate) fn text(self) -> String {
        self.0
    }

    /// Adds a line at a level; an empty one is only its end.
    pub(crate) fn line(&mut self, level: usize, text: &str) {
        if !text.is_empty() {
            self.0.push_str(&" ".repeat(level * INDENT));
            self.0.push_str(text);
        }
        self.0.push('\n');
    }

    /// Adds a line that ends in a type. A long one goes to the next line, and a longer one is opened.
    pub(crate) fn typed(&mut self, level: usize, start: &str, of: &str, end: char) {
        let fits = |level: usize, width: usize| level * INDENT + width < WIDTH;
        let (before, width) = (start.chars().count() + 1, of.chars().count());
        if fits(level, before + width) {
            return self.line(level, &format!("{start} {of}{end}"));
        }
        if fits(level + 1, width) {
            self.line(level, start);
            return self.line(level + 1, &format!("{of}{end}"));
        }
        let Some((outer, inner)) = of.strip_suffix('>').and_then(|of| of.split_once('<')) else {
            return self.line(level, &format!("{start} {of}{end}"));
        };
        self.line(level, &format!("{start} {outer}<"));
        self.opened(level + 1, inner);
        self.line(level, &format!(">{end}"));
    }

    /// Adds what stands in an opened type.
    fn opened(&mut self, level: usize, of: &str) {
        match of.strip_suffix('>').and_then(|of| of.split_once('<')) {
            Some((outer, inner)) if level * INDENT + of.chars().count() >= WIDTH => {
                self.line(level, &format!("{outer}<"));
                self.opened(level + 1, inner);
                self.line(level, ">,");
            }
            Some(_) | None => self.line(level, &format!("{of},")),
        }
    }

    /// Adds paragraphs of documentation, with an empty line between each two.
    pub(crate) fn doc(&mut self, level: usize, paragraphs: &[Vec<String>]) {
        for (place, paragraph) in paragraphs.iter().filter(|paragraph| !paragraph.is_empty()).enumerate() {
            if place > 0 {
                self.line(level, "///");
            }
            for line in paragraph {
                self.line(level, format!("/// {line}").trim_end());
            }
        }
    }
}

/// A comment of the database, as lines of documentation. Rust would compile and run a block of code in
/// it, so there is none left, and it takes no sign that changes the direction of the text around it.
pub(crate) fn comment(text: &str) -> Vec<String> {
    let ends = text.replace("\r\n", "\n").replace('\r', "\n").replace("```", "'''").replace("~~~", "'''");
    let mut lines: Vec<String> = ends.lines().map(one_line).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|line| line.is_empty()).count();
    lines.drain(..blank);
    lines
}

/// SQL or a name, in backquotes.
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    let runs = text.split(|sign| sign != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(runs + 1);
    // Markdown takes one space off at each end, where both have one.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A text of Rust.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// One line, with single spaces. Four of them would begin a block of code.
fn one_line(text: &str) -> String {
    let seen: String = text
        .chars()
        .filter(|sign| !matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_runs_no_code_and_ends_no_line() {
        let lines = comment("\n  One.\r\rTwo */ `x` \u{202e}\\\r\n\n    four();\n```\nrun();\n```\n\n");
        assert_eq!(lines, ["One.", "", "Two */ `x` \\", "", "four();", "'''", "run();", "'''"]);
        assert_eq!(comment(" \n\t"), Vec::<String>::new());
    }

    #[test]
    fn code_stands_in_more_backquotes_than_it_holds() {
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(code("say `hi`"), "`` say `hi` ``");
        assert_eq!(code("a``b"), "```a``b```");
    }

    #[test]
    fn a_long_line_is_broken_before_its_type_and_a_longer_one_within() {
        let mut source = Source::default();
        let (long, longer) = (format!("Vec<{}>", "A".repeat(82)), format!("Vec<Vec<{}>>", "A".repeat(82)));
        for of in ["i32", &long, &longer] {
            source.typed(1, "pub field:", of, ',');
        }
        let inner = &longer[4..longer.len() - 1];
        let expected = format!(
            "    pub field: i32,\n    pub field:\n        {long},\n    pub field: Vec<\n        {inner},\n    >,\n"
        );
        assert_eq!(source.text(), expected);
    }
}
