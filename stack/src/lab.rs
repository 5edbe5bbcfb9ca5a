//! The lab: one running PostgreSQL that hands out projects to tests, each with its own database.
//!
//! The migrations run once, into a template; a project is a copy of it. A lab is told what to do
//! over HTTP, at an address and with a token it prints as its first and only line when it is
//! ready. It takes everything it made with it when it ends.
//!
//! | request | does |
//! |---|---|
//! | `POST /projects` | makes a project; `{"bare": true}` for one without the migrations, `{"auth": {…}}` for the settings of its auth service |
//! | `DELETE /projects/{ref}` | ends it and drops its database |
//! | `GET`, `PUT /projects/{ref}/faults` | shows or replaces what goes wrong on purpose |
//! | `GET`, `PUT /projects/{ref}/faults/frames` | the same for the frames of its sockets |
//! | `POST /projects/{ref}/realtime` | does something to its sockets at once |
//! | `GET`, `PUT /projects/{ref}/functions` | shows or replaces the functions a test made up |
//! | `POST /projects/{ref}/reload` | returns when the REST service knows the schema as it is |

use std::{
    collections::{BTreeMap, HashMap},
    env, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::Context as _;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use futures_util::future::join_all;
use rand::{RngExt, distr::Alphanumeric};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tower::ServiceExt as _;

use crate::{
    auth::Settings,
    bootstrap,
    faults::Rule,
    functions::{self, Function},
    gateway::bearer,
    home::Home,
    keys::Keys,
    migrate,
    postgres::{Options, Role, Server},
    printer::Printer,
    project::{Project, stored},
    realtime::{Command, FrameRule},
    serve::{Answer, Cut, Socket, certain},
    switch::Armed,
};

/// Databases that projects are copies of.
const BARE: &str = "template_bare";
const MIGRATED: &str = "template_project";
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// As long as the hosted service's.
const REF_LENGTH: usize = 20;

/// Hand out projects to tests, over HTTP
#[derive(Debug, Clone, clap::Args)]
pub struct LabOptions {
    /// Where `supabase/` is
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub workdir: PathBuf,
    /// Plant supabase/seed.sql in every project
    #[arg(long)]
    pub seed: bool,
    /// End when standard input does, so that the lab goes with whoever started it
    #[arg(long)]
    pub until_eof: bool,
}

/// Runs a lab until it is told to end.
///
/// # Errors
/// If PostgreSQL can not be started, a migration fails, or PostgreSQL ends by itself.
pub async fn run(options: LabOptions) -> anyhow::Result<()> {
    let home = Home::below(&env::temp_dir())?;
    let server = Arc::new(Server::start(Options::new(home.ephemeral().await?)?).await?);
    let done = serve(&options, server.clone()).await;
    let stopped = server.stop().await;
    done?;
    Ok(stopped?)
}

/// Answers until told to end, or until there is nothing to answer with.
async fn serve(options: &LabOptions, server: Arc<Server>) -> anyhow::Result<()> {
    prepare(options, &server).await?;
    let functions = functions::Settings::read(&options.workdir.join("supabase"))?;
    let (token, projects) = (random(40), Mutex::default());
    let lab = Arc::new(Lab { server: server.clone(), token, functions, projects });
    let socket = Socket::bind(ANY_PORT).await.context("the lab can not listen")?;
    let ready = json!({"control_url": socket.url(), "token": lab.token});
    let port = socket.serve(Arc::new(Control(router(lab.clone()))));
    Printer.data(&ready);
    let ended = tokio::select! {
        told = told_to_end(options.until_eof) => told,
        died = server.ended() => Err(died.into()),
    };
    port.close().await;
    lab.stop().await;
    ended
}

/// Makes the databases that projects are copies of.
async fn prepare(options: &LabOptions, server: &Server) -> anyhow::Result<()> {
    bootstrap::install(server, "postgres").await?;
    // Nobody is ever connected to the copy, so it can be copied at any time.
    server.create_database(BARE, Some("postgres")).await?;
    server.create_database(MIGRATED, Some(BARE)).await?;
    let supabase = options.workdir.join("supabase");
    if !supabase.is_dir() {
        let missing = supabase.display();
        Printer.say(format_args!("There is no {missing}: every project is without migrations."));
        return Ok(());
    }
    let seed = options.seed.then(|| supabase.join("seed.sql"));
    let url = server.url(Role::Postgres, MIGRATED);
    migrate::apply(&url, &supabase.join("migrations"), seed.as_deref()).await?;
    Ok(())
}

/// The projects that run, and what new ones are made with.
struct Lab {
    server: Arc<Server>,
    token: String,
    functions: functions::Settings,
    projects: Mutex<HashMap<String, Arc<Project>>>,
}

/// What a test needs to use its project.
#[derive(Debug, Serialize)]
struct Handed {
    r#ref: String,
    api_url: String,
    db_url: String,
    admin_db_url: String,
    publishable_key: String,
    secret_key: String,
    anon_key: String,
    service_role_key: String,
    jwt_secret: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Without the migrations.
    #[serde(default)]
    bare: bool,
    /// As `PUT /inbox/settings` takes them.
    auth: Option<Settings>,
}

impl Lab {
    async fn make(&self, wanted: &Wanted) -> anyhow::Result<Handed> {
        let name = random(REF_LENGTH).to_ascii_lowercase();
        let template = if wanted.bare { BARE } else { MIGRATED };
        self.server.create_database(&name, Some(template)).await?;
        let keys = Keys::generate();
        let functions = self.functions.clone();
        let project = match Project::serve(&self.server, &name, keys.clone(), functions, ANY_PORT).await {
            Ok(project) => project,
            Err(error) => {
                self.server.drop_database(&name).await?;
                return Err(error);
            }
        };
        if let Some(settings) = &wanted.auth {
            project.set_auth(settings.clone());
        }
        let handed = Handed {
            api_url: project.url().to_owned(),
            db_url: self.server.url(Role::Postgres, &name),
            admin_db_url: self.server.url(Role::Admin, &name),
            publishable_key: keys.publishable,
            secret_key: keys.secret,
            anon_key: keys.anon,
            service_role_key: keys.service_role,
            jwt_secret: keys.jwt_secret,
            r#ref: name.clone(),
        };
        self.projects().insert(name, Arc::new(project));
        Ok(handed)
    }

    async fn end(&self, name: &str) -> Result<(), Refusal> {
        let project = self.projects().remove(name).ok_or(Refusal::Unknown)?;
        project.stop().await;
        // What can not go now goes with the lab.
        let _ = tokio::fs::remove_dir_all(stored(self.server.place(), name)).await;
        Ok(self.server.drop_database(name).await.map_err(anyhow::Error::from)?)
    }

    /// Ends every project; their databases go with the server.
    async fn stop(&self) {
        let projects: Vec<_> = self.projects().drain().collect();
        join_all(projects.iter().map(|(_, project)| project.stop())).await;
    }

    fn project(&self, name: &str) -> Result<Arc<Project>, Refusal> {
        self.projects().get(name).cloned().ok_or(Refusal::Unknown)
    }

    fn projects(&self) -> MutexGuard<'_, HashMap<String, Arc<Project>>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the lab does not do what it was told.
#[derive(Debug)]
enum Refusal {
    Unknown,
    Unreadable(serde_json::Error),
    Failed(anyhow::Error),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, reason) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "there is no such project".to_owned()),
            Self::Unreadable(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::Failed(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")),
        };
        (status, Json(json!({"error": reason}))).into_response()
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error)
    }
}

