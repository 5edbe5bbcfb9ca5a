//! What each command does. This is an edge: it reads the environment and waits for signals.

pub mod start;
pub mod status;
pub mod stop;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::home::Home;
use crate::place::{self, PlaceError};
use crate::running::Running;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It failed, and the reason is already on standard error.
    Failed,
    /// It could mean several things.
    Unclear,
    /// There is no such stack.
    NotRunning,
}

impl Outcome {
    /// What an error comes to.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<Several>() { Self::Unclear } else { Self::Failed }
    }

    /// What the process returns.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Unclear => 2,
            Self::NotRunning => 3,
        }
    }
}

/// Which stack is meant; the only one that runs, unless told.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// The stack that keeps its data in this directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The stack that answers on this port
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

impl Which {
    /// All stacks of this user that fit.
    fn all(&self) -> anyhow::Result<Vec<Running>> {
        let mut found = match &self.data {
            Some(dir) => in_place(dir)?.into_iter().collect(),
            None => home()?.running()?,
        };
        found.retain(|stack| self.port.is_none_or(|port| stack.port == port));
        Ok(found)
    }

    /// The one stack that fits, if any does.
    fn one(&self) -> anyhow::Result<Option<Running>> {
        let mut found = self.all()?;
        if found.len() > 1 {
            return Err(Several(found).into());
        }
        Ok(found.pop())
    }

    /// One sentence for when there is none.
    fn nothing(&self) -> String {
        match (&self.data, self.port) {
            (Some(dir), _) => format!("No stack is running in {}.", dir.display()),
            (None, Some(port)) => format!("No stack is running on port {port}."),
            (None, None) => "No stack is running.".to_owned(),
        }
    }
}

/// More stacks fit than one.
#[derive(Debug)]
struct Several(Vec<Running>);

impl std::error::Error for Several {}

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stacks = self.0.iter().map(|stack| format!("port {} in {}", stack.port, stack.place.display()));
        let list = stacks.collect::<Vec<_>>().join(", ");
        write!(f, "several stacks are running, name one with --data or --port: {list}")
    }
}

fn home() -> Result<Home, PlaceError> {
    Home::below(&std::env::temp_dir())
}

fn in_place(dir: &Path) -> anyhow::Result<Option<Running>> {
    if !place::is_locked(dir) {
        return Ok(None);
    }
    match Running::read(dir) {
        Some(running) => Ok(Some(running)),
        None => bail!("the stack in {} is just starting or ending: try again in a moment", dir.display()),
    }
}
