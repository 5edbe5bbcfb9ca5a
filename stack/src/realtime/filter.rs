//! Which rows a subscription wants: its filters, read, and said again in SQL.
//!
//! Several filters all have to hold. What a value means is the database's to say, in the type of the
//! column; here it is a text that is quoted and never part of the SQL. A filter that comes to nothing
//! (null) does not hold, and neither does one on a column the change does not have.

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) column: String,
    pub(super) operator: Operator,
    pub(super) value: String,
    pub(super) negated: bool,
}

/// What a column is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    In,
    Like,
    Ilike,
    Is,
    Match,
    Imatch,
    IsDistinct,
}

/// No list is longer.
pub(super) const LONGEST_LIST: i32 = 100;
const KEYWORDS: [&str; 4] = ["null", "true", "false", "unknown"];

impl Operator {
    const ALL: [(&'static str, Self); 13] = [
        ("eq", Self::Eq),
        ("neq", Self::Neq),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("in", Self::In),
        ("like", Self::Like),
        ("ilike", Self::Ilike),
        ("is", Self::Is),
        ("match", Self::Match),
        ("imatch", Self::Imatch),
        ("isdistinct", Self::IsDistinct),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find_map(|(known, operator)| (*known == name).then_some(*operator))
    }

    /// As a client writes it.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find_map(|(name, known)| (*known == self).then_some(*name)).unwrap_or_default()
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Neq => "<>",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::In => "= any",
            Self::Like => "like",
            Self::Ilike => "ilike",
            Self::Is => "is",
            Self::Match => "~",
            Self::Imatch => "~*",
            Self::IsDistinct => "is distinct from",
        }
    }
}

impl Filter {
    /// Reads `a=eq.1,b=not.in.(x,y)`. The error says why, in the words of the hosted service.
    pub(super) fn read_all(text: &str) -> Result<Vec<Self>, String> {
        if text.trim().is_empty() {
            return Ok(vec![]);
        }
        split(text).into_iter().map(Self::read).collect()
    }

    fn read(segment: &str) -> Result<Self, String> {
        let segment = segment.trim();
        if segment.is_empty() {
            return Err("filter must not contain empty segments (check for extra commas)".to_owned());
        }
        let strange = |parts: &[&str]| format!("{parts:?}");
        let (column, rest) = segment.split_once('=').ok_or_else(|| strange(&[segment]))?;
        let (negated, rest) = match rest.strip_prefix("not.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (name, value) = rest.split_once('.').ok_or_else(|| strange(&[rest]))?;
        let operator = Operator::named(name).ok_or_else(|| strange(&[name, value]))?;
        let value = match operator {
            Operator::In => value
                .strip_prefix('(')
                .and_then(|value| value.strip_suffix(')'))
                .map(|list| format!("{{{list}}}"))
                .ok_or("`in` filter value must be wrapped by parentheses")?,
            _ => unquoted(value), // everywhere else a value is one text
        };
        Ok(Self { column: column.to_owned(), operator, value, negated })
    }

    /// Why the database would not understand it, as far as that can be told without asking.
    pub(super) fn objection(&self, column_type: &str) -> Option<String> {
        if self.operator != Operator::Is {
            return None;
        }
        if !KEYWORDS.contains(&self.value.as_str()) {
            return Some("invalid value for is filter: must be null, true, false, or unknown".to_owned());
        }
        (self.value != "null" && column_type != "boolean")
            .then(|| format!("is {} filter requires a boolean column, got {column_type}", self.value))
    }

    /// The condition, for a column of this type whose value is the parameter `left`; the filter's value is
    /// the parameter `right`. Both are texts, and both have to be bound.
    pub(super) fn sql(&self, column_type: &str, left: usize, right: usize) -> String {
        let (left, not) = (format!("${left}::text::{column_type}"), if self.negated { "not " } else { "" });
        let symbol = self.operator.symbol();
        match self.operator {
            Operator::In => format!("{not}({left} {symbol} (${right}::text::{column_type}[]))"),
            // A word of the language and no value: one of four, or it was refused.
            Operator::Is => {
                let word = KEYWORDS.iter().find(|word| **word == self.value).unwrap_or(&"null");
                format!("{not}({left} is {word} and ${right}::text is not null)")
            }
            // These read a pattern, which is a text whatever the column is.
            Operator::Like | Operator::Ilike | Operator::Match | Operator::Imatch => {
                format!("{not}({left} {symbol} ${right}::text)")
            }
            Operator::Eq
            | Operator::Neq
            | Operator::Lt
            | Operator::Lte
            | Operator::Gt
            | Operator::Gte
            | Operator::IsDistinct => format!("{not}({left} {symbol} ${right}::text::{column_type})"),
        }
    }
}

/// Splits at the commas that stand neither in parentheses nor in a quoted value.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quoted, mut before) = (vec![], 0, 0_usize, false, ' ');
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if quoted => {
                characters.next();
            }
            '"' if quoted => quoted = false,
            '"' if matches!(before, '.' | '(' | ',') => quoted = true,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {} // part of a name or a value
        }
        before = character;
    }
    parts.push(&text[start..]);
    parts
}

