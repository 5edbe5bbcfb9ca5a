//! A command-line app whose user signs in once, in their browser, and is known from then on.
//!
//! `SUPABASE_URL` and `SUPABASE_PUBLISHABLE_KEY` name the project; the argument names a provider it has switched on:
//! `cargo run -p supabase-sdk --example sign_in -- github`
#![allow(clippy::print_stdout, reason = "it is a program")]

use std::io;
use std::path::PathBuf;
use std::process::Command;

use supabase_sdk::auth::OAuth;
use supabase_sdk::{Client, ClientBuilder, Error, FileStore};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let provider = std::env::args().nth(1).unwrap_or_else(|| "github".to_owned());
    let client: Client = ClientBuilder::from_vars(|name| std::env::var(name).ok())?
        .session_store(FileStore::at(state().join("session.json")))
        .build()?;
    if client.auth().session().await?.is_none() {
        client.auth().sign_in_with_oauth(&OAuth::with(provider), open).await?;
    }
    let user = client.auth().user().await?;
    println!("signed in as {}", user.email.as_deref().unwrap_or("somebody without an address"));
    Ok(())
}

/// Where an app keeps what it knows, by the XDG rules.
fn state() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/state");
    std::env::var_os("XDG_STATE_HOME").map_or_else(home, PathBuf::from).join("supabase-sign-in")
}

/// Shows an address to the person; they can open it themselves where no browser starts.
fn open(url: &str) -> io::Result<()> {
    println!("open {url}");
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // Not there, as on a server: the address above will do.
    Command::new(program).arg(url).spawn().map(drop).or(Ok(()))
}
