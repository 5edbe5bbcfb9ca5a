//! An upload in pieces: what is known of it, and what is to be done next. Nothing here sends or waits.
//!
//! The server's word is all that counts: how far it is, is what it said last. Whenever that is in doubt (an
//! answer was lost, or somebody else went on with the same upload) it is asked before a byte is sent.
//! Source: tus 1.0.0 (core, creation, termination).

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode};

use super::request;
use crate::error::{Error, ErrorKind};
use crate::transport::Request;

pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Tell the server that it begins.
    Create,
    /// Ask how far it is.
    Ask { place: String },
    /// Send so many bytes from one on.
    Send { place: String, from: u64, length: u64 },
    /// It is there.
    Done,
}

/// What came of a step.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It begins, and is called that.
    Created(String),
    /// The server has so many bytes.
    At(u64),
    /// The server has forgotten it.
    Gone,
    /// Its answer was lost, or the server could not now. How often that may be, who waits decides.
    Lost,
    /// Somebody else went on with it, or part of it had been taken already.
    Conflicted,
}

/// One upload in pieces.
#[derive(Debug)]
pub(super) struct Machine {
    length: u64,
    chunk: u64,
    place: Option<String>,
    /// How many bytes the server has, unless that is in doubt.
    offset: Option<u64>,
    /// The most it ever said.
    furthest: u64,
    /// True if the last byte has been sent once: it may be there though nobody said so.
    may_be_whole: bool,
    /// How often it began anew, and how often in a row something was in doubt.
    restarts: u32,
    doubts: u32,
}

impl Machine {
    /// One that goes on where a place is known.
    pub(super) fn new(length: u64, chunk: u64, place: Option<String>) -> Self {
        let place = place.filter(|place| is_place(place));
        // Of one that was begun before nobody knows how it ended.
        let may_be_whole = place.is_some();
        let (chunk, offset) = (chunk.max(1), None);
        Self { length, chunk, place, offset, furthest: 0, may_be_whole, restarts: 0, doubts: 0 }
    }

    /// More than this nothing begins anew, nor stays where it is.
    const MOST: u32 = 4;

    pub(super) fn next(&self) -> Step {
        match (&self.place, self.offset) {
            (None, _) => Step::Create,
            (Some(place), None) => Step::Ask { place: place.clone() },
            (Some(_), Some(offset)) if offset == self.length => Step::Done,
            (Some(place), Some(from)) => {
                Step::Send { place: place.clone(), from, length: self.chunk.min(self.length - from) }
            }
        }
    }

    /// Notes what came of the step. True if it is further than before.
    ///
    /// # Errors
    /// When the server says what cannot be, or it never gets any further.
    pub(super) fn learn(&mut self, step: &Step, outcome: Outcome) -> Result<bool, Error> {
        if let Step::Send { from, length, .. } = step {
            self.may_be_whole |= from + length == self.length;
        }
        match outcome {
            Outcome::Created(place) => (self.place, self.offset) = (Some(place), Some(0)),
            Outcome::At(offset) if offset > self.length => {
                return Err(Error::new(ErrorKind::Protocol, "Storage has more bytes than there are"));
            }
            Outcome::At(offset) => {
                self.offset = Some(offset);
                let further = offset > self.furthest;
                self.furthest = self.furthest.max(offset);
                if further {
                    self.doubts = 0;
                    return Ok(true);
                }
                if matches!(step, Step::Send { .. }) {
                    return self.doubt().map(|()| false);
                }
            }
            Outcome::Gone => {
                (self.place, self.offset, self.furthest) = (None, None, 0);
                self.restarts += 1;
                if self.restarts > Self::MOST {
                    return Err(Error::new(
                        ErrorKind::Protocol,
                        "Storage forgets this upload again and again",
                    ));
                }
            }
            Outcome::Lost => self.offset = None,
            Outcome::Conflicted => {
                self.offset = None;
                self.doubt()?;
            }
        }
        Ok(false)
    }

    fn doubt(&mut self) -> Result<(), Error> {
        self.doubts += 1;
        if self.doubts > Self::MOST {
            return Err(Error::new(ErrorKind::Protocol, "the upload gets no further, and nobody says why"));
        }
        Ok(())
    }

    /// True if the whole of it may be there, though the server does not know this upload.
    pub(super) fn may_be_whole(&self) -> bool {
        self.may_be_whole
    }

    pub(super) fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// How many bytes are there; what was known last while that is in doubt.
    pub(super) fn sent(&self) -> u64 {
        self.offset.unwrap_or(self.furthest)
    }
}

/// How the server is told that an upload begins. Beginning twice does no harm: it forgets what does not go on.
pub(super) fn create(path: &str, length: u64, said: &[(&str, String)]) -> Result<Request, Error> {
    use base64::Engine as _;
    let said = said
        .iter()
        .map(|(name, value)| format!("{name} {}", base64::engine::general_purpose::STANDARD.encode(value)));
    let said = said.collect::<Vec<_>>().join(",");
    let request = speaking(request::request(Method::POST, path)).safe_to_repeat();
    request.header(LENGTH, &length.to_string())?.header(METADATA, &said)
}

/// How it is asked how far one is.
pub(super) fn ask(path: &str, place: &str) -> Request {
    speaking(request::request(Method::HEAD, &format!("{path}/{place}")))
}

/// How it gets some bytes, which are to be added by who sends it.
pub(super) fn send(path: &str, place: &str, from: u64) -> Result<Request, Error> {
    let mut request = speaking(request::request(Method::PATCH, &format!("{path}/{place}")));
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/offset+octet-stream"));
    request.header(OFFSET, &from.to_string())
}

