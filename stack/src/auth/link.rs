//! What an admin sends, or hands over, in somebody's name: invitations and links.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Json, Response},
};
use serde_json::json;

use super::{
    Service,
    caller::require_admin,
    code::{Errand, Purpose},
    contact::Contact,
    inbox::Message,
    moment::Moment,
    password,
    reply::{AuthError, UserReply},
    request::{self, Link},
    signup,
    store::Tx,
    user::{User, merge},
};

/// `POST /invite`
pub(super) async fn invite(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let asked: Link = request::read(&body)?;
    let contact = address(asked.email.as_deref())?;
    let redirect_to = request::redirect_to(&query, &headers, &service.settings.read());
    let mut tx = service.store.begin().await?;
    let mut user = invited(&mut tx, &contact, asked, &mut moment).await?;
    let purpose = Purpose::Confirmation;
    let errand = Errand { purpose, kind: "invite", to: contact, redirect_to: &redirect_to, challenge: None };
    let message = service.write(&mut tx, &mut user, errand, &mut moment).await?;
    let profile = tx.profile(user).await?;
    tx.commit().await?;
    service.inbox.deliver(message);
    Ok(UserReply::new(&profile).into_response())
}

/// `POST /admin/generate_link`: what would have been mailed, for the admin to mail.
pub(super) async fn generate(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut asked: Link = request::read(&body)?;
    let contact = address(asked.email.as_deref())?;
    let in_query = request::redirect_to(&query, &headers, &service.settings.read());
    let redirect_to = match (request::value(&query, "redirect_to"), asked.redirect_to.take()) {
        (None, Some(in_body)) => in_body,
        _ => in_query,
    };
    let mut tx = service.store.begin().await?;
    let known = tx.user_at_to_change(&contact).await?;
    if known.is_none() && asked.r#type == "magiclink" {
        "signup".clone_into(&mut asked.r#type);
        asked.password = Some(moment.uuid().to_string());
    }
    let kind = asked.r#type.clone();
    let (mut user, purpose, to) = match kind.as_str() {
        "signup" => (signed_up(&mut tx, &contact, asked, &mut moment).await?, Purpose::Confirmation, contact),
        "invite" => (invited(&mut tx, &contact, asked, &mut moment).await?, Purpose::Confirmation, contact),
        "magiclink" | "recovery" => (known.ok_or_else(unknown)?, Purpose::Recovery, contact),
        "email_change_current" | "email_change_new" => {
            let mut user = known.ok_or_else(unknown)?;
            let new = address(asked.new_email.as_deref())?;
            if tx.user_at(&new).await?.is_some_and(|other| other.id != user.id) {
                return Err(AuthError::email_exists());
            }
            user.email_change = Some(new.as_str().to_owned());
            user.email_change_confirm_status = 0;
            tx.save_user(&user, &moment).await?;
            if kind == "email_change_new" {
                (user, Purpose::EmailChangeNew, new)
            } else {
                (user, Purpose::EmailChangeCurrent, contact)
            }
        }
        _ => return Err(AuthError::invalid(format!("Invalid email action link type requested: {kind}"))),
    };
    let in_link: &'static str = match kind.as_str() {
        "signup" => "signup",
        "invite" => "invite",
        "magiclink" => "magiclink",
        "recovery" => "recovery",
        _ => "email_change", // the rest was refused above
    };
    let errand = Errand { purpose, kind: in_link, to, redirect_to: &redirect_to, challenge: None };
    // It is not delivered: whoever asked has it.
    let message = service.draw(&mut tx, &mut user, errand, &mut moment).await?;
    let profile = tx.profile(user).await?;
    tx.commit().await?;
    let Message { token, token_hash, link, .. } = message;
    let mut reply = json!(UserReply::new(&profile));
    reply["action_link"] = json!(link);
    reply["email_otp"] = json!(token);
    reply["hashed_token"] = json!(token_hash);
    reply["verification_type"] = json!(kind);
    reply["redirect_to"] = json!(redirect_to);
    Ok(Json(reply).into_response())
}

fn address(written: Option<&str>) -> Result<Contact, AuthError> {
    let missing = || AuthError::invalid("An email address is required");
    Contact::email(written.ok_or_else(missing)?)
}

fn unknown() -> AuthError {
    AuthError::not_found("user_not_found", "User with this email not found")
}

/// Somebody with that address who has not confirmed it yet, new or not.
async fn signed_up(
    tx: &mut Tx,
    contact: &Contact,
    asked: Link,
    moment: &mut Moment,
) -> Result<User, AuthError> {
    let said = asked.data.unwrap_or_default();
    match tx.user_at_to_change(contact).await? {
        Some(user) if user.is_confirmed(contact) => Err(AuthError::email_exists()),
        Some(mut user) => {
            merge(&mut user.user_metadata, said);
            tx.save_user(&user, moment).await?;
            Ok(user)
        }
        None => {
            let missing = || AuthError::invalid("Signup requires a valid password");
            let password = asked.password.ok_or_else(missing)?;
            password::check(&password)?;
            let hash = password::hash(password, moment.salt()).await?;
            signup::create(tx, contact, Some(hash), said, moment).await
        }
    }
}

/// The same without a password: they choose one when they come.
async fn invited(
    tx: &mut Tx,
    contact: &Contact,
    asked: Link,
    moment: &mut Moment,
) -> Result<User, AuthError> {
    let mut user = match tx.user_at_to_change(contact).await? {
        Some(user) if user.is_confirmed(contact) => return Err(AuthError::email_exists()),
        Some(user) => user,
        None => signup::create(tx, contact, None, asked.data.unwrap_or_default(), moment).await?,
    };
    user.invited_at = Some(moment.now);
    tx.save_user(&user, moment).await?;
    Ok(user)
}
