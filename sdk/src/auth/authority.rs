//! Edge: the one owner of the session, with the clock, the store and the renewal.
//!
//! The state is behind a lock that is never held while anything waits, and never while a listener runs:
//! listeners read a channel. It changes and is told of in one step, so events come in the order of what they
//! tell. Who changes the session takes a turn, an asynchronous lock, and then the store, which is a lock across
//! processes: whoever comes meanwhile waits and finds the new session. A turn goes along into what blocks, so
//! whoever asked may go away in the middle, and what they began is ended before the next turn.
//!
//! Signing out waits for no turn. So whoever has one puts a session in the place of the one it was made from,
//! or nowhere.
//!
//! A session is written to the store before it is used. Nothing but a person or the server's own word ends
//! it: no network failure, no 5xx, no answer that says nothing we know.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Mutex, OnceCell, OwnedMutexGuard, broadcast};

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
    turn: Arc<Mutex<()>>,
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

/// The right to change the session, here and in the store. The store is given back first.
struct Turn {
    _store: Option<StoreLock>,
    _here: OwnedMutexGuard<()>,
}

impl Authority {
    /// How long a turn is waited for: longer than a renewal takes, in this process and another.
    const PATIENCE: Duration = Duration::from_secs(60);
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
            turn: Arc::default(),
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
    pub(crate) fn now(&self) -> Duration {
        (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    /// What happens from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<AuthEvent> {
        self.events.subscribe()
    }

    /// Refuses where tokens come from elsewhere: a session of our own would stand there and be nobody's.
    pub(super) fn own(&self) -> Result<(), Error> {
        let message = "this client takes its tokens from elsewhere; nobody signs in or out with it";
        if self.tokens.is_some() { Err(Error::new(ErrorKind::Config, message)) } else { Ok(()) }
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
            Err(error) if still_good && self.holds(&session) => {
                tracing::debug!(%error, "a token that is still good is used without its renewal");
                Ok(Some(session))
            }
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
        let turn = self.hold(self.turn().await?).await?;
        let _turn = self.keep(turn, Some(session.clone())).await?;
        // What is there counts as read: it is this.
        self.loaded.set(()).ok();
        self.change(|here| {
            *here = Some(session.clone());
            Some(event(session.clone()))
        });
        Ok(())
    }

    /// Takes what became of the session that is here: a second factor raised it. That of somebody who signed out
    /// meanwhile, or whose place another took, is left alone.
    pub(crate) async fn raise(
        &self,
        session: Session,
        event: impl FnOnce(Session) -> AuthEvent,
    ) -> Result<Session, Error> {
        let turn = self.hold(self.turn().await?).await?;
        let here = self.current().filter(|here| here.is_of(&session.user)).ok_or_else(signed_out)?;
        self.settle(turn, &here, session.after(&here), event).await?.ok_or_else(signed_out)
    }

    /// Notes what is known of the person now, if they are still here.
    pub(crate) async fn note_user(&self, user: User) -> Result<(), Error> {
        let turn = self.hold(self.turn().await?).await?;
        let Some(here) = self.current() else { return Ok(()) };
        let Some(here) = self.catch_up(here).await?.filter(|here| here.is_of(&user)) else { return Ok(()) };
        let noted = Session { user, ..here.clone() };
        self.settle(turn, &here, noted, AuthEvent::UserUpdated).await.map(drop)
    }

    /// Forgets the session, here and in the store, and gives it. Here it is over whatever becomes of the rest.
    pub(crate) async fn forget(&self) -> (Option<Session>, Result<(), Error>) {
        self.load().await.ok();
        let mut session = None;
        self.change(|here| {
            session = here.take();
            session.as_ref().map(|_| AuthEvent::SignedOut(SignedOut::Asked))
        });
        (session, self.empty_store().await)
    }

    async fn empty_store(&self) -> Result<(), Error> {
        // A renewal that is under way finds nobody signed in when it comes back, and keeps nothing.
        let turn = self.hold(self.turn().await?).await?;
        // Somebody may have signed in before it was our turn: what is kept is theirs.
        if self.current().is_some() {
            return Ok(());
        }
        self.keep(turn, None).await.map(drop)
    }

    /// Changes the session and tells of it. Nobody listening is no failure.
    fn change(&self, change: impl FnOnce(&mut Option<Session>) -> Option<AuthEvent>) {
        let mut session = self.session.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(event) = change(&mut session) {
            self.events.send(event).ok();
        }
    }

    /// Puts another session, or none, in the place of one. False if that is here no longer.
    fn replace(&self, old: &Session, new: Option<Session>, event: AuthEvent) -> bool {
        let mut there = false;
        self.change(|here| {
            there = here.as_ref().is_some_and(|here| here.is_same(old));
            there.then(|| {
                *here = new;
                event
            })
        });
        there
    }

    /// True if this is still the session that is here.
    fn holds(&self, session: &Session) -> bool {
        let here = self.session.read().unwrap_or_else(PoisonError::into_inner);
        here.as_ref().is_some_and(|here| here.is_same(session))
    }

    /// Keeps a session and then puts it in the place of the one it was made from. None if somebody signed out
    /// while it was written.
    async fn settle(
        &self,
        turn: Turn,
        old: &Session,
        new: Session,
        event: impl FnOnce(Session) -> AuthEvent,
    ) -> Result<Option<Session>, Error> {
        let turn = self.keep(turn, Some(new.clone())).await?;
        if self.replace(old, Some(new.clone()), event(new.clone())) {
            return Ok(Some(new));
        }
        self.keep(turn, None).await?;
        Ok(None)
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
            let session = match self.kept().await {
                Ok(session) => session.flatten(),
                Err(error) => {
                    if !self.unreadable.swap(true, Ordering::Relaxed) {
                        self.change(|_| Some(AuthEvent::SignedOut(SignedOut::Unreadable)));
                    }
                    return Err(error);
                }
            };
            // Somebody may have signed in while it was read.
            self.change(|here| {
                let kept = session.filter(|_| here.is_none())?;
                *here = Some(kept.clone());
                Some(AuthEvent::SignedIn(kept))
            });
            Ok(())
        };
        self.loaded.get_or_try_init(read).await.map(|_| ())
    }

