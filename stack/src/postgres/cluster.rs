//! The cluster: PostgreSQL's data directory, `pg` in the place.
//!
//! A cluster is made under another name and renamed when it is whole, so a `pg` that
//! exists can be started. It is opened by the version that made it, as the user it
//! belongs to. When that user cannot enter the place, it lies in an annex.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::binaries::{Binaries, Surroundings};
use super::guard::Job;
use super::owner::Owner;
use super::passwords::Passwords;
use super::postmaster::{POLL, Postmaster};
use super::{Launch, ServerError};
use crate::annex::Annex;
use crate::place::{self, Lifetime, Place};

const ANNEXES: &str = "/var/lib/supabase-stack";
const PARTIAL: &str = "pg.partial-";

/// Many small databases, each with a few connections and perhaps a replication slot.
const SETTINGS: [&str; 16] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "wal_level=logical",
    "synchronous_commit=on", // off would delay what logical decoding sees
    "max_connections=350",
    "max_wal_senders=60",
    "max_replication_slots=60",
    "max_slot_wal_keep_size=1GB",
    "password_encryption=scram-sha-256",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=off",
    // A statement, or the detail of an error, may hold what somebody stored: neither is logged.
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_statement=none",
];
/// A crash of the machine may ruin a cluster that would not have outlived it anyway.
const CARELESS: [&str; 2] = ["fsync=off", "full_page_writes=off"];

#[derive(Debug)]
pub(crate) struct Cluster {
    data: PathBuf,
    binaries: Binaries,
    owner: Option<Owner>,
    /// Locked for as long as the cluster is used.
    _annex: Option<Annex>,
}

impl Cluster {
    /// Opens the cluster of a place, or makes it.
    pub(super) async fn open(
        place: &Place,
        surroundings: &Surroundings,
        passwords: &Passwords,
        launch: &Launch<'_>,
    ) -> Result<Self, ServerError> {
        let annex = annex(place)?;
        let base = annex.as_ref().map_or(place.dir(), Annex::dir);
        let data = base.join("pg");
        clear_partial(base);
        let (binaries, owner) = if data.join("PG_VERSION").exists() {
            existing(&data, surroundings)?
        } else {
            let (binaries, owner) = (Binaries::find(surroundings, None)?, new_owner()?);
            make(base, &binaries, owner, passwords, launch).await?;
            (binaries, owner)
        };
        Ok(Self { data, binaries, owner, _annex: annex })
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(super) fn owner(&self) -> Option<Owner> {
        self.owner
    }

    pub(super) fn server_command(&self, port: u16, lifetime: Lifetime) -> Vec<OsString> {
        let mut command = vec![self.binaries.postgres().into(), "-D".into(), self.data.clone().into()];
        let careless: &[&str] = match lifetime {
            Lifetime::Ephemeral => &CARELESS,
            Lifetime::Kept => &[],
        };
        let port = format!("port={port}");
        for setting in SETTINGS.iter().chain(careless).copied().chain([port.as_str()]) {
            command.extend(["-c".into(), setting.into()]);
        }
        command
    }

    /// Waits until the server takes connections.
    pub(super) async fn ready(&self) {
        while !Postmaster::of(&self.data).is_some_and(|server| server.is_ready()) {
            tokio::time::sleep(POLL).await;
        }
    }
}

/// The annex of a place that has one, or needs one.
fn annex(place: &Place) -> Result<Option<Annex>, ServerError> {
    if let Some(annex) = Annex::open(place.dir())? {
        return Ok(Some(annex));
    }
    let failed = || ServerError::io(format!("find room for the database of {}", place.dir().display()));
    match new_owner()? {
        Some(owner)
            if !place.dir().join("pg").exists() && !owner.can_enter(place.dir()).map_err(failed())? =>
        {
            Ok(Some(Annex::make(place.dir(), Path::new(ANNEXES))?))
        }
        _ => Ok(None),
    }
}

/// What a cluster is opened with: the version that made it, and whose it is.
fn existing(data: &Path, surroundings: &Surroundings) -> Result<(Binaries, Option<Owner>), ServerError> {
    let failed = || ServerError::io(format!("read {}", data.display()));
    let version = fs::read_to_string(data.join("PG_VERSION")).map_err(failed())?;
    let major =
        version.trim().parse().map_err(|e| failed()(io::Error::new(io::ErrorKind::InvalidData, e)))?;
    Ok((Binaries::find(surroundings, Some(major))?, Owner::of(data).map_err(failed())?))
}

fn new_owner() -> Result<Option<Owner>, ServerError> {
    Owner::of_new_cluster().map_err(ServerError::io("choose the user PostgreSQL runs as"))
}

/// Removes what a start left that was killed while it made a cluster. Its initdb may still
/// be at work in there, which is why the next attempt has a new name.
fn clear_partial(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(PARTIAL.as_bytes()) {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

async fn make(
    base: &Path,
    binaries: &Binaries,
    owner: Option<Owner>,
    passwords: &Passwords,
    launch: &Launch<'_>,
) -> Result<(), ServerError> {
    let mut said = String::new();
    for locale in locales(binaries.major()) {
        let name = format!("{PARTIAL}{}", Uuid::new_v4().simple());
        let (partial, password) = (base.join(&name), base.join(format!("{name}-password")));
        let failed = || ServerError::io(format!("write {}", partial.display()));
        prepare(&partial, &password, owner, passwords).map_err(failed())?;
        let command = init_command(binaries, &partial, &password, locale, launch.place.lifetime());
        let guarded = launch.guard(Job { command, owner })?;
        if guarded.ended().await {
            fs::rename(&partial, base.join("pg"))
                .and_then(|()| File::open(base)?.sync_all())
                .map_err(failed())?;
            clear_partial(base);
            return Ok(());
        }
        said = guarded.log_tail();
        if !said.contains("locale") {
            break;
        }
    }
    clear_partial(base);
    Err(ServerError::Init(said))
}

fn prepare(dir: &Path, password: &Path, owner: Option<Owner>, passwords: &Passwords) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)?;
    place::write_private(password, passwords.supabase_admin.as_bytes())?;
    owner.map_or(Ok(()), |owner| owner.take(dir).and_then(|()| owner.take(password)))
}

fn init_command(
    binaries: &Binaries,
    data: &Path,
    password: &Path,
    locale: &[&str],
    lifetime: Lifetime,
) -> Vec<OsString> {
    let mut command: Vec<OsString> = vec![binaries.initdb().into(), "-D".into(), data.into()];
    command
        .extend(["--username=supabase_admin", "--auth=scram-sha-256", "--encoding=UTF8"].map(OsString::from));
    command.extend(["--no-instructions".into(), "--pwfile".into(), password.into()]);
    command.extend(locale.iter().map(OsString::from));
    if lifetime == Lifetime::Ephemeral {
        command.push("--no-sync".into());
    }
    command
}

/// What to try in turn, so that `lower('É')` works wherever the system knows how.
fn locales(major: u32) -> &'static [&'static [&'static str]] {
    if major >= 17 {
        &[&["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    } else {
        &[&["--locale=C.UTF-8"], &["--locale=en_US.UTF-8"], &["--locale=C"]]
    }
}
