//! The realtime service as a stream of changes: who sees which row, and how much of it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    service::{Lab, Reply},
    socket::Socket,
};

const NOTES: &str = "
    create type mood as enum ('good', 'bad');
    create table notes (
        id int8 primary key, owner uuid not null, body text, price numeric(12,2), tags text[], at timestamptz,
        mood mood, data jsonb, secret text
    );
    alter table notes enable row level security;
    create policy own on notes for select to authenticated using (owner = auth.uid());
    revoke select on notes from authenticated;
    grant select (id, owner, body, price, tags, at, mood, data) on notes to authenticated;
    create table keyless (x int);
    create table hidden (id int primary key);
    revoke select on hidden from authenticated;
    create table plain (id int primary key, name text, big text);
    alter table plain replica identity full;
    alter publication supabase_realtime add table notes, keyless, hidden, plain;";

fn data<'a>(heard: &'a Value, operation: &str) -> &'a Value {
    assert_eq!((&heard["data"]["schema"], &heard["data"]["type"]), (&json!("public"), &json!(operation)));
    assert!(heard["data"]["commit_timestamp"].as_str().unwrap().ends_with('Z'));
    &heard["data"]
}

#[tokio::test]
async fn a_row_reaches_who_may_see_it_however_it_was_written() {
    let project = Lab::project(NOTES).await;
    let (ana, ben) = (project.sign_up("ana@example.com").await, project.sign_up("ben@example.com").await);
    let (mut to_ana, mut to_ben) = (Socket::open(&project).await, Socket::open(&project).await);
    let wishes = json!([
        {"event": "*", "schema": "public", "table": "notes"},
        {"event": "INSERT", "schema": "public", "table": "notes", "filter": "body=eq.tea"},
        {"event": "*", "schema": "public", "table": "notes", "select": ["body"]},
        {"event": "DELETE", "schema": "public", "table": "notes", "filter": "body=eq.tea"},
    ]);
    let ids = to_ana.listen("a", Some(&ana.access_token), &wishes).await;
    let all = json!([{"event": "*", "schema": "public"}]);
    let all_ids = to_ben.listen("b", Some(&ben.access_token), &all).await;

    let insert = format!(
        "insert into notes values (9007199254740993, '{}', 'tea', 10.25, '{{a,\"b c\"}}', '2026-01-02 03:04:05.5+01',
            'good', '{{\"k\": [1]}}', 'hush')",
        ana.id
    );
    project.sql(&insert).await;
    let heard = to_ana.until("postgres_changes").await;
    assert_eq!(heard["ids"], json!(ids[..2]));
    let told = data(&heard, "INSERT");
    let record = json!({
        "id": 9_007_199_254_740_993_i64, "owner": ana.id, "body": "tea", "price": 10.25, "tags": ["a", "b c"],
        "at": "2026-01-02T02:04:05.5+00:00", "mood": "good", "data": {"k": [1]},
    });
    assert_eq!((&told["record"], &told["errors"]), (&record, &Value::Null));
    assert_eq!(told["columns"][0], json!({"name": "id", "type": "int8"}));
    assert_eq!(told["columns"].as_array().unwrap().len(), 8, "not the secret");
    assert_eq!((&told["table"], told.get("old_record")), (&json!("notes"), None));
    let some = to_ana.until("postgres_changes").await;
    assert_eq!(
        (&some["ids"], &some["data"]["record"]),
        (&json!([ids[2]]), &json!({"id": record["id"], "body": "tea"}))
    );

    project.sql("update notes set body = 'milk'").await;
    let heard = to_ana.until("postgres_changes").await;
    let told = data(&heard, "UPDATE");
    assert_eq!((&heard["ids"], &told["record"]["body"]), (&json!([ids[0]]), &json!("milk")));
    assert_eq!(told["old_record"], json!({"id": record["id"]}));
    to_ana.until("postgres_changes").await;

    // What Ben may not see he does not hear of, until it is gone: nobody can be asked then.
    project.sql("insert into keyless values (1); insert into hidden values (1); delete from notes;").await;
    for (table, error) in
        [("keyless", "Error 400: Bad Request, no primary key"), ("hidden", "Error 401: Unauthorized")]
    {
        let heard = to_ben.until("postgres_changes").await;
        let told = data(&heard, "INSERT");
        assert_eq!((&told["table"], &told["errors"]), (&json!(table), &json!([error])));
        assert_eq!((&told["record"], &heard["ids"]), (&json!({}), &json!(all_ids)));
    }
    for (socket, ids) in [(&mut to_ben, json!(all_ids)), (&mut to_ana, json!([ids[0]]))] {
        let heard = socket.until("postgres_changes").await;
        assert_eq!(data(&heard, "DELETE")["old_record"], json!({"id": record["id"]}));
        assert_eq!((&heard["ids"], heard["data"].get("record")), (&ids, None));
    }

    // Where everything identifies a row, everything is told of it, but under row-level security.
    project.sql("insert into plain values (1, 'a', repeat('y', 9000)); update plain set name = 'b'").await;
    to_ben.until("postgres_changes").await;
    let heard = to_ben.until("postgres_changes").await;
    let told = data(&heard, "UPDATE");
    assert_eq!((&told["record"]["name"], &told["old_record"]["name"]), (&json!("b"), &json!("a")));
    assert_eq!(told["record"]["big"].as_str().unwrap().len(), 9000, "stored apart and unchanged");
    project.sql("update plain set big = repeat('x', 1100000)").await;
    let heard = to_ben.until("postgres_changes").await;
    assert_eq!(heard["data"]["errors"], json!(["Error 413: Payload Too Large"]));
    assert_eq!(heard["data"]["record"], json!({"id": 1, "name": "b"}));
    project.sql("delete from plain; alter table notes replica identity full;").await;
    let heard = to_ben.until("postgres_changes").await;
    assert_eq!(heard["data"]["old_record"]["name"], "b");
    project.sql(&insert).await;
    project.sql("update notes set body = 'milk'; delete from notes;").await;
    assert_eq!(to_ben.until("postgres_changes").await["data"]["old_record"], json!({"id": record["id"]}));
}

