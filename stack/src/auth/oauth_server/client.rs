//! Applications that sign people in with this project: registered, changed, taken away.
//!
//! A secret is shown once, when it is made; only its hash is kept. Who can not keep a secret, such
//! as a page or an app, is `public` and shows none.

use std::{fmt, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Json, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use url::Url;
use uuid::Uuid;

use super::{GRANTS, METHODS};
use crate::auth::{
    Service, admin,
    caller::require_admin,
    moment::Moment,
    reply::AuthError,
    request::{self, Page},
    store::Tx,
};

const PUBLIC: &str = "public";
const CONFIDENTIAL: &str = "confidential";
const MOST_ADDRESSES: usize = 10;
const LONGEST_NAME: usize = 1024;
const LONGEST_ADDRESS: usize = 2048;
/// Schemes that would run or show what they hold instead of going anywhere.
const DANGEROUS: [&str; 6] = ["javascript", "data", "file", "vbscript", "about", "blob"];

/// An application.
#[derive(Clone, FromRow)]
pub(in crate::auth) struct Client {
    pub(in crate::auth) id: Uuid,
    pub(in crate::auth) client_secret_hash: Option<String>,
    /// `dynamic` or `manual`.
    pub(in crate::auth) registration_type: String,
    /// Both with commas between them.
    pub(in crate::auth) redirect_uris: String,
    pub(in crate::auth) grant_types: String,
    pub(in crate::auth) client_name: Option<String>,
    pub(in crate::auth) client_uri: Option<String>,
    pub(in crate::auth) logo_uri: Option<String>,
    pub(in crate::auth) client_type: String,
    pub(in crate::auth) token_endpoint_auth_method: String,
    pub(in crate::auth) created_at: DateTime<Utc>,
    pub(in crate::auth) updated_at: DateTime<Utc>,
}

/// `POST /admin/oauth/clients` and `POST /oauth/clients/register`
#[derive(Debug, Default, Deserialize)]
struct Wish {
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    client_type: String,
    #[serde(default)]
    token_endpoint_auth_method: String,
    #[serde(default)]
    grant_types: Vec<String>,
    #[serde(default)]
    client_name: String,
    #[serde(default)]
    client_uri: String,
    #[serde(default)]
    logo_uri: String,
}

/// `PUT /admin/oauth/clients/{id}`: what is left out stays.
#[derive(Debug, Deserialize)]
struct Change {
    redirect_uris: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    client_name: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    token_endpoint_auth_method: Option<String>,
}

impl Client {
    fn new(
        moment: &mut Moment,
        wish: Wish,
        registration_type: &str,
    ) -> Result<(Self, Option<String>), String> {
        wish.check()?;
        let client_type = match (wish.client_type.as_str(), wish.token_endpoint_auth_method.as_str()) {
            ("", method) => type_of(method),
            (asked, _) => asked,
        };
        let method = match (wish.token_endpoint_auth_method.as_str(), client_type) {
            ("", PUBLIC) => "none",
            ("", _) => "client_secret_basic",
            (asked, _) => asked,
        };
        let grants = if wish.grant_types.is_empty() { GRANTS.join(",") } else { wish.grant_types.join(",") };
        let secret = (client_type == CONFIDENTIAL).then(|| secret(moment));
        let client = Self {
            id: moment.uuid(),
            client_secret_hash: secret.as_deref().map(hash),
            registration_type: registration_type.to_owned(),
            redirect_uris: wish.redirect_uris.join(","),
            grant_types: grants,
            client_type: client_type.to_owned(),
            token_endpoint_auth_method: method.to_owned(),
            client_name: filled(wish.client_name),
            client_uri: filled(wish.client_uri),
            logo_uri: filled(wish.logo_uri),
            created_at: moment.now,
            updated_at: moment.now,
        };
        Ok((client, secret))
    }

    fn apply(&mut self, change: Change) -> Result<(), String> {
        if let Some(addresses) = change.redirect_uris {
            check_addresses(&addresses)?;
            self.redirect_uris = addresses.join(",");
        }
        if let Some(grants) = change.grant_types {
            check_grants(&grants)?;
            self.grant_types = grants.join(",");
        }
        if let Some(name) = change.client_name {
            check_name(&name)?;
            self.client_name = filled(name);
        }
        if let Some(page) = change.client_uri {
            check_page("client_uri", &page)?;
            self.client_uri = filled(page);
        }
        if let Some(logo) = change.logo_uri {
            check_page("logo_uri", &logo)?;
            self.logo_uri = filled(logo);
        }
        if let Some(method) = change.token_endpoint_auth_method {
            check_method(&method)?;
            if type_of(&method) != self.client_type {
                return Err(format!(
                    "token_endpoint_auth_method '{method}' is not valid for client_type '{}'",
                    self.client_type
                ));
            }
            self.token_endpoint_auth_method = method;
        }
        Ok(())
    }

    /// Whether a browser may be sent there: as registered, letter by letter.
    pub(super) fn redirects_to(&self, address: &str) -> bool {
        self.redirect_uris.split(',').any(|known| known == address)
    }

    pub(super) fn may(&self, grant: &str) -> bool {
        self.grant_types.split(',').any(|known| known == grant)
    }

    /// Whether it is who it says, in the way it has registered.
    pub(super) fn check(&self, method: &str, secret: &str) -> Result<(), String> {
        let registered = &self.token_endpoint_auth_method;
        if method != registered {
            return Err(format!(
                "invalid authentication method: client is registered for '{registered}' but '{method}' was used"
            ));
        }
        match (&self.client_secret_hash, secret.is_empty()) {
            _ if self.is_public() && secret.is_empty() => Ok(()),
            _ if self.is_public() => Err("public clients must not provide client_secret".to_owned()),
            (_, true) => Err("confidential clients must provide client_secret".to_owned()),
            // Digests: how long the comparison takes says nothing about the secret.
            (Some(kept), _) if *kept == hash(secret) => Ok(()),
            (Some(_) | None, _) => Err("invalid client credentials".to_owned()),
        }
    }

    /// As people are shown it who are asked about it.
    pub(super) fn card(&self) -> Value {
        let mut card = json!({"id": self.id});
        for (name, value) in
            [("name", &self.client_name), ("uri", &self.client_uri), ("logo_uri", &self.logo_uri)]
        {
            if let Some(value) = value {
                card[name] = json!(value);
            }
        }
        card
    }

    fn is_public(&self) -> bool {
        self.client_type == PUBLIC
    }

    fn reply(&self, secret: Option<&str>) -> Value {
        let list = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
        let mut reply = json!({
            "client_id": self.id,
            "client_type": self.client_type,
            "redirect_uris": list(&self.redirect_uris),
            "token_endpoint_auth_method": self.token_endpoint_auth_method,
            "grant_types": list(&self.grant_types),
            "response_types": ["code"],
            "registration_type": self.registration_type,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        });
        let optional = [
            ("client_secret", secret),
            ("client_name", self.client_name.as_deref()),
            ("client_uri", self.client_uri.as_deref()),
            ("logo_uri", self.logo_uri.as_deref()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                reply[name] = json!(value);
            }
        }
        reply
    }
}

/// Without what proves who it is.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Wish {
    fn check(&self) -> Result<(), String> {
        if self.redirect_uris.is_empty() {
            return Err("redirect_uris is required".to_owned());
        }
        check_addresses(&self.redirect_uris)?;
        if !self.grant_types.is_empty() {
            check_grants(&self.grant_types)?;
        }
        check_name(&self.client_name)?;
        check_page("client_uri", &self.client_uri)?;
        check_page("logo_uri", &self.logo_uri)?;
        let (client_type, method) = (&self.client_type, &self.token_endpoint_auth_method);
        if !["", PUBLIC, CONFIDENTIAL].contains(&client_type.as_str()) {
            return Err("client_type must be 'public' or 'confidential'".to_owned());
        }
        if method.is_empty() {
            return Ok(());
        }
        check_method(method)?;
        let expected = type_of(method);
        if !client_type.is_empty() && client_type != expected {
            return Err(format!(
                "client_type '{client_type}' is inconsistent with token_endpoint_auth_method '{method}' \
                 (expected client_type '{expected}')"
            ));
        }
        Ok(())
    }
}

