//! The text of a number, as people write it.
//!
//! Thousands stand in groups of three, all parted by the same mark; a text where a mark may
//! mean either thousands or decimals is refused, never guessed. A currency beside the number
//! goes only where the mapping names it, and only if it is that one.

use super::Refusal;
use crate::mapping::{NumberStyle, Reading};
use crate::number::Number;

/// How people write a currency, beside its code, in small letters.
const SIGNS: [(&str, &[&str]); 24] = [
    ("AUD", &["$", "a$", "au$"]),
    ("BRL", &["r$"]),
    ("CAD", &["$", "c$", "ca$", "$ca"]),
    ("CHF", &["fr", "fr.", "sfr", "sfr."]),
    ("CNY", &["¥", "元"]),
    ("CZK", &["kč"]),
    ("DKK", &["kr", "kr."]),
    ("DZD", &["da"]),
    ("EUR", &["€", "euro", "euros"]),
    ("GBP", &["£"]),
    ("INR", &["₹", "rs", "rs."]),
    ("JPY", &["¥", "円"]),
    ("KRW", &["₩", "원"]),
    ("KZT", &["₸"]),
    ("MAD", &["dh", "dhs"]),
    ("NOK", &["kr", "kr."]),
    ("PLN", &["zł"]),
    ("RUB", &["₽", "руб", "руб."]),
    ("SEK", &["kr", "kr."]),
    ("TRY", &["₺", "tl"]),
    ("UAH", &["₴", "грн", "грн."]),
    ("USD", &["$", "us$", "$us"]),
    ("VND", &["₫", "đ"]),
    ("XOF", &["cfa", "fcfa", "f cfa"]),
];

/// Reads the text of a number in the spelling its column declares.
pub(super) fn read(text: &str, reading: &Reading) -> Result<Number, Refusal> {
    let (text, sign) = unsigned(text.trim());
    let (text, sign) = match &reading.money {
        None => (text, sign),
        Some(currency) => {
            let amount = without_currency(text, currency)?;
            // `€ -12` as well as `-12 €`.
            if sign.is_empty() { unsigned(amount) } else { (amount, sign) }
        }
    };
    let plain = match reading.number {
        None => text.to_owned(),
        Some(style) => grouped(text, style)?,
    };
    Number::parse(&format!("{sign}{plain}")).ok_or_else(|| {
        Refusal::new(
            "not_a_number",
            "the text is no number",
            "write number = \"fr\" for 1 234,56, \"en\" for 1,234.56, \"de\" for 1.234,56, and money = \"EUR\" for 12 €",
        )
    })
}

/// The text and its sign, which may be the one typographers use.
fn unsigned(text: &str) -> (&str, &'static str) {
    match text.strip_prefix(['-', '−']) {
        Some(rest) => (rest.trim_start(), "-"),
        None => (text, ""),
    }
}

fn without_currency<'t>(text: &'t str, currency: &str) -> Result<&'t str, Refusal> {
    let is_digit = |character: char| character.is_ascii_digit();
    let (Some(first), Some(last)) = (text.find(is_digit), text.rfind(is_digit)) else { return Ok(text) };
    let (before, after) = (text.get(..first).unwrap_or_default(), text.get(last + 1..).unwrap_or_default());
    let unsigned = before.trim_end_matches(['-', '−']);
    for beside in [unsigned.trim(), after.trim()] {
        if !beside.is_empty() && !is_currency(beside, currency) {
            return Err(Refusal::new(
                "currency_mismatch",
                format!("what stands beside the number is not {currency}"),
                "correct the number in a copy of the file, or map the field to a text column",
            ));
        }
    }
    Ok(text.get(unsigned.len()..=last).unwrap_or(text).trim())
}

fn is_currency(beside: &str, currency: &str) -> bool {
    let small = beside.to_lowercase();
    let signs = SIGNS.iter().find(|(code, _)| *code == currency).map_or(&[][..], |(_, signs)| signs);
    beside.eq_ignore_ascii_case(currency) || signs.contains(&small.as_str())
}

/// A number without its thousands' marks, and with a point before its decimals.
fn grouped(text: &str, style: NumberStyle) -> Result<String, Refusal> {
    let (decimals, thousands) = match style {
        NumberStyle::Fr => (',', None),
        NumberStyle::En => ('.', Some(',')),
        NumberStyle::De => (',', Some('.')),
    };
    let (whole, fraction) = match text.split_once(decimals) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        // Whoever writes 1 234,56 writes 95.50 too, and nobody knows what 1.500 is.
        None if style == NumberStyle::Fr => match text.rsplit_once('.') {
            Some((_, fraction)) if fraction.len() == 3 => return Err(ambiguous()),
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        },
        None => (text, None),
    };
    let is_mark = |character: char| {
        character.is_whitespace() || matches!(character, '\'' | '’') || Some(character) == thousands
    };
    let mut marks = whole.matches(is_mark);
    let mark = marks.next();
    let mut groups = whole.split(is_mark);
    let first = groups.next().unwrap_or_default();
    let in_threes = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    if mark.is_some() && !(in_threes && marks.all(|other| Some(other) == mark)) {
        return Err(ambiguous());
    }
    let digits: String = whole.split(is_mark).collect();
    if style == NumberStyle::Fr && fraction.is_some() && digits.contains('.') {
        return Err(ambiguous());
    }
    Ok(match fraction {
        Some(fraction) => format!("{digits}.{fraction}"),
        None => digits,
    })
}

fn ambiguous() -> Refusal {
    Refusal::new(
        "number_ambiguous",
        "a mark in the number may part thousands or decimals",
        "correct the number in the app, or in a copy of the file",
    )
}
