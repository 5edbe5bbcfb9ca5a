//! Edge: where uploads that are under way are remembered from one run to the next.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::auth::private;
use crate::error::{Error, ErrorKind};

/// Where uploads that are under way are remembered. Its methods may block: they are called where that disturbs
/// nobody.
///
/// `mark` is 64 hexadecimal digits that stand for one upload: where it goes, as what, and its bytes. `place` is
/// what the server calls it, a line of text.
pub trait ResumeStore: Send + Sync + fmt::Debug {
    /// The place of this upload, where one is remembered.
    ///
    /// # Errors
    /// When what is there cannot be read.
    fn load(&self, mark: &str) -> Result<Option<String>, Error>;

    /// Remembers a place, or forgets it: wholly or not at all, and to stay.
    ///
    /// # Errors
    /// When it cannot be written; what was there before is still there.
    fn save(&self, mark: &str, place: Option<&str>) -> Result<(), Error>;
}

/// Uploads in a folder, a small file each that only its owner can read. Processes may share it.
///
/// ```no_run
/// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
/// use supabase_sdk::{Body, storage::FileResumes};
/// let backup = Body::file("2026.zip").await?;
/// let upload = client.storage().from("backups").upload("garage/2026.zip", backup).resumable();
/// upload.kept_in(FileResumes::in_folder("/home/zoe/.local/state/garage/uploads")).send().await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct FileResumes {
    folder: PathBuf,
}

impl FileResumes {
    /// Remembers them there. The folder is made when it is not there.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn replace(&self, mark: &str, place: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let next = self.folder.join(format!("{mark}.next"));
        // What a process that died left there.
        gone(fs::remove_file(&next))?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&next)?;
        file.write_all(place.as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, self.folder.join(mark))
    }
}

/// What is not there has gone.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl ResumeStore for FileResumes {
    fn load(&self, mark: &str) -> Result<Option<String>, Error> {
        match fs::read_to_string(self.folder.join(mark)) {
            Ok(place) => Ok(Some(place)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // What is no text is none of ours: the upload begins anew, and writes over it.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(failed("read", error)),
        }
    }

    fn save(&self, mark: &str, place: Option<&str>) -> Result<(), Error> {
        let saved = match place {
            Some(place) => self.replace(mark, place),
            None => gone(fs::remove_file(self.folder.join(mark))),
        };
        saved.map_err(|source| failed("written", source))
    }
}

fn failed(what: &str, source: io::Error) -> Error {
    let message = format!("where uploads are remembered cannot be {what}");
    Error::new(ErrorKind::Config, message).with_source(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_remembered_replaced_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileResumes::in_folder(folder.path().join("deep/down"));
        assert_eq!(store.load("a").unwrap(), None);
        store.save("a", None).unwrap();
        for place in ["1", "2"] {
            store.save("a", Some(place)).unwrap();
            assert_eq!(store.load("a").unwrap().as_deref(), Some(place));
        }
        fs::write(folder.path().join("deep/down/a.next"), "half").unwrap();
        store.save("a", Some("3")).unwrap();
        assert_eq!((store.load("a").unwrap().as_deref(), store.load("b").unwrap()), (Some("3"), None));
        store.save("a", None).unwrap();
        assert_eq!(store.load("a").unwrap(), None);
        fs::write(folder.path().join("deep/down/a"), [0xff]).unwrap();
        assert_eq!(store.load("a").unwrap(), None);
        let nowhere = FileResumes::in_folder(folder.path().join("deep/down/a"));
        assert_eq!(nowhere.save("b", Some("1")).unwrap_err().kind(), ErrorKind::Config);
    }
}
