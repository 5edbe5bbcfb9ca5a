//! Integers and decimals, exactly.
//!
//! A digit goes only where the mapping allows it: `round = "float_artifact"` takes the
//! dust a binary float leaves (`370.18000000000006`), and never a digit somebody typed.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Coercion, Converted, Refusal, numeral};
use crate::cell::{Cell, Size, Type};
use crate::mapping::{Column, Round};
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
        Node::Text(text) => (numeral::read(text, &column.reading)?, Some(Coercion::NumberFromText)),
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
    use crate::mapping::{NumberStyle, Reading};
    use proptest::prelude::*;

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

    #[track_caller]
    fn reads(reading: &Reading, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            let json = serde_json::to_string(text).expect("a text is JSON");
            let expected = match expected.parse::<Decimal>() {
                Ok(number) => format!("\"{}\" number_from_text", number.normalize()),
                Err(_) => (*expected).to_owned(),
            };
            assert_eq!(outcome("numeric(12,2)", reading.clone(), &json), expected, "{text}");
        }
    }

    fn in_style(number: NumberStyle) -> Reading {
        Reading { number: Some(number), ..Reading::default() }
    }

    #[test]
    fn people_write_numbers_in_more_than_one_way() {
        reads(
            &in_style(NumberStyle::Fr),
            &[
                ("1 234,56", "1234.56"),
                ("84\u{202F}200", "84200"),
                ("-1\u{A0}234\u{A0}567,8", "-1234567.8"),
                ("−12,5", "-12.5"),
                ("95.50", "95.50"),
                ("1.500", "number_ambiguous"),
                ("1.500,00", "number_ambiguous"),
                ("1.500.000", "number_ambiguous"),
                ("12 34,5", "number_ambiguous"),
                ("12,5,6", "not_a_number"),
            ],
        );
        reads(
            &in_style(NumberStyle::En),
            &[
                ("1,234.56", "1234.56"),
                ("1'234.50", "1234.50"),
                ("12.345", "numeric_scale"),
                ("1,80", "number_ambiguous"),
                ("1,234,56", "number_ambiguous"),
                ("1,234'567", "number_ambiguous"),
                (",234", "number_ambiguous"),
            ],
        );
        reads(
            &in_style(NumberStyle::De),
            &[
                ("1.234,56", "1234.56"),
                ("1.500.000", "1500000"),
                ("1,5", "1.5"),
                ("1.5", "number_ambiguous"),
                ("1,234.56", "not_a_number"),
                ("", "null empty_as_null"),
                ("n/a", "null sentinel_as_null"),
            ],
        );
    }

    #[test]
    fn a_currency_goes_where_it_is_the_one_declared() {
        let euros = Reading { money: Some("EUR".to_owned()), ..in_style(NumberStyle::Fr) };
        reads(
            &euros,
            &[
                ("1 234,56 €", "1234.56"),
                ("€12", "12"),
                ("EUR 12,50", "12.50"),
                ("-12,50 eur", "-12.50"),
                ("€ -12,50", "-12.50"),
                ("-€12,50", "-12.50"),
                ("12,50", "12.50"),
                ("12 euros", "12"),
                ("12 $", "currency_mismatch"),
                ("12 USD", "currency_mismatch"),
                ("€ 12 CHF", "currency_mismatch"),
                ("12 pièces", "currency_mismatch"),
                ("€", "not_a_number"),
            ],
        );
        let plain = Reading { money: Some("KZT".to_owned()), ..Reading::default() };
        reads(&plain, &[("1500 ₸", "1500"), ("1500 KZT", "1500"), ("1,500 ₸", "not_a_number")]);
        reads(&Reading::default(), &[("12 €", "not_a_number")]);
    }

    proptest! {
        #[test]
        fn an_amount_loses_nothing(cents in -99_999_999_999_i64..99_999_999_999, style in 0_usize..3) {
            let amount = Decimal::new(cents, 2).normalize();
            let (style, thousands, decimals) = [
                (NumberStyle::Fr, '\u{202F}', ','),
                (NumberStyle::En, ',', '.'),
                (NumberStyle::De, '.', ','),
            ][style];
            let whole = (cents.abs() / 100).to_string();
            let from_the_right = |(at, digit): (usize, char)| {
                let mark = (at > 0 && (whole.len() - at).is_multiple_of(3)).then_some(thousands);
                mark.into_iter().chain([digit])
            };
            let grouped: String = whole.chars().enumerate().flat_map(from_the_right).collect();
            let sign = if cents < 0 { "-" } else { "" };
            let text = format!("{sign}{grouped}{decimals}{:02} €", cents.abs() % 100);
            let reading = Reading { money: Some("EUR".to_owned()), ..in_style(style) };
            let json = serde_json::to_string(&text).expect("a text is JSON");
            prop_assert_eq!(
                outcome("numeric(12,2)", reading, &json),
                format!("\"{amount}\" number_from_text"),
            );
        }

        #[test]
        fn an_integer_keeps_every_digit(value in any::<i64>()) {
            prop_assert_eq!(outcome("int8", Reading::default(), &value.to_string()), format!("{value} "));
            let text = outcome("int8", Reading::default(), &format!("\"{value}\""));
            prop_assert_eq!(text, format!("{value} number_from_text"));
        }
    }
}
