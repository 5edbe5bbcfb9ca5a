//! What the auth service promises to who signs in by a provider. The provider is the project's own,
//! and everybody meets everybody over HTTP.

use std::collections::BTreeMap;

use reqwest::{Client, Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use url::Url;

use crate::{
    service::{Lab, Person, Project, Reply},
    service_auth::{EMAIL, PASSWORD, as_admin, as_person, claims, post, refusal},
};

/// Both from appendix B of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const APP: &str = "http://app.test/back";

/// Where a browser ended up, and with what in the query and behind the `#`.
#[derive(Debug)]
pub(crate) struct Landing {
    pub(crate) place: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) fragment: BTreeMap<String, String>,
}

/// Goes where it is sent, until that is outside the project.
pub(crate) async fn browse(project: &Project, url: &str) -> Landing {
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut url = url.to_owned();
    while url.starts_with(&project.api_url) {
        let reply = browser.get(&url).send().await.unwrap();
        let (status, headers) = (reply.status(), reply.headers().clone());
        let text = reply.text().await.unwrap();
        assert!(status.is_redirection(), "{url}: {status} {text}");
        url = headers["location"].to_str().unwrap().to_owned();
    }
    let url = Url::parse(&url).unwrap();
    let fragment = url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes());
    Landing {
        place: url.as_str().split(['?', '#']).next().unwrap().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        fragment: fragment.into_owned().collect(),
    }
}

/// The settings of a project that is its own provider, under the name of one that is known.
pub(crate) fn settings() -> Value {
    json!({
        "external": {
            "google": {"client_id": "app", "client_secret": "s:1", "issuer": "/oidc"},
            "github": {
                "client_id": "other", "client_secret": "s2", "authorization_url": "/oidc/authorize",
                "token_url": "/oidc/token", "userinfo_url": "/oidc/userinfo", "pkce": false,
                "scopes": ["email"],
            },
        },
        "oidc": {
            "clients": {"app": "s:1", "other": "s2", "custom": "s3"},
            "people": {
                "ana": {"sub": "ana-1", "email": EMAIL, "email_verified": true, "name": "Ana", "picture": "p"},
                "bea": {"sub": "bea-1", "email": "bea@example.com"},
                "cy": {"sub": "cy-1", "name": "Cy"},
            },
        },
    })
}

/// A project that is its own provider and wants addresses proved.
pub(crate) async fn project() -> Project {
    let mut settings = settings();
    settings["confirm_email"] = json!(true);
    Lab::make(&json!({"bare": true, "auth": settings})).await
}

fn leave(project: &Project, provider: &str, more: &str) -> String {
    format!("{}/auth/v1/authorize?provider={provider}&redirect_to={APP}{more}", project.api_url)
}

fn by_pkce(project: &Project, provider: &str, login: &str) -> String {
    let more = format!("&login_hint={login}&code_challenge={CHALLENGE}&code_challenge_method=s256");
    leave(project, provider, &more)
}

async fn exchange(project: &Project, code: &str) -> Reply {
    let asked = json!({"auth_code": code, "code_verifier": VERIFIER});
    post(project, "/token?grant_type=pkce", asked).await
}

/// What a provider gives an app that asks it by itself.
async fn tokens(project: &Project, login: &str, nonce: &str) -> Value {
    let url = format!(
        "{}/oidc/authorize?client_id=app&redirect_uri={APP}&response_type=code&scope=openid+email&login_hint={login}{nonce}",
        project.api_url
    );
    let code = browse(project, &url).await.query["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", APP),
        ("client_id", "app"),
        ("client_secret", "s:1"),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Reply::to(project.bare(Method::POST, "/oidc/token").body(body)).await.json()
}

