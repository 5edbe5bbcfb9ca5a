//! Addresses that let whoever holds them read or write one object for a while.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Json,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Service,
    reply::StorageError,
    request::{Asked, Caller, Place, check_bucket, wants_upsert},
    transform::Transform,
    upload::Writing,
};
use crate::jwt::{self, Keyring};

/// How long an object may be uploaded to an address, in seconds.
const UPLOAD_SECONDS: i64 = 2 * 60 * 60;

/// What lets its holder read an object.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadToken {
    url: String,
    /// What is made of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) transformations: Option<String>,
    iat: i64,
    pub(super) exp: i64,
}

/// What lets its holder write an object.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct UploadToken {
    pub(super) owner: Option<String>,
    url: String,
    pub(super) upsert: bool,
    iat: i64,
    exp: i64,
}

/// `POST /object/sign/{bucket}/{name}`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignQuestion {
    expires_in: i64,
    transform: Option<Transform>,
    version_id: Option<String>,
}

/// `POST /object/sign/{bucket}`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignManyQuestion {
    expires_in: i64,
    paths: Vec<String>,
}

impl ReadToken {
    fn new(place: &Place, now: i64, seconds: i64) -> Self {
        Self { url: place.path(), transformations: None, iat: now, exp: now.saturating_add(seconds) }
    }

    pub(super) fn read(keyring: &Keyring, token: &str, place: &Place) -> Result<Self, StorageError> {
        let read: Self = claims(keyring, token, jwt::now())?;
        if read.url == place.path() { Ok(read) } else { Err(StorageError::invalid_signature()) }
    }
}

impl UploadToken {
    pub(super) fn read(keyring: &Keyring, token: &str, place: &Place) -> Result<Self, StorageError> {
        let read: Self = claims(keyring, token, jwt::now())?;
        if read.url == place.path() { Ok(read) } else { Err(StorageError::invalid_signature()) }
    }
}

pub(super) async fn sign(
    State(service): State<Arc<Service>>,
    place: Place,
    caller: Caller,
    Asked(asked): Asked<SignQuestion>,
) -> Result<Json<Value>, StorageError> {
    if asked.version_id.is_some() {
        return Err(StorageError::not_imitated("versions of objects"));
    }
    let seconds = lasting(asked.expires_in)?;
    let found = service.store.begin_as(&caller).await?.object(&place).await?;
    found.ok_or_else(StorageError::no_such_key)?;
    let transformations = asked.transform.map(|transform| transform.said()).filter(|said| !said.is_empty());
    Ok(Json(json!({"signedURL": address(&service.keyring, &place, seconds, transformations)})))
}

pub(super) async fn sign_many(
    State(service): State<Arc<Service>>,
    Path(bucket): Path<String>,
    caller: Caller,
    Asked(asked): Asked<SignManyQuestion>,
) -> Result<Json<Vec<Value>>, StorageError> {
    check_bucket(&bucket)?;
    let seconds = lasting(asked.expires_in)?;
    let found = service.store.begin_as(&caller).await?.names(&bucket, &asked.paths).await?;
    let signed = asked.paths.into_iter().map(|name| {
        let (error, url) = if found.contains(&name) {
            let place = Place { bucket: bucket.clone(), name: name.clone() };
            (None, Some(address(&service.keyring, &place, seconds, None)))
        } else {
            (Some("Either the object does not exist or you do not have access to it"), None)
        };
        json!({"error": error, "path": name, "signedURL": url})
    });
    Ok(Json(signed.collect()))
}

pub(super) async fn sign_upload(
    State(service): State<Arc<Service>>,
    place: Place,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Json<Value>, StorageError> {
    service.try_write(&place, &caller, Writing::of(&headers), json!({}), None).await?;
    let now = jwt::now();
    let token = service.keyring.sign_hs256(&UploadToken {
        owner: caller.subject,
        url: place.path(),
        upsert: wants_upsert(&headers),
        iat: now,
        exp: now + UPLOAD_SECONDS,
    });
    let url = format!("/object/upload/sign/{}?token={token}", place.path());
    Ok(Json(json!({"url": url, "token": token})))
}

/// Below the service's own address.
fn address(keyring: &Keyring, place: &Place, seconds: i64, transformations: Option<String>) -> String {
    let kind = if transformations.is_some() { "render/image" } else { "object" };
    let token = ReadToken { transformations, ..ReadToken::new(place, jwt::now(), seconds) };
    format!("/{kind}/sign/{}?token={}", place.path(), keyring.sign_hs256(&token))
}

fn lasting(seconds: i64) -> Result<i64, StorageError> {
    if seconds >= 1 { Ok(seconds) } else { Err(StorageError::invalid_request("body/expiresIn must be >= 1")) }
}

/// Any token of the project is genuine; only one made for this says which object it is for.
fn claims<T: DeserializeOwned>(keyring: &Keyring, token: &str, now: i64) -> Result<T, StorageError> {
    let claims = keyring.verify(token, now).map_err(StorageError::invalid_jwt)?;
    serde_json::from_value(Value::Object(claims)).map_err(|_| StorageError::invalid_signature())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_good_for_one_object_and_a_while() {
        let keyring = Keyring::of("secret").unwrap();
        let place = |name: &str| Place { bucket: "b".to_owned(), name: name.to_owned() };
        let token = keyring.sign_hs256(&ReadToken::new(&place("a.png"), 100, 10));
        let read = |now| claims::<ReadToken>(&keyring, &token, now);
        assert_eq!(read(109).unwrap().url, "b/a.png");
        assert!(read(110).is_err());
        let later = keyring.sign_hs256(&ReadToken::new(&place("a.png"), jwt::now(), 1000));
        assert!(ReadToken::read(&keyring, &later, &place("a.png")).is_ok());
        assert!(ReadToken::read(&keyring, &later, &place("b.png")).is_err());
        assert!(UploadToken::read(&keyring, &later, &place("a.png")).is_err(), "to read is not to write");
        let session = keyring.sign_hs256(&json!({"role": "authenticated", "exp": jwt::now() + 9}));
        assert!(ReadToken::read(&keyring, &session, &place("a.png")).is_err());
    }
}
