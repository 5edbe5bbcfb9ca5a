//! The guard: a small process that ends a server when whoever started it is gone.
//!
//! Nothing tells a program that it is about to be killed, so the stack does not clean
//! up after itself: it holds one end of a pipe, and a guard waits at the other. The
//! system closes the pipe whenever the stack ends, be it by return, panic or `kill -9`.
//! The guard is in a process group of its own, where Ctrl-C does not reach it, and it
//! holds the lock of the place for as long as it works.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::owner::Owner;
use super::postmaster::ESCALATION;
use crate::home;
use crate::place::{self, Place};

const TAIL_LINES: usize = 20;

/// Ends a command when standard input closes. Used by supabase-stack itself
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Takes this entry out of the home afterwards, with the place if it is one
    #[arg(long)]
    entry: PathBuf,
    /// Runs the command as this user
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// Runs the command as this group
    #[arg(long, requires = "uid")]
    gid: Option<u32>,
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// What a guard is to run.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) command: Vec<OsString>,
    pub(crate) owner: Option<Owner>,
}

/// A guard at work, seen from the stack. Dropping it ends the command.
#[derive(Debug)]
pub(crate) struct Guarded {
    lifeline: Mutex<Option<ChildStdin>>,
    ended: watch::Receiver<Option<bool>>,
    log: File,
    log_start: u64,
}

impl Guarded {
    pub(crate) fn spawn(program: &Path, place: &Place, log: &File, job: Job) -> io::Result<Self> {
        let log_start = log.metadata()?.len();
        let mut child = command(program, place, job)?.stderr(log.try_clone()?).spawn()?;
        let lifeline = Mutex::new(child.stdin.take());
        let (send, ended) = watch::channel(None);
        // Ends with the guard, and the guard ends when the lifeline is dropped.
        tokio::spawn(async move {
            let succeeded = child.wait().await.is_ok_and(|status| status.success());
            let _ = send.send(Some(succeeded)); // nobody may be waiting any more
        });
        Ok(Self { lifeline, ended, log: log.try_clone()?, log_start })
    }

    /// Waits until the guard has ended; true if it and its command did well.
    pub(crate) async fn ended(&self) -> bool {
        let mut ended = self.ended.clone();
        ended.wait_for(Option::is_some).await.is_ok_and(|outcome| *outcome == Some(true))
    }

    /// Lets go of the command and waits until it has ended.
    pub(crate) async fn stop(&self) {
        drop(self.lifeline.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.ended().await;
    }

    /// What was logged last since the command began.
    pub(crate) fn log_tail(&self) -> String {
        self.log
            .try_clone()
            .and_then(|mut log| place::tail(&mut log, self.log_start, TAIL_LINES))
            .unwrap_or_else(|error| format!("(its log cannot be read: {error})"))
    }
}

/// The guard's own life: runs the command until it ends or the lifeline does.
pub async fn run(args: Args) -> io::Result<bool> {
    let lifeline = pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    let mut child = spawn(&args)?;
    tokio::select! {
        status = child.wait() => return Ok(status?.success()),
        closed = closed(lifeline) => closed?,
    }
    end(&mut child).await?;
    home::vacate(&args.entry).await.map_err(io::Error::other)?;
    Ok(true)
}

fn command(program: &Path, place: &Place, job: Job) -> io::Result<Command> {
    let mut command = Command::new(program);
    command.arg("guard").arg("--entry").arg(place.entry());
    if let Some(Owner { uid, gid }) = job.owner {
        command.args(["--uid", &uid.to_string(), "--gid", &gid.to_string()]);
    }
    command.arg("--").args(job.command).current_dir("/").process_group(0);
    // The guard says nothing on its standard output: what it gets there is the lock, to hold.
    command.stdin(Stdio::piped()).stdout(place.share_lock()?);
    Ok(command)
}

/// In a group of its own, with the settings that PostgreSQL would take from the
/// environment removed: a stack must be the same wherever it is started.
fn spawn(args: &Args) -> io::Result<Child> {
    let (program, rest) = args.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(rest).process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).env("LC_ALL", "C");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
    if let (Some(uid), Some(gid)) = (args.uid, args.gid) {
        command.uid(uid).gid(gid);
    }
    command.spawn()
}

/// Waits for the other end of the pipe to close, or for somebody to end the guard by hand.
async fn closed(mut lifeline: pipe::Receiver) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut said = Vec::new();
    tokio::select! {
        read = lifeline.read_to_end(&mut said) => { read?; }
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

async fn end(child: &mut Child) -> io::Result<()> {
    let Some(group) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) else { return Ok(()) };
    for (signal, patience) in ESCALATION {
        let _ = kill_process_group(group, signal); // it may just have ended
        if let Ok(status) = tokio::time::timeout(patience, child.wait()).await {
            return status.map(|_| ());
        }
    }
    child.wait().await.map(|_| ())
}
