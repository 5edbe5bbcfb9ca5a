//! What an admin can do with everybody's accounts.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, header::LINK},
    response::{IntoResponse, Json, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    Service,
    caller::require_admin,
    code::Purpose,
    contact::Contact,
    factor::Factor,
    mfa,
    moment::Moment,
    password,
    reply::{AuthError, UserReply},
    request::{self, AdminUser, Deletion, FactorChange, Page},
    store::Tx,
    user::{AUTHENTICATED, Identity, Metadata, User, merge},
};

pub(super) const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// `GET /admin/users`
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let page = Page::of(&query)?;
    let (size, skipped) = (i64::from(page.size), i64::from(page.number - 1));
    let mut tx = service.store.begin().await?;
    let (users, total) = tx.users(size, size * skipped).await?;
    let mut shown = Vec::with_capacity(users.len());
    for user in users {
        shown.push(json!(UserReply::new(&tx.profile(user).await?)));
    }
    let mut response = Json(json!({"users": shown, "aud": AUTHENTICATED})).into_response();
    let headers = response.headers_mut();
    headers.insert(TOTAL, HeaderValue::from(total));
    if let Ok(links) = HeaderValue::try_from(links(page, total)) {
        headers.insert(LINK, links);
    }
    Ok(response)
}

/// `POST /admin/users`
pub(super) async fn create(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut asked: AdminUser = request::read(&body)?;
    let contacts = contacts(&mut asked)?;
    let Some(first) = contacts.first() else {
        return Err(AuthError::invalid("Cannot create a user without either an email or phone"));
    };
    let (id, ban) = (asked.id()?, asked.ban()?);
    let hash = first_hash(&mut asked, &mut moment).await?;
    let mut user = User::new(&mut moment, Some(first), Some(hash));
    user.id = id.unwrap_or(user.id);
    contacts.iter().for_each(|contact| user.put(contact));
    user.user_metadata = asked.user_metadata.take().unwrap_or_default();
    if let Some(ban) = ban {
        user.ban(moment.now, ban);
    }
    let said = user.claims();
    let identities: Vec<_> =
        contacts.iter().map(|contact| Identity::new(&mut moment, &user, contact, said.clone())).collect();
    user.note_providers(&identities);
    let confirmed = amend(&mut user, asked, &moment);
    let mut tx = service.store.begin().await?;
    for contact in &contacts {
        if tx.user_at(contact).await?.is_some() {
            return Err(exists(contact));
        }
    }
    if !tx.add_user(&user).await.map_err(AuthError::database("Database error creating new user"))? {
        return Err(exists(first));
    }
    for (mut identity, contact) in identities.into_iter().zip(&contacts) {
        if confirmed.contains(&contact.provider()) {
            identity.verify(contact);
        }
        tx.put_identity(&identity).await?;
    }
    finish(tx, user.id).await
}

/// `GET /admin/users/{id}`
pub(super) async fn read(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let user = find(&mut tx, &id).await?;
    finish(tx, user.id).await
}

/// `PUT /admin/users/{id}`
pub(super) async fn change(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut asked: AdminUser = request::read(&body)?;
    let ban = asked.ban()?;
    let contacts = contacts(&mut asked)?;
    let mut tx = service.store.begin().await?;
    let mut user = find(&mut tx, &id).await?;
    if let Some(password) = asked.password.take() {
        password::check(&password)?;
        user.encrypted_password = Some(password::hash(password, moment.salt()).await?);
        tx.end_sessions(user.id, None).await?;
    }
    if let Some(ban) = ban {
        user.ban(moment.now, ban);
    }
    if let Some(changes) = asked.user_metadata.take() {
        merge(&mut user.user_metadata, changes);
    }
    contacts.iter().for_each(|contact| user.put(contact));
    let confirmed = amend(&mut user, asked, &moment);
    for contact in &contacts {
        let mut data = user.claims();
        let is_confirmed = confirmed.contains(&contact.provider());
        data.insert(format!("{}_verified", contact.provider()), Value::Bool(is_confirmed));
        tx.put_identity(&Identity::new(&mut moment, &user, contact, data)).await?;
    }
    if !contacts.is_empty() {
        user.is_anonymous = false;
        user.note_providers(&tx.identities(user.id).await?);
    }
    if !tx.save_user(&user, &moment).await.map_err(AuthError::database("Error updating user"))? {
        return Err(contacts.first().map_or_else(AuthError::email_exists, exists));
    }
    finish(tx, user.id).await
}

