//! Passkeys: keys that a person's device keeps, instead of a password.
//!
//! The device speaks WebAuthn. What it is asked and what it answers are JSON as browsers write it
//! (`PublicKeyCredential.parseCreationOptionsFromJSON`, `toJSON`), and pass through here unread.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::{AuthEvent, Session, request};
use crate::client::Client;
use crate::error::Error;

/// Passkeys, of who is signed in or to sign in by. From [`crate::auth::Auth::passkeys`].
///
/// ```no_run
/// # async fn device_get(options: serde_json::Value) -> serde_json::Value { options }
/// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
/// let passkeys = client.auth().passkeys();
/// let asked = passkeys.start_sign_in(None).await?;
/// let answer = device_get(asked.options).await;        // the platform's WebAuthn
/// let session = passkeys.sign_in(asked.challenge_id, &answer).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Passkeys {
    client: Client,
}

/// A passkey, as Auth describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When somebody last signed in by it, RFC 3339.
    #[serde(default)]
    pub last_used_at: Option<String>,
}

/// What a device is asked.
#[derive(Debug, Clone, Deserialize)]
pub struct PasskeyChallenge {
    /// By which the answer is known to belong to it.
    pub challenge_id: Uuid,
    /// The `publicKey` part of what WebAuthn wants.
    pub options: Value,
    /// Until when it can be answered: seconds since 1970.
    pub expires_at: i64,
}

impl Passkeys {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// What a device is asked so that it makes a passkey for who is signed in.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is; [`crate::ErrorKind::Invalid`] with code
    /// `too_many_passkeys` and the like.
    pub async fn start_registration(&self) -> Result<PasskeyChallenge, Error> {
        let request = request::post("/passkeys/registration/options").json(&json!({}))?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// Takes the passkey the device made.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with code `webauthn_verification_failed` or `webauthn_challenge_expired`.
    pub async fn register(&self, challenge: Uuid, credential: &impl Serialize) -> Result<Passkey, Error> {
        let body = json!({ "challenge_id": challenge, "credential": written(credential)? });
        let request = request::post("/passkeys/registration/verify").json(&body)?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// What a device is asked so that somebody signs in by it; nobody says who they are. With the token of a
    /// captcha, where the project wants one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] where the project has no passkeys.
    pub async fn start_sign_in(&self, captcha: Option<&str>) -> Result<PasskeyChallenge, Error> {
        let security = captcha.map_or_else(|| json!({}), |token| json!({ "captcha_token": token }));
        let body = json!({ "gotrue_meta_security": security });
        let request = request::post("/passkeys/authentication/options").as_key().json(&body)?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// Signs in who the device answered for.
    ///
    /// # Errors
    /// As [`Passkeys::register`].
    pub async fn sign_in(&self, challenge: Uuid, credential: &impl Serialize) -> Result<Session, Error> {
        let body = json!({ "challenge_id": challenge, "credential": written(credential)? });
        let request = request::post("/passkeys/authentication/verify").as_key().json(&body)?;
        self.client.auth().enter(request, AuthEvent::SignedIn).await
    }

    /// The passkeys of who is signed in.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is.
    pub async fn list(&self) -> Result<Vec<Passkey>, Error> {
        self.client.send(request::get("/passkeys")).await?.accepted()?.json()
    }

    /// Calls a passkey something else, in 120 characters at most.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none of this id.
    pub async fn rename(&self, id: Uuid, friendly_name: &str) -> Result<Passkey, Error> {
        let request = request::patch(&format!("/passkeys/{id}"));
        let request = request.json(&json!({ "friendly_name": friendly_name }))?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// Takes a passkey away.
    ///
    /// # Errors
    /// As [`Passkeys::rename`].
    pub async fn remove(&self, id: Uuid) -> Result<(), Error> {
        self.client.send(request::delete(&format!("/passkeys/{id}"))).await?.accepted().map(drop)
    }
}

/// What a device answered, as JSON.
pub(super) fn written(credential: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(credential).map_err(|source| {
        Error::new(crate::ErrorKind::Invalid, "the device's answer cannot be written as JSON")
            .with_source(source)
    })
}
