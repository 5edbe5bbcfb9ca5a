//! A report as programs and people keep it: the document has its published shape, the page holds nothing it
//! should not.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use migrator::diff::Change;
use migrator::html;
use migrator::lang::Lang;
use migrator::reject::Reject;
use migrator::report::{Ending, Line, MappingFile, Media, Phase, Report, Verification, Via, masked};
use migrator::target::Authority;
use serde_json::Value;

use crate::printer::odd_report;
use crate::{export, garage, plan};

/// A run with something to say in every part.
fn full_report() -> Report {
    let mut report = odd_report();
    let hash = "9f2c41d07b0be4cbd1c4f8f7c0a2b6f3e5a49f1c3d2e7b8a6c5d4e3f2a1b0c9d".to_owned();
    report.run = Some("019ab3c4-5d6e-7f80-9123-456789abcdef".to_owned());
    report.folder = Some(".migrator/runs/019ab3c4-5d6e-7f80-9123-456789abcdef".to_owned());
    report.plan_hash = Some(hash.clone());
    report.source.files[0].sha256 = Some(hash.clone());
    report.mapping_file = Some(MappingFile { path: None, blake3: hash.clone() });
    report.target = Some("https://abcdefghijklmnopqrst.supabase.co".to_owned());
    report.via = Some(Via::Rest);
    report.authority = Some(Authority::Owner);
    report.owner = Some(masked("patron@garage.fr"));
    report.verify = Verification {
        rows: 1_204,
        equal: 1_204,
        tables: 2,
        equal_digests: 2,
        orphans: 0,
        visible_to_owner: Some(1_204),
    };
    report.verified = 1_204;
    report.media = Media { uploaded: 212, already_there: 9, bytes: 3_041_000 };
    report.rejects.file =
        Some(".migrator/runs/019ab3c4-5d6e-7f80-9123-456789abcdef/rejects.ndjson".to_owned());
    for (phase, time) in [
        (Phase::Read, 41),
        (Phase::Plan, 120),
        (Phase::Compare, 320),
        (Phase::Media, 2_150),
        (Phase::Load, 1_410),
        (Phase::Verify, 505),
    ] {
        report.took(phase, Duration::from_millis(time));
    }
    for (index, line) in report.tables.iter_mut().take(2).enumerate() {
        line.digest = Some(hash.replace('9', &index.to_string()));
    }
    let reject = |number: usize| Reject {
        file: "export.json".to_owned(),
        pointer: format!("/data/vehicles/{number}"),
        table: "vehicles".to_owned(),
        column: Some("year".to_owned()),
        code: if number.is_multiple_of(3) { "numeric_scale" } else { "not_a_number" }.into(),
        message: if number.is_multiple_of(3) {
            "the number has more than 2 decimals"
        } else {
            "the text is no number"
        }
        .to_owned(),
        help: if number.is_multiple_of(3) { "widen the column" } else { "map the field to a text column" }
            .to_owned(),
    };
    for (name, line) in
        [("vehicles", [655, 600, 9, 0, 0, 5]), ("repairs", [901, 512, 70, 300, 12, 7]), ("invoices", [0; 6])]
    {
        let [records, inserted, updated, same, kept, merged] = line;
        let rejected = records - inserted - updated - same - kept - merged;
        let there = report.tables.iter_mut().find(|line| line.name == name).expect("a table of the mapping");
        *there = Line {
            name: name.to_owned(),
            records,
            inserted,
            updated,
            same,
            kept,
            merged,
            rejected,
            ..there.clone()
        };
    }
    for number in 0..41 {
        report.rejects.push(reject(number));
    }
    report.warnings.push(migrator::plan::Warning {
        pointer: "/data/prefs_zoe.k@example.com".to_owned(),
        table: "settings".to_owned(),
        column: String::new(),
        message: "something this version has no French for".to_owned(),
    });
    report.add("customers", &[]);
    report
}

