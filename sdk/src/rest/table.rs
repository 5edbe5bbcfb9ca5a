//! A table as a client sees it, and the queries that begin there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use http::Method;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::Client;
use crate::rest::draft::{Count, Draft, Missing, on_conflict};
use crate::rest::write::RowKeys;
use crate::rest::{
    Change, Changes, Insert, Insertable, Literal as _, Projection, Row, Select, projection, quote,
};

/// A table seen by a client. From [`Client::table`] or [`Client::from`].
pub struct Table<R> {
    client: Client,
    name: Cow<'static, str>,
    schema: Option<Cow<'static, str>>,
    of: PhantomData<fn() -> R>,
}

impl<R> Table<R> {
    pub(crate) fn named(client: Client, name: String) -> Self {
        Self { client, name: Cow::Owned(name), schema: None, of: PhantomData }
    }

    pub(crate) fn in_schema(mut self, schema: &str) -> Self {
        self.schema = Some(Cow::Owned(schema.to_owned()));
        self
    }

    #[cfg(feature = "realtime")]
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The schema, where it is not the client's.
    #[cfg(feature = "realtime")]
    pub(crate) fn schema_name(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Removes rows; which ones, a filter says.
    pub fn delete(&self) -> Change<R>
    where
        Self: Known,
    {
        Change::new(self.writing(Method::DELETE))
    }

    fn draft(&self, method: Method) -> Draft
    where
        Self: Known,
    {
        let mut draft = Draft::new(self.client.clone(), method, self.name.clone(), self.schema.as_deref());
        draft.key = Self::KEY;
        draft
    }

    fn writing(&self, method: Method) -> Draft
    where
        Self: Known,
    {
        let mut draft = self.draft(method);
        draft.prefer.count = Some(Count::Exact);
        draft.generated = Self::generated();
        draft
    }

    fn inserting(&self, rows: &(impl Serialize + ?Sized)) -> Draft
    where
        Self: Known,
    {
        let mut draft = self.writing(Method::POST);
        draft.set_body(rows);
        draft.name_columns();
        draft
    }

    fn updating(&self, changes: &(impl Serialize + ?Sized)) -> Change<R>
    where
        Self: Known,
    {
        let mut draft = self.writing(Method::PATCH);
        draft.set_body(changes);
        draft.name_columns();
        if draft.body == "{}" {
            draft.fail("the update sets no column");
        }
        Change::new(draft)
    }
}

/// What is known of a table beforehand.
pub trait Known {
    /// Its primary key; empty if unknown.
    const KEY: &'static [&'static str];
    /// Its columns that are never written.
    fn generated() -> Vec<&'static str>;
}

impl<R: Row> Known for Table<R> {
    const KEY: &'static [&'static str] = R::KEY;

    fn generated() -> Vec<&'static str> {
        projection::generated(R::FIELDS).collect()
    }
}

impl Known for Table<Value> {
    const KEY: &'static [&'static str] = &[];

    fn generated() -> Vec<&'static str> {
        Vec::new()
    }
}

/// A table whose rows have a type.
impl<R: Row> Table<R> {
    pub(crate) fn typed(client: Client) -> Self {
        Self { client, name: Cow::Borrowed(R::TABLE), schema: R::SCHEMA.map(Cow::Borrowed), of: PhantomData }
    }

    /// Reads rows.
    pub fn select(&self) -> Select<R> {
        self.select_as()
    }

    /// Reads a part of the rows, or rows with what belongs to them.
    pub fn select_as<P: Projection<Of = R>>(&self) -> Select<R, P> {
        let mut draft = self.draft(Method::GET);
        draft.select_fields(P::FIELDS);
        Select::new(draft)
    }

    /// Adds a row. One that is there already is a conflict.
    pub fn insert(&self, row: &impl Insertable<R>) -> Insert<R> {
        Insert::new(self.inserting(row))
    }

    /// Adds rows, all of them or none. What a row leaves out takes its default.
    pub fn insert_many(&self, rows: &[impl Insertable<R>]) -> Insert<R> {
        Insert::new(self.inserting(rows))
    }

    /// Adds a row; if its key is there already, sets the columns that are sent.
    ///
    /// The database checks the row as if it were new before it looks for the key: columns that must not
    /// be null and have no default have to be sent even if the row is there.
    pub fn upsert(&self, row: &impl Insertable<R>) -> Insert<R> {
        merging(self.inserting(row))
    }

