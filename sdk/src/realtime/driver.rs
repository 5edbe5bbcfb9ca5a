//! Edge: the one task that owns the socket, the timers and the machines of a client's channels.
//!
//! It turns what happens into inputs of the machines ([`Socket`], one [`Membership`] a channel), and does what
//! they ask for. It holds the client weakly, and ends when the last handle is gone.
//!
//! Who we are is asked of the client's session whenever that may matter: when the connection opens, with each
//! heartbeat, when the session tells that it changed, and when the server says that a token is too old. The
//! session renews a token before it ends, so the server has the next one before that too.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;

use crate::auth::AuthEvent;
use crate::client::{Client, WeakClient};
use crate::error::{Error, ErrorKind};
use crate::realtime::binding;
use crate::realtime::change::Told;
use crate::realtime::channel::gone;
use crate::realtime::frame::{Frame, Head, Outgoing};
use crate::realtime::hub::{Order, Push, Shared};
use crate::realtime::line::{self, Event, Line};
use crate::realtime::membership::{self, Membership, Needs};
use crate::realtime::pushes::{Pushes, Waiting};
use crate::realtime::request::{self, Join};
use crate::realtime::room::Room;
use crate::realtime::socket::{self, Moment, Socket};
use crate::realtime::{Message, Options, Status, reply};
use crate::trace::random_fraction;

/// The topic of heartbeats.
const PHOENIX: &str = "phoenix";

type Asking = Pin<Box<dyn Future<Output = Result<Option<String>, Error>> + Send>>;

pub(super) struct Driver {
    client: WeakClient,
    options: Options,
    shared: Arc<Shared>,
    orders: mpsc::Receiver<Order>,
    session: broadcast::Receiver<AuthEvent>,
    /// When it began, by the clock that timers run by.
    start: Instant,
    socket: Socket,
    line: Line,
    members: BTreeMap<String, Member>,
    /// Who we are, as last answered; `None` before the first answer of a connection.
    token: Option<Result<Option<String>, Arc<Error>>>,
    asking: Option<Asking>,
    /// True if who we are is to be asked once more, since it may have changed meanwhile.
    ask_again: bool,
    /// Who waits for the answer to a leave that is about to be said, by topic.
    leaving: BTreeMap<String, oneshot::Sender<()>>,
    pushes: Pushes,
}

struct Member {
    room: Arc<Room>,
    membership: Membership,
    /// The server's id of each binding, since the last join.
    ids: Vec<Option<u64>>,
}

/// What happens.
enum Happening {
    Order(Order),
    Line(Event),
    Token(Result<Option<String>, Error>),
    /// Something happened to the session.
    Session,
    /// The client is gone, and its session with it.
    Over,
    Left,
    Time,
}

impl Driver {
    pub(super) fn new(
        client: &Client,
        options: Options,
        shared: Arc<Shared>,
        orders: mpsc::Receiver<Order>,
    ) -> Self {
        Self {
            client: client.downgrade(),
            options,
            shared,
            orders,
            session: client.authority().events(),
            start: Instant::now(),
            socket: Socket::new(options),
            line: Line::Down,
            members: BTreeMap::new(),
            token: None,
            asking: None,
            ask_again: false,
            leaving: BTreeMap::new(),
            pushes: Pushes::default(),
        }
    }

    /// Runs until the client is gone.
    pub(super) async fn run(mut self) {
        loop {
            let happening = self.next().await;
            let Some(client) = self.client.upgrade() else { break };
            if matches!(happening, Happening::Over) {
                break;
            }
            self.take(&client, happening);
        }
    }

