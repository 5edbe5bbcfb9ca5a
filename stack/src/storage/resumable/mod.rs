//! Uploads that go on where they were cut: the tus protocol, version 1.0.0.
//!
//! Each request is asked for anew whether it may upload, as hosted, and the one that brings the last byte
//! writes the row: whose the object is and whether it replaces one is said by that request. A request that
//! comes while another is still at the same upload takes its place.
//!
//! A chunk may have any length; the hosted service's papers want 6 MiB, and it takes others all the same.
//! What it does not imitate: uploads in parallel parts (`concatenation`, which is not there hosted either),
//! checksums, and methods that are said in a header.

mod draft;
mod drafts;
mod reply;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION},
    },
    response::{IntoResponse as _, Response},
    routing::post,
};
use chrono::Utc;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::{
    LARGEST_OBJECT, Service,
    request::{Caller, Place, wants_upsert},
    sign::UploadToken,
    upload::{Rules, Writing},
};
use draft::{Draft, DraftId};
pub(super) use drafts::Drafts;
use drafts::Turn;
use reply::{
    DEFER_LENGTH, EXPIRES, EXTENSION, LENGTH, MAX_SIZE, METADATA, OFFSET, RESUMABLE, TusError, VERSION,
    versioned,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const COMPLETE: HeaderName = HeaderName::from_static("tus-complete");
const BYTES: &str = "application/offset+octet-stream";
const EXTENSIONS: HeaderValue =
    HeaderValue::from_static("creation,creation-with-upload,creation-defer-length,termination,expiration");

/// Who uploads, and whether what is there is replaced.
#[derive(Debug)]
struct Uploader {
    caller: Caller,
    writing: Writing,
}

/// Bytes on their way in, and with what right.
struct Arrival<'a> {
    headers: &'a HeaderMap,
    body: Body,
    uploader: &'a Uploader,
    turn: Turn,
}

pub(super) fn routes() -> Router<Arc<Service>> {
    let (many, one) =
        (post(create).options(options), post(one).patch(one).head(one).delete(one).options(options));
    Router::new()
        .route("/upload/resumable", many.clone())
        .route("/upload/resumable/", many.clone())
        .route("/upload/resumable/sign", many.clone())
        .route("/upload/resumable/sign/", many)
        .route("/upload/resumable/{id}", one.clone())
        .route("/upload/resumable/sign/{id}", one)
}

async fn options() -> Response {
    let max = HeaderValue::from(LARGEST_OBJECT);
    let known = [(VERSION, HeaderValue::from_static("1.0.0")), (EXTENSION, EXTENSIONS), (MAX_SIZE, max)];
    versioned((StatusCode::NO_CONTENT, HeaderMap::from_iter(known)).into_response())
}

async fn create(State(service): State<Arc<Service>>, request: Request<Body>) -> Response {
    versioned(service.create(request).await.unwrap_or_else(TusError::into_response))
}

async fn one(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    versioned(service.one(&id, request).await.unwrap_or_else(TusError::into_response))
}

impl Service {
    /// `POST`: an upload that is to be, perhaps with its first bytes.
    async fn create(&self, request: Request<Body>) -> Result<Response, TusError> {
        let (head, body) = request.into_parts();
        check_version(&head.headers)?;
        let said = text(&head.headers, &METADATA).unwrap_or_default();
        let length = number(&head.headers, &LENGTH)?;
        if length.is_none() && text(&head.headers, &DEFER_LENGTH) != Some("1") {
            return Err(TusError::no_length());
        }
        let draft = Draft::new(said, length, Utc::now())?;
        let is_signed = head.uri.path().contains("/sign");
        let headers = head.headers;
        let uploader = self.uploader(&draft.place, is_signed, &headers)?;
        let rules = self.admit_draft(&draft, &uploader).await?;
        if length.is_some_and(|length| length > rules.largest) {
            return Err(TusError::too_large());
        }
        self.drafts.sweep(Utc::now()).await?;
        self.drafts.write(&draft).await?;
        let mut response = StatusCode::CREATED.into_response();
        if length == Some(0) || text(&headers, &CONTENT_TYPE) == Some(BYTES) {
            let turn = self.drafts.take(draft.version).await;
            let arrival = Arrival { headers: &headers, body, uploader: &uploader, turn };
            response = self.receive(draft.clone(), 0, arrival).await?;
            *response.status_mut() = StatusCode::CREATED;
        }
        let host = text(&headers, &HOST).unwrap_or("localhost");
        let signed = if is_signed { "/sign" } else { "" };
        let location = format!("http://{host}/storage/v1/upload/resumable{signed}/{}", draft.id());
        set(&mut response, LOCATION, &location);
        set(&mut response, EXPIRES, &draft.expires());
        Ok(response)
    }

