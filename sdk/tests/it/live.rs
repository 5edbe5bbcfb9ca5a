//! A live table: fetched, followed, and fetched again where something may have been missed. The other side keeps a
//! table, answers what is asked over HTTP from it, and tells of changes as the test has it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::realtime::{Gap, Live, LiveChange, Options};
use supabase_sdk::rest::col;
use supabase_sdk::{Client, ErrorKind, Request, Table};

use crate::sockets::{Frame, Server, Socket};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "bookings")]
struct Booking {
    #[table(key)]
    id: i64,
    title: String,
    updated_at: String,
}

/// A table on the other side.
#[derive(Clone, Default)]
struct Bookings(Arc<Mutex<Data>>);

#[derive(Default)]
struct Data {
    rows: BTreeMap<i64, Value>,
    /// Statuses that the next questions are answered with.
    failures: Vec<u16>,
    asked: Vec<String>,
}

fn booking(id: i64, title: &str, minute: u32) -> Value {
    json!({ "id": id, "title": title, "updated_at": format!("2026-01-01T00:{minute:02}:00+00:00") })
}

impl Bookings {
    fn put(&self, id: i64, title: &str, minute: u32) {
        self.0.lock().unwrap().rows.insert(id, booking(id, title, minute));
    }

    fn remove(&self, id: i64) {
        self.0.lock().unwrap().rows.remove(&id);
    }

