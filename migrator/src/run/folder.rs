//! Edge: where runs are kept, `.migrator/runs/<id>/`, readable by their owner alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::exit::{self, Failure};

use super::{Kind, Run};

/// The file that says what a run is.
const RUN: &str = "run.json";

/// The fewest characters of an id that stand for a run.
const SHORTEST_PREFIX: usize = 4;

/// The runs of a working folder.
#[derive(Debug, Clone)]
pub struct Runs {
    root: PathBuf,
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Runs {
    /// Those under `.migrator` in this folder.
    pub fn within(folder: &Path) -> Self {
        Self { root: folder.join(".migrator") }
    }

    /// Makes the folder of a run and writes down what it is. What lies there is no business of git's.
    ///
    /// # Errors
    /// Exit code 2 when nothing can be written there.
    pub fn create(&self, run: &Run) -> Result<Folder, Failure> {
        let folder = self.folder(run.id);
        let made = private_folder(&folder.path).and_then(|()| {
            let ignore = self.root.join(".gitignore");
            if ignore.exists() { Ok(()) } else { write_whole(&ignore, b"*\n") }
        });
        made.map_err(|error| unwritable(&folder.path, error))?;
        folder.save(run)?;
        Ok(folder)
    }

    /// The folder of this run, which may not be there.
    pub fn folder(&self, id: Uuid) -> Folder {
        Folder { path: self.root.join("runs").join(id.to_string()) }
    }

    /// All runs, the latest first. A folder that holds none is passed over.
    ///
    /// # Errors
    /// Exit code 2 when the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Run>, Failure> {
        let path = self.root.join("runs");
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(&path, error)),
        };
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<Uuid>().ok());
        let mut runs: Vec<Run> = ids.filter_map(|id| self.folder(id).load().ok()).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        Ok(runs)
    }

    /// The run that a person names: by its id, by the beginning or the end of it, or as `latest`, which is
    /// the latest import.
    ///
    /// # Errors
    /// Exit code 9 when there is none, 2 when there are several.
    pub fn find(&self, named: &str) -> Result<Run, Failure> {
        let runs = self.list()?;
        let id = choose(named, runs.iter().map(|run| (run.id, run.kind)))?;
        runs.into_iter().find(|run| run.id == id).ok_or_else(|| unknown(named))
    }

    /// Removes the folder of a run.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be removed.
    pub fn remove(&self, id: Uuid) -> Result<(), Failure> {
        let folder = self.folder(id);
        fs::remove_dir_all(&folder.path).map_err(|error| unwritable(&folder.path, error))
    }
}

impl Folder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads what the run is.
    ///
    /// # Errors
    /// Exit code 9 when there is no such run, 2 when it cannot be read.
    pub fn load(&self) -> Result<Run, Failure> {
        let path = self.file(RUN);
        let text = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => unknown(&self.path.display().to_string()),
            _ => unreadable(&path, error),
        })?;
        serde_json::from_slice(&text).map_err(|error| unreadable(&path, error.into()))
    }

    /// Keeps others off the run until what it gives goes, or the process ends.
    ///
    /// # Errors
    /// Exit code 8 when another process is at work on it, 2 when nothing can be written there.
    pub fn lock(&self) -> Result<fs::File, Failure> {
        let path = self.file("lock");
        let file = private_file(OpenOptions::new().write(true).create(true).truncate(false), &path);
        let file = file.map_err(|error| unwritable(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                let message = "another process is at work on this run";
                Err(Failure::new(exit::LOCKED, "run.locked", message)
                    .help("wait until it has ended, and run again"))
            }
            Err(fs::TryLockError::Error(error)) => Err(unwritable(&path, error)),
        }
    }

    /// Writes down what the run is, as a whole or not at all.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be written.
    pub fn save(&self, run: &Run) -> Result<(), Failure> {
        let path = self.file(RUN);
        let saved = serde_json::to_vec_pretty(run)
            .map_err(io::Error::from)
            .and_then(|json| write_whole(&path, &json));
        saved.map_err(|error| unwritable(&path, error))
    }
}

