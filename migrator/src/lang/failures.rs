//! Failures as a French reader meets them, by their stable name: what happened, and the next step.
//!
//! The English sentence says the place and the details, and stays below. A name that is not in the table is
//! told by its exit code. A next step that depends on the case is one of `findings`, or stays English
//! (`did you mean …`).

use super::{Lang, french};
use crate::exit::{self, Failure};

/// A failure in a reader's language.
#[derive(Debug)]
pub(crate) struct Told {
    /// What happened; none where the failure's own message is all there is.
    pub(crate) head: Option<String>,
    /// The next step, or nothing.
    pub(crate) help: String,
}

impl Lang {
    /// What to say above and below a failure's own message.
    pub(crate) fn failure(self, failure: &Failure) -> Told {
        let own = || self.remark(&failure.help);
        match self {
            Self::En => Told { head: None, help: own() },
            Self::Fr => {
                let known = FRENCH.iter().find(|(id, _, _)| *id == failure.id);
                let (head, help) =
                    known.map_or_else(|| (unnamed(failure), ""), |(_, head, help)| (*head, *help));
                let help = if help.is_empty() || failure.help.is_empty() { own() } else { french::set(help) };
                Told { head: Some(french::set(head)), help }
            }
        }
    }
}

/// What happened, as far as the name's room and the exit code say it.
fn unnamed(failure: &Failure) -> &'static str {
    match failure.code {
        _ if failure.id.starts_with("mapping.") => "la correspondance est incorrecte",
        exit::USAGE => "la ligne de commande est incorrecte",
        exit::REJECTS => "des enregistrements ont été rejetés",
        exit::MISMATCH => "ce qui a été relu n'est pas ce qui est attendu",
        exit::INPUT => "le fichier exporté ne peut pas être lu",
        exit::UNREACHABLE => "la base d'arrivée ne répond pas",
        exit::REFUSED => "la base d'arrivée refuse",
        exit::INTERRUPTED | exit::TERMINATED => "interrompu",
        _ => "le programme a échoué", // also codes that are added later
    }
}

