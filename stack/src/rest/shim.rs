//! Where the library answers otherwise than PostgREST, and can be brought to agree from outside.
//!
//! Before: a `+` in a query is a space, and the names in `columns` may stand in quotes. After: a
//! refused permission is 403 for somebody who is signed in, an error says its code in a header
//! too, CSV ends without a line break, and JSON says its charset.

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri,
        header::{CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    response::Response,
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Rewrites a query so that the library reads in it what PostgREST does.
pub(super) fn mend_query(request: &mut Request<Body>) {
    let Some(query) = request.uri().query() else { return };
    let mended: Vec<_> = query.replace('+', "%20").split('&').map(mend_pair).collect();
    let target = format!("{}?{}", request.uri().path(), mended.join("&"));
    // Only characters that may stand in a query were put into it.
    if let Ok(uri) = Uri::try_from(target) {
        *request.uri_mut() = uri;
    }
}

fn mend_pair(pair: &str) -> String {
    let Some(("columns", names)) = pair.split_once('=') else { return pair.to_owned() };
    let names = percent_decode_str(names).decode_utf8_lossy();
    format!("columns={}", utf8_percent_encode(&names.replace('"', ""), NON_ALPHANUMERIC))
}

/// Turns the library's answer into PostgREST's.
pub(super) async fn mend_answer(response: Response, signed_in: impl FnOnce() -> bool) -> Response {
    let response = say_charset(response);
    if response.status().is_client_error() || response.status().is_server_error() {
        mend_error(response, signed_in).await
    } else if has_type(response.headers(), "text/csv") {
        end_csv(response).await
    } else {
        response
    }
}

fn say_charset(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if headers.get(CONTENT_TYPE).is_some_and(|value| value == "application/json") {
        headers.insert(CONTENT_TYPE, JSON);
    }
    response
}

/// Says the code where an answer without a body has it too. The database refuses alike whoever
/// asks, but only somebody who is not signed in can still do something about it by signing in.
async fn mend_error(response: Response, signed_in: impl FnOnce() -> bool) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(head, Body::empty());
    };
    let error: Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = error["code"].as_str().unwrap_or_default();
    if code == "42501" && head.status == StatusCode::UNAUTHORIZED && signed_in() {
        head.status = StatusCode::FORBIDDEN;
        head.headers.remove(WWW_AUTHENTICATE);
    }
    if let Ok(status) = HeaderValue::try_from(format!("PostgREST; error={code}")) {
        head.headers.insert(PROXY_STATUS, status);
    }
    Response::from_parts(head, Body::from(body))
}

async fn end_csv(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(head, Body::empty());
    };
    let body = body.slice(..body.strip_suffix(b"\n").unwrap_or(&body).len());
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(head, Body::from(body))
}

fn has_type(headers: &HeaderMap, name: &str) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_postgrest_reads_in_it() {
        for (written, read) in [
            ("/t?name=eq.a+b%2Bc", "/t?name=eq.a%20b%2Bc"),
            ("/t?columns=%22a%22%2C%22first%20name%22", "/t?columns=a%2Cfirst%20name"),
            ("/t?columns=a,b&x=eq.1", "/t?columns=a%2Cb&x=eq.1"),
            ("/t", "/t"),
        ] {
            let mut request = Request::builder().uri(written).body(Body::empty()).unwrap();
            mend_query(&mut request);
            assert_eq!(request.uri().to_string(), read);
        }
    }
}
