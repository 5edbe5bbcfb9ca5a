//! One value of a record to one value of a row.
//!
//! A conversion says everything it did: each [`Coercion`] is counted in the report, and a
//! value that could only be stored in part is kept beside the row. What cannot be stored
//! is refused with a reason that never quotes the value.

pub(crate) mod data_url;
mod moment;
mod numeral;
mod quantity;
mod spelling;

pub(crate) use moment::{Spelling, at_time, clock, says_no_date, spelling};
pub(crate) use quantity::is_dusty;

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use crate::cell::{Cell, Type};
use crate::mapping::{Choices, Column, Unknown, Via};
use crate::node::Node;

/// A change a conversion made without being able to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coercion {
    /// The field is not there: NULL, or left to the table.
    MissingAsNull,
    /// The field is not there: the mapping's default.
    MissingAsDefault,
    /// The field is null: the mapping's default.
    NullAsDefault,
    /// The field is an empty text: NULL.
    EmptyAsNull,
    /// The field is an empty text: the mapping's default.
    EmptyAsDefault,
    /// A text that says "nothing", such as `Invalid Date`: NULL.
    SentinelAsNull,
    /// Another field of the same meaning held the same value, or nothing.
    AlternativeDropped,
    /// The text of a number.
    NumberFromText,
    /// A boolean spelt as a text or as 0 and 1.
    BoolFromOther,
    /// A text made of a number or a boolean.
    TextFromScalar,
    /// A list made of one text.
    ListFromText,
    /// Digits a binary float left behind.
    FloatArtifactRounded,
    /// A day made of an instant, in the mapping's zone.
    DayFromInstant,
    /// An instant made of a day: its midnight in the mapping's zone.
    InstantFromDay,
    /// A time without a zone, read in the mapping's zone.
    TimeReadInZone,
    /// Digits behind the microsecond.
    RoundedToMicrosecond,
    /// Another spelling of a listed value.
    ChoiceFolded,
    /// A text changed as the mapping asked (`via`).
    TextChanged,
    /// NULL because the mapping does not list the value (`unknown = "null"`).
    UnknownAsNull,
    /// NULL because the date is out of bounds (`unknown = "null"`).
    OutOfBoundsAsNull,
    /// NULL because the record referred to is not there (`orphan = "null"`).
    OrphanAsNull,
    /// The path of a file that lay in the field.
    FileMoved,
    /// NULL because the file in the field is not one the column takes.
    FileAsNull,
}

impl Coercion {
    /// The stable name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingAsNull => "missing_as_null",
            Self::MissingAsDefault => "missing_as_default",
            Self::NullAsDefault => "null_as_default",
            Self::EmptyAsNull => "empty_as_null",
            Self::EmptyAsDefault => "empty_as_default",
            Self::SentinelAsNull => "sentinel_as_null",
            Self::AlternativeDropped => "alternative_dropped",
            Self::NumberFromText => "number_from_text",
            Self::BoolFromOther => "bool_from_other",
            Self::TextFromScalar => "text_from_scalar",
            Self::ListFromText => "list_from_text",
            Self::FloatArtifactRounded => "float_artifact_rounded",
            Self::DayFromInstant => "day_from_instant",
            Self::InstantFromDay => "instant_from_day",
            Self::TimeReadInZone => "time_read_in_zone",
            Self::RoundedToMicrosecond => "rounded_to_microsecond",
            Self::ChoiceFolded => "choice_folded",
            Self::TextChanged => "text_changed",
            Self::UnknownAsNull => "unknown_as_null",
            Self::OutOfBoundsAsNull => "out_of_bounds_as_null",
            Self::OrphanAsNull => "orphan_as_null",
            Self::FileMoved => "file_moved",
            Self::FileAsNull => "file_as_null",
        }
    }
}

