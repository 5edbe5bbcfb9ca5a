//! JSON Web Tokens signed with HS256, and nothing else.
//!
//! A token that names another algorithm is refused before its signature is looked at, so a
//! token can not choose how it is checked.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::Sha256;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Why a token is not believed. The texts are what the hosted service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    #[error("token is malformed: token contains an invalid number of segments")]
    Segments,
    #[error("token is malformed: could not base64 decode or JSON decode a segment")]
    Encoding,
    #[error("token signature is invalid: signing method is not HS256")]
    Algorithm,
    #[error("token signature is invalid: signature is invalid")]
    Signature,
    #[error("token has invalid claims: token is expired")]
    Expired,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// Signs claims.
pub(crate) fn sign(secret: &[u8], claims: &impl Serialize) -> String {
    // Claims are our own values with text keys, which JSON always has a form for.
    let payload = serde_json::to_vec(claims).unwrap_or_default();
    let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload));
    let tag = mac(secret, &signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The claims of a token that is genuine and, at `now` (Unix seconds), not expired.
pub(crate) fn verify(secret: &[u8], token: &str, now: i64) -> Result<Map<String, Value>, JwtError> {
    let (signed, tag) = token.rsplit_once('.').ok_or(JwtError::Segments)?;
    let (header, payload) = signed.split_once('.').ok_or(JwtError::Segments)?;
    if payload.contains('.') {
        return Err(JwtError::Segments);
    }
    if decode::<Header>(header)?.alg != "HS256" {
        return Err(JwtError::Algorithm);
    }
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| JwtError::Encoding)?;
    mac(secret, signed).verify_slice(&tag).map_err(|_| JwtError::Signature)?;
    let claims: Map<String, Value> = decode(payload)?;
    match claims.get("exp").and_then(Value::as_f64) {
        Some(expires) if expires <= now as f64 => Err(JwtError::Expired),
        Some(_) | None => Ok(claims),
    }
}

/// The wall clock in Unix seconds, for the edges that have to ask it.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn decode<T: for<'de> Deserialize<'de>>(segment: &str) -> Result<T, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).map_err(|_| JwtError::Encoding)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Encoding)
}

fn mac(secret: &[u8], message: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &[u8] = b"a secret of at least thirty-two characters";

    #[test]
    fn what_is_signed_is_read_back() {
        let token = sign(SECRET, &json!({"sub": "ana", "exp": 20}));
        assert_eq!(verify(SECRET, &token, 10).unwrap()["sub"], "ana");
    }

    #[test]
    fn a_token_is_refused_for_the_reason_it_deserves() {
        let good = sign(SECRET, &json!({"exp": 20}));
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), "e30");
        for (token, secret, now, reason) in [
            ("", SECRET, 0, JwtError::Segments),
            ("one.two", SECRET, 0, JwtError::Segments),
            ("a.b.c.d", SECRET, 0, JwtError::Segments),
            ("!.!.!", SECRET, 0, JwtError::Encoding),
            (&unsigned, SECRET, 0, JwtError::Algorithm),
            (&good, b"another".as_slice(), 0, JwtError::Signature),
            (&good, SECRET, 20, JwtError::Expired),
        ] {
            assert_eq!(verify(secret, token, now), Err(reason), "{token}");
        }
    }
}
