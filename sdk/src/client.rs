//! The client: a project's address, its key, its transport and the session they share.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use url::Url;

use crate::auth::{Auth, Authority, KeyCache, SessionStore, Token};
use crate::error::{Error, ErrorKind};
use crate::functions::Functions;
use crate::key::ApiKey;
#[cfg(feature = "realtime")]
use crate::realtime::{Hub, NewChannel, Options, Realtime};
use crate::rest::{Call, Function, Query, Row, Table};
use crate::retry::{Budget, Retry};
use crate::storage::Storage;
use crate::trace::{TraceContext, random_fraction};
use crate::transport::{Credentials, HttpTransport, Opened, Replay, Reply, Request, Service, Transport};

const API_KEY: HeaderName = HeaderName::from_static("apikey");
const CLIENT_INFO: HeaderName = HeaderName::from_static("x-client-info");
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-retry-count");
const CLIENT_VERSION: HeaderValue =
    HeaderValue::from_static(concat!("supabase-sdk-rust/", env!("CARGO_PKG_VERSION")));

/// A project as one person or one key sees it. An `Arc` inside: clone it freely.
///
/// ```no_run
/// # fn run() -> Result<(), supabase_sdk::Error> {
/// use std::time::Duration;
/// let client = supabase_sdk::Client::builder("http://127.0.0.1:54321", "sb_publishable_abc")
///     .timeout(Duration::from_secs(10))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    url: Url,
    key: ApiKey,
    /// The key as it stands in every request.
    key_header: HeaderValue,
    /// Services that get the key as a bearer token though it is none.
    key_as_bearer: Vec<Service>,
    schema: String,
    headers: HeaderMap,
    timeout: Duration,
    transport: Arc<dyn Transport>,
    authority: Authority,
    /// What the project's tokens are known by.
    keys: KeyCache,
    retry: Retry,
    budget: Budget,
    trace: Option<TraceSource>,
    /// The most rows the server is known to answer with; 0 while that is unknown.
    row_cap: AtomicUsize,
    #[cfg(feature = "realtime")]
    hub: Hub,
}

/// How much of an answer there is when it is handed on.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Whole,
    AsItComes,
}

enum Answer {
    Whole(Reply),
    /// Accepted, always.
    Opened(Opened),
}

/// Gives the trace a request belongs to.
pub(crate) type TraceSource = Arc<dyn Fn() -> Option<TraceContext> + Send + Sync>;

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Gives the token of somebody who signed in elsewhere; `None` for nobody.
pub(crate) type TokenSource = Arc<dyn Fn() -> TokenAnswer + Send + Sync>;
type TokenAnswer =
    Pin<Box<dyn Future<Output = Result<Option<Token>, Box<dyn std::error::Error + Send + Sync>>> + Send>>;

