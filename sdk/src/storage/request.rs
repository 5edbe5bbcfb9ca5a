//! What Storage is asked, as values. Paths and bodies are storage-api's (`src/http/routes`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RANGE};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind};
use crate::transport::{Replay, Request, segment};

pub(super) const UPSERT: HeaderName = HeaderName::from_static("x-upsert");
const METADATA: HeaderName = HeaderName::from_static("x-metadata");

pub(super) fn request(method: Method, path: &str) -> Request {
    Request::new(method, format!("/storage/v1{path}"))
}

/// A question that only has to be answered, though it is no GET.
pub(super) fn question(path: &str, body: &Value) -> Result<Request, Error> {
    request(Method::POST, path).safe_to_repeat().json(body)
}

/// Something that is done.
pub(super) fn deed(method: Method, path: &str, body: &Value) -> Result<Request, Error> {
    request(method, path).json(body)
}

/// What a body is made of.
pub(super) fn value(body: &impl serde::Serialize) -> Result<Value, Error> {
    serde_json::to_value(body).map_err(|source| {
        Error::new(ErrorKind::Invalid, "the body cannot be written as JSON").with_source(source)
    })
}

/// One object in a bucket, as it stands in an address.
///
/// An address has no place for `.` and `..`: whoever reads it leaves them out, and asks for something else.
pub(super) fn object(bucket: &str, name: &str) -> Result<String, Error> {
    if name.is_empty() || name.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Error::new(ErrorKind::Invalid, "an object's name is not empty, and has no part . or .."));
    }
    let name: Vec<String> = name.split('/').map(encode).collect();
    Ok(format!("{}/{}", self::bucket(bucket)?, name.join("/")))
}

/// One bucket, as it stands in an address.
pub(super) fn bucket(id: &str) -> Result<String, Error> {
    if matches!(id, "" | "." | "..") {
        return Err(Error::new(ErrorKind::Invalid, "a bucket's id is not empty, and not . or .."));
    }
    Ok(encode(id))
}

fn encode(text: &str) -> String {
    segment(text).to_string()
}

/// What an upload says of its bytes.
pub(super) fn describe(
    headers: &mut HeaderMap,
    content_type: &str,
    cache_seconds: u64,
    metadata: Option<&Value>,
) -> Result<(), Error> {
    let unfit = |source| {
        Error::new(ErrorKind::Invalid, "this content type cannot stand in a header").with_source(source)
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).map_err(unfit)?);
    let cached = HeaderValue::from_str(&format!("max-age={cache_seconds}")).map_err(unfit)?;
    headers.insert(CACHE_CONTROL, cached);
    if let Some(metadata) = metadata {
        let encoded = HeaderValue::from_str(&STANDARD.encode(metadata.to_string())).map_err(unfit)?;
        headers.insert(METADATA, encoded);
    }
    Ok(())
}

/// Bytes from `first` on, up to and with `last`.
pub(super) fn range(headers: &mut HeaderMap, first: u64, last: Option<u64>) {
    let last = last.map_or_else(String::new, |last| last.to_string());
    // Digits can stand in any header.
    if let Ok(range) = HeaderValue::from_str(&format!("bytes={first}-{last}")) {
        headers.insert(RANGE, range);
    }
}

/// Moving, and copying: the second time the object is gone, or there.
pub(super) fn transfer(
    what: &str,
    (bucket, from): (&str, &str),
    (to_bucket, to): (Option<&str>, &str),
) -> Result<Request, Error> {
    let mut body = json!({ "bucketId": bucket, "sourceKey": from, "destinationKey": to });
    if let Some(to_bucket) = to_bucket {
        body["destinationBucket"] = json!(to_bucket);
    }
    deed(Method::POST, &format!("/object/{what}"), &body)
}

/// Forgetting in the CDN; twice forgets no more.
pub(super) fn purge(path: &str, transformed: bool) -> Result<Request, Error> {
    let request = deed(Method::DELETE, &format!("/cdn/{path}"), &json!({}))?.safe_to_repeat();
    Ok(if transformed { request.query("transformations", "true") } else { request })
}

pub(super) fn remove(bucket: &str, names: &[&str]) -> Result<Request, Error> {
    let path = format!("/object/{}", self::bucket(bucket)?);
    Ok(Request { replay: Replay::Unsafe, ..deed(Method::DELETE, &path, &json!({ "prefixes": names }))? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_name_reaches_the_server_as_it_is(name in "([^/]{1,8}/){0,3}[^/]{1,8}") {
            prop_assume!(!name.split('/').any(|part| part == "." || part == ".."));
            let url = url::Url::parse(&format!("http://h/{}", object("b", &name).unwrap())).unwrap();
            let path = percent_encoding::percent_decode_str(url.path()).decode_utf8().unwrap();
            prop_assert_eq!(path, format!("/b/{name}"));
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["", ".", "..", "a/../b", "../../bucket", "a/."] {
            assert_eq!(object("b", name).unwrap_err().kind(), ErrorKind::Invalid, "{name}");
        }
        assert_eq!(object("a/b", "c d/%2e%2e.png").unwrap(), "a%2Fb/c%20d/%252e%252e.png");
        assert!(bucket("..").is_err() && bucket("").is_err());
    }
}
