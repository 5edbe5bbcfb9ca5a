//! Signing in by somebody else's word: providers in a browser, their tokens, and what is added to an account.

use std::io;
use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use supabase_sdk::auth::{AuthEvent, IdToken, Loopback, OAuth, Pkce, Provider, Sso};
use supabase_sdk::{Client, ErrorKind, HttpTransport, Request, Token, Transport as _};
use url::Url;

use crate::project::Project;

/// A project whose people sign in by a provider, which is the project's own.
async fn project() -> Project {
    let project = Project::embedded().await;
    let person = |name: &str| json!({ "sub": format!("{name}-1"), "email": format!("{name}@provider.test"), "email_verified": true, "name": name });
    let settings = json!({
        "external": { "google": { "client_id": "app", "client_secret": "hush", "issuer": "/oidc" } },
        "oidc": {
            "clients": { "app": "hush" },
            "people": { "ana": person("ana"), "bea": person("bea"), "cy": person("cy") }
        }
    });
    let request = Request::new(http::Method::PUT, "/inbox/settings").json(&settings).unwrap();
    project.secret().send(request).await.unwrap().accepted().unwrap();
    project
}

/// A browser: goes where it is sent, and gives the last address that sent it nowhere.
async fn browse(url: String) -> Url {
    let wire = HttpTransport::new(Duration::from_secs(10)).unwrap();
    let mut url = Url::parse(&url).unwrap();
    loop {
        let reply = wire.send(url.as_str(), &Request::get("/")).await.unwrap();
        let Some(next) = reply.headers.get(LOCATION) else { return url };
        url = url.join(next.to_str().unwrap()).unwrap();
        if url.host_str().is_none_or(|host| host != "127.0.0.1") {
            return url;
        }
    }
}

/// Opens a browser, as a person's system would.
fn open(url: &str) -> io::Result<()> {
    tokio::spawn(browse(url.to_owned()));
    Ok(())
}

fn google(who: &str) -> OAuth {
    OAuth::with("google").query("login_hint", who)
}

/// What an app gets that asks the provider by itself.
async fn id_token(project: &Project, who: &str, nonce: Option<&str>) -> Value {
    let mut url = Url::parse(&format!("{}/oidc/authorize", project.url)).unwrap();
    let asked = [("client_id", "app"), ("redirect_uri", "http://app.test/"), ("response_type", "code")];
    url.query_pairs_mut().extend_pairs(asked);
    url.query_pairs_mut().append_pair("scope", "openid email").append_pair("login_hint", who);
    if let Some(nonce) = nonce {
        let hash: String = Sha256::digest(nonce).iter().map(|byte| format!("{byte:02x}")).collect();
        url.query_pairs_mut().append_pair("nonce", &hash);
    }
    let back = browse(url.to_string()).await;
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2Fapp.test%2F&client_id=app&client_secret=hush"
    );
    let mut request = Request::post("/oidc/token");
    request.body = form.into();
    request.headers.insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    project.anonymous().send(request).await.unwrap().accepted().unwrap().json().unwrap()
}

fn token_of(answer: &Value, nonce: Option<&str>) -> IdToken {
    let token = IdToken::of("google", answer["id_token"].as_str().unwrap());
    let token = token.access_token(answer["access_token"].as_str().unwrap());
    nonce.map_or(token.clone(), |nonce| token.nonce(nonce))
}

async fn names(client: &Client) -> Vec<String> {
    let mut names: Vec<_> =
        client.auth().identities().await.unwrap().into_iter().map(|identity| identity.provider).collect();
    names.sort();
    names
}

#[tokio::test]
async fn somebody_signs_in_with_a_provider_in_a_browser() {
    let project = project().await;
    let client = project.anonymous();
    let session = client.auth().sign_in_with_oauth(&google("ana"), open).await.unwrap();
    assert_eq!(session.user.email.as_deref(), Some("ana@provider.test"));
    assert!(session.provider_token.as_ref().is_some_and(|token| !token.expose().is_empty()));
    assert_eq!(client.auth().user().await.unwrap().id, session.user.id);
    // The same person, on another device.
    let other = project.anonymous();
    let again = other.auth().sign_in_with_oauth(&google("ana"), open).await.unwrap();
    assert_eq!(again.user.id, session.user.id);
    let renewed = other.auth().refresh().await.unwrap();
    assert_eq!(renewed.provider_token, again.provider_token);

    let unknown = project.anonymous().auth().sign_in_with_oauth(&google("nobody"), open).await.unwrap_err();
    assert!(!unknown.is_retryable(), "{unknown}");
    // Two sign-ins at once in one client: each has a secret of its own.
    let (both, ana, bea) = (project.anonymous().auth(), google("ana"), google("bea"));
    let (ana, bea) = tokio::join!(both.sign_in_with_oauth(&ana, open), both.sign_in_with_oauth(&bea, open));
    assert_ne!(ana.unwrap().user.id, bea.unwrap().user.id);
}

#[tokio::test]
async fn somebody_elses_code_signs_nobody_in() {
    let project = project().await;
    // Who guesses the port of a sign-in sends the victim's app a code of their own.
    let (theirs, back) = (Pkce::random(), Loopback::open().await.unwrap());
    let url = project.anonymous().auth().oauth_url(&google("bea").redirect_to(back.redirect_to()), &theirs);
    let (code, _) = tokio::join!(back.code(), browse(url));
    let victim = project.anonymous();
    let error = victim.auth().exchange_code(&code.unwrap(), &Pkce::random()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Invalid, Some("bad_code_verifier")));
    assert_eq!(victim.auth().session().await.unwrap(), None);
}

