//! The only file of the auth service that asks others: the documents, keys and answers of providers.
//!
//! What goes wrong is told without the address it was asked at and without what was answered: both may
//! hold codes and tokens.

use std::{fmt, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{
        Request,
        header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
        request::Builder,
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;
use url::form_urlencoded::Serializer;

use super::{
    jwks::KeySet,
    provider::{Discovery, Endpoints, Exchange, Place},
    user::Metadata,
};
use crate::elsewhere::{Elsewhere, elsewhere};

/// The hosted default.
const PATIENCE: Duration = Duration::from_secs(10);
/// No document of a provider is anywhere near as long.
const LONGEST: usize = 1 << 20;

/// Asks providers. One that sends us elsewhere is not followed.
pub(super) struct Outbound(Elsewhere);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("it can not be reached")]
    Unreachable,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer can not be read")]
    Unreadable,
    #[error("its document names another issuer")]
    Issuer,
}

/// What a code was exchanged for. It is all secret, so it has no `Debug`.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
    #[serde(default)]
    pub(super) id_token: Option<String>,
}

impl Outbound {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(elsewhere()?))
    }

    /// The addresses of a provider, from its document if it has one.
    pub(super) async fn endpoints(&self, place: &Place) -> Result<Endpoints, Trouble> {
        match place {
            Place::Issuer { issuer, discovery } => {
                self.discovery(issuer, discovery).await.map(Endpoints::from)
            }
            Place::Addresses(endpoints) => Ok(endpoints.clone()),
        }
    }

    /// The document of an issuer.
    pub(super) async fn discovery(&self, issuer: &str, url: &str) -> Result<Discovery, Trouble> {
        let told: Discovery = self.ask(Request::get(url), Body::empty()).await?;
        if told.issuer == issuer { Ok(told) } else { Err(Trouble::Issuer) }
    }

    pub(super) async fn keys(&self, url: &str) -> Result<KeySet, Trouble> {
        self.ask(Request::get(url), Body::empty()).await
    }

    pub(super) async fn exchange(&self, exchange: &Exchange) -> Result<Tokens, Trouble> {
        let form = Serializer::new(String::new()).extend_pairs(&exchange.form).finish();
        let mut request =
            Request::post(&exchange.url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = &exchange.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.ask(request, Body::from(form)).await
    }

    pub(super) async fn userinfo(&self, url: &str, access_token: &str) -> Result<Metadata, Trouble> {
        let request = Request::get(url).header(AUTHORIZATION, format!("Bearer {access_token}"));
        self.ask(request, Body::empty()).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: Builder, body: Body) -> Result<T, Trouble> {
        // An address that is none is as far away as one where nobody is.
        let request =
            request.header(ACCEPT, "application/json").body(body).map_err(|_| Trouble::Unreachable)?;
        let asking = async {
            let response = self.0.request(request).await.map_err(|_| Trouble::Unreachable)?;
            let status = response.status();
            let body = to_bytes(Body::new(response.into_body()), LONGEST).await;
            if status.is_success() {
                body.map_err(|_| Trouble::Unreadable)
            } else {
                Err(Trouble::Status(status.as_u16()))
            }
        };
        let body = timeout(PATIENCE, asking).await.map_err(|_| Trouble::Unreachable)??;
        serde_json::from_slice(&body).map_err(|_| Trouble::Unreadable)
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound(..)")
    }
}
