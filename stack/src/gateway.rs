//! The one address of a project: checks the key, settles who is asking, and sends the request on.
//!
//! A service behind the gateway always sees a token in `Authorization`. A key that stands alone
//! is exchanged for the token of its role; a person's own token wins over the key.
//!
//! Not here: what a request means (`rest`, `auth`), what goes wrong on purpose (`faults`).

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
            ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, USER_AGENT,
        },
    },
    response::{IntoResponse, Json, Response},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::Auth,
    functions::Functions,
    jwt::{self, Keyring},
    keys::{KeyRole, Keys},
    realtime::Realtime,
    rest::Rest,
    storage::Storage,
};

const API_KEY: HeaderName = HeaderName::from_static("apikey");
/// As the realtime service has it.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const REQUEST_ID: HeaderName = HeaderName::from_static("sb-request-id");
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "content-encoding, content-location, content-range, content-type, date, link, location, \
     preference-applied, proxy-status, range-unit, retry-after, sb-request-id, server, \
     tus-complete, tus-extension, tus-max-size, tus-resumable, tus-version, upload-defer-length, \
     upload-expires, upload-length, upload-metadata, upload-offset, x-sb-error-code, x-supabase-api-version, x-total-count",
);

/// Routes of the auth service a browser reaches before it knows a key.
const OPEN: [&str; 5] = ["/settings", "/verify", "/callback", "/authorize", "/.well-known/jwks.json"];
/// And those of applications that sign people in with it: they have keys of their own.
const OPEN_TO_CLIENTS: [&str; 6] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/oauth/authorize",
    "/oauth/token",
    "/oauth/userinfo",
    "/oauth/clients/register",
];

/// What stands behind the gateway of one project.
#[derive(Debug)]
pub(crate) struct Gateway {
    keys: Keys,
    keyring: Keyring,
    rest: Rest,
    auth: Auth,
    storage: Storage,
    realtime: Realtime,
    functions: Functions,
}

