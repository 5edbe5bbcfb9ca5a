//! The auth service of one project: accounts, sessions and tokens, kept in the real tables.
//!
//! A sign-up is confirmed at once, unless a test has set otherwise: see `settings`. A password is
//! at least six characters long. An access token is good for an hour, a refresh token for one
//! use; one that is used again within ten seconds, or because its successor was lost on the way,
//! is forgiven, and any other use ends the session. What would be mailed or texted lies in
//! `inbox`. A code is good for an hour and one use, the code of a PKCE flow for five minutes.
//!
//! People also sign in by the providers of the settings and by those an admin makes, over OAuth 2 or
//! OpenID Connect, and add such identities to their account. The project can be a provider itself,
//! at `/oidc`, for a test to sign in by.
//!
//! What it does not imitate, and answers with 501 and the name of what is missing:
//!
//! - SAML (no domain has single sign-on, and `/sso` says so of each);
//! - the admin's audit log and SSO providers, recovery codes.
//!
//! And what it leaves out without a word: captchas, hooks, the audit log, addresses of clients,
//! sessions that end by themselves, scrypt hashes, leaked passwords, channels beside SMS, wallets on
//! chains beside Ethereum and Solana, who built an authenticator. A link may lead anywhere; there is
//! no list. What sets providers apart beyond OpenID Connect (the shapes of their answers, OAuth 1,
//! secrets that are signed anew) is not known here: each is read as the generic one, and its built-in
//! names are added. The secrets of custom providers are not encrypted, and addresses on this machine
//! may go without TLS. Limits are none but those a test sets. Passwords are hashed with less work than
//! hosted, because tests sign up many people. Stricter than hosted: a TOTP code that was accepted once
//! is not accepted again, nor is a passkey whose counter does not go on; a verified WebAuthn factor
//! answers with the key it has and no other; a wallet's message ends when it says so.
//!
//! Only `store` speaks SQL. The time and everything random come from a `Moment`, drawn once
//! for each request.

mod account;
mod address;
mod admin;
mod authenticator;
mod caller;
mod claims;
mod code;
mod contact;
mod custom;
mod external;
mod factor;
mod flow;
mod id_token;
mod inbox;
mod jwks;
mod link;
mod linking;
mod mfa;
mod moment;
mod oauth_server;
mod oidc;
mod otp;
mod outbound;
mod passkey;
mod password;
mod provider;
mod redirect;
mod reply;
mod request;
mod session;
mod settings;
mod signup;
mod sso;
mod store;
mod token;
mod totp;
mod user;
mod verify;
mod wallet;
mod web3;
mod webauthn;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, State},
    http::{Method, Request, StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Json, Response},
    routing::{delete, get, patch, post, put},
};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use contact::Contact;
use inbox::Inbox;
use outbound::Outbound;
use reply::AuthError;
use request::ApiVersion;
use session::AccessClaims;
use settings::Switch;
pub use settings::{External, Oidc, Settings, Signing};
use store::Store;

use crate::jwt::Keyring;

/// The tables, for the bootstrap: see the file's own head for what has to be there before.
pub const SCHEMA: &str = include_str!("schema.sql");

/// The auth service of one project.
pub(crate) struct Auth {
    service: Arc<Service>,
    router: Router,
    inbox: Router,
    oidc: Router,
}

/// What every endpoint needs.
struct Service {
    store: Store,
    keyring: Keyring,
    /// What the project's own provider signs with.
    oidc_keyring: Keyring,
    /// Where the project is found.
    api_url: String,
    /// Where the service is found, which is also who issues its tokens.
    issuer: String,
    inbox: Inbox,
    settings: Switch,
    outbound: Outbound,
}

impl Service {
    /// Whether a new contact has to be proved before it signs in.
    fn must_confirm(&self, contact: &Contact) -> bool {
        let settings = self.settings.read();
        match contact {
            Contact::Email(_) => settings.confirm_email,
            Contact::Phone(_) => settings.confirm_phone,
        }
    }

    /// Signs an access token the way the project does.
    fn sign(&self, claims: &AccessClaims<'_>) -> String {
        match self.settings.read().signing {
            Signing::HS256 => self.keyring.sign_hs256(claims),
            Signing::ES256 => self.keyring.sign_es256(claims),
        }
    }
}

