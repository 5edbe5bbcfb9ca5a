//! What happens to a session, told to who listens.

use crate::auth::Session;

/// Something that happened to the session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AuthEvent {
    /// Somebody signed in, here or in another process that shares the store.
    SignedIn(Session),
    /// The session was renewed.
    TokenRefreshed(Session),
    /// Somebody came by a link for a forgotten password: now is the time to ask for a new one.
    PasswordRecovery(Session),
    /// A second factor raised the session.
    MfaVerified(Session),
    /// What is known of the person changed.
    UserUpdated(Session),
    /// Nobody is signed in any more.
    SignedOut(SignedOut),
}

/// Why nobody is signed in any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedOut {
    /// Somebody asked for it here.
    Asked,
    /// Another process that shares the store signed out.
    Elsewhere,
    /// The server says that the session is over.
    Over,
    /// The store holds something that is no session; each request says so until somebody signs in.
    Unreadable,
}
