//! What is in an export, for people and for programs.
//!
//! No value of a record is in it but short words of a list to choose from: few of them, of letters
//! alone, repeated over many records.

use std::fmt::Write;

use serde::Serialize;

use super::keys::{self, Id};
use super::layout::Items;
use super::model::{Column, Model, Table};
use super::source::Read;
use super::stats::Place;
use super::text::Look;
use crate::cell::Type;
use crate::lang::{Lang, Phrase};

/// How many places a list of places names.
const MOST_PLACES: usize = 200;

/// What is in an exported file.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The file.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How its characters are spelt.
    pub encoding: &'static str,
    /// How it is made.
    pub shape: String,
    /// Where its collections lie, as a JSON Pointer.
    pub root: String,
    /// What stands before the name of each.
    pub prefix: String,
    /// What its records are.
    pub entities: Vec<Entity>,
    /// Which fields point at which records.
    pub references: Vec<Reference>,
    /// What holds no records, or the same ones again.
    pub left_out: Vec<LeftOut>,
    /// Files in Base64.
    pub media: Vec<Media>,
    /// Where secrets are; never moved.
    pub secrets: Vec<String>,
    /// What is wrong with texts.
    pub texts: Vec<Oddity>,
    /// Values that look like JSON and cannot be read.
    pub broken: Vec<Broken>,
    /// Where it was cut off, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// What had to be repaired while reading.
    pub repairs: crate::export::Repairs,
}

/// Records of one kind.
#[derive(Debug, Serialize)]
pub struct Entity {
    /// What its table would be called.
    pub table: String,
    /// Where they lie.
    pub paths: Vec<String>,
    /// The table they lie in, for records in records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How many there are.
    pub records: u64,
    /// What they are known by.
    pub id: Vec<String>,
    /// How their ids are made.
    pub id_style: &'static str,
    /// How many sets of fields they have, where these were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forms: Option<usize>,
    /// How many say what another says already.
    pub repeated: u64,
    /// Their fields.
    pub fields: Vec<Field>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// One field.
#[derive(Debug, Serialize)]
pub struct Field {
    /// Its name in the export.
    pub field: String,
    /// The type that holds every value.
    #[serde(rename = "type")]
    pub kind: String,
    /// Why.
    pub why: String,
    /// How many records have something in it, and how many null, an empty text, or nothing.
    pub filled: u64,
    /// Null.
    pub null: u64,
    /// An empty text.
    pub empty: u64,
    /// Not there.
    pub missing: u64,
    /// How dates are spelt, and how often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<Style>,
    /// How numbers are spelt, and how often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<Style>,
    /// The words it is a choice of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What a person should decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decide: Option<String>,
}

/// A way to spell something, and how often.
#[derive(Debug, Serialize)]
pub struct Style {
    /// In a word or two.
    pub style: &'static str,
    /// How many values.
    pub count: u64,
}

/// A field that points at records.
#[derive(Debug, Serialize)]
pub struct Reference {
    /// The table it is in.
    pub table: String,
    /// The field.
    pub field: String,
    /// The table it points at.
    pub target: String,
    /// By which fields of it; by its id where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// How many values lead to a record.
    pub hits: u64,
    /// How many lead nowhere.
    pub broken: u64,
    /// Why it will be no reference, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<&'static str>,
}

/// What becomes no rows.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Where it lies.
    pub path: String,
    /// Why.
    pub reason: String,
    /// How many records it holds.
    pub records: u64,
}

/// Files in Base64 in one place.
#[derive(Debug, Serialize)]
pub struct Media {
    /// Where; `*` stands for each item.
    pub path: String,
    /// The type they declare.
    pub mime: String,
    /// How many.
    pub count: u64,
    /// How long they are as text.
    pub bytes: u64,
}

/// Something odd about the texts of one place.
#[derive(Debug, Serialize)]
pub struct Oddity {
    /// Where; `*` stands for each item.
    pub path: String,
    /// What.
    pub what: &'static str,
    /// How many.
    pub count: u64,
}

/// A value that cannot be read.
#[derive(Debug, Serialize)]
pub struct Broken {
    /// Where it stands.
    pub path: String,
    /// Why not.
    pub reason: String,
}

