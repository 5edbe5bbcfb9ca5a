//! An application asks for somebody, and they agree or not: `/oauth/authorize`,
//! `/oauth/authorizations` and `/user/oauth/grants`.
//!
//! Until client and address are known to belong together a refusal stays here; after that it goes
//! to the application. Who has agreed once to as much is not asked again.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{LOCATION, ORIGIN},
    },
    response::{IntoResponse, Json, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::FromRow;
use url::Url;
use uuid::Uuid;

use super::{Client, SCOPES, names};
use crate::auth::{
    Service,
    caller::Caller,
    moment::Moment,
    reply::AuthError,
    request::{self, value},
    store::Tx,
    user::User,
};

/// The hosted defaults.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(10);
const SCOPE: &str = "email";
const ID_LENGTH: usize = 32;

/// A sign-in an application has begun.
#[derive(Debug, Clone, FromRow)]
pub(in crate::auth) struct Authorization {
    pub(in crate::auth) id: Uuid,
    /// How the consent page calls it.
    pub(in crate::auth) authorization_id: String,
    pub(in crate::auth) client_id: Uuid,
    pub(in crate::auth) user_id: Option<Uuid>,
    pub(in crate::auth) redirect_uri: String,
    pub(in crate::auth) scope: String,
    pub(in crate::auth) state: Option<String>,
    pub(in crate::auth) resource: Option<String>,
    pub(in crate::auth) code_challenge: Option<String>,
    pub(in crate::auth) code_challenge_method: Option<String>,
    /// `pending`, `approved`, `denied` or `expired`.
    pub(in crate::auth) status: String,
    pub(in crate::auth) authorization_code: Option<String>,
    pub(in crate::auth) nonce: Option<String>,
    pub(in crate::auth) created_at: DateTime<Utc>,
    pub(in crate::auth) expires_at: DateTime<Utc>,
    pub(in crate::auth) approved_at: Option<DateTime<Utc>>,
}

/// What somebody has let an application see.
#[derive(Debug, Clone, FromRow)]
pub(in crate::auth) struct Consent {
    pub(in crate::auth) client_id: Uuid,
    pub(in crate::auth) scopes: String,
    pub(in crate::auth) granted_at: DateTime<Utc>,
}

/// `POST /oauth/authorizations/{id}/consent`
#[derive(Debug, Deserialize)]
struct Decision {
    #[serde(default)]
    action: String,
}

impl Authorization {
    /// What an application asks for, or what is wrong about it.
    fn new(
        moment: &mut Moment,
        client: &Client,
        redirect_uri: &str,
        query: &[(String, String)],
    ) -> Result<Self, String> {
        let asked = |name| value(query, name).filter(|asked| !asked.is_empty());
        let owned = |name| asked(name).map(str::to_owned);
        if asked("response_type").is_some_and(|kind| kind != "code") {
            return Err("only response_type=code is supported".to_owned());
        }
        let scope = asked("scope").unwrap_or(SCOPE);
        if names(scope).is_empty() {
            return Err("scope parameter cannot be empty".to_owned());
        }
        if let Some(unknown) = names(scope).into_iter().find(|name| !SCOPES.contains(name)) {
            return Err(format!("unsupported scope: {unknown}"));
        }
        asked("resource").map_or(Ok(()), check_resource)?;
        let (Some(challenge), Some(method)) = (asked("code_challenge"), asked("code_challenge_method"))
        else {
            return Err("PKCE flow requires both code_challenge and code_challenge_method".to_owned());
        };
        let method = method.to_ascii_lowercase();
        if !["s256", "plain"].contains(&method.as_str()) {
            return Err("code_challenge_method must be 'S256' or 'plain'".to_owned());
        }
        if !(43..=128).contains(&challenge.len()) {
            return Err("code_challenge must be between 43 and 128 characters".to_owned());
        }
        Ok(Self {
            id: moment.uuid(),
            authorization_id: moment.letters(ID_LENGTH),
            client_id: client.id,
            user_id: None,
            redirect_uri: redirect_uri.to_owned(),
            scope: scope.to_owned(),
            state: owned("state"),
            resource: owned("resource"),
            code_challenge: Some(challenge.to_owned()),
            code_challenge_method: Some(method),
            status: "pending".to_owned(),
            authorization_code: None,
            nonce: owned("nonce"),
            created_at: moment.now,
            expires_at: moment.now + GOOD_FOR,
            approved_at: None,
        })
    }

    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        now > self.expires_at
    }

    /// Lets the application have a code.
    fn approve(&mut self, moment: &mut Moment) {
        "approved".clone_into(&mut self.status);
        self.authorization_code = Some(moment.uuid().to_string());
        self.approved_at = Some(moment.now);
    }

    /// Where the browser goes on with the code.
    fn back(&self) -> String {
        back(&self.redirect_uri, &[("code", self.authorization_code.as_deref())], self.state.as_deref())
    }
}

