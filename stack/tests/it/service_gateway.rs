//! What the gateway promises: who gets in, as whom, and what a browser is told.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::service::{Lab, Reply};

const WHO: &str = "create function who() returns text language sql as $$ select current_user::text $$;";

#[tokio::test]
async fn a_request_without_a_key_of_the_project_is_refused() {
    let project = Lab::project(WHO).await;
    let reply = Reply::to(project.bare(Method::POST, "/rest/v1/rpc/who")).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.json()["message"], "No API key found in request");
    let reply = Reply::to(project.bare(Method::POST, "/rest/v1/rpc/who").header("apikey", "sb_x")).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.json()["message"], "Invalid API key");
}

#[tokio::test]
async fn a_key_alone_speaks_for_its_role() {
    let project = Lab::project(WHO).await;
    for (key, role) in [
        (&project.publishable_key, "anon"),
        (&project.anon_key, "anon"),
        (&project.secret_key, "service_role"),
        (&project.service_role_key, "service_role"),
    ] {
        let ask = || project.bare(Method::POST, "/rest/v1/rpc/who").header("apikey", key);
        assert_eq!(Reply::to(ask()).await.json(), json!(role));
        assert_eq!(Reply::to(ask().bearer_auth(key)).await.json(), json!(role), "repeated");
        let in_query = project.bare(Method::POST, &format!("/rest/v1/rpc/who?apikey={key}"));
        assert_eq!(Reply::to(in_query).await.json(), json!(role), "in the query");
    }
}

#[tokio::test]
async fn the_token_of_a_person_wins_over_the_key() {
    let project = Lab::project(WHO).await;
    let ana = project.sign_up("ana@example.com").await;
    let ask = project.command(Method::POST, "/rest/v1/rpc/who").bearer_auth(&ana.access_token);
    assert_eq!(Reply::to(ask).await.json(), json!("authenticated"));
}

#[tokio::test]
async fn a_secret_key_is_refused_from_a_browser() {
    let project = Lab::project("").await;
    let ask = project.command(Method::GET, "/rest/v1/").header("user-agent", "Mozilla/5.0");
    let reply = Reply::to(ask).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.json()["message"], "Forbidden use of secret API key in browser");
}

#[tokio::test]
async fn a_browser_may_ask_from_anywhere_and_read_what_it_needs() {
    let project = Lab::project("").await;
    let preflight = project
        .bare(Method::OPTIONS, "/rest/v1/notes")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "apikey,prefer");
    let reply = Reply::to(preflight).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.header("access-control-allow-methods").contains("PATCH"));
    assert_eq!(reply.header("access-control-allow-headers"), "apikey,prefer");
    let reply = Reply::to(project.bare(Method::GET, "/rest/v1/notes")).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*", "a refusal can be read too");
    assert!(reply.header("access-control-expose-headers").contains("content-range"));
    assert_eq!(reply.header("sb-request-id").len(), 36);
}

#[tokio::test]
async fn some_routes_are_open() {
    let project = Lab::project("").await;
    for path in ["/health", "/auth/v1/settings", "/auth/v1/.well-known/jwks.json"] {
        assert_eq!(Reply::to(project.bare(Method::GET, path)).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_served_yet_says_so() {
    let project = Lab::project("").await;
    let reply = Reply::to(project.ask(Method::GET, "/graphql/v1/anything")).await;
    assert_eq!(reply.status, StatusCode::NOT_IMPLEMENTED);
    assert!(reply.json()["message"].as_str().unwrap().contains("/graphql/v1"));
    let reply = Reply::to(project.ask(Method::GET, "/elsewhere")).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}
