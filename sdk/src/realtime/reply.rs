//! The server's answers and messages, out of their frames.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::realtime::frame::Frame;
use crate::realtime::membership::Part;
use crate::realtime::refusal;

/// A binding as the server names it in its reply to a join.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Bound {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) event: Option<String>,
    #[serde(default)]
    pub(super) schema: Option<String>,
    #[serde(default)]
    pub(super) table: Option<String>,
    #[serde(default)]
    pub(super) filter: Option<String>,
}

#[derive(Deserialize)]
struct Reply {
    status: String,
    #[serde(default)]
    response: Option<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
struct Response {
    reason: Option<String>,
    #[serde(default)]
    postgres_changes: Vec<Bound>,
}

/// The answer to a join or a push, with what is bound by it.
pub(super) fn answer(frame: &Frame) -> Result<Vec<Bound>, Error> {
    let unread = || Error::new(ErrorKind::Protocol, "the server's reply has another shape than a reply has");
    let Reply { status, response } = frame.json().ok_or_else(unread)?;
    let response = response.and_then(|response| serde_json::from_str::<Response>(response.get()).ok());
    let Response { reason, postgres_changes } = response.unwrap_or_default();
    match &*status {
        "ok" => Ok(postgres_changes),
        _ => Err(refusal::read(reason.as_deref().unwrap_or("the server gave no reason"))),
    }
}

#[derive(Deserialize)]
struct System {
    #[serde(default)]
    extension: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: Option<Box<RawValue>>,
}

/// A `system` message: which part of the server it is about, and how that fares. `None` for what says nothing
/// of that.
pub(super) fn system(frame: &Frame) -> Option<(Part, Result<(), Error>)> {
    let System { extension, status, message } = frame.json()?;
    let part = if extension == "postgres_changes" { Part::Changes } else { Part::Channel };
    match &*status {
        "ok" => Some((part, Ok(()))),
        "error" => {
            let words = message.and_then(|message| serde_json::from_str::<String>(message.get()).ok());
            let words = words.unwrap_or_else(|| "the server gave no reason".to_owned());
            Some((part, Err(refusal::read(&words))))
        }
        _ => None, // a word of another version
    }
}
