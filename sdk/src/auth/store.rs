//! Edge: where a session is kept from one run to the next.
//!
//! A store belongs to whoever holds its lock, in this process or another. A renewal takes the lock, reads
//! what is there, and writes the new session before anybody uses it. So two processes on one file never
//! use one refresh token twice, and a process that dies between the server's answer and the write leaves
//! the old token there, which the server still answers with its successor.

use std::any::Any;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::auth::{Session, Token, User};
use crate::error::{Error, ErrorKind};

/// Where a session is kept. Its methods may block: they are called where that disturbs nobody.
pub trait SessionStore: Send + Sync + fmt::Debug {
    /// Takes the store, across processes, until the answer is dropped; waits while somebody else has it.
    ///
    /// # Errors
    /// When the store cannot be taken at all.
    fn lock(&self) -> Result<StoreLock, Error>;

    /// The session that is there.
    ///
    /// # Errors
    /// When what is there cannot be read.
    fn load(&self) -> Result<Option<Session>, Error>;

    /// Puts a session there, or takes away what is there: wholly or not at all, and to stay.
    ///
    /// # Errors
    /// When it cannot be written; what was there before is still there.
    fn save(&self, session: Option<&Session>) -> Result<(), Error>;
}

/// A store that is taken, until this is dropped.
pub type StoreLock = Box<dyn Any + Send>;

/// A session in a file that only its owner can read, replaced in one step, and safe to share between
/// processes.
///
/// ```no_run
/// # fn run() -> Result<(), supabase_sdk::Error> {
/// use supabase_sdk::{Client, FileStore};
/// let client = Client::builder("https://abc.supabase.co", "sb_publishable_abc")
///     .session_store(FileStore::at("/home/zoe/.local/state/garage/session.json"))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    /// Keeps the session in this file. Its folder is made when it is not there, and beside it lie a lock and,
    /// for a moment, the next session.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        self.path.with_file_name(name)
    }

    fn failed(&self, what: &str, source: io::Error) -> Error {
        let message = format!("the session's file {} cannot be {what}", self.path.display());
        Error::new(ErrorKind::Config, message).with_source(source)
    }

    fn replace(&self, session: &Session) -> io::Result<()> {
        let next = self.beside(".next");
        let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&next)?;
        file.write_all(&serde_json::to_vec(&Kept::from(session))?)?;
        file.sync_all()?;
        fs::rename(&next, &self.path)?;
        self.settle()
    }

    /// Makes a new or a removed name last: it is the folder's to remember.
    fn settle(&self) -> io::Result<()> {
        match self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }
}

impl SessionStore for FileStore {
    fn lock(&self) -> Result<StoreLock, Error> {
        let lock = || {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let lock = private(OpenOptions::new().write(true).create(true)).open(self.beside(".lock"))?;
            lock.lock()?;
            Ok(lock)
        };
        lock().map(|lock| Box::new(lock) as StoreLock).map_err(|source| self.failed("locked", source))
    }

    fn load(&self) -> Result<Option<Session>, Error> {
        let mut text = Vec::new();
        match File::open(&self.path).and_then(|mut file| file.read_to_end(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("read", error)),
        }
        let kept: Kept = serde_json::from_slice(&text).map_err(|_| {
            let message = format!(
                "the session's file {} is not one of ours; remove it to sign in again",
                self.path.display()
            );
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(Some(kept.into()))
    }

    fn save(&self, session: Option<&Session>) -> Result<(), Error> {
        let saved = match session {
            Some(session) => self.replace(session),
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => self.settle(),
            },
        };
        saved.map_err(|source| self.failed("written", source))
    }
}

/// A file that nobody but its owner can read, from its first moment on.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

/// Where a user's files are theirs alone by where they lie.
#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A session as it lies in a file.
#[derive(Serialize, Deserialize)]
struct Kept {
    access_token: String,
    refresh_token: String,
    expires_at: u64,
    user: User,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_refresh_token: Option<String>,
}

impl From<&Session> for Kept {
    fn from(session: &Session) -> Self {
        let text = |token: &Token| token.expose().to_owned();
        Self {
            access_token: text(&session.access_token),
            refresh_token: text(&session.refresh_token),
            expires_at: session.expires_at,
            user: session.user.clone(),
            provider_token: session.provider_token.as_ref().map(text),
            provider_refresh_token: session.provider_refresh_token.as_ref().map(text),
        }
    }
}

impl From<Kept> for Session {
    fn from(kept: Kept) -> Self {
        Self {
            access_token: Token::new(kept.access_token),
            refresh_token: Token::new(kept.refresh_token),
            expires_at: kept.expires_at,
            user: kept.user,
            provider_token: kept.provider_token.map(Token::new),
            provider_refresh_token: kept.provider_refresh_token.map(Token::new),
        }
    }
}

/// True for a path whose permissions let somebody else read it; for tests.
#[cfg(all(test, unix))]
fn others_may_read(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(token: &str) -> Session {
        let session = Session::new(Token::new(token), Token::new("r"), 7, User::default());
        Session { provider_token: Some(Token::new("p")), ..session }
    }

    #[test]
    fn a_session_is_kept_replaced_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::at(folder.path().join("deep/down/session.json"));
        let _held = store.lock().unwrap();
        assert_eq!(store.load().unwrap(), None);
        for token in ["a", "b"] {
            store.save(Some(&session(token))).unwrap();
            assert_eq!(store.load().unwrap(), Some(session(token)));
        }
        #[cfg(unix)]
        assert!(!others_may_read(&store.path) && !others_may_read(&store.beside(".lock")));
        store.save(None).unwrap();
        store.save(None).unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn what_is_no_session_is_an_error_that_does_not_repeat_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::at(folder.path().join("session.json"));
        for text in ["", "{", "[]", r#"{"access_token":"S3CRET"}"#] {
            fs::write(&store.path, text).unwrap();
            let error = store.load().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains("S3CRET"));
        }
        let nowhere = FileStore::at(folder.path().join("session.json/below"));
        assert_eq!(nowhere.lock().err().map(|error| error.kind()), Some(ErrorKind::Config));
    }
}
