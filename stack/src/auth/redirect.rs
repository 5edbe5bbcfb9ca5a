//! Sending a browser on, with what it is to know in the query or behind the `#`.

use axum::{
    http::{HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use url::{Url, form_urlencoded::Serializer};

use super::{reply::AuthError, settings::Settings};

/// The address that was written, or the site's if it is none.
pub(super) fn target_of(written: &str, settings: &Settings) -> Result<Url, AuthError> {
    let target = Url::parse(written).or_else(|_| Url::parse(&settings.site_url));
    target.map_err(|_| AuthError::unexpected("The site's address is none"))
}

pub(super) fn to(status: StatusCode, target: &Url) -> Response {
    // An address has no character that may not stand in a header.
    let location = HeaderValue::try_from(target.as_str()).unwrap_or(HeaderValue::from_static("/"));
    (status, [(LOCATION, location)]).into_response()
}

/// A fragment, with the mark by which a client knows it for this service's.
pub(super) fn told(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).append_pair("sb", "").finish()
}

pub(super) fn with_fragment(mut target: Url, fragment: &str) -> Url {
    target.set_fragment(Some(fragment));
    target
}

/// The same address with these in its query, in place of what was called like them.
pub(super) fn with_query(mut target: Url, pairs: &[(&str, &str)]) -> Url {
    let there: Vec<(String, String)> = target.query_pairs().into_owned().collect();
    let kept = there.iter().filter(|(name, _)| pairs.iter().all(|(new, _)| new != name));
    target.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(pairs);
    target
}
