//! The report as a page: one file that needs nothing else, runs no script and asks nobody.
//!
//! It holds no value of a record. Names of keys and places are those of the file, and an e-mail address among
//! them is masked. Every list has an end, so the page stays small enough to be sent by mail.

mod bar;
mod cause;
mod redact;

use std::fmt::Display;

use askama::Template;

use crate::exit::{self, Failure};
use crate::lang::{Lang, Phrase};
use crate::plan::{Collection, Tally};
use crate::report::{Ending, Report, Verdict, Via};
use crate::target::Authority;

use Phrase as P;
use bar::{Account, Part, Time};
use cause::Cause;
use redact::redacted;

/// The most lines of a table.
const LINES: usize = 150;
/// The most items of a list.
const ITEMS: usize = 50;
/// The most causes of one kind.
const CAUSES: usize = 40;
/// The most of a mapping.
const MAPPING: usize = 48 * 1_024;

/// The page of a run. The mapping's text goes into it; without any, the page does without.
///
/// # Errors
/// Exit code 1 when the page cannot be made.
pub fn page(report: &Report, mapping: &str, lang: Lang) -> Result<String, Failure> {
    Page::of(report, mapping, lang).render().map_err(|error| {
        Failure::new(exit::BUG, "report.html", "the report cannot be written as a page").because(error)
    })
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    lang: Lang,
    /// The class of the banner.
    tone: &'static str,
    sign: &'static str,
    verdict: String,
    story: String,
    source: String,
    legend: Vec<Part>,
    accounts: Vec<Account>,
    empty: Option<String>,
    homeless: Option<String>,
    differing: Vec<Cause>,
    rejects: Vec<Cause>,
    more_rejects: Option<String>,
    all_rejects: Option<String>,
    warnings: Vec<Cause>,
    more_warnings: Option<String>,
    coercions: Vec<Changed>,
    more_coercions: Option<String>,
    left_out: Vec<Listed>,
    media: Option<String>,
    verified: Vec<String>,
    digests: Vec<(&'a str, &'a str)>,
    timings: Vec<Time>,
    undo: Option<&'a str>,
    provenance: Vec<(String, String)>,
    mapping_text: String,
    mapping_cut: bool,
}

/// What was done to a column.
struct Changed {
    column: String,
    story: String,
    count: String,
    place: String,
}

/// A piece of a sentence.
struct Piece {
    text: String,
    /// Whether it is code.
    code: bool,
}

/// Things of one kind, by name.
struct Listed {
    title: String,
    items: Vec<String>,
    more: Option<String>,
}

impl<'a> Page<'a> {
    fn of(report: &'a Report, mapping: &str, lang: Lang) -> Self {
        let (tone, sign, verdict) = verdict(report, lang);
        let (rejects, more_rejects) =
            cut(Cause::of_rejects(report.rejects.listed(), lang), CAUSES, P::CausesMore, lang);
        let (warnings, more_warnings) =
            cut(Cause::of_warnings(&report.warnings.shown, lang), CAUSES, P::CausesMore, lang);
        let (differing, _) = cut(Cause::of_warnings(&report.mismatches, lang), CAUSES, P::CausesMore, lang);
        let (coercions, more_coercions) = cut(report.coercions.iter().collect(), LINES, P::RowsMore, lang);
        let mapping_text = whole_lines(mapping, MAPPING);
        let records = report.not_mapped_records;
        let all_rejects = report.rejects.file.as_ref().filter(|_| !report.rejects.is_empty());
        let digests =
            report.tables.iter().filter_map(|line| Some((line.name.as_str(), line.digest.as_deref()?)));
        Self {
            report,
            lang,
            tone,
            sign,
            verdict,
            story: story(report, lang),
            source: redacted(&report.source.path),
            legend: bar::legend(report, lang),
            accounts: bar::accounts(report, lang),
            empty: bar::empty(report, lang),
            homeless: (records > 0).then(|| lang.count(P::NoTable, records)),
            differing,
            rejects,
            more_rejects,
            all_rejects: all_rejects.map(|file| lang.fill(P::AllIn, &[("file", file)])),
            warnings,
            more_warnings,
            coercions: coercions.into_iter().map(|tally| Changed::of(tally, lang)).collect(),
            more_coercions,
            left_out: left_out(report, lang),
            media: media(report, lang),
            verified: lang.verification(&report.verify),
            digests: digests.collect(),
            timings: bar::timings(report, lang),
            undo: report.run.as_deref().filter(|_| report.ending == Ending::Written && report.written() > 0),
            provenance: provenance(report, lang),
            mapping_text: redacted(mapping_text),
            mapping_cut: mapping_text.len() < mapping.len(),
        }
    }

    fn say(&self, phrase: Phrase) -> String {
        self.lang.say(phrase)
    }
}

fn verdict(report: &Report, lang: Lang) -> (&'static str, &'static str, String) {
    match (report.ending, report.verdict) {
        (Ending::Stopped, _) => ("bad", "✘", lang.say(P::VerdictStopped)),
        (_, Verdict::Mismatch) => ("bad", "✘", lang.say(P::VerdictMismatch)),
        (Ending::DryRun, Verdict::Ok) => ("ok", "✔", lang.say(P::VerdictDryRun)),
        (Ending::DryRun, Verdict::Rejects) => ("warn", "!", lang.say(P::VerdictDryRun)),
        (Ending::Written, Verdict::Ok) if report.total.kept > 0 => {
            ("warn", "!", lang.count(P::VerdictKept, report.total.kept))
        }
        (Ending::Written | Ending::Verified, Verdict::Ok) => ("ok", "✔", lang.say(P::VerdictOk)),
        (Ending::Written | Ending::Verified, Verdict::Rejects) => {
            ("warn", "!", lang.count(P::VerdictRejects, report.rejects.count()))
        }
    }
}

