//! The realtime service as frames: channels, broadcasts, presence, who may, and what goes wrong on purpose.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;

use crate::{
    service::{Lab, Reply},
    socket::{Heard, Socket},
};

/// Anybody signed in may do anything in their own room, and read in the open one.
const ROOMS: &str = "
    create policy own on realtime.messages to authenticated
        using (realtime.topic() = 'room:' || auth.uid()) with check (realtime.topic() = 'room:' || auth.uid());
    create policy open on realtime.messages for select to authenticated
        using (realtime.topic() = 'open' and extension = 'broadcast');";

fn reason(reply: &Value) -> &str {
    assert_eq!(reply["status"], "error");
    reply["response"]["reason"].as_str().unwrap()
}

fn said(heard: &Heard) -> (&str, &Value) {
    (heard.event.as_str(), &heard.payload)
}

#[tokio::test]
async fn the_frames_of_the_official_client_get_the_answers_it_knows() {
    let sql = "create table bookings (id int8 primary key, owner_id int, tags text[], at timestamptz);
        create table others (id int primary key);
        alter publication supabase_realtime add table bookings, others;
        create policy all_may on realtime.messages to anon using (true) with check (true);";
    let project = Lab::project(sql).await;
    let fixture: Value = serde_json::from_str(include_str!("fixtures/realtime-js.json")).unwrap();
    let mut socket = Socket::open(&project).await;
    let token = project.sign(&json!({"role": "anon", "exp": 4_000_000_000_i64})).await;
    for frame in fixture["frames"].as_array().unwrap() {
        if let Some(hex) = frame["client_binary_hex"].as_str() {
            let bytes: Vec<_> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect();
            socket.send_bytes(&bytes).await;
        } else if !frame["client"].is_null() {
            let mut frame = frame["client"].clone();
            if frame[3] == "access_token" {
                frame[4]["access_token"] = json!(token);
            }
            socket.send(&frame).await;
        }
    }
    let mut heard = vec![socket.next().await];
    while heard.last().unwrap().event != "phx_close" {
        heard.push(socket.next().await);
    }
    let replies: Vec<_> = heard.iter().filter(|heard| heard.event == "phx_reply").collect();
    let references: Vec<_> = replies.iter().map(|reply| reply.reference.as_str().unwrap()).collect();
    // A pushed token is not answered: the hosted service does not either.
    assert_eq!(references, ["6", "7", "8", "10", "11"]);
    assert!(replies.iter().all(|reply| reply.payload["status"] == "ok" && reply.join_ref == "6"));
    let expected = &fixture["frames"][2]["server"][4]["response"]["postgres_changes"];
    for (told, expected) in replies[0].payload["response"]["postgres_changes"]
        .as_array()
        .unwrap()
        .iter()
        .zip(expected.as_array().unwrap())
    {
        let mut expected = expected.clone();
        assert!(told["id"].is_u64());
        expected["id"] = told["id"].clone();
        assert_eq!(*told, expected);
    }
    let event = |name: &str| heard.iter().find(|heard| heard.event == name).unwrap().clone();
    assert_eq!(event("presence_state").payload, json!({}));
    assert_eq!(event("broadcast").payload["json"], json!({"x": 1}));
    assert_eq!(event("presence_diff").payload["joins"]["ada"]["metas"][0]["online"], true);
}

