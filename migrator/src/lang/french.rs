//! How French is set: spaces that do not break, and the typographer's apostrophe.
//!
//! The tables beside this file are written with plain spaces, so that they can be read and compared.

/// Before a colon and inside quotation marks.
const WIDE: char = '\u{a0}';
/// Before the other tall marks.
const NARROW: char = '\u{202f}';

/// A text of ours as French prints it. Code in backticks stays as it is.
pub(super) fn set(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut code = false;
    let mut characters = text.chars().peekable();
    let mut before = None;
    while let Some(character) = characters.next() {
        let set = match (character, characters.peek()) {
            ('`', _) => {
                code = !code;
                character
            }
            _ if code => character,
            (' ', Some(':' | '»')) => WIDE,
            (' ', Some(';' | '!' | '?')) => NARROW,
            (' ', _) if before == Some('«') => WIDE,
            ('\'', Some(next)) if next.is_alphabetic() && before.is_some_and(char::is_alphabetic) => '’',
            _ => character,
        };
        out.push(set);
        before = Some(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_keep_their_space_and_code_its_own() {
        assert_eq!(
            set("l'aide : « oui » ; quoi ?"),
            "l’aide\u{a0}: «\u{a0}oui\u{a0}»\u{202f}; quoi\u{202f}?"
        );
        assert_eq!(set("tapez `a : 'b'` !"), "tapez `a : 'b'`\u{202f}!");
    }
}
