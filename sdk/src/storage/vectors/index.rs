//! The vectors of one index.

use std::collections::VecDeque;

use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bucket::{ask, settle};
use crate::client::Client;
use crate::error::Error;
use crate::storage::request;

/// One index of vectors. From [`VectorBucket::index`](super::VectorBucket::index).
#[derive(Debug, Clone)]
pub struct VectorIndex {
    client: Client,
    bucket: String,
    index: String,
}

/// A vector at its key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vector {
    /// What it is found by again.
    pub key: String,
    /// Its numbers.
    #[serde(rename = "data", serialize_with = "as_float32")]
    pub numbers: Vec<f32>,
    /// What is said of it: an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

/// A vector that was found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Match {
    /// What it is found by again.
    pub key: String,
    /// Its numbers, where they were asked for.
    #[serde(default)]
    data: Option<Float32>,
    /// What is said of it, where that was asked for.
    #[serde(default)]
    pub metadata: Option<Value>,
    /// How far it is, where that was asked for.
    #[serde(default)]
    pub distance: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Float32 {
    float32: Vec<f32>,
}

/// Some vectors, and where the next begin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Found {
    /// The vectors; of a question for the nearest, these first.
    pub vectors: Vec<Match>,
    /// Where the next begin.
    #[serde(default)]
    pub next_token: Option<String>,
}

/// What comes with the key of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum With {
    /// Nothing.
    #[default]
    Keys,
    /// What is said of it.
    Metadata,
    /// Its numbers.
    Numbers,
    /// Both.
    Both,
}

fn as_float32<S: serde::Serializer>(numbers: &[f32], out: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap as _;
    let mut map = out.serialize_map(Some(1))?;
    map.serialize_entry("float32", numbers)?;
    map.end()
}

impl Vector {
    /// A vector of which nothing is said.
    pub fn new(key: impl Into<String>, numbers: Vec<f32>) -> Self {
        Self { key: key.into(), numbers, metadata: None }
    }
}

impl Match {
    /// Its numbers, where they were asked for.
    pub fn numbers(&self) -> Option<&[f32]> {
        Some(&self.data.as_ref()?.float32)
    }
}

impl With {
    fn numbers(self) -> bool {
        matches!(self, Self::Numbers | Self::Both)
    }

    fn metadata(self) -> bool {
        matches!(self, Self::Metadata | Self::Both)
    }
}

impl VectorIndex {
    /// So many the server takes with one request.
    const MOST_AT_ONCE: usize = 500;

    pub(super) fn new(client: Client, bucket: String, index: String) -> Self {
        Self { client, bucket, index }
    }

    fn named(&self) -> Value {
        json!({ "vectorBucketName": self.bucket, "indexName": self.index })
    }

    /// Puts vectors at their keys, and replaces those that are there. More than 500 go with several requests; those
    /// that went before one failed are there.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::storage::vectors::Vector;
    /// let manuals = client.storage().vectors().from("embeddings").index("manuals");
    /// manuals.put(&[Vector::new("golf-4", vec![0.1, 0.2, 0.3])]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Invalid` when one has another number of numbers than the index.
    pub async fn put(&self, vectors: &[Vector]) -> Result<(), Error> {
        for vectors in vectors.chunks(Self::MOST_AT_ONCE) {
            let mut body = self.named();
            body["vectors"] = request::value(&vectors)?;
            settle(&self.client, "PutVectors", &body).await?;
        }
        Ok(())
    }

    /// The vectors at these keys; one that is not there is left out.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn get<K: AsRef<str>>(&self, keys: &[K], with: With) -> Result<Vec<Match>, Error> {
        let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        let mut body = self.named();
        body["keys"] = json!(keys);
        body["returnData"] = json!(with.numbers());
        body["returnMetadata"] = json!(with.metadata());
        Ok(ask::<Found>(&self.client, "GetVectors", &body).await?.vectors)
    }

    /// Removes the vectors at these keys; one that is not there is no error.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn delete<K: AsRef<str>>(&self, keys: &[K]) -> Result<(), Error> {
        let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        for keys in keys.chunks(Self::MOST_AT_ONCE) {
            let mut body = self.named();
            body["keys"] = json!(keys);
            settle(&self.client, "DeleteVectors", &body).await?;
        }
        Ok(())
    }

    /// Prepares a walk over every vector.
    pub fn scan(&self, with: With) -> Scan {
        let mut body = self.named();
        body["returnData"] = json!(with.numbers());
        body["returnMetadata"] = json!(with.metadata());
        Scan { client: self.client.clone(), body }
    }

    /// Prepares a question for the vectors nearest to this one; so many of them.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let manuals = client.storage().vectors().from("embeddings").index("manuals");
    /// let near = manuals.nearest(&[0.1, 0.2, 0.3], 5).filter(&serde_json::json!({ "year": 2004 }));
    /// for manual in near.with_metadata().fetch().await?.vectors {
    ///     println!("{} is {:?} away", manual.key, manual.distance);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn nearest(&self, to: &[f32], how_many: u32) -> Nearest {
        let mut body = self.named();
        body["queryVector"] = json!({ "float32": to });
        body["topK"] = json!(how_many);
        body["returnDistance"] = json!(true);
        Nearest { client: self.client.clone(), body }
    }
}

/// A walk over the vectors of an index, not yet begun. From [`VectorIndex::scan`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `fetch` or `stream`"]
pub struct Scan {
    client: Client,
    body: Value,
}

impl Scan {
    /// Gives at most so many a page; the server says how many otherwise.
    pub fn page_size(mut self, vectors: u32) -> Self {
        self.body["maxResults"] = json!(vectors);
        self
    }

    /// Begins where a page ended.
    pub fn after(mut self, token: impl Into<String>) -> Self {
        self.body["nextToken"] = json!(token.into());
        self
    }

    /// Walks over one of so many parts, counted from 0, so that several can be walked over at once.
    pub fn segment(mut self, index: u32, of: u32) -> Self {
        self.body["segmentIndex"] = json!(index);
        self.body["segmentCount"] = json!(of);
        self
    }

    /// Asks for one page.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn fetch(&self) -> Result<Found, Error> {
        ask(&self.client, "ListVectors", &self.body).await
    }

    /// Every vector, page after page as they are taken. It ends after the first error.
    pub fn stream(self) -> impl Stream<Item = Result<Match, Error>> + Send {
        let begin = (VecDeque::new(), Some(self));
        stream::try_unfold(begin, |(mut ready, mut next): (VecDeque<Match>, Option<Self>)| async move {
            loop {
                if let Some(vector) = ready.pop_front() {
                    return Ok(Some((vector, (ready, next))));
                }
                let Some(scan) = next else { return Ok(None) };
                let page = scan.fetch().await?;
                ready = page.vectors.into();
                next = page.next_token.map(|token| scan.after(token));
            }
        })
    }
}

/// A question for the nearest vectors, not yet sent. From [`VectorIndex::nearest`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `fetch`"]
pub struct Nearest {
    client: Client,
    body: Value,
}

impl Nearest {
    /// Only those of which this is said.
    pub fn filter(mut self, filter: &Value) -> Self {
        self.body["filter"] = filter.clone();
        self
    }

    /// With what is said of them.
    pub fn with_metadata(mut self) -> Self {
        self.body["returnMetadata"] = json!(true);
        self
    }

    /// Asks.
    ///
    /// # Errors
    /// `Invalid` when it has another number of numbers than the index.
    pub async fn fetch(&self) -> Result<Found, Error> {
        ask(&self.client, "QueryVectors", &self.body).await
    }
}
