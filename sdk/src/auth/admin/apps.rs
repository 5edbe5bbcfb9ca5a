//! Administration of the apps that may ask the project's people to sign in, and of the providers the project's
//! people may sign in with.
//!
//! Source: GoTrue `internal/api/oauthserver`, `internal/api/custom_oauth_admin.go`.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::admin::Page;
use crate::auth::{Token, request};
use crate::client::Client;
use crate::error::Error;

/// Apps that may ask the project's people to sign in. From [`crate::auth::Admin::apps`].
#[derive(Debug, Clone)]
pub struct Apps {
    client: Client,
}

/// An app to be registered, or what is to change of one: what is `None` stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AppChange {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Where a browser may be sent back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uris: Option<Vec<String>>,
    /// Its own page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// `authorization_code`, `refresh_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<String>>,
    /// `code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<String>>,
    /// What it may ask for, words with a space between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// How it shows its secret: `client_secret_basic`, `client_secret_post`, or `none` for one that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
}

/// An app that may ask the project's people to sign in.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct RegisteredApp {
    /// Its id.
    pub client_id: Uuid,
    /// Its name.
    #[serde(default)]
    pub client_name: String,
    /// Its secret: told once, when it is made.
    #[serde(default)]
    pub client_secret: Option<Token>,
    /// `public` or `confidential`.
    pub client_type: String,
    /// How it shows its secret.
    pub token_endpoint_auth_method: String,
    /// `manual`, or `dynamic` for one that registered itself.
    #[serde(default)]
    pub registration_type: String,
    /// Where a browser may be sent back to.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// `authorization_code`, `refresh_token`.
    #[serde(default)]
    pub grant_types: Vec<String>,
    /// `code`.
    #[serde(default)]
    pub response_types: Vec<String>,
    /// What it may ask for, words with a space between.
    #[serde(default)]
    pub scope: Option<String>,
    /// Its own page.
    #[serde(default)]
    pub client_uri: Option<String>,
    /// Its picture.
    #[serde(default)]
    pub logo_uri: Option<String>,
    /// When it was registered, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it last changed, RFC 3339.
    #[serde(default)]
    pub updated_at: Option<String>,
}

/// Without its secret.
impl fmt::Debug for RegisteredApp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RegisteredApp({}, {})", self.client_id, self.client_name)
    }
}

impl Apps {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A page of the apps, counted from 1.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] or `Forbidden` without the secret key.
    pub async fn list(&self, page: u32, per_page: u32) -> Result<Page<RegisteredApp>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            clients: Vec<RegisteredApp>,
        }
        let request = request::as_admin(Method::GET, "/admin/oauth/clients");
        Page::ask(&self.client, request, page, per_page, |answer: Answer| answer.clients).await
    }

    /// Registers an app. Its secret is in the answer, and never again.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] for an address that is none, and the like.
    pub async fn create(&self, app: &AppChange) -> Result<RegisteredApp, Error> {
        let request = request::as_admin(Method::POST, "/admin/oauth/clients").json(app)?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// An app.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none.
    pub async fn get(&self, id: Uuid) -> Result<RegisteredApp, Error> {
        self.client.send(one(Method::GET, id, "")).await?.accepted()?.json()
    }

    /// Changes an app.
    ///
    /// # Errors
    /// As [`Apps::get`] and [`Apps::create`].
    pub async fn update(&self, id: Uuid, change: &AppChange) -> Result<RegisteredApp, Error> {
        self.client.send(one(Method::PUT, id, "").json(change)?).await?.accepted()?.json()
    }

    /// Removes an app; what people let it do ends.
    ///
    /// # Errors
    /// As [`Apps::get`].
    pub async fn delete(&self, id: Uuid) -> Result<(), Error> {
        self.client.send(one(Method::DELETE, id, "")).await?.accepted().map(drop)
    }

    /// Gives an app another secret; the old one is good no longer.
    ///
    /// # Errors
    /// As [`Apps::get`].
    pub async fn regenerate_secret(&self, id: Uuid) -> Result<RegisteredApp, Error> {
        self.client.send(one(Method::POST, id, "/regenerate_secret")).await?.accepted()?.json()
    }
}

fn one(method: Method, id: Uuid, rest: &str) -> crate::Request {
    request::as_admin(method, &format!("/admin/oauth/clients/{id}{rest}"))
}

