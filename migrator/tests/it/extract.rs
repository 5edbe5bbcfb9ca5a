//! What a browser keeps comes out of it as the page itself sees it, and the browser's files stay as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use migrator::exit::{self, Failure};
use migrator::export::Export;
use migrator::extract::{Area, profile};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

const APP: &str = "http://localhost:8931";
const OTHER: &str = "http://127.0.0.1:8931";
const SESSION: &str = "sb-garage-auth-token";

/// The recorded profiles, and the ways to name each.
const PROFILES: [(&str, &[&str]); 5] = [
    ("chromium-leveldb", &["", "Default", "Default/Local Storage", "Default/Local Storage/leveldb"]),
    ("chromium-sqlite", &["", "Default", "Default/LocalStorage"]),
    ("firefox", &[""]),
    ("firefox-old", &["", "webappsstore.sqlite"]),
    ("webkit", &["", "localstorage"]),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/profiles").join(name)
}

/// What all sites keep, every one of which can be read.
fn read(path: &Path) -> Result<Vec<Area>, Failure> {
    let profile = profile::read(path)?;
    profile.damaged.into_iter().next().map_or(Ok(profile.areas), Err)
}

/// What the page said it had, with an escape where a terminal would obey the character itself.
fn expected(name: &str) -> String {
    fs::read_to_string(fixture(&format!("{name}.json"))).expect("recorded").replace('\u{7f}', "\\u007f")
}

fn only(origin: &str, areas: &[Area]) -> Area {
    areas.iter().find(|area| area.origin == origin).expect("recorded").clone()
}

/// A profile that may be changed.
fn copy(name: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (file, bytes) in files(&fixture(name)) {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().expect("in the folder")).expect("made");
        fs::write(file, bytes).expect("written");
    }
    folder
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        let name = PathBuf::from(path.file_name().expect("named"));
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, bytes)| (name.join(below), bytes)));
        } else {
            found.insert(name, fs::read(&path).expect("readable"));
        }
    }
    found
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_migrator")).arg("extract").args(args).output().expect("it runs")
}

