//! What Auth answers: JSON in, sessions and people out.

use std::time::Duration;

use serde::Deserialize;

use crate::auth::{Session, Token, User};
use crate::error::{Error, ErrorKind};
use crate::transport::Reply;

#[derive(Deserialize)]
struct WireSession {
    access_token: Option<Token>,
    refresh_token: Option<Token>,
    expires_in: Option<u64>,
    expires_at: Option<u64>,
    user: Option<User>,
    provider_token: Option<Token>,
    provider_refresh_token: Option<Token>,
}

/// The session in an answer; `now` is the time since 1970, for servers that only say how long.
pub(super) fn session(reply: &Reply, now: Duration) -> Result<Session, Error> {
    maybe_session(reply, now)?
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "Auth accepted, and gave no session"))
}

/// The same for a sign-up, which gives none until the address is confirmed.
pub(super) fn maybe_session(reply: &Reply, now: Duration) -> Result<Option<Session>, Error> {
    let wire: WireSession = reply.json()?;
    let (Some(access_token), Some(refresh_token), Some(user)) =
        (wire.access_token, wire.refresh_token, wire.user)
    else {
        return Ok(None);
    };
    // By our clock, where the answer says how long: a clock that is off is then off on both sides.
    let by_our_clock = wire.expires_in.map(|lifetime| now.as_secs().saturating_add(lifetime));
    Ok(Some(Session {
        access_token,
        refresh_token,
        expires_at: by_our_clock.or(wire.expires_at).unwrap_or_else(|| now.as_secs().saturating_add(3_600)),
        user,
        provider_token: wire.provider_token,
        provider_refresh_token: wire.provider_refresh_token,
    }))
}
