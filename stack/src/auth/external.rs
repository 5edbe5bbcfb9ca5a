//! Signing in by a provider: `/authorize` sends the browser there, `/callback` takes it back.
//!
//! A trip is written down before it begins, and its id is the `state` that comes back with it. It
//! leads to a session behind a `#`, or with PKCE to a code that only who began it can use. The same
//! trip, begun by somebody signed in, adds an identity to them.
//!
//! No transaction is open while a provider is asked.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Json, Response},
};
use serde_json::json;
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::{
    Service,
    caller::Caller,
    claims::Statement,
    code::Purpose,
    flow::{Challenge, Trip, challenge_of},
    id_token,
    linking::{self, Entry},
    moment::Moment,
    outbound::Tokens,
    provider::{Endpoints, KNOWN, Provider, RESERVED},
    redirect::{target_of, to, told, with_fragment, with_query},
    reply::AuthError,
    request,
    settings::External,
    token::{self, Grant},
};

/// How many letters of a code are told when it is not taken.
const HINT: usize = 4;

/// `GET /authorize`
pub(super) async fn authorize(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let url = leave(&service, &query, &headers, None, &mut moment).await?;
    Ok(to(StatusCode::FOUND, &url))
}

/// `GET /user/identities/authorize`
pub(super) async fn link(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let mut tx = service.store.begin().await?;
    let Caller { user, .. } = Caller::of(&service, &mut tx, &headers, &moment).await?;
    drop(tx);
    service.require_manual_linking()?;
    let url = leave(&service, &query, &headers, Some(user.id), &mut moment).await?;
    if request::value(&query, "skip_http_redirect") == Some("true") {
        return Ok(Json(json!({"url": url.as_str()})).into_response());
    }
    Ok(to(StatusCode::FOUND, &url))
}

/// `GET` and `POST /callback`: some providers come back with a form.
pub(super) async fn callback(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    method: Method,
    Query(mut said): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    if method == Method::POST {
        let form = form_urlencoded::parse(&body).into_owned();
        said = form.chain(said).collect();
    }
    let trip = match trip(&service, &said, &moment).await {
        Ok(trip) => trip,
        // Nobody knows where it was to lead.
        Err(error) => {
            let site = target_of("", &service.settings.read())?;
            return Ok(to(StatusCode::SEE_OTHER, &with_query(site, &error.told())));
        }
    };
    let target = target_of(trip.referrer.as_deref().unwrap_or_default(), &service.settings.read())?;
    let target = match arrive(&service, &trip, &said, &headers, &mut moment).await {
        Ok(Arrival::Code(code)) => with_query(target, &[("code", &code)]),
        Ok(Arrival::Session(grant, tokens)) => {
            let mut more = vec![("provider_token", tokens.access_token.as_str())];
            more.extend(tokens.refresh_token.as_deref().map(|token| ("provider_refresh_token", token)));
            with_fragment(target, &grant.fragment(&more))
        }
        Err(error) => with_fragment(with_query(target, &error.told()), &told(&error.told())),
    };
    Ok(to(StatusCode::FOUND, &target))
}

impl Service {
    /// Where providers send people back to.
    fn callback(&self) -> String {
        format!("{}/callback", self.issuer)
    }

    /// A provider of the settings.
    pub(super) fn external(&self, name: &str, told: &External) -> Option<Provider> {
        Provider::of(name, told, &self.api_url)
    }

    pub(super) fn require_manual_linking(&self) -> Result<(), AuthError> {
        if self.settings.read().manual_linking {
            return Ok(());
        }
        Err(AuthError::not_found("manual_linking_disabled", "Manual linking is disabled"))
    }

    /// The provider with this name, or why there is none: the second half of a sentence.
    async fn provider(&self, name: &str) -> Result<Provider, AuthError> {
        let name = name.to_lowercase();
        if name.starts_with("custom:") {
            let mut tx = self.store.begin().await?;
            let missing = || AuthError::invalid(format!("custom provider {name} not found"));
            let custom = tx.custom_provider(&name).await?.ok_or_else(missing)?;
            if !custom.enabled {
                return Err(AuthError::invalid(format!("custom provider {name} is disabled")));
            }
            let half = || AuthError::invalid(format!("OAuth2 provider {name} missing required endpoints"));
            return custom.provider().ok_or_else(half);
        }
        let settings = self.settings.read();
        match settings.external.get(&name).and_then(|told| self.external(&name, told)) {
            Some(provider) => Ok(provider),
            None if KNOWN.contains(&name.as_str()) || settings.external.contains_key(&name) => {
                Err(AuthError::invalid("provider is not enabled"))
            }
            None => Err(AuthError::invalid(format!("Provider {name} could not be found"))),
        }
    }

