//! `POST /token`: a password or a refresh token for a session's tokens.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, header::USER_AGENT},
    response::{IntoResponse, Response},
};

use super::{
    Service,
    moment::Moment,
    password,
    reply::{AuthError, SessionReply},
    request::{self, PasswordGrant, RefreshGrant},
    session::{AccessClaims, RefreshToken, Session, Verdict},
    store::Tx,
    user::User,
};
use crate::jwt;

/// How a proof by password is called.
pub(super) const PASSWORD: &str = "password";

pub(super) async fn grant(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    match request::value(&query, "grant_type").unwrap_or_default() {
        "password" => with_password(&service, moment, &headers, request::read(&body)?).await,
        "refresh_token" => with_refresh_token(&service, moment, request::read(&body)?).await,
        other @ ("pkce" | "id_token" | "web3") => {
            Err(AuthError::not_imitated(&format!("POST /token?grant_type={other}")))
        }
        _ => Err(AuthError::bad_request("invalid_credentials", "unsupported_grant_type")),
    }
}

/// Starts a session for somebody who has proved who they are by this method, and commits.
pub(super) async fn sign_in(
    service: &Service,
    mut tx: Tx,
    mut user: User,
    method: &str,
    headers: &HeaderMap,
    moment: &mut Moment,
) -> Result<Response, AuthError> {
    let session = Session::new(moment, &user);
    let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    tx.add_session(&session, user_agent, moment).await?;
    tx.add_proof(session.id, method, moment).await?;
    let refresh_token = moment.token();
    tx.add_token(&refresh_token, None, &session, moment).await?;
    tx.touch_user(user.id, moment).await?;
    (user.last_sign_in_at, user.updated_at) = (Some(moment.now), moment.now);
    issue(service, tx, &user, &session, &refresh_token, moment).await
}

async fn with_password(
    service: &Service,
    mut moment: Moment,
    headers: &HeaderMap,
    asked: PasswordGrant,
) -> Result<Response, AuthError> {
    let email = match (asked.email, asked.phone) {
        (Some(email), None) => email,
        (None, Some(_)) => {
            return Err(AuthError::unprocessable("phone_provider_disabled", "Phone logins are disabled"));
        }
        (None, None) => return Err(AuthError::bad_request("validation_failed", "missing email or phone")),
        (Some(_), Some(_)) => {
            let message = "Only an email address or phone number should be provided on login.";
            return Err(AuthError::bad_request("validation_failed", message));
        }
    };
    let mut tx = service.store.begin().await?;
    let user = tx.user_with_email(&email).await?.ok_or_else(AuthError::invalid_credentials)?;
    let hash = user.encrypted_password.clone().filter(|hash| !hash.is_empty());
    let hash = hash.ok_or_else(AuthError::invalid_credentials)?;
    if user.is_banned(moment.now) {
        return Err(AuthError::bad_request("user_banned", "User is banned"));
    }
    if !password::is_right(asked.password, hash).await {
        return Err(AuthError::invalid_credentials());
    }
    if !user.is_confirmed() {
        return Err(AuthError::bad_request("email_not_confirmed", "Email not confirmed"));
    }
    sign_in(service, tx, user, PASSWORD, headers, &mut moment).await
}

async fn with_refresh_token(
    service: &Service,
    mut moment: Moment,
    asked: RefreshGrant,
) -> Result<Response, AuthError> {
    let wrong = |code, message: &'static str| AuthError::bad_request(code, message);
    let shown = asked.refresh_token.ok_or_else(|| wrong("validation_failed", "refresh_token required"))?;
    let mut tx = service.store.begin().await?;
    let unknown = || wrong("refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
    let (token, user) = tx.refresh_token(&shown).await?.ok_or_else(unknown)?;
    let user = tx.user(user).await?.ok_or_else(unknown)?;
    if user.is_banned(moment.now) {
        return Err(wrong("user_banned", "Invalid Refresh Token: User Banned"));
    }
    let session = live_session(&mut tx, &token, &moment).await?;
    let active = tx.active_token(session.id).await?;
    let next = match token.judge(active.as_ref(), moment.now) {
        Verdict::Rotate => rotate(&mut tx, &token, &session, &mut moment).await?,
        Verdict::Repeat(next) => next,
        Verdict::Stolen => {
            tx.use_up_all(session.id, &moment).await?;
            tx.commit().await?;
            return Err(wrong("refresh_token_already_used", "Invalid Refresh Token: Already Used"));
        }
    };
    tx.touch_session(session.id, &moment).await?;
    issue(service, tx, &user, &session, &next, &moment).await
}

async fn live_session(tx: &mut Tx, token: &RefreshToken, moment: &Moment) -> Result<Session, AuthError> {
    let session = match token.session_id {
        Some(id) => tx.session(id).await?,
        None => None,
    };
    let Some(session) = session else {
        let message = "Invalid Refresh Token: No Valid Session Found";
        return Err(AuthError::bad_request("session_not_found", message));
    };
    if session.is_over(moment.now) {
        let message = "Invalid Refresh Token: Session Expired";
        return Err(AuthError::bad_request("session_expired", message));
    }
    Ok(session)
}

async fn rotate(
    tx: &mut Tx,
    token: &RefreshToken,
    session: &Session,
    moment: &mut Moment,
) -> Result<String, AuthError> {
    tx.use_up(token, moment).await?;
    let next = moment.token();
    tx.add_token(&next, Some(&token.token), session, moment).await?;
    Ok(next)
}

/// Signs an access token, and commits what led to it.
async fn issue(
    service: &Service,
    mut tx: Tx,
    user: &User,
    session: &Session,
    refresh_token: &str,
    moment: &Moment,
) -> Result<Response, AuthError> {
    let proofs = tx.proofs(session.id).await?;
    let identities = tx.identities(user.id).await?;
    tx.commit().await?;
    let claims = AccessClaims::new(&service.issuer, user, session, &proofs, moment.now);
    let access_token = jwt::sign(service.jwt_secret.as_bytes(), &claims);
    let reply = SessionReply::new(access_token, claims.expires_at(), refresh_token, user, &identities);
    Ok(reply.into_response())
}
