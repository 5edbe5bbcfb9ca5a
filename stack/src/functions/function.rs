//! A function: who may call it, and what answers for it.

use axum::http::{HeaderMap, StatusCode, Uri};
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;

use super::{Shared, reply::Failure};
use crate::faults::{headers, status};

/// What stands behind a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Function {
    /// Whether a caller needs a token; unsaid, as `config.toml` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) verify_jwt: Option<bool>,
    #[serde(with = "shared")]
    pub(super) handler: Shared,
}

/// What answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Handler {
    /// Always the same.
    Answer(Answer),
    /// What was received, told in JSON.
    Echo,
    /// The body as it comes in, piece by piece, under the type it has.
    Mirror,
    /// The service fails as it does when the function is broken.
    Fail { failure: Kind },
    /// A server elsewhere.
    Proxy {
        #[serde(with = "address")]
        url: Uri,
    },
    /// A program that is run for each request, by the Common Gateway Interface (RFC 3875).
    Command { program: Vec<String> },
}

/// An answer that a test made up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(with = "status", default)]
    pub(super) status: StatusCode,
    #[serde(with = "headers", default)]
    pub(super) headers: HeaderMap,
    /// Text as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
    /// More of the body, each piece after a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) chunks: Vec<Chunk>,
    /// The connection is cut where the body would end.
    #[serde(default)]
    pub(super) cut: bool,
}

/// A piece of a body.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chunk {
    /// How long it is waited for, in milliseconds.
    #[serde(default)]
    pub(super) ms: u64,
    #[serde(flatten)]
    pub(super) content: Content,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Text(String),
    Base64(#[serde(with = "in_base64")] Vec<u8>),
}

/// How the service fails.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Boot,
    Crash,
    ResourceLimit,
    IdleTimeout,
}

impl Function {
    /// One that is called by whom the settings let.
    pub(super) fn of(handler: Handler) -> Self {
        Self { verify_jwt: None, handler: Shared::new(handler) }
    }
}

impl Content {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Base64(bytes) => bytes.clone(),
        }
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Boot => Self::Boot("Function failed to start (please check logs)".to_owned()),
            Kind::Crash => Self::Crash,
            Kind::ResourceLimit => Self::ResourceLimit,
            Kind::IdleTimeout => Self::IdleTimeout,
        }
    }
}

/// An address a request can be passed on to.
pub(super) fn address(text: &str) -> Result<Uri, &'static str> {
    let url: Uri = text.parse().map_err(|_| "this is no address")?;
    let goes = matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some();
    match (goes, url.query()) {
        (true, None) => Ok(url),
        (true, Some(_)) => Err("the query is the caller's: an address has none of its own"),
        (false, _) => Err("an address begins with http:// or https://"),
    }
}

mod shared {
    use super::{Deserialize, Deserializer, Handler, Serialize, Serializer, Shared};

    pub(super) fn serialize<S: Serializer>(handler: &Shared, serializer: S) -> Result<S::Ok, S::Error> {
        Handler::serialize(handler, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Shared, D::Error> {
        Handler::deserialize(deserializer).map(Shared::new)
    }
}

mod address {
    use super::{Deserialize, Deserializer, Error, Serializer, Uri};

    pub(super) fn serialize<S: Serializer>(url: &Uri, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(url)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uri, D::Error> {
        super::address(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

mod in_base64 {
    use base64::Engine as _;

    use super::{Deserialize, Deserializer, Error, STANDARD, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(handler: &Value) -> Result<Function, serde_json::Error> {
        serde_json::from_value(json!({"handler": handler}))
    }

    #[test]
    fn what_is_said_of_a_function_is_said_again() {
        for handler in [
            json!({"kind": "answer", "status": 201, "headers": {"x-a": "b"}, "body": {"a": 1}, "cut": false}),
            json!({"kind": "answer", "status": 200, "headers": {}, "cut": true,
                "chunks": [{"ms": 5, "text": "a"}, {"ms": 0, "base64": "AP8="}]}),
            json!({"kind": "echo"}),
            json!({"kind": "fail", "failure": "resource_limit"}),
            json!({"kind": "proxy", "url": "http://127.0.0.1:8000/"}),
            json!({"kind": "command", "program": ["./hello", "-x"]}),
        ] {
            let function = read(&handler).unwrap();
            assert_eq!(serde_json::to_value(&function).unwrap(), json!({"handler": handler}));
        }
    }

    #[test]
    fn a_misspelled_function_is_refused() {
        for handler in [
            json!({"kind": "explode"}),
            json!({"kind": "answer", "status": 99}),
            json!({"kind": "answer", "bdy": "a"}),
            json!({"kind": "answer", "chunks": [{"base64": "!"}]}),
            json!({"kind": "fail", "failure": "whim"}),
            json!({"kind": "proxy", "url": "ftp://a/"}),
            json!({"kind": "proxy", "url": "/f"}),
            json!({"kind": "proxy", "url": "http://a/?b"}),
        ] {
            assert!(read(&handler).is_err(), "{handler}");
        }
    }
}
