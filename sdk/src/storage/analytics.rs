//! Buckets of Iceberg tables.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::catalog::Catalog;
use super::request;
use crate::client::Client;
use crate::error::Error;

/// Buckets of Iceberg tables. From [`Storage::analytics`](super::Storage::analytics). An Iceberg client
/// of its own finds their catalog at [`Analytics::catalog_url`].
#[derive(Debug, Clone)]
pub struct Analytics {
    client: Client,
}

/// A bucket of Iceberg tables.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AnalyticsBucket {
    /// What it is called.
    pub name: String,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it was last changed, RFC 3339.
    #[serde(default)]
    pub updated_at: Option<String>,
}

impl Analytics {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The catalog of one bucket. Nothing is sent.
    pub fn from(&self, bucket: impl Into<String>) -> Catalog {
        Catalog::new(self.client.clone(), bucket.into())
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// `Conflict` when there is one, `Forbidden` for other keys than the secret one.
    pub async fn create_bucket(&self, name: &str) -> Result<AnalyticsBucket, Error> {
        let request = request::deed(Method::POST, "/iceberg/bucket", &json!({ "name": name }))?;
        self.client.send(request).await?.accepted()?.json()
    }

    /// The buckets there are, by name: at most so many, without so many before.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn buckets(&self, limit: u32, offset: u32) -> Result<Vec<AnalyticsBucket>, Error> {
        let request = request::request(Method::GET, "/iceberg/bucket");
        let request = request.query("limit", limit.to_string()).query("offset", offset.to_string());
        let request = request.query("sortColumn", "name").query("sortOrder", "asc");
        self.client.send(request).await?.accepted()?.json()
    }

    /// Removes a bucket that is empty.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Conflict` or `Invalid` when there are tables in it.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), Error> {
        let path = format!("/iceberg/bucket/{}", request::bucket(name)?);
        self.client.send(request::deed(Method::DELETE, &path, &json!({}))?).await?.accepted().map(drop)
    }

    /// Where the Iceberg REST catalog of the project answers; a bucket is a `warehouse` of it.
    pub fn catalog_url(&self) -> String {
        format!("{}/storage/v1/iceberg", self.client.url())
    }
}
