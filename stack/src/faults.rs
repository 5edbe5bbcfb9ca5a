//! The fault switch of one project: what goes wrong with which request, before the gateway.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header::CONTENT_LENGTH},
    response::{IntoResponse, Json, Response},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    serve::Cut,
    switch::{self, Armed, Switch},
};

/// When something goes wrong, and what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only requests with this method; any by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path starts like this; any by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many matching requests pass before it fires.
    #[serde(default)]
    pub skip: u64,
    /// How often it fires; for ever by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What goes wrong.
    pub action: Action,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// The connection is closed before the request is handled.
    Refuse,
    /// The request is handled and committed, and then the connection is closed without an answer.
    LoseAnswer,
    /// The request is handled, but only after a while, even if its client has gone by then.
    Delay {
        /// How long it waits, in milliseconds.
        ms: u64,
    },
    /// The request is handled and committed at once, and its answer comes after a while.
    DelayAnswer {
        /// How long it waits, in milliseconds.
        ms: u64,
    },
    /// The request is handled twice, one after the other, as by a proxy that sends again; the second answer
    /// is given.
    Duplicate,
    /// The request is not handled; this is the answer.
    Answer {
        /// The HTTP status.
        #[serde(with = "status")]
        status: StatusCode,
        /// Headers beside `content-type`.
        #[serde(default, with = "headers")]
        headers: HeaderMap,
        /// A JSON body; none by default.
        #[serde(default)]
        body: Option<Value>,
    },
    /// The request is handled, and the connection is closed in the middle of the answer's body.
    Truncate {
        /// How many bytes of the body arrive.
        bytes: usize,
    },
}

impl switch::Rule for Rule {
    fn skip(&self) -> u64 {
        self.skip
    }

    fn times(&self) -> Option<u64> {
        self.times
    }
}

/// The switch.
#[derive(Debug, Default)]
pub struct Faults(Switch<Rule>);

impl Faults {
    /// Replaces all rules.
    pub fn set(&self, rules: Vec<Rule>) {
        self.0.set(rules);
    }

    /// The rules and their counts.
    pub fn list(&self) -> Vec<Armed<Rule>> {
        self.0.list()
    }

    /// Passes a request on to `handle`, or does to it what a rule says.
    pub(crate) async fn pass<F>(
        &self,
        request: Request<Body>,
        handle: impl Fn(Request<Body>) -> F,
    ) -> Result<Response, Cut>
    where
        F: Future<Output = Response>,
    {
        match self.decide(request.method(), request.uri().path()) {
            None => Ok(handle(request).await),
            Some(Action::Refuse) => Err(Cut),
            Some(Action::LoseAnswer) => {
                handle(request).await;
                Err(Cut)
            }
            Some(Action::Delay { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Ok(handle(request).await)
            }
            Some(Action::DelayAnswer { ms }) => {
                let response = handle(request).await;
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Ok(response)
            }
            Some(Action::Duplicate) => {
                let (head, body) = request.into_parts();
                let whole = to_bytes(body, usize::MAX).await.map_err(|_| Cut)?;
                let copy = || Request::from_parts(head.clone(), Body::from(whole.clone()));
                handle(copy()).await;
                Ok(handle(copy()).await)
            }
            Some(Action::Answer { status, headers, body }) => Ok(canned(status, headers, body)),
            Some(Action::Truncate { bytes }) => truncate(handle(request).await, bytes).await,
        }
    }

    fn decide(&self, method: &Method, path: &str) -> Option<Action> {
        let matches = |rule: &Rule| {
            rule.method.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(method.as_str()))
                && rule.path.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
        };
        Some(self.0.decide(matches)?.action)
    }
}

fn canned(status: StatusCode, headers: HeaderMap, body: Option<Value>) -> Response {
    let mut response = match body {
        Some(body) => (status, Json(body)).into_response(),
        None => status.into_response(),
    };
    response.headers_mut().extend(headers);
    response
}

/// A status as its number, on the wire.
pub(crate) mod status {
    use axum::http::StatusCode;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(status.as_u16())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
        StatusCode::from_u16(u16::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Headers as an object of texts, on the wire.
pub(crate) mod headers {
    use std::collections::HashMap;

    use axum::http::HeaderMap;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
        let texts =
            headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
        serializer.collect_map(texts)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
        let texts = HashMap::<String, String>::deserialize(deserializer)?;
        HeaderMap::try_from(&texts).map_err(D::Error::custom)
    }
}

/// The head and the length of the whole answer, and then only some of it.
async fn truncate(response: Response, keep: usize) -> Result<Response, Cut> {
    let (mut head, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.map_err(|_| Cut)?;
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    if keep >= whole.len() {
        return Ok(Response::from_parts(head, Body::from(whole)));
    }
    Ok(Response::from_parts(head, Body::from_stream(cut_after(whole.slice(..keep)))))
}

fn cut_after(kept: Bytes) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(kept), |kept| async move {
        match kept {
            Some(kept) => Some((Ok(kept), None)),
            None => {
                // What was written reaches the client only when the connection finds nothing
                // more to write; an error at once would throw it away.
                tokio::task::yield_now().await;
                Some((Err(io::Error::other(Cut)), None))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fired(rules: Value, requests: &[(Method, &str)]) -> Vec<bool> {
        let faults = Faults::default();
        faults.set(serde_json::from_value(rules).unwrap());
        requests.iter().map(|(method, path)| faults.decide(method, path).is_some()).collect()
    }

    #[test]
    fn a_rule_fires_for_its_method_and_path_only() {
        let rules = json!([{"method": "post", "path": "/rest/v1/notes", "action": {"kind": "refuse"}}]);
        let requests = [
            (Method::POST, "/rest/v1/notes"),
            (Method::GET, "/rest/v1/notes"),
            (Method::POST, "/rest/v1/tags"),
        ];
        assert_eq!(fired(rules, &requests), [true, false, false]);
    }

    #[test]
    fn a_rule_lets_some_pass_and_then_fires_so_often() {
        let rules = json!([{"skip": 1, "times": 2, "action": {"kind": "lose_answer"}}]);
        assert_eq!(fired(rules, &vec![(Method::GET, "/"); 5]), [false, true, true, false, false]);
    }

    #[test]
    fn a_rule_that_is_spent_leaves_the_next_its_turn() {
        let faults = Faults::default();
        let rules = json!([
            {"times": 1, "action": {"kind": "refuse"}},
            {"action": {"kind": "delay", "ms": 5}},
        ]);
        faults.set(serde_json::from_value(rules).unwrap());
        assert!(matches!(faults.decide(&Method::GET, "/"), Some(Action::Refuse)));
        assert!(matches!(faults.decide(&Method::GET, "/"), Some(Action::Delay { ms: 5 })));
        let counts: Vec<_> = faults.list().iter().map(|rule| (rule.seen, rule.hits)).collect();
        assert_eq!(counts, [(2, 1), (1, 1)]);
    }

    #[test]
    fn a_misspelled_rule_is_refused() {
        for rule in [
            json!({"acton": {}}),
            json!({"action": {"kind": "explode"}}),
            json!({"action": {"kind": "answer", "status": 99}}),
            json!({"action": {"kind": "answer", "status": 200, "headers": {"a b": "c"}}}),
        ] {
            assert!(serde_json::from_value::<Rule>(rule.clone()).is_err(), "{rule}");
        }
    }
}
