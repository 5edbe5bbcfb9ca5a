//! `migrator users import`: the accounts of the old app become accounts of the project.

use serde::Serialize;
use supabase_sdk::ErrorKind;

use crate::accounts::{self, Account, Odd, Password};
use crate::args;
use crate::commands::{Variables, import, read_mapping};
use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
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
    let task = printer.task("accounts", all.len());
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
    printer.result(&document, &text(&document));
    Ok(document.exit_code)
}

fn text(document: &Document) -> String {
    let made = if document.dry_run { "would be made" } else { "made" };
    let mut lines = vec![format!(
        "{} accounts: {} {made}, {} already there, {} rejected",
        document.records,
        document.made,
        document.already_there,
        document.rejected.len()
    )];
    lines.extend(document.rejected.iter().map(|odd| format!("  {}: {}", odd.pointer, odd.message)));
    if document.with_their_password > 0 {
        lines.push(format!("{} keep their password", document.with_their_password));
    }
    let without = document.made - document.with_their_password;
    if without > 0 {
        lines.push(format!("{without} have no password yet: they ask for a new one to get in"));
    }
    if document.passwords_left_out > 0 {
        lines.push(format!(
            "{} passwords stood in the file in clear, or in a form Auth does not know; they were left out",
            document.passwords_left_out
        ));
    }
    lines.join("\n")
}
