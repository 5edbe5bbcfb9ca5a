//! `supabase-stack status`: where a running stack answers, and with which keys.

use super::{Outcome, Which};
use crate::printer::Printer;
use crate::running::Settings;

/// Show where a running stack answers, and its keys
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// How to show it
    #[arg(short, long, value_enum, default_value_t = Format::Pretty)]
    output: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people
    Pretty,
    /// NAME="value" lines, for a shell or an .env file
    Env,
    /// One object with the same names
    Json,
}

pub fn run(args: &Args, printer: &Printer) -> anyhow::Result<Outcome> {
    let Some(stack) = args.which.one()? else {
        printer.say(args.which.nothing());
        return Ok(Outcome::NotRunning);
    };
    printer.data(match args.output {
        Format::Pretty => pretty(&stack.settings),
        Format::Env => env(&stack.settings),
        Format::Json => serde_json::to_string_pretty(&stack.settings)?,
    });
    Ok(Outcome::Done)
}

/// A table for people.
pub(super) fn pretty(settings: &Settings) -> String {
    let inbox = format!("{}/inbox", settings.api_url);
    let rows = [
        ("API", &settings.api_url),
        ("Inbox", &inbox),
        ("Database", &settings.db_url),
        ("Publishable key", &settings.publishable_key),
        ("Secret key", &settings.secret_key),
        ("anon key", &settings.anon_key),
        ("service_role key", &settings.service_role_key),
        ("JWT secret", &settings.jwt_secret),
    ];
    rows.map(|(name, value)| format!("{name:>16}: {value}")).join("\n")
}

/// Lines that a shell reads back as the same values.
fn env(settings: &Settings) -> String {
    settings.pairs().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).join("\n")
}

fn escaped(value: &str) -> String {
    let special = |c: char| matches!(c, '"' | '\\' | '$' | '`');
    value.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_written() {
        assert_eq!(escaped("a$b`c\"d\\e"), "a\\$b\\`c\\\"d\\\\e");
        assert_eq!(escaped("sb_secret_a-b.c"), "sb_secret_a-b.c");
    }
}
