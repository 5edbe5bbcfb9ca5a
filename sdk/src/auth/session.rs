//! A session: who we are and until when. Whether it is still good is a function of the time.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::auth::User;
use crate::error::{Error, ErrorKind};

/// A token. `Debug` does not show it; it leaves only through [`Token::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for a header or a store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(hidden)")
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        String::deserialize(json).map(Self)
    }
}

/// A signed-in person's session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Session {
    /// What requests carry.
    pub access_token: Token,
    /// What renews the session, once.
    pub refresh_token: Token,
    /// When the access token stops being good: seconds since 1970, by the server's clock.
    pub expires_at: u64,
    /// Who is signed in.
    pub user: User,
    /// The token another provider gave at the sign-in, for calls to it. A renewal of the session keeps it as it
    /// is; whether it is still good is between the app and the provider.
    pub provider_token: Option<Token>,
    /// What renews that, at the provider.
    pub provider_refresh_token: Option<Token>,
}

impl Session {
    /// How long before its end a token is renewed: longer than a slow request and a clock that is off.
    /// The official client uses the same.
    pub const MARGIN: Duration = Duration::from_secs(90);

    /// A session that was kept elsewhere; `expires_at` is in seconds since 1970.
    pub fn new(access_token: Token, refresh_token: Token, expires_at: u64, user: User) -> Self {
        Self {
            access_token,
            refresh_token,
            expires_at,
            user,
            provider_token: None,
            provider_refresh_token: None,
        }
    }

    /// The session as JSON, its tokens in clear, for a store.
    ///
    /// ```
    /// use supabase_sdk::{Session, Token, User};
    /// let session = Session::new(Token::new("a"), Token::new("r"), 1_000, User::default());
    /// assert_eq!(Session::read(session.expose().as_bytes())?, session);
    /// # Ok::<(), supabase_sdk::Error>(())
    /// ```
    pub fn expose(&self) -> String {
        let kept = Kept::from(self);
        // A text, a number and JSON values: nothing that JSON could not hold.
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Reads what [`Session::expose`] wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it is something else.
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        let kept: Kept = serde_json::from_slice(text)
            .map_err(|_| Error::new(ErrorKind::Config, "what is kept is no session"))?;
        Ok(kept.into())
    }

    /// True if the token is no longer good, or will not be within `margin`; `now` is the time since 1970.
    pub fn expires_within(&self, margin: Duration, now: Duration) -> bool {
        self.expires_at <= (now + margin).as_secs()
    }
}

/// A session as it lies in a store.
#[derive(Serialize, Deserialize)]
struct Kept {
    access_token: String,
    refresh_token: String,
    expires_at: u64,
    user: User,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_refresh_token: Option<String>,
}

impl From<&Session> for Kept {
    fn from(session: &Session) -> Self {
        let text = |token: &Token| token.expose().to_owned();
        Self {
            access_token: text(&session.access_token),
            refresh_token: text(&session.refresh_token),
            expires_at: session.expires_at,
            user: session.user.clone(),
            provider_token: session.provider_token.as_ref().map(text),
            provider_refresh_token: session.provider_refresh_token.as_ref().map(text),
        }
    }
}

impl From<Kept> for Session {
    fn from(kept: Kept) -> Self {
        Self {
            access_token: Token::new(kept.access_token),
            refresh_token: Token::new(kept.refresh_token),
            expires_at: kept.expires_at,
            user: kept.user,
            provider_token: kept.provider_token.map(Token::new),
            provider_refresh_token: kept.provider_refresh_token.map(Token::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_due_a_margin_before_its_end() {
        let session = Session::new(Token::new("a"), Token::new("r"), 1_000, User::default());
        let due = |now| session.expires_within(Session::MARGIN, Duration::from_secs(now));
        assert_eq!([due(0), due(909), due(910), due(2_000)], [false, false, true, true]);
        assert!(!format!("{session:?}").contains("\"a\""));
    }
}
