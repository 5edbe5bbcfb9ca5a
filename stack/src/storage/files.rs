//! The bytes of one project: a file for each version of an object, which never changes.
//!
//! A version is written under another name, and gets its own when all of it is there. Its row comes
//! after it and goes before it, so a row never waits for bytes. What a crash leaves without a row is
//! swept at the next start.
//!
//! Not here: which version an object has (`store`).

use std::{
    collections::HashSet,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use md5::{Digest as _, Md5};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
};
use uuid::Uuid;

use crate::place::Lifetime;

/// Where the bytes of one project lie.
#[derive(Debug)]
pub(super) struct Files {
    kept: PathBuf,
    incoming: PathBuf,
    lifetime: Lifetime,
}

/// Bytes on their way in; those that are not kept go again.
#[derive(Debug)]
pub(super) struct Incoming {
    path: PathBuf,
    file: File,
    digest: Md5,
    size: u64,
}

/// Bytes that are there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) version: Uuid,
    pub(super) size: u64,
    /// Their MD5, as an entity tag shows it.
    pub(super) etag: String,
}

impl Files {
    /// Opens or makes the folder, without what was on its way in when it was last used.
    pub(super) fn open(dir: &Path, lifetime: Lifetime) -> io::Result<Self> {
        let files = Self { kept: dir.join("objects"), incoming: dir.join("incoming"), lifetime };
        match fs::remove_dir_all(&files.incoming) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(&files.kept)?;
        fs::create_dir_all(&files.incoming)?;
        Ok(files)
    }

    /// Removes what no row speaks of.
    pub(super) fn sweep(&self, known: &HashSet<Uuid>) -> io::Result<()> {
        for entry in fs::read_dir(&self.kept)? {
            let entry = entry?;
            let version = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if version.is_none_or(|version| !known.contains(&version)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    pub(super) async fn receive(&self) -> io::Result<Incoming> {
        let path = self.incoming.join(Uuid::new_v4().to_string());
        let file = File::create_new(&path).await?;
        Ok(Incoming { path, file, digest: Md5::new(), size: 0 })
    }

    /// Keeps what came in, whole and, where the place outlives the stack, through a power cut.
    pub(super) async fn keep(&self, mut incoming: Incoming) -> io::Result<Kept> {
        incoming.file.flush().await?;
        let version = Uuid::new_v4();
        match self.lifetime {
            Lifetime::Kept => {
                incoming.file.sync_all().await?;
                tokio::fs::rename(&incoming.path, self.path(version)).await?;
                File::open(&self.kept).await?.sync_all().await?;
            }
            Lifetime::Ephemeral => tokio::fs::rename(&incoming.path, self.path(version)).await?,
        }
        let digest = std::mem::take(&mut incoming.digest).finalize();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Kept { version, size: incoming.size, etag: format!("\"{hex}\"") })
    }

    /// Keeps bytes that came in elsewhere, piece by piece.
    pub(super) async fn adopt(&self, from: &Path) -> io::Result<Kept> {
        let mut incoming = Incoming {
            path: from.to_owned(),
            file: OpenOptions::new().read(true).write(true).open(from).await?,
            digest: Md5::new(),
            size: 0,
        };
        let mut chunk = vec![0; 64 << 10];
        loop {
            let read = incoming.file.read(&mut chunk).await?;
            if read == 0 {
                return self.keep(incoming).await;
            }
            incoming.digest.update(&chunk[..read]);
            incoming.size += read as u64;
        }
    }

    /// Opens a version; `None` if it is there no more.
    pub(super) async fn read(&self, version: Uuid) -> io::Result<Option<File>> {
        match File::open(self.path(version)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Copies a version to another; `None` if it is there no more.
    pub(super) async fn copy(&self, version: Uuid) -> io::Result<Option<Uuid>> {
        let Some(mut from) = self.read(version).await? else { return Ok(None) };
        let mut to = self.receive().await?;
        copy(&mut from, &mut to.file).await?;
        Ok(Some(self.keep(to).await?.version))
    }

    /// Removes versions; what can not go now goes at the next start.
    pub(super) async fn remove(&self, versions: impl IntoIterator<Item = Uuid>) {
        for version in versions {
            let _ = tokio::fs::remove_file(self.path(version)).await;
        }
    }

    fn path(&self, version: Uuid) -> PathBuf {
        self.kept.join(version.to_string())
    }
}

impl Incoming {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).await
    }
}

/// Once it is kept, nothing lies under this name any more.
impl Drop for Incoming {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kept(files: &Files, bytes: &[u8]) -> Kept {
        let mut incoming = files.receive().await.unwrap();
        incoming.write(bytes).await.unwrap();
        files.keep(incoming).await.unwrap()
    }

    fn count(dir: &Path) -> usize {
        fs::read_dir(dir).unwrap().count()
    }

    #[tokio::test]
    async fn what_is_kept_is_read_back_and_what_is_dropped_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(dir.path(), Lifetime::Kept).unwrap();
        let kept = kept(&files, b"tea").await;
        assert_eq!((kept.size, kept.etag.as_str()), (3, "\"7239ea2b5dc943f61f3c0a0276c20974\""));
        let copied = files.copy(kept.version).await.unwrap().unwrap();
        assert_eq!(fs::read(files.path(copied)).unwrap(), b"tea");
        drop(files.receive().await.unwrap());
        assert_eq!((count(&files.kept), count(&files.incoming)), (2, 0));
        files.remove([kept.version, copied]).await;
        assert!(files.read(copied).await.unwrap().is_none() && files.copy(copied).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_a_crash_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(dir.path(), Lifetime::Ephemeral).unwrap();
        let (known, orphan) = (kept(&files, b"1").await, kept(&files, b"2").await);
        std::mem::forget(files.receive().await.unwrap());
        let files = Files::open(dir.path(), Lifetime::Ephemeral).unwrap();
        files.sweep(&HashSet::from([known.version])).unwrap();
        assert_eq!((count(&files.kept), count(&files.incoming)), (1, 0));
        assert!(files.read(orphan.version).await.unwrap().is_none());
    }
}