/// The service a path belongs to, and the path as that service knows it.
#[derive(Debug, PartialEq, Eq)]
enum Route<'a> {
    Health,
    Rest(&'a str),
    Auth(&'a str),
    Storage(&'a str),
    Realtime(&'a str),
    Functions(&'a str),
    Inbox(&'a str),
    /// The project's own provider, which stands in for one elsewhere: it knows no keys.
    Oidc(&'a str),
    Missing(&'static str),
    Nowhere,
}

impl Gateway {
    /// Puts the services behind one gateway.
    pub(crate) fn new(
        keys: Keys,
        keyring: Keyring,
        rest: Rest,
        auth: Auth,
        storage: Storage,
        realtime: Realtime,
        functions: Functions,
    ) -> Self {
        Self { keys, keyring, rest, auth, storage, realtime, functions }
    }

    /// The REST service.
    pub(crate) fn rest(&self) -> &Rest {
        &self.rest
    }

    /// The auth service.
    pub(crate) fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The storage service.
    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The realtime service.
    pub(crate) fn realtime(&self) -> &Realtime {
        &self.realtime
    }

    /// The functions service.
    pub(crate) fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Whether a request is not one the hosted service would know, but a test's own.
    pub(crate) fn is_for_tests(request: &Request<Body>) -> bool {
        match Route::of(request.uri().path()) {
            Route::Inbox(_) => true,
            Route::Health
            | Route::Rest(_)
            | Route::Auth(_)
            | Route::Storage(_)
            | Route::Realtime(_)
            | Route::Functions(_)
            | Route::Oidc(_)
            | Route::Missing(_)
            | Route::Nowhere => false,
        }
    }

    /// Answers a request from outside.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        // A function answers browsers itself, as hosted: what it lets them do is for it to say.
        let is_function = matches!(Route::of(request.uri().path()), Route::Functions(_));
        let mut response = if is_preflight(&request) && !is_function {
            preflight(request.headers())
        } else {
            self.route(request).await
        };
        let headers = response.headers_mut();
        if !is_function {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
        if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }

    async fn route(&self, mut request: Request<Body>) -> Response {
        let whole = request.uri().path().to_owned();
        let route = Route::of(&whole);
        if matches!(route, Route::Realtime(_)) {
            rename_key(request.headers_mut());
        }
        let mut shown = KeyRole::Anon;
        if !route.is_open_to(&request) {
            match (self.admit(&mut request), route.is_for_the_secret_key()) {
                (Ok(KeyRole::Anon), true) => return Refusal::SecretOnly.into_response(),
                (Ok(role), _) => shown = role,
                (Err(refusal), _) => return refusal.into_response(),
            }
        }
        match route {
            Route::Health => Json(json!({"status": "ok"})).into_response(),
            Route::Rest(path) => {
                self.translate_token(&mut request);
                self.rest.answer(at(request, path)).await
            }
            Route::Auth(path) => self.auth.answer(at(request, path)).await,
            Route::Storage(path) => self.storage.answer(at(request, path)).await,
            Route::Realtime(path) => self.realtime.answer(at(request, path), self.keys.token_of(shown)).await,
            Route::Functions(path) => self.functions.answer(at(request, path)).await,
            Route::Inbox(path) => self.auth.answer_inbox(at(request, path)).await,
            Route::Oidc(path) => self.auth.answer_oidc(at(request, path)).await,
            Route::Missing(service) => missing(service),
            Route::Nowhere => {
                (StatusCode::NOT_FOUND, Json(json!({"error": "requested path is invalid"}))).into_response()
            }
        }
    }

    /// Shows a service that believes HS256 alone the same token signed that way.
    fn translate_token(&self, request: &mut Request<Body>) {
        let headers = request.headers_mut();
        let shown = headers.get(AUTHORIZATION).and_then(|shown| bearer(shown.to_str().ok()?));
        let translated = shown.and_then(|token| self.keyring.translate(token, jwt::now()));
        if let Some(Ok(token)) = translated.map(|token| HeaderValue::try_from(format!("Bearer {token}"))) {
            headers.insert(AUTHORIZATION, token);
        }
    }

    /// Checks the key and leaves a token in `Authorization`.
    fn admit(&self, request: &mut Request<Body>) -> Result<KeyRole, Refusal> {
        let in_query = take_key_from_query(request);
        let headers = request.headers_mut();
        let in_header = headers.get(API_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
        let key = in_header.or(in_query).ok_or(Refusal::NoKey)?;
        let role = self.keys.role_of(&key).ok_or(Refusal::UnknownKey)?;
        if key == self.keys.secret && is_browser(headers) {
            return Err(Refusal::SecretInBrowser);
        }
        let alone = match headers.get(AUTHORIZATION) {
            None => true,
            Some(shown) => shown.to_str().is_ok_and(|shown| bearer(shown) == Some(key.as_str())),
        };
        if alone && let Ok(token) = HeaderValue::try_from(format!("Bearer {}", self.keys.token_of(role))) {
            headers.insert(AUTHORIZATION, token);
        }
        Ok(role)
    }
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        let under =
            |prefix| path.strip_prefix(prefix).filter(|rest: &&str| rest.is_empty() || rest.starts_with('/'));
        if let Some(rest) = under("/rest/v1") {
            Self::Rest(rest)
        } else if let Some(rest) = under("/auth/v1") {
            Self::Auth(rest)
        } else if let Some(rest) = under("/storage/v1") {
            Self::Storage(rest)
        } else if let Some(rest) = under("/realtime/v1") {
            Self::Realtime(rest)
        } else if let Some(rest) = under("/functions/v1") {
            Self::Functions(rest)
        } else if let Some(rest) = under("/inbox") {
            Self::Inbox(rest)
        } else if let Some(rest) = under("/oidc") {
            Self::Oidc(rest)
        } else if path == "/health" {
            Self::Health
        } else if path == "/.well-known/oauth-authorization-server/auth/v1" {
            // RFC 8414 puts itself between the host and the issuer's path.
            Self::Auth("/.well-known/oauth-authorization-server")
        } else {
            under("/graphql/v1").map_or(Self::Nowhere, |_| Self::Missing("/graphql/v1"))
        }
    }

    fn is_open_to(&self, request: &Request<Body>) -> bool {
        match self {
            // A function is shown the key and the token as they came: who may call it, it says itself.
            Self::Health | Self::Functions(_) | Self::Oidc(_) | Self::Nowhere => true,
            Self::Auth(path) => OPEN.contains(path) || OPEN_TO_CLIENTS.contains(path),
            // What is public there, and what an address is signed for, comes without a key.
            Self::Storage(_) => !shows_key(request),
            Self::Rest(_) | Self::Realtime(_) | Self::Inbox(_) | Self::Missing(_) => false,
        }
    }

    /// Codes lie in the inbox: whoever reads it can be anybody.
    fn is_for_the_secret_key(&self) -> bool {
        matches!(self, Self::Inbox(_))
    }
}

/// Why a request does not get past the gateway.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    NoKey,
    UnknownKey,
    SecretInBrowser,
    SecretOnly,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (message, hint) = match self {
            Self::NoKey => {
                ("No API key found in request", "No `apikey` request header or url param was found.")
            }
            Self::UnknownKey => {
                ("Invalid API key", "Double check your Supabase `anon` or `service_role` API key.")
            }
            Self::SecretInBrowser => (
                "Forbidden use of secret API key in browser",
                "Secret API keys can only be used in a protected environment and should be deleted if found elsewhere.",
            ),
            Self::SecretOnly => {
                ("Secret API key required", "The inbox is read with the project's secret key.")
            }
        };
        (StatusCode::UNAUTHORIZED, Json(json!({"message": message, "hint": hint}))).into_response()
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn missing(service: &str) -> Response {
    let body = json!({
        "error": "not_implemented",
        "message": format!("The local stack does not serve {service} yet"),
        "hint": "Use a hosted project, or `supabase start`, for what needs it.",
    });
    (StatusCode::NOT_IMPLEMENTED, Json(body)).into_response()
}

fn is_preflight(request: &Request<Body>) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    if let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

fn is_browser(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

fn shows_key(request: &Request<Body>) -> bool {
    let in_query = || request.uri().query()?.split('&').find(|pair| pair.starts_with("apikey="));
    request.headers().contains_key(API_KEY) || in_query().is_some()
}

/// The realtime service has another name for the key, which wins over the one in the address.
fn rename_key(headers: &mut HeaderMap) {
    if let Some(key) = headers.get(X_API_KEY).cloned() {
        headers.entry(API_KEY).or_insert(key);
    }
}

/// Takes `apikey` out of the query: the services behind would read it as a filter.
fn take_key_from_query(request: &mut Request<Body>) -> Option<String> {
    let query = request.uri().query()?;
    let is_key = |pair: &&str| pair.starts_with("apikey=");
    let key = query.split('&').find(is_key)?.trim_start_matches("apikey=").to_owned();
    let rest: Vec<_> = query.split('&').filter(|pair| !is_key(pair)).collect();
    let target = format!("{}?{}", request.uri().path(), rest.join("&"));
    *request.uri_mut() = Uri::try_from(target.trim_end_matches('?')).ok()?;
    Some(key)
}

/// The same request as the service at `path` is asked it.
fn at(mut request: Request<Body>, path: &str) -> Request<Body> {
    let path = if path.is_empty() { "/" } else { path };
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // Part of a valid target is a valid target.
    if let Ok(uri) = Uri::try_from(target) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_one_service() {
        for (path, route) in [
            ("/rest/v1", Route::Rest("")),
            ("/rest/v1/", Route::Rest("/")),
            ("/rest/v1/notes", Route::Rest("/notes")),
            ("/auth/v1/user", Route::Auth("/user")),
            ("/inbox", Route::Inbox("")),
            ("/inbox/settings", Route::Inbox("/settings")),
            ("/oidc/token", Route::Oidc("/token")),
            ("/storage/v1/object", Route::Storage("/object")),
            ("/realtime/v1/websocket", Route::Realtime("/websocket")),
            ("/functions/v1/f/g", Route::Functions("/f/g")),
            ("/graphql/v1", Route::Missing("/graphql/v1")),
            ("/rest/v10", Route::Nowhere),
            ("/", Route::Nowhere),
            ("/health", Route::Health),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }

    #[test]
    fn a_key_in_the_query_does_not_reach_the_service() {
        for (target, key, left) in [
            ("/rest/v1/t?apikey=k&a=eq.1", Some("k"), "/rest/v1/t?a=eq.1"),
            ("/rest/v1/t?apikey=k", Some("k"), "/rest/v1/t"),
            ("/rest/v1/t?a=eq.1", None, "/rest/v1/t?a=eq.1"),
        ] {
            let mut request = Request::builder().uri(target).body(Body::empty()).unwrap();
            assert_eq!(take_key_from_query(&mut request).as_deref(), key);
            assert_eq!(request.uri().to_string(), left);
        }
    }
}
