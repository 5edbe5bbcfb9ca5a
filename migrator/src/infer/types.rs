//! Which type holds every value of a place, and the evidence for it.
//!
//! Nothing is decided by most values: a type is taken when all of them fit, and `text` or
//! `jsonb`, which hold anything, otherwise. A text stays a text unless its name and all of its
//! values say that it is something else.

use super::names;
use super::stats::{Place, Texts};
use super::text::Look;
use crate::cell::{Size, Type};
use crate::mapping::DateFormat;

/// How many digits a rounded amount has room for.
const PRECISION: u32 = 18;

/// Decimals an amount has at least.
const CENTS: u32 = 2;

/// Values that stand in so many records are a choice if they are few.
const CHOICE_RECORDS: u64 = 20;

/// A type, how it is read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The type.
    pub(crate) kind: Type,
    /// How dates are spelt, where that is not ISO alone.
    pub(crate) formats: Vec<DateFormat>,
    /// True if float dust has to go.
    pub(crate) dusty: bool,
    /// Why.
    pub(crate) why: String,
    /// What a person should decide.
    pub(crate) ask: Option<String>,
}

impl Typed {
    /// A text, for this reason.
    pub(crate) fn text(why: &str) -> Self {
        typed(Type::Text, why)
    }

    /// A document, for this reason.
    pub(crate) fn document(why: &str) -> Self {
        typed(Type::Jsonb, why)
    }
}

/// The type of what stands in a place of this name.
pub(crate) fn decide(name: &str, place: &Place) -> Typed {
    let filled = place.filled();
    let (texts, numbers) = (&place.texts, &place.numbers);
    if filled == 0 {
        return typed(Type::Text, "never filled");
    }
    if place.lists.count + place.maps.count > 0 {
        return container(place);
    }
    match (place.bools, numbers.count, texts.count) {
        (_, 0, 0) => typed(Type::Bool, "booleans"),
        (0, _, 0) => number(name, place),
        (0, 0, _) => text(name, texts),
        (0, _, _) => mixed(name, place),
        (_, 0, _) if texts.all(Look::BoolWord) => typed(Type::Bool, "booleans, some of them as text"),
        _ => typed(Type::Jsonb, "booleans beside numbers or texts"),
    }
}

/// The words a column is a choice of, if it is one: few of them, over many records.
pub(crate) fn choices(place: &Place) -> Option<Vec<&str>> {
    let texts = &place.texts;
    let only_texts = texts.count == place.filled() && place.empties == 0;
    let few = !texts.wordy && !texts.words.is_empty() && texts.count >= CHOICE_RECORDS;
    let repeated = texts.words.len() as u64 * 2 <= texts.count;
    (only_texts && few && repeated).then(|| texts.words.keys().map(String::as_str).collect())
}

fn typed(kind: Type, why: impl Into<String>) -> Typed {
    Typed { kind, formats: Vec::new(), dusty: false, why: why.into(), ask: None }
}

fn container(place: &Place) -> Typed {
    let only_texts = |items: &Place| items.texts.count + items.empties + items.nulls == items.count;
    if place.is_lists() {
        return match place.items() {
            None => typed(Type::Jsonb, "lists, all of them empty"),
            Some(items) if only_texts(items) && items.texts.count > 0 => {
                typed(Type::TextArray, "lists of texts")
            }
            Some(items) if items.maps.count > 0 => typed(Type::Jsonb, "lists with objects in them"),
            Some(_) => typed(Type::Jsonb, "lists"),
        };
    }
    let why = match (place.is_records(), place.maps.count) {
        (true, _) => "objects",
        (false, 0) => "lists beside other values",
        (false, _) => "objects beside other values",
    };
    typed(Type::Jsonb, why)
}

