//! What somebody signed in can do with their own account and sessions.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Json, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Service,
    caller::Caller,
    code::Purpose,
    contact::Contact,
    inbox::Message,
    moment::Moment,
    otp, password,
    reply::{AuthError, UserReply},
    request::{self, Scope, UserChange},
    session::Session,
    signup::Confirming,
    store::Tx,
    user::{User, merge},
    verify,
};

/// `GET /user`
pub(super) async fn read(
    State(service): State<Arc<Service>>,
    moment: Moment,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let mut tx = service.store.begin().await?;
    let caller = Caller::of(&service, &mut tx, &headers, &moment).await?;
    Ok(UserReply::new(&tx.profile(caller.user).await?).into_response())
}

/// `PUT /user`
pub(super) async fn change(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    let asked: UserChange = request::read(&body)?;
    let challenge = asked.pkce.challenge()?;
    let redirect_to = request::redirect_to(&query, &headers, &service.settings.read());
    let mut tx = service.store.begin().await?;
    let Caller { user, session } = Caller::of(&service, &mut tx, &headers, &moment).await?;
    let gone = || AuthError::unexpected("Database error loading user");
    let mut user = tx.user_to_change(user.id).await?.ok_or_else(gone)?;
    let (email, phone) = new_contacts(&asked, &user)?;
    if asked.app_metadata.is_some() {
        let message = "Updating app_metadata requires admin privileges";
        return Err(AuthError::forbidden("not_admin", message));
    }
    let password = asked.password.as_deref().is_some_and(|password| !password.is_empty());
    if password || email.is_some() || phone.is_some() {
        require_second_factor(&mut tx, &user, session.as_ref()).await?;
    }
    if user.is_anonymous && password && email.is_none() && phone.is_none() {
        let message = "Updating password of an anonymous user without an email or phone is not allowed";
        return Err(AuthError::unprocessable("validation_failed", message));
    }
    for contact in email.iter().chain(&phone) {
        if tx.user_at(contact).await?.is_some() {
            return Err(match contact {
                Contact::Email(_) => AuthError::email_exists(),
                Contact::Phone(_) => AuthError::phone_exists(),
            });
        }
    }
    if let Some(password) = asked.password {
        password::check(&password)?;
        reauthenticate(&service, &mut tx, &user, session.as_ref(), asked.nonce.as_deref(), &moment).await?;
        user.encrypted_password = Some(new_password(password, &user, &mut moment).await?);
        tx.end_sessions(user.id, session.map(|session| session.id)).await?;
    }
    if let Some(data) = asked.data {
        merge(&mut user.user_metadata, data);
    }
    tx.save_user(&user, &moment).await?;
    let confirming = Confirming { redirect_to: &redirect_to, challenge: challenge.as_ref() };
    let mut messages = Vec::new();
    if let Some(email) = email {
        messages = change_email(&service, &mut tx, &mut user, email, confirming, &mut moment).await?;
    }
    if let Some(phone) = phone {
        messages.extend(change_phone(&service, &mut tx, &mut user, phone, &mut moment).await?);
    }
    user.updated_at = moment.now;
    let profile = tx.profile(user).await?;
    tx.commit().await?;
    messages.into_iter().for_each(|message| service.inbox.deliver(message));
    Ok(UserReply::new(&profile).into_response())
}

/// `DELETE /user/identities/{id}`
pub(super) async fn unlink(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    let id = Uuid::parse_str(&id)
        .map_err(|_| AuthError::not_found("validation_failed", "identity_id must be an UUID"))?;
    let mut tx = service.store.begin().await?;
    let Caller { user, .. } = Caller::of(&service, &mut tx, &headers, &moment).await?;
    service.require_manual_linking()?;
    let gone = || AuthError::unexpected("Database error loading user");
    let mut user = tx.user_to_change(user.id).await?.ok_or_else(gone)?;
    let mut identities = tx.identities(user.id).await?;
    if identities.len() <= 1 {
        let message = "User must have at least 1 identity after unlinking";
        return Err(AuthError::unprocessable("single_identity_not_deletable", message));
    }
    let Some(place) = identities.iter().position(|identity| identity.id == id) else {
        return Err(AuthError::unprocessable("identity_not_found", "Identity doesn't exist"));
    };
    let unlinked = identities.remove(place);
    tx.remove_identity(id).await?;
    if unlinked.provider == "phone" {
        (user.phone, user.phone_confirmed_at) = (None, None);
    } else {
        user.email = identities.iter().find_map(|identity| identity.email.clone());
        user.email_confirmed_at = user.email_confirmed_at.filter(|_| user.email.is_some());
    }
    user.note_providers(&identities);
    if !tx.save_user(&user, &moment).await? {
        let message = "Unable to unlink identity due to email conflict";
        return Err(AuthError::unprocessable("email_conflict_identity_not_deletable", message));
    }
    tx.commit().await?;
    Ok(Json(json!({})))
}

