//! `supabase-stack stop`: ends running stacks and waits until nothing of them runs.

use std::time::Duration;

use anyhow::bail;
use rustix::process::{Signal, kill_process};

use super::{Outcome, Which, home};
use crate::place;
use crate::printer::Printer;
use crate::process;
use crate::running::Running;

/// A guard needs at most forty seconds; a stack that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// End a running stack
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// End every stack of this user
    #[arg(long, conflicts_with_all = ["data", "port"])]
    all: bool,
}

pub async fn run(args: &Args, printer: &Printer) -> anyhow::Result<Outcome> {
    let stacks = if args.all { args.which.all()? } else { args.which.one()?.into_iter().collect() };
    for stack in &stacks {
        end(stack).await?;
        printer.say(format_args!("Stopped the stack on port {}.", stack.port));
    }
    home()?.clear().await?; // what was killed together with its guard ends here too
    if stacks.is_empty() {
        printer.say(args.which.nothing());
        return Ok(Outcome::NotRunning);
    }
    Ok(Outcome::Done)
}

async fn end(stack: &Running) -> anyhow::Result<()> {
    if let Some(pid) = process::pid(stack.pid) {
        let _ = kill_process(pid, Signal::TERM); // it may have ended, and its guard be at work
    }
    if !place::released(&stack.place, PATIENCE).await {
        bail!("process {} did not end within a minute: `kill -9 {0}` ends it", stack.pid);
    }
    Ok(())
}
