//! A place: the directory in which one stack lives.
//!
//! A directory is ours when it holds our lock file, and only then do we delete
//! anything in it. The lock is held by the stack and by its guards together, so a
//! free lock means that nobody looks after the place any more: what still lies or
//! runs there was left behind. The lock file names the process that took it.
//!
//! Not here: which places there are (`home`), the database inside (`postgres`), or beside (`annex`).

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::annex;
use crate::process;
use crate::running::{self, Running};

const LOCK: &str = "supabase-stack.lock";
/// How long a guard may take to end a server that was left behind, and a little more.
pub(crate) const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// What becomes of a place when its stack ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// It goes with the stack.
    Ephemeral,
    /// It stays, and must survive a power cut.
    Kept,
}

/// One stack's directory, locked.
#[derive(Debug)]
pub struct Place {
    dir: PathBuf,
    entry: PathBuf,
    lifetime: Lifetime,
    /// Whether the directory was made for this very stack.
    new: bool,
    lock: File,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("{} is not empty and was not made by supabase-stack: name an empty or a new directory", .0.display())]
    Foreign(PathBuf),
    #[error("{} belongs to user {owner}: start the stack as that user, or name another directory", dir.display())]
    OfAnother { dir: PathBuf, owner: u32 },
    #[error(
        "{} is not safe to work in (it is not a directory of ours that only we can write): remove it, or set TMPDIR",
        .0.display()
    )]
    Untrusted(PathBuf),
    #[error("a stack (process {pid}) is already using {}: `supabase-stack stop` ends it", dir.display())]
    InUse { dir: PathBuf, pid: u32, running: Option<Box<Running>> },
    #[error("the link {} leads nowhere: the database of this place is gone; name another directory", .0.display())]
    DatabaseGone(PathBuf),
    #[error(
        "{} is a copy of {}, and its pg still leads to the database of that one: \
         start that one, or name an empty or a new directory",
        dir.display(),
        original.display()
    )]
    Copy { dir: PathBuf, original: PathBuf },
    #[error("cannot {doing} {}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl PlaceError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

impl Place {
    /// Makes a new directory that goes with its stack, and locks it.
    pub(crate) fn create(dir: &Path) -> Result<Self, PlaceError> {
        make_dir(dir).map_err(PlaceError::io("create", dir))?;
        let lock = open_lock(dir).map_err(PlaceError::io("create the lock of", dir))?;
        lock.try_lock().map_err(|error| PlaceError::io("lock", dir)(error.into()))?;
        let (dir, entry) = (dir.to_owned(), dir.to_owned());
        Self { dir, entry, lifetime: Lifetime::Ephemeral, new: true, lock }.signed()
    }

    /// Opens or makes a directory that is kept, once whoever is clearing it up is done.
    pub(crate) async fn keep(dir: &Path, entry: PathBuf) -> Result<Self, PlaceError> {
        let (lock, new) = lock_kept(dir).await?;
        let dir = dir.canonicalize().map_err(PlaceError::io("resolve", dir))?;
        let place = Self { dir, entry, lifetime: Lifetime::Kept, new, lock }.signed()?;
        place.forget(running::FILE); // of a stack that was killed, or of the original of a copy
        Ok(place)
    }

    /// Where everything lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What leads to it from the home: itself, or a link.
    pub(crate) fn entry(&self) -> &Path {
        &self.entry
    }

    /// What becomes of it.
    pub fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// A second handle on the lock: the place stays locked until both are closed.
    pub(crate) fn share_lock(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// Reads what was remembered under this name, or makes it and remembers it from now on.
    pub fn remember<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        make: impl FnOnce() -> T,
    ) -> Result<T, PlaceError> {
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| PlaceError::io("read", &path)(e.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let value = make();
                self.write(name, &value)?;
                Ok(value)
            }
            Err(error) => Err(PlaceError::io("read", &path)(error)),
        }
    }

    /// Writes a value for the eyes of this user only; whole or not at all.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), PlaceError> {
        let path = self.dir.join(name);
        let text = serde_json::to_vec_pretty(value).map_err(|e| PlaceError::io("write", &path)(e.into()))?;
        let partial = self.dir.join(format!("{name}.partial"));
        write_private(&partial, &text)
            .and_then(|()| fs::rename(&partial, &path))
            .map_err(PlaceError::io("write", &path))
    }

    /// Removes a file of the place that may already be gone.
    pub(crate) fn forget(&self, name: &str) {
        let _ = fs::remove_file(self.dir.join(name));
    }

    fn signed(mut self) -> Result<Self, PlaceError> {
        self.sign().map_err(PlaceError::io("write the lock of", &self.dir))?;
        Ok(self)
    }

    fn sign(&mut self) -> io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        write!(self.lock, "{}", std::process::id())
    }
}

/// A directory that was made for a stack which then kept nothing in it goes again.
impl Drop for Place {
    fn drop(&mut self) {
        if self.new && matches!(self.dir.join("pg").try_exists(), Ok(false)) {
            let _ = remove(&self.dir); // an almost empty directory is all that stays
        }
    }
}

