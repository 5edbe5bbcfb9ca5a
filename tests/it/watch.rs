//! What is logged while these tests run, and the secrets that must not stand in it.
//!
//! `cargo xtask test` names a folder. Everything that anything in this process tells `tracing`, at every level, is
//! written there, and what the migrator says, and beside it each secret that a project or a person was given. When
//! all tests are done, xtask looks for the one in the other.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use tracing::level_filters::LevelFilter;

struct Watch {
    log: Mutex<File>,
    planted: Mutex<File>,
}

/// The watch; `None` where nobody looks afterwards.
fn watch() -> Option<&'static Watch> {
    static WATCH: OnceLock<Option<Watch>> = OnceLock::new();
    WATCH.get_or_init(start).as_ref()
}

fn start() -> Option<Watch> {
    let folder = PathBuf::from(std::env::var_os("SECRETS_WATCH")?);
    let open = |ending: &str| {
        let path = folder.join(format!("{}.{ending}", std::process::id()));
        OpenOptions::new().create(true).append(true).open(path).unwrap()
    };
    let (log, planted) = (open("log"), open("planted"));
    let to_log = Mutex::new(log.try_clone().unwrap());
    tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false).with_writer(to_log).init();
    Some(Watch { log: log.into(), planted: planted.into() })
}

/// Notes a secret that somebody was given.
pub(crate) fn plant(secret: &str) {
    if let Some(watch) = watch() {
        writeln!(watch.planted.lock().unwrap(), "{secret}").unwrap();
    }
}

/// Notes what a program of ours said.
pub(crate) fn note(text: &str) {
    if let Some(watch) = watch() {
        writeln!(watch.log.lock().unwrap(), "{text}").unwrap();
    }
}
