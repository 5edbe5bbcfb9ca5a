//! `supabase-stack`: reads the command line, runs the command, returns its exit code.

use std::process::ExitCode;

use clap::Parser;
use supabase_stack::args::{Cli, Command};
use supabase_stack::commands::{Outcome, start, status, stop};
use supabase_stack::lab;
use supabase_stack::postgres::guard;
use supabase_stack::printer::Printer;

#[tokio::main]
async fn main() -> ExitCode {
    let printer = Printer;
    let outcome = run(Cli::parse(), &printer).await.unwrap_or_else(|error| {
        printer.say(format_args!("error: {}", story(&error)));
        Outcome::of(&error)
    });
    outcome.exit_code().into()
}

async fn run(cli: Cli, printer: &Printer) -> anyhow::Result<Outcome> {
    match cli.command {
        Command::Start(args) => start::run(args, printer).await,
        Command::Status(args) => status::run(&args, printer),
        Command::Stop(args) => stop::run(&args, printer).await,
        Command::Lab(options) => lab::run(options).await.map(|()| Outcome::Done),
        Command::Guard(args) => {
            let did_well = guard::run(args).await?;
            Ok(if did_well { Outcome::Done } else { Outcome::Failed })
        }
    }
}

/// An error and its causes, leaving out a cause that says what was already said.
fn story(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        told if told.contains(&cause) => told.to_owned(),
        told => format!("{told}: {cause}"),
    })
}