    /// Waits for our turn in this process.
    async fn turn(&self) -> Result<OwnedMutexGuard<()>, Error> {
        tokio::time::timeout(Self::PATIENCE, self.turn.clone().lock_owned()).await.map_err(|_| taken())
    }

    /// Takes the store too, where there is one. While it is waited for, one thread is held up and no more.
    async fn hold(&self, here: OwnedMutexGuard<()>) -> Result<Turn, Error> {
        let Some(store) = self.store.clone() else { return Ok(Turn { _store: None, _here: here }) };
        let hold = in_the_back(move || Ok(Turn { _store: Some(store.lock()?), _here: here }));
        tokio::time::timeout(Self::PATIENCE, hold).await.map_err(|_| taken())?
    }

    /// Writes to the store, and gives the turn back when that is done.
    async fn keep(&self, turn: Turn, session: Option<Session>) -> Result<Turn, Error> {
        let Some(store) = self.store.clone() else { return Ok(turn) };
        in_the_back(move || store.save(session.as_ref()).map(|()| turn)).await
    }

    /// Reads the store; none where there is no store.
    async fn kept(&self) -> Result<Option<Option<Session>>, Error> {
        let Some(store) = self.store.clone() else { return Ok(None) };
        in_the_back(move || store.load()).await.map(Some)
    }

    /// Exchanges the refresh token, unless somebody else did so while we waited for our turn, in this process
    /// or another. A session that changed hands meanwhile (signed out, signed in as another) is left as it is.
    async fn renew(&self, client: &Client, old: &Session) -> Result<Session, Error> {
        let came = Instant::now();
        let here = self.turn().await?;
        let current = self.current().ok_or_else(signed_out)?;
        if !current.is_same(old) {
            return Ok(current);
        }
        // What failed while we waited would fail again; many who wait would each ask in turn.
        if self.failed().is_some_and(|at| at > came) {
            return Err(Error::new(ErrorKind::Unreachable, "the session could not be renewed a moment ago"));
        }
        let turn = self.hold(here).await?;
        let current = self.catch_up(current).await?.ok_or_else(signed_out)?;
        if !current.is_same(old) && !current.expires_within(Session::MARGIN, self.now()) {
            return Ok(current);
        }
        self.exchange(client, &current, turn).await
    }

    /// What became of the session in another process that shares the store; none if it is over, there or here.
    async fn catch_up(&self, old: Session) -> Result<Option<Session>, Error> {
        let (new, event) = match self.kept().await? {
            None => return Ok(Some(old)),
            Some(None) => (None, AuthEvent::SignedOut(SignedOut::Elsewhere)),
            Some(Some(kept)) if kept.is_same(&old) => return Ok(Some(old)),
            Some(Some(kept)) if kept.is_of(&old.user) => {
                (Some(kept.clone()), AuthEvent::TokenRefreshed(kept))
            }
            Some(Some(kept)) => (Some(kept.clone()), AuthEvent::SignedIn(kept)),
        };
        let there = self.replace(&old, new.clone(), event);
        Ok(new.filter(|_| there))
    }

    async fn exchange(&self, client: &Client, old: &Session, turn: Turn) -> Result<Session, Error> {
        // Boxed, because sending asks for the session and would otherwise contain itself.
        let answer = Box::pin(client.send(request::refresh(&old.refresh_token)?)).await;
        let renewed = answer.and_then(Reply::accepted).and_then(|answer| reply::session(&answer, self.now()));
        match renewed {
            _ if !self.holds(old) => Err(signed_out()),
            Ok(renewed) => {
                let settled = self.settle(turn, old, renewed.after(old), AuthEvent::TokenRefreshed).await?;
                self.note_failed(None);
                settled.ok_or_else(signed_out)
            }
            Err(error) if is_over(&error) => {
                let _turn = self.keep(turn, None).await?;
                self.replace(old, None, AuthEvent::SignedOut(SignedOut::Over));
                Err(signed_out().with_code(error.code().map(str::to_owned)).with_source(error))
            }
            Err(error) => {
                self.note_failed(Some(Instant::now()));
                Err(error)
            }
        }
    }
}

/// Does something where it may block.
async fn in_the_back<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|source| Error::new(ErrorKind::Config, "the session store failed").with_source(source))?
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

fn taken() -> Error {
    Error::new(ErrorKind::Timeout, "somebody else has held the session for too long")
}

fn signed_out() -> Error {
    Error::new(ErrorKind::Unauthenticated, "the session is over; sign in again")
}

impl fmt::Debug for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Authority").field("signed_in", &self.current().is_some()).finish()
    }
}
