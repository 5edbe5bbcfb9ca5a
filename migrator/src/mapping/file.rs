//! The mapping as its TOML spells it. Nothing here is checked beyond names and shapes.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};
use toml::{Spanned, Value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) format: Spanned<u32>,
    pub(super) name: Spanned<String>,
    pub(super) source: Source,
    pub(super) ids: Ids,
    pub(super) owner: Option<Owner>,
    #[serde(default)]
    pub(super) ignore: Ignore,
    #[serde(default)]
    pub(super) table: IndexMap<String, Spanned<Table>>,
    pub(super) accounts: Option<Spanned<Accounts>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accounts {
    pub(super) from: OneOrMore,
    pub(super) id: String,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) password_hash: Option<String>,
    #[serde(default)]
    pub(super) data: IndexMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) tz: Spanned<String>,
    #[serde(default)]
    pub(super) unknown_keys: UnknownKeys,
    pub(super) scope: Option<Spanned<String>>,
    pub(super) kind: Option<Spanned<String>>,
    pub(super) root: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) shape: Vec<Spanned<Shape>>,
    #[serde(default)]
    pub(super) text: SourceText,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceText {
    #[serde(default)]
    pub(super) mojibake: Mojibake,
}

/// What becomes of a text whose characters were spelt twice, such as `LefÃ¨vre`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mojibake {
    /// It stays.
    Off,
    /// It stays, and is counted.
    #[default]
    Report,
    /// It is put right, and counted.
    Fix,
}

/// What becomes of a field that no column reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownKeys {
    /// It is left out, and counted in the report.
    #[default]
    Report,
    /// Its record is rejected.
    Reject,
    /// It goes into the column `extra`.
    Extra,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) root: Spanned<String>,
    #[serde(default)]
    pub(super) prefix: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ids {
    pub(super) namespace: Spanned<String>,
    pub(super) canon: Option<Spanned<String>>,
    pub(super) legacy_column: Option<Spanned<String>>,
    pub(super) scope_column: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Owner {
    pub(super) column: Spanned<String>,
    pub(super) value: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignore {
    pub(super) paths: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) from: OneOrMore,
    pub(super) mentions: Option<Mentions>,
    pub(super) id: IdRule,
    pub(super) clock: Option<String>,
    #[serde(default)]
    pub(super) columns: IndexMap<String, Spanned<Column>>,
    #[serde(default)]
    pub(super) children: IndexMap<String, Spanned<Child>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mentions {
    pub(super) from: OneOrMore,
    pub(super) by: OneOrMore,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Child {
    pub(super) from: OneOrMore,
    pub(super) id: IdRule,
    pub(super) parent: Spanned<String>,
    pub(super) position: Option<Spanned<String>>,
    pub(super) named_by: Option<String>,
    #[serde(default)]
    pub(super) columns: IndexMap<String, Spanned<Column>>,
    #[serde(default)]
    pub(super) children: IndexMap<String, Spanned<Self>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    #[serde(default)]
    pub(super) from: OneOrMore,
    pub(super) r#const: Option<Value>,
    pub(super) r#type: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) via: Vec<Via>,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) default: Option<Spanned<Value>>,
    pub(super) r#enum: Option<IndexMap<String, Vec<String>>>,
    pub(super) unknown: Option<Unknown>,
    pub(super) r#ref: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) by: OneOrMore,
    pub(super) media: Option<Media>,
    pub(super) orphan: Option<Orphan>,
    #[serde(default)]
    pub(super) format: Formats,
    pub(super) min: Option<Spanned<Value>>,
    pub(super) max: Option<Spanned<Value>>,
    pub(super) number: Option<NumberStyle>,
    pub(super) money: Option<Spanned<String>>,
    pub(super) round: Option<Round>,
    pub(super) empty: Option<Empty>,
    #[serde(default)]
    pub(super) time: OneOrMore,
    pub(super) day: Option<Day>,
    #[serde(default)]
    pub(super) keep: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Media {
    pub(super) bucket: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) accept: Vec<String>,
    pub(super) max: Option<String>,
}

/// A change to a text before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Blanks at both ends go.
    Trim,
    /// Each run of blanks becomes one space.
    CollapseWs,
    /// Capital letters.
    Upper,
    /// Small letters.
    Lower,
}

/// What becomes of a value that an enum does not list, or that is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// Its record is rejected.
    #[default]
    Reject,
    /// The column is NULL, or its default, and a warning says so.
    Null,
}

/// What becomes of a reference to a record that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orphan {
    /// Its record is rejected.
    #[default]
    Reject,
    /// The column is NULL, and a warning says so.
    Null,
}

