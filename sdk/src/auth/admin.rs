//! Administration of users, for tools that hold the project's secret key.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::{User, request};
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

    /// Removes a user, and with them every row that belongs to them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none.
    pub async fn delete_user(&self, id: Uuid) -> Result<(), Error> {
        self.client.send(request::one_user(Method::DELETE, id)).await?.accepted().map(drop)
    }
}
