//! What is written to logs: which request, how it ended, and no key, token or value.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use supabase_sdk::rest::col;
use supabase_sdk::{ErrorKind, Session, Token, TraceContext, User};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::scripted::Script;

/// Writes down everything it is told, a line at a time, since many threads tell it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn write(&self, told: impl FnOnce(&mut Line)) {
        let mut line = Line(String::new());
        told(&mut line);
        self.0.lock().unwrap().push_str(&line.0);
    }
}

/// What is told at once.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("supabase_sdk")
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.write(|line| span.record(line));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        self.write(|line| values.record(line));
    }
    fn event(&self, event: &Event<'_>) {
        self.write(|line| event.record(line));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The log is the whole process's: what other tests do meanwhile stands in it too, and must hold no secret
/// either. One of this thread alone would miss spans that another thread met first.
#[test]
fn logs_say_what_happened_and_hold_no_secret() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let refusal = r#"{"code":"23505","message":"duplicate key","details":"Key (title)=(S3CRET)"}"#;
    let trace = TraceContext::random();
    let expected = trace.traceparent.clone();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let quick = supabase_sdk::Retry { tries: 2, first: std::time::Duration::ZERO, ..Default::default() };
        let (_, client) = Script::echo(409, refusal, |builder| builder.trace(move || Some(trace.clone())));
        let session =
            Session::new(Token::new("S3CRET"), Token::new("S3CRET"), 4_102_444_800, User::default());
        client.auth().set_session(session).await.unwrap();
        let insert = client.from("logged").insert(&serde_json::json!({ "title": "S3CRET" }));
        assert_eq!(insert.send().await.unwrap_err().kind(), ErrorKind::Conflict);
        drop(client.from("logged").select("*").filter(col("title").eq("S3CRET")).fetch().await);
        let (_, client) = Script::echo(503, "S3CRET", |builder| builder.retry(quick));
        drop(client.from("logged").select("*").filter(col("title").eq("S3CRET")).fetch().await);
        let hello = client.functions().invoke("logged/S3CRET").safe_to_repeat();
        assert_eq!(hello.text("S3CRET").send().await.unwrap_err().kind(), ErrorKind::Busy);
        #[cfg(feature = "realtime")]
        on_a_channel().await;
    });
    let log = log.0.lock().unwrap();
    #[cfg(feature = "realtime")]
    assert!(log.contains("topic=\"realtime:logged\" status=Stopped"), "a channel says how it goes");
    assert!(log.contains("path=\"/functions/v1/logged\""));
    for said in ["method=POST path=\"/rest/v1/logged\"", "status=409", "tries=2", "trying again", &expected] {
        assert!(log.contains(said), "{said}");
    }
    assert!(!log.contains("S3CRET") && !log.contains("sb_publishable"));
}

/// Secrets of every kind go over a channel, which is refused in the end.
#[cfg(feature = "realtime")]
async fn on_a_channel() {
    use serde_json::json;
    let (mut server, client) = crate::sockets::Server::new();
    client.auth().set_session(crate::sockets::session("S3CRET", 3_600)).await.unwrap();
    let mut room = client.channel("logged");
    let mut heard = room.on_broadcast("*");
    let room = room.join().unwrap();
    let mut socket = server.accept().await;
    let join = socket.accept_join().await;
    socket.say(json!([null, null, join.topic, "broadcast", { "event": "e", "payload": "S3CRET" }])).await;
    assert!(!format!("{:?} {heard:?} {room:?}", heard.next().await).contains("S3CRET"));
    room.track(&json!({ "name": "S3CRET" })).await.ok();
    socket.close(&join).await;
    let join = loop {
        let frame = socket.hear().await;
        if frame.event == "phx_join" {
            break frame;
        }
    };
    socket.refuse(&join, "Unauthorized: not \"S3CRET\"").await;
    assert!(!format!("{:?}", room.live().await.unwrap_err()).contains("S3CRET"));
}
