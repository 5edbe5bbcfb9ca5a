//! What people complain of in other clients, tried against a server with that very trouble.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use supabase_sdk::rest::{Count, col};
use supabase_sdk::{Client, ErrorKind, Retry};
use uuid::Uuid;

use crate::project::{Person, Project};
use crate::rest_filters::TABLES;
use crate::rest_writes::{NewNote, Note, NotePatch};

async fn notes(client: &Client, count: i32) -> Vec<Uuid> {
    let ids: Vec<_> = (0..count).map(|_| Uuid::new_v4()).collect();
    let rows: Vec<_> =
        ids.iter().zip(0..).map(|(id, at)| NewNote::new(format!("note {at}")).id(*id)).collect();
    client.table::<Note>().insert_many(&rows).in_pieces().send().await.unwrap().all().unwrap();
    ids
}

/// Complaint 9: a server that answers with 1,000 rows at most loses none of 2,345.
#[tokio::test]
async fn complaint_9_no_limit_of_the_server_cuts_a_stream() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let ids = notes(client, 2_345).await;
    let table = client.table::<Note>();
    let plain = table.select().limit(2_345).fetch().await.unwrap();
    assert_eq!((plain.len(), plain.may_be_cut()), (1_000, true));
    let counted = table.select().count(Count::Exact).fetch().await.unwrap();
    assert_eq!((counted.total(), counted.may_be_cut()), (Some(2_345), true));

    let all = table.select().fetch_all().await.unwrap();
    let mut seen: Vec<_> = all.iter().map(|note| note.id).collect();
    let mut expected = ids.clone();
    expected.sort();
    assert_eq!(seen, expected, "by key, each once");
    // Pages that the server cuts shorter than was asked are only more pages.
    seen = table.select().page_size(1_500).stream().map_ok(|note| note.id).try_collect().await.unwrap();
    assert_eq!(seen, expected);
    assert!(table.select().fetch().await.unwrap().may_be_cut(), "and now the limit is known");
    let some: Vec<Note> = table.select().page_size(7).limit(20).stream().try_collect().await.unwrap();
    assert_eq!(some.len(), 20);

    // Half of the ranks are null, and many are equal.
    let ranked = ids.iter().zip(0..).filter(|(_, at)| at % 200 == 0);
    let ranks = ranked.map(|(id, at)| (Note::ID.eq(*id), NotePatch::default().rank(at % 600)));
    table.update_each(ranks).await.all().unwrap();
    for order in
        [Note::RANK.asc(), Note::RANK.desc(), Note::RANK.asc().nulls_first(), Note::RANK.desc().nulls_last()]
    {
        let name = format!("{order:?}");
        let ordered = table.select().order(order).page_size(999).fetch_all().await.unwrap();
        let mut once: Vec<_> = ordered.iter().map(|note| note.id).collect();
        once.sort();
        assert_eq!(once, expected, "{name}");
        let ranks: Vec<_> = ordered.iter().map(|note| note.rank).collect();
        let mut sorted = ranks.clone();
        match (
            name.contains("desc"),
            name.contains("nullsfirst") || (name.contains("desc") && !name.contains("nullslast")),
        ) {
            (false, true) => sorted.sort(),
            (false, false) => sorted.sort_by_key(|rank| (rank.is_none(), *rank)),
            (true, true) => sorted.sort_by_key(|rank| (rank.is_some(), rank.map(|rank| -rank))),
            (true, false) => sorted.sort_by_key(|rank| (rank.is_none(), rank.map(|rank| -rank))),
        }
        assert_eq!(ranks, sorted, "{name}");
    }
    // The untyped, and a list of columns without the key.
    let titles = client.from("notes").select("title").stream_by(col("id")).try_collect::<Vec<Value>>().await;
    assert_eq!(titles.unwrap().len(), 2_345);
    // A function's rows are cut alike, and streamed alike.
    let cut = client.rpc("all_notes", &()).fetch().await.unwrap();
    assert_eq!((cut.len(), cut.may_be_cut()), (1_000, true));
    let called = client.rpc("all_notes", &()).get().stream_by(col("id")).try_collect::<Vec<Value>>().await;
    assert_eq!(called.unwrap().len(), 2_345);
    let writes =
        client.rpc("all_notes", &()).stream_by(col("id")).try_collect::<Vec<Value>>().await.unwrap_err();
    assert_eq!(writes.kind(), ErrorKind::Invalid, "nobody said that it only reads");
    let unknown = client.from("notes").select("title").fetch_all().await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Invalid);
}

