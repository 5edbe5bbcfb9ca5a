//! Other apps that act for a person, where the project is who they sign in with: what they ask, what the person
//! answers, and what they may still do.
//!
//! Source: GoTrue `internal/api/oauthserver`.

use std::fmt;

use http::Method;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::auth::request;
use crate::client::Client;
use crate::error::Error;

/// What other apps may do for who is signed in. From [`crate::auth::Auth::consent`].
#[derive(Debug, Clone)]
pub struct Consent {
    client: Client,
}

/// Another app, as the person is shown it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct App {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its own page.
    #[serde(default)]
    pub uri: Option<String>,
    /// Its picture.
    #[serde(default)]
    pub logo_uri: Option<String>,
}

/// What another app asks.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Asked {
    /// The question's id, as it stood in the consent page's address.
    pub authorization_id: String,
    /// Who asks.
    pub client: App,
    /// What for, words with a space between.
    #[serde(default)]
    pub scope: String,
    /// Where the browser goes afterwards.
    #[serde(default)]
    pub redirect_uri: Option<String>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Asked(by {}, for {})", self.client.id, self.scope)
    }
}

/// A question of another app, or where to go when it was answered before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Authorization {
    /// The person is to be asked.
    Asked(Asked),
    /// They agreed before: the browser goes here.
    Settled {
        /// The address, with a code in it.
        redirect_url: String,
    },
}

/// What a person let another app do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Grant {
    /// Which app.
    pub client: App,
    /// What for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When, RFC 3339.
    pub granted_at: String,
}

impl Consent {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// What another app asks: the id stands in the consent page's address.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such question, or it is too old.
    pub async fn authorization(&self, id: &str) -> Result<Authorization, Error> {
        let path = format!("/oauth/authorizations/{}", request::segment(id));
        self.client.send(request::get(&path)).await?.accepted()?.json()
    }

    /// Agrees. Gives where the browser goes, with a code for the app.
    ///
    /// # Errors
    /// As [`Consent::authorization`].
    pub async fn approve(&self, id: &str) -> Result<String, Error> {
        self.answer(id, "approve").await
    }

    /// Refuses. Gives where the browser goes.
    ///
    /// # Errors
    /// As [`Consent::authorization`].
    pub async fn deny(&self, id: &str) -> Result<String, Error> {
        self.answer(id, "deny").await
    }

    async fn answer(&self, id: &str, action: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Place {
            redirect_url: String,
        }
        let path = format!("/oauth/authorizations/{}/consent", request::segment(id));
        let request = request::post(&path).json(&json!({ "action": action }))?;
        let place: Place = self.client.send(request).await?.accepted()?.json()?;
        Ok(place.redirect_url)
    }

    /// What who is signed in let other apps do.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is.
    pub async fn grants(&self) -> Result<Vec<Grant>, Error> {
        self.client.send(request::get("/user/oauth/grants")).await?.accepted()?.json()
    }

    /// Takes back what an app may do; its sessions end.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when it may do nothing.
    pub async fn revoke(&self, client: Uuid) -> Result<(), Error> {
        let mut request = request::get("/user/oauth/grants").query("client_id", client.to_string());
        request.method = Method::DELETE;
        self.client.send(request).await?.accepted().map(drop)
    }
}
