//! Home: the directory below the temporary one that leads to every stack of this user.
//!
//! An ephemeral place is a directory in it; a kept one is a link to where it lies.
//! Entries come and go only while the home is locked, so nobody sweeps away a place
//! that is just being made. What a killed stack left is swept by the next one to start.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use uuid::Uuid;

use crate::place::{self, Lifetime, Place, PlaceError, make_dir};
use crate::postgres::Postmaster;
use crate::running::Running;

/// All stacks of one user.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
}

impl Home {
    /// Opens the home below this temporary directory, which others may be able to write.
    pub fn open(temporary: &Path) -> Result<Self, PlaceError> {
        let user = geteuid().as_raw();
        let dir = temporary.join(format!("supabase-stack-{user}"));
        let dir = std::path::absolute(&dir).map_err(PlaceError::io("resolve", &dir))?;
        match make_dir(&dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(PlaceError::io("create", &dir)(error));
            }
            _ => {}
        }
        let found = fs::symlink_metadata(&dir).map_err(PlaceError::io("read", &dir))?;
        if !found.is_dir() || found.uid() != user || found.mode() & 0o022 != 0 {
            return Err(PlaceError::Untrusted(dir));
        }
        Ok(Self { dir })
    }

    /// Makes a place that goes with its stack.
    pub async fn ephemeral(&self) -> Result<Place, PlaceError> {
        let _entries = self.swept().await?;
        Place::create(&self.entry(), Lifetime::Ephemeral)
    }

    /// Opens or makes a place that stays.
    pub async fn kept(&self, dir: &Path) -> Result<Place, PlaceError> {
        let dir = std::path::absolute(dir).map_err(PlaceError::io("resolve", dir))?;
        let place = Place::keep(&dir).await?;
        let _entries = self.swept().await?;
        let entry = self.entry();
        symlink(place.dir(), &entry).map_err(PlaceError::io("create", &entry))?;
        Ok(place)
    }

    /// The stacks that run now.
    pub fn running(&self) -> Result<Vec<Running>, PlaceError> {
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

    /// Clears what nobody looks after, and returns the lock under which entries may be made.
    async fn swept(&self) -> Result<File, PlaceError> {
        let path = self.dir.join("home.lock");
        let lock = File::create(&path).map_err(PlaceError::io("create", &path))?;
        let lock = place::blocking(place::LEFT_BEHIND, move || lock.lock().map(|()| lock))
            .await
            .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
            .map_err(PlaceError::io("lock", &path))?;
        for entry in self.entries()? {
            if entry.is_symlink() {
                self.sweep_link(&entry);
            } else if let Some(place) = Place::abandoned(&entry) {
                Postmaster::stop_in(&entry.join("pg")).await;
                let _ = place.discard(); // what could not go now goes at the next start
            }
        }
        Ok(lock)
    }

    fn sweep_link(&self, entry: &Path) {
        if !place::is_locked(entry) {
            let _ = fs::remove_file(entry); // the next start sweeps again
        }
    }

    fn entries(&self) -> Result<Vec<PathBuf>, PlaceError> {
        let io = || PlaceError::io("read", &self.dir);
        fs::read_dir(&self.dir)
            .map_err(io())?
            .map(|entry| entry.map(|entry| entry.path()).map_err(io()))
            .collect()
    }

    fn entry(&self) -> PathBuf {
        self.dir.join(Uuid::new_v4().simple().to_string())
    }
}
