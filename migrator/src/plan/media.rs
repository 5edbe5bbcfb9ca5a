//! The files of a plan: pictures and the like that lay in records, each once, on disk where they are many.

use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};

use crate::pointer::Pointer;
use crate::scratch::Scratch;

/// A file that goes to Storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The bucket.
    pub bucket: String,
    /// Its name there.
    pub path: String,
    /// Its type.
    pub kind: String,
    /// The record it was first found in.
    pub at: Pointer,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The files of a plan. Of those with one name there is one.
#[derive(Debug, Default)]
pub struct MediaFiles {
    bytes: Scratch,
    seen: HashSet<(String, String)>,
    files: Vec<(Media, u64, usize)>,
}

impl MediaFiles {
    /// Takes one more, unless it is there.
    pub(super) fn push(&mut self, mut file: Media) -> io::Result<()> {
        if !self.seen.insert((file.bucket.clone(), file.path.clone())) {
            return Ok(());
        }
        let bytes = std::mem::take(&mut file.bytes);
        self.files.push((file, self.bytes.len(), bytes.len()));
        self.bytes.write_all(&bytes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// One after the other, each with its bytes.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<Media>> {
        self.files.iter().map(|(file, at, length)| {
            let mut bytes = vec![0; *length];
            self.bytes.reader(*at).read_exact(&mut bytes)?;
            Ok(Media { bytes, ..file.clone() })
        })
    }
}
