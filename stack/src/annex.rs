//! An annex: where the database of a place lies when the server's user cannot enter the place.
//!
//! `pg` in the place is a link into the annex, and a marker in the annex names the place. A
//! place that was moved takes its annex along. The copy of a place links to the same annex,
//! which stays with the original for as long as that links there as well. Whoever uses an
//! annex has it locked, so there is one at a time whatever the marker says.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::place::{PlaceError, make_dir, write_private};

/// The path of the place.
const MARKER: &str = "supabase-stack.place";

/// A place's directory elsewhere, locked.
#[derive(Debug)]
pub(crate) struct Annex {
    dir: PathBuf,
    _lock: File,
}

impl Annex {
    /// Opens the annex a place links to; `None` if it links to none.
    pub(crate) fn open(place: &Path) -> Result<Option<Self>, PlaceError> {
        linked(place).map(|dir| Self::claim(place, dir)).transpose()
    }

    /// Makes one below this directory, for a place that has no database yet.
    pub(crate) fn make(place: &Path, parent: &Path) -> Result<Self, PlaceError> {
        let dir = parent.join(Uuid::new_v4().simple().to_string());
        DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(parent)
            .and_then(|()| make_dir(&dir))
            .and_then(|()| sign(&dir, place))
            .and_then(|()| symlink(dir.join("pg"), place.join("pg")))
            .map_err(PlaceError::io("create", &dir))?;
        Self::claim(place, dir)
    }

    /// Where `pg` lies.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn claim(place: &Path, dir: PathBuf) -> Result<Self, PlaceError> {
        if !dir.is_dir() {
            return Err(PlaceError::DatabaseGone(place.join("pg")));
        }
        let lock = File::open(&dir).map_err(PlaceError::io("open", &dir))?;
        let original = match lock.try_lock() {
            Ok(()) => named(&dir).filter(|named| has_another(named, place, &dir)),
            Err(TryLockError::WouldBlock) => Some(named(&dir).unwrap_or_else(|| dir.clone())),
            Err(TryLockError::Error(error)) => return Err(PlaceError::io("lock", &dir)(error)),
        };
        if let Some(original) = original {
            return Err(PlaceError::Copy { dir: place.to_owned(), original });
        }
        if named(&dir).as_deref() != Some(place) {
            sign(&dir, place).map_err(PlaceError::io("mark", &dir))?;
        }
        Ok(Self { dir, _lock: lock })
    }
}

/// The annex that is this place's and nobody else's, to be deleted with it.
pub(crate) fn of(place: &Path) -> Option<PathBuf> {
    linked(place).filter(|dir| named(dir).as_deref() == Some(place))
}

/// The directory a place links to.
fn linked(place: &Path) -> Option<PathBuf> {
    Some(fs::read_link(place.join("pg")).ok()?.parent()?.to_owned())
}

/// The place an annex names; it may be there no more.
fn named(dir: &Path) -> Option<PathBuf> {
    fs::read(dir.join(MARKER)).ok().map(|path| OsString::from_vec(path).into())
}

/// True if the place that is named has this annex, and is not just another path to ours.
fn has_another(named: &Path, place: &Path, dir: &Path) -> bool {
    linked(named).as_deref() == Some(dir) && named.canonicalize().is_ok_and(|named| named != place)
}

fn sign(dir: &Path, place: &Path) -> io::Result<()> {
    write_private(&dir.join(MARKER), place.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place with an annex of its own, let go of again.
    fn place_with_annex(dir: &Path) -> PathBuf {
        let dir = dir.canonicalize().unwrap();
        let place = dir.join("place");
        fs::create_dir(&place).unwrap();
        Annex::make(&place, &dir.join("annexes")).unwrap();
        place
    }

    fn copy(place: &Path, name: &str) -> PathBuf {
        let copy = place.with_file_name(name);
        fs::create_dir(&copy).unwrap();
        symlink(fs::read_link(place.join("pg")).unwrap(), copy.join("pg")).unwrap();
        copy
    }

    #[track_caller]
    fn assert_is_copy(place: &Path, of: &Path) {
        match Annex::open(place) {
            Err(PlaceError::Copy { original, .. }) => assert_eq!(original, of),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_annex_stays_with_the_original_of_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let place = place_with_annex(dir.path());
        let copy = copy(&place, "copy");
        assert_is_copy(&copy, &place);
        assert_eq!((of(&place), of(&copy)), (linked(&place), None));
        assert!(Annex::open(&place).unwrap().is_some());
    }

    #[test]
    fn an_annex_follows_a_place_that_moves() {
        let dir = tempfile::tempdir().unwrap();
        let place = place_with_annex(dir.path());
        let (first, second) = (copy(&place, "first"), copy(&place, "second"));
        fs::remove_dir_all(&place).unwrap();
        symlink(&first, &place).unwrap(); // the old path may go on leading there
        assert!(Annex::open(&first).unwrap().is_some());
        assert_is_copy(&second, &first);
    }

    #[test]
    fn an_annex_is_used_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let place = place_with_annex(dir.path());
        let copy = copy(&place, "copy");
        let _used = Annex::open(&place).unwrap();
        fs::rename(&place, place.with_file_name("moved")).unwrap();
        assert_is_copy(&copy, &place);
    }

    #[test]
    fn a_place_without_an_annex_has_none() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Annex::open(dir.path()).unwrap().is_none());
        symlink(dir.path().join("gone/pg"), dir.path().join("pg")).unwrap();
        assert!(matches!(Annex::open(dir.path()), Err(PlaceError::DatabaseGone(_))));
    }
}
