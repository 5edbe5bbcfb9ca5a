//! Second factors: what a person has beside their password.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::auth::{Session, authority, reply, request};
use crate::client::Client;
use crate::error::Error;

/// Second factors of who is signed in. From [`crate::auth::Auth::mfa`].
#[derive(Debug, Clone)]
pub struct Mfa {
    client: Client,
}

/// A second factor, as Auth describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// Its id.
    pub id: String,
    /// `totp`, `phone` or `webauthn`.
    pub factor_type: String,
    /// `verified` once it was used, `unverified` before.
    #[serde(default)]
    pub status: String,
    /// What its owner calls it.
    #[serde(default)]
    pub friendly_name: Option<String>,
}

/// A factor to be set up: an app for one-time codes is shown the picture or the address.
#[derive(Clone, Deserialize)]
pub struct Enrolled {
    /// Its id.
    pub id: String,
    /// What a code app needs; none for a phone.
    #[serde(default)]
    pub totp: Option<Totp>,
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Enrolled({}, secret hidden)", self.id)
    }
}

/// What an app for one-time codes needs.
#[derive(Clone, Deserialize)]
pub struct Totp {
    /// The picture of the address, as SVG.
    pub qr_code: String,
    /// The secret, for who types it.
    pub secret: String,
    /// The address, `otpauth://…`.
    pub uri: String,
}

impl fmt::Debug for Totp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Totp(hidden)")
    }
}

/// A factor that has been asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Challenge {
    /// Its id.
    pub id: String,
    /// Until when it can be answered: seconds since 1970.
    pub expires_at: u64,
}

impl Mfa {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Begins to set up an app for one-time codes; it counts once a code of it was verified.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] when a factor of this name is there or there are too many.
    pub async fn enroll_totp(&self, friendly_name: &str, issuer: Option<&str>) -> Result<Enrolled, Error> {
        let mut body = json!({ "factor_type": "totp", "friendly_name": friendly_name });
        if let Some(issuer) = issuer {
            body["issuer"] = issuer.into();
        }
        self.client.send(request::factors("").json(&body)?).await?.accepted()?.json()
    }

    /// Begins to set up a phone.
    ///
    /// # Errors
    /// As [`Mfa::enroll_totp`].
    pub async fn enroll_phone(&self, friendly_name: &str, phone: &str) -> Result<Enrolled, Error> {
        let body = json!({ "factor_type": "phone", "friendly_name": friendly_name, "phone": phone });
        self.client.send(request::factors("").json(&body)?).await?.accepted()?.json()
    }

    /// Asks a factor; a phone is sent its code.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such factor.
    pub async fn challenge(&self, factor: &str) -> Result<Challenge, Error> {
        let request = request::factors(&format!("/{}/challenge", request::segment(factor)));
        self.client.send(request.json(&json!({ "factorId": factor }))?).await?.accepted()?.json()
    }

    /// Answers a challenge. The session is then one of the second level.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with code `mfa_verification_failed` for a wrong code.
    pub async fn verify(&self, factor: &str, challenge: &str, code: &str) -> Result<Session, Error> {
        let request = request::factors(&format!("/{}/verify", request::segment(factor)));
        let body = json!({ "challenge_id": challenge, "code": code });
        let answer = self.client.send(request.json(&body)?).await?.accepted()?;
        let session = reply::session(&answer, authority::now())?;
        self.client.authority().adopt(&session).await?;
        Ok(session)
    }

    /// Asks a factor and answers at once, as with a code from an app.
    ///
    /// # Errors
    /// As [`Mfa::challenge`] and [`Mfa::verify`].
    pub async fn challenge_and_verify(&self, factor: &str, code: &str) -> Result<Session, Error> {
        let challenge = self.challenge(factor).await?;
        self.verify(factor, &challenge.id, code).await
    }

    /// Takes a factor away.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] where the session's level is not enough.
    pub async fn unenroll(&self, factor: &str) -> Result<(), Error> {
        let mut request = request::factors(&format!("/{}", request::segment(factor)));
        request.method = http::Method::DELETE;
        self.client.send(request).await?.accepted().map(drop)
    }

    /// The factors of who is signed in, those that were never verified among them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is.
    pub async fn factors(&self) -> Result<Vec<Factor>, Error> {
        Ok(self.client.auth().user().await?.factors)
    }
}
