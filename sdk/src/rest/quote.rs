//! The one place that puts a text into PostgREST's query language.
//!
//! | where | how it stands there |
//! |---|---|
//! | after an operator (`eq.fish, chips`) | raw: everything up to the end is the value |
//! | in a list or a group (`in.(…)`, `or=(…)`) | quoted unless plain |
//! | in an array literal (`cs.{…}`) | quoted unless plain, and null never means null |
//! | a column's name | quoted unless plain |
//! | in a filter of Realtime (`name=eq.…,id=in.(…)`) | quoted where a mark or a blank would end it |
//!
//! Inside quotes `"` and `\` are escaped, so no text can end its quotes early. Percent-encoding comes on
//! top, for the address: see `transport.rs`.
//! Source: PostgREST, "Reserved characters" and `ApiRequest/QueryParams.hs`; PostgreSQL §8.15.2 (arrays).

use std::borrow::Cow;

/// A value inside a list or a group. The words null, true and false are quoted too, so that a text stays
/// a text.
pub(super) fn listed(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let keyword = matches!(value, "null" | "true" | "false" | "unknown");
    if !value.is_empty() && value.bytes().all(plain) && !keyword { value.to_owned() } else { quoted(value) }
}

/// A value in a filter of Realtime.
#[cfg(feature = "realtime")]
pub(super) fn told(value: &str) -> Cow<'_, str> {
    let plain = value == value.trim() && !value.contains([',', '(', ')', '"', '\\']);
    if plain { value.into() } else { quoted(value).into() }
}

/// Values as an array literal.
pub(super) fn array(values: &[String]) -> String {
    let elements: Vec<_> = values.iter().map(|value| element(value)).collect();
    format!("{{{}}}", elements.join(","))
}

fn element(value: &str) -> String {
    let special = |char: char| matches!(char, '"' | '\\' | '{' | '}' | ',') || char.is_whitespace();
    if value.is_empty() || value.eq_ignore_ascii_case("null") || value.contains(special) {
        quoted(value)
    } else {
        value.to_owned()
    }
}

/// A column's or a table's name in a query.
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty() && name.bytes().all(plain) { name.into() } else { quoted(name).into() }
}

/// A column's name, rendered, as the name of a query pair: quoted if the pair would mean something else. A
/// table may well have a column `order`.
pub(super) fn parameter(rendered: Cow<'static, str>) -> Cow<'static, str> {
    if is_reserved(&rendered) { quoted(&rendered).into() } else { rendered }
}

/// True for what PostgREST reads as a part of the question instead of a column or an argument.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(name, "select" | "order" | "limit" | "offset" | "columns" | "on_conflict" | "and" | "or" | "not")
}

/// True for a text that PostgREST reads as a test, such as `eq.5`, where it also takes plain values.
pub(super) fn is_test(text: &str) -> bool {
    const OPERATORS: [&str; 26] = [
        "not",
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "like",
        "ilike",
        "match",
        "imatch",
        "in",
        "is",
        "isdistinct",
        "fts",
        "plfts",
        "phfts",
        "wfts",
        "cs",
        "cd",
        "ov",
        "sl",
        "sr",
        "nxl",
        "nxr",
        "adj",
    ];
    let word = text.split(['.', '(']).next().unwrap_or_default();
    word.len() < text.len() && OPERATORS.contains(&word.to_ascii_lowercase().as_str())
}

/// Names as a list, all in quotes, as the official client sends them in `columns`.
pub(super) fn names<N: AsRef<str>>(names: &[N]) -> String {
    names.iter().map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(",")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A select list without the blanks that stand outside quotes, as the official client sends it.
pub(super) fn without_blanks(list: &str) -> String {
    let (mut in_quotes, mut escaped) = (false, false);
    let mut kept = String::with_capacity(list.len());
    for char in list.chars() {
        in_quotes ^= char == '"' && !escaped;
        escaped = in_quotes && char == '\\' && !escaped;
        if in_quotes || !char.is_whitespace() {
            kept.push(char);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a list back the way PostgREST and PostgreSQL do: a quote ends a value only where it is not
    /// escaped.
    fn read(list: &str) -> Vec<String> {
        let mut inside = list.chars();
        let (mut read, mut in_quotes) = (vec![String::new()], false);
        while let Some(char) = inside.next() {
            let last = read.last_mut().unwrap();
            match char {
                '\\' => last.push(inside.next().unwrap()),
                '"' => in_quotes = !in_quotes,
                ',' if !in_quotes => read.push(String::new()),
                char => last.push(char),
            }
        }
        assert!(!in_quotes);
        read
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_quotes(values in proptest::collection::vec(".*", 1..4)) {
            let list = values.iter().map(|value| listed(value)).collect::<Vec<_>>().join(",");
            prop_assert_eq!(&read(&list), &values);
            let array = array(&values);
            prop_assert_eq!(&read(&array[1..array.len() - 1]), &values);
        }

        #[test]
        fn blanks_go_and_nothing_else(list in ".*") {
            let kept = without_blanks(&list);
            let dense = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
            prop_assert_eq!(dense(&kept), dense(&list));
        }
    }

    #[test]
    fn what_is_plain_stays_readable() {
        assert_eq!(["a", "null", "", "a b"].map(listed), ["a", "\"null\"", "\"\"", "\"a b\""]);
        assert_eq!(array(&["a".into(), "NULL".into(), "%b%".into(), "{".into()]), r#"{a,"NULL",%b%,"{"}"#);
        assert_eq!(without_blanks(" \"first name\", id ,\n a:b( c )"), "\"first name\",id,a:b(c)");
    }
}