impl Inspection {
    /// What was read, and what was made of it.
    pub(crate) fn of(read: &Read, model: &Model) -> Self {
        let mut places = Places::default();
        places.walk(&read.root, String::new());
        let packed = read.wrapped.iter().map(|(path, what)| Oddity { path: path.clone(), what, count: 1 });
        places.texts.extend(packed);
        let shape = model.shapes.first();
        let mut entities = Vec::new();
        model.tables.iter().for_each(|table| add(table, None, &mut entities));
        Self {
            file: read.file.clone(),
            bytes: read.bytes,
            encoding: read.encoding.name(),
            shape: shape.map(|shape| shape.name.clone()).unwrap_or_default(),
            root: shape.map(|shape| shape.root.clone()).unwrap_or_default(),
            prefix: shape.map(|shape| shape.prefix.clone()).unwrap_or_default(),
            entities,
            references: model.links.iter().map(reference).collect(),
            left_out: model
                .ignored
                .iter()
                .map(|left| LeftOut {
                    path: left.path.clone(),
                    reason: left.reason.clone(),
                    records: left.records,
                })
                .collect(),
            media: places.media,
            secrets: places.secrets,
            texts: places.texts,
            broken: read
                .broken
                .iter()
                .map(|(path, reason)| Broken { path: path.clone(), reason: reason.clone() })
                .collect(),
            cut: read.cut.clone(),
            repairs: read.repairs,
        }
    }

    /// The same for people.
    pub fn text(&self, lang: Lang) -> String {
        let mut out = String::new();
        let size = size(self.bytes, lang);
        let (encoding, shape) = (lang.remark(self.encoding), lang.remark(&self.shape));
        let _ = writeln!(out, "{}  {size} · {encoding} · {shape}", self.file);
        if let Some(cut) = &self.cut {
            let _ = writeln!(out, "  {}", lang.fill(Phrase::InspectionCut, &[("place", cut)]));
        }
        let below = [(Phrase::RootBelow, "root", &self.root), (Phrase::KeysBegin, "prefix", &self.prefix)];
        let below = below.into_iter().filter(|(_, _, value)| !value.is_empty());
        let below: Vec<_> = below.map(|(phrase, name, value)| lang.fill(phrase, &[(name, value)])).collect();
        if !below.is_empty() {
            let _ = writeln!(out, "  {}", below.join(", "));
        }
        for entity in &self.entities {
            entity.tell(&mut out, lang);
        }
        let mut section = |title, lines: Vec<String>| section(&mut out, &lang.say(title), &lines);
        let at = |place: &str, what: &str| lang.fill(Phrase::Finding, &[("place", &place), ("what", &what)]);
        section(Phrase::References, self.references.iter().map(|one| one.line(lang)).collect());
        let left = |left: &LeftOut| {
            let records = match left.records {
                0 => String::new(),
                records => format!(" ({})", lang.tally(Phrase::Records, records)),
            };
            at(&format!("{}{records}", left.path), &lang.remark(&left.reason))
        };
        section(Phrase::NoRows, self.left_out.iter().map(left).collect());
        let media = |media: &Media| {
            let (count, size) = (lang.digits(media.count), self::size(media.bytes, lang));
            at(&media.path, &format!("{count} {}, {size}", media.mime))
        };
        section(Phrase::Base64Files, self.media.iter().map(media).collect());
        section(Phrase::SecretsNever, self.secrets.clone());
        let odd = |odd: &Oddity| at(&odd.path, &counted(odd.count, odd.what, lang));
        section(Phrase::OddTexts, self.texts.iter().map(odd).collect());
        let broken = |one: &Broken| at(&one.path, &lang.remark(&one.reason));
        section(Phrase::Unreadable, self.broken.iter().map(broken).collect());
        let repairs = [
            (self.repairs.lone_surrogates, "half characters replaced"),
            (self.repairs.nul_characters, "NUL characters removed"),
            (self.repairs.duplicate_keys, "repeated keys: the last one won"),
            (self.repairs.mojibake, "texts spelt twice, put right"),
        ];
        let repaired = repairs.into_iter().filter(|(count, _)| *count > 0);
        section(Phrase::Repaired, repaired.map(|(count, what)| counted(count, what, lang)).collect());
        out
    }
}

