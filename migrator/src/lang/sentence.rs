//! A sentence that was made in English where something was found, made again in French.
//!
//! Its places are named in braces. `n` and `m` hold numbers, which French writes its own way; `n` chooses
//! between the singular and the plural, with a bar between. `said` holds a sentence of the same tables.

use std::fmt::Display;

use super::{Lang, filled, form, french, place};

/// English, French.
pub(super) type Sentence = (&'static str, &'static str);

/// The French of a text, if one of the sentences makes it.
pub(super) fn remade(tables: &[&[Sentence]], text: &str) -> Option<String> {
    let (held, french) = tables
        .iter()
        .copied()
        .flatten()
        .find_map(|(english, french)| Some((held(english, text)?, french)))?;
    let one =
        held.iter().any(|(name, value)| *name == "n" && number(value).is_some_and(|n| Lang::Fr.is_one(n)));
    let values: Vec<(&str, String)> = held
        .into_iter()
        .map(|(name, value)| match (name, number(value)) {
            ("n" | "m", Some(number)) => (name, Lang::Fr.number(number)),
            ("said", _) => (name, remade(tables, value).unwrap_or_else(|| value.to_owned())),
            _ => (name, value.to_owned()),
        })
        .collect();
    let values: Vec<(&str, &dyn Display)> =
        values.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
    Some(filled(&french::set(form(french, one)), &values))
}

/// What stands at the places of a sentence, if the text is made from it. No place holds a semicolon and a
/// space, for these join two sentences.
fn held<'a>(mut sentence: &'a str, mut text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut held = Vec::new();
    while let Some((before, name, after)) = place(sentence) {
        text = text.strip_prefix(before)?;
        let end = match place(after) {
            Some((between, _, _)) => text.find(between)?,
            None => text.strip_suffix(after)?.len(),
        };
        let (value, rest) = text.split_at_checked(end)?;
        if value.contains("; ") || matches!(name, "n" | "m") && number(value).is_none() {
            return None;
        }
        held.push((name, value));
        (sentence, text) = (after, rest);
    }
    (sentence == text).then_some(held)
}

fn number(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// What of a sentence does not change from case to case.
#[cfg(test)]
pub(super) fn pieces(mut sentence: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while let Some((before, _, after)) = place(sentence) {
        pieces.push(before);
        sentence = after;
    }
    pieces.push(sentence);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Sentence] = &[
        ("{n} of {m} are odd", "{n} sur {m} est étrange|{n} sur {m} sont étranges"),
        ("`{field}` cannot be read: {said}", "« {field} » est illisible : {said}"),
        ("it is empty", "c'est vide"),
    ];

    #[test]
    fn a_sentence_is_made_again_with_what_stood_at_its_places() {
        let french = |text| remade(&[TABLE], text);
        assert_eq!(french("1 of 2000 are odd").as_deref(), Some("1 sur 2\u{202f}000 est étrange"));
        assert_eq!(french("2 of 3 are odd").as_deref(), Some("2 sur 3 sont étranges"));
        assert_eq!(
            french("`a {n}` cannot be read: it is empty").as_deref(),
            Some("«\u{a0}a {n}\u{a0}» est illisible\u{a0}: c’est vide")
        );
        for other in ["many of 3 are odd", "2 of 3 are odd, or not", "`a; b` cannot be read: x", "", "it is"]
        {
            assert_eq!(french(other), None, "{other}");
        }
    }
}
