//! Edge: requests out, answers in. The only file here that opens a connection.
//!
//! A [`Request`] is a value without a server or a session; [`crate::Client::send`] adds both.
//! Every request ends: connecting and the whole have time limits. Redirects are
//! followed within the project's origin only, since one to another origin would carry the keys along, and
//! only where they keep the method.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_path_to_error::Segment;

use crate::body::{Body, ByteStream};
use crate::error::{Error, ErrorKind};
use crate::retry::Retry;

/// What may stand unescaped in a query: what RFC 3986 allows there, less `&`, `+`, `#` and `=`, which
/// separate, mean a space, or cut. The rest of a filter's own punctuation stays readable in logs.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b':')
    .remove(b'*')
    .remove(b'!');

/// What JavaScript's `encodeURIComponent` leaves as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A part of a path, as the official client writes it.
pub(crate) fn segment(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, SEGMENT)
}

/// Whose authority a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credentials {
    /// The signed-in person's, or the key's when nobody is signed in.
    #[default]
    Session,
    /// The key's alone: signing in, refreshing, administration.
    Key,
}

/// One HTTP request as a value: a path below the project's address, and what goes with it.
///
/// ```
/// use supabase_sdk::Request;
/// let request = Request::get("/rest/v1/notes").query("title", "eq.fish & chips");
/// assert_eq!(request.uri(), "/rest/v1/notes?title=eq.fish%20%26%20chips");
/// ```
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the project's address, beginning with `/`; already encoded.
    pub path: String,
    /// Query pairs in order, not yet encoded.
    pub query: Vec<(Cow<'static, str>, String)>,
    /// Headers, without key and session.
    pub headers: HeaderMap,
    /// The body; empty when there is none.
    pub body: Body,
    /// Whose authority it carries.
    pub credentials: Credentials,
    /// Whether it may be sent twice.
    pub replay: Replay,
    /// How often it is sent again, where it is another than the client's.
    pub retry: Option<Retry>,
    /// How long it may take, where it is another than the client's.
    pub timeout: Option<Duration>,
}

/// Whether the same request, sent twice, does what it does sent once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It does: reading, and writing the same rows by their keys.
    Safe,
    /// It does not, or nobody knows.
    Unsafe,
}

/// The service a request is for, read off its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `/rest/v1`
    Rest,
    /// `/auth/v1`
    Auth,
    /// `/storage/v1`
    Storage,
    /// `/realtime/v1`
    Realtime,
    /// `/functions/v1`
    Functions,
}

impl Service {
    /// The service a path belongs to.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.strip_prefix('/')?.split('/').next()?;
        [
            ("rest", Self::Rest),
            ("auth", Self::Auth),
            ("storage", Self::Storage),
            ("realtime", Self::Realtime),
            ("functions", Self::Functions),
        ]
        .into_iter()
        .find_map(|(known, service)| (known == name).then_some(service))
    }
}

impl Request {
    /// Starts a request.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let safe = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT);
        Self {
            replay: if safe { Replay::Safe } else { Replay::Unsafe },
            retry: None,
            timeout: None,
            method,
            path: path.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::default(),
            credentials: Credentials::Session,
        }
    }

    /// Starts a GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Starts a POST.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Adds a query pair; names may repeat.
    #[must_use]
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header. `Prefer` and the like may be added several times.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the value cannot stand in a header.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(value).map_err(|source| {
            Error::new(ErrorKind::Invalid, format!("a value cannot stand in the header {name}"))
                .with_source(source)
        })?;
        self.headers.append(name, value);
        Ok(self)
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the value cannot be written as JSON.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|source| {
            Error::new(ErrorKind::Invalid, "the body cannot be written as JSON").with_source(source)
        })?;
        self.body = body.into();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// Uses the key's authority even when somebody is signed in.
    #[must_use]
    pub fn as_key(mut self) -> Self {
        self.credentials = Credentials::Key;
        self
    }

    /// Says that sending it twice does what sending it once does.
    #[must_use]
    pub fn safe_to_repeat(mut self) -> Self {
        self.replay = Replay::Safe;
        self
    }

    /// The path without the names of files in it, which say as much as rows do: up to the bucket's id, or the
    /// function's name.
    pub(crate) fn shown_path(&self) -> &str {
        const WORDS: [&str; 10] =
            ["", "storage", "v1", "object", "info", "sign", "upload", "list", "list-v2", "bucket"];
        match Service::of(&self.path) {
            Some(Service::Storage) => {}
            // What follows the name of a function is as much as its arguments.
            Some(Service::Functions) => {
                let mut slashes = self.path.match_indices('/').map(|(at, _)| at);
                return &self.path[..slashes.nth(3).unwrap_or(self.path.len())];
            }
            _ => return &self.path,
        }
        let mut end = 0;
        for part in self.path.split('/') {
            end += part.len() + 1;
            if !WORDS.contains(&part) {
                break;
            }
        }
        &self.path[..end - 1]
    }

    /// Path and encoded query.
    pub fn uri(&self) -> String {
        self.address("")
    }

    /// The same behind the project's address.
    pub(crate) fn address(&self, project: &str) -> String {
        let length: usize = self.query.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        let mut uri = String::with_capacity(project.len() + self.path.len() + length);
        uri.extend([project, &self.path]);
        for (index, (name, value)) in self.query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.extend(utf8_percent_encode(name, QUERY));
            uri.push('=');
            uri.extend(utf8_percent_encode(value, QUERY));
        }
        uri
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.query.iter().map(|(name, _)| name).collect();
        let (method, path, length) = (&self.method, self.shown_path(), self.body.len());
        write!(out, "Request({method} {path} query {names:?} body {length} bytes)")
    }
}

