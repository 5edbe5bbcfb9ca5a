//! `POST /token`: a password, a code, an ID token or a refresh token for a session's tokens.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, header::USER_AGENT},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::{
    Service,
    contact::Contact,
    id_token,
    moment::Moment,
    password,
    reply::{AuthError, SessionReply},
    request::{self, CodeGrant, PasswordGrant, RefreshGrant},
    session::{ACCESS_SECONDS, AccessClaims, RefreshToken, Session, Verdict},
    store::Tx,
    user::{Profile, User},
    web3,
};

/// How a proof by password is called.
pub(super) const PASSWORD: &str = "password";
/// How a proof by a code that was sent is called.
pub(super) const OTP: &str = "otp";
/// How no proof at all is called.
pub(super) const ANONYMOUS: &str = "anonymous";

/// How a proof by a provider is called.
pub(super) const OAUTH: &str = "oauth";

/// What somebody gets who is signed in. It is all secret, so it has no `Debug`.
pub(super) struct Grant {
    access_token: String,
    expires_at: i64,
    refresh_token: String,
    profile: Profile,
    /// What a provider gave, if it led here.
    provider_token: Option<String>,
    provider_refresh_token: Option<String>,
}

impl Grant {
    /// As a browser is told it, after the `#` of an address, with what else it is to know.
    pub(super) fn fragment(&self, more: &[(&str, &str)]) -> String {
        let (expires_at, expires_in) = (self.expires_at, ACCESS_SECONDS);
        let Self { access_token, refresh_token, .. } = self;
        // Nothing in these needs to be escaped.
        let ours = format!(
            "access_token={access_token}&expires_at={expires_at}&expires_in={expires_in}\
             &refresh_token={refresh_token}&sb=&token_type=bearer"
        );
        Serializer::new(ours).extend_pairs(more).finish()
    }

    /// As an application is told it: without the person.
    pub(super) fn for_client(&self) -> Value {
        json!({
            "access_token": self.access_token, "token_type": "bearer", "expires_in": ACCESS_SECONDS,
            "refresh_token": self.refresh_token,
        })
    }

    pub(super) fn user(&self) -> &User {
        &self.profile.user
    }
}

impl IntoResponse for Grant {
    fn into_response(self) -> Response {
        let Self { access_token, expires_at, refresh_token, profile, .. } = self;
        SessionReply::new(access_token, expires_at, &refresh_token, &profile)
            .with_provider(self.provider_token.as_deref(), self.provider_refresh_token.as_deref())
            .into_response()
    }
}

