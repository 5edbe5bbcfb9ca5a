//! Edge: uploads in pieces. What is to be done next, `tus` decides; it is done here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use sha2::{Digest as _, Sha256};

use super::object::Uploaded;
use super::request::{self, UPSERT};
use super::resume::ResumeStore;
use super::tus::{self, Machine, Outcome, SIGNATURE, Step};
use super::upload::{SLOWEST, Upload, Way};
use crate::client::secret_header;
use crate::error::{Error, ErrorKind};
use crate::retry::Retry;
use crate::transport::{Reply, Request};

/// An upload in pieces, not yet sent. From [`Upload::resumable`].
///
/// Dropping what [`Resumable::send`] gives pauses it: what the server has, it keeps for a day, and the next `send`
/// goes on there if a store remembers it, in this process or another.
#[derive(Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Resumable {
    upload: Upload,
    piece: u64,
    store: Option<Arc<dyn ResumeStore>>,
    tell: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many bytes the server has said that it has.
    pub sent: u64,
    /// How many there are.
    pub total: u64,
}

impl Resumable {
    /// What Storage wants of every piece but the last: 6 MiB.
    const PIECE: u64 = 6 << 20;

    pub(super) fn new(upload: Upload) -> Self {
        Self { upload, piece: Self::PIECE, store: None, tell: None }
    }

    /// Remembers how far it is, so that the same upload goes on after a restart. The same is one to the same place,
    /// described alike, of the same bytes: they are read once before they are sent.
    pub fn kept_in(mut self, store: impl ResumeStore + 'static) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Tells how far it is, each time the server says so. It is called between two pieces, and should be quick.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::Body;
    /// let film = client.storage().from("films").upload("zoe/trip.mp4", Body::file("trip.mp4").await?);
    /// let film = film.content_type("video/mp4").resumable();
    /// film.on_progress(|at| println!("{} of {} bytes", at.sent, at.total)).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn on_progress(mut self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.tell = Some(Arc::new(tell));
        self
    }

    /// Sends pieces of so many bytes. Hosted projects take no other than the 6 MiB it has unless told; a server of
    /// one's own may.
    pub fn piece_size(mut self, bytes: u64) -> Self {
        self.piece = bytes;
        self
    }

    /// Sends what the server has not got yet. All of it is there afterwards, or nothing.
    ///
    /// A piece whose answer is lost is waited for as [`Retry`] says, each time anew, and the server asked how far it
    /// is. One that the server has forgotten begins anew.
    ///
    /// # Errors
    /// As [`Upload::send`]. After a failure that [may pass](Error::is_retryable), or a kill, sending the same again
    /// goes on where it was, if it is [kept](Self::kept_in).
    pub async fn send(&self) -> Result<Uploaded, Error> {
        request::object(&self.upload.bucket, &self.upload.path)?;
        if self.upload.body.is_empty() {
            // There is nothing to go on with, and beginning it twice would be a conflict with oneself.
            return self.upload.clone().send().await;
        }
        let mark = self.mark().await?;
        let mut machine = Machine::new(self.upload.body.len(), self.piece, self.recall(mark.as_ref()).await?);
        let mut failed = 0;
        loop {
            let step = machine.next();
            let outcome = match self.carry_out(&step).await {
                _ if step == Step::Done => break,
                Ok(outcome) => outcome,
                Err(refusal) => {
                    let taken = step == Step::Create && refusal.kind() == ErrorKind::Conflict;
                    if taken && machine.may_be_whole() {
                        let ours = self.upload.ours().await.ok().flatten().ok_or(refusal)?;
                        return self.finish(mark.as_ref(), ours).await;
                    }
                    let Some((outcome, waits)) = tus::read_refusal(&step, &refusal) else {
                        return Err(refusal);
                    };
                    failed += u32::from(waits);
                    if waits && !self.upload.client.wait_to_repeat(failed, &refusal).await {
                        return Err(refusal);
                    }
                    outcome
                }
            };
            let gone = matches!(outcome, Outcome::Gone);
            let told = matches!(outcome, Outcome::At(_));
            if machine.learn(&step, outcome)? {
                failed = 0;
            }
            if gone && machine.may_be_whole() {
                // It forgets what is done, too.
                if let Some(ours) = self.upload.ours().await.ok().flatten() {
                    return self.finish(mark.as_ref(), ours).await;
                }
            }
            if step == Step::Create {
                self.remember(mark.as_ref(), machine.place()).await?;
            }
            if let Some(tell) = self.tell.as_ref().filter(|_| told) {
                tell(Progress { sent: machine.sent(), total: self.upload.body.len() });
            }
        }
        self.finish(mark.as_ref(), Uploaded { id: None, path: self.upload.path.clone() }).await
    }

