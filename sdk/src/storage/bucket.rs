//! Buckets: what there is, and what there shall be.

use serde::{Deserialize, Serialize};

/// A bucket, as Storage describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Bucket {
    /// What it is called in addresses and policies.
    pub id: String,
    /// Its name; the same, unless somebody chose otherwise.
    pub name: String,
    /// True if anybody may read an object whose address they know.
    #[serde(default)]
    pub public: bool,
    /// How many bytes an object may have, where that is less than the project's limit.
    #[serde(default)]
    pub file_size_limit: Option<u64>,
    /// What an object may be; anything where there is no list.
    #[serde(default)]
    pub allowed_mime_types: Option<Vec<String>>,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it was last changed, RFC 3339.
    #[serde(default)]
    pub updated_at: Option<String>,
}

/// What a bucket shall be. What is not said has its default when it is made, and stays when it is changed.
///
/// ```
/// use supabase_sdk::storage::BucketOptions;
/// let options = BucketOptions::default().public(false).file_size_limit(5 << 20).allowed_mime_types(["image/*"]);
/// ```
#[derive(Debug, Clone, Default, Serialize)]
pub struct BucketOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size_limit: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_mime_types: Option<Option<Vec<String>>>,
}

/// The same with the bucket's id, as it is sent.
#[derive(Serialize)]
pub(super) struct Named<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    #[serde(flatten)]
    pub(super) options: &'a BucketOptions,
}

impl BucketOptions {
    /// Lets anybody read an object whose address they know, or only those its policies let.
    #[must_use]
    pub fn public(mut self, public: bool) -> Self {
        self.public = Some(public);
        self
    }

    /// Takes no object of more bytes.
    #[must_use]
    pub fn file_size_limit(mut self, bytes: u64) -> Self {
        self.file_size_limit = Some(Some(bytes));
        self
    }

    /// Takes objects as large as the project does.
    #[must_use]
    pub fn any_file_size(mut self) -> Self {
        self.file_size_limit = Some(None);
        self
    }

    /// Takes no object of another type; `image/*` is any image.
    #[must_use]
    pub fn allowed_mime_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.allowed_mime_types = Some(Some(types.into_iter().map(Into::into).collect()));
        self
    }

    /// Takes objects of any type.
    #[must_use]
    pub fn any_mime_type(mut self) -> Self {
        self.allowed_mime_types = Some(None);
        self
    }
}
