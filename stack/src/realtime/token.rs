//! Whose rights a channel has: a token, checked.

use std::fmt;

use serde_json::{Map, Value};

use crate::jwt::{JwtError, Keyring};

/// A token that is genuine and holds.
#[derive(Clone, PartialEq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) role: String,
    /// All claims, as JSON.
    pub(super) claims: String,
    /// When it stops to hold, in Unix seconds.
    pub(super) expires: i64,
}

/// Why a token is not believed, in the words of the hosted service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("The token provided is not a valid JWT")]
    Malformed,
    #[error("Failed to validate JWT signature")]
    Signature,
    #[error("Token has expired {0} seconds ago")]
    Expired(i64),
    #[error("Fields `role` and `exp` are required in JWT")]
    Claims,
}

impl Token {
    /// Believes a token at `now`, in Unix seconds.
    pub(super) fn check(text: &str, keyring: &Keyring, now: i64) -> Result<Self, TokenError> {
        // Expiry is ours to look at: what is told is how long ago it was.
        let claims = keyring.verify(text, i64::MIN).map_err(|reason| match reason {
            JwtError::Segments | JwtError::Encoding => TokenError::Malformed,
            JwtError::Algorithm | JwtError::Signature => TokenError::Signature,
            JwtError::Expired => TokenError::Expired(0),
        })?;
        let expires = claims.get("exp").and_then(Value::as_i64);
        match expires {
            Some(expires) if expires <= now => Err(TokenError::Expired(now.saturating_sub(expires))),
            _ => Self::of(text, claims, expires).ok_or(TokenError::Claims), // later, or not said at all
        }
    }

    fn of(text: &str, claims: Map<String, Value>, expires: Option<i64>) -> Option<Self> {
        let role = claims.get("role")?.as_str()?.to_owned();
        let (text, claims) = (text.to_owned(), Value::Object(claims).to_string());
        Some(Self { text, role, claims, expires: expires? })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("role", &self.role).finish_non_exhaustive()
    }
}

impl TokenError {
    /// By which a client decides.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Malformed => "MalformedJWT",
            Self::Signature => "JwtSignatureError",
            Self::Expired(_) | Self::Claims => "InvalidJWTToken",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_believed_or_refused_for_a_reason() {
        let keyring = Keyring::of("a secret").unwrap();
        let signed = |claims: &Value| keyring.sign_hs256(claims);
        let other = Keyring::of("another").unwrap().sign_hs256(&json!({"role": "anon", "exp": 20}));
        for (text, refused) in [
            (signed(&json!({"role": "anon", "exp": 20})), None),
            ("sb_publishable_x".to_owned(), Some(TokenError::Malformed)),
            (other, Some(TokenError::Signature)),
            (signed(&json!({"role": "anon", "exp": 4})), Some(TokenError::Expired(6))),
            (signed(&json!({"role": "anon"})), Some(TokenError::Claims)),
            (signed(&json!({"exp": 20})), Some(TokenError::Claims)),
        ] {
            assert_eq!(Token::check(&text, &keyring, 10).err(), refused);
        }
        let token = Token::check(&signed(&json!({"role": "anon", "exp": 20})), &keyring, 10).unwrap();
        assert_eq!(format!("{token:?}"), "Token { role: \"anon\", .. }");
    }
}
