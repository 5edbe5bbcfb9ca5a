//! Edge: the one owner of the session, with the clock and the renewal.
//!
//! The state is behind a lock that is never held while anything waits. Who renews holds a second,
//! asynchronous lock: whoever comes meanwhile waits for it and finds the new session.

use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use crate::auth::{Session, reply, request};
use crate::client::{Client, TokenSource};
use crate::error::{Error, ErrorKind};
use crate::key::claimed_role;

/// The one owner of a client's session.
pub(crate) struct Authority {
    session: RwLock<Option<Session>>,
    renewing: tokio::sync::Mutex<()>,
    /// Tokens from elsewhere, instead of a session of ours.
    tokens: Option<TokenSource>,
}

impl Authority {
    pub(crate) fn new(tokens: Option<TokenSource>) -> Self {
        Self { session: RwLock::default(), renewing: tokio::sync::Mutex::default(), tokens }
    }

    /// The token a request carries; `None` when nobody is signed in.
    pub(crate) async fn bearer(&self, client: &Client) -> Result<Option<String>, Error> {
        let Some(tokens) = &self.tokens else {
            if let Some(token) = self.good_token() {
                return Ok(Some(token));
            }
            // Boxed, so that a request whose token is good does not carry the room for a renewal.
            let session = Box::pin(self.session(client)).await?;
            return Ok(session.map(|session| session.access_token.expose().to_owned()));
        };
        let token = tokens().await.map_err(|source| {
            let message = "the access token that comes from elsewhere could not be had";
            Error::new(ErrorKind::Unauthenticated, message).with_source(source)
        })?;
        Ok(token.map(|token| token.expose().to_owned()))
    }

    /// The role the session's requests run as; `None` when nobody is signed in.
    pub(crate) fn role(&self) -> Option<String> {
        if self.tokens.is_some() {
            return Some("authenticated".to_owned());
        }
        let session = self.current()?;
        Some(claimed_role(session.access_token.expose()).unwrap_or_else(|| "authenticated".to_owned()))
    }

    /// Renews the session whose token the server calls expired, whatever our clock says; once for all who
    /// hear so. True if there is a newer token now, or if their source may have one.
    pub(crate) async fn renew_stale(&self, client: &Client, token: &str) -> bool {
        match self.current() {
            _ if self.tokens.is_some() => true,
            None => false,
            Some(session) if session.access_token.expose() != token => true,
            Some(session) => self.renew(client, &session).await.is_ok(),
        }
    }

    /// The session, renewed if it is due. One that cannot be renewed now is used while it is still good.
    pub(crate) async fn session(&self, client: &Client) -> Result<Option<Session>, Error> {
        let Some(session) = self.current() else { return Ok(None) };
        if !session.expires_within(Session::MARGIN, now()) {
            return Ok(Some(session));
        }
        match self.renew(client, &session).await {
            Err(error) if error.is_retryable() && !session.expires_within(Duration::ZERO, now()) => {
                Ok(Some(session))
            }
            renewed => renewed.map(Some),
        }
    }

    /// Renews the session whether it is due or not.
    pub(crate) async fn refresh(&self, client: &Client) -> Result<Session, Error> {
        let session = self.current().ok_or_else(signed_out)?;
        self.renew(client, &session).await
    }

    pub(crate) fn set(&self, session: Option<Session>) {
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = session;
    }

    pub(crate) fn take(&self) -> Option<Session> {
        self.session.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn current(&self) -> Option<Session> {
        self.session.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The token of a session that is not due: what nearly every request asks for, without a copy of the rest.
    fn good_token(&self) -> Option<String> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        let good = session.as_ref().filter(|session| !session.expires_within(Session::MARGIN, now()))?;
        Some(good.access_token.expose().to_owned())
    }

    /// Exchanges the refresh token, unless somebody else did so while we waited for our turn. A session
    /// that changed hands meanwhile (signed out, signed in as another) is left as it is.
    async fn renew(&self, client: &Client, old: &Session) -> Result<Session, Error> {
        let _turn = self.renewing.lock().await;
        let current = self.current().ok_or_else(signed_out)?;
        if current.refresh_token != old.refresh_token {
            return Ok(current);
        }
        // Boxed, because sending asks for the session and would otherwise contain itself.
        let answer = Box::pin(client.send(request::refresh(&old.refresh_token)?)).await?.accepted();
        let renewed = answer.and_then(|answer| reply::session(&answer, now()));
        let mut session = self.session.write().unwrap_or_else(PoisonError::into_inner);
        let still_ours = session.as_ref().is_some_and(|session| session.refresh_token == old.refresh_token);
        match &renewed {
            _ if !still_ours => return session.clone().ok_or_else(signed_out),
            Ok(renewed) => *session = Some(renewed.clone()),
            Err(error) if is_over(error) => *session = None,
            Err(_) => {}
        }
        renewed.map_err(|error| if is_over(&error) { signed_out().with_source(error) } else { error })
    }
}

/// True if the server says that this refresh token will never be good again.
fn is_over(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unauthenticated | ErrorKind::Forbidden)
}

fn signed_out() -> Error {
    Error::new(ErrorKind::Unauthenticated, "the session is over; sign in again")
}

/// The time since 1970. A clock set before that reads as 1970.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Debug for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Authority").field("signed_in", &self.current().is_some()).finish()
    }
}
