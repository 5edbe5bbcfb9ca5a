//! How a run ends: one exit code per kind of ending, and the failure that carries it.
//!
//! The codes are a promise to scripts. A code that is not listed here is a failure too.

use std::error::Error;

/// Done, or nothing to do; also a dry run without rejects.
pub const OK: u8 = 0;
/// A fault of ours, or one nobody has classified yet.
pub const BUG: u8 = 1;
/// The command line, a setting or the mapping is wrong.
pub const USAGE: u8 = 2;
/// Done, or stopped before the first write, because records were rejected.
pub const REJECTS: u8 = 3;
/// What was read back is not what was written, or a file of types is stale.
pub const MISMATCH: u8 = 4;
/// The exported file cannot be read.
pub const INPUT: u8 = 5;
/// The target did not answer, was busy, or the session ran out. Trying again may help.
pub const UNREACHABLE: u8 = 6;
/// The target answers and says no, or going on would be unsafe.
pub const REFUSED: u8 = 7;
/// Another run holds the target. Trying again later helps.
pub const LOCKED: u8 = 8;
/// There is no such run.
pub const NOT_FOUND: u8 = 9;

/// Stopped by Ctrl-C.
pub const INTERRUPTED: u8 = 130;
/// Stopped by a request to end.
pub const TERMINATED: u8 = 143;

/// Why a run stopped: what a script decides by, and what a person reads.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code, one of the constants beside this type.
    pub code: u8,
    /// A stable name, such as `mapping.unknown_key`.
    pub id: &'static str,
    /// The place and the reason, without values from the file.
    pub message: String,
    /// The next step, or nothing.
    pub help: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Makes a failure from its exit code, its stable name and what happened.
    pub fn new(code: u8, id: &'static str, message: impl Into<String>) -> Self {
        Self { code, id, message: message.into(), help: String::new(), source: None }
    }

    /// Adds the next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds the cause, which stays reachable through [`Error::source`].
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}
