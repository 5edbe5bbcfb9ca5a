//! `migrator map`: a mapping for a file nobody has seen, and a look at one that is there.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::args;
use crate::commands::{Variables, read_mapping, write_new};
use crate::database::Database;
use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
use crate::infer::{self, Wishes, fit};
use crate::local::LocalStack;
use crate::printer::Printer;

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 2 for a mapping that contradicts itself or is there already, 4 for one that does not fit, 5 for a
/// file that cannot be read, 6 and 7 when the database does not answer or refuses.
pub async fn run(args: &args::Map, variables: Variables<'_>, printer: &mut Printer) -> Result<u8, Failure> {
    match args {
        args::Map::Init(args) => init(args, printer),
        args::Map::Check(args) => check(args, variables, printer).await,
    }
}

fn init(args: &args::MapInit, printer: &mut Printer) -> Result<u8, Failure> {
    TimeZone::get(&args.tz).map_err(|error| {
        Failure::new(exit::USAGE, "usage.tz", format!("unknown time zone `{}`", args.tz))
            .help("write a name such as Europe/Paris")
            .because(error)
    })?;
    let export = Export::open(&args.files, Reading { salvage: args.salvage, encoding: args.encoding })?;
    let wishes = Wishes { name: args.name.clone(), tz: args.tz.clone(), media: args.media };
    let text = infer::mapping(&export, &wishes)?;
    if args.stdout {
        printer.text(&text);
        return Ok(exit::OK);
    }
    let out = args.out.clone().unwrap_or_else(|| beside(args.files.first()));
    write_new(&out, &text, args.force)?;
    printer.say(&format!("wrote {}: read it, then `migrator scaffold` and `migrator import`", out.display()));
    Ok(exit::OK)
}

/// `garage.map.toml` for `exports/garage.json`, in the folder we are in.
fn beside(file: Option<&PathBuf>) -> PathBuf {
    let stem = file.and_then(|file| Path::new(file).file_stem()).and_then(|stem| stem.to_str());
    PathBuf::from(format!("{}.map.toml", stem.unwrap_or("export")))
}

/// What a check found.
#[derive(Serialize)]
struct Checked<'a> {
    mapping: &'a str,
    tables: usize,
    misfits: &'a [fit::Misfit],
}

async fn check(
    args: &args::MapCheck,
    variables: Variables<'_>,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let mapping = read_mapping(&args.mapping)?;
    let mut misfits = Vec::new();
    if let Some(file) = &args.file {
        let export = Export::open(std::slice::from_ref(file), Reading::default())?;
        misfits.extend(infer::paths_that_lead_nowhere(&mapping, &export));
    }
    let address = match (&args.local, &args.db_url) {
        (Some(data), _) => {
            let stack = LocalStack::find(variables("SUPABASE_STACK_BIN"));
            Some(stack.status(data.as_deref()).await?.db_url)
        }
        (None, Some(url)) => Some(url.0.clone()),
        (None, None) => None,
    };
    if let Some(address) = address {
        let catalog = Database::connect(&address).await?.catalog().await?;
        misfits.extend(fit::with_catalog(&mapping, &catalog));
    }
    let lines: Vec<String> = misfits.iter().map(line).collect();
    let verdict = match misfits.len() {
        0 => format!("{}: {} tables, nothing to complain of", mapping.name, mapping.tables.len()),
        count => format!("{}\n{}: {count} things do not fit", lines.join("\n"), mapping.name),
    };
    let document = Checked { mapping: &mapping.name, tables: mapping.tables.len(), misfits: &misfits };
    printer.findings(&document, &verdict);
    Ok(if misfits.is_empty() { exit::OK } else { exit::MISMATCH })
}

fn line(misfit: &fit::Misfit) -> String {
    let column = misfit.column.as_ref().map(|column| format!(".{column}")).unwrap_or_default();
    format!("{}{column}: {} ({})", misfit.table, misfit.message, misfit.code)
}
