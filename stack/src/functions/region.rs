//! Where a caller wants a function to run.

use axum::http::{HeaderValue, Request};
use url::form_urlencoded;

const HERE: HeaderValue = HeaderValue::from_static("local");

/// The region a request asks for, in its address or in a header: the address wins, for it is what a
/// preflight has too.
pub(super) fn wished<B>(request: &Request<B>) -> HeaderValue {
    let query = request.uri().query().unwrap_or_default();
    let in_query = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "forceFunctionRegion")
        .and_then(|(_, region)| HeaderValue::try_from(region.as_ref()).ok());
    let wished = in_query.or_else(|| request.headers().get("x-region").cloned());
    wished.filter(|region| !region.is_empty() && region != "any").unwrap_or(HERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_in_the_address_wins() {
        for (target, header, expected) in [
            ("/f", "", "local"),
            ("/f", "any", "local"),
            ("/f", "eu-west-1", "eu-west-1"),
            ("/f?a=b&forceFunctionRegion=us-east-1", "eu-west-1", "us-east-1"),
            ("/f?forceFunctionRegion=a%0Ab", "", "local"),
        ] {
            let request = Request::get(target).header("x-region", header).body(()).unwrap();
            assert_eq!(wished(&request), expected, "{target} {header}");
        }
    }
}
