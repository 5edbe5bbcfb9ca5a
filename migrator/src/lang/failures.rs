//! Failures as a French reader meets them, by their stable name: what happened, and the next step.
//!
//! The English sentence says the place and the details, and stays below. A name that is not in the table is
//! told by its exit code. Where the next step depends on the
//! case (`did you mean …`), it stays English too.

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
        let own = || failure.help.clone();
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
    ("usage.database", "quelle base de données ?", ""),
    ("usage.key", "avec quelle clé ?", ""),
    (
        "usage.key_file",
        "le fichier de la clé ne peut pas être lu",
        "vérifiez le nom après `--secret-key-file`",
    ),
    ("usage.out", "le fichier de sortie ne peut pas être lu ou écrit", ""),
    (
        "usage.owner",
        "à qui appartiendront ces lignes ?",
        "passez `--owner ADRESSE`, comme `--owner zoe@example.com`",
    ),
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
