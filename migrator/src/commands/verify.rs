//! `migrator verify`: whether the target still is as an import left it.

use crate::args;
use crate::commands::{Variables, import, resume};
use crate::engine::{self, Job};
use crate::exit::Failure;
use crate::mapping::Mapping;
use crate::printer::Printer;
use crate::run::folder::Runs;

/// Runs the command, and says how it ended: exit code 4 where a row is gone or differs.
///
/// # Errors
/// Exit code 9 when there is no such run, and as an import.
pub async fn run(
    args: &args::Resume,
    variables: Variables<'_>,
    runs: &Runs,
    printer: &mut Printer,
) -> Result<u8, Failure> {
    let run = runs.find(&args.run)?;
    let before = resume::as_it_was(&run, args)?;
    let mapping = Mapping::read(&run.inputs.mapping.path, &run.inputs.mapping.text)?;
    let export = import::open(&before)?;
    let storage = import::storage(&before, variables)?;
    let options = import::options(&before);
    let job = Job { export: &export, mapping: &mapping, options, storage: storage.as_ref() };
    let owner = import::owner(&before, &job)?;
    let mut destination = import::destination(&before, owner, variables).await?;
    let report = engine::verify(job, &mut destination, printer).await?;
    printer.report(&report);
    Ok(report.exit_code)
}
