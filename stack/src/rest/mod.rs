//! The REST service of one project: the `postrust` library, mounted, behind a thin shim.
//!
//! Every request runs in a transaction of its own as the role its token names, with that role's
//! statement timeout. The schema is read once and again whenever somebody says
//! `notify pgrst, 'reload schema'`.
//!
//! What it does not imitate, and the shim does not mend:
//!
//! - a many-to-many embed is refused as ambiguous if the table in the middle has columns of its
//!   own named like the far table's (`id`, `created_at`);
//! - aggregates inside an embed (`rel(count)`) fail; other aggregates are off, as hosted;
//! - a cast inside an embed or a spread (`rel(id::text)`) is not done;
//! - a quoted key of JSON (`data->"a b"`) is looked for with its quotes, and not found;
//! - an embed asked for null beside a column in one group (`or=(rel.is.null,id.eq.1)`) is 42703;
//! - a `numeric` comes as null for NaN, and with zeros added (`-0.5000` for `-0.50`);
//! - `Prefer: tx=rollback` commits; query plans are refused, as hosted;
//! - an unknown column in `select` is PGRST204 instead of 42703;
//! - the description of the API at `/` is a stub, and anybody may read it;
//! - `supabase/config.toml` is not read: a read answers with at most 1,000 rows, from the schemas
//!   `public` and `graphql_public`;
//! - roles' settings are read when the project starts: of them `statement_timeout` only;
//! - `count=exact` leaves some writes uncounted: see `count`.

mod count;
mod shim;

use std::{collections::HashMap, str::FromStr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    body::Body,
    extract::State,
    http::{Method, Request, header::AUTHORIZATION},
    response::Response,
};
use postrust_core::{AppConfig, SchemaCache, config::RoleSettings};
use postrust_server::{AppState, handle_request};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::task::JoinHandle;

use crate::{gateway::bearer, jwt};
use count::Count;

/// Thirty projects at once have to fit into one server's connections. One of these listens.
const CONNECTIONS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection is kept that nobody uses: a lab has many projects that are done.
const IDLE: Duration = Duration::from_secs(10);
/// The hosted default: a read answers with no more rows, and does not say that it left some out.
const MOST_ROWS: i64 = 1000;
/// As the hosted service, which does not limit a body where anybody would meet it.
const LARGEST_BODY: usize = 1 << 30;

/// The REST service of one project.
pub(crate) struct Rest {
    engine: Arc<Engine>,
    jwt_secret: String,
    listener: JoinHandle<()>,
}

/// The library, once for what is read and once for what is written: a write returns every row
/// it wrote, and the library would stop there too.
struct Engine {
    reads: Arc<AppState>,
    writes: Arc<AppState>,
}

impl Rest {
    /// Connects as the authenticator and reads the schema.
    pub(crate) async fn open(url: &str, jwt_secret: &str) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .idle_timeout(IDLE)
            .connect_with(PgConnectOptions::from_str(url)?)
            .await
            .context("the REST service can not reach its database")?;
        let config = config(url, jwt_secret, role_settings(&pool).await?);
        let schema = load_schema(&pool, &config).await?;
        let listener = PgListener::connect_with(&pool).await?;
        let engine = Arc::new(Engine::new(&pool, &schema, &config)?);
        let listener = tokio::spawn(reload_when_told(listener, engine.clone()));
        Ok(Self { engine, jwt_secret: jwt_secret.to_owned(), listener })
    }

    /// Answers a request whose path is already without `/rest/v1`.
    pub(crate) async fn answer(&self, mut request: Request<Body>) -> Response {
        shim::mend_query(&mut request);
        let (count, request) = Count::prepare(request).await;
        let token = request.headers().get(AUTHORIZATION).cloned();
        let signed_in = || {
            let token = token.as_ref().and_then(|value| bearer(value.to_str().ok()?));
            let claims = jwt::verify(self.jwt_secret.as_bytes(), token?, jwt::now()).ok()?;
            Some(claims.get("role")? != "anon")
        };
        let state = self.engine.state_for(&request);
        let response = handle_request(State(state), request).await;
        let response = shim::mend_answer(response, || signed_in().unwrap_or(false)).await;
        count.complete(response).await
    }

    /// Reads the schema again.
    pub(crate) async fn reload_schema(&self) -> anyhow::Result<()> {
        self.engine.reload_schema().await.context("the schema could not be read again")
    }

    /// Gives every connection back.
    pub(crate) async fn close(&self) {
        self.listener.abort();
        self.engine.reads.pool.close().await;
    }
}