/// `GET /admin/oauth/clients`
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    admit(&service, &headers, &moment)?;
    let page = Page::of(&query)?;
    let mut tx = service.store.begin().await?;
    let (clients, total) = tx.clients(page).await?;
    let shown: Vec<_> = clients.iter().map(|client| client.reply(None)).collect();
    // A list of none is left out, as hosted.
    let body = if shown.is_empty() { json!({}) } else { json!({"clients": shown}) };
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(admin::TOTAL, HeaderValue::from(total));
    Ok(response)
}

/// `POST /admin/oauth/clients`
pub(super) async fn create(
    State(service): State<Arc<Service>>,
    moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    admit(&service, &headers, &moment)?;
    add(&service, moment, &body, "manual").await
}

/// `POST /oauth/clients/register`
pub(super) async fn register(
    State(service): State<Arc<Service>>,
    moment: Moment,
    body: Bytes,
) -> Result<Response, AuthError> {
    service.check_oauth_server()?;
    if !service.settings.read().oauth_registration {
        let message = "Dynamic client registration is not enabled";
        return Err(AuthError::forbidden("oauth_dynamic_client_registration_disabled", message));
    }
    add(&service, moment, &body, "dynamic").await
}

/// `GET /admin/oauth/clients/{id}`
pub(super) async fn read(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    admit(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    Ok(Json(find(&mut tx, &id).await?.reply(None)))
}

/// `PUT /admin/oauth/clients/{id}`
pub(super) async fn change(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, AuthError> {
    admit(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let mut client = find(&mut tx, &id).await?;
    let change: Change = request::read(&body)?;
    if change.is_none() {
        return Err(AuthError::invalid("No fields provided for update"));
    }
    client.apply(change).map_err(AuthError::invalid)?;
    save(tx, client, None, &moment).await
}

/// `DELETE /admin/oauth/clients/{id}`
pub(super) async fn delete(
    State(service): State<Arc<Service>>,
    moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, AuthError> {
    admit(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let client = find(&mut tx, &id).await?;
    tx.remove_client(client.id, &moment).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /admin/oauth/clients/{id}/regenerate_secret`
pub(super) async fn renew_secret(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, AuthError> {
    admit(&service, &headers, &moment)?;
    let mut tx = service.store.begin().await?;
    let mut client = find(&mut tx, &id).await?;
    if client.is_public() {
        return Err(AuthError::invalid("Cannot regenerate secret for public client"));
    }
    let secret = secret(&mut moment);
    client.client_secret_hash = Some(hash(&secret));
    save(tx, client, Some(&secret), &moment).await
}

impl Change {
    fn is_none(&self) -> bool {
        self.redirect_uris.is_none()
            && self.grant_types.is_none()
            && self.client_name.is_none()
            && self.client_uri.is_none()
            && self.logo_uri.is_none()
            && self.token_endpoint_auth_method.is_none()
    }
}

fn admit(service: &Service, headers: &HeaderMap, moment: &Moment) -> Result<(), AuthError> {
    require_admin(service, headers, moment)?;
    service.check_oauth_server()
}

async fn add(
    service: &Service,
    mut moment: Moment,
    body: &Bytes,
    registration_type: &str,
) -> Result<Response, AuthError> {
    let wish: Wish = request::read(body)?;
    let (client, secret) = Client::new(&mut moment, wish, registration_type).map_err(AuthError::invalid)?;
    let mut tx = service.store.begin().await?;
    tx.add_client(&client).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(client.reply(secret.as_deref()))).into_response())
}

async fn find(tx: &mut Tx, id: &str) -> Result<Client, AuthError> {
    let id = Uuid::parse_str(id).map_err(|_| AuthError::invalid("invalid client_id format"))?;
    let missing = || AuthError::not_found("oauth_client_not_found", "OAuth client not found");
    tx.client(id).await?.ok_or_else(missing)
}

async fn save(
    mut tx: Tx,
    mut client: Client,
    secret: Option<&str>,
    moment: &Moment,
) -> Result<Json<Value>, AuthError> {
    client.updated_at = moment.now;
    tx.save_client(&client).await?;
    tx.commit().await?;
    Ok(Json(client.reply(secret)))
}

fn check_addresses(addresses: &[String]) -> Result<(), String> {
    if addresses.is_empty() {
        return Err("redirect_uris cannot be empty".to_owned());
    }
    if addresses.len() > MOST_ADDRESSES {
        return Err("redirect_uris cannot exceed 10 items".to_owned());
    }
    for address in addresses {
        check_address(address).map_err(|why| format!("invalid redirect_uri '{address}': {why}"))?;
    }
    Ok(())
}

/// Where a browser may be sent with a code.
fn check_address(address: &str) -> Result<(), &'static str> {
    if address.is_empty() {
        return Err("redirect URI cannot be empty");
    }
    let address = Url::parse(address).map_err(|_| "must have scheme and host")?;
    if DANGEROUS.contains(&address.scheme()) {
        return Err("scheme is not allowed for security reasons");
    }
    let host = address.host_str().filter(|host| !host.is_empty()).ok_or("must have scheme and host")?;
    if address.scheme() == "http" && !["localhost", "127.0.0.1", "[::1]"].contains(&host) {
        return Err("HTTP scheme only allowed for localhost");
    }
    if address.fragment().is_some_and(|fragment| !fragment.is_empty()) {
        return Err("fragment not allowed in redirect URI");
    }
    Ok(())
}

fn check_grants(grants: &[String]) -> Result<(), String> {
    if grants.is_empty() {
        return Err("grant_types cannot be empty".to_owned());
    }
    if grants.iter().all(|grant| GRANTS.contains(&grant.as_str())) {
        return Ok(());
    }
    Err("grant_types must only contain 'authorization_code' and/or 'refresh_token'".to_owned())
}

fn check_name(name: &str) -> Result<(), String> {
    if name.len() > LONGEST_NAME {
        return Err("client_name cannot exceed 1024 characters".to_owned());
    }
    Ok(())
}

fn check_page(field: &str, page: &str) -> Result<(), String> {
    if page.len() > LONGEST_ADDRESS {
        return Err(format!("{field} cannot exceed 2048 characters"));
    }
    if !page.is_empty() && Url::parse(page).is_err() {
        return Err(format!("{field} must be a valid URL"));
    }
    Ok(())
}

fn check_method(method: &str) -> Result<(), String> {
    if METHODS.contains(&method) {
        return Ok(());
    }
    Err(format!("token_endpoint_auth_method must be one of: [{}]", METHODS.join(" ")))
}

/// What an application is that says in this way who it is.
fn type_of(method: &str) -> &'static str {
    if method == "none" { PUBLIC } else { CONFIDENTIAL }
}

fn secret(moment: &mut Moment) -> String {
    URL_SAFE_NO_PAD.encode(moment.challenge())
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wish(address: &str) -> Wish {
        Wish { redirect_uris: vec![address.to_owned()], ..Wish::default() }
    }

    fn client(wish: Wish) -> Result<(Client, Option<String>), String> {
        Client::new(&mut Moment::at(DateTime::UNIX_EPOCH, 1), wish, "manual")
    }

    #[test]
    fn who_can_keep_a_secret_gets_one() {
        let (kept, secret) = client(wish("https://app.example/back")).unwrap();
        let secret = secret.unwrap();
        assert_eq!(kept.check("client_secret_basic", &secret), Ok(()));
        assert!(kept.check("client_secret_basic", "another").is_err());
        assert!(kept.check("client_secret_basic", "").is_err());
        assert!(kept.check("client_secret_post", &secret).is_err(), "only as registered");
        assert!(!format!("{kept:?}").contains(&hash(&secret)));
        let public = Wish { client_type: PUBLIC.to_owned(), ..wish("app://back") };
        let (open, secret) = client(public).unwrap();
        assert_eq!((secret, open.check("none", "")), (None, Ok(())));
        assert!(open.check("none", "a secret").is_err());
    }

    #[test]
    fn a_wish_that_makes_no_sense_is_refused() {
        let good = || wish("https://app.example/back");
        for (wish, complaint) in [
            (Wish::default(), "redirect_uris is required"),
            (wish(""), "cannot be empty"),
            (wish("http://app.example/"), "HTTP scheme"),
            (wish("https://app.example/#here"), "fragment"),
            (wish("javascript:alert(1)"), "not allowed"),
            (wish("mailto:ana@example.com"), "scheme and host"),
            (wish("nowhere"), "scheme and host"),
            (Wish { grant_types: vec!["password".to_owned()], ..good() }, "grant_types"),
            (Wish { client_type: "secret".to_owned(), ..good() }, "client_type"),
            (Wish { client_uri: "here".to_owned(), ..good() }, "client_uri"),
            (Wish { client_name: "x".repeat(1025), ..good() }, "client_name"),
            (Wish { token_endpoint_auth_method: "jwt".to_owned(), ..good() }, "must be one of"),
            (
                Wish {
                    client_type: PUBLIC.to_owned(),
                    token_endpoint_auth_method: "client_secret_post".to_owned(),
                    ..good()
                },
                "inconsistent",
            ),
        ] {
            let said = client(wish).err().unwrap();
            assert!(said.contains(complaint), "{said} is not {complaint}");
        }
        for address in ["http://localhost:3000/a", "http://127.0.0.1/", "http://[::1]:1/", "app://back"] {
            assert!(client(wish(address)).is_ok(), "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_address_is_too_strange_to_be_judged(address: String) {
            let _ = check_address(&address);
        }
    }
}
