//! The language a person is talked to in.
//!
//! Only what people read is translated. Names of tables, ids, codes and every JSON document are the same in
//! all languages. A phrase exists in every language or does not compile. Sentences that are made where
//! something fails stay English at their origin; `failures` and `reasons` know the common ones by their stable
//! names, `findings` what is found in a file by its English.

mod failures;
mod findings;
mod french;
mod phrases;
mod reasons;
mod sentence;

use std::fmt::Display;

use clap::ValueEnum;

use crate::report::{Media, Verification};

pub(crate) use failures::Told;
pub(crate) use phrases::Phrase;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Lang {
    /// English
    #[default]
    En,
    /// French
    Fr,
}

impl Lang {
    /// The language that `MIGRATOR_LANG` names, else that of the locale, by the first of the usual variables
    /// that is set: `LC_ALL`, `LC_MESSAGES`, `LANG`. English where none names a language we have.
    ///
    /// ```
    /// use migrator::lang::Lang;
    ///
    /// let french = |name: &str| (name == "LANG").then(|| "fr_CA.UTF-8".to_owned());
    /// assert_eq!(Lang::of(&french), Lang::Fr);
    /// ```
    pub fn of(variables: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name| variables(name).filter(|value| !value.is_empty());
        if let Some(named) = set("MIGRATOR_LANG").and_then(|name| Self::from_str(&name, true).ok()) {
            return named;
        }
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default();
        let language = locale.split(['_', '-', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("fr") { Self::Fr } else { Self::En }
    }

    /// The language's own name for itself in HTML.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// A phrase without a place to fill.
    pub(crate) fn say(self, phrase: Phrase) -> String {
        self.fill(phrase, &[])
    }

    /// A phrase with its places filled, in the plural where it has one.
    pub(crate) fn fill(self, phrase: Phrase, values: &[(&str, &dyn Display)]) -> String {
        filled(&self.set(form(phrase.in_(self), false)), values)
    }

    /// A phrase about a number of things, in the form the number asks for. `{n}` is the number.
    pub(crate) fn count(self, phrase: Phrase, count: usize) -> String {
        self.count_with(phrase, count, &[])
    }

    /// The same with more places to fill.
    pub(crate) fn count_with(self, phrase: Phrase, count: usize, values: &[(&str, &dyn Display)]) -> String {
        self.numbered(phrase, count, &self.number(count), values)
    }

    /// A phrase about as many things as a listing found.
    pub(crate) fn tally(self, phrase: Phrase, count: impl TryInto<usize>) -> String {
        self.tally_with(phrase, count, &[])
    }

    /// The same with more places to fill.
    pub(crate) fn tally_with(
        self,
        phrase: Phrase,
        count: impl TryInto<usize>,
        values: &[(&str, &dyn Display)],
    ) -> String {
        let count = count.try_into().unwrap_or(usize::MAX);
        self.numbered(phrase, count, &self.digits(count), values)
    }

    fn numbered(self, phrase: Phrase, count: usize, number: &str, values: &[(&str, &dyn Display)]) -> String {
        let form = form(phrase.in_(self), self.is_one(count));
        let mut all: Vec<(&str, &dyn Display)> = vec![("n", &number)];
        all.extend_from_slice(values);
        filled(&self.set(form), &all)
    }

    /// A whole number in a listing. In English its digits stay together, so that it can be searched for and
    /// cut out.
    pub(crate) fn digits(self, number: impl TryInto<usize>) -> String {
        let number = number.try_into().unwrap_or(usize::MAX);
        match self {
            Self::En => number.to_string(),
            Self::Fr => self.number(number),
        }
    }

    /// A whole number, its thousands set apart.
    pub(crate) fn number(self, number: usize) -> String {
        let digits = number.to_string();
        let separator = match self {
            Self::En => ',',
            Self::Fr => '\u{202f}',
        };
        let mut text = String::with_capacity(digits.len() * 2);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }

    /// A size in bytes.
    pub(crate) fn bytes(self, bytes: u64) -> String {
        let units = match self {
            Self::En => ["B", "KiB", "MiB", "GiB"],
            Self::Fr => ["o", "Kio", "Mio", "Gio"],
        };
        let (mut unit, mut divisor) = (0, 1_u64);
        while unit + 1 < units.len() && bytes >= divisor * 1_024 {
            (unit, divisor) = (unit + 1, divisor * 1_024);
        }
        self.measure(bytes, divisor, units[unit])
    }

    /// A time in milliseconds.
    pub(crate) fn time(self, milliseconds: u64) -> String {
        match milliseconds {
            0..1_000 => self.measure(milliseconds, 1, "ms"),
            1_000..60_000 => self.measure(milliseconds, 1_000, "s"),
            _ => {
                let (minutes, seconds) = (milliseconds / 60_000, milliseconds / 1_000 % 60);
                format!("{minutes}\u{a0}min {seconds}\u{a0}s")
            }
        }
    }

    /// Tenths are shown below ten, where there can be any.
    fn measure(self, amount: u64, divisor: u64, unit: &str) -> String {
        let tenths = u64::try_from(u128::from(amount) * 10 / u128::from(divisor)).unwrap_or(u64::MAX);
        let whole = self.number(usize::try_from(tenths / 10).unwrap_or(usize::MAX));
        if divisor == 1 || tenths >= 100 {
            return format!("{whole}\u{a0}{unit}");
        }
        let comma = match self {
            Self::En => '.',
            Self::Fr => ',',
        };
        format!("{whole}{comma}{}\u{a0}{unit}", tenths % 10)
    }

    /// What was compared afterwards, a sentence each.
    pub(crate) fn verification(self, verify: &Verification) -> Vec<String> {
        if verify.rows == 0 {
            return Vec::new();
        }
        let equal =
            |phrase, equal: usize, all| self.count_with(phrase, all, &[("equal", &self.number(equal))]);
        let mut parts = vec![equal(Phrase::RowsEqual, verify.equal, verify.rows)];
        if verify.tables > 0 {
            parts.push(equal(Phrase::DigestsEqual, verify.equal_digests, verify.tables));
        }
        parts.push(self.count(Phrase::OrphansFound, verify.orphans));
        parts.extend(verify.visible_to_owner.map(|rows| self.count(Phrase::VisibleToOwner, rows)));
        parts
    }

    /// What went to Storage.
    pub(crate) fn media(self, media: &Media) -> String {
        let (size, there) = (self.bytes(media.bytes), self.number(media.already_there));
        self.count_with(Phrase::MediaSent, media.uploaded, &[("size", &size), ("there", &there)])
    }

    /// French counts zero as one.
    fn is_one(self, count: usize) -> bool {
        match self {
            Self::En => count == 1,
            Self::Fr => count < 2,
        }
    }

    fn set(self, text: &str) -> String {
        match self {
            Self::En => text.to_owned(),
            Self::Fr => french::set(text),
        }
    }
}

/// The singular or the plural of a text that has both, with a bar between.
fn form(text: &str, one: bool) -> &str {
    match text.split_once('|') {
        Some((single, _)) if one => single,
        Some((_, plural)) => plural,
        None => text,
    }
}

fn filled(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Read once from left to right, so that a value with braces in it is not filled again.
    while let Some((before, name, after)) = place(rest) {
        out.push_str(before);
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            out.push_str(&value.to_string());
        }
        rest = after;
    }
    out + rest
}

/// The first place of a text: what stands before it, its name, and what stands after it.
fn place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, inside) = text.split_once('{')?;
    let (name, after) = inside.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let cases = [
            (&[][..], Lang::En),
            (&[("LANG", "fr_FR.UTF-8")], Lang::Fr),
            (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")], Lang::En),
            (&[("LANG", "fr"), ("LC_ALL", "")], Lang::Fr),
            (&[("LC_MESSAGES", "fr_BE@euro"), ("LANG", "en_GB")], Lang::Fr),
            (&[("LANG", "fry_NL")], Lang::En),
            (&[("LANG", "fr_FR"), ("MIGRATOR_LANG", "en")], Lang::En),
            (&[("LANG", "fr_FR"), ("MIGRATOR_LANG", "")], Lang::Fr),
            (&[("MIGRATOR_LANG", "de")], Lang::En),
        ];
        for (set, lang) in cases {
            let variables =
                |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(Lang::of(&variables), lang, "{set:?}");
        }
    }

    #[test]
    fn numbers_are_written_as_the_language_writes_them() {
        for (number, english, french) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1\u{202f}000"),
            (1_234_567, "1,234,567", "1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!(
                (Lang::En.number(number), Lang::Fr.number(number)),
                (english.to_owned(), french.to_owned())
            );
        }
        assert_eq!(Lang::En.bytes(4_300_000), "4.1\u{a0}MiB");
        assert_eq!(Lang::Fr.bytes(4_300_000), "4,1\u{a0}Mio");
        assert_eq!(Lang::Fr.bytes(512), "512\u{a0}o");
        assert_eq!(Lang::En.bytes(u64::MAX), "17,179,869,183\u{a0}GiB");
        assert_eq!(
            (Lang::Fr.time(2_100), Lang::En.time(200_000)),
            ("2,1\u{a0}s".to_owned(), "3\u{a0}min 20\u{a0}s".to_owned())
        );
    }

    #[test]
    fn the_number_chooses_the_form() {
        let said = |lang: Lang, count| lang.count(Phrase::RecordsRejected, count);
        assert_eq!(said(Lang::En, 0), "0 records rejected");
        assert_eq!(said(Lang::En, 1), "1 record rejected");
        assert_eq!(said(Lang::Fr, 0), "0 enregistrement rejeté");
        assert_eq!(said(Lang::Fr, 2_000), "2\u{202f}000 enregistrements rejetés");
    }

    #[test]
    fn a_value_is_not_filled_again() {
        assert_eq!(filled("{a} and {b}", &[("a", &"{b}"), ("b", &"x")]), "{b} and x");
        assert_eq!(filled("an open { brace", &[]), "an open { brace");
    }
}