impl Engine {
    fn new(pool: &PgPool, schema: &SchemaCache, config: &AppConfig) -> anyhow::Result<Self> {
        let state = |most_rows| {
            let mut config = config.clone();
            config.db_max_rows = most_rows;
            AppState::new(pool.clone(), schema.clone(), config).map(Arc::new)
        };
        Ok(Self { reads: state(Some(MOST_ROWS))?, writes: state(None)? })
    }

    fn state_for(&self, request: &Request<Body>) -> Arc<AppState> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
            || request.uri().path().starts_with("/rpc/");
        if reads { self.reads.clone() } else { self.writes.clone() }
    }

    async fn reload_schema(&self) -> Result<(), postrust_core::Error> {
        self.reads.reload_schema().await?;
        let schema = self.reads.schema_cache().await.clone();
        *self.writes.schema_cache.write().await = schema;
        Ok(())
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rest(..)")
    }
}

fn config(url: &str, jwt_secret: &str, role_settings: HashMap<String, RoleSettings>) -> AppConfig {
    let mut config = AppConfig::default();
    config.db_uri = url.to_owned();
    config.db_schemas = vec!["public".to_owned(), "graphql_public".to_owned()];
    config.db_extra_search_path = vec!["public".to_owned(), "extensions".to_owned()];
    config.db_anon_role = Some("anon".to_owned());
    config.jwt_secret = Some(jwt_secret.to_owned());
    config.compat_mode = true;
    config.max_body_size = LARGEST_BODY;
    config.role_settings = role_settings;
    config
}

async fn load_schema(pool: &PgPool, config: &AppConfig) -> anyhow::Result<SchemaCache> {
    SchemaCache::load_with_search_path(pool, &config.db_schemas, &config.db_extra_search_path)
        .await
        .context("the schema could not be read")
}

/// The statement timeouts of the roles a request may run as. Changing role does not bring them
/// along, so each transaction has to set them.
async fn role_settings(pool: &PgPool) -> anyhow::Result<HashMap<String, RoleSettings>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select rolname::text,
            case when value ~ '^\\d+$' then value::bigint
                 else (extract(epoch from value::interval) * 1000)::bigint end
         from pg_db_role_setting
         join pg_roles on pg_roles.oid = setrole
         cross join unnest(setconfig) as setting
         cross join substr(setting, length('statement_timeout=') + 1) as value
         where setting like 'statement\\_timeout=%' and pg_has_role(pg_roles.oid, 'member')
           and setdatabase in (0, (select oid from pg_database where datname = current_database()))
         order by setdatabase", // a setting for this database comes last and wins
    )
    .fetch_all(pool)
    .await
    .context("the roles' statement timeouts could not be read")?;
    let setting = |millis| {
        let mut settings = RoleSettings::default();
        settings.statement_timeout = u64::try_from(millis).ok();
        settings
    };
    Ok(rows.into_iter().map(|(role, millis)| (role, setting(millis))).collect())
}

/// Reads the schema again on each `notify pgrst`. After a broken connection too: whatever was
/// said meanwhile was not heard.
async fn reload_when_told(mut listener: PgListener, engine: Arc<Engine>) {
    if listener.listen("pgrst").await.is_err() {
        return;
    }
    loop {
        let told = match listener.try_recv().await {
            Ok(Some(notification)) => matches!(notification.payload(), "" | "reload schema"),
            Ok(None) => true,
            Err(_) => return, // the pool was closed: the project ends
        };
        if told {
            // It keeps what it has if the schema can not be read; the next word repairs it.
            let _ = engine.reload_schema().await;
        }
    }
}
