//! What an access token says of who shows it: read from its text, believed by nobody yet.
//!
//! Source: Supabase's list of claims; RFC 7519 for `exp`, `aud` and the like, RFC 8176 for methods.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::Token;
use crate::error::{Error, ErrorKind};

/// What an access token says. From [`crate::auth::Auth::claims`] it is true; nothing else here checks it.
#[derive(Clone, PartialEq)]
pub struct Claims {
    /// Whom the token is for: a user's id, or the text another issuer knows them by. None in a project's key.
    pub sub: Option<String>,
    /// The database role of requests with it.
    pub role: Option<String>,
    /// Until when it is good: seconds since 1970, by the server's clock.
    pub exp: u64,
    /// When it was made, as `exp`.
    pub iat: Option<u64>,
    /// Who made it.
    pub iss: Option<String>,
    /// Whom it is meant for, `authenticated` as a rule.
    pub aud: Vec<String>,
    /// The session it belongs to.
    pub session_id: Option<String>,
    /// How surely the person is who they say.
    pub aal: Option<Level>,
    /// How they showed it, the newest first.
    pub amr: Vec<Method>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their phone number.
    pub phone: Option<String>,
    /// True for somebody who signed in without telling who they are.
    pub is_anonymous: bool,
    /// The app that acts for them, where it is not yours: see [`crate::auth::Consent`].
    pub client_id: Option<String>,
    /// What the project says of them.
    pub app_metadata: Value,
    /// What they say of themselves; never base a decision on it.
    pub user_metadata: Value,
    /// What else is in there, as by a hook of yours.
    pub rest: Map<String, Value>,
}

/// How surely a person is who they say, weakest first. Source: NIST SP 800-63B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// By one thing, as a password.
    #[serde(rename = "aal1")]
    One,
    /// By a second factor too.
    #[serde(rename = "aal2")]
    Two,
    /// By hardware; Auth gives it to nobody yet.
    #[serde(rename = "aal3")]
    Three,
}

/// How a person showed who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// `password`, `otp`, `totp`, `oauth` and so on.
    pub method: String,
    /// When: seconds since 1970.
    #[serde(default)]
    pub timestamp: u64,
}

impl Claims {
    /// The user's id, where the subject is one.
    pub fn user_id(&self) -> Option<Uuid> {
        self.sub.as_deref()?.parse().ok()
    }

    /// True if the token is no longer good, or will not be within `margin`; `now` is the time since 1970.
    pub fn expires_within(&self, margin: Duration, now: Duration) -> bool {
        self.exp <= (now + margin).as_secs()
    }

    fn read(mut map: Map<String, Value>) -> Option<Self> {
        /// What is not of the type it should be counts as not said.
        fn take<T: DeserializeOwned>(map: &mut Map<String, Value>, name: &str) -> Option<T> {
            serde_json::from_value(map.remove(name)?).ok()
        }
        /// A time may have a fraction.
        fn time(map: &mut Map<String, Value>, name: &str) -> Option<u64> {
            let value = map.remove(name)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
            value.as_u64().or_else(|| Some(value.as_f64()?.max(0.0) as u64))
        }
        let texts = |value: Value| match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().filter_map(|item| Some(item.as_str()?.to_owned())).collect(),
            _ => Vec::new(),
        };
        let method = |value: Value| match value {
            Value::String(method) => Some(Method { method, timestamp: 0 }),
            other => serde_json::from_value(other).ok(),
        };
        let methods: Option<Vec<Value>> = take(&mut map, "amr");
        Some(Self {
            exp: time(&mut map, "exp")?,
            iat: time(&mut map, "iat"),
            sub: take(&mut map, "sub"),
            role: take(&mut map, "role"),
            iss: take(&mut map, "iss"),
            aud: map.remove("aud").map(texts).unwrap_or_default(),
            session_id: take(&mut map, "session_id"),
            aal: take(&mut map, "aal"),
            amr: methods.unwrap_or_default().into_iter().filter_map(method).collect(),
            email: take(&mut map, "email"),
            phone: take(&mut map, "phone"),
            is_anonymous: take(&mut map, "is_anonymous").unwrap_or_default(),
            client_id: take(&mut map, "client_id"),
            app_metadata: map.remove("app_metadata").unwrap_or_default(),
            user_metadata: map.remove("user_metadata").unwrap_or_default(),
            rest: map,
        })
    }
}

/// Without what is personal.
impl fmt::Debug for Claims {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Claims")
            .field("sub", &self.sub)
            .field("role", &self.role)
            .field("exp", &self.exp)
            .field("aal", &self.aal)
            .finish_non_exhaustive()
    }
}

/// A token taken apart.
pub(super) struct Shown<'a> {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    pub(super) claims: Claims,
    /// What was signed: the first two parts as they came.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
}

impl<'a> Shown<'a> {
    /// Takes a token apart.
    pub(super) fn read(token: &'a Token) -> Result<Self, Error> {
        Self::parse(token.expose())
            .ok_or_else(|| Error::new(ErrorKind::Unauthenticated, "the access token is not a signed JWT"))
    }

    fn parse(text: &'a str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            kid: Option<String>,
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        Some(Self {
            claims: Claims::read(serde_json::from_slice(&decode(payload)?).ok()?)?,
            signature: decode(signature)?,
            alg: header.alg,
            kid: header.kid,
            signed,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn token(payload: &Value) -> Token {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Token::new(format!("{}.{}.c2ln", part(&json!({ "alg": "HS256" })), part(payload)))
    }

    fn claims(payload: &Value) -> Claims {
        Shown::read(&token(payload)).map(|shown| shown.claims).unwrap()
    }

    #[test]
    fn what_a_token_says_is_read_in_every_form_it_comes_in() {
        let id = Uuid::from_u128(7);
        let said = claims(&json!({
            "sub": id, "role": "authenticated", "exp": 1_000.9, "aud": "authenticated", "aal": "aal2",
            "amr": [{ "method": "totp", "timestamp": 5 }, "password"], "email": "s3cret@x", "tenant": 4,
            "is_anonymous": "not a bool"
        }));
        assert_eq!((said.user_id(), said.exp, said.aal), (Some(id), 1_000, Some(Level::Two)));
        assert_eq!(said.aud, ["authenticated"]);
        let methods: Vec<_> = said.amr.iter().map(|by| (by.method.as_str(), by.timestamp)).collect();
        assert_eq!(methods, [("totp", 5), ("password", 0)]);
        assert_eq!((said.rest.len(), said.rest["tenant"].as_u64(), said.is_anonymous), (1, Some(4), false));
        assert!(!format!("{said:?}").contains("s3cret"));
        assert_eq!(claims(&json!({ "exp": 1, "aud": ["a", "b"], "aal": "aal9" })).aud, ["a", "b"]);
        assert!(Level::One < Level::Two);
    }

    #[test]
    fn what_is_no_token_is_an_error_that_does_not_repeat_it() {
        let no_end = token(&json!({ "sub": "a" }));
        for text in ["", "s3cret", "s3cret.b.c", "..", "e30.e30.c2ln", no_end.expose()] {
            let error = Shown::read(&Token::new(text)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}", payload in "[ -~]{0,40}") {
            Shown::parse(&text);
            Shown::parse(&format!("eyJhbGciOiJFUzI1NiJ9.{}.AA", URL_SAFE_NO_PAD.encode(payload)));
        }
    }
}
