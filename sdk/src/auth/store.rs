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
use std::sync::Arc;

use crate::auth::Session;
use crate::error::{Error, ErrorKind};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

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
/// processes. It may be sealed besides, so that a copy of the file in a backup is worth nothing.
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
    seal: Option<Seal>,
}

impl FileStore {
    /// Keeps the session in this file. Its folder is made when it is not there, and beside it lie a lock and,
    /// for a moment, the next session.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), seal: None }
    }

    /// The same, sealed with a key that is kept elsewhere (AES-256-GCM).
    pub fn sealed(path: impl Into<PathBuf>, key: &[u8; 32]) -> Self {
        Self { path: path.into(), seal: Some(Seal(Arc::new(*key))) }
    }

    /// The same, sealed with a key in the person's keyring: Keychain, Credential Manager or Secret Service. It is
    /// made when it is not there. `service` is the app's name in the keyring. The session itself may be longer
    /// than some keyrings take, and so lies in the file.
    ///
    /// This waits while the keyring asks the person to open it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when there is no keyring or it stays shut.
    #[cfg(feature = "keyring")]
    pub fn in_keyring(path: impl Into<PathBuf>, service: &str) -> Result<Self, Error> {
        let file = Self::at(path);
        // Of two processes that find no key, one makes it.
        let _held = file.lock()?;
        let key = keyring::key_of(service)?;
        Ok(Self { seal: Some(Seal(Arc::new(key))), ..file })
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
        // What a process that died left there, or somebody else laid there for others to read.
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&next)?;
        let text = session.expose().into_bytes();
        file.write_all(&match &self.seal {
            Some(seal) => seal.close(text).ok_or_else(|| io::Error::other("it cannot be sealed"))?,
            None => text,
        })?;
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
        let opened = match &self.seal {
            Some(seal) => seal.open(text),
            None => Some(text),
        };
        let kept = opened.and_then(|text| Session::read(&text).ok()).ok_or_else(|| {
            let sealed = if self.seal.is_some() { ", or sealed with another key" } else { "" };
            let message = format!(
                "the session's file {} is not one of ours{sealed}; remove it to sign in again",
                self.path.display()
            );
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(Some(kept))
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

/// The key a file is sealed with.
#[derive(Clone)]
struct Seal(Arc<[u8; 32]>);

impl Seal {
    /// What the key is for: nothing else that it may seal is read as a session.
    const PURPOSE: &[u8] = b"supabase session";

    fn key(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice()).ok()
    }

    /// A number that is used once, and then the text, sealed.
    fn close(&self, mut text: Vec<u8>) -> Option<Vec<u8>> {
        let nonce = self.key()?.seal_in_place_append_tag(Aad::from(Self::PURPOSE), &mut text).ok()?;
        Some([nonce.as_ref().as_slice(), &text].concat())
    }

    fn open(&self, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        Some(self.key()?.open_in_place(nonce, Aad::from(Self::PURPOSE), text).ok()?.to_vec())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Seal(hidden)")
    }
}

#[cfg(feature = "keyring")]
mod keyring {
    use super::{Error, ErrorKind};

    /// The key of an app in the person's keyring, made when it is not there.
    pub(super) fn key_of(service: &str) -> Result<[u8; 32], Error> {
        // What a keyring says of itself may name other secrets, so it is the cause and not the message.
        let failed = |source: ::keyring::Error| {
            Error::new(ErrorKind::Config, "the keyring cannot be used").with_source(source)
        };
        let entry = ::keyring::Entry::new(service, "session key").map_err(failed)?;
        match entry.get_secret() {
            Ok(key) => key.try_into().map_err(|_| {
                let message = format!("the keyring's entry \"session key\" of {service} is not one of ours");
                Error::new(ErrorKind::Config, message)
            }),
            Err(::keyring::Error::NoEntry) => {
                let mut key = [0; 32];
                aws_lc_rs::rand::fill(&mut key).map_err(|source| {
                    Error::new(ErrorKind::Config, "no key can be made").with_source(source)
                })?;
                entry.set_secret(&key).map_err(failed)?;
                Ok(key)
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// A file that nobody but its owner can read, from its first moment on.
#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

/// Where a user's files are theirs alone by where they lie.
#[cfg(not(unix))]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
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
    use crate::auth::{Token, User};

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
        // What somebody else laid there is not written into.
        fs::write(store.beside(".next"), "").unwrap();
        store.save(Some(&session("c"))).unwrap();
        assert_eq!(store.load().unwrap(), Some(session("c")));
        #[cfg(unix)]
        assert!(!others_may_read(&store.path));
        store.save(None).unwrap();
        store.save(None).unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn a_sealed_file_shows_nothing_and_opens_with_its_own_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.json");
        let store = FileStore::sealed(&path, &[7; 32]);
        store.save(Some(&session("S3CRET"))).unwrap();
        assert_eq!(store.load().unwrap(), Some(session("S3CRET")));
        let lies = fs::read(&path).unwrap();
        assert!(
            !String::from_utf8_lossy(&lies).contains("S3CRET")
                && format!("{store:?}").contains("Seal(hidden)")
        );
        store.save(Some(&session("S3CRET"))).unwrap();
        assert_ne!(fs::read(&path).unwrap(), lies, "a number that is used once");
        for other in [FileStore::sealed(&path, &[8; 32]), FileStore::at(&path)] {
            assert_eq!(other.load().unwrap_err().kind(), ErrorKind::Config);
        }
        for at in 0..lies.len() {
            let mut turned = lies.clone();
            turned[at] ^= 1;
            fs::write(&path, turned).unwrap();
            assert_eq!(store.load().unwrap_err().kind(), ErrorKind::Config);
            fs::write(&path, &lies[..at]).unwrap();
            assert!(store.load().is_err());
        }
        // Whoever signs in again is not held up by what is there.
        store.save(Some(&session("b"))).unwrap();
        assert_eq!(store.load().unwrap(), Some(session("b")));
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
