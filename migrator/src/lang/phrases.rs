//! Every phrase, in every language. A bar parts the singular from the plural, braces hold a place.

use crate::report::Phase;

macro_rules! phrases {
    ($($name:ident: $english:literal, $french:literal;)+) => {
        /// Something we say.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Phrase {
            $($name),+
        }

        impl Phrase {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name),+];

            /// The phrase in a language, as the table below has it.
            pub(super) fn in_(self, lang: super::Lang) -> &'static str {
                let (english, french) = match self {
                    $(Self::$name => ($english, $french)),+
                };
                match lang {
                    super::Lang::En => english,
                    super::Lang::Fr => french,
                }
            }
        }
    };
}

phrases! {
    // A failure.
    Error: "error", "erreur";
    Help: "help", "aide";
    ExitCode: "exit code {code}", "code de sortie {code}";

    // The columns of an account, as short as they can be.
    Table: "table", "table";
    In: "in", "lus";
    Inserted: "inserted", "ajoutés";
    Updated: "updated", "modifiés";
    Same: "same", "inchangés";
    Kept: "kept", "gardés";
    Merged: "merged", "fusionnés";
    Rejected: "rejected", "rejetés";
    NotWritten: "not written", "non écrits";
    Total: "total", "total";

    // How a run ended.
    NothingWritten: "nothing written", "rien n'a été écrit";
    NothingWrittenRejects:
        "nothing written: {n} record was rejected|nothing written: {n} records were rejected",
        "rien n'a été écrit : {n} enregistrement rejeté|rien n'a été écrit : {n} enregistrements rejetés";
    WouldWrite:
        "dry run: {n} row would be written|dry run: {n} rows would be written",
        "essai : {n} ligne serait écrite|essai : {n} lignes seraient écrites";
    NothingToWrite: "nothing to write", "rien à écrire";
    Written: "{n} row written|{n} rows written", "{n} ligne écrite|{n} lignes écrites";
    AndRejected: ", {n} rejected", ", {n} rejeté|, {n} rejetés";
    NotReadBack:
        "{n} row does not read back as it was written|{n} rows do not read back as they were written",
        "{n} ligne relue n'est pas celle qui a été écrite|{n} lignes relues ne sont pas celles qui ont été écrites";

    // What a person should look at.
    RecordsRejected:
        "{n} record rejected|{n} records rejected",
        "{n} enregistrement rejeté|{n} enregistrements rejetés";
    InFile: "{what} in {file}", "{what} dans {file}";
    Warnings: "{n} warning|{n} warnings", "{n} avertissement|{n} avertissements";
    ChangedOnTheWay: "changed on the way", "changé en chemin";
    NotInTheMapping: "not in the mapping", "absent de la correspondance";
    LeftOut: "left out on purpose", "laissé de côté exprès";
    SingleValues: "single values, not moved", "valeurs isolées, non reprises";
    FieldsKept: "fields without a column, kept in extra", "champs sans colonne, gardés dans extra";
    FieldsNotMoved: "fields without a column, not moved", "champs sans colonne, non repris";
    Secrets: "secrets, not moved", "secrets, non repris";
    Repaired: "repaired while reading", "réparé à la lecture";
    LoneSurrogates:
        "{n} half character replaced|{n} half characters replaced",
        "{n} demi-caractère remplacé|{n} demi-caractères remplacés";
    NulCharacters: "{n} NUL character removed|{n} NUL characters removed", "{n} caractère NUL retiré|{n} caractères NUL retirés";
    DuplicateKeys:
        "{n} repeated key: the last one won|{n} repeated keys: the last one won",
        "{n} clé répétée : la dernière l'emporte|{n} clés répétées : la dernière l'emporte";
    AndMore: "and {n} more; -v or --json lists them", "et {n} de plus ; -v ou --json les montre";
    NoTable:
        "{n} record has no table in this mapping|{n} records have no table in this mapping",
        "{n} enregistrement n'a pas de table dans cette correspondance|{n} enregistrements n'ont pas de table dans cette correspondance";
    ListedWithoutQuiet: "; without --quiet they are listed", " ; sans --quiet, ils sont nommés";

    // What else was done.
    MediaSent:
        "{n} file sent ({size}), {there} there already|{n} files sent ({size}), {there} there already",
        "{n} fichier envoyé ({size}), {there} déjà là|{n} fichiers envoyés ({size}), {there} déjà là";
    RowsEqual: "{equal} of {n} row read back as planned|{equal} of {n} rows read back as planned", "{equal} sur {n} ligne relue comme prévu|{equal} sur {n} lignes relues comme prévu";
    DigestsEqual: "{equal} of {n} table has equal digests|{equal} of {n} tables have equal digests", "{equal} sur {n} table à empreintes égales|{equal} sur {n} tables à empreintes égales";
    OrphansFound: "{n} reference to nothing|{n} references to nothing", "{n} référence sans cible|{n} références sans cible";
    VisibleToOwner: "{n} visible to their owner", "{n} visible par son propriétaire|{n} visibles par leur propriétaire";
    ReportAt: "report", "rapport";
    RejectsAt: "rejects", "rejets";
    UndoBy: "undo", "annuler";

    // Progress.
    Comparing: "comparing", "comparaison";
    ReadingBack: "reading back", "relecture";
    Rate: "{n}/s", "{n}/s";
    Remaining: "{time} left", "reste {time}";
    ProgressLine: "{what}: {done} of {total}, {rate}, {left}", "{what} : {done} sur {total}, {rate}, {left}";
    StepLine: "{what}: {n}", "{what} : {n}";
    YesNo: "{question} [y/N] ", "{question} [o/N] ";

    // The page.
    PageTitle: "Import report", "Rapport d'import";
    VerdictOk: "Everything is in its table", "Tout est dans sa table";
    VerdictRejects:
        "Done, and {n} record was rejected|Done, and {n} records were rejected",
        "Terminé, avec {n} enregistrement rejeté|Terminé, avec {n} enregistrements rejetés";
    VerdictMismatch: "What was read back is not what was written", "Ce qui a été relu n'est pas ce qui a été écrit";
    VerdictStopped: "Nothing was written", "Rien n'a été écrit";
    VerdictDryRun: "A dry run: nothing was written", "Un essai : rien n'a été écrit";
    EveryRecordOnce: "Every record of the file is in exactly one column.", "Chaque enregistrement du fichier est dans une seule colonne.";
    Accounts: "Tables", "Tables";
    EmptyTables: "Nothing in the file for: {tables}", "Rien dans le fichier pour : {tables}";
    Legend: "What the bars show", "Ce que montrent les barres";
    Digests: "Digests of the rows read back", "Empreintes des lignes relues";
    DigestNote: "Equal digests mean equal rows, in any order.", "Des empreintes égales veulent dire des lignes égales, dans n'importe quel ordre.";
    RejectsHeading: "Rejected records", "Enregistrements rejetés";
    RejectsNone: "No record was rejected.", "Aucun enregistrement n'a été rejeté.";
    PlacesMore: "and {n} more place|and {n} more places", "et {n} autre endroit|et {n} autres endroits";
    CausesMore: "and {n} more cause|and {n} more causes", "et {n} autre cause|et {n} autres causes";
    RowsMore: "and {n} more line|and {n} more lines", "et {n} autre ligne|et {n} autres lignes";
    AllIn: "All of them are in {file}.", "Ils sont tous dans {file}.";
    WhatToDo: "What to do:", "Que faire :";
    WarningsHeading: "To look at", "À regarder";
    Coercions: "Changed on the way", "Changé en chemin";
    Column: "column", "colonne";
    Change: "change", "changement";
    Count: "count", "nombre";
    FirstPlace: "first place", "premier endroit";
    LeftOutHeading: "Not moved", "Non repris";
    MediaHeading: "Files", "Fichiers";
    Verify: "Verification", "Vérification";
    Timings: "Time", "Durée";
    Provenance: "Where this comes from", "D'où cela vient";
    Mismatches: "Rows that differ", "Lignes qui diffèrent";
    Undo: "How to undo", "Comment annuler";
    UndoNote:
        "This takes back the rows this run wrote, as long as nobody has changed them since:",
        "Ceci retire les lignes écrites par cet import, tant que personne ne les a changées depuis :";
    UndoOnMachine: "Run it in the folder where the import was run.", "À lancer dans le dossier où l'import a été lancé.";
    Redacted:
        "This page holds no value of a record. Names of keys are those of the file; e-mail addresses are masked.",
        "Cette page ne contient aucune valeur d'un enregistrement. Les noms de clés sont ceux du fichier ; les adresses e-mail sont masquées.";
    File: "file", "fichier";
    Encoding: "encoding", "encodage";
    Shape: "shape", "forme";
    Mapping: "mapping", "correspondance";
    MappingText: "The mapping's text", "Le texte de la correspondance";
    MappingCut: "The rest is left out here.", "Le reste est omis ici.";
    ShippedMapping: "comes with the program", "livrée avec le programme";
    Target: "target", "base d'arrivée";
    Via: "way", "voie";
    ViaRest: "REST", "REST";
    ViaSql: "SQL", "SQL";
    Authority: "authority", "autorité";
    AuthorityOwner: "the owner's session: policies hold", "session du propriétaire : les règles s'appliquent";
    AuthoritySecretKey: "the secret key: policies are passed", "clé secrète : les règles ne s'appliquent pas";
    Owner: "owner", "propriétaire";
    Run: "run", "import";
    PlanHash: "plan", "plan";
    Program: "program", "programme";
    PhaseRead: "reading", "lecture";
    PhasePlan: "planning", "préparation";
    PhaseCompare: "comparing", "comparaison";
    PhaseMedia: "files", "fichiers";
    PhaseLoad: "writing", "écriture";
    PhaseVerify: "reading back", "relecture";
    BarOf: "{table}: {parts}", "{table} : {parts}";
}