#[tokio::test]
async fn filters_pick_rows_and_what_is_no_filter_is_refused() {
    let sql = "create table things (id int primary key, name text, ok bool, at date);
        alter publication supabase_realtime add table things;
        create table elsewhere (id int primary key);";
    let project = Lab::project(sql).await;
    let mut socket = Socket::open(&project).await;
    let (fit, unfit) = (
        [
            "id=eq.5",
            "id=neq.4",
            "id=gt.4",
            "id=gte.5",
            "id=lt.6",
            "id=lte.5",
            "id=in.(4,5)",
            "name=like.te%",
            "name=ilike.TE%",
            "name=match.^t",
            "name=imatch.^T",
            "ok=is.true",
            "at=is.null",
            "at=not.eq.2026-01-01,id=eq.5",
            "name=isdistinct.tea",
            "id=not.in.(1,2)",
            "id=gt.4,id=lt.6",
            "name=eq.\"tea, milk\"",
            "at=not.is.true",
        ],
        [
            "id=eq.4",
            "name=not.like.te%",
            "id=gt.4,id=lt.5",
            "ok=is.false",
            "at=eq.2026-01-01",
            "name=in.(\"a,b\",c)",
        ],
    );
    let wish = |filter: &str| json!({"event": "*", "schema": "public", "table": "things", "filter": filter});
    // Nothing is neither equal nor unequal, and only a boolean is true.
    let no_match = ["at=not.eq.2026-01-01,id=eq.5", "at=not.is.true"];
    let fit: Vec<_> = fit.into_iter().filter(|filter| !no_match.contains(filter)).collect();
    let all: Vec<_> = fit.iter().chain(&unfit).map(|filter| wish(filter)).collect();
    let ids = socket.listen("a", None, &json!(all)).await;
    project.sql("insert into things values (5, 'tea, milk', true, null)").await;
    let heard = socket.until("postgres_changes").await;
    assert_eq!(heard["ids"], json!(ids[..fit.len()]));
    // Of a row that is gone only the key is there to be compared.
    project.sql("delete from things").await;
    let heard = socket.until("postgres_changes").await;
    let by_key: Vec<_> =
        fit.iter().zip(&ids).filter(|(filter, _)| filter.starts_with("id=")).map(|(_, id)| *id).collect();
    assert_eq!(heard["ids"], json!(by_key));

    let long = format!("id=in.({})", (0..101).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    for (wish, expected) in [
        (wish("id=foo.1"), "Error parsing `filter` params: [\"foo\", \"1\"]"),
        (json!({"event": "*"}), "No subscription params provided."),
        (json!({"schema": "public", "table": "elsewhere"}), "Please check Realtime is enabled"),
        (wish("nothing=eq.1"), "invalid column for filter nothing"),
        (wish("id=eq.x"), "ERROR 22P02 invalid input syntax for type integer"),
        (wish("id=like.x"), "ERROR 42883 operator does not exist"),
        (wish("name=match.("), "ERROR 2201B invalid regular expression"),
        (wish("id=is.true"), "is true filter requires a boolean column, got integer"),
        (wish(&long), "too many values for `in` filter. Maximum 100"),
        (
            json!({"schema": "public", "table": "things", "select": ["nothing"]}),
            "invalid column for select nothing",
        ),
    ] {
        let config = json!({"postgres_changes": [wish], "presence": {"enabled": false}});
        assert_eq!(socket.join("b", None, &config).await["status"], "ok");
        let told = socket.until("system").await;
        assert_eq!((&told["extension"], &told["status"]), (&json!("postgres_changes"), &json!("error")));
        assert!(told["message"].as_str().unwrap().contains(expected), "{told}");
        socket.push("b", "phx_leave", &json!({})).await;
        socket.until("phx_close").await;
    }
}

#[tokio::test]
async fn a_stream_that_breaks_begins_anew_and_ends_with_its_project() {
    let sql = "create table t (id int primary key); alter publication supabase_realtime add table t;
        create table later (id int primary key);";
    let project = Lab::project(sql).await;
    let slots = format!("select count(*) from pg_replication_slots where database = '{}'", project.r#ref);
    let mut socket = Socket::open(&project).await;
    assert_eq!(project.text(&slots).await, "0", "nobody listens");
    let ids = socket.listen("a", None, &json!([{"event": "*", "schema": "public"}])).await;
    assert_eq!(project.text(&slots).await, "1");
    project.sql("alter publication supabase_realtime add table later; insert into later values (1);").await;
    assert_eq!(socket.until("postgres_changes").await["ids"], json!(ids));
    project.realtime(&json!({"kind": "interrupt"})).await;
    assert_eq!(socket.until("system").await["message"], "Subscribed to PostgreSQL", "a second time");
    project.sql("insert into t values (2)").await;
    assert_eq!(socket.until("postgres_changes").await["data"]["record"], json!({"id": 2}));

    let other = Lab::project("").await;
    let path = format!("/projects/{}", project.r#ref);
    let reply = Reply::to(Lab::get().control(Method::DELETE, &path)).await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(socket.end().await, None);
    assert_eq!(other.text(&slots).await, "0");
}
