//! The keys by which a project's tokens are known to be its own, and how long they are kept.
//!
//! The algorithm is the key's, never the token's word alone: a token that names another than its key has is
//! refused. Source: RFC 7515, 7517, 7518, 8037.

use std::fmt;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::auth::claims::Shown;
use crate::auth::{Claims, Token, request};
use crate::client::Client;
use crate::error::{Error, ErrorKind};

/// A project's public keys, as `/auth/v1/.well-known/jwks.json` gives them: RS256, ES256, ES384 and EdDSA.
/// Keys of other kinds are passed over.
///
/// ```
/// # fn run(token: &supabase_sdk::Token, now: std::time::Duration) -> Result<(), supabase_sdk::Error> {
/// use supabase_sdk::auth::KeySet;
/// let keys = KeySet::from_json(br#"{ "keys": [] }"#)?;
/// let claims = keys.verify(token, now)?;
/// println!("{:?}", claims.user_id());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct KeySet(Vec<Key>);

#[derive(Clone)]
struct Key {
    kid: Option<String>,
    public: Public,
}

#[derive(Clone)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// What a key set says of a token.
pub(super) enum Verdict {
    Good,
    Forged,
    /// No key here is the one that is named.
    Unknown,
}

impl KeySet {
    /// Reads a key set.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when it is none.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Jwk>,
        }
        let set: Set = serde_json::from_slice(text)
            .map_err(|_| Error::new(ErrorKind::Protocol, "the project's public keys cannot be read"))?;
        Ok(Self(set.keys.into_iter().filter_map(Jwk::read).collect()))
    }

    /// Checks signature and end of a token; `now` is the time since 1970.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when it is no token, no key here signed it, or it has ended.
    pub fn verify(&self, token: &Token, now: Duration) -> Result<Claims, Error> {
        let claims = self.verify_signature(token)?;
        if claims.expires_within(Duration::ZERO, now) { Err(ended()) } else { Ok(claims) }
    }

    /// Checks the signature of a token that may have ended.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when it is no token or no key here signed it.
    pub fn verify_signature(&self, token: &Token) -> Result<Claims, Error> {
        let shown = Shown::read(token)?;
        match self.judge(&shown) {
            Verdict::Good => Ok(shown.claims),
            Verdict::Forged | Verdict::Unknown => Err(forged()),
        }
    }

    pub(super) fn judge(&self, shown: &Shown<'_>) -> Verdict {
        let named = |key: &&Key| shown.kid.is_some() && key.kid == shown.kid;
        let Some(key) = self.0.iter().find(named) else { return Verdict::Unknown };
        if key.public.signed(shown) { Verdict::Good } else { Verdict::Forged }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.iter().map(|key| &key.kid)).finish()
    }
}

pub(super) fn ended() -> Error {
    Error::new(ErrorKind::Unauthenticated, "the access token has ended")
}

pub(super) fn forged() -> Error {
    Error::new(ErrorKind::Unauthenticated, "the access token is not signed by this project")
}

impl Public {
    fn signed(&self, shown: &Shown<'_>) -> bool {
        let (message, signature) = (shown.signed.as_bytes(), shown.signature.as_slice());
        let good = match (self, shown.alg.as_str()) {
            (Self::Rsa { n, e }, "RS256") => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Self::P256(key), "ES256") => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature)
            }
            (Self::P384(key), "ES384") => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key).verify(message, signature)
            }
            (Self::Ed25519(key), "EdDSA" | "Ed25519") => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            _ => return false,
        };
        good.is_ok()
    }
}

/// A key as it stands in the document.
#[derive(Deserialize)]
struct Jwk {
    kid: Option<String>,
    #[serde(default)]
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Jwk {
    fn read(self) -> Option<Key> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        // A point as SEC 1 writes it, uncompressed.
        let point = || Some([vec![4], bytes(&self.x)?, bytes(&self.y)?].concat());
        let public = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let number = |text| Some(bytes(text)?.into_iter().skip_while(|byte| *byte == 0).collect());
                Public::Rsa { n: number(&self.n)?, e: number(&self.e)? }
            }
            ("EC", Some("P-256")) => Public::P256(point()?),
            ("EC", Some("P-384")) => Public::P384(point()?),
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(&self.x)?),
            _ => return None,
        };
        Some(Key { kid: self.kid, public })
    }
}

/// The project's keys, fetched when they are needed and kept for a while.
#[derive(Default)]
pub(crate) struct KeyCache(Mutex<Option<(KeySet, Instant)>>);

impl KeyCache {
    /// How long a key set is believed. The server lets it be kept as long.
    const FRESH: Duration = Duration::from_secs(600);
    /// How soon a key that is not in it is looked for again, so that made-up names cause no flood.
    const AGAIN: Duration = Duration::from_secs(10);

