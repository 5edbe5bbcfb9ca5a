//! What somebody signed in can do with their own account and sessions.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use super::{
    Service,
    caller::Caller,
    moment::Moment,
    password,
    reply::{AuthError, UserReply},
    request::{self, Scope, UserChange},
    user::{User, merge},
};

/// `GET /user`
pub(super) async fn read(
    State(service): State<Arc<Service>>,
    moment: Moment,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let mut tx = service.store.begin().await?;
    let caller = Caller::of(&service, &mut tx, &headers, &moment).await?;
    let identities = tx.identities(caller.user.id).await?;
    Ok(UserReply::new(&caller.user, &identities).into_response())
}

/// `PUT /user`
pub(super) async fn change(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    let asked: UserChange = request::read(&body)?;
    let mut tx = service.store.begin().await?;
    let Caller { user, session } = Caller::of(&service, &mut tx, &headers, &moment).await?;
    let gone = || AuthError::unexpected("Database error loading user");
    let mut user = tx.user_to_change(user.id).await?.ok_or_else(gone)?;
    refuse_what_needs_a_message(&asked, &user)?;
    if asked.app_metadata.is_some() {
        let message = "Updating app_metadata requires admin privileges";
        return Err(AuthError::forbidden("not_admin", message));
    }
    if let Some(password) = asked.password {
        user.encrypted_password = Some(new_password(password, &user, &mut moment).await?);
        tx.end_sessions(user.id, session.map(|session| session.id)).await?;
    }
    if let Some(data) = asked.data {
        merge(&mut user.user_metadata, data);
    }
    tx.save_user(&user, &moment).await?;
    user.updated_at = moment.now;
    let identities = tx.identities(user.id).await?;
    tx.commit().await?;
    Ok(UserReply::new(&user, &identities).into_response())
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

fn refuse_what_needs_a_message(asked: &UserChange, user: &User) -> Result<(), AuthError> {
    if asked.phone.is_some() {
        return Err(AuthError::not_imitated("PUT /user with a phone number"));
    }
    match &asked.email {
        Some(email) if Some(&request::email(email)?) != user.email.as_ref() => {
            Err(AuthError::not_imitated("PUT /user with another address, which has to be mailed to"))
        }
        Some(_) | None => Ok(()),
    }
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
