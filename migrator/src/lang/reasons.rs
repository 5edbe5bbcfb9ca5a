//! Why a record was refused and what was changed on the way, for French readers, by their stable names.
//!
//! A refusal of the server keeps the server's words.

use super::findings::FINDINGS;
use super::sentence::{Sentence, remade};
use super::{Lang, french};
use crate::plan::Coercion;
use crate::reject::Reject;

impl Lang {
    /// Why a record was refused.
    pub(crate) fn reason(self, reject: &Reject) -> String {
        self.reason_for(&reject.code, &reject.message)
    }

    /// Why something was refused, by its code and in English.
    pub(crate) fn reason_for(self, code: &str, message: &str) -> String {
        self.refusal(code).map_or_else(|| message.to_owned(), |(reason, _)| french::set(reason))
    }

    /// What to do about a refused record.
    pub(crate) fn remedy(self, reject: &Reject) -> String {
        self.refusal(&reject.code).map_or_else(|| reject.help.clone(), |(_, remedy)| french::set(remedy))
    }

    fn refusal(self, code: &str) -> Option<(&'static str, &'static str)> {
        match self {
            Self::En => None,
            Self::Fr => {
                REFUSALS.iter().find(|(known, _, _)| *known == code).map(|(_, why, what)| (*why, *what))
            }
        }
    }

    /// What a conversion did.
    pub(crate) fn story(self, coercion: Coercion) -> String {
        let known = STORIES.iter().find(|(name, _)| self == Self::Fr && *name == coercion.name());
        known.map_or_else(|| coercion.story().to_owned(), |(_, story)| french::set(story))
    }

    /// A remark that is written in English where it is made, or some with semicolons between. One that is not
    /// in the tables stays so.
    pub(crate) fn remark(self, message: &str) -> String {
        let french = |message: &str| remade(&[REMARKS, FINDINGS], message);
        let known = match self {
            Self::En => None,
            Self::Fr => french(message).or_else(|| {
                let all: Option<Vec<String>> = message.split("; ").map(french).collect();
                Some(all?.join("\u{202f}; "))
            }),
        };
        known.unwrap_or_else(|| message.to_owned())
    }
}

