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

/// A signed-in person's session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// What requests carry.
    pub access_token: Token,
    /// What renews the session, once.
    pub refresh_token: Token,
    /// When the access token stops being good: seconds since 1970, by the server's clock.
    pub expires_at: u64,
    /// Who is signed in.
    pub user: User,
}

impl Session {
    /// How long before its end a token is renewed: longer than a slow request and a clock that is off.
    /// The official client uses the same.
    pub const MARGIN: Duration = Duration::from_secs(90);

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
        let session = Session {
            access_token: Token::new("a"),
            refresh_token: Token::new("r"),
            expires_at: 1_000,
            user: User::default(),
        };
        let due = |now| session.expires_within(Session::MARGIN, Duration::from_secs(now));
        assert_eq!([due(0), due(909), due(910), due(2_000)], [false, false, true, true]);
        assert!(!format!("{session:?}").contains("\"a\""));
    }
}