/// How it is told that one is given up.
pub(super) fn end(path: &str, place: &str) -> Request {
    speaking(request::request(Method::DELETE, &format!("{path}/{place}"))).safe_to_repeat()
}

fn speaking(mut request: Request) -> Request {
    request.headers.insert(RESUMABLE, HeaderValue::from_static("1.0.0"));
    request
}

/// What an answer says of a step.
///
/// # Errors
/// When it is an answer, and not what the protocol promises.
pub(super) fn read(step: &Step, length: u64, headers: &HeaderMap) -> Result<Outcome, Error> {
    let number = |name: &HeaderName| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let unsaid = || Error::new(ErrorKind::Protocol, "Storage does not say how far the upload is");
    match step {
        Step::Create => {
            // The host in it may be one behind the gateway: only the last part is taken, below our own address.
            let place = headers.get(LOCATION).and_then(|place| place.to_str().ok());
            let place = place.and_then(|place| place.split(['?', '#']).next()?.rsplit('/').next());
            let place = place.filter(|place| is_place(place)).ok_or_else(|| {
                Error::new(ErrorKind::Protocol, "Storage does not say where the upload goes on")
            })?;
            Ok(Outcome::Created(place.to_owned()))
        }
        // Somebody else's, with our place.
        Step::Ask { .. } if number(&LENGTH).is_some_and(|theirs| theirs != length) => Ok(Outcome::Gone),
        Step::Ask { .. } | Step::Send { .. } => number(&OFFSET).map(Outcome::At).ok_or_else(unsaid),
        Step::Done => Ok(Outcome::At(length)),
    }
}

/// What a refusal says of a step; `None` where it is one. True if it is worth a wait before one goes on.
pub(super) fn read_refusal(step: &Step, refusal: &Error) -> Option<(Outcome, bool)> {
    let gone = refusal.kind() == ErrorKind::NotFound || refusal.status() == Some(StatusCode::GONE);
    match step {
        Step::Create | Step::Done => None,
        Step::Ask { .. } | Step::Send { .. } if gone => Some((Outcome::Gone, false)),
        Step::Send { .. } if refusal.kind() == ErrorKind::Conflict => Some((Outcome::Conflicted, false)),
        Step::Send { .. } if refusal.is_retryable() => Some((Outcome::Lost, true)),
        // It has been asked again already.
        Step::Ask { .. } | Step::Send { .. } => None,
    }
}

/// True for what may stand in an address as it is, and leads nowhere else.
fn is_place(place: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%=+".contains(&byte);
    !place.is_empty() && !place.starts_with('.') && place.len() <= 4096 && place.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> String {
        "p".to_owned()
    }

    #[test]
    fn it_asks_whenever_it_does_not_know() {
        let mut machine = Machine::new(10, 4, None);
        let mut steps = Vec::new();
        for outcome in [
            Outcome::Created(place()),
            Outcome::At(4),
            Outcome::Lost,
            Outcome::At(8),
            Outcome::Gone,
            Outcome::Created(place()),
            Outcome::At(10),
        ] {
            let step = machine.next();
            machine.learn(&step, outcome).unwrap();
            steps.push(step);
        }
        let send = |from, length| Step::Send { place: place(), from, length };
        let ask = || Step::Ask { place: place() };
        assert_eq!(
            steps,
            [Step::Create, send(0, 4), send(4, 4), ask(), send(8, 2), Step::Create, send(0, 4)]
        );
        assert_eq!((machine.next(), machine.may_be_whole()), (Step::Done, true));
        assert_eq!(Machine::new(10, 4, Some(place())).next(), ask(), "one that was begun before");
        assert_eq!(Machine::new(10, 4, Some("../x".into())).next(), Step::Create);
    }

    proptest! {
        /// Whatever the server says, it ends, and no byte is sent but from where the server said it was.
        #[test]
        fn it_ends_whatever_happens(length in 0_u64..40, chunk in 0_u64..9, said in proptest::collection::vec((0_u8..4, 0_u64..45), 400)) {
            let mut machine = Machine::new(length, chunk, None);
            let mut known = None;
            let mut ended = false;
            for (outcome, at) in said {
                let step = machine.next();
                let outcome = match (&step, outcome) {
                    (Step::Done, _) => { ended = true; break }
                    (Step::Create, _) => { known = Some(0); Outcome::Created(place()) }
                    (Step::Send { from, length: sent, .. }, outcome) => {
                        prop_assert!(Some(*from) == known && *sent > 0 && from + sent <= length);
                        match outcome { 0 => Outcome::Gone, 1 => Outcome::Conflicted, _ => { known = Some(at); Outcome::At(at) } }
                    }
                    (Step::Ask { .. }, 0) => Outcome::Gone,
                    (Step::Ask { .. }, _) => { known = Some(at); Outcome::At(at) }
                };
                if machine.learn(&step, outcome).is_err() { ended = true; break }
            }
            prop_assert!(ended);
        }
    }

    #[test]
    fn only_the_name_of_a_place_is_taken() {
        let read = |location: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().unwrap());
            match read(&Step::Create, 1, &headers) {
                Ok(Outcome::Created(place)) => Some(place),
                _ => None,
            }
        };
        for location in
            ["http://inner:5000/upload/resumable/YS9i", "/storage/v1/upload/resumable/YS9i?x=1", "YS9i"]
        {
            assert_eq!(read(location).as_deref(), Some("YS9i"));
        }
        for location in ["http://evil/..", "/a/", "/a/b c", "/"] {
            assert_eq!(read(location), None, "{location}");
        }
    }
}