pub(super) async fn grant(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Grant, AuthError> {
    match request::value(&query, "grant_type").unwrap_or_default() {
        "password" => with_password(&service, moment, &headers, request::read(&body)?).await,
        "refresh_token" => with_refresh_token(&service, moment, request::read(&body)?, None).await,
        "pkce" => with_code(&service, moment, &headers, request::read(&body)?).await,
        "id_token" => id_token::grant(&service, moment, &headers, request::read(&body)?).await,
        "web3" => web3::sign_in(&service, moment, &headers, request::read(&body)?).await,
        _ => Err(AuthError::bad_request("invalid_credentials", "unsupported_grant_type")),
    }
}

/// Starts a session for somebody who has proved who they are by this method, and commits.
pub(super) async fn sign_in(
    service: &Service,
    tx: Tx,
    user: User,
    method: &str,
    headers: &HeaderMap,
    moment: &mut Moment,
) -> Result<Grant, AuthError> {
    let session = Session::new(moment, &user);
    begin(service, tx, user, session, method, headers, moment).await
}

/// Starts this session for somebody who has proved who they are by this method, and commits.
pub(super) async fn begin(
    service: &Service,
    mut tx: Tx,
    mut user: User,
    session: Session,
    method: &str,
    headers: &HeaderMap,
    moment: &mut Moment,
) -> Result<Grant, AuthError> {
    let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    tx.add_session(&session, user_agent, moment).await?;
    tx.add_proof(session.id, method, moment).await?;
    let refresh_token = moment.token();
    tx.add_token(&refresh_token, None, &session, moment).await?;
    tx.touch_user(user.id, moment).await?;
    (user.last_sign_in_at, user.updated_at) = (Some(moment.now), moment.now);
    issue(service, tx, user, &session, refresh_token, moment).await
}

/// Goes on with a session that has been proved by another method as well, and commits.
pub(super) async fn go_on(
    service: &Service,
    mut tx: Tx,
    user: User,
    session: &Session,
    method: &str,
    moment: &mut Moment,
) -> Result<Grant, AuthError> {
    tx.add_proof(session.id, method, moment).await?;
    let next = match tx.active_token(session.id).await? {
        Some(token) => rotate(&mut tx, &token, session, moment).await?,
        None => {
            let next = moment.token();
            tx.add_token(&next, None, session, moment).await?;
            next
        }
    };
    issue(service, tx, user, session, next, moment).await
}

async fn with_password(
    service: &Service,
    mut moment: Moment,
    headers: &HeaderMap,
    asked: PasswordGrant,
) -> Result<Grant, AuthError> {
    let both = "Only an email address or phone number should be provided on login.";
    let contact = match (&asked.email, &asked.phone) {
        // Nobody has an address that is none, and who shows one is told no more than that.
        (Some(email), None) => Contact::Email(email.clone()),
        (None, Some(phone)) => Contact::phone(phone)?,
        (None, None) => return Err(AuthError::invalid("missing email or phone")),
        (Some(_), Some(_)) => return Err(AuthError::invalid(both)),
    };
    let mut tx = service.store.begin().await?;
    let user = tx.user_at(&contact).await?.ok_or_else(AuthError::invalid_credentials)?;
    let hash = user.encrypted_password.clone().filter(|hash| !hash.is_empty());
    let hash = hash.ok_or_else(AuthError::invalid_credentials)?;
    if user.is_banned(moment.now) {
        return Err(AuthError::bad_request("user_banned", "User is banned"));
    }
    if !password::is_right(asked.password, hash).await {
        return Err(AuthError::invalid_credentials());
    }
    match contact {
        Contact::Email(_) if !user.is_confirmed(&contact) => {
            Err(AuthError::bad_request("email_not_confirmed", "Email not confirmed"))
        }
        Contact::Phone(_) if !user.is_confirmed(&contact) => {
            Err(AuthError::bad_request("phone_not_confirmed", "Phone not confirmed"))
        }
        Contact::Email(_) | Contact::Phone(_) => {
            sign_in(service, tx, user, PASSWORD, headers, &mut moment).await
        }
    }
}

/// The second half of a sign-in that left for a mailbox.
async fn with_code(
    service: &Service,
    mut moment: Moment,
    headers: &HeaderMap,
    asked: CodeGrant,
) -> Result<Grant, AuthError> {
    let (Some(code), Some(verifier)) = (asked.auth_code, asked.code_verifier) else {
        let message = "invalid request: both auth code and code verifier should be non-empty";
        return Err(AuthError::invalid(message));
    };
    let unknown = || {
        let message = "invalid flow state, no valid flow state found";
        AuthError::not_found("flow_state_not_found", message)
    };
    let mut tx = service.store.begin().await?;
    let flow = tx.flow(&code).await?.ok_or_else(unknown)?;
    let user = flow.user_id.ok_or_else(unknown)?;
    if flow.is_over(moment.now) {
        let message = "invalid flow state, flow state has expired";
        return Err(AuthError::unprocessable("flow_state_expired", message));
    }
    if !flow.is_met_by(&verifier) {
        let message = "code challenge does not match previously saved code verifier";
        return Err(AuthError::bad_request("bad_code_verifier", message));
    }
    let user = tx.user(user).await?.ok_or_else(unknown)?;
    tx.end_flow(flow.id).await?;
    let grant = sign_in(service, tx, user, &flow.authentication_method, headers, &mut moment).await?;
    let (provider_token, provider_refresh_token) = (flow.provider_access_token, flow.provider_refresh_token);
    Ok(Grant { provider_token, provider_refresh_token, ..grant })
}

/// A session goes on for who it was given to: itself for a person, `client` for an application.
pub(super) async fn with_refresh_token(
    service: &Service,
    mut moment: Moment,
    asked: RefreshGrant,
    client: Option<Uuid>,
) -> Result<Grant, AuthError> {
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
    check_client(&session, client)?;
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
    issue(service, tx, user, &session, next, &moment).await
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

fn check_client(session: &Session, client: Option<Uuid>) -> Result<(), AuthError> {
    let message = match (session.oauth_client_id, client) {
        (Some(theirs), Some(client)) if theirs == client => return Ok(()),
        (None, None) => return Ok(()),
        (Some(_), Some(_)) => "Client does not match the session's OAuth client",
        (Some(_), None) => "Client authentication required for OAuth session",
        (None, Some(_)) => "Client authentication not allowed for non-OAuth session",
    };
    Err(AuthError::oauth("invalid_client", message))
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
    user: User,
    session: &Session,
    refresh_token: String,
    moment: &Moment,
) -> Result<Grant, AuthError> {
    let proofs = tx.proofs(session.id).await?;
    let profile = tx.profile(user).await?;
    tx.commit().await?;
    let claims = AccessClaims::new(&service.issuer, &profile.user, session, &proofs, moment.now);
    let access_token = service.sign(&claims);
    Ok(Grant {
        access_token,
        expires_at: claims.expires_at(),
        refresh_token,
        profile,
        provider_token: None,
        provider_refresh_token: None,
    })
}
