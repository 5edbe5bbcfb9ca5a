//! Texts that an app has packed with `lz-string` to save room.
//!
//! The packer writes a stream of bits and spells it in one of four alphabets. Nothing marks a
//! packed text, so it is known by its look only: the whole text is in the alphabet, the stream
//! ends with its end mark and nothing but zeros behind it, no letter is introduced twice, and
//! what comes out is JSON, or a text long enough that chance cannot have written it. What does
//! not pass is not packed: a word, an id, a picture in Base64.

use std::collections::HashSet;

use serde::de::IgnoredAny;

/// How the bits of a packed text are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// `compressToBase64`.
    Base64,
    /// `compressToEncodedURIComponent`.
    Uri,
    /// `compressToUTF16`: 15 bits in each unit.
    Utf16,
    /// `compress`: 16 bits in each unit, pairs broken.
    Raw,
}

/// What was in a packed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) text: String,
    pub(crate) flavour: Flavour,
    /// How many halves of a UTF-16 pair stood alone in it; each is U+FFFD now.
    pub(crate) lone_surrogates: usize,
}

/// No text grows to more than this many units, 64 MiB,
const LARGEST: usize = 32 << 20;

/// nor to more than this many times its packed length.
const GROWTH: usize = 200;

/// How many different letters a text must have to be no accident. A letter that an accident
/// writes is printable one time in three.
const LETTERS: usize = 16;

/// Of a hundred letters, so many are printable in a text.
const PRINTABLE: usize = 95;

/// So many zeros fill the last unit, and one more that `compressToUTF16` adds.
const PADDING: usize = 32;

/// What the codes of the stream mean that are no place in the dictionary.
const NARROW: usize = 0;
const WIDE: usize = 1;
const END: usize = 2;

impl Flavour {
    fn width(self) -> u32 {
        match self {
            Self::Base64 | Self::Uri => 6,
            Self::Utf16 => 15,
            Self::Raw => 16,
        }
    }

    /// The bits a unit spells.
    fn bits(self, unit: u16) -> Option<u16> {
        let letter = || u8::try_from(unit).ok();
        Some(match self {
            Self::Base64 => sextet(letter()?, b'+', b'/')?,
            Self::Uri => sextet(if unit == u16::from(b' ') { b'+' } else { letter()? }, b'+', b'-')?,
            Self::Utf16 => unit.checked_sub(32).filter(|bits| *bits < 1 << 15)?,
            Self::Raw => unit,
        })
    }
}

/// What is packed in a text, if one is; the text is given in the units JavaScript sees.
pub(crate) fn open(units: &[u16]) -> Option<Opened> {
    let first = *units.first()?;
    let plain = without_padding(units);
    // The first ten bits hold the first letter, from its lowest bit up. Whatever JSON begins
    // with has a low bit that is one, so where units are wide the first is beyond ASCII.
    // Letters and digits alone are the same in both of the narrow alphabets.
    let candidates = match first {
        0..128 => [(Flavour::Base64, plain), (Flavour::Uri, units)],
        _ => [(Flavour::Utf16, units), (Flavour::Raw, units)],
    };
    let mut spelt = candidates
        .into_iter()
        .filter(|(flavour, packed)| packed.iter().all(|unit| flavour.bits(*unit).is_some()));
    spelt.find_map(|(flavour, packed)| open_as(flavour, packed))
}

fn open_as(flavour: Flavour, packed: &[u16]) -> Option<Opened> {
    let limit = packed.len().saturating_mul(GROWTH).min(LARGEST);
    let (unpacked, letters) = unpack(Bits::new(packed, flavour), limit)?;
    let mut lone_surrogates = 0;
    let characters = char::decode_utf16(unpacked).map(|character| {
        character.unwrap_or_else(|_| {
            lone_surrogates += 1;
            char::REPLACEMENT_CHARACTER
        })
    });
    let text: String = characters.collect();
    (is_json(&text) || is_prose(&text, letters)).then_some(Opened { text, flavour, lone_surrogates })
}

fn without_padding(mut units: &[u16]) -> &[u16] {
    while let [rest @ .., last] = units
        && *last == u16::from(b'=')
    {
        units = rest;
    }
    units
}

fn sextet(letter: u8, second_last: u8, last: u8) -> Option<u16> {
    Some(u16::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        _ if letter == second_last => 62,
        _ if letter == last => 63,
        _ => return None,
    }))
}

