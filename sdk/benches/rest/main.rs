//! The same question, asked by four clients of the same server in one run: this crate, `postgrest`, plain
//! `reqwest` as the floor, and supabase-js.
//!
//! ```sh
//! cargo bench -p supabase-sdk --bench rest                 # a table
//! cargo bench -p supabase-sdk --bench rest -- --json       # one JSON document
//! ```
//!
//! Server and clients are processes of their own, children of this one. What is compared is the clients'
//! own CPU time, which a busy machine changes less than the time on the wall; they take turns, a
//! fraction of a second each and in another order each round, so that what still disturbs disturbs all.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark is there to print")]

mod contenders;
mod garage;
mod judge;
mod report;
mod server;
mod turn;

use std::time::Duration;

use anyhow::{Result, bail};

use crate::contenders::{Ours, Plain, Postgrest};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["--serve"] => alone()?.block_on(server::serve()),
        ["--contend", name, address] => contend(name, address),
        _ if args.contains(&"--bench") => judge(&args),
        _ => Ok(()), // `cargo test --all-targets` runs us too, and wants no figures
    }
}

fn contend(name: &str, address: &str) -> Result<()> {
    let runtime = alone()?;
    match name {
        "supabase-sdk" => turn::take_turns(&runtime, &runtime.block_on(Ours::new(address))?),
        "postgrest" => turn::take_turns(&runtime, &Postgrest::new(address)),
        "reqwest" => turn::take_turns(&runtime, &Plain::new(address)?),
        other => bail!("nobody here is called {other}"),
    }
}

/// One thread, as supabase-js has.
fn alone() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn judge(args: &[&str]) -> Result<()> {
    let number = |name: &str, usual: u64| -> Result<u64> {
        let given = args.iter().skip_while(|arg| **arg != name).nth(1);
        given.map_or(Ok(usual), |given| Ok(given.parse()?))
    };
    let turn = Duration::from_millis(number("--millis", 300)?);
    let report = judge::judge(number("--rounds", 11)?, turn)?;
    if args.contains(&"--json") {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
