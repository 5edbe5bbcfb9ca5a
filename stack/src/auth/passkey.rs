//! `/passkeys`: keys that sign somebody in without anything else, and what becomes of them.
//!
//! A question is good for five minutes and one answer, whatever the answer is. Who has a second
//! factor shows it before they add or remove a passkey.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Json,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    Service, admin,
    caller::{Caller, require_admin},
    contact::Contact,
    moment::Moment,
    reply::AuthError,
    request,
    session::Session,
    store::Tx,
    token::{self, Grant},
    user::User,
    webauthn::{Assertion, Ceremony, Credential, Owner, Registration, RelyingParty},
};

/// How a session calls the proof a passkey gives.
const METHOD: &str = "passkey";
/// The hosted defaults.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(5);
const MOST: usize = 10;
const LONGEST_NAME: usize = 120;

/// What a passkey is called at first: after who keeps it, if that is one of the common ones.
const KEEPERS: [(&str, &str); 9] = [
    ("08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello"),
    ("531126d6-e717-415c-9320-3d9aa6981239", "Dashlane"),
    ("6028b017-b1d4-4c02-b4b3-afcdafc96bb2", "Windows Hello"),
    ("9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "Windows Hello"),
    ("adce0002-35bc-c60a-648b-0b25f1f05503", "Chrome on Mac"),
    ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password"),
    ("d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden"),
    ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager"),
    ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "iCloud Keychain"),
];

/// A key that signs somebody in.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Passkey {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) credential_id: Vec<u8>,
    pub(super) public_key: Vec<u8>,
    pub(super) attestation_type: String,
    pub(super) aaguid: Option<Uuid>,
    pub(super) sign_count: i64,
    #[sqlx(json)]
    pub(super) transports: Vec<String>,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
    pub(super) friendly_name: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_used_at: Option<DateTime<Utc>>,
}

/// What a passkey is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Registration,
    Authentication,
}

/// A passkey, as its owner and the admins see it.
#[derive(Debug, Serialize)]
pub(super) struct PasskeyReply {
    id: Uuid,
    #[serde(skip_serializing_if = "String::is_empty")]
    friendly_name: String,
    created_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

/// `POST /passkeys/registration/verify` and `POST /passkeys/authentication/verify`
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    challenge_id: String,
    #[serde(default)]
    credential: Value,
}

/// `PATCH /passkeys/{id}`
#[derive(Debug, Deserialize)]
struct Naming {
    #[serde(default)]
    friendly_name: String,
}

impl Purpose {
    /// As the database calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Authentication => "authentication",
        }
    }
}

impl Passkey {
    fn new(moment: &mut Moment, user: &User, credential: Credential) -> Self {
        Self {
            id: moment.uuid(),
            user_id: user.id,
            friendly_name: keeper(credential.aaguid).to_owned(),
            credential_id: credential.id,
            public_key: credential.public_key,
            attestation_type: credential.attestation,
            aaguid: Some(credential.aaguid),
            sign_count: i64::from(credential.counter),
            transports: credential.transports,
            backup_eligible: credential.backup_eligible,
            backed_up: credential.backed_up,
            created_at: moment.now,
            last_used_at: None,
        }
    }

    fn credential(&self) -> Credential {
        Credential {
            id: self.credential_id.clone(),
            public_key: self.public_key.clone(),
            attestation: self.attestation_type.clone(),
            aaguid: self.aaguid.unwrap_or_default(),
            counter: u32::try_from(self.sign_count).unwrap_or_default(),
            transports: self.transports.clone(),
            backup_eligible: self.backup_eligible,
            backed_up: self.backed_up,
            verified: false,
        }
    }

    fn reply(self) -> PasskeyReply {
        let Self { id, friendly_name, created_at, last_used_at, .. } = self;
        PasskeyReply { id, friendly_name, created_at, last_used_at }
    }
}

impl Service {
    /// Who asks for passkeys and WebAuthn factors.
    pub(super) fn relying_party(&self) -> RelyingParty {
        let settings = self.settings.read();
        RelyingParty {
            id: settings.webauthn_rp_id,
            name: settings.webauthn_rp_name,
            origins: settings.webauthn_rp_origins,
        }
    }

