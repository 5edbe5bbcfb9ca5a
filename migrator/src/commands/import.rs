//! `migrator import`: an exported file into the tables.

use jiff::Timestamp;
use uuid::Uuid;

use crate::args;
use crate::commands::{Variables, read_export, read_mapping};
use crate::engine::{Options, import};
use crate::exit::{self, Failure};
use crate::export::Reading;
use crate::local::LocalStack;
use crate::plan::{Context, Known, Plan};
use crate::printer::Printer;
use crate::target::{Access, Grant, Target, UnknownOwner};

/// Runs the command, and says how it ended.
///
/// # Errors
/// As the exit codes say; nothing is written then, unless the target stopped answering in the middle.
pub async fn run(
    args: &args::Import,
    variables: Variables<'_>,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let mapping = read_mapping(&args.mapping)?;
    let export = read_export(&args.files, Reading { salvage: args.salvage, encoding: args.encoding })?;
    let options = Options {
        scope: args.scope.as_deref(),
        zone: args.tz.as_deref(),
        max_rejects: args.max_rejects,
        mode: args.mode,
        dry_run: args.dry_run,
        now: Timestamp::now(),
    };
    // A rehearsal in nobody's name: what is wrong with the file is said before the target is asked.
    let nobody = Context::new(&mapping, Uuid::nil(), options.scope, options.zone, options.now)?;
    Plan::new(&export, &mapping, &nobody, &Known::default())?;

    let owner = args.owner.as_deref().ok_or_else(|| {
        Failure::new(exit::USAGE, "usage.owner", "whose rows will these be?").help("pass --owner EMAIL")
    })?;
    if !is_an_address(owner) {
        return Err(Failure::new(exit::USAGE, "usage.owner", "--owner is no e-mail address")
            .help("pass the address they sign in with, such as --owner zoe@example.com"));
    }
    let access = access(&args.target, variables).await?;
    let unknown = if args.create_owner { UnknownOwner::Create } else { UnknownOwner::Refuse };
    let target = Target::open(access, owner, unknown).await?;
    let report = import(&export, &mapping, &target, options, printer).await?;
    printer.report(&report);
    Ok(report.exit_code)
}

/// True for what Auth may take; Auth itself has the last word.
fn is_an_address(text: &str) -> bool {
    let plain = text.chars().all(|character| character.is_ascii_graphic());
    plain
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// What opens the target: the local stack's secret key, the owner's password, or a secret key.
pub(super) async fn access(args: &args::Target, variables: Variables<'_>) -> Result<Access, Failure> {
    if let Some(data) = &args.local {
        let status = LocalStack::find(variables("SUPABASE_STACK_BIN")).status(data.as_deref()).await?;
        let grant = Grant::SecretKey { new_password: variables("MIGRATOR_PASSWORD") };
        return Ok(Access { url: status.api_url, key: status.secret_key, grant });
    }
    let first = |names: &[&str]| names.iter().find_map(|name| variables(name));
    let missing = |id, what: &str, help: &str| Failure::new(exit::USAGE, id, what).help(help);
    let url = args.url.clone().or_else(|| first(&["SUPABASE_URL"])).ok_or_else(|| {
        missing(
            "usage.target",
            "where to?",
            "pass --local for the stack on this machine, or --url, or set SUPABASE_URL",
        )
    })?;
    // A key that is named on the command line wins over a password that happens to be set.
    let password = variables("MIGRATOR_PASSWORD").filter(|_| args.secret_key_file.is_none());
    if let Some(password) = password {
        let key = first(&["SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY"]).ok_or_else(|| {
            missing(
                "usage.key",
                "the owner's password needs the project's publishable key",
                "set SUPABASE_PUBLISHABLE_KEY",
            )
        })?;
        return Ok(Access { url, key, grant: Grant::Password(password) });
    }
    let key = match &args.secret_key_file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| {
            let message = format!("the key file {} cannot be read: {error}", file.display());
            missing("usage.key_file", &message, "check the name after --secret-key-file").because(error)
        })?,
        None => first(&["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"]).ok_or_else(|| {
            missing(
                "usage.key",
                "by whose authority?",
                "set MIGRATOR_PASSWORD and SUPABASE_PUBLISHABLE_KEY to write as the owner, or SUPABASE_SECRET_KEY",
            )
        })?,
    };
    Ok(Access { url, key, grant: Grant::SecretKey { new_password: None } })
}
