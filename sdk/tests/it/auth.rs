//! The session: who carries which token, when it is renewed, and what ends it.

use supabase_sdk::{ErrorKind, Session, Token, User};

use crate::scripted::Script;

const RENEWED: &str = r#"{"access_token":"new","refresh_token":"r2","expires_at":4102444800,
    "user":{"id":"6d1a1f3e-0000-4000-8000-000000000001","email":"zoe@garage.test"}}"#;

fn session(expires_at: u64) -> Session {
    Session::new(Token::new("old"), Token::new("r1"), expires_at, User::default())
}

#[tokio::test]
async fn after_signing_in_requests_carry_the_persons_token() {
    let (script, client) = Script::client([(200, RENEWED), (200, "[]")]);
    let session = client.auth().sign_in_with_password("zoe@garage.test", "correct horse").await.unwrap();
    assert_eq!(session.user.email.as_deref(), Some("zoe@garage.test"));
    client.from("notes").select("*").fetch().await.unwrap();
    assert_eq!(script.header("authorization").as_deref(), Some("Bearer new"));
}

#[tokio::test]
async fn a_session_that_ends_soon_is_renewed_once_for_all_who_wait() {
    let (script, client) = Script::client([(200, RENEWED), (200, "[]"), (200, "[]")]);
    client.auth().set_session(session(1)).await.unwrap();
    let ask = || async { client.from("notes").select("*").fetch().await };
    let (first, second) = tokio::join!(ask(), ask());
    first.and(second).unwrap();
    let renewals = script.lines().iter().filter(|line| line.contains("grant_type=refresh_token")).count();
    assert_eq!(renewals, 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_in_trouble_signs_nobody_out() {
    let (_, client) = Script::client([(503, ""), (503, ""), (503, ""), (503, ""), (200, RENEWED)]);
    client.auth().set_session(session(1)).await.unwrap();
    let error = client.auth().session().await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(client.auth().session().await.unwrap().unwrap().access_token.expose(), "new");
}

#[tokio::test]
async fn a_refresh_token_the_server_refuses_ends_the_session() {
    let refusal = r#"{"code":"refresh_token_not_found","message":"Invalid Refresh Token"}"#;
    let (_, client) = Script::client([(400, refusal)]);
    client.auth().set_session(session(1)).await.unwrap();
    let error = client.from("notes").select("*").fetch().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(client.auth().session().await.unwrap().is_none());
}

#[tokio::test]
async fn signing_out_forgets_the_session_even_when_the_server_already_has() {
    let (script, client) = Script::client([(403, r#"{"code":"session_not_found","message":"gone"}"#)]);
    client.auth().set_session(session(4_102_444_800)).await.unwrap();
    client.auth().sign_out().await.unwrap();
    assert_eq!(script.header("authorization").as_deref(), Some("Bearer old"));
    assert!(client.auth().session().await.unwrap().is_none());
}