#[tokio::test]
async fn a_providers_token_is_as_good_as_its_page() {
    let project = project().await;
    let client = project.anonymous();
    let answer = id_token(&project, "ana", Some("once")).await;
    for wrong in [None, Some("twice")] {
        let error = client.auth().sign_in_with_id_token(&token_of(&answer, wrong)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    let session = client.auth().sign_in_with_id_token(&token_of(&answer, Some("once"))).await.unwrap();
    assert_eq!(session.user.email.as_deref(), Some("ana@provider.test"));
    let forged = IdToken::of("google", "eyJhbGciOiJub25lIn0.e30.");
    assert_eq!(client.auth().sign_in_with_id_token(&forged).await.unwrap_err().kind(), ErrorKind::Invalid);
    let company = client.auth().sign_in_with_sso(&Sso::domain("garage.test")).await.unwrap_err();
    assert_eq!(company.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn ways_to_sign_in_are_added_and_taken_away() {
    let project = project().await;
    let person = project.person("linked").await;
    let auth = person.client.auth();
    let session = auth.link_identity(&google("cy"), open).await.unwrap();
    assert_eq!(session.user.id, person.id, "they are who they were");
    assert_eq!(names(&person.client).await, ["email", "google"]);
    let by_google = project.anonymous();
    assert_eq!(by_google.auth().sign_in_with_oauth(&google("cy"), open).await.unwrap().user.id, person.id);

    let other = project.person("other").await;
    let taken = other.client.auth().link_identity(&google("cy"), open).await.unwrap_err();
    assert_eq!((taken.kind(), taken.code()), (ErrorKind::Conflict, Some("identity_already_exists")));

    let linked = auth.identities().await.unwrap().into_iter().find(|way| way.provider == "google").unwrap();
    auth.unlink_identity(&linked).await.unwrap();
    assert_eq!(names(&person.client).await, ["email"]);
    let last = auth.identities().await.unwrap().remove(0);
    let kept = auth.unlink_identity(&last).await.unwrap_err();
    assert_eq!((kept.kind(), kept.code()), (ErrorKind::Invalid, Some("single_identity_not_deletable")));

    let mut events = auth.events();
    let answer = id_token(&project, "cy", None).await;
    assert_eq!(auth.link_id_token(&token_of(&answer, None)).await.unwrap().user.id, person.id);
    assert!(matches!(events.try_recv(), Ok(AuthEvent::UserUpdated(_))));
    assert_eq!(names(&person.client).await, ["email", "google"]);
    let nobody = project.anonymous().auth().link_identity(&google("ana"), open).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn an_admin_makes_a_provider_and_people_sign_in_with_it() {
    let project = project().await;
    let providers = project.secret().auth().admin().providers();
    let issuer = format!("{}/oidc", project.url);
    let scopes = Some(vec!["openid".to_owned(), "email".to_owned()]);
    let new = Provider { scopes, ..Provider::oidc("custom:mine", "Mine", &issuer, "app", "hush") };
    let made = providers.create(&new).await.unwrap();
    assert_eq!((made.name.as_deref(), made.client_secret), (Some("Mine"), None), "it is never told");
    assert_eq!(providers.create(&new).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(providers.list(Some("oidc")).await.unwrap().len(), 1);
    assert_eq!(providers.list(Some("oauth2")).await.unwrap(), []);
    let mine = OAuth::with("custom:mine").query("login_hint", "bea");
    let session = project.anonymous().auth().sign_in_with_oauth(&mine, open).await.unwrap();
    assert_eq!(session.user.email.as_deref(), Some("bea@provider.test"));

    let off = Provider { enabled: Some(false), ..Provider::default() };
    assert_eq!(providers.update("custom:mine", &off).await.unwrap().enabled, Some(false));
    let closed = project.anonymous();
    let url = closed.auth().oauth_url(&mine, &Pkce::random());
    let refused = HttpTransport::new(Duration::from_secs(10)).unwrap();
    assert!(refused.send(&url, &Request::get("/")).await.unwrap().status.is_client_error());
    assert_eq!(providers.get("custom:mine").await.unwrap().enabled, Some(false));
    providers.delete("custom:mine").await.unwrap();
    assert_eq!(providers.get("custom:mine").await.unwrap_err().kind(), ErrorKind::NotFound);

    let person = project.person("no-admin").await;
    let error = person.client.auth().admin().providers().list(None).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden), "{error}");
}

#[tokio::test]
async fn tokens_in_an_address_are_taken() {
    let project = project().await;
    let person = project.person("implicit").await;
    let session = person.client.auth().session().await.unwrap().unwrap();
    let app = project.anonymous();
    let taken = app.auth().set_tokens(session.access_token.clone(), session.refresh_token).await.unwrap();
    assert_eq!((taken.user.id, taken.user.email.as_deref()), (person.id, Some(person.email.as_str())));
    app.auth().refresh().await.unwrap();
    let forged = Token::new(format!("{}x", session.access_token.expose()));
    let error = app.auth().set_tokens(forged, Token::new("made-up")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(app.auth().user().await.unwrap().id, person.id, "and the session that was there goes on");
}