/// Rows that come and go while a stream is read neither shift nor double the others.
#[tokio::test]
async fn a_stream_is_not_disturbed_by_writes() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let mut expected = notes(client, 50).await;
    expected.sort();
    let table = client.table::<Note>();
    let mut stream = table.select().page_size(10).stream();
    let mut seen = Vec::new();
    while let Some(note) = stream.try_next().await.unwrap() {
        seen.push(note.id);
        if seen.len() == 15 {
            table.delete().filter(Note::ID.is_in(expected[..10].iter().copied())).send().await.unwrap();
        }
    }
    assert_eq!(seen, expected);
}

/// Complaint 10: a list of thousands finds its rows, and a write with one touches them.
#[tokio::test]
async fn complaint_10_lists_of_any_length_are_asked_for() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let ids = notes(client, 1_200).await;
    let table = client.table::<Note>();
    let mut asked = ids.clone();
    asked.extend((0..300).map(|_| Uuid::new_v4()));
    asked.extend_from_slice(&ids[..5]);
    let found =
        table.select().filter(Note::ID.is_in(asked.iter().copied())).in_pieces().fetch().await.unwrap();
    assert_eq!(found.len(), 1_200);
    let done =
        table.update(&NotePatch::default().done(true)).filter(Note::ID.is_in(ids[..700].iter().copied()));
    let pieces = done.in_pieces().send().await.unwrap();
    assert!(pieces.0.len() > 1);
    assert_eq!(pieces.all().unwrap(), Some(700));
    assert_eq!(table.select().filter(Note::DONE.is_true()).head(Count::Exact).await.unwrap(), 700);
    // Of an insert in pieces, those that can go in do; each says what became of it.
    let mut rows: Vec<_> = (0..30).map(|at| NewNote::new(format!("more {at}"))).collect();
    rows[17].title = "note 0".to_owned();
    let size = supabase_sdk::rest::PieceSize { rows: 10, ..Default::default() };
    let pieces = table.insert_many(&rows).in_pieces().size(size).send().await.unwrap();
    let results: Vec<_> = pieces.0.iter().map(|piece| (piece.of[0], piece.result.is_ok())).collect();
    assert_eq!(results, [(0, true), (10, false), (20, true)]);
    assert_eq!(pieces.all().unwrap_err().kind(), ErrorKind::Conflict);
}

/// Complaint 13: rows that set different columns are sent apart, and each keeps what it does not set.
#[tokio::test]
async fn complaint_13_an_upsert_in_pieces_wipes_nothing() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let table = client.table::<Note>();
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    let rows = ids.map(|id| NewNote::new(id.to_string()).id(id).body("kept").rank(1));
    table.insert_many(&rows).send().await.unwrap();
    let changes = [
        NewNote::new(ids[0].to_string()).id(ids[0]).rank(2),
        NewNote::new(ids[1].to_string()).id(ids[1]).body(None),
    ];
    table.upsert_many(&changes).in_pieces().send().await.unwrap().all().unwrap();
    let row = |at: usize| table.select().filter(Note::ID.eq(ids[at])).single();
    let (first, second) = (row(0).await.unwrap(), row(1).await.unwrap());
    assert_eq!((first.body.as_deref(), first.rank), (Some("kept"), Some(2)));
    assert_eq!((second.body, second.rank), (None, Some(1)));
}

