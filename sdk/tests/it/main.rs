//! What the client promises, tried without a server: a scripted transport plays the other side.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod auth;
mod complaints;
mod hostile;
mod rest;
mod scripted;
mod wire;
