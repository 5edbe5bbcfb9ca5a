//! A text as a browser keeps it: UTF-16, halves of pairs included.

use std::fmt::Write as _;

/// A key or a value of localStorage.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u16>);

impl Text {
    /// A text whose characters are a byte each.
    pub fn from_latin1(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().map(u16::from).collect())
    }

    /// A text in UTF-16, the low byte first. None if half of the last unit is missing.
    pub fn from_utf16le(bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        rest.is_empty().then(|| Self(pairs.iter().copied().map(u16::from_le_bytes).collect()))
    }

    /// A text in UTF-8, in which half a pair may be spelt as if it were a character (WTF-8). What is
    /// neither becomes U+FFFD.
    pub fn from_utf8(mut bytes: &[u8]) -> Self {
        let mut units = Vec::with_capacity(bytes.len());
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(text) => {
                    units.extend(text.encode_utf16());
                    return Self(units);
                }
                Err(error) => error,
            };
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            units.extend(String::from_utf8_lossy(valid).encode_utf16());
            bytes = if let [0xED, high @ 0xA0..=0xBF, low @ 0x80..=0xBF, rest @ ..] = rest {
                units.push(0xD000 | u16::from(high & 0x3F) << 6 | u16::from(low & 0x3F));
                rest
            } else {
                units.push(0xFFFD);
                rest.get(error.error_len().unwrap_or(rest.len())..).unwrap_or_default()
            };
        }
    }

    /// How many UTF-16 units it has: what a browser counts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for the text without a character.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text in Unicode; half a pair becomes U+FFFD.
    pub fn to_unicode(&self) -> String {
        String::from_utf16_lossy(&self.0)
    }

    /// Writes the text as `JSON.stringify` does: half a pair as an escape. So are all characters that a
    /// terminal obeys, which JSON leaves the choice.
    pub(super) fn push_json(&self, out: &mut String) {
        out.push('"');
        for character in char::decode_utf16(self.0.iter().copied()) {
            let character = match character {
                Ok(character) => character,
                Err(half) => {
                    let _ = write!(out, "\\u{:04x}", half.unpaired_surrogate()); // a String takes everything
                    continue;
                }
            };
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\u{8}' => out.push_str("\\b"),
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\u{c}' => out.push_str("\\f"),
                '\r' => out.push_str("\\r"),
                character if character.is_control() => {
                    let _ = write!(out, "\\u{:04x}", u32::from(character));
                }
                _ => out.push(character),
            }
        }
        out.push('"');
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &Text) -> String {
        let mut out = String::new();
        text.push_json(&mut out);
        out
    }

    #[test]
    fn three_spellings_of_one_text() {
        assert_eq!(Text::from_latin1(b"caf\xE9"), Text::from("café"));
        assert_eq!(Text::from_utf16le(b"\xAC\x20"), Some(Text::from("€")));
        assert_eq!(Text::from_utf16le(b"\xAC\x20\0"), None);
        assert_eq!(Text::from_utf8("a€🙂\0".as_bytes()), Text::from("a€🙂\0"));
    }

    #[test]
    fn half_a_pair_is_kept_and_written_as_an_escape() {
        assert_eq!(json(&Text::from("a\0\u{1b}\u{7f}\u{9b}\n\"")), r#""a\u0000\u001b\u007f\u009b\n\"""#);
        assert_eq!(json(&Text(vec![0x78, 0xD8A0, 0x79, 0xDC00])), r#""x\ud8a0y\udc00""#);
        assert_eq!(Text::from_utf8(b"k\xED\xA2\xA0\xED\xBF\xBF."), Text(vec![0x6B, 0xD8A0, 0xDFFF, 0x2E]));
        assert_eq!(Text::from_utf8(b"a\xFFb\xE2\x82"), Text::from("a\u{FFFD}b\u{FFFD}"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_serde_reads(text in any::<String>()) {
            let written = json(&Text::from(text.as_str()));
            prop_assert_eq!(serde_json::from_str::<String>(&written).ok(), Some(text));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Text::from_utf8(&bytes);
            let _ = Text::from_utf16le(&bytes);
        }
    }
}