impl Coercion {
    /// What was done, for people.
    pub fn story(self) -> &'static str {
        match self {
            Self::MissingAsNull => "missing field became NULL",
            Self::MissingAsDefault => "missing field got the default",
            Self::NullAsDefault => "null got the default",
            Self::EmptyAsNull => "empty text became NULL",
            Self::EmptyAsDefault => "empty text got the default",
            Self::SentinelAsNull => "text that means nothing became NULL",
            Self::AlternativeDropped => "second field said the same, or nothing",
            Self::NumberFromText => "number was a text",
            Self::BoolFromOther => "boolean was a text or a number",
            Self::TextFromScalar => "text was a number or a boolean",
            Self::ListFromText => "list was one text",
            Self::FloatArtifactRounded => "float dust was rounded away",
            Self::DayFromInstant => "day was an instant",
            Self::InstantFromDay => "instant was a day: its midnight",
            Self::TimeReadInZone => "time had no zone: read in the mapping's",
            Self::RoundedToMicrosecond => "time was rounded to the microsecond",
            Self::ChoiceFolded => "listed value had another spelling",
            Self::TextChanged => "text was changed as the mapping asks",
            Self::UnknownAsNull => "value that is not listed was set aside",
            Self::OutOfBoundsAsNull => "date out of bounds was set aside",
            Self::OrphanAsNull => "reference to nothing became NULL",
            Self::FileMoved => "file went to Storage",
            Self::FileAsNull => "file that is not taken was set aside",
        }
    }
}

impl fmt::Display for Coercion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Coercion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A converted value, and what was done to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Converted {
    pub(crate) cell: Cell,
    pub(crate) coercions: Vec<Coercion>,
    /// True when the old value says more than the cell and must be kept beside it.
    pub(crate) keep: bool,
    /// What a person should look at.
    pub(crate) warning: Option<String>,
}

/// Why a value cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Converted {
    pub(crate) fn new(cell: Cell) -> Self {
        Self { cell, coercions: Vec::new(), keep: false, warning: None }
    }

    pub(crate) fn by(cell: Cell, coercion: Coercion) -> Self {
        Self::new(cell).and(coercion)
    }

    fn and(mut self, coercion: Coercion) -> Self {
        self.coercions.push(coercion);
        self
    }
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }

    fn wrong_kind(value: &Node, kind: Type) -> Self {
        Self::new(
            "wrong_kind",
            format!("{} is no {kind}", value.kind()),
            "map the field to a column of another type",
        )
    }
}

/// Texts that say there is nothing, where a text is not what the column is for.
const SENTINELS: [&str; 9] = ["null", "undefined", "nan", "none", "n/a", "na", "-", "--", "—"];

/// Converts what a record holds, if it holds something, by the rule of the column.
///
/// Null gives NULL, and so does an empty text outside text columns. Defaults, references
/// and `required` are the caller's.
pub(crate) fn value(
    column: &Column,
    value: &Node,
    zone: &TimeZone,
    today: Date,
) -> Result<Converted, Refusal> {
    let converted = unbounded(column, value, zone)?;
    match &column.reading.bounds {
        Some(bounds) => moment::within(bounds, converted, zone, today),
        None => Ok(converted),
    }
}

/// The same without `min` and `max`, for what the mapping itself says.
pub(crate) fn unbounded(column: &Column, value: &Node, zone: &TimeZone) -> Result<Converted, Refusal> {
    match (column.kind, value) {
        (_, Node::Null) => Ok(Converted::new(Cell::Null)),
        (_, Node::Text(empty)) if empty.is_empty() && !column.keeps_empty_text() => {
            Ok(Converted::by(Cell::Null, Coercion::EmptyAsNull))
        }
        (Type::Text, _) => text(column, value),
        (Type::Jsonb, _) => document(value),
        (Type::TextArray, _) => text_array(value),
        (_, Node::Text(blank)) if blank.trim().is_empty() => {
            Ok(Converted::by(Cell::Null, Coercion::EmptyAsNull))
        }
        (_, Node::Text(text)) if SENTINELS.contains(&fold(text).as_str()) => {
            Ok(Converted::by(Cell::Null, Coercion::SentinelAsNull))
        }
        (Type::Int4 | Type::Int8 | Type::Numeric(_), _) => quantity::read(column, value),
        (Type::Date | Type::Timestamptz, _) => moment::read(column, value, zone),
        (Type::Bool, _) => boolean(value),
        (Type::Uuid, _) => uuid(value),
    }
}