    /// What the project's keys say of a token. They are fetched once for however many ask.
    pub(super) async fn judge(&self, client: &Client, shown: &Shown<'_>) -> Result<Verdict, Error> {
        let mut kept = self.0.lock().await;
        if let Some((keys, at)) = kept.as_ref().filter(|(_, at)| at.elapsed() < Self::FRESH) {
            match keys.judge(shown) {
                Verdict::Unknown if at.elapsed() >= Self::AGAIN => {}
                known => return Ok(known),
            }
        }
        let answer = client.send(request::keys()).await?.accepted()?;
        let keys = KeySet::from_json(&answer.body)?;
        let verdict = keys.judge(shown);
        *kept = Some((keys, Instant::now()));
        Ok(verdict)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    };
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn b64(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A key as the document has it, and a token that it signed.
    fn signed(alg: &str, jwk: Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> (Value, Token) {
        let header = json!({ "alg": alg, "kid": alg });
        let text =
            format!("{}.{}", b64(header.to_string()), b64(json!({ "sub": "7", "exp": 1_000 }).to_string()));
        let signature = b64(sign(text.as_bytes()));
        let mut jwk = jwk;
        jwk["kid"] = alg.into();
        (jwk, Token::new(format!("{text}.{signature}")))
    }

    fn elliptic(alg: &str, curve: &str, algorithm: &'static EcdsaSigningAlgorithm) -> (Value, Token) {
        let key = EcdsaKeyPair::generate(algorithm).unwrap();
        let point = key.public_key().as_ref()[1..].to_vec();
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "x": b64(x), "y": b64(y) });
        signed(alg, jwk, |text| key.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec())
    }

    fn all() -> Vec<(Value, Token)> {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        // PKCS #1: two numbers in a sequence, the first with a zero before it, the other 65537.
        let numbers = rsa.public_key().as_ref();
        let (n, e) = (&numbers[8..8 + 257], &numbers[numbers.len() - 3..]);
        let rsa_jwk = json!({ "kty": "RSA", "n": b64(n), "e": b64(e) });
        let ed = Ed25519KeyPair::generate().unwrap();
        let ed_jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(ed.public_key()) });
        vec![
            elliptic("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
            elliptic("ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
            signed("EdDSA", ed_jwk, |text| ed.sign(text).as_ref().to_vec()),
            signed("RS256", rsa_jwk, |text| {
                let mut signature = vec![0; rsa.public_modulus_len()];
                rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).unwrap();
                signature
            }),
        ]
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::from_json(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_token_is_good_under_its_own_key_and_no_other() {
        let made = all();
        let keys =
            |made: &[(Value, Token)]| set(&made.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
        let (mine, others) = (keys(&made), keys(&all()));
        let early = Duration::from_secs(999);
        for (_, token) in &made {
            assert_eq!(mine.verify(token, early).unwrap().sub.as_deref(), Some("7"));
            let late = mine.verify(token, Duration::from_secs(1_000)).unwrap_err();
            assert!(late.to_string().contains("ended"), "{late}");
            assert!(mine.verify_signature(token).is_ok());
            assert_eq!(others.verify(token, early).unwrap_err().kind(), ErrorKind::Unauthenticated);
        }
    }

    #[test]
    fn a_token_that_names_no_key_or_no_algorithm_is_not_believed() {
        let (jwk, token) = elliptic("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING);
        let (_, rest) = token.expose().split_once('.').unwrap();
        for header in [
            json!({ "alg": "none" }),
            json!({ "alg": "ES256" }),
            json!({ "alg": "none", "kid": "ES256" }),
            json!({ "alg": "HS256", "kid": "ES256" }),
            json!({ "alg": "RS256", "kid": "ES256" }),
        ] {
            let lie = Token::new(format!("{}.{rest}", b64(header.to_string())));
            assert!(set(std::slice::from_ref(&jwk)).verify(&lie, Duration::ZERO).is_err(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn one_bit_turned_anywhere_is_noticed(at in 0_usize..200, bit in 0_u8..8) {
            let (jwk, token) = elliptic("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING);
            let mut parts: Vec<Vec<u8>> =
                token.expose().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
            let mut at = at % parts.iter().map(Vec::len).sum::<usize>();
            for part in &mut parts {
                if at < part.len() {
                    part[at] ^= 1 << bit;
                    break;
                }
                at -= part.len();
            }
            let text: Vec<_> = parts.iter().map(b64).collect();
            prop_assert!(set(&[jwk]).verify(&Token::new(text.join(".")), Duration::ZERO).is_err());
        }

        #[test]
        fn no_document_makes_it_panic(text in "[ -~]{0,80}", n in ".{0,8}") {
            KeySet::from_json(text.as_bytes()).ok();
            let jwk = json!({ "kty": "RSA", "kid": "ES256", "n": n, "e": "AQAB" });
            let (_, token) = elliptic("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING);
            prop_assert!(set(&[jwk]).verify_signature(&token).is_err());
        }
    }
}
