//! What an admin can do with everybody's accounts.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, header::LINK},
    response::{IntoResponse, Json, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Service,
    caller::require_admin,
    moment::Moment,
    password,
    reply::{AuthError, UserReply},
    request::{self, AdminUser, Deletion, Page},
    store::Tx,
    user::{AUTHENTICATED, Identity, User, merge},
};

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

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
    for user in &users {
        let identities = tx.identities(user.id).await?;
        shown.push(json!(UserReply::new(user, &identities)));
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
    refuse_phone(&asked)?;
    let Some(email) = asked.email.take() else {
        let message = "Cannot create a user without either an email or phone";
        return Err(AuthError::bad_request("validation_failed", message));
    };
    let email = request::email(&email)?;
    let (id, ban) = (asked.id()?, asked.ban()?);
    let hash = first_hash(&mut asked, &mut moment).await?;
    let mut user = User::new(&mut moment, email, hash);
    user.id = id.unwrap_or(user.id);
    user.user_metadata = asked.user_metadata.take().unwrap_or_default();
    if let Some(ban) = ban {
        user.ban(moment.now, ban);
    }
    let identity_data = user.claims();
    amend(&mut user, asked, &moment);
    let mut tx = service.store.begin().await?;
    if !tx.add_user(&user).await.map_err(AuthError::database("Database error creating new user"))? {
        return Err(AuthError::email_exists());
    }
    tx.put_identity(&Identity::email(&mut moment, &user, identity_data)).await?;
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
    refuse_phone(&asked)?;
    let ban = asked.ban()?;
    let email = asked.email.take().map(|email| request::email(&email)).transpose()?;
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
    let confirmed = asked.email_confirm.unwrap_or(false);
    amend(&mut user, asked, &moment);
    if let Some(email) = email {
        user.email = Some(email);
        let mut data = user.claims();
        data.insert("email_verified".to_owned(), Value::Bool(confirmed));
        tx.put_identity(&Identity::email(&mut moment, &user, data)).await?;
    }
    if !tx.save_user(&user, &moment).await.map_err(AuthError::database("Error updating user"))? {
        return Err(AuthError::email_exists());
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
    if asked.should_soft_delete {
        return Err(AuthError::not_imitated("DELETE /admin/users/{id} with should_soft_delete"));
    }
    let mut tx = service.store.begin().await?;
    let user = find(&mut tx, &id).await?;
    tx.remove_user(user.id).await.map_err(AuthError::database("Database error deleting user"))?;
    tx.commit().await?;
    Ok(Json(json!({})).into_response())
}

async fn find(tx: &mut Tx, id: &str) -> Result<User, AuthError> {
    let id = Uuid::parse_str(id)
        .map_err(|_| AuthError::not_found("validation_failed", "user_id must be an UUID"))?;
    tx.user_to_change(id).await?.ok_or_else(|| AuthError::not_found("user_not_found", "User not found"))
}

/// Commits, and shows somebody as they now are: a trigger may have had its say.
async fn finish(mut tx: Tx, id: Uuid) -> Result<Response, AuthError> {
    let user = tx.user(id).await?.ok_or_else(|| AuthError::unexpected("Database error loading user"))?;
    let identities = tx.identities(id).await?;
    tx.commit().await?;
    Ok(UserReply::new(&user, &identities).into_response())
}

/// What creating and changing somebody have in common.
fn amend(user: &mut User, asked: AdminUser, moment: &Moment) {
    if let Some(role) = asked.role {
        user.role = role;
    }
    if let Some(changes) = asked.app_metadata {
        merge(&mut user.app_metadata, changes);
    }
    if asked.email_confirm.unwrap_or(false) {
        user.confirm(moment.now);
    }
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

fn refuse_phone(asked: &AdminUser) -> Result<(), AuthError> {
    if asked.phone.is_some() { Err(AuthError::not_imitated("phone numbers of accounts")) } else { Ok(()) }
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
