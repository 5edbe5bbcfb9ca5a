//! Functions against a scripted server: who asks, where it runs, how the answer is read.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use http::Method;
use serde_json::{Value, json};
use supabase_sdk::functions::{Form, Region};
use supabase_sdk::{ErrorKind, Request, Session, Token, User};

use crate::scripted::Script;

fn last(script: &Script) -> Request {
    script.requests().pop().unwrap()
}

#[tokio::test]
async fn a_function_runs_where_one_says() {
    let (script, client) = Script::echo(200, "{}", |builder| builder);
    let functions = client.functions().region(Region::EuWest3);
    functions.invoke("hello").query("full", "1").send().await.unwrap();
    assert_eq!(last(&script).uri(), "/functions/v1/hello?full=1&forceFunctionRegion=eu-west-3");
    assert_eq!(script.header("x-region").as_deref(), Some("eu-west-3"));
    functions.invoke("hello").region(Region::SaEast1).send().await.unwrap();
    assert_eq!(script.header("x-region").as_deref(), Some("sa-east-1"));
    for anywhere in [functions.invoke("hello").region(Region::Any), client.functions().invoke("hello")] {
        anywhere.send().await.unwrap();
        assert_eq!((last(&script).uri().as_str(), script.header("x-region")), ("/functions/v1/hello", None));
    }
}

#[tokio::test]
async fn a_body_says_what_it_is() {
    let (script, client) = Script::echo(200, "{}", |builder| builder);
    let hello = || client.functions().invoke("hello");
    for (asked, mime, body) in [
        (hello().json(&json!([1])), "application/json", "[1]"),
        (hello().text("tea"), "text/plain;charset=UTF-8", "tea"),
        (hello().body("tea"), "application/octet-stream", "tea"),
        (hello().header("content-type", "image/webp").body("tea"), "image/webp", "tea"),
        (hello().form([("a", "b c")]), "application/x-www-form-urlencoded;charset=UTF-8", "a=b+c"),
    ] {
        asked.send().await.unwrap();
        assert_eq!((script.header("content-type").as_deref(), script.body().as_str()), (Some(mime), body));
    }
    hello().multipart(Form::default().text("a", "b")).send().await.unwrap();
    let mime = script.header("content-type").unwrap();
    let boundary = mime.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(script.body().starts_with(&format!("--{boundary}\r\n")));
}

#[tokio::test]
async fn who_is_signed_in_asks_and_a_new_key_is_never_a_bearer() {
    let (script, client) = Script::echo(200, "{}", |builder| builder);
    client.functions().invoke("hello").send().await.unwrap();
    assert_eq!(script.header("authorization"), None);
    assert_eq!(script.header("apikey").as_deref(), Some("sb_publishable_TEST"));
    let session = Session::new(Token::new("zoe"), Token::new("r"), 4_102_444_800, User::default());
    client.auth().set_session(session).await.unwrap();
    client.functions().invoke("hello").send().await.unwrap();
    assert_eq!(script.header("authorization").as_deref(), Some("Bearer zoe"));
    let other = client.functions().as_bearer(Token::new("ana"));
    assert!(!format!("{other:?} {:?}", other.invoke("hello")).contains("ana"));
    other.invoke("hello").send().await.unwrap();
    assert_eq!(script.header("authorization").as_deref(), Some("Bearer ana"));
}

