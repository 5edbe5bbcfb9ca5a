//! A request to a table or a function, as a value: built step by step, sent by its last one.
//!
//! One type serves every verb; its stage says what may come next. What a stage does not allow does not
//! compile: an update or a delete without a filter, a filter on an insert, rows from a write that returns
//! none.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::rest::draft::{self, Count, Draft, Explain, Form, Missing, on_conflict};
use crate::rest::rpc::is_nothing;
use crate::rest::scope::Condition;
use crate::rest::{Affected, Embed, Filter, Order, Projection, Rows, Scope, quote, reply};
use crate::retry::Retry;
use crate::transport::{Replay, Request};

/// Stages of a [`Query`].
pub mod stage {
    /// Reads rows of a table.
    #[derive(Debug)]
    pub enum Read {}
    /// Calls a function that gives rows.
    #[derive(Debug)]
    pub enum Call {}
    /// Calls a function that gives one value.
    #[derive(Debug)]
    pub enum CallValue {}
    /// Calls a function that gives one row, or none.
    #[derive(Debug)]
    pub enum CallRow {}
    /// Adds rows.
    #[derive(Debug)]
    pub enum Insert {}
    /// Changes or removes rows, and does not know yet which.
    #[derive(Debug)]
    pub enum Unfiltered {}
    /// Changes or removes rows.
    #[derive(Debug)]
    pub enum Filtered {}
    /// Writes, and answers with rows.
    #[derive(Debug)]
    pub enum Returning {}

    /// Stages that take filters, and what they become by one.
    #[diagnostic::on_unimplemented(message = "this takes no filter")]
    pub trait Filterable {
        /// The stage after a filter.
        type Then;
    }
    impl Filterable for Read {
        type Then = Self;
    }
    impl Filterable for Call {
        type Then = Self;
    }
    impl Filterable for Unfiltered {
        type Then = Filtered;
    }
    impl Filterable for Filtered {
        type Then = Self;
    }

    /// Stages that give rows.
    #[diagnostic::on_unimplemented(
        message = "this gives no rows",
        note = "a write gives rows after `.returning()`"
    )]
    pub trait GivesRows {}
    impl GivesRows for Read {}
    impl GivesRows for Call {}
    impl GivesRows for Returning {}

    /// Stages that read, so that rows can be sorted and counted off.
    #[diagnostic::on_unimplemented(message = "only what is read can be sorted and counted off")]
    pub trait Reads {}
    impl Reads for Read {}
    impl Reads for Call {}

    /// Stages that change or remove rows, whose number can be held to.
    #[diagnostic::on_unimplemented(message = "only a number of changed or removed rows can be expected")]
    pub trait Counted {}
    impl Counted for Unfiltered {}
    impl Counted for Filtered {}
    impl Counted for Returning {}

    /// Stages that call a function.
    #[diagnostic::on_unimplemented(message = "only a function has a value")]
    pub trait Calls {}
    impl Calls for Call {}
    impl Calls for CallValue {}

    /// Stages that write and can be sent.
    #[diagnostic::on_unimplemented(
        message = "this cannot be sent yet",
        note = "an update or a delete needs a `.filter(…)`, or `.all_rows()` if all of them are meant"
    )]
    pub trait Writes {}
    impl Writes for Insert {}
    impl Writes for Filtered {}
}

use stage::{
    Calls, Counted, Filterable, Filtered, GivesRows, Insert as Inserting, Read, Reads, Returning, Unfiltered,
    Writes,
};

/// A request to the table whose row is `T`, answered with rows of `R`, at a stage.
///
/// ```
/// # use supabase_sdk::{Client, rest::col};
/// # fn run() -> Result<(), supabase_sdk::Error> {
/// let client = Client::builder("https://abc.supabase.co", "sb_publishable_abc").build()?;
/// let query = client.from("notes").select("id,title").filter(col("archived").eq(false)).limit(20);
/// assert_eq!(query.request()?.uri(), "/rest/v1/notes?select=id,title&archived=eq.false&limit=20");
/// # Ok(()) }
/// ```
///
/// An update or a delete that names no rows cannot be sent:
///
/// ```compile_fail
/// # async fn run(client: supabase_sdk::Client) {
/// client.from("notes").delete().send().await;         // which ones?
/// # }
/// ```
///
/// ```
/// # use supabase_sdk::{Client, Error, rest::col};
/// # async fn run(client: Client) -> Result<(), Error> {
/// client.from("notes").delete().filter(col("id").eq(1)).expect_affected(1).send().await?;
/// client.from("notes").delete().all_rows().send().await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent before fetch, send or the like"]
pub struct Query<T, R, S> {
    /// Boxed, because each step of the building hands it on.
    pub(super) draft: Box<Draft>,
    of: About<T, R, S>,
}

