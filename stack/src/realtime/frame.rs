//! What passes over a socket: both versions of the protocol, and the binary form of a broadcast.
//!
//! A reference is whatever the client wrote, and goes back as it came.
//!
//! Not here: what a frame means (`channel`), who gets it (`hub`).

use axum::body::Bytes;
use serde_json::{Map, Value, json};

/// How a client speaks: it says so when it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Objects, and no way to send bytes.
    One,
    /// Arrays, and broadcasts as bytes.
    Two,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Push {
    pub(super) join_ref: Value,
    pub(super) reference: Value,
    pub(super) topic: String,
    pub(super) event: String,
    pub(super) body: Body,
}

/// What stands in a frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    /// JSON, as most frames have it.
    Json(Value),
    /// A broadcast that came as bytes, and goes on as bytes to who understands them.
    Broadcast(Broadcast),
}

/// A broadcast of a client's own event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broadcast {
    pub(super) event: String,
    pub(super) content: Content,
    /// What the service adds; nothing on the way here.
    pub(super) meta: Option<Value>,
}

/// What is broadcast.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Json(Value),
    Bytes(Bytes),
}

/// What a client is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) join_ref: Value,
    pub(super) reference: Value,
    pub(super) topic: String,
    pub(super) event: &'static str,
    pub(super) body: Body,
}

/// A message as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encoded {
    Text(String),
    Binary(Vec<u8>),
}

/// Why a frame cannot be read. It holds nothing of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the frame is not JSON")]
    NotJson,
    #[error("the frame is not of the form the protocol has")]
    Shape,
    #[error("the frame ends before its parts do")]
    Short,
    #[error("the frame is of an unknown kind")]
    Kind,
    #[error("a name in the frame is not UTF-8")]
    Text,
}

const PUSHED: u8 = 3;
const SENT: u8 = 4;
const AS_BYTES: u8 = 0;
const AS_JSON: u8 = 1;
/// A part is told by one byte how long it is.
const LONGEST: usize = u8::MAX as usize;

impl Version {
    /// What `vsn` asks for; who says nothing speaks as one did before it could be said.
    pub(super) fn of(asked: Option<&str>) -> Option<Self> {
        match asked {
            None => Some(Self::One),
            Some(asked) if asked.starts_with("1.") => Some(Self::One),
            Some(asked) if asked.starts_with("2.") => Some(Self::Two),
            Some(_) => None,
        }
    }
}

impl Push {
    /// Reads a frame of text.
    pub(super) fn read(version: Version, text: &str) -> Result<Self, FrameError> {
        let frame: Value = serde_json::from_str(text).map_err(|_| FrameError::NotJson)?;
        let parts = match (version, frame) {
            (Version::Two, Value::Array(parts)) => <[Value; 5]>::try_from(parts).ok(),
            (Version::One, Value::Object(mut parts)) => {
                let mut take = |name: &str| parts.remove(name).unwrap_or_default();
                Some([take("join_ref"), take("ref"), take("topic"), take("event"), take("payload")])
            }
            (Version::One | Version::Two, _) => None,
        };
        match parts {
            Some([join_ref, reference, Value::String(topic), Value::String(event), payload])
                if is_reference(&join_ref) && is_reference(&reference) =>
            {
                Ok(Self { join_ref, reference, topic, event, body: Body::Json(payload) })
            }
            Some(_) | None => Err(FrameError::Shape),
        }
    }