    /// As much of PostgREST as is asked: a page by key, rows of a list, rows that are newer.
    fn answer(&self, request: &Request) -> (u16, String) {
        let mut data = self.0.lock().unwrap();
        let Data { rows, failures, asked } = &mut *data;
        let said =
            |name: &str| request.query.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        let words: Vec<_> = request
            .query
            .iter()
            .filter(|(name, _)| !["select", "order", "limit"].contains(&&**name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        asked.push(format!("{} {}", said("select").unwrap_or_default(), words.join(" ")));
        if let Some(status) = failures.pop() {
            return (status, String::new());
        }
        let ids = request.query.iter().filter(|(name, _)| name == "id");
        let passes = |row: &&Value| {
            let id = row["id"].as_i64().unwrap();
            let of_ids = ids.clone().all(|(_, test)| match test.split_once('.').unwrap() {
                ("gt", after) => id > after.parse().unwrap(),
                ("in", list) => {
                    list.trim_matches(['(', ')']).split(',').any(|listed| listed == id.to_string())
                }
                other => panic!("unexpected {other:?}"),
            });
            let newer = said("updated_at").is_none_or(|test| {
                row["updated_at"].as_str().unwrap()[..19] >= test.strip_prefix("gte.").unwrap()[..19]
            });
            of_ids && newer
        };
        let limit = said("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
        let rows: Vec<_> = rows.values().filter(passes).take(limit).collect();
        (200, serde_json::to_string(&rows).unwrap())
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

/// What a live table tells, in words.
async fn told(live: &mut Live<Booking>) -> String {
    match live.next().await.unwrap().unwrap() {
        LiveChange::Put(row) => format!("{} {}", row.id, row.title),
        LiveChange::Remove(old) => format!("{} gone", old.get(Booking::ID).unwrap().unwrap()),
        LiveChange::Ready => "ready".to_owned(),
        LiveChange::Stale(Gap::Rejoined) => "stale".to_owned(),
        LiveChange::Stale(gap) => format!("stale: {gap}"),
    }
}

async fn tells(live: &mut Live<Booking>, expected: &[&str]) {
    for expected in expected {
        assert_eq!(told(live).await, *expected);
    }
}

fn serving(bookings: &Bookings) -> (Server, Client) {
    let answering = bookings.clone();
    let options = Options::default();
    Server::with(
        options,
        move |request| answering.answer(request),
        |builder| builder.retry(supabase_sdk::Retry::never()),
    )
}

async fn follow(
    server: &mut Server,
    follow: supabase_sdk::realtime::Follow<Booking>,
) -> (Live<Booking>, Socket, Frame) {
    let (live, (socket, join)) = tokio::join!(follow.subscribe(), async {
        let mut socket = server.accept().await;
        let join = socket.accept_live().await;
        (socket, join)
    });
    (live.unwrap(), socket, join)
}

async fn change(socket: &mut Socket, join: &Frame, kind: &str, id: i64, title: &str, minute: u32) {
    let (record, old) = (booking(id, title, minute).to_string(), json!({ "id": id }).to_string());
    match kind {
        "DELETE" => socket.change(join, kind, "{}", &old).await,
        _ => socket.change(join, kind, &record, "{}").await,
    }
}

/// Complaint 5: nothing of what happened between two connections is lost or told twice.
#[tokio::test(start_paused = true)]
async fn complaint_5_nothing_is_missed_between_disconnect_and_rejoin() {
    let bookings = Bookings::default();
    (1..=3).for_each(|id| bookings.put(id, "a", 10));
    let (mut server, client) = serving(&bookings);
    let live = client.table::<Booking>().live().by(Booking::UPDATED_AT);
    let (mut live, mut socket, join) = follow(&mut server, live).await;
    assert!(bookings.asked().is_empty(), "live first, fetched then");
    // It comes while rows are being fetched, and says what they say: told once.
    change(&mut socket, &join, "UPDATE", 2, "a", 10).await;
    change(&mut socket, &join, "INSERT", 4, "new", 11).await;
    bookings.put(4, "new", 11);
    tells(&mut live, &["1 a", "2 a", "3 a", "4 new", "ready"]).await;
    change(&mut socket, &join, "INSERT", 5, "b", 12).await;
    bookings.put(5, "b", 12);
    tells(&mut live, &["5 b"]).await;

    // Away: one changes, one goes, one comes, and one comes with a clock that was set back.
    drop(socket);
    bookings.asked();
    bookings.put(1, "changed", 13);
    bookings.remove(2);
    bookings.put(6, "c", 14);
    bookings.put(7, "old", 1);
    let mut socket = server.accept().await;
    let join = socket.accept_live().await;
    change(&mut socket, &join, "UPDATE", 1, "a", 10).await;
    change(&mut socket, &join, "DELETE", 2, "", 0).await;
    tells(&mut live, &["stale", "1 changed", "6 c", "2 gone", "7 old", "ready"]).await;
    let asked = bookings.asked();
    let since = "updated_at=gte.2026-01-01T00:11:00.000000Z";
    assert_eq!(asked[0], format!("id,title,updated_at {since}"), "the newest, less the overlap");
    assert!(asked.contains(&"id ".to_owned()) && asked.last().unwrap().contains("id=in.(7)"), "{asked:?}");
    // Those that were in flight are older, or gone already; life goes on.
    change(&mut socket, &join, "DELETE", 3, "", 0).await;
    tells(&mut live, &["3 gone"]).await;
    live.channel().unsubscribe_soon(&mut socket).await;
    assert!(live.next().await.is_none());
}

trait Leave {
    async fn unsubscribe_soon(&self, socket: &mut Socket);
}

impl Leave for supabase_sdk::realtime::Channel {
    /// Leaves, and has the server say so.
    async fn unsubscribe_soon(&self, socket: &mut Socket) {
        tokio::join!(self.unsubscribe(), async {
            let leave = socket.hear().await;
            socket.reply(&leave, "ok", json!({})).await;
        });
    }
}

/// Without a clock everything is fetched again; what says what it said is not told again.
#[tokio::test(start_paused = true)]
async fn without_a_clock_the_whole_table_is_compared() {
    let bookings = Bookings::default();
    (1..=3).for_each(|id| bookings.put(id, "a", 10));
    let (mut server, client) = serving(&bookings);
    let (mut live, mut socket, join) = follow(&mut server, client.table::<Booking>().live()).await;
    tells(&mut live, &["1 a", "2 a", "3 a", "ready"]).await;
    bookings.asked();
    bookings.put(2, "b", 1);
    bookings.remove(3);
    // The server builds its feed anew: the channel stayed, and something may be missing.
    socket.say_live(&join).await;
    tells(&mut live, &["stale: the server built the feed anew", "2 b", "3 gone", "ready"]).await;
    assert!(bookings.asked().iter().all(|asked| asked.starts_with("id,title,updated_at")));
}

/// A row that is removed while the table is read is not put back, and one that is added is not taken for removed.
#[tokio::test(start_paused = true)]
async fn what_happens_while_it_is_fetched_is_told_after() {
    let bookings = Bookings::default();
    (1..=2).for_each(|id| bookings.put(id, "a", 10));
    let (mut server, client) = serving(&bookings);
    let live = client.table::<Booking>().live().by(Booking::UPDATED_AT);
    let (mut live, mut socket, join) = follow(&mut server, live).await;
    tells(&mut live, &["1 a"]).await;
    // The first page is there; these happen while the next is asked for.
    bookings.remove(1);
    change(&mut socket, &join, "DELETE", 1, "", 0).await;
    change(&mut socket, &join, "INSERT", 9, "late", 11).await;
    tells(&mut live, &["2 a", "ready", "1 gone", "9 late"]).await;
}

/// What nobody is told of is found by looking, and life goes on without a word where nothing is.
#[tokio::test(start_paused = true)]
async fn a_table_is_looked_at_as_often_as_is_said() {
    let bookings = Bookings::default();
    (1..=2).for_each(|id| bookings.put(id, "a", 10));
    let (mut server, client) = serving(&bookings);
    let minute = Duration::from_secs(60);
    let live = client.table::<Booking>().live().by(Booking::UPDATED_AT).every(minute);
    let (mut live, mut socket, join) = follow(&mut server, live).await;
    tells(&mut live, &["1 a", "2 a", "ready"]).await;
    bookings.remove(2);
    let began = tokio::time::Instant::now();
    let answering = async {
        let frame = socket.hear().await;
        unreachable!("heartbeats are answered, and nothing else is said: {frame:?}");
    };
    tokio::select! { biased; () = tells(&mut live, &["2 gone"]) => {}, () = answering => {} }
    assert_eq!(began.elapsed(), minute);
    change(&mut socket, &join, "INSERT", 3, "b", 11).await;
    tells(&mut live, &["3 b"]).await;
}

/// A failure to fetch that may pass is tried again; one that does not ends the stream, and says why.
#[tokio::test(start_paused = true)]
async fn a_failure_to_fetch_is_tried_again_or_ends_it() {
    let bookings = Bookings::default();
    bookings.put(1, "a", 10);
    bookings.0.lock().unwrap().failures = vec![503, 503];
    let (mut server, client) = serving(&bookings);
    let (mut live, mut socket, join) = follow(&mut server, client.table::<Booking>().live()).await;
    tells(&mut live, &["1 a", "ready"]).await;
    socket.change(&join, "UPDATE", r#"{"id":1,"title":5,"updated_at":"x"}"#, "{}").await;
    assert_eq!(live.next().await.unwrap().unwrap_err().kind(), ErrorKind::Protocol, "a row that is none");
    bookings.0.lock().unwrap().failures = vec![403];
    socket.change(&join, "DELETE", "{}", "{}").await;
    tells(&mut live, &["stale: a change was not told in full: "]).await;
    assert_eq!(live.next().await.unwrap().unwrap_err().kind(), ErrorKind::Forbidden);
    assert!(live.next().await.is_none());
}

#[derive(Debug, Deserialize, Serialize, Table)]
#[table(name = "keyless")]
struct Keyless {
    name: String,
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_followed_is_refused() {
    let (_server, client) = serving(&Bookings::default());
    let error = client.table::<Keyless>().live().subscribe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let either = col("id").eq(1).or(col("id").eq(2));
    let error = client.table::<Booking>().live().filter(either).subscribe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