    /// As [`Table::upsert`], for several rows, all of them or none. They must set the same columns;
    /// [`crate::rest::Query::in_pieces`] sends others apart.
    pub fn upsert_many(&self, rows: &[impl Insertable<R>]) -> Insert<R> {
        merging(self.inserting(rows))
    }

    /// Puts a row in its place, whole: adds it, or replaces the one with its key.
    pub fn put(&self, row: &impl Insertable<R>) -> Insert<R> {
        let mut draft = self.inserting(row);
        draft.put();
        Insert::new(draft)
    }

    /// Changes rows; which ones, a filter says. What the shape leaves unset stays as it is.
    pub fn update(&self, changes: &impl Changes<R>) -> Change<R> {
        self.updating(changes)
    }
}

/// A table named at run time.
impl Table<Value> {
    /// Reads rows: `"id, customer:customers(name)"`, or `"*"` for all columns.
    pub fn select(&self, columns: &str) -> Select<Value> {
        Select::new(self.draft(Method::GET)).columns(columns)
    }

    /// Adds a row: a JSON object, or a struct. One that is there already is a conflict.
    pub fn insert(&self, row: &(impl Serialize + ?Sized)) -> Insert<Value> {
        Insert::new(self.inserting(row))
    }

    /// Adds rows, all of them or none. What a row leaves out takes its default.
    pub fn insert_many(&self, rows: &[impl Serialize]) -> Insert<Value> {
        Insert::new(self.inserting(rows))
    }

    /// Adds a row; if its primary key is there already, sets the columns that are sent. See
    /// [`crate::rest::Query::on_conflict`] for another key.
    pub fn upsert(&self, row: &(impl Serialize + ?Sized)) -> Insert<Value> {
        merging(self.inserting(row))
    }

    /// As [`Table::upsert`], for several rows, all of them or none. They must set the same columns;
    /// [`crate::rest::Query::in_pieces`] sends others apart.
    pub fn upsert_many(&self, rows: &[impl Serialize]) -> Insert<Value> {
        merging(self.inserting(rows))
    }

    /// Changes rows; which ones, a filter says. What the object leaves out stays as it is.
    pub fn update(&self, changes: &(impl Serialize + ?Sized)) -> Change<Value> {
        self.updating(changes)
    }
}

fn merging<R>(mut draft: Draft) -> Insert<R> {
    draft.prefer.resolution = Some("merge-duplicates");
    if !draft.key.is_empty() {
        draft.set_pair("on_conflict", on_conflict(draft.key));
    }
    Insert::new(draft)
}

impl Draft {
    /// Says in `columns` which columns the rows set: where they do not all set the same, and where a row
    /// holds some that the database computes.
    fn name_columns(&mut self) {
        let keys = match RowKeys::read(&self.body) {
            Ok(keys) => keys,
            // Whatever it was that could not be written has been noted.
            Err(_) if self.body.is_empty() => return,
            Err(_) => {
                return self.fail("what is written has to be rows: objects with a value for each column");
            }
        };
        let many = self.body.starts_with(b"[");
        let columns: Vec<_> = keys
            .union()
            .into_iter()
            .filter(|name| !self.generated.contains(name))
            .map(str::to_owned)
            .collect();
        if (many && !columns.is_empty()) || columns.len() < keys.union().len() {
            self.set_pair("columns", quote::names(&columns));
        }
        if keys.are_ragged() {
            self.prefer.missing = Some(Missing::Default);
        }
        self.many = many;
        self.rows = Some(keys);
    }

    /// Turns an insert of one row into a PUT: the key stands in the address as well, and what the database
    /// computes is taken out of the row, since PUT heeds no `columns`.
    fn put(&mut self) {
        self.method = Method::PUT;
        self.pairs.clear();
        let mut row: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&self.body).unwrap_or_default();
        row.retain(|name, _| !self.generated.contains(&name.as_str()));
        for key in self.key {
            if self.generated.contains(key) {
                self.fail(format!(
                    "{key} is made by the database, so no row can be put at one: update the row"
                ));
            }
            match row.get(*key).and_then(|value| serde_json::from_str(value.get()).ok()) {
                None | Some(Value::Null) => self.fail(format!("the row has no {key}, which is in its key")),
                Some(value) => self.filter_column(key, format!("eq.{}", value.literal())),
            }
        }
        self.set_body(&row);
        if self.key.is_empty() {
            self.fail("the table has no primary key to put a row at");
        }
    }
}

impl<R> fmt::Debug for Table<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Table({})", self.name)
    }
}
