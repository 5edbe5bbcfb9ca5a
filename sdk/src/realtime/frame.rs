//! One frame on the socket: what is asked of and told by the server, as bytes and back.
//!
//! Text frames are arrays, `[join_ref, ref, topic, event, payload]`. Binary ones begin with their kind and the
//! lengths of their pieces, a byte each, so that no piece is longer than 255 bytes:
//!
//! | kind | from | pieces after the kind |
//! |---|---|---|
//! | 0 | server | lengths of join ref, topic, event; these; payload |
//! | 1 | server | lengths of join ref, ref, topic, status; these; payload |
//! | 2 | server | lengths of topic, event; these; payload |
//! | 3 | us | lengths of join ref, ref, topic, event, meta; encoding; these; payload |
//! | 4 | server | lengths of topic, event, meta; encoding; these; payload |
//!
//! The encoding is 1 for JSON and 0 for anything else. A frame that is cut, or says it is longer than it is, is
//! no frame; nothing here panics on one.
//! Source: supabase/realtime `v2_serializer.ex`; Phoenix `V2.JSONSerializer`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::realtime::Payload;

/// What the server says.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) join_reference: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) topic: String,
    pub(super) event: String,
    pub(super) body: Body,
}

/// What a frame brings.
#[derive(Clone)]
pub(super) enum Body {
    Json(Box<RawValue>),
    /// Of a binary frame whose event has no meaning of its own here.
    Bytes(Bytes),
    /// A broadcast in a frame of its own kind.
    Broadcast {
        event: String,
        meta: Option<Box<RawValue>>,
        payload: Payload,
    },
}

/// A frame of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outgoing {
    Text(String),
    Binary(Vec<u8>),
}

#[derive(Deserialize)]
struct Text(Option<String>, Option<String>, String, String, Box<RawValue>);

impl Frame {
    /// Reads a text frame; `None` for what is none.
    pub(super) fn read_text(text: &str) -> Option<Self> {
        let Text(join_reference, reference, topic, event, body) = serde_json::from_str(text).ok()?;
        Some(Self { join_reference, reference, topic, event, body: Body::Json(body) })
    }

    /// Reads a binary frame; `None` for what is none.
    pub(super) fn read_binary(bytes: &Bytes) -> Option<Self> {
        let mut pieces = Pieces { bytes, at: 1 };
        let named = |reference: String| Some(reference).filter(|reference| !reference.is_empty());
        match *bytes.first()? {
            0 => {
                let [join, topic, event] = pieces.lengths()?;
                let join_reference = named(pieces.text(join)?);
                let (topic, event) = (pieces.text(topic)?, pieces.text(event)?);
                let body = Body::Bytes(pieces.rest());
                Some(Self { join_reference, reference: None, topic, event, body })
            }
            1 => {
                let [join, reference, topic, status] = pieces.lengths()?;
                let (join_reference, reference) = (named(pieces.text(join)?), named(pieces.text(reference)?));
                let (topic, status) = (pieces.text(topic)?, pieces.text(status)?);
                // What it brings besides is bytes nobody asked for; the status is what counts.
                let reply = serde_json::json!({ "status": status, "response": {} }).to_string();
                let body = Body::Json(RawValue::from_string(reply).ok()?);
                Some(Self { join_reference, reference, topic, event: "phx_reply".to_owned(), body })
            }
            2 => {
                let [topic, event] = pieces.lengths()?;
                let (topic, event) = (pieces.text(topic)?, pieces.text(event)?);
                let body = Body::Bytes(pieces.rest());
                Some(Self { join_reference: None, reference: None, topic, event, body })
            }
            4 => {
                let [topic, event, meta, encoding] = pieces.lengths()?;
                let (topic, event) = (pieces.text(topic)?, pieces.text(event)?);
                let meta = named(pieces.text(meta)?).and_then(|meta| RawValue::from_string(meta).ok());
                let payload = match encoding {
                    1 => {
                        let text = std::str::from_utf8(&bytes[pieces.at..]).ok()?;
                        Payload::Json(RawValue::from_string(text.to_owned()).ok()?)
                    }
                    _ => Payload::Bytes(pieces.rest()), // whatever it is, it is bytes
                };
                let body = Body::Broadcast { event, meta, payload };
                let event = "broadcast".to_owned();
                Some(Self { join_reference: None, reference: None, topic, event, body })
            }
            _ => None, // a kind of another protocol
        }
    }

    /// The payload, where it is the JSON that is expected.
    pub(super) fn json<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        match &self.body {
            Body::Json(json) => serde_json::from_str(json.get()).ok(),
            Body::Bytes(bytes) => serde_json::from_slice(bytes).ok(),
            Body::Broadcast { .. } => None,
        }
    }
}

