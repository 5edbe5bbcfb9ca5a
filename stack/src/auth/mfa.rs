//! `/factors`: second factors, enrolled and shown.
//!
//! A verified factor raises the session it was shown in, and ends those in which none was. From
//! then on only such a session changes what matters.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Json, Response},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    Service,
    authenticator::{self, WEBAUTHN},
    caller::Caller,
    contact::Contact,
    factor::{Factor, MOST, Question, VERIFIED},
    inbox::{Message, subject},
    moment::Moment,
    reply::AuthError,
    request::{self, Answer, Enrolment},
    session::Session,
    store::Tx,
    token::{self, Grant},
    totp,
    user::User,
};

/// How long an enrolment may stay unfinished once another begins.
const UNFINISHED: TimeDelta = TimeDelta::minutes(5);

/// `POST /factors`
pub(super) async fn enrol(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, AuthError> {
    let asked: Enrolment = request::read(&body)?;
    let mut tx = service.store.begin().await?;
    let (user, session) = signed_in(&service, &mut tx, &headers, &moment).await?;
    match asked.factor_type.as_str() {
        "totp" | "phone" => {}
        WEBAUTHN => service.check_authenticators("mfa_webauthn_enroll_not_enabled")?,
        _ => return Err(AuthError::invalid("factor_type needs to be totp, phone, or webauthn")),
    }
    let phone = match (asked.factor_type.as_str(), &asked.phone) {
        ("phone", None) => return Err(AuthError::invalid("Phone number required to enroll Phone factor")),
        ("phone", Some(phone)) => Some(Contact::phone(phone)?.as_str().to_owned()),
        _ => None, // an app has no number
    };
    make_room(&mut tx, &user, &session, &asked, phone.as_deref(), &moment).await?;
    let secret = (asked.factor_type == "totp").then(|| totp::encode(&moment.secret()));
    let factor = Factor {
        id: moment.uuid(),
        user_id: user.id,
        friendly_name: asked.friendly_name.clone(),
        factor_type: asked.factor_type.clone(),
        status: "unverified".to_owned(),
        created_at: moment.now,
        updated_at: moment.now,
        secret: secret.clone(),
        phone,
        last_challenged_at: None,
    };
    if !tx.add_factor(&factor).await? {
        return Err(name_taken(asked.friendly_name.as_deref()));
    }
    tx.commit().await?;
    let mut reply = json!({
        "id": factor.id, "type": factor.factor_type, "friendly_name": asked.friendly_name.unwrap_or_default(),
    });
    if let Some(secret) = secret {
        let site = service.settings.read().site_url;
        let issuer = asked.issuer.unwrap_or_else(|| host(&site));
        let account = user.contact().map(|contact| contact.as_str().to_owned()).unwrap_or_default();
        let uri = totp::uri(&issuer, &account, &secret);
        reply["totp"] = json!({"qr_code": totp::picture(&uri)?, "secret": secret, "uri": uri});
    }
    if let Some(phone) = asked.phone.filter(|_| factor.phone.is_some()) {
        reply["phone"] = json!(phone);
    }
    Ok(Json(reply))
}

/// `POST /factors/{id}/challenge`
pub(super) async fn ask(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    let mut tx = service.store.begin().await?;
    let (user, _) = signed_in(&service, &mut tx, &headers, &moment).await?;
    let factor = find(&mut tx, &user, &id).await?;
    let mut ceremony = None;
    if factor.factor_type == WEBAUTHN {
        service.check_authenticators("mfa_webauthn_verify_not_enabled")?;
        ceremony = Some(authenticator::question(&service, &mut tx, &user, &factor, &mut moment).await?);
    }
    let mut question = Question {
        id: moment.uuid(),
        factor_id: factor.id,
        created_at: moment.now,
        verified_at: None,
        otp_code: None,
    };
    let mut message = None;
    if let Some(phone) = &factor.phone {
        service.check_limit(&Contact::Phone(phone.clone()))?;
        let code = moment.code();
        question.otp_code = Some(code.clone());
        message = Some(text(phone, code, &mut moment));
    }
    tx.add_question(&question).await?;
    let mut reply = json!({
        "id": question.id, "type": factor.factor_type, "expires_at": question.ends_at().timestamp(),
    });
    if let Some((ceremony, told)) = ceremony {
        tx.put_ceremony(question.id, &ceremony).await?;
        reply[WEBAUTHN] = told;
    }
    tx.commit().await?;
    message.into_iter().for_each(|message| service.inbox.deliver(message));
    Ok(Json(reply))
}

/// `POST /factors/{id}/verify`
pub(super) async fn answer(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Grant, AuthError> {
    let asked: Answer = request::read(&body)?;
    let mut tx = service.store.begin().await?;
    let (user, mut session) = signed_in(&service, &mut tx, &headers, &moment).await?;
    let mut factor = find(&mut tx, &user, &id).await?;
    let mut said = None;
    if factor.factor_type == WEBAUTHN {
        service.check_authenticators("mfa_webauthn_enroll_not_enabled")?; // hosted: not the other one
        said = Some(authenticator::check(&factor, asked.webauthn)?);
    }
    let question = tx.question(factor.id, asked.challenge_id).await?.ok_or_else(|| {
        let message = "MFA factor with the provided challenge ID not found";
        AuthError::unprocessable("mfa_factor_not_found", message)
    })?;
    if question.verified_at.is_some() {
        // The hosted service says so of a question that was answered, too.
        let message = "Challenge and verify IP addresses mismatch.";
        return Err(AuthError::unprocessable("mfa_ip_address_mismatch", message));
    }
    if moment.now > question.ends_at() {
        let message = format!(
            "MFA challenge {} has expired, verify against another challenge or create a new challenge.",
            question.id
        );
        return Err(AuthError::unprocessable("mfa_challenge_expired", message));
    }
    if let Some(said) = said {
        authenticator::answer(&service, &mut tx, &factor, &question, said).await?;
    } else {
        if !is_right(&mut tx, &factor, &question, &asked.code, &moment).await? {
            let message = match factor.phone {
                Some(_) => "Invalid MFA Phone code entered",
                None => "Invalid TOTP code entered",
            };
            return Err(AuthError::unprocessable("mfa_verification_failed", message));
        }
        tx.answer(question.id, &asked.code, &moment).await?;
    }
    VERIFIED.clone_into(&mut factor.status);
    tx.save_factor(&factor, &moment).await?;
    tx.raise_session(&session, factor.id, &moment).await?;
    "aal2".clone_into(&mut session.aal);
    tx.end_low_sessions(user.id).await?;
    tx.remove_unverified_factors(&factor).await?;
    token::go_on(&service, tx, user, &session, factor.method(), &mut moment).await
}

/// `DELETE /factors/{id}`
pub(super) async fn remove(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let mut tx = service.store.begin().await?;
    let (user, session) = signed_in(&service, &mut tx, &headers, &moment).await?;
    let factor = find(&mut tx, &user, &id).await?;
    if factor.is_verified() && !session.is_aal2() {
        let message = "AAL2 required to unenroll verified factor";
        return Err(AuthError::insufficient_aal(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    tx.remove_factor(factor.id).await?;
    tx.commit().await?;
    Ok(Json(json!({"id": factor.id})).into_response())
}

async fn signed_in(
    service: &Service,
    tx: &mut Tx,
    headers: &HeaderMap,
    moment: &Moment,
) -> Result<(User, Session), AuthError> {
    let Caller { user, session } = Caller::of(service, tx, headers, moment).await?;
    let missing =
        || AuthError::unexpected("A valid session and a registered user are required to enroll a factor");
    let session = session.ok_or_else(missing)?;
    // Locked before any factor or session of theirs is, as everywhere.
    let user = tx.user_to_change(user.id).await?.ok_or_else(missing)?;
    Ok((user, session))
}

/// A factor of somebody, if it is one.
pub(super) async fn find(tx: &mut Tx, user: &User, id: &str) -> Result<Factor, AuthError> {
    let id = Uuid::parse_str(id)
        .map_err(|_| AuthError::not_found("validation_failed", "factor_id must be an UUID"))?;
    let missing = || AuthError::not_found("mfa_factor_not_found", "Factor not found");
    tx.factor(user.id, id).await?.ok_or_else(missing)
}

/// Refuses a factor too many, and takes away what was begun and not finished.
async fn make_room(
    tx: &mut Tx,
    user: &User,
    session: &Session,
    asked: &Enrolment,
    phone: Option<&str>,
    moment: &Moment,
) -> Result<(), AuthError> {
    for factor in tx.factors(user.id).await? {
        if phone.is_none() || factor.phone.as_deref() != phone {
            continue;
        }
        if factor.is_verified() {
            let message = "A verified phone factor already exists, unenroll the existing factor to continue";
            return Err(AuthError::unprocessable("mfa_verified_factor_exists", message));
        }
        tx.remove_factor(factor.id).await?;
    }
    tx.remove_stale_factors(user.id, UNFINISHED, moment).await?;
    let factors = tx.factors(user.id).await?;
    // Two without a name are in each other's way too, as hosted.
    let name = |factor: &Factor| factor.friendly_name.clone().unwrap_or_default();
    let asked = asked.friendly_name.as_deref();
    if factors.iter().any(|factor| name(factor) == asked.unwrap_or_default()) {
        return Err(name_taken(asked));
    }
    if factors.len() >= MOST {
        let message = "Maximum number of verified factors reached, unenroll to continue";
        return Err(AuthError::unprocessable("too_many_enrolled_mfa_factors", message));
    }
    if factors.iter().any(Factor::is_verified) && !session.is_aal2() {
        let message = "AAL2 required to enroll a new factor";
        return Err(AuthError::insufficient_aal(StatusCode::FORBIDDEN, message));
    }
    Ok(())
}

fn name_taken(name: Option<&str>) -> AuthError {
    let name = name.unwrap_or_default();
    let message = format!("A factor with the friendly name {name:?} for this user already exists");
    AuthError::unprocessable("mfa_factor_name_conflict", message)
}

/// Whether the code is right and, if an app made it, was not shown before.
async fn is_right(
    tx: &mut Tx,
    factor: &Factor,
    question: &Question,
    code: &str,
    moment: &Moment,
) -> Result<bool, AuthError> {
    let Some(secret) = &factor.secret else { return Ok(question.otp_code.as_deref() == Some(code)) };
    let life = TimeDelta::seconds(totp::LIFE);
    Ok(totp::is_right(secret, code, moment.now.timestamp())
        && !tx.was_accepted(factor.id, code, life, moment).await?)
}

fn text(phone: &str, code: String, moment: &mut Moment) -> Message {
    Message {
        id: moment.uuid(),
        channel: "sms",
        to: phone.to_owned(),
        kind: "mfa",
        subject: subject("mfa"),
        token: code,
        token_hash: None,
        link: None,
        redirect_to: None,
        created_at: moment.now,
    }
}

fn host(site: &str) -> String {
    let host = Url::parse(site).ok().and_then(|site| {
        let host = site.host_str()?;
        Some(site.port().map_or(host.to_owned(), |port| format!("{host}:{port}")))
    });
    host.unwrap_or_default()
}
