//! The program as a shell runs it, without a target: its help, its errors, its exit codes, its colours.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use serde_json::Value;

/// How a run ended.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("no signal");
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// Everything of it, for a snapshot.
    fn story(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// A folder to run in, where nothing is set.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for temporary files"))
    }

    fn file(&self, name: &str, content: &str) {
        std::fs::write(self.0.path().join(name), content).expect("a folder of our own");
    }

    fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrator"));
        command.args(args).current_dir(self.0.path()).env_clear().envs(variables.iter().copied());
        command.stdin(Stdio::null()).output().expect("the program starts").into()
    }
}

const EXPORT: &str =
    r#"{"timestamp": "2026-01-01", "data": {"customers": [{"id": 1, "createdAt": "2026-01-01T00:00:00Z"}]}}"#;

/// A wrong mapping, with the mistake on its third line.
const WRONG: &str = "format = 1\nname = \"garage\"\ntabel = 1\n";

#[test]
fn every_command_says_how_it_is_used() {
    let desk = Desk::new();
    let top = desk.run(&["--help"]);
    assert_eq!((top.code, top.stderr.as_str()), (0, ""));
    let listed = top.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<_> = listed
        .take_while(|line| !line.is_empty())
        // What a description goes on with stands further in.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"doctor") && commands.contains(&"import"), "{commands:?}");
    for command in ["", "doctor", "completions", "man"] {
        let args: Vec<&str> = [command, "--help"].into_iter().filter(|arg| !arg.is_empty()).collect();
        let help = desk.run(&args);
        assert_eq!(help.code, 0, "{}", help.story());
        assert_snapshot!(format!("help_{command}"), help.stdout);
    }
    for command in commands.iter().filter(|command| **command != "help") {
        let help = desk.run(&[command, "--help"]);
        assert!(help.code == 0 && help.stdout.contains("Usage: migrator"), "{}", help.story());
        let wide = help.stdout.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None, "{command}");
    }
}

#[test]
fn the_exit_codes_have_a_page() {
    let page = Desk::new().run(&["help", "exit-codes"]);
    assert_eq!(page.code, 0);
    assert_snapshot!(page.stdout);
}

#[test]
fn what_cannot_be_is_exit_code_two() {
    let desk = Desk::new();
    desk.file("export.json", EXPORT);
    for args in [
        &["no-such-command"][..],
        &["import"],
        &["import", "export.json", "--mapping", "nowhere.toml"],
        &["import", "export.json", "--mapping", "garage"],
        &["import", "export.json", "--mapping", "garage", "--owner", "nobody"],
        &["import", "export.json", "--mapping", "garage", "--owner", "zoe@example.com"],
        &["--lang", "de", "doctor"],
        &["-q", "-v", "doctor"],
    ] {
        let run = desk.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?} {}", run.story());
    }
}

#[test]
fn a_wrong_mapping_is_shown_at_its_line_in_both_languages() {
    let desk = Desk::new();
    desk.file("export.json", EXPORT);
    desk.file("wrong.toml", WRONG);
    let args = ["import", "export.json", "--mapping", "wrong.toml"];
    assert_snapshot!(desk.run(&args).story());
    assert_snapshot!("a_wrong_mapping_in_french", desk.run_with(&args, &[("LANG", "fr_FR.UTF-8")]).story());
}

#[test]
fn a_file_that_cannot_be_read_is_exit_code_five() {
    let desk = Desk::new();
    desk.file("cut.json", &EXPORT[..60]);
    desk.file("empty.json", "");
    let mut story = String::new();
    for file in ["nowhere.json", "cut.json", "empty.json"] {
        for lang in ["en", "fr"] {
            let run = desk.run(&["import", file, "--mapping", "garage", "--lang", lang]);
            assert_eq!((run.code, run.stdout.as_str()), (5, ""), "{}", run.story());
            story += &run.stderr;
        }
    }
    assert_snapshot!(story);
}

#[test]
fn a_failed_run_for_programs_is_one_line_in_no_language() {
    let desk = Desk::new();
    desk.file("export.json", EXPORT);
    desk.file("wrong.toml", WRONG);
    for (args, code, id) in [
        (&["import", "export.json", "--mapping", "wrong.toml", "--json"][..], 2, "mapping.unknown_key"),
        (
            &["import", "nowhere.json", "--mapping", "garage", "--json", "--lang", "fr"],
            5,
            "export.unreadable",
        ),
        (&["import", "nowhere.json", "--mapping", "garage", "--progress", "json"], 5, "export.unreadable"),
    ] {
        let run = desk.run(args);
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.lines().count()),
            (code, "", 1),
            "{}",
            run.story()
        );
        let line: Value = serde_json::from_str(&run.stderr).expect("JSON");
        assert_eq!((&line["type"], &line["code"], &line["id"]), (&"error".into(), &code.into(), &id.into()));
    }
    let [english, french] = ["en", "fr"]
        .map(|lang| desk.run(&["import", "nowhere.json", "-m", "garage", "--json", "--lang", lang]));
    assert_eq!(english.stderr, french.stderr);
}

