//! Every promise that holds across the rooms, tried on a running Supabase.
//!
//! The target is the project that `SUPABASE_URL` and its keys name, and otherwise the embedded stack,
//! which gives each test a project of its own. What only the embedded stack can do (break the wire, stand
//! on a bare database) is always tried there.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod acceptance;
mod auth;
mod concurrency;
mod consent;
mod demo;
mod doctor;
mod functions;
mod import;
mod kill;
mod lab;
mod lite;
mod mended;
mod migrator;
mod node;
mod odd_schema;
mod official_client;
mod passkeys;
mod pgtap;
mod policies;
mod project;
mod providers;
mod realtime;
mod rest;
mod rest_complaints;
mod rest_embeds;
mod rest_filters;
mod rest_writes;
mod rollback;
mod scaffold;
mod schema;
mod second_opinion;
mod sessions;
mod shipped;
mod sql_target;
mod storage;
mod three_ways;
mod tidy;
mod types;
mod watch;
mod wire;

// The devices people sign in with stand once, with the tests of the stack.
#[path = "../../stack/tests/it/device.rs"]
mod device;
#[path = "../../stack/tests/it/wallet.rs"]
mod wallet;
