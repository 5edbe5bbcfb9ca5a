//! Objects out: whole or in part, or only what is known of them.

use std::{io::SeekFrom, ops::RangeInclusive, sync::Arc};

use axum::{
    body::Body,
    extract::{Query, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
            ETAG, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
        },
    },
    response::{IntoResponse as _, Json, Response},
};
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};
use tokio_util::io::ReaderStream;

use super::{
    Service,
    reply::StorageError,
    request::{Place, Visitor},
    sign::ReadToken,
    store::Object,
};

const CHUNK: usize = 64 << 10;
/// How often an object is looked up again that was replaced while it was about to be read.
const TRIES: usize = 5;

#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    /// A name to save it under; empty for its own.
    pub(super) download: Option<String>,
    pub(super) token: Option<String>,
}

/// Who may see an object.
pub(super) enum Sight<'a> {
    /// Anybody, where the bucket is public; otherwise whom its policies let.
    Visitor(&'a Visitor),
    /// Anybody, where the bucket is public.
    Public,
    /// Whoever holds the address.
    Signed,
}

pub(super) async fn read(
    State(service): State<Arc<Service>>,
    place: Place,
    visitor: Visitor,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    service.serve(&place, Sight::Visitor(&visitor), &wish, &headers).await
}

pub(super) async fn read_public(
    State(service): State<Arc<Service>>,
    place: Place,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    service.serve(&place, Sight::Public, &wish, &headers).await
}

pub(super) async fn read_signed(
    State(service): State<Arc<Service>>,
    place: Place,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let token = wish.token.as_deref().unwrap_or_default();
    let token = ReadToken::read(&service.keyring, token, &place)?;
    let mut response = service.serve(&place, Sight::Signed, &wish, &headers).await?;
    token.expire(response.headers_mut());
    Ok(response)
}

pub(super) async fn info(
    State(service): State<Arc<Service>>,
    place: Place,
    visitor: Visitor,
) -> Result<Json<Value>, StorageError> {
    service.find(&place, &Sight::Visitor(&visitor)).await.map(|object| describe(&object))
}

pub(super) async fn info_public(
    State(service): State<Arc<Service>>,
    place: Place,
) -> Result<Json<Value>, StorageError> {
    service.find(&place, &Sight::Public).await.map(|object| describe(&object))
}

impl ReadToken {
    /// What its holder got is good as long as it is.
    pub(super) fn expire(&self, headers: &mut HeaderMap) {
        if let Some(expires) = DateTime::from_timestamp(self.exp, 0) {
            headers.remove(CACHE_CONTROL);
            headers.insert(EXPIRES, header(&http_date(expires)));
        }
    }
}

impl Service {
    async fn find(&self, place: &Place, sight: &Sight<'_>) -> Result<Object, StorageError> {
        let bucket = self.store.bucket(&place.bucket).await?;
        let mut tx = match sight {
            Sight::Signed => self.store.begin().await?,
            Sight::Public | Sight::Visitor(_) if bucket.public => self.store.begin().await?,
            Sight::Visitor(Visitor(Some(caller))) => self.store.begin_as(caller).await?,
            // Nobody is told that it is there.
            Sight::Public | Sight::Visitor(Visitor(None)) => return Err(StorageError::no_such_bucket()),
        };
        tx.object(place).await?.ok_or_else(StorageError::no_such_key)
    }

    /// The object and its bytes. One that is replaced just then is looked up again.
    pub(super) async fn open(
        &self,
        place: &Place,
        sight: &Sight<'_>,
    ) -> Result<(Object, File), StorageError> {
        let mut tried = None;
        for _ in 0..TRIES {
            let object = self.find(place, sight).await?;
            let version = object.version();
            // The same version twice: its bytes were never there.
            if version.is_none() || tried == Some(version) {
                break;
            }
            if let Some(version) = version
                && let Some(file) = self.files.read(version).await?
            {
                return Ok((object, file));
            }
            tried = Some(version);
        }
        Err(StorageError::no_such_key())
    }

    async fn serve(
        &self,
        place: &Place,
        sight: Sight<'_>,
        wish: &Wish,
        asked: &HeaderMap,
    ) -> Result<Response, StorageError> {
        let (object, mut file) = self.open(place, &sight).await?;
        let size = file.metadata().await?.len();
        let headers = headers(&object, wish);
        if is_known(asked, &headers) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        let range = match asked.get(RANGE).filter(|_| is_still(asked, &headers)) {
            Some(range) => range.to_str().ok().and_then(|range| part(range, size)),
            None => None,
        };
        let (status, first, length) = match range {
            Some(Part::None) => {
                let mut refusal = StorageError::range().into_response();
                refusal.headers_mut().insert(CONTENT_RANGE, header(&format!("bytes */{size}")));
                return Ok(refusal);
            }
            Some(Part::Some(part)) => {
                (StatusCode::PARTIAL_CONTENT, *part.start(), part.end() - part.start() + 1)
            }
            None => (StatusCode::OK, 0, size),
        };
        file.seek(SeekFrom::Start(first)).await?;
        let body = Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK));
        let mut response = (status, headers, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length.into());
        if status == StatusCode::PARTIAL_CONTENT {
            headers.insert(CONTENT_RANGE, header(&format!("bytes {first}-{}/{size}", first + length - 1)));
        }
        Ok(response)
    }
}

