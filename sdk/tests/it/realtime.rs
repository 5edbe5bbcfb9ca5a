//! Channels, against a server of sockets that plays a script.

use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::realtime::{
    Binding, Broadcast, Change, Channel, Connection, Gap, Heartbeat, Options, Presence, Replay, Status,
};
use supabase_sdk::rest::{Numeric, col};
use supabase_sdk::{ErrorKind, Table};

use crate::sockets::{Frame, Server, Socket, session};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "bookings")]
struct Booking {
    #[table(key)]
    id: i64,
    price: Option<Numeric>,
    at: Option<String>,
}

/// Joins a channel that needs nothing, and gives it with the server's end.
async fn joined(
    server: &mut Server,
    channel: supabase_sdk::realtime::NewChannel,
) -> (Channel, Socket, Frame) {
    let (channel, (socket, join)) = tokio::join!(channel.subscribe(), async {
        let mut socket = server.accept().await;
        let join = socket.accept_join().await;
        socket.say_live(&join).await;
        (socket, join)
    });
    (channel.unwrap(), socket, join)
}

/// Frame by frame, what the official client sends for the same, and what it makes of what comes.
#[tokio::test(start_paused = true)]
async fn what_we_say_is_what_the_official_client_says() {
    let recorded: Value = serde_json::from_str(include_str!("../fixtures/realtime-js.json")).unwrap();
    let frames = recorded["frames"].as_array().unwrap();
    let (mut server, client) = Server::new();
    let mut room = client.channel("room1").private().broadcast_self().broadcast_ack().presence_key("ada");
    let mut bookings = room.on_changes(Binding::table("bookings").filter(col("owner_id").eq(1)));
    let mut inserts = room.on_changes(Binding::schema("public").only_inserts());
    let mut cursors = room.on_broadcast("cursor");
    let mut presence = room.on_presence();
    let room = room.join().unwrap();
    let mut socket = server.accept().await;
    let mut said = tokio::task::JoinSet::new();
    let mut steps = 0;
    for frame in frames {
        if let Some(open) = frame["open"].as_str() {
            assert_eq!(socket.uri, open);
        } else if let Some(server) = frame.get("server") {
            socket.say(with_our_references(server)).await;
            if server[3] == "system" {
                room.live().await.unwrap();
            }
        } else {
            let channel = room.clone();
            match steps {
                0 => {} // the join, which goes by itself
                1 => drop(said.spawn(async move { channel.send("cursor", &json!({ "x": 1 })).await })),
                2 => drop(said.spawn(async move { channel.track(&json!({ "online": true })).await })),
                3 => client.auth().set_session(session("header.payload.sig", 3_600)).await.unwrap(),
                4 => drop(said.spawn(async move { channel.untrack().await })),
                5 => drop(said.spawn(async move {
                    channel.unsubscribe().await;
                    Ok(())
                })),
                _ => unreachable!("the recording has six calls"),
            }
            steps += 1;
            let ours = socket.hear().await;
            if let Some(bytes) = frame["client_binary_hex"].as_str() {
                let mut bytes: Vec<u8> = (0..bytes.len() / 2)
                    .map(|at| u8::from_str_radix(&bytes[at * 2..at * 2 + 2], 16).unwrap())
                    .collect();
                bytes[7] -= 5;
                bytes[8] -= 5;
                assert_eq!(ours.binary.unwrap(), bytes);
            } else {
                let theirs = with_our_references(&frame["client"]);
                let ours = json!([ours.join_reference, ours.reference, ours.topic, ours.event, ours.payload]);
                assert_eq!(ours, theirs);
            }
        }
    }
    while let Some(said) = said.join_next().await {
        said.unwrap().unwrap();
    }
    assert!(matches!(room.status(), Status::Left));

    let change = bookings.next().await.unwrap().unwrap();
    let Change::Updated { row, old, commit } = change else { panic!("unexpected {change:?}") };
    let delivered = &recorded["delivered_to_app"];
    assert_eq!((&row, &old.read::<Value>().unwrap()), (&delivered[2][1]["new"], &delivered[2][1]["old"]));
    assert_eq!(
        (json!(commit.at), json!(commit.table)),
        (delivered[2][1]["commit_timestamp"].clone(), json!("bookings"))
    );
    assert!(bookings.next().await.is_none() && inserts.next().await.is_none());
    let Some(Broadcast::Message(message)) = cursors.next().await else { panic!("no broadcast") };
    assert_eq!(message.payload.read::<Value>().unwrap(), delivered[4][1]["payload"]);
    assert_eq!((message.id.as_deref(), message.replayed), (Some("m1"), false));
    let heard: Vec<_> =
        std::iter::from_fn(|| futures_util::FutureExt::now_or_never(presence.next()).flatten()).collect();
    assert!(
        matches!(&heard[..], [Presence::Sync, Presence::Join { key, .. }, Presence::Sync] if key == "ada"),
        "{heard:?}"
    );
    assert_eq!(room.present()["ada"][0].reference, "F1");
}

