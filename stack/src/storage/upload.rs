//! Objects in: the bytes of a request, raw or as a form, whole or not at all.
//!
//! What may be refused without the bytes is refused before they are read: the row is tried as who asks
//! and rolled back. Then the bytes are written under no name, and at last the row is written as who asks,
//! with the name's lock held. Two at once that replace each other leave the last; of two that may not,
//! the first stays and the second is refused.

use std::{pin::pin, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Multipart, Query, State},
    http::{
        HeaderMap, Request,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::Json,
};
use chrono::{SecondsFormat, Utc};
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    LARGEST_OBJECT, Service,
    files::{Incoming, Kept},
    reply::{StorageError, taken},
    request::{Caller, Place, user_metadata, wants_upsert},
    sign::UploadToken,
    store::{Bucket, NewObject},
};

/// How much is read of what is refused, so that who is still sending hears why.
const POLITENESS: u64 = 64 << 20;
/// What an app may want to know of its object.
const LONGEST_FIELD: usize = 1 << 20;

/// What becomes of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// It stays, and the upload is refused.
    Add,
    /// It is replaced.
    Put,
}

/// What an upload says of its bytes.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) mime: String,
    pub(super) cache_control: String,
    pub(super) user_metadata: Option<Value>,
}

/// What a bucket takes.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) largest: u64,
    mimes: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WithToken {
    #[serde(default)]
    token: String,
}

impl Writing {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if wants_upsert(headers) { Self::Put } else { Self::Add }
    }
}

pub(super) async fn add(
    State(service): State<Arc<Service>>,
    place: Place,
    caller: Caller,
    request: Request<Body>,
) -> Result<Json<Value>, StorageError> {
    let writing = Writing::of(request.headers());
    let id = service.upload(&place, &caller, writing, request).await?;
    Ok(Json(json!({"Key": place.path(), "Id": id})))
}

pub(super) async fn put(
    State(service): State<Arc<Service>>,
    place: Place,
    caller: Caller,
    request: Request<Body>,
) -> Result<Json<Value>, StorageError> {
    let id = service.upload(&place, &caller, Writing::Put, request).await?;
    Ok(Json(json!({"Key": place.path(), "Id": id})))
}

/// An upload by somebody who holds a signed address, and needs no other right.
pub(super) async fn put_signed(
    State(service): State<Arc<Service>>,
    place: Place,
    Query(WithToken { token }): Query<WithToken>,
    request: Request<Body>,
) -> Result<Json<Value>, StorageError> {
    let token = UploadToken::read(&service.keyring, &token, &place)?;
    let writing = if token.upsert { Writing::Put } else { Writing::Add };
    service.upload(&place, &Caller::holder(token.owner), writing, request).await?;
    Ok(Json(json!({"Key": place.path()})))
}

impl Service {
    async fn upload(
        &self,
        place: &Place,
        caller: &Caller,
        writing: Writing,
        request: Request<Body>,
    ) -> Result<Uuid, StorageError> {
        let (head, body) = request.into_parts();
        let rules = match self.admit(place, caller, writing, &head.headers).await {
            Ok(rules) => rules,
            Err(refusal) => {
                drain(body).await;
                return Err(refusal);
            }
        };
        let mut incoming = self.files.receive().await?;
        let described = if is_form(&head.headers) {
            read_form(Request::from_parts(head, body), &mut incoming, &rules).await?
        } else {
            let described = Described::of(&head.headers);
            pour(body.into_data_stream(), &mut incoming, rules.largest).await?;
            described
        };
        rules.check(&described.mime)?;
        let kept = self.files.keep(incoming).await?;
        let written = self.write(place, caller, writing, &kept, described).await;
        if written.is_err() {
            self.files.remove([kept.version]).await;
        }
        written
    }

    /// Refuses what can be refused before the bytes are there.
    async fn admit(
        &self,
        place: &Place,
        caller: &Caller,
        writing: Writing,
        headers: &HeaderMap,
    ) -> Result<Rules, StorageError> {
        let rules = Rules::of(self.store.bucket(&place.bucket).await?, place);
        let described = Described::of(headers);
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let mut metadata = json!({"mimetype": described.mime, "cacheControl": described.cache_control});
        if is_form(headers) {
            // A form says it inside, and is itself a little longer.
            metadata = json!({});
        } else {
            if length.is_some_and(|length: u64| length > rules.largest) {
                return Err(StorageError::too_large());
            }
            rules.check(&described.mime)?;
            metadata["size"] = json!(length);
        }
        self.try_write(place, caller, writing, metadata, described.user_metadata).await?;
        Ok(rules)
    }

    /// Whether the row could be written now; it is not.
    pub(super) async fn try_write(
        &self,
        place: &Place,
        caller: &Caller,
        writing: Writing,
        metadata: Value,
        user_metadata: Option<Value>,
    ) -> Result<(), StorageError> {
        let mut tx = self.store.begin_as(caller).await?;
        let new = NewObject { place, owner: caller, version: None, metadata, user_metadata };
        match writing {
            Writing::Add => tx.add(&new).await,
            Writing::Put => tx.put(&new).await,
        }
        .map(drop)
        .map_err(|error| taken(error, StorageError::key_already_exists))
    }