/// Complaint 14: many rows, each changed in its own way.
#[tokio::test]
async fn complaint_14_each_row_is_changed_in_its_own_way() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let ids = notes(client, 20).await;
    let table = client.table::<Note>();
    let changes = ids.iter().zip(0..).map(|(id, rank)| (Note::ID.eq(*id), NotePatch::default().rank(rank)));
    assert_eq!(table.update_each(changes).await.all().unwrap(), Some(20));
    let ranks = table.select().order(Note::RANK.asc()).fetch().await.unwrap();
    assert_eq!(ranks.iter().map(|note| note.id).collect::<Vec<_>>(), ids);
}

/// Complaint 15: a write or a read that a policy leaves empty says as whom it was asked.
#[tokio::test]
async fn complaint_15_rows_that_a_policy_hides_are_not_passed_over_in_silence() {
    let project = Project::with_tables(TABLES).await;
    let (zoe, eve) = (project.person("zoe").await, project.person("eve").await);
    let id = notes(&zoe.client, 1).await[0];
    let table = eve.client.table::<Note>();
    let silent = table.update(&NotePatch::default().done(true)).filter(Note::ID.eq(id)).send().await.unwrap();
    assert_eq!((silent.rows(), silent.role()), (Some(0), "authenticated"));
    let expected = table.delete().filter(Note::ID.eq(id)).expect_affected(1).send().await.unwrap_err();
    let single = table.select().filter(Note::ID.eq(id)).single().await.unwrap_err();
    for error in [expected, single] {
        assert_eq!(error.kind(), ErrorKind::Count);
        let said = error.to_string();
        assert!(said.contains("role authenticated") && said.contains("policy"), "{said}");
    }
    assert_eq!(project.secret().role(), "service_role");
    assert_eq!(project.anonymous().role(), "anon");
    assert_eq!(project.count("notes").await, 1);
}

/// Complaint 16: nothing waits for ever, and waiting too long is told from being refused.
#[tokio::test]
async fn complaint_16_a_request_ends_in_time() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    project.faults(json!([{ "path": "/rest/v1/", "action": { "kind": "delay", "ms": 60_000 } }])).await;
    let slow = client.from("cities").select("*").timeout(Duration::from_millis(50)).retry(Retry::never());
    let error = slow.fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));
}

/// Complaint 25: an answer that is lost loses no row and doubles none.
#[tokio::test]
async fn complaint_25_a_lost_answer_neither_loses_nor_doubles_a_row() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let table = client.table::<Note>();
    let lose = json!([{ "method": "POST", "path": "/rest/v1/notes", "times": 2, "action": { "kind": "lose_answer" } }]);
    project.faults(lose.clone()).await;
    let safe = NewNote::new("safe").id(Uuid::new_v4());
    table.insert(&safe).replay_safe().send().await.unwrap();
    assert_eq!(table.select().head(Count::Exact).await.unwrap(), 1);
    project.faults(lose).await;
    let error = table.insert(&NewNote::new("unsafe")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.is_undone()), (ErrorKind::Unreachable, false), "nobody knows");
    assert_eq!(table.select().head(Count::Exact).await.unwrap(), 2, "it was written, and not again");
    let busy = json!({ "kind": "answer", "status": 503, "body": { "code": "PGRST002", "message": "m" } });
    project.faults(json!([{ "path": "/rest/v1/notes", "times": 2, "action": busy }])).await;
    table.insert(&NewNote::new("refused twice")).send().await.unwrap();
    assert_eq!(table.select().head(Count::Exact).await.unwrap(), 3);
}

/// Complaint 28: the role of a request is that of who is signed in, and a session is renewed on the way.
#[tokio::test]
async fn complaint_28_a_session_is_renewed_on_the_way() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, id, .. } = &project.person("zoe").await;
    let mut session = client.auth().session().await.unwrap().unwrap();
    session.expires_at = 1;
    client.auth().set_session(session).await.unwrap();
    let note = client.table::<Note>().insert(&NewNote::new("late")).returning().single().await.unwrap();
    assert_eq!(note.owner_id, *id);
}
