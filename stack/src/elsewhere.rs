//! Asking servers elsewhere: providers, and what answers for a function.

use axum::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Asks over HTTP or HTTPS, and does not go where it is sent on to.
pub(crate) type Elsewhere = Client<HttpsConnector<HttpConnector>, Body>;

/// One that keeps no connection: a server that was started again is met as it is, and nothing is left running.
pub(crate) fn elsewhere() -> anyhow::Result<Elsewhere> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}