struct Control(Router);

impl Answer for Control {
    async fn answer(&self, request: Request) -> Result<Response, Cut> {
        Ok(certain(self.0.clone().oneshot(request).await))
    }
}

fn router(lab: Arc<Lab>) -> Router {
    Router::new()
        .route("/projects", post(make))
        .route("/projects/{name}", delete(end))
        .route("/projects/{name}/faults", get(faults).put(set_faults))
        .route("/projects/{name}/faults/frames", get(frame_faults).put(set_frame_faults))
        .route("/projects/{name}/realtime", post(command))
        .route("/projects/{name}/functions", get(functions).put(set_functions))
        .route("/projects/{name}/reload", post(reload))
        .layer(middleware::from_fn_with_state(lab.clone(), admit))
        .with_state(lab)
}

async fn admit(State(lab): State<Arc<Lab>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| bearer(value.to_str().ok()?));
    if shown == Some(lab.token.as_str()) {
        next.run(request).await
    } else {
        let reason = "this needs the token the lab printed, as a Bearer token";
        (StatusCode::UNAUTHORIZED, Json(json!({"error": reason}))).into_response()
    }
}

async fn make(State(lab): State<Arc<Lab>>, body: Bytes) -> Result<(StatusCode, Json<Handed>), Refusal> {
    let wanted = if body.is_empty() { Wanted::default() } else { serde_json::from_slice(&body)? };
    Ok((StatusCode::CREATED, Json(lab.make(&wanted).await?)))
}

async fn end(State(lab): State<Arc<Lab>>, Path(name): Path<String>) -> Result<StatusCode, Refusal> {
    lab.end(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn faults(
    State(lab): State<Arc<Lab>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Armed<Rule>>>, Refusal> {
    Ok(Json(lab.project(&name)?.faults().list()))
}

async fn set_faults(
    State(lab): State<Arc<Lab>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<Armed<Rule>>>, Refusal> {
    let project = lab.project(&name)?;
    let rules: Vec<Rule> = serde_json::from_slice(&body)?;
    project.faults().set(rules);
    Ok(Json(project.faults().list()))
}

async fn frame_faults(
    State(lab): State<Arc<Lab>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Armed<FrameRule>>>, Refusal> {
    Ok(Json(lab.project(&name)?.realtime().faults()))
}

async fn set_frame_faults(
    State(lab): State<Arc<Lab>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<Armed<FrameRule>>>, Refusal> {
    let project = lab.project(&name)?;
    let rules: Vec<FrameRule> = serde_json::from_slice(&body)?;
    project.realtime().set_faults(rules);
    Ok(Json(project.realtime().faults()))
}

async fn command(
    State(lab): State<Arc<Lab>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let project = lab.project(&name)?;
    let command: Command = serde_json::from_slice(&body)?;
    project.realtime().command(command);
    Ok(StatusCode::NO_CONTENT)
}

async fn functions(
    State(lab): State<Arc<Lab>>,
    Path(name): Path<String>,
) -> Result<Json<BTreeMap<String, Function>>, Refusal> {
    Ok(Json(lab.project(&name)?.functions().registered()))
}

async fn set_functions(
    State(lab): State<Arc<Lab>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<BTreeMap<String, Function>>, Refusal> {
    let project = lab.project(&name)?;
    let functions: BTreeMap<String, Function> = serde_json::from_slice(&body)?;
    project.functions().register(functions);
    Ok(Json(project.functions().registered()))
}

async fn reload(State(lab): State<Arc<Lab>>, Path(name): Path<String>) -> Result<StatusCode, Refusal> {
    lab.project(&name)?.reload_schema().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Waits for a signal, or for whoever started the lab to go away.
async fn told_to_end(until_eof: bool) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
        () = end_of_input(), if until_eof => {}
    }
    Ok(())
}

/// Reads standard input to its end, on a thread that nobody has to wait for.
async fn end_of_input() {
    let (ended, end) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

fn random(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}
