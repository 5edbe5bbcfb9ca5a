//! Everything the program says, and the only room that says it.
//!
//! The result goes to stdout: the closing table, or one JSON document. Talk goes to
//! stderr: progress, warnings, what was changed on the way, errors. With `--json` stderr
//! holds nothing but the error of a failed run, in one line; with `--progress json` it holds
//! events and that error, a line each. No line of text for people is wider than a hundred
//! columns or the terminal, and none holds a value of a record.

mod closing;
mod event;
mod progress;
mod text;

use std::fmt::Display;
use std::io::{self, BufRead as _, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::{AutoStream, ColorChoice, StripStream};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::args::{Color, Progress, Talk};
use crate::exit::Failure;
use crate::lang::{Lang, Phrase, Told};
use crate::report::Report;

pub use event::Event;
use progress::Bars;
pub use progress::Task;
pub(crate) use text::plain;
use text::{cut, wrap};

/// The widest line.
const WIDTH: usize = 100;
/// A terminal that says it is narrower is not believed.
const NARROWEST: usize = 40;

/// How many items a list shows before it only counts.
const SHOWN: usize = 20;

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The stream for talk, which a running step shares.
type Talking = Arc<Mutex<Box<dyn Write + Send>>>;

/// Prints.
pub struct Printer {
    out: Box<dyn Write + Send>,
    err: Talking,
    voice: Voice,
    progress: Progress,
    bars: Bars,
    lang: Lang,
    width: usize,
    /// Whether lists are shown whole.
    whole: bool,
    /// Whether somebody is there to answer.
    asks: bool,
    /// Whether a result could not be written.
    lost: bool,
}

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Human,
    /// A person who wants the result alone.
    Quiet,
    Machine,
}

/// What a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No, or nothing.
    No,
    /// There is nobody to ask: no terminal, or a program that listens.
    Nobody,
}

