//! A project's address and everything behind it: name, network, certificate, key, owner, tables.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use supabase_sdk::{Client, ErrorKind, Request, Retry};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::PATIENCE;
use super::findings::Checkup;
use super::key::Key;
use crate::args;
use crate::commands::{Variables, read_mapping};
use crate::exit;
use crate::lang::{Lang, Phrase as P};
use crate::local::Status;
use crate::target::{failure, table_failure};
use crate::tls::{self, Belief};

/// A difference between two clocks that tokens and certificates forgive.
const FORGIVEN: u64 = 60;

/// A project, as it is named.
pub(super) struct Project {
    url: String,
    key: Option<Key>,
    /// The owner's password, where the owner writes.
    password: Option<String>,
}

impl Project {
    /// The one on this machine; its key is its own.
    pub(super) fn local(status: Status) -> Self {
        let key = Key { name: "supabase-stack".to_owned(), text: status.secret_key, secret: true };
        Self { url: status.api_url, key: Some(key), password: None }
    }

    /// One that an address names, with the key an import would take.
    pub(super) fn named(
        url: String,
        args: &args::Doctor,
        variables: Variables<'_>,
        checkup: &mut Checkup,
    ) -> Self {
        let set = |names: &[&str], secret| {
            let found = names.iter().find_map(|name| Some((*name, variables(name)?)));
            found.map(|(name, text)| Key { name: name.to_owned(), text, secret })
        };
        if let Some(file) = &args.target.secret_key_file {
            let name = file.display().to_string();
            let key = match std::fs::read_to_string(file) {
                Ok(text) => Some(Key { name, text, secret: true }),
                Err(error) => {
                    let values: [(&str, &dyn Display); 2] = [("file", &name), ("reason", &error)];
                    checkup.fail("key.unreadable", exit::REFUSED, P::KeyUnreadable, &values, P::KeyNoneHelp);
                    None
                }
            };
            return Self { url, key, password: None };
        }
        let password = variables("MIGRATOR_PASSWORD");
        let publishable = || set(&["SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY"], false);
        let secret = || set(&["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"], true);
        let key = if password.is_some() { publishable() } else { secret().or_else(publishable) };
        if key.is_none() {
            checkup.fail("key.none", exit::REFUSED, P::KeyNone, &[], P::KeyNoneHelp);
        }
        Self { url, key, password }
    }

