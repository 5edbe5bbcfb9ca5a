//! `migrator`: see the library beside it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use migrator::args::{self, Cli, Command, EXIT_CODES_PAGE};
use migrator::commands::{
    completions, demo, doctor, extract, import, inspect, man, map, resume, rollback, runs, scaffold, types,
    users, verify,
};
use migrator::exit::{self, Failure};
use migrator::printer::Printer;
use migrator::run::folder::Runs;

/// How long a run may take to say how it stopped.
const GRACE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { talk, command } = Cli::parse();
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let file: Vec<(String, String)> =
        dotenvy::dotenv_iter().map(|pairs| pairs.filter_map(Result::ok).collect()).unwrap_or_default();
    let in_file = |name: &str| Some(file.iter().find(|(key, _)| key == name)?.1.clone());
    let variables =
        |name: &str| std::env::var(name).ok().or_else(|| in_file(name)).filter(|value| !value.is_empty());
    // An app's .env may well have a LANG of its own.
    let mut printer = Printer::new(talk, &|name| match name {
        "MIGRATOR_LANG" => variables(name),
        name => environment(name),
    });
    let here = Runs::within(Path::new(""));
    let begun = jiff::Timestamp::now();
    let work = async {
        match &command {
            Command::Extract(args) => extract::run(args, &mut printer),
            Command::Import(args) => import::run(args, &variables, &here, &mut printer).await,
            Command::Resume(args) => resume::run(args, &variables, &here, &mut printer).await,
            Command::Verify(args) => verify::run(args, &variables, &here, &mut printer).await,
            Command::Demo(args) => Box::pin(demo::run(args, &variables, &mut printer)).await,
            Command::Inspect(args) => inspect::run(args, &mut printer),
            Command::Map(args) => map::run(args, &variables, &mut printer).await,
            Command::Scaffold(args) => scaffold::run(args, jiff::Timestamp::now(), &mut printer),
            Command::Rollback(args) => rollback::run(args, &variables, &here, &mut printer).await,
            Command::Runs(args) => runs::run(args, &variables, &here, &mut printer).await,
            Command::Users(args::Users::Import(args)) => users::run(args, &variables, &mut printer).await,
            Command::Types(args) => types::run(args, &variables, &mut printer).await,
            Command::Doctor(args) => doctor::run(args, &variables, &environment, &mut printer).await,
            Command::Completions(args) => completions::run(args, &mut printer),
            Command::Man(args) => man::run(args, &mut printer),
            Command::ExitCodes => {
                printer.text(EXIT_CODES_PAGE);
                Ok(exit::OK)
            }
        }
    };
    // Reading a file is no moment to look up from: whoever asks to end is heard all the same.
    tokio::spawn(async {
        let code = interrupted().await;
        tokio::time::sleep(GRACE).await;
        std::process::exit(code.into());
    });
    let ended = tokio::select! {
        ended = work => ended,
        code = interrupted() => {
            let mut help = "run the same command again: it goes on where this one stopped".to_owned();
            if let Some(run) = here.list().ok().and_then(|runs| import::stopped(runs, &command, begun)) {
                help = format!("{help}; so does `migrator resume {run}`");
            }
            Err(Failure::new(code, "interrupted", "interrupted; what is written stays").help(help))
        }
    };
    match ended {
        Ok(_) if printer.lost_a_result() => {
            printer.failure(
                &Failure::new(
                    exit::BUG,
                    "output",
                    "the run came to its end, and its result could not be written",
                )
                .help("free some space where the output goes, and run again"),
            );
            ExitCode::from(exit::BUG)
        }
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            printer.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}

/// Waits for Ctrl-C or a request to end, and says with which code that ends the program.
async fn interrupted() -> u8 {
    #[cfg(unix)]
    if let Ok(mut end) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        return tokio::select! {
            _ = end.recv() => exit::TERMINATED,
            _ = tokio::signal::ctrl_c() => exit::INTERRUPTED,
        };
    }
    let _ = tokio::signal::ctrl_c().await; // without a handler there is nothing to wait for
    exit::INTERRUPTED
}
