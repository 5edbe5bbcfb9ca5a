//! Buckets of vectors, and the indexes in them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::VectorIndex;
use crate::client::Client;
use crate::error::Error;
use crate::storage::request;

/// Buckets of vectors. From [`Storage::vectors`](super::super::Storage::vectors).
#[derive(Debug, Clone)]
pub struct Vectors {
    client: Client,
}

/// One bucket of vectors. From [`Vectors::from`].
#[derive(Debug, Clone)]
pub struct VectorBucket {
    client: Client,
    bucket: String,
}

/// What is known of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VectorBucketInfo {
    /// Its name.
    pub vector_bucket_name: String,
    /// When it was made, in seconds since 1970.
    #[serde(default)]
    pub creation_time: Option<i64>,
}

/// How far apart two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Distance {
    /// By the angle between them.
    Cosine,
    /// By the way between them.
    Euclidean,
    /// By their product.
    DotProduct,
}

/// An index that shall be. Its numbers are `f32`.
///
/// ```
/// use supabase_sdk::storage::vectors::{Distance, NewIndex};
/// let index = NewIndex::new("documents", 1536, Distance::Cosine).unfilterable(["text"]);
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewIndex {
    index_name: String,
    data_type: &'static str,
    dimension: u32,
    distance_metric: Distance,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_configuration: Option<MetadataConfiguration>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct MetadataConfiguration {
    non_filterable_metadata_keys: Vec<String>,
}

/// What is known of an index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IndexInfo {
    /// Its name.
    pub index_name: String,
    /// How many numbers a vector has.
    pub dimension: u32,
    /// How far apart two are: `cosine`, `euclidean` or another word.
    pub distance_metric: String,
    /// When it was made, in seconds since 1970.
    #[serde(default)]
    pub creation_time: Option<i64>,
}

/// Which part of a list: what begins like that, so many, after where the last part ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Only names that begin like that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// At most so many; the server says how many otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Where the last part ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

impl NewIndex {
    /// An index of vectors that have so many numbers each.
    pub fn new(name: impl Into<String>, dimension: u32, distance: Distance) -> Self {
        Self {
            index_name: name.into(),
            data_type: "float32",
            dimension,
            distance_metric: distance,
            metadata_configuration: None,
        }
    }

    /// Keeps these words of the metadata, and does not find vectors by them.
    #[must_use]
    pub fn unfilterable<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        let non_filterable_metadata_keys = keys.into_iter().map(Into::into).collect();
        self.metadata_configuration = Some(MetadataConfiguration { non_filterable_metadata_keys });
        self
    }
}

/// Does what does no harm done twice. The answer may be empty.
pub(super) async fn settle(client: &Client, what: &str, body: &Value) -> Result<(), Error> {
    client.send(request::question(&format!("/vector/{what}"), body)?).await?.accepted().map(drop)
}

/// Asks for something.
pub(super) async fn ask<T: DeserializeOwned>(client: &Client, what: &str, body: &Value) -> Result<T, Error> {
    client.send(request::question(&format!("/vector/{what}"), body)?).await?.accepted()?.json()
}

/// Does something.
async fn done(client: &Client, what: &str, body: &Value) -> Result<(), Error> {
    let request = request::deed(http::Method::POST, &format!("/vector/{what}"), body)?;
    client.send(request).await?.accepted().map(drop)
}

/// The same question within a bucket.
fn within(bucket: &str, body: &impl Serialize) -> Result<Value, Error> {
    let mut body = request::value(body)?;
    body["vectorBucketName"] = json!(bucket);
    Ok(body)
}

impl Vectors {
    pub(in crate::storage) fn new(client: Client) -> Self {
        Self { client }
    }

    /// One bucket. Nothing is sent.
    pub fn from(&self, bucket: impl Into<String>) -> VectorBucket {
        VectorBucket { client: self.client.clone(), bucket: bucket.into() }
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// `Conflict` when there is one, `Forbidden` for other keys than the secret one.
    pub async fn create_bucket(&self, name: &str) -> Result<(), Error> {
        done(&self.client, "CreateVectorBucket", &json!({ "vectorBucketName": name })).await
    }

    /// What is known of a bucket.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn bucket(&self, name: &str) -> Result<VectorBucketInfo, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            vector_bucket: VectorBucketInfo,
        }
        let answer: Answer =
            ask(&self.client, "GetVectorBucket", &json!({ "vectorBucketName": name })).await?;
        Ok(answer.vector_bucket)
    }

    /// The names of buckets, and where the next part of them begins.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn buckets(&self, page: &Page) -> Result<(Vec<String>, Option<String>), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            vector_buckets: Vec<VectorBucketInfo>,
            #[serde(default)]
            next_token: Option<String>,
        }
        let answer: Answer = ask(&self.client, "ListVectorBuckets", &request::value(page)?).await?;
        let names = answer.vector_buckets.into_iter().map(|bucket| bucket.vector_bucket_name);
        Ok((names.collect(), answer.next_token))
    }

    /// Removes a bucket that is empty.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Conflict` or `Invalid` when there are indexes in it.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), Error> {
        done(&self.client, "DeleteVectorBucket", &json!({ "vectorBucketName": name })).await
    }
}

impl VectorBucket {
    /// One index. Nothing is sent.
    pub fn index(&self, name: impl Into<String>) -> VectorIndex {
        VectorIndex::new(self.client.clone(), self.bucket.clone(), name.into())
    }

    /// Makes an index.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::storage::vectors::{Distance, NewIndex};
    /// let vectors = client.storage().vectors();
    /// vectors.create_bucket("embeddings").await?;
    /// vectors.from("embeddings").create_index(&NewIndex::new("manuals", 1536, Distance::Cosine)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Conflict` when there is one, `NotFound` when there is no such bucket.
    pub async fn create_index(&self, index: &NewIndex) -> Result<(), Error> {
        done(&self.client, "CreateIndex", &within(&self.bucket, index)?).await
    }

    /// What is known of an index.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn index_info(&self, name: &str) -> Result<IndexInfo, Error> {
        #[derive(Deserialize)]
        struct Answer {
            index: IndexInfo,
        }
        let body = within(&self.bucket, &json!({ "indexName": name }))?;
        Ok(ask::<Answer>(&self.client, "GetIndex", &body).await?.index)
    }

    /// The names of indexes, and where the next part of them begins.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn indexes(&self, page: &Page) -> Result<(Vec<String>, Option<String>), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Named {
            index_name: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            indexes: Vec<Named>,
            #[serde(default)]
            next_token: Option<String>,
        }
        let answer: Answer = ask(&self.client, "ListIndexes", &within(&self.bucket, page)?).await?;
        Ok((answer.indexes.into_iter().map(|index| index.index_name).collect(), answer.next_token))
    }

    /// Removes an index with all its vectors.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn delete_index(&self, name: &str) -> Result<(), Error> {
        done(&self.client, "DeleteIndex", &within(&self.bucket, &json!({ "indexName": name }))?).await
    }
}
