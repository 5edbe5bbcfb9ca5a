//! A small OpenID provider of the project's own, at `/oidc`: somebody to sign in by in a test.
//!
//! It is there once the settings say whom it knows and whom it serves. A person is let in without a
//! page: `login_hint`, which OpenID Connect has for a suggestion, decides who comes. The rest is as
//! the specifications have it: a document, codes that are good once and for a minute, PKCE, secrets
//! in the header or in the body, ID tokens signed with ES256, tokens that are renewed. What it says
//! about somebody is what the settings say, whole; only the address needs the scope `email`.
//!
//! It is a provider to the auth service as any other is: the two meet over HTTP and share nothing but
//! the settings. Not here: lists of addresses a client may be sent back to; consent; signing out.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Json, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{
    Service,
    flow::challenge_of,
    id_token::hash_of,
    moment::Moment,
    redirect::{to, with_query},
    request,
    settings::Oidc,
    user::Metadata,
};
use crate::{gateway::bearer, jwt::Keyring};

/// More than any test leaves open; then the oldest is forgotten.
const MOST: usize = 1000;
const CODE_GOOD_FOR: TimeDelta = TimeDelta::minutes(1);
const TOKEN_SECONDS: i64 = 3600;

/// The provider of one project.
struct Provider {
    service: Arc<Service>,
    /// Its own: no token of the project is one of the provider's.
    keyring: Keyring,
    issuer: String,
    given: Mutex<VecDeque<Given>>,
}

/// Something that was handed out and stands for a sign-in.
struct Given {
    secret: String,
    kind: Kind,
    sign_in: SignIn,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Access,
    Refresh,
}

/// Somebody who was let in for a client.
#[derive(Clone)]
struct SignIn {
    login: String,
    client: String,
    redirect_uri: String,
    scope: String,
    nonce: Option<String>,
    challenge: Option<String>,
    at: DateTime<Utc>,
}

/// What stands at `/oidc`.
pub(super) fn router(service: Arc<Service>) -> Router {
    let (keyring, issuer) = (service.oidc_keyring.clone(), format!("{}/oidc", service.api_url));
    let provider = Arc::new(Provider { service, keyring, issuer, given: Mutex::default() });
    Router::new()
        .route("/.well-known/openid-configuration", get(document))
        .route("/jwks", get(keys))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/userinfo", get(userinfo).post(userinfo))
        .with_state(provider)
}

/// Why somebody is not served, in OAuth's words.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

const ABSENT: Refusal = Refusal(StatusCode::NOT_FOUND, "not_found");
const INVALID_REQUEST: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_request");
const INVALID_GRANT: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_grant");
const INVALID_CLIENT: Refusal = Refusal(StatusCode::UNAUTHORIZED, "invalid_client");
const INVALID_TOKEN: Refusal = Refusal(StatusCode::UNAUTHORIZED, "invalid_token");

impl Provider {
    fn settings(&self) -> Result<Oidc, Refusal> {
        self.service.settings.read().oidc.ok_or(ABSENT)
    }

    fn give(&self, kind: Kind, sign_in: &SignIn, moment: &mut Moment) -> String {
        let secret = moment.verifier();
        let mut given = self.given();
        given.push_back(Given { secret: secret.clone(), kind, sign_in: sign_in.clone() });
        if given.len() > MOST {
            given.pop_front();
        }
        secret
    }

    /// Who was let in with this.
    fn look(&self, kind: Kind, secret: &str) -> Option<SignIn> {
        let given = self.given();
        given
            .iter()
            .find(|given| given.kind == kind && given.secret == secret)
            .map(|given| given.sign_in.clone())
    }

    /// The same, once.
    fn take(&self, kind: Kind, secret: &str) -> Option<SignIn> {
        let mut given = self.given();
        let place = given.iter().position(|given| given.kind == kind && given.secret == secret)?;
        given.remove(place).map(|given| given.sign_in)
    }

    fn given(&self) -> MutexGuard<'_, VecDeque<Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said about somebody: who they are, and what the settings and the scope allow.
    fn says(&self, sign_in: &SignIn) -> Option<Metadata> {
        let mut said = self.settings().ok()?.people.remove(&sign_in.login)?;
        said.entry("sub").or_insert_with(|| json!(sign_in.login));
        if !sign_in.has("email") {
            said.remove("email");
            said.remove("email_verified");
        }
        Some(said)
    }
}

impl SignIn {
    fn has(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|known| known == scope)
    }
}