impl Client {
    /// Starts a client for the project at `url` with its API key.
    pub fn builder(url: impl Into<String>, key: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            key: key.into(),
            key_as_bearer: Vec::new(),
            schema: "public".to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
            retry: Retry::default(),
            transport: None,
            tokens: None,
            store: None,
            trace: None,
            clock: Arc::new(SystemTime::now),
            row_cap: 0,
            #[cfg(feature = "realtime")]
            realtime: Options::default(),
        }
    }

    /// A client for the project the environment names: `SUPABASE_URL`, and `SUPABASE_PUBLISHABLE_KEY`
    /// or `SUPABASE_ANON_KEY`; what is not set is looked for in `.env`, here and in the folders above.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when a variable is missing or wrong; it is named.
    pub fn from_env() -> Result<Self, Error> {
        let file: Vec<(String, String)> =
            dotenvy::dotenv_iter().map(|pairs| pairs.filter_map(Result::ok).collect()).unwrap_or_default();
        ClientBuilder::from_vars(|name| {
            let in_file = || Some(file.iter().find(|(key, _)| key == name)?.1.clone());
            std::env::var(name).ok().or_else(in_file)
        })?
        .build()
    }

    /// Signing in and out, the session, and administration of users.
    pub fn auth(&self) -> Auth {
        Auth::new(self.clone())
    }

    /// Files in buckets.
    pub fn storage(&self) -> Storage {
        Storage::new(self.clone())
    }

    /// Edge Functions. See [`crate::functions`].
    pub fn functions(&self) -> Functions {
        Functions::new(self.clone())
    }

    /// The connection to Realtime, and the channels on it.
    #[cfg(feature = "realtime")]
    pub fn realtime(&self) -> Realtime {
        Realtime::new(self.clone())
    }

    /// A channel to be joined: broadcasts, presence, and changes of tables as they happen. See
    /// [`crate::realtime`].
    #[cfg(feature = "realtime")]
    pub fn channel(&self, topic: impl Into<String>) -> NewChannel {
        NewChannel::new(self.clone(), topic.into())
    }

    /// A table with a typed row.
    pub fn table<R: Row>(&self) -> Table<R> {
        Table::typed(self.clone())
    }

    /// A table named at run time; its rows are JSON.
    pub fn from(&self, table: impl Into<String>) -> Table<Value> {
        Table::named(self.clone(), table.into())
    }

    /// A function with typed arguments and a typed answer.
    pub fn call<F: Function>(&self, arguments: &F) -> Call<F::Returns> {
        Query::typed_call(self.clone(), arguments)
    }

    /// A function named at run time; it answers with JSON. Arguments are named: an object or a struct,
    /// `()` or `json!({})` for none.
    pub fn rpc(&self, function: impl Into<String>, arguments: &impl serde::Serialize) -> Call<Value> {
        Query::named_call(self.clone(), function.into(), arguments)
    }

    /// The same project and session, with another schema than the client's.
    #[must_use]
    pub fn schema(&self, schema: impl Into<String>) -> SchemaClient {
        SchemaClient { client: self.clone(), schema: schema.into() }
    }

    /// Sends any request below the project's address, with the key and the session added. What this
    /// crate has no method for yet stays reachable here.
    ///
    /// A failure that may pass is tried again as [`Retry`] says; a token the server calls expired is renewed
    /// once.
    ///
    /// # Errors
    /// When no answer arrived, or the session could not be renewed. A refusal is an `Ok` answer:
    /// see [`Reply::accepted`].
    pub async fn send(&self, request: Request) -> Result<Reply, Error> {
        match self.converse(request, Reading::Whole).await? {
            Answer::Whole(reply) => Ok(reply),
            Answer::Opened(opened) => opened.whole().await,
        }
    }

    /// The same for an answer that is read as it comes. Unlike there, a refusal is an error.
    ///
    /// The time limit is for the head of the answer, and then for each piece of its body: one that keeps
    /// coming is never cut off.
    ///
    /// # Errors
    /// When no answer arrived, when it is a refusal, or the session could not be renewed.
    pub async fn open(&self, request: Request) -> Result<Opened, Error> {
        let service = Service::of(&request.path);
        match self.converse(request, Reading::AsItComes).await? {
            Answer::Opened(opened) => Ok(opened),
            Answer::Whole(reply) => Err(reply.refusal(service)),
        }
    }

    async fn converse(&self, request: Request, reading: Reading) -> Result<Answer, Error> {
        let span = tracing::debug_span!(
            "request",
            method = %request.method,
            path = request.shown_path(),
            status = Empty,
            tries = Empty,
            traceparent = Empty
        );
        self.converse_within(request, reading, &span).instrument(span.clone()).await
    }

    /// One try. What is refused is read whole, to see why.
    async fn ask(&self, address: &str, request: &Request, reading: Reading) -> Result<Answer, Error> {
        let transport = &self.0.transport;
        let opened = match reading {
            Reading::Whole => return transport.send(address, request).await.map(Answer::Whole),
            Reading::AsItComes => transport.open(address, request).await?,
        };
        if opened.status.is_success() {
            return Ok(Answer::Opened(opened));
        }
        opened.whole().await.map(Answer::Whole)
    }

    async fn converse_within(
        &self,
        mut request: Request,
        reading: Reading,
        span: &Span,
    ) -> Result<Answer, Error> {
        if !request.path.starts_with('/') {
            // Anything else would lengthen the host's name, and send the keys there.
            return Err(Error::new(ErrorKind::Invalid, "a request's path begins with /"));
        }
        let address = request.address(self.url());
        let retry = request.retry.unwrap_or(self.0.retry);
        let safe_twice = request.replay == Replay::Safe;
        let own_authorization = self.dress(&mut request, span);
        // None for a time nobody lives to see.
        let deadline = Instant::now().checked_add(request.timeout.unwrap_or(self.0.timeout));
        let (mut sent, mut renewed) = (0, false);
        loop {
            let token = if own_authorization { None } else { self.authorize(&mut request).await? };
            let answer = self.ask(&address, &request, reading).await;
            sent += 1;
            let failure = match &answer {
                Ok(Answer::Whole(reply)) if !reply.status.is_success() => {
                    &reply.refusal(Service::of(&request.path))
                }
                Ok(Answer::Whole(Reply { status, .. }) | Answer::Opened(Opened { status, .. })) => {
                    span.record("status", status.as_u16()).record("tries", sent);
                    self.0.budget.earn();
                    return answer;
                }
                Err(error) => error,
            };
            if let Some(token) = token.filter(|_| !renewed && failure.is_stale_token()) {
                renewed = true;
                if self.authority().renew_stale(self, &token).await {
                    continue;
                }
            }
            let wait = retry.wait(sent, safe_twice, failure, random_fraction());
            let left = deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            let Some(wait) = wait.filter(|wait| *wait < left && self.0.budget.take()) else {
                span.record("status", failure.status().map(|status| status.as_u16())).record("tries", sent);
                return answer;
            };
            tracing::debug!(?wait, sent, %failure, "trying again");
            tokio::time::sleep(wait).await;
            request.timeout = deadline.map(|_| left - wait);
            request.headers.insert(RETRY_COUNT, sent.into());
        }
    }

    /// Adds what every request has. True if it says itself who asks.
    fn dress(&self, request: &mut Request, span: &Span) -> bool {
        for name in self.0.headers.keys() {
            if !request.headers.contains_key(name) {
                for value in self.0.headers.get_all(name) {
                    request.headers.append(name, value.clone());
                }
            }
        }
        request.headers.insert(API_KEY, self.0.key_header.clone());
        request.headers.insert(CLIENT_INFO, CLIENT_VERSION);
        if let Some(trace) = self.0.trace.as_ref().and_then(|trace| trace()) {
            span.record("traceparent", &trace.traceparent);
            trace.apply(&mut request.headers);
        }
        request.headers.contains_key(AUTHORIZATION)
    }

    /// Opens a WebSocket, in one try.
    #[cfg(feature = "realtime")]
    pub(crate) async fn websocket(
        &self,
        mut request: Request,
    ) -> Result<Box<dyn crate::transport::Duplex>, Error> {
        self.dress(&mut request, &Span::none());
        let address = request.address(self.url());
        self.0.transport.websocket(&address, &request).await
    }

    #[cfg(feature = "realtime")]
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// The key as text.
    #[cfg(any(feature = "postgrest", feature = "realtime"))]
    pub(crate) fn api_key(&self) -> &str {
        self.0.key.expose()
    }

    /// The client, for who must not keep it.
    #[cfg(feature = "realtime")]
    pub(crate) fn downgrade(&self) -> WeakClient {
        WeakClient(Arc::downgrade(&self.0))
    }

    /// Adds who asks: the session's token, or the key where that is one. Says which token of the session.
    pub(crate) async fn authorize(&self, request: &mut Request) -> Result<Option<String>, Error> {
        let token = match request.credentials {
            Credentials::Session => self.authority().bearer(self).await?,
            Credentials::Key => None,
        };
        let key_is_taken = || {
            self.0.key.is_jwt()
                || Service::of(&request.path).is_some_and(|service| self.0.key_as_bearer.contains(&service))
        };
        let bearer = token.as_deref().or_else(|| key_is_taken().then(|| self.0.key.expose()));
        match bearer {
            Some(bearer) => {
                request.headers.insert(AUTHORIZATION, secret_header(format!("Bearer {bearer}"))?);
            }
            // They may have signed out between two tries.
            None => drop(request.headers.remove(AUTHORIZATION)),
        }
        Ok(token)
    }

    /// Waits before something is sent once more that was sent so often; false if it shall not be.
    pub(crate) async fn wait_to_repeat(&self, sent: u32, failure: &Error) -> bool {
        match self.0.retry.wait(sent, true, failure, random_fraction()) {
            Some(wait) if self.0.budget.take() => {
                tokio::time::sleep(wait).await;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// The project's address.
    pub fn url(&self) -> &str {
        self.0.url.as_str().trim_end_matches('/')
    }

    /// The database role requests run as now: that of the session, or the key's.
    pub fn role(&self) -> String {
        self.authority().role().unwrap_or_else(|| self.0.key.role().to_owned())
    }

    /// True if the client's key passes row-level security.
    pub fn has_secret_key(&self) -> bool {
        self.0.key.is_secret()
    }

    /// The most rows this server is known to answer with.
    pub(crate) fn row_cap(&self) -> Option<usize> {
        Some(self.0.row_cap.load(Ordering::Relaxed)).filter(|cap| *cap > 0)
    }

    /// Notes that the server cut an answer at so many rows.
    pub(crate) fn learn_row_cap(&self, rows: usize) {
        self.0.row_cap.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn default_schema(&self) -> &str {
        &self.0.schema
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    pub(crate) fn keys(&self) -> &KeyCache {
        &self.0.keys
    }
}

/// A client that may be gone: a task of its own holds one, and ends with it.
#[cfg(feature = "realtime")]
pub(crate) struct WeakClient(std::sync::Weak<Inner>);

#[cfg(feature = "realtime")]
impl WeakClient {
    pub(crate) fn upgrade(&self) -> Option<Client> {
        self.0.upgrade().map(Client)
    }
}

/// A client that looks into another schema. From [`Client::schema`].
#[derive(Debug, Clone)]
pub struct SchemaClient {
    client: Client,
    schema: String,
}

impl SchemaClient {
    /// A table of this schema with a typed row.
    pub fn table<R: Row>(&self) -> Table<R> {
        self.client.table().in_schema(&self.schema)
    }

    /// A table of this schema, named at run time.
    pub fn from(&self, table: impl Into<String>) -> Table<Value> {
        self.client.from(table).in_schema(&self.schema)
    }

    /// A function of this schema with typed arguments and a typed answer.
    pub fn call<F: Function>(&self, arguments: &F) -> Call<F::Returns> {
        self.client.call(arguments).in_schema(&self.schema)
    }

    /// A function of this schema, named at run time.
    pub fn rpc(&self, function: impl Into<String>, arguments: &impl serde::Serialize) -> Call<Value> {
        self.client.rpc(function, arguments).in_schema(&self.schema)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("url", &self.url()).field("key", &self.0.key).finish_non_exhaustive()
    }
}

/// A header that `Debug` does not show.
pub(crate) fn secret_header(value: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| Error::new(ErrorKind::Config, "a key or token cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a [`Client`] is made of. `build` checks it once.
#[derive(Clone)]
pub struct ClientBuilder {
    url: String,
    key: String,
    key_as_bearer: Vec<Service>,
    schema: String,
    headers: Vec<(String, String)>,
    timeout: Duration,
    retry: Retry,
    transport: Option<Arc<dyn Transport>>,
    tokens: Option<TokenSource>,
    store: Option<Arc<dyn SessionStore>>,
    trace: Option<TraceSource>,
    clock: Clock,
    row_cap: usize,
    #[cfg(feature = "realtime")]
    realtime: Options,
}

impl ClientBuilder {
    /// Reads address and key from variables, as [`Client::from_env`] does; the environment is an argument.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the variable that is missing.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| var(name).filter(|value| !value.is_empty())).ok_or_else(|| {
                Error::new(
                    ErrorKind::Config,
                    format!("set {} in the environment or in .env", names.join(" or ")),
                )
            })
        };
        Ok(Client::builder(
            first(&["SUPABASE_URL"])?,
            first(&["SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY"])?,
        ))
    }

    /// Uses another schema than `public`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Bounds each request, from first byte to last, all its tries together. 30 seconds unless told.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends what failed for a passing reason again like this; [`Retry::never`] does not.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Adds a header to every request. One the request sets itself stays.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Keeps the session in a store, so that it is there again after a restart, and shared with other processes
    /// on the same store. Without one it lives as long as the client.
    #[must_use]
    pub fn session_store(mut self, store: impl SessionStore + 'static) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Takes tokens from elsewhere instead of signing in here: Clerk, Auth0, Firebase and the like. Asked
    /// before each request. `None` is nobody; an error fails the request, which never goes out as
    /// nobody's instead. The client then has no session of its own: signing in with it is an
    /// [`ErrorKind::Config`], and nothing is sent.
    ///
    /// ```
    /// # fn run() -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::{Client, Token};
    /// let client = Client::builder("https://abc.supabase.co", "sb_publishable_abc")
    ///     .access_token(|| async { Ok(Some(Token::new("from elsewhere"))) })
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn access_token<F, A>(mut self, tokens: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<Option<Token>, Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        self.tokens = Some(Arc::new(move || Box::pin(tokens())));
        self
    }

    /// Adds the trace each request belongs to, so that the server's spans continue ours.
    ///
    /// ```
    /// # fn run() -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::{Client, TraceContext};
    /// let client = Client::builder("https://abc.supabase.co", "sb_publishable_abc")
    ///     .trace(|| Some(TraceContext::random()))
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn trace(mut self, source: impl Fn() -> Option<TraceContext> + Send + Sync + 'static) -> Self {
        self.trace = Some(Arc::new(source));
        self
    }

    /// Sends an `sb_…` key as a bearer token to a service as well. Hosted gateways do not want it, and
    /// Functions refuse it; a self-hosted Storage without a gateway may need it. Legacy keys are sent so
    /// in any case, as they are JWTs.
    #[must_use]
    pub fn key_as_bearer(mut self, service: Service) -> Self {
        self.key_as_bearer.push(service);
        self
    }

    /// Tells the time otherwise than the system does: a device without a clock of its own, or a test. It is
    /// asked when a session is due; waiting is not its business.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Says how many rows the server answers with at most ("Max rows" in the API settings). Otherwise it is
    /// learnt: see [`crate::rest::Rows::may_be_cut`].
    #[must_use]
    pub fn max_rows(mut self, rows: usize) -> Self {
        self.row_cap = rows;
        self
    }

    /// Keeps the connection to Realtime like this.
    #[cfg(feature = "realtime")]
    #[must_use]
    pub fn realtime(mut self, options: Options) -> Self {
        self.realtime = options;
        self
    }

    /// Sends through something else than HTTP: a script in a test, a layer of your own.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Checks address and key, and makes the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the address is no http(s) URL or the key is no key.
    pub fn build(self) -> Result<Client, Error> {
        let wrong = |why: &str| Error::new(ErrorKind::Config, format!("the project's URL {why}"));
        let url = Url::parse(self.url.trim()).map_err(|source| {
            wrong("cannot be read; it looks like https://ref.supabase.co").with_source(source)
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("must begin with https:// (or http:// on this machine)"));
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || url.username() != ""
            || url.password().is_some()
        {
            return Err(wrong("must be an address only, without a query, a fragment or a password"));
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new(self.timeout)?),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let header = || Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?));
            let (name, value) = header().ok_or_else(|| {
                Error::new(ErrorKind::Config, format!("the header {name:?} cannot be sent with this value"))
            })?;
            headers.append(name, value);
        }
        let key: ApiKey = self.key.parse()?;
        Ok(Client(Arc::new(Inner {
            url,
            key_header: secret_header(key.expose().to_owned())?,
            key,
            key_as_bearer: self.key_as_bearer,
            schema: self.schema,
            headers,
            timeout: self.timeout,
            transport,
            authority: Authority::new(self.tokens, self.store, self.clock),
            keys: KeyCache::default(),
            retry: self.retry,
            budget: Budget::default(),
            trace: self.trace,
            row_cap: self.row_cap.into(),
            #[cfg(feature = "realtime")]
            hub: Hub::new(self.realtime),
        })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its address is not checked yet, and may hold a password.
        out.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(vars: &[(&str, &str)]) -> Result<Client, Error> {
        let var = |name: &str| Some(vars.iter().find(|(key, _)| *key == name)?.1.to_owned());
        ClientBuilder::from_vars(var)?.build()
    }

    #[test]
    fn the_environment_names_a_project() {
        let url = ("SUPABASE_URL", "https://abc.supabase.co/");
        let client = from(&[url, ("SUPABASE_ANON_KEY", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln")]).unwrap();
        assert_eq!((client.url(), client.has_secret_key()), ("https://abc.supabase.co", false));
        let both = [url, ("SUPABASE_ANON_KEY", "no key"), ("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_a")];
        assert!(from(&both).is_ok(), "the newer style wins");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_not_repeated() {
        let key = ("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_a");
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[], "SUPABASE_URL"),
            (&[("SUPABASE_URL", ""), key], "SUPABASE_URL"),
            (&[("SUPABASE_URL", "http://h")], "SUPABASE_PUBLISHABLE_KEY"),
            (&[("SUPABASE_URL", "abc.supabase.co"), key], "URL"),
            (&[("SUPABASE_URL", "ftp://h"), key], "https://"),
            (&[("SUPABASE_URL", "http://user:s3cret@h"), key], "address only"),
        ];
        for (vars, said) in cases {
            let error = from(vars).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(said) && !format!("{error:?}").contains("s3cret"), "{error}");
        }
    }
}
