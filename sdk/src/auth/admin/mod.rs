//! Administration of users, for tools that hold the project's secret key.

mod apps;

use std::fmt;

pub use apps::{AppChange, Apps, Provider, Providers, RegisteredApp};
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::{Factor, Passkey, Purpose, Scope, Token, User, request};
use crate::client::Client;
use crate::error::Error;
use crate::transport::Request;

/// A user to be made.
#[derive(Clone, Default, Serialize)]
pub struct NewUser {
    /// Their id; Auth makes one when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Their e-mail address.
    pub email: String,
    /// Their password, in clear; without one they sign in by a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Their password as bcrypt or argon2 hash; excludes `password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// True if the address needs no confirmation mail. Until it is confirmed they cannot sign in.
    pub email_confirm: bool,
    /// What they say of themselves.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub user_metadata: Value,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("NewUser").field("email", &self.email).finish_non_exhaustive()
    }
}

/// A link that lets somebody in.
#[derive(Clone, Deserialize)]
pub struct Link {
    /// The link itself.
    pub action_link: String,
    /// The code that stands for it.
    pub email_otp: String,
    /// The hash that stands for it: see [`crate::auth::Verify::link`].
    pub hashed_token: String,
    /// Where it leads.
    pub redirect_to: String,
}

impl fmt::Debug for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Link(hidden)")
    }
}

/// Administration of users. From [`crate::auth::Auth::admin`].
#[derive(Debug, Clone)]
pub struct Admin {
    client: Client,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
    /// The next page's number; none after the last.
    pub next: Option<u32>,
}

impl<T> Page<T> {
    async fn ask<A: DeserializeOwned>(
        client: &Client,
        request: Request,
        page: u32,
        per_page: u32,
        items: impl FnOnce(A) -> Vec<T>,
    ) -> Result<Self, Error> {
        let request = request.query("page", page.to_string()).query("per_page", per_page.to_string());
        let reply = client.send(request).await?.accepted()?;
        let header = |name| reply.headers.get(name).and_then(|value| value.to_str().ok());
        let total: Option<u64> = header("x-total-count").and_then(|total| total.parse().ok());
        // Not every list says which page is the next.
        let more = total.is_some_and(|total| u64::from(page) * u64::from(per_page) < total);
        let next = header("link").and_then(next_page).or_else(|| more.then(|| page.checked_add(1)).flatten());
        let items = items(reply.json()?);
        Ok(Self { total: total.unwrap_or(items.len() as u64), next, items })
    }
}

/// The page that a `Link` header calls the next one. Source: RFC 8288.
fn next_page(links: &str) -> Option<u32> {
    let link = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let address = link.split(['<', '>']).nth(1)?;
    let (_, query) = address.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page")?.1.parse().ok()
}

impl Admin {
    /// How many users a page of the list holds.
    const PAGE: u32 = 500;

    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the address is taken.
    pub async fn create_user(&self, user: &NewUser) -> Result<User, Error> {
        self.client.send(request::create_user(user)?).await?.accepted()?.json()
    }