/// Code, reason, next step.
const REFUSALS: &[(&str, &str, &str)] = &[
    (
        "choice_unknown",
        "la correspondance ne connaît pas cette valeur",
        "ajoutez-la à `enum` de la colonne, ou écrivez `unknown = \"null\"`",
    ),
    (
        "collection_shape",
        "la collection n'a pas la forme que la correspondance attend",
        "écrivez `customers[*]` pour une liste, `customers{*}` pour un objet d'enregistrements, `customers` pour un seul",
    ),
    (
        "collection_unreadable",
        "la collection est illisible",
        "la valeur est coupée ou abîmée ; exportez les données de nouveau",
    ),
    (
        "duplicate_conflict",
        "un autre enregistrement a le même id et un autre contenu",
        "donnez un autre id à l'un des deux, ou nommez le champ qui dit lequel est le plus récent : `clock = \"…\"`",
    ),
    (
        "currency_mismatch",
        "ce qui accompagne le nombre n'est pas la monnaie de la colonne",
        "corrigez le nombre dans une copie du fichier, ou mettez le champ dans une colonne text",
    ),
    (
        "date_out_of_bounds",
        "la date est hors des limites de la colonne",
        "corrigez-la, déplacez `min` ou `max`, ou écrivez `unknown = \"null\"`",
    ),
    ("id_missing", "l'enregistrement n'a pas d'id", "écrivez `id = { natural = [\"…\"] }` si aucun n'en a"),
    ("id_unusable", "son id n'est ni un texte ni un nombre", "corrigez-le et exportez de nouveau"),
    (
        "integer_overflow",
        "le nombre est trop grand pour la colonne",
        "mettez le champ dans une colonne int8 ou numeric",
    ),
    (
        "list_of_lists",
        "un élément de la liste est une liste ou un objet",
        "mettez le champ dans une colonne jsonb ou une table fille",
    ),
    ("not_a_bool", "la valeur n'est ni vraie ni fausse", "mettez le champ dans une colonne text"),
    (
        "not_a_date",
        "le texte n'est pas une date dans un des formats déclarés",
        "écrivez `format = [\"dmy\"]`, `[\"mdy\"]` ou `[\"epoch\"]` si l'application les écrit ainsi",
    ),
    (
        "not_a_number",
        "le texte n'est pas un nombre",
        "écrivez `number = \"fr\"` si l'application écrit 1 234,56, ou mettez le champ dans une colonne text",
    ),
    ("not_a_uuid", "le texte n'est pas un UUID", "écrivez `ref = \"…\"` si c'est un ancien id"),
    ("not_an_integer", "le nombre a des décimales", "mettez le champ dans une colonne numeric"),
    (
        "number_ambiguous",
        "le point peut marquer les milliers ou les décimales",
        "corrigez le nombre dans l'application, ou dans une copie du fichier",
    ),
    ("number_too_long", "le nombre a trop de chiffres", "mettez le champ dans une colonne text"),
    ("numeric_overflow", "le nombre a trop de chiffres avant la virgule", "élargissez la colonne"),
    (
        "numeric_scale",
        "le nombre a trop de décimales",
        "élargissez la colonne ; les poussières de calcul s'en vont avec `round = \"float_artifact\"`",
    ),
    (
        "orphan",
        "l'enregistrement désigné n'est pas dans le fichier, ou a été rejeté",
        "corrigez-le, ou écrivez `orphan = \"null\"`",
    ),
    (
        "parent_rejected",
        "l'enregistrement dont il fait partie a été rejeté",
        "corrigez le parent ; celui-ci suivra",
    ),
    (
        "record_not_object",
        "ce n'est pas un enregistrement",
        "corrigez-le dans l'application et exportez de nouveau",
    ),
    ("reference_unusable", "la valeur n'est pas un id", "mettez le champ dans une colonne jsonb"),
    (
        "required",
        "la colonne est obligatoire et l'enregistrement n'a rien pour elle",
        "donnez-lui un `default`, ou corrigez-le",
    ),
    (
        "undeclared_epoch",
        "un nombre n'est une date que si la correspondance le dit",
        "écrivez `format = [\"iso\", \"epoch\"]`",
    ),
    (
        "wrong_kind",
        "la valeur n'est pas de la bonne sorte",
        "mettez le champ dans une colonne d'un autre type",
    ),
    (
        "unknown_field",
        "aucune colonne ne lit certains champs",
        "déclarez ces champs, ou écrivez `unknown_keys = \"extra\"`",
    ),
];

/// Name, what was done.
const STORIES: &[(&str, &str)] = &[
    ("missing_as_null", "champ absent devenu NULL"),
    ("missing_as_default", "champ absent, valeur par défaut"),
    ("null_as_default", "null, valeur par défaut"),
    ("empty_as_null", "texte vide devenu NULL"),
    ("empty_as_default", "texte vide, valeur par défaut"),
    ("sentinel_as_null", "texte qui ne dit rien devenu NULL"),
    ("alternative_dropped", "second champ identique ou vide"),
    ("number_from_text", "nombre écrit en texte"),
    ("bool_from_other", "vrai ou faux écrit en texte ou nombre"),
    ("text_from_scalar", "texte écrit en nombre ou booléen"),
    ("list_from_text", "liste écrite en un texte"),
    ("float_artifact_rounded", "poussière de calcul arrondie"),
    ("day_from_instant", "jour tiré d'un instant"),
    ("instant_from_day", "instant tiré d'un jour"),
    ("time_read_in_zone", "heure lue dans le fuseau déclaré"),
    ("rounded_to_microsecond", "arrondi à la microseconde"),
    ("choice_folded", "autre graphie d'une valeur connue"),
    ("text_changed", "texte changé comme demandé"),
    ("unknown_as_null", "valeur inconnue devenue NULL"),
    ("out_of_bounds_as_null", "date hors limites mise de côté"),
    ("orphan_as_null", "référence sans cible devenue NULL"),
    ("file_moved", "fichier mis dans Storage"),
    ("file_as_null", "fichier non admis mis de côté"),
];

