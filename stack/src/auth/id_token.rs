//! `POST /token?grant_type=id_token`: an ID token that an app got from a provider by itself.
//!
//! It is believed if a key of its issuer has signed it, if it is for one of our clients, and if the
//! nonce that is shown hashes to the one in it. With `link_identity` it does not sign anybody in, but
//! adds an identity to who already is.

use std::fmt::Write as _;

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Service,
    caller::Caller,
    claims::{Statement, audiences},
    jwks::{Doubt, KeySet},
    linking::{self, Entry},
    moment::Moment,
    provider::Provider,
    reply::AuthError,
    request::IdTokenGrant,
    token::{self, Grant},
    user::Metadata,
};

const INVALID: &str = "invalid request";
/// How far ahead of ours an issuer's clock may be.
const LEEWAY: i64 = 300;

/// A genuine ID token: what it says, and about what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IdToken {
    pub(super) subject: String,
    pub(super) audience: Vec<String>,
    nonce: String,
    access_token_hash: String,
    pub(super) claims: Metadata,
}

impl IdToken {
    /// Opens a token of this issuer, if at `now` (Unix seconds) it holds.
    pub(super) fn open(token: &str, keys: &KeySet, issuer: &str, now: i64) -> Result<Self, Doubt> {
        let claims = keys.open(token)?;
        let text = |name| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name| claims.get(name).and_then(Value::as_f64);
        if text("iss") != issuer {
            return Err(Doubt::Issuer);
        }
        if number("exp").is_none_or(|expires| expires < now as f64) {
            return Err(Doubt::Expired);
        }
        if number("nbf").is_some_and(|begins| begins > (now + LEEWAY) as f64) {
            return Err(Doubt::Early);
        }
        let audience = claims.get("aud").and_then(audiences).unwrap_or_default();
        Ok(Self {
            subject: text("sub"),
            audience,
            nonce: text("nonce"),
            access_token_hash: text("at_hash"),
            claims,
        })
    }

    /// Checks that it was made with this access token, if it says with which.
    pub(super) fn check_access_token(&self, access_token: &str) -> Result<(), Doubt> {
        let fits = self.access_token_hash.is_empty() || self.access_token_hash == hash_of(access_token);
        if fits { Ok(()) } else { Err(Doubt::AccessToken) }
    }

    /// Checks the nonce: the app shows it, and the token has its SHA-256 in hexadecimal digits.
    fn check_nonce(&self, shown: Option<&str>) -> Result<(), AuthError> {
        match (self.nonce.is_empty(), shown) {
            (true, None) => Ok(()),
            (false, Some(shown)) if self.nonce == hexadecimal(&Sha256::digest(shown)) => Ok(()),
            (false, Some(_)) => Err(AuthError::oauth("invalid nonce", "Nonces mismatch")),
            (true, Some(_)) | (false, None) => {
                let message = "Passed nonce and nonce in id_token should either both exist or not.";
                Err(AuthError::oauth(INVALID, message))
            }
        }
    }
}

/// What an ID token says of the access token it was made with: half of its hash.
pub(super) fn hash_of(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
}

pub(super) async fn grant(
    service: &Service,
    mut moment: Moment,
    headers: &HeaderMap,
    asked: IdTokenGrant,
) -> Result<Grant, AuthError> {
    let wrong = |message: &str| AuthError::oauth(INVALID, message);
    let shown = asked.id_token.as_deref().ok_or_else(|| wrong("id_token required"))?;
    if asked.provider.is_none() && (asked.client_id.is_none() || asked.issuer.is_none()) {
        return Err(wrong("provider or client_id and issuer required"));
    }
    let mut target = None;
    if asked.link_identity {
        let mut tx = service.store.begin().await?;
        target = Some(Caller::of(service, &mut tx, headers, &moment).await?.user.id);
    }
    let provider = provider(service, &asked).await?;
    let token = open(service, &provider, shown, &moment).await.map_err(|_| wrong("Bad ID token"))?;
    if let Some(access_token) = &asked.access_token {
        token.check_access_token(access_token).map_err(|_| wrong("Bad ID token"))?;
    }
    let statement = Statement::read(&token.claims, &provider.reading).map_err(|_| wrong("Bad ID token"))?;
    if statement.email.is_none() && !provider.email_optional {
        return Err(wrong("Bad ID token"));
    }
    if token.subject.is_empty() {
        return Err(wrong("Missing sub claim in id_token"));
    }
    if !provider.accepts(&token.audience) {
        let audience = token.audience.join(" ");
        return Err(wrong(&format!("Unacceptable audience in id_token: [{audience}]")));
    }
    if !provider.skip_nonce_check {
        token.check_nonce(asked.nonce.as_deref())?;
    }
    let mut tx = service.store.begin().await?;
    let entry = match target {
        Some(target) => linking::link(service, &mut tx, target, &provider, statement, &mut moment).await?,
        None => linking::enter(service, &mut tx, &provider, statement, &mut moment).await?,
    };
    match entry {
        Entry::Proved(user) => token::sign_in(service, tx, *user, token::OAUTH, headers, &mut moment).await,
        Entry::Unproved(unproved) => Err(unproved.commit(service, tx).await?),
    }
}

