//! The auth service of one project: accounts, sessions and tokens, kept in the real tables.
//!
//! A sign-up is confirmed at once. A password is at least six characters long. An access token
//! is good for an hour, a refresh token for one use; one that is used again within ten seconds,
//! or because its successor was lost on the way, is forgiven, and any other use ends the session.
//!
//! What it does not imitate, and answers with 501 and the name of what is missing:
//!
//! - everything that is mailed or texted: one-time codes, links, recovery, invitations, a change
//!   of address, phone numbers;
//! - other ways to sign in: OAuth and its PKCE exchange, ID tokens, SSO, web3, passkeys;
//! - second factors, linking of identities, OAuth clients, `generate_link`, soft deletion.
//!
//! And what it leaves out without a word: rate limits, captchas, hooks, the audit log, addresses
//! of clients, sessions that end by themselves, scrypt hashes. Passwords are hashed with less
//! work than hosted, because tests sign up many people.
//!
//! Only `store` speaks SQL. The time and everything random come from a `Moment`, drawn once
//! for each request.

mod account;
mod admin;
mod caller;
mod moment;
mod password;
mod reply;
mod request;
mod session;
mod signup;
mod store;
mod token;
mod user;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::OriginalUri,
    http::{Method, Request},
    response::{Json, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use reply::AuthError;
use request::ApiVersion;
use store::Store;

/// The tables, for the bootstrap: see the file's own head for what has to be there before.
pub const SCHEMA: &str = include_str!("schema.sql");

/// The auth service of one project.
pub(crate) struct Auth {
    service: Arc<Service>,
    router: Router,
}

/// What every endpoint needs.
struct Service {
    store: Store,
    jwt_secret: String,
    issuer: String,
}

impl Auth {
    /// Connects; `admin_url` is the superuser's, who may act as the service's own role.
    pub(crate) async fn open(admin_url: &str, jwt_secret: &str, api_url: &str) -> anyhow::Result<Self> {
        let service = Arc::new(Service {
            store: Store::open(admin_url).await?,
            jwt_secret: jwt_secret.to_owned(),
            issuer: format!("{api_url}/auth/v1"),
        });
        Ok(Self { router: router(service.clone()), service })
    }

    /// Answers a request whose path is already without `/auth/v1`.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        let version = ApiVersion::of(request.headers());
        let response = crate::serve::certain(self.router.clone().oneshot(request).await);
        version.render(response)
    }

    /// Gives every connection back.
    pub(crate) async fn close(&self) {
        self.service.store.close().await;
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(..)")
    }
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/signup", post(signup::sign_up))
        .route("/token", post(token::grant))
        .route("/user", get(account::read).put(account::change))
        .route("/logout", post(account::sign_out))
        .route("/admin/users", get(admin::list).post(admin::create))
        .route("/admin/users/{id}", get(admin::read).put(admin::change).delete(admin::delete))
        .route("/settings", get(settings))
        .route("/health", get(health))
        .route("/.well-known/jwks.json", get(async || Json(json!({"keys": []}))))
        .fallback(not_imitated)
        .with_state(service)
}

async fn not_imitated(method: Method, OriginalUri(uri): OriginalUri) -> AuthError {
    AuthError::not_imitated(&format!("{method} {}", uri.path()))
}

async fn health() -> Json<Value> {
    Json(json!({
        "version": concat!("supabase-stack-", env!("CARGO_PKG_VERSION")),
        "name": "GoTrue",
        "description": "GoTrue is a user registration and authentication API",
    }))
}

async fn settings() -> Json<Value> {
    Json(json!({
        "external": {
            "anonymous_users": false, "apple": false, "azure": false, "bitbucket": false,
            "discord": false, "facebook": false, "figma": false, "fly": false, "github": false,
            "gitlab": false, "google": false, "kakao": false, "keycloak": false, "linkedin": false,
            "linkedin_oidc": false, "notion": false, "slack": false, "slack_oidc": false,
            "spotify": false, "twitch": false, "twitter": false, "workos": false, "zoom": false,
            "email": true, "phone": false,
        },
        "disable_signup": false,
        "mailer_autoconfirm": true,
        "phone_autoconfirm": false,
        "sms_provider": "",
        "saml_enabled": false,
    }))
}
