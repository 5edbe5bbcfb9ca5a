//! What Realtime is asked, as values: the socket, a join, a broadcast over HTTP.

use std::time::{Duration, SystemTime};

use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::realtime::Payload;
use crate::realtime::binding::Shape;
use crate::transport::{Request, segment};

/// The socket, with the protocol's version.
pub(super) fn websocket(key: &str) -> Request {
    Request::get("/realtime/v1/websocket").query("apikey", key).query("vsn", "2.0.0")
}

/// A broadcast over HTTP. The topic is without its `realtime:`.
pub(super) fn broadcast(topic: &str, event: &str, private: bool, payload: Payload) -> Request {
    let [topic, event] = [topic, event].map(segment);
    let path = format!("/realtime/v1/api/broadcast/{topic}/events/{event}");
    let mut request = Request::new(Method::POST, path);
    if private {
        request = request.query("private", "true");
    }
    let (kind, body) = match payload {
        Payload::Json(json) => ("application/json", json.get().to_owned().into()),
        Payload::Bytes(bytes) => ("application/octet-stream", bytes.into()),
    };
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    request.body = body;
    request
}

/// What a channel asks for when it is joined.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Config {
    pub(super) broadcast: BroadcastConfig,
    pub(super) presence: PresenceConfig,
    pub(super) postgres_changes: Vec<Shape>,
    pub(super) private: bool,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct BroadcastConfig {
    pub(super) ack: bool,
    #[serde(rename = "self")]
    pub(super) own: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replay: Option<Replay>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) replication_ready: bool,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct PresenceConfig {
    pub(super) key: String,
    pub(super) enabled: bool,
}

/// Which broadcasts of before the join are told again: those of a private channel that the database keeps, for
/// about three days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// In milliseconds since 1970.
    since: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u8>,
}

impl Replay {
    /// What was sent since then, the 25 latest at most.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use supabase_sdk::realtime::Replay;
    /// let last_hour = Replay::since(SystemTime::now() - Duration::from_secs(3_600)).limit(10);
    /// ```
    pub fn since(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { since: u64::try_from(since.as_millis()).unwrap_or(u64::MAX), limit: None }
    }

    /// So many at most; the server gives 25 at most, and at least one.
    #[must_use]
    pub fn limit(mut self, messages: u8) -> Self {
        self.limit = Some(messages.clamp(1, 25));
        self
    }
}

/// A join's payload. The token is nobody's where there is none: the server then knows the project's key alone.
#[derive(Serialize)]
pub(super) struct Join<'a> {
    pub(super) config: &'a Config,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_token: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broadcast_over_http_is_a_post() {
        let request = broadcast("room/1 a", "cur:sor", true, Payload::json(&1).unwrap());
        assert_eq!(request.uri(), "/realtime/v1/api/broadcast/room%2F1%20a/events/cur%3Asor?private=true");
        assert_eq!(request.headers["content-type"], "application/json");
        let request = broadcast("a", "b", false, Payload::Bytes(vec![0, 255].into()));
        assert_eq!(request.uri(), "/realtime/v1/api/broadcast/a/events/b");
        assert_eq!(request.headers["content-type"], "application/octet-stream");
    }

    #[test]
    fn a_replay_is_in_milliseconds_and_bounded() {
        let replay = Replay::since(SystemTime::UNIX_EPOCH + Duration::from_secs(7)).limit(200);
        assert_eq!(serde_json::to_string(&replay).unwrap(), r#"{"since":7000,"limit":25}"#);
    }
}
