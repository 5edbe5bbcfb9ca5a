//! What people complain of in other clients of Realtime, each with the test that it does not happen here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use supabase_sdk::realtime::{Binding, Change, Changes, Connection, Gap, Heartbeat, Options, Status};
use supabase_sdk::{ErrorKind, Table};

use crate::sockets::{Server, session};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "bookings")]
struct Booking {
    #[table(key)]
    id: i64,
    owner_id: Option<i64>,
}

async fn row(changes: &mut Changes<Booking>) -> i64 {
    match changes.next().await.unwrap().unwrap() {
        Change::Inserted { row, .. } | Change::Updated { row, .. } => row.id,
        other => panic!("unexpected {other:?}"),
    }
}

async fn gap(changes: &mut Changes<Booking>) -> Gap {
    match changes.next().await.unwrap().unwrap() {
        Change::Gap(gap) => gap,
        other => panic!("unexpected {other:?}"),
    }
}

/// Complaint 3: after a sleep it is alive again, without being asked, and says what may be missing.
#[tokio::test(start_paused = true)]
async fn complaint_3_it_does_not_stop_after_a_sleep() {
    let (mut server, client) = Server::new();
    let mut room = client.channel("room");
    let mut changes = room.on_changes(Binding::<Booking>::all());
    let (room, mut first) = tokio::join!(room.subscribe(), async {
        let mut socket = server.accept().await;
        socket.accept_live().await;
        socket
    });
    let room = room.unwrap();
    let asleep = tokio::time::Instant::now();
    server.nap(Duration::from_secs(3_600));
    first.is_dropped().await;
    let mut second = server.accept().await;
    assert!(asleep.elapsed() < Duration::from_secs(6), "seen at the next look: {:?}", asleep.elapsed());
    let join = second.accept_live().await;
    assert_eq!(gap(&mut changes).await, Gap::Rejoined);
    second.change(&join, "INSERT", r#"{"id":1}"#, "null").await;
    assert_eq!(row(&mut changes).await, 1);
    assert!(matches!(room.status(), Status::Live));
}

/// Complaint 3, the other half: a link that is dead is noticed within the heartbeat's patience.
#[tokio::test(start_paused = true)]
async fn complaint_3_a_dead_link_is_noticed() {
    let (mut server, client) = Server::new();
    let (connections, heartbeats) = (client.realtime().connections(), client.realtime().heartbeats());
    assert!(matches!(client.realtime().connection(), Connection::Idle));
    let (room, mut socket) = tokio::join!(client.channel("room").subscribe(), async {
        let mut socket = server.accept().await;
        socket.accept_join().await;
        socket
    });
    let began = tokio::time::Instant::now();
    assert_eq!(socket.hear_all().await.event, "heartbeat");
    // Nobody answers.
    socket.is_dropped().await;
    let mut socket = server.accept().await;
    assert!(began.elapsed() <= Duration::from_secs(37), "{:?}", began.elapsed());
    socket.accept_join().await;
    room.unwrap().live().await.unwrap();
    let told: Vec<_> = heartbeats.take(2).collect().await;
    assert_eq!(told, [Heartbeat::Sent, Heartbeat::Unanswered]);
    assert!(connections.take(1).collect::<Vec<_>>().await.len() == 1);
}

/// Complaint 4: the server has the next token before the old one ends, and a channel it closes for an old one
/// comes back with a new one.
#[tokio::test(start_paused = true)]
async fn complaint_4_it_does_not_stop_when_the_token_expires() {
    let renewals = AtomicBool::default();
    let renewed = move |_: &supabase_sdk::Request| {
        let token = if renewals.swap(true, Ordering::SeqCst) { "third" } else { "second" };
        let expires_at = crate::sockets::START + 7_200;
        let user = json!({ "id": "6d1a1f3e-0000-4000-8000-000000000001" });
        let session =
            json!({ "access_token": token, "refresh_token": token, "expires_at": expires_at, "user": user });
        (200, session.to_string())
    };
    let (mut server, client) = Server::with(Options::default(), renewed, |builder| builder);
    client.auth().set_session(session("first", 600)).await.unwrap();
    let mut room = client.channel("room");
    let mut changes = room.on_changes(Binding::<Booking>::all());
    let (room, (mut socket, join)) = tokio::join!(room.subscribe(), async {
        let mut socket = server.accept().await;
        let join = socket.accept_live().await;
        (socket, join)
    });
    assert_eq!(join.payload["access_token"], "first");
    let began = tokio::time::Instant::now();
    let push = socket.hear().await;
    assert_eq!((&*push.event, &push.payload["access_token"]), ("access_token", &json!("second")));
    assert_eq!(push.join_reference, join.reference);
    assert!(began.elapsed() < Duration::from_secs(600 - 60), "{:?}", began.elapsed());
    // The server builds its feed anew with the new token: some changes may have passed meanwhile.
    socket.say_live(&join).await;
    assert_eq!(gap(&mut changes).await, Gap::Rebuilt);

    // And if it closes the channel for a token it does not like: another token, another join.
    socket.system(&join, "system", "error", "Token has expired 4 seconds ago").await;
    socket.close(&join).await;
    let again = socket.hear().await;
    assert_eq!((&*again.event, &again.payload["access_token"]), ("phx_join", &json!("third")));
    socket.reply(&again, "ok", json!({ "postgres_changes": [] })).await;
    socket.say_live(&again).await;
    assert_eq!(gap(&mut changes).await, Gap::Rejoined);
    room.unwrap().live().await.unwrap();
}

/// Complaint 5, as far as a channel goes: what may have been missed is said, before what comes after it.
/// [`supabase_sdk::realtime::Live`] fetches it: see `live.rs`.
#[tokio::test(start_paused = true)]
async fn complaint_5_what_was_missed_is_not_kept_quiet() {
    let (mut server, client) = Server::new();
    let mut room = client.channel("room");
    let mut changes = room.on_changes(Binding::<Booking>::all());
    let (room, (mut socket, join)) = tokio::join!(room.subscribe(), async {
        let mut socket = server.accept().await;
        let join = socket.accept_live().await;
        (socket, join)
    });
    socket.change(&join, "INSERT", r#"{"id":1}"#, "null").await;
    assert_eq!(row(&mut changes).await, 1);
    drop(socket);
    let mut socket = server.accept().await;
    let join = socket.accept_live().await;
    socket.change(&join, "INSERT", r#"{"id":3}"#, "null").await;
    assert_eq!(gap(&mut changes).await, Gap::Rejoined);
    assert_eq!(row(&mut changes).await, 3);
    drop(room);
}

/// Complaint 6: subscribed means that changes come, and not that the join was taken.
#[tokio::test(start_paused = true)]
async fn complaint_6_subscribed_is_said_when_it_is_true() {
    let (mut server, client) = Server::new();
    let mut room = client.channel("room").replication_ready();
    let _changes = room.on_changes(Binding::<Booking>::all());
    let mut subscribing = tokio::spawn(room.subscribe());
    let mut socket = server.accept().await;
    let join = socket.accept_join().await;
    assert_eq!(join.payload["config"]["broadcast"]["replication_ready"], true);
    assert!(is_pending(&mut subscribing).await, "joined is not live");
    socket.say_live(&join).await;
    assert!(is_pending(&mut subscribing).await, "and neither is one half of it");
    socket.system(&join, "system", "ok", "Replication connection established").await;
    subscribing.await.unwrap().unwrap();
}

/// True if a task is not done after everything that could happen at once has happened.
async fn is_pending<T>(task: &mut tokio::task::JoinHandle<T>) -> bool {
    tokio::time::timeout(Duration::from_millis(1), task).await.is_err()
}

/// Complaint 7: bindings are told apart by what they are, however the server lists them, and the same one twice
/// is sent once.
#[tokio::test(start_paused = true)]
async fn complaint_7_bindings_do_not_mismatch() {
    let (mut server, client) = Server::new();
    let mut room = client.channel("room");
    let one = Binding::<Booking>::all().filter(Booking::OWNER_ID.eq(1_i64));
    let mut first = room.on_changes(one.clone());
    let mut same = room.on_changes(one);
    let mut other = room.on_changes(Binding::<Booking>::all().filter(Booking::OWNER_ID.eq(2_i64)));
    let (room, (mut socket, join)) = tokio::join!(room.subscribe(), async {
        let mut socket = server.accept().await;
        let join = socket.hear().await;
        // Turned round, in other letters, and with a field nobody asked for.
        let bound = json!({ "postgres_changes": [
            { "id": 22, "event": "*", "schema": "public", "table": "bookings", "filter": "owner_id=eq.2", "x": 1 },
            { "id": 11, "event": "*", "schema": "public", "table": "bookings", "filter": "owner_id=eq.1" },
        ]});
        socket.reply(&join, "ok", bound).await;
        socket.say_live(&join).await;
        (socket, join)
    });
    room.unwrap();
    assert_eq!(join.payload["config"]["postgres_changes"].as_array().unwrap().len(), 2);
    socket.change_for(&join, &[22], "INSERT", r#"{"id":2}"#, "null").await;
    socket.change_for(&join, &[11], "INSERT", r#"{"id":1}"#, "null").await;
    socket.change_for(&join, &[11, 22], "INSERT", r#"{"id":3}"#, "null").await;
    for (changes, expected) in [(&mut first, [1, 3]), (&mut same, [1, 3]), (&mut other, [2, 3])] {
        assert_eq!([row(changes).await, row(changes).await], expected);
    }
}

/// Complaint 8: a refusal says why, by a code, and whether it may pass.
#[tokio::test(start_paused = true)]
async fn complaint_8_a_refusal_has_a_reason() {
    let (mut server, client) = Server::new();
    let (refused, mut socket) = tokio::join!(client.channel("room").private().subscribe(), async {
        let mut socket = server.accept().await;
        let join = socket.hear().await;
        let reason = "Unauthorized: You do not have permissions to read from this Channel topic: room";
        socket.refuse(&join, reason).await;
        socket
    });
    let error = refused.unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.is_retryable()),
        (ErrorKind::Forbidden, Some("Unauthorized"), false)
    );
    assert!(error.to_string().contains("permissions to read"), "{error}");

    // What may pass is tried until the client's patience ends, and then says what stood in the way.
    let refusing = async {
        loop {
            let frame = socket.hear().await;
            if frame.event == "phx_join" {
                socket.refuse(&frame, "ConnectionRateLimitReached: Too many connected users").await;
            }
        }
    };
    let refused = tokio::select! {
        refused = client.channel("busy").subscribe() => refused,
        () = refusing => return,
    };
    let error = refused.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Busy, Some("ConnectionRateLimitReached")));
    assert!(error.is_retryable());
}
