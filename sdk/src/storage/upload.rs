//! Uploads: bytes or a stream, with what is said of them.
//!
//! An upload that may not replace anything cannot simply be sent again when its answer is lost: the second
//! one would be refused because of the first. So it is sent again, and where that is refused the content
//! decides: what is there with the same bytes was ours.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, pin_mut};
use http::Method;
use http::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::object::Uploaded;
use super::request::{self, UPSERT};
use super::{Files, Link, Resumable};
use crate::body::Body;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::transport::{Replay, Request};

/// Slower than this nobody uploads.
pub(super) const SLOWEST: u64 = 32 << 10;

/// An upload, not yet sent. From [`Files::upload`] and [`Files::update`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Upload {
    pub(super) client: Client,
    pub(super) bucket: String,
    pub(super) path: String,
    pub(super) body: Body,
    pub(super) way: Way,
    pub(super) content_type: String,
    pub(super) cache_seconds: u64,
    pub(super) metadata: Option<Value>,
    timeout: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// What is there stays.
    Add,
    /// What is there is replaced.
    Upsert,
    /// The same, as its own verb.
    Update,
    /// As whoever signed the address said.
    Signed(Link),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Id")]
    id: Option<Uuid>,
}

impl Upload {
    pub(super) fn add(client: Client, bucket: String, path: String, body: Body) -> Self {
        Self::new(client, bucket, path, body, Way::Add)
    }

    pub(super) fn update(client: Client, bucket: String, path: String, body: Body) -> Self {
        Self::new(client, bucket, path, body, Way::Update)
    }

    pub(super) fn signed(client: Client, bucket: String, path: String, body: Body, link: Link) -> Self {
        Self::new(client, bucket, path, body, Way::Signed(link))
    }

    fn new(client: Client, bucket: String, path: String, body: Body, way: Way) -> Self {
        let content_type = "application/octet-stream".to_owned();
        Self {
            client,
            bucket,
            path,
            body,
            way,
            content_type,
            cache_seconds: 3600,
            metadata: None,
            timeout: None,
        }
    }

    /// Says what it is; `application/octet-stream` unless told. A bucket may take some types only.
    pub fn content_type(mut self, mime: impl Into<String>) -> Self {
        self.content_type = mime.into();
        self
    }

    /// Lets browsers and caches keep it for so long; an hour unless told.
    pub fn cache_for(mut self, time: Duration) -> Self {
        self.cache_seconds = time.as_secs();
        self
    }

    /// Says something of it for the app, which comes back with [`Files::info`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it cannot be written as JSON.
    pub fn metadata(mut self, metadata: &impl Serialize) -> Result<Self, Error> {
        let value = serde_json::to_value(metadata).map_err(|source| {
            Error::new(ErrorKind::Invalid, "the metadata cannot be written as JSON").with_source(source)
        })?;
        self.metadata = Some(value);
        Ok(self)
    }

    /// Replaces what is there under this name, and may be sent twice.
    pub fn upsert(mut self) -> Self {
        if self.way == Way::Add {
            self.way = Way::Upsert;
        }
        self
    }

    /// Bounds the whole upload. Unless told it has the client's time limit, and a second more for each 32 KiB.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What would be sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the name cannot stand in an address, or the content type in a header.
    pub fn request(&self) -> Result<Request, Error> {
        let path = request::object(&self.bucket, &self.path)?;
        let mut request = match &self.way {
            Way::Add | Way::Upsert => request::request(Method::POST, &format!("/object/{path}")),
            Way::Update => request::request(Method::PUT, &format!("/object/{path}")),
            Way::Signed(link) => {
                // The address is the right to write; a session could only stand in its way.
                let request = request::request(Method::PUT, &format!("/object/upload/sign/{path}")).as_key();
                request.query("token", link.token())
            }
        };
        match &self.way {
            Way::Add => drop(request.headers.insert(UPSERT, HeaderValue::from_static("false"))),
            Way::Upsert => drop(request.headers.insert(UPSERT, HeaderValue::from_static("true"))),
            Way::Update | Way::Signed(_) => {}
        }
        request.replay = match self.way {
            Way::Upsert | Way::Update => Replay::Safe,
            // Nobody but who signed it knows whether it replaces.
            Way::Add | Way::Signed(_) => Replay::Unsafe,
        };
        request::describe(
            &mut request.headers,
            &self.content_type,
            self.cache_seconds,
            self.metadata.as_ref(),
        )?;
        request.body = self.body.clone();
        let patience = || self.client.timeout() + Duration::from_secs(self.body.len() / SLOWEST);
        request.timeout = Some(self.timeout.unwrap_or_else(patience));
        Ok(request)
    }

    /// Sends it. All of it is there afterwards, or nothing.
    ///
    /// Where the answer is lost and nothing may be replaced, it is sent again; if something is there by then,
    /// its bytes decide whether it was this upload.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client, photo: Vec<u8>) -> Result<(), supabase_sdk::Error> {
    /// let photos = client.storage().from("vehicle-photos");
    /// let uploaded = photos.upload("garage/car/front.webp", photo).content_type("image/webp").send().await?;
    /// println!("{} is there", uploaded.path);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Conflict` when something is there and stays, `Forbidden` when a policy says no, `Invalid` when it is
    /// too large (`EntityTooLarge`), of a type the bucket does not take (`InvalidMimeType`), or named as
    /// nothing may be (`InvalidKey`).
    pub async fn send(self) -> Result<Uploaded, Error> {
        let request = self.request()?;
        let (mut sent, mut unsure) = (0, false);
        loop {
            let failure = match self.client.send(request.clone()).await.and_then(crate::Reply::accepted) {
                Ok(reply) => {
                    let answer: Answer = reply.json()?;
                    return Ok(Uploaded { id: answer.id, path: self.path.clone() });
                }
                Err(failure) => failure,
            };
            sent += 1;
            if unsure && failure.kind() == ErrorKind::Conflict {
                // Whoever may not look is told what the server said.
                return self.ours().await.ok().flatten().ok_or(failure);
            }
            // What was certainly not done has been tried again already, and so has what may be done twice.
            let again = self.way == Way::Add && failure.is_retryable() && !failure.is_undone();
            if !again || !self.client.wait_to_repeat(sent, &failure).await {
                return Err(failure);
            }
            unsure = true;
        }
    }

    /// The mark of our bytes.
    pub(super) async fn digest(&self) -> Result<[u8; 32], Error> {
        digest(self.body.open())
            .await
            .map_err(|source| Error::new(ErrorKind::Invalid, "the body cannot be read").with_source(source))
    }

    /// Sends it in pieces, so that what cuts it does not begin it anew.
    pub fn resumable(self) -> Resumable {
        Resumable::new(self)
    }

    /// What is there, if its bytes are ours.
    pub(super) async fn ours(&self) -> Result<Option<Uploaded>, Error> {
        let files = Files::new(self.client.clone(), self.bucket.clone());
        let there = files.info(&self.path).await?;
        if there.size != Some(self.body.len()) {
            return Ok(None);
        }
        let theirs = digest(files.download(&self.path).stream().await?.bytes).await?;
        let ours = self.digest().await?;
        Ok((theirs == ours).then(|| Uploaded { id: Some(there.id), path: self.path.clone() }))
    }
}

pub(super) async fn digest<E>(pieces: impl Stream<Item = Result<bytes::Bytes, E>>) -> Result<[u8; 32], E> {
    pin_mut!(pieces);
    let mut digest = Sha256::new();
    while let Some(piece) = pieces.next().await {
        digest.update(piece?);
    }
    Ok(digest.finalize().into())
}