#[tokio::test]
async fn an_answer_is_read_as_one_asks() {
    let (_, client) = Script::echo(200, r#"{"a":1}"#, |builder| builder);
    let hello = client.functions().invoke("hello");
    assert_eq!(hello.fetch::<Value>().await.unwrap(), json!({ "a": 1 }));
    assert_eq!(hello.fetch_text().await.unwrap(), r#"{"a":1}"#);
    assert_eq!(hello.fetch_bytes().await.unwrap(), r#"{"a":1}"#);
    assert_eq!(hello.stream().await.unwrap().body.whole().await.unwrap(), r#"{"a":1}"#);
    assert_eq!(hello.fetch::<Vec<u8>>().await.unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(hello.events().await.unwrap_err().kind(), ErrorKind::Protocol, "that is no event stream");
    let (_, client) = Script::echo(204, "", |builder| builder);
    client.functions().invoke("hello").fetch::<()>().await.unwrap();
}

#[tokio::test]
async fn events_come_one_after_the_other() {
    let body = "event: word\ndata: \"tea\"\nid: 1\n\ndata: \"is\"\n\ndata: \"cut";
    let headers: &[_] = &[("content-type", "Text/Event-Stream; charset=utf-8")];
    let (script, client) = Script::answering([(200, body, headers)]);
    let events = client.functions().invoke("chat").text("?").events().await.unwrap();
    let events: Vec<_> = events.try_collect().await.unwrap();
    let words: Vec<String> = events.iter().map(|event| event.json().unwrap()).collect();
    assert_eq!(
        (words, events[0].name.as_str(), events[1].id.as_str()),
        (vec!["tea".into(), "is".into()], "word", "1")
    );
    assert_eq!(script.header("accept").as_deref(), Some("text/event-stream"));
    assert!(!format!("{events:?}").contains("tea"));
}

#[tokio::test]
async fn a_function_that_could_not_be_run_is_told_apart() {
    let relay: &[_] = &[("x-relay-error", "true")];
    for status in [200, 502] {
        let (_, client) = Script::answering([(status, "S3CRET", relay), (status, "S3CRET", relay)]);
        let hello = client.functions().invoke("hello");
        for refused in [hello.send().await.map(drop), hello.stream().await.map(drop)] {
            let error = refused.unwrap_err();
            assert!(error.is_from_relay() && error.is_retryable() && error.status().is_some());
            assert_eq!(error.body().unwrap(), "S3CRET");
            assert!(!format!("{error} {error:?}").contains("S3CRET"), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_may_have_run_is_not_run_again() {
    // What a function was told by a database is in its own answer, and says nothing of the function.
    let told = r#"{"code":"40001","message":"could not serialize"}"#;
    let stale = r#"{"code":"PGRST303","message":"JWT expired"}"#;
    for (status, body) in [(503, ""), (429, ""), (500, told), (401, stale)] {
        let (script, client) = Script::client([(status, body)]);
        let session = Session::new(Token::new("zoe"), Token::new("r"), 4_102_444_800, User::default());
        client.auth().set_session(session).await.unwrap();
        let refused = client.functions().invoke("pay").json(&1).send().await.unwrap_err();
        assert_eq!((refused.status().unwrap().as_u16(), script.lines().len()), (status, 1));
        assert!(!refused.is_undone());
    }
    let get = |client: &supabase_sdk::Client| client.functions().invoke("pay").method(Method::GET);
    let (script, client) = Script::client([(503, ""), (200, "1")]);
    assert_eq!(get(&client).fetch::<u8>().await.unwrap(), 1);
    let (again, client) = Script::client([(503, ""), (200, "1")]);
    let safe = client.functions().invoke("pay").safe_to_repeat().timeout(Duration::from_secs(9));
    assert_eq!(safe.fetch::<u8>().await.unwrap(), 1);
    assert_eq!((script.lines().len(), again.lines().len()), (2, 2));
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let (script, client) = Script::client([]);
    let functions = client.functions();
    for asked in [
        functions.invoke(""),
        functions.invoke("../auth/v1/user"),
        functions.invoke("a/../../rest"),
        functions.invoke("a//b"),
        functions.invoke("a").header("x", "a\nb"),
        functions.invoke("a").method(Method::GET).text("body"),
        functions.invoke("a").json(&std::collections::BTreeMap::from([((1, 2), 3)])),
        functions.clone().as_bearer(Token::new("a\nb")).invoke("a"),
    ] {
        assert_eq!(asked.send().await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert!(script.lines().is_empty());
    assert_eq!(functions.invoke("/orders/a b").request().unwrap().path, "/functions/v1/orders/a%20b");
    assert_eq!(functions.invoke("a?b=1").request().unwrap().path, "/functions/v1/a%3Fb%3D1");
}
