//! Messages on demand: `/otp`, `/recover`, `/resend` and `/reauthenticate`.
//!
//! Who asks is not told whether the address is known: the answer is the same, and the message
//! goes to who reads the mailbox.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::HeaderMap,
    response::Json,
};
use serde_json::{Value, json};

use super::{
    Service,
    caller::Caller,
    code::{Errand, Kind, Purpose},
    contact::Contact,
    flow::{Challenge, Flow},
    inbox::Message,
    moment::Moment,
    password,
    reply::AuthError,
    request::{self, Otp, Recovery, Resend},
    signup::{self, Confirming},
    store::Tx,
    user::User,
};

/// `POST /otp`: a code that signs in, for somebody new too unless they say otherwise.
pub(super) async fn otp(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, AuthError> {
    let asked: Otp = request::read(&body)?;
    let both = "Only an email address or phone number should be provided";
    let contact = Contact::of(asked.email.as_deref(), asked.phone.as_deref(), both)?
        .ok_or_else(|| AuthError::invalid("One of email or phone must be set"))?;
    if asked.channel.is_some() && matches!(contact, Contact::Email(_)) {
        return Err(AuthError::invalid("Channel should only be specified with Phone OTP"));
    }
    let challenge = asked.pkce.challenge()?;
    let redirect_to = request::redirect_to(&query, &headers, &service.settings.read());
    let mut tx = service.store.begin().await?;
    let known = tx.user_at_to_change(&contact).await?;
    let mut user = match known {
        Some(user) => user,
        None if asked.create_user == Some(false) => {
            return Err(AuthError::unprocessable("otp_disabled", "Signups not allowed for otp"));
        }
        None => {
            // A password nobody knows, as hosted: the account may be given one later.
            let hash = password::hash(moment.uuid().to_string(), moment.salt()).await?;
            signup::create(&mut tx, &contact, Some(hash), asked.data.unwrap_or_default(), &mut moment).await?
        }
    };
    let confirming = Confirming { redirect_to: &redirect_to, challenge: challenge.as_ref() };
    let message = if !user.is_confirmed(&contact) && service.must_confirm(&contact) {
        signup::ask_to_confirm(&service, &mut tx, &mut user, contact, confirming, &mut moment).await?
    } else {
        if !user.is_confirmed(&contact) {
            signup::confirm(&mut tx, &mut user, &contact, &moment).await?;
        }
        let kind = match contact {
            Contact::Email(_) => Kind::MagicLink,
            Contact::Phone(_) => Kind::Sms,
        };
        ask_to_sign_in(&service, &mut tx, &mut user, contact, kind, confirming, &mut moment).await?
    };
    sent(&service, tx, message).await
}

/// `POST /recover`: a code that signs in who has forgotten the password.
pub(super) async fn recover(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, AuthError> {
    let asked: Recovery = request::read(&body)?;
    let email = asked.email.as_deref();
    let email = email.ok_or_else(|| AuthError::invalid("Password recovery requires an email"))?;
    let contact = Contact::email(email)?;
    let challenge = asked.pkce.challenge()?;
    let redirect_to = request::redirect_to(&query, &headers, &service.settings.read());
    let mut tx = service.store.begin().await?;
    let Some(mut user) = tx.user_at_to_change(&contact).await? else { return Ok(Json(json!({}))) };
    let confirming = Confirming { redirect_to: &redirect_to, challenge: challenge.as_ref() };
    let kind = Kind::Recovery;
    let message =
        ask_to_sign_in(&service, &mut tx, &mut user, contact, kind, confirming, &mut moment).await?;
    sent(&service, tx, message).await
}

/// `POST /resend`: the same message again, with another code.
pub(super) async fn resend(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, AuthError> {
    let asked: Resend = request::read(&body)?;
    let kind = Kind::of(&asked.r#type).filter(|kind| kind.is_sent_again()).ok_or_else(|| {
        AuthError::invalid("Missing one of these types: signup, email_change, sms, phone_change")
    })?;
    let both = "Only an email address or phone number should be provided.";
    let contact = Contact::of(asked.email.as_deref(), asked.phone.as_deref(), both)?
        .ok_or_else(|| AuthError::invalid("Missing email address or phone number"))?;
    match (kind, &contact) {
        (Kind::SignUp, Contact::Phone(_)) => {
            return Err(AuthError::invalid("Type provided requires an email address"));
        }
        (Kind::Sms, Contact::Email(_)) => {
            return Err(AuthError::invalid("Type provided requires a phone number"));
        }
        _ => {} // a change may be asked for by either: whoever it belongs to is looked up
    }
    let challenge = asked.pkce.challenge()?;
    let redirect_to = request::redirect_to(&query, &headers, &service.settings.read());
    let confirming = Confirming { redirect_to: &redirect_to, challenge: challenge.as_ref() };
    let nothing = Ok(Json(json!({})));
    let mut tx = service.store.begin().await?;
    let Some(mut user) = tx.user_at_to_change(&contact).await? else { return nothing };
    let messages = match kind {
        Kind::EmailChange => {
            let Some(new) = user.email_change.clone() else { return nothing };
            ask_to_change_email(&service, &mut tx, &mut user, Contact::Email(new), confirming, &mut moment)
                .await?
        }
        Kind::PhoneChange => {
            let Some(new) = user.phone_change.clone() else { return nothing };
            vec![ask_to_change_phone(&service, &mut tx, &mut user, Contact::Phone(new), &mut moment).await?]
        }
        _ if user.is_confirmed(&contact) => return nothing,
        _ => {
            let asking =
                signup::ask_to_confirm(&service, &mut tx, &mut user, contact, confirming, &mut moment);
            vec![asking.await?]
        }
    };
    tx.commit().await?;
    let text = messages.iter().find(|message| message.channel == "sms").map(|message| message.id);
    messages.into_iter().for_each(|message| service.inbox.deliver(message));
    Ok(Json(text.map_or(json!({}), |id| json!({"message_id": id}))))
}

/// `GET /reauthenticate`: a code that allows a new password in an old session.
pub(super) async fn reauthenticate(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    let mut tx = service.store.begin().await?;
    let Caller { user, .. } = Caller::of(&service, &mut tx, &headers, &moment).await?;
    let gone = || AuthError::unexpected("Database error loading user");
    let mut user = tx.user_to_change(user.id).await?.ok_or_else(gone)?;
    let contact = user.contact().ok_or_else(|| {
        let message = "Reauthentication requires the user to have an email or a phone number";
        AuthError::unprocessable("validation_failed", message)
    })?;
    if !user.is_confirmed(&contact) {
        let (code, message) = match contact {
            Contact::Email(_) => ("email_not_confirmed", "Please verify your email first."),
            Contact::Phone(_) => ("phone_not_confirmed", "Please verify your phone first."),
        };
        return Err(AuthError::unprocessable(code, message));
    }
    let purpose = Purpose::Reauthentication;
    service.check_pace(&user, purpose, &contact, &moment)?;
    let errand = Errand { purpose, kind: "reauthentication", to: contact, redirect_to: "", challenge: None };
    let message = service.write(&mut tx, &mut user, errand, &mut moment).await?;
    sent(&service, tx, message).await
}

/// Draws the codes for a change of address: for the new one and, if that is how it is, the old.
pub(super) async fn ask_to_change_email(
    service: &Service,
    tx: &mut Tx,
    user: &mut User,
    new: Contact,
    confirming: Confirming<'_>,
    moment: &mut Moment,
) -> Result<Vec<Message>, AuthError> {
    service.check_pace(user, Purpose::EmailChangeNew, &new, moment)?;
    let Confirming { redirect_to, challenge } = confirming;
    if let Some(challenge) = challenge {
        let flow = Flow::new(moment, user.id, challenge, Kind::EmailChange.method());
        tx.add_flow(&flow, "email_change").await?;
    }
    user.email_change = Some(new.as_str().to_owned());
    user.email_change_confirm_status = 0;
    tx.save_user(user, moment).await?;
    tx.clear_codes(user.id, Kind::EmailChange.purposes()).await?;
    let mut messages = Vec::new();
    let old = user.email.clone().map(Contact::Email);
    if let Some(old) = old.filter(|_| service.settings.read().secure_email_change) {
        let purpose = Purpose::EmailChangeCurrent;
        let errand = Errand { purpose, kind: "email_change", to: old, redirect_to, challenge };
        messages.push(service.write(tx, user, errand, moment).await?);
    }
    let purpose = Purpose::EmailChangeNew;
    let errand = Errand { purpose, kind: "email_change", to: new, redirect_to, challenge };
    messages.push(service.write(tx, user, errand, moment).await?);
    Ok(messages)
}

/// Draws the code for a change of number.
pub(super) async fn ask_to_change_phone(
    service: &Service,
    tx: &mut Tx,
    user: &mut User,
    new: Contact,
    moment: &mut Moment,
) -> Result<Message, AuthError> {
    let purpose = Purpose::PhoneChange;
    service.check_pace(user, purpose, &new, moment)?;
    user.phone_change = Some(new.as_str().to_owned());
    tx.save_user(user, moment).await?;
    let errand = Errand { purpose, kind: "phone_change", to: new, redirect_to: "", challenge: None };
    service.write(tx, user, errand, moment).await
}

/// Draws a code that signs in somebody who has an account.
async fn ask_to_sign_in(
    service: &Service,
    tx: &mut Tx,
    user: &mut User,
    contact: Contact,
    kind: Kind,
    confirming: Confirming<'_>,
    moment: &mut Moment,
) -> Result<Message, AuthError> {
    let (purpose, name) = match kind {
        Kind::Sms => (Purpose::Confirmation, "sms"),
        Kind::Recovery => (Purpose::Recovery, "recovery"),
        _ => (Purpose::Recovery, "magiclink"), // nothing else signs in
    };
    service.check_pace(user, purpose, &contact, moment)?;
    let Confirming { redirect_to, challenge } = confirming;
    // A number has no link, so there is nowhere to come back from.
    let challenge: Option<&Challenge> = challenge.filter(|_| !kind.is_for_phones());
    if let Some(challenge) = challenge {
        tx.add_flow(&Flow::new(moment, user.id, challenge, kind.method()), name).await?;
    }
    let errand = Errand { purpose, kind: name, to: contact, redirect_to, challenge };
    service.write(tx, user, errand, moment).await
}

/// Commits, and only then puts the message where it is found.
async fn sent(service: &Service, tx: Tx, message: Message) -> Result<Json<Value>, AuthError> {
    tx.commit().await?;
    let reply = match message.channel {
        "sms" => json!({"message_id": message.id}),
        _ => json!({}),
    };
    service.inbox.deliver(message);
    Ok(Json(reply))
}