    /// Reads a frame of bytes: a broadcast, in parts whose lengths come first.
    pub(super) fn read_binary(frame: &Bytes) -> Result<Self, FrameError> {
        let (&kind, rest) = frame.split_first().ok_or(FrameError::Short)?;
        if kind != PUSHED {
            return Err(FrameError::Kind);
        }
        let (lengths, mut rest) = rest.split_at_checked(6).ok_or(FrameError::Short)?;
        let mut part = |length: u8| {
            let (part, left) = rest.split_at_checked(usize::from(length)).ok_or(FrameError::Short)?;
            rest = left;
            String::from_utf8(part.to_vec()).map_err(|_| FrameError::Text)
        };
        let (join_ref, reference) = (part(lengths[0])?, part(lengths[1])?);
        let (topic, event, _meta) = (part(lengths[2])?, part(lengths[3])?, part(lengths[4])?);
        let content = match lengths[5] {
            AS_BYTES => Content::Bytes(frame.slice_ref(rest)),
            AS_JSON => Content::Json(serde_json::from_slice(rest).map_err(|_| FrameError::NotJson)?),
            _ => return Err(FrameError::Shape),
        };
        let text = |text: String| if text.is_empty() { Value::Null } else { Value::from(text) };
        Ok(Self {
            join_ref: text(join_ref),
            reference: text(reference),
            topic,
            event: "broadcast".to_owned(),
            body: Body::Broadcast(Broadcast { event, content, meta: None }),
        })
    }
}

/// True for what a client may count its frames with.
fn is_reference(value: &Value) -> bool {
    value.is_null() || value.is_string() || value.is_number()
}

impl Body {
    /// How much is sent, without what is said about it.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Json(payload) | Self::Broadcast(Broadcast { content: Content::Json(payload), .. }) => {
                payload.to_string().len()
            }
            Self::Broadcast(Broadcast { content: Content::Bytes(payload), .. }) => payload.len(),
        }
    }
}

impl Broadcast {
    /// A broadcast in the form that has no bytes; `None` if that is what it is of.
    pub(super) fn to_json(&self) -> Option<Value> {
        let Content::Json(payload) = &self.content else { return None };
        let mut json = json!({"type": "broadcast", "event": self.event, "payload": payload});
        if let Some(meta) = &self.meta {
            json["meta"] = meta.clone();
        }
        Some(json)
    }

    fn to_bytes(&self, topic: &str) -> Option<Vec<u8>> {
        let meta = self.meta.as_ref().map(Value::to_string).unwrap_or_default();
        let mut bytes = vec![SENT];
        for part in [topic, &self.event, &meta] {
            bytes.push(u8::try_from(part.len()).ok()?);
        }
        bytes.push(match &self.content {
            Content::Json(_) => AS_JSON,
            Content::Bytes(_) => AS_BYTES,
        });
        for part in [topic, &self.event, &meta] {
            bytes.extend_from_slice(part.as_bytes());
        }
        match &self.content {
            Content::Json(payload) => bytes.extend_from_slice(payload.to_string().as_bytes()),
            Content::Bytes(payload) => bytes.extend_from_slice(payload),
        }
        Some(bytes)
    }
}

impl Message {
    /// Something nobody asked for.
    pub(super) fn new(topic: &str, event: &'static str, payload: Value) -> Self {
        Self {
            join_ref: Value::Null,
            reference: Value::Null,
            topic: topic.to_owned(),
            event,
            body: Body::Json(payload),
        }
    }

    /// The answer to what was pushed.
    pub(super) fn reply(push: &Push, status: &str, response: &Value) -> Self {
        let payload = json!({"status": status, "response": response});
        Self {
            join_ref: push.join_ref.clone(),
            reference: push.reference.clone(),
            ..Self::new(&push.topic, "phx_reply", payload)
        }
    }

    /// The same, to one channel alone: another join of the topic does not take it for its own.
    pub(super) fn within(self, join_ref: &Value) -> Self {
        Self { join_ref: join_ref.clone(), ..self }
    }

