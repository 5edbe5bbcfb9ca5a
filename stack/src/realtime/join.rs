//! What a channel is joined with. A part that cannot be read is as if it were not there.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::subscription::id_of;

/// The payload of a join.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Join {
    /// Whose rights count; those of the key, if it is not said.
    pub(super) access_token: Option<String>,
    /// What is broadcast comes back to who sent it.
    pub(super) hears_itself: bool,
    /// A broadcast is answered.
    pub(super) acknowledges: bool,
    /// What was broadcast before.
    pub(super) replay: Option<Replay>,
    /// It is told when what the database broadcasts arrives.
    pub(super) awaits_replication: bool,
    pub(super) presence_key: String,
    pub(super) has_presence: bool,
    /// The policies decide who may.
    pub(super) is_private: bool,
    pub(super) changes: Vec<Map<String, Value>>,
}

/// Which broadcasts of the past are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replay {
    /// Those since then (Unix milliseconds), the newest first to be counted.
    Since { since: i64, limit: i64 },
    /// It cannot be read.
    Unclear,
}

/// No more are replayed at once.
const MOST_REPLAYED: i64 = 25;

impl Join {
    /// Reads the payload; who has no presence key gets `key`.
    pub(super) fn read(payload: &Value, key: Uuid) -> Self {
        let (config, text) = (&payload["config"], |name: &str| payload[name].as_str().map(str::to_owned));
        let (broadcast, presence) = (&config["broadcast"], &config["presence"]);
        let wishes = config["postgres_changes"].as_array().into_iter().flatten();
        Self {
            access_token: text("access_token").or_else(|| text("user_token")),
            hears_itself: is_true(&broadcast["self"]),
            acknowledges: is_true(&broadcast["ack"]),
            replay: broadcast.get("replay").filter(|replay| !replay.is_null()).map(Replay::read),
            awaits_replication: is_true(&broadcast["replication_ready"]),
            presence_key: match presence["key"].as_str() {
                None | Some("") => key.to_string(),
                Some(key) => key.to_owned(),
            },
            has_presence: presence.get("enabled").is_none_or(is_true),
            is_private: is_true(&config["private"]),
            changes: wishes.filter_map(Value::as_object).cloned().collect(),
        }
    }

    /// What the answer says: the wishes, each with its number.
    pub(super) fn response(&self) -> Value {
        let numbered = self.changes.iter().map(|wish| {
            let mut wish = wish.clone();
            wish.insert("id".to_owned(), Value::from(id_of(&wish)));
            wish
        });
        json!({"postgres_changes": numbered.collect::<Vec<_>>()})
    }
}

impl Replay {
    fn read(replay: &Value) -> Self {
        let number = |name: &str, default| match &replay[name] {
            Value::Null => Some(default),
            other => other.as_i64(),
        };
        match (replay.is_object(), number("since", 0), number("limit", MOST_REPLAYED)) {
            (true, Some(since), Some(limit)) => Self::Since { since, limit: limit.clamp(1, MOST_REPLAYED) },
            _ => Self::Unclear, // some part of it is no number
        }
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(is_true) => *is_true,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_is_read_and_its_gaps_are_filled() {
        let nothing = Join::read(&Value::Null, Uuid::nil());
        assert!(nothing.has_presence && !nothing.is_private && nothing.changes.is_empty());
        assert_eq!(nothing.presence_key, Uuid::nil().to_string());
        let join = Join::read(
            &json!({
                "access_token": "a.b.c",
                "config": {
                    "private": "true", "broadcast": {"self": true, "ack": 1, "replay": {"since": 5, "limit": 90}},
                    "presence": {"key": "ana", "enabled": false},
                    "postgres_changes": [null, {"event": "*", "schema": "public"}],
                },
            }),
            Uuid::nil(),
        );
        assert!(join.is_private && join.hears_itself && !join.acknowledges && !join.has_presence);
        assert_eq!(join.replay, Some(Replay::Since { since: 5, limit: 25 }));
        let told = join.response();
        assert_eq!(told["postgres_changes"][0]["schema"], "public");
        assert!(told["postgres_changes"][0]["id"].is_u64());
    }

    #[test]
    fn a_replay_that_makes_no_sense_is_known_as_such() {
        for replay in [json!(true), json!({"since": "yesterday"}), json!({"limit": 1.5})] {
            assert_eq!(Replay::read(&replay), Replay::Unclear, "{replay}");
        }
    }
}
