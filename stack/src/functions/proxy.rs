//! Functions that a server elsewhere answers for. This asks it.
//!
//! It sees of the path what a hosted function does: its name and what follows.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, Uri,
        header::{CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
        uri::Parts,
    },
    response::Response,
};

use super::reply::Failure;
use crate::elsewhere::{Elsewhere, elsewhere};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// What is said to the next neighbour only (RFC 9110, 7.6.1).
const TO_THE_NEIGHBOUR: [HeaderName; 6] =
    [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")];

/// Passes requests on. One that is sent elsewhere is told so, and not taken there.
pub(super) struct Outbound(Elsewhere);

impl Outbound {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(elsewhere()?))
    }

    pub(super) async fn pass(&self, url: &Uri, mut request: Request<Body>) -> Result<Response, Failure> {
        let unreachable = || {
            let reason = format!("Nothing answers at {url}: start there what is to answer for the function");
            Failure::Unreachable(reason)
        };
        let target = joined(url, request.uri()).ok_or_else(unreachable)?;
        *request.uri_mut() = target;
        let headers = request.headers_mut();
        strip(headers);
        // The client says its own.
        if let Some(host) = headers.remove(HOST) {
            headers.insert(FORWARDED_HOST, host);
        }
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
        let response = self.0.request(request).await.map_err(|_| unreachable())?;
        let mut response = response.map(Body::new);
        strip(response.headers_mut());
        Ok(response)
    }
}

/// An address with the path and the query of a request below it.
fn joined(url: &Uri, asked: &Uri) -> Option<Uri> {
    let mut parts = Parts::from(url.clone());
    let below = url.path().trim_end_matches('/');
    let path = format!("{below}{}", asked.path_and_query().map_or("/", |asked| asked.as_str()));
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

fn strip(headers: &mut HeaderMap) {
    let named = headers.get(CONNECTION).and_then(|named| named.to_str().ok()).unwrap_or_default().to_owned();
    for name in named.split(',') {
        headers.remove(name.trim());
    }
    for name in TO_THE_NEIGHBOUR {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_sees_the_name_and_what_follows() {
        for (url, asked, expected) in [
            ("http://127.0.0.1:8000", "/f/a%20b?c=d", "http://127.0.0.1:8000/f/a%20b?c=d"),
            ("https://a.b/functions/v1/", "/f", "https://a.b/functions/v1/f"),
        ] {
            let joined = joined(&url.parse().unwrap(), &asked.parse().unwrap()).unwrap();
            assert_eq!(joined.to_string(), expected);
        }
    }

    #[test]
    fn what_is_for_the_neighbour_goes_no_further() {
        let said =
            [("connection", "close, X-Hop"), ("x-hop", "1"), ("upgrade", "websocket"), ("x-kept", "1")];
        let mut headers = HeaderMap::from_iter(
            said.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))),
        );
        strip(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
    }
}