/// A text for comparing: small letters, no accents, no blanks around it.
pub(crate) fn fold(text: &str) -> String {
    text.trim()
        .nfd()
        .filter(|character| !is_combining_mark(*character))
        .flat_map(char::to_lowercase)
        .collect()
}

fn text(column: &Column, value: &Node) -> Result<Converted, Refusal> {
    let mut converted = match value {
        Node::Text(text) => Converted::new(Cell::Text(text.clone())),
        Node::Number(number) => {
            Converted::by(Cell::Text(number.as_str().to_owned()), Coercion::TextFromScalar)
        }
        Node::Bool(value) => Converted::by(Cell::Text(value.to_string()), Coercion::TextFromScalar),
        Node::Null | Node::List(_) | Node::Map(_) => return Err(Refusal::wrong_kind(value, column.kind)),
    };
    if let Cell::Text(text) = &mut converted.cell {
        let changed = column.reading.via.iter().fold(text.clone(), |text, via| changed(&text, *via));
        if changed != *text {
            *text = changed;
            converted.coercions.push(Coercion::TextChanged);
        }
    }
    match &column.choices {
        Some(choices) => choice(choices, converted),
        None => Ok(converted),
    }
}

fn changed(text: &str, via: Via) -> String {
    match via {
        Via::Trim => text.trim().to_owned(),
        Via::CollapseWs => collapse_blanks(text),
        Via::Upper => text.to_uppercase(),
        Via::Lower => text.to_lowercase(),
    }
}

fn collapse_blanks(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_whitespace() {
            collapsed.push(character);
        } else if !collapsed.ends_with(' ') {
            collapsed.push(' ');
        }
    }
    collapsed
}

fn choice(choices: &Choices, mut converted: Converted) -> Result<Converted, Refusal> {
    let Cell::Text(text) = &converted.cell else { return Ok(converted) };
    let folded = fold(text);
    match choices.values.iter().find(|(_, spellings)| spellings.contains(&folded)) {
        Some((value, _)) if value == text => Ok(converted),
        Some((value, _)) => {
            converted.cell = Cell::Text(value.clone());
            Ok(converted.and(Coercion::ChoiceFolded))
        }
        None => match choices.unknown {
            Unknown::Null => Ok(Converted {
                keep: true,
                warning: Some(
                    "the mapping does not list this value; the column has its default instead".to_owned(),
                ),
                ..Converted::by(Cell::Null, Coercion::UnknownAsNull)
            }),
            Unknown::Reject => Err(Refusal::new(
                "choice_unknown",
                "the mapping does not list this value",
                "add it to the column's enum, or write unknown = \"null\"",
            )),
        },
    }
}

fn boolean(value: &Node) -> Result<Converted, Refusal> {
    let spelling = match value {
        Node::Bool(value) => return Ok(Converted::new(Cell::Bool(*value))),
        Node::Text(text) => fold(text),
        Node::Number(number) => number.canonical(),
        Node::Null | Node::List(_) | Node::Map(_) => return Err(Refusal::wrong_kind(value, Type::Bool)),
    };
    match spelling.as_str() {
        "true" | "1" | "yes" | "y" | "on" | "oui" | "vrai" | "si" | "ja" => {
            Ok(Converted::by(Cell::Bool(true), Coercion::BoolFromOther))
        }
        "false" | "0" | "no" | "n" | "off" | "non" | "faux" | "nein" => {
            Ok(Converted::by(Cell::Bool(false), Coercion::BoolFromOther))
        }
        _ => Err(Refusal::new(
            "not_a_bool",
            "the value is neither true nor false",
            "map the field to a text column",
        )),
    }
}