fn number(name: &str, place: &Place) -> Typed {
    let numbers = &place.numbers;
    let all_epoch = numbers.count == numbers.milliseconds
        || names::is_moment(name) && numbers.count == numbers.milliseconds + numbers.seconds;
    if all_epoch && !names::is_label(name) {
        let unit = if numbers.seconds == 0 { "milliseconds" } else { "seconds" };
        return Typed {
            formats: vec![DateFormat::Epoch],
            ..typed(Type::Timestamptz, format!("all are {unit} since 1970"))
        };
    }
    if numbers.too_long > 0 {
        return typed(Type::Text, "numbers of more than 28 digits");
    }
    if numbers.fractions > 0 || numbers.pointed > 0 {
        return decimal(name, place);
    }
    if names::is_money(name) {
        return typed(Type::Numeric(None), "whole numbers so far, of money by the name");
    }
    match (numbers.beyond_int4, numbers.beyond_int8) {
        (0, _) => typed(Type::Int4, "whole numbers"),
        (_, 0) => typed(Type::Int8, "whole numbers beyond 32 bits"),
        _ => typed(Type::Numeric(None), "whole numbers beyond 64 bits"),
    }
}

fn decimal(name: &str, place: &Place) -> Typed {
    let numbers = &place.numbers;
    let plain = match (numbers.dust(), numbers.fractions) {
        (0, 0) => return typed(Type::Numeric(None), "numbers, some spelt with a point"),
        (0, decimals) => return typed(Type::Numeric(None), format!("numbers, {decimals} with decimals")),
        (dust, _) => dust,
    };
    // Of money nobody means fourteen decimals; of a place on a drawing somebody may.
    match numbers.clean_scale().filter(|_| names::is_money(name)).map(|scale| scale.max(CENTS)) {
        Some(scale) if numbers.whole_digits <= u64::from(PRECISION - scale) => Typed {
            dusty: true,
            ..typed(
                Type::Numeric(Some(Size { precision: PRECISION, scale })),
                format!("{plain} of {} have float dust; without it {scale} decimals hold all", numbers.count),
            )
        },
        _ => typed(
            Type::Numeric(None),
            format!("{plain} of {} look like float dust, and nothing says that it is", numbers.count),
        ),
    }
}

fn text(name: &str, texts: &Texts) -> Typed {
    let count = texts.count;
    let none = texts.with(Look::NoDate);
    let (day, local, instant) =
        (texts.with(Look::IsoDay), texts.with(Look::IsoLocal), texts.with(Look::IsoInstant));
    if day + local + instant > 0 && day + local + instant + none == count {
        return iso(day, local, instant);
    }
    let (ymd, js) = (texts.with(Look::Ymd), texts.with(Look::Js));
    if ymd + js > 0 && day + local + instant + ymd + js + none == count {
        return spelt(day + local + instant, ymd, js, local + instant + js);
    }
    if texts.with(Look::Dmy) + texts.with(Look::Mdy) > 0
        && let Some(numbered) = numbered(texts, day + local + instant + none)
    {
        return numbered;
    }
    if texts.all(Look::Uuid) {
        return typed(Type::Uuid, "UUIDs");
    }
    if texts.all(Look::BoolWord) {
        return typed(Type::Bool, "booleans as text");
    }
    if texts.all(Look::Epoch) && names::is_moment(name) && !names::is_label(name) {
        return Typed {
            formats: vec![DateFormat::Epoch],
            ..typed(Type::Timestamptz, "all are milliseconds since 1970, as text")
        };
    }
    let quantity = names::is_quantity(name) && !names::is_label(name) && texts.with(Look::LongDigits) == 0;
    if quantity && texts.all(Look::Integer) && texts.longest <= 9 {
        return typed(Type::Int4, "whole numbers as text");
    }
    if quantity && texts.all(Look::Number) && texts.longest <= 28 {
        return typed(Type::Numeric(None), "numbers as text");
    }
    let why = match texts.with(Look::Padded) + texts.with(Look::LongDigits) {
        0 if texts.all(Look::Number) => "texts of digits, and nothing says that they count something",
        0 => "texts",
        _ => "texts of digits that a number would lose",
    };
    let mut typed = typed(Type::Text, why);
    if quantity
        && texts.with(Look::FrenchNumber) > 0
        && texts.with(Look::FrenchNumber) + texts.with(Look::Number) == count
    {
        typed.ask = Some("all read as numbers with number = \"fr\"".to_owned());
    }
    if texts.with(Look::GroupedNumber) > 0 {
        typed.ask = Some("points between thousands, or something else: nobody can tell".to_owned());
    }
    typed
}

