//! A server of sockets that plays a script: it takes what the client opens, and says what the test has it say.
//!
//! Both ends are in memory, so a test with a paused clock runs through hours at once. The client's wall clock is
//! tied to that clock, and can be moved on as if the machine had slept.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use supabase_sdk::realtime::Options;
use supabase_sdk::{
    Client, ClientBuilder, Duplex, Error, Reply, Request, Sending, Session, Token, Transport, Upgrading, User,
};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// 2025-06-15, by the client's wall clock, when a test begins.
pub(crate) const START: u64 = 1_750_000_000;

/// Answers a request over HTTP.
type Answering = Box<dyn Fn(&Request) -> (u16, String) + Send + Sync>;

/// The other side of a client.
pub(crate) struct Server {
    transport: Arc<Sockets>,
    opened: mpsc::UnboundedReceiver<(String, DuplexStream)>,
    nap: Arc<AtomicU64>,
}

struct Sockets {
    opened: mpsc::UnboundedSender<(String, DuplexStream)>,
    /// Statuses that the next sockets are refused with.
    refusals: Mutex<VecDeque<u16>>,
    asked: Mutex<Vec<Request>>,
    answer: Answering,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Sockets")
    }
}

impl Transport for Sockets {
    fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> Sending<'a> {
        self.asked.lock().unwrap().push(request.clone());
        let (status, body) = (self.answer)(request);
        let reply =
            Reply { status: status.try_into().unwrap(), headers: http::HeaderMap::new(), body: body.into() };
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(reply)
        })
    }

    fn websocket<'a>(&'a self, _: &'a str, request: &'a Request) -> Upgrading<'a> {
        Box::pin(async move {
            if let Some(status) = self.refusals.lock().unwrap().pop_front() {
                let headers = http::HeaderMap::new();
                let body = r#"{"error":"refused"}"#.into();
                let refusal = Reply { status: status.try_into().unwrap(), headers, body }.accepted();
                return Err::<Box<dyn Duplex>, Error>(refusal.unwrap_err());
            }
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            self.opened.send((request.uri(), theirs)).unwrap();
            Ok(Box::new(ours) as Box<dyn Duplex>)
        })
    }
}

impl Server {
    /// A client with default options, whose requests over HTTP all answer with no rows.
    pub(crate) fn new() -> (Self, Client) {
        Self::with(Options::default(), |_| (200, "[]".to_owned()), |builder| builder)
    }

    pub(crate) fn with(
        options: Options,
        answer: impl Fn(&Request) -> (u16, String) + Send + Sync + 'static,
        build: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> (Self, Client) {
        let (sender, opened) = mpsc::unbounded_channel();
        let transport = Arc::new(Sockets {
            opened: sender,
            refusals: Mutex::default(),
            asked: Mutex::default(),
            answer: Box::new(answer),
        });
        let (start, nap) = (tokio::time::Instant::now(), Arc::new(AtomicU64::new(0)));
        let slept = nap.clone();
        let clock = move || {
            let slept = Duration::from_secs(START + slept.load(Ordering::SeqCst));
            SystemTime::UNIX_EPOCH + slept + start.elapsed()
        };
        let builder = Client::builder("http://project.test", "sb_publishable_TESTKEY");
        let builder = builder.transport(transport.clone()).clock(clock).realtime(options);
        (Self { transport, opened, nap }, build(builder).build().unwrap())
    }

    /// The next socket the client opens.
    pub(crate) async fn accept(&mut self) -> Socket {
        let (uri, stream) = self.opened.recv().await.unwrap();
        Socket { uri, stream: WebSocketStream::from_raw_socket(stream, Role::Server, None).await }
    }

    /// Refuses the next socket.
    pub(crate) fn refuse(&self, status: u16) {
        self.transport.refusals.lock().unwrap().push_back(status);
    }

    /// The wall clock runs on by as much, and no other clock does.
    pub(crate) fn nap(&self, nap: Duration) {
        self.nap.fetch_add(nap.as_secs(), Ordering::SeqCst);
    }

    /// What was asked over HTTP.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.transport.asked.lock().unwrap().clone()
    }
}

/// One socket, seen from the server.
pub(crate) struct Socket {
    pub(crate) uri: String,
    stream: WebSocketStream<DuplexStream>,
}

impl Socket {
    /// The next frame of the client, heartbeats left out and answered.
    pub(crate) async fn hear(&mut self) -> Frame {
        loop {
            let frame = self.hear_all().await;
            if frame.topic != "phoenix" {
                return frame;
            }
            self.say(
                json!([null, frame.reference, "phoenix", "phx_reply", {"status": "ok", "response": {}}]),
            )
            .await;
        }
    }

