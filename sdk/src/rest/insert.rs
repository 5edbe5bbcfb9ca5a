//! Adding rows, and setting those that are there.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::rest::table::names;
use crate::rest::{PREFER, Rows};
use crate::transport::Request;

/// Rows to be added. All of one `Insert` are one statement: all of them or none.
pub struct Insert<R> {
    client: Client,
    request: Result<Request, Error>,
    of: PhantomData<fn() -> R>,
}

impl<R> Insert<R> {
    pub(super) fn new(client: Client, request: Result<Request, Error>) -> Self {
        Self { client, request, of: PhantomData }
    }

    /// Names the columns that are sent. Columns a row leaves out take their default.
    #[must_use]
    pub fn columns<N: AsRef<str>>(self, columns: &[N]) -> Self {
        let names = names(columns);
        self.with(|request| request.query("columns", names).header(PREFER, "missing=default"))
    }

    /// Meets existing rows on these columns instead of the primary key.
    #[must_use]
    pub fn on_conflict<N: AsRef<str>>(self, columns: &[N]) -> Self {
        let names = names(columns);
        self.with(|request| {
            let mut request = request;
            request.query.retain(|(name, _)| name != "on_conflict");
            Ok(request.query("on_conflict", names))
        })
    }

    pub(super) fn merging(self, key: &[&str]) -> Self {
        let insert = self.with(|request| request.header(PREFER, "resolution=merge-duplicates"));
        if key.is_empty() { insert } else { insert.on_conflict(key) }
    }

    /// Answers with the rows as they are now.
    #[must_use]
    pub fn returning(self) -> Returning<R> {
        Returning(self.with(|request| Ok(request.query("select", "*"))))
    }

    /// What would be sent.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] when a row cannot be written as JSON.
    pub fn request(self) -> Result<Request, Error> {
        self.request?.header(PREFER, "return=minimal")
    }

    /// Sends the rows, and asks for nothing back.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when a row is there already, `Forbidden` when a policy refuses one,
    /// `Invalid` when a value does not fit. Nothing is written then.
    pub async fn send(self) -> Result<(), Error> {
        let client = self.client.clone();
        client.send(self.request()?).await?.accepted().map(drop)
    }

    fn with(mut self, change: impl FnOnce(Request) -> Result<Request, Error>) -> Self {
        self.request = self.request.and_then(change);
        self
    }
}

impl<R> fmt::Debug for Insert<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Insert").field("request", &self.request).finish()
    }
}

/// An insert that answers with rows. From [`Insert::returning`].
#[derive(Debug)]
pub struct Returning<R>(Insert<R>);

impl<R> Returning<R> {
    /// What would be sent.
    ///
    /// # Errors
    /// As [`Insert::request`].
    pub fn request(self) -> Result<Request, Error> {
        self.0.request?.header(PREFER, "return=representation")
    }

    /// Sends the rows, and reads what became of them.
    ///
    /// # Errors
    /// As [`Insert::send`].
    pub async fn fetch(self) -> Result<Rows<R>, Error>
    where
        R: DeserializeOwned,
    {
        let client = self.0.client.clone();
        Rows::read(&client.send(self.request()?).await?.accepted()?)
    }
}
