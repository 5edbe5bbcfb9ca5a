//! Who is where: the rooms of one project, and what everybody in them is sent.
//!
//! A topic has two rooms: who joined it as private and who did not never meet. Everything a member is sent
//! goes through one queue, its socket's, so what was said first arrives first.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rand::{RngExt as _, distr::Alphanumeric};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};

use super::{
    frame::{Body, Message},
    presence::Presence,
    subscription::Subscription,
};

/// A joined channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MemberId(pub(super) u64);

/// A topic, as who joined it as private knows it, or as the others do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Room {
    /// Without `realtime:`.
    pub(super) topic: String,
    pub(super) is_private: bool,
}

/// What a socket is to do.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Send this.
    Send(Box<Message>),
    /// End a channel of this topic, or all, and say why.
    Dismiss { topic: Option<String>, reason: String },
    /// Say that a channel of this topic, or all, crashed.
    Crash { topic: Option<String> },
    /// End the connection in this way.
    End(Ending),
}

/// How a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// Without a word.
    Cut,
    /// With a code and a reason.
    Close { code: u16, reason: String },
}

/// The queue of a socket.
pub(super) type Outbox = mpsc::UnboundedSender<Order>;

/// A channel that is about to join.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) room: Room,
    pub(super) outbox: Outbox,
    pub(super) hears: Hearing,
    /// What it was sent again when it joined, and is not sent a third time.
    pub(super) replayed: HashSet<String>,
}

/// What a member may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hearing {
    pub(super) broadcasts: bool,
    pub(super) presence: bool,
}

/// Somebody who wants to hear of changes, and whose rights decide of which.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    pub(super) member: MemberId,
    pub(super) role: String,
    pub(super) claims: String,
    pub(super) subscriptions: Vec<Subscription>,
}

/// Everybody who is connected to one project.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    /// How many channels are joined.
    joined: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    sockets: HashMap<u64, Outbox>,
    members: BTreeMap<MemberId, Member>,
    listeners: BTreeMap<MemberId, Listener>,
    presence: HashMap<Room, Presence>,
}

impl Room {
    /// The topic as frames have it.
    pub(super) fn full_topic(&self) -> String {
        format!("realtime:{}", self.topic)
    }
}

