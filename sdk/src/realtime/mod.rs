//! Channels: broadcasts, who is there, and changes of tables as they happen.
//!
//! One connection carries all channels of a client. It is opened with the first and closed some time after the
//! last. A channel is *live* only once the server says that what is listened to comes; whatever ends it
//! without our asking, it comes back, for ever, and each listener finds a [`Gap`] where something may be
//! missing. [`Table::live`](crate::rest::Table::live) closes gaps by itself: a table's rows, fetched and followed.
//!
//! | supabase-js | here |
//! |---|---|
//! | `supabase.channel('room', { config: { private: true } })` | [`client.channel("room").private()`](NewChannel::private) |
//! | `config.broadcast: { self, ack, replay, replication_ready }` | [`broadcast_self()`](NewChannel::broadcast_self), [`broadcast_ack()`](NewChannel::broadcast_ack), [`replay(…)`](NewChannel::replay), [`replication_ready()`](NewChannel::replication_ready) |
//! | `config.presence: { key, enabled }` | [`presence_key(…)`](NewChannel::presence_key), [`presence()`](NewChannel::presence) |
//! | `.on('postgres_changes', { event, schema, table, filter }, f)` | [`on_changes(Binding::<Row>::all().filter(…))`](NewChannel::on_changes), a stream of [`Change`] |
//! | `.on('broadcast', { event }, f)` | [`on_broadcast(event)`](NewChannel::on_broadcast), a stream of [`Broadcast`] |
//! | `.on('presence', { event }, f)` | [`on_presence()`](NewChannel::on_presence), a stream of [`Presence`] |
//! | `.on('system', {}, f)`, `.subscribe(status => …)` | [`subscribe().await`](NewChannel::subscribe); [`status()`](Channel::status), [`statuses()`](Channel::statuses) |
//! | `.send({ type: 'broadcast', event, payload })` | [`send(event, &payload)`](Channel::send), [`send_bytes(event, bytes)`](Channel::send_bytes) |
//! | `.httpSend(event, payload)` | [`http_send(event, &payload)`](Channel::http_send), joined or [not](NewChannel::http_send) |
//! | `.track(state)`, `.untrack()`, `.presenceState()` | [`track(&state)`](Channel::track), [`untrack()`](Channel::untrack), [`present()`](Channel::present) |
//! | `.unsubscribe()`, `removeChannel(channel)` | [`unsubscribe()`](Channel::unsubscribe), or dropping the channel and its streams |
//! | `getChannels()`, `removeAllChannels()` | [`realtime().channels()`](Realtime::channels), [`remove_all_channels()`](Realtime::remove_all_channels) |
//! | `realtime.connect()`, `disconnect()`, `connectionState()` | [`connect()`](Realtime::connect), [`disconnect()`](Realtime::disconnect), [`connection()`](Realtime::connection), [`connections()`](Realtime::connections) |
//! | `realtime.onHeartbeat(f)` | [`heartbeats()`](Realtime::heartbeats) |
//! | `realtime.setAuth(token)` | not needed: whoever is signed in is told to the server, before a token ends and when it changes |
//! | `heartbeatIntervalMs`, `reconnectAfterMs`, `timeout`, `disconnectOnEmptyChannelsAfterMs` | [`Options`] |
//! | `transport` | [`Transport::websocket`](crate::Transport::websocket) |
//!
//! A refusal is an [`Error`] with the server's code:
//!
//! | what is wrong | [`ErrorKind`] | code | the channel |
//! |---|---|---|---|
//! | the token is too old, or none | `Unauthenticated` | `InvalidJWTToken`, `MalformedJWT`, `JwtSignatureError` | has it renewed, and joins again |
//! | too much of something, a restart, a database that is away | `Busy`, `Timeout` | `ConnectionRateLimitReached`, `RealtimeRestarting`, … | waits, and joins again |
//! | a policy says no | `Forbidden` | `Unauthorized` | stops |
//! | only private channels here; Realtime is off | `Forbidden` | `PrivateOnly`, `RealtimeDisabledForTenant` | stops |
//! | what was asked for is not to be had | `Invalid`, `NotFound`, `Config` | `UnableToReplayMessages`, `TenantNotFound`, `JwtSignerError` | stops |

