//! Downloads: whole, in part, or as they come.

use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName};

use super::request;
use super::transform::Transform;
use crate::body::ByteStream;
use crate::client::Client;
use crate::error::Error;
use crate::transport::Request;

/// A download, not yet asked for. From [`Files::download`](super::Files::download).
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `bytes` or `stream`"]
pub struct Download {
    client: Client,
    bucket: String,
    path: String,
    range: Option<(u64, Option<u64>)>,
    transform: Option<Transform>,
    nonce: Option<String>,
}

/// An object whose bytes are coming.
#[derive(Debug)]
#[non_exhaustive]
pub struct Downloading {
    /// What it is.
    pub content_type: Option<String>,
    /// How many bytes are coming, where the server says so.
    pub length: Option<u64>,
    /// The mark of the object's bytes.
    pub etag: Option<String>,
    /// The bytes.
    pub bytes: ByteStream,
}

impl Download {
    pub(super) fn new(client: Client, bucket: String, path: String) -> Self {
        Self { client, bucket, path, range: None, transform: None, nonce: None }
    }

    /// Only the bytes from this one on.
    pub fn from_byte(mut self, first: u64) -> Self {
        self.range = Some((first, None));
        self
    }

    /// Only these bytes, the last one included.
    pub fn bytes_between(mut self, first: u64, last: u64) -> Self {
        self.range = Some((first, Some(last)));
        self
    }

    /// An image in another size.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::storage::Transform;
    /// let photo = client.storage().from("vehicle-photos").download("garage/car/front.webp");
    /// let small = photo.transform(Transform::default().width(200)).bytes().await?;
    /// # drop(small);
    /// # Ok(()) }
    /// ```
    pub fn transform(mut self, transform: Transform) -> Self {
        self.transform = Some(transform);
        self
    }

    /// Past what caches keep of it, as often as this is another one.
    pub fn cache_nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// What would be sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the name cannot stand in an address.
    pub fn request(&self) -> Result<Request, Error> {
        let path = request::object(&self.bucket, &self.path)?;
        let pairs = self.transform.map(Transform::pairs).unwrap_or_default();
        // Nothing to change is no image, perhaps.
        let way = if pairs.is_empty() { "object" } else { "render/image/authenticated" };
        let mut request = request::request(Method::GET, &format!("/{way}/{path}"));
        request.query = pairs;
        request.query.extend(self.nonce.as_ref().map(|nonce| ("cacheNonce".into(), nonce.clone())));
        if let Some((first, last)) = self.range {
            request::range(&mut request.headers, first, last);
        }
        Ok(request)
    }

    /// All of it at once.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let photo = client.storage().from("vehicle-photos").download("garage/car/front.webp").bytes().await?;
    /// println!("{} bytes", photo.len());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When there is no such object, or none one may see, which is told the same way: `NotFound`.
    pub async fn bytes(self) -> Result<bytes::Bytes, Error> {
        self.stream().await?.bytes.whole().await
    }

    /// As it comes, so that it never lies in memory as a whole. The client's time limit is for each piece.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::TryStreamExt;
    /// use tokio::io::AsyncWriteExt;
    /// let mut backup = client.storage().from("backups").download("garage/2026.zip").stream().await?;
    /// let mut file = tokio::fs::File::create("2026.zip").await?;
    /// while let Some(piece) = backup.bytes.try_next().await? {
    ///     file.write_all(&piece).await?;
    /// }
    /// file.flush().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Download::bytes`]; once it is coming, what cuts it is an error of the stream.
    pub async fn stream(self) -> Result<Downloading, Error> {
        let opened = self.client.open(self.request()?).await?;
        let text = |name| header(&opened.headers, name);
        Ok(Downloading {
            content_type: text(CONTENT_TYPE),
            length: text(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            etag: text(ETAG),
            bytes: opened.body,
        })
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