    /// What is asked of an upload there is.
    async fn one(&self, id: &str, request: Request<Body>) -> Result<Response, TusError> {
        let (head, body) = request.into_parts();
        check_version(&head.headers)?;
        let DraftId { place, version } = DraftId::read(id)?;
        let (method, headers) = (head.method, head.headers);
        let uploader = self.uploader(&place, head.uri.path().contains("/sign/"), &headers)?;
        if method == Method::PATCH && text(&headers, &CONTENT_TYPE) != Some(BYTES) {
            return Err(TusError::no_content_type());
        }
        // Not for one there is not: a turn would be kept for it.
        self.drafts.read(version).await?.ok_or_else(TusError::not_found)?;
        let turn = self.drafts.take(version).await;
        let (draft, offset) = self.drafts.read(version).await?.ok_or_else(TusError::not_found)?;
        if draft.place != place {
            return Err(TusError::not_found());
        }
        if draft.is_expired(Utc::now()) {
            self.drafts.remove(version).await;
            return Err(TusError::gone());
        }
        if method == Method::HEAD {
            return Ok(describe(&draft, offset));
        }
        let rules = self.admit_draft(&draft, &uploader).await?;
        if method == Method::DELETE {
            if draft.done {
                return Err(TusError::completed());
            }
            self.drafts.remove(version).await;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        if method == Method::POST {
            return Err(TusError::not_found());
        }
        let arrival = Arrival { headers: &headers, body, uploader: &uploader, turn };
        self.go_on(draft, offset, &rules, arrival).await
    }

    /// `PATCH`: the next bytes of an upload.
    async fn go_on(
        &self,
        mut draft: Draft,
        offset: u64,
        rules: &Rules,
        arrival: Arrival<'_>,
    ) -> Result<Response, TusError> {
        let headers = arrival.headers;
        if number(headers, &OFFSET)?.ok_or_else(TusError::no_offset)? != offset {
            return Err(TusError::offset());
        }
        if let Some(length) = number(headers, &LENGTH)? {
            if draft.length.is_some_and(|known| known != length) || length < offset {
                return Err(TusError::no_length());
            }
            if length > rules.largest {
                return Err(TusError::too_large());
            }
            draft.length = Some(length);
            self.drafts.write(&draft).await?;
        }
        self.receive(draft, offset, arrival).await
    }

    /// Takes bytes in, and makes an object of them if they are the last.
    async fn receive(
        &self,
        mut draft: Draft,
        offset: u64,
        arrival: Arrival<'_>,
    ) -> Result<Response, TusError> {
        let Arrival { headers, body, uploader, turn } = arrival;
        let room = draft.length.unwrap_or(LARGEST_OBJECT).saturating_sub(offset);
        if number(headers, &CONTENT_LENGTH)?.is_some_and(|length| length > room) {
            return Err(TusError::exceeded());
        }
        let offset = offset + self.pour(&draft, offset, body, room, &turn).await?;
        let mut response = StatusCode::NO_CONTENT.into_response();
        if draft.length == Some(offset) && !draft.done {
            self.finish(&mut draft, uploader).await?;
            response.headers_mut().insert(COMPLETE, HeaderValue::from_static("1"));
        }
        response.headers_mut().insert(OFFSET, offset.into());
        set(&mut response, EXPIRES, &draft.expires());
        Ok(response)
    }

    /// Appends what comes and says how much it was. What came before a cut is kept.
    async fn pour(
        &self,
        draft: &Draft,
        offset: u64,
        body: Body,
        room: u64,
        turn: &Turn,
    ) -> Result<u64, TusError> {
        if draft.done {
            return Ok(0);
        }
        let mut file = self.drafts.append(draft.version).await?;
        let (mut chunks, mut taken) = (body.into_data_stream(), 0);
        let end = loop {
            let chunk = tokio::select! {
                chunk = chunks.next() => chunk,
                () = turn.wanted() => break Err(TusError::taken_over()),
            };
            match chunk {
                None => break Ok(()),
                Some(Err(_)) => break Err(TusError::cut()),
                Some(Ok(chunk)) => {
                    taken += chunk.len() as u64;
                    if taken > room {
                        // None of it counts.
                        file.flush().await?;
                        file.set_len(offset).await?;
                        return Err(TusError::exceeded());
                    }
                    file.write_all(&chunk).await?;
                }
            }
        };
        file.flush().await?;
        end.map(|()| taken)
    }

    /// Bytes that do not become an object are gone: their upload begins anew.
    async fn finish(&self, draft: &mut Draft, uploader: &Uploader) -> Result<(), TusError> {
        let kept = self.files.adopt(&self.drafts.bytes(draft.version)).await?;
        let Uploader { caller, writing } = uploader;
        let written = self.write(&draft.place, caller, *writing, &kept, draft.described()).await;
        if let Err(refusal) = written {
            self.files.remove([kept.version]).await;
            self.drafts.remove(draft.version).await;
            return Err(refusal.into());
        }
        draft.done = true;
        Ok(self.drafts.write(draft).await?)
    }

    /// Whether the upload could become an object now.
    async fn admit_draft(&self, draft: &Draft, uploader: &Uploader) -> Result<Rules, TusError> {
        let rules = Rules::of(self.store.bucket(&draft.place.bucket).await?, &draft.place);
        let described = draft.described();
        if let Some(mime) = draft.mime() {
            rules.check(&mime)?;
        }
        // What is done stands in its own way.
        if !draft.done {
            let Uploader { caller, writing } = uploader;
            let metadata = draft.metadata_to_try(&described);
            self.try_write(&draft.place, caller, *writing, metadata, described.user_metadata).await?;
        }
        Ok(rules)
    }

    fn uploader(&self, place: &Place, is_signed: bool, headers: &HeaderMap) -> Result<Uploader, TusError> {
        if is_signed {
            let token = text(headers, &SIGNATURE).ok_or_else(TusError::no_signature)?;
            let token = UploadToken::read(&self.keyring, token, place)?;
            let writing = if token.upsert { Writing::Put } else { Writing::Add };
            return Ok(Uploader { caller: Caller::holder(token.owner), writing });
        }
        let writing = if wants_upsert(headers) { Writing::Put } else { Writing::Add };
        Ok(Uploader { caller: Caller::read(headers, self)?, writing })
    }
}

fn describe(draft: &Draft, offset: u64) -> Response {
    let mut response = StatusCode::OK.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(OFFSET, offset.into());
    match draft.length {
        Some(length) => response.headers_mut().insert(LENGTH, length.into()),
        None => response.headers_mut().insert(DEFER_LENGTH, HeaderValue::from_static("1")),
    };
    set(&mut response, METADATA, &draft.said);
    set(&mut response, EXPIRES, &draft.expires());
    response
}

fn check_version(headers: &HeaderMap) -> Result<(), TusError> {
    if text(headers, &RESUMABLE) == Some("1.0.0") { Ok(()) } else { Err(TusError::version()) }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, TusError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|value| value.parse().ok());
    number.map(Some).ok_or_else(|| TusError::header(name))
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}
