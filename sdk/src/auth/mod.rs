//! Who we are: signing in and out, the session and its renewal, and administration of users.
//!
//! There is one session in a client, owned by one `Authority`; everything else asks it. A session is
//! renewed before it expires, once for however many requests need it. A network failure or a 5xx never
//! signs anyone out: only the server's own word that the session is gone does.

mod admin;
mod authority;
mod reply;
mod request;
mod session;
mod user;

pub use admin::{Admin, NewUser};
pub(crate) use authority::Authority;
pub use session::{Session, Token};
pub use user::User;

use crate::client::Client;
use crate::error::Error;

/// Signing in and out. From [`Client::auth`].
#[derive(Debug, Clone)]
pub struct Auth {
    client: Client,
}

impl Auth {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Signs a person up with an e-mail address and a password. Where the project confirms addresses by
    /// mail there is no session yet, and the answer is `None`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the address is taken, [`crate::ErrorKind::Invalid`] for a weak password.
    pub async fn sign_up(&self, email: &str, password: &str) -> Result<Option<Session>, Error> {
        let answer = self.client.send(request::sign_up(email, password)?).await?.accepted()?;
        let session = reply::maybe_session(&answer, authority::now())?;
        if let Some(session) = &session {
            self.client.authority().set(Some(session.clone()));
        }
        Ok(session)
    }

    /// Signs a person in; from now on the client's requests carry their token.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with code `invalid_credentials` for a wrong address or password.
    pub async fn sign_in_with_password(&self, email: &str, password: &str) -> Result<Session, Error> {
        let answer = self.client.send(request::sign_in_with_password(email, password)?).await?.accepted()?;
        let session = reply::session(&answer, authority::now())?;
        self.client.authority().set(Some(session.clone()));
        Ok(session)
    }

    /// The session, renewed if it is about to expire; `None` when nobody is signed in.
    ///
    /// # Errors
    /// When the session had to be renewed and could not be.
    pub async fn session(&self) -> Result<Option<Session>, Error> {
        self.client.authority().session(&self.client).await
    }

    /// Goes on with a session that was kept elsewhere.
    pub fn set_session(&self, session: Session) {
        self.client.authority().set(Some(session));
    }

    /// Renews the session now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is signed in or the session is over.
    pub async fn refresh(&self) -> Result<Session, Error> {
        self.client.authority().refresh(&self.client).await
    }

    /// Asks the server who is signed in.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is.
    pub async fn user(&self) -> Result<User, Error> {
        self.client.send(request::user()).await?.accepted()?.json()
    }

    /// Ends the session, here at once and on the server. What the server no longer knows counts as ended.
    ///
    /// # Errors
    /// When the server could not be told; here the session is over all the same.
    pub async fn sign_out(&self) -> Result<(), Error> {
        let Some(session) = self.client.authority().take() else { return Ok(()) };
        let answer = self.client.send(request::sign_out(&session)?).await?;
        match answer.status.as_u16() {
            401 | 403 | 404 => Ok(()),
            _ => answer.accepted().map(drop),
        }
    }

    /// Administration of users. Needs the project's secret key, so it has no place in an app.
    pub fn admin(&self) -> Admin {
        Admin::new(self.client.clone())
    }
}
