//! Where a file and what it should be begin to differ.

use std::fmt;

/// How many lines of each are shown.
const SHOWN: usize = 4;

/// The first place where a file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The number of the first line that differs, from 1.
    pub line: usize,
    /// What stands there.
    pub old: Vec<String>,
    /// What should.
    pub new: Vec<String>,
}

impl Stale {
    /// Compares a file with what it should be. How lines end makes no difference.
    ///
    /// ```
    /// use migrator::typegen::Stale;
    ///
    /// assert_eq!(Stale::find("a\r\nb\r\n", "a\nb\n"), None);
    /// let stale = Stale::find("a\nb\n", "a\nc\n").unwrap();
    /// assert_eq!(stale.to_string(), "@@ line 2 @@\n-b\n+c");
    /// ```
    pub fn find(old: &str, new: &str) -> Option<Self> {
        if old.replace("\r\n", "\n") == new {
            return None;
        }
        let (mut old, mut new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        old.drain(..same);
        new.drain(..same);
        // What follows the change is no part of it.
        let rest = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        let shown = |lines: Vec<&str>| {
            let changed = lines.len() - rest;
            lines.into_iter().take(changed.min(SHOWN)).map(str::to_owned).collect()
        };
        Some(Self { line: same + 1, old: shown(old), new: shown(new) })
    }
}

/// As a unified diff has it.
impl fmt::Display for Stale {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "@@ line {} @@", self.line)?;
        self.old.iter().try_for_each(|line| write!(out, "\n-{line}"))?;
        self.new.iter().try_for_each(|line| write!(out, "\n+{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_lines_that_differ_are_shown() {
        let lines = |count: usize, word: &str| format!("head\n{}tail\n", format!("{word}\n").repeat(count));
        let stale = Stale::find(&lines(1, "old"), &lines(9, "new")).expect("they differ");
        assert_eq!(stale.to_string(), "@@ line 2 @@\n-old\n+new\n+new\n+new\n+new");
        let stale = Stale::find("a\nb\n", "a\n").expect("a line too many");
        assert_eq!(stale.to_string(), "@@ line 2 @@\n-b");
    }
}
