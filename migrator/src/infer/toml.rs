//! A model as a mapping, with its evidence in comments.
//!
//! The text depends on the model alone: two runs over the same files give the same bytes.

use std::fmt::Write;

use super::keys::{self, Id};
use super::layout::Items;
use super::model::{Column, Model, Table, Wishes, field_path};
use super::refs::Link;
use crate::cell::Type;
use crate::mapping::DateFormat;

/// The mapping for a model.
pub(crate) fn mapping(model: &Model, wishes: &Wishes) -> String {
    let mut out = String::new();
    head(&mut out, model, &wishes.tz);
    let links = Links { all: &model.links, media: wishes.media };
    for table in &model.tables {
        write_table(&mut out, table, &format!("table.{}", table.name), links);
    }
    out
}

/// What a column is written with, beside itself.
#[derive(Clone, Copy)]
struct Links<'m> {
    all: &'m [Link],
    /// Whether files in Base64 go to Storage.
    media: bool,
}

fn head(out: &mut String, model: &Model, tz: &str) {
    line(
        out,
        "# Which record becomes which row, as `migrator map init` found it. Read it, and change what it got wrong;",
    );
    line(out, "# `migrator scaffold` writes the tables for it.");
    for note in &model.notes {
        comment(out, note);
    }
    line(out, "format = 1");
    line(out, &format!("name = {}", text(&model.name)));
    line(out, "\n[source]");
    line(
        out,
        &format!("tz = {} # of times that do not say theirs: write the zone the app was used in", text(tz)),
    );
    line(out, "unknown_keys = \"extra\" # what has no column is kept in the column `extra`");
    for shape in &model.shapes {
        line(out, "\n[[source.shape]]");
        line(out, &format!("name = {}", text(&shape.name)));
        line(out, &format!("root = {}", text(&shape.root)));
        if !shape.prefix.is_empty() {
            line(out, &format!("prefix = {}", text(&shape.prefix)));
        }
    }
    line(out, "\n[ids]");
    line(out, &format!("namespace = \"{}\" # every id is made from it: never change it", model.namespace));
    line(out, "canon = \"loose\"");
    line(out, "legacy_column = \"legacy_id\"");
    line(out, "scope_column = \"legacy_scope\"");
    line(out, "\n[owner]\ncolumn = \"owner_id\"");
    if !model.ignored.is_empty() {
        line(out, "\n[ignore]\npaths = [");
        for left in &model.ignored {
            let records =
                if left.records > 0 { format!(", {}", counted(left.records)) } else { String::new() };
            line(out, &format!("    {}, # {}{records}", text(&left.path), plain(&left.reason)));
        }
        line(out, "]");
    }
}

fn write_table(out: &mut String, table: &Table, place: &str, links: Links<'_>) {
    out.push('\n');
    comment(out, &format!("{}{}", counted(table.records), known_by(table)));
    table.notes.iter().for_each(|note| comment(out, note));
    line(out, &format!("[{place}]"));
    line(out, &format!("from = {}", one_or_more(&table.from)));
    match &table.id {
        Id::Fields(fields) => line(out, &format!("id = {}", one_or_more(&paths(fields)))),
        Id::Natural(fields) => line(out, &format!("id = {{ natural = {} }}", list(&paths(fields)))),
    }
    if let Some((parent, position)) = &table.parent {
        line(out, &format!("parent = {}\nposition = {}", text(parent), text(position)));
    }
    if let Some(clock) = &table.clock {
        line(out, &format!("clock = {}", text(&field_path(clock))));
    }
    if !table.secrets.is_empty() {
        comment(out, &format!("secrets, never moved: {}", table.secrets.join(", ")));
    }
    for (field, why) in &table.left {
        comment(out, &format!("no column for `{field}`: {why}"));
    }
    if !table.columns.is_empty() {
        line(out, &format!("\n[{place}.columns]"));
    }
    for column in &table.columns {
        write_column(out, column, table, links);
    }
    for child in &table.children {
        write_table(out, child, &format!("{place}.children.{}", child.name), links);
    }
}

fn write_column(out: &mut String, column: &Column, table: &Table, links: Links<'_>) {
    let typed = &column.typed;
    if let Some(ask) = &typed.ask {
        comment(out, &format!("decide: {ask}"));
    }
    if let Some(words) = &column.choices {
        comment(out, &format!("a choice of {}: {}", words.len(), words.join(", ")));
    }
    let from = one_or_more(&column.from);
    let mut spelt = match &column.reference {
        Some(reference) => {
            let by = if reference.by.is_empty() {
                String::new()
            } else {
                format!(", by = {}", list(&paths(&reference.by)))
            };
            format!(
                "{} = {{ ref = {}, from = {from}{by}, orphan = \"null\" }}",
                column.name,
                text(&reference.table)
            )
        }
        None => {
            let mut options = String::new();
            if !typed.formats.is_empty() {
                let formats: Vec<String> =
                    typed.formats.iter().map(|format| spelling(*format).to_owned()).collect();
                let _ = write!(options, ", format = {}", list(&formats));
            }
            if typed.dusty {
                options.push_str(", round = \"float_artifact\"");
            }
            match media(column, table) {
                Some(media) if links.media => options.push_str(&media),
                Some(media) => comment(out, &format!("files in Base64; to keep them in Storage add{media}")),
                None => {}
            }
            format!("{} = {{ from = {from}, type = \"{}\"{options} }}", column.name, typed.kind)
        }
    };
    let _ = write!(spelt, " # {}", plain(&evidence(column, table)));
    line(out, &spelt);
    for Link { target, left, hits, total, .. } in
        links.all.iter().filter(|link| link.left.is_some() && of(link, table, column))
    {
        comment(out, &format!("it points at `{target}` ({hits} of {total}): {}", left.unwrap_or_default()));
    }
}

