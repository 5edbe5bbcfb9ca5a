//! The edge to one client: its WebSocket, and the channels it has joined on it.
//!
//! What is sent and what is heard passes the frame faults here and nowhere else. A socket handles one frame
//! after the other, so a client hears its answers in the order of what it said.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    Service,
    channel::{Channel, End, Refusal},
    faults::{FrameAction, Side},
    frame::{Encoded, Message, Push, Version},
    hub::{Ending, Order, Outbox},
};
use crate::jwt;

/// Of one socket.
const MOST_CHANNELS: usize = 100;
/// Looking at a token that holds for longer is early enough then.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Whether a connection goes on.
type Flow = ControlFlow<Ending>;

/// A client that is connected.
struct Client {
    service: Arc<Service>,
    wire: WebSocket,
    version: Version,
    /// The token of the key it came with.
    key_token: String,
    channels: HashMap<String, Channel>,
    outbox: Outbox,
}

/// Serves one client until either side ends it.
pub(super) async fn converse(service: Arc<Service>, wire: WebSocket, version: Version, key_token: String) {
    let (outbox, mut orders) = mpsc::unbounded_channel();
    let socket = service.hub.connect(outbox.clone());
    let closing = service.closing.clone();
    let channels = HashMap::new();
    let mut client = Client { service: service.clone(), wire, version, key_token, channels, outbox };
    let talk = async {
        loop {
            let expiry = tokio::time::sleep(client.patience());
            let flow = tokio::select! {
                frame = client.wire.recv() => match frame {
                    Some(Ok(frame)) => client.receive(frame).await,
                    Some(Err(_)) | None => ControlFlow::Break(Ending::Cut),
                },
                // The socket has a queue of its own, so there is always one to write to it.
                Some(order) = orders.recv() => client.obey(order).await,
                () = expiry => client.expire(),
            };
            if let ControlFlow::Break(ending) = flow {
                break ending;
            }
        }
    };
    let ending = closing.run_until_cancelled(talk).await.unwrap_or(Ending::Cut);
    service.hub.disconnect(socket);
    client.channels.clear();
    if let Ending::Close { code, reason } = ending {
        let _ = client.wire.send(Frame::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    }
}

impl Client {
    /// Hears a frame. One that can not be read is as if it had not come.
    async fn receive(&mut self, frame: Frame) -> Flow {
        let push = match frame {
            Frame::Text(text) => Push::read(self.version, &text),
            Frame::Binary(bytes) => Push::read_binary(&bytes),
            Frame::Close(_) => return ControlFlow::Break(Ending::Cut),
            Frame::Ping(_) | Frame::Pong(_) => return ControlFlow::Continue(()),
        };
        let Ok(push) = push else { return ControlFlow::Continue(()) };
        match self.service.faults.decide(Side::Client, &push.topic, &push.event) {
            None => self.hear(&push).await,
            Some(FrameAction::Drop) => ControlFlow::Continue(()),
            Some(FrameAction::Delay { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.hear(&push).await
            }
            Some(FrameAction::Duplicate) => {
                self.hear(&push).await?;
                self.hear(&push).await
            }
            Some(FrameAction::Refuse { reason }) => {
                self.say(Message::reply(&push, "error", &json!({"reason": reason})));
                ControlFlow::Continue(())
            }
            Some(FrameAction::Close { code, reason }) => ControlFlow::Break(Ending::Close { code, reason }),
            Some(FrameAction::Cut) => ControlFlow::Break(Ending::Cut),
        }
    }

    async fn hear(&mut self, push: &Push) -> Flow {
        match (push.topic.as_str(), push.event.as_str()) {
            ("phoenix", "heartbeat") => self.say(Message::reply(push, "ok", &json!({}))),
            (_, "phx_join") => self.join(push).await,
            (topic, "phx_leave") => {
                let channel = self.channels.remove(topic);
                self.say(Message::reply(push, "ok", &json!({})));
                if let Some(channel) = channel {
                    self.say(channel.closed());
                }
            }
            (topic, _) => match self.channels.get_mut(topic) {
                Some(channel) => match channel.hear(push, jwt::now(), Instant::now()).await {
                    Ok(answer) => {
                        answer.into_iter().for_each(|answer| self.say(answer));
                    }
                    Err(end) => self.dismiss(&push.topic, &end),
                },
                None => self.say(Message::reply(push, "error", &json!({"reason": "unmatched topic"}))),
            },
        }
        ControlFlow::Continue(())
    }

    async fn join(&mut self, push: &Push) {
        // A client that joins twice has forgotten about the first time.
        if let Some(before) = self.channels.remove(&push.topic) {
            self.say(before.closed());
        }
        let joined = match self.channels.len() < MOST_CHANNELS {
            true => Channel::open(&self.service, &self.outbox, push, &self.key_token, jwt::now()).await,
            false => Err(Refusal::too_many_channels()),
        };
        match joined {
            Ok(channel) => {
                self.channels.insert(push.topic.clone(), channel);
            }
            Err(Refusal(reason)) => self.say(Message::reply(push, "error", &json!({"reason": reason}))),
        }
    }

    /// Does what others want of the socket.
    async fn obey(&mut self, order: Order) -> Flow {
        match order {
            Order::Send(message) => return self.send(*message).await,
            Order::Dismiss { topic, reason } => {
                for topic in self.topics(topic.as_deref()) {
                    self.dismiss(&topic, &End(reason.clone()));
                }
            }
            Order::Crash { topic } => {
                for topic in self.topics(topic.as_deref()) {
                    if let Some(channel) = self.channels.remove(&topic) {
                        self.say(channel.crashed());
                    }
                }
            }
            Order::End(ending) => return ControlFlow::Break(ending),
        }
        ControlFlow::Continue(())
    }

    /// Sends a message, unless something goes wrong with it.
    async fn send(&mut self, message: Message) -> Flow {
        let mut times = 1;
        match self.service.faults.decide(Side::Server, &message.topic, message.event) {
            None => {}
            Some(FrameAction::Drop | FrameAction::Refuse { .. }) => return ControlFlow::Continue(()),
            Some(FrameAction::Delay { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Some(FrameAction::Duplicate) => times = 2,
            Some(FrameAction::Close { code, reason }) => {
                return ControlFlow::Break(Ending::Close { code, reason });
            }
            Some(FrameAction::Cut) => return ControlFlow::Break(Ending::Cut),
        }
        let Some(encoded) = message.encode(self.version) else { return ControlFlow::Continue(()) };
        for _ in 0..times {
            let frame = match encoded.clone() {
                Encoded::Text(text) => Frame::Text(text.into()),
                Encoded::Binary(bytes) => Frame::Binary(bytes.into()),
            };
            if self.wire.send(frame).await.is_err() {
                return ControlFlow::Break(Ending::Cut);
            }
        }
        ControlFlow::Continue(())
    }

    /// Ends the channels whose token no longer holds.
    fn expire(&mut self) -> Flow {
        let now = jwt::now();
        let ended: Vec<_> = self
            .channels
            .iter()
            .filter_map(|(topic, channel)| Some((topic.clone(), channel.expire(now)?)))
            .collect();
        for (topic, end) in ended {
            self.dismiss(&topic, &end);
        }
        ControlFlow::Continue(())
    }

    fn dismiss(&mut self, topic: &str, end: &End) {
        if let Some(channel) = self.channels.remove(topic) {
            channel.farewell(end).into_iter().for_each(|message| self.say(message));
        }
    }

    /// Puts a message behind all that is on its way.
    fn say(&self, message: Message) {
        // The queue is ours, and it is read for as long as we are here.
        let _ = self.outbox.send(Order::Send(Box::new(message)));
    }

    fn topics(&self, only: Option<&str>) -> Vec<String> {
        self.channels.keys().filter(|topic| only.is_none_or(|only| only == *topic)).cloned().collect()
    }

    /// How long until a token stops to hold.
    fn patience(&self) -> Duration {
        let now = jwt::now();
        let soonest = self.channels.values().map(Channel::expires).min();
        let left = soonest.map(|expires| u64::try_from(expires.saturating_sub(now)).unwrap_or_default());
        // A second is whole when it begins: the last part of it has to pass too.
        left.map_or(LONGEST_WAIT, |left| Duration::from_secs(left).min(LONGEST_WAIT))
            .max(Duration::from_millis(50))
    }
}
