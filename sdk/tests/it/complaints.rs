//! What people complain of in other clients, each with the test that it does not happen here; `bug_…` are
//! faults seen in other Rust clients. What needs a server is in `tests/it`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::rest::{Count, Numeric, col};
use supabase_sdk::{Client, ErrorKind, Request, Retry, Service, Session, Table, Token, TraceContext, User};

use crate::scripted::Script;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "notes", insert = NewNote, update = NotePatch)]
struct Note {
    #[table(key, default)]
    id: i64,
    title: String,
    body: Option<String>,
    price: Option<Numeric>,
    #[table(generated)]
    words: Option<i32>,
}

fn last_query(script: &Script) -> Vec<(String, String)> {
    let requests = script.requests();
    let query = requests.last().unwrap().query.iter();
    query.map(|(name, value)| (name.to_string(), value.clone())).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn bug_preferences_add_up_and_never_replace_each_other() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    let upsert = client.from("notes").upsert(&json!({ "id": 1 })).timezone("UTC").ignore_duplicates();
    drop(upsert.rollback().returning().fetch().await);
    let prefer = script.header("prefer").unwrap();
    assert_eq!(prefer, "resolution=ignore-duplicates, tx=rollback, timezone=UTC, return=representation");
}

#[tokio::test]
async fn bug_a_limit_of_nothing_is_a_limit() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    drop(client.from("notes").select("*").limit(0).fetch().await);
    assert_eq!(last_query(&script), [pair("select", "*"), pair("limit", "0")]);
    drop(client.from("notes").select("*").range(5, 2).fetch().await);
    assert_eq!(last_query(&script)[1..], [pair("offset", "5"), pair("limit", "0")]);
}

#[tokio::test]
async fn bug_a_value_no_header_can_hold_is_an_error() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    for query in [
        client.from("notes").select("*").header("x-note", "a\nb"),
        client.from("notes").select("*").header("no header", "a"),
        client.from("notes").select("*").timezone("Europe/\u{1f642}\n"),
        client.schema("a\nb").from("notes").select("*"),
    ] {
        assert_eq!(query.fetch().await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert!(script.requests().is_empty());
    let client = Client::builder("http://h", "sb_publishable_a").header("x", "a\nb").build().unwrap_err();
    assert_eq!(client.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn bug_values_are_encoded_for_an_address() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    drop(client.from("notes").select("*").filter(col("title").eq("a&b=c#d+e%20")).fetch().await);
    assert!(script.lines()[0].ends_with("&title=eq.a%26b%3Dc%23d%2Be%2520"), "{:?}", script.lines());
}

#[tokio::test]
async fn bug_a_select_list_is_not_cut_at_commas() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    let list = "id, lines(id, part(name, price)), \"a, b\"";
    drop(client.from("notes").select(list).fetch().await);
    assert_eq!(last_query(&script), [pair("select", "id,lines(id,part(name,price)),\"a, b\"")]);
}

#[tokio::test]
async fn bug_no_column_of_a_ragged_batch_is_dropped() {
    let (script, client) = Script::echo(201, "", |builder| builder);
    let rows = [json!({ "a": 1 }), json!({ "b": 2, "a": null })];
    client.from("notes").insert_many(&rows).send().await.unwrap();
    assert_eq!(last_query(&script), [pair("columns", "\"a\",\"b\"")]);
    let body: Value = serde_json::from_str(&script.body()).unwrap();
    assert_eq!(body, json!([{ "a": 1 }, { "a": null, "b": 2 }]));
    assert_eq!(script.header("prefer").unwrap(), "count=exact, missing=default");
}

#[tokio::test]
async fn bug_after_signing_in_the_person_asks_and_not_the_key() {
    let legacy = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln";
    let (script, _) = Script::echo(200, "[]", |builder| builder);
    let client = Client::builder("http://project.test", legacy).transport(script.clone()).build().unwrap();
    drop(client.from("notes").select("*").fetch().await);
    assert_eq!(
        script.header("authorization").unwrap(),
        format!("Bearer {legacy}"),
        "a legacy key is a token"
    );
    client
        .auth()
        .set_session(Session::new(Token::new("theirs"), Token::new("r"), 4_102_444_800, User::default()))
        .await
        .unwrap();
    drop(client.from("notes").select("*").fetch().await);
    assert_eq!(script.header("authorization").as_deref(), Some("Bearer theirs"));
    assert_eq!(script.header("apikey").as_deref(), Some(legacy));
}

#[tokio::test]
async fn bug_two_filters_on_one_column_both_hold() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    drop(client.from("notes").select("*").filter(col("a").gt(1)).filter(col("a").lt(9)).fetch().await);
    assert_eq!(last_query(&script)[1..], [pair("a", "gt.1"), pair("a", "lt.9")]);
}

