//! `migrator scaffold`: the tables for an export, as a migration that nobody has applied yet.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::args;
use crate::commands::{read_mapping, write_new};
use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
use crate::infer::{self, Wishes};
use crate::printer::Printer;

/// Runs the command at this time, and says how it ended.
///
/// # Errors
/// Exit code 2 for a mapping or a folder that cannot be, 5 for a file that cannot be read.
pub fn run(args: &args::Scaffold, now: Timestamp, printer: &mut Printer) -> Result<u8, Failure> {
    if infer::plain_name(&args.owner_column) != args.owner_column {
        let message = format!("`{}` is no plain name for a column", args.owner_column);
        return Err(Failure::new(exit::USAGE, "usage.owner_column", message)
            .help("use small letters, digits and _, and no digit first"));
    }
    let (name, sql) = match &args.mapping {
        Some(mapping) => {
            let mapping = read_mapping(mapping)?;
            let sql = infer::tables_of_mapping(&mapping, &args.owner_column, args.choice);
            (mapping.name, sql)
        }
        None => {
            let export =
                Export::open(&args.files, Reading { salvage: args.salvage, encoding: args.encoding })?;
            let wishes = Wishes { name: args.name.clone(), ..Wishes::default() };
            infer::tables(&export, &wishes, &args.owner_column, args.choice)?
        }
    };
    if args.stdout {
        printer.text(&sql);
        return Ok(exit::OK);
    }
    let name = infer::plain_name(args.name.as_deref().unwrap_or(&name));
    let out = args.out.join(format!("{}_{name}.sql", version(now, &args.out)));
    std::fs::create_dir_all(&args.out).map_err(|error| {
        Failure::new(exit::USAGE, "usage.out", format!("{} cannot be made: {error}", args.out.display()))
            .help("name a folder for migrations after --out")
            .because(error)
    })?;
    write_new(&out, &sql, false)?;
    printer.say(&format!("wrote {}: read it before you apply it", out.display()));
    Ok(exit::OK)
}

/// The version of a migration: the time, or the next second that no other in the folder has.
fn version(now: Timestamp, folder: &Path) -> String {
    let taken: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let mut version = now;
    loop {
        let text = version.strftime("%Y%m%d%H%M%S").to_string();
        match version.checked_add(SignedDuration::from_secs(1)) {
            Ok(next) if taken.iter().any(|name| name.starts_with(&text)) => version = next,
            _ => return text,
        }
    }
}
