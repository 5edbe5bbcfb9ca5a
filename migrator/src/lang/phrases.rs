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
    Inserted: "inserted", "ajouté|ajoutés";
    Updated: "updated", "modifié|modifiés";
    Missing: "missing", "manquant|manquants";
    Differing: "differing", "différent|différents";
    Same: "same", "inchangé|inchangés";
    Kept: "kept", "gardé|gardés";
    Merged: "merged", "fusionné|fusionnés";
    Rejected: "rejected", "rejeté|rejetés";
    NotWritten: "not written", "non écrit|non écrits";
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
    UndoHow: "migrator rollback {run}, with the options that said where to",
        "migrator rollback {run}, avec les options qui disaient où";
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
    VerdictKept:
        "{n} row is kept as it was: the file is not newer|{n} rows are kept as they were: the file is not newer",
        "{n} ligne reste comme elle était : le fichier n'est pas plus récent|{n} lignes restent comme elles étaient : le fichier n'est pas plus récent";
    VerdictDryRun: "A dry run: nothing was written", "Un essai : rien n'a été écrit";
    EveryRecordOnce: "Every record of the file is counted once.", "Chaque enregistrement du fichier est compté une seule fois.";
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
    AuthorityDatabase: "a role of the database", "un rôle de la base";
    AsInTheFile:
        "{n} row is as the file has it|{n} rows are as the file has them",
        "{n} ligne est conforme au fichier|{n} lignes sont conformes au fichier";
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

    // What an inspection found.
    InspectionCut:
        "cut off in {place}: what is whole before it was taken",
        "coupé dans {place} : ce qui est entier avant a été repris";
    RootBelow: "below {root}", "sous {root}";
    KeysBegin: "keys begin with {prefix}", "clés qui commencent par {prefix}";
    References: "references", "références";
    NoRows: "left out", "laissé de côté";
    Base64Files: "files in Base64", "fichiers en Base64";
    SecretsNever: "secrets, never moved", "secrets, jamais repris";
    OddTexts: "odd texts", "textes étranges";
    Unreadable: "cannot be read", "illisible";
    Records: "{n} records", "{n} enregistrement|{n} enregistrements";
    InTable: "in {table}", "dans {table}";
    ToTable: "to {table}", "vers {table}";
    KnownBy: "id: {id} ({style})", "id : {id} ({style})";
    FieldSets: "{n} sets of fields", "{n} jeu de champs|{n} jeux de champs";
    Repeated: "{n} repeated", "{n} répété|{n} répétés";
    Decide: "decide: {what}", "à décider : {what}";
    Broken: "{n} broken", "{n} sans cible";
    NoReference: "(no reference: {why})", "(pas de référence : {why})";
    Finding: "{place}: {what}", "{place} : {what}";

    // How a record becomes a row, and whether a mapping fits.
    IdFrom: "id {id}, from {old}", "id {id}, tiré de {old}";
    NoRow: "no row: {why}", "pas de ligne : {why}";
    FromNothing: "nothing", "rien";
    RefusedFor: "refused: {why}", "refusé : {why}";
    LeftToDatabase: "left to the database", "laissé à la base";
    ColumnStory: "{column} ({type}): {from} → {to}", "{column} ({type}) : {from} → {to}";
    LeftOver: "left over: {json}", "reste : {json}";
    Shortened: "{beginning}… ({n} bytes)", "{beginning}… ({n} octet)|{beginning}… ({n} octets)";
    MappingFits:
        "{name}: {n} tables, nothing to complain of",
        "{name} : {n} table, rien à redire|{name} : {n} tables, rien à redire";
    MappingMisfits:
        "{name}: {n} things do not fit",
        "{name} : {n} point ne convient pas|{name} : {n} points ne conviennent pas";

    // Runs, and how one is taken back.
    RunsNone: "no runs", "aucune exécution";
    RunId: "run", "exécution";
    RunKind: "kind", "genre";
    RunStatus: "status", "état";
    RunStarted: "started", "début";
    RunEnded: "ended", "fin";
    RunUndoes: "undoes", "annule";
    RunRows: "rows", "lignes";
    FromTo: "from → to", "de → vers";
    AndMoreFiles: "{file} and {n} more", "{file} et {n} autre|{file} et {n} autres";
    KindImport: "import", "import";
    KindRollback: "rollback", "annulation";
    StatusPlanned: "planned", "prévue";
    StatusLoading: "loading, or stopped", "en cours, ou arrêtée";
    StatusDone: "done", "terminée";
    StatusFailed: "failed", "échouée";
    StatusRolledBack: "rolled back", "annulée";
    StatusRolledBackInPart: "rolled back in part", "annulée en partie";
    RunsForgotten:
        "forgot {n} of {all} runs; they cannot be rolled back any more",
        "{n} exécution oubliée sur {all}, désormais impossible à annuler|{n} exécutions oubliées sur {all}, désormais impossibles à annuler";
    TakingBack: "taking back", "annulation";
    Removed: "removed", "retirées";
    Restored: "restored", "rétablies";
    Already: "already", "déjà";
    RowsKept: "kept", "gardées";
    KeptRow: "kept {table} {id}: {why}", "gardée {table} {id} : {why}";
    KeptMore: "and {n} more; --json names them all", "et {n} de plus ; --json les nomme toutes";
    RolledBack:
        "removed {removed}, put back {restored}, kept {kept}",
        "lignes retirées : {removed}, rétablies : {restored}, gardées : {kept}";
    WouldRollBack:
        "dry run: would have removed {removed}, put back {restored}, kept {kept}",
        "essai : {removed} à retirer, {restored} à rétablir, {kept} à garder";
    RestoredNow:
        "rows that were put back say that they changed just now, where a trigger keeps that time",
        "les lignes rétablies se disent changées à l'instant, là où un trigger tient cette heure";

    // Accounts, and what a browser holds.
    AccountsTask: "accounts", "comptes";
    AccountsMade:
        "{n} accounts: {made} made, {there} already there, {rejected} rejected",
        "comptes : {n} ; créés : {made}, déjà là : {there}, rejetés : {rejected}";
    AccountsWouldBeMade:
        "{n} accounts: {made} would be made, {there} already there, {rejected} rejected",
        "comptes : {n} ; à créer : {made}, déjà là : {there}, rejetés : {rejected}";
    PasswordsKept: "{n} keep their password", "{n} garde son mot de passe|{n} gardent leur mot de passe";
    PasswordsNone:
        "{n} have no password yet: they ask for a new one to get in",
        "{n} n'a pas encore de mot de passe : il faut en demander un nouveau pour entrer|{n} n'ont pas encore de mot de passe : il faut en demander un nouveau pour entrer";
    PasswordsLeftOut:
        "{n} passwords stood in the file in clear, or in a form Auth does not know; they were left out",
        "{n} mot de passe était dans le fichier en clair, ou sous une forme qu'Auth ne connaît pas ; il a été laissé de côté|{n} mots de passe étaient dans le fichier en clair, ou sous une forme qu'Auth ne connaît pas ; ils ont été laissés de côté";
    KeysAreIn:
        "{n} keys of {site} are in {file}",
        "{n} clé de {site} est dans {file}|{n} clés de {site} sont dans {file}";
    Keys: "keys", "clés";
    Characters: "characters", "caractères";
    Site: "site", "site";
    BookmarkletHow:
        "As a bookmark: make one, paste this as its address, open the app in a tab of its own, click it.",
        "En favori : créez-en un, collez ceci comme adresse, ouvrez l'application dans son propre onglet, cliquez dessus.";
    ConsoleHow:
        "In the console: open the app, press F12, choose Console, paste this. Some browsers ask you to type\n\"allow pasting\" first.",
        "Dans la console : ouvrez l'application, appuyez sur F12, choisissez Console, collez ceci. Certains\nnavigateurs demandent d'abord de taper « allow pasting », ou « autoriser le collage ».";
    BookmarkletThen:
        "Either saves a file named by the site and the day, for `migrator import`. Nothing is sent anywhere.\nThe file holds every key, the session of whoever is signed in too: treat it as a password.",
        "Les deux enregistrent un fichier qui porte le nom du site et le jour, pour `migrator import`. Rien n'est\nenvoyé nulle part. Le fichier contient toutes les clés, et la session de qui est connecté : gardez-le\ncomme un mot de passe.";

    // The doctor's findings, and what to do.
    EnvFileFound: "{file} sets {names}", "{file} définit {names}";
    EnvFileEmpty: "{file} sets nothing this program reads", "{file} ne définit rien que ce programme lise";
    EnvFileNone: "no .env here or above; variables come from the environment alone", "pas de fichier .env ici ni au-dessus ; les variables viennent du seul environnement";
    EnvFileBroken:
        "{file} has {n} line that cannot be read|{file} has {n} lines that cannot be read",
        "{file} a {n} ligne illisible|{file} a {n} lignes illisibles";
    EnvFileBrokenHelp: "write NAME=value, with quotes around a value that holds spaces", "écrivez NOM=valeur, avec des guillemets autour d'une valeur à espaces";
    FolderWritable: "runs can be kept in {folder}", "les imports peuvent être gardés dans {folder}";
    FolderRefused: "{folder} cannot be written: {reason}", "{folder} ne peut pas être écrit : {reason}";
    FolderHelp: "run in a folder of your own, or free some space", "travaillez dans un dossier à vous, ou faites de la place";
    LocalRuns: "a Supabase runs on this machine at {url}", "un Supabase tourne sur cette machine : {url}";
    LocalMissing: "no Supabase to reach on this machine: {reason}", "pas de Supabase joignable sur cette machine : {reason}";
    LocalHelp: "start one with `supabase-stack start --detach`, or name a project with --url", "lancez-en un avec `supabase-stack start --detach`, ou nommez un projet avec --url";
    TargetNone: "no target is named", "aucune base d'arrivée n'est nommée";
    TargetNoneHelp: "pass --local, --url or --db-url, or set SUPABASE_URL", "passez --local, --url ou --db-url, ou définissez SUPABASE_URL";
    UrlReads: "the address is {url}", "l'adresse est {url}";
    UrlInClear: "the address {url} is not encrypted", "l'adresse {url} n'est pas chiffrée";
    UrlInClearHelp: "use https:// for anything that is not on this machine", "utilisez https:// pour tout ce qui n'est pas sur cette machine";
    UrlUnreadable: "the project's address cannot be read: {reason}", "l'adresse du projet est illisible : {reason}";
    UrlHelp: "it looks like https://ref.supabase.co", "elle ressemble à https://ref.supabase.co";
    UrlHasPath: "the address has a path behind its host: {path}", "l'adresse a un chemin après son hôte : {path}";
    UrlHasPathHelp: "leave it out, unless your gateway needs it", "enlevez-le, sauf si votre passerelle en a besoin";
    DnsFound: "{host} has {v4} IPv4 and {v6} IPv6 addresses", "{host} a {v4} adresses IPv4 et {v6} adresses IPv6";
    DnsNone: "the name {host} leads nowhere: {reason}", "le nom {host} ne mène nulle part : {reason}";
    DnsHelp: "check the spelling and the network; a project that was paused or removed has no name", "vérifiez l'orthographe et le réseau ; un projet en pause ou supprimé n'a plus de nom";
    TcpOpen: "{host}:{port} takes connections", "{host}:{port} accepte les connexions";
    TcpClosed: "{host}:{port} takes no connection: {reason}", "{host}:{port} n'accepte pas de connexion : {reason}";
    TcpHelp: "check that the server runs, and that no firewall or proxy stands between", "vérifiez que le serveur tourne et qu'aucun pare-feu ni proxy ne s'interpose";
    TlsGood: "its certificate is valid for {host}", "son certificat est valable pour {host}";
    TlsBad: "no safe connection to {host}: {reason}", "pas de connexion sûre avec {host} : {reason}";
    TlsHelp: "check this machine's clock and certificates; a proxy that reads along has a certificate of its own", "vérifiez l'horloge et les certificats de cette machine ; un proxy qui lit tout a son propre certificat";
    KeyNone: "no key for the project", "pas de clé pour le projet";
    KeyNoneHelp: "set SUPABASE_PUBLISHABLE_KEY and MIGRATOR_PASSWORD to write as the owner, or SUPABASE_SECRET_KEY", "définissez SUPABASE_PUBLISHABLE_KEY et MIGRATOR_PASSWORD pour écrire en propriétaire, ou SUPABASE_SECRET_KEY";
    KeyUnreadable: "the key file {file} cannot be read: {reason}", "le fichier de clé {file} est illisible : {reason}";
    KeyPublishable: "{name} is a publishable key", "{name} est une clé publiable";
    KeySecret: "{name} is a secret key", "{name} est une clé secrète";
    KeyLegacyAnon: "{name} is a legacy anon key", "{name} est une ancienne clé anon";
    KeyLegacySecret: "{name} is a legacy service_role key", "{name} est une ancienne clé service_role";
    KeyUnknown: "{name} is no key of a project", "{name} n'est pas une clé de projet";
    KeyUnknownHelp: "copy it again from the project's API settings, whole and without quotes", "recopiez-la depuis les réglages API du projet, entière et sans guillemets";
    KeySwapped: "{name} holds a key of the other kind", "{name} contient une clé de l'autre sorte";
    KeySwappedHelp: "a secret key goes into SUPABASE_SECRET_KEY and never into an app; a publishable one into SUPABASE_PUBLISHABLE_KEY", "une clé secrète va dans SUPABASE_SECRET_KEY et jamais dans une application ; une clé publiable dans SUPABASE_PUBLISHABLE_KEY";
    KeyExpired: "{name} expired on {day}", "{name} a expiré le {day}";
    KeyExpiredHelp: "take a new key from the project's API settings", "prenez une nouvelle clé dans les réglages API du projet";
    KeyForeign: "{name} belongs to the project {other}, and the address to {project}", "{name} est du projet {other}, et l'adresse du projet {project}";
    KeyForeignHelp: "take the address and the key from one project", "prenez l'adresse et la clé d'un même projet";
    AuthAnswers: "the project's sign-in service answers", "le service de connexion du projet répond";
    RestAnswers: "the project's tables answer", "les tables du projet répondent";
    ServiceRefusesKey: "{path} refuses the key (status {status})", "{path} refuse la clé (statut {status})";
    ServiceOdd: "{path} answers with status {status}", "{path} répond avec le statut {status}";
    ServiceOddHelp: "check that the address is that of a Supabase project, and that it is not paused", "vérifiez que l'adresse est celle d'un projet Supabase, et qu'il n'est pas en pause";
    ServiceSilent: "{path} does not answer: {reason}", "{path} ne répond pas : {reason}";
    ClockGood: "this machine's clock and the server's agree", "l'horloge de cette machine et celle du serveur s'accordent";
    ClockSkewed: "this machine's clock and the server's differ by {time}", "l'horloge de cette machine et celle du serveur diffèrent de {time}";
    ClockHelp: "set this machine's clock: sessions and certificates depend on it", "réglez l'horloge de cette machine : sessions et certificats en dépendent";
    OwnerSignedIn: "the owner signs in with MIGRATOR_PASSWORD", "le propriétaire se connecte avec MIGRATOR_PASSWORD";
    OwnerKnown: "the project knows the owner", "le projet connaît le propriétaire";
    OwnerUnknown: "the project knows nobody with the address after --owner", "le projet ne connaît personne à l'adresse donnée par --owner";
    OwnerUnknownHelp: "let them sign up, check the spelling, or import with --create-owner", "qu'il ou elle s'inscrive, vérifiez l'orthographe, ou importez avec --create-owner";
    OwnerRefused: "the owner cannot sign in: {reason}", "le propriétaire ne peut pas se connecter : {reason}";
    OwnerRefusedHelp: "check --owner and MIGRATOR_PASSWORD", "vérifiez --owner et MIGRATOR_PASSWORD";
    OwnerUnasked: "whether the owner can sign in was not tried", "la connexion du propriétaire n'a pas été essayée";
    OwnerUnaskedHelp: "pass --owner EMAIL and set MIGRATOR_PASSWORD", "passez --owner ADRESSE et définissez MIGRATOR_PASSWORD";
    TablesThere: "all {n} tables of the mapping are there with their columns", "les {n} tables de la correspondance sont là avec leurs colonnes";
    TableWrong: "table {table}: {reason}", "table {table} : {reason}";
    TableHelp: "apply the migrations to the project, and the grants and policies with them", "appliquez les migrations au projet, avec leurs grants et leurs règles";
    DatabaseAddress: "the database's address is {place}", "l'adresse de la base de données est {place}";
    DatabaseInClear: "the way to the database at {place} need not be encrypted", "le chemin vers la base {place} peut ne pas être chiffré";
    DatabaseInClearHelp: "add ?sslmode=require, or better sslmode=verify-full with sslrootcert", "ajoutez ?sslmode=require, ou mieux sslmode=verify-full avec sslrootcert";
    DatabasePooler: "port 6543 is the transaction pooler, which forgets a session between two statements", "le port 6543 est le pooler de transactions, qui oublie la session entre deux instructions";
    DatabasePoolerHelp: "use the session pooler: the same host with port 5432", "utilisez le pooler de sessions : le même hôte avec le port 5432";
    DatabaseOnlyV6: "{host} has only IPv6 addresses, and this network may have none", "{host} n'a que des adresses IPv6, et ce réseau n'en a peut-être pas";
    DatabaseOnlyV6Help: "use the session pooler's address from the project's connection settings: it has IPv4", "utilisez l'adresse du pooler de sessions, dans les réglages de connexion du projet : elle a de l'IPv4";
    DatabaseAnswers: "the database answers: PostgreSQL {version}", "la base de données répond : PostgreSQL {version}";
    SettingUnset: "not set", "non défini";
    SettingHidden: "set", "défini";
    OriginFlag: "command line", "ligne de commande";
    OriginEnvironment: "environment", "environnement";
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
            }
        }
    }

    #[test]
    fn french_marks_have_their_space() {
        for phrase in Phrase::ALL {
            let text = Lang::Fr.say(*phrase).replace("://", "");
            for (index, mark) in text.match_indices([':', ';', '!', '?', '»']) {
                let before = text[..index].chars().next_back();
                assert!(matches!(before, None | Some('\u{a0}' | '\u{202f}')), "{mark} in {phrase:?}: {text}");
            }
            assert!(!text.contains(" '") || !text.contains("''"), "{phrase:?}: {text}");
        }
    }
}
