//! Names: what the old app called things, and what PostgreSQL can call them.

use std::collections::HashSet;

use deunicode::deunicode;

use crate::typegen::name::words;
use crate::typegen::noun;

/// The longest name PostgreSQL keeps.
const LONGEST: usize = 63;

/// Words of SQL that are no names, and the columns every table has already.
const RESERVED: [&str; 104] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "values",
];

/// Columns PostgreSQL has in every table.
const SYSTEM: [&str; 7] = ["cmax", "cmin", "ctid", "oid", "tableoid", "xmax", "xmin"];

/// Names of fields that are ids wherever they stand.
const IDS: [&str; 8] = ["id", "_id", "uuid", "guid", "key", "uid", "pk", "oid"];

/// A name in small letters, digits and `_`, that needs no quotes.
pub(crate) fn plain(name: &str) -> String {
    let spelt = deunicode(name).replace(['\'', '’', '`'], "");
    let mut plain: String = words(&spelt).join("_");
    plain
        .retain(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_');
    plain.truncate(LONGEST - 8);
    let plain = plain.trim_matches('_');
    match plain.chars().next() {
        None => "value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{plain}"),
        Some(_) => plain.to_owned(),
    }
}

/// True for a word PostgreSQL keeps for itself.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || SYSTEM.contains(&name)
}

/// Names given in one scope, none of them twice.
#[derive(Debug, Default)]
pub(crate) struct Scope(HashSet<String>);

impl Scope {
    /// A scope in which these are taken.
    pub(crate) fn without<'a>(taken: impl IntoIterator<Item = &'a str>) -> Self {
        Self(taken.into_iter().map(str::to_owned).collect())
    }

    /// True if nobody has this name yet.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        !self.0.contains(name) && !is_reserved(name)
    }

    /// Gives the first of these that is free, or else the last with a number.
    pub(crate) fn give(&mut self, wishes: &[&str]) -> String {
        let last = wishes.last().copied().unwrap_or("value");
        let numbered = (2_u32..).map(|number| format!("{last}_{number}"));
        let mut all = wishes.iter().map(|wish| (*wish).to_owned()).chain(numbered);
        let given = all.find(|name| self.is_free(name)).unwrap_or_default(); // numbers do not run out
        self.0.insert(given.clone());
        given
    }
}

/// The words of a name, plain, with the last one in the singular where English or French has an s for many.
pub(crate) fn stem(name: &str) -> Vec<String> {
    let plain = plain(name);
    let mut words: Vec<String> =
        plain.split('_').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    words
}

/// One of many, in a word.
pub(crate) fn singular(word: &str) -> String {
    let english = noun::singular(word);
    if english != word {
        return english;
    }
    for (many, one) in [("eaux", "eau"), ("aux", "al"), ("ciones", "cion"), ("ores", "or"), ("s", "")] {
        if let Some(rest) = word.strip_suffix(many)
            && rest.len() >= 3
            && !rest.ends_with('s')
        {
            return format!("{rest}{one}");
        }
    }
    word.to_owned()
}

/// What a table is called when it holds records of this name.
pub(crate) fn singular_of(table: &str) -> String {
    match table.rsplit_once('_') {
        Some((head, last)) => format!("{head}_{}", singular(last)),
        None => singular(table),
    }
}

/// True for a field that is an id by its name.
pub(crate) fn is_id(name: &str) -> bool {
    IDS.contains(&name.to_lowercase().as_str()) || reference_stem(name).is_some()
}

/// True for a field that is the id of its own record by its name.
pub(crate) fn is_own_id(name: &str) -> bool {
    IDS.contains(&name.to_lowercase().as_str())
}

/// What a field points at by its name: `customer` for `customerId`, `id_customer`, `customer_ref`.
pub(crate) fn reference_stem(name: &str) -> Option<Vec<String>> {
    const ENDINGS: [&str; 9] = ["id", "ids", "uuid", "guid", "ref", "key", "fk", "uid", "pk"];
    let words: Vec<String> = plain(name).split('_').map(str::to_owned).collect();
    match words.as_slice() {
        [stem @ .., last] if !stem.is_empty() && ENDINGS.contains(&last.as_str()) => Some(stem.to_vec()),
        [first, stem @ ..] if !stem.is_empty() && first == "id" => Some(stem.to_vec()),
        _ => None,
    }
}

/// True for a name that speaks of a record of the same kind.
pub(crate) fn is_kin(name: &str) -> bool {
    const KIN: [&str; 5] = ["parent", "root", "previous", "next", "reply_to"];
    let plain = plain(name);
    reference_stem(name).is_some_and(|stem| KIN.contains(&stem.join("_").as_str()))
        || KIN.contains(&plain.as_str())
}

