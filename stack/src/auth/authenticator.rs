//! Second factors that are WebAuthn authenticators: a security key, a phone, the device itself.
//!
//! The first question makes a key, every later one asks that key; an answer of the other kind is
//! refused, since whoever has the first factor could always make another key. Which domain and
//! which pages may ask is a setting of the project, as hosted: what the question says about them
//! (`rpId`, `rpOrigins`) is not asked for.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Service,
    factor::{Factor, Question},
    moment::Moment,
    passkey,
    reply::AuthError,
    store::Tx,
    user::User,
    webauthn::{Ceremony, Credential},
};

/// As a factor is typed.
pub(super) const WEBAUTHN: &str = "webauthn";

/// What an authenticator says, in `POST /factors/{id}/verify`.
#[derive(Debug, Deserialize)]
pub(super) struct Saying {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    credential_response: Value,
}

impl Service {
    pub(super) fn check_authenticators(&self, code: &'static str) -> Result<(), AuthError> {
        if self.settings.read().webauthn_factors {
            return Ok(());
        }
        let message = match code {
            "mfa_webauthn_enroll_not_enabled" => "MFA enroll is disabled for WebAuthn",
            _ => "MFA verification is disabled for WebAuthn", // whatever else is asked of one
        };
        Err(AuthError::unprocessable(code, message))
    }
}

/// The question for a factor, and what the browser is told about it.
pub(super) async fn question(
    service: &Service,
    tx: &mut Tx,
    user: &User,
    factor: &Factor,
    moment: &mut Moment,
) -> Result<(Ceremony, Value), AuthError> {
    let (party, owner) = (service.relying_party(), passkey::owner(user));
    let (kind, ceremony, options) = if factor.is_verified() {
        let known: Vec<_> = known(tx, factor.id).await?.into_iter().collect();
        let ceremony = Ceremony::request(&party, moment.challenge(), Some(user.id), &known);
        let options = ceremony.request_options(&known);
        ("request", ceremony, options)
    } else {
        let mut others = Vec::new();
        for factor in tx.factors(user.id).await? {
            others.extend(known(tx, factor.id).await?);
        }
        let ceremony = Ceremony::create(&party, moment.challenge(), &owner);
        let options = ceremony.creation_options(&party, &owner, &others, false);
        ("create", ceremony, options)
    };
    Ok((ceremony, json!({"type": kind, "credential_options": {"publicKey": options}})))
}

/// Refuses what no authenticator says.
pub(super) fn check(factor: &Factor, said: Option<Saying>) -> Result<Saying, AuthError> {
    let said = said.ok_or_else(|| AuthError::invalid("WebAuthn config required"))?;
    if !["create", "request"].contains(&said.r#type.as_str()) {
        return Err(AuthError::invalid("WebAuthn type must be create or request"));
    }
    if said.credential_response.is_null() {
        return Err(AuthError::invalid("credential_response required"));
    }
    if (said.r#type == "request") != factor.is_verified() {
        return Err(AuthError::invalid("WebAuthn type does not fit the state of the factor"));
    }
    Ok(said)
}

/// Notes the key that answered, if the answer holds, and uses the question up.
pub(super) async fn answer(
    service: &Service,
    tx: &mut Tx,
    factor: &Factor,
    question: &Question,
    said: Saying,
) -> Result<(), AuthError> {
    let ceremony = tx.ceremony(question.id).await?.ok_or_else(failed)?;
    let party = service.relying_party();
    let unreadable = |_| AuthError::invalid("Invalid credential_response");
    let credential = if factor.is_verified() {
        let known: Vec<_> = known(tx, factor.id).await?.into_iter().collect();
        let answer = serde_json::from_value(said.credential_response).map_err(unreadable)?;
        ceremony.authenticate(&party, &answer, &known)
    } else {
        ceremony.register(&party, serde_json::from_value(said.credential_response).map_err(unreadable)?)
    };
    let credential = credential.map_err(|_| failed())?;
    tx.put_factor_key(factor.id, &write(&credential), credential.aaguid).await?;
    tx.remove_question(question.id).await?;
    Ok(())
}

async fn known(tx: &mut Tx, factor: Uuid) -> Result<Option<Credential>, AuthError> {
    Ok(tx.factor_key(factor).await?.as_ref().and_then(read))
}

/// A key as the hosted service keeps it beside a factor.
fn write(key: &Credential) -> Value {
    json!({
        "id": STANDARD.encode(&key.id),
        "publicKey": STANDARD.encode(&key.public_key),
        "attestationType": key.attestation,
        "transport": key.transports,
        "flags": {
            "userPresent": true, "userVerified": key.verified,
            "backupEligible": key.backup_eligible, "backupState": key.backed_up,
        },
        "authenticator": {
            "AAGUID": STANDARD.encode(key.aaguid), "signCount": key.counter, "cloneWarning": false,
            "attachment": "",
        },
    })
}

fn read(kept: &Value) -> Option<Credential> {
    let bytes = |value: &Value| STANDARD.decode(value.as_str()?).ok();
    let flag = |name| kept["flags"][name].as_bool().unwrap_or_default();
    let transports = kept["transport"].as_array().into_iter().flatten();
    Some(Credential {
        id: bytes(&kept["id"])?,
        public_key: bytes(&kept["publicKey"])?,
        attestation: kept["attestationType"].as_str().unwrap_or_default().to_owned(),
        aaguid: Uuid::from_slice(&bytes(&kept["authenticator"]["AAGUID"]).unwrap_or_default())
            .unwrap_or_default(),
        counter: u32::try_from(kept["authenticator"]["signCount"].as_u64()?).ok()?,
        transports: transports.filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        backup_eligible: flag("backupEligible"),
        backed_up: flag("backupState"),
        verified: flag("userVerified"),
    })
}

/// The hosted service says so of every answer that does not hold.
fn failed() -> AuthError {
    AuthError::unexpected("Failed to validate WebAuthn MFA response")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_kept() {
        let key = Credential {
            id: vec![1, 2, 255],
            public_key: vec![3],
            attestation: "none".to_owned(),
            aaguid: Uuid::from_u128(7),
            counter: 9,
            transports: vec!["usb".to_owned()],
            backup_eligible: true,
            backed_up: false,
            verified: true,
        };
        assert_eq!(read(&write(&key)), Some(key));
        assert_eq!(read(&json!({"id": "!"})), None);
        assert_eq!(read(&json!(null)), None);
    }
}