/// The run that a person means among these, the latest first.
///
/// # Errors
/// Exit code 9 when there is none, 2 when there are several.
pub(crate) fn choose(named: &str, mut runs: impl Iterator<Item = (Uuid, Kind)>) -> Result<Uuid, Failure> {
    if named == "latest" {
        let latest = runs.find(|(_, kind)| *kind == Kind::Import);
        return latest.map(|(id, _)| id).ok_or_else(|| unknown(named));
    }
    let asked = named.to_lowercase();
    if asked.len() < SHORTEST_PREFIX {
        let message = format!("`{named}` is too short to name a run");
        return Err(Failure::new(exit::USAGE, "usage.run", message)
            .help(format!("write at least {SHORTEST_PREFIX} characters of its id, or `latest`")));
    }
    // Runs of one day begin alike, so the end of an id is as good as its beginning.
    let mut found = runs.map(|(id, _)| id).filter(|id| {
        let id = id.to_string();
        id.starts_with(&asked) || id.ends_with(&asked)
    });
    match (found.next(), found.next()) {
        (None, _) => Err(unknown(named)),
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => {
            Err(Failure::new(exit::USAGE, "usage.run", format!("`{named}` names more than one run"))
                .help("write more of its id; `migrator runs list` shows them"))
        }
    }
}

fn unknown(named: &str) -> Failure {
    Failure::new(exit::NOT_FOUND, "run.unknown", format!("there is no run `{named}`"))
        .help("`migrator runs list` shows those there are, in this folder or with --db-url in a database")
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::new(exit::USAGE, "run.unreadable", format!("{} cannot be read: {error}", path.display()))
        .help("check who may read it, and that no other version of the program wrote it")
        .because(error)
}

pub(crate) fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::new(exit::USAGE, "run.unwritable", format!("{} cannot be written: {error}", path.display()))
        .help("run where you may write, and see that the disk is not full")
        .because(error)
}

/// Makes a folder and those above it, for their owner alone.
fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file to be written, for its owner alone.
pub(crate) fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<fs::File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// Writes a file so that whoever reads it finds all of it or what was there before.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    // A name of its own: two runs may begin at once. The file is private from the start.
    let mut beside = tempfile::NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    beside.write_all(content)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::inputs;

    fn run(number: u8) -> Run {
        let now = format!("2026-11-20T10:00:{number:02}Z").parse().unwrap();
        Run::new(Run::id(now, [number; 10]), Kind::Import, inputs(), now)
    }

    #[test]
    fn a_run_is_found_again_by_what_people_call_it() {
        let desk = tempfile::tempdir().unwrap();
        let runs = Runs::within(desk.path());
        assert_eq!(runs.list().unwrap(), []);
        assert_eq!(runs.find("latest").unwrap_err().code, exit::NOT_FOUND);
        let (first, second) = (run(1), run(2));
        runs.create(&first).unwrap();
        runs.create(&second).unwrap();
        let third = "2026-11-20T10:00:03Z".parse().unwrap();
        let rollback = first.undo(Run::id(third, [3; 10]), third);
        runs.create(&rollback).unwrap();
        assert_eq!(runs.find("latest").unwrap(), second, "a rollback is not what people mean");
        runs.remove(rollback.id).unwrap();
        assert_eq!(runs.list().unwrap(), [second.clone(), first.clone()]);
        assert_eq!(runs.find("latest").unwrap(), second);
        assert_eq!(runs.find(&first.id.to_string()).unwrap(), first);
        assert_eq!(runs.find(&first.id.to_string()[24..]).unwrap(), first);
        assert_eq!(runs.find(&first.id.to_string()[..4]).unwrap_err().code, exit::USAGE);
        assert_eq!(runs.find("ffff").unwrap_err().code, exit::NOT_FOUND);
        assert_eq!(runs.find("01").unwrap_err().code, exit::USAGE);
        runs.remove(first.id).unwrap();
        assert_eq!(runs.list().unwrap(), [second]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_a_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let desk = tempfile::tempdir().unwrap();
        let runs = Runs::within(desk.path());
        let folder = runs.create(&run(1)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&desk.path().join(".migrator")), 0o700);
        assert_eq!(mode(&folder.file(RUN)), 0o600);
        assert_eq!(fs::read_to_string(desk.path().join(".migrator/.gitignore")).unwrap(), "*\n");
    }
}
