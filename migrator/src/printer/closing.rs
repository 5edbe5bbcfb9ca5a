//! The end of a run, as a person reads it: what to look at, then the table, then the verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{plain, visible};
use super::{BAD, BOLD, FAINT, GOOD, Printer, SHOWN, Voice, WARN};
use crate::lang::{Lang, Phrase};
use crate::plan::{Coercion, Collection, Tally, Warning};
use crate::report::{Ending, Line, Report};

/// A column of the account: its name, and what it shows of a line.
type Column = (Phrase, fn(&Line) -> usize);

const COLUMNS: [Column; 8] = [
    (Phrase::In, |line| line.records),
    (Phrase::Inserted, |line| line.inserted),
    (Phrase::Updated, |line| line.updated),
    (Phrase::Same, |line| line.same),
    (Phrase::Kept, |line| line.kept),
    (Phrase::Merged, |line| line.merged),
    (Phrase::Rejected, |line| line.rejected),
    (Phrase::NotWritten, |line| line.not_written),
];

impl Printer {
    pub(super) fn close(&mut self, report: &Report) {
        self.rejects(report);
        self.noted(Phrase::NotReadBack, &report.mismatches, report.mismatches.len());
        if self.voice == Voice::Human {
            self.noted(Phrase::Warnings, &report.warnings.shown, report.warnings.count);
            self.coercions(&report.coercions);
            self.left_out(report);
        }
        self.account(report);
        if self.voice == Voice::Human {
            self.afterwards(report);
        }
    }

    fn rejects(&mut self, report: &Report) {
        let rejects = &report.rejects;
        if rejects.is_empty() {
            return;
        }
        let count = self.lang.count(Phrase::RecordsRejected, rejects.count());
        let what = format!("{BAD}{count}{BAD:#}");
        let head = self.phrase(Phrase::InFile, &[("what", &what), ("file", &plain(&report.source.path))]);
        self.tell(&head, 2);
        for reject in rejects.listed().iter().take(self.shown()) {
            let column = reject.column.as_deref().map(|column| format!(".{column}")).unwrap_or_default();
            self.tell(&format!("  {} → {}{column}", plain(&reject.pointer), reject.table), 4);
            self.tell(&format!("    {} ({})", plain(&self.lang.reason(reject)), reject.code), 4);
            self.tell(&format!("    {FAINT}{}{FAINT:#}", self.lang.remedy(reject)), 4);
        }
        self.and_more(rejects.count(), rejects.listed().len().min(self.shown()));
    }

    fn noted(&mut self, what: Phrase, warnings: &[Warning], count: usize) {
        if warnings.is_empty() {
            return;
        }
        self.err_line(&format!("{WARN}{}{WARN:#}", self.lang.count(what, count)));
        let shown = self.shown();
        for warning in warnings.iter().take(shown) {
            let place = match (warning.table.as_str(), warning.column.as_str()) {
                ("", _) => String::new(),
                (table, "") => format!(" → {table}"),
                (table, column) => format!(" → {table}.{column}"),
            };
            self.tell(&format!("  {}{place}", plain(&warning.pointer)), 4);
            self.tell(&format!("    {}", plain(&self.lang.remark(&warning.message))), 4);
        }
        self.and_more(count, shown);
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
        self.title(Phrase::ChangedOnTheWay);
        let pad = 42.min(self.width.saturating_sub(30));
        for (kind, (count, tables)) in kinds {
            let tables = tables.into_iter().collect::<Vec<_>>().join(", ");
            let (count, story) = (self.lang.number(count), self.lang.story(kind));
            self.tell(&format!("  {count:>6}  {story:<pad$} {FAINT}{tables}{FAINT:#}"), pad + 10);
        }
    }

