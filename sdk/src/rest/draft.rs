//! A request in the making, without types: what every [`crate::rest::Query`] holds.
//!
//! Nothing here is generic, so that a crate with fifty tables compiles it once.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::rest::reply::{self, Affected};
use crate::rest::scope::{Clauses, Condition};
use crate::rest::write::RowKeys;
use crate::rest::{Field, quote};
use crate::retry::Retry;
use crate::transport::{Replay, Reply, Request};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");

/// From this length on, an address is a likely reason for a refusal. Gateways differ: 8 kB is common.
const LONG_ADDRESS: usize = 8_000;

/// How rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One by one: right, and slow on large tables.
    Exact,
    /// By the planner's statistics: fast, and rough.
    Planned,
    /// Exact up to the server's row limit, by the planner beyond.
    Estimated,
}

impl Count {
    fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Planned => "planned",
            Self::Estimated => "estimated",
        }
    }
}

/// What a column becomes that a row of an insert does not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Its default.
    Default,
    /// Null.
    Null,
}

/// How a query is carried out: what `EXPLAIN` is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explain {
    /// Carries the query out, and says how long each step took.
    pub analyze: bool,
    /// Says more of each step.
    pub verbose: bool,
    /// Names settings that differ from their default.
    pub settings: bool,
    /// Counts the pages that were read. Needs `analyze`.
    pub buffers: bool,
    /// Counts what went to the write-ahead log. Needs `analyze`.
    pub wal: bool,
    /// Answers with JSON instead of text.
    pub json: bool,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Rows,
    One,
    Csv,
    GeoJson,
    Plan(Explain),
}

/// What is preferred, one of each kind, so that no preference can push out another.
#[derive(Clone, Default)]
pub(super) struct Preferences {
    pub(super) resolution: Option<&'static str>,
    pub(super) count: Option<Count>,
    pub(super) missing: Option<Missing>,
    pub(super) max_affected: Option<u64>,
    pub(super) rollback: bool,
    pub(super) timezone: Option<String>,
    pub(super) returning: Option<&'static str>,
}

impl Preferences {
    fn render(&self) -> String {
        let mut words: Vec<Cow<'static, str>> = Vec::new();
        words.extend(self.resolution.map(|word| format!("resolution={word}").into()));
        words.extend(self.count.map(|count| format!("count={}", count.word()).into()));
        words.extend(self.missing.map(|missing| match missing {
            Missing::Default => "missing=default".into(),
            Missing::Null => "missing=null".into(),
        }));
        if let Some(rows) = self.max_affected {
            words.extend(["handling=strict".into(), format!("max-affected={rows}").into()]);
        }
        if self.rollback {
            words.push("tx=rollback".into());
        }
        words.extend(self.timezone.as_ref().map(|zone| format!("timezone={zone}").into()));
        words.extend(self.returning.map(|word| format!("return={word}").into()));
        words.join(", ")
    }
}

#[derive(Clone)]
pub(super) struct Draft {
    pub(super) client: Client,
    pub(super) method: Method,
    /// The table or the function, as it is named.
    pub(super) relation: Cow<'static, str>,
    /// What stands before it in the path: `rpc/` for a function.
    folder: &'static str,
    schema: Option<String>,
    pub(super) key: &'static [&'static str],
    /// The columns that pages go on by, where it is not the key; as they stand in a query.
    pub(super) page_key: Vec<String>,
    /// Query pairs that are no filters: arguments, `columns`, `on_conflict`.
    pub(super) pairs: Vec<(Cow<'static, str>, String)>,
    pub(super) select: Option<String>,
    pub(super) clauses: Clauses,
    pub(super) prefer: Preferences,
    pub(super) form: Form,
    pub(super) nulls_stripped: bool,
    headers: HeaderMap,
    pub(super) body: bytes::Bytes,
    /// The rows of the body; `None` where it is no rows.
    pub(super) rows: Option<RowKeys>,
    /// True if the body is a list of rows, and not one alone.
    pub(super) many: bool,
    /// The columns of the row that are never written.
    pub(super) generated: Vec<&'static str>,
    pub(super) page_size: Option<usize>,
    pub(super) expected: Option<u64>,
    pub(super) replay: Option<Replay>,
    retry: Option<Retry>,
    timeout: Option<Duration>,
    /// What went wrong on the way; sending says so.
    fault: Option<String>,
}

