//! What the auth service promises to applications that sign people in with it.

use reqwest::{Client, Method, StatusCode, Url, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    service::{Lab, Person, Project, Reply},
    service_auth::{EMAIL, as_admin, as_person, claims, post, refresh, refusal},
};

const BACK: &str = "https://app.example/back";
// Both from appendix B of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application, as it was registered.
struct App {
    id: String,
    secret: String,
}

impl App {
    async fn register(project: &Project, more: Value) -> Self {
        let mut wish = json!({"client_name": "App", "redirect_uris": [BACK]});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = as_admin(project, Method::POST, "/oauth/clients", wish).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        let reply = reply.json();
        let text = |name: &str| reply[name].as_str().unwrap_or_default().to_owned();
        Self { id: text("client_id"), secret: text("client_secret") }
    }

    /// Where a browser is sent that comes with this.
    async fn authorize(&self, project: &Project, more: &[(&str, &str)]) -> Reply {
        let browser = Client::builder().redirect(Policy::none()).build().unwrap();
        let usual = [
            ("client_id", self.id.as_str()),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("state", "a state"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let more_names: Vec<_> = more.iter().map(|(name, _)| *name).collect();
        let query: Vec<_> = usual
            .into_iter()
            .filter(|(name, _)| !more_names.contains(name))
            .chain(more.iter().copied())
            .collect();
        Reply::to(browser.get(format!("{}/auth/v1/oauth/authorize", project.api_url)).query(&query)).await
    }

    /// The same, as far as the consent page.
    async fn begin(&self, project: &Project, scope: &str) -> String {
        let sent = self.authorize(project, &[("scope", scope)]).await;
        assert_eq!(sent.status, StatusCode::FOUND, "{}", sent.body);
        let page = Url::parse(sent.header("location")).unwrap();
        assert_eq!(page.path(), "/oauth/consent");
        told(&page, "authorization_id").unwrap()
    }

    /// The same, as far as the code.
    async fn code(&self, project: &Project, person: &Person, scope: &str) -> String {
        let id = self.begin(project, scope).await;
        let path = format!("/oauth/authorizations/{id}");
        let asked = as_person(project, person, Method::GET, &path, json!(null)).await;
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
        let agreed = as_person(
            project,
            person,
            Method::POST,
            &format!("{path}/consent"),
            json!({"action": "approve"}),
        )
        .await;
        let back = Url::parse(agreed.json()["redirect_url"].as_str().unwrap()).unwrap();
        assert_eq!(told(&back, "state").as_deref(), Some("a state"));
        told(&back, "code").unwrap()
    }

    async fn token(&self, project: &Project, form: &[(&str, &str)]) -> Reply {
        let request =
            project.bare(Method::POST, "/auth/v1/oauth/token").basic_auth(&self.id, Some(&self.secret));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        Reply::to(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    async fn exchange(&self, project: &Project, code: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(project, &form).await
    }

    async fn refresh(&self, project: &Project, token: &str) -> Reply {
        self.token(project, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }
}

fn told(address: &Url, name: &str) -> Option<String> {
    address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn user_info(project: &Project, token: &Value) -> Reply {
    let request = project.bare(Method::GET, "/auth/v1/oauth/userinfo").bearer_auth(token.as_str().unwrap());
    Reply::to(request).await
}

#[tokio::test]
async fn an_application_gets_a_session_of_its_own() {
    let project = Lab::project("").await;
    let (ana, app) = (project.sign_up(EMAIL).await, App::register(&project, json!({})).await);
    let code = app.code(&project, &ana, "openid email").await;
    let tokens = app.exchange(&project, &code).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    let tokens = tokens.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(3600)));
    assert_eq!(tokens.get("user"), None);
    let token = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((&token["client_id"], &token["scope"]), (&json!(app.id), &json!("openid email")));
    assert_eq!(token["amr"][0]["method"], "oauth_provider/authorization_code");
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((&id["sub"], &id["aud"], &id["email"]), (&json!(ana.id), &json!(app.id), &json!(EMAIL)));
    let info = user_info(&project, &tokens["access_token"]).await.json();
    assert_eq!(info, json!({"sub": ana.id, "email": EMAIL, "email_verified": true}));
    let again = app.exchange(&project, &code).await;
    assert_eq!(again.json()["error"], "invalid_grant", "a code is good once");
    let renewed = app.refresh(&project, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.body);
    let renewed = renewed.json();
    assert_eq!(claims(renewed["access_token"].as_str().unwrap())["client_id"], app.id.as_str());
    let alone = refresh(&project, renewed["refresh_token"].as_str().unwrap()).await;
    assert_eq!(alone.json()["error"], "invalid_client", "it goes on for the application alone");
    let taken = app.refresh(&project, &ana.refresh_token).await;
    assert_eq!(taken.json()["error"], "invalid_client", "and the person's own does not");
}

#[tokio::test]
async fn a_consent_is_asked_once_and_taken_back() {
    let project = Lab::project("").await;
    let (ana, app) = (project.sign_up(EMAIL).await, App::register(&project, json!({})).await);
    let id = app.begin(&project, "email profile").await;
    let path = format!("/oauth/authorizations/{id}");
    let asked = as_person(&project, &ana, Method::GET, &path, json!(null)).await.json();
    let expected = json!({
        "authorization_id": id, "redirect_uri": BACK, "client": {"id": app.id, "name": "App"},
        "user": {"id": ana.id, "email": EMAIL}, "scope": "email profile",
    });
    assert_eq!(asked, expected);
    let bob = project.sign_up("bob@example.com").await;
    let other = as_person(&project, &bob, Method::GET, &path, json!(null)).await;
    assert_eq!(other.refusal(), refusal(404, "oauth_authorization_not_found"), "it is somebody's by now");
    let consent = format!("{path}/consent");
    let denied = as_person(&project, &ana, Method::POST, &consent, json!({"action": "deny"})).await.json();
    let back = Url::parse(denied["redirect_url"].as_str().unwrap()).unwrap();
    assert_eq!(told(&back, "error").as_deref(), Some("access_denied"));
    let twice = as_person(&project, &ana, Method::POST, &consent, json!({"action": "approve"})).await;
    assert_eq!(twice.refusal(), refusal(400, "validation_failed"));
    let code = app.code(&project, &ana, "email profile").await;
    let tokens = app.exchange(&project, &code).await.json();
    let id = app.begin(&project, "email").await;
    let path = format!("/oauth/authorizations/{id}");
    let known = as_person(&project, &ana, Method::GET, &path, json!(null)).await.json();
    assert!(known["redirect_url"].as_str().unwrap().contains("code="), "less than that is not asked again");
    let grants = as_person(&project, &ana, Method::GET, "/user/oauth/grants", json!(null)).await.json();
    assert_eq!(
        (&grants[0]["client"]["id"], &grants[0]["scopes"]),
        (&json!(app.id), &json!(["email", "profile"]))
    );
    let grant = format!("/user/oauth/grants?client_id={}", app.id);
    let gone = as_person(&project, &ana, Method::DELETE, &grant, json!(null)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.body);
    let ended = app.refresh(&project, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(ended.json()["error_code"], "refresh_token_not_found");
    assert_eq!(user_info(&project, &tokens["access_token"]).await.status, StatusCode::FORBIDDEN);
    let again = as_person(&project, &ana, Method::DELETE, &grant, json!(null)).await;
    assert_eq!(again.refusal(), refusal(404, "oauth_consent_not_found"));
    let grants = as_person(&project, &ana, Method::GET, "/user/oauth/grants", json!(null)).await;
    assert_eq!(grants.json(), json!([]));
    let own = as_person(&project, &ana, Method::GET, "/user", json!(null)).await;
    assert_eq!(own.status, StatusCode::OK, "the person's own session goes on");
    let id = app.begin(&project, "email").await;
    let past = "created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'";
    project.sql(&format!("update auth.oauth_authorizations set {past}")).await;
    let path = format!("/oauth/authorizations/{id}");
    let late = as_person(&project, &ana, Method::GET, &path, json!(null)).await;
    assert_eq!(late.refusal(), refusal(404, "oauth_authorization_not_found"));
    let kept = format!("select status from auth.oauth_authorizations where authorization_id = '{id}'");
    assert_eq!(project.text(&kept).await, "expired");
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_here_or_there() {
    let project = Lab::project("").await;
    let app = App::register(&project, json!({})).await;
    for (name, wrong, code) in [
        ("client_id", "", "validation_failed"),
        ("client_id", "x", "oauth_client_not_found"),
        ("client_id", "00000000-0000-4000-8000-000000000000", "oauth_client_not_found"),
        ("redirect_uri", "", "validation_failed"),
        ("redirect_uri", "https://evil.example/", "validation_failed"),
    ] {
        let refused = app.authorize(&project, &[(name, wrong)]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}={wrong}");
        assert_eq!(refused.json()["error_code"], code, "{name}={wrong}");
    }
    for (name, wrong) in [
        ("response_type", "token"),
        ("scope", "everything"),
        ("code_challenge", ""),
        ("code_challenge", "short"),
        ("code_challenge_method", "s512"),
        ("resource", "nowhere"),
    ] {
        let sent = app.authorize(&project, &[(name, wrong)]).await;
        assert_eq!(sent.status, StatusCode::FOUND, "{name}={wrong}");
        let back = Url::parse(sent.header("location")).unwrap();
        assert_eq!(told(&back, "error").as_deref(), Some("invalid_request"), "{name}={wrong}");
        assert_eq!(told(&back, "state").as_deref(), Some("a state"));
    }
    let ana = project.sign_up(EMAIL).await;
    let code = app.code(&project, &ana, "email").await;
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", "another")];
    assert_eq!(app.token(&project, &form).await.json()["error"], "invalid_grant");
    let other = App::register(&project, json!({})).await;
    assert_eq!(other.exchange(&project, &code).await.json()["error"], "invalid_grant");
    let guessed = App { secret: "guessed".to_owned(), ..other };
    let refused = guessed.exchange(&project, &code).await;
    assert_eq!(
        (refused.status, &refused.json()["error_code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_credentials"))
    );
    assert_eq!(app.token(&project, &[]).await.json()["error"], "invalid_request");
    assert_eq!(
        app.token(&project, &[("grant_type", "password")]).await.json()["error"],
        "unsupported_grant_type"
    );
    project.sql("update auth.oauth_authorizations set created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'").await;
    let late = app.exchange(&project, &code).await;
    assert_eq!(late.json()["error_description"], "Authorization code has expired");
}

#[tokio::test]
async fn an_application_without_a_secret_says_only_its_name() {
    let project = Lab::project("").await;
    let wish = json!({"redirect_uris": [BACK], "token_endpoint_auth_method": "none", "client_name": "Page"});
    let reply = Reply::to(project.bare(Method::POST, "/auth/v1/oauth/clients/register").json(&wish)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
    let reply = reply.json();
    assert_eq!((&reply["client_type"], &reply["registration_type"]), (&json!("public"), &json!("dynamic")));
    assert_eq!(reply.get("client_secret"), None);
    let app = App { id: reply["client_id"].as_str().unwrap().to_owned(), secret: String::new() };
    let ana = project.sign_up(EMAIL).await;
    let code = app.code(&project, &ana, "email").await;
    let asked = json!({
        "grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "client_id": app.id,
    });
    let tokens = Reply::to(project.bare(Method::POST, "/auth/v1/oauth/token").json(&asked)).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(tokens.json().get("id_token"), None, "nobody asked for one");
    let nameless = json!({"grant_type": "authorization_code", "code": code});
    let refused = Reply::to(project.bare(Method::POST, "/auth/v1/oauth/token").json(&nameless)).await;
    assert_eq!(refused.json()["error"], "invalid_client");
}

#[tokio::test]
async fn an_admin_manages_applications() {
    let project = Lab::project("").await;
    let clients = "/oauth/clients";
    assert_eq!(as_admin(&project, Method::GET, clients, json!(null)).await.json(), json!({}));
    let app = App::register(&project, json!({"client_uri": "https://app.example"})).await;
    let one = format!("{clients}/{}", app.id);
    let read = as_admin(&project, Method::GET, &one, json!(null)).await.json();
    assert_eq!(read["redirect_uris"], json!([BACK]));
    assert_eq!(read["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(read["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!((read.get("client_secret"), &read["client_uri"]), (None, &json!("https://app.example")));
    let changed =
        as_admin(&project, Method::PUT, &one, json!({"client_name": "New", "client_uri": ""})).await;
    assert_eq!((&changed.json()["client_name"], changed.json().get("client_uri")), (&json!("New"), None));
    for wrong in [json!({}), json!({"redirect_uris": []}), json!({"token_endpoint_auth_method": "none"})] {
        let refused = as_admin(&project, Method::PUT, &one, wrong.clone()).await;
        assert_eq!(refused.refusal(), refusal(400, "validation_failed"), "{wrong}");
    }
    let secret =
        as_admin(&project, Method::POST, &format!("{one}/regenerate_secret"), json!(null)).await.json();
    assert_ne!(secret["client_secret"], app.secret.as_str());
    let list = as_admin(&project, Method::GET, clients, json!(null)).await;
    assert_eq!(
        (list.header("x-total-count"), &list.json()["clients"][0]["client_id"]),
        ("1", &json!(app.id))
    );
    let gone = as_admin(&project, Method::DELETE, &one, json!(null)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let missing = as_admin(&project, Method::GET, &one, json!(null)).await;
    assert_eq!(missing.refusal(), refusal(404, "oauth_client_not_found"));
    let refused = post(&project, "/admin/oauth/clients", json!({"redirect_uris": [BACK]})).await;
    assert_eq!(refused.refusal(), refusal(403, "not_admin"));
}

#[tokio::test]
async fn what_is_offered_is_found_without_a_key() {
    let project = Lab::project("").await;
    let issuer = format!("{}/auth/v1", project.api_url);
    for path in [
        "/auth/v1/.well-known/openid-configuration",
        "/auth/v1/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/auth/v1",
    ] {
        let told = Reply::to(project.bare(Method::GET, path)).await.json();
        assert_eq!(told["issuer"], issuer, "{path}");
        assert_eq!(told["token_endpoint"], format!("{issuer}/oauth/token"), "{path}");
        assert_eq!(told["registration_endpoint"], format!("{issuer}/oauth/clients/register"), "{path}");
    }
    let app = App::register(&project, json!({})).await;
    project.set_auth(&json!({"oauth_registration": false})).await;
    let wish = json!({"redirect_uris": [BACK]});
    let off = post(&project, "/oauth/clients/register", wish).await;
    assert_eq!(off.refusal(), refusal(403, "oauth_dynamic_client_registration_disabled"));
    project.set_auth(&json!({"oauth_server": false})).await;
    assert_eq!(app.authorize(&project, &[]).await.status, StatusCode::NOT_FOUND);
    let ana = project.sign_up(EMAIL).await;
    let off = as_person(&project, &ana, Method::GET, "/user/oauth/grants", json!(null)).await;
    assert_eq!(off.refusal(), refusal(404, "feature_disabled"));
    let off = as_admin(&project, Method::GET, "/oauth/clients", json!(null)).await;
    assert_eq!(off.refusal(), refusal(404, "feature_disabled"));
}

#[tokio::test]
async fn only_pages_of_the_project_ask_for_consent() {
    let project = Lab::project("").await;
    let (ana, app) = (project.sign_up(EMAIL).await, App::register(&project, json!({})).await);
    let id = app.begin(&project, "email").await;
    for (origin, status) in [
        ("https://evil.example", StatusCode::BAD_REQUEST),
        ("http://127.0.0.1:3000", StatusCode::OK),
        ("http://localhost:5173", StatusCode::OK),
    ] {
        let request = project.ask(Method::GET, &format!("/auth/v1/oauth/authorizations/{id}"));
        let reply = Reply::to(request.bearer_auth(&ana.access_token).header("origin", origin)).await;
        assert_eq!(reply.status, status, "{origin}");
    }
}