/// Stable name, what happened, next step. Without a step of its own, a failure's English one is shown.
const FRENCH: &[(&str, &str, &str)] = &[
    ("catalog.no_schema", "la base n'a pas ce schéma", ""),
    ("database.busy", "la base de données est occupée ou démarre", "relancez la commande plus tard"),
    (
        "database.refused",
        "la base de données refuse",
        "vérifiez l'utilisateur, le mot de passe et le nom de la base dans son adresse",
    ),
    (
        "database.tls",
        "pas de connexion sûre avec la base de données",
        "voyez `sslmode` et `sslrootcert` dans l'adresse de la base",
    ),
    (
        "database.unreachable",
        "la base de données ne répond pas",
        "vérifiez son adresse et qu'elle est démarrée, puis relancez la commande",
    ),
    (
        "export.encoding",
        "les caractères du fichier exporté sont illisibles",
        "exportez-le de nouveau, ou enregistrez-le en UTF-8 dans un éditeur",
    ),
    ("export.empty", "le fichier exporté est vide", "exportez les données de nouveau"),
    (
        "export.truncated",
        "le fichier exporté est incomplet : il s'arrête au milieu",
        "exportez les données de nouveau, jusqu'à la fin du téléchargement",
    ),
    (
        "export.changed",
        "le fichier exporté a changé pendant la lecture",
        "n'y touchez pas pendant qu'il est lu, puis relancez la commande",
    ),
    (
        "export.no_records",
        "le fichier ne contient pas d'enregistrements",
        "donnez le fichier que l'application a exporté, tel quel",
    ),
    ("export.depth", "le fichier exporté est imbriqué trop profondément", ""),
    (
        "export.syntax",
        "le fichier exporté n'est pas du JSON",
        "exportez les données de nouveau depuis l'application",
    ),
    ("export.repeated_key", "un objet du fichier a deux fois la même clé", ""),
    ("export.shape", "le fichier exporté n'a pas la forme que la correspondance attend", ""),
    ("export.unreadable", "le fichier exporté ne peut pas être lu", "vérifiez le nom du fichier exporté"),
    (
        "interrupted",
        "interrompu ; ce qui est écrit reste",
        "relancez la même commande : elle reprend où celle-ci s'est arrêtée",
    ),
    (
        "ledger.forbidden",
        "ce rôle ne peut pas créer le journal des imports",
        "connectez-vous avec le rôle postgres, ou importez par l'API",
    ),
    (
        "ledger.unreadable",
        "le journal de cet import est illisible",
        "utilisez la version du programme qui a fait l'import",
    ),
    (
        "local.absent",
        "le programme supabase-stack ne démarre pas",
        "compilez-le avec `cargo build --release --manifest-path stack/Cargo.toml`, puis nommez-le dans SUPABASE_STACK_BIN",
    ),
    (
        "local.not_running",
        "aucun Supabase ne tourne sur cette machine",
        "lancez-en un avec `supabase-stack start --detach`, ou nommez son dossier avec `--local=DIR`",
    ),
    (
        "local.several",
        "plusieurs Supabase tournent sur cette machine",
        "nommez le dossier de celui que vous voulez : `--local=DIR`",
    ),
    (
        "mapping.accounts",
        "la correspondance ne dit pas bien où sont les comptes",
        "écrivez `[accounts]` avec `from`, `id`, `email` et, s'il y a des empreintes, `password_hash`",
    ),
    (
        "mapping.unreadable",
        "la correspondance ne peut pas être lue",
        "nommez un fichier TOML, ou une correspondance livrée avec le programme : garage",
    ),
    (
        "output",
        "le résultat n'a pas pu être écrit",
        "faites de la place là où va la sortie, puis recommencez",
    ),
    (
        "profile.busy",
        "le profil change pendant qu'il est lu",
        "fermez le navigateur, puis relancez la commande",
    ),
    (
        "profile.damaged",
        "ce fichier n'est pas tel qu'un navigateur l'écrit",
        "sortez les données dans le navigateur lui-même : `migrator extract --bookmarklet`",
    ),
    (
        "profile.empty",
        "aucun site n'a rien gardé dans ce profil",
        "vérifiez que c'est le profil où l'application a tourné",
    ),
    (
        "profile.unknown",
        "ce dossier n'est pas le profil d'un navigateur",
        "nommez le dossier qu'about:support (Firefox) ou chrome://version (Chromium) appelle le profil",
    ),
    (
        "profile.unreadable",
        "le profil est illisible",
        "vérifiez le nom du dossier, et que vous pouvez le lire",
    ),
    (
        "record.unknown",
        "aucun enregistrement n'a cet id ou n'est à cet endroit",
        "donnez son ancien id, ou sa place dans le fichier en JSON Pointer",
    ),
    (
        "rejects.line",
        "une ligne des rejets est illisible",
        "corrigez ce qui est dans `row`, et laissez le reste de la ligne tel quel",
    ),
    ("rollback.done", "cet import est déjà annulé", "`migrator runs list` montre les autres"),
    (
        "rollback.rollback",
        "cette exécution est déjà une annulation",
        "importez de nouveau pour retrouver les lignes",
    ),
    ("rollback.target", "cet import a écrit ailleurs", "nommez le projet où l'import a écrit"),
    (
        "run.changed",
        "cet import ne peut pas reprendre : quelque chose a changé",
        "importez de nouveau : les lignes déjà là sont retrouvées et laissées telles quelles",
    ),
    (
        "run.locked",
        "un autre processus travaille sur cet import",
        "attendez qu'il ait fini, puis relancez la commande",
    ),
    ("run.over", "cette exécution ne peut pas reprendre", ""),
    (
        "run.unknown",
        "cette exécution n'existe pas",
        "`migrator runs list` montre celles de ce dossier ou, avec `--db-url`, d'une base",
    ),
    (
        "run.unreadable",
        "le dossier de cet import est illisible",
        "vérifiez qui peut le lire, et qu'aucune autre version du programme ne l'a écrit",
    ),
    ("run.unwritable", "un fichier de cet import ne peut pas être écrit", ""),
    (
        "target.column_missing",
        "une colonne manque dans la base d'arrivée",
        "appliquez les migrations de ce projet à la base, ou corrigez la correspondance",
    ),
    (
        "target.forbidden",
        "la base d'arrivée interdit l'accès à une table",
        "la table a besoin d'un `grant` et d'une règle pour son propriétaire ; voyez les migrations dans supabase/",
    ),
    (
        "target.key_refused",
        "le projet refuse la clé ou le mot de passe",
        "vérifiez que la clé et le mot de passe sont ceux de ce projet",
    ),
    (
        "target.owner_unknown",
        "le projet ne connaît personne à l'adresse donnée par `--owner`",
        "qu'il ou elle s'inscrive d'abord, vérifiez l'orthographe, ou créez son compte avec `--create-owner`",
    ),
    (
        "target.password_refused",
        "le projet refuse l'adresse ou le mot de passe",
        "vérifiez `--owner` et MIGRATOR_PASSWORD ; `--create-owner` demande `--local` ou la clé secrète du projet",
    ),
    ("target.refused", "la base d'arrivée refuse", "vérifiez que l'adresse est celle d'un projet Supabase"),
    (
        "target.table_missing",
        "une table manque dans la base d'arrivée",
        "appliquez les migrations de ce projet à la base, ou corrigez la correspondance",
    ),
    (
        "target.unreachable",
        "la base d'arrivée ne répond pas",
        "vérifiez l'adresse et le réseau, puis relancez la même commande",
    ),
    ("target.unsafe", "continuer serait dangereux : rien n'a été écrit", ""),
    ("types.stale", "le fichier n'est plus à jour", "relancez la même commande sans `--check`"),
    (
        "usage.create_owner",
        "les comptes se créent par l'API",
        "qu'il ou elle s'inscrive d'abord, ou importez sans `--db-url`",
    ),
    ("usage.database", "quelle base de données ?", ""),
    (
        "usage.files",
        "il n'y a rien à lire ici",
        "nommez des fichiers exportés, ou un dossier qui en contient",
    ),
    ("usage.key", "avec quelle clé ?", ""),
    (
        "usage.key_file",
        "le fichier de la clé ne peut pas être lu",
        "vérifiez le nom après `--secret-key-file`",
    ),
    (
        "usage.media",
        "il y a des fichiers pour Storage, et une base de données n'en prend pas",
        "définissez SUPABASE_URL et SUPABASE_SECRET_KEY en plus de `--db-url`, ou passez `--media keep` ou `--media drop`",
    ),
    ("usage.origin", "de quel site ?", ""),
    ("usage.out", "le fichier de sortie ne peut pas être lu ou écrit", ""),
    (
        "usage.owner",
        "à qui appartiendront ces lignes ?",
        "passez `--owner ADRESSE`, comme `--owner zoe@example.com`",
    ),
    (
        "usage.owner_column",
        "ce n'est pas un nom simple pour une colonne",
        "utilisez des minuscules, des chiffres et _, sans chiffre au début",
    ),
    ("usage.profile", "de quel profil ?", ""),
    ("usage.rename", "`--rename` est mal écrit", "écrivez table=NomDeStruct, une fois par table"),
    ("usage.run", "de quelle exécution ?", ""),
    (
        "usage.scope",
        "`--scope` est vide ou contient des caractères de contrôle",
        "nommez l'appareil ou le site d'où vient l'export",
    ),
    (
        "usage.target",
        "où écrire ?",
        "passez `--local` pour le Supabase de cette machine, ou `--url`, ou définissez SUPABASE_URL",
    ),
    ("usage.table", "la correspondance n'a pas cette table", "nommez une de celles qu'elle a"),
    ("usage.tz", "ce fuseau horaire est inconnu", "écrivez un nom comme Europe/Paris"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_french_and_its_message_stays() {
        let failure = Failure::new(exit::INPUT, "export.unreadable", "x.json cannot be read").help("check");
        let told = Lang::Fr.failure(&failure);
        assert_eq!(told.head.as_deref(), Some("le fichier exporté ne peut pas être lu"));
        assert_eq!(told.help, "vérifiez le nom du fichier exporté");
        assert!(Lang::En.failure(&failure).head.is_none());
        let unknown = Failure::new(exit::BUG, "payload", "message").help("help");
        assert_eq!(
            (Lang::Fr.failure(&unknown).head.as_deref(), &*Lang::Fr.failure(&unknown).help),
            (Some("le programme a échoué"), "help")
        );
    }

    #[test]
    fn a_name_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        assert!(FRENCH.iter().all(|(id, head, _)| seen.insert(*id) && !head.is_empty()));
    }
}