/// Complaint 9: an answer that may be cut says so.
#[tokio::test]
async fn complaint_9_a_cut_answer_says_so() {
    let hundred: &'static str = format!("[{}]", vec!["{\"id\":1}"; 100].join(",")).leak();
    let (_, client) = Script::echo(200, hundred, |builder| builder);
    let fetch = |limit: Option<usize>| {
        let select = client.from("notes").select("id");
        limit.map_or(select.clone(), |rows| select.limit(rows)).fetch()
    };
    assert!(fetch(None).await.unwrap().may_be_cut());
    assert!(!fetch(Some(100)).await.unwrap().may_be_cut());
    let (_, client) = Script::echo(200, hundred, |builder| builder.max_rows(500));
    assert!(!client.from("notes").select("id").fetch().await.unwrap().may_be_cut());
}

/// Complaint 10: a list that is too long for an address is split; what cannot be is refused.
#[tokio::test]
async fn complaint_10_a_long_list_is_split_by_its_length() {
    let (script, client) = Script::echo(200, "[{\"id\":1}]", |builder| builder);
    let ids: Vec<String> = (0..1_000).map(|id| format!("0190f3a2-7c3e-7d1a-9f00-{:012}", id % 900)).collect();
    let notes = || client.from("notes").select("id").filter(col("id").is_in(&ids));
    let rows = notes().in_pieces().fetch().await.unwrap();
    let requests = script.requests();
    assert_eq!(rows.len(), requests.len());
    let asked: Vec<&str> = requests
        .iter()
        .flat_map(|request| {
            assert!(request.uri().len() < 6_000, "{}", request.uri().len());
            let list = request.query.last().unwrap().1.strip_prefix("in.(").unwrap();
            list.strip_suffix(')').unwrap().split(',')
        })
        .collect();
    assert_eq!(asked, ids[..900], "in order, and each once");
    for refused in [
        notes().order(col("id").asc()).in_pieces().fetch().await,
        notes().limit(3).in_pieces().fetch().await,
        client.from("notes").select("id").filter(!col("id").is_in(&ids)).in_pieces().fetch().await,
        client
            .from("notes")
            .select("id")
            .filter(col("id").eq(1).or(col("id").is_in(&ids)))
            .in_pieces()
            .fetch()
            .await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
    let (_, client) = Script::echo(414, "", |builder| builder);
    let error = client.from("notes").select("id").filter(col("id").is_in(&ids)).fetch().await.unwrap_err();
    assert!(error.to_string().contains("in_pieces"), "{error}");
}

/// Complaint 11: no number passes through a float.
#[test]
fn complaint_11_numbers_keep_every_digit() {
    let json = r#"{"id":9007199254740993,"title":"t","body":null,"price":0.1000000000000000055511151231257827,"words":1}"#;
    let note: Note = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&note).unwrap(), json);
    assert_eq!(Note::ID.eq(9_007_199_254_740_993_i64).pair().1, "eq.9007199254740993");
}

