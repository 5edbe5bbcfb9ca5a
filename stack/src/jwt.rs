//! JSON Web Tokens signed with HS256 or ES256, and nothing else.
//!
//! Each way has a key of its own, so a token that names a way is checked with that way's key, and
//! can not choose how it is checked. The ES256 key is derived from the secret: a project has one
//! secret to keep, and the same public key after each start.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Builder;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Both keys of one project.
#[derive(Clone)]
pub(crate) struct Keyring {
    secret: Vec<u8>,
    signing: SigningKey,
    key_id: String,
}

/// Why a token is not believed. The texts are what the hosted service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    #[error("token is malformed: token contains an invalid number of segments")]
    Segments,
    #[error("token is malformed: could not base64 decode or JSON decode a segment")]
    Encoding,
    #[error("token signature is invalid: signing method is neither HS256 nor ES256")]
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

impl Keyring {
    pub(crate) fn of(secret: &str) -> anyhow::Result<Self> {
        let secret = secret.as_bytes().to_vec();
        // One in four billion digests is no scalar of the curve; the next one then is.
        let signing = (0..=u8::MAX)
            .find_map(|round| {
                let scalar = mac(&secret, &format!("ES256 signing key {round}")).finalize().into_bytes();
                SigningKey::from_slice(&scalar).ok()
            })
            .context("the secret leads to no key")?;
        let digest = Sha256::digest(signing.verifying_key().to_encoded_point(false).as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Ok(Self { secret, signing, key_id: Builder::from_random_bytes(id).into_uuid().to_string() })
    }

    /// Keys of its own for somebody else in the same project.
    pub(crate) fn derive(&self, purpose: &str) -> anyhow::Result<Self> {
        let secret = mac(&self.secret, purpose).finalize().into_bytes();
        Self::of(&URL_SAFE_NO_PAD.encode(secret))
    }

    pub(crate) fn sign_hs256(&self, claims: &impl Serialize) -> String {
        sign(&self.secret, claims)
    }

    pub(crate) fn sign_es256(&self, claims: &impl Serialize) -> String {
        let header = json!({"alg": "ES256", "kid": self.key_id, "typ": "JWT"});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let signed = format!("{header}.{}", encode(claims));
        let signature: Signature = self.signing.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// The claims of a token that is genuine and, at `now` (Unix seconds), not expired.
    pub(crate) fn verify(&self, token: &str, now: i64) -> Result<Map<String, Value>, JwtError> {
        if algorithm(token)? == "ES256" {
            let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Segments)?;
            let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtError::Encoding)?;
            let signature = Signature::from_slice(&signature).map_err(|_| JwtError::Signature)?;
            let key: &VerifyingKey = self.signing.verifying_key();
            key.verify(signed.as_bytes(), &signature).map_err(|_| JwtError::Signature)?;
            read(signed, now)
        } else {
            verify(&self.secret, token, now)
        }
    }

    /// The same token signed with HS256, for a service that believes nothing else.
    ///
    /// None if there is nothing to translate: it is signed so already, or it is not genuine, and
    /// then whoever checks it says so in its own words.
    pub(crate) fn translate(&self, token: &str, now: i64) -> Option<String> {
        if algorithm(token) != Ok("ES256".to_owned()) {
            return None;
        }
        Some(self.sign_hs256(&self.verify(token, now).ok()?))
    }

    /// What others check ES256 tokens with, as a JSON Web Key.
    pub(crate) fn public_key(&self) -> Value {
        let point = self.signing.verifying_key().to_encoded_point(false);
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // An uncompressed point: a byte that says so, and 32 for each coordinate.
        let (x, y) = point.as_bytes()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
            "kid": self.key_id, "x": coordinate(x), "y": coordinate(y),
        })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

/// Signs claims.
pub(crate) fn sign(secret: &[u8], claims: &impl Serialize) -> String {
    let signed = format!("{HEADER}.{}", encode(claims));
    let tag = mac(secret, &signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The claims of an HS256 token that is genuine and, at `now` (Unix seconds), not expired.
pub(crate) fn verify(secret: &[u8], token: &str, now: i64) -> Result<Map<String, Value>, JwtError> {
    if algorithm(token)? != "HS256" {
        return Err(JwtError::Algorithm);
    }
    let (signed, tag) = token.rsplit_once('.').ok_or(JwtError::Segments)?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| JwtError::Encoding)?;
    mac(secret, signed).verify_slice(&tag).map_err(|_| JwtError::Signature)?;
    read(signed, now)
}

/// How a token says it is signed.
fn algorithm(token: &str) -> Result<String, JwtError> {
    let mut segments = token.split('.');
    match (segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some(header), Some(_), Some(_), None) => Ok(decode::<Header>(header)?.alg),
        _ => Err(JwtError::Segments),
    }
}

/// The claims of what was signed, if they still hold.
fn read(signed: &str, now: i64) -> Result<Map<String, Value>, JwtError> {
    let (_, payload) = signed.split_once('.').ok_or(JwtError::Segments)?;
    let claims: Map<String, Value> = decode(payload)?;
    match claims.get("exp").and_then(Value::as_f64) {
        Some(expires) if expires <= now as f64 => Err(JwtError::Expired),
        Some(_) | None => Ok(claims),
    }
}

fn encode(claims: &impl Serialize) -> String {
    // Claims are our own values with text keys, which JSON always has a form for.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default())
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
    fn both_ways_to_sign_are_believed_with_their_own_key() {
        let (ours, other) = (Keyring::of("ours").unwrap(), Keyring::of("another's").unwrap());
        let claims = json!({"sub": "ana", "exp": 20});
        for token in [ours.sign_hs256(&claims), ours.sign_es256(&claims)] {
            assert_eq!(ours.verify(&token, 10).unwrap()["sub"], "ana");
            assert_eq!(ours.verify(&token, 20), Err(JwtError::Expired));
            assert_eq!(other.verify(&token, 10), Err(JwtError::Signature));
        }
        let translated = ours.translate(&ours.sign_es256(&claims), 10).unwrap();
        assert_eq!(verify(b"ours", &translated, 10).unwrap()["sub"], "ana");
        assert_eq!(ours.translate(&other.sign_es256(&claims), 10), None);
        assert_eq!(ours.translate(&translated, 10), None);
    }

    #[test]
    fn a_project_keeps_its_public_key() {
        let key = |secret| Keyring::of(secret).unwrap().public_key();
        assert_eq!(key("ours"), key("ours"));
        assert_ne!(key("ours"), key("another's"));
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
