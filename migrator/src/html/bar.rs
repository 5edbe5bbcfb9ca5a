//! Bars: the parts of a table's account, and of a run's time.

use crate::lang::{Lang, Phrase};
use crate::report::{Line, Report};

/// The width of a whole bar.
const WHOLE: usize = 1_000;
/// The width of a part that is hardly there.
const LEAST: usize = 6;

/// What a part of an account is called, its class, and what it shows of a line.
type Kind = (Phrase, &'static str, fn(&Line) -> usize);

const KINDS: [Kind; 7] = [
    (Phrase::Inserted, "inserted", |line| line.inserted),
    (Phrase::Updated, "updated", |line| line.updated),
    (Phrase::Same, "same", |line| line.same),
    (Phrase::Kept, "kept", |line| line.kept),
    (Phrase::Merged, "merged", |line| line.merged),
    (Phrase::Rejected, "rejected", |line| line.rejected),
    (Phrase::NotWritten, "waiting", |line| line.not_written),
];

/// A line of the legend.
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) name: String,
}

/// A table's account.
pub(super) struct Account {
    pub(super) name: String,
    /// Whether it is the sum of all.
    pub(super) total: bool,
    pub(super) segments: Vec<Segment>,
    /// `412 = 398 inserted + 14 same`.
    pub(super) sum: String,
    /// The same for who does not see the bar.
    pub(super) told: String,
}

/// A part of a bar.
pub(super) struct Segment {
    pub(super) class: &'static str,
    pub(super) x: usize,
    pub(super) width: usize,
}

/// A phase of the run.
pub(super) struct Time {
    pub(super) phase: String,
    pub(super) x: usize,
    pub(super) width: usize,
    pub(super) told: String,
}

/// The parts that any table has.
pub(super) fn legend(report: &Report, lang: Lang) -> Vec<Part> {
    let there = KINDS.iter().filter(|(_, _, value)| value(&report.total) > 0);
    there.map(|(name, class, _)| Part { class, name: lang.say(*name) }).collect()
}

/// The accounts of the tables the file has something for, and their sum.
pub(super) fn accounts(report: &Report, lang: Lang) -> Vec<Account> {
    let filled = report.tables.iter().filter(|line| line.records > 0);
    let tables = filled.map(|line| account(line.name.clone(), line, false, lang));
    let total = account(lang.say(Phrase::Total), &report.total, true, lang);
    tables.chain([total]).collect()
}

/// The tables the file has nothing for, in a sentence.
pub(super) fn empty(report: &Report, lang: Lang) -> Option<String> {
    let names: Vec<&str> =
        report.tables.iter().filter(|line| line.records == 0).map(|line| line.name.as_str()).collect();
    (!names.is_empty()).then(|| lang.fill(Phrase::EmptyTables, &[("tables", &names.join(", "))]))
}

fn account(name: String, line: &Line, total: bool, lang: Lang) -> Account {
    let parts: Vec<_> = KINDS
        .iter()
        .map(|(label, class, value)| (*label, *class, value(line)))
        .filter(|part| part.2 > 0)
        .collect();
    let mut x = 0;
    let widths = widths(&parts.iter().map(|part| part.2).collect::<Vec<_>>());
    let segments = parts.iter().zip(widths).map(|((_, class, _), width)| {
        let segment = Segment { class, x, width };
        x += width;
        segment
    });
    let segments = segments.collect();
    let summands: Vec<String> = parts
        .iter()
        .map(|(label, _, count)| format!("{}\u{a0}{}", lang.number(*count), lang.count(*label, *count)))
        .collect();
    let whole = lang.number(line.records);
    let sum = if summands.is_empty() { whole } else { format!("{whole} = {}", summands.join(" + ")) };
    let told = lang.fill(Phrase::BarOf, &[("table", &name), ("parts", &sum)]);
    Account { name, total, segments, sum, told }
}

/// How wide each part is; together they fill the bar, and none vanishes.
fn widths(parts: &[usize]) -> Vec<usize> {
    let total: u128 = parts.iter().map(|part| *part as u128).sum::<u128>().max(1);
    let share =
        |part: usize| usize::try_from(part as u128 * WHOLE as u128 / total).unwrap_or(WHOLE).max(LEAST);
    let mut widths: Vec<usize> = parts.iter().map(|part| share(*part)).collect();
    let used: usize = widths.iter().sum();
    if let Some(widest) = widths.iter_mut().max() {
        *widest = (*widest + WHOLE).saturating_sub(used);
    }
    widths
}

/// The phases, one after the other.
pub(super) fn timings(report: &Report, lang: Lang) -> Vec<Time> {
    let total = report.timings.total().max(1);
    let place =
        |time: u64| usize::try_from(u128::from(time) * WHOLE as u128 / u128::from(total)).unwrap_or(WHOLE);
    let mut begun = 0_u64;
    let times = report.timings.iter().map(|(phase, time)| {
        let x = place(begun);
        begun = begun.saturating_add(time);
        let width = place(begun).saturating_sub(x).max(LEAST / 2);
        Time { phase: lang.say(Phrase::of(phase)), x, width, told: lang.time(time) }
    });
    times.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_bar_and_none_vanishes() {
        for parts in [&[1][..], &[1, 1, 1], &[1_000_000, 1], &[7, 1, 1, 1, 1, 1, 1_000_000], &[usize::MAX, 3]]
        {
            let widths = widths(parts);
            assert_eq!(widths.iter().sum::<usize>(), WHOLE, "{parts:?}");
            assert!(widths.iter().all(|width| *width >= LEAST), "{parts:?}");
        }
        assert!(widths(&[]).is_empty());
    }
}