#[tokio::test]
async fn who_does_not_speak_the_protocol_is_told_and_stays() {
    let project = Lab::project("").await;
    for query in ["vsn=2.0.0", "apikey=sb_publishable_x&vsn=2.0.0"] {
        assert!(Socket::dial(&project, query, None).await.is_err(), "{query}");
    }
    assert!(Socket::dial(&project, "vsn=2.0.0", Some(&project.secret_key)).await.is_ok());
    let mut socket = Socket::open(&project).await;
    for text in ["", "nonsense", "{}", "[]", "[1,2]", r#"["1","1",5,"phx_join",{}]"#] {
        socket.send_text(text).await;
    }
    for bytes in [&[][..], &[3], &[3, 255, 255, 255, 255, 255, 1], &[9, 9, 9]] {
        socket.send_bytes(bytes).await;
    }
    socket.send(&json!([null, "9", "phoenix", "heartbeat", {}])).await;
    let heard = socket.next().await;
    assert_eq!((heard.reference, heard.payload), (json!("9"), json!({"status": "ok", "response": {}})));
    let error = |code: &str| code.to_owned();
    for (topic, token, expected) in [
        ("realtime:", None, error("TopicNameRequired: You must provide a topic name")),
        ("elsewhere", None, error("unmatched topic")),
        ("realtime:a", Some("x"), error("MalformedJWT: The token provided is not a valid JWT")),
        (
            "realtime:a",
            Some("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
            error("JwtSignatureError: Failed to validate JWT signature"),
        ),
    ] {
        socket.send(&json!(["1", "1", topic, "phx_join", {"access_token": token}])).await;
        assert_eq!(reason(&socket.next().await.payload), expected);
    }
    socket.push("a", "broadcast", &json!({})).await;
    assert_eq!(reason(&socket.next().await.payload), "unmatched topic");
    let (late, bare) = (json!({"role": "anon", "exp": 1}), json!({"sub": "x", "exp": 4_000_000_000_i64}));
    let answer = socket.join("a", Some(&project.sign(&late).await), &json!({})).await;
    assert!(reason(&answer).starts_with("InvalidJWTToken: Token has expired "));
    let answer = socket.join("a", Some(&project.sign(&bare).await), &json!({})).await;
    assert_eq!(reason(&answer), "InvalidJWTToken: Fields `role` and `exp` are required in JWT");

    let quiet = json!({"presence": {"enabled": false}});
    for number in 0..100 {
        assert_eq!(socket.join(&format!("{number}"), None, &quiet).await["status"], "ok");
    }
    let answer = socket.join("one more", None, &quiet).await;
    assert_eq!(reason(&answer), "ChannelRateLimitReached: Too many channels");
    // Who joins again begins anew.
    socket.push("0", "phx_join", &json!({"config": quiet})).await;
    assert_eq!(socket.next().await.event, "phx_close");
    assert_eq!(socket.next().await.payload["status"], "ok");
}

#[tokio::test]
async fn broadcasts_and_presence_reach_the_others_in_either_version() {
    let project = Lab::project("").await;
    let (mut ana, mut ben) = (Socket::open(&project).await, Socket::open(&project).await);
    let mut old = Socket::open_as(&project, &project.anon_key, "1.0.0").await;
    let config = |key: &str| json!({"broadcast": {"ack": true}, "presence": {"key": key}});
    ana.join("a", None, &config("ana")).await;
    assert_eq!(said(&ana.next().await), ("presence_state", &json!({})));
    let reference = ana.push("a", "presence", &json!({"event": "TRACK", "payload": {"at": 1}})).await;
    let diff = ana.next().await;
    assert_eq!(diff.payload["joins"]["ana"]["metas"][0]["at"], 1);
    assert_eq!(ana.next().await.reference, json!(reference));
    ben.join("a", None, &config("ben")).await;
    assert_eq!(ben.next().await.payload["ana"], diff.payload["joins"]["ana"]);
    old.send_text(r#"{"topic":"realtime:a","event":"phx_join","ref":"1","payload":{"config":{"presence":{"enabled":false}}}}"#).await;

    assert_eq!(old.next_text().await.unwrap()["payload"]["status"], "ok");

    // Both forms of a broadcast, to whoever understands them; not to who sent it.
    let text = json!({"type": "broadcast", "event": "e", "payload": {"n": 1}});
    ana.push("a", "broadcast", &text).await;
    assert_eq!(ana.next().await.payload["status"], "ok");
    assert_eq!(said(&ben.next().await), ("broadcast", &text));
    ana.send_bytes(b"\x03\x011\x00\x0a\x01\x00\x01".as_slice()).await; // cut: nobody hears of it
    ana.send_bytes(b"\x03\x01\x01\x0a\x01\x00\x0119realtime:ae{\"n\":2}").await;
    assert_eq!(ben.next().await.payload, json!({"event": "e", "json": {"n": 2}, "meta": ""}));
    ana.send_bytes(b"\x03\x01\x01\x0a\x01\x00\x0019realtime:ae\x00\xff").await;
    assert_eq!(ben.next().await.payload["bytes"], json!([0, 255]));

    let post = |path: &str, kind: &'static str, body: Vec<u8>| {
        let request = project.ask(Method::POST, &format!("/realtime/v1/api/broadcast{path}"));
        Reply::to(request.header("content-type", kind).body(body))
    };
    let many = json!({"messages": [{"topic": "a", "event": "e", "payload": {"n": 3}}]}).to_string();
    let json = "application/json";
    assert_eq!(post("", json, many.into_bytes()).await.status, StatusCode::ACCEPTED);
    assert_eq!(ben.next().await.payload["payload"]["n"], 3);
    assert_eq!(post("/a/events/e%20f", json, b"[4]".to_vec()).await.status, StatusCode::ACCEPTED);
    assert_eq!(ben.next().await.payload, json!({"type": "broadcast", "event": "e f", "payload": [4]}));
    let bytes = post("/a/events/e", "application/octet-stream", vec![5]).await;
    assert_eq!(bytes.status, StatusCode::ACCEPTED);
    assert_eq!(ben.next().await.payload["bytes"], json!([5]));
    assert_eq!(post("", json, b"{}".to_vec()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post("/a/events/e", "text/plain", vec![]).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    project.realtime(&json!({"kind": "cut"})).await;
    for socket in [&mut ana, &mut ben] {
        assert_eq!(socket.end().await, None);
    }
    // The older version has a form for everything but bytes.
    for (event, payload) in
        [("e", json!({"n": 1})), ("e", json!({"n": 2})), ("e", json!({"n": 3})), ("e f", json!([4]))]
    {
        let heard = old.next_text().await.unwrap();
        assert_eq!(heard["payload"], json!({"type": "broadcast", "event": event, "payload": payload}));
    }
    assert_eq!(old.next_text().await, None);
}

#[tokio::test]
async fn policies_decide_who_may_on_a_private_channel() {
    let project = Lab::project(ROOMS).await;
    let (ana, ben) = (project.sign_up("ana@example.com").await, project.sign_up("ben@example.com").await);
    let room = format!("room:{}", ana.id);
    let private =
        json!({"private": true, "broadcast": {"ack": true, "self": true, "replication_ready": true}});
    let mut socket = Socket::open(&project).await;
    for (topic, token) in [(room.as_str(), Some(ben.access_token.as_str())), ("open", None)] {
        let expected =
            format!("Unauthorized: You do not have permissions to read from this Channel topic: {topic}");
        assert_eq!(reason(&socket.join(topic, token, &private).await), expected);
    }
    assert_eq!(socket.join("open", Some(&ben.access_token), &private).await["status"], "ok");
    let ready = json!({"extension": "system", "status": "ok", "channel": "open",
        "message": "Replication connection established"});
    assert_eq!(socket.until("system").await, ready);
    // Who may only read says nothing, and is not told so; who may not be there is.
    socket.push("open", "broadcast", &json!({"event": "e", "payload": {}})).await;
    socket.push("open", "presence", &json!({"event": "track", "payload": {}})).await;
    assert_eq!(socket.next().await.payload, json!({"status": "error", "response": {}}));

    // What SQL sends: kept, and sent again to who asks; once, to who was sent it again.
    let send = |n: u32, topic: &str, private: bool| {
        format!("select realtime.send('{{\"n\": {n}}}', 'e', '{topic}', {private});")
    };
    project.sql(&[send(1, &room, true), send(2, "open", false), send(3, "open", true)].concat()).await;
    let heard = socket.next().await.payload;
    assert_eq!((&heard["payload"]["n"], &heard["payload"]["id"]), (&json!(3), &heard["meta"]["id"]));
    let mut own = Socket::open(&project).await;
    let with_replay = |replay: Value| json!({"private": true, "broadcast": {"replay": replay, "self": true, "replication_ready": true}});
    let token = Some(ana.access_token.as_str());
    let answer = own.join(&room, token, &with_replay(json!({"since": "x"}))).await;
    assert_eq!(reason(&answer), "UnableToReplayMessages: Replay params are not valid");
    let answer = own.join(&room, token, &json!({"broadcast": {"replay": {"since": 0}}})).await;
    assert_eq!(reason(&answer), "UnableToReplayMessages: Replay is not allowed for public channels");
    own.join(&room, token, &with_replay(json!({"since": 0, "limit": 5}))).await;
    let again = own.next().await.payload;
    assert_eq!((&again["payload"]["n"], &again["meta"]["replayed"]), (&json!(1), &json!(true)));
    own.until("system").await;
    own.push(&room, "broadcast", &json!({"event": "e", "payload": {"n": 4}})).await;
    assert_eq!(own.until("broadcast").await["payload"]["n"], 4);
    let changes = "create table notes (id int primary key, body text);
        create function tell() returns trigger language plpgsql security definer as $$ begin
            perform realtime.broadcast_changes(tg_argv[0], tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
            return null;
        end $$;
        create trigger tell after insert on notes for each row execute function tell('TOPIC');
        insert into notes values (1, 'tea');";
    project.sql(&changes.replace("TOPIC", &room)).await;
    let told = own.until("broadcast").await;
    assert_eq!((&told["event"], &told["payload"]["record"]["body"]), (&json!("INSERT"), &json!("tea")));

    // A right that is gone ends the channel; over HTTP it is asked for as well.
    let path = format!("/realtime/v1/api/broadcast/{room}/events/e?private=true");
    for (token, n) in [(&ben.access_token, 5), (&ana.access_token, 6)] {
        let post = project.ask(Method::POST, &path).bearer_auth(token).json(&json!({"n": n}));
        assert_eq!(Reply::to(post).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(own.until("broadcast").await["payload"]["n"], 6);
    own.push(&room, "access_token", &json!({"access_token": ben.access_token})).await;
    let expected = format!("You no longer have permission to read from this Channel topic: {room}");
    assert_eq!(own.until("system").await["message"], expected);
    assert_eq!(own.next().await.event, "phx_close");
}

#[tokio::test]
async fn a_channel_lives_as_long_as_its_token_or_until_it_says_too_much() {
    let project =
        Lab::project("create table t (id int primary key); alter publication supabase_realtime add table t;")
            .await;
    let until = |seconds: i64| json!({"role": "anon", "exp": now() + seconds});
    let mut socket = Socket::open(&project).await;
    let any = json!([{"event": "*", "schema": "public", "table": "t"}]);
    socket.listen("a", Some(&project.sign(&until(300)).await), &any).await;
    let longer = project.sign(&until(600)).await;
    socket.push("a", "access_token", &json!({"access_token": longer})).await;
    assert_eq!(socket.until("system").await["message"], "Subscribed to PostgreSQL", "a second time");
    for nothing_new in [json!(null), json!(longer), json!("sb_publishable_x")] {
        socket.push("a", "access_token", &json!({"access_token": nothing_new})).await;
    }
    let quiet = json!({"presence": {"enabled": false}});
    socket.join("b", Some(&project.sign(&until(3)).await), &quiet).await;
    let ended = socket.next().await;
    assert_eq!((ended.topic.as_str(), &ended.payload["status"]), ("realtime:b", &json!("error")));
    assert!(ended.payload["message"].as_str().unwrap().starts_with("Token has expired "));
    let closed = socket.next().await;
    assert_eq!((closed.event.as_str(), closed.topic.as_str()), ("phx_close", "realtime:b"));

    socket.join("b", None, &quiet).await;
    for n in 0..5 {
        socket.push("b", "presence", &json!({"event": "track", "payload": {"n": n}})).await;
        socket.until("phx_reply").await;
    }
    socket.push("b", "presence", &json!({"event": "untrack"})).await;
    assert_eq!(socket.until("system").await["message"], "Client presence rate limit exceeded");
    socket.push("a", "access_token", &json!({"access_token": "x"})).await;
    assert_eq!(socket.until("system").await["message"], "The token provided is not a valid JWT");
}

#[tokio::test]
async fn frames_go_wrong_on_purpose() {
    let project = Lab::project("").await;
    let mut socket = Socket::open(&project).await;
    let config = json!({"presence": {"enabled": false}, "broadcast": {"self": true}});
    let busy = "InitializingProjectConnection: Realtime is initializing the project connection";
    project
        .set_frame_faults(&json!([
            {"from": "client", "event": "phx_join", "times": 1, "action": {"kind": "refuse", "reason": busy}},
            {"from": "server", "topic": "realtime:a", "event": "broadcast", "times": 1, "action": {"kind": "drop"}},
            {"from": "server", "event": "broadcast", "times": 1, "action": {"kind": "duplicate"}},
            {"from": "client", "event": "broadcast", "skip": 2, "times": 1, "action": {"kind": "delay", "ms": 20}},
        ]))
        .await;
    assert_eq!(reason(&socket.join("a", None, &config).await), busy);
    assert_eq!(socket.join("a", None, &config).await["status"], "ok");
    for n in 0..3 {
        socket.push("a", "broadcast", &json!({"n": n})).await;
    }
    for n in [1, 1, 2] {
        assert_eq!(socket.next().await.payload["n"], n);
    }
    project
        .realtime(&json!({"kind": "shutdown", "topic": "realtime:a", "message": "RealtimeRestarting"}))
        .await;
    assert_eq!(socket.next().await.payload["message"], "RealtimeRestarting");
    assert_eq!(socket.next().await.event, "phx_close");
    socket.join("a", None, &config).await;
    project.realtime(&json!({"kind": "crash"})).await;
    let crashed = socket.next().await;
    assert_eq!((crashed.event.as_str(), crashed.reference), ("phx_error", json!("1")));
    project
        .set_frame_faults(
            &json!([{"from": "client", "action": {"kind": "close", "code": 1012, "reason": "r"}}]),
        )
        .await;
    socket.push("a", "phx_join", &json!({})).await;
    assert_eq!(socket.end().await, Some(1012));
    project
        .set_frame_faults(&json!([{"from": "server", "event": "phx_reply", "action": {"kind": "cut"}}]))
        .await;
    let mut socket = Socket::open(&project).await;
    socket.push("a", "phx_join", &json!({})).await;
    assert_eq!(socket.end().await, None);
    let mut socket = Socket::open(&project).await;
    project.realtime(&json!({"kind": "close", "code": 1001})).await;
    assert_eq!(socket.end().await, Some(1001));
    // The handshake is a request as any other.
    let busy = json!({"kind": "answer", "status": 429});
    project.set_faults(&json!([{"path": "/realtime/v1/websocket", "times": 1, "action": busy}])).await;
    let query = format!("apikey={}", project.publishable_key);
    match Socket::dial(&project, &query, None).await {
        Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status().as_u16(), 429),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("this was to be refused"),
    }
    let path = format!("/projects/{}/faults/frames", project.r#ref);
    let listed = Reply::to(Lab::get().control(Method::GET, &path)).await.json();
    assert_eq!((&listed[0]["hits"], &listed[0]["action"]["kind"]), (&json!(1), &json!("cut")));
    let strange = Lab::get().control(Method::PUT, &path).json(&json!([{"action": {"kind": "explode"}}]));
    assert_eq!(strange.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

fn now() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
