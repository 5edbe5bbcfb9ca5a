//! The token of who calls a function: any genuine one of the project is good, whoever it is for.
//!
//! A key that is no token (`sb_publishable_…`, `sb_secret_…`) is none here, as hosted.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{gateway::bearer, jwt::Keyring};

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    #[error("Missing authorization header")]
    None,
    #[error("Invalid JWT")]
    Format,
    #[error("Unsupported JWT algorithm: {0}")]
    Algorithm(String),
    /// One that is signed with the secret of the project.
    #[error("Invalid JWT")]
    Legacy,
    #[error("Invalid JWT")]
    Asymmetric,
}

impl Doubt {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::None => "UNAUTHORIZED_NO_AUTH_HEADER",
            Self::Format => "UNAUTHORIZED_INVALID_JWT_FORMAT",
            Self::Algorithm(_) => "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM",
            Self::Legacy => "UNAUTHORIZED_LEGACY_JWT",
            Self::Asymmetric => "UNAUTHORIZED_ASYMMETRIC_JWT",
        }
    }
}

pub(super) fn check(headers: &HeaderMap, keyring: &Keyring, now: i64) -> Result<(), Doubt> {
    let shown = headers.get(AUTHORIZATION).ok_or(Doubt::None)?;
    let token = shown.to_str().ok().and_then(bearer).ok_or(Doubt::Format)?;
    let algorithm = algorithm(token).ok_or(Doubt::Format)?;
    let doubt = match algorithm.as_str() {
        "HS256" => Doubt::Legacy,
        "ES256" | "RS256" => Doubt::Asymmetric,
        _ => return Err(Doubt::Algorithm(algorithm)),
    };
    keyring.verify(token, now).map(drop).map_err(|_| doubt)
}

/// None for what has not the form of a token.
fn algorithm(token: &str) -> Option<String> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, _, _] = parts[..] else { return None };
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    header.get("alg")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_needs_a_genuine_token_of_the_project() {
        let keyring = Keyring::of("secret").unwrap();
        let other = Keyring::of("other").unwrap();
        let claims = json!({"role": "anon", "exp": 100});
        let none = |alg: &str| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(json!({"alg": alg}).to_string()));
        for (shown, now, expected) in [
            (format!("Bearer {}", keyring.sign_hs256(&claims)), 99, Ok(())),
            (format!("bearer {}", keyring.sign_es256(&claims)), 99, Ok(())),
            (format!("Bearer {}", keyring.sign_hs256(&claims)), 100, Err(Doubt::Legacy)),
            (format!("Bearer {}", other.sign_hs256(&claims)), 99, Err(Doubt::Legacy)),
            (format!("Bearer {}", other.sign_es256(&claims)), 99, Err(Doubt::Asymmetric)),
            (format!("Bearer {}", none("RS256")), 99, Err(Doubt::Asymmetric)),
            (format!("Bearer {}", none("none")), 99, Err(Doubt::Algorithm("none".to_owned()))),
            ("Bearer sb_publishable_x".to_owned(), 99, Err(Doubt::Format)),
            ("Basic YTpi".to_owned(), 99, Err(Doubt::Format)),
            ("Bearer a.b.c".to_owned(), 99, Err(Doubt::Format)),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(&shown).unwrap())]);
            assert_eq!(check(&headers, &keyring, now), expected, "{shown}");
        }
        assert_eq!(check(&HeaderMap::new(), &keyring, 99), Err(Doubt::None));
    }
}
