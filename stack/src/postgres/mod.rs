//! PostgreSQL: a real server, from binaries found on this machine, for one place.
//!
//! It listens on loopback only and lets nobody in without a password. It runs under a
//! [`guard`], which ends it as soon as whoever started it is gone, however that came.
//! Only a superuser's server runs as another user, because PostgreSQL insists.

mod binaries;
mod cluster;
pub mod guard;
mod owner;
mod passwords;
mod postmaster;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

pub use binaries::{Binaries, BinariesError, Surroundings};
pub use postmaster::Postmaster;

use crate::home;
use crate::place::{self, Place, PlaceError};
use cluster::Cluster;
use guard::{Guarded, Job};
use passwords::Passwords;

/// Names of the files a server keeps in its place.
const PASSWORDS: &str = "passwords.json";
const LOG: &str = "postgres.log";
const PORT_TRIES: usize = 5;
/// Crash recovery of a kept cluster may take its time; a server that fails ends by itself.
const START: Duration = Duration::from_secs(300);

/// What a server needs to start.
#[derive(Debug)]
pub struct Options {
    pub place: Place,
    /// The port to take if it is free; any other one if not.
    pub port: Option<u16>,
    /// The program that has the `guard` command: supabase-stack itself.
    pub program: PathBuf,
    /// Where to look for PostgreSQL.
    pub surroundings: Surroundings,
}

/// Whom to connect as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `supabase_admin`, a superuser.
    Admin,
    /// `postgres`, who owns the database and runs migrations, as hosted.
    Postgres,
    /// `authenticator`, who may become `anon`, `authenticated` or `service_role`.
    Authenticator,
}

/// A running server. It ends when this is dropped; [`Server::stop`] waits until it has.
#[derive(Debug)]
pub struct Server {
    cluster: Cluster,
    place: Place, // let go of after the cluster: whoever waits for it may open that at once
    passwords: Passwords,
    port: u16,
    guarded: Guarded,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("cannot {doing}")]
    Io { doing: String, source: io::Error },
    #[error("initdb could not make a database cluster; it said:\n{0}")]
    Init(String),
    #[error("PostgreSQL did not start; the end of its log:\n{0}")]
    Start(String),
    #[error("PostgreSQL was not ready within five minutes; the end of its log:\n{0}")]
    Slow(String),
    #[error("PostgreSQL ended by itself; the end of its log:\n{0}")]
    Died(String),
    #[error("{0:?} cannot name a database here: use letters, digits and _")]
    DatabaseName(String),
    #[error("cannot {doing}")]
    Sql { doing: String, source: sqlx::Error },
}

impl ServerError {
    fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl Options {
    /// This place, any port, this program as the guard, PostgreSQL as the environment has it.
    pub fn new(place: Place) -> io::Result<Self> {
        Ok(Self {
            place,
            port: None,
            program: std::env::current_exe()?,
            surroundings: Surroundings::from_environment(),
        })
    }
}

impl Server {
    /// Starts the server of a place, making its cluster first if there is none.
    pub async fn start(options: Options) -> Result<Self, ServerError> {
        let Options { place, port, program, surroundings } = options;
        match begin(&place, port, program, &surroundings).await {
            Ok((cluster, passwords, guarded, port)) => Ok(Self { place, cluster, passwords, port, guarded }),
            Err(error) => {
                // What cannot go now goes at the next start: the reason is what matters.
                let _ = home::vacate(place.entry()).await;
                Err(error)
            }
        }
    }

    /// The loopback port it answers on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The place it lives in.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where its data lie: in the place, unless the server's user cannot enter that.
    pub fn data(&self) -> &Path {
        self.cluster.data()
    }

