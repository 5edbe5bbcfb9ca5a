//! Second factors: what a person has beside their password.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::auth::claims::Shown;
use crate::auth::passkey::written;
use crate::auth::{AuthEvent, Level, Method, Session, request};
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

/// How surely who is signed in is who they say, and could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assurance {
    /// What the session says.
    pub current: Level,
    /// What it would say after the second factor; the same where there is none or it was shown.
    pub next: Level,
    /// How they showed it, the newest first.
    pub methods: Vec<Method>,
}

/// Whom a device gives its answer to: the app's domain, and the addresses its pages are at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelyingParty {
    /// `garage.test`.
    pub rp_id: String,
    /// `https://garage.test`; none lets the domain stand for itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rp_origins: Vec<String>,
}

/// What a device is asked.
#[derive(Debug, Clone)]
pub struct WebAuthnChallenge {
    /// By which the answer is known to belong to it.
    pub id: String,
    /// `create` the first time, `request` from then on.
    pub kind: String,
    /// The `publicKey` part of what WebAuthn wants.
    pub options: Value,
    /// Until when it can be answered: seconds since 1970.
    pub expires_at: u64,
    party: RelyingParty,
}

fn of_factor(factor: &str, rest: &str) -> crate::Request {
    request::post(&format!("/factors/{}{rest}", request::segment(factor)))
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
        self.enroll(&body).await
    }

    /// Begins to set up a phone.
    ///
    /// # Errors
    /// As [`Mfa::enroll_totp`].
    pub async fn enroll_phone(&self, friendly_name: &str, phone: &str) -> Result<Enrolled, Error> {
        let body = json!({ "factor_type": "phone", "friendly_name": friendly_name, "phone": phone });
        self.enroll(&body).await
    }

    /// Begins to set up a device that speaks WebAuthn: [`Mfa::challenge_webauthn`] comes next.
    ///
    /// # Errors
    /// As [`Mfa::enroll_totp`].
    pub async fn enroll_webauthn(&self, friendly_name: &str) -> Result<Enrolled, Error> {
        self.enroll(&json!({ "factor_type": "webauthn", "friendly_name": friendly_name })).await
    }

    async fn enroll(&self, body: &Value) -> Result<Enrolled, Error> {
        self.client.send(request::post("/factors").json(body)?).await?.accepted()?.json()
    }

    /// Asks a factor; a phone is sent its code.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such factor.
    pub async fn challenge(&self, factor: &str) -> Result<Challenge, Error> {
        let request = of_factor(factor, "/challenge");
        self.client.send(request.json(&json!({ "factorId": factor }))?).await?.accepted()?.json()
    }

    /// Answers a challenge. The session is then one of the second level.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with code `mfa_verification_failed` for a wrong code.
    pub async fn verify(&self, factor: &str, challenge: &str, code: &str) -> Result<Session, Error> {
        let body = json!({ "challenge_id": challenge, "code": code });
        self.client.auth().enter(of_factor(factor, "/verify").json(&body)?, AuthEvent::MfaVerified).await
    }

    /// What a device is asked, to be made a factor or as one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such factor.
    pub async fn challenge_webauthn(
        &self,
        factor: &str,
        party: RelyingParty,
    ) -> Result<WebAuthnChallenge, Error> {
        #[derive(Deserialize)]
        struct Answer {
            id: String,
            expires_at: u64,
            webauthn: Asked,
        }
        #[derive(Deserialize)]
        struct Asked {
            r#type: String,
            credential_options: Options,
        }
        #[derive(Deserialize)]
        struct Options {
            #[serde(rename = "publicKey")]
            public_key: Value,
        }
        let body = json!({ "factorId": factor, "webauthn": party });
        let request = of_factor(factor, "/challenge").json(&body)?;
        let answer: Answer = self.client.send(request).await?.accepted()?.json()?;
        Ok(WebAuthnChallenge {
            id: answer.id,
            kind: answer.webauthn.r#type,
            options: answer.webauthn.credential_options.public_key,
            expires_at: answer.expires_at,
            party,
        })
    }

    /// Gives the device's answer. The session is then one of the second level.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] when it is not good.
    pub async fn verify_webauthn(
        &self,
        factor: &str,
        challenge: &WebAuthnChallenge,
        credential: &impl Serialize,
    ) -> Result<Session, Error> {
        let mut webauthn = json!(challenge.party);
        webauthn["type"] = challenge.kind.clone().into();
        webauthn["credential_response"] = written(credential)?;
        let body = json!({ "challenge_id": challenge.id, "webauthn": webauthn });
        self.client.auth().enter(of_factor(factor, "/verify").json(&body)?, AuthEvent::MfaVerified).await
    }

    /// How surely who is signed in is who they say, and could be, by the session that is here. A second factor
    /// that was set up elsewhere is known after the next renewal.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is signed in.
    pub async fn assurance(&self) -> Result<Assurance, Error> {
        let nobody = || Error::new(crate::ErrorKind::Unauthenticated, "nobody is signed in");
        let session = self.client.auth().session().await?.ok_or_else(nobody)?;
        let claims = Shown::read(&session.access_token)?.claims;
        let current = claims.aal.unwrap_or(Level::One);
        let second = session.user.factors.iter().any(|factor| factor.status == "verified");
        let next = if second { current.max(Level::Two) } else { current };
        Ok(Assurance { current, next, methods: claims.amr })
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
        let request = request::delete(&format!("/factors/{}", request::segment(factor)));
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
