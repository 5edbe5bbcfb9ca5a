//! Edge: the folder in which a browser keeps what its pages store.
//!
//! Nothing in it is opened for writing, and no lock is taken or left: LevelDB is read by
//! ourselves, SQLite as a copy. A browser that runs may write meanwhile, so a reading counts
//! only if every file is the same before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use super::{Area, Profile, chromium, leveldb, sqlite};
use crate::exit::{self, Failure};

/// How often a folder is read anew that changes under our eyes.
const TRIES: usize = 3;

/// Reads what all sites keep in a profile. `folder` may be the profile, the folder with the
/// profiles, or the very database.
///
/// # Errors
/// Exit code 2 when several profiles or databases could be meant, 5 when there is none, or it is
/// damaged, or is being written all the time.
pub fn read(folder: &Path) -> Result<Profile, Failure> {
    fs::metadata(folder).map_err(|error| unreadable(folder, error))?;
    let store = Store::at(folder)?.map_or_else(|| Store::beneath(folder), Ok)?;
    let mut profile = store.read()?;
    profile.areas.retain(|area| !area.entries.is_empty());
    profile.areas.sort_by(|a, b| a.origin.cmp(&b.origin));
    Ok(profile)
}

/// Where the databases lie.
#[derive(Debug)]
enum Store {
    LevelDb(PathBuf),
    Sqlite(PathBuf),
    /// A profile of Chromium that has both.
    Both(PathBuf, PathBuf),
    /// A database for each site, and Firefox's older ones for all: what a site has there it had before.
    Many {
        own: Vec<PathBuf>,
        older: Vec<PathBuf>,
    },
}

impl Store {
    /// The store in this very place, if there is one.
    fn at(path: &Path) -> Result<Option<Self>, Failure> {
        if path.is_file() {
            return Ok(Some(Self::Sqlite(path.to_owned())));
        }
        if path.join("CURRENT").is_file() {
            return Ok(Some(Self::LevelDb(path.to_owned())));
        }
        Self::in_profile(path)
    }

    /// The store of a profile. A profile has other databases beside it, which are not looked at.
    fn in_profile(path: &Path) -> Result<Option<Self>, Failure> {
        let leveldb = ["leveldb", "Local Storage/leveldb"].map(|name| path.join(name));
        let leveldb = leveldb.into_iter().find(|folder| folder.join("CURRENT").is_file());
        let sqlite = ["LocalStorage", "localstorage.sqlite3"].map(|name| path.join(name));
        let sqlite = sqlite.into_iter().find(|file| file.is_file());
        match (leveldb, sqlite) {
            (Some(leveldb), Some(sqlite)) => return Ok(Some(Self::Both(leveldb, sqlite))),
            (Some(leveldb), None) => return Ok(Some(Self::LevelDb(leveldb))),
            (None, Some(sqlite)) => return Ok(Some(Self::Sqlite(sqlite))),
            (None, None) => {}
        }
        let mut own = Vec::new();
        for site in list(&path.join("storage/default"))? {
            own.push(site.join("ls/data.sqlite"));
        }
        for folder in [path, &path.join("localstorage"), &path.join("LocalStorage")] {
            let of_webkit = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "localstorage");
            own.extend(list(folder)?.into_iter().filter(of_webkit));
        }
        own.retain(|file| file.is_file());
        let older = ["storage/ls-archive.sqlite", "webappsstore.sqlite"].map(|name| path.join(name));
        let older: Vec<_> = older.into_iter().filter(|file| file.is_file()).collect();
        let is_there = !own.is_empty() || !older.is_empty();
        Ok(is_there.then_some(Self::Many { own, older }))
    }

    /// The store of the only profile in a folder of profiles.
    fn beneath(folder: &Path) -> Result<Self, Failure> {
        let mut found = Vec::new();
        for path in list(folder)?.into_iter().filter(|path| path.is_dir()) {
            found.extend(Self::in_profile(&path)?.map(|store| (path, store)));
        }
        match found.len() {
            0 => {
                let message = format!("{} is no profile of a browser", folder.display());
                Err(Failure::new(exit::INPUT, "profile.unknown", message).help(
                    "name the folder that about:support (Firefox) or chrome://version (Chromium) calls the profile",
                ))
            }
            1 => found.pop().map(|(_, store)| store).ok_or_else(|| damaged(folder, "it is empty")),
            _ => {
                let names: Vec<String> =
                    found.iter().map(|(path, _)| format!("\n  {}", path.display())).collect();
                let message = format!("{} holds several profiles:{}", folder.display(), names.concat());
                Err(Failure::new(exit::USAGE, "usage.profile", message)
                    .help("name one of them with --profile"))
            }
        }
    }

    fn read(&self) -> Result<Profile, Failure> {
        let whole = |areas| Profile { areas, damaged: Vec::new() };
        match self {
            Self::LevelDb(folder) => leveldb_areas(folder).map(whole),
            Self::Sqlite(file) => sqlite_areas(file).map(whole),
            Self::Both(folder, file) => {
                let is_empty = |areas: &[Area]| areas.iter().all(|area| area.entries.is_empty());
                let (old, new) = (leveldb_areas(folder)?, sqlite_areas(file)?);
                if is_empty(&old) {
                    return Ok(whole(new));
                }
                if is_empty(&new) {
                    return Ok(whole(old));
                }
                let (folder, file) = (folder.display(), file.display());
                let message = format!(
                    "the profile has two databases, and nothing says which counts:\n  {folder}\n  {file}"
                );
                Err(Failure::new(exit::USAGE, "usage.profile", message)
                    .help("name one of them with --profile, or take the data out with --bookmarklet"))
            }
            Self::Many { own, older } => {
                let mut profile = Profile::default();
                for file in own {
                    match sqlite_areas(file) {
                        Ok(areas) => profile.areas.extend(areas),
                        Err(failure) => profile.damaged.push(failure),
                    }
                }
                // Who cannot be read now must not come back as it was.
                let older = if profile.damaged.is_empty() { older.as_slice() } else { &[] };
                let mut known: BTreeSet<_> = profile.areas.iter().map(|area| area.origin.clone()).collect();
                for file in older {
                    let areas = sqlite_areas(file)?;
                    profile.areas.extend(areas.into_iter().filter(|area| known.insert(area.origin.clone())));
                }
                Ok(profile)
            }
        }
    }
}