/// Pieces of a binary frame, taken one after the other.
struct Pieces<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Pieces<'_> {
    fn lengths<const N: usize>(&mut self) -> Option<[usize; N]> {
        let lengths: &[u8; N] = self.bytes.get(self.at..self.at + N)?.try_into().ok()?;
        self.at += N;
        Some(lengths.map(usize::from))
    }

    fn text(&mut self, length: usize) -> Option<String> {
        let piece = self.bytes.get(self.at..self.at + length)?;
        self.at += length;
        Some(std::str::from_utf8(piece).ok()?.to_owned())
    }

    fn rest(&self) -> Bytes {
        self.bytes.slice(self.at.min(self.bytes.len())..)
    }
}

/// What a frame of ours is about. References are numbers here, and text on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) join_reference: Option<u64>,
    pub(super) reference: u64,
    pub(super) topic: &'a str,
    pub(super) event: &'a str,
}

impl Head<'_> {
    /// A text frame. What cannot be JSON is refused before anything is sent.
    pub(super) fn text(self, payload: &impl Serialize) -> Result<Outgoing, Error> {
        let (join, reference) =
            (self.join_reference.map(|join| join.to_string()), self.reference.to_string());
        serde_json::to_string(&(join, reference, self.topic, self.event, payload))
            .map(Outgoing::Text)
            .map_err(|source| unwritable().with_source(source))
    }

    /// A broadcast, in the kind of frame the server has for it; `event` is the broadcast's own.
    pub(super) fn broadcast(self, payload: &Payload) -> Result<Outgoing, Error> {
        let (encoding, payload): (u8, &[u8]) = match payload {
            Payload::Json(json) => (1, json.get().as_bytes()),
            Payload::Bytes(bytes) => (0, bytes),
        };
        let join = self.join_reference.map(|join| join.to_string()).unwrap_or_default();
        let reference = self.reference.to_string();
        let pieces = [&*join, &*reference, self.topic, self.event, ""];
        let mut frame = vec![3];
        for piece in pieces {
            frame.push(u8::try_from(piece.len()).map_err(|_| {
                Error::new(
                    ErrorKind::Invalid,
                    "the name of a topic or an event is at most 255 bytes long, the topic with its realtime: before it",
                )
            })?);
        }
        frame.push(encoding);
        pieces.into_iter().for_each(|piece| frame.extend_from_slice(piece.as_bytes()));
        frame.extend_from_slice(payload);
        Ok(Outgoing::Binary(frame))
    }
}

pub(super) fn unwritable() -> Error {
    Error::new(ErrorKind::Invalid, "a value cannot be written as JSON")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn server(kind: u8, lengths: &[u8], rest: &str) -> Bytes {
        [&[kind], lengths, rest.as_bytes()].concat().into()
    }

    #[test]
    fn every_kind_of_binary_frame_is_read() {
        let push = Frame::read_binary(&server(0, &[1, 3, 2], "7a:bevx")).unwrap();
        assert_eq!((push.join_reference.as_deref(), &*push.topic, &*push.event), (Some("7"), "a:b", "ev"));
        let reply = Frame::read_binary(&server(1, &[1, 1, 3, 2], "78a:bok")).unwrap();
        assert_eq!((reply.reference.as_deref(), &*reply.event), (Some("8"), "phx_reply"));
        assert!(matches!(&reply.body, Body::Json(json) if json.get().contains("\"ok\"")));
        assert_eq!(Frame::read_binary(&server(2, &[3, 2], "a:bev")).unwrap().event, "ev");
        let broadcast = Frame::read_binary(&server(4, &[3, 2, 2, 1], "a:bev{}{\"x\":1}")).unwrap();
        let Body::Broadcast { event, payload: Payload::Json(json), .. } = broadcast.body else {
            panic!("no broadcast")
        };
        assert_eq!((&*event, json.get()), ("ev", "{\"x\":1}"));
        assert!(Frame::read_binary(&server(9, &[], "")).is_none());
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        let long = "x".repeat(256);
        let head = Head { join_reference: Some(1), reference: 2, topic: "realtime:a", event: &long };
        assert_eq!(head.broadcast(&Payload::Bytes(Bytes::new())).unwrap_err().kind(), ErrorKind::Invalid);
    }

    proptest! {
        #[test]
        fn no_frame_panics(bytes in prop::collection::vec(any::<u8>(), 0..40), kind in 0..6_u8) {
            Frame::read_text(&String::from_utf8_lossy(&bytes));
            Frame::read_binary(&bytes.clone().into());
            let with_kind: Vec<u8> = [&[kind][..], &bytes].concat();
            Frame::read_binary(&with_kind.into());
        }
    }
}
