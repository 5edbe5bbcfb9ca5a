//! One question to a function.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Events, Form, Region, failed_in_relay};
use crate::auth::Token;
use crate::body::Body;
use crate::client::{Client, secret_header};
use crate::error::{Error, ErrorKind};
use crate::retry::Retry;
use crate::transport::{Opened, Replay, Reply, Request, Service, segment};

const REGION: HeaderName = HeaderName::from_static("x-region");

/// A question to a function, not yet sent. From [`Functions::invoke`](super::Functions::invoke).
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send`, `fetch`, `stream` or `events`"]
pub struct Invocation {
    client: Client,
    name: String,
    method: Method,
    query: Vec<(Cow<'static, str>, String)>,
    headers: HeaderMap,
    region: Region,
    body: Body,
    /// What the body is, where nobody says it in a header.
    content_type: Option<HeaderValue>,
    timeout: Option<Duration>,
    retry: Option<Retry>,
    safe_twice: bool,
    /// What was wrong first, told when it is sent.
    fault: Option<&'static str>,
}

impl Invocation {
    pub(super) fn new(client: Client, name: String, region: Region, bearer: Option<&Token>) -> Self {
        let mut invocation = Self {
            client,
            name,
            method: Method::POST,
            query: Vec::new(),
            headers: HeaderMap::new(),
            region,
            body: Body::default(),
            content_type: None,
            timeout: None,
            retry: None,
            safe_twice: false,
            fault: None,
        };
        if let Some(bearer) = bearer {
            match secret_header(format!("Bearer {}", bearer.expose())) {
                Ok(bearer) => drop(invocation.headers.insert(AUTHORIZATION, bearer)),
                Err(_) => invocation.fault = Some("the token cannot stand in a header"),
            }
        }
        invocation
    }

    /// Asks by another method than POST. A GET or HEAD has no body.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Adds a pair to the address.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => self.fault = self.fault.or(Some("a header's name or value cannot stand in a header")),
        }
        self
    }

    /// Runs it there.
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// Brings a value as JSON.
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.bring(json.into(), "application/json"),
            Err(_) => {
                self.fault = self.fault.or(Some("the body cannot be written as JSON"));
                self
            }
        }
    }

    /// Brings a text.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.bring(text.into().into(), "text/plain;charset=UTF-8")
    }

    /// Brings bytes, a file, or a stream whose length is known: see [`Body`].
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.bring(body.into(), "application/octet-stream")
    }

    /// Brings pairs, as a form without files does.
    ///
    /// ```
    /// # let client = supabase_sdk::Client::builder("http://127.0.0.1:54321", "sb_publishable_abc").build()?;
    /// let asked = client.functions().invoke("hello").form([("name", "Zoe & Ana")]).request()?;
    /// assert_eq!(asked.body.as_bytes().unwrap(), "name=Zoe+%26+Ana");
    /// # Ok::<(), supabase_sdk::Error>(())
    /// ```
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.bring(form.into(), "application/x-www-form-urlencoded;charset=UTF-8")
    }

    /// Brings a form with files.
    pub fn multipart(mut self, form: Form) -> Self {
        let (body, mime) = form.body(Uuid::new_v4().as_u128());
        // Letters, digits and marks.
        (self.body, self.content_type) = (body, HeaderValue::from_str(&mime).ok());
        self
    }

    fn bring(mut self, body: Body, mime: &'static str) -> Self {
        (self.body, self.content_type) = (body, Some(HeaderValue::from_static(mime)));
        self
    }

    /// Bounds it, with all its tries, instead of the client's timeout. For an answer that is read as it comes
    /// it is the limit for its head, and then for each piece.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it again like this, instead of as the client does.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Says that the function, run twice, does what it does run once, so that a passing failure is tried again
    /// by whichever method.
    pub fn safe_to_repeat(mut self) -> Self {
        self.safe_twice = true;
        self
    }

    /// What would be sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the name cannot stand in an address, a value in a header, or the body in
    /// JSON; or when a GET or HEAD has a body.
    pub fn request(&self) -> Result<Request, Error> {
        if let Some(fault) = self.fault {
            return Err(Error::new(ErrorKind::Invalid, fault));
        }
        if matches!(self.method, Method::GET | Method::HEAD) && !self.body.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "a GET or HEAD brings no body"));
        }
        let mut request = Request::new(self.method.clone(), format!("/functions/v1/{}", path(&self.name)?));
        request.query.clone_from(&self.query);
        request.headers = self.headers.clone();
        if let Some(mime) = &self.content_type {
            request.headers.entry(CONTENT_TYPE).or_insert_with(|| mime.clone());
        }
        if self.region != Region::Any {
            let region = self.region.as_str();
            request.headers.insert(REGION, HeaderValue::from_static(region));
            // Where a proxy on the way drops the header, and for what caches.
            request = request.query("forceFunctionRegion", region);
        }
        request.body = self.body.clone();
        if self.safe_twice {
            request.replay = Replay::Safe;
        }
        (request.timeout, request.retry) = (self.timeout, self.retry);
        Ok(request)
    }

    /// Sends it, and gives the whole answer.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// match client.functions().invoke("quote").json(&["tyres", "oil"]).send().await {
    ///     Ok(answer) => println!("{} bytes, {}", answer.body.len(), answer.status),
    ///     Err(error) if error.is_from_relay() => println!("it could not be run: {error}"),
    ///     Err(error) if error.status().is_none() => println!("no answer: {error}"),
    ///     Err(error) => println!("it says no, with {:?}", error.json::<serde_json::Value>()),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no answer arrived; when the function refused, with its status, headers and body; when it could not
    /// be run. What it says may hold anything, and stands in no `Display`.
    pub async fn send(&self) -> Result<Reply, Error> {
        let reply = self.client.send(self.request()?).await?;
        if reply.status.is_success() && !failed_in_relay(&reply.headers) {
            return Ok(reply);
        }
        Err(reply.refusal(Some(Service::Functions)))
    }

    /// Sends it, and reads the answer as JSON. Nothing, as 204 answers, reads as `null`: into `()` or an `Option`.
    ///
    /// # Errors
    /// As [`Invocation::send`], and [`ErrorKind::Protocol`] when the answer has another shape.
    pub async fn fetch<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let mut reply = self.send().await?;
        if reply.body.is_empty() {
            reply.body = Bytes::from_static(b"null");
        }
        reply.json()
    }

    /// Sends it, and gives the answer's bytes.
    ///
    /// # Errors
    /// As [`Invocation::send`].
    pub async fn fetch_bytes(&self) -> Result<Bytes, Error> {
        Ok(self.send().await?.body)
    }

    /// Sends it, and reads the answer as a text.
    ///
    /// # Errors
    /// As [`Invocation::send`], and [`ErrorKind::Protocol`] when the answer is not UTF-8.
    pub async fn fetch_text(&self) -> Result<String, Error> {
        String::from_utf8(self.send().await?.body.into()).map_err(|source| {
            Error::new(ErrorKind::Protocol, "the answer is not UTF-8").with_source(source.utf8_error())
        })
    }

    /// Sends it, and gives the answer as it comes. Dropping it ends it.
    ///
    /// # Errors
    /// As [`Invocation::send`]; once it is coming, what cuts it is an error of the stream.
    pub async fn stream(&self) -> Result<Opened, Error> {
        self.open(self.request()?).await
    }

    /// Sends it, and gives the events of the answer as they come. Dropping it ends it.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use futures_util::TryStreamExt;
    /// let mut words = client.functions().invoke("chat").json("How old is my car?").events().await?;
    /// while let Some(event) = words.try_next().await? {
    ///     print!("{}", event.data);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Invocation::stream`], and [`ErrorKind::Protocol`] when the answer is no `text/event-stream`. One
    /// without any, 204, has no events.
    pub async fn events(&self) -> Result<Events, Error> {
        let mut request = self.request()?;
        request.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("text/event-stream"));
        let answer = self.open(request).await?;
        let mime = answer.headers.get(CONTENT_TYPE).and_then(|mime| mime.to_str().ok()).unwrap_or_default();
        let mime = mime.split(';').next().unwrap_or_default().trim();
        if answer.status != StatusCode::NO_CONTENT && !mime.eq_ignore_ascii_case("text/event-stream") {
            return Err(Error::new(ErrorKind::Protocol, "the function answered, and not with events"));
        }
        Ok(Events::new(answer.body))
    }

    async fn open(&self, request: Request) -> Result<Opened, Error> {
        let answer = self.client.open(request).await?;
        if failed_in_relay(&answer.headers) {
            return Err(answer.whole().await?.refusal(Some(Service::Functions)));
        }
        Ok(answer)
    }
}

/// A function, and a path within it, as they stand in an address. One that would lead out of the functions
/// would take the session along.
fn path(name: &str) -> Result<String, Error> {
    let name = name.strip_prefix('/').unwrap_or(name);
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(Error::new(
            ErrorKind::Invalid,
            "a function's name is not empty, and has no part . or ..",
        ));
    }
    let parts = name.split('/').map(|part| segment(part).to_string());
    Ok(parts.collect::<Vec<_>>().join("/"))
}