    /// The same with its addresses, which its document may have to be asked for.
    async fn reach(&self, name: &str) -> Result<(Provider, Endpoints), AuthError> {
        let provider = self.provider(name).await?;
        let endpoints = self
            .outbound
            .endpoints(&provider.place)
            .await
            .map_err(|trouble| AuthError::invalid(format!("error creating OIDC provider: {trouble}")))?;
        Ok((provider, endpoints))
    }
}

/// Writes a trip down, and says where it begins.
async fn leave(
    service: &Service,
    query: &[(String, String)],
    headers: &HeaderMap,
    linking_target: Option<Uuid>,
    moment: &mut Moment,
) -> Result<Url, AuthError> {
    let asked = |name| request::value(query, name).filter(|value| !value.is_empty());
    let unsupported = |error: AuthError| error.within("Unsupported provider: ");
    let named = asked("provider").unwrap_or_default();
    let (provider, endpoints) = service.reach(named).await.map_err(unsupported)?;
    let challenge = Challenge::of(asked("code_challenge"), asked("code_challenge_method"))?;
    let referrer = request::redirect_to(query, headers, &service.settings.read());
    let mut tx = service.store.begin().await?;
    if let Some(invite) = asked("invite_token") {
        let gone = || AuthError::not_found("user_not_found", "User identified by token not found");
        tx.code(&[invite.to_owned()], &[Purpose::Confirmation]).await?.ok_or_else(gone)?;
    }
    let mut said = passed_on(query);
    let mut trip = Trip::new(moment, &provider.name, challenge, referrer);
    trip.invite_token = asked("invite_token").map(str::to_owned);
    trip.linking_target_id = linking_target;
    trip.email_optional = provider.email_optional;
    if provider.pkce {
        let (id, verifier) = (moment.uuid(), moment.verifier());
        tx.add_client_state(id, &provider.name, &verifier, moment).await?;
        trip.oauth_client_state_id = Some(id);
        said.push(("code_challenge".to_owned(), challenge_of(&verifier)));
        said.push(("code_challenge_method".to_owned(), "S256".to_owned()));
    }
    let scopes = asked("scopes").unwrap_or_default();
    let state = trip.id.to_string();
    let nowhere = || AuthError::invalid("Unsupported provider: its address is none");
    let url = provider.address(&endpoints, &service.callback(), scopes, &state, &said).ok_or_else(nowhere)?;
    tx.add_trip(&trip).await?;
    tx.commit().await?;
    Ok(url)
}

/// What an app said that the provider is to hear, the first of each name.
fn passed_on(query: &[(String, String)]) -> Vec<(String, String)> {
    let mut said: Vec<(String, String)> = Vec::new();
    for (name, value) in query {
        let lower = name.to_ascii_lowercase();
        let is_ours = name == "provider" || name == "scopes";
        let is_reserved = lower != "nonce" && RESERVED.contains(&lower.as_str());
        if !is_ours && !is_reserved && said.iter().all(|(known, _)| known != name) {
            said.push((name.clone(), value.clone()));
        }
    }
    said
}

/// The trip a provider sends somebody back from.
async fn trip(service: &Service, said: &[(String, String)], moment: &Moment) -> Result<Trip, AuthError> {
    let bad = |message| AuthError::bad_request("bad_oauth_state", message);
    let state = request::value(said, "state")
        .filter(|state| !state.is_empty())
        .ok_or_else(|| AuthError::bad_request("bad_oauth_callback", "OAuth state parameter missing"))?;
    let state = Uuid::parse_str(state).map_err(|_| bad("OAuth state parameter is invalid"))?;
    let mut tx = service.store.begin().await?;
    let trip = tx.trip(state).await?.ok_or_else(|| bad("OAuth state not found or expired"))?;
    if trip.is_over(moment.now) {
        return Err(bad("OAuth state has expired"));
    }
    if trip.auth_code.is_some() && trip.user_id.is_some() {
        return Err(used());
    }
    if let Some(target) = trip.linking_target_id {
        let gone = || AuthError::unprocessable("user_not_found", "Linking target user not found");
        tx.user(target).await?.ok_or_else(gone)?;
    }
    Ok(trip)
}

fn used() -> AuthError {
    AuthError::bad_request("flow_state_already_used", "State has already been used")
}

/// What a trip has led to.
enum Arrival {
    Code(String),
    Session(Box<Grant>, Tokens),
}

