//! A channel that was joined: what is said on it, and how it is.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::realtime::feed::{Broadcasts, Feed};
use crate::realtime::hub::{Order, Push, watched};
use crate::realtime::queue::Queue;
use crate::realtime::room::Ticket;
use crate::realtime::{Payload, Present, Status, Watched, request};
use crate::transport::{Reply, Request};

/// What stands before every topic on the wire.
pub(super) const PREFIX: &str = "realtime:";

/// A channel that was joined. Clones are the same channel; when the last of them and of its listeners is
/// dropped, it is left.
#[derive(Clone)]
pub struct Channel {
    pub(super) ticket: Arc<Ticket>,
}

impl Channel {
    /// Its topic, as it was named.
    pub fn topic(&self) -> &str {
        let topic = &self.ticket.room.topic;
        topic.strip_prefix(PREFIX).unwrap_or(topic)
    }

    /// How it is now.
    pub fn status(&self) -> Status {
        self.ticket.room.status.borrow().clone()
    }

    /// How it is, now and each time it changes.
    pub fn statuses(&self) -> Watched<Status> {
        watched(self.ticket.room.status.subscribe())
    }

    /// Waits until it is live, however long that takes.
    ///
    /// # Errors
    /// Why it never will be: the refusal of a kind that does not pass, or that it was left.
    pub async fn live(&self) -> Result<(), Error> {
        self.live_noting(&mut None).await
    }

    /// The same, and notes what last stood in the way.
    pub(super) async fn live_noting(&self, obstacle: &mut Option<Arc<Error>>) -> Result<(), Error> {
        let mut statuses = self.ticket.room.status.subscribe();
        loop {
            match statuses.borrow_and_update().clone() {
                Status::Live => return Ok(()),
                Status::Stopped(error) => return Err(error.again()),
                Status::Left => return Err(gone()),
                Status::Waiting(error) | Status::Degraded(error) => *obstacle = Some(error),
                Status::Joining => {}
            }
            statuses.changed().await.map_err(|_| gone())?;
        }
    }

    /// Sends a broadcast over the channel's own connection. Where the channel was made with
    /// [`broadcast_ack`](crate::realtime::NewChannel::broadcast_ack), the server's word is waited for that it
    /// has it; else it is on its way.
    ///
    /// Nothing is kept for later: without a connection it is an error at once, and
    /// [`Channel::http_send`] may be the way.
    ///
    /// ```no_run
    /// # async fn run(room: supabase_sdk::realtime::Channel) -> Result<(), supabase_sdk::Error> {
    /// room.send("cursor", &serde_json::json!({ "x": 1, "y": 2 })).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] where the channel is not joined now, [`ErrorKind::Timeout`] where the server
    /// does not confirm it in time, and what the server says against it.
    pub async fn send(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.push(Push::Broadcast { event: event.to_owned(), payload: Payload::json(payload)? }).await
    }

    /// The same with bytes instead of JSON.
    ///
    /// # Errors
    /// As [`Channel::send`].
    pub async fn send_bytes(&self, event: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.push(Push::Broadcast { event: event.to_owned(), payload: Payload::Bytes(bytes.into()) }).await
    }

    /// Sends a broadcast over HTTP: for who has no connection, or wants a status for each message.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn http_send(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.post(event, Payload::json(payload)?).await
    }

    /// The same with bytes instead of JSON.
    ///
    /// # Errors
    /// As [`Channel::http_send`].
    pub async fn http_send_bytes(&self, event: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.post(event, Payload::Bytes(bytes.into())).await
    }

    async fn post(&self, event: &str, payload: Payload) -> Result<(), Error> {
        let private = self.ticket.room.config().private;
        post(&self.ticket.client, request::broadcast(self.topic(), event, private, payload)).await
    }

    /// Another listener to the broadcasts of one event, or with `*` to all of them.
    pub fn on_broadcast(&self, event: &str) -> Broadcasts {
        let queue = Arc::new(Queue::new(self.ticket.client.hub().options.queue));
        let event = (event != "*").then(|| event.to_owned());
        self.ticket.room.listen_to_broadcasts(event, queue.clone());
        if self.ticket.is_over() {
            queue.end();
        }
        Broadcasts(Feed::new(queue, self.ticket.clone()))
    }

    /// Who is there now, as far as the server has told: nobody, where presence is off.
    pub fn present(&self) -> Present {
        self.ticket.room.roster().present().clone()
    }

    /// Says of ourselves who or where we are, to everybody there; said once more, it replaces what was said
    /// before. It is said again by itself whenever the channel comes back.
    ///
    /// ```no_run
    /// # async fn run(room: supabase_sdk::realtime::Channel) -> Result<(), supabase_sdk::Error> {
    /// room.track(&serde_json::json!({ "name": "Ada", "page": 3 })).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it is no JSON object, and what the server says against it. A channel that is
    /// away is no error: it is said once it is back.
    pub async fn track(&self, state: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let Payload::Json(state) = Payload::json(state)? else { return Ok(()) };
        if !state.get().starts_with('{') {
            return Err(Error::new(ErrorKind::Invalid, "what is tracked has to be an object"));
        }
        *self.ticket.room.tracked() = Some(state);
        self.push(Push::Track).await
    }

    /// Says that we are not there any more. The channel stays.
    ///
    /// # Errors
    /// What the server says against it.
    pub async fn untrack(&self) -> Result<(), Error> {
        let was = self.ticket.room.tracked().take();
        match was {
            Some(_) => self.push(Push::Track).await,
            None => Ok(()),
        }
    }

    /// Leaves the channel: its listeners end, and the server is told. Waits for its word, though not for long.
    pub async fn unsubscribe(&self) {
        let Some(orders) = self.ticket.client.hub().running() else { return };
        let (done, answer) = oneshot::channel();
        let order = Order::Leave { topic: self.ticket.room.topic.clone(), done };
        if orders.send(order).await.is_ok() {
            // A driver that is gone has left.
            answer.await.ok();
        }
    }

    async fn push(&self, push: Push) -> Result<(), Error> {
        let orders = self.ticket.client.hub().running().ok_or_else(gone)?;
        let (done, answer) = oneshot::channel();
        let order = Order::Push { topic: self.ticket.room.topic.clone(), push, done };
        orders.send(order).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Sends a broadcast over HTTP.
pub(super) async fn post(client: &Client, request: Request) -> Result<(), Error> {
    client.send(request).await.and_then(Reply::accepted).map(drop)
}

/// What was asked of a channel that is over.
pub(super) fn gone() -> Error {
    Error::new(ErrorKind::Unreachable, "the channel was left").undone()
}

impl fmt::Debug for Channel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Channel").field("topic", &self.topic()).field("status", &self.status()).finish()
    }
}
