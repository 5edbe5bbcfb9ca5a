//! A channel that is to be joined: what is asked for, and who listens.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::realtime::channel::{PREFIX, post};
use crate::realtime::feed::{Broadcasts, Changes, Feed, Presences};
use crate::realtime::hub::Order;
use crate::realtime::queue::Queue;
use crate::realtime::request::{Config, broadcast};
use crate::realtime::room::{Room, Ticket};
use crate::realtime::{Binding, Channel, Payload, Replay, Status};

/// A channel that is to be joined. From [`Client::channel`].
///
/// What is to be listened to is said first, since the server is asked for it with the join:
///
/// ```no_run
/// # use serde::{Deserialize, Serialize};
/// # use supabase_sdk::{Client, Error, Table};
/// use supabase_sdk::realtime::{Binding, Change};
/// # #[derive(Debug, Serialize, Deserialize, Table)]
/// # #[table(name = "bookings")]
/// # struct Booking { #[table(key)] id: i64, owner_id: i64 }
/// # async fn run(client: Client) -> Result<(), Error> {
/// let mut room = client.channel("room1").private().broadcast_self();
/// let mut bookings = room.on_changes(Binding::<Booking>::all().filter(Booking::OWNER_ID.eq(1_i64)));
/// let mut cursors = room.on_broadcast("cursor");
/// let room = room.subscribe().await?;                                // live from here on
/// room.send("cursor", &serde_json::json!({ "x": 1 })).await?;
/// while let Some(change) = bookings.next().await {
///     match change? {
///         Change::Inserted { row, .. } | Change::Updated { row, .. } => println!("{row:?}"),
///         Change::Deleted { old, .. } => println!("{:?} is gone", old.get(Booking::ID)?),
///         Change::Gap(gap) => println!("fetch again: {gap}"),
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is joined before subscribe or join"]
pub struct NewChannel {
    client: Client,
    config: Config,
    capacity: usize,
    fault: Option<&'static str>,
    seat: Seat,
}

/// A ticket nobody has used yet. If nobody does, listeners that were handed out end.
struct Seat {
    ticket: Arc<Ticket>,
    taken: bool,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.taken {
            self.ticket.room.status.send_replace(Status::Left);
            self.ticket.room.end();
        }
    }
}

impl NewChannel {
    pub(crate) fn new(client: Client, topic: String) -> Self {
        let topic = match topic.starts_with(PREFIX) {
            true => topic,
            false => PREFIX.to_owned() + &topic,
        };
        let fault =
            (topic.len() > 255 || topic == PREFIX).then_some("a topic has a name, of at most 246 bytes");
        let room = Arc::new(Room::new(topic));
        let capacity = client.hub().options.queue;
        let ticket = Arc::new(Ticket { client: client.clone(), room });
        Self { client, config: Config::default(), capacity, fault, seat: Seat { ticket, taken: false } }
    }

    /// Has policies on `realtime.messages` decide who may hear and say what here.
    pub fn private(mut self) -> Self {
        self.config.private = true;
        self
    }

    /// Hears our own broadcasts too.
    pub fn broadcast_self(mut self) -> Self {
        self.config.broadcast.own = true;
        self
    }

    /// Has the server confirm each broadcast of ours: [`Channel::send`] then waits for that.
    pub fn broadcast_ack(mut self) -> Self {
        self.config.broadcast.ack = true;
        self
    }

    /// Hears broadcasts of before the join again. Private channels only. A rejoin asks for the same once more:
    /// a [`Message::id`](crate::realtime::Message::id) tells what was heard already.
    pub fn replay(mut self, replay: Replay) -> Self {
        self.config.broadcast.replay = Some(replay);
        self
    }

    /// Is live only once the server hears what the database broadcasts. For listeners to broadcasts that are
    /// sent in SQL; else the first of them may be missed.
    pub fn replication_ready(mut self) -> Self {
        self.config.broadcast.replication_ready = true;
        self
    }

    /// Is known by this key among those who are there; by one the server chooses, if none is given.
    pub fn presence_key(mut self, key: impl Into<String>) -> Self {
        self.config.presence.key = key.into();
        self.presence()
    }

    /// Has the server tell who is there. Where somebody listens to it, or has a key, that is asked for anyway.
    pub fn presence(mut self) -> Self {
        self.config.presence.enabled = true;
        self
    }