/// Whose token it is said to be.
async fn provider(service: &Service, asked: &IdTokenGrant) -> Result<Provider, AuthError> {
    let name = asked.provider.as_deref().unwrap_or_default();
    if name.starts_with("custom:") {
        let mut tx = service.store.begin().await?;
        let missing = || AuthError::invalid(format!("Custom provider {name:?} not found"));
        let custom = tx.custom_provider(name).await?.ok_or_else(missing)?;
        if !custom.enabled {
            let message = format!("Custom provider {name:?} is disabled");
            return Err(AuthError::bad_request("provider_disabled", message));
        }
        return match custom.provider() {
            Some(provider) if provider.issuer().is_some() => Ok(provider),
            _ => Err(AuthError::invalid(format!("Provider {name:?} is not an OIDC provider"))),
        };
    }
    let settings = service.settings.read();
    let named = settings.external.get_key_value(name).and_then(|(name, told)| service.external(name, told));
    let found = named.or_else(|| {
        let issuer = asked.issuer.as_deref()?;
        let mut all = settings.external.iter().filter_map(|(name, told)| service.external(name, told));
        all.find(|provider| provider.issuer() == Some(issuer))
    });
    match found {
        Some(provider) if provider.issuer().is_some() => Ok(provider),
        None if super::provider::KNOWN.contains(&name) => {
            let message =
                format!("Provider (issuer {:?}) is not enabled", asked.issuer.as_deref().unwrap_or(""));
            Err(AuthError::bad_request("provider_disabled", message))
        }
        Some(_) | None => Err(AuthError::invalid(format!("Custom OIDC provider {name:?} not allowed"))),
    }
}

/// Opens a token with the keys its issuer has now. Why it is not believed is not told further.
pub(super) async fn open(
    service: &Service,
    provider: &Provider,
    token: &str,
    moment: &Moment,
) -> Result<IdToken, AuthError> {
    let unbelieved = |_| AuthError::unexpected("The ID token is not believed");
    let silent = |_| AuthError::unexpected("The issuer can not be asked");
    let endpoints = service.outbound.endpoints(&provider.place).await.map_err(silent)?;
    let (Some(issuer), Some(keys)) = (provider.issuer(), &endpoints.keys) else {
        return Err(AuthError::unexpected("The provider has no issuer"));
    };
    let keys = service.outbound.keys(keys).await.map_err(silent)?;
    IdToken::open(token, &keys, issuer, moment.now.timestamp()).map_err(unbelieved)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
    use serde_json::json;

    use super::*;
    use crate::jwt::Keyring;

    fn open(claims: &Value, now: i64) -> Result<IdToken, Doubt> {
        let ring = Keyring::of("an issuer's").unwrap();
        let keys = KeySet::deserialize(json!({"keys": [ring.public_key()]})).unwrap();
        IdToken::open(&ring.sign_es256(claims), &keys, "https://idp.test", now)
    }

    #[test]
    fn a_token_holds_for_its_time_and_of_its_issuer() {
        let good = json!({"iss": "https://idp.test", "sub": "7", "aud": ["app"], "exp": 20, "nbf": 10});
        assert_eq!(open(&good, 20).unwrap().audience, ["app"]);
        assert_eq!(open(&good, 21), Err(Doubt::Expired));
        assert_eq!(open(&good, 9 - LEEWAY), Err(Doubt::Early));
        assert_eq!(open(&json!({"iss": "https://idp.test"}), 0), Err(Doubt::Expired));
        assert_eq!(open(&json!({"iss": "https://idp.test/", "exp": 20}), 0), Err(Doubt::Issuer));
    }

    #[test]
    fn a_nonce_is_shown_and_hashed_in_the_token_or_neither() {
        // sha256sum of "hello"
        let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let with =
            |nonce: &str| open(&json!({"iss": "https://idp.test", "exp": 20, "nonce": nonce}), 0).unwrap();
        assert_eq!(with(hash).check_nonce(Some("hello")), Ok(()));
        assert_eq!(with("").check_nonce(None), Ok(()));
        for (nonce, shown) in
            [(hash, Some("other")), (hash, None), ("", Some("hello")), ("hello", Some("hello"))]
        {
            assert!(with(nonce).check_nonce(shown).is_err(), "{nonce} {shown:?}");
        }
    }

    #[test]
    fn a_token_belongs_to_its_access_token() {
        let with =
            |hash: &str| open(&json!({"iss": "https://idp.test", "exp": 20, "at_hash": hash}), 0).unwrap();
        // The example of OpenID Connect Core, appendix A.3.
        let hash = hash_of("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(hash, "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(with(&hash).check_access_token("another"), Err(Doubt::AccessToken));
        assert_eq!(with("").check_access_token("another"), Ok(()));
    }
}
