//! Texts that were UTF-8, were read as Windows-1252, and were stored so: `LefÃ¨vre`.
//!
//! A text is put right only as a whole: all of it fits Windows-1252, and its bytes are
//! UTF-8. Real texts come close to that by chance — `CAFÉ»`, `MAÇÃ…`, or an É before the
//! narrow blank of a French colon — so at least one of the characters it would become must
//! be one that nobody spells in this way.

/// The text that was meant, if this one is it misread, once or several times over.
pub(crate) fn repaired(text: &str) -> Option<String> {
    let mut meant = once(text)?;
    // Whoever misreads a file when saving it does so at every saving.
    for _ in 1..TIMES {
        match once(&meant) {
            Some(again) => meant = again,
            None => break,
        }
    }
    Some(meant)
}

/// How often a text may have been misread.
const TIMES: usize = 4;

fn once(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Vec<u8> = text.chars().map(byte).collect::<Option<_>>()?;
    let meant = String::from_utf8(bytes).ok()?;
    is_evident(&meant).then_some(meant)
}

/// True when some character of the meant text cannot have been anything else.
fn is_evident(meant: &str) -> bool {
    let (mut before, mut rest) = (None, meant.chars().peekable());
    while let Some(character) = rest.next() {
        if proves(character, before, rest.peek().copied()) {
            return true;
        }
        before = Some(character);
    }
    false
}

fn proves(meant: char, before: Option<char>, after: Option<char>) -> bool {
    match meant {
        // Controls prove nothing, nor does what has not changed.
        '\0'..='\u{9F}' => false,
        // Two in a row: no text has a capital with an accent and then a sign twice over.
        _ if after.is_some_and(|after| !after.is_ascii()) => true,
        // `Â` and a sign.
        '\u{A0}'..='\u{BF}' => true,
        // `Ã`, `Ä` or `Å` and a sign, unless the letter ends a word of capitals and the sign a quote.
        '\u{C0}'..='\u{17F}' => {
            let ends = meant.is_lowercase() || after.is_none_or(|after| !after.is_alphanumeric());
            !(ends && closes(meant) && before.is_some_and(char::is_uppercase))
        }
        // `coÌ‚te`: an accent of its own, behind a small letter.
        '\u{300}'..='\u{36F}' => before.is_some_and(char::is_lowercase),
        // `â€™`, `â‚¬`, `â„¢`, `ï»¿`, `ðŸ™‚`: signs no text has in this order.
        '\u{2000}'..='\u{2BFF}' | '\u{FB00}'..='\u{FB06}' | '\u{FEFF}' | '\u{FFFD}' | '\u{10000}'.. => true,
        // `Viá»‡t`: a capital or a sign within a word.
        _ => before.is_some_and(char::is_lowercase) && after.is_some_and(char::is_alphanumeric),
    }
}

/// True when the second of the two signs that spell a character may stand behind a word.
fn closes(meant: char) -> bool {
    let second = u8::try_from(u32::from(meant) & 0x3F | 0x80).unwrap_or_default();
    matches!(
        character(second),
        '…' | '‘'
            | '’'
            | '“'
            | '”'
            | '‚'
            | '„'
            | '–'
            | '—'
            | '‹'
            | '›'
            | '«'
            | '»'
            | '™'
            | '®'
            | '\u{A0}'
    )
}

/// The byte a character is in Windows-1252; the five it leaves empty are themselves, and so
/// are all controls, which is what Latin-1 makes of them.
fn byte(character: char) -> Option<u8> {
    match u8::try_from(u32::from(character)) {
        Ok(byte) => Some(byte),
        Err(_) => {
            SIGNS.iter().position(|sign| *sign == character).and_then(|at| u8::try_from(at + 0x80).ok())
        }
    }
}

fn character(byte: u8) -> char {
    let sign = byte.checked_sub(0x80).and_then(|at| SIGNS.get(usize::from(at)));
    sign.copied().unwrap_or(char::from(byte))
}

