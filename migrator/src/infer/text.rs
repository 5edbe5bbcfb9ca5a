//! What one text looks like: a date, an id, a picture, nothing in particular.
//!
//! Every look is asked of every text, so that a column can be decided by what all of its
//! values have in common and never by the first of them.

use crate::convert::{self, Spelling};
use crate::mapping::DateFormat;
use crate::number::Number;

/// The longest text that may be a word people choose from a list.
const LONGEST_WORD: usize = 24;

/// A look that texts may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Look {
    /// `2025-08-11`.
    IsoDay,
    /// `2025-08-11T09:00:00`, without a zone.
    IsoLocal,
    /// `2025-08-11T09:00:00Z`.
    IsoInstant,
    /// Reads as day, month, year.
    Dmy,
    /// Reads as month, day, year.
    Mdy,
    /// `2025/8/1`: year, month, day, and no ISO.
    Ymd,
    /// `Mon Aug 11 2025 09:30:00 GMT+0200`, as JavaScript turns a date into a text.
    Js,
    /// Day and month in numbers, with a time of day.
    NumberedTime,
    /// `Invalid Date`, `-`: a text that says there is no date.
    NoDate,
    /// Digits that count seconds or milliseconds since 1970.
    Epoch,
    /// `true` or `false`.
    BoolWord,
    /// A number as JSON would spell it.
    Number,
    /// A whole number as JSON would spell it.
    Integer,
    /// Digits with a zero or a plus before them.
    Padded,
    /// Eleven digits or more.
    LongDigits,
    /// `1 234,56`.
    FrenchNumber,
    /// `1.500.000`.
    GroupedNumber,
    /// An RFC 4122 UUID.
    Uuid,
    /// Capitals or small letters and digits, as `Math.random().toString(36)` makes them.
    Base36,
    /// Letters before a number of at least nine digits, as `BK1704900000001`.
    PrefixTime,
    /// Parts joined by `-`, `_`, `:` or blanks, some of them digits.
    Composite,
    /// An address for mail.
    Email,
    /// A web address.
    Url,
    /// A file in Base64.
    DataUrl,
    /// A list or an object, as JSON.
    Json,
    /// UTF-8 that was read as Latin-1 once.
    Mojibake,
    /// U+FFFD: something that could not be read.
    Replacement,
    /// A token or a key.
    Secret,
    /// Characters of lz-string, packed.
    Packed,
    /// Short and without digits: what people choose from a list.
    Word,
}

/// The looks there are.
pub(crate) const LOOKS: usize = Look::Word as usize + 1;

/// Calls `found` with every look a text has.
pub(crate) fn looks(text: &str, mut found: impl FnMut(Look)) {
    if let Some(rest) = text.strip_prefix("data:") {
        let head = rest.split(',').next().unwrap_or_default();
        if head.len() < 100 && (head.ends_with(";base64") || head.contains('/')) {
            return found(Look::DataUrl);
        }
    }
    if crate::secret::is_secret_text(text) {
        found(Look::Secret);
    }
    let trimmed = text.trim();
    if trimmed.starts_with(['{', '[']) && trimmed.ends_with(['}', ']']) {
        found(Look::Json);
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        found(Look::Replacement);
    }
    if is_mojibake(text) {
        found(Look::Mojibake);
    }
    if is_packed(text) {
        found(Look::Packed);
    }
    if trimmed.len() <= 64 {
        dates(trimmed, &mut found);
        numbers(trimmed, &mut found);
        ids(trimmed, &mut found);
    }
    if trimmed.starts_with("http://") || trimmed.starts_with("https://") {
        found(Look::Url);
    }
    if is_email(trimmed) {
        found(Look::Email);
    }
    if is_word(text) {
        found(Look::Word);
    }
}

/// The type a data URL declares, if it is spelt like one.
pub(crate) fn mime(data_url: &str) -> &str {
    let head = data_url.strip_prefix("data:").unwrap_or_default();
    let mime = head.split([';', ',']).next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'+' | b'.');
    if mime.contains('/') && mime.len() <= 64 && mime.bytes().all(plain) { mime } else { "unknown" }
}

/// A whole number of milliseconds between 2000 and 2100, or of seconds where these are asked for.
pub(crate) fn is_epoch(number: &Number, seconds: bool) -> bool {
    let Some(value) = number.to_decimal() else { return false };
    let within = |from: i64, to: i64| value >= from.into() && value <= to.into();
    within(946_684_800_000, 4_102_444_800_000) || seconds && within(946_684_800, 4_102_444_800)
}

fn dates(text: &str, found: &mut impl FnMut(Look)) {
    if convert::says_no_date(text) {
        found(Look::NoDate);
    }
    match convert::spelling(text, DateFormat::Iso) {
        Some(Spelling::Day) => found(Look::IsoDay),
        Some(Spelling::Local) => found(Look::IsoLocal),
        Some(Spelling::Instant) => found(Look::IsoInstant),
        None if convert::spelling(text, DateFormat::Ymd).is_some() => found(Look::Ymd),
        None if convert::spelling(text, DateFormat::Js).is_some() => found(Look::Js),
        None => {}
    }
    let (dmy, mdy) = (convert::spelling(text, DateFormat::Dmy), convert::spelling(text, DateFormat::Mdy));
    if dmy.is_some() {
        found(Look::Dmy);
    }
    if mdy.is_some() {
        found(Look::Mdy);
    }
    if dmy.or(mdy) == Some(Spelling::Local) {
        found(Look::NumberedTime);
    }
    if matches!(text.to_ascii_lowercase().as_str(), "true" | "false") {
        found(Look::BoolWord);
    }
}

