//! What a person or a script reads: data on standard output, talk on standard error.
//!
//! Nobody may be reading: a closed output is no reason to fail.

use std::fmt;
use std::io::{self, Write};

/// Prints, and never fails.
#[derive(Debug, Default)]
pub struct Printer;

impl Printer {
    /// Prints what was asked for.
    pub fn data(&self, text: impl fmt::Display) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// Says what is going on.
    pub fn say(&self, text: impl fmt::Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
