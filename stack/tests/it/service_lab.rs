//! What the lab promises: projects of their own, and faults on purpose.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::{Lab, Project, Reply};

const THINGS: &str = "create table things (id int primary key); grant all on things to anon;";

async fn insert(project: &Project, id: u32) -> Result<StatusCode, reqwest::Error> {
    let request = project.ask(Method::POST, "/rest/v1/things").json(&json!({"id": id}));
    Ok(request.send().await?.status())
}

async fn ids(project: &Project) -> Value {
    Reply::to(project.command(Method::GET, "/rest/v1/things?order=id")).await.json()
}

#[tokio::test]
async fn a_project_has_the_migrations_unless_it_is_bare() {
    let (whole, bare) = (Lab::make(&json!({})).await, Lab::make(&json!({"bare": true})).await);
    let get = |project: &Project| Reply::to(project.command(Method::GET, "/rest/v1/vehicles"));
    assert_eq!(get(&whole).await.json(), json!([]));
    assert_eq!(get(&bare).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_lab_listens_only_to_who_started_it() {
    let lab = Lab::get();
    let stranger = lab.uninvited(Method::POST, "/projects").bearer_auth("guess");
    assert_eq!(stranger.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let misspelled = lab.control(Method::POST, "/projects").json(&json!({"bear": true}));
    assert_eq!(misspelled.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    let unknown = lab.control(Method::DELETE, "/projects/nothing");
    assert_eq!(unknown.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_lab_goes_with_whoever_started_it() {
    let lab = Lab::start();
    let made = lab.control(Method::POST, "/projects").send().await.unwrap();
    let project: Project = made.json().await.unwrap();
    assert_eq!(Reply::to(project.bare(Method::GET, "/health")).await.status, StatusCode::OK);
    assert_eq!(lab.leave(), Some(0));
    assert!(project.bare(Method::GET, "/health").send().await.is_err());
}

#[tokio::test]
async fn a_project_that_is_ended_is_gone() {
    let project = Lab::project(THINGS).await;
    let path = format!("/projects/{}", project.r#ref);
    let reply = Lab::get().control(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::NO_CONTENT);
    assert!(insert(&project, 1).await.is_err());
    let again = Lab::get().control(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_refused_request_is_not_handled() {
    let project = Lab::project(THINGS).await;
    project.set_faults(&json!([{"method": "POST", "times": 1, "action": {"kind": "refuse"}}])).await;
    assert!(insert(&project, 1).await.is_err());
    assert_eq!(ids(&project).await, json!([]));
    assert_eq!(insert(&project, 2).await.unwrap(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_lost_answer_is_to_a_request_that_was_handled() {
    let project = Lab::project(THINGS).await;
    let rules = json!([{"method": "POST", "path": "/rest/v1/things", "skip": 1, "times": 1,
        "action": {"kind": "lose_answer"}}]);
    project.set_faults(&rules).await;
    assert_eq!(insert(&project, 1).await.unwrap(), StatusCode::CREATED);
    assert!(insert(&project, 2).await.is_err());
    assert_eq!(ids(&project).await, json!([{"id": 1}, {"id": 2}]));
    let path = format!("/projects/{}/faults", project.r#ref);
    let listed = Reply::to(Lab::get().control(Method::GET, &path)).await.json();
    assert_eq!((&listed[0]["seen"], &listed[0]["hits"]), (&json!(2), &json!(1)));
    assert_eq!(listed[0]["action"], json!({"kind": "lose_answer"}));
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_late_answer_was_heard_all_the_same() {
    let project = Lab::project(THINGS).await;
    let rules = json!([{"method": "POST", "times": 1, "action": {"kind": "delay", "ms": 300}}]);
    project.set_faults(&rules).await;
    let request = project.ask(Method::POST, "/rest/v1/things").json(&json!({"id": 1}));
    let error = request.timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout());
    // The write comes when its time has come: it is asked for until it is there.
    let written = async { while ids(&project).await == json!([]) {} };
    tokio::time::timeout(Duration::from_secs(30), written).await.unwrap();
}

#[tokio::test]
async fn a_late_answer_is_to_a_request_that_was_handled_in_time() {
    let project = Lab::project(THINGS).await;
    let action = json!({"kind": "delay_answer", "ms": 600_000});
    project.set_faults(&json!([{"method": "POST", "times": 1, "action": action}])).await;
    let request = project.ask(Method::POST, "/rest/v1/things").json(&json!({"id": 1}));
    let asking = tokio::spawn(request.send());
    let written = async { while ids(&project).await == json!([]) {} };
    tokio::time::timeout(Duration::from_secs(30), written).await.unwrap();
    assert!(!asking.is_finished());
    asking.abort();
}

#[tokio::test]
async fn a_request_can_be_heard_twice() {
    let project = Lab::project(THINGS).await;
    project.set_faults(&json!([{"method": "POST", "times": 1, "action": {"kind": "duplicate"}}])).await;
    assert_eq!(insert(&project, 1).await.unwrap(), StatusCode::CONFLICT, "the second time");
    assert_eq!(ids(&project).await, json!([{"id": 1}]));
}

#[tokio::test]
async fn an_answer_can_be_given_instead() {
    let project = Lab::project(THINGS).await;
    let action = json!({"kind": "answer", "status": 503, "headers": {"retry-after": "2"}, "body": {"message": "busy"}});
    project.set_faults(&json!([{"action": action}])).await;
    let reply = Reply::to(project.ask(Method::GET, "/rest/v1/things")).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "2"));
    assert_eq!(reply.json()["message"], "busy");
}

#[tokio::test]
async fn an_answer_can_end_in_the_middle() {
    let project = Lab::project(THINGS).await;
    project.sql("insert into things select generate_series(1, 100)").await;
    project.set_faults(&json!([{"method": "GET", "action": {"kind": "truncate", "bytes": 20}}])).await;
    let mut response = project.ask(Method::GET, "/rest/v1/things?order=id").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut arrived = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => arrived.extend_from_slice(&chunk),
            Ok(None) => panic!("the answer was whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(arrived.len(), 20, "{error}");
}

#[tokio::test]
async fn a_rule_nobody_understands_changes_nothing() {
    let project = Lab::project("").await;
    let path = format!("/projects/{}/faults", project.r#ref);
    let request = Lab::get().control(Method::PUT, &path).json(&json!([{"action": {"kind": "explode"}}]));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(Reply::to(Lab::get().control(Method::GET, &path)).await.json(), json!([]));
}