/// Where the files of a column would go, if that is what its texts are.
fn media(column: &Column, table: &Table) -> Option<String> {
    let [field] = column.from.as_slice() else { return None };
    let stands = if field == "$" { &table.place } else { table.place.field(field)? };
    let texts = &stands.texts;
    if column.typed.kind != Type::Text || texts.media.is_empty() || stands.numbers.count > 0 {
        return None;
    }
    let images = texts.media.keys().all(|mime| mime.starts_with("image/"));
    let accept = if images { vec!["image/*".to_owned()] } else { texts.media.keys().cloned().collect() };
    // Base64 is a third longer than what it spells.
    let longest = (texts.longest / 4 * 3).div_ceil(1 << 20).max(8).next_power_of_two();
    let bucket = format!("{}-{}", table.name, column.name).replace('_', "-");
    Some(format!(
        ", media = {{ bucket = {}, path = \"{{owner}}/{{sha256}}.{{ext}}\", accept = {}, max = \"{longest}MiB\" }}",
        text(&bucket),
        list(&accept)
    ))
}

fn of(link: &Link, table: &Table, column: &Column) -> bool {
    link.table == table.name && column.from == [field_path(&link.field)]
}

/// Why a column is as it is.
pub(crate) fn evidence(column: &Column, table: &Table) -> String {
    let filled = match (column.filled, table.records) {
        (filled, records) if filled >= records => String::new(),
        (filled, records) => format!("; in {filled} of {records}"),
    };
    match &column.reference {
        Some(reference) => {
            let by = if reference.by.is_empty() { "an id".to_owned() } else { reference.by.join(" or ") };
            let broken = reference.total.saturating_sub(reference.hits);
            let broken =
                if broken > 0 { format!(", {broken} lead nowhere and stay in extra") } else { String::new() };
            format!(
                "{} of {} are {by} of {}{broken}{filled}",
                reference.hits, reference.total, reference.table
            )
        }
        None => format!("{}{filled}", column.typed.why),
    }
}

/// So many records.
pub(crate) fn counted(records: u64) -> String {
    format!("{records} {}", if records == 1 { "record" } else { "records" })
}

/// What the records of a table are known by, and why.
pub(crate) fn known_by(table: &Table) -> String {
    if table.records == 0 {
        return ": none in this file, so nothing is known of their fields".to_owned();
    }
    match &table.id {
        Id::Fields(fields) => match fields.as_slice() {
            [key] if key == "$key" => ", each kept under a name of its own".to_owned(),
            [field] => {
                let style = table.place.field(field).map_or("none", keys::style);
                format!(", each with its own `{field}` ({style})")
            }
            fields => format!(", known by {}", fields.join(" and ")),
        },
        Id::Natural(_) if table.items == Items::One => " of its kind".to_owned(),
        Id::Natural(fields) => match fields.as_slice() {
            [whole] if whole == "$" => ", known by their value and a number among equals".to_owned(),
            [one] => format!(", known by `{one}` among those beside it, and a number among equals"),
            _ => ", without an id: known by all they say, and a number among equals".to_owned(),
        },
    }
}

fn spelling(format: DateFormat) -> &'static str {
    match format {
        DateFormat::Iso => "iso",
        DateFormat::Dmy => "dmy",
        DateFormat::Mdy => "mdy",
        DateFormat::Epoch => "epoch",
        DateFormat::Ymd => "ymd",
        DateFormat::Compact => "compact",
        DateFormat::Ddmmyy => "ddmmyy",
        DateFormat::Js => "js",
    }
}

/// Fields as a mapping names them.
fn paths(fields: &[String]) -> Vec<String> {
    fields.iter().map(|field| field_path(field)).collect()
}

fn one_or_more(texts: &[String]) -> String {
    match texts {
        [one] => text(one),
        several => list(several),
    }
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|one| text(one)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as TOML spells it.
fn text(text: &str) -> String {
    let mut spelt = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => spelt.push_str("\\\""),
            '\\' => spelt.push_str("\\\\"),
            control if control.is_control() => {
                let _ = write!(spelt, "\\u{:04X}", u32::from(control));
            }
            other => spelt.push(other),
        }
    }
    spelt.push('"');
    spelt
}

/// A text that cannot leave its comment.
fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn comment(out: &mut String, text: &str) {
    line(out, &format!("# {}", plain(text)));
}

fn line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
