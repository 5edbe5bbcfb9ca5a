//! The functions service of one project: who may call a function, and what runs it.
//!
//! A function is what was said to answer for its name: a program that is run for each request, a
//! server elsewhere that is asked, or an answer a test made up. `[functions.<name>] verify_jwt` of
//! `supabase/config.toml` holds as hosted, and so do the names `sb-error-code` has for what fails.
//! Bodies stream both ways. No key is asked for: who may call is decided by the token alone.
//!
//! What it does not imitate:
//!
//! - Deno: the code in `supabase/functions` is not run. Its names are known, and a call says how to
//!   serve it from elsewhere;
//! - regions: the one that was wished for is said in `x-sb-edge-region`, and it is always here;
//! - limits of time, memory and size, but for the 150 seconds until an answer begins; the refusal of
//!   calls that call each other; the secrets of a project (a program has the stack's environment and the
//!   names a hosted function has beside it); upgrades to WebSocket, which are not passed on;
//! - hosted, the function answers a browser's preflight. So it does here, unless a test made it up:
//!   then any page may ask, and read any header.
//!
//! `x-relay-error` stands beside each failure that is not of the function's own making, so that
//! supabase-js tells the two apart; a refused token is no such failure.

mod canned;
mod command;
mod function;
mod proxy;
mod region;
mod reply;
mod settings;
mod token;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request},
    response::{IntoResponse as _, Response},
};
use tokio::time::timeout;

use crate::jwt::{self, Keyring};
use command::Environment;
pub(crate) use function::Function;
use function::Handler;
use proxy::Outbound;
use reply::Failure;
pub use settings::{Served, Settings};

/// As hosted: how long it may take until an answer begins.
const PATIENCE: Duration = Duration::from_secs(150);
const REGION: HeaderName = HeaderName::from_static("x-sb-edge-region");
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// The functions service of one project.
pub(crate) struct Functions {
    keyring: Keyring,
    settings: Settings,
    environment: Environment,
    outbound: Outbound,
    /// What tests said; it wins over the settings.
    registered: Mutex<BTreeMap<String, Function>>,
}

/// What is known of the project, by the names a hosted function finds in its environment.
pub(crate) type Facts = Vec<(&'static str, String)>;

impl Functions {
    pub(crate) fn open(settings: Settings, facts: Facts, keyring: Keyring) -> anyhow::Result<Self> {
        Ok(Self {
            keyring,
            settings,
            environment: Environment::new(facts),
            outbound: Outbound::new()?,
            registered: Mutex::default(),
        })
    }

    /// The functions tests registered.
    pub(crate) fn registered(&self) -> BTreeMap<String, Function> {
        self.lock().clone()
    }

    /// Replaces the functions tests registered.
    pub(crate) fn register(&self, functions: BTreeMap<String, Function>) {
        *self.lock() = functions;
    }

    /// Answers a request whose path is already without `/functions/v1`.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        let region = region::wished(&request);
        let answer = match timeout(PATIENCE, self.call(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::IdleTimeout),
        };
        let mut response = answer.unwrap_or_else(|failure| failure.into_response());
        let headers = response.headers_mut();
        headers.insert(SERVED_BY, HeaderValue::from_static("supabase-edge-runtime"));
        headers.insert(REGION, region);
        response
    }

    async fn call(&self, request: Request<Body>) -> Result<Response, Failure> {
        let name = name_of(request.uri().path()).to_owned();
        let Some(function) = self.find(&name) else {
            return Err(self.settings.code_of(&name).map_or(Failure::NotFound, Failure::Boot));
        };
        if request.method() != Method::OPTIONS && self.verifies(&name, &function) {
            token::check(request.headers(), &self.keyring, jwt::now()).map_err(Failure::Unauthorized)?;
        }
        match &*function.handler {
            Handler::Answer(answer) => Ok(canned::answer(answer, request.method())),
            Handler::Echo => canned::echo(request).await,
            Handler::Mirror => Ok(canned::mirror(request)),
            Handler::Fail { failure } => Err((*failure).into()),
            Handler::Proxy { url } => self.outbound.pass(url, request).await,
            Handler::Command { program } => command::run(program, &name, &self.environment, request).await,
        }
    }

    fn find(&self, name: &str) -> Option<Function> {
        self.lock().get(name).or_else(|| self.settings.served(name)).cloned()
    }

    fn verifies(&self, name: &str, function: &Function) -> bool {
        function.verify_jwt.unwrap_or_else(|| self.settings.verifies(name))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Function>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Functions(..)")
    }
}

/// The function a path below the service belongs to.
fn name_of(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// A handler is shared with every request that it answers.
type Shared = Arc<Handler>;
