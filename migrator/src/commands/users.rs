//! `migrator users import`: the accounts of the old app become accounts of the project.

use std::fmt::Display;

use serde::Serialize;
use supabase_sdk::ErrorKind;

use crate::accounts::{self, Account, Odd, Password};
use crate::args;
use crate::commands::{Variables, import, read_mapping};
use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
use crate::lang::{Lang, Phrase};
use crate::printer::Printer;
use crate::target::{self, Grant};

/// What `--json` prints.
#[derive(Debug, Default, Serialize)]
struct Document {
    schema: u8,
    dry_run: bool,
    /// Records of accounts.
    #[serde(rename = "in")]
    records: usize,
    made: usize,
    already_there: usize,
    with_their_password: usize,
    passwords_left_out: usize,
    rejected: Vec<Odd>,
    exit_code: u8,
}

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 2 where the mapping has no accounts or the key is no secret one, 5, 6 and 7 as an import.
pub async fn run(
    args: &args::UsersImport,
    variables: Variables<'_>,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let mapping = read_mapping(&args.mapping)?;
    let Some(rules) = &mapping.accounts else {
        return Err(Failure::new(
            exit::USAGE,
            "mapping.accounts",
            "the mapping does not say where accounts lie",
        )
        .help("write [accounts] with from, id, email and, if there are hashes, password_hash"));
    };
    let export = Export::open(&args.files, Reading::default())?;
    let scope = args.scope.as_deref().unwrap_or(&mapping.name);
    let (all, odd) = accounts::read(&export, &mapping, rules, scope)?;
    let access = import::access(&args.target, variables).await?;
    if !matches!(access.grant, Grant::SecretKey { .. }) {
        return Err(Failure::new(
            exit::USAGE,
            "usage.key",
            "accounts are made with the project's secret key",
        )
        .help("set SUPABASE_SECRET_KEY, or pass --secret-key-file, and unset MIGRATOR_PASSWORD"));
    }
    let client = access.client()?;
    let admin = client.auth().admin();
    let mut document = Document { schema: 1, dry_run: args.dry_run, ..Document::default() };
    document.records = all.len() + odd.len();
    document.rejected = odd;
    let task = printer.task(&printer.lang().say(Phrase::AccountsTask), all.len());
    for account in all {
        let Account { at, user, password } = account;
        let there = match (&user.email, user.id) {
            (Some(email), _) => admin.user_by_email(email).await.map_err(target::failure)?.is_some(),
            (None, Some(id)) => admin.user(id).await.is_ok(),
            (None, None) => false,
        };
        let made = match (there, args.dry_run) {
            (true, _) => Ok(false),
            (false, true) => Ok(true),
            (false, false) => admin.create_user(&user).await.map(|_| true),
        };
        match made {
            Ok(true) => {
                document.made += 1;
                document.with_their_password += usize::from(password == Password::Moved);
                document.passwords_left_out += usize::from(password == Password::LeftOut);
            }
            Ok(false) => document.already_there += 1,
            Err(error) => match error.kind() {
                // Another run was faster.
                ErrorKind::Conflict => document.already_there += 1,
                ErrorKind::Invalid => document.rejected.push(Odd { pointer: at, message: error.to_string() }),
                _ => return Err(target::failure(error)),
            },
        }
        task.add(1);
    }
    drop(task);
    document.exit_code = if document.rejected.is_empty() { exit::OK } else { exit::REJECTS };
    printer.result(&document, &text(&document, printer.lang()));
    Ok(document.exit_code)
}

fn text(document: &Document, lang: Lang) -> String {
    let head = if document.dry_run { Phrase::AccountsWouldBeMade } else { Phrase::AccountsMade };
    let [made, there, rejected] =
        [document.made, document.already_there, document.rejected.len()].map(|count| lang.digits(count));
    let counts: [(&str, &dyn Display); 3] = [("made", &made), ("there", &there), ("rejected", &rejected)];
    let mut lines = vec![lang.tally_with(head, document.records, &counts)];
    lines.extend(document.rejected.iter().map(|odd| {
        let why = lang.remark(&odd.message);
        format!("  {}", lang.fill(Phrase::Finding, &[("place", &odd.pointer), ("what", &why)]))
    }));
    let passwords = [
        (document.with_their_password, Phrase::PasswordsKept),
        (document.made - document.with_their_password, Phrase::PasswordsNone),
        (document.passwords_left_out, Phrase::PasswordsLeftOut),
    ];
    let passwords = passwords.into_iter().filter(|(count, _)| *count > 0);
    lines.extend(passwords.map(|(count, what)| lang.tally(what, count)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_told_in_the_readers_language() {
        let odd = Odd { pointer: "/users/3".to_owned(), message: "the record has no id".to_owned() };
        let document = Document {
            records: 4,
            made: 2,
            already_there: 1,
            with_their_password: 1,
            passwords_left_out: 1,
            rejected: vec![odd],
            ..Document::default()
        };
        assert_eq!(
            text(&document, Lang::En),
            "4 accounts: 2 made, 1 already there, 1 rejected\n  /users/3: the record has no id\n\
             1 keep their password\n1 have no password yet: they ask for a new one to get in\n\
             1 passwords stood in the file in clear, or in a form Auth does not know; they were left out"
        );
        assert_eq!(
            text(&document, Lang::Fr).replace(['\u{a0}', '\u{202f}'], " "),
            "comptes : 4 ; créés : 2, déjà là : 1, rejetés : 1\n  /users/3 : l’enregistrement n’a pas d’id\n\
             1 garde son mot de passe\n\
             1 n’a pas encore de mot de passe : il faut en demander un nouveau pour entrer\n\
             1 mot de passe était dans le fichier en clair, ou sous une forme qu’Auth ne connaît pas ; il a été laissé de côté"
        );
    }
}
