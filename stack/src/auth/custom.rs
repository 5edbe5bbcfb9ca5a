//! `/admin/custom-providers`: providers an admin makes, beside those the settings have.
//!
//! One with an issuer has to answer when it is made: what is wrong with it is told the admin, and not
//! the first person who signs in by it. Its secret is written and never shown.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Json, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::FromRow;
use url::{Host, Url};
use uuid::Uuid;

use super::{
    Service,
    caller::require_admin,
    moment::Moment,
    provider::{Discovery, Endpoints, Place, Provider, RESERVED, Reading},
    reply::AuthError,
    request::{self, CustomProviderParams},
    user::Metadata,
};

const OAUTH2: &str = "oauth2";
const OIDC: &str = "oidc";
/// What no provider may say about somebody.
const PROTECTED: [&str; 13] = [
    "id",
    "aud",
    "role",
    "app_metadata",
    "created_at",
    "updated_at",
    "confirmed_at",
    "email_confirmed_at",
    "phone_confirmed_at",
    "email_verified",
    "phone_verified",
    "banned_until",
    "is_super_admin",
];

/// A provider an admin has made, as it is kept and, without its secret, shown. It has no `Debug`.
#[derive(Clone, FromRow, Serialize)]
pub(super) struct CustomProvider {
    pub(super) id: Uuid,
    /// `oauth2` or `oidc`.
    pub(super) provider_type: String,
    pub(super) identifier: String,
    pub(super) name: String,
    pub(super) client_id: String,
    #[serde(skip)]
    pub(super) client_secret: String,
    pub(super) acceptable_client_ids: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) custom_claims_allowlist: Vec<String>,
    pub(super) pkce_enabled: bool,
    #[sqlx(json)]
    pub(super) attribute_mapping: Metadata,
    #[sqlx(json)]
    pub(super) authorization_params: Metadata,
    pub(super) enabled: bool,
    pub(super) email_optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) discovery_url: Option<String>,
    pub(super) skip_nonce_check: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authorization_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) userinfo_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jwks_uri: Option<String>,
    #[sqlx(json(nullable))]
    #[serde(rename = "discovery_document", skip_serializing_if = "Option::is_none")]
    pub(super) cached_discovery: Option<Discovery>,
    #[serde(skip)]
    pub(super) discovery_cached_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

/// `GET /admin/custom-providers`
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let of_type = request::value(&query, "type").filter(|of_type| !of_type.is_empty());
    if of_type.is_some_and(|of_type| ![OAUTH2, OIDC].contains(&of_type)) {
        return Err(AuthError::invalid("type must be either 'oauth2' or 'oidc'"));
    }
    let mut tx = service.store.begin().await?;
    Ok(Json(json!({"providers": tx.custom_providers(of_type).await?})))
}

/// `POST /admin/custom-providers`
pub(super) async fn create(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    require_admin(&service, &headers, &moment)?;
    let asked: CustomProviderParams = request::read(&body)?;
    let mut custom = CustomProvider::new(asked, &mut moment)?;
    let identifier = custom.identifier.clone();
    let mut tx = service.store.begin().await?;
    if tx.custom_provider(&identifier).await?.is_some() {
        return Err(taken());
    }
    drop(tx);
    custom.ask(&service, &moment).await?;
    put(&service, &custom).await?;
    Ok((StatusCode::CREATED, Json(custom)).into_response())
}