/// A plan alone, a rehearsal, a stop, a full run, a mismatch.
fn endings() -> Vec<Report> {
    let one = r#"{"data": {"customers": [{"id": 1}]}}"#;
    let planned = Report::of(&export(one), &garage(), &plan(&garage(), one));
    let (mut rehearsed, mut stopped, mut differing) = (odd_report(), odd_report(), full_report());
    rehearsed.ending = Ending::DryRun;
    stopped.ending = Ending::Stopped;
    differing.mismatch(
        "customers",
        &plan(&garage(), one).tables[0].rows.all().expect("room")[0],
        "does not read back as it was written",
    );
    vec![planned, rehearsed, stopped, full_report(), differing]
}

#[test]
fn every_ending_has_the_published_shape() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("report.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(file).expect("published")).expect("JSON");
    let shape = jsonschema::draft202012::new(&schema).expect("a schema");
    for report in endings() {
        let document = serde_json::to_value(&report).expect("JSON");
        let wrong: Vec<String> = shape.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(wrong, Vec::<String>::new());
    }
    let mut odd = serde_json::to_value(odd_report()).expect("JSON");
    odd["tables"][0]["inserted"] = "1".into();
    assert!(!shape.is_valid(&odd), "the schema says what a count is");
    odd["tables"][0].as_object_mut().expect("a line").remove("inserted");
    assert!(!shape.is_valid(&odd), "the schema says what has to be there");
}

#[test]
fn a_page_says_all_of_a_run() {
    let mapping = "format = 1\nname = \"garage\"\n[target]\nowner = \"patron@garage.fr\" # </code><script>\n";
    let page = html::page(&full_report(), mapping, Lang::En).expect("a page");
    assert_snapshot!(page);
    let french = html::page(&full_report(), mapping, Lang::Fr).expect("a page");
    assert_snapshot!("a_page_says_all_of_a_run_in_french", body(&french));
}

/// What follows the style sheet.
fn body(page: &str) -> &str {
    page.split_once("<body>").map_or(page, |(_, body)| body)
}

#[test]
fn a_page_asks_nobody_and_runs_nothing() {
    for report in endings() {
        for lang in [Lang::En, Lang::Fr] {
            let mapping = "patron@garage.fr <script>alert(1)</script> <img src=x onerror=y>\n".repeat(4_000);
            let page = html::page(&report, &mapping, lang).expect("a page");
            assert!(page.len() < 300_000, "{} bytes", page.len());
            for odd in [
                "<script",
                "<img",
                "<link rel=\"stylesheet",
                "src=\"",
                "url(",
                "@import",
                "patron@",
                "zoe.k@",
                " style=",
            ] {
                assert!(!page.contains(odd), "{odd}");
            }
            assert!(
                page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"")
            );
            assert_eq!(
                page.matches("http").count(),
                page.matches("http-equiv").count() + 2 * usize::from(report.target.is_some())
            );
        }
    }
}

#[test]
fn a_page_about_a_million_troubles_is_small() {
    let mut report = full_report();
    for number in 0..30_000_usize {
        report.rejects.push(Reject {
            file: "export.json".to_owned(),
            pointer: format!("/{}/{number}", "long ".repeat(400)),
            table: "customers".to_owned(),
            column: None,
            code: format!("code_{}", number % 700).into(),
            message: "<b>".repeat(200),
            help: String::new(),
        });
        report.secrets.push(format!("/secret/{number}"));
        report.unknown_fields.push(migrator::plan::UnknownField {
            table: "t".to_owned(),
            field: number.to_string(),
            count: 1,
            kept: false,
        });
    }
    report.warnings = (0..30_000)
        .map(|number| migrator::plan::Warning {
            pointer: "é".repeat(4_000),
            table: "t".to_owned(),
            column: "c".to_owned(),
            message: format!("warning {}", number % 900),
        })
        .collect();
    report.coercions = report.coercions.iter().cycle().take(30_000).cloned().collect();
    report.add("vehicles", &[Change::Insert]);
    let page = html::page(&report, &"# ünicode\n".repeat(90_000), Lang::Fr).expect("a page");
    assert!(page.len() < 300_000, "{} bytes", page.len());
    assert!(!page.contains("<b>"));
}
