//! `supabase-stack start`: a project of its own, on one port, until it is told to stop.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::{Outcome, status};
use crate::bootstrap::{self, Installed};
use crate::functions;
use crate::home;
use crate::keys::Keys;
use crate::migrate;
use crate::place::{self, Place, PlaceError};
use crate::postgres::{Options, Role, Server};
use crate::printer::Printer;
use crate::project::Project;
use crate::running::{self, Running, Settings};

/// As hosted.
const DATABASE: &str = "postgres";
const KEYS: &str = "keys.json";

/// Start a stack
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The port of the API; 0 for any
    #[arg(long, value_name = "N", default_value_t = 54321)]
    port: u16,
    /// Keep the data in this directory; without it, they go when the stack ends
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The directory that holds supabase/
    #[arg(long, value_name = "DIR", default_value = ".")]
    workdir: PathBuf,
    /// Plant supabase/seed.sql after the migrations, unless it was planted before
    #[arg(long)]
    seed: bool,
    /// What answers for a function: the address of a server, or a program that is run for each request
    /// as a CGI program. May be given several times
    #[arg(long = "function", value_name = "NAME=URL|PROGRAM")]
    functions: Vec<functions::Served>,
    /// Leave the stack running in the background
    #[arg(long)]
    detach: bool,
    /// Be the stack in the background. Used by supabase-stack itself
    #[arg(long, hide = true)]
    background: bool,
}

pub async fn run(args: Args, printer: &Printer) -> anyhow::Result<Outcome> {
    if args.background {
        rustix::process::setsid().context("cannot leave the terminal")?;
    } else if args.detach {
        return detach(printer).await;
    }
    let place = match open_place(&args).await {
        Ok(place) => place,
        Err(PlaceError::InUse { running: Some(running), .. }) if args.background => {
            printer.say("It is already running.");
            printer.data(running.place.display());
            return Ok(Outcome::Done);
        }
        Err(error) => return Err(error.into()),
    };
    let keys = match prepare(&place, &args) {
        Ok(keys) => keys,
        Err(error) => {
            // What cannot go now goes at the next start: the reason is what matters.
            let _ = home::vacate(place.entry()).await;
            return Err(error);
        }
    };
    let stack = Stack::start(place, keys, &args, printer).await?;
    let outcome = stack.live(&args, printer).await;
    stack.stop().await?;
    outcome.map(|()| Outcome::Done)
}

/// Starts this command again without a terminal, and waits until it answers or has failed.
async fn detach(printer: &Printer) -> anyhow::Result<Outcome> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).chain(["--background".into()]).collect();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the stack in the background")?;
    let mut said = String::new();
    if let Some(mut output) = child.stdout.take() {
        // It says where it lives and closes its output, or ends before.
        output.read_to_string(&mut said).await.context("cannot hear the stack in the background")?;
    }
    match said.trim_end() {
        "" => {
            child.wait().await?;
            Ok(Outcome::Failed)
        }
        place => {
            let stack =
                Running::read(place.as_ref()).context("the stack in the background has ended again")?;
            printer.data(status::pretty(&stack.settings));
            Ok(Outcome::Done)
        }
    }
}

async fn open_place(args: &Args) -> Result<Place, PlaceError> {
    let home = super::home()?;
    match &args.data {
        Some(dir) => home.kept(dir).await,
        None => home.ephemeral().await,
    }
}

/// What may fail before a database is made for nothing.
fn prepare(place: &Place, args: &Args) -> anyhow::Result<Keys> {
    check_port(args.port)?;
    Ok(place.remember(KEYS, Keys::generate)?)
}

/// Binding it later may fail all the same, and says so then.
fn check_port(port: u16) -> anyhow::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).with_context(|| {
        format!(
            "port {port} of 127.0.0.1 cannot be used: end what listens there, or choose another with --port"
        )
    })
}

/// A running server and the project in front of its database.
struct Stack {
    server: Server,
    project: Project,
    running: Running,
}

