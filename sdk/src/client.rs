//! The client: a project's address, its key, its transport and the session they share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use url::Url;

use crate::auth::{Auth, Authority};
use crate::error::{Error, ErrorKind};
use crate::key::ApiKey;
use crate::rest::{Row, Table};
use crate::transport::{Credentials, HttpTransport, Reply, Request, Transport};

const API_KEY: HeaderName = HeaderName::from_static("apikey");
const CLIENT_INFO: HeaderName = HeaderName::from_static("x-client-info");
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
    schema: String,
    transport: Arc<dyn Transport>,
    authority: Authority,
}

impl Client {
    /// Starts a client for the project at `url` with its API key.
    pub fn builder(url: impl Into<String>, key: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            key: key.into(),
            schema: "public".to_owned(),
            timeout: Duration::from_secs(30),
            transport: None,
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

    /// A table with a typed row.
    pub fn table<R: Row>(&self) -> Table<R> {
        Table::typed(self.clone())
    }

    /// A table named at run time; rows are whatever `R` reads, [`serde_json::Value`] for anything.
    pub fn from<R>(&self, table: impl Into<String>) -> Table<R> {
        Table::named(self.clone(), table.into())
    }

    /// Sends any request below the project's address, with the key and the session added. What this
    /// crate has no method for yet stays reachable here.
    ///
    /// # Errors
    /// When no answer arrived, or the session could not be renewed. A refusal is an `Ok` answer:
    /// see [`Reply::accepted`].
    #[tracing::instrument(level = "debug", skip_all, fields(method = %request.method, path = request.path, status))]
    pub async fn send(&self, mut request: Request) -> Result<Reply, Error> {
        let bearer = match request.credentials {
            Credentials::Session => self.authority().bearer(self).await?,
            Credentials::Key => None,
        };
        let bearer = bearer.as_deref().or_else(|| self.0.key.bearer());
        if let (Some(bearer), false) = (bearer, request.headers.contains_key(AUTHORIZATION)) {
            request.headers.insert(AUTHORIZATION, secret_header(&format!("Bearer {bearer}"))?);
        }
        request.headers.insert(API_KEY, secret_header(self.0.key.expose())?);
        request.headers.insert(CLIENT_INFO, CLIENT_VERSION);
        let address = format!("{}{}", self.0.url.as_str().trim_end_matches('/'), request.uri());
        let reply = self.0.transport.send(&address, &request).await?;
        tracing::Span::current().record("status", reply.status.as_u16());
        Ok(reply)
    }

    /// The project's address.
    pub fn url(&self) -> &str {
        self.0.url.as_str().trim_end_matches('/')
    }

    /// True if the client's key passes row-level security.
    pub fn has_secret_key(&self) -> bool {
        self.0.key.is_secret()
    }

    pub(crate) fn schema(&self) -> &str {
        &self.0.schema
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("url", &self.url()).field("key", &self.0.key).finish_non_exhaustive()
    }
}

/// A header that `Debug` does not show.
fn secret_header(value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Error::new(ErrorKind::Config, "a key or token cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a [`Client`] is made of. `build` checks it once.
#[derive(Clone)]
pub struct ClientBuilder {
    url: String,
    key: String,
    schema: String,
    timeout: Duration,
    transport: Option<Arc<dyn Transport>>,
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

    /// Bounds each request, from first byte to last. 30 seconds unless told.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
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
        let authority = Authority::default();
        Ok(Client(Arc::new(Inner { url, key: self.key.parse()?, schema: self.schema, transport, authority })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientBuilder").field("url", &self.url).finish_non_exhaustive()
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