    async fn next(&mut self) -> Happening {
        let due = self.due();
        let Self { orders, line, asking, session, shared, .. } = self;
        let token = std::future::poll_fn(|context| match asking {
            Some(asking) => asking.as_mut().poll(context),
            None => Poll::Pending,
        });
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = orders.recv() => order.map_or(Happening::Over, Happening::Order),
            event = line.next() => Happening::Line(event),
            answer = token => Happening::Token(answer),
            event = session.recv() => match event {
                Err(RecvError::Closed) => Happening::Over,
                Ok(_) | Err(RecvError::Lagged(_)) => Happening::Session,
            },
            () = shared.left.notified() => Happening::Left,
            () = timer => Happening::Time,
        }
    }

    /// When something is to be done next, if nothing happens.
    fn due(&self) -> Option<Instant> {
        let members = self.members.values().filter_map(|member| member.membership.deadline());
        let due = self.socket.deadline().into_iter().chain(members).chain(self.pushes.deadline()).min()?;
        // None for a time nobody lives to see.
        self.start.checked_add(due)
    }

    fn take(&mut self, client: &Client, happening: Happening) {
        let now =
            Moment { at: self.start.elapsed(), wall: client.authority().now(), random: random_fraction() };
        match happening {
            Happening::Order(order) => self.obey(client, now, order),
            Happening::Line(Event::Opened) => {
                self.drive(client, now, socket::Input::Opened);
                self.ask(client, None);
            }
            Happening::Line(Event::Failed(error)) => self.drive(client, now, socket::Input::Failed(error)),
            Happening::Line(Event::Noise) => self.drive(client, now, socket::Input::Heard),
            Happening::Line(Event::Frame(frame)) => {
                self.drive(client, now, socket::Input::Heard);
                // Machines that woke from a nap have given the connection up, and what came over it.
                if self.socket.is_open() {
                    self.hear(client, now, &frame);
                }
            }
            Happening::Token(answer) => self.introduce(client, now, answer),
            Happening::Session => self.ask(client, None),
            Happening::Over => {}
            Happening::Left => {
                let gone: Vec<String> = self
                    .members
                    .iter()
                    .filter(|(_, member)| member.room.is_abandoned())
                    .map(|(topic, _)| topic.clone())
                    .collect();
                gone.into_iter().for_each(|topic| self.leave(client, now, &topic, None));
            }
            Happening::Time => self.look(client, now),
        }
    }

    fn obey(&mut self, client: &Client, now: Moment, order: Order) {
        match order {
            Order::Join(room) => {
                let broadcast = &room.config().broadcast;
                let needs = Needs {
                    changes: !room.config().postgres_changes.is_empty(),
                    replication: broadcast.replication_ready,
                };
                let membership = Membership::new(needs, self.options);
                let topic = room.topic.clone();
                // One of that topic that everybody left, and that was not looked at since.
                self.leave(client, now, &topic, None);
                self.members.insert(topic, Member { room, membership, ids: Vec::new() });
                self.drive(client, now, socket::Input::Wanted);
                if self.socket.is_open() {
                    // Somebody may have signed in a moment ago; who we are is asked before the join.
                    self.ask(client, None);
                }
            }
            Order::Leave { topic, done } => self.leave(client, now, &topic, Some(done)),
            Order::Push { topic, push, done } => self.push(now, &topic, push, done),
            Order::Connect => {
                self.drive(client, now, socket::Input::Wanted);
                self.drive_away_if_idle(client, now);
            }
            Order::Disconnect => self.drive(client, now, socket::Input::Disconnect),
        }
    }

    fn look(&mut self, client: &Client, now: Moment) {
        self.drive(client, now, socket::Input::Timer);
        let due: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| member.membership.deadline().is_some_and(|due| now.at >= due))
            .map(|(topic, _)| topic.clone())
            .collect();
        due.into_iter().for_each(|topic| self.tell(client, now, &topic, membership::Input::Timer));
        self.pushes.give_up(now.at);
    }

    /// Gives the socket's machine an input, and does what it asks for.
    fn drive(&mut self, client: &Client, now: Moment, input: socket::Input) {
        for command in self.socket.handle(now, input) {
            match command {
                socket::Command::Open => {
                    let client = client.clone();
                    let limit = self.options.patience;
                    self.line = Line::Opening(Box::pin(async move {
                        let request = request::websocket(client.api_key());
                        let opening = async { Ok(line::open(client.websocket(request).await?).await) };
                        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| {
                            Err(Error::new(ErrorKind::Timeout, "the connection took too long to open"))
                        })
                    }));
                }
                socket::Command::Close => (self.line, self.token) = (Line::Down, None),
                socket::Command::Lost(error) => self.lose(client, now, &error),
                socket::Command::Beat(reference) => {
                    let head = Head { join_reference: None, reference, topic: PHOENIX, event: "heartbeat" };
                    self.send(head.text(&json!({})));
                    self.ask(client, None);
                }
                socket::Command::Connection(connection) => {
                    tracing::debug!(?connection, "realtime");
                    self.shared.connection.send_replace(connection);
                }
                socket::Command::Heartbeat(heartbeat) => {
                    // Nobody may be looking.
                    self.shared.heartbeats.send(heartbeat).ok();
                }
            }
        }
    }

    /// Tells everybody that there is no connection.
    fn lose(&mut self, client: &Client, now: Moment, error: &Arc<Error>) {
        self.pushes.lose();
        let topics: Vec<String> = self.members.keys().cloned().collect();
        for topic in topics {
            self.tell(client, now, &topic, membership::Input::Lost(error.clone()));
        }
    }

    /// Gives a channel's machine an input, and does what it asks for.
    fn tell(&mut self, client: &Client, now: Moment, topic: &str, input: membership::Input) {
        let Some(member) = self.members.get_mut(topic) else { return };
        let was = member.membership.join_reference();
        let commands = member.membership.handle(now, input, &mut || self.socket.next_reference());
        let room = member.room.clone();
        for command in commands {
            match command {
                membership::Command::Join { reference } => self.join(client, now, &room, reference),
                membership::Command::Leave => self.say_leave(now, &room.topic, was),
                membership::Command::RenewToken => {
                    let stale = self.token.as_ref().and_then(|token| token.as_ref().ok().cloned().flatten());
                    self.ask(client, stale);
                }
                membership::Command::Bind(bound) => {
                    if let Some(member) = self.members.get_mut(topic) {
                        member.ids = binding::assign(&room.config().postgres_changes, &bound);
                    }
                }
                membership::Command::Joined => {
                    room.roster().joined();
                    if room.tracked().is_some() {
                        self.say_tracked(&room, None, now);
                    }
                }
                membership::Command::Gap(gap) => room.tell_gap(&gap),
                membership::Command::Status(status) => {
                    tracing::debug!(topic = room.topic, ?status, "channel");
                    room.status.send_replace(status);
                }
            }
        }
        if self.members.get(topic).is_some_and(|member| member.membership.is_over()) {
            self.members.remove(topic);
            room.end();
            self.drive_away_if_idle(client, now);
        }
    }

    fn drive_away_if_idle(&mut self, client: &Client, now: Moment) {
        if self.members.is_empty() {
            self.drive(client, now, socket::Input::Unwanted);
        }
    }

    fn join(&mut self, client: &Client, now: Moment, room: &Arc<Room>, reference: u64) {
        let access_token = match &self.token {
            Some(Ok(token)) => token.as_deref(),
            Some(Err(error)) => {
                let error = error.clone();
                self.ask(client, None);
                return self.tell(client, now, &room.topic, membership::Input::NoToken(error));
            }
            None => None, // the connection is known to be ours only once it was answered who we are
        };
        let join = Join { config: room.config(), access_token };
        let head = Head { join_reference: Some(reference), reference, topic: &room.topic, event: "phx_join" };
        let frame = head.text(&join);
        self.send(frame);
    }

    fn leave(&mut self, client: &Client, now: Moment, topic: &str, done: Option<oneshot::Sender<()>>) {
        if let Some(done) = done {
            self.leaving.insert(topic.to_owned(), done);
        }
        self.tell(client, now, topic, membership::Input::Leave);
        // Where nothing had to be said, whoever waits for an answer need not.
        self.leaving.remove(topic);
    }

    fn say_leave(&mut self, now: Moment, topic: &str, join_reference: Option<u64>) {
        let reference = self.socket.next_reference();
        let head = Head { join_reference, reference, topic, event: "phx_leave" };
        self.send(head.text(&json!({})));
        if let Some(done) = self.leaving.remove(topic) {
            self.expect(now, reference, topic, Waiting::Leaver(done));
        }
    }

    fn push(&mut self, now: Moment, topic: &str, push: Push, done: oneshot::Sender<Result<(), Error>>) {
        let Some(member) = self.members.get(topic) else { return drop(done.send(Err(gone()))) };
        let (room, join_reference) = (member.room.clone(), member.membership.joined());
        match (push, join_reference) {
            (Push::Track, None) => drop(done.send(Ok(()))), // said with the next join
            (Push::Track, Some(_)) => self.say_tracked(&room, Some(done), now),
            (Push::Broadcast { .. }, None) => {
                let away = Error::new(ErrorKind::Unreachable, "the channel is not joined now");
                drop(done.send(Err(away.undone())));
            }
            (Push::Broadcast { event, payload }, Some(_)) => {
                let reference = self.socket.next_reference();
                let head = Head { join_reference, reference, topic, event: &event };
                let sent = head.broadcast(&payload).and_then(|frame| self.transmit(frame));
                match sent {
                    Ok(()) if room.config().broadcast.ack => {
                        self.expect(now, reference, topic, Waiting::Sender(done))
                    }
                    sent => drop(done.send(sent)),
                }
            }
        }
    }

    /// Says what we say of ourselves: that, or that it is nothing any more.
    fn say_tracked(
        &mut self,
        room: &Arc<Room>,
        done: Option<oneshot::Sender<Result<(), Error>>>,
        now: Moment,
    ) {
        let Some(member) = self.members.get(&room.topic) else { return };
        let join_reference = member.membership.joined();
        let reference = self.socket.next_reference();
        let head = Head { join_reference, reference, topic: &room.topic, event: "presence" };
        let tracked = room.tracked().clone();
        let frame = match tracked {
            Some(state) => head.text(&Track { kind: "presence", event: "track", payload: Some(&state) }),
            None => head.text(&Track { kind: "presence", event: "untrack", payload: None }),
        };
        let sent = frame.and_then(|frame| self.transmit(frame));
        match (sent, done) {
            (Ok(()), Some(done)) => self.expect(now, reference, &room.topic, Waiting::Tracker(done)),
            (sent, Some(done)) => drop(done.send(sent)),
            (_, None) => {} // the connection that does not take it is about to be lost
        }
    }

    fn expect(&mut self, now: Moment, reference: u64, topic: &str, waiting: Waiting) {
        self.pushes.expect(reference, topic, now.at + self.options.patience, waiting);
    }

    fn transmit(&mut self, frame: Outgoing) -> Result<(), Error> {
        let full = || Error::new(ErrorKind::Busy, "the connection takes no more now").undone();
        if self.line.send(frame) { Ok(()) } else { Err(full()) }
    }

    /// Sends what is ours to send. A line that takes no more is as good as dead: its heartbeat will tell.
    fn send(&mut self, frame: Result<Outgoing, Error>) {
        if let Err(error) = frame.and_then(|frame| self.transmit(frame)) {
            tracing::debug!(%error, "a frame was not sent");
        }
    }

    fn hear(&mut self, client: &Client, now: Moment, frame: &Frame) {
        let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<u64>().ok());
        let reference = number(&frame.reference);
        if frame.topic == PHOENIX {
            if let Some(reference) = reference {
                self.drive(client, now, socket::Input::Answered(reference));
            }
            return;
        }
        if let Some(reference) = reference.filter(|reference| self.pushes.awaits(*reference, &frame.topic))
            && frame.event == "phx_reply"
        {
            return self.pushes.settle(reference, reply::answer(frame).map(drop));
        }
        let Some(member) = self.members.get_mut(&frame.topic) else { return };
        let older = number(&frame.join_reference);
        if older.is_some() && older != member.membership.join_reference() {
            return;
        }
        let room = member.room.clone();
        let input = match &*frame.event {
            "phx_reply" => {
                let Some(reference) = reference else { return };
                membership::Input::Reply { reference, answer: reply::answer(frame) }
            }
            "phx_close" | "phx_error" => membership::Input::Dismissed,
            "system" => {
                let Some((part, outcome)) = reply::system(frame) else { return };
                membership::Input::System { part, outcome }
            }
            "postgres_changes" => {
                if let Some(told) = Told::read(frame) {
                    room.tell_change(&Arc::new(told), &member.ids);
                }
                return;
            }
            "broadcast" => {
                return Message::read(frame).iter().for_each(|message| room.tell_broadcast(message));
            }
            "presence_state" => {
                let events = room.roster().state(frame);
                return room.tell_presence(&events);
            }
            "presence_diff" => {
                let events = room.roster().difference(frame);
                return room.tell_presence(&events);
            }
            _ => return, // an event of another version
        };
        self.tell(client, now, &frame.topic, input);
    }

    /// Asks who we are; where a token is named that the server calls stale, for another one.
    fn ask(&mut self, client: &Client, stale: Option<String>) {
        if !self.socket.is_open() {
            return;
        }
        if self.asking.is_some() && stale.is_none() {
            self.ask_again = true;
            return;
        }
        let client = client.clone();
        self.asking = Some(Box::pin(async move {
            if let Some(stale) = stale {
                client.authority().renew_stale(&client, &stale).await;
            }
            client.authority().bearer(&client).await
        }));
    }

    /// Takes the answer to who we are: tells the server of it, and joins what waited for it.
    fn introduce(&mut self, client: &Client, now: Moment, answer: Result<Option<String>, Error>) {
        self.asking = None;
        if std::mem::take(&mut self.ask_again) {
            self.ask(client, None);
        }
        if !self.socket.is_open() {
            return;
        }
        let answer = answer.map_err(Arc::new);
        let before = self.token.replace(answer.clone());
        let topics: Vec<String> = self.members.keys().cloned().collect();
        for topic in topics {
            match &answer {
                Err(error) => self.tell(client, now, &topic, membership::Input::NoToken(error.clone())),
                Ok(token) => {
                    match (before.as_ref().and_then(|before| before.as_ref().ok()), token) {
                        (Some(before), Some(token)) if before.as_ref() != Some(token) => {
                            self.say_token(&topic, token);
                        }
                        // Nobody is signed in any more: what they might see is not for whoever is here now.
                        (Some(Some(_)), None) => {
                            self.tell(client, now, &topic, membership::Input::Rejoin);
                        }
                        _ => {} // nothing new, or nothing was said yet
                    }
                    self.tell(client, now, &topic, membership::Input::Opened);
                    self.tell(client, now, &topic, membership::Input::Renewed);
                }
            }
        }
    }

    fn say_token(&mut self, topic: &str, token: &str) {
        let Some(join_reference) = self.members.get(topic).and_then(|member| member.membership.joined())
        else {
            return;
        };
        let reference = self.socket.next_reference();
        let head = Head { join_reference: Some(join_reference), reference, topic, event: "access_token" };
        self.send(head.text(&json!({ "access_token": token })));
    }
}

/// However it ends, whoever listens is told: the client may be gone, or the runtime.
impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.connection.send_replace(socket::Connection::Idle);
        for member in self.members.values() {
            member.room.status.send_replace(Status::Left);
            member.room.end();
        }
    }
}

/// A push about ourselves.
#[derive(serde::Serialize)]
struct Track<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a serde_json::value::RawValue>,
}
