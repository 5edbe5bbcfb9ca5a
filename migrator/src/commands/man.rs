//! `migrator man`: the manual, made from the command line itself.

use std::io;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::args::{self, Cli};
use crate::exit::{self, Failure};
use crate::printer::Printer;

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 2 when the folder cannot be written.
pub fn run(args: &args::Man, printer: &mut Printer) -> Result<u8, Failure> {
    let program = Cli::command().disable_help_subcommand(true);
    match &args.out {
        None => {
            let page = page(program).map_err(|error| {
                Failure::new(exit::BUG, "man", "the manual page cannot be made").because(error)
            })?;
            printer.text(&String::from_utf8_lossy(&page));
        }
        Some(folder) => {
            let write =
                || std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(program, folder));
            write().map_err(|error| {
                let message = format!("the pages cannot be written into {}: {error}", folder.display());
                Failure::new(exit::USAGE, "usage.out", message)
                    .help("name a folder you may write to")
                    .because(error)
            })?;
            printer.say(&format!("wrote the pages into {}", folder.display()));
        }
    }
    Ok(exit::OK)
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}
