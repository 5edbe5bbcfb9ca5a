//! What a listener reads: a stream that ends when its channel is left, with every gap in it.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::realtime::change::Told;
use crate::realtime::queue::{Item, Queue};
use crate::realtime::room::Ticket;
use crate::realtime::{Broadcast, Change, Message, Presence};

/// A queue's reading end. It keeps the channel.
pub(super) struct Feed<T> {
    queue: Arc<Queue<T>>,
    _ticket: Arc<Ticket>,
}

impl<T> Feed<T> {
    pub(super) fn new(queue: Arc<Queue<T>>, ticket: Arc<Ticket>) -> Self {
        Self { queue, _ticket: ticket }
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<Item<T>>> {
        self.queue.poll(context)
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

/// Changes of rows as they happen. From [`crate::realtime::NewChannel::on_changes`].
pub struct Changes<R> {
    pub(super) feed: Feed<Arc<Told>>,
    of: PhantomData<fn() -> R>,
}

impl<R> Changes<R> {
    pub(super) fn new(feed: Feed<Arc<Told>>) -> Self {
        Self { feed, of: PhantomData }
    }
}

impl<R: DeserializeOwned> Changes<R> {
    /// The next change, or gap; `None` once the channel was left or has stopped.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) for a row that is not what `R` says; those after it
    /// still come.
    pub async fn next(&mut self) -> Option<Result<Change<R>, Error>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Result<Change<R>, Error>>> {
        self.feed.poll(context).map(|item| {
            Some(match item? {
                Item::News(told) => told.typed(),
                Item::Gap(gap) => Ok(Change::Gap(gap)),
            })
        })
    }
}

impl<R: DeserializeOwned> Stream for Changes<R> {
    type Item = Result<Change<R>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

/// Broadcasts as they come. From [`crate::realtime::NewChannel::on_broadcast`].
pub struct Broadcasts(pub(super) Feed<Message>);

impl Broadcasts {
    /// The next broadcast, or gap; `None` once the channel was left or has stopped.
    pub async fn next(&mut self) -> Option<Broadcast> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Broadcast>> {
        self.0.poll(context).map(|item| {
            Some(match item? {
                Item::News(message) => Broadcast::Message(message),
                Item::Gap(gap) => Broadcast::Gap(gap),
            })
        })
    }
}

impl Stream for Broadcasts {
    type Item = Broadcast;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Broadcast>> {
        self.poll(context)
    }
}

/// Who comes and goes. From [`crate::realtime::NewChannel::on_presence`].
///
/// One that fell behind is told [`Presence::Sync`] in place of what it missed: who is there is known to the
/// channel in any case.
pub struct Presences(pub(super) Feed<Presence>);

impl Presences {
    /// What happens next; `None` once the channel was left or has stopped.
    pub async fn next(&mut self) -> Option<Presence> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Presence>> {
        self.0.poll(context).map(|item| {
            Some(match item? {
                Item::News(presence) => presence,
                Item::Gap(_) => Presence::Sync,
            })
        })
    }
}

impl Stream for Presences {
    type Item = Presence;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Presence>> {
        self.poll(context)
    }
}

macro_rules! named {
    ($($name:ident$(<$param:ident>)?),+) => { $(
        impl$(<$param>)? fmt::Debug for $name$(<$param>)? {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+ };
}

named! { Changes<R>, Broadcasts, Presences }