fn sqlite_areas(file: &Path) -> Result<Vec<Area>, Failure> {
    settled(file, || Ok(sqlite::parts(file)), |_| sqlite::areas(file))
}

fn leveldb_areas(folder: &Path) -> Result<Vec<Area>, Failure> {
    let files = || {
        let counts = |file: &PathBuf| {
            let has = |endings: &[&str]| {
                file.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending))
            };
            let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
            name == "CURRENT" || name.starts_with("MANIFEST-") || has(&["ldb", "sst", "log"])
        };
        Ok(list(folder)?.into_iter().filter(counts).collect())
    };
    settled(folder, files, |files| {
        let mut contents = BTreeMap::new();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            contents.insert(name, fs::read(file).map_err(|error| unreadable(file, error))?);
        }
        let entries =
            leveldb::read(&contents).map_err(|damage| damaged(&folder.join(damage.file), damage.why))?;
        chromium::areas(entries).map_err(|why| damaged(folder, why))
    })
}

/// Reads files that somebody else may write, until they are the same before and after.
fn settled<T>(
    place: &Path,
    files: impl Fn() -> Result<Vec<PathBuf>, Failure>,
    read: impl Fn(&[PathBuf]) -> Result<T, Failure>,
) -> Result<T, Failure> {
    for _ in 0..TRIES {
        let before = files()?;
        let state = before.iter().map(seen).collect::<Vec<_>>();
        let found = read(&before);
        let after = files()?;
        if after == before && after.iter().map(seen).eq(state) {
            return found;
        }
    }
    let message = format!("{} is being written while it is read", place.display());
    Err(Failure::new(exit::INPUT, "profile.busy", message).help("close the browser, and run again"))
}

/// How long a file is, and when it was last written. None if it is gone.
fn seen(file: &PathBuf) -> Option<(u64, SystemTime)> {
    let seen = fs::metadata(file).ok()?;
    Some((seen.len(), seen.modified().ok()?))
}

/// What lies in a folder; nothing if it is not there.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(folder, error)),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    if let Ok(paths) = &mut paths {
        paths.sort();
    }
    paths.map_err(|error| unreadable(folder, error))
}

/// A file that is not as a browser writes it.
pub(super) fn damaged(file: &Path, why: &str) -> Failure {
    Failure::new(exit::INPUT, "profile.damaged", format!("{}: {why}", file.display()))
        .help("take the data out in the browser itself: migrator extract --bookmarklet")
}

/// A file that does not open.
pub(super) fn unreadable(file: &Path, error: io::Error) -> Failure {
    let message = format!("{} cannot be read: {error}", file.display());
    Failure::new(exit::INPUT, "profile.unreadable", message)
        .help("check the name of the folder, and that you may read it")
        .because(error)
}
