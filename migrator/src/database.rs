//! Edge: a connection to the database itself, as `psql` has it.
//!
//! Whatever the address says about encryption holds before the password is sent.

use std::error::Error as _;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslNegotiation;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::{Address, Encryption, Roots};
use crate::catalog::Catalog;
use crate::exit::{self, Failure};
use crate::tls::{self, Belief};

/// How long a server may take to let us in, where the address does not say.
const PATIENCE: Duration = Duration::from_secs(15);

/// A database we are connected to. The connection ends with this value.
pub struct Database {
    client: Client,
    connection: JoinHandle<Result<(), tokio_postgres::Error>>,
    place: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Database").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Database {
    /// Connects to the database at a connection URI.
    ///
    /// # Errors
    /// Exit code 2 for an address that cannot be, 6 when nobody answers, 7 when the server does not let us
    /// in or is not who it should be.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let address = Address::read(url)?;
        let place = address.place();
        let connector = connector(&address)?;
        let patience = address.config.get_connect_timeout().copied().unwrap_or(PATIENCE);
        let connecting = Box::pin(address.config.connect(connector));
        let (client, connection) = match tokio::time::timeout(patience, connecting).await {
            Ok(connected) => connected.map_err(|error| failure(&place, error))?,
            Err(_) => return Err(unreachable(&place, "it takes too long to answer")),
        };
        Ok(Self { client, connection: tokio::spawn(connection), place })
    }

    /// The connection, for questions of one's own.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Why a question failed, with the place that was asked.
    pub fn failure(&self, error: tokio_postgres::Error) -> Failure {
        failure(&self.place, error)
    }

    /// Asks what tables, types and functions there are.
    ///
    /// # Errors
    /// Exit code 6 when the connection breaks, 7 when the server refuses the question.
    pub async fn catalog(&self) -> Result<Catalog, Failure> {
        // One message of statements, without parameters: a pooler may stand in between.
        let answer = self.client.simple_query(Catalog::QUESTION).await;
        let rows = answer.map_err(|error| self.failure(error))?;
        let document = rows.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None, // the other statements, which have no rows
        });
        Catalog::read(document.unwrap_or_default())
    }
}

/// What makes a connection as safe as the address asks for.
fn connector(address: &Address) -> Result<MakeRustlsConnect, Failure> {
    let belief = match &address.encryption {
        Encryption::Off | Encryption::IfOffered | Encryption::Required => Belief::Anybody,
        Encryption::Trusted(roots) => Belief::Vouched(authorities(roots)?),
        Encryption::Verified(roots) => Belief::Named(authorities(roots)?),
    };
    let mut settings = tls::settings(belief)
        .map_err(|error| unknown_authorities(&format!("no encrypted connection can be made: {error}")))?;
    if address.config.get_ssl_negotiation() == SslNegotiation::Direct {
        settings.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(settings))
}

fn authorities(roots: &Roots) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    match roots {
        // A certificate of the system's that cannot be read is one authority fewer.
        Roots::System => _ = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        Roots::File(file) => in_file(file, &mut store).map_err(|reason| {
            unknown_authorities(&format!("the certificates in {} cannot be read: {reason}", file.display()))
        })?,
    }
    if store.is_empty() {
        return Err(unknown_authorities(match roots {
            Roots::System => "this system trusts no authority, so no server can be verified",
            Roots::File(_) => "the file after sslrootcert holds no certificate",
        }));
    }
    Ok(store)
}

fn in_file(file: &Path, store: &mut RootCertStore) -> Result<(), String> {
    let read = |error: &dyn fmt::Display| error.to_string();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| read(&error))? {
        store.add(certificate.map_err(|error| read(&error))?).map_err(|error| read(&error))?;
    }
    Ok(())
}

fn unknown_authorities(message: &str) -> Failure {
    Failure::new(exit::USAGE, "usage.sslrootcert", message)
        .help("name a file of certificates (PEM) after sslrootcert= in the address of the database")
}

fn unreachable(place: &str, reason: &str) -> Failure {
    Failure::new(
        exit::UNREACHABLE,
        "database.unreachable",
        format!("the database at {place} does not answer: {reason}"),
    )
    .help("check the address and that the database runs, and run again")
}

/// Sorts what the driver says. Its own text is one line for each kind, with the reason behind it.
fn failure(place: &str, error: tokio_postgres::Error) -> Failure {
    if let Some(said) = error.as_db_error() {
        // The detail may repeat a row's values; the message does not.
        let message = format!("the database at {place} refuses: {}", said.message());
        return if is_passing(said.code()) {
            Failure::new(exit::UNREACHABLE, "database.busy", message).help("run again later")
        } else {
            Failure::new(exit::REFUSED, "database.refused", message)
                .help("check the user, the password and the name of the database in its address")
        }
        .because(error);
    }
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.to_string().as_str() {
        "error performing TLS handshake" => Failure::new(
            exit::REFUSED,
            "database.tls",
            format!("no safe connection to the database at {place}: {reason}"),
        )
        .help("see sslmode and sslrootcert in the address of the database")
        .because(error),
        "authentication error" => Failure::new(
            exit::REFUSED,
            "database.refused",
            format!("the database at {place} does not let us in: {reason}"),
        )
        .help("check the user and the password in the address of the database")
        .because(error),
        "invalid configuration" => Failure::new(
            exit::USAGE,
            "usage.database",
            format!("the address of the database cannot be used: {reason}"),
        )
        .help("it looks like postgresql://postgres:PASSWORD@HOST:5432/postgres?sslmode=require")
        .because(error),
        // Connecting, reading, writing, waiting: whatever else can fail lies on the way.
        _ => unreachable(place, &reason).because(error),
    }
}

/// True for a server that is starting, stopping, full or cut off: it may do better later.
fn is_passing(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "53" | "57") && *code != SqlState::QUERY_CANCELED
}