    fn check_passkeys(&self) -> Result<(), AuthError> {
        if self.settings.read().passkeys {
            return Ok(());
        }
        Err(AuthError::not_found("passkey_disabled", "Passkeys are disabled"))
    }
}

/// `POST /passkeys/registration/options`
pub(super) async fn begin_registration(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    service.check_passkeys()?;
    let mut tx = service.store.begin().await?;
    let (user, session) = signed_in(&service, &mut tx, &headers, &moment).await?;
    require_second_factor(&mut tx, &user, session.as_ref()).await?;
    let known = credentials(&mut tx, &user).await?;
    check_number(&known)?;
    let (party, owner) = (service.relying_party(), owner(&user));
    let ceremony = Ceremony::create(&party, moment.challenge(), &owner);
    let options = ceremony.creation_options(&party, &owner, &known, true);
    ask(tx, Some(user.id), Purpose::Registration, &ceremony, options, &mut moment).await
}

/// `POST /passkeys/registration/verify`
pub(super) async fn register(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<PasskeyReply>, AuthError> {
    service.check_passkeys()?;
    let mut tx = service.store.begin().await?;
    let (user, session) = signed_in(&service, &mut tx, &headers, &moment).await?;
    require_second_factor(&mut tx, &user, session.as_ref()).await?;
    let (id, answer) = read(&body)?;
    let (mut tx, ceremony) = take(&service, tx, id, Some(user.id), Purpose::Registration, &moment).await?;
    let answer: Registration = serde_json::from_value(answer).map_err(|_| unreadable())?;
    let credential = ceremony.register(&service.relying_party(), answer).map_err(|_| unverified())?;
    // As they are once the lock is there: two at a time may not be one too many.
    let gone = || AuthError::unexpected("Database error loading user");
    let user = tx.user_to_change(user.id).await?.ok_or_else(gone)?;
    check_number(&credentials(&mut tx, &user).await?)?;
    let passkey = Passkey::new(&mut moment, &user, credential);
    if !tx.add_passkey(&passkey).await? {
        let message = "This credential is already registered";
        return Err(AuthError::unprocessable("webauthn_credential_exists", message));
    }
    tx.commit().await?;
    Ok(Json(passkey.reply()))
}

/// `POST /passkeys/authentication/options`
pub(super) async fn begin_authentication(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
) -> Result<Json<Value>, AuthError> {
    service.check_passkeys()?;
    let ceremony = Ceremony::request(&service.relying_party(), moment.challenge(), None, &[]);
    let options = ceremony.request_options(&[]);
    let tx = service.store.begin().await?;
    ask(tx, None, Purpose::Authentication, &ceremony, options, &mut moment).await
}

/// `POST /passkeys/authentication/verify`
pub(super) async fn authenticate(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Grant, AuthError> {
    service.check_passkeys()?;
    let (id, answer) = read(&body)?;
    let tx = service.store.begin().await?;
    let (mut tx, ceremony) = take(&service, tx, id, None, Purpose::Authentication, &moment).await?;
    let answer: Assertion = serde_json::from_value(answer).map_err(|_| unreadable())?;
    let owner = answer.owner().ok_or_else(unverified)?;
    // Locked, so that of two answers with one counter the second is refused.
    let user = tx.user_to_change(owner).await?.ok_or_else(unverified)?;
    let known = credentials(&mut tx, &user).await?;
    let credential =
        ceremony.authenticate(&service.relying_party(), &answer, &known).map_err(|_| unverified())?;
    check_entry(&user, &moment)?;
    tx.touch_passkey(&credential, &moment).await?;
    token::sign_in(&service, tx, user, METHOD, &headers, &mut moment).await
}

/// `GET /passkeys`
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    moment: Moment,
    headers: HeaderMap,
) -> Result<Json<Vec<PasskeyReply>>, AuthError> {
    service.check_passkeys()?;
    let mut tx = service.store.begin().await?;
    let (user, _) = signed_in(&service, &mut tx, &headers, &moment).await?;
    replies(&mut tx, &user).await
}

/// `PATCH /passkeys/{id}`
pub(super) async fn rename(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<PasskeyReply>, AuthError> {
    service.check_passkeys()?;
    let mut tx = service.store.begin().await?;
    let (user, _) = signed_in(&service, &mut tx, &headers, &moment).await?;
    let id = Uuid::parse_str(&id).map_err(|_| missing())?;
    let Naming { friendly_name: name } = request::read(&body)?;
    if name.is_empty() {
        return Err(AuthError::invalid("friendly_name is required"));
    }
    if name.len() > LONGEST_NAME {
        return Err(AuthError::invalid("friendly_name must be 120 characters or less"));
    }
    let passkey = tx.name_passkey(user.id, id, &name, &moment).await?.ok_or_else(missing)?;
    tx.commit().await?;
    Ok(Json(passkey.reply()))
}

/// `DELETE /passkeys/{id}`
pub(super) async fn remove(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, AuthError> {
    service.check_passkeys()?;
    let mut tx = service.store.begin().await?;
    let (user, session) = signed_in(&service, &mut tx, &headers, &moment).await?;
    require_second_factor(&mut tx, &user, session.as_ref()).await?;
    take_away(tx, &user, &id).await
}

/// `GET /admin/users/{id}/passkeys`
pub(super) async fn list_as_admin(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Vec<PasskeyReply>>, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let user = admin::find(&mut tx, &id).await?;
    service.check_passkeys()?;
    replies(&mut tx, &user).await
}

/// `DELETE /admin/users/{id}/passkeys/{id}`
pub(super) async fn remove_as_admin(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path((id, passkey)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let user = admin::find(&mut tx, &id).await?;
    service.check_passkeys()?;
    take_away(tx, &user, &passkey).await
}

/// Who somebody is, as an authenticator shows them.
pub(super) fn owner(user: &User) -> Owner {
    let name = user.contact().map(|contact| contact.as_str().to_owned()).unwrap_or_default();
    let said = user.user_metadata.get("name").and_then(Value::as_str).filter(|said| !said.is_empty());
    Owner { id: user.id, display_name: said.unwrap_or(&name).to_owned(), name }
}

async fn signed_in(
    service: &Service,
    tx: &mut Tx,
    headers: &HeaderMap,
    moment: &Moment,
) -> Result<(User, Option<Session>), AuthError> {
    let Caller { user, session } = Caller::of(service, tx, headers, moment).await?;
    if user.is_anonymous {
        let message = "Anonymous user not allowed to perform these actions";
        return Err(AuthError::forbidden("no_authorization", message));
    }
    Ok((user, session))
}

async fn require_second_factor(tx: &mut Tx, user: &User, session: Option<&Session>) -> Result<(), AuthError> {
    let has_factor = tx.factors(user.id).await?.iter().any(|factor| factor.is_verified());
    if !has_factor || session.is_some_and(Session::is_aal2) {
        return Ok(());
    }
    let message = "AAL2 session is required to manage passkeys when MFA is enabled";
    Err(AuthError::insufficient_aal(StatusCode::FORBIDDEN, message))
}

async fn credentials(tx: &mut Tx, user: &User) -> Result<Vec<Credential>, AuthError> {
    Ok(tx.passkeys(user.id).await?.iter().map(Passkey::credential).collect())
}

async fn replies(tx: &mut Tx, user: &User) -> Result<Json<Vec<PasskeyReply>>, AuthError> {
    Ok(Json(tx.passkeys(user.id).await?.into_iter().map(Passkey::reply).collect()))
}

async fn take_away(mut tx: Tx, user: &User, id: &str) -> Result<StatusCode, AuthError> {
    let id = Uuid::parse_str(id).map_err(|_| missing())?;
    if !tx.remove_passkey(user.id, id).await? {
        return Err(missing());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a question, and commits.
async fn ask(
    mut tx: Tx,
    user: Option<Uuid>,
    purpose: Purpose,
    ceremony: &Ceremony,
    options: Value,
    moment: &mut Moment,
) -> Result<Json<Value>, AuthError> {
    let (id, ends_at) = (moment.uuid(), moment.now + GOOD_FOR);
    tx.add_ceremony(id, user, purpose, ceremony, ends_at, moment).await?;
    tx.commit().await?;
    Ok(Json(json!({"challenge_id": id, "options": options, "expires_at": ends_at.timestamp()})))
}

fn read(body: &Bytes) -> Result<(Uuid, Value), AuthError> {
    let Answer { challenge_id, credential } = request::read(body)?;
    if challenge_id.is_empty() {
        return Err(AuthError::invalid("challenge_id is required"));
    }
    if credential.is_null() {
        return Err(AuthError::invalid("credential is required"));
    }
    let id = Uuid::parse_str(&challenge_id)
        .map_err(|_| AuthError::invalid("challenge_id must be a valid UUID"))?;
    Ok((id, credential))
}

/// Takes the question, and commits: a wrong answer uses it up too.
async fn take(
    service: &Service,
    mut tx: Tx,
    id: Uuid,
    user: Option<Uuid>,
    purpose: Purpose,
    moment: &Moment,
) -> Result<(Tx, Ceremony), AuthError> {
    let taken = tx.take_ceremony(id, user, purpose).await?;
    tx.commit().await?;
    let Some((ceremony, ends_at)) = taken else {
        let message = "Challenge not found or already used";
        return Err(AuthError::bad_request("webauthn_challenge_not_found", message));
    };
    if moment.now > ends_at {
        return Err(AuthError::bad_request("webauthn_challenge_expired", "Challenge has expired"));
    }
    Ok((service.store.begin().await?, ceremony))
}

/// A passkey proves who somebody is, and not that they may come in.
fn check_entry(user: &User, moment: &Moment) -> Result<(), AuthError> {
    let unproved = |contact: Option<&Contact>| contact.is_some_and(|contact| !user.is_confirmed(contact));
    if user.deleted_at.is_some() {
        return Err(AuthError::forbidden("user_not_found", "User not found"));
    }
    if unproved(user.email.clone().map(Contact::Email).as_ref()) {
        return Err(AuthError::forbidden("email_not_confirmed", "Email not confirmed"));
    }
    if unproved(user.phone.clone().map(Contact::Phone).as_ref()) {
        return Err(AuthError::forbidden("phone_not_confirmed", "Phone not confirmed"));
    }
    if user.is_banned(moment.now) {
        return Err(AuthError::forbidden("user_banned", "User is banned"));
    }
    Ok(())
}

fn check_number(known: &[Credential]) -> Result<(), AuthError> {
    if known.len() < MOST {
        return Ok(());
    }
    Err(AuthError::unprocessable("too_many_passkeys", "Maximum number of passkeys reached"))
}

fn unreadable() -> AuthError {
    AuthError::bad_request("webauthn_verification_failed", "Invalid credential response")
}

fn unverified() -> AuthError {
    AuthError::bad_request("webauthn_verification_failed", "Credential verification failed")
}

fn missing() -> AuthError {
    AuthError::not_found("validation_failed", "Passkey not found")
}

fn keeper(aaguid: Uuid) -> &'static str {
    let known = KEEPERS.iter().find(|(id, _)| Uuid::parse_str(id) == Ok(aaguid));
    known.map_or("Passkey", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_is_called_after_who_keeps_it() {
        assert_eq!(keeper(Uuid::nil()), "Passkey");
        for (id, name) in KEEPERS {
            assert_eq!(keeper(Uuid::parse_str(id).unwrap()), name);
        }
    }

    #[test]
    fn who_is_asked_is_called_as_they_call_themselves() {
        let mut moment = Moment::at(DateTime::UNIX_EPOCH, 1);
        let contact = Contact::Email("ana@example.com".to_owned());
        let mut user = User::new(&mut moment, Some(&contact), None);
        let shown = owner(&user);
        assert_eq!(
            (shown.name.as_str(), shown.display_name.as_str()),
            ("ana@example.com", "ana@example.com")
        );
        user.user_metadata.insert("name".to_owned(), json!("Ana"));
        assert_eq!(owner(&user).display_name, "Ana");
    }
}
