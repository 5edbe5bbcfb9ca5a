//! Edge: one file a command. Each reads, plans, says, and only then does.

pub mod completions;
pub mod demo;
pub mod doctor;
pub mod extract;
pub mod import;
pub mod inspect;
pub mod man;
pub mod map;
pub mod resume;
pub mod rollback;
pub mod runs;
pub mod scaffold;
pub mod types;
pub mod users;
pub mod verify;

use std::path::{Path, PathBuf};

use crate::args::{Hidden, Undo};
use crate::local::LocalStack;

use crate::exit::{self, Failure};
use crate::mapping::{self, Mapping};

/// The environment, as an argument: a variable's value, or none.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The address of the database: of the stack on this machine, as named, or as a variable has it.
async fn database_address(
    local: Option<&Option<PathBuf>>,
    named: Option<&Hidden>,
    variables: Variables<'_>,
) -> Result<String, Failure> {
    if let Some(data) = local {
        let stack = LocalStack::find(variables("SUPABASE_STACK_BIN"));
        return Ok(stack.status(data.as_deref()).await?.db_url);
    }
    let named = named.map(|url| url.0.clone());
    named.or_else(|| ["SUPABASE_DB_URL", "DATABASE_URL"].into_iter().find_map(variables)).ok_or_else(|| {
        Failure::new(exit::USAGE, "usage.database", "which database?")
            .help("pass --local for the stack on this machine, or --db-url, or set SUPABASE_DB_URL")
    })
}

/// The address of the database a rollback is about.
async fn database_url(target: &Undo, variables: Variables<'_>) -> Result<String, Failure> {
    database_address(target.api.local.as_ref(), target.db_url.as_ref(), variables).await
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

/// Writes a file that is not there yet, or over one where that was asked for.
fn write_new(out: &Path, text: &str, over: bool) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!over);
    let written =
        options.open(out).and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| {
        let failure = if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::new(exit::USAGE, "usage.out", format!("{} is there already", out.display()))
                .help("name another file after --out, or write over this one with --force")
        } else {
            Failure::new(exit::USAGE, "usage.out", format!("{} cannot be written: {error}", out.display()))
                .help("name a file in a folder that is there")
        };
        failure.because(error)
    })
}