    /// Writes the row of what has just been kept.
    pub(super) async fn write(
        &self,
        place: &Place,
        caller: &Caller,
        writing: Writing,
        kept: &Kept,
        described: Described,
    ) -> Result<Uuid, StorageError> {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let metadata = json!({
            "eTag": kept.etag,
            "size": kept.size,
            "mimetype": described.mime,
            "cacheControl": described.cache_control,
            "lastModified": now,
            "contentLength": kept.size,
            "httpStatusCode": 200,
        });
        let user_metadata = described.user_metadata;
        let version = Some(kept.version);
        self.put_row(&NewObject { place, owner: caller, version, metadata, user_metadata }, writing).await
    }

    /// Writes the row of bytes that are there, and removes those it had before.
    pub(super) async fn put_row(&self, new: &NewObject<'_>, writing: Writing) -> Result<Uuid, StorageError> {
        let mut tx = self.store.begin().await?;
        tx.lock(&[new.place]).await?;
        let before = tx.object(new.place).await?;
        tx.become_caller(new.owner).await?;
        let id = match writing {
            Writing::Add => tx.add(new).await,
            Writing::Put => tx.put(new).await,
        }
        .map_err(|error| taken(error, StorageError::key_already_exists))?;
        tx.commit().await?;
        self.files.remove(before.and_then(|before| before.version())).await;
        Ok(id)
    }
}

impl Rules {
    pub(super) fn of(bucket: Bucket, place: &Place) -> Self {
        if place.is_empty_folder() {
            return Self { largest: 0, mimes: None };
        }
        let own = bucket.file_size_limit.and_then(|limit| u64::try_from(limit).ok());
        Self {
            largest: own.unwrap_or(LARGEST_OBJECT).min(LARGEST_OBJECT),
            mimes: bucket.allowed_mime_types.filter(|mimes| !mimes.is_empty()),
        }
    }

    pub(super) fn check(&self, mime: &str) -> Result<(), StorageError> {
        let Some(allowed) = &self.mimes else { return Ok(()) };
        let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let fits = |allowed: &String| match allowed.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => essence.split_once('/').is_some_and(|(known, _)| known.eq_ignore_ascii_case(kind)),
            None => allowed.eq_ignore_ascii_case(&essence),
        };
        if allowed.iter().any(fits) { Ok(()) } else { Err(StorageError::mime_type(mime)) }
    }
}

impl Described {
    /// As the headers of raw bytes say.
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            mime: text(CONTENT_TYPE).unwrap_or_else(|| "application/octet-stream".to_owned()),
            cache_control: text(CACHE_CONTROL).unwrap_or_else(|| "no-cache".to_owned()),
            user_metadata: user_metadata(headers),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content.is_some_and(|content| content.starts_with("multipart/form-data"))
}

/// The one file of a form, and what its other fields say of it.
async fn read_form(
    request: Request<Body>,
    incoming: &mut Incoming,
    rules: &Rules,
) -> Result<Described, StorageError> {
    let unreadable = |_| StorageError::no_content();
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| StorageError::no_content())?;
    let (mut file, mut content_type, mut cache_control, mut metadata) = (None, None, None, None);
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        if field.file_name().is_some() && file.is_none() {
            let mime = field.content_type().unwrap_or("application/octet-stream").to_owned();
            pour(field, incoming, rules.largest).await?;
            file = Some(mime);
            continue;
        }
        let name = field.name().unwrap_or_default().to_owned();
        let text = field.text().await.map_err(unreadable)?;
        if text.len() > LONGEST_FIELD {
            return Err(StorageError::too_large());
        }
        match name.as_str() {
            "contentType" => content_type = Some(text),
            "cacheControl" => cache_control = Some(format!("max-age={text}")),
            "metadata" | "userMetadata" => metadata = serde_json::from_str(&text).ok(),
            _ => {}
        }
    }
    let mime = file.ok_or_else(StorageError::no_content)?;
    Ok(Described {
        mime: content_type.unwrap_or(mime),
        cache_control: cache_control.unwrap_or_else(|| "no-cache".to_owned()),
        user_metadata: metadata,
    })
}

/// Writes what comes. Of what is too large some is read and thrown away: who sends it listens later.
async fn pour<E>(
    chunks: impl Stream<Item = Result<Bytes, E>>,
    incoming: &mut Incoming,
    largest: u64,
) -> Result<(), StorageError> {
    let mut chunks = pin!(chunks);
    let mut size = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| StorageError::invalid_request("the upload was cut"))?;
        size += chunk.len() as u64;
        if size <= largest {
            incoming.write(&chunk).await?;
        } else if size > largest + POLITENESS {
            break;
        }
    }
    if size > largest { Err(StorageError::too_large()) } else { Ok(()) }
}

async fn drain(body: Body) {
    let (mut chunks, mut size) = (body.into_data_stream(), 0);
    while let Some(Ok(chunk)) = chunks.next().await {
        size += chunk.len() as u64;
        if size > POLITENESS {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_takes_what_it_says_it_takes() {
        let rules = |allowed: &[&str]| Rules {
            largest: 1,
            mimes: Some(allowed.iter().map(|&mime| mime.to_owned()).collect()),
        };
        for (allowed, mime, taken) in [
            (&["image/png"][..], "image/png", true),
            (&["image/png"], "IMAGE/PNG; q=1", true),
            (&["image/png"], "image/jpeg", false),
            (&["image/*"], "image/jpeg", true),
            (&["image/*"], "images/jpeg", false),
            (&["*/*"], "text/plain", true),
            (&["a/b", "text/plain"], "text/plain;charset=UTF-8", true),
            (&["image/png"], "", false),
        ] {
            assert_eq!(rules(allowed).check(mime).is_ok(), taken, "{allowed:?} {mime}");
        }
    }
}
