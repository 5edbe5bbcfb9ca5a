//! What Storage says of objects.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// An object, as Storage describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// The id of its row.
    pub id: Uuid,
    /// Its name in the bucket.
    pub name: String,
    /// Another one each time its bytes are replaced.
    #[serde(default)]
    pub version: Option<String>,
    /// How many bytes it has.
    #[serde(default)]
    pub size: Option<u64>,
    /// What it is.
    #[serde(default)]
    pub content_type: Option<String>,
    /// How long others may keep it, as the header says it.
    #[serde(default)]
    pub cache_control: Option<String>,
    /// The mark of its bytes.
    #[serde(default)]
    pub etag: Option<String>,
    /// What who uploaded it said of it.
    #[serde(default)]
    pub metadata: Option<Value>,
    /// When it was last changed, RFC 3339.
    #[serde(default)]
    pub last_modified: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
}

/// What stands in a list: an object, or a folder, which is but the beginning of names.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Its name within what was listed.
    pub name: String,
    /// The id of its row; a folder has none.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// When it was last changed, RFC 3339.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// What is known of its bytes.
    #[serde(default)]
    pub metadata: Option<FileMetadata>,
}

/// What is known of an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileMetadata {
    /// How many there are.
    #[serde(default)]
    pub size: Option<u64>,
    /// What they are.
    #[serde(default)]
    pub mimetype: Option<String>,
    /// Their mark.
    #[serde(default, rename = "eTag")]
    pub etag: Option<String>,
    /// How long others may keep them, as the header says it.
    #[serde(default)]
    pub cache_control: Option<String>,
}

/// An object that was put there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// The id of its row; an upload to a signed address does not say, nor one in pieces.
    pub id: Option<Uuid>,
    /// Its name in the bucket.
    pub path: String,
}

impl Entry {
    /// True for a folder.
    pub fn is_folder(&self) -> bool {
        self.id.is_none()
    }
}
