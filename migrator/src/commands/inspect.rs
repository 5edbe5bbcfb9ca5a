//! `migrator inspect`: what is in an exported file. Offline, and without a target.

use std::path::{Path, PathBuf};

use crate::args;
use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
use crate::infer;
use crate::printer::Printer;

/// Runs the command, and says how it ended.
///
/// # Errors
/// Exit code 2 for a folder without exports, 5 for a file that cannot be read.
pub fn run(args: &args::Inspect, printer: &mut Printer) -> Result<u8, Failure> {
    let reading = Reading { salvage: args.salvage, encoding: args.encoding };
    let mut inspections = Vec::new();
    for file in files(&args.files)? {
        inspections.extend(infer::inspect(&Export::open(&[file], reading)?)?);
    }
    let lang = printer.lang();
    let texts: Vec<String> = inspections.iter().map(|inspection| inspection.text(lang)).collect();
    printer.findings(&inspections, &texts.join("\n\n"));
    Ok(exit::OK)
}

/// The files, with those of each folder in the order of their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error.to_string()))?;
        let is_export = |file: &PathBuf| {
            let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            file.is_file() && ["json", "ndjson", "jsonl"].contains(&ending.to_lowercase().as_str())
        };
        let mut inside: Vec<PathBuf> =
            entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(is_export).collect();
        if inside.is_empty() {
            return Err(unreadable(path, "it holds no .json file"));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn unreadable(path: &Path, why: &str) -> Failure {
    Failure::new(exit::USAGE, "usage.files", format!("{}: {why}", path.display()))
        .help("name exported files, or a folder of them")
}