/// What part of some bytes is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// One there is not.
    None,
    Some(RangeInclusive<u64>),
}

/// Reads `bytes=first-last`, `bytes=first-` and `bytes=-last`. None for what is to be answered whole:
/// several ranges, other units, and what is no range (RFC 9110, 14.2).
fn part(range: &str, size: u64) -> Option<Part> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, last) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => return None,
        (Some(first), Some(last)) => (first, last),
        (Some(first), None) if last.trim().is_empty() => (first, u64::MAX),
        (None, Some(last)) if first.trim().is_empty() && last > 0 => (size.saturating_sub(last), u64::MAX),
        (None, Some(0)) => return Some(Part::None),
        _ => return None,
    };
    if first >= size { Some(Part::None) } else { Some(Part::Some(first..=last.min(size - 1))) }
}

pub(super) fn headers(object: &Object, wish: &Wish) -> HeaderMap {
    let known = |name| object.metadata.as_ref().and_then(|metadata| metadata.get(name)?.as_str());
    let mime = known("mimetype").unwrap_or("application/octet-stream");
    // A page that somebody uploaded shall not run on the project's address.
    let mime = if mime.contains("text/html") { "text/plain" } else { mime };
    let mut headers = HeaderMap::from_iter([
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (CONTENT_TYPE, header(mime)),
        (CACHE_CONTROL, header(known("cacheControl").unwrap_or("no-cache"))),
    ]);
    if let Some(etag) = known("eTag") {
        headers.insert(ETAG, header(etag));
    }
    if let Some(at) = known("lastModified").and_then(|at| at.parse::<DateTime<Utc>>().ok()) {
        headers.insert(LAST_MODIFIED, header(&http_date(at)));
    }
    match wish.download.as_deref() {
        None => {}
        Some("") => drop(headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment;"))),
        Some(name) => {
            let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
            let saved = format!("attachment; filename={name}; filename*=UTF-8''{name};");
            headers.insert(CONTENT_DISPOSITION, header(&saved));
        }
    }
    headers
}

/// True if who asks has these bytes already (RFC 9110, 13.2.2).
pub(super) fn is_known(asked: &HeaderMap, ours: &HeaderMap) -> bool {
    let text = |headers: &HeaderMap, name| Some(headers.get(name)?.to_str().ok()?.to_owned());
    if let Some(tags) = text(asked, IF_NONE_MATCH) {
        let ours = text(ours, ETAG);
        return tags
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == "*" || ours.as_deref() == Some(tag));
    }
    let date = |headers, name| DateTime::parse_from_rfc2822(&text(headers, name)?).ok();
    match (date(asked, IF_MODIFIED_SINCE), date(ours, LAST_MODIFIED)) {
        (Some(since), Some(modified)) => modified <= since,
        _ => false,
    }
}

/// True if a part is to be of the bytes who asks has the rest of.
fn is_still(asked: &HeaderMap, ours: &HeaderMap) -> bool {
    asked.get(IF_RANGE).is_none_or(|tag| Some(tag) == ours.get(ETAG) || Some(tag) == ours.get(LAST_MODIFIED))
}

fn describe(object: &Object) -> Json<Value> {
    let known = |name| object.metadata.as_ref().and_then(|metadata| metadata.get(name)).cloned();
    Json(json!({
        "id": object.id,
        "name": object.name,
        "version": object.version,
        "bucket_id": object.bucket_id,
        "size": known("size"),
        "content_type": known("mimetype"),
        "cache_control": known("cacheControl"),
        "etag": known("eTag"),
        "metadata": object.user_metadata,
        "last_modified": object.updated_at,
        "created_at": object.created_at,
    }))
}

fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What an upload said may not fit into a header; then it is not said.
fn header(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_rules_of_http_say() {
        let some = |range| Some(Part::Some(range));
        for (range, size, expected) in [
            ("bytes=0-3", 10, some(0..=3)),
            ("bytes=4-", 10, some(4..=9)),
            ("bytes=-3", 10, some(7..=9)),
            ("bytes=-30", 10, some(0..=9)),
            ("bytes=8-99", 10, some(8..=9)),
            ("bytes=10-", 10, Some(Part::None)),
            ("bytes=0-", 0, Some(Part::None)),
            ("bytes=-0", 10, Some(Part::None)),
            ("bytes=3-1", 10, None),
            ("bytes=0-1,4-5", 10, None),
            ("lines=0-1", 10, None),
            ("bytes=a-b", 10, None),
        ] {
            assert_eq!(part(range, size), expected, "{range} of {size}");
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let at = "Tue, 24 Nov 2026 13:00:00 GMT";
        let ours = HeaderMap::from_iter([(ETAG, header("\"a\"")), (LAST_MODIFIED, header(at))]);
        let asked = |name, value| is_known(&HeaderMap::from_iter([(name, header(value))]), &ours);
        for tags in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(asked(IF_NONE_MATCH, tags), "{tags}");
        }
        assert!(!asked(IF_NONE_MATCH, "\"b\""));
        assert!(asked(IF_MODIFIED_SINCE, at) && !asked(IF_MODIFIED_SINCE, "Tue, 24 Nov 2026 12:59:59 GMT"));
        assert!(!asked(IF_MODIFIED_SINCE, "yesterday"));
    }
}
