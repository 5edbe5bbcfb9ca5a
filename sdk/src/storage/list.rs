//! Lists: a folder at a time, or every object whose name begins like that.

use std::collections::VecDeque;

use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::json;

use super::object::Entry;
use super::request;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::transport::Request;

/// What a folder's list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// Its names.
    #[default]
    Name,
    /// When each was last changed.
    UpdatedAt,
    /// When each was made.
    CreatedAt,
}

/// The list of a folder, not yet asked for. From [`Files::list`](super::Files::list).
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `fetch`"]
pub struct List {
    client: Client,
    bucket: String,
    folder: String,
    limit: u32,
    offset: u32,
    search: Option<String>,
    sort: SortBy,
    descending: bool,
}

impl List {
    pub(super) fn new(client: Client, bucket: String, folder: String) -> Self {
        let (limit, offset, search, sort, descending) = (100, 0, None, SortBy::Name, false);
        Self { client, bucket, folder, limit, offset, search, sort, descending }
    }

    /// Gives at most so many; 100 unless told.
    pub fn limit(mut self, entries: u32) -> Self {
        self.limit = entries;
        self
    }

    /// Leaves out so many.
    pub fn offset(mut self, entries: u32) -> Self {
        self.offset = entries;
        self
    }

    /// Gives those whose names begin like that.
    pub fn search(mut self, beginning: impl Into<String>) -> Self {
        self.search = Some(beginning.into());
        self
    }

    /// Sorts by that, the first first.
    pub fn sort_by(mut self, by: SortBy) -> Self {
        self.sort = by;
        self
    }

    /// Turns the order around.
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// What would be sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the bucket's id cannot stand in an address.
    pub fn request(&self) -> Result<Request, Error> {
        let column = match self.sort {
            SortBy::Name => "name",
            SortBy::UpdatedAt => "updated_at",
            SortBy::CreatedAt => "created_at",
        };
        let order = if self.descending { "desc" } else { "asc" };
        let mut body = json!({
            "prefix": self.folder,
            "limit": self.limit,
            "offset": self.offset,
            "sortBy": { "column": column, "order": order },
        });
        if let Some(search) = &self.search {
            body["search"] = json!(search);
        }
        request::question(&format!("/object/list/{}", request::bucket(&self.bucket)?), &body)
    }

    /// Asks for it. Names are those within the folder.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::storage::SortBy;
    /// let photos = client.storage().from("vehicle-photos");
    /// for entry in photos.list("garage/car").sort_by(SortBy::CreatedAt).descending().limit(10).fetch().await? {
    ///     println!("{} {}", entry.name, if entry.is_folder() { "is a folder" } else { "" });
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no answer arrived, or a refusal. What one may not see is not in the list, and no error.
    pub async fn fetch(self) -> Result<Vec<Entry>, Error> {
        self.client.send(self.request()?).await?.accepted()?.json()
    }
}

/// Every object below a beginning of names, not yet asked for. From [`Files::walk`](super::Files::walk).
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `fetch` or `stream`"]
pub struct Walk {
    client: Client,
    bucket: String,
    prefix: String,
    limit: Option<u32>,
    cursor: Option<String>,
    by_folder: bool,
}

/// One page of a walk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WalkPage {
    /// The objects, with their whole names.
    pub objects: Vec<Entry>,
    /// The folders, where folders were asked for; with their whole names and a `/`.
    #[serde(default)]
    pub folders: Vec<Entry>,
    /// Where the next page begins; `None` after the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
    #[serde(default)]
    has_next: bool,
}

impl Walk {
    pub(super) fn new(client: Client, bucket: String, prefix: String) -> Self {
        Self { client, bucket, prefix, limit: None, cursor: None, by_folder: false }
    }

    /// Gives at most so many a page; the server says how many otherwise.
    pub fn page_size(mut self, entries: u32) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Begins where a page ended.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Gives what lies in folders further down as those folders.
    pub fn by_folder(mut self) -> Self {
        self.by_folder = true;
        self
    }

    /// What would be sent for a page.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the bucket's id cannot stand in an address.
    pub fn request(&self) -> Result<Request, Error> {
        let mut body = json!({ "prefix": self.prefix });
        if let Some(limit) = self.limit {
            body["limit"] = json!(limit);
        }
        if let Some(cursor) = &self.cursor {
            body["cursor"] = json!(cursor);
        }
        if self.by_folder {
            body["with_delimiter"] = json!(true);
        }
        request::question(&format!("/object/list-v2/{}", request::bucket(&self.bucket)?), &body)
    }

    /// Asks for one page.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn fetch(&self) -> Result<WalkPage, Error> {
        let mut page: WalkPage = self.client.send(self.request()?).await?.accepted()?.json()?;
        match page.next_cursor.take().filter(|_| page.has_next) {
            None if page.has_next => {
                Err(Error::new(ErrorKind::Protocol, "there is another page, and no way to it"))
            }
            cursor => Ok(WalkPage { next_cursor: cursor, ..page }),
        }
    }

    /// Every object, page after page as they are taken. It ends after the first error.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use futures_util::{TryStreamExt, pin_mut};
    /// let photos = client.storage().from("vehicle-photos");
    /// let all = photos.walk("garage/").stream();
    /// pin_mut!(all);
    /// while let Some(photo) = all.try_next().await? {
    ///     println!("{}", photo.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stream(self) -> impl Stream<Item = Result<Entry, Error>> + Send {
        let begin = (VecDeque::new(), Some(self));
        stream::try_unfold(begin, |(mut ready, mut next): (VecDeque<Entry>, Option<Self>)| async move {
            loop {
                if let Some(entry) = ready.pop_front() {
                    return Ok(Some((entry, (ready, next))));
                }
                let Some(walk) = next else { return Ok(None) };
                let page = walk.fetch().await?;
                ready = page.objects.into();
                next = page.next_cursor.map(|cursor| walk.after(cursor));
            }
        })
    }
}