fn iso(day: u64, local: u64, instant: u64) -> Typed {
    match (day, local, instant) {
        (_, 0, 0) => typed(Type::Date, "ISO days"),
        (0, 0, _) => typed(Type::Timestamptz, "ISO instants"),
        (0, _, 0) => typed(Type::Timestamptz, "ISO times without a zone: read in source.tz"),
        _ => typed(
            Type::Timestamptz,
            format!(
                "ISO: {day} days, {local} times without a zone, {instant} instants; what has no zone is read in source.tz"
            ),
        ),
    }
}

/// Dates that are not all ISO, and whose order nobody can mistake.
fn spelt(iso: u64, ymd: u64, js: u64, times: u64) -> Typed {
    let spellings = [(iso, DateFormat::Iso), (ymd, DateFormat::Ymd), (js, DateFormat::Js)];
    let formats = spellings.iter().filter(|(count, _)| *count > 0).map(|(_, format)| *format).collect();
    let kind = if times > 0 { Type::Timestamptz } else { Type::Date };
    Typed {
        formats,
        ..typed(kind, format!("dates: {iso} ISO, {ymd} year first, {js} as JavaScript spells them"))
    }
}

/// Dates in numbers; `others` are ISO, or say that there is no date.
fn numbered(texts: &Texts, others: u64) -> Option<Typed> {
    let (dmy, mdy) = (texts.with(Look::Dmy), texts.with(Look::Mdy));
    let kind =
        if texts.with(Look::NumberedTime) + texts.with(Look::IsoLocal) + texts.with(Look::IsoInstant) > 0 {
            Type::Timestamptz
        } else {
            Type::Date
        };
    let all = |count: u64| count + others == texts.count;
    let (order, proof) = match (all(dmy), all(mdy)) {
        (true, false) => {
            (DateFormat::Dmy, format!("day first: {} of {dmy} have a day after the 12th", texts.only_dmy))
        }
        (false, true) => {
            (DateFormat::Mdy, format!("month first: {} of {mdy} have a day after the 12th", texts.only_mdy))
        }
        (true, true) => {
            let mut typed = typed(Type::Text, "dates in numbers");
            typed.ask = Some(format!(
                "{dmy} dates like 03/04/2024 and none proves the order: write type = \"{kind}\" with format = [\"dmy\"] or [\"mdy\"]"
            ));
            return Some(typed);
        }
        (false, false) => return None,
    };
    let formats = if others > 0 { vec![DateFormat::Iso, order] } else { vec![order] };
    Some(Typed { formats, ..typed(kind, proof) })
}