fn uuid(value: &Node) -> Result<Converted, Refusal> {
    let Node::Text(text) = value else { return Err(Refusal::wrong_kind(value, Type::Uuid)) };
    let id: Uuid = text.trim().parse().map_err(|_| {
        Refusal::new("not_a_uuid", "the text is no UUID", "write ref = \"…\" if it is an old id")
    })?;
    Ok(Converted::new(Cell::Uuid(id)))
}

fn text_array(value: &Node) -> Result<Converted, Refusal> {
    let items = match value {
        Node::List(items) => items,
        Node::Text(text) => {
            return Ok(Converted::by(Cell::TextArray(vec![Some(text.clone())]), Coercion::ListFromText));
        }
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Map(_) => {
            return Err(Refusal::wrong_kind(value, Type::TextArray));
        }
    };
    let mut converted = Converted::new(Cell::Null);
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        texts.push(match item {
            Node::Null => None,
            Node::Text(text) => Some(text.clone()),
            Node::Bool(_) | Node::Number(_) => {
                converted.coercions = vec![Coercion::TextFromScalar];
                Some(item.to_json())
            }
            Node::List(_) | Node::Map(_) => {
                return Err(Refusal::new(
                    "list_of_lists",
                    "an item of the list is a list or an object",
                    "map the field to a jsonb column, or to a child table",
                ));
            }
        });
    }
    converted.cell = Cell::TextArray(texts);
    Ok(converted)
}

/// PostgreSQL keeps numbers in documents exactly, up to a size no app reaches.
fn document(value: &Node) -> Result<Converted, Refusal> {
    if fits_jsonb(value) {
        return Ok(Converted::new(Cell::Json(value.clone())));
    }
    Err(Refusal::new(
        "number_too_long",
        "a number in it has too many digits for PostgreSQL",
        "correct the number in the app and export again",
    ))
}