/// The bits of the units, the highest of each first; a number is read from its lowest bit up.
struct Bits<'u> {
    units: std::slice::Iter<'u, u16>,
    flavour: Flavour,
    unit: u16,
    left: u32,
}

impl<'u> Bits<'u> {
    fn new(units: &'u [u16], flavour: Flavour) -> Self {
        Self { units: units.iter(), flavour, unit: 0, left: 0 }
    }

    fn bit(&mut self) -> Option<bool> {
        if self.left == 0 {
            self.unit = self.flavour.bits(*self.units.next()?)?;
            self.left = self.flavour.width();
        }
        self.left -= 1;
        Some(self.unit >> self.left & 1 == 1)
    }

    fn number(&mut self, width: u32) -> Option<usize> {
        (0..width).try_fold(0, |number, place| Some(number | usize::from(self.bit()?) << place))
    }

    /// True when nothing is left but the zeros behind the end; there is always one.
    fn is_at_end(&mut self) -> bool {
        let mut zeros = 0;
        while let Some(bit) = self.bit() {
            zeros += 1;
            if bit || zeros > PADDING {
                return false;
            }
        }
        zeros > 0
    }
}

/// What the stream says, and how many different letters it introduces.
///
/// An entry of the dictionary is a stretch of what has been written before: the one before
/// last and the first letter of the last stand next to each other there.
fn unpack(mut bits: Bits<'_>, limit: usize) -> Option<(Vec<u16>, usize)> {
    let mut written: Vec<u16> = Vec::new();
    // The first three places are taken by the codes that are none.
    let mut entries: Vec<(usize, usize)> = vec![(0, 0); 3];
    let mut letters = HashSet::new();
    let mut last: Option<(usize, usize)> = None;
    // The first code is two bits wide; from then on the width follows the dictionary.
    let (mut width, mut room) = (2, 1);
    loop {
        let code = bits.number(width)?;
        let start = written.len();
        let (from, length) = match code {
            NARROW | WIDE => {
                let letter = u16::try_from(bits.number(if code == NARROW { 8 } else { 16 })?).ok()?;
                if !letters.insert(letter) || (code == WIDE && letter < 256) {
                    return None;
                }
                written.push(letter);
                entries.push((start, 1));
                if last.is_some() {
                    room -= 1;
                }
                (start, 1)
            }
            END if last.is_some() && bits.is_at_end() => return Some((written, letters.len())),
            END => return None,
            _ => {
                // The entry that is just being made: the last one and its own first letter.
                let made = last.filter(|_| code == entries.len()).map(|(from, length)| (from, length + 1));
                entries.get(code).copied().or(made)?
            }
        };
        if room == 0 {
            (room, width) = (1 << width, width + 1);
        }
        if start.saturating_add(length) > limit {
            return None;
        }
        if code > END {
            // A stretch may run into itself, so it is copied letter by letter.
            (from..from + length).try_for_each(|at| {
                written.push(*written.get(at)?);
                Some(())
            })?;
        }
        if let Some((from, length)) = last {
            entries.push((from, length + 1));
        }
        room -= 1;
        if room == 0 {
            (room, width) = (1 << width, width + 1);
        }
        last = Some((start, length));
    }
}

/// A list, an object, a quoted text or a word of JSON; a number is too easily written by chance.
fn is_json(text: &str) -> bool {
    let json = text.trim_ascii();
    match json.as_bytes().first() {
        Some(b'{' | b'[' | b'"') => serde_json::from_str::<IgnoredAny>(json).is_ok(),
        _ => matches!(json, "true" | "false" | "null"),
    }
}

