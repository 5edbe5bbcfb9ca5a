//! A client for Supabase: typed tables over REST, channels that tell what happens, files in Storage, Edge
//! Functions, and the session that stands behind them.
//!
//! ```no_run
//! use serde::{Deserialize, Serialize};
//! use supabase_sdk::{Client, Table};
//!
//! #[derive(Serialize, Deserialize, Table)]
//! #[table(name = "notes", insert = NewNote, update = NotePatch)]
//! struct Note {
//!     #[table(key, default)]
//!     id: i64,
//!     title: String,
//!     #[table(default)]
//!     archived: bool,
//! }
//!
//! # async fn run() -> Result<(), supabase_sdk::Error> {
//! let client = Client::from_env()?;                       // SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY
//! client.auth().sign_in_with_password("zoe@garage.test", "correct horse").await?;
//! let notes = client.table::<Note>();
//! let tea = notes.insert(&NewNote::new("tea")).returning().single().await?;
//! notes.update(&NotePatch::default().archived(true)).filter(Note::ID.eq(tea.id)).expect_affected(1).send().await?;
//! let open = notes.select().filter(Note::ARCHIVED.eq(false)).order(Note::TITLE.asc()).limit(20).fetch().await?;
//! println!("{} open notes", open.len());
//! # Ok(()) }
//! ```
//!
//! What is true of every call:
//! - A [`Client`] is an `Arc`: clone it freely, it needs no `&mut`.
//! - Once somebody is signed in, every request carries their token, renewed before it expires.
//! - A failure is one [`Error`]; decide by [`Error::kind`], show it with `Display`.
//! - Keys and tokens never appear in `Debug` or `Display` of anything here, nor row values in those of an
//!   [`Error`], a [`Request`], a [`Reply`] or a question. Rows, and what rows are written as, show what they hold.
#![warn(missing_docs)]

pub mod auth;
mod body;
mod client;
mod error;
pub mod functions;
mod key;
#[cfg(feature = "postgrest")]
mod postgrest;
#[cfg(feature = "realtime")]
pub mod realtime;
pub mod rest;
mod retry;
pub mod storage;
mod trace;
mod transport;

pub use auth::{FileStore, Session, SessionStore, Token, User};
pub use body::{Body, ByteStream};
pub use client::{Client, ClientBuilder, SchemaClient};
pub use error::{Error, ErrorKind};
pub use key::ApiKey;
pub use rest::{Column, Filter, Row, Rows, Table};
pub use retry::Retry;
pub use supabase_sdk_derive::{Arguments, Projection, Table};
pub use trace::TraceContext;
pub use transport::{
    Credentials, HttpTransport, Opened, Opening, Replay, Reply, Request, Sending, Service, Transport,
};
#[cfg(feature = "realtime")]
pub use transport::{Duplex, Upgrading};

// The crates whose types stand in generated code, so that an app need not name them all.
#[cfg(feature = "chrono")]
pub use chrono;
#[cfg(feature = "jiff")]
pub use jiff;
#[doc(hidden)]
pub use serde;
pub use serde_json;
pub use uuid;