    /// The message as this client reads it; `None` if it has no way to.
    pub(super) fn encode(&self, version: Version) -> Option<Encoded> {
        let payload = match (&self.body, version) {
            (Body::Json(payload), _) => payload.clone(),
            (Body::Broadcast(broadcast), Version::Two) if self.topic.len() <= LONGEST => {
                return broadcast.to_bytes(&self.topic).map(Encoded::Binary);
            }
            (Body::Broadcast(broadcast), _) => broadcast.to_json()?,
        };
        let (join_ref, reference) = (&self.join_ref, &self.reference);
        let frame = match version {
            Version::Two => json!([join_ref, reference, self.topic, self.event, payload]),
            Version::One => {
                let mut frame = Map::new();
                frame.insert("topic".to_owned(), Value::from(self.topic.as_str()));
                frame.insert("event".to_owned(), Value::from(self.event));
                frame.insert("payload".to_owned(), payload);
                frame.insert("ref".to_owned(), reference.clone());
                frame.insert("join_ref".to_owned(), join_ref.clone());
                Value::Object(frame)
            }
        };
        Some(Encoded::Text(frame.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURSOR: &[u8] = b"\x03\x01\x01\x0e\x06\x00\x0167realtime:room1cursor{\"x\":1}";

    #[test]
    fn a_frame_of_text_is_read_in_both_versions() {
        let two = Push::read(Version::Two, r#"["1",2,"realtime:a","phx_join",{}]"#).unwrap();
        assert_eq!((two.join_ref, two.reference, two.body), (json!("1"), json!(2), Body::Json(json!({}))));
        let one =
            Push::read(Version::One, r#"{"topic":"phoenix","event":"heartbeat","ref":"3","payload":{}}"#);
        assert_eq!(one.unwrap().reference, json!("3"));
        for (text, error) in [
            ("", FrameError::NotJson),
            ("[", FrameError::NotJson),
            ("[]", FrameError::Shape),
            (r#"["1","2",3,"e",{}]"#, FrameError::Shape),
            (r#"[{},"2","t","e",{}]"#, FrameError::Shape),
            (r#"{"topic":"t"}"#, FrameError::Shape),
        ] {
            assert_eq!(Push::read(Version::Two, text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_broadcast_of_bytes_is_read_and_goes_on() {
        let push = Push::read_binary(&Bytes::from_static(CURSOR)).unwrap();
        assert_eq!((push.topic.as_str(), &push.reference), ("realtime:room1", &json!("7")));
        let Body::Broadcast(broadcast) = push.body else { panic!("not a broadcast") };
        assert_eq!(broadcast.content, Content::Json(json!({"x": 1})));
        let body = Body::Broadcast(Broadcast { meta: Some(json!({"id": "m"})), ..broadcast });
        let message = Message { body, ..Message::new("realtime:room1", "broadcast", Value::Null) };
        let sent = b"\x04\x0e\x06\x0a\x01realtime:room1cursor{\"id\":\"m\"}{\"x\":1}".to_vec();
        assert_eq!(message.encode(Version::Two), Some(Encoded::Binary(sent)));
        let text = r#"{"topic":"realtime:room1","event":"broadcast","payload":{"type":"broadcast","event":"cursor","payload":{"x":1},"meta":{"id":"m"}},"ref":null,"join_ref":null}"#;
        assert_eq!(message.encode(Version::One), Some(Encoded::Text(text.to_owned())));
    }

    #[test]
    fn bytes_do_not_reach_who_has_no_word_for_them() {
        let content = Content::Bytes(Bytes::from_static(&[0, 255]));
        let body = Body::Broadcast(Broadcast { event: "e".to_owned(), content, meta: None });
        let message = Message { body, ..Message::new("realtime:a", "broadcast", Value::Null) };
        assert_eq!(message.encode(Version::One), None);
        assert!(matches!(message.encode(Version::Two), Some(Encoded::Binary(_))));
    }

    #[test]
    fn a_frame_that_is_cut_is_refused_wherever_it_ends() {
        for end in 0..CURSOR.len() {
            assert!(Push::read_binary(&Bytes::from_static(&CURSOR[..end])).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>, text: String) {
            let _ = Push::read_binary(&Bytes::from(bytes));
            let _ = Push::read(Version::Two, &text);
            let _ = Push::read(Version::One, &text);
        }
    }
}
