//! Edge: the one owner of the session, with the clock, the store and the renewal.
//!
//! The state is behind a lock that is never held while anything waits, and never while a listener runs:
//! listeners read a channel. Who changes the session takes a turn, an asynchronous lock, and then the store,
//! which is a lock across processes: whoever comes meanwhile waits and finds the new session.
//!
//! A session is written to the store before it is used. Nothing but a person or the server's own word ends
//! it: no network failure, no 5xx, no answer that says nothing we know.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Mutex, OnceCell, broadcast};

use crate::auth::{AuthEvent, Session, SessionStore, SignedOut, StoreLock, User, reply, request};
use crate::client::{Client, Clock, TokenSource};
use crate::error::{Error, ErrorKind};
use crate::key::claimed_role;
use crate::transport::Reply;

/// How many events a listener may fall behind.
const EVENTS: usize = 64;

/// The one owner of a client's session.
pub(crate) struct Authority {
    session: RwLock<Option<Session>>,
    turn: Mutex<()>,
    events: broadcast::Sender<AuthEvent>,
    store: Option<Arc<dyn SessionStore>>,
    loaded: OnceCell<()>,
    /// Tokens from elsewhere, instead of a session of ours.
    tokens: Option<TokenSource>,
    clock: Clock,
    /// True once it was told that the store cannot be read.
    unreadable: AtomicBool,
    /// When a renewal last got no answer.
    failed: RwLock<Option<Instant>>,
}

impl Authority {
    /// How long a token that is still good is used without another try, after a renewal that got no answer.
    const REST: Duration = Duration::from_secs(5);

    pub(crate) fn new(
        tokens: Option<TokenSource>,
        store: Option<Arc<dyn SessionStore>>,
        clock: Clock,
    ) -> Self {
        let loaded = if store.is_some() { OnceCell::new() } else { OnceCell::new_with(Some(())) };
        Self {
            session: RwLock::default(),
            turn: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
            store,
            loaded,
            tokens,
            clock,
            unreadable: AtomicBool::default(),
            failed: RwLock::default(),
        }
    }

