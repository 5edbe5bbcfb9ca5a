//! Integers and decimals, exactly.
//!
//! A digit goes only where the mapping allows it: `round = "float_artifact"` takes the
//! dust a binary float leaves (`370.18000000000006`), and never a digit somebody typed.

use std::borrow::Cow;

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Coercion, Converted, Refusal};
use crate::cell::{Cell, Size, Type};
use crate::mapping::{Column, NumberStyle, Round};
use crate::node::Node;
use crate::number::Number;

/// A float spells its error from the fifteenth digit on.
const ARTIFACT_DIGITS: usize = 15;

/// How small an error is, compared with the number: sums of many floats stay below it.
const ARTIFACT_SHARE: Decimal = Decimal::from_parts(1, 0, 0, false, 13);

/// The power of ten below which a number is what is left of zero.
const SMALLEST: i64 = -12;

pub(super) fn read(column: &Column, value: &Node) -> Result<Converted, Refusal> {
    let (number, coercion) = match value {
        Node::Number(number) => (number.clone(), None),
        Node::Text(text) => (typed(text, column.reading.number)?, Some(Coercion::NumberFromText)),
        Node::Null | Node::Bool(_) | Node::List(_) | Node::Map(_) => {
            return Err(Refusal::wrong_kind(value, column.kind));
        }
    };
    let mut converted = match column.kind {
        Type::Int4 => integer(&number, i64::from(i32::MIN)..=i64::from(i32::MAX), column.kind)?,
        Type::Int8 => integer(&number, i64::MIN..=i64::MAX, column.kind)?,
        Type::Numeric(None) => Converted::new(Cell::Numeric(decimal(&number)?)),
        Type::Numeric(Some(size)) => sized(&number, size, column.reading.round)?,
        Type::Text
        | Type::Bool
        | Type::Date
        | Type::Timestamptz
        | Type::Uuid
        | Type::Jsonb
        | Type::TextArray => return Err(Refusal::wrong_kind(value, column.kind)),
    };
    converted.coercions.extend(coercion);
    Ok(converted)
}

fn typed(text: &str, style: Option<NumberStyle>) -> Result<Number, Refusal> {
    let plain = match style {
        None => Cow::Borrowed(text.trim()),
        Some(NumberStyle::Fr) => french(text)?,
    };
    Number::parse(&plain).ok_or_else(|| {
        Refusal::new(
            "not_a_number",
            "the text is no number",
            "write number = \"fr\" if the app spells 1 234,56, or map the field to a text column",
        )
    })
}

/// `1 234,56` with any kind of blank between the thousands.
fn french(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let close: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let behind_point = close.split_once('.').map(|(_, behind)| behind);
    if close.contains(',') && behind_point.is_some() || behind_point.is_some_and(|behind| behind.len() == 3) {
        return Err(Refusal::new(
            "number_ambiguous",
            "the point may stand for thousands or for decimals",
            "correct the number in the app, or in a copy of the file",
        ));
    }
    Ok(Cow::Owned(close.replace(',', ".")))
}

fn decimal(number: &Number) -> Result<Decimal, Refusal> {
    number.to_decimal().ok_or_else(|| {
        Refusal::new(
            "number_too_long",
            "the number has more than 28 digits",
            "map the field to a text column",
        )
    })
}

fn integer(number: &Number, range: std::ops::RangeInclusive<i64>, kind: Type) -> Result<Converted, Refusal> {
    let decimal = decimal(number)?;
    if !decimal.is_integer() {
        return Err(Refusal::new(
            "not_an_integer",
            "the number has decimals",
            "map the field to a numeric column",
        ));
    }
    match i64::try_from(decimal) {
        Ok(value) if range.contains(&value) => Ok(Converted::new(Cell::Int(value))),
        _ => Err(Refusal::new(
            "integer_overflow",
            format!("the number is out of range for {kind}"),
            "map the field to int8 or numeric",
        )),
    }
}