/// Providers of the project's own making. From [`crate::auth::Admin::providers`].
#[derive(Debug, Clone)]
pub struct Providers {
    client: Client,
}

/// What a provider of the project's own making is made of; people sign in with it as `custom:…`. What is `None`
/// is Auth's to choose, or stays as it is.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provider {
    /// The name it goes by, `custom:…`. It cannot change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// `oauth2` or `oidc`. It cannot change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_type: Option<String>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the project is to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What the project shows it. Auth takes it and never tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Other names of the project whose ID tokens are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acceptable_client_ids: Option<Vec<String>>,
    /// What it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// True for PKCE between Auth and it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkce_enabled: Option<bool>,
    /// Which of its words means which of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute_mapping: Option<Value>,
    /// What stands in its address beside what has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_params: Option<Value>,
    /// Which of its claims are kept with the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_claims_allowlist: Option<Vec<String>>,
    /// True if people can sign in with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// True if it need not tell an e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_optional: Option<bool>,
    /// `oidc`: who it is. The rest is read from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `oidc`: where it describes itself, if not below its issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery_url: Option<String>,
    /// `oidc`: true if its ID tokens hold no nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_nonce_check: Option<bool>,
    /// `oauth2`: where a browser is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// `oauth2`: where a code is exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// `oauth2`: where it says who somebody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_url: Option<String>,
    /// Where its public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
}

/// Without its secret.
impl fmt::Debug for Provider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Provider")
            .field("identifier", &self.identifier)
            .field("provider_type", &self.provider_type)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// One that speaks OpenID Connect: its name `custom:…`, its name for people, who it is, and what the project
    /// is to it and shows it.
    pub fn oidc(identifier: &str, name: &str, issuer: &str, client_id: &str, client_secret: &str) -> Self {
        Self {
            issuer: Some(issuer.to_owned()),
            ..Self::new("oidc", identifier, name, client_id, client_secret)
        }
    }

    /// One that speaks OAuth 2 only. Its three addresses are to be set as well.
    pub fn oauth2(identifier: &str, name: &str, client_id: &str, client_secret: &str) -> Self {
        Self::new("oauth2", identifier, name, client_id, client_secret)
    }

    fn new(kind: &str, identifier: &str, name: &str, client_id: &str, client_secret: &str) -> Self {
        Self {
            provider_type: Some(kind.to_owned()),
            identifier: Some(identifier.to_owned()),
            name: Some(name.to_owned()),
            client_id: Some(client_id.to_owned()),
            client_secret: Some(client_secret.to_owned()),
            ..Self::default()
        }
    }
}

impl Providers {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The providers, all or those of a type.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] or `Forbidden` without the secret key.
    pub async fn list(&self, provider_type: Option<&str>) -> Result<Vec<Provider>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            providers: Vec<Provider>,
        }
        let mut request = request::as_admin(Method::GET, "/admin/custom-providers");
        if let Some(kind) = provider_type {
            request = request.query("type", kind);
        }
        let answer: Answer = self.client.send(request).await?.accepted()?.json()?;
        Ok(answer.providers)
    }

    /// Makes a provider.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] for a name that does not begin with `custom:`, and the like.
    pub async fn create(&self, provider: &Provider) -> Result<Provider, Error> {
        let request = request::as_admin(Method::POST, "/admin/custom-providers").json(provider)?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// A provider.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none.
    pub async fn get(&self, identifier: &str) -> Result<Provider, Error> {
        self.client.send(provider(Method::GET, identifier)).await?.accepted()?.json()
    }

    /// Changes a provider; what is `None` stays.
    ///
    /// # Errors
    /// As [`Providers::get`] and [`Providers::create`].
    pub async fn update(&self, identifier: &str, change: &Provider) -> Result<Provider, Error> {
        self.client.send(provider(Method::PUT, identifier).json(change)?).await?.accepted()?.json()
    }

    /// Removes a provider.
    ///
    /// # Errors
    /// As [`Providers::get`].
    pub async fn delete(&self, identifier: &str) -> Result<(), Error> {
        self.client.send(provider(Method::DELETE, identifier)).await?.accepted().map(drop)
    }
}

fn provider(method: Method, identifier: &str) -> crate::Request {
    request::as_admin(method, &format!("/admin/custom-providers/{}", request::segment(identifier)))
}