/// `GET /admin/custom-providers/{identifier}`
pub(super) async fn read(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(identifier): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CustomProvider>, AuthError> {
    require_admin(&service, &headers, &moment)?;
    find(&service, &identifier).await.map(Json)
}

/// `PUT /admin/custom-providers/{identifier}`
pub(super) async fn change(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(identifier): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CustomProvider>, AuthError> {
    require_admin(&service, &headers, &moment)?;
    check_identifier(&identifier)?;
    let asked: CustomProviderParams = request::read(&body)?;
    let moves = asked.issuer.is_some() || asked.discovery_url.is_some();
    check(&asked)?;
    let mut custom = find(&service, &identifier).await?;
    custom.amend(asked, &moment);
    if moves {
        custom.ask(&service, &moment).await?;
    }
    put(&service, &custom).await?;
    Ok(Json(custom))
}

/// `DELETE /admin/custom-providers/{identifier}`
pub(super) async fn delete(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(identifier): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, AuthError> {
    require_admin(&service, &headers, &moment)?;
    check_identifier(&identifier)?;
    let mut tx = service.store.begin().await?;
    if !tx.remove_custom_provider(&identifier).await? {
        return Err(unknown());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(service: &Service, identifier: &str) -> Result<CustomProvider, AuthError> {
    check_identifier(identifier)?;
    let mut tx = service.store.begin().await?;
    tx.custom_provider(identifier).await?.ok_or_else(unknown)
}

async fn put(service: &Service, custom: &CustomProvider) -> Result<(), AuthError> {
    let mut tx = service.store.begin().await?;
    let failed = AuthError::database("Error creating custom OAuth provider");
    if !tx.put_custom_provider(custom).await.map_err(failed)? {
        return Err(taken());
    }
    Ok(tx.commit().await?)
}

fn unknown() -> AuthError {
    AuthError::not_found("custom_provider_not_found", "Custom OAuth provider not found")
}

fn taken() -> AuthError {
    let message = "A custom OAuth provider with this identifier already exists";
    AuthError::bad_request("conflict", message)
}

impl CustomProvider {
    fn new(asked: CustomProviderParams, moment: &mut Moment) -> Result<Self, AuthError> {
        let needed = |given: &Option<String>, name: &str, of: &str| match given {
            Some(_) => Ok(()),
            None => Err(AuthError::invalid(format!("{name} is required{of}"))),
        };
        let is_oidc = match asked.provider_type.as_str() {
            OIDC => true,
            OAUTH2 => false,
            _ => return Err(AuthError::invalid("provider_type must be either 'oauth2' or 'oidc'")),
        };
        if asked.identifier.is_empty() {
            return Err(AuthError::invalid("identifier is required"));
        }
        check_identifier(&asked.identifier)?;
        needed(&asked.name, "name", "")?;
        needed(&asked.client_id, "client_id", "")?;
        needed(&asked.client_secret, "client_secret", "")?;
        if is_oidc {
            needed(&asked.issuer, "issuer", " for OIDC providers")?;
        } else {
            needed(&asked.authorization_url, "authorization_url", " for OAuth2 providers")?;
            needed(&asked.token_url, "token_url", " for OAuth2 providers")?;
            needed(&asked.userinfo_url, "userinfo_url", " for OAuth2 providers")?;
        }
        check(&asked)?;
        let mut custom = Self {
            id: moment.uuid(),
            provider_type: asked.provider_type.clone(),
            identifier: asked.identifier.clone(),
            name: String::new(),
            client_id: String::new(),
            client_secret: String::new(),
            acceptable_client_ids: Vec::new(),
            scopes: Vec::new(),
            custom_claims_allowlist: Vec::new(),
            pkce_enabled: true,
            attribute_mapping: Metadata::new(),
            authorization_params: Metadata::new(),
            enabled: true,
            email_optional: false,
            issuer: None,
            discovery_url: None,
            skip_nonce_check: false,
            authorization_url: None,
            token_url: None,
            userinfo_url: None,
            jwks_uri: None,
            cached_discovery: None,
            discovery_cached_at: None,
            created_at: moment.now,
            updated_at: moment.now,
        };
        custom.amend(asked, moment);
        Ok(custom)
    }

    /// Takes over what was given, as far as its type has it.
    fn amend(&mut self, asked: CustomProviderParams, moment: &Moment) {
        fn take<T>(place: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *place = given;
            }
        }
        take(&mut self.name, asked.name);
        take(&mut self.client_id, asked.client_id);
        take(&mut self.client_secret, asked.client_secret);
        take(&mut self.acceptable_client_ids, asked.acceptable_client_ids);
        take(&mut self.scopes, asked.scopes);
        take(&mut self.custom_claims_allowlist, asked.custom_claims_allowlist);
        take(&mut self.pkce_enabled, asked.pkce_enabled);
        take(&mut self.attribute_mapping, asked.attribute_mapping);
        take(&mut self.authorization_params, asked.authorization_params);
        take(&mut self.enabled, asked.enabled);
        take(&mut self.email_optional, asked.email_optional);
        if self.provider_type == OIDC {
            take(&mut self.issuer, asked.issuer.map(Some));
            take(&mut self.discovery_url, asked.discovery_url.map(Some));
            take(&mut self.skip_nonce_check, asked.skip_nonce_check);
            if !self.scopes.iter().any(|scope| scope == "openid") {
                self.scopes.insert(0, "openid".to_owned());
            }
        } else {
            take(&mut self.authorization_url, asked.authorization_url.map(Some));
            take(&mut self.token_url, asked.token_url.map(Some));
            take(&mut self.userinfo_url, asked.userinfo_url.map(Some));
            take(&mut self.jwks_uri, asked.jwks_uri.map(Some));
        }
        self.updated_at = moment.now;
    }

    /// Asks it for its document, if it has one.
    async fn ask(&mut self, service: &Service, moment: &Moment) -> Result<(), AuthError> {
        let Some(Place::Issuer { issuer, discovery }) = self.place() else { return Ok(()) };
        let told = service.outbound.discovery(&issuer, &discovery).await.map_err(|trouble| {
            AuthError::invalid(format!("OIDC discovery from {discovery:?} failed: {trouble}"))
        })?;
        let missing = told.missing();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let message = format!("OIDC discovery document is missing required fields: {missing}");
            return Err(AuthError::invalid(message));
        }
        (self.cached_discovery, self.discovery_cached_at) = (Some(told), Some(moment.now));
        Ok(())
    }

    fn place(&self) -> Option<Place> {
        if self.provider_type == OIDC {
            return Some(Place::of_issuer(self.issuer.clone()?, self.discovery_url.clone()));
        }
        Some(Place::Addresses(Endpoints {
            authorization: self.authorization_url.clone()?,
            token: self.token_url.clone()?,
            userinfo: Some(self.userinfo_url.clone()?),
            keys: self.jwks_uri.clone(),
            secret_in_body: false,
        }))
    }

    /// The provider it describes; none if it lacks an address.
    pub(super) fn provider(self) -> Option<Provider> {
        Some(Provider {
            place: self.place()?,
            name: self.identifier,
            client_id: self.client_id,
            client_secret: self.client_secret,
            scopes: self.scopes,
            acceptable_client_ids: self.acceptable_client_ids,
            pkce: self.pkce_enabled,
            skip_nonce_check: self.skip_nonce_check,
            email_optional: self.email_optional,
            reading: Reading::Custom {
                mapping: self.attribute_mapping,
                allowlist: self.custom_claims_allowlist,
            },
            authorization_params: self.authorization_params,
        })
    }
}

fn check_identifier(identifier: &str) -> Result<(), AuthError> {
    if identifier.starts_with("custom:") {
        return Ok(());
    }
    let message = format!("identifier must start with 'custom:' prefix, e.g. 'custom:{identifier}'");
    Err(AuthError::invalid(message))
}

/// What holds of a new provider and of a change to one.
fn check(asked: &CustomProviderParams) -> Result<(), AuthError> {
    for (name, value) in asked.authorization_params.iter().flatten() {
        if RESERVED.contains(&name.as_str()) {
            return Err(AuthError::invalid(format!("Cannot override reserved OAuth parameter: {name}")));
        }
        if !value.is_string() {
            return Err(AuthError::invalid(format!("Authorization parameter {name:?} must be a string")));
        }
    }
    for name in asked.attribute_mapping.iter().flat_map(Metadata::keys) {
        if PROTECTED.contains(&name.as_str()) {
            return Err(AuthError::invalid(format!("Cannot map to protected system field: {name}")));
        }
    }
    if asked.custom_claims_allowlist.iter().flatten().any(|name| name.trim().is_empty()) {
        return Err(AuthError::invalid("custom_claims_allowlist entries must be non-empty strings"));
    }
    let urls = [
        &asked.issuer,
        &asked.discovery_url,
        &asked.authorization_url,
        &asked.token_url,
        &asked.userinfo_url,
        &asked.jwks_uri,
    ];
    urls.into_iter().flatten().try_for_each(|url| check_url(url))
}

/// Elsewhere only over TLS; on this machine, where the hosted service would ask nobody, either way.
fn check_url(written: &str) -> Result<(), AuthError> {
    let url = Url::parse(written).map_err(|_| AuthError::invalid("Invalid URL format"))?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || (url.scheme() == "http" && is_here) {
        return Ok(());
    }
    Err(AuthError::invalid("URL must use HTTPS"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;

    use super::*;

    fn asked(changes: &Value) -> CustomProviderParams {
        let mut body = json!({
            "provider_type": "oidc", "identifier": "custom:acme", "name": "Acme", "client_id": "app",
            "client_secret": "hush", "issuer": "https://idp.test",
        });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        CustomProviderParams::deserialize(body).unwrap()
    }

    fn refusal(changes: &Value) -> Option<AuthError> {
        CustomProvider::new(asked(changes), &mut Moment::at(DateTime::UNIX_EPOCH, 1)).err()
    }

    #[test]
    fn a_provider_is_shown_without_its_secret() {
        let mut moment = Moment::at(DateTime::UNIX_EPOCH, 1);
        let custom = CustomProvider::new(asked(&json!({})), &mut moment).ok().unwrap();
        assert!(!json!(custom).to_string().contains("hush"));
        assert_eq!(custom.scopes, ["openid"], "an issuer is always asked for an ID token");
        assert_eq!(custom.provider().unwrap().client_secret, "hush");
    }

    #[test]
    fn what_makes_no_provider_is_refused_with_the_reason() {
        assert_eq!(refusal(&json!({})), None);
        for (changes, message) in [
            (json!({"provider_type": "saml"}), "provider_type must be either 'oauth2' or 'oidc'"),
            (json!({"identifier": ""}), "identifier is required"),
            (
                json!({"identifier": "acme"}),
                "identifier must start with 'custom:' prefix, e.g. 'custom:acme'",
            ),
            (json!({"client_secret": ""}), "client_secret is required"),
            (json!({"issuer": null}), "issuer is required for OIDC providers"),
            (json!({"provider_type": "oauth2"}), "authorization_url is required for OAuth2 providers"),
            (json!({"issuer": "http://idp.test"}), "URL must use HTTPS"),
            (
                json!({"authorization_params": {"state": "x"}}),
                "Cannot override reserved OAuth parameter: state",
            ),
            (json!({"authorization_params": {"a": 1}}), "Authorization parameter \"a\" must be a string"),
            (json!({"attribute_mapping": {"role": "groups"}}), "Cannot map to protected system field: role"),
            (
                json!({"custom_claims_allowlist": [" "]}),
                "custom_claims_allowlist entries must be non-empty strings",
            ),
        ] {
            assert_eq!(refusal(&changes), Some(AuthError::invalid(message)));
        }
    }

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for good in ["https://idp.test/x", "http://localhost:1/x", "http://127.0.0.1:1", "http://[::1]/x"] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in ["", "idp.test", "http://idp.test", "ftp://127.0.0.1", "http://localhost.test"] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