fn is_prose(text: &str, letters: usize) -> bool {
    let all = text.chars().count();
    let odd = |character: &char| {
        (character.is_control() && !character.is_whitespace()) || *character == char::REPLACEMENT_CHARACTER
    };
    let printable = all - text.chars().filter(odd).count();
    letters >= LETTERS && printable * 100 >= all * PRINTABLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    /// Written by `tests/fixtures/lz-string.mjs` with the packer itself.
    const PACKED: &str = include_str!("../../tests/fixtures/lz-string.json");

    #[derive(Deserialize)]
    struct Case {
        text: String,
        base64: String,
        uri: String,
        utf16: Vec<u16>,
        raw: Vec<u16>,
    }

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn opened(packed: &[u16]) -> Option<(Flavour, String)> {
        open(packed).map(|opened| (opened.flavour, opened.text))
    }

    #[test]
    fn what_the_packer_packs_is_opened() {
        let cases: Vec<Case> = serde_json::from_str(PACKED).expect("the fixture is JSON");
        assert!(cases.len() > 8);
        for case in cases {
            let as_packed = |flavour| Some((flavour, case.text.clone()));
            assert_eq!(opened(&units(&case.base64)), as_packed(Flavour::Base64), "{}", case.text);
            assert_eq!(opened(&case.utf16), as_packed(Flavour::Utf16), "{}", case.text);
            assert_eq!(opened(&case.raw), as_packed(Flavour::Raw), "{}", case.text);
            // Without + and / the two alphabets are one.
            assert_eq!(opened(&units(&case.uri)).map(|(_, text)| text).as_ref(), Some(&case.text));
            let blank = case.uri.replace('+', " ");
            assert_eq!(opened(&units(&blank)).map(|(_, text)| text).as_ref(), Some(&case.text));
        }
    }

    #[test]
    fn half_a_pair_in_a_packed_text_is_counted() {
        let text: Vec<u16> = [&units("[\"")[..], &[0xD8A0], &units("\"]")].concat();
        let opened = open(&lz_str::compress(text)).expect("it is JSON");
        assert_eq!((opened.text.as_str(), opened.lone_surrogates), ("[\"\u{FFFD}\"]", 1));
    }

    #[test]
    fn what_is_not_packed_stays() {
        for text in [
            "",
            "=",
            "====",
            "dark",
            "light",
            "toolBar",
            "SILENT",
            "1747318045",
            "Q",
            "QQ==",
            "true",
            "hello world",
            "me2ly6hqwxrfgnj0xjt",
            "TXN1761621246461",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln",
            "Zoë",
            "日本語のテキスト",
            "мотор",
            "naïve café",
            "🙂",
            "Ça va",
            "Été 2024",
            "안녕하세요",
        ] {
            assert_eq!(open(&units(text)), None, "{text}");
        }
        // Packed, but too short to be told from a word.
        assert_eq!(open(&lz_str::compress("dark")), None);
        assert_eq!(open(&units(&lz_str::compress_to_base64("7"))), None);
    }

    #[test]
    fn a_packed_text_that_is_cut_or_longer_than_it_can_be_stays() {
        let packed = lz_str::compress(format!("[{}0]", "0,".repeat(200_000)).as_str());
        assert_eq!(open(&packed), None, "{} units would become 400 000", packed.len());
        let whole = lz_str::compress("[1,2,3,4,5,6,7,8,9]");
        assert!(open(&whole).is_some());
        assert_eq!(open(whole.get(..whole.len() - 1).unwrap_or_default()), None);
        assert_eq!(open(&[&whole[..], &[1]].concat()), None);
    }

    proptest! {
        #[test]
        fn json_comes_back(texts in prop::collection::vec(".{0,40}", 0..20), again in 1_usize..30) {
            let repeated: Vec<&String> = (0..again).flat_map(|_| &texts).collect();
            let json = serde_json::to_string(&repeated).expect("texts are JSON");
            let came_back = |packed: &[u16]| opened(packed).map(|(_, text)| text);
            prop_assert_eq!(came_back(&lz_str::compress(json.as_str())), Some(json.clone()));
            prop_assert_eq!(came_back(&units(&lz_str::compress_to_utf16(json.as_str()))), Some(json.clone()));
            prop_assert_eq!(came_back(&units(&lz_str::compress_to_base64(json.as_str()))), Some(json.clone()));
            let uri = lz_str::compress_to_encoded_uri_component(json.as_str());
            prop_assert_eq!(came_back(&units(&uri)), Some(json.clone()));
        }

        #[test]
        fn no_id_and_no_text_is_opened(
            text in "[a-z0-9]{1,24}|[A-Za-z0-9_-]{21}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9+/]{4,200}={0,2}|\\PC{0,40}",
        ) {
            prop_assert_eq!(open(&units(&text)), None);
        }

        #[test]
        fn no_units_panic(units in prop::collection::vec(any::<u16>(), 0..200)) {
            let _ = open(&units);
        }

        #[test]
        fn no_damage_panics(at in any::<prop::sample::Index>(), unit in any::<u16>()) {
            let mut packed = lz_str::compress("[{\"a\":1},{\"a\":2},{\"a\":3},{\"a\":4}]");
            let at = at.index(packed.len());
            packed[at] = unit;
            let _ = open(&packed);
        }
    }
}
