//! What the auth service promises about providers an admin makes.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    service::{Project, Reply},
    service_auth::{EMAIL, as_admin, post, refusal},
    service_auth_external::{browse, project},
};

async fn admin(project: &Project, method: Method, path: &str, body: Value) -> Reply {
    as_admin(project, method, &format!("/custom-providers{path}"), body).await
}

fn acme(project: &Project) -> Value {
    json!({
        "provider_type": "oidc", "identifier": "custom:acme", "name": "Acme", "client_id": "custom",
        "client_secret": "s3", "issuer": format!("{}/oidc", project.api_url), "scopes": ["email"],
        "attribute_mapping": {"nickname": "name"}, "custom_claims_allowlist": ["picture"],
        "authorization_params": {"login_hint": "ana"},
    })
}

#[tokio::test]
async fn a_provider_an_admin_makes_lets_people_in() {
    let project = project().await;
    let made = admin(&project, Method::POST, "", acme(&project)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert!(!made.body.contains("s3"), "its secret is not shown");
    let made = made.json();
    assert_eq!(made["scopes"], json!(["openid", "email"]));
    assert_eq!(made["discovery_document"]["token_endpoint"], format!("{}/oidc/token", project.api_url));
    let url = format!("{}/auth/v1/authorize?provider=custom:acme&login_hint=bea", project.api_url);
    let landing = browse(&project, &url).await;
    assert!(landing.fragment.contains_key("access_token"), "{landing:?}");
    let identity = "select identity_data from auth.identities where provider = 'custom:acme'";
    let said: Value = serde_json::from_str(&project.text(identity).await).unwrap();
    assert_eq!((&said["sub"], &said["email"]), (&json!("ana-1"), &json!(EMAIL)), "the admin's word counts");
    assert_eq!((&said["nickname"], &said["custom_claims"]), (&json!("Ana"), &json!({"picture": "p"})));
    assert_eq!((&said["aud"], &said["provider_id"]), (&json!(["custom"]), &json!(null)));

    let off = admin(&project, Method::PUT, "/custom:acme", json!({"enabled": false})).await;
    assert_eq!((off.status, &off.json()["enabled"]), (StatusCode::OK, &json!(false)));
    let reply = Reply::to(project.bare(Method::GET, "/auth/v1/authorize?provider=custom:acme")).await;
    assert_eq!(reply.json()["msg"], "Unsupported provider: custom provider custom:acme is disabled");
    let body = json!({"provider": "custom:acme", "id_token": "x"});
    let reply = post(&project, "/token?grant_type=id_token", body).await;
    assert_eq!(reply.refusal(), refusal(400, "provider_disabled"));
}

#[tokio::test]
async fn providers_are_listed_changed_and_taken_away() {
    let project = project().await;
    let endpoint = |name: &str| format!("{}/oidc/{name}", project.api_url);
    let plain = json!({
        "provider_type": "oauth2", "identifier": "custom:plain", "name": "Plain", "client_id": "other",
        "client_secret": "s2", "authorization_url": endpoint("authorize"), "token_url": endpoint("token"),
        "userinfo_url": endpoint("userinfo"), "scopes": ["email"],
    });
    for body in [acme(&project), plain] {
        assert_eq!(admin(&project, Method::POST, "", body).await.status, StatusCode::CREATED);
    }
    let names = async |query: &str| {
        let listed = admin(&project, Method::GET, query, json!(null)).await.json();
        let listed = listed["providers"].as_array().unwrap().clone();
        let mut names: Vec<_> =
            listed.iter().map(|one| one["identifier"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("").await, ["custom:acme", "custom:plain"]);
    assert_eq!(names("?type=oauth2").await, ["custom:plain"]);
    let url = format!("{}/auth/v1/authorize?provider=custom:plain&login_hint=ana", project.api_url);
    assert!(browse(&project, &url).await.fragment.contains_key("access_token"));

    let changed = admin(&project, Method::PUT, "/custom:plain", json!({"name": "Plainer"})).await.json();
    let read = admin(&project, Method::GET, "/custom:plain", json!(null)).await.json();
    assert_eq!((&changed["name"], &changed), (&json!("Plainer"), &read));
    let gone = admin(&project, Method::DELETE, "/custom:plain", json!(null)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let reply = admin(&project, method, "/custom:plain", json!({})).await;
        assert_eq!(reply.refusal(), refusal(404, "custom_provider_not_found"));
    }
}

#[tokio::test]
async fn a_provider_that_can_not_work_is_refused_when_it_is_made() {
    let project = project().await;
    let with = |name: &str, value: Value| {
        let mut body = acme(&project);
        body[name] = value;
        body
    };
    assert_eq!(admin(&project, Method::POST, "", acme(&project)).await.status, StatusCode::CREATED);
    let twice = admin(&project, Method::POST, "", acme(&project)).await;
    assert_eq!(twice.refusal(), refusal(400, "conflict"));
    let silent = "http://127.0.0.1:9/oidc";
    for body in [
        with("identifier", json!("acme")),
        with("client_secret", json!(null)),
        with("issuer", json!("http://elsewhere.test")),
        with("issuer", json!(format!("{}/oidc/", project.api_url))),
        json!({"provider_type": "oidc"}),
        json!({}),
    ] {
        let mut body = body;
        if body["identifier"] == "custom:acme" {
            body["identifier"] = json!("custom:other");
        }
        let reply = admin(&project, Method::POST, "", body).await;
        assert_eq!(reply.refusal(), refusal(400, "validation_failed"), "{}", reply.body);
    }
    let mut body = with("issuer", json!(silent));
    body["identifier"] = json!("custom:silent");
    let reply = admin(&project, Method::POST, "", body).await.json();
    let discovery = format!("{silent}/.well-known/openid-configuration");
    assert_eq!(reply["message"], format!("OIDC discovery from {discovery:?} failed: it can not be reached"));
    let moved = admin(&project, Method::PUT, "/custom:acme", json!({"issuer": silent})).await;
    assert_eq!(moved.refusal(), refusal(400, "validation_failed"), "a change is asked for as well");
    let wrong = admin(&project, Method::GET, "?type=saml", json!(null)).await;
    assert_eq!(wrong.refusal(), refusal(400, "validation_failed"));
    let nobody = Reply::to(project.ask(Method::GET, "/auth/v1/admin/custom-providers")).await;
    assert_eq!(nobody.status, StatusCode::FORBIDDEN);
}
