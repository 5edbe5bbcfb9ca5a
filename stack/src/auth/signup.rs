//! `POST /signup`: a new account and, unless it has to be confirmed first, its first session.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use super::{
    Service,
    code::{Errand, Kind, Purpose},
    contact::Contact,
    flow::{Challenge, Flow},
    inbox::Message,
    moment::Moment,
    password,
    reply::{AuthError, UserReply},
    request::{self, SignUp},
    store::Tx,
    token,
    user::{Identity, Metadata, Profile, User, merge},
};

pub(super) async fn sign_up(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    let asked: SignUp = request::read(&body)?;
    let challenge = asked.pkce.challenge()?;
    let both = "Only an email address or phone number should be provided on signup.";
    let contact = Contact::of(asked.email.as_deref(), asked.phone.as_deref(), both)?;
    let said = asked.data.unwrap_or_default();
    let Some(contact) = contact else {
        return Ok(without_contact(&service, said, &headers, &mut moment).await?.into_response());
    };
    let secret = asked.password.ok_or_else(|| AuthError::invalid("Signup requires a valid password"))?;
    password::check(&secret)?;
    let hash = password::hash(secret, moment.salt()).await?;
    let must_confirm = service.must_confirm(&contact);
    let mut tx = service.store.begin().await?;
    let mut user = match tx.user_at_to_change(&contact).await? {
        Some(user) if user.is_confirmed(&contact) => {
            // Where addresses are confirmed, nobody learns here who has an account.
            return if must_confirm { Ok(pretend(&contact, said, &mut moment)) } else { Err(taken()) };
        }
        // Whoever asks now may not be who asked first: nothing they say is written down.
        Some(user) => user,
        None => create(&mut tx, &contact, Some(hash), said, &mut moment).await?,
    };
    if must_confirm {
        let redirect_to = request::redirect_to(&query, &headers, &service.settings.read());
        let confirming = Confirming { redirect_to: &redirect_to, challenge: challenge.as_ref() };
        let message = ask_to_confirm(&service, &mut tx, &mut user, contact, confirming, &mut moment).await?;
        let profile = tx.profile(user).await?;
        tx.commit().await?;
        service.inbox.deliver(message);
        return Ok(UserReply::new(&profile).into_response());
    }
    confirm(&mut tx, &mut user, &contact, &moment).await?;
    let grant = token::sign_in(&service, tx, user, token::PASSWORD, &headers, &mut moment).await?;
    Ok(grant.into_response())
}

/// Where a confirmation leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Confirming<'a> {
    pub(super) redirect_to: &'a str,
    pub(super) challenge: Option<&'a Challenge>,
}

/// Adds somebody who is reached there. A trigger may have its say.
pub(super) async fn create(
    tx: &mut Tx,
    contact: &Contact,
    hash: Option<String>,
    mut said: Metadata,
    moment: &mut Moment,
) -> Result<User, AuthError> {
    let mut user = User::new(moment, Some(contact), hash);
    merge(&mut said, user.claims());
    user.user_metadata = said.clone();
    let added = tx.add_user(&user).await;
    if !added.map_err(AuthError::database("Database error saving new user"))? {
        return Err(taken());
    }
    tx.put_identity(&Identity::new(moment, &user, contact, said)).await?;
    reload(tx, &user).await
}

/// Takes it as proved that somebody is reached there.
pub(super) async fn confirm(
    tx: &mut Tx,
    user: &mut User,
    contact: &Contact,
    moment: &Moment,
) -> Result<(), AuthError> {
    user.confirm(contact, moment.now);
    tx.save_user(user, moment).await.map_err(AuthError::database("Database error updating user"))?;
    for mut identity in tx.identities(user.id).await? {
        if identity.provider == contact.provider() {
            identity.verify(contact);
            tx.put_identity(&identity).await?;
        }
    }
    Ok(())
}

/// Draws the code that confirms a new account.
pub(super) async fn ask_to_confirm(
    service: &Service,
    tx: &mut Tx,
    user: &mut User,
    contact: Contact,
    confirming: Confirming<'_>,
    moment: &mut Moment,
) -> Result<Message, AuthError> {
    let (purpose, kind) = match contact {
        Contact::Email(_) => (Purpose::Confirmation, "signup"),
        Contact::Phone(_) => (Purpose::Confirmation, "sms"),
    };
    service.check_pace(user, purpose, &contact, moment)?;
    let Confirming { redirect_to, challenge } = confirming;
    if let Some(challenge) = challenge {
        let flow = Flow::new(moment, user.id, challenge, Kind::SignUp.method());
        tx.add_flow(&flow, contact.provider()).await?;
    }
    let errand = Errand { purpose, kind, to: contact, redirect_to, challenge };
    service.write(tx, user, errand, moment).await
}

pub(super) fn taken() -> AuthError {
    AuthError::unprocessable("user_already_exists", "User already registered")
}

/// Signs somebody in who does not say who they are.
async fn without_contact(
    service: &Service,
    said: Metadata,
    headers: &HeaderMap,
    moment: &mut Moment,
) -> Result<token::Grant, AuthError> {
    if !service.settings.read().anonymous {
        let message = "Anonymous sign-ins are disabled";
        return Err(AuthError::unprocessable("anonymous_provider_disabled", message));
    }
    let mut user = User::new(moment, None, None);
    user.user_metadata = said;
    let mut tx = service.store.begin().await?;
    tx.add_user(&user).await.map_err(AuthError::database("Database error saving new user"))?;
    let user = reload(&mut tx, &user).await?;
    token::sign_in(service, tx, user, token::ANONYMOUS, headers, moment).await
}

async fn reload(tx: &mut Tx, user: &User) -> Result<User, AuthError> {
    let gone = || AuthError::unexpected("Database error loading user after sign-up");
    tx.user(user.id).await?.ok_or_else(gone)
}

/// What a new account would look like, for an address that has one.
fn pretend(contact: &Contact, said: Metadata, moment: &mut Moment) -> Response {
    let mut user = User::new(moment, Some(contact), None);
    user.user_metadata = said;
    user.note_sent(Purpose::Confirmation, moment.now);
    let profile = Profile { user, identities: Vec::new(), factors: Vec::new() };
    UserReply::new(&profile).into_response()
}
