//! `migrator types`: the tables of a database as Rust structs.
//!
//! A file that is as it should be is left alone, so that nothing is built again for it.

use std::io::ErrorKind;
use std::path::Path;

use crate::args;
use crate::commands::{Variables, database_address};
use crate::database::Database;
use crate::exit::{self, Failure};
use crate::printer::Printer;
use crate::typegen::{Options, Stale, generate};

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 2 for an address or a name that cannot be, 4 when the file is stale, 6 when the database does
/// not answer, 7 when it refuses or lacks a schema.
pub async fn run(args: &args::Types, variables: Variables<'_>, printer: &mut Printer) -> Result<u8, Failure> {
    let options = Options { schemas: args.schemas.clone(), time: args.time, renames: args.renames.clone() };
    let url = database_address(args.local.as_ref(), args.db_url.as_ref(), variables).await?;
    let catalog = Database::connect(&url).await?.catalog().await?;
    let file = generate(&catalog, &options)?;
    file.left_out.iter().for_each(|note| printer.say(note));
    match &args.out {
        None => printer.text(&file.source),
        Some(out) if args.check => check(out, &file.source, printer)?,
        Some(out) => write(out, &file.source, printer)?,
    }
    Ok(exit::OK)
}

fn check(out: &Path, source: &str, printer: &mut Printer) -> Result<(), Failure> {
    let stale = match there(out)? {
        None => format!("{} is not there", out.display()),
        Some(text) => match Stale::find(&text, source) {
            None => {
                printer.say(&format!("{} is what the database says", out.display()));
                return Ok(());
            }
            Some(stale) => format!("{} is not what the database says\n{stale}", out.display()),
        },
    };
    Err(Failure::new(exit::MISMATCH, "types.stale", stale).help("run the same command without --check"))
}

fn write(out: &Path, source: &str, printer: &mut Printer) -> Result<(), Failure> {
    if there(out)?.is_some_and(|text| Stale::find(&text, source).is_none()) {
        printer.say(&format!("{} is what the database says already", out.display()));
        return Ok(());
    }
    std::fs::write(out, source).map_err(|error| {
        Failure::new(exit::USAGE, "usage.out", format!("{} cannot be written: {error}", out.display()))
            .help("name a file in a folder that is there")
            .because(error)
    })?;
    printer.say(&format!("wrote {}", out.display()));
    Ok(())
}

/// What a file holds, if it is there.
fn there(file: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("{} cannot be read: {error}", file.display());
            Err(Failure::new(exit::USAGE, "usage.out", message)
                .help("name a Rust file after --out")
                .because(error))
        }
    }
}
