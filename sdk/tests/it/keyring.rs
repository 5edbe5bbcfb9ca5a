//! A real keyring: GNOME's, on a bus of its own, opened with a password of ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use supabase_sdk::{FileStore, Session, SessionStore as _, Token, User};

/// What runs within the keyring's bus. Run by itself it does nothing.
#[test]
fn within() {
    let Some(path) = std::env::var_os("KEYRING_SESSION") else { return };
    let session = Session::new(Token::new("S3CRET"), Token::new("r"), 7, User::default());
    let store = FileStore::in_keyring(&path, "garage test").unwrap();
    match store.load().unwrap() {
        None => store.save(Some(&session)).unwrap(),
        Some(kept) => {
            assert_eq!(kept, session);
            println!("it was there");
        }
    }
    assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("S3CRET"));
    let other = FileStore::in_keyring(&path, "another app").unwrap();
    assert!(other.load().is_err(), "its key is another");
}

#[test]
fn a_session_is_sealed_with_a_key_that_the_keyring_keeps() {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !(there("dbus-run-session") && there("gnome-keyring-daemon")) {
        let reason = b"skipped: dbus-run-session and gnome-keyring-daemon are not on this machine\n";
        std::io::stderr().write_all(reason).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Two runs of the app, and between them the keyring is shut and opened again.
    let run = || {
        let mut bus = Command::new("dbus-run-session")
            .args([
                "--",
                "sh",
                "-c",
                r#"gnome-keyring-daemon --unlock --components=secrets >&2 && exec "$0" "$@""#,
            ])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "keyring::within", "--nocapture"])
            .env("KEYRING_SESSION", folder.path().join("session.json"))
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        bus.stdin.take().unwrap().write_all(b"a password").unwrap();
        let output = bus.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().contains("it was there")
    };
    assert_eq!([run(), run()], [false, true]);
}
