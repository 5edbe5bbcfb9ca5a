//! Who we are: signing in and out, the session and its renewal, and administration of users.
//!
//! There is one session in a client, owned by one `Authority`; everything else asks it. A session is
//! renewed before it expires, once for however many requests need it. A network failure or a 5xx never
//! signs anyone out: only the server's own word that the session is gone does.

mod admin;
mod authority;
mod event;
mod reply;
mod request;
mod session;
mod store;
mod user;

pub use admin::{Admin, NewUser};
pub(crate) use authority::Authority;
pub use event::{AuthEvent, SignedOut};
pub use session::{Session, Token};
pub use store::{FileStore, SessionStore, StoreLock};
pub use user::{User, UserChange};

use crate::client::Client;
use crate::error::{Error, ErrorKind};

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
            self.client.authority().adopt(session).await?;
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
        self.client.authority().adopt(&session).await?;
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
    ///
    /// # Errors
    /// When it cannot be kept in the client's store.
    pub async fn set_session(&self, session: Session) -> Result<(), Error> {
        self.client.authority().adopt(&session).await
    }

    /// What happens to the session from now on: signing in and out, here or in a process that shares the
    /// store, and renewals. A listener may call the client, and whatever it does holds up nobody. One that
    /// falls far behind is told so, and reads [`Auth::session`].
    ///
    /// ```
    /// # async fn run(client: supabase_sdk::Client) {
    /// use supabase_sdk::auth::AuthEvent;
    /// let mut events = client.auth().events();
    /// while let Ok(event) = events.recv().await {
    ///     if let AuthEvent::SignedOut(why) = event { println!("signed out: {why:?}") }
    /// }
    /// # }
    /// ```
    pub fn events(&self) -> tokio::sync::broadcast::Receiver<AuthEvent> {
        self.client.authority().events()
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
        if self.client.authority().bearer(&self.client).await?.is_none() {
            return Err(Error::new(ErrorKind::Unauthenticated, "nobody is signed in"));
        }
        self.client.send(request::user()).await?.accepted()?.json()
    }

    /// Changes what Auth knows of who is signed in. A new address has to be confirmed first, by mail.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a weak password, [`ErrorKind::Conflict`] for an address that is taken.
    pub async fn update_user(&self, change: &UserChange) -> Result<User, Error> {
        let user: User = self.client.send(request::update_user(change)?).await?.accepted()?.json()?;
        self.client.authority().note_user(user.clone()).await?;
        Ok(user)
    }

    /// Ends the session, here at once and on the server. What the server no longer knows counts as ended.
    ///
    /// # Errors
    /// When the server could not be told; here the session is over all the same.
    pub async fn sign_out(&self) -> Result<(), Error> {
        let (session, kept) = self.client.authority().forget().await;
        let Some(session) = session else { return kept };
        let answer = self.client.send(request::sign_out(&session)?).await?;
        match answer.status.as_u16() {
            401 | 403 | 404 => kept,
            _ => answer.accepted().and(kept),
        }
    }

    /// Administration of users. Needs the project's secret key, so it has no place in an app.
    pub fn admin(&self) -> Admin {
        Admin::new(self.client.clone())
    }
}