impl Entity {
    fn tell(&self, out: &mut String, lang: Lang) {
        let mut records = lang.tally(Phrase::Records, self.records);
        if let Some(parent) = &self.parent {
            let _ = write!(records, " {}", lang.fill(Phrase::InTable, &[("table", parent)]));
        }
        let (id, style) = (self.id.join(" + "), lang.remark(self.id_style));
        let id = lang.fill(Phrase::KnownBy, &[("id", &id), ("style", &style)]);
        let _ = write!(out, "\n{}  {records} · {} · {id}", self.table, self.paths.join(", "));
        if let Some(forms @ 2..) = self.forms {
            let _ = write!(out, " · {}", lang.tally(Phrase::FieldSets, forms));
        }
        if self.repeated > 0 {
            let _ = write!(out, " · {}", lang.tally(Phrase::Repeated, self.repeated));
        }
        out.push('\n');
        for note in &self.notes {
            let _ = writeln!(out, "    {}", lang.remark(note));
        }
        for field in &self.fields {
            field.tell(out, lang);
        }
    }
}

impl Field {
    fn tell(&self, out: &mut String, lang: Lang) {
        let _ = write!(out, "  {:<24} {:<14} {}", self.field, lang.remark(&self.kind), self.reason(lang));
        let gaps = [(self.null, "null"), (self.empty, "\"\""), (self.missing, "missing")];
        let dates = self.dates.iter().filter(|style| style.count < self.filled);
        let styles = dates.chain(&self.numbers).map(|style| (style.count, style.style));
        for (count, what) in gaps.into_iter().filter(|(count, _)| *count > 0).chain(styles) {
            let _ = write!(out, " · {}", counted(count, what, lang));
        }
        if !self.choices.is_empty() {
            let _ = write!(out, " · {}", self.choices.join(", "));
        }
        out.push('\n');
        if let Some(decide) = &self.decide {
            let _ = writeln!(out, "    {}", lang.fill(Phrase::Decide, &[("what", &lang.remark(decide))]));
        }
    }

    /// Why it has its type. Texts need no reason.
    fn reason(&self, lang: Lang) -> String {
        match (self.kind.as_str(), self.why.split_once(' ')) {
            ("records", Some(("in", table))) => lang.fill(Phrase::InTable, &[("table", &table)]),
            ("reference", Some(("to", table))) => lang.fill(Phrase::ToTable, &[("table", &table)]),
            _ if self.why == "texts" => String::new(),
            _ => lang.remark(&self.why),
        }
    }
}

impl Reference {
    fn line(&self, lang: Lang) -> String {
        let by = if self.by.is_empty() { "id".to_owned() } else { self.by.join("/") };
        let (hits, total) = (lang.digits(self.hits), lang.digits(self.hits + self.broken));
        let mut line = format!("{}.{} -> {}.{by} {hits}/{total}", self.table, self.field, self.target);
        if self.broken > 0 {
            let _ = write!(line, ", {}", lang.tally(Phrase::Broken, self.broken));
        }
        if let Some(why) = self.left {
            let _ = write!(line, " {}", lang.fill(Phrase::NoReference, &[("why", &lang.remark(why))]));
        }
        line
    }
}

/// So many of something, which is named in English.
fn counted(count: impl std::fmt::Display, what: &str, lang: Lang) -> String {
    lang.remark(&format!("{count} {what}"))
}

