//! What a record is known by: a field, the name it is kept under, or all it says.
//!
//! Never its place in a list, which changes when another record goes.

use super::layout::Items;
use super::names;
use super::stats::Place;
use super::text::Look;

/// So many records make it no chance that a field tells them all apart.
const PROOF: u64 = 3;

/// The longest text that is part of a natural key.
const LONGEST_PART: usize = 300;

/// How many fields a natural key has.
const MOST_PARTS: usize = 24;

/// Where a record's id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Id {
    /// These fields.
    Fields(Vec<String>),
    /// These fields, and a number among equals.
    Natural(Vec<String>),
}

impl Id {
    /// True if this field is the id and nothing else, so that it needs no column of its own.
    pub(crate) fn is_plain(&self, field: &str) -> bool {
        match self {
            Self::Fields(fields) => {
                fields.len() == 1 && fields.contains(&field.to_owned()) && names::is_own_id(field)
            }
            Self::Natural(_) => false,
        }
    }
}

/// What records of a place are known by.
pub(crate) fn decide(place: &Place, items: Items, family: bool, child: bool, table: &str) -> Id {
    if place.has_plain_records() {
        let whole = if items.has_key() { "$key" } else { "$" };
        let group = (items.has_group() || family).then(|| "$group".to_owned());
        let parts: Vec<String> = group.into_iter().chain([whole.to_owned()]).collect();
        return match (child, items) {
            (false, Items::Members) if !family => Id::Fields(vec!["$key".to_owned()]),
            (false, Items::Nested) if !family => Id::Fields(parts),
            _ => Id::Natural(parts),
        };
    }
    if place.count == 0 {
        return Id::Fields(vec!["id".to_owned()]);
    }
    if items == Items::One {
        return Id::Natural(vec![if family { "$group".to_owned() } else { "$key".to_owned() }]);
    }
    if child {
        return natural(place, items, family, own_id(place), "$index");
    }
    if let Some(field) = best(candidates(place, table)) {
        return Id::Fields(vec![field]);
    }
    match items {
        Items::Members if !family => Id::Fields(vec!["$key".to_owned()]),
        Items::Nested => Id::Fields(vec!["$group".to_owned(), "$key".to_owned()]),
        Items::List | Items::Groups | Items::One | Items::Members => natural(place, items, family, None, "$"),
    }
}

/// What records of several places are known by, each of which may hold a copy of the others' records.
pub(crate) fn decide_together(places: &[&Place], items: &[Items], table: &str) -> Option<Id> {
    let (first, rest) = places.split_first()?;
    let common = candidates(first, table).into_iter().filter(|(_, _, field)| {
        rest.iter().all(|place| place.field(field).is_some_and(|stands| tells_apart(place, stands)))
    });
    if let Some(field) = best(common.collect()) {
        return Some(Id::Fields(vec![field]));
    }
    items.iter().all(|items| *items == Items::Members).then(|| Id::Fields(vec!["$key".to_owned()]))
}

/// The old ids of the records of a place.
pub(crate) fn ids<'p>(place: &'p Place, items: Items, table: &str) -> Option<&'p super::stats::Values> {
    match best(candidates(place, table)) {
        Some(field) => place.field(&field).map(|stands| &stands.values),
        None => (items == Items::Members).then_some(&place.maps.keys),
    }
}

fn best(candidates: Vec<(u8, usize, String)>) -> Option<String> {
    candidates.into_iter().min_by_key(|(rank, at, _)| (*rank, *at)).map(|(_, _, field)| field)
}

/// True if some field says what the name says under which a record is kept.
pub(crate) fn is_told_by(place: &Place) -> bool {
    let keys = &place.maps.keys;
    place.maps.fields.values().any(|field| {
        field.scalars() == place.count && !keys.is_empty() && keys.hits(&field.values) == keys.total()
    })
}

/// The field that tells the newer of two records, if there is one.
pub(crate) fn clock(place: &Place) -> Option<String> {
    const CLOCKS: [&str; 16] = [
        "updated_at",
        "updated",
        "updatedat",
        "modified_at",
        "modified",
        "last_modified",
        "last_updated",
        "last_update",
        "date_updated",
        "date_modified",
        "mtime",
        "updated_on",
        "modification_date",
        "date_modification",
        "maj",
        "fecha_actualizacion",
    ];
    let fits = |field: &&String| {
        let plain = names::plain(field);
        let stands = place.field(field);
        CLOCKS.contains(&plain.as_str())
            && stands.is_some_and(|stands| {
                let texts = &stands.texts;
                let moments =
                    texts.with(Look::IsoInstant) + texts.with(Look::IsoLocal) + texts.with(Look::IsoDay);
                moments + stands.numbers.milliseconds == stands.filled() && stands.filled() > 0
            })
    };
    place.maps.fields.keys().find(fits).cloned()
}

