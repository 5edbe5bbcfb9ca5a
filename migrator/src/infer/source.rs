//! The one place that walks an export: everything else of the inference sees places.

use super::stats::Place;
use crate::export::{Encoding, Export, Repairs};

/// A file that was read, and what stands where in it.
#[derive(Debug)]
pub(crate) struct Read {
    /// The name it was given.
    pub(crate) file: String,
    pub(crate) bytes: usize,
    pub(crate) encoding: Encoding,
    pub(crate) repairs: Repairs,
    /// Where values lie that look like JSON and are not, and why.
    pub(crate) broken: Vec<(String, String)>,
    /// The document.
    pub(crate) root: Place,
}

/// Reads every value of an export once.
pub(crate) fn read(export: &Export) -> Read {
    let mut root = Place::default();
    root.take(&export.document);
    let broken = export.broken.iter().map(|broken| (broken.at.to_string(), broken.reason.clone()));
    Read {
        file: export.file.clone(),
        bytes: export.bytes,
        encoding: export.encoding,
        repairs: export.repairs,
        broken: broken.collect(),
        root,
    }
}

impl Read {
    /// The file's name without its folder and its ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.file.rsplit(['/', '\\']).next().unwrap_or_default();
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }
}
