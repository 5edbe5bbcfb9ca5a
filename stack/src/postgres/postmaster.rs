//! The server process of a data directory, known from the `postmaster.pid` it writes.
//!
//! The number in that file may belong to somebody else by now, so a process counts as
//! the server only while its command line names the data directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::process::command_line;

/// How to end a server: each signal, and how long to wait before the next. Fast shutdown
/// (sessions are ended, everything is written), then immediate shutdown, then force.
pub(crate) const ESCALATION: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];
/// Neither readiness nor the end of a process that is not our child comes as an event.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// What `postmaster.pid` says.
#[derive(Debug)]
pub struct Postmaster {
    data: PathBuf,
    pid: Pid,
    ready: bool,
}

impl Postmaster {
    /// Reads the file; `None` if there is none, or none yet that makes sense.
    pub(crate) fn of(data: &Path) -> Option<Self> {
        let data = data.canonicalize().ok()?;
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
        let ready = lines.nth(6).is_some_and(|status| status.trim() == "ready"); // the eighth line
        Some(Self { data, pid, ready })
    }

    /// True once it takes connections.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Ends the server of this data directory, if one runs, and removes its file.
    pub(crate) async fn stop_in(data: &Path) {
        let Some(server) = Self::of(data) else { return };
        for (signal, patience) in ESCALATION {
            if !server.is_alive() || kill_process(server.pid, signal).is_err() {
                break;
            }
            // Running out of patience is not a failure here: the next signal is the answer.
            let _ = tokio::time::timeout(patience, server.gone()).await;
        }
        if !server.is_alive() {
            let _ = fs::remove_file(server.data.join("postmaster.pid")); // it may have removed it itself
        }
    }

    async fn gone(&self) {
        while self.is_alive() {
            tokio::time::sleep(POLL).await;
        }
    }

    fn is_alive(&self) -> bool {
        command_line(self.pid).is_some_and(|line| line.contains(&*self.data.to_string_lossy()))
    }
}