/// What a request is about, and what it may do next.
pub(super) type About<T, R, S> = PhantomData<fn() -> (T, R, S)>;

/// Reads rows. From [`crate::rest::Table::select`].
pub type Select<T, R = T> = Query<T, R, Read>;
/// Adds rows. From [`crate::rest::Table::insert`] and its kin.
pub type Insert<T> = Query<T, T, Inserting>;
/// Changes or removes rows that a filter is still to name. From [`crate::rest::Table::update`] and
/// [`crate::rest::Table::delete`].
pub type Change<T> = Query<T, T, Unfiltered>;

impl<T, R, S> Query<T, R, S> {
    pub(super) fn new(draft: impl Into<Box<Draft>>) -> Self {
        Self { draft: draft.into(), of: PhantomData }
    }

    pub(super) fn at<S2>(self) -> Query<T, R, S2> {
        Query::new(self.draft)
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Draft)) -> Self {
        change(&mut self.draft);
        self
    }

    /// Sets a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|draft| draft.set_header(name, value))
    }

    /// Bounds this request, with all its tries, instead of the client's timeout.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|draft| draft.set_timeout(timeout))
    }

    /// Sends this request again like this, instead of as the client does.
    pub fn retry(self, retry: Retry) -> Self {
        self.with(|draft| draft.set_retry(retry))
    }

    /// Carries the statement out in a time zone: `Europe/Paris`. Times with a zone come in it, and those
    /// without one are read in it.
    pub fn timezone(self, zone: impl Into<String>) -> Self {
        self.with(|draft| draft.prefer.timezone = Some(zone.into()))
    }

    /// Takes everything back at the end: what would have happened is answered and does not happen. Only
    /// where the server is set up for it (`db-tx-end`), which a hosted project is not.
    ///
    /// The request then fails with [`ErrorKind::Protocol`] where the server did not do so, and has written.
    pub fn rollback(self) -> Self {
        self.with(|draft| draft.prefer.rollback = true)
    }

    /// What would be sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when a value cannot be written.
    pub fn request(&self) -> Result<Request, Error> {
        self.draft.request()
    }
}

/// Which rows.
impl<T, R, S> Query<T, R, S> {
    /// Keeps the rows that pass; several filters must all be passed.
    pub fn filter(self, filter: Filter<T>) -> Query<T, R, S::Then>
    where
        S: Filterable,
    {
        self.with(|draft| draft.clauses.filters.push(Condition::Tree(filter.into_node()))).at()
    }

    /// Keeps the rows whose columns equal the values of an object: `json!({"a": 1, "b": null})`.
    pub fn matching(self, values: &impl serde::Serialize) -> Query<T, R, S::Then>
    where
        S: Filterable,
    {
        self.with(|draft| match serde_json::to_value(values) {
            Ok(Value::Object(values)) if !values.is_empty() => {
                for (name, value) in values {
                    let test =
                        if value.is_null() { "is.null".to_owned() } else { format!("eq.{}", literal(value)) };
                    draft.filter_column(&name, test);
                }
            }
            Ok(_) => draft.fail("matching wants an object with at least one column"),
            Err(_) => draft.fail("a value cannot be written as JSON"),
        })
        .at()
    }

    /// Adds a filter in PostgREST's own words, as they are: `("id", "in.(1,2)")`, `("or", "(a.eq.1,b.is.null)")`.
    /// Whatever the text holds becomes part of the question: never put in what somebody typed.
    pub fn filter_unescaped(self, name: impl Into<String>, test: impl Into<String>) -> Query<T, R, S::Then>
    where
        S: Filterable,
    {
        self.with(|draft| draft.filter_written(name.into(), test.into())).at()
    }
}

fn literal(value: Value) -> String {
    crate::rest::Literal::literal(value)
}