/// The official client counted further before its recording began.
fn with_our_references(frame: &Value) -> Value {
    let mut frame = frame.clone();
    for at in 0..2 {
        if let Some(reference) = frame[at].as_str() {
            frame[at] = json!((reference.parse::<u64>().unwrap() - 5).to_string());
        }
    }
    frame
}

#[tokio::test(start_paused = true)]
async fn values_keep_every_digit_until_they_are_typed() {
    let (mut server, client) = Server::new();
    let mut room = client.channel("room");
    let mut typed = room.on_changes(Binding::<Booking>::all());
    let (_room, mut socket, join) = joined(&mut server, room).await;
    let record = r#"{"id":9007199254740993,"price":0.1000000000000000055511151231257827,"at":"2026-01-01T00:00:00.123456+00:00","extra":[1]}"#;
    socket.change(&join, "UPDATE", record, r#"{"id":9007199254740993}"#).await;
    socket.change(&join, "UPDATE", r#"{"id":"s3cret"}"#, "{}").await;
    socket.change(&join, "DELETE", "{}", r#"{"id":7}"#).await;
    let Change::Updated { row, old, .. } = typed.next().await.unwrap().unwrap() else { panic!("no update") };
    assert_eq!((row.id, old.get(Booking::ID).unwrap()), (9_007_199_254_740_993, Some(9_007_199_254_740_993)));
    assert_eq!(row.price.unwrap().as_str(), "0.1000000000000000055511151231257827");
    assert_eq!(old.get(Booking::AT).unwrap(), None, "not known");
    // A row that is not what it should be is an error of its own, and says where and not what.
    let error = typed.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("at id") && !format!("{error:?}").contains("s3cret"), "{error}");
    let deleted = typed.next().await.unwrap().unwrap();
    assert!(!format!("{deleted:?}").contains('7'));
    let Change::Deleted { old, .. } = deleted else { panic!("no delete") };
    assert_eq!(old.named::<i64>("id").unwrap(), Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_cut_and_a_queue_that_is_full_are_gaps() {
    let (mut server, client) = Server::new();
    let mut room = client.channel("room").queue(2);
    let mut changes = room.on_changes(Binding::<Booking>::all());
    let mut cursors = room.on_broadcast("*");
    let (room, mut socket, join) = joined(&mut server, room).await;
    let told = json!({ "ids": [1_000], "data": {
        "type": "INSERT", "schema": "public", "table": "bookings", "commit_timestamp": "t", "columns": [],
        "record": { "id": 1 }, "errors": ["Error 413: Payload Too Large"],
    }});
    socket.say(json!([null, null, join.topic, "postgres_changes", told])).await;
    let Change::Gap(gap) = changes.next().await.unwrap().unwrap() else { panic!("no gap") };
    assert_eq!(gap, Gap::Incomplete { reasons: vec!["Error 413: Payload Too Large".to_owned()] });
    for x in 0..3 {
        let broadcast = json!({ "type": "broadcast", "event": "cursor", "payload": { "x": x } });
        socket.say(json!([null, null, join.topic, "broadcast", broadcast])).await;
    }
    // What comes after these has come after them.
    socket.change(&join, "INSERT", r#"{"id":2}"#, "null").await;
    changes.next().await.unwrap().unwrap();
    assert!(matches!(cursors.next().await, Some(Broadcast::Gap(Gap::Overflow { lost: 2 }))));
    assert!(matches!(cursors.next().await, Some(Broadcast::Message(_))));
    drop(room);
}

#[tokio::test(start_paused = true)]
async fn broadcasts_come_in_every_frame_and_go_over_http_too() {
    let (mut server, client) = Server::with(Options::default(), |_| (202, String::new()), |builder| builder);
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(9);
    let mut room = client.channel("room").private().replay(Replay::since(since).limit(3));
    let mut heard = room.on_broadcast("cursor");
    let (room, mut socket, join) = joined(&mut server, room).await;
    assert_eq!(join.payload["config"]["broadcast"]["replay"], json!({ "since": 9_000, "limit": 3 }));
    let frame = |encoding: u8, meta: &str, payload: &[u8]| {
        let lengths = [4, 13, 6, u8::try_from(meta.len()).unwrap(), encoding];
        [&lengths[..], b"realtime:roomcursor", meta.as_bytes(), payload].concat()
    };
    socket.say_bytes(frame(1, r#"{"id":"m","replayed":true}"#, br#"{"n":1.10}"#)).await;
    socket.say_bytes(frame(0, "", &[0, 159, 146])).await;
    // No frame at all, cut frames and frames of nobody are passed over.
    for noise in [vec![], vec![4], vec![4, 255, 255, 0, 1], vec![77, 1, 2]] {
        socket.say_bytes(noise).await;
    }
    socket.say(json!({ "no": "frame" })).await;
    socket.say(json!([null, null, "realtime:other", "broadcast", { "event": "cursor" }])).await;
    socket.say(json!([null, null, join.topic, "broadcast", { "event": "cursor", "payload": null }])).await;
    let Some(Broadcast::Message(first)) = heard.next().await else { panic!("nothing") };
    assert_eq!((first.id.as_deref(), first.replayed), (Some("m"), true));
    assert_eq!(
        first.payload.read::<std::collections::BTreeMap<String, Numeric>>().unwrap()["n"].as_str(),
        "1.10"
    );
    let Some(Broadcast::Message(second)) = heard.next().await else { panic!("nothing") };
    assert!(
        matches!(&second.payload, supabase_sdk::realtime::Payload::Bytes(bytes) if bytes[..] == [0, 159, 146])
    );
    assert_eq!(second.payload.read::<Value>().unwrap_err().kind(), ErrorKind::Protocol);
    let Some(Broadcast::Message(third)) = heard.next().await else { panic!("nothing") };
    assert_eq!(third.payload.read::<Value>().unwrap(), Value::Null);

    room.send_bytes("blob", vec![7_u8]).await.unwrap();
    let ours = socket.hear().await.binary.unwrap();
    assert_eq!((ours[0], ours.last()), (3, Some(&7)));
    room.http_send("cursor", &json!({ "x": 1 })).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].uri(), "/realtime/v1/api/broadcast/room/events/cursor?private=true");
    assert_eq!(asked[0].body.as_bytes().unwrap()[..], *br#"{"x":1}"#);
}

#[tokio::test(start_paused = true)]
async fn a_push_is_confirmed_refused_or_late_and_never_kept_for_later() {
    let (mut server, client) = Server::new();
    let (room, mut socket, _) = joined(&mut server, client.channel("room").broadcast_ack()).await;
    let say = |room: Channel| tokio::spawn(async move { room.send("cursor", &1).await });
    let sending = say(room.clone());
    let frame = socket.hear().await.binary.unwrap();
    assert_eq!(&frame[7..9], b"12");
    socket.say(json!(["1", "2", "realtime:room", "phx_reply", { "status": "error", "response": { "reason": "no" } }])).await;
    assert_eq!(sending.await.unwrap().unwrap_err().kind(), ErrorKind::Busy);
    let sending = say(room.clone());
    socket.hear().await;
    assert_eq!(sending.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    let sending = say(room.clone());
    socket.hear().await;
    drop(socket);
    assert_eq!(sending.await.unwrap().unwrap_err().kind(), ErrorKind::Unreachable);
    let away = room.send("cursor", &1).await.unwrap_err();
    assert!(away.kind() == ErrorKind::Unreachable && away.is_undone(), "{away}");
    assert_eq!(room.track(&5).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn who_was_tracked_is_tracked_again() {
    let (mut server, client) = Server::new();
    let (room, mut socket, join) = joined(&mut server, client.channel("room").presence()).await;
    assert_eq!(join.payload["config"]["presence"], json!({ "key": "", "enabled": true }));
    let tracking = tokio::spawn({
        let room = room.clone();
        async move { room.track(&json!({ "page": 3 })).await }
    });
    let track = socket.hear().await;
    socket.reply(&track, "ok", json!({})).await;
    tracking.await.unwrap().unwrap();
    socket.close(&join).await;
    let again = socket.accept_join().await;
    let track = socket.hear().await;
    assert_eq!(track.payload, json!({ "type": "presence", "event": "track", "payload": { "page": 3 } }));
    assert_eq!(track.join_reference, again.reference);
    drop(socket);
    room.track(&json!({ "page": 4 })).await.unwrap();
    let mut socket = server.accept().await;
    socket.accept_join().await;
    assert_eq!(socket.hear().await.payload["payload"], json!({ "page": 4 }), "said while we were away");
    let leaving = tokio::spawn({
        let room = room.clone();
        async move { room.untrack().await }
    });
    let untrack = socket.hear().await;
    socket.reply(&untrack, "ok", json!({})).await;
    leaving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_channel_lives_as_long_as_somebody_holds_it() {
    let (mut server, client) = Server::new();
    let mut room = client.channel("room");
    let mut heard = room.on_broadcast("a");
    let (room, mut socket, join) = joined(&mut server, room).await;
    assert_eq!(client.channel("room").subscribe().await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(client.realtime().channels().len(), 1);
    let more = room.on_broadcast("b");
    drop(room);
    socket.say(json!([null, null, join.topic, "broadcast", { "event": "a", "payload": 1 }])).await;
    assert!(matches!(heard.next().await, Some(Broadcast::Message(_))), "a listener keeps it");
    drop((heard, more));
    assert_eq!(socket.hear().await.event, "phx_leave");
    assert!(client.realtime().channels().is_empty());
    // The connection stays for a while, and goes.
    let began = tokio::time::Instant::now();
    let (other, _) = tokio::join!(client.channel("other").subscribe(), socket.accept_join());
    assert!(matches!(client.realtime().connection(), Connection::Open));
    let realtime = client.realtime();
    let ((), leave) = tokio::join!(realtime.remove_all_channels(), async {
        let leave = socket.hear().await;
        socket.reply(&leave, "ok", json!({})).await;
        leave
    });
    assert_eq!((&*leave.event, began.elapsed()), ("phx_leave", Duration::ZERO));
    assert!(matches!(other.unwrap().status(), Status::Left));
    let gone = async {
        loop {
            let frame = socket.hear_all().await;
            let answer =
                json!([null, frame.reference, "phoenix", "phx_reply", { "status": "ok", "response": {} }]);
            socket.say(answer).await;
        }
    };
    let idle = async {
        let mut connections = client.realtime().connections();
        while !matches!(connections.next().await, Some(Connection::Idle)) {}
    };
    tokio::select! { biased; () = idle => {}, () = gone => {} }
    assert_eq!(began.elapsed(), Options::default().linger);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_refused_says_so_and_is_tried_again() {
    let (mut server, client) = Server::new();
    server.refuse(401);
    let (room, statuses) = (client.channel("room").join().unwrap(), Duration::from_secs(2));
    let mut connections = client.realtime().connections();
    let refused = async {
        loop {
            if let Some(Connection::Waiting(error)) = connections.next().await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(statuses, refused).await.unwrap();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Unauthenticated, 401));
    let Status::Waiting(error) = room.status() else { panic!("{:?}", room.status()) };
    assert_eq!(error.status().unwrap().as_u16(), 401, "the channel says why too");
    let mut socket = server.accept().await;
    socket.accept_join().await;
    room.live().await.unwrap();
    let mut heartbeats = client.realtime().heartbeats();
    let heartbeat = socket.hear_all().await;
    socket
        .say(json!([null, heartbeat.reference, "phoenix", "phx_reply", { "status": "ok", "response": {} }]))
        .await;
    assert_eq!(heartbeats.next().await, Some(Heartbeat::Sent));
    assert!(matches!(heartbeats.next().await, Some(Heartbeat::Answered(_))));
    client.realtime().disconnect().await;
    socket.is_dropped().await;
    assert!(matches!(client.realtime().connection(), Connection::Idle));
    client.realtime().connect().await.unwrap();
    let mut socket = server.accept().await;
    socket.accept_join().await;
    room.live().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_signs_out_takes_their_rights_along() {
    let (mut server, client) = Server::new();
    client.auth().set_session(session("hers", 3_600)).await.unwrap();
    let (room, mut socket, join) = joined(&mut server, client.channel("room")).await;
    assert_eq!(join.payload["access_token"], "hers");
    client.auth().set_session(session("his", 3_600)).await.unwrap();
    let push = socket.hear().await;
    assert_eq!((&*push.event, &push.payload["access_token"]), ("access_token", &json!("his")));
    client.auth().sign_out().await.unwrap();
    assert_eq!(socket.hear().await.event, "phx_leave");
    let join = socket.accept_join().await;
    assert_eq!(join.payload.get("access_token"), None);
    room.live().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tokens_from_elsewhere_are_asked_for_and_never_replaced_by_nobody() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let asked = std::sync::Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let (mut server, client) = Server::with(
        Options::default(),
        |_| (200, String::new()),
        |builder| {
            builder.access_token(move || {
                let asked = count.fetch_add(1, Ordering::SeqCst);
                async move {
                    if asked == 0 {
                        Err("not yet".into())
                    } else {
                        Ok(Some(supabase_sdk::Token::new(format!("t{asked}"))))
                    }
                }
            })
        },
    );
    let room = client.channel("room").join().unwrap();
    let mut socket = server.accept().await;
    let join = socket.accept_join().await;
    let token = join.payload["access_token"].as_str().unwrap().to_owned();
    assert!(token.starts_with('t'), "never without one");
    room.live().await.unwrap();
    let push = socket.hear().await;
    assert!(
        push.event == "access_token" && push.payload["access_token"] != json!(token),
        "with each heartbeat"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_here() {
    let (_server, client) = Server::new();
    let mut room = client.channel("room");
    let _changes = room.on_changes(Binding::table("t").filter(col("a").eq(1).or(col("b").eq(2))));
    assert_eq!(room.subscribe().await.unwrap_err().kind(), ErrorKind::Invalid);
    for topic in [String::new(), "x".repeat(300)] {
        assert_eq!(client.channel(topic).join().unwrap_err().kind(), ErrorKind::Invalid);
    }
    let mut room = client.channel("room");
    let mut heard = room.on_broadcast("*");
    drop(room);
    assert!(heard.next().await.is_none(), "nobody ever joined");
}

#[test]
fn a_channel_ends_with_the_runtime_it_lives_in() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let first = runtime();
    let (mut server, client) = first.block_on(async { Server::new() });
    let mut room = client.channel("room");
    let mut heard = room.on_broadcast("*");
    let (room, _socket, _) = first.block_on(joined(&mut server, room));
    drop(first);
    runtime().block_on(async {
        assert!(heard.next().await.is_none());
        assert!(matches!(room.status(), Status::Left));
        assert!(
            joined(&mut server, client.channel("room")).await.0.live().await.is_ok(),
            "and another begins"
        );
    });
}

#[test]
fn a_channel_needs_a_runtime() {
    let (_, client) = tokio::runtime::Runtime::new().unwrap().block_on(async { Server::new() });
    assert_eq!(client.channel("room").join().unwrap_err().kind(), ErrorKind::Config);
}

/// A frame of anything: known events with what may stand in them, and what may not.
fn frames() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("[1000]".to_owned()),
        Just("\"ok\"".to_owned()),
        Just("\"error\"".to_owned()),
        Just("\"DELETE\"".to_owned()),
        "-?[0-9]{1,22}",
        "[a-zA-Z: ]{0,12}".prop_map(|text| format!("\"{text}\"")),
    ];
    let name = prop::sample::select(vec![
        "status",
        "response",
        "reason",
        "ids",
        "data",
        "type",
        "record",
        "old_record",
        "errors",
        "joins",
        "leaves",
        "metas",
        "phx_ref",
        "event",
        "payload",
        "meta",
        "id",
        "extension",
        "message",
        "postgres_changes",
    ]);
    let json = leaf.prop_recursive(4, 24, 5, move |inner| {
        let pairs = prop::collection::vec((name.clone(), inner.clone()), 0..5).prop_map(|pairs| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", pairs.join(","))
        });
        prop_oneof![
            pairs,
            prop::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(",")))
        ]
    });
    // Nothing that would end the channel for good, or leave it: what is refused is refused by the test's end.
    let event = prop::sample::select(vec![
        "system",
        "postgres_changes",
        "broadcast",
        "presence_state",
        "presence_diff",
        "else",
    ]);
    let number = prop::sample::select(vec!["null", "\"1\"", "\"7\"", "\"x\"", "5"]);
    (number.clone(), number, event, json).prop_map(|(join, reference, event, payload)| {
        format!("[{join},{reference},\"realtime:room\",\"{event}\",{payload}]")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    /// Whatever the server says, the client goes on: the change that comes last is told.
    #[test]
    fn no_frame_stops_the_client(frames in prop::collection::vec(frames(), 1..12), bytes in prop::collection::vec(any::<u8>(), 0..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut server, client) = Server::new();
            let mut room = client.channel("room").presence();
            let mut changes = room.on_changes(Binding::<Booking>::all());
            let (_heard, _present) = (room.on_broadcast("*"), room.on_presence());
            let (_room, mut socket, join) = joined(&mut server, room).await;
            for frame in frames {
                socket.say_text(frame).await;
            }
            socket.say_bytes(bytes).await;
            socket.change(&join, "INSERT", r#"{"id":7}"#, "null").await;
            loop {
                match changes.next().await.unwrap() {
                    Ok(Change::Inserted { row, .. }) if row.id == 7 => break,
                    Ok(_) | Err(_) => {}
                }
            }
        });
    }
}

/// Over real TCP, by the client's own transport: the handshake, and frames after it.
#[tokio::test]
async fn a_websocket_is_opened_like_everything_else() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::tungstenite::Message;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let Some(Ok(Message::Text(join))) = socket.next().await else { panic!("no join") };
        let join: Value = serde_json::from_str(&join).unwrap();
        let reply = json!([join[0], join[1], join[2], "phx_reply", { "status": "ok", "response": {} }]);
        socket.send(Message::text(reply.to_string())).await.unwrap();
        socket
    });
    let client = supabase_sdk::Client::builder(address, "sb_publishable_TESTKEY").build().unwrap();
    let room = client.channel("room").subscribe().await.unwrap();
    assert!(matches!(room.status(), Status::Live));
    drop(serving.await.unwrap());
    let mut statuses = room.statuses();
    while !matches!(statuses.next().await, Some(Status::Waiting(_))) {}
}
