//! Everything the program says, and the only file that says it.
//!
//! The result goes to stdout: the closing table, or one JSON document. Talk goes to
//! stderr: progress, warnings, what was changed on the way, errors. With `--json` stderr
//! holds nothing but the error of a failed run, in one line. No line of text for people
//! is wider than a hundred columns, and none holds a value of a record.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice, StripStream};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::args::{Color, Progress, Talk};
use crate::exit::Failure;
use crate::plan::{Coercion, Collection, Limited, Tally};
use crate::report::{Ending, Line, Report};

/// The widest line.
const WIDTH: usize = 100;

/// How many items a list shows before it only counts.
const SHOWN: usize = 20;

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Prints.
pub struct Printer {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    voice: Voice,
    progress: Progress,
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

/// A step that takes a while.
#[derive(Debug)]
pub struct Task(Option<ProgressBar>);

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer")
            .field("voice", &self.voice)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints to the program's own stdout and stderr.
    pub fn new(talk: Talk) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let progress = match talk.progress {
            Progress::Auto if err.is_terminal() => Progress::Bar,
            Progress::Auto => Progress::Plain,
            chosen => chosen,
        };
        let (out_colors, err_colors) = (colors(talk.color, &out), colors(talk.color, &err));
        Self { progress, ..Self::to(styled(out, out_colors), styled(err, err_colors), talk) }
    }

    /// Prints elsewhere, in lines.
    pub fn to(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, talk: Talk) -> Self {
        let voice = match talk {
            Talk { json: true, .. } => Voice::Machine,
            Talk { quiet: true, .. } => Voice::Quiet,
            Talk { .. } => Voice::Human,
        };
        Self { out, err, voice, progress: Progress::Plain, lost: false }
    }

    /// Says something that is no result.
    pub fn say(&mut self, text: &str) {
        if self.voice == Voice::Human {
            self.tell(text, 0);
        }
    }

    /// Says something a person should not miss; only `--json` silences it.
    pub fn warn(&mut self, text: &str) {
        if self.voice != Voice::Machine {
            self.tell(&format!("{WARN}!{WARN:#} {text}"), 2);
        }
    }

    /// Begins a step of so many rows.
    pub fn task(&mut self, what: &str, rows: usize) -> Task {
        if self.voice != Voice::Human {
            return Task(None);
        }
        match self.progress {
            Progress::None => Task(None),
            Progress::Plain | Progress::Auto => {
                self.tell(&format!("{what}: {rows}"), 0);
                Task(None)
            }
            Progress::Bar => {
                let rows = u64::try_from(rows).unwrap_or(u64::MAX);
                let bar = ProgressBar::with_draw_target(Some(rows), ProgressDrawTarget::stderr());
                let style = ProgressStyle::with_template("  {msg:20!} {bar:40} {pos}/{len}");
                if let Ok(style) = style {
                    bar.set_style(style);
                }
                bar.set_message(what.to_owned());
                Task(Some(bar))
            }
        }
    }

    /// Prints a run that came to an end.
    pub fn report(&mut self, report: &Report) {
        if self.voice == Voice::Machine {
            return self.document(report);
        }
        self.rejects(report);
        if self.voice == Voice::Human {
            self.warnings(report);
            self.coercions(&report.coercions);
            self.left_out(report);
        }
        self.closing(report);
    }

    /// Prints a run and what else there is to tell: one document that holds both, or the text after it.
    pub fn report_with(&mut self, report: &Report, document: &impl Serialize, text: &str) {
        if self.voice == Voice::Machine {
            return self.document(document);
        }
        self.report(report);
        self.out_line(&format!("\n{text}"));
    }

    /// Prints a result: one document, or the same as text.
    pub fn result(&mut self, document: &impl Serialize, text: &str) {
        if self.voice == Voice::Machine {
            return self.document(document);
        }
        self.out_line(text);
    }

    /// Prints what was found: one document, or the same as lines of plain text, which are wrapped.
    pub fn findings(&mut self, document: &impl Serialize, text: &str) {
        if self.voice == Voice::Machine {
            return self.document(document);
        }
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len() + 4;
            for line in wrap(&plain(line), indent) {
                self.out_line(&line);
            }
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
        if self.voice == Voice::Machine {
            let error = ErrorLine {
                kind: "error",
                code: failure.code,
                id: failure.id,
                message: &failure.message,
                help: &failure.help,
            };
            let line = serde_json::to_string(&error).unwrap_or_default();
            return self.err_line(&line);
        }
        let mut lines = failure.message.lines();
        let first = lines.next().unwrap_or_default();
        self.tell(&format!("{BAD}error{BAD:#} {}", plain(first)), 6);
        // What follows is an excerpt of the mapping: it keeps its columns.
        for line in lines {
            self.err_line(&cut(&plain(line), WIDTH));
        }
        if !failure.help.is_empty() {
            self.tell(&format!("{BOLD}help{BOLD:#}  {}", failure.help), 6);
        }
        self.tell(&format!("{FAINT}{} · exit code {}{FAINT:#}", failure.id, failure.code), 6);
    }

    fn rejects(&mut self, report: &Report) {
        let Limited { shown: rejects, count } = &report.rejects.all;
        if rejects.is_empty() {
            return;
        }
        let total = *count;
        let count = counted(total, "record rejected", "records rejected");
        self.tell(&format!("{BAD}{count}{BAD:#} in {}", plain(&report.source.path)), 2);
        for reject in rejects.iter().take(SHOWN) {
            let column = reject.column.as_deref().map(|column| format!(".{column}")).unwrap_or_default();
            self.tell(&format!("  {} → {}{column}", plain(&reject.pointer), reject.table), 4);
            self.tell(&format!("    {} ({})", plain(&reject.message), reject.code), 4);
            self.tell(&format!("    {FAINT}{}{FAINT:#}", reject.help), 4);
        }
        self.and_more(total);
    }

    fn warnings(&mut self, report: &Report) {
        let Limited { shown: warnings, count } = &report.warnings;
        if warnings.is_empty() {
            return;
        }
        self.err_line(&format!("{WARN}{}{WARN:#}", counted(*count, "warning", "warnings")));
        for warning in warnings.iter().take(SHOWN) {
            let place = match (warning.table.as_str(), warning.column.as_str()) {
                ("", _) => String::new(),
                (table, "") => format!(" → {table}"),
                (table, column) => format!(" → {table}.{column}"),
            };
            self.tell(&format!("  {}{place}", plain(&warning.pointer)), 4);
            self.tell(&format!("    {}", plain(&warning.message)), 4);
        }
        self.and_more(*count);
    }

    fn coercions(&mut self, tallies: &[Tally]) {
        if tallies.is_empty() {
            return;
        }
        let mut kinds: BTreeMap<Coercion, (usize, BTreeSet<&str>)> = BTreeMap::new();
        for tally in tallies {
            let (count, tables) = kinds.entry(tally.kind).or_default();
            *count += tally.count;
            tables.insert(&tally.table);
        }
        self.err_line(&format!("{BOLD}changed on the way{BOLD:#}"));
        for (kind, (count, tables)) in kinds {
            let tables: Vec<&str> = tables.into_iter().collect();
            self.tell(
                &format!("  {count:>6}  {:<42} {FAINT}{}{FAINT:#}", kind.story(), tables.join(", ")),
                52,
            );
        }
    }

    fn left_out(&mut self, report: &Report) {
        let (collections, values): (Vec<_>, Vec<_>) =
            report.not_mapped.iter().partition(|key| key.records > 0);
        self.collections("not in the mapping", &collections);
        self.collections("left out on purpose", &report.ignored.iter().collect::<Vec<_>>());
        let values: Vec<&str> = values.iter().map(|key| key.pointer.as_str()).collect();
        self.listed("single values, not moved", &values);
        let fields: Vec<String> = report
            .unknown_fields
            .iter()
            .map(|unknown| format!("{}.{} ({})", unknown.table, unknown.field, unknown.count))
            .collect();
        let kept = report.unknown_fields.iter().any(|unknown| unknown.kept);
        let fate = if kept {
            "fields without a column, kept in extra"
        } else {
            "fields without a column, not moved"
        };
        self.listed(fate, &fields.iter().map(String::as_str).collect::<Vec<_>>());
        self.listed("secrets, not moved", &report.secrets.iter().map(String::as_str).collect::<Vec<_>>());
        let repairs = &report.repairs;
        let repaired: Vec<String> = [
            (repairs.lone_surrogates, "half characters replaced"),
            (repairs.nul_characters, "NUL characters removed"),
            (repairs.duplicate_keys, "repeated keys: the last one won"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        self.listed("repaired while reading", &repaired.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn collections(&mut self, title: &str, collections: &[&Collection]) {
        let items: Vec<String> =
            collections.iter().map(|key| format!("{} ({})", key.pointer, key.records)).collect();
        self.listed(title, &items.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn listed(&mut self, title: &str, items: &[&str]) {
        if items.is_empty() {
            return;
        }
        self.err_line(&format!("{BOLD}{title}{BOLD:#}"));
        let shown = items.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        self.tell(&format!("  {}", plain(&shown)), 2);
        self.and_more(items.len());
    }

    fn and_more(&mut self, count: usize) {
        if let Some(more @ 1..) = count.checked_sub(SHOWN) {
            self.err_line(&format!("  {FAINT}and {more} more; --json lists all{FAINT:#}"));
        }
    }

    fn closing(&mut self, report: &Report) {
        let stopped = report.total.not_written > 0;
        let width = report.tables.iter().map(|line| line.name.len()).max().unwrap_or(0).max(5);
        let mut head = format!(
            "{:<width$} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "table", "in", "inserted", "updated", "same", "kept", "merged", "rejected"
        );
        if stopped {
            head.push_str(" not written");
        }
        self.out_line(&format!("{BOLD}{head}{BOLD:#}"));
        for line in &report.tables {
            self.out_line(&account(line, width, stopped));
        }
        self.out_line(&format!("{BOLD}{}{BOLD:#}", account(&report.total, width, stopped)));
        let rest = if stopped { " + not written" } else { "" };
        self.out_line(&format!(
            "{FAINT}in = inserted + updated + same + kept + merged + rejected{rest}{FAINT:#}"
        ));
        if report.not_mapped_records > 0 {
            let records = counted(report.not_mapped_records, "record has", "records have");
            let where_listed =
                if self.voice == Voice::Quiet { "; without --quiet they are listed" } else { "" };
            self.out_line(&format!("{WARN}!{WARN:#} {records} no table in this mapping{where_listed}"));
        }
        self.out_line(&verdict(report));
    }

    fn document(&mut self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.out_line(&text);
    }

    fn tell(&mut self, text: &str, indent: usize) {
        for line in wrap(text, indent) {
            self.err_line(&line);
        }
    }

    fn out_line(&mut self, line: &str) {
        let written = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        self.lost |= written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe);
    }

    // Whoever closed our stderr reads no more; there is nobody left to tell.

    fn err_line(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}").and_then(|()| self.err.flush());
    }
}

impl Task {
    /// Says that so many more are done.
    pub fn add(&self, rows: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(u64::try_from(rows).unwrap_or(u64::MAX));
        }
    }
}

/// A bar leaves the terminal with its step.
impl Drop for Task {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
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

fn account(line: &Line, width: usize, stopped: bool) -> String {
    let Line { name, records, inserted, updated, same, kept, merged, rejected, not_written } = line;
    let account = format!(
        "{name:<width$} {records:>8} {inserted:>8} {updated:>8} {same:>8} {kept:>8} {merged:>8} {rejected:>8}"
    );
    if stopped { format!("{account} {not_written:>11}") } else { account }
}

fn verdict(report: &Report) -> String {
    let rejects = report.rejects.all.count;
    let rows = |count: usize| counted(count, "row", "rows");
    let written = report.written();
    let story = match report.ending {
        Ending::Stopped if rejects == 0 => "nothing written".to_owned(),
        Ending::Stopped => {
            format!("nothing written: {}", counted(rejects, "record was rejected", "records were rejected"))
        }
        Ending::DryRun => format!("dry run: {} would be written", rows(written)),
        Ending::Written if written == 0 => "nothing to write".to_owned(),
        Ending::Written => format!("{} written", rows(written)),
    };
    match (report.ending, rejects) {
        (Ending::DryRun | Ending::Written, 0) => format!("{GOOD}✔{GOOD:#} {story}"),
        (Ending::Stopped, _) => format!("{BAD}✘{BAD:#} {story}"),
        (Ending::DryRun | Ending::Written, _) => format!("{WARN}!{WARN:#} {story}, {rejects} rejected"),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Breaks a line at its spaces; what follows the first line is indented.
fn wrap(text: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let width = visible(word.trim_end());
        if used + width > WIDTH && used > indent {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(indent);
            used = indent;
        }
        line.push_str(&cut(word, WIDTH.saturating_sub(used).max(1)));
        used += visible(word);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// How many columns a text takes on a terminal, colours not counted.
fn visible(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

/// A text from the file, without the characters a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character })
        .collect()
}

/// The beginning of a line that is too long.
fn cut(text: &str, width: usize) -> String {
    if visible(text.trim_end()) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
