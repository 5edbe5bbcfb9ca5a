//! Where uploads lie that are not whole: bytes, and beside them in JSON what they are to be.
//!
//! How far an upload is, is how long its bytes are. Whoever works on one has its turn; who wants it next
//! says so, and gets it as soon as the other has put down what it holds.

use std::{
    collections::HashMap,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use tokio::{
    fs::{self, File, OpenOptions},
    sync::OwnedMutexGuard,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::draft::Draft;

#[derive(Debug)]
pub(in crate::storage) struct Drafts {
    dir: PathBuf,
    queues: Mutex<HashMap<Uuid, Queue>>,
}

#[derive(Debug, Clone, Default)]
struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    wanted: CancellationToken,
}

/// Nobody else works on the upload meanwhile.
#[derive(Debug)]
pub(super) struct Turn {
    _turn: OwnedMutexGuard<()>,
    wanted: CancellationToken,
}

impl Turn {
    /// Returns when somebody else wants it.
    pub(super) async fn wanted(&self) {
        self.wanted.cancelled().await;
    }
}

impl Drafts {
    /// Opens or makes the folder; what is in it goes on.
    pub(in crate::storage) fn open(dir: &Path) -> io::Result<Self> {
        let dir = dir.join("resumable");
        std::fs::create_dir_all(&dir)?;
        Ok(Self { dir, queues: Mutex::default() })
    }

    /// Removes what has expired.
    pub(super) async fn sweep(&self, now: DateTime<Utc>) -> io::Result<()> {
        let mut entries = fs::read_dir(&self.dir).await?;
        while let Some(entry) = entries.next_entry().await? {
            let path = entry.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            let version = stem.filter(|_| path.extension().is_some_and(|ending| ending == "json"));
            if let Some(version) = version
                && let Some((draft, _)) = self.read(version).await?
                && draft.is_expired(now)
            {
                self.remove(version).await;
            }
        }
        Ok(())
    }

    /// Asks whoever works on an upload to leave, and waits for it.
    pub(super) async fn take(&self, version: Uuid) -> Turn {
        let wanted = CancellationToken::new();
        let turn = {
            let mut queues = self.lock();
            let queue = queues.entry(version).or_default();
            std::mem::replace(&mut queue.wanted, wanted.clone()).cancel();
            queue.turn.clone()
        };
        Turn { _turn: turn.lock_owned().await, wanted }
    }

    /// An upload and how far it is.
    pub(super) async fn read(&self, version: Uuid) -> io::Result<Option<(Draft, u64)>> {
        let said = match fs::read(self.said(version)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            said => said?,
        };
        // Written whole or not at all: what can not be read is none of ours.
        let Ok(draft) = serde_json::from_slice::<Draft>(&said) else { return Ok(None) };
        let offset = match (draft.done, draft.length) {
            (true, Some(length)) => length,
            (true, None) | (false, _) => match fs::metadata(self.bytes(version)).await {
                Err(error) if error.kind() == ErrorKind::NotFound => 0,
                metadata => metadata?.len(),
            },
        };
        Ok(Some((draft, offset)))
    }

    pub(super) async fn write(&self, draft: &Draft) -> io::Result<()> {
        let (said, fresh) = (self.said(draft.version), self.dir.join(format!("{}.new", draft.version)));
        fs::write(&fresh, serde_json::to_vec(draft)?).await?;
        fs::rename(fresh, said).await?;
        if !draft.done {
            self.append(draft.version).await?;
        }
        Ok(())
    }

    pub(super) async fn append(&self, version: Uuid) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.bytes(version)).await
    }

    pub(super) async fn remove(&self, version: Uuid) {
        // What can not go now goes with the next sweep, or with the project.
        let _ = fs::remove_file(self.bytes(version)).await;
        let _ = fs::remove_file(self.said(version)).await;
        self.lock().remove(&version);
    }

    pub(super) fn bytes(&self, version: Uuid) -> PathBuf {
        self.dir.join(version.to_string())
    }

    fn said(&self, version: Uuid) -> PathBuf {
        self.dir.join(format!("{version}.json"))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn an_upload_goes_on_after_a_restart_until_it_has_expired() {
        let dir = tempfile::tempdir().unwrap();
        let draft = Draft::new("bucketName Yg==,objectName YQ==", Some(3), Utc::now()).unwrap();
        let drafts = Drafts::open(dir.path()).unwrap();
        drafts.write(&draft).await.unwrap();
        let mut bytes = drafts.append(draft.version).await.unwrap();
        bytes.write_all(b"te").await.unwrap();
        bytes.flush().await.unwrap();
        let drafts = Drafts::open(dir.path()).unwrap();
        assert_eq!(drafts.read(draft.version).await.unwrap(), Some((draft.clone(), 2)));
        drafts.sweep(Utc::now()).await.unwrap();
        assert!(drafts.read(draft.version).await.unwrap().is_some());
        drafts.sweep(Utc::now() + chrono::TimeDelta::hours(24)).await.unwrap();
        assert_eq!(drafts.read(draft.version).await.unwrap(), None);
    }

    #[tokio::test]
    async fn who_comes_later_takes_the_turn() {
        let dir = tempfile::tempdir().unwrap();
        let drafts = Drafts::open(dir.path()).unwrap();
        let version = Uuid::new_v4();
        let first = drafts.take(version).await;
        let (second, ()) = tokio::join!(drafts.take(version), async {
            first.wanted().await;
            drop(first);
        });
        assert!(!second.wanted.is_cancelled());
    }
}
