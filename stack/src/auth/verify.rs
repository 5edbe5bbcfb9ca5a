//! `/verify`: a code that was sent, for what it proves.
//!
//! `POST` answers with a session. `GET` is the link in a mail: it sends the browser on, with the
//! session behind a `#`, or with a code that only who began the sign-in can use.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Json, Response},
};
use serde_json::json;
use url::Url;

use super::{
    Service,
    code::{Kind, PKCE, Purpose},
    contact::Contact,
    moment::Moment,
    redirect::{target_of, to, told, with_fragment, with_query},
    reply::AuthError,
    request::{self, Verification},
    signup,
    store::Tx,
    token::{self, Grant},
    user::{Identity, User},
};

const HALF: &str = "Confirmation link accepted. Please proceed to confirm link sent to the other email";
const EXPIRED_CODE: &str = "Token has expired or is invalid";
const EXPIRED_LINK: &str = "Email link is invalid or has expired";

/// What a code has led to.
enum Outcome {
    /// It proves who they are; what it was for.
    Proved(Box<User>, Purpose),
    /// The other of two addresses has not agreed yet.
    Half,
}

/// `POST /verify`
pub(super) async fn verify(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    let asked: Verification = request::read(&body)?;
    let kind = kind_of(&asked.r#type)?;
    let mut tx = service.store.begin().await?;
    let (hashes, expired) = hashes(&asked, kind)?;
    match accept(&service, &mut tx, kind, &hashes, expired, &mut moment).await? {
        Outcome::Proved(user, _) => {
            let grant = token::sign_in(&service, tx, *user, token::OTP, &headers, &mut moment).await?;
            Ok(grant.into_response())
        }
        Outcome::Half => {
            tx.commit().await?;
            Ok(Json(json!({"msg": HALF, "code": "200"})).into_response())
        }
    }
}

/// `GET /verify`
pub(super) async fn follow(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let written = request::value(&query, "type").unwrap_or_default();
    let token = request::value(&query, "token").unwrap_or_default();
    // Only what might be one of our links is worth going anywhere.
    if written.is_empty() {
        return Err(AuthError::invalid("Verify requires a verification type"));
    }
    if token.is_empty() {
        return Err(AuthError::invalid("Verify requires a token or a token hash"));
    }
    let target = request::redirect_to(&query, &headers, &service.settings.read());
    let target = target_of(&target, &service.settings.read())?;
    let is_flow = token.starts_with(PKCE);
    let led = enter(&service, written, token, is_flow, &headers, &mut moment).await;
    let target = match led {
        Ok(Entered::Session(grant, kind)) => with_fragment(target, &grant.fragment(&[("type", kind)])),
        Ok(Entered::Code(code)) => with_query(target, &[("code", &code)]),
        Ok(Entered::Half) => {
            let target = if is_flow { with_query(target, &[("message", HALF)]) } else { target };
            with_fragment(target, &told(&[("message", HALF)]))
        }
        Err(error) => refused(target, &error, is_flow),
    };
    Ok(to(StatusCode::SEE_OTHER, &target))
}

/// What a link has led to.
enum Entered {
    /// The tokens, and what the link was for.
    Session(Box<Grant>, &'static str),
    Code(String),
    Half,
}

async fn enter(
    service: &Service,
    written: &str,
    token: &str,
    is_flow: bool,
    headers: &HeaderMap,
    moment: &mut Moment,
) -> Result<Entered, AuthError> {
    let kind = Kind::of(written).filter(|kind| !kind.is_for_phones());
    let kind = kind.ok_or_else(|| AuthError::invalid("Invalid email verification type"))?;
    let mut tx = service.store.begin().await?;
    let hashes = [token.to_owned()];
    let (user, purpose) = match accept(service, &mut tx, kind, &hashes, EXPIRED_LINK, moment).await? {
        Outcome::Proved(user, purpose) => (user, purpose),
        Outcome::Half => {
            tx.commit().await?;
            return Ok(Entered::Half);
        }
    };
    if is_flow {
        let code = tx.issue_code(user.id, kind.method(), moment).await?;
        let missing = || AuthError::bad_request("flow_state_not_found", "No associated flow state found");
        let code = code.ok_or_else(missing)?;
        tx.commit().await?;
        return Ok(Entered::Code(code));
    }
    let grant = token::sign_in(service, tx, *user, token::OTP, headers, moment).await?;
    Ok(Entered::Session(Box::new(grant), kind.name_for(purpose)))
}

fn kind_of(written: &str) -> Result<Kind, AuthError> {
    if written.is_empty() {
        return Err(AuthError::invalid("Verify requires a verification type"));
    }
    Kind::of(written).ok_or_else(|| AuthError::invalid("Unsupported verification type"))
}

/// What may be kept of the code that is shown, and what is said if it is not.
fn hashes(asked: &Verification, kind: Kind) -> Result<(Vec<String>, &'static str), AuthError> {
    match (&asked.token, &asked.token_hash) {
        (None, None) | (Some(_), Some(_)) => {
            Err(AuthError::invalid("Verify requires either a token or a token hash"))
        }
        (None, Some(hash)) => {
            if asked.email.is_some() || asked.phone.is_some() {
                return Err(AuthError::invalid("Only the token_hash and type should be provided"));
            }
            Ok((vec![hash.clone()], EXPIRED_LINK))
        }
        (Some(token), None) => {
            let one = "Only an email address or phone number should be provided on verify";
            let contact = Contact::of(asked.email.as_deref(), asked.phone.as_deref(), one)?
                .ok_or_else(|| AuthError::invalid(one))?;
            match (&contact, kind.is_for_phones()) {
                (Contact::Email(_), true) => Err(AuthError::invalid("Invalid email verification type")),
                (Contact::Phone(_), false) => Err(AuthError::invalid("Invalid sms verification type")),
                (Contact::Email(_), false) | (Contact::Phone(_), true) => {
                    let hash = contact.hash(token);
                    // A code is as good typed as its link is opened.
                    Ok((vec![format!("{PKCE}{hash}"), hash], EXPIRED_CODE))
                }
            }
        }
    }
}

/// Uses a code up, and does what it allows.
async fn accept(
    service: &Service,
    tx: &mut Tx,
    kind: Kind,
    hashes: &[String],
    expired: &'static str,
    moment: &mut Moment,
) -> Result<Outcome, AuthError> {
    let expired = || AuthError::otp_expired(expired);
    let (user, _) = tx.code(hashes, kind.purposes()).await?.ok_or_else(expired)?;
    let mut user = tx.user_to_change(user).await?.ok_or_else(expired)?;
    // Again, now that nobody else can use it at the same time.
    let (_, purpose) = tx.code(hashes, kind.purposes()).await?.ok_or_else(expired)?;
    if user.is_banned(moment.now) {
        return Err(AuthError::forbidden("user_banned", "User is banned"));
    }
    if Purpose::is_over(user.sent_at(purpose), moment.now) {
        return Err(expired());
    }
    match (purpose, kind) {
        (Purpose::EmailChangeCurrent | Purpose::EmailChangeNew, _) => {
            let both = service.settings.read().secure_email_change;
            if both && user.email_change_confirm_status == 0 && user.email.is_some() {
                user.email_change_confirm_status = 1;
                tx.save_user(&user, moment).await?;
                tx.clear_codes(user.id, &[purpose]).await?;
                return Ok(Outcome::Half);
            }
            let new = user.email_change.clone().ok_or_else(expired)?;
            change_email(tx, &mut user, new, moment).await?;
        }
        (Purpose::PhoneChange, _) => {
            let new = user.phone_change.clone().ok_or_else(expired)?;
            change_phone(tx, &mut user, new, moment).await?;
        }
        (Purpose::Confirmation, Kind::Sms) => {
            let phone = user.phone.clone().map(Contact::Phone).ok_or_else(expired)?;
            signup::confirm(tx, &mut user, &phone, moment).await?;
        }
        (Purpose::Confirmation | Purpose::Recovery, _) => {
            let email = user.email.clone().map(Contact::Email).ok_or_else(expired)?;
            if !user.is_confirmed(&email) {
                signup::confirm(tx, &mut user, &email, moment).await?;
            }
        }
        (Purpose::Reauthentication, _) => return Err(expired()),
    }
    tx.clear_codes(user.id, &Purpose::ALL).await?;
    Ok(Outcome::Proved(Box::new(user), purpose))
}

/// Gives somebody another address, which counts as proved.
pub(super) async fn change_email(
    tx: &mut Tx,
    user: &mut User,
    new: String,
    moment: &mut Moment,
) -> Result<(), AuthError> {
    user.take_email(new.clone(), moment.now);
    take(tx, user, &Contact::Email(new), moment).await
}

/// Gives somebody another number, which counts as proved.
pub(super) async fn change_phone(
    tx: &mut Tx,
    user: &mut User,
    new: String,
    moment: &mut Moment,
) -> Result<(), AuthError> {
    user.take_phone(new.clone(), moment.now);
    take(tx, user, &Contact::Phone(new), moment).await
}

async fn take(tx: &mut Tx, user: &mut User, contact: &Contact, moment: &mut Moment) -> Result<(), AuthError> {
    let known = tx.identities(user.id).await?;
    let known = known.into_iter().find(|identity| identity.provider == contact.provider());
    let mut identity = known.unwrap_or_else(|| Identity::new(moment, user, contact, user.claims()));
    identity.verify(contact);
    tx.put_identity(&identity).await?;
    user.note_providers(&tx.identities(user.id).await?);
    if tx.save_user(user, moment).await.map_err(AuthError::database("Error confirming user"))? {
        return Ok(());
    }
    Err(match contact {
        Contact::Email(_) => AuthError::email_exists(),
        Contact::Phone(_) => AuthError::phone_exists(),
    })
}

fn refused(target: Url, error: &AuthError, is_flow: bool) -> Url {
    let said = error.told();
    let target = if is_flow { with_query(target, &said) } else { target };
    with_fragment(target, &told(&said))
}
