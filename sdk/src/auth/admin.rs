//! Administration of users, for tools that hold the project's secret key.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::{Purpose, Scope, Token, User, request};
use crate::client::Client;
use crate::error::Error;

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

#[derive(Deserialize)]
struct Page {
    users: Vec<User>,
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
    pub async fn users(&self, page: u32, per_page: u32) -> Result<Vec<User>, Error> {
        let page: Page = self.client.send(request::users(page, per_page)).await?.accepted()?.json()?;
        Ok(page.users)
    }

    /// The user with an e-mail address, in any case. Auth has no such question, so this reads the list.
    ///
    /// # Errors
    /// As [`Admin::users`].
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, Error> {
        for page in 1.. {
            let users = self.users(page, Self::PAGE).await?;
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
}