    fn left_out(&mut self, report: &Report) {
        let (collections, values): (Vec<_>, Vec<_>) =
            report.not_mapped.iter().partition(|key| key.records > 0);
        self.collections(Phrase::NotInTheMapping, collections);
        self.collections(Phrase::LeftOut, &report.ignored);
        self.listed(Phrase::SingleValues, values.into_iter().map(|key| key.pointer.clone()));
        let (kept, lost): (Vec<_>, Vec<_>) = report.unknown_fields.iter().partition(|field| field.kept);
        for (fate, fields) in [(Phrase::FieldsKept, kept), (Phrase::FieldsNotMoved, lost)] {
            let lang = self.lang;
            let field = |field: &crate::plan::UnknownField| {
                format!("{}.{} ({})", field.table, field.field, lang.number(field.count))
            };
            self.listed(fate, fields.into_iter().map(field));
        }
        self.listed(Phrase::Secrets, report.secrets.iter().cloned());
        let repairs = &report.repairs;
        let repaired = [
            (repairs.lone_surrogates, Phrase::LoneSurrogates),
            (repairs.nul_characters, Phrase::NulCharacters),
            (repairs.duplicate_keys, Phrase::DuplicateKeys),
        ];
        let lang = self.lang;
        let repaired = repaired.into_iter().filter(|(count, _)| *count > 0);
        self.listed(Phrase::Repaired, repaired.map(|(count, what)| lang.count(what, count)));
    }

    fn collections<'a>(&mut self, title: Phrase, collections: impl IntoIterator<Item = &'a Collection>) {
        let lang = self.lang;
        let item = |key: &Collection| format!("{} ({})", key.pointer, lang.number(key.records));
        self.listed(title, collections.into_iter().map(item));
    }

    fn listed(&mut self, title: Phrase, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> = items.into_iter().collect();
        if items.is_empty() {
            return;
        }
        self.title(title);
        let shown = items.len().min(self.shown());
        self.tell(&format!("  {}", plain(&items[..shown].join(", "))), 2);
        self.and_more(items.len(), shown);
    }

    fn title(&mut self, title: Phrase) {
        self.err_line(&format!("{BOLD}{}{BOLD:#}", self.lang.say(title)));
    }

    fn and_more(&mut self, count: usize, shown: usize) {
        if let Some(more @ 1..) = count.checked_sub(shown) {
            self.err_line(&format!("  {FAINT}{}{FAINT:#}", self.lang.count(Phrase::AndMore, more)));
        }
    }

    fn shown(&self) -> usize {
        if self.whole { usize::MAX } else { SHOWN }
    }

    /// The result itself.
    fn account(&mut self, report: &Report) {
        let account = Account::of(report, self.lang, self.width);
        self.out_line(&format!("{BOLD}{}{BOLD:#}", account.head()));
        for line in &report.tables {
            self.out_line(&account.line(&line.name, line));
        }
        let total = account.line(&self.lang.say(Phrase::Total), &report.total);
        self.out_line(&format!("{BOLD}{total}{BOLD:#}"));
        self.out_line(&format!("{FAINT}{}{FAINT:#}", account.identity()));
        if report.not_mapped_records > 0 {
            let records = self.lang.count(Phrase::NoTable, report.not_mapped_records);
            let where_listed = match self.voice {
                Voice::Quiet => self.lang.say(Phrase::ListedWithoutQuiet),
                Voice::Human | Voice::Machine => String::new(),
            };
            self.out_line(&format!("{WARN}!{WARN:#} {records}{where_listed}"));
        }
        self.out_line(&verdict(report, self.lang));
    }

    /// Where more is to be read, and how to take it back.
    fn afterwards(&mut self, report: &Report) {
        let (lang, media) = (self.lang, &report.media);
        if media.uploaded + media.already_there > 0 {
            self.tell(&lang.media(media), 2);
        }
        let verified = lang.verification(&report.verify);
        if !verified.is_empty() {
            self.tell(&verified.join(" · "), 2);
        }
        if self.whole && !report.timings.is_empty() {
            let times = report
                .timings
                .iter()
                .map(|(phase, time)| format!("{} {}", lang.say(Phrase::of(phase)), lang.time(time)));
            let times = times.collect::<Vec<_>>().join(" · ");
            self.tell(&format!("{FAINT}{times}{FAINT:#}"), 2);
        }
        let width = visible(&lang.say(Phrase::UndoBy)).max(visible(&lang.say(Phrase::RejectsAt))) + 2;
        let undo = report.run.as_ref().filter(|_| report.ending == Ending::Written && report.written() > 0);
        let lines = [
            (Phrase::ReportAt, report.folder.as_ref().map(|folder| format!("{folder}/report.html"))),
            (Phrase::RejectsAt, report.rejects.file.clone().filter(|_| !report.rejects.is_empty())),
            (Phrase::UndoBy, undo.map(|run| lang.fill(Phrase::UndoHow, &[("run", run)]))),
        ];
        for (what, value) in lines {
            if let Some(value) = value {
                self.tell(&format!("{BOLD}{:<width$}{BOLD:#}{}", lang.say(what), plain(&value)), width);
            }
        }
    }
}

