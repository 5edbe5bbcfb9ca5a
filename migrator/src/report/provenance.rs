//! What a run was made of.

use serde::Serialize;

use crate::export::{Document, Export};

/// What was read.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The file's name; of several, the first one's.
    pub path: String,
    /// The size of all files.
    pub bytes: u64,
    /// How the file's characters were spelt; of several, the first one's.
    pub encoding: &'static str,
    /// The shape it was recognised by.
    pub shape: String,
    /// Every file.
    pub files: Vec<SourceFile>,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceFile {
    /// Its name.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes, as `sha256sum` prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Where a mapping came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MappingFile {
    /// Its file; none for one that comes with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The BLAKE3 hash of its text, in hexadecimal.
    pub blake3: String,
}

/// Which way rows reach the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The project's REST address.
    Rest,
    /// A connection to its database.
    Sql,
}

impl Source {
    /// The files of an export.
    pub(super) fn of(export: &Export, shape: &str) -> Self {
        let file = |document: &Document| SourceFile {
            path: document.file.clone(),
            bytes: document.bytes,
            sha256: Some(document.sha256.clone()),
        };
        let first = export.documents.first();
        Self {
            path: first.map(|document| document.file.clone()).unwrap_or_default(),
            bytes: export.documents.iter().map(|document| document.bytes).sum(),
            encoding: first.map_or("", |document| document.encoding.name()),
            shape: shape.to_owned(),
            files: export.documents.iter().map(file).collect(),
        }
    }
}

/// An e-mail address of which only its owner recognises the name.
///
/// ```
/// assert_eq!(migrator::report::masked("patron@garage.fr"), "p•••@garage.fr");
/// assert_eq!(migrator::report::masked("no address"), "•••");
/// ```
pub fn masked(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((name, host)) => format!("{}•••@{host}", name.chars().next().unwrap_or('•')),
        None => "•••".to_owned(),
    }
}