/// An answer, good or bad, with its body read.
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The answer if the server accepted, its refusal otherwise.
    ///
    /// # Errors
    /// What the server answered, when its status is not 2xx.
    pub fn accepted(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(self.refusal(None))
    }

    /// What a service answered, as the error it is.
    pub(crate) fn refusal(&self, service: Option<Service>) -> Error {
        match service {
            Some(Service::Functions) => Error::from_function(self.status, &self.headers, &self.body),
            _ => Error::from_reply(self.status, &self.headers, &self.body),
        }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when it is not the JSON that was expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.json_borrowed()
    }

    /// Reads the body without copying it.
    pub(crate) fn json_borrowed<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        // Checked once, and not again for each text in it.
        let body = std::str::from_utf8(&self.body).map_err(|source| {
            Error::new(ErrorKind::Protocol, "the answer is not UTF-8").with_source(source)
        })?;
        read(body)
    }
}

/// Reads JSON that a server gave.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|source| misshapen::<T>(body, &source))
}

/// A place in a body. A name that no column would have is a key of somebody's data, and is not shown.
fn place(path: &serde_path_to_error::Path) -> String {
    let mut place = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => place.push_str(&format!("[{index}]")),
            Segment::Map { key } if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                place.extend([if place.is_empty() { "" } else { "." }, key]);
            }
            Segment::Map { .. } => place.push_str(".*"),
            Segment::Enum { .. } | Segment::Unknown => place.push_str(".?"),
        }
    }
    place
}

/// Why a body is not what was expected: where, and what was expected there, without the value that is there.
/// Reading once more, slowly, finds the place; a good answer does not pay for it.
fn misshapen<'a, T: Deserialize<'a>>(body: &'a str, source: &serde_json::Error) -> Error {
    let mut reader = serde_json::Deserializer::from_str(body);
    let place = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) if source.is_data() && error.path().iter().len() > 0 => {
            format!("at {}", place(error.path()))
        }
        _ => format!("at line {}, column {}", source.line(), source.column()),
    };
    let said = source.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    let why = match said.split_once(", expected ") {
        _ if !source.is_data() => "it is no JSON, or not all of it".to_owned(),
        Some((found, expected)) if found.contains("null") => {
            format!("null stands where {expected} is expected")
        }
        Some((_, expected)) => format!("{expected} is expected"),
        None if said.starts_with("missing field") => said.to_owned(),
        None => "another value is expected".to_owned(),
    };
    Error::new(
        ErrorKind::Protocol,
        format!("the answer does not have the shape that was asked for, {place}: {why}"),
    )
}

impl fmt::Debug for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Reply({} body {} bytes)", self.status.as_u16(), self.body.len())
    }
}

/// A good answer whose body is still coming.
#[derive(Debug)]
pub struct Opened {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it comes.
    pub body: ByteStream,
}

impl Opened {
    /// The answer, once its body is read to its end.
    ///
    /// # Errors
    /// When the body is cut, or stops coming.
    pub async fn whole(self) -> Result<Reply, Error> {
        Ok(Reply { status: self.status, headers: self.headers, body: self.body.whole().await? })
    }
}

impl From<Reply> for Opened {
    fn from(reply: Reply) -> Self {
        Self { status: reply.status, headers: reply.headers, body: ByteStream::once(reply.body) }
    }
}

/// An answer on its way that is read as it comes.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Opened, Error>> + Send + 'a>>;

/// An answer on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;

/// Bytes both ways, behind a handshake.
#[cfg(feature = "realtime")]
pub trait Duplex: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
#[cfg(feature = "realtime")]
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Duplex for T {}

/// A WebSocket on its way.
#[cfg(feature = "realtime")]
pub type Upgrading<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Duplex>, Error>> + Send + 'a>>;