    /// Goes from the address to the tables, as far as it leads.
    pub(super) async fn look(&self, args: &args::Doctor, now: SystemTime, checkup: &mut Checkup) {
        let Some((url, host, port)) = self.address(checkup) else { return };
        let usable = self.key.as_ref().is_some_and(|key| key.look(&host, now, checkup));
        let Some(stream) = connect(&host, port, checkup).await else { return };
        if url.scheme() != "https" {
            drop(stream); // a small server may talk to one caller at a time
        } else if !encrypt(&host, stream, checkup).await {
            return;
        }
        let Some(key) = self.key.as_ref().filter(|_| usable) else { return };
        let client =
            Client::builder(&self.url, key.text.trim()).retry(Retry::never()).timeout(PATIENCE).build();
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                let reason = [("reason", &error as &dyn Display)];
                return checkup.fail("url.unreadable", exit::REFUSED, P::UrlUnreadable, &reason, P::UrlHelp);
            }
        };
        let auth =
            service(&client, "/auth/v1/health", ("auth.answers", P::AuthAnswers), Some(now), checkup).await;
        let rest = service(&client, "/rest/v1/", ("rest.answers", P::RestAnswers), None, checkup).await;
        let may_read = auth && self.owner(&client, args.owner.as_deref(), checkup).await;
        if let Some(mapping) = args.mapping.as_deref().filter(|_| rest && may_read) {
            tables(&client, mapping, checkup).await;
        }
    }

    fn address(&self, checkup: &mut Checkup) -> Option<(Url, String, u16)> {
        let wrong = |reason: &dyn Display, checkup: &mut Checkup| {
            checkup.fail(
                "url.unreadable",
                exit::REFUSED,
                P::UrlUnreadable,
                &[("reason", reason)],
                P::UrlHelp,
            );
        };
        let url = Url::parse(self.url.trim()).map_err(|error| wrong(&error, checkup)).ok()?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            wrong(&"it is no plain http(s) address", checkup);
            return None;
        }
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default()?;
        let shown = url.origin().ascii_serialization();
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme() == "https" || here {
            true => checkup.ok("url.reads", P::UrlReads, &[("url", &shown)]),
            false => checkup.warn("url.in_clear", P::UrlInClear, &[("url", &shown)], P::UrlInClearHelp),
        }
        if url.path() != "/" {
            checkup.warn("url.path", P::UrlHasPath, &[("path", &url.path())], P::UrlHasPathHelp);
        }
        Some((url, host, port))
    }

    /// Whether the owner is known, or signs in; true if the tables can be asked for after that.
    async fn owner(&self, client: &Client, owner: Option<&str>, checkup: &mut Checkup) -> bool {
        match (owner, &self.password) {
            (Some(owner), Some(password)) => {
                let signed_in = client.auth().sign_in_with_password(owner, password).await;
                match &signed_in {
                    Ok(_) => checkup.ok("owner.signed_in", P::OwnerSignedIn, &[]),
                    Err(error) => {
                        let code = failure_code(error.kind());
                        let reason = [("reason", error as &dyn Display)];
                        checkup.fail("owner.refused", code, P::OwnerRefused, &reason, P::OwnerRefusedHelp);
                    }
                }
                signed_in.is_ok()
            }
            (Some(owner), None) if client.has_secret_key() => {
                match client.auth().admin().user_by_email(owner).await {
                    Ok(Some(_)) => checkup.ok("owner.known", P::OwnerKnown, &[]),
                    Ok(None) => {
                        let help = P::OwnerUnknownHelp;
                        checkup.fail("owner.unknown", exit::REFUSED, P::OwnerUnknown, &[], help);
                    }
                    Err(error) => {
                        let failure = failure(error);
                        checkup.failure("owner.refused", failure.code, &failure);
                    }
                }
                true
            }
            (_, _) => {
                checkup.warn("owner.unasked", P::OwnerUnasked, &[], P::OwnerUnaskedHelp);
                client.has_secret_key()
            }
        }
    }
}

fn failure_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Busy => exit::UNREACHABLE,
        _ => exit::REFUSED, // whatever else: asking again changes nothing
    }
}

/// The addresses behind a name.
pub(super) async fn resolve(host: &str, port: u16, checkup: &mut Checkup) -> Option<Vec<SocketAddr>> {
    let (addresses, reason) = match timeout(PATIENCE, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => (found.collect::<Vec<_>>(), String::new()),
        Ok(Err(error)) => (Vec::new(), error.to_string()),
        Err(late) => (Vec::new(), late.to_string()),
    };
    if addresses.is_empty() {
        let values: [(&str, &dyn Display); 2] = [("host", &host), ("reason", &reason)];
        checkup.fail("dns.none", exit::UNREACHABLE, P::DnsNone, &values, P::DnsHelp);
        return None;
    }
    if host.parse::<IpAddr>().is_err() {
        let v4 = addresses.iter().filter(|address| address.is_ipv4()).count();
        let values: [(&str, &dyn Display); 3] =
            [("host", &host), ("v4", &v4), ("v6", &(addresses.len() - v4))];
        checkup.ok("dns.found", P::DnsFound, &values);
    }
    Some(addresses)
}

/// The first of a name's addresses that takes a connection.
async fn connect(host: &str, port: u16, checkup: &mut Checkup) -> Option<TcpStream> {
    let addresses = resolve(host, port, checkup).await?;
    let reason = match timeout(PATIENCE, TcpStream::connect(&*addresses)).await {
        Ok(Ok(stream)) => {
            checkup.ok("tcp.open", P::TcpOpen, &[("host", &host), ("port", &port)]);
            return Some(stream);
        }
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    let values: [(&str, &dyn Display); 3] = [("host", &host), ("port", &port), ("reason", &reason)];
    checkup.fail("tcp.closed", exit::UNREACHABLE, P::TcpClosed, &values, P::TcpHelp);
    None
}

/// Whether the server proves to be who it is called.
async fn encrypt(host: &str, stream: TcpStream, checkup: &mut Checkup) -> bool {
    let shake = async || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let settings = tls::settings(Belief::Named(roots)).map_err(|error| error.to_string())?;
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let shaken = tokio_rustls::TlsConnector::from(Arc::new(settings)).connect(name, stream);
        let shaken = timeout(PATIENCE, shaken).await.map_err(|late| late.to_string())?;
        shaken.map(drop).map_err(|error| error.to_string())
    };
    match shake().await {
        Ok(()) => {
            checkup.ok("tls.good", P::TlsGood, &[("host", &host)]);
            true
        }
        Err(reason) => {
            let values: [(&str, &dyn Display); 2] = [("host", &host), ("reason", &reason)];
            checkup.fail("tls.bad", exit::REFUSED, P::TlsBad, &values, P::TlsHelp);
            false
        }
    }
}