    /// How many items listeners that are made from now on may fall behind, instead of
    /// [`Options::queue`](crate::realtime::Options::queue).
    pub fn queue(mut self, items: usize) -> Self {
        self.capacity = items;
        self
    }

    /// Listens to changes of a table, or of all tables of a schema.
    pub fn on_changes<R: DeserializeOwned>(&mut self, binding: Binding<R>) -> Changes<R> {
        self.fault = self.fault.or(binding.fault());
        let mut shape = binding.shape;
        if !binding.schema_is_told {
            self.client.default_schema().clone_into(&mut shape.schema);
        }
        let shapes = &mut self.config.postgres_changes;
        let at = shapes.iter().position(|known| *known == shape).unwrap_or_else(|| {
            shapes.push(shape);
            shapes.len() - 1
        });
        let queue = self.new_queue();
        self.seat.ticket.room.listen_to_changes(at, queue.clone());
        Changes::new(Feed::new(queue, self.seat.ticket.clone()))
    }

    /// Listens to broadcasts of one event, or with `*` to all of them.
    pub fn on_broadcast(&mut self, event: &str) -> Broadcasts {
        let queue = self.new_queue();
        let event = (event != "*").then(|| event.to_owned());
        self.seat.ticket.room.listen_to_broadcasts(event, queue.clone());
        Broadcasts(Feed::new(queue, self.seat.ticket.clone()))
    }

    /// Listens to who comes and goes.
    pub fn on_presence(&mut self) -> Presences {
        self.config.presence.enabled = true;
        let queue = self.new_queue();
        self.seat.ticket.room.listen_to_presence(queue.clone());
        Presences(Feed::new(queue, self.seat.ticket.clone()))
    }

    fn new_queue<T>(&self) -> Arc<Queue<T>> {
        Arc::new(Queue::new(self.capacity))
    }

    /// Sends a broadcast over HTTP, without joining anything.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// client.channel("room1").private().http_send("refresh", &serde_json::json!({ "id": 7 })).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn http_send(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let topic = self.seat.ticket.room.topic.strip_prefix(PREFIX).unwrap_or_default();
        post(&self.client, broadcast(topic, event, self.config.private, Payload::json(payload)?)).await
    }

    /// Joins, and waits until the channel is live: until the server says that what is listened to comes, and not
    /// only that the join was taken.
    ///
    /// # Errors
    /// The server's refusal, where it is final. Otherwise, after the client's timeout, whatever stood in the
    /// way last: its code is the server's, and [`Error::is_retryable`] says whether it may pass. The channel is
    /// then left; [`NewChannel::join`] waits for ever instead. [`ErrorKind::Conflict`] where this client is in a
    /// channel of that topic already, [`ErrorKind::Invalid`] for a filter the server does not know.
    pub async fn subscribe(self) -> Result<Channel, Error> {
        let limit = self.client.timeout();
        let channel = self.join()?;
        let mut obstacle = None;
        match tokio::time::timeout(limit, channel.live_noting(&mut obstacle)).await {
            Ok(live) => live.map(|()| channel),
            Err(_) => Err(match obstacle {
                Some(error) => error.again(),
                None => Error::new(ErrorKind::Timeout, "the channel was not live in time"),
            }),
        }
    }

    /// Joins, without waiting: [`Channel::status`] and [`Channel::live`] say how it goes.
    ///
    /// # Errors
    /// As [`NewChannel::subscribe`], for what is seen without the server. [`ErrorKind::Config`] outside a Tokio
    /// runtime.
    pub fn join(self) -> Result<Channel, Error> {
        let Self { client, config, capacity: _, fault, mut seat } = self;
        if let Some(fault) = fault {
            return Err(Error::new(ErrorKind::Invalid, fault));
        }
        let orders = client.hub().orders(&client)?;
        client.hub().enter(&seat.ticket)?;
        seat.ticket.room.settle(config);
        let room = seat.ticket.room.clone();
        if orders.try_send(Order::Join(room)).is_err() {
            let message = "too many channels are joined at once; try again";
            return Err(Error::new(ErrorKind::Busy, message).undone());
        }
        seat.taken = true;
        Ok(Channel { ticket: seat.ticket.clone() })
    }
}

impl fmt::Debug for NewChannel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("NewChannel").field("topic", &self.seat.ticket.room.topic).finish_non_exhaustive()
    }
}
