//! Looks, once all tests are done, whether a secret stands in anything that was logged.
//!
//! The tests write both into a folder of ours: see `tests/it/watch.rs`. What the lab says on its standard error is
//! added here.

use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::path::Path;

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// How any token of this project begins, planted or not: a JWT, in the two orders its head is written in.
const TOKENS: [&str; 2] = ["eyJhbGciOi", "eyJ0eXAiOi"];

/// The folder.
pub(crate) struct Watch(TempDir);

impl Watch {
    pub(crate) fn start() -> Result<Self> {
        TempDir::new().map(Self).context("a folder for logs cannot be made")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Logs what a program says, and says it too.
    pub(crate) fn overhear(&self, mut said: impl Read + Send + 'static) -> Result<()> {
        let mut log = File::create(self.folder().join("lab.log")).context("a log cannot be made")?;
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = said.read(&mut part) {
                // Who cannot be told is told by the log.
                std::io::stderr().write_all(&part[..read]).ok();
                log.write_all(&part[..read]).ok();
            }
        });
        Ok(())
    }

    /// Looks for each secret in each log. `all` says that all tests ran, so that there must be some of both.
    pub(crate) fn look(&self, all: bool) -> Result<()> {
        let mut secrets: Vec<String> = TOKENS.map(str::to_owned).to_vec();
        let mut logs = Vec::new();
        for entry in fs::read_dir(self.folder())? {
            let path = entry?.path();
            let bytes = fs::read(&path)?;
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("planted") => secrets.extend(String::from_utf8(bytes)?.lines().map(str::to_owned)),
                _ => logs.push((path, bytes)),
            }
        }
        let (planted, logged) =
            (secrets.len() - TOKENS.len(), logs.iter().map(|(_, log)| log.len()).sum::<usize>());
        if all && (planted < 100 || logged < 1_000_000) {
            bail!("too little was watched to say anything: {planted} secrets, {logged} bytes of logs");
        }
        let search = AhoCorasick::new(&secrets)?;
        for (_, log) in &logs {
            if let Some(found) = search.find(log) {
                // The line without the secret itself.
                let start =
                    log[..found.start()].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let before = String::from_utf8_lossy(&log[start..found.start()]);
                bail!("a secret stands in a log, after: {before}");
            }
        }
        println!("secrets: none of {planted} stands in {} kB of logs", logged / 1_000);
        Ok(())
    }
}
