//! A client for Supabase: typed tables over REST, and the session that stands behind them.
//!
//! ```no_run
//! use serde::{Deserialize, Serialize};
//! use supabase_sdk::{Client, Column, Row};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Note { id: i64, title: String, archived: bool }
//!
//! impl Note {
//!     const ARCHIVED: Column<Self, bool> = Column::new("archived");
//! }
//!
//! impl Row for Note {
//!     const TABLE: &'static str = "notes";
//!     const COLUMNS: &'static [&'static str] = &["id", "title", "archived"];
//!     const KEY: &'static [&'static str] = &["id"];
//! }
//!
//! # async fn run() -> Result<(), supabase_sdk::Error> {
//! let client = Client::from_env()?;                       // SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY
//! client.auth().sign_in_with_password("zoe@garage.test", "correct horse").await?;
//! client.table::<Note>().upsert(&[Note { id: 1, title: "tea".into(), archived: false }]).send().await?;
//! let open = client.table::<Note>().select().filter(Note::ARCHIVED.eq(false)).fetch().await?;
//! println!("{} open notes", open.len());
//! # Ok(()) }
//! ```
//!
//! What is true of every call:
//! - A [`Client`] is an `Arc`: clone it freely, it needs no `&mut`.
//! - Once somebody is signed in, every request carries their token, renewed before it expires.
//! - A failure is one [`Error`]; decide by [`Error::kind`], show it with `Display`.
//! - Keys, tokens and row values never appear in `Debug` or `Display` of anything here.
#![warn(missing_docs)]

pub mod auth;
mod client;
mod error;
mod key;
pub mod rest;
mod transport;

pub use auth::{Session, Token, User};
pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind};
pub use key::ApiKey;
pub use rest::{Column, Filter, Row, Rows, Table};
pub use transport::{Credentials, HttpTransport, Reply, Request, Sending, Transport};