fn said(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn a_profile_holds_what_the_page_saw() {
    for (name, ways) in PROFILES {
        for way in ways {
            let areas = read(&fixture(name).join(way)).expect(name);
            let mut app = only(APP, &areas);
            assert_eq!(app.without_sessions(), [SESSION], "{name}/{way}");
            assert_eq!(app.to_json(), expected(name), "{name}/{way}");
            assert_eq!(only(OTHER, &areas).to_json(), r#"{"theme":"dark"}"#, "{name}/{way}");
            assert_eq!(areas.len(), 2, "{name}/{way}");
        }
    }
}

#[test]
fn a_profile_is_left_as_it_is() {
    for (name, ways) in PROFILES {
        let folder = copy(name);
        let before = files(folder.path());
        for way in ways {
            read(&folder.path().join(way)).expect(name);
        }
        assert!(files(folder.path()) == before, "{name}");
    }
}

#[test]
fn what_comes_out_can_be_imported() {
    let folder = copy("chromium-leveldb");
    let out = folder.path().join("export.json");
    let out = out.to_str().expect("Unicode");
    let profile = fixture("chromium-leveldb");
    let profile = profile.to_str().expect("Unicode");
    let output = run(&["--profile", profile, "--origin", "http://localhost:8931/", "--out", out]);
    assert!(output.status.success(), "{}", said(&output.stderr));
    assert!(said(&output.stderr).contains(SESSION) && !said(&output.stderr).contains("made-up"));
    let bytes = fs::read(out).expect("written");
    assert_eq!(said(&bytes), expected("chromium-leveldb"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(out).expect("there").permissions().mode() & 0o777, 0o600);
    }
    let export = Export::read(out, &bytes).expect("an export");
    let root = &export.documents[0].root;
    let mut repairs = export.repairs;
    let whole = export.value(root, &mut repairs).expect("readable").to_json();
    assert!(whole.contains(r#"{\"id\":39,\"name\":\"Leïla\",\"town\":\"Salé\"}"#), "{whole}");
    assert!(repairs.lone_surrogates >= 2, "{repairs:?}");

    let output = run(&["--profile", profile, "--origin", APP]);
    assert_eq!(said(&output.stdout).trim_end(), expected("chromium-leveldb"));
}

#[test]
fn several_sites_are_listed_and_none_is_guessed() {
    let profile = fixture("firefox");
    let profile = profile.to_str().expect("Unicode");
    let output = run(&["--profile", profile]);
    assert_eq!(output.status.code(), Some(i32::from(exit::USAGE)));
    assert!(said(&output.stderr).contains(APP) && said(&output.stderr).contains(OTHER));
    let output = run(&["--profile", profile, "--origin", "https://app.example"]);
    assert_eq!(output.status.code(), Some(i32::from(exit::USAGE)));

    let table = run(&["--profile", profile, "--list"]);
    let lines: Vec<_> = said(&table.stdout).lines().map(str::trim_start).collect();
    let expected = [
        "keys   characters  site",
        "1            9  http://127.0.0.1:8931",
        "24         2003  http://localhost:8931",
    ];
    assert_eq!(lines, expected);
    let document = run(&["--profile", profile, "--list", "--json"]);
    let document: Value = serde_json::from_slice(&document.stdout).expect("JSON");
    let line = |origin, keys, characters| json!({ "origin": origin, "keys": keys, "characters": characters });
    assert_eq!(document, json!([line(OTHER, 1, 9), line(APP, 24, 2003)]));
}

#[test]
fn a_damaged_leveldb_is_an_error_that_names_the_file() {
    let folder = copy("chromium-leveldb");
    let whole = read(folder.path()).expect("whole");
    let leveldb = folder.path().join("Default/Local Storage/leveldb");
    for (name, bytes) in files(&leveldb) {
        let file = leveldb.join(&name);
        let shown = file.display().to_string();
        for place in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[place] ^= 0x41;
            fs::write(&file, changed).expect("written");
            match read(folder.path()) {
                Ok(areas) => {
                    assert!(areas == whole || name.to_str() == Some("000004.log"), "{shown} {place}")
                }
                Err(failure) => {
                    assert_eq!(failure.code, exit::INPUT, "{shown} {place}");
                    assert!(failure.message.contains("Local Storage"), "{}", failure.message);
                }
            }
        }
        fs::remove_file(&file).expect("removed");
        let gone = read(folder.path());
        assert!(gone.is_err() || name.to_str() == Some("000004.log"), "{shown} is missing");
        fs::write(&file, bytes).expect("written");
    }
    assert!(read(folder.path()).is_ok_and(|areas| areas == whole));
}

#[test]
fn a_damaged_sqlite_file_never_brings_the_program_down() {
    for (name, file) in [
        ("chromium-sqlite", "Default/LocalStorage"),
        ("firefox", "storage/default/http+++localhost+8931/ls/data.sqlite"),
        ("firefox-old", "webappsstore.sqlite"),
    ] {
        let folder = copy(name);
        let file = folder.path().join(file);
        let bytes = fs::read(&file).expect("recorded");
        let whole = read(&file).expect("whole");
        let mut refused = 0;
        for place in (0..bytes.len()).step_by(bytes.len() / 97) {
            let mut changed = bytes.clone();
            changed[place] ^= 0xFF;
            for (damaged, may_differ) in [(&changed[..], true), (&bytes[..place], false)] {
                fs::write(&file, damaged).expect("written");
                match read(&file) {
                    // SQLite has no checksums, and some pages hold nothing that counts.
                    Ok(areas) => assert!(may_differ || areas == whole, "{name} {place}"),
                    Err(failure) => {
                        refused += 1;
                        assert_eq!(failure.code, exit::INPUT);
                        assert!(
                            failure.message.starts_with(&file.display().to_string()),
                            "{}",
                            failure.message
                        );
                    }
                }
            }
        }
        assert!(refused > 50, "{name}: {refused}");
    }
}

/// A browser may have hundreds of sites; one that is damaged is no reason to keep the others back.
#[test]
fn a_damaged_site_is_named_and_leaves_the_others_alone() {
    let folder = copy("firefox");
    let damaged = folder.path().join("storage/default/http+++127.0.0.1+8931/ls/data.sqlite");
    let older = folder.path().join("webappsstore.sqlite");
    fs::copy(fixture("firefox-old/webappsstore.sqlite"), older).expect("copied");
    assert_eq!(
        only(APP, &read(folder.path()).expect("whole")),
        only(APP, &read(&fixture("firefox")).expect("whole"))
    );
    fs::write(&damaged, b"no database at all").expect("written");
    let profile = folder.path().to_str().expect("Unicode");
    let output = run(&["--profile", profile, "--origin", APP]);
    assert_eq!(said(&output.stdout).trim_end(), expected("firefox"));
    for args in [&["--list"][..], &[], &["--origin", OTHER]] {
        let output = run(&[&["--profile", profile, "--json"], args].concat());
        assert_eq!(output.status.code(), Some(i32::from(exit::INPUT)), "{args:?}");
        let failure: Value = serde_json::from_slice(&output.stderr).expect("one line");
        assert_eq!(failure["message"], format!("{}: SQLite cannot read it", damaged.display()));
    }
}

#[test]
fn writes_that_wait_beside_the_database_count() {
    let folder = copy("chromium-sqlite");
    let connection = Connection::open(folder.path().join("Default/LocalStorage")).expect("a database");
    connection.pragma_update(None, "journal_mode", "wal").expect("as Chromium has it");
    let change = "update map_entries set value = x'016c61746572' where key = x'017477696365'";
    assert_eq!(connection.execute(change, []).expect("changed"), 1);
    let before = files(folder.path());
    assert!(before.keys().any(|file| file.ends_with("LocalStorage-wal")));
    let areas = read(folder.path()).expect("readable");
    assert!(only(APP, &areas).to_json().contains(r#""twice":"later""#));
    assert!(files(folder.path()) == before);
}

#[test]
fn what_a_later_browser_may_write_is_refused() {
    let folder = copy("chromium-sqlite");
    let file = folder.path().join("Default/LocalStorage");
    let connection = Connection::open(&file).expect("a database");
    connection.execute("update map_entries set value_compression_type = 7", []).expect("changed");
    connection.close().expect("closed");
    let failure = read(folder.path()).expect_err("unknown");
    assert_eq!((failure.code, failure.id), (exit::INPUT, "profile.damaged"));
    assert!(
        failure.message.contains("LocalStorage: it holds a value packed in a way"),
        "{}",
        failure.message
    );
}

#[test]
fn what_lies_beside_a_profile_is_never_taken_for_it() {
    let folder = TempDir::new().expect("a folder");
    let failure = read(folder.path()).expect_err("empty");
    assert_eq!((failure.code, failure.id), (exit::INPUT, "profile.unknown"));
    let failure = read(&folder.path().join("absent")).expect_err("absent");
    assert_eq!((failure.code, failure.id), (exit::INPUT, "profile.unreadable"));

    // Two databases in one profile, both with something in them; then two profiles.
    let both = copy("chromium-leveldb");
    let sqlite = both.path().join("Default/LocalStorage");
    fs::copy(fixture("chromium-sqlite/Default/LocalStorage"), &sqlite).expect("copied");
    let failure = read(both.path()).expect_err("both");
    assert_eq!((failure.code, failure.id), (exit::USAGE, "usage.profile"));
    assert!(failure.message.contains("Default/LocalStorage") && failure.message.contains("leveldb"));
    let connection = Connection::open(&sqlite).expect("a database");
    connection.execute("delete from map_entries", []).expect("emptied");
    connection.close().expect("closed");
    assert_eq!(read(both.path()).expect("one is empty").len(), 2);
    fs::remove_file(sqlite).expect("removed");
    fs::create_dir(both.path().join("Profile 1")).expect("made");
    fs::copy(fixture("chromium-sqlite/Default/LocalStorage"), both.path().join("Profile 1/LocalStorage"))
        .expect("copied");
    let failure = read(both.path()).expect_err("two");
    assert!(failure.message.contains("Default") && failure.message.contains("Profile 1"));
}

/// No Safari runs here, but what it is made of does: the same table, in a file without the site's name.
#[test]
fn a_file_of_safari_that_names_no_site_is_read_too() {
    let folder = copy("webkit");
    let file = folder.path().join("localstorage.sqlite3");
    fs::rename(folder.path().join("localstorage/http_localhost_8931.localstorage"), &file).expect("there");
    for path in [file.as_path(), folder.path()] {
        let mut areas = read(path).expect("readable");
        areas[0].without_sessions();
        assert_eq!((areas.len(), areas[0].to_json()), (1, expected("webkit")));
        assert_eq!(areas[0].origin, file.display().to_string());
    }
}
