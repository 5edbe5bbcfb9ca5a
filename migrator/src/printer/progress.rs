//! A step that takes a while: a bar on a terminal, a line now and then elsewhere.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::Talking;
use crate::lang::{Lang, Phrase};

/// The least time between two lines of one step.
const PAUSE: Duration = Duration::from_secs(5);

/// The bars on the terminal.
#[derive(Debug, Default)]
pub(super) struct Bars(MultiProgress);

impl Bars {
    /// Does something else with the terminal while the bars stand aside.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }
}

/// A step that takes a while. It leaves the terminal when it is dropped.
pub struct Task(Shown);

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Box<Lines>),
}

/// A step told in lines.
struct Lines {
    what: String,
    total: usize,
    lang: Lang,
    talking: Talking,
    pace: Mutex<Pace>,
}

/// How far a step is, and when that was last said.
#[derive(Debug, Clone, Copy)]
struct Pace {
    begun: Instant,
    said: Instant,
    done: usize,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Shown::Nothing => "Task",
            Shown::Bar(_) => "Task(bar)",
            Shown::Lines(_) => "Task(lines)",
        })
    }
}

impl Task {
    pub(super) fn silent() -> Self {
        Self(Shown::Nothing)
    }

    pub(super) fn lines(what: &str, total: usize, lang: Lang, talking: Talking) -> Self {
        let now = Instant::now();
        let pace = Mutex::new(Pace { begun: now, said: now, done: 0 });
        Self(Shown::Lines(Box::new(Lines { what: what.to_owned(), total, lang, talking, pace })))
    }

    pub(super) fn bar(what: &str, total: usize, lang: Lang, bars: &Bars) -> Self {
        let bar = bars.0.add(ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX)));
        let number = move |number: u64| lang.number(usize::try_from(number).unwrap_or(usize::MAX));
        let style = ProgressStyle::with_template("  {msg:18!} {bar:24} {done}  {rate}  {left}");
        if let Ok(style) = style {
            // The bar writes to a String, which cannot fail.
            let done = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{}/{}", number(state.pos()), number(state.len().unwrap_or_default()));
            };
            let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = out.write_str(&rate(lang, state.pos(), state.elapsed()));
            };
            let left = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let left = state.len().unwrap_or_default().saturating_sub(state.pos());
                let _ = out.write_str(&remaining(lang, state.pos(), left, state.elapsed()));
            };
            bar.set_style(style.with_key("done", done).with_key("rate", rate).with_key("left", left));
        }
        bar.set_message(what.to_owned());
        Self(Shown::Bar(bar))
    }

    /// Says that so many more are done.
    pub fn add(&self, rows: usize) {
        match &self.0 {
            Shown::Nothing => {}
            Shown::Bar(bar) => bar.inc(u64::try_from(rows).unwrap_or(u64::MAX)),
            Shown::Lines(lines) => lines.add(rows, Instant::now()),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    fn add(&self, rows: usize, now: Instant) {
        let line = {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            pace.done = pace.done.saturating_add(rows);
            if now.duration_since(pace.said) < PAUSE {
                return;
            }
            pace.said = now;
            self.line(*pace, now)
        };
        let mut err = self.talking.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever closed our stderr reads no more.
        let _ = writeln!(err, "{line}").and_then(|()| err.flush());
    }

    fn line(&self, pace: Pace, now: Instant) -> String {
        let long = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let (done, left) = (long(pace.done), long(self.total.saturating_sub(pace.done)));
        let elapsed = now.duration_since(pace.begun);
        self.lang.fill(
            Phrase::ProgressLine,
            &[
                ("what", &self.what),
                ("done", &self.lang.number(pace.done)),
                ("total", &self.lang.number(self.total)),
                ("rate", &rate(self.lang, done, elapsed)),
                ("left", &remaining(self.lang, done, left, elapsed)),
            ],
        )
    }
}

/// How many there were a second.
fn rate(lang: Lang, done: u64, elapsed: Duration) -> String {
    let rate = u128::from(done) * 1_000 / elapsed.as_millis().max(1);
    lang.fill(Phrase::Rate, &[("n", &lang.number(usize::try_from(rate).unwrap_or(usize::MAX)))])
}

/// How long the rest takes if it goes on as it went; whole seconds, for it is a guess.
fn remaining(lang: Lang, done: u64, left: u64, elapsed: Duration) -> String {
    let milliseconds = elapsed.as_millis() * u128::from(left) / u128::from(done.max(1));
    let seconds = u64::try_from(milliseconds.div_ceil(1_000)).unwrap_or(u64::MAX);
    let time = match seconds {
        0..60 => format!("{seconds}\u{a0}s"),
        _ => lang.time(seconds.saturating_mul(1_000)),
    };
    lang.fill(Phrase::Remaining, &[("time", &time)])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("one thread").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_comes_every_five_seconds_at_most() {
        let page = Page::default();
        let talking: Talking = Arc::new(Mutex::new(Box::new(page.clone())));
        let begun = Instant::now();
        let pace = Mutex::new(Pace { begun, said: begun, done: 0 });
        let lines = Lines { what: "customers".to_owned(), total: 10_000, lang: Lang::En, talking, pace };
        for second in 1..=12 {
            lines.add(500, begun + Duration::from_secs(second));
        }
        let said = String::from_utf8(page.0.lock().expect("one thread").clone()).expect("UTF-8");
        assert_eq!(
            said,
            "customers: 2,500 of 10,000, 500/s, 15\u{a0}s left\ncustomers: 5,000 of 10,000, 500/s, 10\u{a0}s left\n"
        );
    }

    #[test]
    fn a_guess_needs_no_finished_row() {
        assert_eq!(remaining(Lang::Fr, 0, 0, Duration::ZERO), "reste 0\u{a0}s");
        assert_eq!(remaining(Lang::En, 1, 100, Duration::from_secs(2)), "3\u{a0}min 20\u{a0}s left");
    }
}
