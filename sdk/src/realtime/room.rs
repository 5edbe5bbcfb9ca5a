//! What the handles of a channel, its listeners and the driver share.
//!
//! A channel lives as long as somebody holds a handle or a listener of it: the last one to go leaves it.
//! No lock here is held while anything waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::client::Client;
use crate::realtime::binding::{Kind, is_for};
use crate::realtime::change::Told;
use crate::realtime::presence::Roster;
use crate::realtime::queue::{Item, Queue};
use crate::realtime::request::Config;
use crate::realtime::{Gap, Message, Presence, Status};

/// One channel, as everybody who has to do with it sees it.
pub(super) struct Room {
    /// As it is on the wire, with its `realtime:`.
    pub(super) topic: String,
    /// What is asked for; settled when it is joined.
    config: OnceLock<Config>,
    pub(super) status: watch::Sender<Status>,
    listeners: Mutex<Listeners>,
    roster: Mutex<Roster>,
    /// What we say of ourselves, to be said again after each join.
    tracked: Mutex<Option<Box<RawValue>>>,
    /// True once nobody holds it any more.
    abandoned: AtomicBool,
}

#[derive(Default)]
struct Listeners {
    /// With the place of each one's binding in the join.
    changes: Vec<(usize, Arc<Queue<Arc<Told>>>)>,
    /// With the event each one listens to; all of them if none.
    broadcasts: Vec<(Option<String>, Arc<Queue<Message>>)>,
    presence: Vec<Arc<Queue<Presence>>>,
}

impl Room {
    pub(super) fn new(topic: String) -> Self {
        Self {
            topic,
            config: OnceLock::new(),
            status: watch::Sender::new(Status::Joining),
            listeners: Mutex::default(),
            roster: Mutex::default(),
            tracked: Mutex::default(),
            abandoned: AtomicBool::default(),
        }
    }

    /// Settles what is asked for, once.
    pub(super) fn settle(&self, config: Config) {
        self.config.set(config).ok();
    }

    pub(super) fn config(&self) -> &Config {
        self.config.get_or_init(Config::default)
    }

    pub(super) fn listen_to_changes(&self, binding: usize, queue: Arc<Queue<Arc<Told>>>) {
        self.listeners().changes.push((binding, queue));
    }

    pub(super) fn listen_to_broadcasts(&self, event: Option<String>, queue: Arc<Queue<Message>>) {
        self.listeners().broadcasts.push((event, queue));
    }

    pub(super) fn listen_to_presence(&self, queue: Arc<Queue<Presence>>) {
        self.listeners().presence.push(queue);
    }

    /// Hands a change to whom it is for. One that is not told in full is a gap.
    pub(super) fn tell_change(&self, told: &Arc<Told>, ids: &[Option<u64>]) {
        let (kind, commit): (Kind, _) = (told.kind, &told.commit);
        for (binding, queue) in &self.listeners().changes {
            let Some(shape) = self.config().postgres_changes.get(*binding) else { continue };
            let id = ids.get(*binding).copied().flatten();
            if is_for((shape, id), &told.ids, (kind, &commit.schema, &commit.table)) {
                queue.push(match told.errors.is_empty() {
                    true => Item::News(told.clone()),
                    false => Item::Gap(Gap::Incomplete { reasons: told.errors.clone() }),
                });
            }
        }
    }

    pub(super) fn tell_broadcast(&self, message: &Message) {
        let listeners = self.listeners();
        let listening = listeners
            .broadcasts
            .iter()
            .filter(|(event, _)| event.as_ref().is_none_or(|event| *event == message.event));
        listening.for_each(|(_, queue)| queue.push(Item::News(message.clone())));
    }

    pub(super) fn tell_presence(&self, events: &[Presence]) {
        for queue in &self.listeners().presence {
            events.iter().for_each(|event| queue.push(Item::News(event.clone())));
        }
    }

    /// Tells of a gap to whom it concerns. Who is there is told anew anyway.
    pub(super) fn tell_gap(&self, gap: &Gap) {
        let listeners = self.listeners();
        listeners.changes.iter().for_each(|(_, queue)| queue.push(Item::Gap(gap.clone())));
        if *gap == Gap::Rejoined {
            listeners.broadcasts.iter().for_each(|(_, queue)| queue.push(Item::Gap(gap.clone())));
        }
    }

    /// Says that nothing comes any more.
    pub(super) fn end(&self) {
        let mut listeners = self.listeners();
        let Listeners { changes, broadcasts, presence } = &mut *listeners;
        changes.drain(..).for_each(|(_, queue)| queue.end());
        broadcasts.drain(..).for_each(|(_, queue)| queue.end());
        presence.drain(..).for_each(|queue| queue.end());
    }

    pub(super) fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tracked(&self) -> MutexGuard<'_, Option<Box<RawValue>>> {
        self.tracked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// The listeners that still listen.
    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.changes.retain(|(_, queue)| !queue.is_abandoned());
        listeners.broadcasts.retain(|(_, queue)| !queue.is_abandoned());
        listeners.presence.retain(|queue| !queue.is_abandoned());
        listeners
    }
}

/// The right to be in a room. Handles and listeners share it; the last one to go leaves.
pub(super) struct Ticket {
    pub(super) client: Client,
    pub(super) room: Arc<Room>,
}

impl Ticket {
    /// True if nothing comes any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.room.status.borrow(), Status::Stopped(_) | Status::Left)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.room.abandoned.store(true, Ordering::Release);
        self.client.hub().wake();
    }
}