/// The same in numbers.
fn story(report: &Report, lang: Lang) -> String {
    let (rejects, written) = (report.rejects.count(), report.written());
    let story = match report.ending {
        Ending::Stopped if rejects == 0 => return String::new(),
        Ending::Stopped => return lang.count(P::NothingWrittenRejects, rejects),
        Ending::DryRun => lang.count(P::WouldWrite, written),
        Ending::Verified => lang.count(P::AsInTheFile, report.verified),
        Ending::Written if written == 0 => lang.say(P::NothingToWrite),
        Ending::Written => lang.count(P::Written, written),
    };
    if rejects == 0 { story } else { story + &lang.count(P::AndRejected, rejects) }
}

impl Changed {
    fn of(tally: &Tally, lang: Lang) -> Self {
        Self {
            column: format!("{}.{}", tally.table, tally.column),
            story: lang.story(tally.kind),
            count: lang.number(tally.count),
            place: tally.examples.first().map(|place| redacted(place)).unwrap_or_default(),
        }
    }
}

fn left_out(report: &Report, lang: Lang) -> Vec<Listed> {
    let with_count = |name: &str, count: usize| format!("{} ({})", redacted(name), lang.number(count));
    let keys = |keys: &mut dyn Iterator<Item = &Collection>| {
        keys.map(|key| with_count(&key.pointer, key.records)).collect::<Vec<_>>()
    };
    let fields = |kept: bool| {
        let of_kind = report.unknown_fields.iter().filter(|field| field.kept == kept);
        of_kind.map(|field| with_count(&format!("{}.{}", field.table, field.field), field.count)).collect()
    };
    let repairs = [
        (report.repairs.lone_surrogates, P::LoneSurrogates),
        (report.repairs.nul_characters, P::NulCharacters),
        (report.repairs.duplicate_keys, P::DuplicateKeys),
    ];
    let repaired = repairs.into_iter().filter(|(count, _)| *count > 0);
    let single = report.not_mapped.iter().filter(|key| key.records == 0);
    let lists = [
        (P::NotInTheMapping, keys(&mut report.not_mapped.iter().filter(|key| key.records > 0))),
        (P::LeftOut, keys(&mut report.ignored.iter())),
        (P::SingleValues, single.map(|key| redacted(&key.pointer)).collect()),
        (P::FieldsNotMoved, fields(false)),
        (P::FieldsKept, fields(true)),
        (P::Secrets, report.secrets.iter().map(|place| redacted(place)).collect()),
        (P::Repaired, repaired.map(|(count, what)| lang.count(what, count)).collect()),
    ];
    let listed = lists.into_iter().filter(|(_, items)| !items.is_empty()).map(|(title, items)| {
        let (items, more) = cut(items, ITEMS, P::PlacesMore, lang);
        Listed { title: lang.say(title), items, more }
    });
    listed.collect()
}

fn media(report: &Report, lang: Lang) -> Option<String> {
    let media = &report.media;
    (media.uploaded + media.already_there > 0).then(|| lang.media(media))
}

fn provenance(report: &Report, lang: Lang) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: P, value: &dyn Display| facts.push((lang.say(name), value.to_string()));
    for file in &report.source.files {
        let size = lang.bytes(file.bytes);
        let hash = file.sha256.as_ref().map(|hash| format!(" · sha256 {hash}")).unwrap_or_default();
        fact(P::File, &format!("{} · {size}{hash}", redacted(&file.path)));
    }
    fact(P::Encoding, &report.source.encoding);
    fact(P::Shape, &report.source.shape);
    let from = report.mapping_file.as_ref().map(|file| {
        let path = file.path.as_ref().map_or_else(|| lang.say(P::ShippedMapping), |path| redacted(path));
        format!(" · {path} · blake3 {}", file.blake3)
    });
    fact(P::Mapping, &format!("{}{}", report.mapping, from.unwrap_or_default()));
    if let Some(target) = &report.target {
        fact(P::Target, target);
    }
    if let Some(via) = report.via {
        fact(
            P::Via,
            &lang.say(match via {
                Via::Rest => P::ViaRest,
                Via::Sql => P::ViaSql,
            }),
        );
    }
    if let Some(authority) = report.authority {
        fact(
            P::Authority,
            &lang.say(match authority {
                Authority::Owner => P::AuthorityOwner,
                Authority::SecretKey => P::AuthoritySecretKey,
                Authority::Database => P::AuthorityDatabase,
            }),
        );
    }
    for (name, value) in [(P::Owner, &report.owner), (P::Run, &report.run), (P::PlanHash, &report.plan_hash)]
    {
        if let Some(value) = value {
            fact(name, value);
        }
    }
    fact(P::Program, &concat!("migrator ", env!("CARGO_PKG_VERSION")));
    facts
}

/// A sentence, what stands between backticks being code.
fn pieces(text: &str) -> Vec<Piece> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(index, part)| Piece { text: part.to_owned(), code: index % 2 == 1 }).collect()
}

/// The lines that fit; half an address at the end of a piece would not be known as one.
fn whole_lines(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let piece = &text[..text.floor_char_boundary(most)];
    piece.rfind('\n').map_or("", |end| &piece[..end])
}

/// The first of a list, and what to say of the rest.
fn cut<T>(mut all: Vec<T>, most: usize, more: Phrase, lang: Lang) -> (Vec<T>, Option<String>) {
    let rest = all.len().saturating_sub(most);
    all.truncate(most);
    (all, (rest > 0).then(|| lang.count(more, rest)))
}
