//! Each setting, and where it comes from. A secret is only said to be set.

use serde::Serialize;

use crate::address::Address;
use crate::args;
use crate::commands::Variables;
use crate::lang::{Lang, Phrase as P};
use crate::printer::Printer;

/// The variables this program reads, from the environment or a file.
pub(super) const NAMES: [&str; 10] = [
    "SUPABASE_URL",
    "SUPABASE_PUBLISHABLE_KEY",
    "SUPABASE_ANON_KEY",
    "SUPABASE_SECRET_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "MIGRATOR_PASSWORD",
    "SUPABASE_DB_URL",
    "DATABASE_URL",
    "SUPABASE_STACK_BIN",
    "MIGRATOR_LANG",
];

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    CommandLine,
    Environment,
    File,
    Default,
}

/// A setting.
#[derive(Debug, Serialize)]
struct Setting {
    name: &'static str,
    origin: Origin,
    /// Its value; of a secret, nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    set: bool,
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    settings: Vec<Setting>,
}

pub(super) fn show(
    args: &args::Doctor,
    variables: Variables<'_>,
    environment: Variables<'_>,
    printer: &mut Printer,
) {
    let settings = settings(args, variables, environment);
    let text = text(&settings, printer.lang());
    printer.result(&Document { schema: 1, settings }, &text);
}

fn settings(args: &args::Doctor, variables: Variables<'_>, environment: Variables<'_>) -> Vec<Setting> {
    let file = args.target.secret_key_file.as_ref().map(|file| file.display().to_string());
    let mapping = args.mapping.as_ref().map(|file| file.display().to_string());
    let local = args
        .target
        .local
        .as_ref()
        .map(|data| data.as_ref().map_or_else(String::new, |data| data.display().to_string()));
    let flags = [
        ("--local", local),
        ("--url", args.target.url.as_deref().map(place)),
        ("--secret-key-file", file),
        ("--db-url", args.db_url.as_ref().map(|url| database(&url.0))),
        ("--owner", args.owner.as_deref().map(crate::report::masked)),
        ("--mapping", mapping),
    ];
    let flags = flags.into_iter().map(|(name, value)| {
        let origin = if value.is_some() { Origin::CommandLine } else { Origin::Default };
        Setting { name, origin, set: value.is_some(), value }
    });
    let variables = NAMES.into_iter().map(|name| {
        let value = variables(name);
        let origin = match &value {
            None => Origin::Default,
            Some(_) if environment(name).is_some() => Origin::Environment,
            Some(_) => Origin::File,
        };
        let set = value.is_some();
        let shown = value.and_then(|value| match name {
            "SUPABASE_URL" => Some(place(&value)),
            "SUPABASE_DB_URL" | "DATABASE_URL" => Some(database(&value)),
            "SUPABASE_STACK_BIN" | "MIGRATOR_LANG" => Some(value),
            _ => None, // the rest are secrets, or keys nobody needs to see
        });
        Setting { name, origin, value: shown, set }
    });
    flags.chain(variables).collect()
}

/// An address, as far as it holds no password.
fn place(url: &str) -> String {
    match url::Url::parse(url.trim()) {
        Ok(url) if url.has_host() => {
            format!("{}{}", url.origin().ascii_serialization(), url.path().trim_end_matches('/'))
        }
        Ok(_) | Err(_) => "?".to_owned(),
    }
}

fn database(url: &str) -> String {
    Address::read(url).map_or_else(|_| "?".to_owned(), |address| address.place())
}

fn text(settings: &[Setting], lang: Lang) -> String {
    let width = settings.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    let lines = settings.iter().map(|Setting { name, origin, value, set }| {
        let value = match value {
            Some(value) if value.is_empty() => lang.say(P::SettingHidden),
            Some(value) => value.clone(),
            None if *set => lang.say(P::SettingHidden),
            None => lang.say(P::SettingUnset),
        };
        let origin = match origin {
            Origin::CommandLine => lang.say(P::OriginFlag),
            Origin::Environment => lang.say(P::OriginEnvironment),
            Origin::File => ".env".to_owned(),
            Origin::Default => return format!("{name:<width$}  {value}"),
        };
        format!("{name:<width$}  {value}  ({origin})")
    });
    lines.collect::<Vec<_>>().join("\n")
}