/// A value without its quotes; one whose quotes are not a pair is taken as it is.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let (mut text, mut characters) = (String::new(), inner.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' if characters.as_str().is_empty() => return text,
            '"' => break,
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, &'static str, String, bool)> {
        let filters = Filter::read_all(text).unwrap();
        filters.into_iter().map(|f| (f.column, f.operator.name(), f.value, f.negated)).collect()
    }

    fn one(text: &str) -> (String, &'static str, String, bool) {
        read(text).pop().unwrap()
    }

    #[test]
    fn filters_are_read_as_clients_write_them() {
        let owned = |c: &str, o, v: &str, n| (c.to_owned(), o, v.to_owned(), n);
        assert_eq!(read("  "), []);
        assert_eq!(one("id=eq.1"), owned("id", "eq", "1", false));
        assert_eq!(one("id=not.gte.1.5"), owned("id", "gte", "1.5", true));
        assert_eq!(one("n=in.(a,\"b,c\")"), owned("n", "in", "{a,\"b,c\"}", false));
        assert_eq!(one(r#"n=eq."a,\"b\"""#), owned("n", "eq", "a,\"b\"", false));
        assert_eq!(one("n=eq.\"a"), owned("n", "eq", "\"a", false));
        let both = read("id=gt.0,id=lt.100");
        assert_eq!(both, [owned("id", "gt", "0", false), owned("id", "lt", "100", false)]);
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        for (text, reason) in [
            ("undefined", "[\"undefined\"]"),
            ("a=foo.hey", "[\"foo\", \"hey\"]"),
            ("a=eq", "[\"eq\"]"),
            ("a=in.1", "`in` filter value must be wrapped by parentheses"),
            ("a=eq.1,", "filter must not contain empty segments (check for extra commas)"),
        ] {
            assert_eq!(Filter::read_all(text).unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn a_value_is_never_part_of_the_sql() {
        let sql = |text: &str| Filter::read_all(text).unwrap()[0].sql("integer", 1, 2);
        assert_eq!(sql("id=not.eq.1); drop"), "not ($1::text::integer = $2::text::integer)");
        assert_eq!(sql("id=in.(1)"), "($1::text::integer = any ($2::text::integer[]))");
        assert_eq!(sql("id=is.null); drop"), "($1::text::integer is null and $2::text is not null)");
    }

    #[test]
    fn is_takes_four_words_and_three_of_them_for_booleans_alone() {
        let objection = |text: &str, kind| Filter::read_all(text).unwrap()[0].objection(kind);
        assert_eq!(objection("a=is.null", "integer"), None);
        assert_eq!(objection("a=is.true", "boolean"), None);
        assert!(objection("a=is.true", "integer").is_some());
        assert!(objection("a=is.nothing", "boolean").is_some());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text: String) {
            let _ = Filter::read_all(&text);
        }
    }
}