    /// Gives up what was begun: the server forgets it, and so does the store. Without one there is nothing to do, as
    /// the server forgets by itself.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn abandon(&self) -> Result<(), Error> {
        let mark = self.mark().await?;
        if let Some(place) = self.recall(mark.as_ref()).await? {
            let machine = Machine::new(0, 1, Some(place));
            if let Some(place) = machine.place() {
                let answer = self.ask(tus::end(self.path(), place)).await;
                answer.map(drop).or_else(|refusal| match refusal.kind() {
                    ErrorKind::NotFound => Ok(()),
                    _ if refusal.status() == Some(http::StatusCode::GONE) => Ok(()),
                    _ => Err(refusal),
                })?;
            }
        }
        self.remember(mark.as_ref(), None).await
    }

    async fn finish(&self, mark: Option<&String>, uploaded: Uploaded) -> Result<Uploaded, Error> {
        // It is there, whatever becomes of the note; one that stays is found to be done next time.
        if let Err(error) = self.remember(mark, None).await {
            tracing::debug!(%error, "an upload that is done is still remembered");
        }
        Ok(uploaded)
    }

    async fn carry_out(&self, step: &Step) -> Result<Outcome, Error> {
        let length = self.upload.body.len();
        let request = match step {
            Step::Create => self.creation()?,
            Step::Ask { place } => tus::ask(self.path(), place),
            Step::Send { place, from, length } => {
                let mut request = tus::send(self.path(), place, *from)?;
                request.body = self.upload.body.part(*from, *length);
                // Before it is sent again, the server is asked how much of it arrived.
                request.retry = Some(Retry::never());
                request.timeout = Some(self.upload.client.timeout() + Duration::from_secs(length / SLOWEST));
                request
            }
            Step::Done => return Ok(Outcome::At(length)),
        };
        tus::read(step, length, &self.ask(request).await?.headers)
    }

    fn creation(&self) -> Result<Request, Error> {
        let upload = &self.upload;
        let mut said = vec![
            ("bucketName", upload.bucket.clone()),
            ("objectName", upload.path.clone()),
            ("contentType", upload.content_type.clone()),
            ("cacheControl", upload.cache_seconds.to_string()),
        ];
        said.extend(upload.metadata.as_ref().map(|metadata| ("metadata", metadata.to_string())));
        let mut request = tus::create(self.path(), upload.body.len(), &said)?;
        let replaces = match &upload.way {
            Way::Add => Some("false"),
            Way::Upsert | Way::Update => Some("true"),
            Way::Signed(_) => None,
        };
        request.headers.extend(replaces.map(|replaces| (UPSERT, HeaderValue::from_static(replaces))));
        Ok(request)
    }

    async fn ask(&self, mut request: Request) -> Result<Reply, Error> {
        if let Way::Signed(link) = &self.upload.way {
            // The address is the right to write; a session could only stand in its way.
            request.headers.insert(SIGNATURE, secret_header(link.token().to_owned())?);
            request = request.as_key();
        }
        self.upload.client.send(request).await?.accepted()
    }

    fn path(&self) -> &'static str {
        match self.upload.way {
            Way::Add | Way::Upsert | Way::Update => "/upload/resumable",
            Way::Signed(_) => "/upload/resumable/sign",
        }
    }

    /// What stands for this upload, where it is remembered.
    async fn mark(&self) -> Result<Option<String>, Error> {
        if self.store.is_none() {
            return Ok(None);
        }
        let upload = &self.upload;
        let way = match upload.way {
            Way::Add => "add",
            Way::Upsert | Way::Update => "replace",
            Way::Signed(_) => "signed",
        };
        let metadata = upload.metadata.as_ref().map(ToString::to_string).unwrap_or_default();
        let seconds = upload.cache_seconds.to_string();
        let mut mark = Sha256::new();
        let described = [upload.client.url(), &upload.bucket, &upload.path, way, &upload.content_type];
        for text in described.into_iter().chain([seconds.as_str(), &metadata]) {
            mark.update((text.len() as u64).to_be_bytes());
            mark.update(text);
        }
        mark.update(upload.digest().await?);
        Ok(Some(mark.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    async fn recall(&self, mark: Option<&String>) -> Result<Option<String>, Error> {
        let (Some(store), Some(mark)) = (self.store.clone(), mark.cloned()) else { return Ok(None) };
        in_the_back(move || store.load(&mark)).await
    }

    async fn remember(&self, mark: Option<&String>, place: Option<&str>) -> Result<(), Error> {
        let (Some(store), Some(mark)) = (self.store.clone(), mark.cloned()) else { return Ok(()) };
        let place = place.map(str::to_owned);
        in_the_back(move || store.save(&mark, place.as_deref())).await
    }
}

/// Does something where it may block.
async fn in_the_back<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|source| Error::new(ErrorKind::Config, "the upload's store failed").with_source(source))?
}

impl fmt::Debug for Resumable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (upload, piece, store) = (&self.upload, &self.piece, &self.store);
        out.debug_struct("Resumable")
            .field("upload", upload)
            .field("piece", piece)
            .field("store", store)
            .finish_non_exhaustive()
    }
}