/// True for a name that speaks of a moment.
pub(crate) fn is_moment(name: &str) -> bool {
    const WORDS: [&str; 31] = [
        "date",
        "time",
        "timestamp",
        "created",
        "updated",
        "modified",
        "deleted",
        "at",
        "on",
        "day",
        "when",
        "retrieved",
        "seen",
        "login",
        "sync",
        "synced",
        "expires",
        "expiry",
        "deadline",
        "due",
        "start",
        "end",
        "started",
        "ended",
        "since",
        "until",
        "birthday",
        "heure",
        "fecha",
        "jour",
        "ts",
    ];
    words(name)
        .iter()
        .any(|word| WORDS.contains(&word.as_str()) || word.ends_with("date") || word.ends_with("time"))
}

/// True for a name that counts or measures, so that digits in a text may become a number.
pub(crate) fn is_quantity(name: &str) -> bool {
    const WORDS: [&str; 62] = [
        "price",
        "amount",
        "rate",
        "qty",
        "quantity",
        "total",
        "subtotal",
        "hours",
        "minutes",
        "seconds",
        "duration",
        "age",
        "weight",
        "height",
        "width",
        "length",
        "count",
        "stock",
        "km",
        "mileage",
        "year",
        "annee",
        "anio",
        "ano",
        "cost",
        "budget",
        "salary",
        "balance",
        "score",
        "rating",
        "percent",
        "percentage",
        "tax",
        "discount",
        "fee",
        "size",
        "volume",
        "distance",
        "temperature",
        "calories",
        "capacity",
        "servings",
        "prix",
        "montant",
        "quantite",
        "qte",
        "taux",
        "duree",
        "poids",
        "taille",
        "remise",
        "solde",
        "precio",
        "monto",
        "cantidad",
        "peso",
        "edad",
        "saldo",
        "descuento",
        "seuil",
        "limit",
        "goal",
    ];
    words(&deunicode(name)).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// True for a name of an amount of money: it has decimals, or will have.
pub(crate) fn is_money(name: &str) -> bool {
    const WORDS: [&str; 44] = [
        "price",
        "amount",
        "total",
        "subtotal",
        "cost",
        "budget",
        "salary",
        "balance",
        "tax",
        "discount",
        "fee",
        "paid",
        "due",
        "revenue",
        "expense",
        "income",
        "payment",
        "deposit",
        "refund",
        "wage",
        "prix",
        "montant",
        "remise",
        "solde",
        "acompte",
        "ht",
        "ttc",
        "cout",
        "tarif",
        "salaire",
        "precio",
        "monto",
        "saldo",
        "costo",
        "importe",
        "descuento",
        "preco",
        "valor",
        "preis",
        "betrag",
        "summe",
        "prezzo",
        "pa",
        "pv",
    ];
    let words = words(&deunicode(name));
    let other = ["date", "id", "rate", "status", "method", "count", "at", "on", "type", "items", "quantity"];
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        && !words.iter().any(|word| other.contains(&word.as_str()))
}

/// True for a name whose digits are a label: nobody adds them up.
pub(crate) fn is_label(name: &str) -> bool {
    const WORDS: [&str; 38] = [
        "phone",
        "tel",
        "telephone",
        "mobile",
        "fax",
        "zip",
        "postal",
        "postcode",
        "code",
        "sku",
        "ean",
        "isbn",
        "barcode",
        "reference",
        "ref",
        "number",
        "numero",
        "num",
        "no",
        "cedula",
        "dni",
        "siret",
        "siren",
        "vat",
        "iban",
        "plate",
        "matricule",
        "serial",
        "vin",
        "version",
        "pin",
        "telefono",
        "celular",
        "cp",
        "nif",
        "rut",
        "cpf",
        "license",
    ];
    is_id(name) || words(&deunicode(name)).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// True for a name that says what a record is called.
pub(crate) fn is_title(name: &str) -> bool {
    const WORDS: [&str; 17] = [
        "name",
        "nom",
        "title",
        "titre",
        "label",
        "libelle",
        "designation",
        "username",
        "nombre",
        "titulo",
        "nome",
        "login",
        "email",
        "slug",
        "code",
        "reference",
        "sku",
    ];
    let plain = plain(name);
    WORDS.contains(&plain.as_str())
}

/// A name with a `*` for each part that looks like data: `orders_2024-01` is `orders_*`.
pub(crate) fn template(name: &str) -> String {
    let mut template = String::new();
    let mut part = String::new();
    let finish = |part: &mut String, template: &mut String| {
        if is_data(part) {
            if !template.ends_with('*') {
                template.push('*');
            }
        } else {
            template.push_str(part);
        }
        part.clear();
    };
    for character in name.chars() {
        if matches!(character, '_' | '-' | ':' | '/' | ' ') {
            finish(&mut part, &mut template);
            // What stands between two parts that are data is data as well.
            template.push(character);
        } else {
            part.push(character);
        }
    }
    finish(&mut part, &mut template);
    let mut joined = template;
    for between in ["*_*", "*-*", "*:*", "*/*", "* *"] {
        while joined.contains(between) {
            joined = joined.replace(between, "*");
        }
    }
    joined
}

/// True for a part of a name that is data and not a word: an id, a date, an address.
fn is_data(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let is_version = part.len() <= 3 && part.to_lowercase().starts_with('v');
    part.contains('@')
        || digits > 0 && !is_version && (digits * 3 >= part.len() || digits >= 3 || part.len() >= 12)
}

/// True for names that are data through and through: dates, ids, numbers.
pub(crate) fn is_key(name: &str) -> bool {
    let template = template(name);
    template.starts_with('*') || template == "*"
}

/// The longest beginning that names share, up to a separator, and that leaves something of each.
pub(crate) fn common_prefix<'a>(names: &[&'a str]) -> &'a str {
    let Some(first) = names.first().copied() else { return "" };
    if names.len() < 2 {
        return "";
    }
    let ends = first
        .char_indices()
        .filter(|(_, sign)| matches!(sign, '_' | '-' | ':' | '.' | '/'))
        .map(|(at, sign)| at + sign.len_utf8());
    let fits = |end: &usize| {
        let prefix = first.get(..*end).unwrap_or_default();
        names
            .iter()
            .all(|name| name.strip_prefix(prefix).is_some_and(|rest| rest.chars().any(char::is_alphanumeric)))
    };
    ends.filter(fits).max().and_then(|end| first.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_name_becomes_a_plain_one() {
        for (name, expected) in [
            ("prénomClient", "prenom_client"),
            ("Alex's comment", "alexs_comment"),
            ("Жанр", "zhanr"),
            ("__v", "v"),
            ("2fa", "n2fa"),
            ("★", "value"),
            ("coworking-bookings", "coworking_bookings"),
            ("HTMLBody", "html_body"),
        ] {
            assert_eq!(plain(name), expected, "{name}");
        }
        let mut scope = Scope::without(["id"]);
        assert_eq!(scope.give(&["title"]), "title");
        assert_eq!(scope.give(&["title"]), "title_2");
        assert_eq!(scope.give(&["order"]), "order_2");
        assert_eq!(scope.give(&["id", "old_id"]), "old_id");
    }

    #[test]
    fn a_name_says_what_it_points_at() {
        let stem = |name: &str| reference_stem(name).map(|words| words.join("_"));
        assert_eq!(stem("customerId").as_deref(), Some("customer"));
        assert_eq!(stem("id_client").as_deref(), Some("client"));
        assert_eq!(stem("membership_id").as_deref(), Some("membership"));
        assert_eq!(stem("id"), None);
        assert_eq!(stem("grid"), None);
        assert_eq!(singular_of("repair_lines"), "repair_line");
        assert_eq!(singular("clientes"), "cliente");
        assert_eq!(singular("journaux"), "journal");
    }

    #[test]
    fn what_varies_in_names_is_data() {
        for (name, expected) in [
            ("orders_2024-01", "orders_*"),
            ("prefs_8f3a9c21", "prefs_*"),
            ("2025-10-18", "*"),
            ("room1-desk2-2025-08-25", "room1-desk2-*"),
            ("finops_user_data_zoe@x.fr", "finops_user_data_*"),
            ("mechDB_v1", "mechDB_v1"),
            ("customers", "customers"),
            ("tt14608922", "*"),
        ] {
            assert_eq!(template(name), expected, "{name}");
        }
        assert_eq!(common_prefix(&["app_a", "app_b_c", "app_b"]), "app_");
        assert_eq!(common_prefix(&["app_a"]), "");
        assert_eq!(common_prefix(&["a_", "a_b"]), "");
    }

    proptest! {
        #[test]
        fn plain_names_need_no_quotes(name in ".*") {
            let plain = plain(&name);
            prop_assert!(!plain.is_empty() && plain.len() <= LONGEST);
            prop_assert!(plain.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            prop_assert!(!plain.starts_with(|first: char| first.is_ascii_digit()));
            let _ = template(&name);
        }
    }
}
