//! What the REST service promises, above all where the library alone would not keep it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::service::{Lab, Project, Reply};

const NOTES: &str = "
    create table notes (
        id int primary key, title text, tags text[] default '{}',
        owner_id uuid default auth.uid() references auth.users (id)
    );
    alter table notes enable row level security;
    create policy mine on notes to authenticated
        using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));";

async fn notes() -> Project {
    let project = Lab::project(NOTES).await;
    let rows = json!([
        {"id": 1, "title": "green tea"}, {"id": 2, "title": "a+b"}, {"id": 3, "title": "plain"},
    ]);
    let reply = Reply::to(project.command(Method::POST, "/rest/v1/notes").json(&rows)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
    project
}

async fn rows(request: RequestBuilder) -> Value {
    let reply = Reply::to(request).await;
    assert!(reply.status.is_success(), "{} {}", reply.status, reply.body);
    reply.json()
}

#[tokio::test]
async fn a_plus_in_a_filter_is_a_space() {
    let project = notes().await;
    let get = |query: &str| project.command(Method::GET, &format!("/rest/v1/notes?select=id&{query}"));
    assert_eq!(rows(get("title=eq.green+tea")).await, json!([{"id": 1}]));
    assert_eq!(rows(get("title=eq.a%2Bb")).await, json!([{"id": 2}]));
}

#[tokio::test]
async fn columns_may_stand_in_quotes() {
    let project = notes().await;
    let post = project.command(Method::POST, "/rest/v1/notes?columns=%22id%22%2C%22title%22&select=*");
    let post = post.header("prefer", "return=representation");
    let sent = json!([{"id": 4, "title": "four"}, {"id": 5, "title": "five", "tags": ["left out"]}]);
    let stored = rows(post.json(&sent)).await;
    assert_eq!(stored[1]["tags"], json!([]));
}

#[tokio::test]
async fn a_refused_permission_is_401_for_nobody_and_403_for_somebody() {
    let project = notes().await;
    let ana = project.sign_up("ana@example.com").await;
    let foreign = json!({"id": 9, "owner_id": "00000000-0000-4000-8000-000000000000"});
    let post = || project.ask(Method::POST, "/rest/v1/notes").json(&foreign);
    let nobody = Reply::to(post()).await;
    assert_eq!(nobody.refusal(), (401, "42501".to_owned()));
    assert!(!nobody.header("www-authenticate").is_empty());
    let somebody = Reply::to(post().bearer_auth(&ana.access_token)).await;
    assert_eq!(somebody.refusal(), (403, "42501".to_owned()));
    assert_eq!(somebody.header("www-authenticate"), "");
    for field in ["message", "details", "hint"] {
        assert!(somebody.json().get(field).is_some(), "{field}");
    }
}

#[tokio::test]
async fn a_write_is_counted_when_asked() {
    let project = notes().await;
    let send = async |method: Method, query: &str, prefer: &str, body: Value| {
        let request = project.command(method, &format!("/rest/v1/notes{query}")).header("prefer", prefer);
        let reply = Reply::to(request.json(&body)).await;
        assert!(reply.status.is_success(), "{} {}", reply.status, reply.body);
        (reply.status.as_u16(), reply.header("content-range").to_owned(), reply.body)
    };
    let two = json!([{"id": 11, "title": "x"}, {"id": 12, "title": "x"}]);
    let range = |text: &str| text.to_owned();
    let sent = send(Method::POST, "", "count=exact", two).await;
    assert_eq!(sent, (201, range("*/2"), String::new()));
    let sent = send(Method::PATCH, "?title=eq.x", "count=exact", json!({"title": "y"})).await;
    assert_eq!(sent, (204, range("0-1/2"), String::new()));
    let sent = send(Method::DELETE, "?title=eq.y&id=eq.11", "count=exact", json!(null)).await;
    assert_eq!(sent, (204, range("*/1"), String::new()));
    let kept = "count=exact, return=representation";
    let sent = send(Method::DELETE, "?title=eq.y&select=id", kept, json!(null)).await;
    assert_eq!(sent, (200, range("*/1"), range(r#"[{"id":12}]"#)));
    let sent = send(Method::DELETE, "?id=eq.99", "count=exact", json!(null)).await;
    assert_eq!(sent.1, "*/0");
}

#[tokio::test]
async fn csv_ends_without_a_line_break_and_errors_name_their_charset_and_code() {
    let project = notes().await;
    let get = project.command(Method::GET, "/rest/v1/notes?select=id,title&order=id&limit=1");
    let reply = Reply::to(get.header("accept", "text/csv")).await;
    assert_eq!(reply.body, "id,title\n1,green tea");
    let reply = Reply::to(project.command(Method::GET, "/rest/v1/nothing")).await;
    assert_eq!(reply.refusal(), (404, "PGRST205".to_owned()));
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    let head = Reply::to(project.command(Method::HEAD, "/rest/v1/nothing")).await;
    assert_eq!(head.header("proxy-status"), "PostgREST; error=PGRST205");
}

#[tokio::test]
async fn a_new_table_is_served_once_it_is_announced() {
    let project = Lab::project("").await;
    project.sql("create table later (id int); notify pgrst, 'reload schema'").await;
    // Nothing tells when the service has heard it, so it is asked until it has.
    let served = async {
        loop {
            let reply = Reply::to(project.command(Method::GET, "/rest/v1/later")).await;
            if reply.status == StatusCode::OK {
                return;
            }
            assert_eq!(reply.refusal(), (404, "PGRST205".to_owned()));
        }
    };
    tokio::time::timeout(Duration::from_secs(30), served).await.unwrap();
}

#[tokio::test]
async fn each_role_has_its_own_patience() {
    let sql = "create function patience() returns text language sql as
        $$ select current_setting('statement_timeout') $$;";
    let project = Lab::project(sql).await;
    let ana = project.sign_up("ana@example.com").await;
    let ask = || project.ask(Method::POST, "/rest/v1/rpc/patience");
    assert_eq!(Reply::to(ask()).await.json(), json!("3s"));
    assert_eq!(Reply::to(ask().bearer_auth(&ana.access_token)).await.json(), json!("8s"));
}

#[tokio::test]
async fn only_the_owner_sees_a_row() {
    let project = notes().await;
    let (ana, ben) = (project.sign_up("ana@example.com").await, project.sign_up("ben@example.com").await);
    let post = project.ask(Method::POST, "/rest/v1/notes").bearer_auth(&ana.access_token);
    let post = post.header("prefer", "return=representation").json(&json!({"id": 20, "title": "mine"}));
    assert_eq!(rows(post).await[0]["owner_id"], json!(ana.id));
    let get = |token: &str| project.ask(Method::GET, "/rest/v1/notes?select=id").bearer_auth(token);
    assert_eq!(rows(get(&ana.access_token)).await, json!([{"id": 20}]));
    assert_eq!(rows(get(&ben.access_token)).await, json!([]));
}

#[tokio::test]
async fn a_token_of_another_project_is_refused() {
    let (here, there) = (notes().await, Lab::project("").await);
    let ana = there.sign_up("ana@example.com").await;
    let get = here.ask(Method::GET, "/rest/v1/notes").bearer_auth(&ana.access_token);
    assert_eq!(Reply::to(get).await.refusal(), (401, "PGRST301".to_owned()));
}

#[tokio::test]
async fn a_read_stops_at_a_thousand_rows_and_a_write_does_not() {
    let project = Lab::project(
        "create table numbers (id int primary key);
        create function all_numbers() returns setof numbers language sql stable as 'select * from numbers';",
    )
    .await;
    let sent: Vec<_> = (1..=1200).map(|id| json!({"id": id})).collect();
    let post = project.command(Method::POST, "/rest/v1/numbers").header("prefer", "return=representation");
    assert_eq!(rows(post.json(&sent)).await.as_array().unwrap().len(), 1200);
    for path in ["numbers", "numbers?limit=1100", "rpc/all_numbers"] {
        let get = project.command(Method::GET, &format!("/rest/v1/{path}"));
        assert_eq!(rows(get).await.as_array().unwrap().len(), 1000, "{path}");
    }
    let counted = project.command(Method::GET, "/rest/v1/numbers").header("prefer", "count=exact");
    let counted = Reply::to(counted).await;
    assert_eq!((counted.status.as_u16(), counted.header("content-range")), (206, "0-999/1200"));
    let rest = project.command(Method::GET, "/rest/v1/numbers?offset=1000");
    assert_eq!(rows(rest).await.as_array().unwrap().len(), 200);
}