    /// The next frame of the client; ends the test if there is none.
    pub(crate) async fn hear_all(&mut self) -> Frame {
        match self.stream.next().await.unwrap().unwrap() {
            Message::Text(text) => Frame::text(serde_json::from_str(&text).unwrap()),
            Message::Binary(bytes) => Frame { binary: Some(bytes.to_vec()), ..Frame::default() },
            other => panic!("unexpected {other:?}"),
        }
    }

    /// Waits until the client has given the socket up.
    pub(crate) async fn is_dropped(&mut self) {
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_text(frame.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn say_bytes(&mut self, bytes: Vec<u8>) {
        self.stream.send(Message::binary(bytes)).await.unwrap();
    }

    /// Hears a join, and accepts it. Gives it.
    pub(crate) async fn accept_join(&mut self) -> Frame {
        let join = self.hear().await;
        assert_eq!(join.event, "phx_join");
        let bindings = join.payload["config"]["postgres_changes"].as_array().unwrap();
        let bound: Vec<Value> = bindings
            .iter()
            .enumerate()
            .map(|(at, binding)| {
                let mut bound = binding.clone();
                bound["id"] = (at + 1_000).into();
                bound
            })
            .collect();
        self.reply(&join, "ok", json!({ "postgres_changes": bound })).await;
        join
    }

    /// The same, and says that changes come.
    pub(crate) async fn accept_live(&mut self) -> Frame {
        let join = self.accept_join().await;
        self.say_live(&join).await;
        join
    }

    pub(crate) async fn say_live(&mut self, join: &Frame) {
        self.system(join, "postgres_changes", "ok", "Subscribed to PostgreSQL").await;
    }

    pub(crate) async fn reply(&mut self, to: &Frame, status: &str, response: Value) {
        let reply = json!({ "status": status, "response": response });
        self.say(json!([to.join_reference, to.reference, to.topic, "phx_reply", reply])).await;
    }

    pub(crate) async fn refuse(&mut self, to: &Frame, reason: &str) {
        self.reply(to, "error", json!({ "reason": reason })).await;
    }

    pub(crate) async fn system(&mut self, join: &Frame, extension: &str, status: &str, message: &str) {
        let payload = json!({ "extension": extension, "status": status, "message": message, "channel": "c" });
        self.say(json!([null, null, join.topic, "system", payload])).await;
    }

    /// The server closes a channel.
    pub(crate) async fn close(&mut self, join: &Frame) {
        self.say(json!([join.reference, join.reference, join.topic, "phx_close", {}])).await;
    }

    /// Tells of a change, `record` and `old` as text so that no number is touched.
    pub(crate) async fn change(&mut self, join: &Frame, kind: &str, record: &str, old: &str) {
        self.change_for(join, &[1_000], kind, record, old).await;
    }

    pub(crate) async fn change_for(
        &mut self,
        join: &Frame,
        ids: &[u64],
        kind: &str,
        record: &str,
        old: &str,
    ) {
        let data = format!(
            r#"{{"type":"{kind}","schema":"public","table":"bookings","commit_timestamp":"2026-01-01T00:00:00.000Z","columns":[],"record":{record},"old_record":{old},"errors":null}}"#
        );
        let frame =
            format!(r#"[null,null,"{}","postgres_changes",{{"ids":{ids:?},"data":{data}}}]"#, join.topic);
        self.stream.send(Message::text(frame)).await.unwrap();
    }
}

/// A frame of the client.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) join_reference: Value,
    pub(crate) reference: Value,
    pub(crate) topic: String,
    pub(crate) event: String,
    pub(crate) payload: Value,
    pub(crate) binary: Option<Vec<u8>>,
}

impl Frame {
    fn text(frame: Value) -> Self {
        let Value::Array(mut pieces) = frame else { panic!("no frame: {frame}") };
        let payload = pieces.pop().unwrap();
        let [join_reference, reference, topic, event] = pieces.try_into().unwrap();
        let word = |value: Value| value.as_str().unwrap().to_owned();
        Self { join_reference, reference, topic: word(topic), event: word(event), payload, binary: None }
    }
}

/// A session that ends so many seconds after a test begins.
pub(crate) fn session(token: &str, seconds: u64) -> Session {
    Session::new(Token::new(token), Token::new("refresh"), START + seconds, User::default())
}