fn section(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

fn reference(link: &super::refs::Link) -> Reference {
    Reference {
        table: link.table.clone(),
        field: link.field.clone(),
        target: link.target.clone(),
        by: link.by.clone(),
        hits: link.hits,
        broken: link.total.saturating_sub(link.hits),
        left: link.left,
    }
}

fn add(table: &Table, parent: Option<&Table>, entities: &mut Vec<Entity>) {
    let place = &table.place;
    let (id, id_style) = match &table.id {
        Id::Fields(fields) => {
            let style = match fields.as_slice() {
                [key] if key == "$key" => "kept under its name",
                [field] => place.field(field).map_or("none", keys::style),
                _ => "composite",
            };
            (fields.clone(), style)
        }
        Id::Natural(fields) => (fields.clone(), "none"),
    };
    let repeated = if place.maps.records.overflow {
        0
    } else {
        place.maps.records.total() - place.maps.records.len() as u64
    };
    let own = place.maps.fields.iter().filter(|(name, _)| !table.secrets.contains(name));
    entities.push(Entity {
        table: table.name.clone(),
        paths: table.from.clone(),
        parent: parent.map(|parent| parent.name.clone()),
        records: table.records,
        id,
        id_style,
        forms: (!place.maps.formless && place.maps.count > 0).then_some(place.maps.forms.len()),
        repeated,
        fields: own.map(|(name, stands)| field(name, stands, table)).collect(),
        notes: table.notes.clone(),
    });
    table.children.iter().for_each(|child| add(child, Some(table), entities));
}

fn field(name: &str, stands: &Place, table: &Table) -> Field {
    let path = super::model::field_path(name);
    let column: Option<&Column> = table.columns.iter().find(|column| column.from == [path.clone()]);
    let inner = table.children.iter().find(|child| {
        child.from.iter().any(|from| {
            from.strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '{']))
        })
    });
    let typed = super::types::decide(name, stands);
    let (kind, why) = match (column, inner) {
        (_, Some(child)) => ("records".to_owned(), format!("in {}", child.name)),
        (Some(Column { reference: Some(reference), .. }), None) => {
            ("reference".to_owned(), format!("to {}", reference.table))
        }
        (_, None) => (typed.kind.to_string(), typed.why.clone()),
    };
    let is_date = matches!(typed.kind, Type::Date | Type::Timestamptz | Type::Text);
    let texts = &stands.texts;
    let dates = [
        ("ISO days", texts.with(Look::IsoDay)),
        ("ISO times without a zone", texts.with(Look::IsoLocal)),
        ("ISO instants", texts.with(Look::IsoInstant)),
        ("day first beyond doubt", texts.only_dmy),
        ("month first beyond doubt", texts.only_mdy),
        ("day and month in either order", texts.with(Look::Dmy).saturating_sub(texts.only_dmy)),
        ("say there is no date", texts.with(Look::NoDate)),
    ];
    let numbers = [
        ("numbers as text", if stands.numbers.count > 0 { texts.with(Look::Number) } else { 0 }),
        ("with a decimal comma", texts.with(Look::FrenchNumber)),
        ("with points between thousands", texts.with(Look::GroupedNumber)),
        ("with float dust", stands.numbers.dust()),
        ("with a zero or plus before", texts.with(Look::Padded)),
    ];
    let styles = |styles: &[(&'static str, u64)]| {
        styles
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(style, count)| Style { style, count: *count })
            .collect()
    };
    Field {
        field: name.to_owned(),
        kind,
        why,
        filled: stands.filled(),
        null: stands.nulls,
        empty: stands.empties,
        missing: table.place.maps.count.saturating_sub(stands.count + stands.secrets),
        dates: if is_date { styles(&dates) } else { Vec::new() },
        numbers: styles(&numbers),
        choices: column.and_then(|column| column.choices.clone()).unwrap_or_default(),
        decide: typed.ask,
    }
}

/// What is worth naming by its place.
#[derive(Default)]
struct Places {
    media: Vec<Media>,
    secrets: Vec<String>,
    texts: Vec<Oddity>,
}

impl Places {
    fn walk(&mut self, place: &Place, path: String) {
        let shown = if path.is_empty() { "/".to_owned() } else { path.clone() };
        if (place.secrets > 0 || place.texts.with(Look::Secret) > 0) && self.secrets.len() < MOST_PLACES {
            let count = place.secrets + place.texts.with(Look::Secret);
            self.secrets.push(if count == 1 { shown.clone() } else { format!("{shown} ({count})") });
        }
        for (mime, (count, bytes)) in &place.texts.media {
            self.media.push(Media { path: shown.clone(), mime: mime.clone(), count: *count, bytes: *bytes });
        }
        for (look, what) in [
            (Look::Mojibake, "were UTF-8 and read as Latin-1 once"),
            (Look::Replacement, "with a character that could not be read"),
            (Look::Packed, "look packed by lz-string"),
        ] {
            let count = place.texts.with(look);
            if count > 0 && self.texts.len() < MOST_PLACES {
                self.texts.push(Oddity { path: shown.clone(), what, count });
            }
        }
        if let Some((Items::Members, members)) = super::layout::collection(place) {
            return self.walk(&members, format!("{path}/*"));
        }
        for (name, field) in &place.maps.fields {
            self.walk(field, format!("{path}/{}", super::model::field_path(name)));
        }
        if let Some(items) = place.items() {
            self.walk(items, format!("{path}/*"));
        }
        if let Some(opened) = &place.texts.opened {
            self.walk(opened, path);
        }
    }
}

/// A size in bytes. In English its digits stay together, as all in a listing.
fn size(bytes: u64, lang: Lang) -> String {
    match (lang, bytes) {
        (Lang::Fr, _) => lang.bytes(bytes),
        (Lang::En, 0..1024) => format!("{bytes} B"),
        (Lang::En, 1024..1_048_576) => format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024),
        (Lang::En, _) => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}