/// Numbers and texts in one place.
fn mixed(name: &str, place: &Place) -> Typed {
    let (texts, numbers) = (&place.texts, &place.numbers);
    let moments = texts.with(Look::IsoDay) + texts.with(Look::IsoLocal) + texts.with(Look::IsoInstant);
    if moments + texts.with(Look::NoDate) + texts.with(Look::Epoch) == texts.count
        && numbers.count == numbers.milliseconds
        && !names::is_label(name)
    {
        return Typed {
            formats: vec![DateFormat::Iso, DateFormat::Epoch],
            ..typed(Type::Timestamptz, "ISO dates beside milliseconds since 1970")
        };
    }
    let exact = texts.all(Look::Number) && texts.longest <= 28 && numbers.too_long == 0;
    let whole = texts.all(Look::Integer)
        && texts.longest <= 9
        && numbers.beyond_int4 + numbers.fractions + numbers.pointed == 0;
    if exact && whole && !names::is_label(name) && !names::is_money(name) {
        return typed(Type::Int4, format!("whole numbers, {} of {} as text", texts.count, place.filled()));
    }
    if exact && !names::is_label(name) {
        let why = format!("numbers, {} of {} as text", texts.count, place.filled());
        return typed(Type::Numeric(None), why);
    }
    typed(Type::Text, format!("texts beside {} numbers", numbers.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::read_json;

    fn kind(name: &str, json: &str) -> String {
        let mut place = Place::default();
        let crate::node::Node::List(items) = read_json(json).expect("JSON") else { panic!("a list") };
        items.iter().for_each(|item| place.take(item, 0));
        let typed = decide(name, &place);
        let formats: String =
            typed.formats.iter().map(|format| format!(" {format:?}").to_lowercase()).collect();
        let asks = if typed.ask.is_some() { " ?" } else { "" };
        format!("{}{formats}{}{asks}", typed.kind, if typed.dusty { " dusty" } else { "" })
    }

    #[test]
    fn a_type_holds_every_value() {
        for (name, json, expected) in [
            ("n", "[1, 2, null, 3]", "int4"),
            ("n", "[1, 1.5]", "numeric"),
            ("n", "[1097.0, 4]", "numeric"),
            ("total", "[370.18000000000006, 12.5]", "numeric(18,2) dusty"),
            ("x", "[-2024.097334590293, 1.5]", "numeric"),
            ("n", "[3000000000]", "int8"),
            ("n", "[123456789012345678901]", "numeric"),
            ("createdAt", "[1754904169902, 1754904169903]", "timestamptz epoch"),
            ("id", "[1754904169902]", "int8"),
            ("lastSync", "[0, 1754904169902]", "int8"),
            ("created", "[1754904169]", "timestamptz epoch"),
            ("count", "[1754904169]", "int4"),
            ("day", "[\"2025-08-11\", \"\", \"-\"]", "date"),
            ("at", "[\"2025-08-11\", \"2025-08-11T10:00:00Z\"]", "timestamptz"),
            ("day", "[\"31/12/2025\", \"01/02/2025\"]", "date dmy"),
            ("day", "[\"12/31/2025\", \"01/02/2025\"]", "date mdy"),
            ("day", "[\"01/02/2025\", \"03/04/2025\"]", "text ?"),
            ("day", "[\"31/12/2025\", \"12/31/2025\"]", "text"),
            ("day", "[\"29/08/2026 13:24\", \"2026-08-29T13:24:00\"]", "timestamptz iso dmy"),
            ("day", "[\"2025-08-11\", \"010226\"]", "text"),
            ("day", "[\"2025-10-1\", \"2025-10-12\"]", "date iso ymd"),
            ("cedula", "[\"99999999901\", \"123456\"]", "text"),
            ("phone", "[\"0612345678\"]", "text"),
            ("year", "[\"2016\", 2018]", "int4"),
            ("width", "[1143.0000000000002, 12]", "numeric"),
            ("price", "[12, 5]", "numeric"),
            ("weight", "[\"1.5\", 2]", "numeric"),
            ("year", "[\"2016\"]", "int4"),
            ("hourlyRate", "[\"95.50\"]", "numeric"),
            ("zip", "[\"92000\", 75001]", "text"),
            ("total", "[\"007\", 7]", "text"),
            ("tva", "[true, 18]", "jsonb"),
            ("done", "[true, \"false\"]", "bool"),
            ("tags", "[[\"a\"], []]", "text[]"),
            ("days", "[[1, 2]]", "jsonb"),
            ("address", "[{\"city\": \"x\"}]", "jsonb"),
            ("prix", "[\"1,80\", \"2,5\"]", "text ?"),
            ("u", "[\"6f6de5a8-9a7f-4a52-9a8d-6c8f3f1b1f7a\"]", "uuid"),
            ("empty", "[null, \"\"]", "text"),
        ] {
            assert_eq!(kind(name, json), expected, "{name} {json}");
        }
    }
}
