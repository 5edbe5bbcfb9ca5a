//! Moves what a small web app left in a browser into Supabase tables.
//!
//! An [`export::Export`] is what the old app left, a [`mapping::Mapping`] says which record
//! becomes which row, and a [`plan::Plan`] is what a run would do: it has no way to write. A
//! [`catalog::Catalog`] is the tables as they are, and [`typegen`] writes them in Rust.
//! [`extract`] takes an export out of a browser. Everything in this library is pure but `printer`,
//! which prints, and the edges: `commands`, `database`, `destination`, `engine`, `extract::profile`, `load`,
//! `local`, `papers`, `sql` and `target`.

pub mod address;
pub mod args;
pub mod catalog;
pub mod cell;
pub mod commands;
mod convert;
pub mod database;
pub mod destination;
pub mod diff;
pub mod engine;
pub mod exit;
pub mod export;
pub mod extract;
pub mod html;
pub mod identity;
pub mod infer;
pub mod lang;
pub mod ledger;
pub mod load;
pub mod local;
pub mod mapping;
pub mod media;
mod node;
mod number;
pub mod papers;
pub mod plan;
mod pointer;
pub mod printer;
mod record;
pub mod reject;
pub mod report;
pub mod rollback;
pub mod run;
pub mod sample;
mod scratch;
mod secret;
pub mod sql;
pub mod target;
mod tls;
pub mod typegen;

pub use node::{Map, Node};
pub use number::Number;
pub use pointer::Pointer;
