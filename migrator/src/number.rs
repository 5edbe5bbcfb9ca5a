//! A number is its text.
//!
//! JSON numbers never pass through a float here: `370.18000000000006`, `12345678901234567890`
//! and `1.0` arrive as they stand in the file. Two numbers are equal when their values are.

use rust_decimal::Decimal;

/// A number as the text that spells it; always valid JSON.
#[derive(Debug, Clone)]
pub struct Number(Box<str>);

/// The value: `digits` × 10^`exponent`, without zeros at either end. Zero has no digits.
#[derive(PartialEq, Eq)]
struct Value {
    negative: bool,
    digits: String,
    exponent: i64,
}

/// Beyond this many zeros a number is written with an exponent.
const LONGEST_PLAIN: i64 = 40;

impl Number {
    /// Takes a number token that a JSON parser has accepted.
    pub(crate) fn from_json(token: &str) -> Self {
        Self(token.into())
    }

    /// Reads a number somebody typed: a sign, digits, a point, an exponent.
    pub fn parse(text: &str) -> Option<Self> {
        is_number(text).then(|| Self(Self(text.into()).canonical().into()))
    }

    /// The text as the file has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One spelling per value: `7`, `7.0` and `70e-1` are all `7`.
    pub fn canonical(&self) -> String {
        self.value().spell()
    }

    /// The exact value, or nothing when it has more than 28 digits.
    pub fn to_decimal(&self) -> Option<Decimal> {
        Decimal::from_str_exact(&self.canonical()).ok()
    }

    /// How many digits the value has before and after its point, zeros at the ends left out.
    pub(crate) fn significant_digits(&self) -> usize {
        self.value().digits.len()
    }

    /// The power of ten of the first digit.
    pub(crate) fn magnitude(&self) -> i64 {
        let value = self.value();
        value.exponent.saturating_add(count(&value.digits))
    }

    fn value(&self) -> Value {
        let (negative, unsigned) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, self.0.strip_prefix('+').unwrap_or(&self.0)),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let kept = digits.trim_end_matches('0');
        let moved = count(&digits) - count(kept);
        let digits = kept.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Value { negative: false, digits, exponent: 0 };
        }
        let exponent = saturating_exponent(exponent).saturating_sub(count(fraction)).saturating_add(moved);
        Value { negative, digits, exponent }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.value() == other.value()
    }
}

impl Eq for Number {}

impl Value {
    fn spell(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let length = count(&self.digits);
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        match self.exponent {
            _ if self.digits.is_empty() => "0".to_owned(),
            up @ 0..=LONGEST_PLAIN => format!("{sign}{}{}", self.digits, zeros(up)),
            down if down < 0 && -down < length => {
                let (whole, fraction) =
                    self.digits.split_at(self.digits.len() - down.unsigned_abs() as usize);
                format!("{sign}{whole}.{fraction}")
            }
            down if down < 0 && -down <= length + LONGEST_PLAIN => {
                format!("{sign}0.{}{}", zeros(-down - length), self.digits)
            }
            far => format!("{sign}{}e{far}", self.digits),
        }
    }
}

fn count(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

fn is_number(text: &str) -> bool {
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    !whole.is_empty()
        && !fraction.is_empty()
        && all_digits(whole)
        && all_digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent))
}

/// An exponent too long to count is as good as the largest one.
fn saturating_exponent(text: &str) -> i64 {
    let limit = i64::MAX / 4;
    match text.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-limit, limit),
        Err(_) if text.starts_with('-') => -limit,
        Err(_) => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_value_has_one_spelling() {
        let spelt = |text: &str| Number::parse(text).map(|number| number.canonical());
        for (text, canonical) in [
            ("7", "7"),
            ("7.0", "7"),
            ("70e-1", "7"),
            ("+7", "7"),
            ("-0.0", "0"),
            ("0.05", "0.05"),
            ("1.50", "1.5"),
            ("-1200", "-1200"),
            ("5e-324", "5e-324"),
            ("1E400", "1e400"),
            ("1e99999999999999999999", "1e2305843009213693951"),
        ] {
            assert_eq!(spelt(text).as_deref(), Some(canonical), "{text}");
        }
        for text in ["", "+", ".5", "5.", "1,5", "1e", "0x1", "1 000", "NaN", "٣"] {
            assert_eq!(spelt(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_spelling_keeps_the_value(units in any::<i64>(), scale in 0_u32..20) {
            let decimal = Decimal::from_i128_with_scale(i128::from(units), scale);
            let number = Number::parse(&decimal.to_string()).expect("a decimal prints as a number");
            prop_assert_eq!(number.to_decimal(), Some(decimal));
            prop_assert_eq!(Number::from_json(&number.canonical()), number);
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,40}") {
            let _ = Number::parse(&text).map(|number| (number.canonical(), number.to_decimal()));
        }
    }
}
