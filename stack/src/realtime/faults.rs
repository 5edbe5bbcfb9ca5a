//! What goes wrong on purpose with the frames of a project's sockets.
//!
//! What happens at once, to whoever is connected, is a [`Command`].

use serde::{Deserialize, Serialize};

use crate::switch::{Armed, Rule, Switch};

/// When something goes wrong with a frame, and what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameRule {
    /// Only frames from this side; from either by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Side>,
    /// Only frames whose topic starts like this; any by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Only frames of this event, as `phx_join` or `postgres_changes`; any by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// How many matching frames pass before it fires.
    #[serde(default)]
    pub skip: u64,
    /// How often it fires; for ever by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What goes wrong.
    pub action: FrameAction,
}

/// Who sends a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The client.
    Client,
    /// The service.
    Server,
}

/// What goes wrong with a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FrameAction {
    /// It never arrives.
    Drop,
    /// It arrives after a while, and so does all that comes behind it on its socket.
    Delay {
        /// How long it waits, in milliseconds.
        ms: u64,
    },
    /// It arrives twice.
    Duplicate,
    /// It is not handled, and answered as an error that says this. Only what a client sends is answered;
    /// what the service sends is dropped.
    Refuse {
        /// As clients read it: `Code: text`.
        reason: String,
    },
    /// It never arrives, and its socket is closed with this code.
    Close {
        /// The code of the closing frame.
        code: u16,
        /// The reason of the closing frame.
        #[serde(default)]
        reason: String,
    },
    /// It never arrives, and its connection ends without a word.
    Cut,
}

/// What happens at once to everybody who is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Every connection ends without a word.
    Cut,
    /// Every socket is closed with this code.
    Close {
        /// The code of the closing frame.
        code: u16,
        /// The reason of the closing frame.
        #[serde(default)]
        reason: String,
    },
    /// Channels are shut down: a `system` error with this message, then `phx_close`.
    Shutdown {
        /// Only channels of this topic, with its `realtime:`; all by default.
        #[serde(default)]
        topic: Option<String>,
        /// What the error says.
        message: String,
    },
    /// Channels crash: `phx_error`, and they are gone.
    Crash {
        /// Only channels of this topic, with its `realtime:`; all by default.
        #[serde(default)]
        topic: Option<String>,
    },
    /// The stream of changes breaks and is begun anew: what is written in between is missed, and whoever
    /// listens hears again that they are subscribed.
    Interrupt,
}

impl Rule for FrameRule {
    fn skip(&self) -> u64 {
        self.skip
    }

    fn times(&self) -> Option<u64> {
        self.times
    }
}

/// The switch.
#[derive(Debug, Default)]
pub(super) struct FrameFaults(Switch<FrameRule>);

impl FrameFaults {
    /// Replaces all rules.
    pub(super) fn set(&self, rules: Vec<FrameRule>) {
        self.0.set(rules);
    }

    /// The rules and their counts.
    pub(super) fn list(&self) -> Vec<Armed<FrameRule>> {
        self.0.list()
    }

    /// What goes wrong with this frame, if anything; counts it.
    pub(super) fn decide(&self, from: Side, topic: &str, event: &str) -> Option<FrameAction> {
        let matches = |rule: &FrameRule| {
            rule.from.is_none_or(|only| only == from)
                && rule.topic.as_ref().is_none_or(|prefix| topic.starts_with(prefix.as_str()))
                && rule.event.as_ref().is_none_or(|only| only == event)
        };
        Some(self.0.decide(matches)?.action)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_fires_for_its_frames_so_often() {
        let faults = FrameFaults::default();
        let rules = json!([{"from": "server", "topic": "realtime:a", "event": "broadcast", "skip": 1, "times": 1,
            "action": {"kind": "drop"}}]);
        faults.set(serde_json::from_value(rules).unwrap());
        let decide = |from, topic, event| faults.decide(from, topic, event).is_some();
        assert!(!decide(Side::Client, "realtime:a", "broadcast"));
        assert!(!decide(Side::Server, "realtime:b", "broadcast"));
        assert!(!decide(Side::Server, "realtime:a", "presence_diff"));
        let fired: Vec<_> = (0..3).map(|_| decide(Side::Server, "realtime:a", "broadcast")).collect();
        assert_eq!(fired, [false, true, false]);
        assert_eq!((faults.list()[0].seen, faults.list()[0].hits), (3, 1));
    }

    #[test]
    fn a_misspelled_rule_is_refused() {
        for rule in [json!({"action": {"kind": "explode"}}), json!({"evnt": "a", "action": {"kind": "drop"}})]
        {
            assert!(serde_json::from_value::<FrameRule>(rule.clone()).is_err(), "{rule}");
        }
    }
}
