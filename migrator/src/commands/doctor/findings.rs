//! What the doctor found, in order.

use std::fmt::Display;

use serde::Serialize;

use crate::exit::{self, Failure};
use crate::lang::{Lang, Phrase, Told};
use crate::printer::Mark;

/// The values of a phrase's places.
pub(super) type Values<'a> = &'a [(&'a str, &'a dyn Display)];

/// One thing that was looked at. Programs read English.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    id: &'static str,
    status: Mark,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
    #[serde(skip)]
    told: (String, String),
    #[serde(skip)]
    code: u8,
}

/// All that was looked at.
#[derive(Debug)]
pub(super) struct Checkup {
    lang: Lang,
    findings: Vec<Finding>,
}

impl Finding {
    /// What a person reads.
    pub(super) fn line(&self) -> (Mark, &str, &str) {
        (self.status, &self.told.0, &self.told.1)
    }
}

impl Checkup {
    pub(super) fn new(lang: Lang) -> Self {
        Self { lang, findings: Vec::new() }
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The way into the future: nothing to do, wait, or do something.
    pub(super) fn exit_code(&self) -> u8 {
        self.findings.iter().map(|finding| finding.code).max().unwrap_or(exit::OK)
    }

    pub(super) fn ok(&mut self, id: &'static str, what: Phrase, values: Values<'_>) {
        self.note(id, Mark::Ok, exit::OK, &|lang| (lang.fill(what, values), String::new()));
    }

    pub(super) fn warn(&mut self, id: &'static str, what: Phrase, values: Values<'_>, help: Phrase) {
        self.note(id, Mark::Warning, exit::OK, &|lang| (lang.fill(what, values), lang.say(help)));
    }

    pub(super) fn warn_count(
        &mut self,
        id: &'static str,
        what: Phrase,
        count: usize,
        values: Values<'_>,
        help: Phrase,
    ) {
        self.note(id, Mark::Warning, exit::OK, &|lang| {
            (lang.count_with(what, count, values), lang.say(help))
        });
    }

    pub(super) fn fail(
        &mut self,
        id: &'static str,
        code: u8,
        what: Phrase,
        values: Values<'_>,
        help: Phrase,
    ) {
        self.note(id, Mark::Failed, code, &|lang| (lang.fill(what, values), lang.say(help)));
    }

    /// A command's own failure, under an exit code of ours.
    pub(super) fn failure(&mut self, id: &'static str, code: u8, failure: &Failure) {
        self.note(id, Mark::Failed, code, &|lang| {
            // The rest of a mapping's failure is an excerpt of it.
            let message = failure.message.lines().next().unwrap_or_default();
            let Told { head, help } = lang.failure(failure);
            (head.map_or_else(|| message.to_owned(), |head| format!("{head} ({message})")), help)
        });
    }

    fn note(&mut self, id: &'static str, status: Mark, code: u8, tell: &dyn Fn(Lang) -> (String, String)) {
        let (message, help) = tell(Lang::En);
        self.findings.push(Finding { id, status, message, help, told: tell(self.lang), code });
    }
}