impl Phrase {
    /// What a part of a run is called.
    pub(crate) fn of(phase: Phase) -> Self {
        match phase {
            Phase::Read => Self::PhaseRead,
            Phase::Plan => Self::PhasePlan,
            Phase::Compare => Self::PhaseCompare,
            Phase::Media => Self::PhaseMedia,
            Phase::Load => Self::PhaseLoad,
            Phase::Verify => Self::PhaseVerify,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Lang;
    use super::*;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn both_languages_have_the_same_places_and_no_phrase_is_empty() {
        for phrase in Phrase::ALL {
            let (english, french) = (phrase.in_(Lang::En), phrase.in_(Lang::Fr));
            assert!(!english.is_empty() && !french.is_empty(), "{phrase:?}");
            assert_eq!(places(english), places(french), "{phrase:?}");
            for text in [english, french] {
                let forms: Vec<_> = text.split('|').map(places).collect();
                assert!(forms.len() <= 2 && forms.iter().all(|form| *form == forms[0]), "{phrase:?}: {text}");
                assert!(
                    !text.contains('|') || forms[0].contains("n"),
                    "{phrase:?} has two forms and no number"
                );
            }
        }
    }

    #[test]
    fn french_marks_have_their_space() {
        for phrase in Phrase::ALL {
            let text = Lang::Fr.say(*phrase);
            for (index, mark) in text.match_indices([':', ';', '!', '?', '»']) {
                let before = text[..index].chars().next_back();
                assert!(matches!(before, None | Some('\u{a0}' | '\u{202f}')), "{mark} in {phrase:?}: {text}");
            }
            assert!(!text.contains(" '") || !text.contains("''"), "{phrase:?}: {text}");
        }
    }
}