fn sized(number: &Number, size: Size, round: Option<Round>) -> Result<Converted, Refusal> {
    let rounded = match round {
        Some(Round::FloatArtifact) => without_artifact(number, size.scale),
        None => None,
    };
    let converted = match rounded {
        Some(rounded) => Converted::by(Cell::Numeric(rounded), Coercion::FloatArtifactRounded),
        None => Converted::new(Cell::Numeric(decimal(number)?)),
    };
    let Cell::Numeric(value) = &converted.cell else { return Ok(converted) };
    if value.normalize().scale() > size.scale {
        return Err(Refusal::new(
            "numeric_scale",
            format!("the number has more than {} decimals", size.scale),
            "widen the column; float dust goes with round = \"float_artifact\"",
        ));
    }
    let whole_digits = size.precision - size.scale;
    let whole = value.trunc().abs();
    if !whole.is_zero() && whole.to_string().len() > whole_digits as usize {
        return Err(Refusal::new(
            "numeric_overflow",
            format!("the number has more than {whole_digits} digits before its point"),
            "widen the column",
        ));
    }
    Ok(converted)
}

/// True for a number that is float dust beside one with at most so many decimals.
pub(crate) fn is_dusty(number: &Number, scale: u32) -> bool {
    without_artifact(number, scale).is_some()
}

/// The number a program meant, when what it wrote is that number and a float's error.
fn without_artifact(number: &Number, scale: u32) -> Option<Decimal> {
    if number.significant_digits() < ARTIFACT_DIGITS {
        return None;
    }
    if number.magnitude() < SMALLEST {
        return Some(Decimal::ZERO);
    }
    // Digits behind the twenty-eighth are rounded here; they cannot matter.
    let exact: Decimal = number.canonical().parse().ok()?;
    let meant = exact.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero);
    let error = (exact - meant).abs();
    let allowed = exact.abs().checked_mul(ARTIFACT_SHARE)?;
    (!error.is_zero() && error <= allowed).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;
    use crate::mapping::Reading;

    #[test]
    fn a_number_is_stored_exactly_or_refused() {
        for (kind, json, expected) in [
            ("int4", "2016", "2016 "),
            ("int4", "\"2016\"", "2016 number_from_text"),
            ("int4", "60.0", "60 "),
            ("int4", "210000.5", "not_an_integer"),
            ("int4", "1754904169902", "integer_overflow"),
            ("int8", "1754904169902", "1754904169902 "),
            ("int8", "9223372036854775808", "integer_overflow"),
            ("numeric", "-2024.097334590293", "\"-2024.097334590293\" "),
            ("numeric", "1e400", "number_too_long"),
            ("numeric(12,2)", "\"95.50\"", "\"95.5\" number_from_text"),
            ("numeric(12,2)", "12.345", "numeric_scale"),
            ("numeric(12,2)", "370.18000000000006", "numeric_scale"),
            ("numeric(4,2)", "100", "numeric_overflow"),
            ("numeric(4,2)", "-99.99", "\"-99.99\" "),
            ("numeric(12,2)", "\"1,80\"", "not_a_number"),
            ("numeric(12,2)", "\"\"", "null empty_as_null"),
            ("numeric(12,2)", "true", "wrong_kind"),
        ] {
            assert_eq!(outcome(kind, Reading::default(), json), expected, "{kind} {json}");
        }
    }

    #[test]
    fn only_dust_is_rounded() {
        let reading = || Reading { round: Some(Round::FloatArtifact), ..Reading::default() };
        for (json, expected) in [
            ("370.18000000000006", "\"370.18\" float_artifact_rounded"),
            ("19.989999999999998", "\"19.99\" float_artifact_rounded"),
            ("-0.30000000000000004", "\"-0.30\" float_artifact_rounded"),
            ("5.551115123125783e-17", "\"0\" float_artifact_rounded"),
            ("1.5e-17", "numeric_scale"),
            ("12.345", "numeric_scale"),
            ("12.345678901234567", "numeric_scale"),
            ("370.18", "\"370.18\" "),
        ] {
            assert_eq!(outcome("numeric(12,2)", reading(), json), expected, "{json}");
        }
    }

    #[test]
    fn french_numbers_are_read_where_declared() {
        let reading = || Reading { number: Some(NumberStyle::Fr), ..Reading::default() };
        for (json, expected) in [
            ("\"1 234,56\"", "\"1234.56\" number_from_text"),
            ("\"84\u{202F}200\"", "\"84200\" number_from_text"),
            ("\"95.50\"", "\"95.5\" number_from_text"),
            ("\"1.500\"", "number_ambiguous"),
            ("\"1.500,00\"", "number_ambiguous"),
        ] {
            assert_eq!(outcome("numeric(12,2)", reading(), json), expected, "{json}");
        }
    }
}