mod binding;
mod change;
mod channel;
mod driver;
mod feed;
mod frame;
mod gap;
mod hub;
mod line;
mod live;
mod membership;
mod merge;
mod new_channel;
mod payload;
mod presence;
mod pushes;
mod queue;
mod refusal;
mod reply;
mod request;
mod room;
mod socket;
mod stamp;

pub use binding::Binding;
pub use change::{Change, Commit, Old};
pub use channel::Channel;
pub use feed::{Broadcasts, Changes, Presences};
pub use gap::Gap;
pub(crate) use hub::Hub;
pub use hub::Watched;
pub use live::{Follow, Live, LiveChange};
pub use membership::Status;
pub use new_channel::NewChannel;
pub use payload::{Broadcast, Message, Payload};
pub use presence::{Meta, Presence, Present};
pub use request::Replay;
pub use socket::{Connection, Heartbeat, Options};

use futures_util::{StreamExt as _, stream};
use tokio::sync::broadcast::error::RecvError;

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use hub::{Order, watched};

/// A client's connection to Realtime. From [`Client::realtime`].
#[derive(Debug, Clone)]
pub struct Realtime {
    client: Client,
}

impl Realtime {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A channel to be joined, as [`Client::channel`] gives it.
    pub fn channel(&self, topic: impl Into<String>) -> NewChannel {
        self.client.channel(topic)
    }

    /// The channels that are joined, or come back by themselves.
    pub fn channels(&self) -> Vec<Channel> {
        self.client.hub().rooms().into_iter().map(|ticket| Channel { ticket }).collect()
    }

    /// Leaves every channel.
    pub async fn remove_all_channels(&self) {
        stream::iter(self.channels())
            .for_each_concurrent(None, async |channel| channel.unsubscribe().await)
            .await;
    }

    /// How the connection is now.
    pub fn connection(&self) -> Connection {
        self.client.hub().shared.connection.borrow().clone()
    }

    /// How the connection is, now and each time it changes.
    ///
    /// ```no_run
    /// # use futures_util::StreamExt;
    /// # async fn run(client: supabase_sdk::Client) {
    /// use supabase_sdk::realtime::Connection;
    /// let mut connections = client.realtime().connections();
    /// while let Some(connection) = connections.next().await {
    ///     if let Connection::Waiting(why) = connection { println!("offline: {why}") }
    /// }
    /// # }
    /// ```
    pub fn connections(&self) -> Watched<Connection> {
        watched(self.client.hub().shared.connection.subscribe())
    }

    /// Heartbeats from now on; one who falls behind misses the oldest.
    pub fn heartbeats(&self) -> Watched<Heartbeat> {
        let heartbeats = self.client.hub().shared.heartbeats.subscribe();
        Box::pin(stream::unfold(heartbeats, |mut heartbeats| async move {
            loop {
                match heartbeats.recv().await {
                    Ok(heartbeat) => return Some((heartbeat, heartbeats)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        }))
    }

    /// Opens the connection before there is a channel; without one it is closed again after
    /// [`Options::linger`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`] outside a Tokio runtime.
    pub async fn connect(&self) -> Result<(), Error> {
        let orders = self.client.hub().orders(&self.client)?;
        let gone = |_| Error::new(ErrorKind::Config, "the runtime of this client's channels is gone");
        orders.send(Order::Connect).await.map_err(gone)
    }

    /// Closes the connection. Channels stay and come back with [`Realtime::connect`], or with the next channel
    /// that is joined.
    pub async fn disconnect(&self) {
        if let Some(orders) = self.client.hub().running() {
            // A driver that is gone has no connection.
            orders.send(Order::Disconnect).await.ok();
        }
    }
}