/// Warnings of a report, and what a command says on its way.
const REMARKS: &[Sentence] = &[
    (
        "the record of `{}` it refers to is not in the file, or was rejected; the column is NULL",
        "l'enregistrement de {} désigné n'est pas dans le fichier, ou a été rejeté ; la colonne est NULL",
    ),
    (
        "the mapping does not list this value; the column has its default instead",
        "la correspondance ne connaît pas cette valeur ; la colonne a sa valeur par défaut",
    ),
    (
        "the date is out of the column's bounds; the column has its default instead",
        "la date est hors des limites de la colonne ; la colonne a sa valeur par défaut",
    ),
    (
        "the clock was put back and showed this time twice; the first is stored",
        "l'horloge a été reculée et a montré deux fois cette heure ; la première est gardée",
    ),
    (
        "the clock was put forward and never showed this time; it is stored as much later",
        "l'horloge a été avancée et n'a jamais montré cette heure ; elle est gardée décalée d'autant",
    ),
    (
        "the row differs and the file is not newer, so it is kept; --mode upsert writes the file's values",
        "la ligne diffère et le fichier n'est pas plus récent : elle est gardée ; `--mode upsert` écrit les valeurs du fichier",
    ),
    (
        "rows that belong to records of this file and are not in it, or no longer: {}; they are left alone",
        "lignes d'enregistrements de ce fichier qui n'y sont pas, ou plus : {} ; elles restent telles quelles",
    ),
    (
        "writing with the project's secret key: it may write everything, and row-level security is not tried",
        "écriture avec la clé secrète du projet : elle peut tout écrire, et les règles d'accès ne sont pas mises à l'épreuve",
    ),
    (
        "made the owner's account; MIGRATOR_PASSWORD is its password",
        "compte du propriétaire créé ; son mot de passe est MIGRATOR_PASSWORD",
    ),
    (
        "made the owner's account; it has no password yet: they ask for a new one to get in",
        "compte du propriétaire créé, sans mot de passe : il ou elle en demande un nouveau pour entrer",
    ),
    (
        "Starting a Supabase on this machine; its data stay in {}",
        "Démarrage d'un Supabase sur cette machine ; ses données restent dans {}",
    ),
    (
        "Importing a garage's backup as {}, whose own rights are all it needs",
        "Import de la sauvegarde d'un garage en tant que {}, dont les seuls droits suffisent",
    ),
    (
        "wrote {}: read it, then `migrator scaffold` and `migrator import`",
        "{} écrit : lisez-le, puis `migrator scaffold` et `migrator import`",
    ),
    ("wrote {}: read it before you apply it", "{} écrit : lisez-le avant de l'appliquer"),
    ("wrote the pages into {}", "pages écrites dans {}"),
    ("wrote {}", "{} écrit"),
    ("{} is what the database says already", "{} dit déjà ce que dit la base de données"),
    ("{} is what the database says", "{} dit ce que dit la base de données"),
    (
        "this run came to its end: there is nothing to go on with",
        "cet import est allé jusqu'au bout : il n'y a rien à reprendre",
    ),
    (
        "over the API only the tables of the run are looked at for rows that refer to others; rows of other tables go along where the database says on delete cascade",
        "par l'API, seules les tables de l'import sont examinées à la recherche de lignes qui en désignent d'autres ; les lignes d'autres tables partent avec elles là où la base dit `on delete cascade`",
    ),
    ("somebody has changed it since", "quelqu'un l'a changée depuis"),
    ("another row refers to it", "une autre ligne la désigne"),
    ("the server does not let it go ({})", "le serveur ne la laisse pas partir ({})"),
    ("left out, as they hold a session: {}", "laissés de côté, car ils contiennent une session : {}"),
    (
        "the field is {said}, so it has no rows in `{table}`",
        "le champ est {said} : il n'a pas de lignes dans `{table}`",
    ),
    ("null", "null"),
    ("a boolean", "un booléen"),
    ("a number", "un nombre"),
    ("a text", "un texte"),
    ("a list", "une liste"),
    ("an object", "un objet"),
    (
        "the file was cut off here; what is whole before it was taken",
        "le fichier est coupé ici ; ce qui est entier avant a été repris",
    ),
    (
        "the value looks like JSON and cannot be read: {said}",
        "la valeur ressemble à du JSON et est illisible : {said}",
    ),
    ("the record is null, and was left out", "l'enregistrement est null ; il a été laissé de côté"),
    (
        "{n} records are null, and were left out; this is the first",
        "{n} enregistrements sont null ; ils ont été laissés de côté ; voici le premier",
    ),
    ("is not there after it was written", "n'est pas là après avoir été écrite"),
    ("does not read back as it was written", "n'est pas relue telle qu'elle a été écrite"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{place, sentence};
    use super::*;

    #[test]
    fn a_known_reason_is_french_and_an_unknown_one_is_the_servers() {
        let reject = |code: &'static str| Reject {
            file: String::new(),
            pointer: String::new(),
            table: String::new(),
            column: None,
            code: code.into(),
            message: "message".to_owned(),
            help: "help".to_owned(),
        };
        assert_eq!(Lang::Fr.reason(&reject("not_a_number")), "le texte n’est pas un nombre");
        assert_eq!(
            (Lang::Fr.reason(&reject("23514")), Lang::Fr.remedy(&reject("23514"))),
            ("message".into(), "help".into())
        );
        assert_eq!(Lang::En.reason(&reject("not_a_number")), "message");
    }

    #[test]
    fn a_remark_keeps_what_stands_at_its_place() {
        let english = "rows that belong to records of this file and are not in it, or no longer: 3; they are left alone";
        assert!(Lang::Fr.remark(english).contains("ou plus\u{a0}: 3\u{202f}; elles"));
        assert_eq!(Lang::Fr.remark("something new"), "something new");
        assert_eq!(Lang::En.remark(english), english);
    }

    /// What is no longer said anywhere is no longer translated.
    #[test]
    fn every_name_and_remark_is_one_the_program_has() {
        let (mut sources, mut folders) =
            (String::new(), vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the crate's own folder") {
                let path = entry.expect("the crate's own folder").path();
                match path.is_dir() {
                    true if path.ends_with("lang") => {}
                    true => folders.push(path),
                    false => sources += &std::fs::read_to_string(path).unwrap_or_default(),
                }
            }
        }
        let names = REFUSALS.iter().map(|(code, _, _)| *code).chain(STORIES.iter().map(|(name, _)| *name));
        let gone: Vec<_> = names.filter(|name| !sources.contains(&format!("\"{name}\""))).collect();
        assert_eq!(gone, Vec::<&str>::new());
        let sources = sources.replace("\\\"", "\"");
        let pieces = REMARKS.iter().chain(FINDINGS).flat_map(|(english, _)| sentence::pieces(english));
        let pieces = pieces.flat_map(|piece| piece.split("; ")).map(str::trim);
        let gone: Vec<_> = pieces.filter(|piece| !sources.contains(*piece)).collect();
        assert_eq!(gone, Vec::<&str>::new());
    }

    /// Only sentences that begin alike can hide each other.
    #[test]
    fn every_sentence_is_found_and_set_as_french_is() {
        for (english, french) in REMARKS.iter().chain(FINDINGS) {
            let sample = sentence::pieces(english).join("3");
            let made = Lang::Fr.remark(&sample);
            let (first, second) = french.split_once('|').unwrap_or((french, french));
            for form in [first, second] {
                assert_eq!(places(form), places(english), "{english}");
            }
            let expected = sentence::pieces(second).join("3");
            assert_eq!(made, french::set(&expected), "{english}");
        }
    }

    fn places(mut text: &str) -> BTreeSet<&str> {
        let mut places = BTreeSet::new();
        while let Some((_, name, after)) = place(text) {
            places.insert(name);
            text = after;
        }
        places
    }
}
