//! Tables: what is sent for each verb, and what becomes of the answer.

use serde::{Deserialize, Serialize};
use serde_json::json;
use supabase_sdk::{ErrorKind, Projection, Table};

use crate::scripted::Script;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "notes")]
struct Note {
    #[table(key)]
    id: i64,
    title: String,
    archived: bool,
}

fn tea() -> Note {
    Note { id: 1, title: "tea".to_owned(), archived: false }
}

#[tokio::test]
async fn a_select_asks_for_the_columns_of_its_row_in_the_order_given() {
    let (script, client) = Script::client([(200, r#"[{"id":1,"title":"tea","archived":false}]"#)]);
    let select =
        client.table::<Note>().select().filter(Note::ARCHIVED.eq(false)).filter(Note::TITLE.eq("tea"));
    let rows = select.order(Note::TITLE.asc()).order(Note::ARCHIVED.desc()).limit(20).fetch().await.unwrap();
    assert_eq!(rows[..], [tea()]);
    assert_eq!(
        script.lines(),
        ["GET http://project.test/rest/v1/notes?select=id,title,archived&archived=eq.false\
          &title=eq.tea&order=title.asc,archived.desc&limit=20"]
    );
    assert_eq!(script.header("accept-profile").as_deref(), Some("public"));
    assert_eq!(script.header("apikey").as_deref(), Some("sb_publishable_TEST"));
    assert_eq!(script.header("authorization"), None, "an sb_ key is no bearer token");
}

#[derive(Debug, Deserialize, Table)]
#[table(name = "tags")]
#[expect(dead_code, reason = "only its name is asked for")]
struct Tag {
    #[table(key)]
    id: i64,
    name: String,
}

#[derive(Debug, Deserialize, Table)]
#[table(name = "note_tags", references(Note, Tag))]
#[expect(dead_code, reason = "it is only passed through")]
struct NoteTag {
    #[table(key)]
    note_id: i64,
    #[table(key)]
    tag_id: i64,
}

#[derive(Debug, Deserialize, Projection)]
#[projection(of = Tag)]
#[expect(dead_code, reason = "what is asked is tried, and no answer read")]
struct TagName {
    name: String,
}

#[derive(Debug, Deserialize, Projection)]
#[projection(of = Note)]
#[expect(dead_code, reason = "what is asked is tried, and no answer read")]
struct Tagged {
    title: String,
    #[projection(embed(through = NoteTag))]
    tags: Vec<TagName>,
    #[projection(embed(through = NoteTag, hint = "note_tags_view", inner))]
    seen: Vec<TagName>,
}

/// There may be a second table between the two, so the request names the one that is meant.
#[test]
fn an_embed_through_a_table_says_through_which() {
    let (_, client) = Script::client([]);
    let request = client.table::<Note>().select_as::<Tagged>().request().unwrap();
    let list = "title,tags!note_tags(name),seen:tags!note_tags_view!inner(name)";
    assert_eq!(request.query, [("select".into(), list.to_owned())]);
}

#[tokio::test]
async fn an_upsert_meets_on_the_key_and_keeps_every_preference() {
    let (script, client) = Script::client([(201, "")]);
    let affected = client.table::<Note>().upsert_many(&[tea()]).send().await.unwrap();
    assert_eq!((affected.rows(), affected.role()), (None, "anon"), "the script did not count");
    assert_eq!(
        script.lines(),
        ["POST http://project.test/rest/v1/notes?columns=%22id%22,%22title%22,%22archived%22&on_conflict=id"]
    );
    assert_eq!(script.header("prefer").as_deref(), Some("resolution=merge-duplicates, count=exact"));
    assert_eq!(script.body(), r#"[{"id":1,"title":"tea","archived":false}]"#);
}

#[tokio::test]
async fn an_unmodelled_table_is_reached_by_name() {
    let (script, client) = Script::client([(201, r#"[{"a b":1}]"#)]);
    let table = client.from("odd table");
    let rows = table.insert_many(&[json!({ "a b": 1 })]).returning().fetch().await.unwrap();
    assert_eq!(rows.into_vec(), [json!({ "a b": 1 })]);
    assert_eq!(script.lines(), ["POST http://project.test/rest/v1/odd%20table?columns=%22a%20b%22&select=*"]);
}

#[tokio::test]
async fn a_refusal_says_what_and_why() {
    let refusal = r#"{"code":"PGRST205","message":"Could not find the table","details":null,"hint":null}"#;
    let (_, client) = Script::client([(404, refusal)]);
    let error = client.table::<Note>().select().fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("PGRST205")));
    assert_eq!(error.to_string(), "not found: Could not find the table (PGRST205, status 404)");
}

#[tokio::test]
async fn an_answer_of_another_shape_is_an_error_not_a_panic() {
    for body in ["", "{}", "[1]", r#"[{"id":"x"}]"#, "[{\"id\":1"] {
        let (_, client) = Script::client([(200, body)]);
        let error = client.table::<Note>().select().fetch().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}");
    }
}