impl Stack {
    async fn start(place: Place, keys: Keys, args: &Args, printer: &Printer) -> anyhow::Result<Self> {
        let port = args.port.checked_add(1).filter(|port| *port > 1); // as the Supabase CLI has it
        let server = Server::start(Options { port, ..Options::new(place)? }).await?;
        match serve(&server, &keys, args, printer).await {
            Ok((project, running)) => Ok(Self { server, project, running }),
            Err(error) => {
                server.stop().await?;
                Err(error)
            }
        }
    }

    /// Says where everything is, and waits until it is told to stop.
    async fn live(&self, args: &Args, printer: &Printer) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        if args.background {
            self.leave(printer)?;
        } else {
            printer.data(status::pretty(&self.running.settings));
            printer.say("The stack is running. Ctrl-C ends it.");
        }
        tokio::select! {
            error = self.server.ended() => return Err(error.into()),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        printer.say("Stopping.");
        Ok(())
    }

    /// Tells the waiting parent where we live, and from now on talks to a file.
    fn leave(&self, printer: &Printer) -> anyhow::Result<()> {
        let path = self.running.place.join("stack.log");
        let log =
            place::create_private(&path).with_context(|| format!("cannot create {}", path.display()))?;
        printer.data(self.running.place.display());
        rustix::stdio::dup2_stdout(&log)?;
        rustix::stdio::dup2_stderr(&log)?;
        Ok(())
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.server.place().forget(running::FILE);
        self.project.stop().await;
        Ok(self.server.stop().await?)
    }
}

async fn serve(
    server: &Server,
    keys: &Keys,
    args: &Args,
    printer: &Printer,
) -> anyhow::Result<(Project, Running)> {
    if !server.data().starts_with(server.place().dir()) {
        printer.say(format_args!(
            "The user PostgreSQL runs as cannot enter {}: its data lie in {}.",
            server.place().dir().display(),
            server.data().display()
        ));
    }
    if bootstrap::install(server, DATABASE).await? == Installed::OtherEdition {
        printer.say(
            "This database was made by another edition of supabase-stack: what is new in this one is missing.",
        );
    }
    migrate(server, args, printer).await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let project = Project::serve(server, DATABASE, keys.clone(), functions(args, printer)?, address).await?;
    let running = describe(server, &project, keys);
    server.place().write(running::FILE, &running)?;
    Ok((project, running))
}

async fn migrate(server: &Server, args: &Args, printer: &Printer) -> anyhow::Result<()> {
    let supabase = args.workdir.join("supabase");
    if !supabase.is_dir() {
        if args.seed {
            bail!(
                "there is no {} to plant a seed from: name the directory that holds it with --workdir",
                supabase.display()
            );
        }
        printer.say(format_args!("There is no {}: starting without migrations.", supabase.display()));
        return Ok(());
    }
    let seed = args.seed.then(|| supabase.join("seed.sql"));
    let url = server.url(Role::Postgres, DATABASE);
    let applied = migrate::apply(&url, &supabase.join("migrations"), seed.as_deref()).await?;
    for migration in &applied.migrations {
        printer.say(format_args!("Applied {migration}."));
    }
    if applied.seeded {
        printer.say("Planted the seed.");
    }
    Ok(())
}

/// What is known of the project's functions; says which there are only as code.
fn functions(args: &Args, printer: &Printer) -> anyhow::Result<functions::Settings> {
    let settings = functions::Settings::read(&args.workdir.join("supabase"))?.serve(&args.functions);
    let unserved: Vec<_> = settings.unserved().collect();
    if !unserved.is_empty() {
        printer.say(format_args!(
            "Deno is not run here: start what is to answer for {} yourself, and name each with --function NAME=URL.",
            unserved.join(", ")
        ));
    }
    Ok(settings)
}

fn describe(server: &Server, project: &Project, keys: &Keys) -> Running {
    Running {
        pid: std::process::id(),
        port: project.address().port(),
        place: server.place().dir().to_owned(),
        settings: Settings {
            api_url: project.url().to_owned(),
            db_url: server.url(Role::Postgres, DATABASE),
            publishable_key: keys.publishable.clone(),
            secret_key: keys.secret.clone(),
            anon_key: keys.anon.clone(),
            service_role_key: keys.service_role.clone(),
            jwt_secret: keys.jwt_secret.clone(),
        },
    }
}