/// What carries a request to a server. Write one to script answers or to put something between.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request to a full address. A refusal is an answer; only silence is an error.
    fn send<'a>(&'a self, address: &'a str, request: &'a Request) -> Sending<'a>;

    /// The same for an answer that is read as it comes. Where a transport does not say how, it is read whole
    /// first.
    fn open<'a>(&'a self, address: &'a str, request: &'a Request) -> Opening<'a> {
        Box::pin(async move { self.send(address, request).await.map(Opened::from) })
    }

    /// Opens a WebSocket, and gives the connection once the server has agreed to it; frames are not its
    /// business. Where a transport does not say how, there is no Realtime.
    #[cfg(feature = "realtime")]
    fn websocket<'a>(&'a self, address: &'a str, request: &'a Request) -> Upgrading<'a> {
        let _ = (address, request);
        Box::pin(async {
            Err(Error::new(ErrorKind::Config, "the transport of this client opens no WebSocket"))
        })
    }
}

/// The transport over HTTP and TLS. Connections are kept and used again; HTTP/2 where the server has it,
/// and compressed answers.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    timeout: Duration,
    /// One that speaks HTTP/1.1 alone, where a WebSocket begins; made when the first is opened.
    #[cfg(feature = "realtime")]
    upgrading: std::sync::Arc<std::sync::OnceLock<reqwest::Client>>,
}

impl HttpTransport {
    /// How long a connection may take to open.
    const CONNECT: Duration = Duration::from_secs(10);
    /// How many redirects within the origin are followed.
    const REDIRECTS: usize = 5;
    /// How long an answer may take whose pieces have limits of their own: nobody waits that long.
    const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    /// Prepares one; `timeout` bounds each request from first byte to last, unless it says otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when TLS cannot be set up.
    pub fn new(timeout: Duration) -> Result<Self, Error> {
        Ok(Self {
            client: Self::prepare(timeout).build().map_err(no_tls)?,
            timeout,
            #[cfg(feature = "realtime")]
            upgrading: std::sync::Arc::default(),
        })
    }

    fn prepare(timeout: Duration) -> reqwest::ClientBuilder {
        let within_origin = reqwest::redirect::Policy::custom(|attempt| {
            let from = attempt.previous().last().map(url::Url::origin);
            // Others turn a write into a read, and would make it look done.
            let as_it_is = matches!(attempt.status().as_u16(), 307 | 308);
            if as_it_is
                && from.is_some_and(|from| from == attempt.url().origin())
                && attempt.previous().len() <= Self::REDIRECTS
            {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(Self::CONNECT.min(timeout))
            .redirect(within_origin)
            .tcp_nodelay(true)
    }

    /// The handshake of RFC 6455 §4.1, over the same TLS and the same proxy as everything else.
    #[cfg(feature = "realtime")]
    async fn upgrade(&self, address: &str, request: &Request) -> Result<Box<dyn Duplex>, Error> {
        use http::header::{
            CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
        };
        use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

        let client = match self.upgrading.get() {
            Some(client) => client,
            None => {
                let made = Self::prepare(self.timeout).http1_only().build().map_err(no_tls)?;
                self.upgrading.get_or_init(|| made)
            }
        };
        let key = generate_key();
        let mut asking = Self::asking(address, request)?;
        for (name, value) in [(CONNECTION, "Upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")]
        {
            asking.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        asking.headers_mut().extend(HeaderValue::from_str(&key).map(|key| (SEC_WEBSOCKET_KEY, key)));
        let mut answer = client.execute(asking).await.map_err(silence)?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            let reply = Reply { status, headers, body: answer.bytes().await.map_err(silence)? };
            return Err(match reply.status.is_success() {
                true => Error::new(ErrorKind::Protocol, "the server answered, and opened no WebSocket"),
                false => reply.refusal(None),
            });
        }
        let accepted = answer.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(Error::new(ErrorKind::Protocol, "the server agreed to another WebSocket than this"));
        }
        Ok(Box::new(answer.upgrade().await.map_err(silence)?))
    }
}

impl HttpTransport {
    /// Put together here, because reqwest's builder copies the headers one by one.
    fn asking(address: &str, request: &Request) -> Result<reqwest::Request, Error> {
        let address = url::Url::parse(address).map_err(|source| {
            Error::new(ErrorKind::Invalid, "the address cannot be used: it is too long, or none")
                .with_source(source)
        })?;
        let mut asking = reqwest::Request::new(request.method.clone(), address);
        *asking.headers_mut() = request.headers.clone();
        match request.body.as_bytes() {
            Some(bytes) if bytes.is_empty() => {}
            Some(bytes) => *asking.body_mut() = Some(bytes.clone().into()),
            None => {
                // A server that is told the length refuses what is too much before it comes, and sees a cut.
                asking.headers_mut().insert(CONTENT_LENGTH, request.body.len().into());
                *asking.body_mut() = Some(reqwest::Body::wrap_stream(request.body.open()));
            }
        }
        *asking.timeout_mut() = request.timeout;
        Ok(asking)
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, address: &'a str, request: &'a Request) -> Sending<'a> {
        Box::pin(async move {
            let asking = Self::asking(address, request)?;
            let mut answer = self.client.execute(asking).await.map_err(silence)?;
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            Ok(Reply { status, headers, body: answer.bytes().await.map_err(silence)? })
        })
    }

    /// The time limit is for the head, and then again for each piece of the body.
    fn open<'a>(&'a self, address: &'a str, request: &'a Request) -> Opening<'a> {
        Box::pin(async move {
            let mut asking = Self::asking(address, request)?;
            *asking.timeout_mut() = Some(Self::A_YEAR);
            let limit = request.timeout.unwrap_or(self.timeout);
            let late = |_| Error::new(ErrorKind::Timeout, "it took too long");
            let head = tokio::time::timeout(limit, self.client.execute(asking));
            let mut answer = head.await.map_err(late)?.map_err(silence)?;
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            let body = futures_util::stream::try_unfold(answer, move |mut answer| async move {
                let piece = tokio::time::timeout(limit, answer.chunk()).await.map_err(late)?;
                Ok(piece.map_err(silence)?.map(|piece| (piece, answer)))
            });
            Ok(Opened { status, headers, body: ByteStream::new(body) })
        })
    }

    #[cfg(feature = "realtime")]
    fn websocket<'a>(&'a self, address: &'a str, request: &'a Request) -> Upgrading<'a> {
        Box::pin(self.upgrade(address, request))
    }
}

