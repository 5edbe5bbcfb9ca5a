//! Where a hostile or an unlucky world pushes: nothing leaves the project, nothing is written twice, nothing
//! panics, nothing runs for ever.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::rest::{Count, col};
use supabase_sdk::{Arguments, Client, ErrorKind, Projection, Request, Retry, Table};

use crate::scripted::Script;

const QUICK: Retry = Retry { tries: 4, first: Duration::from_millis(1), longest: Duration::from_secs(1) };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "hits", insert = NewHit, update = HitPatch)]
#[serde(rename_all = "camelCase")]
struct Hit {
    #[table(key, default)]
    id: i64,
    started_at: Option<String>,
    /// Names that the shapes have already, or that end alike.
    new: Option<i32>,
    default: Option<i32>,
    #[serde(rename = "id_")]
    id_: Option<i32>,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Hit)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Started {
    started_at: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Hit)]
struct AsText {
    #[projection(cast = "text")]
    id: String,
    #[projection(column = "startedAt")]
    when: Option<String>,
}

#[test]
fn names_that_clash_are_told_apart() {
    let hit = NewHit::new().set_new(1).id_(2);
    assert_eq!(serde_json::to_string(&hit).unwrap(), r#"{"new":1,"id_":2}"#);
    let patch = HitPatch::default().set_default(3).started_at("now");
    assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"startedAt":"now","default":3}"#);
    assert_eq!((Hit::ID.name(), Hit::ID_.name(), Hit::STARTED_AT.name()), ("id", "id_", "startedAt"));
}