/// The table of all accounts, fitted to its numbers and the terminal.
struct Account {
    lang: Lang,
    ending: Ending,
    first: usize,
    /// What is shown, and how wide.
    columns: Vec<(Column, usize)>,
}

impl Account {
    fn of(report: &Report, lang: Lang, room: usize) -> Self {
        let names = report.tables.iter().map(|line| visible(&line.name));
        let labels = [Phrase::Table, Phrase::Total].map(|label| visible(&lang.say(label)));
        let first = names.chain(labels).max().unwrap_or_default();
        let stopped = report.total.not_written > 0;
        let ending = report.ending;
        let wide = |(label, value): Column| {
            let number = visible(&lang.number(value(&report.total)));
            visible(&lang.say(named(label, ending))).max(number).max(8)
        };
        let used = |(_, value): &Column| value(&report.total) > 0;
        let shown = COLUMNS.into_iter().filter(|(label, _)| stopped || *label != Phrase::NotWritten);
        let mut columns: Vec<_> = shown.map(|column| (column, wide(column))).collect();
        let taken = |columns: &[(Column, usize)]| columns.iter().map(|(_, width)| width + 1).sum::<usize>();
        // Where there is no room for all, columns of nothing but zeros go, the last first.
        for place in (1..columns.len()).rev() {
            if first + taken(&columns) > room && !used(&columns[place].0) {
                columns.remove(place);
            }
        }
        Self { lang, ending, first, columns }
    }

    fn head(&self) -> String {
        self.row(&self.lang.say(Phrase::Table), |(label, _)| self.lang.say(named(label, self.ending)))
    }

    fn line(&self, name: &str, line: &Line) -> String {
        self.row(name, |(_, value)| self.lang.number(value(line)))
    }

    fn row(&self, first: &str, cell: impl Fn(Column) -> String) -> String {
        let mut row = format!("{first:<width$}", width = self.first);
        for (column, width) in &self.columns {
            row.push_str(&format!(" {:>width$}", cell(*column)));
        }
        row
    }

    /// The sum every line keeps.
    fn identity(&self) -> String {
        let mut names = self.columns.iter().map(|((label, _), _)| self.lang.say(named(*label, self.ending)));
        let whole = names.next().unwrap_or_default();
        format!("{whole} = {}", names.collect::<Vec<_>>().join(" + "))
    }
}

/// What a column is called: a run that only looks adds and changes nothing.
fn named(label: Phrase, ending: Ending) -> Phrase {
    match (label, ending) {
        (Phrase::Inserted, Ending::Verified) => Phrase::Missing,
        (Phrase::Updated, Ending::Verified) => Phrase::Differing,
        (label, Ending::Written | Ending::DryRun | Ending::Stopped | Ending::Verified) => label,
    }
}

fn verdict(report: &Report, lang: Lang) -> String {
    let (rejects, written, differ) = (report.rejects.count(), report.written(), report.mismatches.len());
    let story = match report.ending {
        Ending::Stopped if rejects == 0 => lang.say(Phrase::NothingWritten),
        Ending::Stopped => lang.count(Phrase::NothingWrittenRejects, rejects),
        Ending::DryRun => lang.count(Phrase::WouldWrite, written),
        Ending::Verified => lang.count(Phrase::AsInTheFile, report.verified),
        Ending::Written if written == 0 => lang.say(Phrase::NothingToWrite),
        Ending::Written => lang.count(Phrase::Written, written),
    };
    match (report.ending, rejects) {
        (Ending::Stopped, _) => format!("{BAD}✘{BAD:#} {story}"),
        _ if differ > 0 => format!("{BAD}✘{BAD:#} {}", lang.count(Phrase::NotReadBack, differ)),
        (Ending::DryRun | Ending::Written | Ending::Verified, 0) => format!("{GOOD}✔{GOOD:#} {story}"),
        (Ending::DryRun | Ending::Written | Ending::Verified, _) => {
            format!("{WARN}!{WARN:#} {story}{}", lang.count(Phrase::AndRejected, rejects))
        }
    }
}