/// What is embedded, and which part of the rows.
impl<T, R, S: Reads> Query<T, R, S> {
    /// Asks for a part of what is embedded.
    pub fn within<E>(self, embed: Embed<T, E>, ask: impl FnOnce(Scope<E>) -> Scope<E>) -> Self {
        let clauses = ask(Scope::new()).into_clauses();
        self.with(|draft| draft.clauses.within.push((embed.render(), clauses)))
    }

    /// Sorts; a second order decides where the first leaves rows equal.
    pub fn order(self, order: Order<T>) -> Self {
        self.with(|draft| draft.clauses.order.push(order.into_term()))
    }

    /// Answers with so many rows at most. The server may have a lower limit of its own.
    pub fn limit(self, rows: usize) -> Self {
        self.with(|draft| draft.clauses.limit = Some(rows))
    }

    /// Skips rows. Rows that come or go meanwhile shift the others: to read a whole table use
    /// [`Query::stream`].
    pub fn offset(self, rows: usize) -> Self {
        self.with(|draft| draft.clauses.offset = Some(rows))
    }

    /// The rows from one place to another, both counted from 0 and included.
    pub fn range(self, from: usize, to: usize) -> Self {
        self.with(|draft| draft.clauses.range(from, to))
    }

    /// Counts all rows that pass as well: see [`Rows::total`].
    pub fn count(self, count: Count) -> Self {
        self.with(|draft| draft.prefer.count = Some(count))
    }

    /// Counts all rows that pass, and fetches none.
    ///
    /// # Errors
    /// As [`Query::fetch`]; [`ErrorKind::Protocol`] when the server did not count.
    pub async fn head(mut self, count: Count) -> Result<u64, Error> {
        self.draft.prefer.count = Some(count);
        // A function is called with the arguments in its body, and HEAD has none: its rows are not sent.
        if self.draft.body.is_empty() {
            self.draft.method = Method::HEAD;
        } else {
            self.draft.prefer.returning = Some("minimal");
        }
        let reply = self.draft.send().await?;
        reply::total(&reply.headers)
            .ok_or_else(|| Error::new(ErrorKind::Protocol, "the server did not count the rows"))
    }
}

/// The answer.
impl<T, R, S: GivesRows> Query<T, R, S> {
    /// Asks for other columns, in PostgREST's own words: `id,total::text,lines:repair_lines(*)`. A list that
    /// somebody typed can name columns that were not meant: see [`Query::filter_unescaped`].
    pub fn columns(self, columns: &str) -> Self {
        self.with(|draft| draft.select = Some(quote::without_blanks(columns)))
    }

    /// Reads the rows as something else.
    pub fn typed<R2>(self) -> Query<T, R2, S> {
        Query::new(self.draft)
    }

    /// Leaves out of each row what is null.
    pub fn strip_nulls(self) -> Self {
        self.with(|draft| draft.nulls_stripped = true)
    }

    /// Asks for CSV, with a header line.
    ///
    /// # Errors
    /// As [`Query::fetch`].
    pub async fn csv(self) -> Result<String, Error> {
        self.text(Form::Csv).await
    }

    /// Asks for a GeoJSON feature collection. The table needs a PostGIS column.
    ///
    /// # Errors
    /// As [`Query::fetch`].
    pub async fn geojson(mut self) -> Result<Value, Error> {
        self.draft.form = Form::GeoJson;
        self.draft.send().await?.json()
    }

    /// Asks how the query would be carried out. Where the server is set up for it (`db-plan-enabled`).
    ///
    /// # Errors
    /// As [`Query::fetch`]; [`ErrorKind::Invalid`] where the server does not show plans.
    pub async fn explain(self, explain: Explain) -> Result<String, Error> {
        self.text(Form::Plan(explain)).await
    }

    async fn text(mut self, form: Form) -> Result<String, Error> {
        self.draft.form = form;
        let reply = self.draft.send().await?;
        String::from_utf8(reply.body.into())
            .map_err(|source| Error::new(ErrorKind::Protocol, "the answer is not UTF-8").with_source(source))
    }
}