fn no_tls(source: reqwest::Error) -> Error {
    Error::new(ErrorKind::Config, "TLS cannot be set up").with_source(source)
}

/// No answer. The address is left out of the cause: a query holds row values.
fn silence(source: reqwest::Error) -> Error {
    let error = match &source {
        source if source.is_connect() => Error::new(ErrorKind::Unreachable, "no connection").undone(),
        source if source.is_timeout() => Error::new(ErrorKind::Timeout, "it took too long"),
        source if source.is_builder() => {
            Error::new(ErrorKind::Invalid, "the address cannot be used: it is too long, or none")
        }
        _ => Error::new(ErrorKind::Unreachable, "the connection was cut"),
    };
    error.with_source(source.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_survives_the_query(value in ".*") {
            let uri = Request::get("/t").query("a", value.clone()).uri();
            let url = url::Url::parse(&format!("http://h{uri}")).unwrap();
            prop_assert_eq!(url.query_pairs().next().unwrap().1, value);
        }
    }

    #[test]
    fn an_answer_of_another_shape_says_where_and_not_what() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only its shape matters")]
        struct Row {
            id: i64,
            owner: Owner,
        }
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only its shape matters")]
        struct Owner {
            name: String,
        }
        let said = |body: &'static str| {
            let headers = HeaderMap::new();
            let reply = Reply { status: StatusCode::OK, headers, body: Bytes::from_static(body.as_bytes()) };
            reply.json::<Vec<Row>>().unwrap_err().message().rsplit_once("for, ").unwrap().1.to_owned()
        };
        assert_eq!(
            said(r#"[{"id":1,"owner":{"name":null}}]"#),
            "at [0].owner.name: null stands where a string is expected"
        );
        assert_eq!(said(r#"[{"id":"s3cret"}]"#), "at [0].id: i64 is expected");
        assert_eq!(said(r#"[{"id":1,"owner":{}}]"#), "at [0].owner: missing field `name`");
        assert_eq!(said("[{"), "at line 1, column 2: it is no JSON, or not all of it");
    }

    #[test]
    fn debug_names_columns_and_hides_values() {
        let request = Request::post("/rest/v1/t").query("name", "eq.s3cret").json("s3cret").unwrap();
        assert!(!format!("{request:?}").contains("s3cret"));
        for (path, shown) in [
            ("/storage/v1/object/b/s3cret/s3cret.png", "/storage/v1/object/b"),
            ("/storage/v1/object/upload/sign/b/s3cret", "/storage/v1/object/upload/sign/b"),
            ("/storage/v1/object/list", "/storage/v1/object/list"),
            ("/rest/v1/notes", "/rest/v1/notes"),
            ("/functions/v1/orders/s3cret", "/functions/v1/orders"),
            ("/functions/v1/orders", "/functions/v1/orders"),
        ] {
            assert_eq!(Request::get(path).shown_path(), shown);
        }
    }
}
