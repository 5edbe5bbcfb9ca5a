//! Edge: the socket itself, opened by the client's transport, and frames over it.
//!
//! Frames of ours wait in a queue of bounded length until the socket takes them, so that a slow one never keeps
//! the driver from reading.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::error::{Error, ErrorKind};
use crate::realtime::frame::{Frame, Outgoing};
use crate::transport::Duplex;

type Socket = WebSocketStream<Box<dyn Duplex>>;
/// A socket on its way.
pub(super) type Opening = Pin<Box<dyn Future<Output = Result<Socket, Error>> + Send>>;

/// How many frames wait for the socket.
const WAITING: usize = 1_024;
/// The longest message that is read: the server sends none of more than a few megabytes.
const LONGEST: usize = 16 << 20;

/// The connection, in each of its states.
pub(super) enum Line {
    Down,
    Opening(Opening),
    Open(Box<Open>),
}

pub(super) struct Open {
    socket: Socket,
    waiting: VecDeque<Message>,
    unflushed: bool,
}

/// What happens on the line.
pub(super) enum Event {
    Opened,
    Failed(Arc<Error>),
    Frame(Frame),
    /// Something came that is no frame of the protocol: a ping, or what is not understood.
    Noise,
}

/// Makes a socket of a connection whose handshake is done.
pub(super) async fn open(connection: Box<dyn Duplex>) -> Socket {
    let limits = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    WebSocketStream::from_raw_socket(connection, Role::Client, Some(limits)).await
}

impl Line {
    /// Sends a frame as soon as the socket takes it. False if there is none, or too much waits already.
    pub(super) fn send(&mut self, frame: Outgoing) -> bool {
        let Self::Open(open) = self else { return false };
        if open.waiting.len() >= WAITING {
            return false;
        }
        open.waiting.push_back(match frame {
            Outgoing::Text(text) => Message::text(text),
            Outgoing::Binary(bytes) => Message::binary(bytes),
        });
        true
    }

    /// What happens next. May be asked again at any time: nothing is lost in between.
    pub(super) async fn next(&mut self) -> Event {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        let event = match self {
            Self::Down => return Poll::Pending,
            Self::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                Ok(socket) => {
                    *self = Self::Open(Box::new(Open { socket, waiting: VecDeque::new(), unflushed: false }));
                    return Poll::Ready(Event::Opened);
                }
                Err(error) => Event::Failed(Arc::new(error)),
            },
            Self::Open(open) => match ready!(open.poll(context)) {
                Ok(event) => return Poll::Ready(event),
                Err(error) => Event::Failed(Arc::new(error)),
            },
        };
        *self = Self::Down;
        Poll::Ready(event)
    }
}

impl Open {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Error>> {
        let cut = |source: tokio_tungstenite::tungstenite::Error| {
            Error::new(ErrorKind::Unreachable, "the connection was cut").with_source(source)
        };
        while !self.waiting.is_empty() {
            let Poll::Ready(ready) = self.socket.poll_ready_unpin(context) else { break };
            ready.map_err(cut)?;
            if let Some(message) = self.waiting.pop_front() {
                self.socket.start_send_unpin(message).map_err(cut)?;
                self.unflushed = true;
            }
        }
        if self.unflushed
            && let Poll::Ready(flushed) = self.socket.poll_flush_unpin(context)
        {
            flushed.map_err(cut)?;
            self.unflushed = false;
        }
        let frame = match ready!(self.socket.poll_next_unpin(context)) {
            Some(Ok(Message::Text(text))) => Frame::read_text(&text),
            Some(Ok(Message::Binary(bytes))) => Frame::read_binary(&bytes),
            Some(Ok(Message::Close(_))) | None => {
                let closed = Error::new(ErrorKind::Unreachable, "the server closed the connection");
                return Poll::Ready(Err(closed));
            }
            Some(Ok(_)) => None, // pings and pongs
            Some(Err(source)) => return Poll::Ready(Err(cut(source))),
        };
        Poll::Ready(Ok(frame.map_or(Event::Noise, Event::Frame)))
    }
}
