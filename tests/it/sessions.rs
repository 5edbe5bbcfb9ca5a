//! Sessions over a wire that breaks: whatever is lost, late, cut or heard twice, nobody is signed out.

use std::time::Duration;

use serde_json::{Value, json};
use supabase_sdk::auth::AuthEvent;
use supabase_sdk::{Client, Error, ErrorKind, FileStore, Retry, SessionStore as _};

use crate::project::Project;

/// Each way the wire breaks, while a question goes one way and its answer the other.
fn breaks() -> Vec<(&'static str, Value)> {
    vec![
        ("the question is dropped", json!({ "kind": "refuse" })),
        ("the answer is dropped", json!({ "kind": "lose_answer" })),
        ("the answer comes too late", json!({ "kind": "delay_answer", "ms": 600_000 })),
        ("the question is heard twice", json!({ "kind": "duplicate" })),
        ("the answer is cut at once", json!({ "kind": "truncate", "bytes": 0 })),
        ("the answer is cut in its token", json!({ "kind": "truncate", "bytes": 60 })),
        ("a proxy is in trouble", json!({ "kind": "answer", "status": 502 })),
        ("a proxy has had enough", json!({ "kind": "answer", "status": 429, "body": {} })),
        ("a proxy says something of its own", json!({ "kind": "answer", "status": 403, "body": "no" })),
    ]
}

/// Breaks the answers of Auth's next questions, one after the other.
async fn break_next(project: &Project, path: &str, action: &Value, times: u32) {
    project.faults(json!([{ "path": path, "times": times, "action": action }])).await;
}

fn client(project: &Project, path: &std::path::Path) -> Client {
    let store = FileStore::at(path);
    let builder = Client::builder(&project.url, &project.publishable_key).session_store(store);
    builder.retry(Retry::never()).timeout(Duration::from_millis(1_500)).build().unwrap()
}

fn is_passing(error: &Error) -> bool {
    error.is_retryable()
        || error.status().is_some_and(|status| status == 403)
        || error.kind() == ErrorKind::Protocol
}

#[tokio::test]
async fn a_renewal_over_a_wire_that_breaks_never_loses_the_session() {
    let project = Project::embedded().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    let person = project.person("wire").await;
    let app = client(&project, &path);
    app.auth().sign_in_with_password(&person.email, &person.password).await.unwrap();
    let mut events = app.auth().events();
    let (mut failed, mut renewed) = (0, 0);
    for (what, action) in breaks() {
        // Once, and twice in a row: the same token is shown again and again.
        for times in [1, 2] {
            break_next(&project, "/auth/v1/token", &action, times).await;
            for _ in 0..times {
                match app.auth().refresh().await {
                    Ok(_) => renewed += 1,
                    Err(error) => {
                        assert!(is_passing(&error), "{what}: {error}");
                        failed += 1;
                    }
                }
            }
            let before = FileStore::at(&path).load().unwrap().expect("it is kept");
            project.faults(json!([])).await;
            let after = app.auth().refresh().await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_ne!(before.refresh_token, after.refresh_token, "{what}");
            assert_eq!(app.auth().user().await.unwrap().id, person.id, "{what}");
            // Another process, on the same store, goes on with it.
            assert_eq!(client(&project, &path).auth().refresh().await.unwrap().user.id, person.id, "{what}");
            app.auth().refresh().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
    assert!(failed > 20 && renewed > 2, "{failed} failed, {renewed} did not");
    while let Ok(event) = events.try_recv() {
        assert!(matches!(event, AuthEvent::TokenRefreshed(_)), "{event:?}");
    }
}

#[tokio::test]
async fn signing_in_over_a_wire_that_breaks_is_done_or_not_and_can_be_tried_again() {
    let project = Project::embedded().await;
    let folder = tempfile::tempdir().unwrap();
    let person = project.person("wire").await;
    for (index, (what, action)) in breaks().into_iter().enumerate() {
        let path = folder.path().join(format!("{index}.json"));
        let app = client(&project, &path);
        break_next(&project, "/auth/v1/token", &action, 1).await;
        let first = app.auth().sign_in_with_password(&person.email, &person.password).await;
        let kept = FileStore::at(&path).load().unwrap();
        match &first {
            Ok(session) => assert_eq!(kept.as_ref(), Some(session), "{what}"),
            Err(error) => {
                assert!(is_passing(error), "{what}: {error}");
                assert_eq!(
                    (kept, app.auth().session().await.unwrap()),
                    (None, None),
                    "{what}: half signed in"
                );
            }
        }
        app.auth().sign_in_with_password(&person.email, &person.password).await.unwrap();
        // Signing out over a broken wire is done here, and told there when it can be.
        break_next(&project, "/auth/v1/logout", &action, 1).await;
        let told = app.auth().sign_out().await;
        assert!(told.is_ok() || told.is_err_and(|error| is_passing(&error)), "{what}");
        assert_eq!((FileStore::at(&path).load().unwrap(), app.auth().session().await.unwrap()), (None, None));
    }
}

#[tokio::test]
async fn retries_go_over_a_broken_wire_by_themselves() {
    let project = Project::embedded().await;
    let person = project.person("wire").await;
    let quick = Retry { first: Duration::from_millis(1), ..Retry::default() };
    let app = Client::builder(&project.url, &project.publishable_key).retry(quick);
    let app = app.timeout(Duration::from_secs(10)).build().unwrap();
    let repeatable = ["the question is dropped", "the answer is dropped", "the answer is cut in its token"];
    for (what, action) in breaks().into_iter().filter(|(what, _)| repeatable.contains(what)) {
        break_next(&project, "/auth/v1/token", &action, 2).await;
        app.auth().sign_in_with_password(&person.email, &person.password).await.unwrap_or_else(|error| {
            panic!("{what}: {error}");
        });
    }
}