fn providers(user: &Value) -> Vec<&str> {
    user["app_metadata"]["providers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

fn error(landing: &Landing) -> (&str, &str) {
    assert_eq!(landing.query.get("error_description"), landing.fragment.get("error_description"));
    let of = |name| landing.fragment.get(name).map_or("", String::as_str);
    (of("error"), of("error_code"))
}

#[tokio::test]
async fn somebody_new_signs_in_by_a_provider() {
    let project = project().await;
    let landing = browse(&project, &by_pkce(&project, "google", "ana")).await;
    assert_eq!((landing.place.as_str(), landing.fragment.len()), (APP, 0), "{landing:?}");
    let reply = exchange(&project, &landing.query["code"]).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let session = reply.json();
    assert!(session["provider_token"].is_string() && session["provider_refresh_token"].is_string());
    let user = &session["user"];
    assert_eq!((&user["email"], &user["role"]), (&json!(EMAIL), &json!("authenticated")));
    assert!(user["email_confirmed_at"].is_string(), "the provider has seen to that");
    assert_eq!(user["app_metadata"], json!({"provider": "google", "providers": ["google"]}));
    let identity = &user["identities"][0];
    assert_eq!((&identity["provider"], &identity["id"]), (&json!("google"), &json!("ana-1")));
    assert_eq!(
        identity["identity_data"],
        json!({
            "iss": format!("{}/oidc", project.api_url), "sub": "ana-1", "email": EMAIL, "email_verified": true,
            "phone_verified": false, "name": "Ana", "picture": "p", "full_name": "Ana", "avatar_url": "p",
            "provider_id": "ana-1",
        })
    );
    assert_eq!(user["user_metadata"], identity["identity_data"]);
    let token = claims(session["access_token"].as_str().unwrap());
    assert_eq!(token["amr"][0]["method"], "oauth");
    let again = exchange(&project, &landing.query["code"]).await;
    assert_eq!(again.refusal(), refusal(404, "flow_state_not_found"), "once");

    let landing = browse(&project, &leave(&project, "google", "&login_hint=ana")).await;
    assert_eq!((landing.place.as_str(), landing.query.len()), (APP, 0), "without PKCE there is no code");
    assert_eq!(landing.fragment["token_type"], "bearer");
    assert!(landing.fragment.contains_key("provider_token") && landing.fragment.contains_key("sb"));
    assert_eq!(claims(&landing.fragment["access_token"])["sub"], user["id"], "the same person");
    for (table, left) in
        [("flow_state", "0"), ("oauth_client_states", "0"), ("users", "1"), ("identities", "1")]
    {
        assert_eq!(project.text(&format!("select count(*) from auth.{table}")).await, left, "{table}");
    }
}

#[tokio::test]
async fn an_account_is_joined_by_a_proved_address_and_never_by_another() {
    let project = Lab::make(&json!({"bare": true, "auth": settings()})).await;
    let ana = project.sign_up(EMAIL).await;
    let bea = project.sign_up("bea@example.com").await;
    let mut strict = settings();
    strict["confirm_email"] = json!(true);
    project.set_auth(&strict).await;
    let session = browse(&project, &leave(&project, "google", "&login_hint=ana")).await;
    assert_eq!(claims(&session.fragment["access_token"])["sub"], json!(ana.id));
    let user = as_admin(&project, Method::GET, &format!("/users/{}", ana.id), json!(null)).await.json();
    assert_eq!(providers(&user), ["email", "google"]);
    assert_eq!(user["user_metadata"]["full_name"], "Ana");
    assert_eq!(sign_in_as(&project, EMAIL).await, StatusCode::OK, "a proved account keeps its password");

    let refused = browse(&project, &leave(&project, "google", "&login_hint=bea")).await;
    assert_eq!(error(&refused), ("access_denied", "provider_email_needs_verification"));
    let text = &refused.fragment["error_description"];
    assert_eq!(text, "Unverified email with google. Verify the email with google in order to sign in");
    let made = "select count(*) from auth.users where email is null and id::text <> '";
    assert_eq!(project.text(&format!("{made}{}'", bea.id)).await, "1", "an account without the address");
}

async fn sign_in_as(project: &Project, email: &str) -> StatusCode {
    let asked = json!({"email": email, "password": PASSWORD});
    post(project, "/token?grant_type=password", asked).await.status
}

#[tokio::test]
async fn what_nobody_had_proved_goes_when_a_provider_proves_it() {
    let project = project().await;
    let asked = json!({"email": EMAIL, "password": PASSWORD, "data": {"trap": true}});
    assert_eq!(post(&project, "/signup", asked).await.status, StatusCode::OK);
    let landing = browse(&project, &by_pkce(&project, "google", "ana")).await;
    let user = exchange(&project, &landing.query["code"]).await.json()["user"].clone();
    assert_eq!(providers(&user), ["google"]);
    assert_eq!(
        (user["identities"].as_array().unwrap().len(), &user["user_metadata"]["trap"]),
        (1, &json!(null))
    );
    assert_eq!(sign_in_as(&project, EMAIL).await, StatusCode::BAD_REQUEST);
    assert_eq!(project.text("select count(*) from auth.one_time_tokens").await, "0");
}

#[tokio::test]
async fn an_address_the_provider_does_not_vouch_for_is_proved_by_mail() {
    let project = project().await;
    let refused = browse(&project, &by_pkce(&project, "google", "bea")).await;
    assert_eq!(error(&refused), ("access_denied", "provider_email_needs_verification"));
    let text = &refused.fragment["error_description"];
    assert_eq!(text, "Unverified email with google. A confirmation email has been sent to your google email");
    let code = project.message("bea@example.com").await["token"].clone();
    let asked = json!({"type": "signup", "email": "bea@example.com", "token": code});
    assert_eq!(post(&project, "/verify", asked).await.status, StatusCode::OK);
    let landing = browse(&project, &by_pkce(&project, "google", "bea")).await;
    assert_eq!(exchange(&project, &landing.query["code"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_provider_without_id_tokens_is_asked_who_it_is() {
    let project = project().await;
    let landing = browse(&project, &by_pkce(&project, "github", "ana")).await;
    let user = exchange(&project, &landing.query["code"]).await.json()["user"].clone();
    assert_eq!((providers(&user), &user["email"]), (vec!["github"], &json!(EMAIL)));
    let joined = browse(&project, &leave(&project, "google", "&login_hint=ana")).await;
    assert_eq!(claims(&joined.fragment["access_token"])["sub"], user["id"]);
    let nobody = browse(&project, &leave(&project, "google", "&login_hint=cy")).await;
    assert_eq!(error(&nobody), ("server_error", "unexpected_failure"));
    assert_eq!(nobody.fragment["error_description"], "Error getting user email from external provider");
}

#[tokio::test]
async fn a_trip_that_goes_wrong_says_why_where_it_was_to_lead() {
    let project = project().await;
    for (provider, message) in [
        ("apple", "Unsupported provider: provider is not enabled"),
        ("nobody", "Unsupported provider: Provider nobody could not be found"),
        ("custom:x", "Unsupported provider: custom provider custom:x not found"),
    ] {
        let path = format!("/auth/v1/authorize?provider={provider}");
        let reply = Reply::to(project.bare(Method::GET, &path)).await;
        let body = reply.json();
        assert_eq!((reply.status.as_u16(), &body["error_code"]), (400, &json!("validation_failed")));
        assert_eq!(body["msg"], message);
    }
    let half =
        Reply::to(project.bare(Method::GET, "/auth/v1/authorize?provider=google&code_challenge=x")).await;
    assert_eq!(half.status, StatusCode::BAD_REQUEST);

    for (login, told) in [("", "login_required"), ("&login_hint=eve", "access_denied")] {
        let landing = browse(&project, &leave(&project, "google", login)).await;
        assert_eq!((landing.place.as_str(), error(&landing)), (APP, (told, "")), "in the provider's words");
    }
    let site = "http://127.0.0.1:3000/";
    for (query, code) in [
        ("", "bad_oauth_callback"),
        ("?state=x", "bad_oauth_state"),
        ("?state=5eed0000-0000-4000-8000-00000000000a&code=c", "bad_oauth_state"),
    ] {
        let landing = browse(&project, &format!("{}/auth/v1/callback{query}", project.api_url)).await;
        assert_eq!((landing.place.as_str(), landing.query["error_code"].as_str()), (site, code));
        assert!(landing.fragment.is_empty());
    }
    // A code that is none, brought to a trip that is one.
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let away = browser.get(by_pkce(&project, "google", "ana")).send().await.unwrap();
    let away = Url::parse(away.headers()["location"].to_str().unwrap()).unwrap();
    let state = away.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let forged = format!("{}/auth/v1/callback?state={state}&code=forged-code", project.api_url);
    let landing = browse(&project, &forged).await;
    assert_eq!(error(&landing), ("server_error", "unexpected_failure"));
    assert_eq!(landing.fragment["error_description"], "Unable to exchange external code: forg");
    let landing = browse(&project, &forged).await;
    assert_eq!(error(&landing), ("server_error", "oauth_client_state_not_found"), "a verifier is shown once");
    project.sql("update auth.flow_state set created_at = now() - interval '6 minutes'").await;
    let late = browse(&project, &forged).await;
    assert_eq!(
        (late.place.as_str(), late.query["error_description"].as_str()),
        (site, "OAuth state has expired")
    );
}

#[tokio::test]
async fn a_trip_is_good_once_and_not_for_who_is_banned() {
    let project = project().await;
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let step = async |url: &str| {
        browser.get(url).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned()
    };
    let there = step(&by_pkce(&project, "google", "ana")).await;
    let back = step(&there).await;
    let code = browse(&project, &back).await.query["code"].clone();
    let twice = browse(&project, &back).await;
    assert_eq!(twice.query["error_code"], "flow_state_already_used");
    let id = exchange(&project, &code).await.json()["user"]["id"].as_str().unwrap().to_owned();
    as_admin(&project, Method::PUT, &format!("/users/{id}"), json!({"ban_duration": "1h"})).await;
    let banned = browse(&project, &by_pkce(&project, "google", "ana")).await;
    assert_eq!(error(&banned), ("access_denied", "user_banned"));
}

#[tokio::test]
async fn an_invitation_is_taken_up_by_a_provider() {
    let project = project().await;
    let invited =
        as_admin(&project, Method::POST, "/generate_link", json!({"type": "invite", "email": EMAIL}));
    let invited = invited.await.json();
    let hash = invited["hashed_token"].as_str().unwrap();
    let other =
        browse(&project, &leave(&project, "google", &format!("&login_hint=bea&invite_token={hash}"))).await;
    assert_eq!(error(&other), ("invalid_request", "validation_failed"));
    let landing =
        browse(&project, &leave(&project, "google", &format!("&login_hint=ana&invite_token={hash}"))).await;
    assert_eq!(claims(&landing.fragment["access_token"])["sub"], invited["id"]);
    let path = format!("/auth/v1/authorize?provider=google&invite_token={hash}");
    let used = Reply::to(project.bare(Method::GET, &path)).await;
    assert_eq!((used.status.as_u16(), &used.json()["error_code"]), (404, &json!("user_not_found")));
}

#[tokio::test]
async fn an_id_token_signs_in_if_it_is_ours() {
    let project = project().await;
    // sha256sum of "hello"
    let nonce = "&nonce=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let given = tokens(&project, "ana", nonce).await;
    let (id, access) = (&given["id_token"], &given["access_token"]);
    let grant = |body: Value| post(&project, "/token?grant_type=id_token", body);
    let good = json!({"provider": "google", "id_token": id, "access_token": access, "nonce": "hello"});
    let reply = grant(good.clone()).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let session = reply.json();
    assert_eq!((&session["user"]["email"], &session["provider_token"]), (&json!(EMAIL), &json!(null)));
    let by_issuer = json!({
        "issuer": format!("{}/oidc", project.api_url), "client_id": "app", "id_token": id, "nonce": "hello",
    });
    assert_eq!(grant(by_issuer).await.json()["user"]["id"], session["user"]["id"]);
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let tampered = format!("{}x", id.as_str().unwrap());
    for (body, error, description) in [
        (with("id_token", json!("")), "invalid request", "id_token required"),
        (with("provider", json!("")), "invalid request", "provider or client_id and issuer required"),
        (with("id_token", json!(tampered)), "invalid request", "Bad ID token"),
        (with("id_token", json!("x.y.z")), "invalid request", "Bad ID token"),
        (with("access_token", json!("another")), "invalid request", "Bad ID token"),
        (with("nonce", json!("other")), "invalid nonce", "Nonces mismatch"),
        (
            with("nonce", json!(null)),
            "invalid request",
            "Passed nonce and nonce in id_token should either both exist or not.",
        ),
    ] {
        let reply = grant(body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(reply.json(), json!({"error": error, "error_description": description}));
    }
    let off = grant(with("provider", json!("apple"))).await;
    assert_eq!(off.refusal(), refusal(400, "provider_disabled"));
    let unknown = grant(with("provider", json!("nobody"))).await;
    assert_eq!(unknown.refusal(), refusal(400, "validation_failed"));
    let mut elsewhere = settings();
    elsewhere["external"]["google"]["client_id"] = json!("elsewhere");
    project.set_auth(&elsewhere).await;
    let description = &grant(good.clone()).await.json()["error_description"];
    assert_eq!(description, "Unacceptable audience in id_token: [app]");
    elsewhere["external"]["google"]["acceptable_client_ids"] = json!(["app"]);
    elsewhere["external"]["google"]["skip_nonce_check"] = json!(true);
    project.set_auth(&elsewhere).await;
    assert_eq!(grant(with("nonce", json!("other"))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_is_signed_in_adds_an_identity_and_takes_it_away() {
    let project = Lab::make(&json!({"bare": true, "auth": settings()})).await;
    let zoe = project.sign_up("zoe@example.com").await;
    let link = async |person: &Person, login: &str| {
        let path = format!(
            "/user/identities/authorize?provider=google&redirect_to={APP}&skip_http_redirect=true&login_hint={login}"
        );
        let reply = as_person(&project, person, Method::GET, &path, json!(null)).await.json();
        browse(&project, reply["url"].as_str().unwrap()).await
    };
    let landing = link(&zoe, "ana").await;
    assert_eq!(claims(&landing.fragment["access_token"])["sub"], json!(zoe.id));
    let user = as_person(&project, &zoe, Method::GET, "/user", json!(null)).await.json();
    assert_eq!(providers(&user), ["email", "google"]);
    assert_eq!(user["email"], "zoe@example.com", "her address stays");
    assert_eq!(error(&link(&zoe, "ana").await), ("server_error", "identity_already_exists"));
    let yan = project.sign_up("yan@example.com").await;
    let landing = link(&yan, "ana").await;
    assert_eq!(landing.fragment["error_description"], "Identity is already linked to another user");

    let of = |provider: &str| {
        let identities = user["identities"].as_array().unwrap();
        let identity = identities.iter().find(|identity| identity["provider"] == provider).unwrap();
        format!("/user/identities/{}", identity["identity_id"].as_str().unwrap())
    };
    let gone = as_person(&project, &zoe, Method::DELETE, &of("email"), json!(null)).await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.body);
    let left = as_person(&project, &zoe, Method::GET, "/user", json!(null)).await.json();
    assert_eq!(
        (&left["email"], providers(&left)),
        (&json!(EMAIL), vec!["google"]),
        "the address that is left"
    );
    let last = as_person(&project, &zoe, Method::DELETE, &of("google"), json!(null)).await;
    assert_eq!(last.refusal(), refusal(422, "single_identity_not_deletable"));

    let nobody =
        Reply::to(project.ask(Method::GET, "/auth/v1/user/identities/authorize?provider=google")).await;
    assert_eq!(nobody.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn somebody_without_a_name_gets_one_by_a_provider() {
    let project = project().await;
    let anonymous = Person::of(&post(&project, "/signup", json!({})).await.json());
    let by = async |person: &Person, login: &str| {
        let token = tokens(&project, login, "").await["id_token"].clone();
        let body = json!({"provider": "google", "id_token": token, "link_identity": true});
        as_person(&project, person, Method::POST, "/token?grant_type=id_token", body).await
    };
    let unproved = by(&anonymous, "bea").await;
    assert_eq!(unproved.refusal(), refusal(422, "email_not_confirmed"));
    assert_eq!(project.inbox("bea@example.com").await.len(), 1);
    let other = Person::of(&post(&project, "/signup", json!({})).await.json());
    let session = by(&other, "ana").await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    let user = session.json()["user"].clone();
    assert_eq!((&user["id"], &user["email"]), (&json!(other.id), &json!(EMAIL)));
    assert_eq!((&user["is_anonymous"], providers(&user)), (&json!(false), vec!["google"]));
    let again = by(&other, "ana").await;
    assert_eq!(again.refusal(), refusal(422, "identity_already_exists"));
    let token = tokens(&project, "ana", "").await["id_token"].clone();
    let body = json!({"provider": "google", "id_token": token, "link_identity": true});
    let nobody = post(&project, "/token?grant_type=id_token", body).await;
    assert_eq!(nobody.refusal(), refusal(403, "bad_jwt"), "a key is nobody");
}

#[tokio::test]
async fn settings_tell_who_people_sign_in_by() {
    let project = project().await;
    let external = Reply::to(project.bare(Method::GET, "/auth/v1/settings")).await.json()["external"].clone();
    for (name, is_on) in [("google", true), ("github", true), ("apple", false), ("email", true), ("x", false)]
    {
        assert_eq!(external[name], is_on, "{name}");
    }
    for (body, status, code) in [
        (json!({"domain": "acme.test"}), 404, "sso_provider_not_found"),
        (json!({"provider_id": "5eed0000-0000-4000-8000-00000000000a"}), 404, "sso_provider_not_found"),
        (json!({}), 400, "validation_failed"),
        (json!({"domain": "a.b", "provider_id": "x"}), 400, "validation_failed"),
    ] {
        assert_eq!(post(&project, "/sso", body).await.refusal(), refusal(status, code));
    }
}

#[tokio::test]
async fn the_projects_own_provider_is_there_when_it_is_wanted_and_keeps_the_rules() {
    let project = Lab::project("").await;
    let path = "/oidc/.well-known/openid-configuration";
    assert_eq!(Reply::to(project.bare(Method::GET, path)).await.status, StatusCode::NOT_FOUND);
    project.set_auth(&settings()).await;
    let document = Reply::to(project.bare(Method::GET, path)).await.json();
    assert_eq!(document["issuer"], format!("{}/oidc", project.api_url));
    let given = tokens(&project, "ana", "").await;
    let bearer = given["access_token"].as_str().unwrap();
    let said = Reply::to(project.bare(Method::GET, "/oidc/userinfo").bearer_auth(bearer)).await;
    assert_eq!((said.status, &said.json()["sub"]), (StatusCode::OK, &json!("ana-1")));
    let nobody = Reply::to(project.bare(Method::GET, "/oidc/userinfo").bearer_auth("forged")).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let renew = async |secret: &str, token: &str| {
        let body =
            format!("grant_type=refresh_token&refresh_token={token}&client_id=app&client_secret={secret}");
        Reply::to(project.bare(Method::POST, "/oidc/token").body(body)).await
    };
    let refresh = given["refresh_token"].as_str().unwrap();
    assert_eq!(renew("wrong", refresh).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(renew("s%3A1", refresh).await.status, StatusCode::OK);
    assert_eq!(renew("s%3A1", refresh).await.json(), json!({"error": "invalid_grant"}), "once");
    let keys = Reply::to(project.bare(Method::GET, "/auth/v1/.well-known/jwks.json")).await.json();
    let own = Reply::to(project.bare(Method::GET, "/oidc/jwks")).await.json();
    assert_ne!(keys, own, "no token of one is a token of the other");
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_nobodys_way_in() {
    let project = project().await;
    for (path, told) in [
        ("/oidc/token", "Unable to exchange external code: "),
        ("/oidc/jwks", "Error getting user profile from external provider"),
    ] {
        project.set_faults(&json!([{"path": path, "action": {"kind": "refuse"}}])).await;
        let landing = browse(&project, &by_pkce(&project, "google", "ana")).await;
        assert_eq!(error(&landing), ("server_error", "unexpected_failure"));
        assert!(landing.fragment["error_description"].starts_with(told), "{landing:?}");
    }
    project.set_faults(&json!([{"path": "/oidc/.well-known", "action": {"kind": "refuse"}}])).await;
    let path = "/auth/v1/authorize?provider=google";
    let away = Reply::to(project.bare(Method::GET, path)).await;
    assert_eq!(
        away.json()["msg"],
        "Unsupported provider: error creating OIDC provider: it can not be reached"
    );
    assert_eq!(project.text("select count(*) from auth.users").await, "0");
}

#[tokio::test]
async fn two_who_come_back_at_once_are_one() {
    let project = project().await;
    let url = leave(&project, "google", "&login_hint=ana");
    let trips = futures_util::future::join_all((0..4).map(|_| browse(&project, &url))).await;
    let people: std::collections::BTreeSet<_> = trips
        .iter()
        .filter_map(|landing| landing.fragment.get("access_token"))
        .map(|token| claims(token)["sub"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(people.len(), 1, "{trips:?}");
    assert_eq!(project.text("select count(*) from auth.users").await, "1");
    assert_eq!(project.text("select count(*) from auth.identities").await, "1");
}
