//! Writes against the server: what they touch, what they refuse, and what they answer.

use serde::{Deserialize, Serialize};
use serde_json::json;
use supabase_sdk::rest::{Count, Missing, col};
use supabase_sdk::{ErrorKind, Projection, Table};
use uuid::Uuid;

use crate::project::{Person, Project};
use crate::rest_filters::TABLES;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "notes", insert = NewNote, update = NotePatch)]
pub(crate) struct Note {
    #[table(key, default)]
    pub(crate) id: Uuid,
    #[table(default)]
    pub(crate) owner_id: Uuid,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    #[table(default)]
    pub(crate) done: bool,
    pub(crate) rank: Option<i32>,
    #[table(generated)]
    pub(crate) length: Option<i32>,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Note)]
struct Title {
    title: String,
    length: Option<i32>,
}

#[tokio::test]
async fn rows_are_added_changed_put_and_removed_and_counted() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, id, .. } = &project.person("zoe").await;
    let notes = client.table::<Note>();
    let tea = notes.insert(&NewNote::new("tea").body("two cups")).returning().single().await.unwrap();
    assert_eq!((tea.owner_id, tea.done, tea.length), (*id, false, Some(3)));
    let many = [NewNote::new("a").rank(1), NewNote::new("b"), NewNote::new("c").done(true)];
    assert_eq!(
        notes.insert_many(&many).send().await.unwrap().rows(),
        Some(3),
        "defaults where a row sets none"
    );
    let place = notes.insert(&NewNote::new("placed").id(*id)).locate().await.unwrap();
    assert!(place.unwrap().ends_with(&format!("/notes?id=eq.{id}")));
    assert_eq!(notes.delete().filter(Note::ID.eq(*id)).send().await.unwrap().rows(), Some(1));
    let short = notes.insert(&NewNote::new("short")).returning_as::<Title>().single().await.unwrap();
    assert_eq!(short, Title { title: "short".to_owned(), length: Some(5) });

    let patch = NotePatch::default().body(None).rank(7);
    let changed = notes.update(&patch).filter(Note::ID.eq(tea.id)).returning().single().await.unwrap();
    assert_eq!(changed, Note { body: None, rank: Some(7), ..tea.clone() });
    let all = notes.update(&NotePatch::default().done(true)).all_rows().send().await.unwrap();
    assert_eq!((all.rows(), all.role()), (Some(5), "authenticated"));

    // A row with what the database computes in it is written without that.
    let moved = Note { title: "coffee".to_owned(), ..changed };
    notes.upsert(&moved).send().await.unwrap();
    notes.put(&Note { rank: None, ..moved.clone() }).send().await.unwrap();
    let coffee = notes.select().filter(Note::ID.eq(tea.id)).single().await.unwrap();
    assert_eq!(coffee, Note { rank: None, length: Some(6), ..moved });

    let removed = notes.delete().filter(Note::TITLE.is_in(["a", "b"])).send().await.unwrap();
    assert_eq!(removed.rows(), Some(2));
    assert_eq!(notes.select().head(Count::Exact).await.unwrap(), 3);
    let gone = notes.delete().all_rows().returning().fetch().await.unwrap();
    assert_eq!(gone.len(), 3);
}

#[tokio::test]
async fn an_upsert_meets_on_the_columns_that_are_named() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let notes = client.table::<Note>();
    let first = notes.insert(&NewNote::new("tea").rank(1)).returning().single().await.unwrap();
    let upsert = notes.upsert(&NewNote::new("tea").rank(2).owner_id(first.owner_id));
    let second = upsert.on_conflict((Note::OWNER_ID, Note::TITLE)).returning().single().await.unwrap();
    assert_eq!((second.id, second.rank), (first.id, Some(2)));
    let ignored = notes.upsert(&NewNote::new("tea").rank(3).owner_id(first.owner_id)).ignore_duplicates();
    let ignored = ignored.on_conflict((Note::OWNER_ID, Note::TITLE)).returning().fetch().await.unwrap();
    assert_eq!(ignored.len(), 0);
    let twice = notes.insert(&NewNote::new("tea")).send().await.unwrap_err();
    assert_eq!((twice.kind(), twice.code()), (ErrorKind::Conflict, Some("23505")));
    // The same rows again, with keys of their own: nothing more is written.
    let own = NewNote::new("own key").id(Uuid::new_v4());
    for _ in 0..2 {
        notes.insert(&own).replay_safe().send().await.unwrap();
    }
    assert_eq!(notes.select().head(Count::Exact).await.unwrap(), 2);
}

#[tokio::test]
async fn a_number_of_rows_is_held_to() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let notes = client.table::<Note>();
    notes.insert_many(&["a", "b", "c"].map(NewNote::new)).send().await.unwrap();
    let done = || notes.update(&NotePatch::default().done(true)).filter(Note::TITLE.is_in(["a", "b"]));
    let more = done().max_affected(1).send().await.unwrap_err();
    assert_eq!((more.kind(), more.code()), (ErrorKind::Count, Some("PGRST124")));
    assert_eq!(
        notes.select().filter(Note::DONE.is_true()).head(Count::Exact).await.unwrap(),
        0,
        "taken back"
    );
    let one = done().expect_affected(1).send().await.unwrap_err();
    assert_eq!(one.kind(), ErrorKind::Count);
    assert_eq!(done().expect_affected(2).send().await.unwrap().rows(), Some(2));
    let removed =
        notes.delete().filter(Note::TITLE.is_in(["a", "b"])).expect_affected(1).send().await.unwrap_err();
    assert_eq!((removed.kind(), removed.code()), (ErrorKind::Count, Some("PGRST124")));
    let several =
        notes.delete().filter(Note::TITLE.is_in(["a", "b"])).returning().maybe_single().await.unwrap_err();
    assert_eq!(several.kind(), ErrorKind::Count);
    assert_eq!(notes.select().head(Count::Exact).await.unwrap(), 3, "taken back");
    let none = notes.delete().filter(Note::TITLE.eq("z")).returning().maybe_single().await.unwrap();
    assert_eq!(none, None);
    let fewer = notes.delete().filter(Note::TITLE.eq("z")).expect_affected(1).send().await.unwrap_err();
    assert_eq!(fewer.kind(), ErrorKind::Count);
    assert_eq!(
        notes
            .delete()
            .filter(Note::TITLE.eq("a"))
            .expect_affected(1)
            .returning()
            .fetch()
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn what_a_row_leaves_out_is_what_was_asked_for() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let rows = [json!({ "title": "a", "rank": 1 }), json!({ "title": "b", "done": true })];
    let rows =
        client.from("notes").insert_many(&rows).returning().columns("title,done,rank").fetch().await.unwrap();
    assert_eq!(
        rows.into_vec(),
        [
            json!({ "title": "a", "done": false, "rank": 1 }),
            json!({ "title": "b", "done": true, "rank": null })
        ]
    );
    let null = client.from("notes").insert_many(&[json!({ "title": "c" })]).columns(&["title", "done"]);
    let error = null.missing(Missing::Null).send().await.unwrap_err();
    assert_eq!(error.code(), Some("23502"), "null is not the default");
    let matching = client.from("notes").delete().matching(&json!({ "title": "a", "body": null }));
    assert_eq!(matching.send().await.unwrap().rows(), Some(1));
    let left = client.from("notes").select("title").filter(col("done").is_true()).single().await.unwrap();
    assert_eq!(left, json!({ "title": "b" }));
}
