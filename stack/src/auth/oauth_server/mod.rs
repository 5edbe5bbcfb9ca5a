//! The service as others sign in with it: OAuth 2.1 with PKCE, and OpenID Connect on top.
//!
//! An application is registered by an admin (`client`), or by itself. It sends a browser to
//! `/oauth/authorize`, which goes on to the project's consent page; that asks whoever is signed in
//! (`authorization`) and sends the browser back with a code, which the application exchanges for a
//! session of its own (`token`). Such a session names the application and what it may see, goes on
//! only for it, and ends when its person takes the consent back.
//!
//! Unlike hosted, an ID token is there whatever access tokens are signed with: it is signed with
//! ES256, so that anybody can check it.

mod authorization;
mod client;
mod discovery;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{Service, reply::AuthError};
pub(super) use authorization::{Authorization, Consent};
pub(super) use client::Client;

/// What an application may be let see.
const SCOPES: [&str; 4] = ["openid", "profile", "email", "phone"];
/// How it may say who it is.
const METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];
const GRANTS: [&str; 2] = ["authorization_code", "refresh_token"];

pub(super) fn router() -> Router<Arc<Service>> {
    Router::new()
        .route("/admin/oauth/clients", get(client::list).post(client::create))
        .route("/admin/oauth/clients/{id}", get(client::read).put(client::change).delete(client::delete))
        .route("/admin/oauth/clients/{id}/regenerate_secret", post(client::renew_secret))
        .route("/oauth/clients/register", post(client::register))
        .route("/oauth/authorize", get(authorization::begin))
        .route("/oauth/authorizations/{id}", get(authorization::read))
        .route("/oauth/authorizations/{id}/consent", post(authorization::decide))
        .route("/oauth/token", post(token::exchange))
        .route("/oauth/userinfo", get(token::user_info))
        .route("/user/oauth/grants", get(authorization::grants).delete(authorization::revoke))
        .route("/.well-known/openid-configuration", get(discovery::metadata))
        .route("/.well-known/oauth-authorization-server", get(discovery::metadata))
}

impl Service {
    fn check_oauth_server(&self) -> Result<(), AuthError> {
        if self.settings.read().oauth_server {
            return Ok(());
        }
        Err(AuthError::not_found("feature_disabled", "OAuth server is disabled"))
    }
}

/// The names in a list with blanks between them.
fn names(scope: &str) -> Vec<&str> {
    scope.split_whitespace().collect()
}