#[tokio::test]
async fn keys_go_to_the_project_and_nowhere_else() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    for path in ["@evil.example/x", ".evil.example/x", "", ":80@evil.example/"] {
        assert_eq!(client.send(Request::get(path)).await.unwrap_err().kind(), ErrorKind::Invalid, "{path}");
    }
    for table in ["", ".", ".."] {
        assert_eq!(client.from(table).select("*").fetch().await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert!(script.requests().is_empty());
    let mine = Script::echo(200, "[]", |builder| builder.header("authorization", "Bearer MINE"));
    drop(mine.1.from("t").select("*").fetch().await);
    assert_eq!(mine.0.header("authorization").as_deref(), Some("Bearer MINE"));
    let shown = format!("{:?}", Client::builder("http://user:S3CRET@h", "k"));
    assert!(!shown.contains("S3CRET"), "{shown}");
}

#[tokio::test]
async fn rows_that_cannot_meet_themselves_are_sent_once() {
    let tries = async |query: fn(&Client) -> supabase_sdk::rest::Insert<Hit>| {
        let (script, client) = Script::echo(502, "", |builder| builder.retry(QUICK));
        drop(query(&client).send().await);
        script.requests().len()
    };
    assert_eq!(tries(|client| client.table::<Hit>().upsert(&NewHit::new().id(1))).await, 4);
    assert_eq!(
        tries(|client| client.table::<Hit>().upsert(&NewHit::new())).await,
        1,
        "its key is made there"
    );
    let ragged = |client: &Client| {
        let rows = [NewHit::new().id(1), NewHit::new()];
        client.table::<Hit>().insert_many(&rows).ignore_duplicates().on_conflict(Hit::ID)
    };
    assert_eq!(tries(ragged).await, 1, "not each of them brings its key");
    assert_eq!(tries(|client| client.table::<Hit>().insert(&NewHit::new().id(1)).replay_safe()).await, 4);
    let untyped = Script::echo(502, "", |builder| builder.retry(QUICK));
    drop(untyped.1.from("hits").upsert(&json!({ "x": "a" })).send().await);
    assert_eq!(untyped.0.requests().len(), 1, "nobody knows its key");
}

#[tokio::test]
async fn a_stream_calls_nothing_that_writes_and_ends() {
    let (script, client) = Script::echo(200, r#"[{"id":1}]"#, |builder| builder);
    let touched = client.rpc("touch", &()).stream_by(col("id")).try_collect::<Vec<Value>>().await;
    assert_eq!(touched.unwrap_err().kind(), ErrorKind::Invalid);
    assert!(script.requests().is_empty());
    // Two rows in turns, for ever.
    let (_, client) = Script::client(
        [1, 2, 1, 2, 1].map(|id| (200, if id == 1 { r#"[{"id":1}]"# } else { r#"[{"id":2}]"# })),
    );
    let rows = client.from("t").select("*").stream_by(col("id")).try_collect::<Vec<Value>>().await;
    assert_eq!(rows.unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_projection_of_any_kind_can_be_streamed() {
    let first = r#"[{"startedAt":"a","_page_0":1}]"#;
    let (script, client) = Script::client([(200, first), (200, "[]")]);
    let rows = client.table::<Hit>().select_as::<Started>().fetch_all().await.unwrap();
    assert_eq!(rows, [Started { started_at: Some("a".to_owned()) }]);
    assert!(script.lines()[1].contains("?select=startedAt,_page_0:id&id=gt.1&"), "{:?}", script.lines());

    let (script, client) = Script::client([(200, r#"[{"id":"1","when":null,"_page_0":1}]"#), (200, "[]")]);
    let rows = client.table::<Hit>().select_as::<AsText>().fetch_all().await.unwrap();
    assert_eq!(rows, [AsText { id: "1".to_owned(), when: None }]);
    assert!(
        script.lines()[0].contains("?select=id::text,when:startedAt,_page_0:id&"),
        "{:?}",
        script.lines()
    );

    let (_, client) = Script::client([(200, r#"[{"id":1}]"#), (200, "[]")]);
    let stripped = client.table::<Hit>().select().strip_nulls().order(Hit::STARTED_AT.asc()).stream();
    assert_eq!(stripped.map_ok(|hit| hit.id).try_collect::<Vec<_>>().await.unwrap(), [1], "left out is null");
}

#[tokio::test]
async fn the_longest_times_and_the_largest_numbers_are_only_numbers() {
    let (_, client) = Script::echo(200, r#"[{"id":1}]"#, |builder| builder.timeout(Duration::MAX));
    let select = client.from("t").select("*").timeout(Duration::MAX).offset(usize::MAX).limit(usize::MAX);
    assert_eq!(select.count(Count::Exact).fetch().await.unwrap().len(), 1);
    let most = client.from("t").select("*").range(0, usize::MAX).fetch().await.unwrap();
    assert_eq!(most.len(), 1);
}

#[derive(Serialize, Arguments)]
struct Echo {
    q: Value,
}

#[tokio::test]
async fn an_argument_in_an_address_is_itself_or_refused() {
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    let refused = [
        json!("eq.5"),
        json!("is.null"),
        json!("NOT.eq.1"),
        json!("fts(english).x"),
        json!([]),
        json!([[1]]),
        json!([null]),
    ];
    for value in refused {
        let call = client.rpc("echo", &Echo::new(value.clone())).get();
        assert_eq!(call.value().await.unwrap_err().kind(), ErrorKind::Invalid, "{value}");
    }
    assert_eq!(
        client.rpc("echo", &json!({ "order": 1 })).get().value().await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    assert!(script.requests().is_empty());
    for value in [json!("eq"), json!("equal.5"), json!("a.b"), json!(1.5), json!([1, 2])] {
        client.rpc("echo", &Echo::new(value)).get().value().await.unwrap();
    }
}

#[tokio::test]
async fn pieces_of_round_numbers_are_whole() {
    let hundred: &'static str = format!("[{}]", vec!["{\"id\":1}"; 100].join(",")).leak();
    let (_, client) = Script::ranged(200, hundred, "0-99/100");
    let ids = 0..100_i64;
    let rows =
        client.from("t").select("*").filter(col("id").is_in(ids.clone())).in_pieces().fetch().await.unwrap();
    assert_eq!(rows.len(), 100);
    let (_, client) = Script::ranged(200, hundred, "0-99/250");
    let cut =
        client.from("t").select("*").filter(col("id").is_in(ids)).in_pieces().fetch().await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::Count);
}

#[tokio::test]
async fn what_the_database_makes_meets_no_row() {
    #[derive(Serialize, Deserialize, Table)]
    #[table(name = "logs", update = LogPatch)]
    struct Log {
        #[table(key, generated)]
        id: i64,
        text: String,
    }
    let (script, client) = Script::echo(200, "[]", |builder| builder);
    let log = Log { id: 1, text: "t".to_owned() };
    for write in [client.table::<Log>().upsert(&log), client.table::<Log>().put(&log)] {
        let error = write.send().await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::Invalid && error.to_string().contains("update the row"),
            "{error}"
        );
        assert!(error.is_undone());
    }
    let nothing = client.table::<Log>().update(&LogPatch::default()).all_rows().send().await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Invalid);
    assert!(script.requests().is_empty());
}