/// How ids of this field are made, in a word.
pub(crate) fn style(place: &Place) -> &'static str {
    let (texts, numbers) = (&place.texts, &place.numbers);
    if place.filled() == 0 {
        return "none";
    }
    if numbers.count == place.filled() {
        return match (numbers.milliseconds == numbers.count, numbers.most) {
            (true, _) => "epoch",
            (false, Some(most)) if most < 1_000_000 => "small int",
            _ => "int",
        };
    }
    if numbers.count > 0 {
        return "numbers and texts";
    }
    let most = |look: Look| texts.with(look) * 10 >= texts.count * 9;
    match () {
        () if most(Look::Uuid) => "uuid",
        () if most(Look::Epoch) => "epoch",
        () if most(Look::PrefixTime) => "prefix + time",
        () if most(Look::Integer) || most(Look::Padded) => "digits as text",
        () if most(Look::IsoDay) => "date",
        () if most(Look::Email) => "e-mail",
        () if most(Look::Url) => "url",
        () if most(Look::Base36) => "base36",
        () if most(Look::Composite) => "composite",
        () => "natural key",
    }
}

/// Fields that tell all records apart, with how good their names are.
fn candidates(place: &Place, table: &str) -> Vec<(u8, usize, String)> {
    let fields = place.maps.fields.iter().enumerate();
    let fit = fields.filter_map(|(at, (field, stands))| {
        let rank = rank(field, table)?;
        let proved = rank < 4 || place.count >= PROOF;
        (proved && tells_apart(place, stands) && !field.contains('*')).then(|| (rank, at, field.clone()))
    });
    fit.collect()
}

fn rank(field: &str, table: &str) -> Option<u8> {
    const KEYS: [&str; 27] = [
        "slug",
        "code",
        "numero",
        "number",
        "num",
        "no",
        "ref",
        "reference",
        "sku",
        "isbn",
        "ean",
        "barcode",
        "cedula",
        "dni",
        "matricule",
        "matricula",
        "plate",
        "immat",
        "vin",
        "siret",
        "email",
        "username",
        "login",
        "imdb_id",
        "url",
        "legajo",
        "identificacion",
    ];
    let plain = names::plain(field);
    let one = names::singular_of(table);
    if field.starts_with('$') || crate::secret::is_secret_name(field) || field.is_empty() {
        return None;
    }
    match plain.as_str() {
        "id" => Some(0),
        "uuid" | "guid" | "uid" | "pk" | "oid" => Some(1),
        "key" => Some(3),
        plain
            if plain == format!("{one}_id")
                || plain == format!("id_{one}")
                || plain == format!("{one}_uuid") =>
        {
            Some(2)
        }
        plain
            if KEYS.contains(&plain)
                || plain == format!("{one}_number")
                || plain == format!("{one}_code") =>
        {
            Some(4)
        }
        plain if names::reference_stem(plain).is_some_and(|stem| table.contains(&stem.join("_"))) => Some(5),
        _ => None,
    }
}

fn tells_apart(records: &Place, field: &Place) -> bool {
    let scalars = field.texts.count + field.numbers.count;
    scalars == records.maps.count
        && field.values.total() == scalars
        && !field.values.conflict
        && !field.values.overflow
        && field.secrets == 0
}

/// The id a record has among those beside it, whether or not it tells all of them apart.
fn own_id(place: &Place) -> Option<String> {
    let fits = |(field, stands): &(&String, &Place)| {
        names::is_own_id(field)
            && stands.texts.count + stands.numbers.count == place.maps.count
            && field.as_str() != "key"
    };
    place.maps.fields.iter().find(fits).map(|(field, _)| field.clone())
}

fn natural(place: &Place, items: Items, family: bool, own: Option<String>, last: &str) -> Id {
    let mut parts: Vec<String> = Vec::new();
    if items.has_group() || family {
        parts.push("$group".to_owned());
    }
    if items.has_key() {
        parts.push("$key".to_owned());
    }
    if let Some(own) = own {
        parts.push(own);
        return Id::Natural(parts);
    }
    if items.has_key() {
        return Id::Natural(parts);
    }
    let plain = |(field, stands): &(&String, &Place)| {
        stands.scalars() > 0
            && stands.lists.count + stands.maps.count == 0
            && stands.texts.longest <= LONGEST_PART
            && stands.texts.with(Look::Json) + stands.texts.with(Look::DataUrl) == 0
            && stands.secrets == 0
            && !crate::secret::is_secret_name(field)
            && !(field.is_empty() || field.starts_with('$') || field.contains('*'))
    };
    let scalars = place.maps.fields.iter().filter(plain).map(|(field, _)| field.clone());
    parts.extend(scalars.take(MOST_PARTS));
    if parts.is_empty() {
        parts.push(last.to_owned());
    }
    Id::Natural(parts)
}