    /// The address of a database for a role, with the password in it.
    pub fn url(&self, role: Role, database: &str) -> String {
        let (name, password) = match role {
            Role::Admin => ("supabase_admin", &self.passwords.supabase_admin),
            Role::Postgres => ("postgres", &self.passwords.postgres),
            Role::Authenticator => ("authenticator", &self.passwords.authenticator),
        };
        format!("postgresql://{name}:{password}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Makes a database: a copy of one that has the bootstrap, which belongs to `postgres` too,
    /// or an empty one, for the bootstrap to give away.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> Result<(), ServerError> {
        let new = quoted(name)?;
        let rest = match template {
            Some(template) => format!("template {} owner postgres", quoted(template)?),
            None => "template template0".to_owned(),
        };
        self.admin(format!("create database {new} {rest}")).await
    }

    /// Drops a database, and whoever is still connected to it.
    pub async fn drop_database(&self, name: &str) -> Result<(), ServerError> {
        self.admin(format!("drop database if exists {} with (force)", quoted(name)?)).await
    }

    /// The passwords as the cluster must know them.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Waits until the server ends without having been told to, and says how.
    pub async fn ended(&self) -> ServerError {
        self.guarded.ended().await;
        ServerError::Died(self.log_tail())
    }

    /// Ends the server and waits until nothing of it runs; an ephemeral place is gone then.
    pub async fn stop(&self) -> Result<(), ServerError> {
        self.guarded.stop().await;
        // Nothing to do any more, unless the guard itself was killed or outlived its server.
        Postmaster::stop_in(self.cluster.data()).await;
        Ok(home::vacate(self.place.entry()).await?)
    }

    async fn admin(&self, statement: String) -> Result<(), ServerError> {
        let doing = statement.clone();
        let run = async {
            let mut connection = PgConnection::connect(&self.url(Role::Admin, "postgres")).await?;
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
            connection.close().await
        };
        run.await.map_err(|source| ServerError::Sql { doing, source })
    }

    fn log_tail(&self) -> String {
        self.guarded.log_tail()
    }
}

async fn begin(
    place: &Place,
    port: Option<u16>,
    program: PathBuf,
    surroundings: &Surroundings,
) -> Result<(Cluster, Passwords, Guarded, u16), ServerError> {
    let passwords = place.remember(PASSWORDS, Passwords::random)?;
    let launch = Launch::new(place, program)?;
    let cluster = Cluster::open(place, surroundings, &passwords, &launch).await?;
    let (guarded, port) = launch.postgres(&cluster, port).await?;
    Ok((cluster, passwords, guarded, port))
}

/// What every process started for a place shares: its lock, its log, its guard.
#[derive(Debug)]
struct Launch<'a> {
    place: &'a Place,
    program: PathBuf,
    log: File,
}

impl<'a> Launch<'a> {
    fn new(place: &'a Place, program: PathBuf) -> Result<Self, ServerError> {
        let path = place.dir().join(LOG);
        let failed = || ServerError::io(format!("write {}", path.display()));
        place::write_private(&path, b"").map_err(failed())?;
        let log = File::options().read(true).append(true).open(&path).map_err(failed())?;
        Ok(Self { place, program, log })
    }

    /// Runs a command under a guard of its own.
    fn guard(&self, job: Job) -> Result<Guarded, ServerError> {
        Guarded::spawn(&self.program, self.place, &self.log, job).map_err(ServerError::io("start the guard"))
    }

    /// Starts the server; a port that somebody else took in the meantime is another try.
    async fn postgres(&self, cluster: &Cluster, wanted: Option<u16>) -> Result<(Guarded, u16), ServerError> {
        Postmaster::stop_in(cluster.data()).await;
        let mut wanted = wanted.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
        for _ in 1..PORT_TRIES {
            let port = wanted.take().map_or_else(free_port, Ok)?;
            match self.postgres_on(cluster, port).await {
                Err(ServerError::Start(log)) if log.contains("could not create any TCP/IP sockets") => {}
                started => return started.map(|guarded| (guarded, port)),
            }
        }
        let port = free_port()?;
        Ok((self.postgres_on(cluster, port).await?, port))
    }

    async fn postgres_on(&self, cluster: &Cluster, port: u16) -> Result<Guarded, ServerError> {
        let command = cluster.server_command(port, self.place.lifetime());
        let guarded = self.guard(Job { command, owner: cluster.owner() })?;
        tokio::select! {
            () = cluster.ready() => return Ok(guarded),
            _ = guarded.ended() => return Err(ServerError::Start(guarded.log_tail())),
            () = tokio::time::sleep(START) => {}
        }
        guarded.stop().await;
        Err(ServerError::Slow(guarded.log_tail()))
    }
}

/// A port nobody listens on. Somebody may take it before we do.
fn free_port() -> Result<u16, ServerError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(ServerError::io("find a free port on 127.0.0.1"))
}

fn quoted(name: &str) -> Result<String, ServerError> {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { Ok(format!("\"{name}\"")) } else { Err(ServerError::DatabaseName(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_name_is_plain_or_refused() {
        assert_eq!(quoted("project_1").unwrap(), "\"project_1\"");
        for name in ["", "a b", "a\"; drop", "é"] {
            assert!(matches!(quoted(name), Err(ServerError::DatabaseName(_))), "{name}");
        }
    }
}
