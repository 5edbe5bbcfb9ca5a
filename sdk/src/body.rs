//! Bodies: bytes that are there, and bytes that come one piece after the other.
//!
//! A body that goes out says how long it is, and can be opened again: a request may be sent twice.
//! Edge: a file is opened here when it is sent.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::error::{Error, ErrorKind};

/// What a request brings: bytes, or a stream whose length is known.
///
/// ```
/// use supabase_sdk::Body;
/// assert_eq!(Body::from("tea").len(), 3);
/// ```
#[derive(Clone)]
pub struct Body(Kind);

#[derive(Clone)]
enum Kind {
    Bytes(Bytes),
    /// Opened from a byte on.
    Stream {
        length: u64,
        open: Arc<dyn Fn(u64) -> Outgoing + Send + Sync>,
    },
}

type Outgoing = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl Body {
    /// A stream of so many bytes. It is opened once for each time the request is sent, so that what a passing
    /// failure cut can be sent again.
    ///
    /// ```
    /// use futures_util::stream;
    /// use supabase_sdk::Body;
    /// let body = Body::stream(6, || stream::iter([Ok("gre".into()), Ok("en!".into())]));
    /// assert_eq!(body.len(), 6);
    /// ```
    pub fn stream<S>(length: u64, open: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        Self(Kind::Stream { length, open: Arc::new(move |from| Box::pin(cut(open(), from, u64::MAX))) })
    }

    /// A file, read while it is sent and never as a whole. It must not change meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it cannot be read; the system's reason is the `source`.
    pub async fn file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let unreadable =
            |source| Error::new(ErrorKind::Invalid, "the file cannot be read").with_source(source);
        let length = tokio::fs::metadata(&path).await.map_err(unreadable)?.len();
        let open = move |from| {
            let path = path.clone();
            let open = async move {
                let mut file = tokio::fs::File::open(path).await?;
                file.seek(io::SeekFrom::Start(from)).await?;
                Ok::<_, io::Error>(pieces(file))
            };
            stream::once(open).try_flatten().boxed()
        };
        Ok(Self(Kind::Stream { length, open: Arc::new(open) }))
    }

    /// The bytes, where they are there already.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Stream { .. } => None,
        }
    }

    /// How many bytes it is.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kind::Bytes(bytes) => bytes.len() as u64,
            Kind::Stream { length, .. } => *length,
        }
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many bytes of it from one on; fewer, where it ends before. A stream that cannot be opened in its middle
    /// is read up to there.
    pub(crate) fn part(&self, from: u64, length: u64) -> Self {
        let (from, length) = (from.min(self.len()), length.min(self.len().saturating_sub(from)));
        match &self.0 {
            Kind::Bytes(bytes) => {
                // Both are no more than its length, which is one of this machine.
                let end = usize::try_from(from + length).unwrap_or(bytes.len());
                bytes.slice(usize::try_from(from).unwrap_or(end)..end).into()
            }
            Kind::Stream { open, .. } => {
                let open = open.clone();
                let open = move |skipped| {
                    cut(open(from.saturating_add(skipped)), 0, length.saturating_sub(skipped)).boxed()
                };
                Self(Kind::Stream { length, open: Arc::new(open) })
            }
        }
    }

    /// The bytes from their beginning, as a transport sends them.
    pub fn open(&self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static + use<> {
        match &self.0 {
            Kind::Bytes(bytes) => stream::once(std::future::ready(Ok(bytes.clone()))).boxed(),
            Kind::Stream { open, .. } => open(0),
        }
    }
}

/// So many bytes of a stream, without those before. It is cut even where more come, which the length that was
/// said does not count.
fn cut<S>(pieces: S, skip: u64, take: u64) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    S: Stream<Item = io::Result<Bytes>> + Send,
{
    pieces.scan((skip, take), |(skip, take), piece| {
        let over = *take == 0;
        let piece = piece.map(|mut piece| {
            let length = |wanted: u64| usize::try_from(wanted).unwrap_or(usize::MAX);
            let skipped = piece.split_to(piece.len().min(length(*skip))).len();
            *skip -= skipped as u64;
            piece.truncate(length(*take));
            *take -= piece.len() as u64;
            piece
        });
        std::future::ready((!over).then_some(piece))
    })
}

fn pieces(file: tokio::fs::File) -> impl Stream<Item = io::Result<Bytes>> + Send {
    const PIECE: usize = 64 << 10;
    stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), file)))
    })
}

impl Default for Body {
    fn default() -> Self {
        Self(Kind::Bytes(Bytes::new()))
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }
}

/// Its length and nothing of what is in it.
impl fmt::Debug for Body {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Body({} bytes)", self.len())
    }
}

/// The body of an answer, as it comes. Ends with an error when it is cut.
pub struct ByteStream(Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>);

impl ByteStream {
    /// What a transport reads.
    pub fn new(pieces: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self(Box::pin(pieces))
    }

    pub(crate) fn once(bytes: Bytes) -> Self {
        Self::new(stream::once(std::future::ready(Ok(bytes))))
    }

    /// All of it.
    ///
    /// # Errors
    /// When it is cut, or stops coming.
    pub async fn whole(mut self) -> Result<Bytes, Error> {
        let first = match self.0.next().await {
            Some(piece) => piece?,
            None => return Ok(Bytes::new()),
        };
        let Some(second) = self.0.next().await else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        whole.extend_from_slice(&second?);
        while let Some(piece) = self.0.next().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole.freeze())
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ByteStream(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_the_same_each_time_it_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tea");
        let bytes: Vec<u8> = (0..200_000_u32).map(|byte| byte as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let body = Body::file(&path).await.unwrap();
        for _ in 0..2 {
            let pieces: Vec<Bytes> = body.open().try_collect().await.unwrap();
            assert!(pieces.concat() == bytes && pieces.len() > 1);
        }
        assert_eq!(
            (body.len(), body.as_bytes(), format!("{body:?}").as_str()),
            (200_000, None, "Body(200000 bytes)")
        );
        assert_eq!(Body::file(dir.path().join("nothing")).await.unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn a_part_is_the_same_of_bytes_of_a_file_and_of_a_stream() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tea");
        std::fs::write(&path, "green tea").unwrap();
        let streamed = || stream::iter(["gre", "", "en t", "ea"].map(|piece| Ok(Bytes::from(piece))));
        for body in [Body::from("green tea"), Body::file(&path).await.unwrap(), Body::stream(9, streamed)] {
            for (from, length, expected) in
                [(0, 9, "green tea"), (2, 3, "een"), (3, 0, ""), (6, 99, "tea"), (9, 1, ""), (99, 1, "")]
            {
                let part = body.part(from, length);
                let pieces: Vec<Bytes> = part.open().try_collect().await.unwrap();
                assert_eq!((pieces.concat(), part.len()), (expected.into(), expected.len() as u64));
            }
            let within: Vec<Bytes> = body.part(2, 6).part(1, 3).open().try_collect().await.unwrap();
            assert_eq!(within.concat(), b"en ");
        }
    }

    #[tokio::test]
    async fn a_body_is_put_together_however_it_comes() {
        for pieces in [&[][..], &["a"], &["a", "", "bc"]] {
            let whole = pieces.concat();
            let pieces: Vec<_> =
                pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
            assert_eq!(ByteStream::new(stream::iter(pieces)).whole().await.unwrap(), whole);
        }
    }
}
