//! Edge: one file a command. Each reads, plans, says, and only then does.

pub mod demo;
pub mod import;
pub mod types;

use std::path::{Path, PathBuf};

use crate::exit::{self, Failure};
use crate::export::{Export, Reading};
use crate::mapping::{self, Mapping};

/// The environment, as an argument: a variable's value, or none.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The export in some files.
fn read_export(files: &[PathBuf], reading: Reading) -> Result<Export, Failure> {
    Export::open(files, reading)
}

fn shipped_names() -> String {
    mapping::SHIPPED.map(|(name, _)| name).join(", ")
}

/// The mapping in a file; a bare name without a file is one that comes with the program.
fn read_mapping(file: &Path) -> Result<Mapping, Failure> {
    let name = file.display().to_string();
    match (std::fs::read_to_string(file), mapping::shipped(&name)) {
        (Ok(text), _) => Mapping::read(&name, &text),
        (Err(_), Some(text)) => Mapping::read(&name, text),
        (Err(error), None) => {
            let message = format!("the mapping {name} cannot be read: {error}");
            Err(Failure::new(exit::USAGE, "mapping.unreadable", message)
                .help(format!(
                    "name a TOML file, or a mapping that comes with the program: {}",
                    shipped_names()
                ))
                .because(error))
        }
    }
}