/// The rows.
impl<T, R, S> Query<T, R, S> {
    /// Asks.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown table or column; rows a policy hides are no error.
    pub async fn fetch(self) -> Result<Rows<R>, Error>
    where
        S: GivesRows,
        R: DeserializeOwned,
    {
        let reply = self.draft.send().await?;
        let clauses = &self.draft.clauses;
        let rows = Rows::read(
            &reply,
            clauses.limit,
            clauses.offset.unwrap_or_default(),
            self.draft.client.row_cap(),
        )?;
        self.draft.check_expected(Some(rows.len() as u64))?;
        if rows.may_be_cut() {
            tracing::warn!(table = %self.draft.relation, rows = rows.len(), "the answer may be cut: see Rows::may_be_cut");
        }
        Ok(rows)
    }

    /// Asks for exactly one row.
    ///
    /// # Errors
    /// [`ErrorKind::Count`] when there is none or there are several; a write is taken back then.
    pub async fn single(mut self) -> Result<R, Error>
    where
        S: GivesRows,
        R: DeserializeOwned,
    {
        self.draft.form = Form::One;
        self.draft.send().await?.json()
    }

    /// Asks for one row, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Count`] when there are several; a write is taken back then.
    pub async fn maybe_single(self) -> Result<Option<R>, Error>
    where
        S: GivesRows,
        R: DeserializeOwned,
    {
        if self.draft.method != Method::GET {
            // So the server takes a write of several rows back.
            return match self.single().await {
                Err(error) if draft::is_no_row(&error) => Ok(None),
                answer => answer.map(Some),
            };
        }
        let relation = self.draft.relation.clone();
        let mut rows = self.fetch().await?.into_vec();
        if rows.len() > 1 {
            let message = format!("{} rows of {relation} pass where one at most was expected", rows.len());
            return Err(Error::new(ErrorKind::Count, message));
        }
        Ok(rows.pop())
    }
}

/// Adding rows. All of one request are one statement: all of them or none.
impl<T> Query<T, T, Inserting> {
    /// Meets existing rows on these columns instead of the primary key. They need a unique constraint.
    pub fn on_conflict(self, columns: impl Columns<T>) -> Self {
        self.with(|draft| draft.set_pair("on_conflict", columns.list().join(",")))
    }

    /// Leaves rows alone that are there already, instead of changing them.
    pub fn ignore_duplicates(self) -> Self {
        self.with(|draft| draft.prefer.resolution = Some("ignore-duplicates"))
    }

    /// Says that the rows bring keys of their own making, such as random UUIDs: one that is there already
    /// came from an earlier try and is left alone. So the request is safe to send twice, and is sent again
    /// when an answer is lost.
    ///
    /// ```
    /// # use serde_json::json;
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let id = "0190f3a2-7c3e-7d1a-9f00-5c2b7c1d2e3f";
    /// client.from("notes").insert(&json!({ "id": id, "title": "tea" })).replay_safe().send().await?;
    /// # Ok(()) }
    /// ```
    pub fn replay_safe(self) -> Self {
        let query = self.ignore_duplicates().with(|draft| draft.replay = Some(Replay::Safe));
        let named = query.draft.pairs.iter().any(|(name, _)| name == "on_conflict");
        if named || query.draft.key.is_empty() {
            return query;
        }
        query.with(|draft| draft.set_pair("on_conflict", on_conflict(draft.key)))
    }

    /// What a column becomes that a row leaves out while others set it: its default unless told.
    pub fn missing(self, missing: Missing) -> Self {
        self.with(|draft| draft.prefer.missing = Some(missing))
    }

    /// Names the columns that are written, instead of reading them off the rows.
    pub fn columns<N: AsRef<str>>(self, columns: &[N]) -> Self {
        self.with(|draft| draft.set_pair("columns", quote::names(columns)))
    }

    /// Adds the row, and says where it is: the address PostgREST gives it, `/notes?id=eq.7`.
    ///
    /// # Errors
    /// As [`Query::send`].
    pub async fn locate(mut self) -> Result<Option<String>, Error> {
        self.draft.prefer.returning = Some("headers-only");
        let reply = self.draft.send().await?;
        let location = reply.headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        Ok(location.map(str::to_owned))
    }
}