/// A way to spell a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateFormat {
    /// `2025-08-11`, with a time and an offset or without.
    Iso,
    /// `2025/8/11` or `2025-8-1`, with a time or without.
    Ymd,
    /// `11/08/2025`, with a time or without.
    Dmy,
    /// `08/11/2025`, with a time or without.
    Mdy,
    /// `20250811`, or `20250811093000`, or with parts of a second.
    Compact,
    /// `110825`; years from 69 on are in the last century.
    Ddmmyy,
    /// `Mon Aug 11 2025 09:30:00 GMT+0200 (…)`: a JavaScript date turned into a text.
    Js,
    /// Seconds or milliseconds since 1970.
    Epoch,
}

/// How a text spells a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberStyle {
    /// `1 234,56`.
    Fr,
    /// `1,234.56`.
    En,
    /// `1.234,56`.
    De,
}

/// Which digits may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// Those a binary float left behind: `370.18000000000006` is `370.18`.
    FloatArtifact,
}

/// What an empty text means in a text column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Empty {
    /// NULL.
    Null,
}

/// Which moment of it a day means, in a column of moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Its first.
    #[default]
    Start,
    /// The first after it.
    End,
}

/// A text, or a list of texts.
#[derive(Debug, Default)]
pub(super) struct OneOrMore(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(toml: D) -> Result<Self, D::Error> {
        one_or_more(toml).map(Self)
    }
}

/// A date format, or a list of them.
#[derive(Debug, Default)]
pub(super) struct Formats(pub(super) Vec<DateFormat>);

impl<'de> Deserialize<'de> for Formats {
    fn deserialize<D: Deserializer<'de>>(toml: D) -> Result<Self, D::Error> {
        one_or_more(toml).map(Self)
    }
}

/// Where a record's id comes from.
#[derive(Debug)]
pub(super) enum IdRule {
    /// These fields, all of them required.
    Fields(Vec<String>),
    /// The fields that tell records without an id apart.
    Natural(Vec<String>),
    /// The first of these fields, and those that tell records without any of them apart.
    First(Vec<String>, Vec<String>),
}

impl<'de> Deserialize<'de> for IdRule {
    fn deserialize<D: Deserializer<'de>>(toml: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Natural {
            #[serde(default)]
            first: Vec<String>,
            natural: Vec<String>,
        }
        match Value::deserialize(toml)? {
            table @ Value::Table(_) => Natural::deserialize(table)
                .map(|rule| match rule.first.is_empty() {
                    true => Self::Natural(rule.natural),
                    false => Self::First(rule.first, rule.natural),
                })
                .map_err(serde::de::Error::custom),
            fields => one_or_more(fields).map(Self::Fields).map_err(serde::de::Error::custom),
        }
    }
}

fn one_or_more<'de, D: Deserializer<'de>, T: Deserialize<'de>>(toml: D) -> Result<Vec<T>, D::Error> {
    let items = match Value::deserialize(toml)? {
        Value::Array(items) => items,
        one => vec![one],
    };
    items.into_iter().map(|item| T::deserialize(item).map_err(serde::de::Error::custom)).collect()
}
