//! A table as it goes on: `cargo run -p supabase-sdk --example live`, with the project in the environment and a
//! table `notes` in the publication `supabase_realtime`:
//!
//! ```sql
//! create table notes (id bigint generated always as identity primary key, title text not null,
//!                     updated_at timestamptz not null default now());
//! alter publication supabase_realtime add table notes;
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use supabase_sdk::realtime::LiveChange;
use supabase_sdk::{Client, Table};

#[derive(Debug, Serialize, Deserialize, Table)]
#[table(name = "notes")]
struct Note {
    #[table(key)]
    id: i64,
    title: String,
    updated_at: String,
}

#[tokio::main]
async fn main() -> Result<(), supabase_sdk::Error> {
    let client = Client::from_env()?;
    let mut notes = BTreeMap::new();
    let mut live = client.table::<Note>().live().by(Note::UPDATED_AT).subscribe().await?;
    while let Some(change) = live.next().await {
        match change? {
            LiveChange::Put(note) => {
                println!("{}: {}", note.id, note.title);
                notes.insert(note.id, note);
            }
            LiveChange::Remove(old) => {
                if let Some(note) = old.get(Note::ID)?.and_then(|id| notes.remove(&id)) {
                    println!("{} is gone", note.title);
                }
            }
            LiveChange::Ready => println!("{} notes; waiting for changes", notes.len()),
            LiveChange::Stale(gap) => println!("catching up: {gap}"),
        }
    }
    Ok(())
}