/// Changing and removing rows.
impl<T> Query<T, T, Unfiltered> {
    /// Every row there is, as far as policies let us. Says so with a filter that all rows pass, where the
    /// table's key is known: hosted projects refuse a statement without any.
    pub fn all_rows(self) -> Query<T, T, Filtered> {
        let key = self.draft.key.first().copied();
        let query = self.at();
        match key {
            Some(key) => query.with(|draft| draft.filter_column(key, "not.is.null".to_owned())),
            None => query,
        }
    }
}

/// Changing and removing rows.
impl<T, R, S: Counted> Query<T, R, S> {
    /// Takes the write back if it touches more rows than this. The server checks before it commits.
    pub fn max_affected(self, rows: u64) -> Self {
        self.with(|draft| draft.prefer.max_affected = Some(rows))
    }

    /// Fails unless exactly so many rows are touched. If it is more, the server takes the write back; if it
    /// is less, what was touched stays.
    pub fn expect_affected(self, rows: u64) -> Self {
        self.with(|draft| {
            draft.expected = Some(rows);
            draft.prefer.max_affected = Some(rows);
        })
    }
}

/// Writing.
impl<T, S> Query<T, T, S> {
    /// Answers with the rows as they are now, whole.
    pub fn returning(self) -> Query<T, T, Returning>
    where
        S: Writes,
    {
        self.with(|draft| {
            draft.prefer.returning = Some("representation");
            draft.prefer.count = None;
            draft.select.get_or_insert_with(|| "*".to_owned());
        })
        .at()
    }

    /// Answers with a part of the rows as they are now.
    pub fn returning_as<P: Projection<Of = T>>(self) -> Query<T, P, Returning>
    where
        S: Writes,
    {
        self.returning().with(|draft| draft.select_fields(P::FIELDS)).typed()
    }

    /// Writes, and says how many rows it touched.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when a row is there already, `Forbidden` when a policy refuses one,
    /// `Invalid` when a value does not fit, `Count` when [`Query::expect_affected`] is not met. Except for
    /// the last nothing is written then.
    pub async fn send(self) -> Result<Affected, Error>
    where
        S: Writes,
    {
        self.draft.write().await
    }
}

/// Calling a function.
impl<T, R, S: Calls> Query<T, R, S> {
    /// Calls with GET, for a function that only reads. Its arguments then stand in the address, and in logs.
    pub fn get(self) -> Self {
        self.with(Draft::get)
    }

    /// Calls, and reads the answer as it is, whatever it is: a number, a text, a list, nothing.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such function with these arguments; what it raises otherwise.
    pub async fn value(self) -> Result<R, Error>
    where
        R: DeserializeOwned,
    {
        self.draft.value().await
    }
}

/// Calling a function that gives one row, or none.
impl<R: DeserializeOwned> Query<R, R, stage::CallRow> {
    /// Calls with GET, for a function that only reads. Its arguments then stand in the address, and in logs.
    pub fn get(self) -> Self {
        self.with(Draft::get)
    }

    /// Calls; a row of nulls is none.
    ///
    /// # Errors
    /// As [`Query::value`].
    pub async fn value(self) -> Result<Option<R>, Error> {
        let reply = self.draft.send().await?;
        if is_nothing(&reply.body) { Ok(None) } else { reply.json().map(Some) }
    }
}

/// One column or several, of the table whose row is `T`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a column of `{T}`, nor several")]
pub trait Columns<T> {
    /// Their names as they stand in a query.
    fn list(self) -> Vec<String>;
}

impl<T, V, N: crate::rest::Name> Columns<T> for crate::Column<T, V, N> {
    fn list(self) -> Vec<String> {
        vec![self.render().into_owned()]
    }
}

macro_rules! columns {
    ($($name:ident)+) => {
        impl<T, $($name: Columns<T>),+> Columns<T> for ($($name,)+) {
            #[allow(non_snake_case, reason = "a name each for the parts of the tuple")]
            fn list(self) -> Vec<String> {
                let ($($name,)+) = self;
                [$($name.list()),+].concat()
            }
        }
    };
}
columns! { A B }
columns! { A B C }
columns! { A B C D }

impl<T, R, S> Clone for Query<T, R, S> {
    fn clone(&self) -> Self {
        Self::new(self.draft.clone())
    }
}

impl<T, R, S> fmt::Debug for Query<T, R, S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Query").field(&self.draft.request()).finish()
    }
}
