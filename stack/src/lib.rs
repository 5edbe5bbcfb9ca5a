//! The hosted Supabase services on one machine, without Docker, over a real PostgreSQL.
//!
//! A stack is one [`postgres::Server`] and, in front of each of its databases, one
//! [`project::Project`]. Everything a stack makes lies in one [`place::Place`], and nothing of
//! it, process or file, outlives the stack unless it was asked to be kept.

mod annex;
pub mod args;
pub mod auth;
pub mod bootstrap;
pub mod commands;
mod elsewhere;
pub mod faults;
pub mod functions;
mod gateway;
pub mod home;
mod jwt;
pub mod keys;
pub mod lab;
pub mod migrate;
pub mod place;
pub mod postgres;
pub mod printer;
mod process;
pub mod project;
pub mod realtime;
mod rest;
pub mod running;
mod serve;
mod storage;
pub mod switch;
