//! Who is asking: somebody signed in, or an admin.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Service, moment::Moment, reply::AuthError, session::Session, store::Tx, user::User};
use crate::gateway::bearer;

/// Roles that may manage everybody.
const ADMINS: [&str; 2] = ["service_role", "supabase_admin"];

/// Somebody signed in.
pub(super) struct Caller {
    pub(super) user: User,
    /// None for a token that was not made by this service.
    pub(super) session: Option<Session>,
}

impl Caller {
    /// Who the token names, if they and their session are still there.
    pub(super) async fn of(
        service: &Service,
        tx: &mut Tx,
        headers: &HeaderMap,
        moment: &Moment,
    ) -> Result<Self, AuthError> {
        let claims = claims(service, headers, moment)?;
        let user = match id_in(&claims, "sub")? {
            Some(id) => tx.user(id).await?,
            None => return Err(AuthError::forbidden("bad_jwt", "invalid claim: missing sub claim")),
        };
        let gone = || AuthError::forbidden("user_not_found", "User from sub claim in JWT does not exist");
        let user = user.ok_or_else(gone)?;
        if user.is_banned(moment.now) {
            return Err(AuthError::forbidden("user_banned", "User is banned"));
        }
        let session = match id_in(&claims, "session_id")? {
            None => None,
            Some(id) => Some(tx.session(id).await?.ok_or_else(|| {
                let message = "Session from session_id claim in JWT does not exist";
                AuthError::forbidden("session_not_found", message)
            })?),
        };
        Ok(Self { user, session })
    }
}

/// Refuses everybody but admins.
pub(super) fn require_admin(
    service: &Service,
    headers: &HeaderMap,
    moment: &Moment,
) -> Result<(), AuthError> {
    let claims = claims(service, headers, moment)?;
    let role = claims.get("role").and_then(Value::as_str).unwrap_or_default();
    if ADMINS.contains(&role) { Ok(()) } else { Err(AuthError::forbidden("not_admin", "User not allowed")) }
}

fn claims(service: &Service, headers: &HeaderMap, moment: &Moment) -> Result<Map<String, Value>, AuthError> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown
        .and_then(bearer)
        .ok_or_else(|| AuthError::unauthorized("This endpoint requires a Bearer token"))?;
    service.keyring.verify(token, moment.now.timestamp()).map_err(|reason| {
        let message = format!("invalid JWT: unable to parse or verify signature, {reason}");
        AuthError::forbidden("bad_jwt", message)
    })
}

fn id_in(claims: &Map<String, Value>, name: &str) -> Result<Option<Uuid>, AuthError> {
    match claims.get(name).and_then(Value::as_str) {
        None | Some("") => Ok(None),
        Some(text) => Uuid::parse_str(text).map(Some).map_err(|_| {
            AuthError::bad_request("bad_jwt", format!("invalid claim: {name} claim must be a UUID"))
        }),
    }
}
