//! `migrator completions`: what makes a shell complete this program's arguments.

use clap::CommandFactory as _;

use crate::args::{Cli, Completions};
use crate::exit::{self, Failure};
use crate::printer::Printer;

/// Runs the command, and says how it ended.
///
/// # Errors
/// None; like the others, it answers with a result.
pub fn run(args: &Completions, printer: &mut Printer) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "migrator", &mut script);
    printer.text(&String::from_utf8_lossy(&script));
    Ok(exit::OK)
}
