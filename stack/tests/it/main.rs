//! What the stack promises, shown on a real PostgreSQL: found as users would, started as users would.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

mod bootstrap;
mod commands;
mod database;
mod device;
mod lifecycle;
mod migrations;
mod node;
mod sandbox;
mod service;
mod service_auth;
mod service_auth_admin;
mod service_auth_codes;
mod service_auth_custom;
mod service_auth_external;
mod service_auth_factors;
mod service_auth_flows;
mod service_auth_oauth;
mod service_auth_passkeys;
mod service_auth_web3;
mod service_functions;
mod service_gateway;
mod service_lab;
mod service_realtime;
mod service_realtime_changes;
mod service_realtime_client;
mod service_rest;
mod service_storage;
mod service_storage_render;
mod service_storage_resumable;
mod socket;
mod wallet;