#[test]
fn a_record_a_mapping_and_the_runs_are_told_in_the_readers_language() {
    let desk = Desk::new();
    desk.file(
        "odd.json",
        r#"{"timestamp": "2026-01-01", "data": {"customers": [
            {"id": 1, "createdAt": "2026-01-01", "name": " Zoé ", "notes": "", "colour": "red"}, {"id": 2, "createdAt": "soon"}]}}"#,
    );
    let explain = |id| ["map", "explain", "customers", id, "odd.json", "-m", "garage"];
    let listing: Vec<Vec<&str>> = vec![
        explain("1").to_vec(),
        explain("2").to_vec(),
        explain("9").to_vec(),
        vec!["map", "init", "odd.json"],
        vec!["map", "check", "garage"],
        vec!["map", "check", "odd.map.toml", "empty.json"],
        vec!["runs", "list"],
        vec!["runs", "prune", "--keep", "3"],
        vec!["runs", "show", "latest"],
        vec!["extract", "--bookmarklet"],
    ];
    desk.file("empty.json", r#"{"timestamp": "2026-01-01", "data": {"others": [{"id": 1}]}}"#);
    for (name, lang) in [("told_in_english", "en"), ("told_in_french", "fr")] {
        let _ = std::fs::remove_file(desk.0.path().join("odd.map.toml")); // made in each language
        let tell = |args: &Vec<&str>| desk.run(&[args.as_slice(), &["--lang", lang]].concat()).story();
        assert_snapshot!(name, listing.iter().map(tell).collect::<String>());
    }
    for args in
        [["inspect", "odd.json"].as_slice(), &explain("1"), &explain("2"), &["map", "check", "garage"]]
    {
        let [english, french] =
            ["en", "fr"].map(|lang| desk.run(&[args, &["--json", "--lang", lang]].concat()));
        assert_eq!((english.code, english.stdout), (french.code, french.stdout), "{args:?}");
    }
}

