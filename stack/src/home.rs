//! Home: the directory below the temporary one that leads to every stack of this user.
//!
//! An ephemeral place is a directory in it; a kept one is a link to where it lies.
//! Entries are made only while the home is locked, so nobody sweeps away a place that is
//! just being made. What a killed stack left is swept by the next one to start or to end.
//! The home comes with the first entry and goes with the last: the lock is on the directory
//! itself, and counts only if that is still there once the lock is had.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use uuid::Uuid;

use crate::place::{self, Place, PlaceError};
use crate::postgres::Postmaster;
use crate::running::Running;

/// All stacks of one user.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
}

impl Home {
    /// The home below this temporary directory, which others may be able to write.
    pub fn below(temporary: &Path) -> Result<Self, PlaceError> {
        let dir = temporary.join(format!("supabase-stack-{}", geteuid().as_raw()));
        let dir = std::path::absolute(&dir).map_err(PlaceError::io("resolve", &dir))?;
        Ok(Self { dir })
    }

    /// Makes a place that goes with its stack.
    pub async fn ephemeral(&self) -> Result<Place, PlaceError> {
        let _lock = self.enter().await?;
        Place::create(&self.entry())
    }

    /// Opens or makes a place that stays.
    pub async fn kept(&self, dir: &Path) -> Result<Place, PlaceError> {
        let dir = std::path::absolute(dir).map_err(PlaceError::io("resolve", dir))?;
        self.clear().await?; // a link that leads to this place would look alive once we hold it
        let place = Place::keep(&dir, self.entry()).await?;
        let _lock = self.enter().await?;
        symlink(place.dir(), place.entry()).map_err(PlaceError::io("create", place.entry()))?;
        Ok(place)
    }

    /// The stacks that run now.
    pub fn running(&self) -> Result<Vec<Running>, PlaceError> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let mut running: Vec<Running> = self
            .entries()?
            .into_iter()
            .filter_map(|entry| entry.canonicalize().ok())
            .filter(|place| place::is_locked(place))
            .filter_map(|place| Running::read(&place))
            .collect();
        running.sort_by_key(|stack| stack.port);
        running.dedup_by_key(|stack| stack.pid);
        Ok(running)
    }

    /// Clears what nobody looks after, and the home with it if nobody lives there.
    pub(crate) async fn clear(&self) -> Result<(), PlaceError> {
        if let Some(_lock) = self.lock().await? {
            self.sweep().await?;
            let _ = fs::remove_dir(&self.dir); // not while it has entries
        }
        Ok(())
    }

    /// Makes the home if need be, sweeps it, and returns the lock under which entries may be made.
    async fn enter(&self) -> Result<File, PlaceError> {
        loop {
            self.make()?;
            // There is none again if whoever was the last to leave has just taken it away.
            if let Some(lock) = self.lock().await? {
                // Whatever the umask said when it was made.
                lock.set_permissions(place::passable()).map_err(PlaceError::io("open", &self.dir))?;
                self.sweep().await?;
                return Ok(lock);
            }
        }
    }

    fn make(&self) -> Result<(), PlaceError> {
        match DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(PlaceError::io("create", &self.dir)(error))
            }
            _ => Ok(()),
        }
    }

    /// False if there is none; an error if it is not ours alone.
    fn exists(&self) -> Result<bool, PlaceError> {
        let found = match fs::symlink_metadata(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            found => found.map_err(PlaceError::io("read", &self.dir))?,
        };
        if !found.is_dir() || found.uid() != geteuid().as_raw() || found.mode() & 0o022 != 0 {
            return Err(PlaceError::Untrusted(self.dir.clone()));
        }
        Ok(true)
    }

    /// Locks the home that is there; `None` if there is none.
    async fn lock(&self) -> Result<Option<File>, PlaceError> {
        while self.exists()? {
            let home = match File::open(&self.dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(PlaceError::io("open", &self.dir))?,
            };
            let lock = place::blocking(place::LEFT_BEHIND, move || home.lock().map(|()| home))
                .await
                .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
                .map_err(PlaceError::io("lock", &self.dir))?;
            if self.exists()? && place::is_at(&lock, &self.dir) {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    async fn sweep(&self) -> Result<(), PlaceError> {
        for entry in self.entries()? {
            if entry.is_symlink() {
                self.sweep_link(&entry);
            } else if let Some(_lock) = place::abandoned(&entry) {
                Postmaster::stop_in(&entry.join("pg")).await;
                let _ = place::remove(&entry); // what could not go now goes at the next start
            }
        }
        Ok(())
    }

    fn sweep_link(&self, entry: &Path) {
        if !place::is_locked(entry) {
            let _ = fs::remove_file(entry); // the next start sweeps again
        }
    }

    fn entries(&self) -> Result<Vec<PathBuf>, PlaceError> {
        let io = || PlaceError::io("read", &self.dir);
        let listed = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.map_err(io())?,
        };
        listed.map(|entry| entry.map(|entry| entry.path()).map_err(io())).collect()
    }

    fn entry(&self) -> PathBuf {
        self.dir.join(Uuid::new_v4().simple().to_string())
    }
}

/// Ends the use of a place: takes its entry out of the home, with the place if the entry is
/// the place, and the home with the last entry.
pub(crate) async fn vacate(entry: &Path) -> Result<(), PlaceError> {
    if entry.is_symlink() {
        let _ = fs::remove_file(entry); // the next start sweeps again
    } else {
        place::remove(entry)?;
    }
    match entry.parent() {
        Some(dir) => Home { dir: dir.to_owned() }.clear().await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn come_and_go(home: &Home) {
        for _ in 0..50 {
            let place = home.ephemeral().await.unwrap();
            assert!(place.dir().is_dir() && place::is_locked(place.dir()));
            vacate(place.entry()).await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_home_that_goes_takes_nobody_with_it_who_just_comes() {
        let temporary = tempfile::tempdir().unwrap();
        let guests: Vec<_> =
            std::iter::repeat_with(|| Home::below(temporary.path()).unwrap()).take(4).collect();
        let guests = guests.into_iter().map(|home| tokio::spawn(async move { come_and_go(&home).await }));
        for guest in guests.collect::<Vec<_>>() {
            guest.await.unwrap();
        }
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    }
}