/// True when every number in the value is one `jsonb` can hold.
pub(crate) fn fits_jsonb(value: &Node) -> bool {
    match value {
        Node::Null | Node::Bool(_) | Node::Text(_) => true,
        Node::Number(number) => {
            (-16_000..131_000).contains(&number.magnitude()) && number.as_str().len() < 16_000
        }
        Node::List(items) => items.iter().all(fits_jsonb),
        Node::Map(members) => members.values().all(fits_jsonb),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::read_json;
    use crate::mapping::{Absent, DateFormat, Input, NumberStyle, Reading};
    use proptest::prelude::*;

    /// The day of all these tests.
    const TODAY: Date = jiff::civil::date(2026, 3, 1);

    pub(super) fn column(kind: &str, reading: Reading) -> Column {
        let formats =
            if reading.formats.is_empty() { vec![DateFormat::Iso] } else { reading.formats.clone() };
        Column {
            name: "c".to_owned(),
            kind: kind.parse().expect("a type"),
            source: Input::Fields(Vec::new()),
            absent: Absent::Null,
            reference: None,
            choices: None,
            reading: Reading { formats, ..reading },
            time: Vec::new(),
            keep: false,
            media: None,
        }
    }

    /// What a value becomes in Paris: its JSON and what was done to it, or why it was refused.
    pub(super) fn outcome(kind: &str, reading: Reading, json: &str) -> String {
        let node = read_json(json).expect("JSON");
        let paris = TimeZone::get("Europe/Paris").expect("a zone");
        match value(&column(kind, reading), &node, &paris, TODAY) {
            Ok(converted) => {
                let notes: Vec<_> = converted.coercions.iter().map(|coercion| coercion.name()).collect();
                let mut story =
                    format!("{} {}", serde_json::to_string(&converted.cell).expect("JSON"), notes.join(" "));
                story.push_str(if converted.keep { " +kept" } else { "" });
                story.push_str(if converted.warning.is_some() { " +warning" } else { "" });
                story
            }
            Err(refusal) => refusal.code.to_owned(),
        }
    }

    #[test]
    fn empty_null_and_text_are_told_apart() {
        for (kind, json, expected) in [
            ("text", "\"\"", "\"\" "),
            ("text", "null", "null "),
            ("text", "12.50", "\"12.50\" text_from_scalar"),
            ("text", "\" two  spaces \"", "\" two  spaces \" "),
            ("text", "{}", "wrong_kind"),
            ("bool", "\"\"", "null empty_as_null"),
            ("bool", "\"TRUE\"", "true bool_from_other"),
            ("bool", "1.0", "true bool_from_other"),
            ("bool", "2", "not_a_bool"),
            ("bool", "\" Oui\"", "true bool_from_other"),
            ("bool", "\"NON\"", "false bool_from_other"),
            ("bool", "\"on\"", "true bool_from_other"),
            ("bool", "\"off\"", "false bool_from_other"),
            ("bool", "\"1\"", "true bool_from_other"),
            ("bool", "\"sí\"", "true bool_from_other"),
            ("bool", "\"peut-être\"", "not_a_bool"),
            ("bool", "\"undefined\"", "null sentinel_as_null"),
            ("int4", "\"  \"", "null empty_as_null"),
            ("int4", "\"NaN\"", "null sentinel_as_null"),
            ("text", "\"N/A\"", "\"N/A\" "),
            ("text[]", "\"-\"", "[\"-\"] list_from_text"),
            ("uuid", "\"6BA7B810-9DAD-11D1-80B4-00C04FD430C8\"", "\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\" "),
            ("uuid", "\"x\"", "not_a_uuid"),
            ("jsonb", "{\"a\":1.0}", "{\"a\":1.0} "),
            ("jsonb", "\"\"", "null empty_as_null"),
            ("jsonb", "[1e400000]", "number_too_long"),
            ("text[]", "[\"a\",null,1]", "[\"a\",null,\"1\"] text_from_scalar"),
            ("text[]", "\"a\"", "[\"a\"] list_from_text"),
            ("text[]", "[[]]", "list_of_lists"),
        ] {
            assert_eq!(outcome(kind, Reading::default(), json), expected, "{kind} {json}");
        }
    }

    #[test]
    fn a_text_changes_only_as_the_mapping_asks() {
        let reading = |via: &[Via]| Reading { via: via.to_vec(), ..Reading::default() };
        assert_eq!(outcome("text", reading(&[Via::Trim, Via::Upper]), "\" a  b \""), "\"A  B\" text_changed");
        assert_eq!(outcome("text", reading(&[Via::CollapseWs]), "\"a \\n b\""), "\"a b\" text_changed");
        assert_eq!(outcome("text", reading(&[Via::Lower]), "\"ab\""), "\"ab\" ");
    }

    #[test]
    fn spellings_differ_in_case_and_accents() {
        assert_eq!(fold(" Terminé "), fold("TERMINE"));
        assert_ne!(fold("termine"), fold("terminer"));
    }

    proptest! {
        #[test]
        fn no_text_panics_any_type(text in ".{0,30}", kind in 0_usize..9) {
            let kinds = ["text", "int4", "int8", "numeric(12,2)", "bool", "date", "timestamptz", "uuid", "text[]"];
            let formats = vec![
                DateFormat::Iso, DateFormat::Ymd, DateFormat::Dmy, DateFormat::Compact, DateFormat::Ddmmyy,
                DateFormat::Js, DateFormat::Epoch,
            ];
            let (number, money) = (Some(NumberStyle::De), Some("EUR".to_owned()));
            let column = column(kinds[kind], Reading { formats, number, money, ..Reading::default() });
            let _ = value(&column, &Node::Text(text), &TimeZone::UTC, TODAY);
        }
    }
}
