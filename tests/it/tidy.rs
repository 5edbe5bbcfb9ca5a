//! Our own files, read as text: rules a machine can hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::root;

/// The files git knows, or would if they were added.
fn files(ending: &str) -> Vec<PathBuf> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(list).current_dir(root()).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let files: Vec<_> = listed.lines().filter(|file| file.ends_with(ending)).map(PathBuf::from).collect();
    files.into_iter().filter(|file| root().join(file).exists()).collect()
}

fn text(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

fn manifest(file: &str) -> toml::Table {
    text(Path::new(file)).parse().unwrap()
}

#[test]
fn no_test_is_skipped_waits_or_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let words = ["#[ig", "nore]|to", "do!(|unimple", "mented!(|thread::sl", "eep(|time::sl", "eep("].concat();
    let mut found = Vec::new();
    for file in files(".rs") {
        let is_test = file.components().any(|part| part.as_os_str() == "tests");
        for (number, line) in text(&file).lines().enumerate() {
            let hit = words.split('|').find(|word| line.contains(word));
            // Outside tests an edge may wait a bounded while for a process that tells nobody it is ready.
            if hit.is_some_and(|word| is_test || !word.contains("sleep")) {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_file_of_tests_is_run() {
    for folder in ["sdk/tests/it", "migrator/tests/it", "stack/tests/it", "tests/it"] {
        let main = text(&Path::new(folder).join("main.rs"));
        for file in files(".rs").iter().filter(|file| file.parent() == Some(Path::new(folder))) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            assert!(
                name == "main" || main.contains(&format!("mod {name};")),
                "{} is run by nobody",
                file.display()
            );
        }
    }
}

/// The stack is a workspace of its own, so it cannot inherit: what it repeats must be the same.
#[test]
fn both_workspaces_have_the_same_lints_and_versions() {
    let (root, stack) = (manifest("Cargo.toml"), manifest("stack/Cargo.toml"));
    let workspace = root["workspace"].as_table().unwrap();
    assert_eq!(workspace["lints"], stack["lints"]);
    for key in ["version", "edition", "rust-version", "license"] {
        assert_eq!(workspace["package"][key], stack["package"][key], "{key}");
    }
    let versions = |table: &toml::Value| -> BTreeMap<String, String> {
        let version = |value: &toml::Value| value.get("version").unwrap_or(value).as_str().map(str::to_owned);
        let table = table.as_table().unwrap();
        table.iter().filter_map(|(name, value)| Some((name.clone(), version(value)?))).collect()
    };
    let ours = versions(&workspace["dependencies"]);
    for section in ["dependencies", "dev-dependencies"] {
        for (name, version) in versions(&stack[section]) {
            let same = ours.get(&name).is_none_or(|known| *known == version);
            assert!(same, "{name} is {version} in stack/Cargo.toml and {} in Cargo.toml", ours[&name]);
        }
    }
}

/// An app shows rows to its users; whoever may read a row is said in SQL and nowhere else.
#[test]
fn only_migrations_hold_policies() {
    let elsewhere: Vec<_> = files(".sql")
        .into_iter()
        .filter(|file| {
            !file.starts_with("supabase")
                && !file.starts_with("stack/src")
                && !file.starts_with("stack/tests")
                && !file.starts_with("tests/it/fixtures")
        })
        .filter(|file| text(file).to_lowercase().contains("create policy"))
        .collect();
    assert_eq!(elsewhere, Vec::<PathBuf>::new());
}

#[test]
fn no_member_has_a_version_or_lints_of_its_own() {
    for member in ["sdk", "migrator", "tests", "xtask"] {
        let manifest = manifest(&format!("{member}/Cargo.toml"));
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{member}");
        for section in ["dependencies", "dev-dependencies"] {
            for (name, value) in manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                let inherited = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(inherited, "{member} gives {name} a version of its own");
            }
        }
    }
}