/// `POST /logout`
pub(super) async fn sign_out(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<StatusCode, AuthError> {
    let scope = Scope::of(&query)?;
    let mut tx = service.store.begin().await?;
    let Caller { user, session } = Caller::of(&service, &mut tx, &headers, &moment).await?;
    match (scope, session) {
        (Scope::Local, Some(session)) => tx.end_session(session.id).await?,
        (Scope::Others, Some(session)) => tx.end_sessions(user.id, Some(session.id)).await?,
        (Scope::Global, _) | (_, None) => tx.end_sessions(user.id, None).await?,
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The address and the number that differ from what somebody has.
fn new_contacts(asked: &UserChange, user: &User) -> Result<(Option<Contact>, Option<Contact>), AuthError> {
    let email = asked.email.as_deref().map(Contact::email).transpose()?;
    let phone = asked.phone.as_deref().map(Contact::phone).transpose()?;
    Ok((
        email.filter(|email| user.email.as_deref() != Some(email.as_str())),
        phone.filter(|phone| user.phone.as_deref() != Some(phone.as_str())),
    ))
}

async fn require_second_factor(tx: &mut Tx, user: &User, session: Option<&Session>) -> Result<(), AuthError> {
    let has_factor = tx.factors(user.id).await?.iter().any(|factor| factor.is_verified());
    if !has_factor || session.is_some_and(Session::is_aal2) {
        return Ok(());
    }
    let message = "AAL2 session is required to update email or password when MFA is enabled.";
    Err(AuthError::insufficient_aal(StatusCode::UNAUTHORIZED, message))
}

/// In an old session, and if the project wants it, a new password needs a code.
async fn reauthenticate(
    service: &Service,
    tx: &mut Tx,
    user: &User,
    session: Option<&Session>,
    nonce: Option<&str>,
    moment: &Moment,
) -> Result<(), AuthError> {
    let recent = session.is_some_and(|session| !session.is_old(moment.now));
    if recent || !service.settings.read().secure_password_change {
        return Ok(());
    }
    let Some(nonce) = nonce else {
        let message = "Password update requires reauthentication";
        return Err(AuthError::bad_request("reauthentication_needed", message));
    };
    let wrong = || AuthError::unprocessable("reauthentication_not_valid", "Nonce has expired or is invalid");
    let purpose = Purpose::Reauthentication;
    let hash = user.contact().ok_or_else(wrong)?.hash(nonce);
    let (owner, _) = tx.code(&[hash], &[purpose]).await?.ok_or_else(wrong)?;
    if owner != user.id || Purpose::is_over(user.sent_at(purpose), moment.now) {
        return Err(wrong());
    }
    tx.clear_codes(user.id, &[purpose]).await?;
    Ok(())
}

/// Somebody anonymous has no old address to protect, and where a sign-up is confirmed at once, so
/// is this.
async fn change_email(
    service: &Service,
    tx: &mut Tx,
    user: &mut User,
    email: Contact,
    confirming: Confirming<'_>,
    moment: &mut Moment,
) -> Result<Vec<Message>, AuthError> {
    if user.is_anonymous && !service.must_confirm(&email) {
        verify::change_email(tx, user, email.as_str().to_owned(), moment).await?;
        return Ok(Vec::new());
    }
    otp::ask_to_change_email(service, tx, user, email, confirming, moment).await
}

async fn change_phone(
    service: &Service,
    tx: &mut Tx,
    user: &mut User,
    phone: Contact,
    moment: &mut Moment,
) -> Result<Option<Message>, AuthError> {
    if !service.must_confirm(&phone) {
        verify::change_phone(tx, user, phone.as_str().to_owned(), moment).await?;
        return Ok(None);
    }
    otp::ask_to_change_phone(service, tx, user, phone, moment).await.map(Some)
}

async fn new_password(password: String, user: &User, moment: &mut Moment) -> Result<String, AuthError> {
    password::check(&password)?;
    let old = user.encrypted_password.clone().filter(|hash| !hash.is_empty());
    if let Some(old) = old
        && password::is_right(password.clone(), old).await
    {
        let message = "New password should be different from the old password.";
        return Err(AuthError::unprocessable("same_password", message));
    }
    password::hash(password, moment.salt()).await
}
