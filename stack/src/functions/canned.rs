//! Functions that are not there: what a test said they answer, or what they were asked.
//!
//! This waits, as it was told to between the pieces of an answer.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
        header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Json, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value, json};

use super::{
    function::Answer,
    region,
    reply::{Failure, open_to_pages},
};

/// What is told in one piece is not endless.
const LONGEST_ECHO: usize = 16 << 20;
const TEXT: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn answer(answer: &Answer, method: &Method) -> Response {
    if method == Method::OPTIONS {
        return preflight();
    }
    let (first, mime) = match &answer.body {
        None => (None, None),
        Some(Value::String(text)) => (Some(Bytes::from(text.clone())), Some(TEXT)),
        Some(json) => (Some(Bytes::from(json.to_string())), Some(JSON)),
    };
    let body = match first {
        // In one piece, so that its length is known.
        Some(first) if answer.chunks.is_empty() && !answer.cut => Body::from(first),
        first => in_pieces(first, answer),
    };
    let mut response = (answer.status, body).into_response();
    let headers = response.headers_mut();
    if let Some(mime) = mime {
        headers.insert(CONTENT_TYPE, mime);
    }
    // A type of their own stands instead of ours, and not beside it.
    for (name, value) in &answer.headers {
        headers.insert(name, value.clone());
    }
    open_to_pages(headers);
    response
}

fn in_pieces(first: Option<Bytes>, answer: &Answer) -> Body {
    let later = stream::iter(answer.chunks.clone()).then(|chunk| async move {
        if chunk.ms > 0 {
            tokio::time::sleep(Duration::from_millis(chunk.ms)).await;
        }
        Ok(Bytes::from(chunk.content.bytes()))
    });
    let end = answer.cut.then_some(());
    let end = stream::iter(end).then(|()| async {
        // What was written reaches the client only when the connection finds nothing more to write.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    Body::from_stream(stream::iter(first.map(Ok)).chain(later).chain(end))
}

/// What was received, told in JSON.
pub(super) async fn echo(request: Request<Body>) -> Result<Response, Failure> {
    if request.method() == Method::OPTIONS {
        return Ok(preflight());
    }
    let region = region::wished(&request);
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_ECHO).await.map_err(|_| Failure::TooLarge)?;
    let told = json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "headers": told(&head.headers),
        "region": region.to_str().ok(),
        "body": std::str::from_utf8(&body).ok(),
        "base64": STANDARD.encode(&body),
    });
    let mut response = Json(told).into_response();
    open_to_pages(response.headers_mut());
    Ok(response)
}

fn told(headers: &HeaderMap) -> Map<String, Value> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let all = |name: &HeaderName| headers.get_all(name).iter().map(text).collect::<Vec<_>>().join(", ");
    headers.keys().map(|name| (name.as_str().to_owned(), Value::String(all(name)))).collect()
}

/// The body as it comes in.
pub(super) fn mirror(request: Request<Body>) -> Response {
    if request.method() == Method::OPTIONS {
        return preflight();
    }
    let (head, body) = request.into_parts();
    let mut response = body.into_response();
    let headers = response.headers_mut();
    if let Some(mime) = head.headers.get(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, mime.clone());
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    open_to_pages(headers);
    response
}

/// As the examples of hosted functions answer it.
fn preflight() -> Response {
    let mut response = (StatusCode::OK, "ok").into_response();
    let headers = response.headers_mut();
    let asked = "authorization, x-client-info, apikey, content-type, x-region, x-retry-count";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(asked));
    let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    open_to_pages(headers);
    response
}