/// Complaint 13: what is not set stays as it is, and no statement sets what a row leaves out.
#[tokio::test]
async fn complaint_13_an_upsert_changes_what_it_sets_and_nothing_else() {
    let (script, client) = Script::echo(200, "", |builder| builder);
    let notes = client.table::<Note>();
    notes.upsert(&NewNote::new("tea").id(1).body(None)).send().await.unwrap();
    assert_eq!(script.body(), r#"{"id":1,"title":"tea","body":null}"#);
    assert_eq!(last_query(&script), [pair("on_conflict", "id")]);

    let ragged =
        [NewNote::new("a").id(1).body("x"), NewNote::new("b").id(2), NewNote::new("c").id(3).body(None)];
    let refused = notes.upsert_many(&ragged).send().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("in_pieces"), "{refused}");
    let pieces = notes.upsert_many(&ragged).in_pieces().send().await.unwrap();
    assert_eq!(pieces.0.iter().map(|piece| piece.of.clone()).collect::<Vec<_>>(), [vec![0, 2], vec![1]]);
    assert_eq!(script.body(), r#"[{"id":2,"title":"b"}]"#);
    assert_eq!(last_query(&script), [pair("on_conflict", "id"), pair("columns", "\"id\",\"title\"")]);

    // A whole row has a column the database computes: it is not sent as one to be set.
    let row = Note { id: 1, title: "t".into(), body: None, price: None, words: Some(1) };
    notes.upsert_many(std::slice::from_ref(&row)).send().await.unwrap();
    assert!(last_query(&script).contains(&pair("columns", "\"id\",\"title\",\"body\",\"price\"")));
    let patch = NotePatch::default().body(None).title("new");
    notes.update(&patch).filter(Note::ID.eq(1_i64)).send().await.unwrap();
    assert_eq!(script.body(), r#"{"title":"new","body":null}"#);
}

/// Complaint 19: a function that refuses keeps its status, its headers and its body, and none of it is shown.
#[tokio::test]
async fn complaint_19_the_body_of_a_refusal_is_there() {
    let (_, client) =
        Script::echo(418, r#"{"error":"no tea for Zoe","detail":{"cups":2}}"#, |builder| builder);
    let brew = client.functions().invoke("brew");
    let streamed = brew.stream().await.map(drop);
    let listened = brew.events().await.map(drop);
    for refused in [brew.send().await.map(drop), brew.fetch::<Value>().await.map(drop), streamed, listened] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Invalid, 418));
        assert_eq!(error.json::<Value>().unwrap()["detail"]["cups"], 2);
        assert!(error.body().is_some() && error.headers().is_some() && !error.is_from_relay());
        assert_eq!(error.message(), "no tea for Zoe");
        assert!(!format!("{error} {error:?}").contains("Zoe"));
    }
    let error = client.send(Request::post("/functions/v1/brew")).await.unwrap().accepted().unwrap_err();
    assert_eq!(error.body().unwrap(), r#"{"error":"no tea for Zoe","detail":{"cups":2}}"#);
}

/// Complaint 24: an `sb_` key is no bearer token, unless a service is said to need that.
#[tokio::test]
async fn complaint_24_a_key_is_a_bearer_token_only_where_that_is_said() {
    let (script, client) = Script::echo(200, "[]", |builder| builder.key_as_bearer(Service::Storage));
    for (path, bearer) in
        [("/storage/v1/bucket", Some("Bearer sb_publishable_TEST")), ("/functions/v1/f", None)]
    {
        drop(client.send(Request::get(path)).await);
        assert_eq!(script.header("authorization").as_deref(), bearer, "{path}");
        assert_eq!(script.header("apikey").as_deref(), Some("sb_publishable_TEST"));
    }
}

/// Complaint 25: what is sent again is what does no harm sent twice.
#[tokio::test]
async fn complaint_25_retries_are_a_contract() {
    let quick = Retry { first: Duration::from_millis(1), ..Retry::default() };
    let tries =
        async |status: u16, body: &'static str, write: fn(&Client) -> supabase_sdk::rest::Insert<Value>| {
            let (script, client) = Script::echo(status, body, |builder| builder.retry(quick));
            drop(write(&client).send().await);
            script.requests().len()
        };
    let row = json!({ "id": 1 });
    assert_eq!(row["id"], 1);
    let insert = |client: &Client| client.from("notes").insert(&json!({ "id": 1 }));
    let safe = |client: &Client| client.from("notes").insert(&json!({ "id": 1 })).replay_safe();
    let upsert = |client: &Client| client.from("notes").upsert(&json!({ "id": 1 })).on_conflict(col("id"));
    assert_eq!(tries(502, "", insert).await, 1, "it may have been carried out");
    assert_eq!(tries(502, "", safe).await, 4);
    assert_eq!(tries(502, "", upsert).await, 4);
    assert_eq!(tries(500, r#"{"code":"40001","message":"m"}"#, insert).await, 4, "it was rolled back");
    assert_eq!(tries(409, r#"{"code":"23505","message":"m"}"#, upsert).await, 1, "it would be again");

    let (script, client) = Script::echo(503, "", |builder| builder.retry(quick));
    drop(client.from("notes").select("*").retry(Retry::never()).fetch().await);
    assert_eq!(script.requests().len(), 1, "one request may be told otherwise");
    drop(client.from("notes").select("*").fetch().await);
    assert_eq!(script.header("x-retry-count").as_deref(), Some("3"));
    let on_conflict = client.table::<Note>().insert(&NewNote::new("t").id(1)).replay_safe();
    assert_eq!(on_conflict.request().unwrap().query.last().unwrap().1, "id");
}

/// Complaint 27: one error for every service.
#[tokio::test]
async fn complaint_27_every_service_fails_alike() {
    let cases = [
        (
            404,
            r#"{"code":"PGRST205","message":"m","details":[{"a":1}],"hint":"h"}"#,
            ErrorKind::NotFound,
            "PGRST205",
        ),
        (
            400,
            r#"{"code":400,"error_code":"invalid_credentials","msg":"m"}"#,
            ErrorKind::Invalid,
            "invalid_credentials",
        ),
        (404, r#"{"statusCode":"404","error":"NoSuchKey","message":"m"}"#, ErrorKind::NotFound, "NoSuchKey"),
        (
            429,
            r#"{"code":"over_request_rate_limit","message":"m"}"#,
            ErrorKind::Busy,
            "over_request_rate_limit",
        ),
    ];
    for (status, body, kind, code) in cases {
        let (_, client) = Script::echo(status, body, |builder| builder);
        let error = client.send(Request::get("/any/v1")).await.unwrap().accepted().unwrap_err();
        assert_eq!((error.kind(), error.code(), error.message()), (kind, Some(code), "m"));
        assert_eq!(error.is_retryable(), status == 429);
    }
    let (_, client) =
        Script::echo(300, r#"{"code":"PGRST201","message":"m","details":[{"cardinality":"one"}]}"#, |b| b);
    let error = client.from("a").select("b(*)").fetch().await.unwrap_err();
    assert_eq!((error.kind(), &error.details()[0]["cardinality"]), (ErrorKind::Invalid, &json!("one")));
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_the_request_sent_again() {
    const RENEWED: &str = r#"{"access_token":"new","refresh_token":"r2","expires_at":4102444800,
        "user":{"id":"6d1a1f3e-0000-4000-8000-000000000001"}}"#;
    let expired = r#"{"code":"PGRST303","message":"JWT expired"}"#;
    let session = || Session::new(Token::new("old"), Token::new("r1"), 4_102_444_800, User::default());
    let (script, client) = Script::client([(401, expired), (200, RENEWED), (200, "[]")]);
    client.auth().set_session(session()).await.unwrap();
    client.from("notes").insert(&json!({ "a": 1 })).send().await.unwrap();
    assert_eq!(script.header("authorization").as_deref(), Some("Bearer new"));

    let (script, client) = Script::client([(401, expired), (200, RENEWED), (401, expired)]);
    client.auth().set_session(session()).await.unwrap();
    let error = client.from("notes").select("*").fetch().await.unwrap_err();
    assert_eq!((error.kind(), script.requests().len()), (ErrorKind::Unauthenticated, 3), "once");
}

#[tokio::test]
async fn tokens_from_elsewhere_never_fall_back_to_nobody() {
    let (script, client) =
        Script::echo(200, "[]", |builder| builder.access_token(|| async { Ok(Some(Token::new("t"))) }));
    drop(client.from("notes").select("*").fetch().await);
    assert_eq!(script.header("authorization").as_deref(), Some("Bearer t"));
    let (script, client) = Script::echo(200, "[]", |builder| builder.access_token(|| async { Ok(None) }));
    drop(client.from("notes").select("*").fetch().await);
    assert_eq!(script.header("authorization"), None);
    let (script, client) =
        Script::echo(200, "[]", |builder| builder.access_token(|| async { Err("asleep".into()) }));
    let error = client.from("notes").select("*").fetch().await.unwrap_err();
    assert_eq!((error.kind(), script.requests().len()), (ErrorKind::Unauthenticated, 0));
}

#[tokio::test]
async fn every_request_carries_what_the_client_was_told() {
    let trace =
        TraceContext { traceparent: "00-0af7-01".into(), tracestate: "a=b".into(), baggage: String::new() };
    let (script, client) = Script::echo(200, "[]", |builder| {
        builder.header("x-app", "garage").trace(move || Some(trace.clone()))
    });
    drop(client.from("notes").select("*").header("x-app", "this one").fetch().await);
    assert_eq!(script.header("x-app").as_deref(), Some("this one"));
    drop(client.send(Request::get("/auth/v1/user")).await);
    assert_eq!(script.header("x-app").as_deref(), Some("garage"));
    assert_eq!(script.header("traceparent").as_deref(), Some("00-0af7-01"));
    assert_eq!((script.header("tracestate").as_deref(), script.header("baggage")), (Some("a=b"), None));
}

#[tokio::test]
async fn what_the_server_silently_left_out_is_noticed() {
    let (_, client) = Script::echo(201, "", |builder| builder);
    let written = client.from("notes").insert(&json!({ "a": 1 })).rollback().send().await.unwrap_err();
    assert_eq!(written.kind(), ErrorKind::Protocol);
    let uncounted =
        client.from("notes").delete().filter(col("a").eq(1)).max_affected(1).send().await.unwrap_err();
    assert_eq!(uncounted.kind(), ErrorKind::Protocol);
    assert_eq!(
        client.from("notes").select("*").head(Count::Exact).await.unwrap_err().kind(),
        ErrorKind::Protocol
    );
}

#[tokio::test]
async fn a_row_is_put_at_its_key() {
    let (script, client) = Script::echo(200, "", |builder| builder);
    let row = Note { id: 7, title: "t".into(), body: None, price: None, words: None };
    client.table::<Note>().put(&row).send().await.unwrap();
    let request = script.requests().pop().unwrap();
    assert_eq!((request.method.as_str(), last_query(&script)), ("PUT", vec![pair("id", "eq.7")]));
    let error = client.table::<Note>().put(&NewNote::new("no key")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[cfg(feature = "postgrest")]
#[tokio::test]
async fn the_community_client_comes_wired() {
    let (_, client) = Script::echo(200, "[]", |builder| builder.schema("personal"));
    client
        .auth()
        .set_session(Session::new(Token::new("theirs"), Token::new("r"), 4_102_444_800, User::default()))
        .await
        .unwrap();
    let request = client.postgrest().await.unwrap().from("notes").select("*").build().build().unwrap();
    let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(request.url().as_str(), "http://project.test/rest/v1/notes?select=*");
    assert_eq!(header("apikey"), "sb_publishable_TEST");
    assert_eq!(header("authorization"), "Bearer theirs");
    assert_eq!(header("accept-profile"), "personal");
}

/// Complaint 22: a type does not grow with the question.
#[test]
fn complaint_22_types_stay_small_whatever_is_asked() {
    let (_, client) = Script::echo(200, "[]", |builder| builder);
    let mut query = client.table::<Note>().select();
    for id in 0..60_i64 {
        query = query.filter(Note::ID.eq(id).or(Note::TITLE.eq("a").and(!Note::BODY.is_null())));
    }
    let name = std::any::type_name_of_val(&query);
    assert!(name.len() < 150, "{name}");
    assert!(query.request().is_ok());
}

/// Answers by the token that asks: an old one has expired, and can be renewed once.
#[derive(Debug, Default)]
struct Expired(std::sync::atomic::AtomicUsize);

impl supabase_sdk::Transport for Expired {
    fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> supabase_sdk::Sending<'a> {
        let old = request.headers.get("authorization").is_some_and(|bearer| bearer == "Bearer old");
        let (status, body) = if request.path == "/auth/v1/token" {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let renewed = r#"{"access_token":"new","refresh_token":"r2","expires_at":4102444800,"user":{"id":"6d1a1f3e-0000-4000-8000-000000000001"}}"#;
            (200, renewed)
        } else if old {
            (401, r#"{"code":"PGRST303","message":"JWT expired"}"#)
        } else {
            (200, "[]")
        };
        let reply = supabase_sdk::Reply {
            status: status.try_into().unwrap(),
            headers: http::HeaderMap::new(),
            body: body.into(),
        };
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(reply)
        })
    }
}

#[tokio::test]
async fn a_token_that_expired_early_is_renewed_once_for_all_who_hear_so() {
    let transport = std::sync::Arc::new(Expired::default());
    let client = Client::builder("http://project.test", "sb_publishable_TEST").transport(transport.clone());
    let client = client.build().unwrap();
    client
        .auth()
        .set_session(Session::new(Token::new("old"), Token::new("r1"), 4_102_444_800, User::default()))
        .await
        .unwrap();
    let asks = (0..64).map(|_| client.from("notes").select("*").fetch());
    futures_util::future::try_join_all(asks).await.unwrap();
    assert_eq!(transport.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}
