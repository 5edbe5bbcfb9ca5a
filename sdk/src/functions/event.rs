//! Server-sent events, read as they come.
//!
//! The same bytes give the same events, wherever they are cut. A line ends with CR, LF or both; an empty one
//! ends an event; one that is not ended when the bytes end is none.
//! Source: WHATWG HTML, section 9.2.6 (interpreting an event stream).

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use serde::de::DeserializeOwned;

use crate::body::ByteStream;
use crate::error::{Error, ErrorKind};
use crate::transport::read;

/// One event of a stream.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What it is; `message` where nothing is said.
    pub name: String,
    /// What it brings; several lines are joined by LF.
    pub data: String,
    /// The last id the stream has named, with this event or before; empty for none.
    pub id: String,
    /// How long the stream asks to wait before somebody opens it again, where it has said so.
    pub retry: Option<Duration>,
}

impl Event {
    /// Reads what it brings.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when it is not the JSON that was expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read(&self.data)
    }
}

/// Its name and how much it brings, not what.
impl fmt::Debug for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Event({} {} bytes)", self.name, self.data.len())
    }
}

/// Bytes in, events out.
#[derive(Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// True if the last byte was a CR: a LF right after it belongs to it.
    after_cr: bool,
    /// True once a line has been read: only the first begins with a byte order mark.
    begun: bool,
    name: String,
    data: String,
    id: String,
    retry: Option<Duration>,
}

impl Parser {
    /// More than this no event may bring: somebody else's memory is not a server's to fill.
    const MOST: usize = 16 << 20;

    /// Takes some bytes, and adds the events they complete.
    pub(super) fn feed(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) -> Result<(), Error> {
        let Some(last) = bytes.last() else { return Ok(()) };
        let mut rest = match bytes {
            [b'\n', rest @ ..] if self.after_cr => rest,
            bytes => bytes,
        };
        self.after_cr = *last == b'\r';
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            self.keep(&rest[..end])?;
            let line = std::mem::take(&mut self.line);
            events.extend(self.read_line(&line));
            rest = match &rest[end..] {
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.keep(rest)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.line.len() + self.data.len() + bytes.len() > Self::MOST {
            return Err(Error::new(ErrorKind::Protocol, "an event is longer than any may be"));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn read_line(&mut self, line: &[u8]) -> Option<Event> {
        let marked = !std::mem::replace(&mut self.begun, true);
        let line = if marked { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.is_empty() {
            return self.end_event();
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => self.data.extend([value, "\n"]),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().map(Duration::from_millis).ok().or(self.retry);
            }
            // A comment, or a field of another time.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Event> {
        let (name, mut data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        data.pop()?;
        let name = if name.is_empty() { "message".to_owned() } else { name };
        Some(Event { name, data, id: self.id.clone(), retry: self.retry })
    }
}

/// The events of an answer, as they come. It ends with the answer, and after the first error.
///
/// Nothing is asked again by itself: whether a function may run twice only its caller knows.
pub struct Events {
    bytes: Option<ByteStream>,
    parser: Parser,
    ready: VecDeque<Event>,
    failure: Option<Error>,
}

impl Events {
    pub(super) fn new(bytes: ByteStream) -> Self {
        Self { bytes: Some(bytes), parser: Parser::default(), ready: VecDeque::new(), failure: None }
    }

    /// The next event; `None` once the function has said all.
    ///
    /// # Errors
    /// When the answer breaks off; nothing comes after that.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(event) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(bytes) = &mut this.bytes else {
                return Poll::Ready(this.failure.take().map(Err));
            };
            let read = match ready!(Pin::new(bytes).poll_next(context)) {
                Some(piece) => piece.and_then(|piece| this.parser.feed(&piece, &mut this.ready)),
                None => {
                    this.bytes = None;
                    continue;
                }
            };
            if let Err(error) = read {
                // What came whole before is still told.
                (this.bytes, this.failure) = (None, Some(error));
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Events(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
        let (mut parser, mut events) = (Parser::default(), VecDeque::new());
        for piece in pieces {
            parser.feed(piece, &mut events).unwrap();
        }
        events.into()
    }

    fn shown(text: &str) -> Vec<(String, String, String)> {
        parse([text.as_bytes()]).into_iter().map(|event| (event.name, event.data, event.id)).collect()
    }

    fn event(name: &str, data: &str, id: &str) -> (String, String, String) {
        (name.to_owned(), data.to_owned(), id.to_owned())
    }

    proptest! {
        #[test]
        fn the_same_events_come_however_the_bytes_are_cut(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "data", "event", "id", "retry", ":", " ", "\r", "\n", "\r\n", "\n\n", "\u{feff}", "ü", "5", "\0",
                ]),
                0..40,
            ),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        ) {
            let bytes = words.concat().into_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
            let whole = parse([bytes.as_slice()]);
            prop_assert!(parse(pieces) == whole);
            prop_assert!(parse(bytes.chunks(1)) == whole);
        }

        #[test]
        fn no_bytes_stop_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse([bytes.as_slice()]);
        }
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        // The examples of the standard.
        assert_eq!(shown("data: YHOO\ndata: +2\ndata: 10\n\n"), [event("message", "YHOO\n+2\n10", "")]);
        assert_eq!(
            shown(": test\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n"),
            [event("message", "first", "1"), event("message", "second", ""), event("message", " third", "")]
        );
        assert_eq!(
            shown("data\n\ndata\ndata\n\ndata:"),
            [event("message", "", ""), event("message", "\n", "")]
        );
        assert_eq!(shown("data:test\n\ndata: test\n\n"), vec![event("message", "test", ""); 2]);
        for end in ["\n", "\r", "\r\n"] {
            let text = "\u{feff}event: add\ndata: 73\nid: 7\n\ndata: b\n\n".replace('\n', end);
            assert_eq!(shown(&text), [event("add", "73", "7"), event("message", "b", "7")], "{end:?}");
        }
        // A name without data is no event, and does not name the next.
        assert_eq!(shown("event: x\n\ndata: a\n\n"), [event("message", "a", "")]);
        assert_eq!(shown("id: a\0b\ndata: a\n\n"), [event("message", "a", "")]);
        assert_eq!(
            shown("data: a\n\u{feff}data: b\n\n"),
            [event("message", "a", "")],
            "no mark in the middle"
        );
        let waits =
            parse([b"data: a\n\nretry: 5\ndata: a\n\nretry: soon\nretry: 99999999999999999999\ndata: a\n\n"
                .as_slice()]);
        let waits: Vec<_> = waits.iter().map(|event| event.retry.map(|wait| wait.as_millis())).collect();
        assert_eq!(waits, [None, Some(5), Some(5)]);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let (mut parser, mut events) = (Parser::default(), VecDeque::new());
        let piece = vec![b'a'; 1 << 20];
        let refused = (0..17).find_map(|_| parser.feed(&piece, &mut events).err());
        assert_eq!(refused.unwrap().kind(), ErrorKind::Protocol);
    }
}
