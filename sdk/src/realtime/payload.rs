//! What a broadcast carries, and a broadcast that was heard.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::realtime::Gap;
use crate::realtime::frame::{Body, Frame, unwritable};

/// What a broadcast carries: JSON as it came, to the last digit, or bytes. `Debug` does not show it.
#[derive(Clone)]
pub enum Payload {
    /// JSON.
    Json(Box<RawValue>),
    /// Bytes nobody has looked into.
    Bytes(Bytes),
}

impl Payload {
    /// A value, as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it cannot be written as JSON.
    pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        serde_json::value::to_raw_value(value)
            .map(Self::Json)
            .map_err(|source| unwritable().with_source(source))
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when it is not the JSON that is expected.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = match self {
            Self::Json(json) => json.get(),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|source| {
                Error::new(ErrorKind::Protocol, "the broadcast is not UTF-8").with_source(source)
            })?,
        };
        crate::transport::read(text)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(json) => write!(out, "Payload(JSON, {} bytes)", json.get().len()),
            Self::Bytes(bytes) => write!(out, "Payload({} bytes)", bytes.len()),
        }
    }
}

/// A broadcast that was heard.
#[derive(Debug, Clone)]
pub struct Message {
    /// What kind of broadcast it is, in the sender's words.
    pub event: String,
    /// What it carries.
    pub payload: Payload,
    /// Its id, where the database sent or keeps it: the same for a message and its replay.
    pub id: Option<String>,
    /// True if it was sent before the channel was joined, and is told again.
    pub replayed: bool,
}

/// What a listener to broadcasts hears.
#[derive(Debug, Clone)]
pub enum Broadcast {
    /// A broadcast.
    Message(Message),
    /// Some may be missing here.
    Gap(Gap),
}

#[derive(Deserialize)]
struct Told {
    event: String,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
struct Meta {
    id: Option<String>,
    #[serde(default)]
    replayed: bool,
}

impl Message {
    /// Reads a broadcast out of the frame it came in.
    pub(super) fn read(frame: &Frame) -> Option<Self> {
        if let Body::Broadcast { event, meta, payload } = &frame.body {
            let meta = meta.as_ref().and_then(|meta| serde_json::from_str::<Meta>(meta.get()).ok());
            let Meta { id, replayed } = meta.unwrap_or_default();
            return Some(Self { event: event.clone(), payload: payload.clone(), id, replayed });
        }
        let Told { event, payload, meta: Meta { id, replayed } } = frame.json()?;
        let payload = Payload::Json(payload.unwrap_or_else(|| RawValue::NULL.to_owned()));
        Some(Self { event, payload, id, replayed })
    }
}
