//! Edge Functions: code that runs beside the project, asked by name.
//!
//! [`Functions`] says where and as whom; an [`Invocation`] is one question, sent by its last method, which also
//! says how the answer is read. It shows what it would send with `request()`.
//!
//! | supabase-js | here |
//! |---|---|
//! | `functions.invoke('hello', { body: { name: 'x' } })` | [`client.functions().invoke("hello")`](Functions::invoke)[`.json(&…)`](Invocation::json)[`.fetch::<T>()`](Invocation::fetch) |
//! | an answer of bytes, of text | [`.fetch_bytes()`](Invocation::fetch_bytes), [`.fetch_text()`](Invocation::fetch_text) |
//! | an answer with its status and headers | [`.send()`](Invocation::send) |
//! | an answer as it comes | [`.stream()`](Invocation::stream) |
//! | `text/event-stream` | [`.events()`](Invocation::events) |
//! | `{ body: text }`, `{ body: bytes }`, `{ body: stream }` | [`.text(…)`](Invocation::text), [`.body(…)`](Invocation::body), [`.body(Body::stream(…))`](crate::Body::stream) |
//! | `{ body: formData }` | [`.multipart(form)`](Invocation::multipart), [`.form(pairs)`](Invocation::form) |
//! | `{ method, headers }` | [`.method(…)`](Invocation::method), [`.header(name, value)`](Invocation::header) |
//! | `invoke('orders/7?full=1')` | `invoke("orders/7")`[`.query("full", "1")`](Invocation::query) |
//! | `{ region }` | [`.region(…)`](Invocation::region), [for all](Functions::region) |
//! | `{ timeout }` | [`.timeout(…)`](Invocation::timeout) |
//! | `{ signal }` | drop the future |
//! | `functions.setAuth(token)` | [`client.functions().as_bearer(token)`](Functions::as_bearer) |
//!
//! | supabase-js | how one tells |
//! |---|---|
//! | `FunctionsHttpError` | there is an [`Error::status`](crate::Error::status): what the function answered is in [`body`](crate::Error::body), [`json`](crate::Error::json) and [`headers`](crate::Error::headers) |
//! | `FunctionsRelayError` | [`Error::is_from_relay`](crate::Error::is_from_relay): the function could not be run |
//! | `FunctionsFetchError` | there is no status; the kind is `Unreachable` or `Timeout` |
//!
//! A function that answered has run: what it refused is never sent again by itself, unless the method, or
//! [`Invocation::safe_to_repeat`], says that it may be.

mod event;
mod form;
mod invocation;
mod region;

pub use event::{Event, Events};
pub use form::Form;
pub use invocation::Invocation;
pub use region::Region;

use http::HeaderMap;

use crate::auth::Token;
use crate::client::Client;

/// The functions of a project. From [`Client::functions`].
#[derive(Debug, Clone)]
pub struct Functions {
    client: Client,
    region: Region,
    bearer: Option<Token>,
}

impl Functions {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, region: Region::Any, bearer: None }
    }

    /// Runs them there, unless one says otherwise.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// Asks them as whoever this token stands for, instead of who is signed in.
    #[must_use]
    pub fn as_bearer(mut self, token: Token) -> Self {
        self.bearer = Some(token);
        self
    }

    /// Prepares a question to the function of this name; a path within it may follow. It is a POST unless told.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// #[derive(serde::Deserialize)]
    /// struct Greeting {
    ///     message: String,
    /// }
    /// let hello = client.functions().invoke("hello").json(&serde_json::json!({ "name": "Zoe" }));
    /// println!("{}", hello.fetch::<Greeting>().await?.message);
    /// # Ok(()) }
    /// ```
    pub fn invoke(&self, name: impl Into<String>) -> Invocation {
        Invocation::new(self.client.clone(), name.into(), self.region, self.bearer.as_ref())
    }
}

/// True if an answer says that the function could not be run.
pub(crate) fn failed_in_relay(headers: &HeaderMap) -> bool {
    headers.get("x-relay-error").is_some_and(|said| said == "true")
}
