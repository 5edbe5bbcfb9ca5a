//! `/oauth/token` and `/oauth/userinfo`: a session for an application, and what it may see.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{
        HeaderMap,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::Json,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;
use uuid::Uuid;

use super::{Authorization, Client, names};
use crate::auth::{
    Service,
    caller::Caller,
    moment::Moment,
    reply::AuthError,
    request::RefreshGrant,
    session::{ACCESS_SECONDS, Session},
    token,
    user::User,
};

/// How a session calls the proof that its person has let an application in.
const METHOD: &str = "oauth_provider/authorization_code";

/// `POST /oauth/token`, as a form or as JSON
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    grant_type: String,
    code: String,
    refresh_token: String,
    redirect_uri: String,
    client_id: String,
    client_secret: String,
    code_verifier: String,
    resource: String,
}

/// Who an application says it is, and how it says so.
struct Claim {
    client: String,
    secret: String,
    method: &'static str,
}

/// `POST /oauth/token`
pub(super) async fn exchange(
    State(service): State<Arc<Service>>,
    moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, AuthError> {
    service.check_oauth_server()?;
    let asked = Asked::read(&headers, &body)?;
    let client = match asked.claim(&headers)? {
        Some(claim) => Some(authenticate(&service, &claim).await?),
        None => None,
    };
    if asked.grant_type.is_empty() {
        return Err(AuthError::oauth("invalid_request", "grant_type is required"));
    }
    let client =
        client.ok_or_else(|| AuthError::oauth("invalid_client", "Client authentication required"))?;
    if !client.may(&asked.grant_type) {
        let message = format!("Client is not allowed to use grant type: {}", asked.grant_type);
        return Err(AuthError::oauth("unsupported_grant_type", message));
    }
    if asked.grant_type == "refresh_token" {
        return refresh(&service, moment, asked, &client).await;
    }
    with_code(&service, moment, &headers, asked, &client).await
}

/// `GET /oauth/userinfo`
pub(super) async fn user_info(
    State(service): State<Arc<Service>>,
    moment: Moment,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    service.check_oauth_server()?;
    let mut tx = service.store.begin().await?;
    let Caller { user, session } = Caller::of(&service, &mut tx, &headers, &moment).await?;
    let mut told = json!({"sub": user.id});
    let scopes = session.and_then(|session| session.scopes).unwrap_or_default();
    for scope in names(&scopes) {
        match scope {
            "email" => {
                put(&mut told, "email", user.email.as_deref());
                if user.email_confirmed_at.is_some() {
                    told["email_verified"] = json!(true);
                }
            }
            "phone" => {
                put(&mut told, "phone", user.phone.as_deref());
                if user.phone_confirmed_at.is_some() {
                    told["phone_verified"] = json!(true);
                }
            }
            "profile" => {
                put_profile(&mut told, &user);
                told["user_metadata"] = json!(user.user_metadata);
            }
            _ => {} // openid: the id, which is there already
        }
    }
    Ok(Json(told))
}

impl Asked {
    fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, AuthError> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.contains("application/json") {
            let wrong = |_| AuthError::oauth("invalid_request", "Invalid JSON body");
            let fields: Map<String, Value> = serde_json::from_slice(body).map_err(wrong)?;
            return Self::deserialize(Value::Object(fields)).map_err(wrong);
        }
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let field = match name.as_ref() {
                "grant_type" => &mut asked.grant_type,
                "code" => &mut asked.code,
                "refresh_token" => &mut asked.refresh_token,
                "redirect_uri" => &mut asked.redirect_uri,
                "client_id" => &mut asked.client_id,
                "client_secret" => &mut asked.client_secret,
                "code_verifier" => &mut asked.code_verifier,
                "resource" => &mut asked.resource,
                _ => continue, // what is unknown changes nothing, says RFC 6749
            };
            value.as_ref().clone_into(field);
        }
        Ok(asked)
    }

    fn claim(&self, headers: &HeaderMap) -> Result<Option<Claim>, AuthError> {
        let wrong = |why: &str| {
            AuthError::bad_request("invalid_credentials", format!("Invalid client credentials: {why}"))
        };
        let shown = headers.get(AUTHORIZATION).and_then(|shown| shown.to_str().ok());
        if let Some(shown) = shown.and_then(|shown| shown.strip_prefix("Basic ")) {
            let shown = STANDARD.decode(shown).map_err(|_| wrong("invalid basic auth encoding"))?;
            let shown = String::from_utf8(shown).map_err(|_| wrong("invalid basic auth encoding"))?;
            let (client, secret) = shown.split_once(':').ok_or_else(|| wrong("invalid basic auth format"))?;
            let (client, secret) = (client.to_owned(), secret.to_owned());
            return Ok(Some(Claim { client, secret, method: "client_secret_basic" }));
        }
        match (self.client_id.is_empty(), self.client_secret.is_empty()) {
            (true, true) => Ok(None),
            (true, false) => Err(wrong("client_id is required")),
            (false, is_silent) => Ok(Some(Claim {
                client: self.client_id.clone(),
                secret: self.client_secret.clone(),
                method: if is_silent { "none" } else { "client_secret_post" },
            })),
        }
    }
}

