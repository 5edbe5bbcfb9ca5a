//! Other apps that act for the project's people: registered, agreed to, and shut out again.

use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;
use std::time::Duration;
use supabase_sdk::auth::{AppChange, Authorization, Pkce, RegisteredApp};
use supabase_sdk::{Client, ErrorKind, HttpTransport, Request, Token, Transport as _};
use url::Url;

use crate::project::Project;

const BACK: &str = "https://app.example/back";

fn app(name: &str) -> AppChange {
    AppChange {
        client_name: Some(name.to_owned()),
        redirect_uris: Some(vec![BACK.to_owned()]),
        // As apps without a server are: they have no secret to keep.
        token_endpoint_auth_method: Some("none".to_owned()),
        ..AppChange::default()
    }
}

fn told(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The other app sends a browser to the project; gives the id that stands in the consent page's address.
async fn ask(project: &Project, app: &RegisteredApp, pkce: &Pkce) -> String {
    let mut url = Url::parse(&format!("{}/auth/v1/oauth/authorize", project.url)).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", &app.client_id.to_string())
        .append_pair("redirect_uri", BACK)
        .append_pair("response_type", "code")
        .append_pair("scope", "email")
        .append_pair("state", "a state")
        .append_pair("code_challenge", &pkce.challenge())
        .append_pair("code_challenge_method", "S256");
    let wire = HttpTransport::new(Duration::from_secs(10)).unwrap();
    let reply = wire.send(url.as_str(), &Request::get("/")).await.unwrap();
    told(reply.headers[LOCATION].to_str().unwrap(), "authorization_id").unwrap()
}

/// The other app exchanges the code it got.
async fn exchange(project: &Project, app: &RegisteredApp, code: &str, pkce: &Pkce) -> Value {
    let form = format!(
        "grant_type=authorization_code&client_id={}&code={code}&redirect_uri=https%3A%2F%2Fapp.example%2Fback&code_verifier={}",
        app.client_id,
        pkce.verifier()
    );
    let mut request = Request::post("/auth/v1/oauth/token");
    request.body = form.into();
    request.headers.insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    project.anonymous().send(request).await.unwrap().accepted().unwrap().json().unwrap()
}

async fn refused(client: &Client, id: &str) -> ErrorKind {
    client.auth().consent().authorization(id).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_person_agrees_refuses_and_takes_back() {
    let project = Project::embedded().await;
    let apps = project.secret().auth().admin().apps();
    let (person, app) = (project.person("ana").await, apps.create(&app("Calendar")).await.unwrap());
    let (consent, pkce) = (person.client.auth().consent(), Pkce::random());
    assert_eq!(refused(&project.anonymous(), "made-up").await, ErrorKind::Unauthenticated);
    assert!(matches!(refused(&person.client, "made-up").await, ErrorKind::NotFound | ErrorKind::Invalid));

    let id = ask(&project, &app, &pkce).await;
    let Authorization::Asked(asked) = consent.authorization(&id).await.unwrap() else {
        panic!("agreed before")
    };
    assert_eq!((asked.client.name.as_str(), asked.scope.as_str()), ("Calendar", "email"));
    let denied = consent.deny(&id).await.unwrap();
    assert_eq!(told(&denied, "error").as_deref(), Some("access_denied"));

    let id = ask(&project, &app, &pkce).await;
    assert!(matches!(consent.authorization(&id).await.unwrap(), Authorization::Asked(_)));
    let agreed = consent.approve(&id).await.unwrap();
    assert_eq!(told(&agreed, "state").as_deref(), Some("a state"));
    let tokens = exchange(&project, &app, &told(&agreed, "code").unwrap(), &pkce).await;
    let access = Token::new(tokens["access_token"].as_str().unwrap());
    // What the app holds is a token of the project: it says whose, and which app's.
    let claims = project.anonymous().auth().claims_of(&access).await.unwrap();
    assert_eq!(claims.user_id(), Some(person.id));
    assert_eq!(claims.client_id, Some(app.client_id.to_string()));

    let grants = consent.grants().await.unwrap();
    assert_eq!((grants.len(), grants[0].client.name.as_str()), (1, "Calendar"));
    assert_eq!(grants[0].scopes, ["email"]);
    let next = ask(&project, &app, &pkce).await;
    let settled = consent.authorization(&next).await.unwrap();
    let Authorization::Settled { redirect_url } = settled else { panic!("they agreed before") };
    assert!(told(&redirect_url, "code").is_some());
    consent.revoke(app.client_id).await.unwrap();
    assert_eq!(consent.grants().await.unwrap(), []);
    let over = project.anonymous().auth().claims_of(&access).await.unwrap_err();
    assert_eq!(over.kind(), ErrorKind::Unauthenticated, "{over}");
}

#[tokio::test]
async fn an_admin_registers_changes_and_removes_apps() {
    let project = Project::embedded().await;
    let apps = project.secret().auth().admin().apps();
    let none = apps.list(1, 2).await.unwrap();
    assert_eq!((none.items.len(), none.total, none.next), (0, 0, None));
    let secret = AppChange { token_endpoint_auth_method: None, ..app("Server") };
    let made = apps.create(&secret).await.unwrap();
    let told = made.client_secret.clone().expect("once");
    assert!(!format!("{made:?}").contains(told.expose()));
    assert_eq!(apps.get(made.client_id).await.unwrap().client_secret, None, "and never again");
    let other = apps.regenerate_secret(made.client_id).await.unwrap().client_secret.unwrap();
    assert_ne!(other, told);
    let renamed = AppChange { client_name: Some("Renamed".to_owned()), ..AppChange::default() };
    let changed = apps.update(made.client_id, &renamed).await.unwrap();
    assert_eq!((changed.client_name.as_str(), changed.redirect_uris), ("Renamed", vec![BACK.to_owned()]));
    let wrong = AppChange { redirect_uris: Some(vec!["no address".to_owned()]), ..app("Wrong") };
    assert_eq!(apps.create(&wrong).await.unwrap_err().kind(), ErrorKind::Invalid);
    for name in ["b", "c"] {
        apps.create(&app(name)).await.unwrap();
    }
    let page = apps.list(1, 2).await.unwrap();
    assert_eq!((page.items.len(), page.total, page.next), (2, 3, Some(2)));
    apps.delete(made.client_id).await.unwrap();
    assert_eq!(apps.get(made.client_id).await.unwrap_err().kind(), ErrorKind::NotFound);
    let person = project.person("no-admin").await;
    let error = person.client.auth().admin().apps().list(1, 10).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden), "{error}");
}