/// Deletes a place, if it is one. Whoever calls holds its lock.
pub(crate) fn remove(dir: &Path) -> Result<(), PlaceError> {
    if !dir.join(LOCK).is_file() {
        return Ok(());
    }
    if let Some(annex) = annex::of(dir) {
        remove_tree(&annex)?;
    }
    remove_tree(dir)
}

/// The lock of a place nobody looks after any more; `None` if somebody does, or it is not ours.
pub(crate) fn abandoned(dir: &Path) -> Option<File> {
    let lock = OpenOptions::new().read(true).write(true).open(dir.join(LOCK)).ok()?;
    let ours = lock.metadata().is_ok_and(|found| found.uid() == geteuid().as_raw());
    (ours && lock.try_lock().is_ok()).then_some(lock)
}

/// True if somebody looks after this place.
pub(crate) fn is_locked(dir: &Path) -> bool {
    let lock = File::open(dir.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Waits until nobody looks after this place any more; false if that takes too long.
pub async fn released(dir: &Path, patience: Duration) -> bool {
    match File::open(dir.join(LOCK)) {
        Ok(lock) => blocking(patience, move || lock.lock_shared().is_ok()).await.unwrap_or(false),
        Err(_) => true,
    }
}

/// True if an open file is still the one at this path.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let identity = |found: &Metadata| (found.dev(), found.ino());
    file.metadata()
        .is_ok_and(|ours| fs::metadata(path).is_ok_and(|found| identity(&found) == identity(&ours)))
}

/// The lock of a directory that is kept, and whether the directory is new. A start that fails
/// removes what it made, perhaps just as we open it: then it is made anew.
async fn lock_kept(dir: &Path) -> Result<(File, bool), PlaceError> {
    loop {
        let new = !dir.exists();
        let opened = open_kept(dir)?;
        let lock = match opened.try_lock() {
            Ok(()) => opened,
            Err(TryLockError::WouldBlock) => wait_for_lock(dir, opened).await?,
            Err(TryLockError::Error(error)) => return Err(PlaceError::io("lock", dir)(error)),
        };
        if is_at(&lock, &dir.join(LOCK)) {
            return Ok((lock, new));
        }
    }
}

fn open_kept(dir: &Path) -> Result<File, PlaceError> {
    let io = |doing| PlaceError::io(doing, dir);
    if !dir.exists() {
        let parent = dir.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(io("create"))?;
        make_dir(dir).map_err(io("create"))?;
    }
    let marker = dir.join(LOCK);
    if !marker.exists() && fs::read_dir(dir).map_err(io("read"))?.next().is_some() {
        return Err(PlaceError::Foreign(dir.to_owned()));
    }
    let owner = fs::metadata(if marker.exists() { &marker } else { dir }).map_err(io("read"))?.uid();
    if owner != geteuid().as_raw() {
        return Err(PlaceError::OfAnother { dir: dir.to_owned(), owner });
    }
    open_lock(dir).map_err(io("create the lock of"))
}

/// The lock is taken. By a living stack: an error. By a guard that is still ending what
/// a dead stack left, or by somebody who is only looking: it will be free in a moment.
async fn wait_for_lock(dir: &Path, lock: File) -> Result<File, PlaceError> {
    let pid = holder(dir);
    let in_use = || PlaceError::InUse { dir: dir.to_owned(), pid, running: Running::read(dir).map(Box::new) };
    if is_alive(pid) {
        return Err(in_use());
    }
    let locked = blocking(LEFT_BEHIND, move || lock.lock().map(|()| lock)).await.ok_or_else(in_use)?;
    locked.map_err(PlaceError::io("lock", dir))
}

fn holder(dir: &Path) -> u32 {
    fs::read_to_string(dir.join(LOCK)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

fn is_alive(pid: u32) -> bool {
    process::pid(pid).and_then(process::command_line).is_some()
}

/// Runs something that blocks on a thread of its own, which a runtime that ends does not wait for.
pub(crate) async fn blocking<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || send.send(work()));
    tokio::time::timeout(patience, receive).await.ok()?.ok()
}

fn open_lock(dir: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK))
}

/// Makes a directory that only we can read.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)?;
    fs::set_permissions(dir, passable()) // whatever the umask says
}

/// Closed to others; a superuser's server runs as another user, who must pass through.
pub(crate) fn passable() -> Permissions {
    Permissions::from_mode(if geteuid().is_root() { 0o711 } else { 0o700 })
}

/// An empty file for the eyes of this user only, also where there was one before.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

pub(crate) fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn remove_tree(dir: &Path) -> Result<(), PlaceError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PlaceError::io("remove", dir)(error)),
        _ => Ok(()),
    }
}

/// The end of a text file, from this byte on: at most so many lines.
pub(crate) fn tail(file: &mut File, from: u64, lines: usize) -> io::Result<String> {
    let mut text = Vec::new();
    file.seek(io::SeekFrom::Start(from))?;
    file.read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    Ok(all[all.len().saturating_sub(lines)..].join("\n"))
}
