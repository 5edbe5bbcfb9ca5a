//! What is found in a file, a mapping or a database, in French. English where it is found, in `infer`,
//! `export` and `typegen`; documents for programs keep that.

use super::sentence::Sentence;

/// English, French.
pub(super) const FINDINGS: &[Sentence] = &[
    // How a file is made.
    ("{encoding} with a byte order mark", "{encoding} avec une marque d'ordre des octets"),
    ("a bare list", "une simple liste"),
    ("a single value", "une valeur isolée"),
    ("a Playwright storage state", "un état de stockage de Playwright"),
    ("localStorage with a redux-persist store", "localStorage avec un store redux-persist"),
    (
        "localStorage with {n} zustand store(s)",
        "localStorage avec {n} store zustand|localStorage avec {n} stores zustand",
    ),
    ("an object of records by key", "un objet d'enregistrements par clé"),
    ("an object of groups of records", "un objet de groupes d'enregistrements"),
    ("one record", "un seul enregistrement"),
    ("a whole database in one key", "toute une base sous une seule clé"),
    ("a raw dump of localStorage", "une copie brute de localStorage"),
    ("a backup with an envelope", "une sauvegarde dans une enveloppe"),
    ("an object of collections", "un objet de collections"),
    // How ids are made.
    ("kept under its name", "gardé sous son nom"),
    ("none", "aucun"),
    ("epoch", "instant en nombre"),
    ("small int", "petit entier"),
    ("int", "entier"),
    ("numbers and texts", "nombres et textes"),
    ("prefix + time", "préfixe + instant"),
    ("digits as text", "chiffres en texte"),
    ("composite", "composé"),
    ("natural key", "clé naturelle"),
    // Why a field has its type.
    ("records", "éléments"),
    ("reference", "référence"),
    ("never filled", "jamais rempli"),
    ("booleans", "booléens"),
    ("booleans, some of them as text", "booléens, certains en texte"),
    ("booleans beside numbers or texts", "booléens à côté de nombres ou de textes"),
    ("booleans as text", "booléens en texte"),
    ("lists, all of them empty", "listes, toutes vides"),
    ("lists of texts", "listes de textes"),
    ("lists with objects in them", "listes qui contiennent des objets"),
    ("lists", "listes"),
    ("objects", "objets"),
    ("lists beside other values", "listes à côté d'autres valeurs"),
    ("objects beside other values", "objets à côté d'autres valeurs"),
    ("all are milliseconds since 1970, as text", "tous sont des millisecondes depuis 1970, en texte"),
    ("all are {said} since 1970", "tous sont {said} depuis 1970"),
    ("milliseconds", "des millisecondes"),
    ("seconds", "des secondes"),
    ("numbers of more than 28 digits", "nombres de plus de 28 chiffres"),
    ("whole numbers so far, of money by the name", "nombres entiers jusqu'ici, des montants d'après le nom"),
    ("whole numbers", "nombres entiers"),
    ("whole numbers beyond 32 bits", "nombres entiers au-delà de 32 bits"),
    ("whole numbers beyond 64 bits", "nombres entiers au-delà de 64 bits"),
    ("whole numbers as text", "nombres entiers en texte"),
    ("whole numbers, {n} of {m} as text", "nombres entiers, {n} sur {m} en texte"),
    ("numbers, some spelt with a point", "nombres, certains écrits avec un point"),
    ("numbers, {n} with decimals", "nombres, {n} à décimales"),
    ("numbers as text", "nombres en texte"),
    ("numbers, {n} of {m} as text", "nombres, {n} sur {m} en texte"),
    (
        "{n} of {m} have float dust; without it {scale} decimals hold all",
        "{n} sur {m} porte une poussière de calcul ; sans elle, {scale} décimales suffisent à tous|{n} sur {m} portent une poussière de calcul ; sans elle, {scale} décimales suffisent à tous",
    ),
    (
        "{n} of {m} look like float dust, and nothing says that it is",
        "{n} sur {m} ressemble à une poussière de calcul, et rien ne dit que c'en est une|{n} sur {m} ressemblent à une poussière de calcul, et rien ne dit que c'en est une",
    ),
    ("UUIDs", "UUID"),
    (
        "texts of digits, and nothing says that they count something",
        "textes de chiffres, et rien ne dit qu'ils comptent quelque chose",
    ),
    ("texts of digits that a number would lose", "textes de chiffres qu'un nombre perdrait"),
    ("texts beside {n} numbers", "textes à côté de {n} nombre|textes à côté de {n} nombres"),
    ("ISO days", "jours ISO"),
    ("ISO instants", "instants ISO"),
    ("ISO times without a zone: read in source.tz", "heures ISO sans fuseau : lues dans celui de source.tz"),
    (
        "ISO: {n} days, {m} times without a zone, {instants} instants; what has no zone is read in source.tz",
        "ISO : {n} jours, {m} heures sans fuseau, {instants} instants ; ce qui n'a pas de fuseau est lu dans celui de source.tz",
    ),
    ("ISO dates beside milliseconds since 1970", "dates ISO à côté de millisecondes depuis 1970"),
    (
        "dates: {iso} ISO, {ymd} year first, {js} as JavaScript spells them",
        "dates : {iso} ISO, {ymd} l'année d'abord, {js} à la façon de JavaScript",
    ),
    (
        "day first: {n} of {m} have a day after the 12th",
        "le jour d'abord : {n} sur {m} a un jour après le 12|le jour d'abord : {n} sur {m} ont un jour après le 12",
    ),
    (
        "month first: {n} of {m} have a day after the 12th",
        "le mois d'abord : {n} sur {m} a un jour après le 12|le mois d'abord : {n} sur {m} ont un jour après le 12",
    ),
    ("dates in numbers", "dates en chiffres"),
    // What a person should decide.
    ("all read as numbers with number = \"fr\"", "tous se lisent comme des nombres avec `number = \"fr\"`"),
    (
        "points between thousands, or something else: nobody can tell",
        "des points entre les milliers, ou autre chose : rien ne permet de le dire",
    ),
    (
        "{n} dates like 03/04/2024 and none proves the order: write type = \"{type}\" with format = [\"dmy\"] or [\"mdy\"]",
        "{n} date comme 03/04/2024, et rien ne prouve l'ordre : écrivez `type = \"{type}\"` avec `format = [\"dmy\"]` ou `[\"mdy\"]`|{n} dates comme 03/04/2024, et aucune ne prouve l'ordre : écrivez `type = \"{type}\"` avec `format = [\"dmy\"]` ou `[\"mdy\"]`",
    ),
    // What a field lacks, and how its values are spelt.
    ("{n} null", "{n} null"),
    ("{n} \"\"", "{n} \"\""),
    ("{n} missing", "{n} absent|{n} absents"),
    ("{n} ISO days", "{n} jour ISO|{n} jours ISO"),
    ("{n} ISO times without a zone", "{n} heure ISO sans fuseau|{n} heures ISO sans fuseau"),
    ("{n} ISO instants", "{n} instant ISO|{n} instants ISO"),
    ("{n} day first beyond doubt", "{n} avec le jour d'abord, sans aucun doute"),
    ("{n} month first beyond doubt", "{n} avec le mois d'abord, sans aucun doute"),
    ("{n} day and month in either order", "{n} avec jour et mois dans un ordre ou l'autre"),
    ("{n} say there is no date", "{n} dit qu'il n'y a pas de date|{n} disent qu'il n'y a pas de date"),
    ("{n} numbers as text", "{n} nombre en texte|{n} nombres en texte"),
    ("{n} with a decimal comma", "{n} à virgule décimale"),
    ("{n} with points between thousands", "{n} avec des points entre les milliers"),
    ("{n} with float dust", "{n} avec une poussière de calcul"),
    ("{n} with a zero or plus before", "{n} avec un zéro ou un plus devant"),
    // What there is to know of a table.
    (
        "one entity under several keys: {keys}; the first wins where they differ: {said}",
        "une seule entité sous plusieurs clés : {keys} ; la première l'emporte où elles diffèrent : {said}",
    ),
    ("its records are newer", "ses enregistrements sont plus récents"),
    ("it has more records", "elle a plus d'enregistrements"),
    (
        "{n} of them are null and no record: the import names them as rejects",
        "{n} d'entre eux est null, pas un enregistrement : l'import le nommera parmi les rejets|{n} d'entre eux sont null, pas des enregistrements : l'import les nommera parmi les rejets",
    ),
    (
        "`{field}` holds such records where `{others}` holds none{said}",
        "`{field}` contient de tels enregistrements là où `{others}` n'en contient pas{said}",
    ),
    (", as JSON in a text", ", en JSON dans un texte"),
    ("`{field}` holds them as JSON in a text", "`{field}` les contient en JSON dans un texte"),
    // Why a field that points at records is no reference.
    ("none of its values is there", "aucune de ses valeurs n'y est"),
    (
        "it would close a circle of tables that point at each other",
        "elle fermerait un cercle de tables qui se désignent l'une l'autre",
    ),
    // Why something becomes no rows.
    ("how the app looks", "l'apparence de l'application"),
    ("the language of the app", "la langue de l'application"),
    ("the device", "l'appareil"),
    ("how the app keeps its data", "la façon dont l'application garde ses données"),
    ("who is signed in", "qui est connecté"),
    ("what the app has shown", "ce que l'application a déjà montré"),
    ("counters: no id is made from them", "des compteurs : aucun id n'en est tiré"),
    ("what the app tells its makers", "ce que l'application dit à ses auteurs"),
    ("empty", "vide"),
    ("a secret", "un secret"),
    (
        "packed by lz-string, and not unpacked: what is in it is not known",
        "compressé par lz-string et non décompressé : on ne sait pas ce qu'il contient",
    ),
    ("what the export says of itself", "ce que l'export dit de lui-même"),
    ("computed from the records", "calculé à partir des enregistrements"),
    (
        "the same records once more: all of them are under other keys",
        "les mêmes enregistrements une fois de plus : tous sont sous d'autres clés",
    ),
    (
        "no path can name it: change the key in a copy of the file",
        "aucun chemin ne peut le nommer : changez la clé dans une copie du fichier",
    ),
    ("the order of the records beside it", "l'ordre des enregistrements voisins"),
    // What is odd about texts.
    (
        "{n} were UTF-8 and read as Latin-1 once",
        "{n} était en UTF-8 et a été lu comme du Latin-1|{n} étaient en UTF-8 et ont été lus comme du Latin-1",
    ),
    ("{n} with a character that could not be read", "{n} avec un caractère illisible"),
    (
        "{n} look packed by lz-string",
        "{n} semble compressé par lz-string|{n} semblent compressés par lz-string",
    ),
    ("{n} packed by lz-string", "{n} compressé par lz-string|{n} compressés par lz-string"),
    (
        "{n} packed by lz-string for UTF-16",
        "{n} compressé par lz-string pour UTF-16|{n} compressés par lz-string pour UTF-16",
    ),
    (
        "{n} packed by lz-string as Base64",
        "{n} compressé par lz-string en Base64|{n} compressés par lz-string en Base64",
    ),
    (
        "{n} packed by lz-string for an address",
        "{n} compressé par lz-string pour une adresse|{n} compressés par lz-string pour une adresse",
    ),
    ("{n} a list of names and values", "{n} liste de noms et de valeurs|{n} listes de noms et de valeurs"),
    ("{n} half characters replaced", "{n} demi-caractère remplacé|{n} demi-caractères remplacés"),
    ("{n} NUL characters removed", "{n} caractère NUL retiré|{n} caractères NUL retirés"),
    (
        "{n} repeated keys: the last one won",
        "{n} clé répétée : la dernière l'emporte|{n} clés répétées : la dernière l'emporte",
    ),
    (
        "{n} texts spelt twice, put right",
        "{n} texte doublement encodé, remis en ordre|{n} textes doublement encodés, remis en ordre",
    ),
    // Why a value cannot be read.
    ("it is empty", "elle est vide"),
    (
        "it ends in the middle of {place} (line {n}, column {m})",
        "elle s'arrête au milieu de {place} (ligne {n}, colonne {m})",
    ),
    (
        "it ends in the middle of {place}; what came before was taken",
        "elle s'arrête au milieu de {place} ; ce qui précède a été repris",
    ),
    (
        "its lists and objects lie more than 128 deep",
        "ses listes et ses objets sont imbriqués sur plus de 128 niveaux",
    ),
    (
        "one object has the key {key} twice, each with records",
        "un objet a deux fois la clé {key}, chaque fois avec des enregistrements",
    ),
    ("line {n}, column {m}: {said}", "ligne {n}, colonne {m} : {said}"),
    ("something follows the end of the value", "quelque chose suit la fin de la valeur"),
    ("a comma where nothing is open", "une virgule là où rien n'est ouvert"),
    (
        "a comma or the end of the list or object is missing",
        "il manque une virgule ou la fin de la liste ou de l'objet",
    ),
    ("expected a value", "une valeur est attendue"),
    ("expected `:`", "`:` est attendu"),
    ("expected the name of a member, in quotes", "le nom d'un membre est attendu, entre guillemets"),
    ("the number is not one in JSON", "ce n'est pas un nombre en JSON"),
    (
        "a line break or another control character in a text",
        "un saut de ligne ou un autre caractère de contrôle dans un texte",
    ),
    ("an escape that JSON does not know", "une séquence d'échappement que JSON ne connaît pas"),
    // Why a mapping does not fit.
    ("there is no such table in public", "cette table n'est pas dans public"),
    (
        "no primary or unique key on id alone: rows could not be found again",
        "pas de clé primaire ou unique sur id seul : les lignes ne pourraient pas être retrouvées",
    ),
    ("the table has no such column", "la table n'a pas cette colonne"),
    (
        "the column is {held}, and the mapping sends {sent}",
        "la colonne est de type {held}, et la correspondance envoie {sent}",
    ),
    (
        "the column is NOT NULL, and a record may have nothing for it: write required = true, or a default",
        "la colonne est NOT NULL, et un enregistrement peut n'avoir rien pour elle : écrivez `required = true`, ou un `default`",
    ),
    (
        "the column is NOT NULL without a default, and the mapping does not fill it",
        "la colonne est NOT NULL sans valeur par défaut, et la correspondance ne la remplit pas",
    ),
    ("nothing in {file} is at {path}", "rien dans {file} ne se trouve à {path}"),
    // Why a record is no account.
    ("the record has no id", "l'enregistrement n'a pas d'id"),
    (
        "the record has neither an e-mail address nor a phone number",
        "l'enregistrement n'a ni adresse e-mail ni numéro de téléphone",
    ),
    // What to do next, where one failure has several ways out.
    ("import anew", "importez de nouveau"),
    (
        "run `migrator rollback` again: it goes on by itself",
        "relancez `migrator rollback` : il reprend de lui-même",
    ),
    (
        "import anew: rows that are there are left alone",
        "importez de nouveau : les lignes déjà là sont laissées telles quelles",
    ),
    (
        "name the one you mean with --origin; --list says how much each has",
        "nommez celui que vous voulez avec `--origin` ; `--list` dit ce que chacun contient",
    ),
    ("name one of them with --origin", "nommez l'un d'eux avec `--origin`"),
    ("name one of them with --profile", "nommez l'un d'eux avec `--profile`"),
    (
        "name one of them with --profile, or take the data out with --bookmarklet",
        "nommez l'un d'eux avec `--profile`, ou sortez les données avec `--bookmarklet`",
    ),
    (
        "write at least {n} characters of its id, or `latest`",
        "écrivez au moins {n} caractère de son id, ou `latest`|écrivez au moins {n} caractères de son id, ou `latest`",
    ),
    (
        "name another file after --out, or write over this one with --force",
        "nommez un autre fichier après `--out`, ou écrasez celui-ci avec `--force`",
    ),
    ("name a file in a folder that is there", "nommez un fichier dans un dossier qui existe"),
    ("name a folder for migrations after --out", "nommez un dossier de migrations après `--out`"),
    ("name a Rust file after --out", "nommez un fichier Rust après `--out`"),
    (
        "make room there, or run where you may write",
        "faites-y de la place, ou travaillez là où vous pouvez écrire",
    ),
    (
        "run where you may write, and see that the disk is not full",
        "travaillez là où vous pouvez écrire, et vérifiez que le disque n'est pas plein",
    ),
    (
        "set SUPABASE_SECRET_KEY, or pass --secret-key-file, and unset MIGRATOR_PASSWORD",
        "définissez SUPABASE_SECRET_KEY, ou passez `--secret-key-file`, et retirez MIGRATOR_PASSWORD",
    ),
    ("set SUPABASE_PUBLISHABLE_KEY", "définissez SUPABASE_PUBLISHABLE_KEY"),
    (
        "set MIGRATOR_PASSWORD and SUPABASE_PUBLISHABLE_KEY to write as the owner, or SUPABASE_SECRET_KEY",
        "définissez MIGRATOR_PASSWORD et SUPABASE_PUBLISHABLE_KEY pour écrire en propriétaire, ou SUPABASE_SECRET_KEY",
    ),
    (
        "pass --local for the stack on this machine, or --db-url, or set SUPABASE_DB_URL",
        "passez `--local` pour la base de cette machine, ou `--db-url`, ou définissez SUPABASE_DB_URL",
    ),
    // Why a function has no Rust.
    ("{function} is left out: it {said}", "{function} est laissée de côté : elle {said}"),
    ("takes any number of arguments", "prend un nombre quelconque d'arguments"),
    ("has an argument without a name", "a un argument sans nom"),
    ("takes an argument of type {type}", "prend un argument de type {type}"),
    ("returns a record that does not say its columns", "rend un record qui ne dit pas ses colonnes"),
    ("returns {type}", "rend {type}"),
];
