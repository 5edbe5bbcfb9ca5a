//! Rust's names, from names the database takes as they come.
//!
//! Whatever comes out is an identifier, is no keyword, and is given once in its scope.

use std::collections::HashSet;

use unicode_ident::{is_xid_continue, is_xid_start};
use unicode_normalization::UnicodeNormalization;

use crate::typegen::noun;

/// Words Rust keeps for itself, the older editions' and the future's among them.
const KEYWORDS: [&str; 53] = [
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
    "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield", "_",
];

/// Types and values the generated file, and what it derives, calls by these names.
const PRELUDE: [&str; 33] = [
    "AsMut",
    "AsRef",
    "Box",
    "Clone",
    "Copy",
    "Default",
    "Drop",
    "Eq",
    "Err",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "Future",
    "Into",
    "IntoFuture",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "Vec",
];

/// Signs in an enum's labels that tell two of them apart, and what they are called.
const SIGNS: [(char, &str); 12] = [
    ('+', "plus"),
    ('-', "minus"),
    ('<', "less"),
    ('>', "greater"),
    ('=', "equal"),
    ('%', "percent"),
    ('&', "and"),
    ('@', "at"),
    ('#', "hash"),
    ('*', "star"),
    ('!', "not"),
    ('€', "euro"),
];

/// The names given in one scope.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// A scope of types: those every Rust file knows are taken.
    pub(crate) fn of_types() -> Self {
        Self(PRELUDE.iter().map(|name| (*name).to_owned()).collect())
    }

    /// A scope where nothing is taken but these.
    pub(crate) fn without(taken: &[&str]) -> Self {
        Self(taken.iter().map(|name| (*name).to_owned()).collect())
    }

    /// True if nobody has this name yet.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        !self.0.contains(name)
    }

    /// Gives the first of these names that is free, or else the last of them with a number.
    pub(crate) fn give(&mut self, wishes: &[&str]) -> String {
        let last = wishes.last().copied().unwrap_or_default().trim_end_matches('_');
        let numbered = (2_u32..).map(|number| format!("{last}{number}"));
        let free =
            wishes.iter().map(|wish| (*wish).to_owned()).chain(numbered).find(|name| self.is_free(name));
        // Numbers do not run out before names do.
        let free = free.unwrap_or_default();
        self.0.insert(free.clone());
        free
    }

    /// Gives each of these column or argument names a field's name. Who has a good one keeps it, whatever
    /// stands before.
    pub(crate) fn fields<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
        let mut taken = Self::default();
        // Two fields that are the same in capitals would share the constant of their column.
        let mut capitals = HashSet::new();
        let good: Vec<bool> =
            names.clone().map(|name| field(name) == name && capitals.insert(name.to_uppercase())).collect();
        taken.0.extend(names.clone().zip(&good).filter(|(_, good)| **good).map(|(name, _)| name.to_owned()));
        let give =
            |(name, good): (&str, bool)| if good { name.to_owned() } else { taken.give(&[&field(name)]) };
        names.zip(good).map(give).collect()
    }
}

/// True for a word Rust takes as the name of a type.
pub(crate) fn is_type(name: &str) -> bool {
    is_identifier(name) && name.chars().next().is_some_and(char::is_uppercase) && !PRELUDE.contains(&name)
}

/// A type's name: `booking_status` is `BookingStatus`.
pub(crate) fn of_type(name: &str) -> String {
    pascal(&words(name), "Type")
}

/// The name of a table's row: `repair_lines` is `RepairLine`.
pub(crate) fn of_row(table: &str) -> String {
    let mut words = words(table);
    if let Some(last) = words.last_mut() {
        *last = noun::singular(last);
    }
    pascal(&words, "Row")
}

/// A variant's name: `in progress` is `InProgress`, and `A+` is `APlus`.
pub(crate) fn of_variant(label: &str) -> String {
    if label.is_empty() {
        return "Empty".to_owned();
    }
    let last = label.chars().count().saturating_sub(1);
    let spelled: String = label
        .chars()
        .enumerate()
        .map(|(place, sign)| match SIGNS.iter().find(|(known, _)| *known == sign) {
            // Between words it joins them.
            Some(('-', _)) if place != 0 && place != last => " ".to_owned(),
            Some((_, word)) => format!(" {word} "),
            None => sign.to_string(),
        })
        .collect();
    pascal(&words(&spelled), "Label")
}