impl Draft {
    pub(super) fn new(
        client: Client,
        method: Method,
        relation: Cow<'static, str>,
        schema: Option<&str>,
    ) -> Self {
        Self {
            client,
            method,
            relation,
            folder: "",
            schema: schema.map(str::to_owned),
            key: &[],
            page_key: Vec::new(),
            pairs: Vec::new(),
            select: None,
            clauses: Clauses::default(),
            prefer: Preferences::default(),
            form: Form::Rows,
            nulls_stripped: false,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
            rows: None,
            many: false,
            generated: Vec::new(),
            page_size: None,
            expected: None,
            replay: None,
            retry: None,
            timeout: None,
            fault: None,
        }
    }

    /// A call of a function.
    pub(super) fn call(client: Client, function: Cow<'static, str>, schema: Option<&str>) -> Self {
        Self { folder: "rpc/", ..Self::new(client, Method::POST, function, schema) }
    }

    pub(super) fn select_fields(&mut self, fields: &[Field]) {
        self.select = Some(super::projection::list(fields));
    }

    pub(super) fn set_schema(&mut self, schema: &str) {
        self.schema = Some(schema.to_owned());
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    pub(super) fn set_retry(&mut self, retry: Retry) {
        self.retry = Some(retry);
    }

    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        match (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => self.fail(format!("the header {name:?} cannot be sent with this value")),
        }
    }