    /// The time since 1970. A clock set before that reads as 1970.
    pub(super) fn now(&self) -> Duration {
        (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    /// What happens from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<AuthEvent> {
        self.events.subscribe()
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
        self.load().await?;
        let Some(session) = self.current() else { return Ok(None) };
        if !session.expires_within(Session::MARGIN, self.now()) {
            return Ok(Some(session));
        }
        let still_good = !session.expires_within(Duration::ZERO, self.now());
        // Somebody is at it, or was just now in vain: a token that is still good is used meanwhile.
        let just_failed = self.failed().is_some_and(|at| at.elapsed() < Self::REST);
        if still_good && (just_failed || self.turn.try_lock().is_err()) {
            return Ok(Some(session));
        }
        match self.renew(client, &session).await {
            Err(error) if error.is_retryable() && still_good => Ok(Some(session)),
            renewed => renewed.map(Some),
        }
    }

    fn failed(&self) -> Option<Instant> {
        *self.failed.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_failed(&self, at: Option<Instant>) {
        *self.failed.write().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// Renews the session whether it is due or not.
    pub(crate) async fn refresh(&self, client: &Client) -> Result<Session, Error> {
        self.load().await?;
        let session = self.current().ok_or_else(signed_out)?;
        self.renew(client, &session).await
    }

    /// Takes a session that somebody signed in with; kept before it is used, and told of as `event` says.
    pub(crate) async fn adopt(
        &self,
        session: &Session,
        event: impl FnOnce(Session) -> AuthEvent,
    ) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let held = self.hold().await?;
        self.keep(Some(session.clone())).await?;
        // What is there counts as read: it is this.
        self.loaded.set(()).ok();
        self.put(Some(session.clone()));
        drop(held);
        self.tell(event(session.clone()));
        Ok(())
    }

    /// Notes what is known of the person now.
    pub(crate) async fn note_user(&self, user: User) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let held = self.hold().await?;
        let Some(mut session) = self.current() else { return Ok(()) };
        session.user = user;
        self.keep(Some(session.clone())).await?;
        self.put(Some(session.clone()));
        drop(held);
        self.tell(AuthEvent::UserUpdated(session));
        Ok(())
    }

    /// Forgets the session, here and in the store, and gives it. Here it is over whatever becomes of the rest.
    pub(crate) async fn forget(&self) -> (Option<Session>, Result<(), Error>) {
        self.load().await.ok();
        let session = self.put(None);
        if session.is_some() {
            self.tell(AuthEvent::SignedOut(SignedOut::Asked));
        }
        // A renewal that is under way finds nobody signed in when it comes back, and keeps nothing.
        let _turn = self.turn.lock().await;
        (session, self.empty_store().await)
    }

    async fn empty_store(&self) -> Result<(), Error> {
        let _held = self.hold().await?;
        self.keep(None).await
    }

    fn put(&self, session: Option<Session>) -> Option<Session> {
        std::mem::replace(&mut *self.session.write().unwrap_or_else(PoisonError::into_inner), session)
    }

    fn tell(&self, event: AuthEvent) {
        // Nobody listening is no failure.
        self.events.send(event).ok();
    }

    fn current(&self) -> Option<Session> {
        self.session.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The token of a session that is not due: what nearly every request asks for, without a copy of the rest.
    fn good_token(&self) -> Option<String> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        let good = session.as_ref().filter(|session| !session.expires_within(Session::MARGIN, self.now()))?;
        Some(good.access_token.expose().to_owned())
    }

    /// Reads the store, once.
    async fn load(&self) -> Result<(), Error> {
        let read = || async {
            let session = match self.in_store(|store| store.load()).await {
                Ok(session) => session.flatten(),
                Err(error) => {
                    if !self.unreadable.swap(true, Ordering::Relaxed) {
                        self.tell(AuthEvent::SignedOut(SignedOut::Unreadable));
                    }
                    return Err(error);
                }
            };
            if let Some(session) = session.filter(|_| self.current().is_none()) {
                self.put(Some(session.clone()));
                self.tell(AuthEvent::SignedIn(session));
            }
            Ok(())
        };
        self.loaded.get_or_try_init(read).await.map(|_| ())
    }

    /// Takes the store, where there is one.
    async fn hold(&self) -> Result<Option<StoreLock>, Error> {
        self.in_store(|store| store.lock()).await
    }

    async fn keep(&self, session: Option<Session>) -> Result<(), Error> {
        self.in_store(move |store| store.save(session.as_ref())).await.map(|_| ())
    }

    /// Does something with the store, where it may block.
    async fn in_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn SessionStore) -> Result<T, Error> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let Some(store) = self.store.clone() else { return Ok(None) };
        let done = tokio::task::spawn_blocking(move || work(&*store)).await;
        done.map_err(|source| Error::new(ErrorKind::Config, "the session store failed").with_source(source))?
            .map(Some)
    }

    /// Exchanges the refresh token, unless somebody else did so while we waited for our turn, in this process
    /// or another. A session that changed hands meanwhile (signed out, signed in as another) is left as it is.
    async fn renew(&self, client: &Client, old: &Session) -> Result<Session, Error> {
        let came = Instant::now();
        let _turn = self.turn.lock().await;
        let current = self.current().ok_or_else(signed_out)?;
        if current.refresh_token != old.refresh_token {
            return Ok(current);
        }
        // What failed while we waited would fail again; many who wait would each ask in turn.
        if self.failed().is_some_and(|at| at > came) {
            return Err(Error::new(ErrorKind::Unreachable, "the session could not be renewed a moment ago"));
        }
        let _held = self.hold().await?;
        if let Some(kept) = self.in_store(|store| store.load()).await? {
            match kept {
                Some(kept) if kept.refresh_token == old.refresh_token => {}
                Some(kept) => {
                    self.put(Some(kept.clone()));
                    self.tell(AuthEvent::TokenRefreshed(kept.clone()));
                    if !kept.expires_within(Session::MARGIN, self.now()) {
                        return Ok(kept);
                    }
                    return self.exchange(client, &kept).await;
                }
                None => {
                    self.put(None);
                    self.tell(AuthEvent::SignedOut(SignedOut::Elsewhere));
                    return Err(signed_out());
                }
            }
        }
        self.exchange(client, old).await
    }

    async fn exchange(&self, client: &Client, old: &Session) -> Result<Session, Error> {
        // Boxed, because sending asks for the session and would otherwise contain itself.
        let answer = Box::pin(client.send(request::refresh(&old.refresh_token)?)).await;
        let renewed = answer.and_then(Reply::accepted).and_then(|answer| reply::session(&answer, self.now()));
        let still_ours = self.current().is_some_and(|session| session.refresh_token == old.refresh_token);
        match renewed {
            _ if !still_ours => self.current().ok_or_else(signed_out),
            Ok(mut renewed) => {
                // Auth tells them once, at the sign-in.
                renewed.provider_token = renewed.provider_token.or_else(|| old.provider_token.clone());
                renewed.provider_refresh_token =
                    renewed.provider_refresh_token.or_else(|| old.provider_refresh_token.clone());
                self.keep(Some(renewed.clone())).await?;
                // Somebody may have signed out while it was written.
                if self.current().is_none() {
                    self.keep(None).await?;
                    return Err(signed_out());
                }
                self.put(Some(renewed.clone()));
                self.note_failed(None);
                self.tell(AuthEvent::TokenRefreshed(renewed.clone()));
                Ok(renewed)
            }
            Err(error) if is_over(&error) => {
                self.keep(None).await?;
                self.put(None);
                self.tell(AuthEvent::SignedOut(SignedOut::Over));
                Err(signed_out().with_code(error.code().map(str::to_owned)).with_source(error))
            }
            Err(error) => {
                self.note_failed(error.is_retryable().then(Instant::now));
                Err(error)
            }
        }
    }
}

/// True if the server says that this session will never be good again: by one of the codes that mean so, and
/// not by a bare status, which may be a proxy's. Source: GoTrue `internal/api/apierrors/errorcode.go`.
fn is_over(error: &Error) -> bool {
    let over = [
        "refresh_token_not_found",
        "refresh_token_already_used",
        "session_not_found",
        "session_expired",
        "user_not_found",
        "user_banned",
        // As servers before 2024 say it.
        "invalid_grant",
    ];
    error.code().is_some_and(|code| over.contains(&code))
}

fn signed_out() -> Error {
    Error::new(ErrorKind::Unauthenticated, "the session is over; sign in again")
}

impl fmt::Debug for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Authority").field("signed_in", &self.current().is_some()).finish()
    }
}
