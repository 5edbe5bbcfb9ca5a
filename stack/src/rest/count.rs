//! How many rows a write wrote, for `Prefer: count=exact`, which the library forgets.
//!
//! The number is read off the answer: an update's range names its last row, a representation is
//! as long as the write was. Without a representation an insert wrote what it was sent, and a
//! delete is asked for one of the columns it filters by, which it may read anyway, and whose
//! values go no further than here.
//!
//! Left uncounted: an insert that ignores duplicates and a delete without a filter, unless they
//! return a representation.

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
        header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE},
    },
    response::Response,
};
use serde_json::Value;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Where the number of written rows will be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// Nobody asked, or it can not be known.
    No,
    /// As many as the request held.
    Sent(u64),
    /// In the range of the answer.
    InRange,
    /// In the body of the answer.
    InBody,
    /// In the body of the answer, which the client did not ask for.
    InHiddenBody,
}

impl Count {
    /// Decides for a request, and may add to it what the count needs.
    pub(super) async fn prepare(request: Request<Body>) -> (Self, Request<Body>) {
        let headers = request.headers();
        if !prefers(headers, "count=exact") || request.uri().path().starts_with("/rpc/") {
            return (Self::No, request);
        }
        let represented = prefers(headers, "return=representation");
        match *request.method() {
            Method::PATCH => (Self::InRange, request),
            Method::POST | Method::DELETE if represented => (Self::InBody, request),
            Method::POST if !prefers(headers, "resolution=ignore-duplicates") => count_sent(request).await,
            Method::DELETE => read_along(request),
            _ => (Self::No, request), // reads the library counts itself; the rest can not be known
        }
    }

    /// Writes the number into the answer.
    pub(super) async fn complete(self, response: Response) -> Response {
        if !response.status().is_success() {
            return response;
        }
        match self {
            Self::No => response,
            Self::Sent(rows) => with_total(response, rows),
            Self::InRange => match response.headers().get(CONTENT_RANGE).and_then(rows_of_range) {
                Some(rows) => with_total(response, rows),
                None => response,
            },
            Self::InBody | Self::InHiddenBody => self.count_body(response).await,
        }
    }

    async fn count_body(self, response: Response) -> Response {
        let (mut head, body) = response.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return Response::from_parts(head, Body::empty());
        };
        let rows = rows_of_json(&body);
        let response = if self == Self::InHiddenBody {
            head.status = StatusCode::NO_CONTENT;
            head.headers.remove(CONTENT_TYPE);
            head.headers.remove(CONTENT_LENGTH);
            hide_representation(&mut head.headers);
            Response::from_parts(head, Body::empty())
        } else {
            Response::from_parts(head, Body::from(body))
        };
        match rows {
            Some(rows) => with_total(response, rows),
            None => response,
        }
    }
}

/// Takes back that a representation was given, which nobody asked for.
fn hide_representation(headers: &mut HeaderMap) {
    let said = headers.get_all(APPLIED).into_iter().filter_map(|value| value.to_str().ok());
    let kept =
        said.flat_map(|value| value.split(',')).map(str::trim).filter(|part| !part.starts_with("return="));
    let mut applied = kept.map(str::to_owned).collect::<Vec<_>>();
    if !applied.iter().any(|part| part == "count=exact") {
        applied.push("count=exact".to_owned());
    }
    if let Ok(applied) = HeaderValue::try_from(applied.join(", ")) {
        headers.insert(APPLIED, applied);
    }
}

async fn count_sent(request: Request<Body>) -> (Count, Request<Body>) {
    let (head, body) = request.into_parts();
    match to_bytes(body, super::LARGEST_BODY).await {
        Ok(body) => {
            let count = rows_of_json(&body).map_or(Count::No, Count::Sent);
            (count, Request::from_parts(head, Body::from(body)))
        }
        // The library meets the broken body too, and has the words for it.
        Err(broken) => {
            let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(broken)]);
            (Count::No, Request::from_parts(head, Body::from_stream(broken)))
        }
    }
}