fn numbers(text: &str, found: &mut impl FnMut(Look)) {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let padded = text.starts_with('+')
        || unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned.starts_with("0.");
    if let Some(number) = Number::parse(text) {
        if padded {
            found(Look::Padded);
        } else {
            found(Look::Number);
            if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
                found(Look::Integer);
            }
        }
        if is_epoch(&number, false) {
            found(Look::Epoch);
        }
    }
    if digits && text.len() >= 11 {
        found(Look::LongDigits);
    }
    let close: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((whole, decimals)) = close.split_once(',')
        && all_digits(whole.strip_prefix('-').unwrap_or(whole))
        && all_digits(decimals)
    {
        found(Look::FrenchNumber);
    }
    let mut groups = close.split('.');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    if rest.len() > 1 && all_digits(first) && rest.iter().all(|group| group.len() == 3 && all_digits(group)) {
        found(Look::GroupedNumber);
    }
}

fn ids(text: &str, found: &mut impl FnMut(Look)) {
    if text.len() == 36 && uuid::Uuid::try_parse(text).is_ok() {
        return found(Look::Uuid);
    }
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let behind = text.get(letters..).unwrap_or_default().trim_start_matches(['-', '_']);
    if letters > 0 && behind.bytes().take_while(u8::is_ascii_digit).count() >= 9 {
        return found(Look::PrefixTime);
    }
    if text.len() >= 8
        && digits > 0
        && letters < text.len()
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
        && digits < text.len()
    {
        return found(Look::Base36);
    }
    if digits > 0 && text.contains(['-', '_', ':']) {
        found(Look::Composite);
    }
}

/// `é` that became `Ã©`: a lead byte of UTF-8 read as a letter, and what may follow one.
fn is_mojibake(text: &str) -> bool {
    text.chars().zip(text.chars().skip(1)).any(|(lead, next)| {
        let follows =
            matches!(next, '\u{80}'..='\u{BF}' | '€' | '‚' | '„' | '…' | '™' | '“' | '”' | '‘' | '’');
        matches!(lead, 'Ã' | 'Â' | 'Ø' | 'Ù' | 'Ð' | 'Ñ') && follows
            || lead == 'â' && matches!(next, '€' | '\u{80}')
    })
}

/// What lz-string makes for UTF-16 storage, or for Base64 of an object or a list.
fn is_packed(text: &str) -> bool {
    let strange = |character: char| matches!(u32::from(character), 0x20..=0x801F);
    let length = text.chars().take(64).count();
    if length < 8 {
        return false;
    }
    let rare = text.chars().take(64).filter(|character| is_rare(*character)).count();
    text.chars().take(64).all(strange) && rare * 4 > length
        || ["NobwR", "N4Ig", "NoXS", "Q4B"].iter().any(|head| text.starts_with(head))
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-$=".contains(&byte))
}

/// A character of a block that no language shares with its neighbours in one word.
fn is_rare(character: char) -> bool {
    matches!(u32::from(character), 0x1400..=0x1CFF | 0x2440..=0x2BFF | 0x3400..=0x4DBF | 0xA000..=0xABFF)
}

fn is_email(text: &str) -> bool {
    text.len() <= 254
        && text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && host.contains('.')
                && !host.contains('@')
                && !text.contains(char::is_whitespace)
        })
}

fn is_word(text: &str) -> bool {
    let length = text.chars().count();
    (1..=LONGEST_WORD).contains(&length)
        && text.chars().all(|character| character.is_alphabetic() || matches!(character, '_' | '-' | ' '))
        && text.split([' ', '_', '-']).count() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<Look> {
        let mut found = Vec::new();
        looks(text, |look| found.push(look));
        found
    }

    #[test]
    fn a_text_has_the_looks_it_has() {
        for (text, look) in [
            ("2025-08-11", Look::IsoDay),
            ("2026-05-15T15:50:56.788208", Look::IsoLocal),
            ("2025-08-11T09:00:00.000Z", Look::IsoInstant),
            ("2025-10-1", Look::Ymd),
            ("Mon Aug 11 2025 09:30:00 GMT+0200 (CEST)", Look::Js),
            ("31/12/2025", Look::Dmy),
            ("12/31/2025", Look::Mdy),
            ("29/08/2026 13:24", Look::NumberedTime),
            ("Invalid Date", Look::NoDate),
            ("1754904169902", Look::Epoch),
            ("007", Look::Padded),
            ("+33612345678", Look::Padded),
            ("99999999901", Look::LongDigits),
            ("1 234,56", Look::FrenchNumber),
            ("1.500.000", Look::GroupedNumber),
            ("6f6de5a8-9a7f-4a52-9a8d-6c8f3f1b1f7a", Look::Uuid),
            ("me2ly6hqwxrfgnj0xjt", Look::Base36),
            ("BK1704900000001", Look::PrefixTime),
            ("room2-desk2-2025-09-08", Look::Composite),
            ("a@b.fr", Look::Email),
            ("https://x.fr/a", Look::Url),
            ("data:image/png;base64,AAAA", Look::DataUrl),
            ("[{\"a\":1}]", Look::Json),
            ("LefÃ¨vre", Look::Mojibake),
            ("en_cours", Look::Word),
        ] {
            assert!(all(text).contains(&look), "{text}: {:?}", all(text));
        }
        assert!(!all("12/31/2025").contains(&Look::Dmy));
        assert!(!all("0.5").contains(&Look::Padded));
        assert!(!all("Zoé déjà là").contains(&Look::Mojibake));
        assert!(!all("서울의 카페와 음식점").contains(&Look::Packed));
        assert_eq!(mime("data:image/jpeg;base64,AA"), "image/jpeg");
        assert_eq!(mime("data:a b,AA"), "unknown");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = all(&text);
            let _ = mime(&text);
        }
    }
}
