//! Sign-ins that leave for a mailbox or a provider and come back.
//!
//! With PKCE, whoever begins one keeps a verifier and shows its challenge. What they come back with
//! is then a code instead of tokens, and only who shows code and verifier gets those, once. A trip to
//! a provider is kept with and without it: its id is the `state` the provider gives back.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use uuid::Uuid;

use super::{moment::Moment, reply::AuthError};

/// The hosted default.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(5);

/// What a verifier is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) text: String,
    /// `s256` or `plain`.
    pub(super) method: &'static str,
}

/// A sign-in that has not come back yet. It holds what signs in, so it has no `Debug`.
#[derive(Clone, FromRow)]
pub(super) struct Flow {
    pub(super) id: Uuid,
    pub(super) user_id: Option<Uuid>,
    pub(super) auth_code: String,
    pub(super) code_challenge: String,
    pub(super) code_challenge_method: String,
    pub(super) authentication_method: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) auth_code_issued_at: Option<DateTime<Utc>>,
    /// What the provider gave, if it led to one.
    pub(super) provider_access_token: Option<String>,
    pub(super) provider_refresh_token: Option<String>,
}

/// A sign-in that has left for a provider's page. It holds what signs in, so it has no `Debug`.
#[derive(Clone, FromRow)]
pub(super) struct Trip {
    /// The `state` it comes back with.
    pub(super) id: Uuid,
    /// Who it was, once it is back.
    pub(super) user_id: Option<Uuid>,
    /// What it leads to with PKCE.
    pub(super) auth_code: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) code_challenge_method: Option<String>,
    pub(super) provider_type: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) invite_token: Option<String>,
    /// Where it leads in the end.
    pub(super) referrer: Option<String>,
    /// Who it adds an identity to.
    pub(super) linking_target_id: Option<Uuid>,
    /// Where the verifier is kept that the provider is shown.
    pub(super) oauth_client_state_id: Option<Uuid>,
    pub(super) email_optional: bool,
}

impl Challenge {
    /// The challenge a request brings, if it brings one.
    pub(super) fn of(text: Option<&str>, method: Option<&str>) -> Result<Option<Self>, AuthError> {
        let (text, method) = match (text, method) {
            (None, None) => return Ok(None),
            (Some(text), Some(method)) => (text, method),
            _ => {
                let message = "PKCE flow requires code_challenge_method and code_challenge";
                return Err(AuthError::invalid(message));
            }
        };
        if !(43..=128).contains(&text.len()) {
            return Err(AuthError::invalid("code challenge has to be between 43 and 128 characters"));
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)) {
            let message = "code challenge can only contain alphanumeric characters, hyphens, periods, \
                           underscores and tildes";
            return Err(AuthError::invalid(message));
        }
        let method = match method.to_ascii_lowercase().as_str() {
            "s256" => "s256",
            "plain" => "plain",
            _ => return Err(AuthError::invalid("code challenge method not supported")),
        };
        Ok(Some(Self { text: text.to_owned(), method }))
    }
}

impl Flow {
    pub(super) fn new(moment: &mut Moment, user: Uuid, challenge: &Challenge, method: &str) -> Self {
        Self {
            id: moment.uuid(),
            user_id: Some(user),
            auth_code: moment.uuid().to_string(),
            code_challenge: challenge.text.clone(),
            code_challenge_method: challenge.method.to_owned(),
            authentication_method: method.to_owned(),
            created_at: moment.now,
            auth_code_issued_at: None,
            provider_access_token: None,
            provider_refresh_token: None,
        }
    }

    /// A magic link may lie in a mailbox for a while; everything else counts from its beginning.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        let since = match self.auth_code_issued_at {
            Some(issued) if self.authentication_method == "magiclink" => issued,
            _ => self.created_at,
        };
        is_over(since, now)
    }

    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
        match self.code_challenge_method.as_str() {
            "s256" => challenge_of(verifier) == self.code_challenge,
            _ => verifier == self.code_challenge,
        }
    }
}

impl Trip {
    pub(super) fn new(
        moment: &mut Moment,
        provider: &str,
        challenge: Option<Challenge>,
        referrer: String,
    ) -> Self {
        Self {
            id: moment.uuid(),
            user_id: None,
            auth_code: challenge.as_ref().map(|_| moment.uuid().to_string()),
            code_challenge_method: challenge.as_ref().map(|challenge| challenge.method.to_owned()),
            code_challenge: challenge.map(|challenge| challenge.text),
            provider_type: provider.to_owned(),
            created_at: moment.now,
            invite_token: None,
            referrer: Some(referrer),
            linking_target_id: None,
            oauth_client_state_id: None,
            email_optional: false,
        }
    }

    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        is_over(self.created_at, now)
    }
}

/// Whether what left then is back too late.
pub(super) fn is_over(since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now > since + GOOD_FOR
}

/// The challenge that is shown for a verifier, by SHA-256.
pub(super) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn flow(method: &str) -> Flow {
        // Both from appendix B of RFC 7636.
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let challenge = Challenge::of(Some(challenge), Some(method)).unwrap().unwrap();
        let mut moment = Moment::at(DateTime::UNIX_EPOCH, 1);
        Flow::new(&mut moment, Uuid::nil(), &challenge, "magiclink")
    }

    #[test]
    fn only_its_verifier_meets_a_challenge() {
        assert!(flow("S256").is_met_by(VERIFIER));
        assert!(!flow("s256").is_met_by("another"));
        assert!(!flow("plain").is_met_by(VERIFIER));
        assert!(flow("plain").is_met_by(&flow("plain").code_challenge));
    }

    #[test]
    fn a_challenge_that_makes_no_sense_is_refused() {
        for (text, method) in [
            (Some(VERIFIER), None),
            (None, Some("s256")),
            (Some("short"), Some("s256")),
            (Some("with spaces with spaces with spaces with spaces"), Some("s256")),
            (Some(VERIFIER), Some("s512")),
        ] {
            assert!(Challenge::of(text, method).is_err(), "{text:?} {method:?}");
        }
        assert_eq!(Challenge::of(None, None).unwrap(), None);
    }

    #[test]
    fn a_magic_link_may_wait_in_the_mailbox() {
        let late = DateTime::UNIX_EPOCH + TimeDelta::minutes(30);
        let opened = Flow { auth_code_issued_at: Some(late), ..flow("s256") };
        assert!(flow("s256").is_over(late));
        assert!(!opened.is_over(late));
        assert!(Flow { authentication_method: "recovery".to_owned(), ..opened }.is_over(late));
    }
}