/// What Windows-1252 has from 0x80 to 0x9F.
const SIGNS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As it is read in Windows-1252, once.
    fn misread(text: &str) -> String {
        text.bytes().map(character).collect()
    }

    #[test]
    fn a_misread_text_is_put_right() {
        for meant in [
            "Lefèvre",
            "l’été",
            "“Café” – 12 €",
            "Orléans à l’aube",
            "25 °C",
            "N° 5",
            "ÉCOLE",
            "DÉJÀ VU",
            "GARÇON",
            "NOËL",
            "ESPAÑA",
            "São Paulo",
            "Straße",
            "Grüße aus Köln",
            "İstanbul",
            "ALİ",
            "Diyarbakır'da şık",
            "Привет мир",
            "日本語",
            "안녕하세요",
            "🙂 merci",
            "Ελλάδα",
            "Žluťoučký kůň",
            "Łódź",
            "½ × 3",
            "naïve",
            "à",
            "Œuvre",
            "co\u{302}te",
            "© 2024",
            "\u{FEFF}id",
            "Việt Nam",
        ] {
            for times in 1..4 {
                let stored = (0..times).fold(meant.to_owned(), |text, _| misread(&text));
                assert_eq!(repaired(&stored).as_deref(), Some(meant), "{stored}");
            }
        }
        assert_eq!(repaired("LefÃ¨vre").as_deref(), Some("Lefèvre"));
        assert_eq!(repaired("lâ€™Ã©tÃ©").as_deref(), Some("l’été"));
        assert_eq!(repaired("LefÃƒÂ¨vre").as_deref(), Some("Lefèvre"));
        // What Latin-1 makes of it.
        assert_eq!(repaired("l\u{E2}\u{80}\u{99}aube").as_deref(), Some("l’aube"));
    }

    #[test]
    fn a_real_text_that_looks_misread_stays() {
        for real in [
            "",
            "plain",
            "NÃO",
            "SÃO PAULO",
            "MAÇÃ",
            "IRMÃ…",
            "CRISTÃ”",
            "CAFÉ»",
            "CAFÉ\u{A0}:",
            "« CAFÉ »",
            "énervé\u{A0}»",
            "allé\u{A0}»",
            "À\u{A0}bientôt",
            "DÉJÀ…",
            "VOILÀ”",
            "CÔTÉ”",
            "HYVÄ”",
            "Ä",
            "Ã",
            "Â",
            "ÂGE",
            "Straße",
            "STRASSE ß»",
            "GRÖßE",
            "ÇA VA",
            "Ça va…",
            "Ñ",
            "¿QUÉ?",
            "AÑO…",
            "ĐÃ",
            "Đà Nẵng",
            "Phở",
            "Ünlü",
            "İSTANBUL",
            "ÎLE",
            "ÔTÉ’",
            "Ü–",
            "l’été",
            "“Café”",
            "12 €",
            "Î»",
            "Ï€",
            "PÂTÉ™",
            "é»¿x",
            "Olá»…",
            // Mended in part, so nobody can say what the rest was.
            "Lefèvre et LefÃ¨vre",
            "LefÃ¨vre 日本",
            "Ã  la carte",
        ] {
            assert_eq!(repaired(real), None, "{real}");
        }
    }

    proptest! {
        #[test]
        fn what_was_misread_comes_back(
            word in "[a-z]{2,8}[éèêëàâçùûîïôöüäñõãåøæşğıčžšłżółąę’“”–€🙂日本мир]{1,3}[a-z]{1,8}",
            times in 1_usize..4,
        ) {
            // By chance the word is a misread one itself.
            prop_assume!(repaired(&word).is_none());
            let stored = (0..times).fold(word.clone(), |text, _| misread(&text));
            prop_assert_eq!(repaired(&stored), Some(word));
        }

        #[test]
        fn a_real_text_stays(words in prop::collection::vec("[A-ZÉÈÀÇÊÔÎÜÖÄÑÃÕß]{1,6}|[a-zéèàçêôîüöäñãõß]{1,8}|«\u{A0}|\u{A0}»|[’“”…–—°€]", 1..12)) {
            let text = words.join(" ");
            prop_assert_eq!(repaired(&text), None);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = repaired(&text);
        }
    }
}