async fn arrive(
    service: &Service,
    trip: &Trip,
    said: &[(String, String)],
    headers: &HeaderMap,
    moment: &mut Moment,
) -> Result<Arrival, AuthError> {
    let (mut provider, tokens) = exchange(service, trip, said, moment).await?;
    provider.email_optional = trip.email_optional;
    let statement = statement(service, &provider, &tokens, moment).await?;
    if statement.email.is_none() && !provider.email_optional {
        return Err(AuthError::unexpected("Error getting user email from external provider"));
    }
    let mut tx = service.store.begin().await?;
    // Locked until the end: of two who come back at once, the second finds it used.
    let trip = tx.trip_to_end(trip.id).await?.filter(|trip| trip.user_id.is_none()).ok_or_else(used)?;
    let entry = match (trip.linking_target_id, &trip.invite_token) {
        (Some(target), _) => linking::link(service, &mut tx, target, &provider, statement, moment).await?,
        (None, Some(invite)) => linking::accept_invite(&mut tx, invite, &provider, statement, moment).await?,
        (None, None) => linking::enter(service, &mut tx, &provider, statement, moment).await?,
    };
    let user = match entry {
        Entry::Proved(user) => user,
        Entry::Unproved(unproved) => return Err(unproved.commit(service, tx).await?),
    };
    match trip.auth_code {
        Some(code) => {
            tx.end_trip(trip.id, user.id, &tokens, moment).await?;
            tx.commit().await?;
            Ok(Arrival::Code(code))
        }
        None => {
            tx.end_flow(trip.id).await?;
            let grant = token::sign_in(service, tx, *user, token::OAUTH, headers, moment).await?;
            Ok(Arrival::Session(Box::new(grant), tokens))
        }
    }
}

/// Exchanges the code somebody came back with.
async fn exchange(
    service: &Service,
    trip: &Trip,
    said: &[(String, String)],
    moment: &Moment,
) -> Result<(Provider, Tokens), AuthError> {
    let value = |name| request::value(said, name).filter(|value| !value.is_empty());
    if let Some(error) = value("error") {
        return Err(AuthError::oauth(error, value("error_description").unwrap_or_default()));
    }
    let code = value("code").ok_or_else(|| {
        AuthError::bad_request("bad_oauth_callback", "OAuth callback with missing authorization code missing")
    })?;
    let unsupported =
        |error: AuthError| error.within("Unsupported provider: ").coded("oauth_provider_not_supported");
    let (provider, endpoints) = service.reach(&trip.provider_type).await.map_err(unsupported)?;
    let verifier = match trip.oauth_client_state_id {
        Some(id) => Some(verifier(service, id, moment).await?),
        None if provider.pkce => {
            let message = "OAuth PKCE code verifier missing";
            return Err(AuthError::bad_request("oauth_invalid_state", message));
        }
        None => None,
    };
    let exchange = provider.exchange(&endpoints, &service.callback(), code, verifier.as_deref());
    let tokens = service.outbound.exchange(&exchange).await.map_err(|_| {
        let hint: String = code.chars().take(HINT).collect();
        AuthError::unexpected(format!("Unable to exchange external code: {hint}"))
    })?;
    Ok((provider, tokens))
}

/// The verifier of a trip, which is shown once.
async fn verifier(service: &Service, id: Uuid, moment: &Moment) -> Result<String, AuthError> {
    let mut tx = service.store.begin().await?;
    let kept = tx.take_client_state(id).await?;
    tx.commit().await?;
    let missing = || AuthError::unprocessable("oauth_client_state_not_found", "OAuth state not found");
    let (verifier, created_at) = kept.ok_or_else(missing)?;
    if super::flow::is_over(created_at, moment.now) {
        return Err(AuthError::unprocessable("oauth_client_state_expired", "OAuth state expired"));
    }
    Ok(verifier)
}

/// Who somebody is: as their ID token says, or as the provider does when it is asked.
async fn statement(
    service: &Service,
    provider: &Provider,
    tokens: &Tokens,
    moment: &Moment,
) -> Result<Statement, AuthError> {
    let failed = || AuthError::unexpected("Error getting user profile from external provider");
    let raw = match &tokens.id_token {
        Some(shown) if provider.issuer().is_some() => {
            let token = id_token::open(service, provider, shown, moment).await.map_err(|_| failed())?;
            if !provider.accepts(&token.audience) {
                return Err(failed());
            }
            token.claims
        }
        Some(_) | None => {
            let endpoints = service.outbound.endpoints(&provider.place).await.map_err(|_| failed())?;
            let userinfo = endpoints.userinfo.ok_or_else(failed)?;
            service.outbound.userinfo(&userinfo, &tokens.access_token).await.map_err(|_| failed())?
        }
    };
    Statement::read(&raw, &provider.reading).map_err(|_| failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_can_not_say_what_is_ours_to_say() {
        let query = [
            ("provider", "google"),
            ("scopes", "email"),
            ("redirect_to", "http://app.test"),
            ("State", "forged"),
            ("redirect_uri", "http://evil.test"),
            ("nonce", "n"),
            ("prompt", "consent"),
            ("prompt", "none"),
        ];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let said = passed_on(&query);
        let said: Vec<_> = said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(said, [("redirect_to", "http://app.test"), ("nonce", "n"), ("prompt", "consent")]);
    }
}
