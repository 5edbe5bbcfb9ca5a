//! A session: who we are and until when. Whether it is still good is a function of the time.

use std::fmt;
use std::time::Duration;

use crate::auth::User;

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

impl<'de> serde::Deserialize<'de> for Token {
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

    /// True if the token is no longer good, or will not be within `margin`; `now` is the time since 1970.
    pub fn expires_within(&self, margin: Duration, now: Duration) -> bool {
        self.expires_at <= (now + margin).as_secs()
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
