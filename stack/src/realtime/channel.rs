//! One joined channel: who it speaks for, what it may, and what a client says on it.
//!
//! Rights that a token gave are asked for again with each new token, and a right to read that is gone ends
//! the channel. A right to write is asked for when it is first used.

use std::{
    collections::HashSet,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use serde_json::{Map, Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{
    Service,
    frame::{Body, Message, Push},
    hub::{Hearing, Listener, Member, MemberId, Outbox, Room},
    join::{Join, Replay},
    pace::Pace,
    store::{Access, Stored},
    subscription::Subscription,
    token::{Token, TokenError},
};

/// No broadcast, and nothing somebody says of themselves, is larger.
pub(super) const LARGEST_PAYLOAD: usize = 3_000_000;
const NO_DATABASE: &str = "Realtime was unable to connect to the project database";

/// A channel that a socket has joined. Dropped, it leaves.
pub(super) struct Channel {
    service: Arc<Service>,
    id: MemberId,
    room: Room,
    topic: String,
    pub(super) join_ref: Value,
    join: Join,
    token: Token,
    /// `None` for a public one, where everybody may.
    reads: Option<Access>,
    /// `None` until it is asked for.
    writes: Option<Access>,
    has_presence: bool,
    /// It wants to be told that the stream runs, and was not yet.
    awaits_replication: Arc<AtomicBool>,
    pace: Pace,
    /// Ends what subscribes it.
    subscribing: Option<DropGuard>,
}

/// Why a channel is not joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) String);

/// Why a channel ends: what its client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End(pub(super) String);

impl Refusal {
    fn new(code: &str, text: impl std::fmt::Display) -> Self {
        Self(format!("{code}: {text}"))
    }

    pub(super) fn too_many_channels() -> Self {
        Self::new("ChannelRateLimitReached", "Too many channels")
    }

    fn unauthorized(topic: &str) -> Self {
        let text = format!("You do not have permissions to read from this Channel topic: {topic}");
        Self::new("Unauthorized", text)
    }

    fn no_replay(text: &str) -> Self {
        Self::new("UnableToReplayMessages", text)
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::new(error.code(), error)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(_: sqlx::Error) -> Self {
        Self(NO_DATABASE.to_owned())
    }
}

impl From<TokenError> for End {
    fn from(error: TokenError) -> Self {
        Self(error.to_string())
    }
}

impl From<sqlx::Error> for End {
    fn from(_: sqlx::Error) -> Self {
        Self(NO_DATABASE.to_owned())
    }
}

impl Channel {
    /// Joins; who comes without a token of their own has the key's. The answer is sent from here, since
    /// nothing may come before it, and nothing that comes after it may be missed.
    pub(super) async fn open(
        service: &Arc<Service>,
        outbox: &Outbox,
        push: &Push,
        key_token: &str,
        now: i64,
    ) -> Result<Self, Refusal> {
        let Some(topic) = push.topic.strip_prefix("realtime:") else {
            return Err(Refusal("unmatched topic".to_owned()));
        };
        if topic.is_empty() {
            return Err(Refusal::new("TopicNameRequired", "You must provide a topic name"));
        }
        let payload = match &push.body {
            Body::Json(payload) => payload,
            Body::Broadcast(_) => &Value::Null,
        };
        let join = Join::read(payload, Uuid::new_v4());
        // A key that is no token stands for its role's.
        let shown = join.access_token.as_deref().filter(|token| !token.starts_with("sb_"));
        let token = Token::check(shown.unwrap_or(key_token), &service.keyring, now)?;
        let room = Room { topic: topic.to_owned(), is_private: join.is_private };
        let reads = match join.is_private {
            true => Some(service.store.may_read(&token, topic).await?),
            false => None,
        };
        if reads.is_some_and(|reads| !(reads.broadcast || reads.presence && join.has_presence)) {
            return Err(Refusal::unauthorized(topic));
        }
        let replayed = replay(service, &join, &room, reads).await?;
        let member = Member {
            room: room.clone(),
            outbox: outbox.clone(),
            hears: hearing(reads, join.has_presence),
            replayed: replayed.iter().map(|stored| stored.id.to_string()).collect::<HashSet<_>>(),
        };
        let again = replayed.iter().map(|stored| again(stored, &push.topic).within(&push.join_ref));
        let greeting = [Message::reply(push, "ok", &join.response())].into_iter().chain(again).collect();
        let syncs = join.has_presence && hearing(reads, true).presence;
        let id = service.hub.join(member, greeting, syncs.then_some(&push.join_ref));
        let mut channel = Self {
            service: service.clone(),
            id,
            room,
            topic: push.topic.clone(),
            join_ref: push.join_ref.clone(),
            has_presence: join.has_presence,
            awaits_replication: Arc::new(AtomicBool::new(join.awaits_replication)),
            join,
            token,
            reads,
            writes: None,
            pace: Pace::default(),
            subscribing: None,
        };
        channel.subscribe();
        Ok(channel)
    }

    /// When its token stops to hold, in Unix seconds.
    pub(super) fn expires(&self) -> i64 {
        self.token.expires
    }

    /// Hears what a client says; may answer, and may end.
    pub(super) async fn hear(
        &mut self,
        push: &Push,
        now: i64,
        instant: Instant,
    ) -> Result<Option<Message>, End> {
        match (push.event.as_str(), &push.body) {
            ("broadcast", body) => Ok(self.broadcast(push, body).await),
            ("presence", Body::Json(payload)) => self.presence(push, payload, instant).await,
            ("access_token", Body::Json(payload)) => {
                self.renew(payload["access_token"].as_str(), now).await.map(|()| None)
            }
            _ => Ok(None), // what nobody knows is not answered
        }
    }

    /// Why the channel ends now that its token no longer holds; `None` if it still does.
    pub(super) fn expire(&self, now: i64) -> Option<End> {
        Token::check(&self.token.text, &self.service.keyring, now).err().map(End::from)
    }

    /// What a client is told when the service ends the channel.
    pub(super) fn farewell(&self, end: &End) -> [Message; 2] {
        let said = self.system("system", "error", &end.0);
        [said, self.closed()]
    }

    /// What a client is told when the channel has ended.
    pub(super) fn closed(&self) -> Message {
        let closed = Message::new(&self.topic, "phx_close", json!({}));
        Message { reference: self.join_ref.clone(), ..closed }.within(&self.join_ref)
    }

    /// What a client is told when the channel crashed.
    pub(super) fn crashed(&self) -> Message {
        let crashed = Message::new(&self.topic, "phx_error", json!({}));
        Message { reference: self.join_ref.clone(), ..crashed }.within(&self.join_ref)
    }

    fn system(&self, extension: &str, status: &str, message: &str) -> Message {
        system(&self.room, extension, status, message).within(&self.join_ref)
    }

    /// Passes a broadcast on, if that is allowed: nobody is told that it was not.
    async fn broadcast(&mut self, push: &Push, body: &Body) -> Option<Message> {
        if self.join.is_private && !self.may_write().await.is_ok_and(|writes| writes.broadcast) {
            return None;
        }
        let is_too_large = body.size() > LARGEST_PAYLOAD;
        if !is_too_large {
            let except = (!self.join.hears_itself).then_some(self.id);
            self.service.hub.broadcast(&self.room, body, except);
        }
        self.join.acknowledges.then(|| match is_too_large {
            true => Message::reply(push, "error", &json!({"reason": "payload_size_exceeded"})),
            false => Message::reply(push, "ok", &json!({})),
        })
    }

    async fn presence(&mut self, push: &Push, payload: &Value, now: Instant) -> Result<Option<Message>, End> {
        let ok = || Ok(Some(Message::reply(push, "ok", &json!({}))));
        let refused = |response: Value| Ok(Some(Message::reply(push, "error", &response)));
        let Some(event) = payload["event"].as_str() else { return ok() };
        if !self.pace.allows(now) {
            return Err(End("Client presence rate limit exceeded".to_owned()));
        }
        match event.to_ascii_lowercase().as_str() {
            "track" => match payload.get("payload").unwrap_or(&json!({})) {
                Value::Object(said) => match self.track(said).await? {
                    true => ok(),
                    false => refused(json!({})),
                },
                _ => refused(json!({"reason": "Presence track payload must be a map"})), // not an object
            },
            "untrack" => {
                self.service.hub.untrack(self.id, &self.room);
                ok()
            }
            _ => refused(json!({})), // an event nobody knows
        }
    }

    /// Says of the client what it says of itself; false if it may not.
    async fn track(&mut self, said: &Map<String, Value>) -> Result<bool, End> {
        if self.join.is_private && !self.may_write().await?.presence {
            return Ok(false);
        }
        if Value::Object(said.clone()).to_string().len() > LARGEST_PAYLOAD {
            return Err(End("Track message size exceeded".to_owned()));
        }
        let hub = &self.service.hub;
        let is_new = !mem::replace(&mut self.has_presence, true);
        hub.hear(self.id, self.hearing());
        hub.track(self.id, &self.room, &self.join.presence_key, said.clone());
        // Who had no presence until now was not told who is there.
        if is_new && self.hearing().presence {
            hub.sync(self.id, &self.join_ref);
        }
        Ok(true)
    }

    fn hearing(&self) -> Hearing {
        hearing(self.reads, self.has_presence)
    }

    async fn may_write(&mut self) -> sqlx::Result<Access> {
        if let Some(writes) = self.writes {
            return Ok(writes);
        }
        let writes = self.service.store.may_write(&self.token, &self.room.topic).await?;
        self.writes = Some(writes);
        Ok(writes)
    }

    /// Goes on with another token, or ends if it is not believed or gives less.
    async fn renew(&mut self, shown: Option<&str>, now: i64) -> Result<(), End> {
        let Some(shown) = shown.filter(|shown| !shown.starts_with("sb_") && *shown != self.token.text) else {
            return Ok(());
        };
        self.token = Token::check(shown, &self.service.keyring, now)?;
        self.writes = None;
        if let Some(before) = self.reads {
            let reads = self.service.store.may_read(&self.token, &self.room.topic).await?;
            if (before.broadcast && !reads.broadcast) || (before.presence && !reads.presence) {
                let topic = &self.room.topic;
                return Err(End(format!(
                    "You no longer have permission to read from this Channel topic: {topic}"
                )));
            }
            self.reads = Some(reads);
            self.service.hub.hear(self.id, self.hearing());
        }
        self.subscribe();
        Ok(())
    }

    /// Begins to hear of changes, with the rights it has now, for as long as it is joined.
    fn subscribe(&mut self) {
        self.subscribing = None;
        self.service.hub.stop_listening(self.id);
        if self.join.changes.is_empty() && !self.awaits_replication.load(Ordering::Relaxed) {
            return;
        }
        let wish = Wish {
            service: self.service.clone(),
            member: self.id,
            join_ref: self.join_ref.clone(),
            token: self.token.clone(),
            changes: self.join.changes.clone(),
            awaits_replication: self.awaits_replication.clone(),
        };
        let ended = CancellationToken::new();
        self.subscribing = Some(ended.clone().drop_guard());
        self.service.tasks.spawn(async move { ended.run_until_cancelled(wish.pursue()).await });
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.service.hub.leave(self.id);
    }
}

/// What a channel wants to hear, until it does.
struct Wish {
    service: Arc<Service>,
    member: MemberId,
    join_ref: Value,
    token: Token,
    changes: Vec<Map<String, Value>>,
    awaits_replication: Arc<AtomicBool>,
}

impl Wish {
    /// Subscribes to each stream there is, one after the other, and says so each time.
    async fn pursue(self) {
        let subscriptions = self.read().unwrap_or_else(|reason| {
            self.say("postgres_changes", "error", &reason);
            vec![]
        });
        let (mut pulse, mut last) = (self.service.feed.pulse(), None);
        loop {
            let Ok(stream) =
                pulse.wait_for(|stream| stream.is_some() && *stream != last).await.map(|now| *now)
            else {
                return;
            };
            if self.awaits_replication.swap(false, Ordering::Relaxed) {
                self.say("system", "ok", "Replication connection established");
            }
            last = stream;
            if subscriptions.is_empty() {
                return;
            }
            match self.service.store.check(&self.token, &subscriptions).await {
                Ok(Ok(())) => {
                    self.service.hub.listen(Listener {
                        member: self.member,
                        role: self.token.role.clone(),
                        claims: self.token.claims.clone(),
                        subscriptions: subscriptions.clone(),
                    });
                    self.say("postgres_changes", "ok", "Subscribed to PostgreSQL");
                }
                Ok(Err(reason)) => {
                    // Asking again would change nothing, and what was heard with other rights is over.
                    self.service.hub.stop_listening(self.member);
                    return self.say("postgres_changes", "error", &reason);
                }
                // The database is away, and so is its stream: the next one is another try.
                Err(_) => self.say("postgres_changes", "error", NO_DATABASE),
            }
        }
    }

    fn read(&self) -> Result<Vec<Subscription>, String> {
        self.changes.iter().map(Subscription::read).collect()
    }

    fn say(&self, extension: &str, status: &str, message: &str) {
        self.service
            .hub
            .send(self.member, |room| system(room, extension, status, message).within(&self.join_ref));
    }
}

fn system(room: &Room, extension: &str, status: &str, message: &str) -> Message {
    let said = json!({"extension": extension, "status": status, "message": message, "channel": room.topic});
    Message::new(&room.full_topic(), "system", said)
}

/// On a public topic everybody may hear everything; on a private one, of who is there only who asked to.
fn hearing(reads: Option<Access>, has_presence: bool) -> Hearing {
    reads.map_or(Hearing { broadcasts: true, presence: true }, |reads| Hearing {
        broadcasts: reads.broadcast,
        presence: reads.presence && has_presence,
    })
}

/// What a channel wants to be sent again.
async fn replay(
    service: &Service,
    join: &Join,
    room: &Room,
    reads: Option<Access>,
) -> Result<Vec<Stored>, Refusal> {
    let Some(wanted) = join.replay else { return Ok(vec![]) };
    let (since, limit) = match (reads, wanted) {
        (None, _) => return Err(Refusal::no_replay("Replay is not allowed for public channels")),
        (Some(reads), _) if !reads.broadcast => return Err(Refusal::unauthorized(&room.topic)),
        (Some(_), Replay::Unclear) => return Err(Refusal::no_replay("Replay params are not valid")),
        (Some(_), Replay::Since { since, limit }) => (since, limit),
    };
    let stored = service.store.replay(&room.topic, since, limit).await;
    stored.map_err(|_| Refusal::no_replay("Realtime was unable to replay messages"))
}

fn again(stored: &Stored, topic: &str) -> Message {
    let meta = json!({"id": stored.id, "replayed": true});
    let said = json!({"type": "broadcast", "event": stored.event, "payload": stored.payload, "meta": meta});
    Message::new(topic, "broadcast", said)
}