async fn document(State(provider): State<Arc<Provider>>) -> Result<Json<Value>, Refusal> {
    provider.settings()?;
    let at = |path| format!("{}/{path}", provider.issuer);
    Ok(Json(json!({
        "issuer": provider.issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("jwks"),
        "scopes_supported": ["openid", "email", "profile", "offline_access"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    })))
}

async fn keys(State(provider): State<Arc<Provider>>) -> Result<Json<Value>, Refusal> {
    provider.settings()?;
    Ok(Json(json!({"keys": [provider.keyring.public_key()]})))
}

/// `GET /authorize`: lets in who is named, and sends them back with a code.
async fn authorize(
    State(provider): State<Arc<Provider>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let settings = provider.settings()?;
    let asked = |name| request::value(&query, name).filter(|value| !value.is_empty());
    let client = asked("client_id").filter(|id| settings.clients.contains_key(*id));
    let client = client.ok_or(Refusal(StatusCode::BAD_REQUEST, "invalid_client"))?;
    let redirect_uri = asked("redirect_uri").ok_or(INVALID_REQUEST)?;
    let target = Url::parse(redirect_uri).map_err(|_| INVALID_REQUEST)?;
    // From here on the client is told, and not the browser.
    let back = |pairs: &[(&str, &str)]| {
        let state = asked("state").map(|state| ("state", state));
        let pairs: Vec<_> = pairs.iter().copied().chain(state).collect();
        to(StatusCode::FOUND, &with_query(target.clone(), &pairs))
    };
    if asked("response_type") != Some("code") {
        return Ok(back(&[("error", "unsupported_response_type")]));
    }
    if asked("code_challenge").is_some() && asked("code_challenge_method") != Some("S256") {
        return Ok(back(&[("error", "invalid_request"), ("error_description", "only S256 is taken")]));
    }
    let login = match asked("login_hint") {
        None => {
            let description = "login_hint has to name who signs in";
            return Ok(back(&[("error", "login_required"), ("error_description", description)]));
        }
        Some(login) if !settings.people.contains_key(login) => {
            let description = "nobody has this name here";
            return Ok(back(&[("error", "access_denied"), ("error_description", description)]));
        }
        Some(login) => login,
    };
    let sign_in = SignIn {
        login: login.to_owned(),
        client: client.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        scope: asked("scope").unwrap_or_default().to_owned(),
        nonce: asked("nonce").map(str::to_owned),
        challenge: asked("code_challenge").map(str::to_owned),
        at: moment.now,
    };
    let code = provider.give(Kind::Code, &sign_in, &mut moment);
    Ok(back(&[("code", &code)]))
}

/// `POST /token`: tokens for a code, or for a refresh token.
async fn token(
    State(provider): State<Arc<Provider>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let settings = provider.settings()?;
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let asked = |name| request::value(&form, name).filter(|value| !value.is_empty());
    let client = client(&settings, &headers, &form)?;
    let sign_in = match asked("grant_type") {
        Some("authorization_code") => {
            let code = asked("code").ok_or(INVALID_REQUEST)?;
            let sign_in = provider.take(Kind::Code, code).ok_or(INVALID_GRANT)?;
            let is_met = match (&sign_in.challenge, asked("code_verifier")) {
                (None, None) => true,
                (Some(challenge), Some(verifier)) => challenge_of(verifier) == *challenge,
                (None, Some(_)) | (Some(_), None) => false,
            };
            let is_late = moment.now > sign_in.at + CODE_GOOD_FOR;
            if !is_met || is_late || asked("redirect_uri") != Some(&sign_in.redirect_uri) {
                return Err(INVALID_GRANT);
            }
            sign_in
        }
        Some("refresh_token") => {
            let refresh = asked("refresh_token").ok_or(INVALID_REQUEST)?;
            let sign_in = provider.take(Kind::Refresh, refresh).ok_or(INVALID_GRANT)?;
            SignIn { at: moment.now, ..sign_in }
        }
        _ => return Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type")),
    };
    if sign_in.client != client {
        return Err(INVALID_GRANT);
    }
    let said = provider.says(&sign_in).ok_or(INVALID_GRANT)?;
    let access_token = provider.give(Kind::Access, &sign_in, &mut moment);
    let refresh_token = provider.give(Kind::Refresh, &sign_in, &mut moment);
    let mut reply = json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS,
        "refresh_token": refresh_token, "scope": sign_in.scope,
    });
    if sign_in.has("openid") {
        let claims = id_claims(said, &provider.issuer, &sign_in, &access_token, moment.now);
        reply["id_token"] = json!(provider.keyring.sign_es256(&claims));
    }
    Ok(Json(reply))
}