/// How a thing stands that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warning,
    /// In the way.
    Failed,
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer")
            .field("voice", &self.voice)
            .field("progress", &self.progress)
            .field("lang", &self.lang)
            .finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints to the program's own stdout and stderr. The variables say which language a person reads,
    /// where the command line does not, and how wide the terminal is, where it does not say so itself.
    pub fn new(mut talk: Talk, variables: &dyn Fn(&str) -> Option<String>) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        talk.lang = talk.lang.or_else(|| Some(Lang::of(variables)));
        talk.progress = match talk.progress {
            Progress::Auto if err.is_terminal() => Progress::Bar,
            chosen => chosen,
        };
        let told = variables("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = told.or_else(|| terminal_size::terminal_size_of(&err).map(|(width, _)| width.0.into()));
        let asks = err.is_terminal() && io::stdin().is_terminal();
        let (out_colors, err_colors) = (colors(talk.color, &out), colors(talk.color, &err));
        let mut printer = Self::to(styled(out, out_colors), styled(err, err_colors), talk);
        printer.width = width.unwrap_or(WIDTH).clamp(NARROWEST, WIDTH);
        printer.asks = asks && printer.voice != Voice::Machine && printer.progress != Progress::Json;
        printer
    }

    /// Prints elsewhere, in lines.
    pub fn to(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, talk: Talk) -> Self {
        let voice = match talk {
            Talk { json: true, .. } => Voice::Machine,
            Talk { quiet: true, .. } => Voice::Quiet,
            Talk { .. } => Voice::Human,
        };
        let progress = match talk.progress {
            Progress::Auto => Progress::Plain,
            chosen => chosen,
        };
        Self {
            out,
            err: Arc::new(Mutex::new(err)),
            voice,
            progress,
            bars: Bars::default(),
            lang: talk.lang.unwrap_or_default(),
            width: WIDTH,
            whole: talk.verbose > 0,
            asks: false,
            lost: false,
        }
    }

    /// The language a person is talked to in.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Says something that is no result.
    pub fn say(&mut self, text: &str) {
        if self.voice == Voice::Human {
            let text = self.lang.remark(text);
            self.tell(&text, 0);
        }
    }

    /// Says something that only who wants to know more hears.
    pub fn detail(&mut self, text: &str) {
        if self.whole {
            self.say(&format!("{FAINT}{text}{FAINT:#}"));
        }
    }

    /// Says something a person should not miss; only `--json` silences it.
    pub fn warn(&mut self, text: &str) {
        if self.voice != Voice::Machine {
            let text = self.lang.remark(text);
            self.tell(&format!("{WARN}!{WARN:#} {text}"), 2);
        }
    }

    /// Says what happened to whoever follows the run by program.
    pub fn event(&mut self, event: &Event<'_>) {
        if self.progress == Progress::Json {
            self.event_line(event);
        }
    }

    /// Begins a step of so many rows.
    pub fn task(&mut self, what: &str, rows: usize) -> Task {
        let what = match what {
            "comparing" => self.lang.say(Phrase::Comparing),
            "reading back" => self.lang.say(Phrase::ReadingBack),
            table => table.to_owned(),
        };
        let progress = match (self.voice, self.progress) {
            (Voice::Human, progress) => progress,
            (Voice::Quiet | Voice::Machine, _) => Progress::None,
        };
        match progress {
            Progress::None | Progress::Json => Task::silent(),
            Progress::Plain | Progress::Auto => {
                let line = self.lang.count_with(Phrase::StepLine, rows, &[("what", &what)]);
                self.tell(&line, 0);
                Task::lines(&what, rows, self.lang, Arc::clone(&self.err))
            }
            Progress::Bar => Task::bar(&what, rows, self.lang, &self.bars),
        }
    }

    /// Asks a person whether to go on.
    pub fn confirm(&mut self, question: &str) -> Answer {
        if !self.asks {
            return Answer::Nobody;
        }
        let line = self.lang.fill(Phrase::YesNo, &[("question", &question)]);
        let asked = self.with_err(|err| write!(err, "{BOLD}{line}{BOLD:#}").and_then(|()| err.flush()));
        let mut answer = String::new();
        if asked.is_err() || io::stdin().lock().read_line(&mut answer).is_err() {
            return Answer::Nobody;
        }
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" | "o" | "oui" => Answer::Yes,
            _ => Answer::No, // also the end of the input
        }
    }

    /// Prints a run that came to an end.
    pub fn report(&mut self, report: &Report) {
        if self.voice == Voice::Machine {
            return self.document(report);
        }
        self.close(report);
    }

    /// Prints a run and what else there is to tell: one document that holds both, or the text after it.
    pub fn report_with(&mut self, report: &Report, document: &impl Serialize, text: &str) {
        if self.voice == Voice::Machine {
            return self.document(document);
        }
        self.report(report);
        self.out_line(&format!("\n{text}"));
    }

    /// Prints a result that is a document for programs and lines for people, each under its mark.
    pub fn marks<'a>(
        &mut self,
        document: &impl Serialize,
        lines: impl IntoIterator<Item = (Mark, &'a str, &'a str)>,
    ) {
        if self.voice == Voice::Machine {
            return self.document(document);
        }
        for (mark, text, help) in lines {
            let sign = match mark {
                Mark::Ok if self.voice == Voice::Quiet => continue,
                Mark::Ok => format!("{GOOD}✔{GOOD:#}"),
                Mark::Warning => format!("{WARN}!{WARN:#}"),
                Mark::Failed => format!("{BAD}✘{BAD:#}"),
            };
            self.out_text(&format!("{sign} {}", plain(text)), 2);
            if !help.is_empty() {
                self.out_text(&format!("  {FAINT}{help}{FAINT:#}"), 2);
            }
        }
    }

    /// Prints a result that is a document for programs and a text for people.
    pub fn result(&mut self, document: &impl Serialize, text: &str) {
        match self.voice {
            Voice::Machine => self.document(document),
            Voice::Human | Voice::Quiet => self.text(text),
        }
    }

    /// Prints what was found: one document, or the same as lines of plain text, which are wrapped.
    pub fn findings(&mut self, document: &impl Serialize, text: &str) {
        if self.voice == Voice::Machine {
            return self.document(document);
        }
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len() + 4;
            self.out_text(&plain(line), indent);
        }
    }

    /// Prints a text that is the result as it stands.
    pub fn text(&mut self, text: &str) {
        self.out_line(text.strip_suffix('\n').unwrap_or(text));
    }

    /// True if a result could not be written, as on a full disk. Somebody who stops reading loses nothing.
    pub fn lost_a_result(&self) -> bool {
        self.lost
    }

    /// Prints why a run stopped.
    pub fn failure(&mut self, failure: &Failure) {
        if self.voice == Voice::Machine || self.progress == Progress::Json {
            let line = ErrorLine {
                kind: "error",
                code: failure.code,
                id: failure.id,
                message: &failure.message,
                help: &failure.help,
            };
            return self.event_line(&line);
        }
        let (error, help) = (self.lang.say(Phrase::Error), self.lang.say(Phrase::Help));
        let indent = error.len().max(help.len()) + 1;
        let Told { head, help: next } = self.lang.failure(failure);
        let mut lines = failure.message.lines();
        let first = plain(lines.next().unwrap_or_default());
        match head {
            None => self.tell(&format!("{BAD}{error}{BAD:#} {first}"), indent),
            Some(head) => {
                self.tell(&format!("{BAD}{error}{BAD:#} {head}"), indent);
                self.tell(&format!("{:indent$}{FAINT}{first}{FAINT:#}", ""), indent);
            }
        }
        // What follows is an excerpt of the mapping: it keeps its columns.
        for line in lines {
            self.err_line(&cut(&plain(line), self.width));
        }
        if !next.is_empty() {
            let gap = " ".repeat(indent - help.len());
            self.tell(&format!("{BOLD}{help}{BOLD:#}{gap}{next}"), indent);
        }
        let code = self.lang.fill(Phrase::ExitCode, &[("code", &failure.code)]);
        self.tell(&format!("{FAINT}{} · {code}{FAINT:#}", failure.id), indent);
    }

    fn document(&mut self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.out_line(&text);
    }

    /// Talk for people. A program that follows the run reads no text.
    fn tell(&mut self, text: &str, indent: usize) {
        for line in wrap(text, indent, self.width) {
            self.err_line(&line);
        }
    }

    fn out_text(&mut self, text: &str, indent: usize) {
        for line in wrap(text, indent, self.width) {
            self.out_line(&line);
        }
    }

    fn out_line(&mut self, line: &str) {
        let out = &mut self.out;
        let written = self.bars.aside(|| writeln!(out, "{line}").and_then(|()| out.flush()));
        self.lost |= written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe);
    }

    fn err_line(&mut self, line: &str) {
        if self.progress != Progress::Json {
            self.write_err(line);
        }
    }

    fn event_line(&mut self, event: &impl Serialize) {
        let line = serde_json::to_string(event).unwrap_or_default();
        self.write_err(&line);
    }

    // Whoever closed our stderr reads no more; there is nobody left to tell.

    fn write_err(&mut self, line: &str) {
        let _ = self.with_err(|err| writeln!(err, "{line}").and_then(|()| err.flush()));
    }

    fn with_err<T>(&self, write: impl FnOnce(&mut Box<dyn Write + Send>) -> T) -> T {
        // A writer that panicked in the middle of a line can still take the next.
        self.bars.aside(|| write(&mut self.err.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn phrase(&self, phrase: Phrase, values: &[(&str, &dyn Display)]) -> String {
        self.lang.fill(phrase, values)
    }
}

/// The one line a failed `--json` run leaves on stderr.
#[derive(Serialize)]
struct ErrorLine<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    code: u8,
    id: &'static str,
    message: &'a str,
    help: &'a str,
}

fn colors(choice: Color, stream: &impl anstream::stream::RawStream) -> ColorChoice {
    match choice {
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
        Color::Auto => AutoStream::choice(stream),
    }
}

fn styled<S>(stream: S, choice: ColorChoice) -> Box<dyn Write + Send>
where
    S: anstream::stream::RawStream + anstream::stream::AsLockedWrite + Send + 'static,
{
    match choice {
        ColorChoice::Never => Box::new(StripStream::new(stream)),
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => {
            Box::new(AutoStream::new(stream, choice))
        }
    }
}