/// Whether one of the project's services takes the key. With a time, its clock is compared too.
async fn service(
    client: &Client,
    path: &'static str,
    (good, answers): (&'static str, P),
    now: Option<SystemTime>,
    checkup: &mut Checkup,
) -> bool {
    let reply = match client.send(Request::get(path).as_key()).await {
        Ok(reply) => reply,
        Err(error) => {
            let values: [(&str, &dyn Display); 2] = [("path", &path), ("reason", &error)];
            checkup.fail("service.silent", failure_code(error.kind()), P::ServiceSilent, &values, P::TcpHelp);
            return false;
        }
    };
    let status = reply.status.as_u16();
    let values: [(&str, &dyn Display); 2] = [("path", &path), ("status", &status)];
    match status {
        200..300 => checkup.ok(good, answers, &[]),
        // The list of all tables is for the secret key alone; each table still answers for itself.
        401 | 403 if path == "/rest/v1/" && !client.has_secret_key() => checkup.ok(good, answers, &[]),
        401 | 403 => checkup.fail(
            "service.key_refused",
            exit::REFUSED,
            P::ServiceRefusesKey,
            &values,
            P::KeyForeignHelp,
        ),
        429 | 500.. => {
            checkup.fail("service.busy", exit::UNREACHABLE, P::ServiceOdd, &values, P::ServiceOddHelp)
        }
        _ => checkup.fail("service.odd", exit::REFUSED, P::ServiceOdd, &values, P::ServiceOddHelp),
    }
    let date = reply.headers.get("date").and_then(|date| date.to_str().ok());
    if let (Some(now), Some(theirs)) = (now, date.and_then(read_date)) {
        clock(now, theirs, checkup);
    }
    status < 400 || matches!(status, 401 | 403) && path == "/rest/v1/"
}

fn read_date(date: &str) -> Option<SystemTime> {
    let time = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(time.timestamp().into())
}

fn clock(ours: SystemTime, theirs: SystemTime, checkup: &mut Checkup) {
    let apart = ours.duration_since(theirs).unwrap_or_else(|earlier| earlier.duration());
    if apart.as_secs() <= FORGIVEN {
        return checkup.ok("clock.good", P::ClockGood, &[]);
    }
    let time = Lang::En.time(apart.as_secs().saturating_mul(1_000));
    checkup.warn("clock.skewed", P::ClockSkewed, &[("time", &time)], P::ClockHelp);
}

/// Whether the tables of a mapping are there, with the columns it fills.
async fn tables(client: &Client, mapping: &std::path::Path, checkup: &mut Checkup) {
    let mapping = match read_mapping(mapping) {
        Ok(mapping) => mapping,
        Err(failure) => return checkup.failure("mapping.wrong", exit::REFUSED, &failure),
    };
    let mut missing = 0;
    for table in &mapping.tables {
        let columns: Vec<&str> = std::iter::once("id")
            .chain(mapping.owner_column.as_deref())
            .chain(table.columns.iter().map(|column| column.name.as_str()))
            .collect();
        let select = client.from(&table.name).select(&columns.join(","));
        if let Err(error) = select.limit(0).fetch().await {
            missing += 1;
            let reason = error.to_string();
            let code = table_failure(&table.name, error).code;
            let values: [(&str, &dyn Display); 2] = [("table", &table.name), ("reason", &reason)];
            checkup.fail("table.wrong", code, P::TableWrong, &values, P::TableHelp);
        }
    }
    if missing == 0 {
        checkup.ok("tables.there", P::TablesThere, &[("n", &mapping.tables.len())]);
    }
}