fn read_along(mut request: Request<Body>) -> (Count, Request<Body>) {
    let query = request.uri().query().unwrap_or_default();
    let Some(column) =
        query.split('&').filter_map(|pair| pair.split('=').next()).find(|name| is_column(name))
    else {
        return (Count::No, request);
    };
    let target = format!("{}?{query}&select={column}", request.uri().path());
    let Ok(target) = Uri::try_from(target) else { return (Count::No, request) };
    // What else is preferred stays: a number of rows that must not be passed, above all.
    let said = request.headers().get_all(PREFER).into_iter().filter_map(|value| value.to_str().ok());
    let kept =
        said.flat_map(|value| value.split(',')).map(str::trim).filter(|part| !part.starts_with("return="));
    let wishes = kept.chain(["return=representation"]).collect::<Vec<_>>().join(", ");
    let Ok(wishes) = HeaderValue::try_from(wishes) else { return (Count::No, request) };
    *request.uri_mut() = target;
    request.headers_mut().insert(PREFER, wishes);
    (Count::InHiddenBody, request)
}

/// Whether a name in a query filters by a column of the table itself.
fn is_column(name: &str) -> bool {
    let reserved =
        ["", "and", "columns", "limit", "not.and", "not.or", "offset", "on_conflict", "or", "order"];
    !reserved.contains(&name) && name != "select" && !name.contains(['.', '(', '>'])
}

fn with_total(mut response: Response, rows: u64) -> Response {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let written = range.and_then(|range| range.strip_suffix("/*"));
    if let Some(range) = written.and_then(|written| HeaderValue::try_from(format!("{written}/{rows}")).ok()) {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

fn rows_of_range(range: &HeaderValue) -> Option<u64> {
    let (written, _) = range.to_str().ok()?.split_once('/')?;
    match written.split_once('-') {
        Some((first, last)) => Some(last.parse::<u64>().ok()? + 1 - first.parse::<u64>().ok()?),
        None => Some(0),
    }
}

fn rows_of_json(body: &[u8]) -> Option<u64> {
    match serde_json::from_slice(body).ok()? {
        Value::Array(rows) => u64::try_from(rows.len()).ok(),
        Value::Object(_) => Some(1),
        _ => None,
    }
}

fn prefers(headers: &HeaderMap, wish: &str) -> bool {
    let said = headers.get_all(PREFER).into_iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|part| part.trim() == wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn prepared(method: Method, target: &str, prefer: &str, body: &'static str) -> (Count, String) {
        let request = Request::builder().method(method).uri(target).header(PREFER, prefer);
        let (count, request) = Count::prepare(request.body(Body::from(body)).unwrap()).await;
        (count, request.uri().to_string())
    }

    #[tokio::test]
    async fn every_write_is_counted_where_its_rows_show() {
        let exact = "count=exact";
        let both = "return=representation, count=exact";
        for (method, target, prefer, body, count) in [
            (Method::POST, "/t", exact, r#"[{"a":1},{"a":2}]"#, Count::Sent(2)),
            (Method::POST, "/t", exact, r#"{"a":1}"#, Count::Sent(1)),
            (Method::POST, "/t", "count=exact,resolution=ignore-duplicates", "[]", Count::No),
            (Method::POST, "/t", both, "[]", Count::InBody),
            (Method::POST, "/t", "", "[]", Count::No),
            (Method::POST, "/rpc/f", exact, "{}", Count::No),
            (Method::PATCH, "/t?id=eq.1", exact, "{}", Count::InRange),
            (Method::DELETE, "/t?id=eq.1", both, "", Count::InBody),
            (Method::DELETE, "/t?order=id&id=eq.1", exact, "", Count::InHiddenBody),
            (Method::DELETE, "/t", exact, "", Count::No),
            (Method::GET, "/t", exact, "", Count::No),
        ] {
            let what = format!("{method} {target} {prefer}");
            assert_eq!(prepared(method, target, prefer, body).await.0, count, "{what}");
        }
    }

    #[tokio::test]
    async fn a_delete_reads_along_a_column_it_filters_by() {
        let wishes = "count=exact, handling=strict, max-affected=1, return=minimal";
        let request = Request::delete("/t?id=eq.1").header(PREFER, wishes).body(Body::empty()).unwrap();
        let (_, request) = Count::prepare(request).await;
        assert_eq!(request.uri(), "/t?id=eq.1&select=id");
        let kept = "count=exact, handling=strict, max-affected=1, return=representation";
        assert_eq!(request.headers()[PREFER], kept);
    }

    #[test]
    fn a_range_names_its_rows() {
        for (range, rows) in [("0-4/*", Some(5)), ("*/*", Some(0)), ("nonsense", None)] {
            assert_eq!(rows_of_range(&HeaderValue::from_static(range)), rows);
        }
    }
}