/// A field's name: `firstName` is `first_name`, and `type` is `type_`.
pub(crate) fn field(name: &str) -> String {
    let is_snake = is_identifier(name) && !name.contains("__") && !name.chars().any(char::is_uppercase);
    if is_snake {
        return name.to_owned();
    }
    let joined: String = words(name).join("_").nfc().collect();
    match joined.as_str() {
        "" => "column".to_owned(),
        keyword if KEYWORDS.contains(&keyword) => format!("{keyword}_"),
        word if is_identifier(word) => word.to_owned(),
        word => format!("n{word}"),
    }
}

fn pascal(words: &[String], nameless: &str) -> String {
    let capital = |word: &String| {
        let mut rest = word.chars();
        let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        first + rest.as_str()
    };
    let name: String = words.iter().map(capital).collect::<String>().nfc().collect();
    match name.as_str() {
        "" => nameless.to_owned(),
        "Self" => "Self_".to_owned(),
        name if is_identifier(name) => name.to_owned(),
        name => format!("N{name}"),
    }
}

/// True for what Rust takes for a name.
fn is_identifier(name: &str) -> bool {
    let mut rest = name.chars();
    let starts = rest.next().is_some_and(|first| is_xid_start(first) || first == '_');
    starts && rest.all(is_xid_continue) && !KEYWORDS.contains(&name) && name.nfc().eq(name.chars())
}

/// The words of a name, in small letters: cut at what is no letter or digit, and where a capital begins
/// one, as in `firstName` and `HTTPServer`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let signs: Vec<char> = name.nfc().collect();
    let mut words = vec![String::new()];
    for (place, &sign) in signs.iter().enumerate() {
        if !is_xid_continue(sign) || sign == '_' {
            words.push(String::new());
            continue;
        }
        let before = place.checked_sub(1).and_then(|place| signs.get(place)).copied().unwrap_or('_');
        let behind = signs.get(place + 1).copied().unwrap_or('_');
        let begins = sign.is_uppercase()
            && (before.is_lowercase()
                || before.is_numeric()
                || (before.is_uppercase() && behind.is_lowercase()));
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(sign.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_read_as_rust_names_do() {
        let cases = [
            ("repair_lines", "RepairLine", "repair_lines"),
            ("firstName", "FirstName", "first_name"),
            ("HTTPServers", "HttpServer", "http_servers"),
            ("USA", "Usa", "usa"),
            ("type", "Type", "type_"),
            ("self", "Self_", "self_"),
            ("2nd try", "N2ndTry", "n2nd_try"),
            ("_hidden", "Hidden", "_hidden"),
            ("a__b", "AB", "a_b"),
            ("say \"hi\"", "SayHi", "say_hi"),
            ("élèves", "Élève", "élèves"),
            ("名前", "名前", "名前"),
            ("★", "Row", "column"),
            ("_", "Row", "column"),
            ("", "Row", "column"),
        ];
        for (name, row, column) in cases {
            assert_eq!((of_row(name).as_str(), field(name).as_str()), (row, column), "{name}");
        }
    }

    #[test]
    fn labels_that_differ_by_a_sign_are_told_apart() {
        let cases = [
            ("in_progress", "InProgress"),
            ("in-progress", "InProgress"),
            ("A+", "APlus"),
            ("A-", "AMinus"),
            (">=", "GreaterEqual"),
            ("50%", "N50Percent"),
            ("STANDARD", "Standard"),
            ("", "Empty"),
            ("★", "Label"),
        ];
        for (label, variant) in cases {
            assert_eq!(of_variant(label), variant, "{label}");
        }
    }

    #[test]
    fn a_good_name_is_not_taken_by_who_stands_before() {
        let columns = ["firstName", "first_name", "First Name", "type"];
        assert_eq!(Names::fields(columns.into_iter()), ["first_name2", "first_name", "first_name3", "type_"]);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut names = Names::of_types();
        let given: Vec<_> = (0..3).map(|_| names.give(&["Option", "Options"])).collect();
        assert_eq!(given, ["Options", "Options2", "Options3"]);
    }

    proptest! {
        #[test]
        fn every_name_is_an_identifier(name in any::<String>()) {
            for name in [field(&name), of_row(&name), of_type(&name), of_variant(&name)] {
                prop_assert!(is_identifier(&name), "{}", name);
            }
        }
    }
}