impl Auth {
    /// Connects; `admin_url` is the superuser's, who may act as the service's own role.
    pub(crate) async fn open(admin_url: &str, keyring: Keyring, api_url: &str) -> anyhow::Result<Self> {
        let service = Arc::new(Service {
            store: Store::open(admin_url).await?,
            oidc_keyring: keyring.derive("the OpenID provider")?,
            keyring,
            api_url: api_url.to_owned(),
            issuer: format!("{api_url}/auth/v1"),
            inbox: Inbox::default(),
            settings: Switch::default(),
            outbound: Outbound::new()?,
        });
        Ok(Self {
            router: router(service.clone()),
            inbox: inbox::router(service.clone()),
            oidc: oidc::router(service.clone()),
            service,
        })
    }

    /// Answers a request whose path is already without `/oidc`.
    pub(crate) async fn answer_oidc(&self, request: Request<Body>) -> Response {
        crate::serve::certain(self.oidc.clone().oneshot(request).await)
    }

    /// Answers a request whose path is already without `/inbox`, from who has shown the secret key.
    pub(crate) async fn answer_inbox(&self, request: Request<Body>) -> Response {
        crate::serve::certain(self.inbox.clone().oneshot(request).await)
    }

    /// Behaves as told from now on.
    pub(crate) fn set(&self, settings: Settings) {
        self.service.settings.set(settings);
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
        .route("/user/identities/{id}", delete(account::unlink))
        .route("/user/identities/authorize", get(external::link))
        .route("/authorize", get(external::authorize))
        .route("/callback", get(external::callback).post(external::callback))
        .route("/sso", post(sso::sign_in))
        .route("/logout", post(account::sign_out))
        .route("/otp", post(otp::otp))
        .route("/magiclink", post(otp::otp))
        .route("/recover", post(otp::recover))
        .route("/resend", post(otp::resend))
        .route("/reauthenticate", get(otp::reauthenticate))
        // What only looks at a link must not use it up.
        .route(
            "/verify",
            get(verify::follow).post(verify::verify).head(async || StatusCode::METHOD_NOT_ALLOWED),
        )
        .route("/factors", post(mfa::enrol))
        .route("/factors/{id}", delete(mfa::remove))
        .route("/factors/{id}/challenge", post(mfa::ask))
        .route("/factors/{id}/verify", post(mfa::answer))
        .route("/invite", post(link::invite))
        .route("/admin/generate_link", post(link::generate))
        .route("/admin/users", get(admin::list).post(admin::create))
        .route("/admin/users/{id}", get(admin::read).put(admin::change).delete(admin::delete))
        .route("/admin/users/{id}/factors", get(admin::factors))
        .route("/admin/users/{id}/factors/{factor}", put(admin::change_factor).delete(admin::delete_factor))
        .route("/passkeys", get(passkey::list))
        .route("/passkeys/{id}", patch(passkey::rename).delete(passkey::remove))
        .route("/passkeys/registration/options", post(passkey::begin_registration))
        .route("/passkeys/registration/verify", post(passkey::register))
        .route("/passkeys/authentication/options", post(passkey::begin_authentication))
        .route("/passkeys/authentication/verify", post(passkey::authenticate))
        .route("/admin/users/{id}/passkeys", get(passkey::list_as_admin))
        .route("/admin/users/{id}/passkeys/{passkey}", delete(passkey::remove_as_admin))
        .merge(oauth_server::router())
        .route("/admin/custom-providers", get(custom::list).post(custom::create))
        .route(
            "/admin/custom-providers/{identifier}",
            get(custom::read).put(custom::change).delete(custom::delete),
        )
        .route("/settings", get(settings))
        .route("/health", get(health))
        .route("/.well-known/jwks.json", get(key_set))
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

/// What tokens signed with ES256 are checked with; a secret is not shown.
async fn key_set(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let keys = Json(json!({"keys": [service.keyring.public_key()]}));
    ([(CACHE_CONTROL, "public, max-age=600")], keys)
}

async fn settings(State(service): State<Arc<Service>>) -> Json<Value> {
    let settings = service.settings.read();
    let mut external = Map::new();
    for name in provider::KNOWN.into_iter().chain(settings.external.keys().map(String::as_str)) {
        let told = settings.external.get(name);
        let is_there = told.is_some_and(|told| service.external(name, told).is_some());
        external.insert(name.to_owned(), json!(is_there));
    }
    external.insert("anonymous_users".to_owned(), json!(settings.anonymous));
    external.insert("email".to_owned(), json!(true));
    external.insert("phone".to_owned(), json!(true));
    Json(json!({
        "external": external,
        "disable_signup": false,
        "mailer_autoconfirm": !settings.confirm_email,
        "phone_autoconfirm": !settings.confirm_phone,
        "sms_provider": "",
        "saml_enabled": false,
        "passkeys_enabled": settings.passkeys,
    }))
}