impl Hub {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), joined: watch::Sender::new(0) }
    }

    /// How many channels are joined, as it changes.
    pub(super) fn joined(&self) -> watch::Receiver<usize> {
        self.joined.subscribe()
    }

    /// Takes a socket in, so that it can be told to end.
    pub(super) fn connect(&self, outbox: Outbox) -> u64 {
        let mut state = self.lock();
        let socket = state.number();
        state.sockets.insert(socket, outbox);
        socket
    }

    /// Forgets a socket. Its channels leave by themselves.
    pub(super) fn disconnect(&self, socket: u64) {
        self.lock().sockets.remove(&socket);
    }

    /// Tells every socket.
    pub(super) fn order_all(&self, order: &Order) {
        for outbox in self.lock().sockets.values() {
            let _ = outbox.send(order.clone());
        }
    }

    /// Lets a channel in: between what it is greeted with and what comes after, nothing is missed. Who is
    /// there is told last.
    pub(super) fn join(&self, member: Member, greeting: Vec<Message>, state_to: Option<&Value>) -> MemberId {
        let mut state = self.lock();
        let id = MemberId(state.number());
        let there = state_to.map(|join_ref| state.presence_state(&member.room).within(join_ref));
        for message in greeting.into_iter().chain(there) {
            member.send(message);
        }
        state.members.insert(id, member);
        self.joined.send_replace(state.members.len());
        id
    }

    /// Lets a channel go, and tells the others.
    pub(super) fn leave(&self, id: MemberId) {
        let mut state = self.lock();
        let Some(member) = state.members.remove(&id) else { return };
        state.listeners.remove(&id);
        state.forget(&member.room, id);
        self.joined.send_replace(state.members.len());
    }

    /// Changes what a member may be sent.
    pub(super) fn hear(&self, id: MemberId, hears: Hearing) {
        if let Some(member) = self.lock().members.get_mut(&id) {
            member.hears = hears;
        }
    }

    /// From now on a member hears of changes; whoever left does not.
    pub(super) fn listen(&self, listener: Listener) {
        let mut state = self.lock();
        if state.members.contains_key(&listener.member) {
            state.listeners.insert(listener.member, listener);
        }
    }

    /// A member no longer hears of changes.
    pub(super) fn stop_listening(&self, id: MemberId) {
        self.lock().listeners.remove(&id);
    }

    /// Everybody who hears of changes.
    pub(super) fn listeners(&self) -> Vec<Listener> {
        self.lock().listeners.values().cloned().collect()
    }

    /// Sends something to one member.
    pub(super) fn send(&self, id: MemberId, message: impl FnOnce(&Room) -> Message) {
        if let Some(member) = self.lock().members.get(&id) {
            member.send(message(&member.room));
        }
    }

    /// Sends a broadcast to everybody in a room who may hear it, but for `except`.
    pub(super) fn broadcast(&self, room: &Room, body: &Body, except: Option<MemberId>) {
        self.spread(room, body, |id, member| Some(id) != except && member.hears.broadcasts);
    }

    /// The same for one the database keeps under this id.
    pub(super) fn broadcast_stored(&self, room: &Room, body: &Body, stored: &str) {
        self.spread(room, body, |_, member| member.hears.broadcasts && !member.replayed.contains(stored));
    }

    fn spread(&self, room: &Room, body: &Body, may_hear: impl Fn(MemberId, &Member) -> bool) {
        let topic = room.full_topic();
        let message = Message { body: body.clone(), ..Message::new(&topic, "broadcast", Value::Null) };
        for (id, member) in &self.lock().members {
            if member.room == *room && may_hear(*id, member) {
                member.send(message.clone());
            }
        }
    }

    /// Takes what a member says of itself, and tells the room what is new.
    pub(super) fn track(&self, id: MemberId, room: &Room, key: &str, said: Map<String, Value>) {
        let mut state = self.lock();
        // Whoever left while this was on its way would be there for ever.
        if !state.members.contains_key(&id) {
            return;
        }
        let reference = rand::rng().sample_iter(Alphanumeric).take(14).map(char::from).collect();
        let presence = state.presence.entry(room.clone()).or_default();
        if let Some(diff) = presence.track(id, key, reference, said) {
            state.tell(room, &diff);
        }
    }

    /// Takes back what a member said of itself.
    pub(super) fn untrack(&self, id: MemberId, room: &Room) {
        self.lock().forget(room, id);
    }

    /// Tells one member who is there.
    pub(super) fn sync(&self, id: MemberId, join_ref: &Value) {
        let state = self.lock();
        if let Some(member) = state.members.get(&id) {
            member.send(state.presence_state(&member.room).within(join_ref));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    fn send(&self, message: Message) {
        // A socket that is gone takes its channels along in a moment.
        let _ = self.outbox.send(Order::Send(Box::new(message)));
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn presence_state(&self, room: &Room) -> Message {
        let state = self.presence.get(room).map_or_else(|| Map::new().into(), Presence::state);
        Message::new(&room.full_topic(), "presence_state", state)
    }

    fn forget(&mut self, room: &Room, id: MemberId) {
        let Some(presence) = self.presence.get_mut(room) else { return };
        let diff = presence.untrack(id);
        if presence.is_empty() {
            self.presence.remove(room);
        }
        if let Some(diff) = diff {
            self.tell(room, &diff);
        }
    }

    fn tell(&self, room: &Room, diff: &Value) {
        let topic = room.full_topic();
        for member in self.members.values().filter(|member| member.room == *room && member.hears.presence) {
            member.send(Message::new(&topic, "presence_diff", diff.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Inbox = mpsc::UnboundedReceiver<Order>;

    fn enter(hub: &Hub, is_private: bool, hears: Hearing) -> (MemberId, Room, Inbox) {
        let (outbox, inbox) = mpsc::unbounded_channel();
        let room = Room { topic: "a".to_owned(), is_private };
        let member = Member { room: room.clone(), outbox, hears, replayed: HashSet::from(["m".to_owned()]) };
        (hub.join(member, vec![], None), room, inbox)
    }

    fn events(inbox: &mut Inbox) -> Vec<&'static str> {
        std::iter::from_fn(|| inbox.try_recv().ok())
            .map(|order| match order {
                Order::Send(message) => message.event,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    const ALL: Hearing = Hearing { broadcasts: true, presence: true };

    #[test]
    fn a_broadcast_reaches_its_room_and_who_may_hear_it() {
        let hub = Hub::new();
        let (ana, room, mut to_ana) = enter(&hub, false, ALL);
        let (_, _, mut to_ben) = enter(&hub, false, ALL);
        let (_, _, mut to_deaf) = enter(&hub, false, Hearing { broadcasts: false, presence: true });
        let (_, _, mut to_private) = enter(&hub, true, ALL);
        hub.broadcast(&room, &Body::Json(json!({})), Some(ana));
        assert_eq!((events(&mut to_ana), events(&mut to_ben)), (vec![], vec!["broadcast"]));
        assert_eq!((events(&mut to_deaf), events(&mut to_private)), (vec![], vec![]));
        hub.broadcast_stored(&room, &Body::Json(json!({})), "m");
        assert_eq!(events(&mut to_ben), Vec::<&str>::new(), "it was replayed");
    }

    #[test]
    fn who_leaves_is_missed() {
        let hub = Hub::new();
        let (ana, room, _) = enter(&hub, false, ALL);
        let (_, _, mut to_ben) = enter(&hub, false, ALL);
        hub.track(ana, &room, "ana", Map::new());
        hub.leave(ana);
        hub.track(ana, &room, "ana", Map::new());
        assert_eq!(events(&mut to_ben), ["presence_diff", "presence_diff"]);
        assert_eq!(*hub.joined().borrow(), 1);
    }
}
