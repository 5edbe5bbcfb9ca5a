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
}
