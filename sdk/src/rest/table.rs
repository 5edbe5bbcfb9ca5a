//! A table and its columns, as types.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use http::Method;
use http::header::HeaderName;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::rest::filter::quoted_name;
use crate::rest::{Insert, Select};
use crate::transport::Request;

/// A row of a known table.
pub trait Row: Serialize + DeserializeOwned {
    /// The table's name.
    const TABLE: &'static str;
    /// The columns the row is made of: what a select asks for and an insert sends.
    const COLUMNS: &'static [&'static str];
    /// The columns of the primary key: what an upsert meets on.
    const KEY: &'static [&'static str];
}

/// A column of the table whose row is `R`, holding `T` or null.
///
/// ```compile_fail
/// # use supabase_sdk::Column;
/// # struct Note;
/// const ARCHIVED: Column<Note, bool> = Column::new("archived");
/// let _ = ARCHIVED.eq("no");        // a bool column does not compare with text
/// ```
pub struct Column<R, T> {
    name: &'static str,
    of: PhantomData<fn() -> (R, T)>,
}

impl<R, T> Column<R, T> {
    /// Names a column.
    pub const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<R, T> Clone for Column<R, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T> Copy for Column<R, T> {}

impl<R, T> fmt::Debug for Column<R, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Column({})", self.name)
    }
}

/// A table seen by a client. From [`Client::table`] or [`Client::from`].
pub struct Table<R> {
    client: Client,
    name: Cow<'static, str>,
    /// `None` where the row is not modelled: all columns.
    columns: Option<&'static [&'static str]>,
    key: &'static [&'static str],
    of: PhantomData<fn() -> R>,
}

impl<R: Row> Table<R> {
    pub(crate) fn typed(client: Client) -> Self {
        Self {
            client,
            name: Cow::Borrowed(R::TABLE),
            columns: Some(R::COLUMNS),
            key: R::KEY,
            of: PhantomData,
        }
    }
}

impl<R> Table<R> {
    pub(crate) fn named(client: Client, name: String) -> Self {
        Self { client, name: Cow::Owned(name), columns: None, key: &[], of: PhantomData }
    }

    /// Reads rows.
    #[must_use]
    pub fn select(&self) -> Select<R> {
        let columns = match self.columns {
            Some(columns) => names(columns),
            None => "*".to_owned(),
        };
        Select::new(self.client.clone(), self.request(Method::GET), columns)
    }

    /// Adds rows. One that is there already is a conflict.
    #[must_use]
    pub fn insert(&self, rows: &[R]) -> Insert<R>
    where
        R: Serialize,
    {
        self.insert_as(rows)
    }

    /// Adds rows written as another type than they are read as: a patch of columns, borrowed rows.
    #[must_use]
    pub fn insert_as<S: Serialize>(&self, rows: &[S]) -> Insert<R> {
        let insert = Insert::new(
            self.client.clone(),
            self.request(Method::POST).and_then(|request| request.json(rows)),
        );
        match self.columns {
            Some(columns) => insert.columns(columns),
            None => insert,
        }
    }

    /// Adds rows, and sets the columns sent of those whose key is there already.
    #[must_use]
    pub fn upsert(&self, rows: &[R]) -> Insert<R>
    where
        R: Serialize,
    {
        self.upsert_as(rows)
    }

    /// As [`Table::upsert`], for rows written as another type than they are read as.
    #[must_use]
    pub fn upsert_as<S: Serialize>(&self, rows: &[S]) -> Insert<R> {
        self.insert_as(rows).merging(self.key)
    }

    fn request(&self, method: Method) -> Result<Request, Error> {
        let path: String =
            percent_encoding::utf8_percent_encode(&self.name, percent_encoding::NON_ALPHANUMERIC)
                .map(|piece| if piece == "%5F" { "_" } else { piece })
                .collect();
        let profile = match method {
            Method::GET | Method::HEAD => HeaderName::from_static("accept-profile"),
            _ => HeaderName::from_static("content-profile"),
        };
        Request::new(method, format!("/rest/v1/{path}")).header(profile, self.client.schema())
    }
}

/// Names as a list PostgREST reads: quoted where they are not plain.
pub(super) fn names<N: AsRef<str>>(names: &[N]) -> String {
    names.iter().map(|name| quoted_name(name.as_ref())).collect::<Vec<_>>().join(",")
}

impl<R> fmt::Debug for Table<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Table({})", self.name)
    }
}
