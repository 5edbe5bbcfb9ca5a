//! What the client promises, tried without a server: a scripted transport plays the other side.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod auth;
// Once is enough; every feature turned on says the same.
#[cfg(not(feature = "postgrest"))]
mod compile;
mod complaints;
#[cfg(feature = "realtime")]
mod complaints_live;
mod edges;
mod functions;
mod handover;
mod hostile;
mod http;
#[cfg(feature = "keyring")]
mod keyring;
#[cfg(feature = "realtime")]
mod live;
mod logs;
#[cfg(feature = "realtime")]
mod realtime;
mod rest;
mod scripted;
mod sessions;
#[cfg(feature = "realtime")]
mod sockets;
mod storage;
mod tokens;
mod uploads;
mod wire;