/// `GET /oauth/authorize`
pub(super) async fn begin(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AuthError> {
    service.check_oauth_server()?;
    let settings = service.settings.read();
    let asked = |name| value(&query, name).unwrap_or_default();
    let (client, redirect_uri) = (asked("client_id"), asked("redirect_uri"));
    if client.is_empty() {
        return Err(AuthError::invalid("client_id is required"));
    }
    if redirect_uri.is_empty() {
        return Err(AuthError::invalid("redirect_uri is required"));
    }
    let unknown = |message: &'static str| AuthError::bad_request("oauth_client_not_found", message);
    let client = Uuid::parse_str(client).map_err(|_| unknown("invalid client_id format"))?;
    let mut tx = service.store.begin().await?;
    let client = tx.client(client).await?.ok_or_else(|| unknown("invalid client_id"))?;
    if !client.redirects_to(redirect_uri) {
        return Err(AuthError::invalid("invalid redirect_uri"));
    }
    let refuse = |error, why: &str| {
        let told = [("error", Some(error)), ("error_description", Some(why))];
        redirect(&back(redirect_uri, &told, Some(asked("state"))))
    };
    let authorization = match Authorization::new(&mut moment, &client, redirect_uri, &query) {
        Ok(authorization) => authorization,
        Err(why) => return refuse("invalid_request", &why),
    };
    if tx.add_authorization(&authorization).await.is_err() {
        return refuse("server_error", "error creating authorization");
    }
    tx.commit().await?;
    if settings.oauth_consent_path.is_empty() {
        return refuse("server_error", "oauth authorization path not configured");
    }
    redirect(&format!(
        "{}/{}?authorization_id={}",
        settings.site_url.trim_end_matches('/'),
        settings.oauth_consent_path.trim_start_matches('/'),
        authorization.authorization_id
    ))
}

/// `GET /oauth/authorizations/{id}`
pub(super) async fn read(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    let (tx, user) = signed_in(&service, &headers, &moment).await?;
    check_origin(&service, &headers)?;
    let (mut tx, mut authorization) = pending(tx, &id, &moment).await?;
    if authorization.user_id.is_some_and(|owner| owner != user.id) {
        return Err(missing());
    }
    let client = tx.client(authorization.client_id).await?.ok_or_else(missing)?;
    if authorization.user_id.is_none() {
        authorization.user_id = Some(user.id);
        let consent = tx.consent(user.id, client.id).await?;
        let agreed = |consent: Consent| {
            let granted = names(&consent.scopes).into_iter().map(str::to_owned).collect::<Vec<_>>();
            names(&authorization.scope).into_iter().all(|name| granted.iter().any(|known| known == name))
        };
        let is_covered = consent.is_some_and(agreed);
        if is_covered {
            authorization.approve(&mut moment);
        }
        tx.save_authorization(&authorization).await?;
        tx.commit().await?;
        if is_covered {
            return Ok(Json(json!({"redirect_url": authorization.back()})));
        }
    }
    Ok(Json(json!({
        "authorization_id": authorization.authorization_id,
        "redirect_uri": authorization.redirect_uri,
        "client": client.card(),
        "user": {"id": user.id, "email": user.email.unwrap_or_default()},
        "scope": authorization.scope,
    })))
}

/// `POST /oauth/authorizations/{id}/consent`
pub(super) async fn decide(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, AuthError> {
    let (tx, user) = signed_in(&service, &headers, &moment).await?;
    check_origin(&service, &headers)?;
    let Decision { action } = request::read(&body)?;
    if !["approve", "deny"].contains(&action.as_str()) {
        return Err(AuthError::invalid("action must be 'approve' or 'deny'"));
    }
    let (mut tx, mut authorization) = pending(tx, &id, &moment).await?;
    if authorization.user_id != Some(user.id) {
        return Err(missing());
    }
    let to = if action == "approve" {
        authorization.approve(&mut moment);
        let scopes = names(&authorization.scope).join(" ");
        tx.put_consent(user.id, authorization.client_id, &scopes, &mut moment).await?;
        authorization.back()
    } else {
        "denied".clone_into(&mut authorization.status);
        let told = [("error", Some("access_denied")), ("error_description", Some("User denied the request"))];
        back(&authorization.redirect_uri, &told, authorization.state.as_deref())
    };
    tx.save_authorization(&authorization).await?;
    tx.commit().await?;
    Ok(Json(json!({"redirect_url": to})))
}

/// `GET /user/oauth/grants`
pub(super) async fn grants(
    State(service): State<Arc<Service>>,
    moment: Moment,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    let (mut tx, user) = signed_in(&service, &headers, &moment).await?;
    let mut grants = Vec::new();
    for consent in tx.consents(user.id).await? {
        // What is gone can not be shown, and does not come back.
        let Some(client) = tx.client(consent.client_id).await? else { continue };
        grants.push(json!({
            "client": client.card(), "scopes": names(&consent.scopes), "granted_at": consent.granted_at,
        }));
    }
    Ok(Json(json!(grants)))
}

/// `DELETE /user/oauth/grants`
pub(super) async fn revoke(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<StatusCode, AuthError> {
    let (mut tx, user) = signed_in(&service, &headers, &moment).await?;
    let client = value(&query, "client_id").unwrap_or_default();
    if client.is_empty() {
        return Err(AuthError::invalid("client_id query parameter is required"));
    }
    let client = Uuid::parse_str(client).map_err(|_| AuthError::invalid("invalid client_id format"))?;
    if !tx.revoke_consent(user.id, client, &moment).await? {
        let message = "No active grant found for this client";
        return Err(AuthError::not_found("oauth_consent_not_found", message));
    }
    tx.end_client_sessions(user.id, client).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn signed_in(service: &Service, headers: &HeaderMap, moment: &Moment) -> Result<(Tx, User), AuthError> {
    let mut tx = service.store.begin().await?;
    let Caller { user, .. } = Caller::of(service, &mut tx, headers, moment).await?;
    service.check_oauth_server()?;
    Ok((tx, user))
}

/// A browser says which page asks; only the project's own may.
fn check_origin(service: &Service, headers: &HeaderMap) -> Result<(), AuthError> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let is_ours = origin.to_str().is_ok_and(|origin| service.settings.read().admits(origin));
    if is_ours { Ok(()) } else { Err(AuthError::invalid("unauthorized request origin")) }
}

/// What can still be decided. What is over is noted as such.
async fn pending(mut tx: Tx, id: &str, moment: &Moment) -> Result<(Tx, Authorization), AuthError> {
    let mut authorization = tx.authorization(id).await?.ok_or_else(missing)?;
    let is_pending = authorization.status == "pending";
    if authorization.is_over(moment.now) {
        if is_pending {
            "expired".clone_into(&mut authorization.status);
            tx.save_authorization(&authorization).await?;
            tx.commit().await?;
        }
        return Err(missing());
    }
    if !is_pending {
        return Err(AuthError::invalid("authorization request cannot be processed"));
    }
    Ok((tx, authorization))
}

fn missing() -> AuthError {
    AuthError::not_found("oauth_authorization_not_found", "authorization not found")
}

fn check_resource(resource: &str) -> Result<(), String> {
    let resource = Url::parse(resource).map_err(|_| "resource must be an absolute URI".to_owned())?;
    if resource.fragment().is_some_and(|fragment| !fragment.is_empty()) {
        return Err("resource must not include a fragment component".to_owned());
    }
    if resource.query().is_some_and(|query| !query.is_empty()) {
        return Err("resource must not include a query component".to_owned());
    }
    Ok(())
}

/// The address of an application with what it is told; what its own query had stays.
fn back(address: &str, told: &[(&str, Option<&str>)], state: Option<&str>) -> String {
    let Ok(mut address) = Url::parse(address) else { return address.to_owned() };
    let state = ("state", state.filter(|state| !state.is_empty()));
    let told: Vec<_> = told.iter().copied().chain([state]).filter_map(|(k, v)| Some((k, v?))).collect();
    let kept: Vec<(String, String)> = address
        .query_pairs()
        .filter(|(name, _)| told.iter().all(|(told, _)| told != name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    address.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(told);
    address.into()
}

fn redirect(to: &str) -> Result<Response, AuthError> {
    Ok((StatusCode::FOUND, [(LOCATION, to)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_told_at_its_own_address() {
        let code = [("code", Some("a&b"))];
        assert_eq!(
            back("https://app.example/?x=1", &code, Some("s")),
            "https://app.example/?x=1&code=a%26b&state=s"
        );
        assert_eq!(back("app://back?code=old", &code, Some("")), "app://back?code=a%26b");
    }

    #[test]
    fn a_resource_is_an_address_and_nothing_more() {
        assert!(check_resource("https://api.example/v1").is_ok());
        for wrong in ["/v1", "https://api.example/#a", "https://api.example/?a=b"] {
            assert!(check_resource(wrong).is_err(), "{wrong}");
        }
    }
}