async fn authenticate(service: &Service, claim: &Claim) -> Result<Client, AuthError> {
    let wrong = |message: String| AuthError::bad_request("invalid_credentials", message);
    let id = Uuid::parse_str(&claim.client).map_err(|_| wrong("Invalid client_id format".to_owned()))?;
    let mut tx = service.store.begin().await?;
    let client = tx.client(id).await?.ok_or_else(|| wrong("Invalid client credentials".to_owned()))?;
    client.check(claim.method, &claim.secret).map_err(wrong)?;
    Ok(client)
}

async fn refresh(
    service: &Service,
    moment: Moment,
    asked: Asked,
    client: &Client,
) -> Result<Json<Value>, AuthError> {
    if asked.refresh_token.is_empty() {
        let message = "refresh_token is required for refresh_token grant";
        return Err(AuthError::oauth("invalid_request", message));
    }
    let shown = RefreshGrant { refresh_token: Some(asked.refresh_token) };
    let grant = token::with_refresh_token(service, moment, shown, Some(client.id)).await?;
    Ok(Json(grant.for_client()))
}

async fn with_code(
    service: &Service,
    mut moment: Moment,
    headers: &HeaderMap,
    asked: Asked,
    client: &Client,
) -> Result<Json<Value>, AuthError> {
    let wrong = |why: &'static str| AuthError::oauth("invalid_grant", why);
    if asked.code.is_empty() {
        let message = "code is required for authorization_code grant";
        return Err(AuthError::oauth("invalid_request", message));
    }
    let mut tx = service.store.begin().await?;
    let authorization = tx.approved(&asked.code).await?.ok_or_else(|| wrong("Invalid authorization code"))?;
    authorization.check(&asked, client, moment.now)?;
    let owner = authorization.user_id.ok_or_else(|| wrong("Authorization code has no associated user"))?;
    let gone = || wrong("User not found for authorization code");
    let user = tx.user(owner).await?.ok_or_else(gone)?;
    if user.is_banned(moment.now) {
        return Err(AuthError::oauth("access_denied", "User is banned"));
    }
    tx.remove_authorization(authorization.id).await?;
    let session = Session {
        oauth_client_id: Some(client.id),
        scopes: Some(authorization.scope.clone()),
        ..Session::new(&mut moment, &user)
    };
    let grant = token::begin(service, tx, user, session, METHOD, headers, &mut moment).await?;
    let mut reply = grant.for_client();
    if names(&authorization.scope).contains(&"openid") {
        let claims = id_claims(&service.issuer, grant.user(), client.id, &authorization, moment.now);
        reply["id_token"] = json!(service.keyring.sign_es256(&claims));
    }
    Ok(Json(reply))
}

impl Authorization {
    /// Whether its code was given to who shows it.
    fn check(&self, asked: &Asked, client: &Client, now: DateTime<Utc>) -> Result<(), AuthError> {
        let why = if self.is_over(now) {
            "Authorization code has expired"
        } else if self.client_id != client.id {
            "Authorization code was not issued for this client"
        } else if !asked.resource.is_empty() && self.resource.as_ref() != Some(&asked.resource) {
            "Authorization code resource does not match the resource parameter"
        } else if !asked.redirect_uri.is_empty() && self.redirect_uri != asked.redirect_uri {
            "Invalid redirect_uri"
        } else if !self.is_met_by(&asked.code_verifier) {
            "PKCE verification failed: code challenge does not match previously saved code verifier"
        } else {
            return Ok(());
        };
        Err(AuthError::oauth("invalid_grant", why))
    }

    fn is_met_by(&self, verifier: &str) -> bool {
        let Some(challenge) = &self.code_challenge else { return true };
        match self.code_challenge_method.as_deref() {
            Some("plain") => challenge == verifier,
            _ => *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        }
    }
}

/// What an ID token says; what was not agreed to is not said.
fn id_claims(
    issuer: &str,
    user: &User,
    client: Uuid,
    authorization: &Authorization,
    now: DateTime<Utc>,
) -> Value {
    let iat = now.timestamp();
    let mut claims = json!({
        "iss": issuer, "sub": user.id, "aud": client, "iat": iat, "exp": iat + ACCESS_SECONDS,
        "auth_time": user.last_sign_in_at.unwrap_or(now).timestamp(), "client_id": client,
        "email_verified": false, "phone_number_verified": false,
    });
    put(&mut claims, "nonce", authorization.nonce.as_deref());
    for scope in names(&authorization.scope) {
        match scope {
            "email" => {
                put(&mut claims, "email", user.email.as_deref());
                claims["email_verified"] = json!(user.email_confirmed_at.is_some());
            }
            "phone" => {
                put(&mut claims, "phone_number", user.phone.as_deref());
                claims["phone_number_verified"] = json!(user.phone_confirmed_at.is_some());
            }
            "profile" => put_profile(&mut claims, user),
            _ => {} // openid: that there is a token at all
        }
    }
    claims
}

fn put_profile(told: &mut Value, user: &User) {
    let said =
        |name: &str| user.user_metadata.get(name).and_then(Value::as_str).filter(|said| !said.is_empty());
    put(told, "name", said("name").or(user.email.as_deref()));
    put(told, "picture", said("picture").or_else(|| said("avatar_url")));
    put(told, "preferred_username", said("preferred_username").or_else(|| said("username")));
    told["updated_at"] = json!(user.updated_at.timestamp());
}

fn put(told: &mut Value, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        told[name] = json!(value);
    }
}
