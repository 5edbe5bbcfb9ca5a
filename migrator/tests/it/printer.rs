//! What a run says, to people and to programs.

use std::io::Write;
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use migrator::args::{Color, Progress, Talk};
use migrator::diff::Change;
use migrator::exit::{self, Failure};
use migrator::lang::Lang;
use migrator::printer::{Event, Printer};
use migrator::reject::Reject;
use migrator::report::{Ending, Report};

use crate::{export, garage, plan};

/// A stream one can read afterwards.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        let text = String::from_utf8(self.0.lock().expect("one thread").clone()).expect("UTF-8");
        anstream::adapter::strip_str(&text).to_string()
    }
}

const HUMAN: Talk = Talk {
    json: false,
    quiet: false,
    verbose: 0,
    lang: Some(Lang::En),
    color: Color::Never,
    progress: Progress::Plain,
};
const FRENCH: Talk = Talk { lang: Some(Lang::Fr), ..HUMAN };
const MACHINE: Talk = Talk { json: true, ..HUMAN };
const QUIET: Talk = Talk { quiet: true, ..HUMAN };

/// Everything printed: stdout, then stderr.
fn printed(talk: Talk, print: impl FnOnce(&mut Printer)) -> (String, String) {
    let (out, err) = (Page::default(), Page::default());
    print(&mut Printer::to(Box::new(out.clone()), Box::new(err.clone()), talk));
    (out.text(), err.text())
}

const ODD: &str = r#"{"timestamp": "2026-01-01", "data": {
    "customers": [{"id": 1, "createdAt": "2026-01-01T00:00:00Z"}, {"id": 1.0, "createdAt": "2026-01-01T00:00:00Z"},
                  {"id": 2, "createdAt": "soon"}, {"id": 3, "password": "x"}],
    "vehicles": [{"id": 1, "customerId": 2, "year": "2016"}],
    "photos": [{}, {}], "users": [{}], "a\u001b[31mkey": [1]}}"#;

pub(crate) fn odd_report() -> Report {
    let plan = plan(&garage(), ODD);
    let mut report = Report::of(&export(ODD), &garage(), &plan);
    report.ending = Ending::Written;
    report.add("customers", &[Change::Insert, Change::Same]);
    report.add("vehicles", &[Change::Update]);
    report
}

#[test]
fn a_person_reads_a_table_and_what_to_look_at() {
    let (out, err) = printed(HUMAN, |printer| printer.report(&odd_report()));
    assert!(format!("{out}{err}").lines().all(|line| line.chars().count() <= 100));
    assert_snapshot!(format!("{out}--- stderr\n{err}"));
}

#[test]
fn a_program_reads_one_document() {
    let (out, err) = printed(MACHINE, |printer| {
        printer.say("unheard");
        printer.warn("unheard");
        drop(printer.task("customers", 3));
        printer.report(&odd_report());
    });
    assert_eq!(err, "");
    assert_snapshot!(out);
}

#[test]
fn who_wants_quiet_hears_the_result_and_the_rejects() {
    let (out, err) = printed(QUIET, |printer| {
        printer.say("unheard");
        printer.report(&odd_report());
    });
    assert!(out.starts_with("table"), "{out}");
    assert!(err.starts_with("1 record rejected") && !err.contains("unheard"), "{err}");
}

#[test]
fn a_failure_is_a_story_for_people_and_a_line_for_programs() {
    let failure = || {
        Failure::new(
            exit::USAGE,
            "mapping.unknown_key",
            "garage.toml:3:1: unknown field `tabel`\n  |\n3 | tabel = 1\n  | ^^^^^",
        )
        .help("did you mean table")
    };
    let (out, err) = printed(HUMAN, |printer| printer.failure(&failure()));
    assert_eq!(out, "");
    assert_snapshot!(err);
    let (out, err) = printed(MACHINE, |printer| printer.failure(&failure()));
    assert_eq!((out.as_str(), err.lines().count()), ("", 1));
    let line: serde_json::Value = serde_json::from_str(&err).expect("JSON");
    assert_eq!((&line["type"], &line["code"]), (&"error".into(), &2.into()));
    assert_eq!((&line["id"], &line["help"]), (&"mapping.unknown_key".into(), &"did you mean table".into()));
}

#[test]
fn every_record_is_in_one_column() {
    let mut report = odd_report();
    report.refuse(
        Reject {
            file: "export.json".to_owned(),
            pointer: "/data/customers/0".to_owned(),
            table: "customers".to_owned(),
            column: None,
            code: "refused".into(),
            message: "the server refused it".to_owned(),
            help: "see the server's reason".to_owned(),
        },
        Change::Insert,
    );
    for line in report.tables.iter().chain([&report.total]) {
        let sum = line.inserted + line.updated + line.same + line.merged + line.rejected + line.not_written;
        assert_eq!(line.records, sum, "{}", line.name);
    }
    assert_eq!((report.total.inserted, report.total.rejected, report.exit_code), (0, 2, exit::REJECTS));
}

#[test]
fn each_ending_has_its_words() {
    let last = |ending| {
        let mut report = odd_report();
        report.ending = ending;
        printed(QUIET, |printer| printer.report(&report)).0.lines().last().map(str::to_owned)
    };
    assert_eq!(last(Ending::Written).as_deref(), Some("! 2 rows written, 1 rejected"));
    assert_eq!(last(Ending::DryRun).as_deref(), Some("! dry run: 2 rows would be written, 1 rejected"));
    assert_eq!(last(Ending::Stopped).as_deref(), Some("✘ nothing written: 1 record was rejected"));
}

#[test]
fn a_french_reader_reads_french() {
    let (out, err) = printed(FRENCH, |printer| {
        printer.warn("writing with the project's secret key: it may write everything, and row-level security is not tried");
        drop(printer.task("comparing", 1_200));
        printer.report(&odd_report());
    });
    assert!(format!("{out}{err}").lines().all(|line| line.chars().count() <= 100));
    assert_snapshot!(format!("{out}--- stderr\n{err}"));
    let unreadable =
        Failure::new(exit::INPUT, "export.unreadable", "x.json cannot be read: no such file").help("check");
    let mapping = Failure::new(exit::USAGE, "mapping.unknown_key", "x.toml:3:1: unknown field\n  |\n3 | x")
        .help("did you mean y");
    let (_, err) = printed(FRENCH, |printer| {
        printer.failure(&unreadable);
        printer.failure(&mapping);
    });
    assert_snapshot!("a_french_reader_reads_french_failures", err);
}

#[test]
fn who_follows_by_program_reads_one_event_a_line() {
    let talk = Talk { progress: Progress::Json, ..HUMAN };
    let (out, err) = printed(talk, |printer| {
        printer.say("unheard");
        printer.warn("unheard");
        printer.event(&Event::TablePlanned {
            table: "customers",
            records: 4,
            rows: 2,
            merged: 1,
            rejected: 1,
        });
        drop(printer.task("customers", 2));
        printer.event(&Event::BatchCommitted { table: "customers", batch: 0, rows: 2, ms: 3 });
        printer.report(&odd_report());
        printer.failure(&Failure::new(exit::UNREACHABLE, "target.unreachable", "nobody answers"));
    });
    assert!(out.starts_with("table"), "the result is still the result");
    assert_snapshot!(err);
    let (_, silent) = printed(HUMAN, |printer| {
        printer.event(&Event::TablePlanned { table: "t", records: 0, rows: 0, merged: 0, rejected: 0 })
    });
    assert_eq!(silent, "");
}
