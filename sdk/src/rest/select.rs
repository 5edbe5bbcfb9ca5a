//! Reading rows.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::rest::{Filter, Order, PREFER, Rows};
use crate::transport::Request;

/// A question to a table. From [`crate::Table::select`].
pub struct Select<R> {
    client: Client,
    request: Result<Request, Error>,
    columns: String,
    order: Vec<String>,
    of: PhantomData<fn() -> R>,
}

impl<R> Select<R> {
    pub(super) fn new(client: Client, request: Result<Request, Error>, columns: String) -> Self {
        Self { client, request, columns, order: Vec::new(), of: PhantomData }
    }

    /// Asks for other columns, in PostgREST's own words: `id,total::text,lines:repair_lines(*)`.
    #[must_use]
    pub fn columns(mut self, columns: impl Into<String>) -> Self {
        self.columns = columns.into();
        self
    }

    /// Keeps the rows that pass; several filters must all be passed.
    #[must_use]
    pub fn filter(self, filter: Filter<R>) -> Self {
        let (name, value) = filter.pair();
        self.with(|request| Ok(request.query(name, value)))
    }

    /// Sorts; a second order decides where the first leaves rows equal.
    #[must_use]
    pub fn order(mut self, order: Order<R>) -> Self {
        self.order.push(order.render());
        self
    }

    /// Answers with so many rows at most. The server may have a lower limit of its own.
    #[must_use]
    pub fn limit(self, rows: usize) -> Self {
        self.with(|request| Ok(request.query("limit", rows.to_string())))
    }

    /// Skips rows. Rows that change meanwhile shift: to read a whole table, filter by key instead.
    #[must_use]
    pub fn offset(self, rows: usize) -> Self {
        self.with(|request| Ok(request.query("offset", rows.to_string())))
    }

    /// Counts all rows that pass as well: see [`Rows::total`].
    #[must_use]
    pub fn count(self) -> Self {
        self.with(|request| request.header(PREFER, "count=exact"))
    }

    /// What would be sent.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] when a value cannot be written.
    pub fn request(self) -> Result<Request, Error> {
        let mut request = self.request?.query("select", self.columns);
        if !self.order.is_empty() {
            request = request.query("order", self.order.join(","));
        }
        Ok(request)
    }

    /// Asks.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] for an unknown table or column; rows a policy hides are no error.
    pub async fn fetch(self) -> Result<Rows<R>, Error>
    where
        R: DeserializeOwned,
    {
        let client = self.client.clone();
        Rows::read(&client.send(self.request()?).await?.accepted()?)
    }

    fn with(mut self, change: impl FnOnce(Request) -> Result<Request, Error>) -> Self {
        self.request = self.request.and_then(change);
        self
    }
}

impl<R> fmt::Debug for Select<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Select").field("request", &self.request).field("columns", &self.columns).finish()
    }
}