#[test]
fn colours_are_for_terminals_and_who_asks_for_them() {
    let desk = Desk::new();
    let colourful = |args: &[&str], variables: &[(&str, &str)]| {
        let args = [&["import", "nowhere.json", "--mapping", "garage"], args].concat();
        desk.run_with(&args, variables).stderr.contains('\u{1b}')
    };
    assert!(!colourful(&[], &[]), "no terminal");
    assert!(colourful(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colourful(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(colourful(&["--color", "always"], &[("NO_COLOR", "1")]), "what is named wins over what is set");
    assert!(!colourful(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn text_is_as_wide_as_the_terminal_and_never_wider_than_a_hundred() {
    let desk = Desk::new();
    for (columns, most) in [("80", 80), ("100", 100), ("200", 100), ("nonsense", 100), ("1", 40)] {
        let args = ["--lang", "fr", "doctor", "--url", "https://ref.invalid", "--owner", "zoe@example.com"];
        let run = desk.run_with(&args, &[("COLUMNS", columns)]);
        let widest = run.stdout.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(widest <= most, "{columns}: {}", run.story());
    }
}

#[test]
fn a_doctor_without_a_patient_says_what_to_name() {
    let desk = Desk::new();
    assert_snapshot!(desk.run(&["doctor"]).story());
    assert_snapshot!("a_doctor_in_french", desk.run_with(&["doctor"], &[("MIGRATOR_LANG", "fr")]).story());
    let quiet = desk.run(&["doctor", "-q"]);
    assert!(quiet.code == 7 && quiet.stdout.starts_with('✘'), "{}", quiet.story());
}

#[test]
fn a_doctor_tells_who_does_not_answer_from_what_is_wrong() {
    let desk = Desk::new();
    desk.file(".env", "SUPABASE_SECRET_KEY=sb_secret_HUSH\nMIGRATOR_PASSWORD=\n");
    let checks = |run: &Run| -> Vec<(String, String)> {
        let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!((&document["schema"], &document["exit_code"]), (&1.into(), &run.code.into()));
        let checks = document["checks"].as_array().expect("a list").iter();
        checks
            .map(|check| (check["id"].as_str().unwrap_or_default().to_owned(), check["status"].to_string()))
            .collect()
    };
    for (args, code, id, status) in [
        (&["--url", "http://127.0.0.1:9"][..], 6, "tcp.closed", "failed"),
        (&["--url", "http://127.0.0.1:9"], 6, "key.kind", "ok"),
        (&["--url", "http://127.0.0.1:9"], 6, "env.file", "ok"),
        (&["--url", "https://name.invalid"], 6, "dns.none", "failed"),
        (&["--url", "ftp://127.0.0.1"], 7, "url.unreadable", "failed"),
        (&["--url", "http://127.0.0.1:9", "--secret-key-file", "nowhere"], 7, "key.unreadable", "failed"),
        (&["--db-url", "postgresql://zoe:HUSH@127.0.0.1:9/x"], 6, "database.unreachable", "failed"),
        (&["--db-url", "postgresql://zoe:HUSH@127.0.0.1:6543/x"], 6, "database.pooler", "warning"),
        (&["--db-url", "postgresql://zoe:HUSH@db.invalid/x"], 6, "database.in_clear", "warning"),
        (&["--db-url", "mysql://zoe:HUSH@127.0.0.1"], 7, "database.address", "failed"),
    ] {
        let run = desk.run(&[&["doctor", "--json"], args].concat());
        assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{args:?} {}", run.story());
        assert!(checks(&run).contains(&(id.to_owned(), format!("\"{status}\""))), "{args:?} {}", run.story());
        assert!(!run.stdout.contains("HUSH"), "{}", run.story());
    }
}

/// A server that says the same to everybody, for as long as the test runs.
fn stubborn(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of our own");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn a_doctor_knows_a_wrong_clock_a_refused_key_and_a_server_that_does_not_encrypt() {
    let desk = Desk::new();
    let variables = [("SUPABASE_SECRET_KEY", "sb_secret_HUSH")];
    let late = "HTTP/1.1 401 Unauthorized\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let address = stubborn(late);
    let run = desk.run_with(&["doctor", "--url", &format!("http://{address}")], &variables);
    assert_eq!(run.code, 7, "{}", run.story());
    assert!(run.stdout.contains("✘ /auth/v1/health refuses the key (status 401)"), "{}", run.story());
    assert!(run.stdout.contains("! this machine's clock and the server's differ by"), "{}", run.story());
    let run = desk.run_with(&["doctor", "--url", &format!("https://{address}")], &variables);
    assert!(run.code == 7 && run.stdout.contains("✘ no safe connection to 127.0.0.1"), "{}", run.story());
    let page = stubborn("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let run = desk.run_with(&["doctor", "--url", &format!("http://{page}/shop")], &variables);
    assert!(
        run.code == 7 && run.stdout.contains("! the address has a path behind its host: /shop"),
        "{}",
        run.story()
    );
}

#[test]
fn settings_have_an_origin_and_secrets_no_value() {
    let desk = Desk::new();
    desk.file(".env", "SUPABASE_URL=http://127.0.0.1:9\nMIGRATOR_PASSWORD=HUSH\nDATABASE_URL=postgresql://a:HUSH@db.test/x\n");
    let args = ["doctor", "--settings", "--owner", "zoe@example.com"];
    let variables = [("SUPABASE_SECRET_KEY", "sb_secret_HUSH"), ("MIGRATOR_LANG", "en")];
    let run = desk.run_with(&args, &variables);
    assert!(!run.story().contains("HUSH") && !run.story().contains("zoe@"));
    assert_snapshot!(run.story());
    let json = desk.run_with(&[&args[..], &["--json"]].concat(), &variables);
    let document: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let setting = |name: &str| {
        let settings = document["settings"].as_array().expect("a list");
        settings.iter().find(|setting| setting["name"] == name).expect(name).clone()
    };
    assert_eq!(setting("SUPABASE_URL")["origin"], "file");
    assert_eq!(
        (setting("SUPABASE_SECRET_KEY")["origin"].as_str(), setting("SUPABASE_SECRET_KEY").get("value")),
        (Some("environment"), None)
    );
    assert!(!json.stdout.contains("HUSH"));
}

#[test]
fn shells_and_manual_pages_are_made_from_the_command_line() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.run(&["completions", shell]);
        assert!(script.code == 0 && script.stdout.contains("doctor"), "{shell}");
    }
    let page = desk.run(&["man"]);
    assert!(page.code == 0 && page.stdout.contains(".TH migrator 1"), "{}", page.story());
    let pages = desk.run(&["man", "--out", "pages"]);
    assert_eq!(pages.code, 0, "{}", pages.story());
    for name in ["migrator.1", "migrator-import.1", "migrator-doctor.1"] {
        assert!(Path::new(desk.0.path()).join("pages").join(name).is_file(), "{name}");
    }
    desk.file("file", "");
    assert_eq!(desk.run(&["man", "--out", "file/pages"]).code, 2);
}
