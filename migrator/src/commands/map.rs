//! `migrator map`: a mapping for a file nobody has seen, and a look at one that is there.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use uuid::Uuid;

use crate::args;
use crate::commands::{Variables, read_mapping, write_new};
use crate::database::Database;
use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
use crate::infer::{self, Wishes, fit};
use crate::lang::{Lang, Phrase};
use crate::local::LocalStack;
use crate::plan::{Context, Explained, ExplainedColumn, Known, Plan, Refused, Wanted};
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
        args::Map::Explain(args) => explain(args, printer),
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

/// Shows how a record becomes a row. Nobody is asked anything: references to rows that only the target has
/// count as leading nowhere.
fn explain(args: &args::MapExplain, printer: &mut Printer) -> Result<u8, Failure> {
    let mapping = read_mapping(&args.mapping)?;
    if mapping.table(&args.table).is_none() {
        let names: Vec<&str> = mapping.tables.iter().map(|table| table.name.as_str()).collect();
        let message = format!("the mapping has no table {}; it has {}", args.table, names.join(", "));
        return Err(Failure::new(exit::USAGE, "usage.table", message).help("name one of them"));
    }
    let export = Export::open(&args.files, Reading::default())?;
    let (scope, zone) = (args.scope.as_deref(), args.tz.as_deref());
    let context = Context::new(&mapping, Uuid::nil(), scope, zone, Timestamp::now())?;
    let wanted = Wanted { table: args.table.clone(), id: args.id.clone() };
    let context = Context { explain: Some(wanted), ..context };
    let plan = Plan::new(&export, &mapping, &context, &Known::default())?;
    if plan.explained.is_empty() {
        let message = format!("no record for {} has this id, or lies at this place", args.table);
        return Err(Failure::new(exit::NOT_FOUND, "record.unknown", message)
            .help("name its old id, or its place in the file as a JSON Pointer"));
    }
    let text: Vec<String> = plan.explained.iter().map(|explained| story(explained, printer.lang())).collect();
    printer.result(&plan.explained, &text.join("\n\n"));
    Ok(exit::OK)
}

fn story(explained: &Explained, lang: Lang) -> String {
    let mut lines = vec![format!("{} → {}", explained.pointer, explained.table)];
    match (&explained.id, &explained.refused) {
        (_, Some(refused)) => {
            lines.push(format!("  {}", lang.fill(Phrase::NoRow, &[("why", &reason(refused, lang))])));
        }
        (Some(id), None) => {
            let old = format!("{:?}", explained.legacy_id.as_deref().unwrap_or_default());
            lines.push(format!("  {}", lang.fill(Phrase::IdFrom, &[("id", id), ("old", &old)])));
        }
        (None, None) => {}
    }
    for column in &explained.columns {
        lines.push(format!("  {}", way(column, lang)));
        lines.extend(column.steps.iter().map(|step| format!("      {}", lang.story(*step))));
        lines.extend(column.warnings.iter().map(|warning| format!("    ! {}", lang.remark(warning))));
    }
    let left_over = shortened(&explained.left_over, lang);
    lines.push(format!("  {}", lang.fill(Phrase::LeftOver, &[("json", &left_over)])));
    lines.join("\n")
}

/// From which field a column is read, and what is stored.
fn way(column: &ExplainedColumn, lang: Lang) -> String {
    let from = match (&column.field, &column.raw) {
        (Some(field), Some(raw)) => format!("{field} = {}", shortened(raw, lang)),
        _ => lang.say(Phrase::FromNothing),
    };
    let to = match (&column.refused, &column.value) {
        (Some(refused), _) => lang.fill(Phrase::RefusedFor, &[("why", &reason(refused, lang))]),
        (None, Some(value)) => shortened(value, lang),
        (None, None) => lang.say(Phrase::LeftToDatabase),
    };
    let places: [(&str, &dyn Display); 4] =
        [("column", &column.column), ("type", &column.kind), ("from", &from), ("to", &to)];
    lang.fill(Phrase::ColumnStory, &places)
}

fn reason(refused: &Refused, lang: Lang) -> String {
    format!("{} ({})", lang.reason_for(refused.code, &refused.message), refused.code)
}

/// A picture is no reading.
fn shortened(json: &str, lang: Lang) -> String {
    const LONGEST: usize = 200;
    match json.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            let beginning = json.get(..end).unwrap_or_default();
            lang.tally_with(Phrase::Shortened, json.len(), &[("beginning", &beginning)])
        }
        None => json.to_owned(),
    }
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
    let (lang, name) = (printer.lang(), &mapping.name);
    let mut lines: Vec<String> = misfits.iter().map(|misfit| line(misfit, lang)).collect();
    lines.push(match misfits.len() {
        0 => lang.tally_with(Phrase::MappingFits, mapping.tables.len(), &[("name", name)]),
        count => lang.tally_with(Phrase::MappingMisfits, count, &[("name", name)]),
    });
    let document = Checked { mapping: &mapping.name, tables: mapping.tables.len(), misfits: &misfits };
    printer.findings(&document, &lines.join("\n"));
    Ok(if misfits.is_empty() { exit::OK } else { exit::MISMATCH })
}

fn line(misfit: &fit::Misfit, lang: Lang) -> String {
    let column = misfit.column.as_ref().map(|column| format!(".{column}")).unwrap_or_default();
    let place = format!("{}{column}", misfit.table);
    let what = format!("{} ({})", lang.remark(&misfit.message), misfit.code);
    lang.fill(Phrase::Finding, &[("place", &place), ("what", &what)])
}
