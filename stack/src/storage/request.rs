//! Who asks, and for what: tokens, names and bodies as they come in.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Path},
    http::{HeaderMap, HeaderName, Request, header::AUTHORIZATION, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Service, reply::StorageError};
use crate::{gateway::bearer, jwt};

const UPSERT: HeaderName = HeaderName::from_static("x-upsert");
const METADATA: HeaderName = HeaderName::from_static("x-metadata");
/// No question is longer.
const LONGEST_QUESTION: usize = 4 << 20;

/// Somebody whose token is genuine: what they do is done as their role.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) role: String,
    /// All claims, as JSON.
    pub(super) claims: String,
    pub(super) subject: Option<String>,
}

/// Somebody, or nobody: where a public bucket is enough, a token that is not good is as good as none.
#[derive(Debug)]
pub(super) struct Visitor(pub(super) Option<Caller>);

/// An object in a bucket, by names that may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) name: String,
}

/// A body of JSON.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl Caller {
    pub(super) fn read(headers: &HeaderMap, service: &Service) -> Result<Self, StorageError> {
        let shown = headers.get(AUTHORIZATION).and_then(|shown| bearer(shown.to_str().ok()?));
        let token = shown.ok_or_else(|| {
            StorageError::invalid_request("headers must have required property 'authorization'")
        })?;
        let claims = service.keyring.verify(token, jwt::now()).map_err(StorageError::unauthorized)?;
        Ok(Self::of(claims))
    }

    fn of(claims: Map<String, Value>) -> Self {
        let text = |name| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            role: text("role").unwrap_or_else(|| "anon".to_owned()),
            subject: text("sub"),
            claims: Value::Object(claims).to_string(),
        }
    }

    /// Whoever holds an address that lets them write: the service itself, for who asked for the address.
    pub(super) fn holder(owner: Option<String>) -> Self {
        let claims = Map::from_iter([("role".to_owned(), Value::from("service_role"))]);
        Self { subject: owner, ..Self::of(claims) }
    }

    /// Whose an object is that they write; older columns take an id alone.
    pub(super) fn owner(&self) -> Option<Uuid> {
        self.subject.as_deref()?.parse().ok()
    }
}

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = StorageError;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, StorageError> {
        Self::read(&parts.headers, service)
    }
}

impl FromRequestParts<Arc<Service>> for Visitor {
    type Rejection = StorageError;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, StorageError> {
        Ok(Self(Caller::read(&parts.headers, service).ok()))
    }
}

impl Place {
    /// Refuses names the hosted service refuses.
    pub(super) fn new(bucket: String, name: String) -> Result<Self, StorageError> {
        check_bucket(&bucket)?;
        if !is_key(&name) {
            return Err(StorageError::invalid_key(&name));
        }
        Ok(Self { bucket, name })
    }

    /// As a token for an address names it.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.bucket, self.name)
    }

    /// What the dashboard keeps an empty folder by. It holds nothing, whatever the bucket takes.
    pub(super) fn is_empty_folder(&self) -> bool {
        self.name.ends_with(".emptyFolderPlaceholder")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = StorageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StorageError> {
        let Path((bucket, name)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| StorageError::invalid_key(""))?;
        Self::new(bucket, name)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = StorageError;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, StorageError> {
        let body = to_bytes(request.into_body(), LONGEST_QUESTION)
            .await
            .map_err(|_| StorageError::invalid_request("the body is cut, or too long"))?;
        let body = if body.is_empty() { b"{}" } else { &*body };
        serde_json::from_slice(body)
            .map(Self)
            .map_err(|error| StorageError::invalid_request(format!("the body can not be read: {error}")))
    }
}

pub(super) fn check_bucket(bucket: &str) -> Result<(), StorageError> {
    let is_name = bucket.len() < 64 && !bucket.contains('/') && is_key(bucket);
    if is_name { Ok(()) } else { Err(StorageError::invalid_bucket_name()) }
}

/// What may stand in a name; of letters only those of ASCII.
fn is_key(name: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"_/!-.*'() &$@=;:+,?".contains(&byte);
    !name.is_empty() && name.bytes().all(may_stand)
}

pub(super) fn wants_upsert(headers: &HeaderMap) -> bool {
    headers.get(UPSERT).is_some_and(|value| value == "true")
}

/// What an app wants to know of its object later; what can not be read is not there.
pub(super) fn user_metadata(headers: &HeaderMap) -> Option<Value> {
    let json = STANDARD.decode(headers.get(METADATA)?).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_the_hosted_service_takes() {
        let place = |bucket: &str, name: &str| Place::new(bucket.to_owned(), name.to_owned()).is_ok();
        for name in ["a", "a/b c.png", "it's (1) & more!.txt", "a//b", "x=1;y:2+3,?@$*"] {
            assert!(place("b", name), "{name}");
        }
        for name in ["", "é.png", "a%b", "a#b", "a\\b", "a\nb", "[1]", "~"] {
            assert!(!place("b", name), "{name}");
        }
        assert!(!place("a/b", "c") && !place("", "c") && !place(&"b".repeat(64), "c"));
    }

    #[test]
    fn a_token_that_names_no_role_is_nobodys() {
        let claims = Map::from_iter([("sub".to_owned(), Value::from("somebody"))]);
        let caller = Caller::of(claims);
        assert_eq!((caller.role.as_str(), caller.owner()), ("anon", None));
        assert_eq!(caller.claims, r#"{"sub":"somebody"}"#);
    }
}