/// `DELETE /admin/users/{id}`
pub(super) async fn delete(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let asked: Deletion = if body.is_empty() { Deletion::default() } else { request::read(&body)? };
    let mut tx = service.store.begin().await?;
    let user = find(&mut tx, &id).await?;
    let failed = AuthError::database("Database error deleting user");
    if asked.should_soft_delete {
        forget(&mut tx, user, &moment).await.map_err(failed)?;
    } else {
        tx.remove_user(user.id).await.map_err(failed)?;
    }
    tx.commit().await?;
    Ok(Json(json!({})).into_response())
}

/// `GET /admin/users/{id}/factors`
pub(super) async fn factors(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let user = find(&mut tx, &id).await?;
    let factors = tx.factors(user.id).await?;
    Ok(Json(factors.iter().map(Factor::reply).collect::<Vec<_>>()).into_response())
}

/// `PUT /admin/users/{id}/factors/{id}`
pub(super) async fn change_factor(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path((id, factor)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let asked: FactorChange = request::read(&body)?;
    let mut tx = service.store.begin().await?;
    let mut factor = find_factor(&mut tx, &id, &factor).await?;
    if let Some(name) = asked.friendly_name {
        factor.friendly_name = Some(name);
    }
    if let (Some(phone), "phone") = (asked.phone, factor.factor_type.as_str()) {
        factor.phone = Some(Contact::phone(&phone)?.as_str().to_owned());
    }
    if !tx.save_factor(&factor, &moment).await? {
        return Err(AuthError::unprocessable("mfa_factor_name_conflict", "The name or number is taken"));
    }
    tx.commit().await?;
    factor.updated_at = moment.now;
    Ok(Json(factor.reply()).into_response())
}

/// `DELETE /admin/users/{id}/factors/{id}`
pub(super) async fn delete_factor(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path((id, factor)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let factor = find_factor(&mut tx, &id, &factor).await?;
    tx.remove_factor(factor.id).await?;
    tx.commit().await?;
    Ok(Json(factor.reply()).into_response())
}

async fn find_factor(tx: &mut Tx, user: &str, id: &str) -> Result<Factor, AuthError> {
    let user = find(tx, user).await?;
    mfa::find(tx, &user, id).await
}

/// Leaves the row, for whoever points at it, and nothing in it that says who it was. What was
/// unique stays unique, but can not be read back.
async fn forget(tx: &mut Tx, mut user: User, moment: &Moment) -> sqlx::Result<()> {
    let id = user.id;
    let hidden = |text: &str| URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{id}{text}")));
    let hidden_email = |email: &Option<String>| Some(hidden(email.as_deref().unwrap_or_default()));
    // As long as a number.
    let hidden_phone = |phone: &Option<String>| hidden_email(phone).map(|phone| phone[..15].to_owned());
    for identity in tx.identities(id).await? {
        let provider_id = hidden(&format!("{}:{}", identity.provider, identity.provider_id));
        tx.hide_identity(identity.id, &provider_id).await?;
    }
    for factor in tx.factors(id).await? {
        tx.remove_factor(factor.id).await?;
    }
    tx.remove_passkeys(id).await?;
    (user.email, user.phone) = (hidden_email(&user.email), hidden_phone(&user.phone));
    (user.email_change, user.phone_change) =
        (hidden_email(&user.email_change), hidden_phone(&user.phone_change));
    user.encrypted_password = Some(String::new());
    (user.app_metadata, user.user_metadata) = (Metadata::new(), Metadata::new());
    user.deleted_at = Some(moment.now);
    tx.clear_codes(user.id, &Purpose::ALL).await?;
    tx.end_sessions(user.id, None).await?;
    tx.save_user(&user, moment).await?;
    Ok(())
}

/// Somebody by their id, about to be changed.
pub(super) async fn find(tx: &mut Tx, id: &str) -> Result<User, AuthError> {
    let id = Uuid::parse_str(id)
        .map_err(|_| AuthError::not_found("validation_failed", "user_id must be an UUID"))?;
    tx.user_to_change(id).await?.ok_or_else(|| AuthError::not_found("user_not_found", "User not found"))
}

/// Commits, and shows somebody as they now are: a trigger may have had its say.
async fn finish(mut tx: Tx, id: Uuid) -> Result<Response, AuthError> {
    let user = tx.user(id).await?.ok_or_else(|| AuthError::unexpected("Database error loading user"))?;
    let profile = tx.profile(user).await?;
    tx.commit().await?;
    Ok(UserReply::new(&profile).into_response())
}

/// The addresses and numbers that were given, in the form they are kept in.
fn contacts(asked: &mut AdminUser) -> Result<Vec<Contact>, AuthError> {
    let email = asked.email.take().map(|email| Contact::email(&email)).transpose()?;
    let phone = asked.phone.take().map(|phone| Contact::phone(&phone)).transpose()?;
    Ok(email.into_iter().chain(phone).collect())
}

fn exists(contact: &Contact) -> AuthError {
    match contact {
        Contact::Email(_) => AuthError::email_exists(),
        Contact::Phone(_) => AuthError::phone_exists(),
    }
}

/// What creating and changing somebody have in common. Returns what it confirmed.
fn amend(user: &mut User, asked: AdminUser, moment: &Moment) -> Vec<&'static str> {
    if let Some(role) = asked.role {
        user.role = role;
    }
    if let Some(changes) = asked.app_metadata {
        merge(&mut user.app_metadata, changes);
    }
    let mut confirmed = Vec::new();
    if asked.email_confirm.unwrap_or(false) {
        user.confirm_email(moment.now);
        confirmed.push("email");
    }
    if asked.phone_confirm.unwrap_or(false) {
        user.confirm_phone(moment.now);
        confirmed.push("phone");
    }
    confirmed
}

/// The hash that was brought along, or that of the password, or of one nobody knows.
async fn first_hash(asked: &mut AdminUser, moment: &mut Moment) -> Result<String, AuthError> {
    let wrong = |message: &'static str| Err(AuthError::bad_request("validation_failed", message));
    match (asked.password.take(), asked.password_hash.take()) {
        (Some(_), Some(_)) => wrong("Only a password or a password hash should be provided"),
        (None, Some(hash)) if password::is_hash(&hash) => Ok(hash),
        (None, Some(_)) => wrong("The password hash is neither bcrypt nor argon2"),
        (Some(password), None) if !password.is_empty() => password::hash(password, moment.salt()).await,
        (Some(_) | None, None) => password::hash(moment.uuid().to_string(), moment.salt()).await,
    }
}

/// Where the next page and the last one are.
fn links(page: Page, total: i64) -> String {
    let size = i64::from(page.size);
    let last = (total + size - 1) / size;
    let mut links = String::new();
    let link = |number: i64, rel| format!("</admin/users?page={number}&per_page={size}>; rel=\"{rel}\"");
    if last > i64::from(page.number) {
        let _ = write!(links, "{}, ", link(i64::from(page.number) + 1, "next"));
    }
    links + &link(last, "last")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_links_to_the_next_one_until_there_is_none() {
        let links = |number| links(Page { number, size: 2 }, 3);
        let last = r#"</admin/users?page=2&per_page=2>; rel="last""#;
        assert_eq!(links(1), format!(r#"</admin/users?page=2&per_page=2>; rel="next", {last}"#));
        assert_eq!(links(2), last);
    }
}