/// `GET` and `POST /userinfo`
async fn userinfo(
    State(provider): State<Arc<Provider>>,
    moment: Moment,
    headers: HeaderMap,
) -> Result<Json<Metadata>, Refusal> {
    provider.settings()?;
    let shown = headers.get(AUTHORIZATION).and_then(|shown| bearer(shown.to_str().ok()?));
    let sign_in = shown.and_then(|token| provider.look(Kind::Access, token)).ok_or(INVALID_TOKEN)?;
    if moment.now > sign_in.at + TimeDelta::seconds(TOKEN_SECONDS) {
        return Err(INVALID_TOKEN);
    }
    provider.says(&sign_in).map(Json).ok_or(INVALID_TOKEN)
}

/// Which client asks, once it has proved it in the header or in the body.
fn client(settings: &Oidc, headers: &HeaderMap, form: &[(String, String)]) -> Result<String, Refusal> {
    let in_header = headers.get(AUTHORIZATION).and_then(|shown| basic(shown.to_str().ok()?));
    let value = |name| request::value(form, name).map(str::to_owned);
    let in_body = || value("client_id").zip(value("client_secret"));
    let (id, secret) = in_header.or_else(in_body).ok_or(INVALID_CLIENT)?;
    if settings.clients.get(&id) == Some(&secret) { Ok(id) } else { Err(INVALID_CLIENT) }
}

/// Name and secret of an `Authorization: Basic` header, each written as in a form.
fn basic(shown: &str) -> Option<(String, String)> {
    let (scheme, pair) = shown.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(pair.trim()).ok())??;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let read = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(|text| text.into_owned())
    };
    Some((read(id)?, read(secret)?))
}

/// What an ID token says: about somebody, and about itself, which the settings do not change.
fn id_claims(
    mut said: Metadata,
    issuer: &str,
    sign_in: &SignIn,
    access_token: &str,
    now: DateTime<Utc>,
) -> Metadata {
    let of_itself = [
        ("iss", json!(issuer)),
        ("aud", json!(sign_in.client)),
        ("iat", json!(now.timestamp())),
        ("exp", json!(now.timestamp() + TOKEN_SECONDS)),
        ("at_hash", json!(hash_of(access_token))),
    ];
    said.extend(of_itself.map(|(name, value)| (name.to_owned(), value)));
    if let Some(nonce) = &sign_in.nonce {
        said.insert("nonce".to_owned(), json!(nonce));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Oidc {
        serde_json::from_value(json!({"clients": {"app": "s:1"}, "people": {}})).unwrap()
    }

    #[test]
    fn a_client_proves_itself_in_the_header_or_in_the_body() {
        let form = |secret: &str| {
            [("client_id", "app"), ("client_secret", secret)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let header = |pair: &str| {
            let mut headers = HeaderMap::new();
            let value = format!("Basic {}", STANDARD.encode(pair));
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            headers
        };
        let ours = Ok("app".to_owned());
        assert_eq!(client(&settings(), &HeaderMap::new(), &form("s:1")), ours);
        assert_eq!(client(&settings(), &header("app:s%3A1"), &[]), ours);
        for (headers, form) in [
            (HeaderMap::new(), form("wrong").to_vec()),
            (header("app:wrong"), form("s:1").to_vec()),
            (header("other:s:1"), Vec::new()),
            (header("app"), Vec::new()),
            (HeaderMap::new(), Vec::new()),
        ] {
            assert_eq!(client(&settings(), &headers, &form), Err(INVALID_CLIENT));
        }
    }

    #[test]
    fn the_settings_say_who_somebody_is_and_not_for_whom_a_token_is() {
        let said = json!({"sub": "7", "aud": "other", "iss": "https://evil.test", "name": "Ana"});
        let Value::Object(said) = said else { unreachable!() };
        let sign_in = SignIn {
            login: "ana".to_owned(),
            client: "app".to_owned(),
            redirect_uri: String::new(),
            scope: "openid".to_owned(),
            nonce: Some("n".to_owned()),
            challenge: None,
            at: DateTime::UNIX_EPOCH,
        };
        let claims = id_claims(said, "http://here/oidc", &sign_in, "token", DateTime::UNIX_EPOCH);
        let text = |name: &str| claims[name].as_str().unwrap().to_owned();
        assert_eq!(
            (text("iss"), text("aud"), text("sub")),
            ("http://here/oidc".into(), "app".into(), "7".into())
        );
        assert_eq!((text("nonce"), text("name")), ("n".into(), "Ana".into()));
    }
}
