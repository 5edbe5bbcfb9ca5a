//! What a client's handles and its driver share: the way to the driver, and what is known of the connection.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::{Stream, stream};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::realtime::driver::Driver;
use crate::realtime::room::{Room, Ticket};
use crate::realtime::{Connection, Heartbeat, Options, Payload};

/// How many orders wait for the driver; who has another one waits too.
const ORDERS: usize = 1_024;
/// How many heartbeats an observer may fall behind.
const HEARTBEATS: usize = 16;

/// Something that changes, each time it does, beginning with how it is now.
pub type Watched<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

/// What the driver is asked to do.
pub(super) enum Order {
    Join(Arc<Room>),
    Leave { topic: String, done: oneshot::Sender<()> },
    Push { topic: String, push: Push, done: oneshot::Sender<Result<(), Error>> },
    Connect,
    Disconnect,
}

/// What is said on a channel.
pub(super) enum Push {
    Broadcast {
        event: String,
        payload: Payload,
    },
    /// What is tracked changed.
    Track,
}

/// What a client's handles and its driver share.
pub(crate) struct Hub {
    pub(super) options: Options,
    orders: Mutex<Option<mpsc::Sender<Order>>>,
    pub(super) shared: Arc<Shared>,
    rooms: Mutex<BTreeMap<String, Weak<Ticket>>>,
    /// How many channels were named by us.
    named: AtomicU64,
}

/// What the driver tells everybody.
pub(super) struct Shared {
    pub(super) connection: watch::Sender<Connection>,
    pub(super) heartbeats: broadcast::Sender<Heartbeat>,
    /// Somebody left without a word.
    pub(super) left: Notify,
}

impl Hub {
    pub(crate) fn new(options: Options) -> Self {
        let shared = Shared {
            connection: watch::Sender::new(Connection::Idle),
            heartbeats: broadcast::Sender::new(HEARTBEATS),
            left: Notify::new(),
        };
        Self {
            options,
            orders: Mutex::default(),
            shared: Arc::new(shared),
            rooms: Mutex::default(),
            named: AtomicU64::new(0),
        }
    }

    /// The way to the driver, which is started where there is none yet.
    pub(super) fn orders(&self, client: &Client) -> Result<mpsc::Sender<Order>, Error> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = orders.as_ref().filter(|orders| !orders.is_closed()) {
            return Ok(orders.clone());
        }
        let runtime = tokio::runtime::Handle::try_current().map_err(|source| {
            Error::new(ErrorKind::Config, "a channel needs a Tokio runtime to live in").with_source(source)
        })?;
        let (sender, receiver) = mpsc::channel(ORDERS);
        // It ends with the last handle: its way to us is then closed, and it holds no client.
        runtime.spawn(Driver::new(client, self.options, self.shared.clone(), receiver).run());
        *orders = Some(sender.clone());
        Ok(sender)
    }

    /// The way to a driver that is there.
    pub(super) fn running(&self) -> Option<mpsc::Sender<Order>> {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.clone().filter(|orders| !orders.is_closed())
    }

    /// Notes a channel that is joined; refused where its topic is taken.
    pub(super) fn enter(&self, ticket: &Arc<Ticket>) -> Result<(), Error> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let is_taken = |known: &Weak<Ticket>| known.upgrade().is_some_and(|known| !known.is_over());
        if rooms.get(&ticket.room.topic).is_some_and(is_taken) {
            let message =
                "this client is in a channel of that topic already; take that one, or leave it first";
            return Err(Error::new(ErrorKind::Conflict, message).undone());
        }
        rooms.retain(|_, room| room.strong_count() > 0);
        rooms.insert(ticket.room.topic.clone(), Arc::downgrade(ticket));
        Ok(())
    }

    /// The channels that are joined.
    pub(super) fn rooms(&self) -> Vec<Arc<Ticket>> {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> = rooms.values().filter_map(Weak::upgrade).collect();
        drop(rooms);
        known.into_iter().filter(|ticket| !ticket.is_over()).collect()
    }

    /// A number for a channel's name that no other has.
    pub(super) fn next_number(&self) -> u64 {
        self.named.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Has the driver see who left.
    pub(super) fn wake(&self) {
        self.shared.left.notify_one();
    }
}

/// A watch as a stream.
pub(super) fn watched<T: Clone + Send + Sync + 'static>(watch: watch::Receiver<T>) -> Watched<T> {
    Box::pin(stream::unfold((watch, true), |(mut watch, first)| async move {
        if !first {
            watch.changed().await.ok()?;
        }
        let value = watch.borrow_and_update().clone();
        Some((value, (watch, false)))
    }))
}