    pub(super) fn set_body(&mut self, body: &(impl Serialize + ?Sized)) {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = body.into(),
            // Its own words may repeat the value.
            Err(_) => self.fail("a value cannot be written as JSON"),
        }
    }

    /// Keeps the first reason why this cannot be sent.
    pub(super) fn fail(&mut self, message: impl Into<String>) {
        self.fault.get_or_insert_with(|| message.into());
    }

    pub(super) fn set_pair(&mut self, name: &'static str, value: String) {
        self.pairs.retain(|(known, _)| known != name);
        self.pairs.push((name.into(), value));
    }

    /// Adds a test of a column by its name.
    pub(super) fn filter_column(&mut self, column: &str, test: String) {
        let name = quote::parameter(quote::name(column).into_owned().into());
        self.filter_written(name.into_owned(), test);
    }

    pub(super) fn filter_written(&mut self, name: String, value: String) {
        self.clauses.filters.push(Condition::Written(name, value));
    }

    /// Fails for whatever went wrong on the way, and for rows that one statement would damage.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.check_but_ragged()?;
        if self.merges() && self.rows.as_ref().is_some_and(RowKeys::are_ragged) {
            let message = "the rows of this upsert set different columns, and one statement would set all of \
                           them in every row: send them with in_pieces(), or set the same columns";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(())
    }

    pub(super) fn check_but_ragged(&self) -> Result<(), Error> {
        if matches!(&*self.relation, "" | "." | "..") {
            return Err(Error::new(ErrorKind::Invalid, "no table or function has this name"));
        }
        if let Some(message) = &self.fault {
            return Err(Error::new(ErrorKind::Invalid, message.clone()));
        }
        let met =
            self.pairs.iter().find(|(name, _)| name == "on_conflict").map_or("", |(_, columns)| columns);
        match self.generated.iter().find(|column| met.split(',').any(|met| met == quote::name(column))) {
            Some(column) => Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "{column} of {} is made by the database, so no row that is sent can be met by it: update the row, or meet it on_conflict of other columns",
                    self.relation
                ),
            )),
            None => Ok(()),
        }
    }

    /// True for rows that, sent twice, meet themselves: every one brings the columns it is met by.
    fn meets_itself(&self) -> bool {
        let met = self.pairs.iter().find(|(name, _)| name == "on_conflict");
        let (Some(_), Some((_, met)), Some(rows)) = (self.prefer.resolution, met, &self.rows) else {
            return false;
        };
        let brings = |columns: &[String], met: &str| columns.iter().any(|column| quote::name(column) == met);
        rows.groups.iter().all(|(columns, _)| met.split(',').all(|met| brings(columns, met)))
    }

    /// True for the call of a function that is not known to only read.
    pub(super) fn may_write(&self) -> bool {
        self.method == Method::POST && !self.folder.is_empty() && self.replay != Some(Replay::Safe)
    }

    /// True for an upsert that changes rows that are there.
    pub(super) fn merges(&self) -> bool {
        self.prefer.resolution == Some("merge-duplicates")
    }

    /// Keeps one group of rows, those of the body, which set the same columns.
    pub(super) fn take_group(&mut self, group: usize) {
        let Some((columns, _)) = self.rows.as_ref().and_then(|rows| rows.groups.get(group)).cloned() else {
            return;
        };
        let columns: Vec<_> =
            columns.into_iter().filter(|name| !self.generated.contains(&name.as_str())).collect();
        self.set_pair("columns", quote::names(&columns));
        self.prefer.missing = None;
        if let Some(rows) = &mut self.rows {
            rows.groups = rows.groups.drain(..).skip(group).take(1).collect();
        }
    }

    /// What is sent.
    pub(super) fn request(&self) -> Result<Request, Error> {
        self.check()?;
        let path = ["/rest/v1/", self.folder, &encoded(&self.relation)].concat();
        let mut request = Request::new(self.method.clone(), path);
        request.query.extend(self.pairs.iter().cloned());
        if let Some(select) = &self.select {
            request.query.push(("select".into(), select.clone()));
        }
        self.clauses.render("", &mut |name, value| request.query.push((name, value)));
        request.headers = self.headers.clone();
        let reads = matches!(self.method, Method::GET | Method::HEAD);
        let profile = if reads { ACCEPT_PROFILE } else { CONTENT_PROFILE };
        let schema = self.schema.as_deref().unwrap_or_else(|| self.client.default_schema());
        request = request.header(profile, schema)?;
        if self.prefer.timezone.as_ref().is_some_and(|zone| zone.contains([',', ';', '='])) {
            return Err(Error::new(ErrorKind::Invalid, "a time zone has a name such as Europe/Paris"));
        }
        let prefer = self.prefer.render();
        if !prefer.is_empty() {
            request = request.header(PREFER, &prefer)?;
        }
        if let Some(accept) = self.accept() {
            request = request.header(ACCEPT, &accept)?;
        }
        if !self.body.is_empty() {
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request.body = self.body.clone().into();
        }
        request.replay =
            self.replay.unwrap_or(if self.meets_itself() { Replay::Safe } else { request.replay });
        request.retry = self.retry;
        request.timeout = self.timeout;
        Ok(request)
    }

    fn accept(&self) -> Option<String> {
        let stripped = if self.nulls_stripped { ";nulls=stripped" } else { "" };
        match self.form {
            Form::Rows if self.nulls_stripped => Some(format!("application/vnd.pgrst.array+json{stripped}")),
            Form::Rows => None,
            Form::One => Some(format!("application/vnd.pgrst.object+json{stripped}")),
            Form::Csv => Some("text/csv".to_owned()),
            Form::GeoJson => Some("application/geo+json".to_owned()),
            Form::Plan(explain) => {
                let options = [
                    (explain.analyze, "analyze"),
                    (explain.verbose, "verbose"),
                    (explain.settings, "settings"),
                    (explain.buffers, "buffers"),
                    (explain.wal, "wal"),
                ];
                let options: Vec<_> = options.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
                Some(format!(
                    "application/vnd.pgrst.plan+{}; for=\"application/json\"; options={};",
                    if explain.json { "json" } else { "text" },
                    options.join("|")
                ))
            }
        }
    }

    /// Sends it, and gives an accepted answer.
    pub(super) async fn send(&self) -> Result<Reply, Error> {
        let request = self.request()?;
        let length = request.query.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let answer = self.client.send(request).await.and_then(Reply::accepted);
        let reply = answer.map_err(|error| self.explained(error, length))?;
        self.check_applied(&reply)?;
        Ok(reply)
    }

    /// Says what a bare refusal leaves out: that the address was long, that a policy may hide the row.
    fn explained(&self, error: Error, length: usize) -> Error {
        let too_long = matches!(
            error.status(),
            Some(StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        ) || (length > LONG_ADDRESS && error.code().is_none());
        if too_long {
            return error.with_words(&format!(
                "; the address holds {length} bytes, which may be more than a gateway takes: split a long list with in_pieces()"
            ));
        }
        match error.code() {
            Some("PGRST116") if is_no_row(&error) => error.with_words(&format!("; {}", self.no_rows())),
            Some("PGRST201") => error.with_words(
                "; several foreign keys lead there: name one with embed(by = …), embed(hint = …) or table!hint(…)",
            ),
            Some("42703") if error.message().contains("->") => {
                error.with_words("; a path into JSON is col(\"column\").json(\"key\"), or json_text")
            }
            _ => error,
        }
    }

    /// Why there may be no rows where some are known to be.
    pub(super) fn no_rows(&self) -> String {
        format!(
            "asked as role {} of {}: if the rows are there, a row-level policy hides them from it",
            self.client.role(),
            self.relation
        )
    }

    /// An older server, or one that is set up otherwise, leaves out silently what it does not do.
    fn check_applied(&self, reply: &Reply) -> Result<(), Error> {
        let applied = |preference: &str| {
            let values = reply.headers.get_all(APPLIED).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|applied| applied.trim() == preference)
        };
        if self.prefer.rollback && !applied("tx=rollback") {
            let message =
                "the server is not set up for dry runs (db-tx-end): what was sent has been carried out";
            return Err(Error::new(ErrorKind::Protocol, message));
        }
        let written = reply::total(&reply.headers);
        match (self.prefer.max_affected, written) {
            (Some(most), Some(rows)) if rows > most => {
                let message = format!(
                    "{rows} rows of {} were changed, and {most} at most were allowed; the server does not know max-affected, so they stay changed",
                    self.relation
                );
                Err(Error::new(ErrorKind::Count, message))
            }
            (Some(_), None)
                if !applied(&format!("max-affected={}", self.prefer.max_affected.unwrap_or_default())) =>
            {
                let message = "the server neither counted the rows nor says that it held their number down";
                Err(Error::new(ErrorKind::Protocol, message))
            }
            _ => Ok(()),
        }
    }

    /// Sends a write, and says how many rows it touched.
    pub(super) async fn write(&self) -> Result<Affected, Error> {
        let reply = self.send().await?;
        let affected = Affected::new(reply::total(&reply.headers), self.client.role());
        self.check_expected(affected.rows())?;
        Ok(affected)
    }

    pub(super) fn check_expected(&self, rows: Option<u64>) -> Result<(), Error> {
        let Some(expected) = self.expected else { return Ok(()) };
        let why = match rows {
            Some(rows) if rows == expected => return Ok(()),
            Some(0) => format!(
                "no row of {} was touched where {expected} should be; {}",
                self.relation,
                self.no_rows()
            ),
            Some(rows) => format!(
                "{rows} rows of {} were touched where {expected} should be, and stay so",
                self.relation
            ),
            None => format!("the server does not say how many rows of {} it touched", self.relation),
        };
        Err(Error::new(ErrorKind::Count, why))
    }
}

/// True for the refusal of one row where there is none.
pub(super) fn is_no_row(error: &Error) -> bool {
    error.code() == Some("PGRST116") && error.details().as_str().is_some_and(|said| said.contains(" 0 rows"))
}

/// A segment of a path.
fn encoded(segment: &str) -> Cow<'_, str> {
    const SEGMENT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(segment, SEGMENT).into()
}

/// The body of an upsert or insert meets existing rows on these columns.
pub(super) fn on_conflict(columns: &[impl AsRef<str>]) -> String {
    columns.iter().map(|column| quote::name(column.as_ref())).collect::<Vec<_>>().join(",")
}
