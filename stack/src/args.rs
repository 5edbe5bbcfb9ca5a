//! The command line. `--help` is the doc comments.

use crate::commands::{start, status, stop};
use crate::lab::LabOptions;
use crate::postgres::guard;

/// The hosted Supabase services on this machine, without Docker
#[derive(Debug, clap::Parser)]
#[command(name = "supabase-stack", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such stack is running";

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Start(start::Args),
    Status(status::Args),
    Stop(stop::Args),
    Lab(LabOptions),
    #[command(hide = true)]
    Guard(guard::Args),
}
