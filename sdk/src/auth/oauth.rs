//! Signing in with another provider: where a browser is sent.
//!
//! Source: GoTrue `internal/api/{external,identity}.go`.

use crate::auth::{Pkce, request};
use crate::transport::Request;

/// A sign-in with another provider.
///
/// ```
/// use supabase_sdk::auth::OAuth;
/// let google = OAuth::with("google").scopes(["email", "calendar"]).query("access_type", "offline");
/// ```
#[derive(Debug, Clone)]
#[must_use = "this is only the question"]
pub struct OAuth {
    provider: String,
    scopes: Vec<String>,
    query: Vec<(String, String)>,
    redirect_to: Option<String>,
}

impl OAuth {
    /// With `google`, `github` and so on, or `custom:` and a name of the project's own.
    pub fn with(provider: impl Into<String>) -> Self {
        Self { provider: provider.into(), scopes: Vec::new(), query: Vec::new(), redirect_to: None }
    }

    /// Asks the provider for more than who the person is.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Tells the provider something of its own, as `prompt` or `access_type`.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Where the browser comes back to, one of the addresses the project allows.
    pub fn redirect_to(mut self, url: impl Into<String>) -> Self {
        self.redirect_to = Some(url.into());
        self
    }

    /// The same, coming back to another address.
    pub(super) fn coming_back_to(&self, url: String) -> Self {
        self.clone().redirect_to(url)
    }

    pub(super) fn request(&self, path: &str, pkce: &Pkce) -> Request {
        let mut request = request::get(path).query("provider", self.provider.clone());
        if let Some(url) = &self.redirect_to {
            request = request.query("redirect_to", url.clone());
        }
        if !self.scopes.is_empty() {
            request = request.query("scopes", self.scopes.join(" "));
        }
        request = request.query("code_challenge", pkce.challenge()).query("code_challenge_method", "s256");
        for (name, value) in &self.query {
            request = request.query(name.clone(), value.clone());
        }
        request
    }
}
