//! A project: one database, its keys, and the port its services answer on.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use axum::{body::Body, http::Request, response::Response};

use crate::{
    auth::{Auth, Settings},
    faults::Faults,
    functions::{self, Functions},
    gateway::Gateway,
    jwt::Keyring,
    keys::Keys,
    place::Place,
    postgres::{Role, Server},
    realtime::Realtime,
    rest::Rest,
    serve::{Answer, Cut, Port, Socket},
    storage::Storage,
};

/// A project that answers. Dropped, it stops answering; [`Project::stop`] also waits for it.
#[derive(Debug)]
pub struct Project {
    address: SocketAddr,
    url: String,
    port: Port,
    services: Arc<Services>,
}

#[derive(Debug)]
struct Services {
    faults: Faults,
    gateway: Gateway,
}

impl Project {
    /// Serves a database that has the bootstrap, on an address of loopback; port 0 takes any
    /// that is free.
    ///
    /// # Errors
    /// If the port is taken, or the database can not be reached or read.
    pub async fn serve(
        server: &Server,
        database: &str,
        keys: Keys,
        functions: functions::Settings,
        bind: SocketAddr,
    ) -> anyhow::Result<Self> {
        let socket = Socket::bind(bind).await.with_context(|| format!("cannot listen on {bind}"))?;
        let (address, url) = (socket.address(), socket.url());
        let authenticator = server.url(Role::Authenticator, database);
        let admin = server.url(Role::Admin, database);
        let keyring = Keyring::of(&keys.jwt_secret)?;
        let place = server.place();
        let files = stored(place, database);
        let (rest, auth, storage) = tokio::try_join!(
            Rest::open(&authenticator, &keys.jwt_secret),
            Auth::open(&admin, keyring.clone(), &url),
            Box::pin(Storage::open(&admin, keyring.clone(), &files, place.lifetime())),
        )?;
        let realtime = Realtime::open(&admin, keyring.clone())?;
        let facts = vec![
            ("SUPABASE_URL", url.clone()),
            ("SUPABASE_ANON_KEY", keys.anon.clone()),
            ("SUPABASE_SERVICE_ROLE_KEY", keys.service_role.clone()),
            ("SUPABASE_DB_URL", server.url(Role::Postgres, database)),
        ];
        let functions = Functions::open(functions, facts, keyring.clone())?;
        let gateway = Gateway::new(keys, keyring, rest, auth, storage, realtime, functions);
        let services = Arc::new(Services { faults: Faults::default(), gateway });
        Ok(Self { address, url, port: socket.serve(services.clone()), services })
    }

    /// The address it answers on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients find it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.services.faults
    }

    /// The realtime service.
    pub(crate) fn realtime(&self) -> &Realtime {
        self.services.gateway.realtime()
    }

    /// The functions service.
    pub(crate) fn functions(&self) -> &Functions {
        self.services.gateway.functions()
    }

    /// How its auth service behaves from now on.
    pub fn set_auth(&self, settings: Settings) {
        self.services.gateway.auth().set(settings);
    }

    /// Reads the schema again, and returns when the REST service knows it.
    ///
    /// # Errors
    /// If the database can not be reached.
    pub async fn reload_schema(&self) -> anyhow::Result<()> {
        self.services.gateway.rest().reload_schema().await
    }

    /// Stops answering and gives every database connection back.
    pub async fn stop(&self) {
        self.port.close().await;
        let gateway = &self.services.gateway;
        tokio::join!(
            gateway.rest().close(),
            gateway.auth().close(),
            gateway.storage().close(),
            gateway.realtime().close(),
        );
    }
}

/// Where the bytes lie that a project stores.
pub(crate) fn stored(place: &Place, database: &str) -> PathBuf {
    place.dir().join("storage").join(database)
}

impl Answer for Services {
    async fn answer(&self, request: Request<Body>) -> Result<Response, Cut> {
        // A test that breaks everything still has to read what was sent, and is not counted for it.
        if Gateway::is_for_tests(&request) {
            return Ok(self.gateway.answer(request).await);
        }
        self.faults.pass(request, |request| self.gateway.answer(request)).await
    }
}