    /// A page of the users, counted from 1, with how many users it holds at most.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] or `Forbidden` without the secret key.
    pub async fn users(&self, page: u32, per_page: u32) -> Result<Page<User>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            users: Vec<User>,
        }
        let request = request::as_admin(Method::GET, "/admin/users");
        Page::ask(&self.client, request, page, per_page, |answer: Answer| answer.users).await
    }

    /// The user with an e-mail address, in any case. Auth has no such question, so this reads the list.
    ///
    /// # Errors
    /// As [`Admin::users`].
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, Error> {
        for page in 1.. {
            let users = self.users(page, Self::PAGE).await?.items;
            let last = users.is_empty();
            let is_it =
                |user: &User| user.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(email));
            if let Some(user) = users.into_iter().find(is_it) {
                return Ok(Some(user));
            }
            if last {
                break;
            }
        }
        Ok(None)
    }

    /// The user with an id.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none.
    pub async fn user(&self, id: Uuid) -> Result<User, Error> {
        self.client.send(request::one_user(Method::GET, id)).await?.accepted()?.json()
    }

    /// Changes a user: any of the fields of [`NewUser`], `app_metadata`, `ban_duration` (`24h`, `none`) and the
    /// like, as an object or a struct.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none.
    pub async fn update_user(&self, id: Uuid, change: &impl Serialize) -> Result<User, Error> {
        let request = request::one_user(Method::PUT, id).json(change)?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// Removes a user so that their id stays taken: their name and address are gone, their rows are not.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none.
    pub async fn soft_delete_user(&self, id: Uuid) -> Result<(), Error> {
        let request = request::one_user(Method::DELETE, id).json(&json!({ "should_soft_delete": true }))?;
        self.client.send(request).await?.accepted().map(drop)
    }

    /// Invites somebody by mail. The link leads to `redirect_to`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the address is taken.
    pub async fn invite(&self, email: &str, data: &Value, redirect_to: Option<&str>) -> Result<User, Error> {
        let body = json!({ "email": email, "data": data });
        self.client.send(request::admin("/invite", redirect_to).json(&body)?).await?.accepted()?.json()
    }

    /// Makes the link a mail would hold, for who sends mails themselves.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] for a person who is not known and need to be.
    pub async fn generate_link(
        &self,
        purpose: Purpose,
        email: &str,
        redirect_to: Option<&str>,
    ) -> Result<Link, Error> {
        let body = json!({ "type": purpose.word(), "email": email });
        let request = request::admin("/admin/generate_link", redirect_to).json(&body)?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// Ends sessions of the person whose access token this is.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when the token is not good.
    pub async fn sign_out(&self, token: &Token, scope: Scope) -> Result<(), Error> {
        self.client.send(request::end_session(token, scope)?).await?.accepted().map(drop)
    }

    /// Removes a user, and with them every row that belongs to them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none.
    pub async fn delete_user(&self, id: Uuid) -> Result<(), Error> {
        self.client.send(request::one_user(Method::DELETE, id)).await?.accepted().map(drop)
    }

    /// The second factors of a user, those that were never verified among them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such user.
    pub async fn factors(&self, user: Uuid) -> Result<Vec<Factor>, Error> {
        let request = request::as_admin(Method::GET, &format!("/admin/users/{user}/factors"));
        self.client.send(request).await?.accepted()?.json()
    }

    /// Takes a second factor of a user away, as when they lost their phone.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such factor.
    pub async fn delete_factor(&self, user: Uuid, factor: Uuid) -> Result<(), Error> {
        let request = request::as_admin(Method::DELETE, &format!("/admin/users/{user}/factors/{factor}"));
        self.client.send(request).await?.accepted().map(drop)
    }

    /// The passkeys of a user.
    ///
    /// # Errors
    /// As [`Admin::factors`].
    pub async fn passkeys(&self, user: Uuid) -> Result<Vec<Passkey>, Error> {
        let request = request::as_admin(Method::GET, &format!("/admin/users/{user}/passkeys"));
        self.client.send(request).await?.accepted()?.json()
    }

    /// Takes a passkey of a user away.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such passkey.
    pub async fn delete_passkey(&self, user: Uuid, passkey: Uuid) -> Result<(), Error> {
        let request = request::as_admin(Method::DELETE, &format!("/admin/users/{user}/passkeys/{passkey}"));
        self.client.send(request).await?.accepted().map(drop)
    }

    /// The apps that may ask the project's people to sign in.
    pub fn apps(&self) -> Apps {
        Apps::new(self.client.clone())
    }

    /// The providers of the project's own making.
    pub fn providers(&self) -> Providers {
        Providers::new(self.client.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::next_page;

    #[test]
    fn the_next_page_is_named_by_a_link() {
        let links = r#"</auth/v1/admin/users?page=2&per_page=50>; rel="next", </a?page=12>; rel="last""#;
        assert_eq!(next_page(links), Some(2));
        assert_eq!(next_page(r#"</a?per_page=1&page=12>; rel="next""#), Some(12));
        for none in ["", r#"</a?page=1>; rel="last""#, r#"<>; rel="next""#, r#"</a?page=x>; rel="next""#] {
            assert_eq!(next_page(none), None, "{none}");
        }
    }
}
