//! Reading all rows, page by page, each going on after the last row of the one before.
//!
//! A page goes on by key, not by number, so rows that come or go meanwhile neither shift nor double the
//! others. It ends on an empty page and on nothing else: a server that cuts answers shorter than was
//! asked only makes more pages.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;

use futures_util::stream::{self, Stream, TryStreamExt};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::rest::draft::Draft;
use crate::rest::filter::{Node, Test};
use crate::rest::order::Term;
use crate::rest::query::stage::Reads;
use crate::rest::scope::Condition;
use crate::rest::{Columns, Query, quote};

/// Rows on their way. From [`Query::stream`].
pub type RowStream<R> = Pin<Box<dyn Stream<Item = Result<R, Error>> + Send>>;

/// All rows, however many.
impl<T, R: DeserializeOwned + Send + 'static, S: Reads> Query<T, R, S> {
    /// How many rows a page of [`Query::stream`] asks for: 1,000 unless told.
    pub fn page_size(self, rows: usize) -> Self {
        self.with(|draft| draft.page_size = Some(rows.max(1)))
    }

    /// All rows that pass, page by page, in the order asked for and then by primary key. No limit of the
    /// server cuts it; [`Query::limit`] ends it.
    ///
    /// An order goes by columns of the table itself, and [`Query::offset`] skips rows of the first page. A
    /// function is called once for each page, and so it has to be one that only reads.
    ///
    /// # Errors
    /// The stream ends with the first failure. [`ErrorKind::Invalid`] where no primary key is known: see
    /// [`Query::stream_by`].
    ///
    /// ```
    /// # use supabase_sdk::{Client, Error, Row};
    /// # async fn run<Note: Row + Send + 'static>(client: Client) -> Result<(), Error> {
    /// use futures_util::TryStreamExt;
    /// let mut notes = client.table::<Note>().select().stream();
    /// while let Some(note) = notes.try_next().await? { /* … */ }
    /// # Ok(()) }
    /// ```
    pub fn stream(self) -> RowStream<R> {
        Box::pin(pages(*self.draft).map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten())
    }

    /// As [`Query::stream`], where the key is not known: these columns have to be unique together, and
    /// never null.
    pub fn stream_by(self, key: impl Columns<T>) -> RowStream<R> {
        self.with(|draft| draft.page_key = key.list()).stream()
    }

    /// All rows that pass, collected: a [`Query::stream`] to its end.
    ///
    /// # Errors
    /// As [`Query::stream`].
    pub async fn fetch_all(self) -> Result<Vec<R>, Error> {
        self.stream().try_collect().await
    }
}

/// What is known between two pages.
struct Reader {
    draft: Draft,
    /// The whole order: what was asked for, and the key.
    order: Vec<Term>,
    /// What these columns are called in the answer.
    names: Vec<String>,
    /// How many rows are still wanted; no end if `None`.
    wanted: Option<usize>,
    /// How many rows the last page held, if that was fewer than were asked for.
    short: Option<usize>,
    started: bool,
    /// Where the pages ended so far, each as a hash of the order's columns in its last row.
    ends: HashSet<u64>,
    hashing: RandomState,
}

fn pages<R: DeserializeOwned + Send + 'static>(
    draft: Draft,
) -> impl Stream<Item = Result<Vec<R>, Error>> + Send {
    let reader = Reader::new(draft);
    stream::once(async move { reader })
        .map_ok(|reader| {
            stream::try_unfold(reader, |mut reader| async move {
                let page = reader.next().await?;
                Ok(page.map(|page| (page, reader)))
            })
        })
        .try_flatten()
}

impl Reader {
    const PAGE: usize = 1_000;

    fn new(mut draft: Draft) -> Result<Self, Error> {
        draft.check()?;
        if draft.may_write() {
            let message = format!(
                "a stream calls {} once for each page, and it may write: call it with get(), or declare that it READS",
                draft.relation
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, message));
        let key: Vec<String> = match draft.page_key.is_empty() {
            true => draft.key.iter().map(|column| quote::name(column).into_owned()).collect(),
            false => draft.page_key.clone(),
        };
        if key.is_empty() {
            return invalid(format!(
                "{} has no key that is known here: name one with stream_by()",
                draft.relation
            ));
        }
        let mut order = std::mem::take(&mut draft.clauses.order);
        for column in key {
            match order.iter_mut().find(|term| term.column == column) {
                Some(term) => term.of_key = true,
                None => order.push(Term::of_key(column)),
            }
        }
        let mut names = Vec::with_capacity(order.len());
        for term in &order {
            let Some(name) = plain_name(&term.column) else {
                return invalid(format!(
                    "pages cannot go on by {}: order by columns of the table itself",
                    term.column
                ));
            };
            names.push(ask_for(&mut draft.select, &term.column, &name, names.len()));
        }
        let wanted = draft.clauses.limit.take();
        draft.clauses.order = order.clone();
        Ok(Self {
            draft,
            order,
            names,
            wanted,
            short: None,
            started: false,
            ends: HashSet::new(),
            hashing: RandomState::new(),
        })
    }

    /// The next page; `None` after the last.
    async fn next<R: DeserializeOwned>(&mut self) -> Result<Option<Vec<R>>, Error> {
        let asked = self.draft.page_size.unwrap_or(Self::PAGE).min(self.wanted.unwrap_or(usize::MAX));
        if asked == 0 {
            return Ok(None);
        }
        self.draft.clauses.limit = Some(asked);
        let reply = self.draft.send().await?;
        let raw: Vec<&RawValue> = reply.json_borrowed()?;
        let Some(last) = raw.last() else { return Ok(None) };
        // Two pages cut to the same length are the server's limit; one may be the end, and a row that came since.
        let short = (raw.len() < asked).then_some(raw.len());
        if let Some(cap) = short.filter(|_| short == self.short) {
            self.draft.client.learn_row_cap(cap);
        }
        self.short = short;
        self.go_on_after(last)?;
        self.wanted = self.wanted.map(|wanted| wanted.saturating_sub(raw.len()));
        // What was asked for only to go on by is not part of the rows.
        if self.names.iter().any(|name| name.starts_with(ASKED)) {
            let rows: Vec<R> = raw.iter().map(|row| without_asked(row)).collect::<Result<_, _>>()?;
            return Ok(Some(rows));
        }
        Ok(Some(reply.json()?))
    }

    /// Asks for what comes after a row from now on.
    fn go_on_after(&mut self, row: &RawValue) -> Result<(), Error> {
        let unexpected =
            || Error::new(ErrorKind::Protocol, "a row has no value for a column that pages go on by");
        let row: HashMap<String, &RawValue> = serde_json::from_str(row.get()).map_err(|_| unexpected())?;
        let mut last = Vec::with_capacity(self.order.len());
        for name in &self.names {
            last.push(match row.get(name) {
                Some(value) => text(value)?,
                None if self.draft.nulls_stripped => None,
                None => return Err(unexpected()),
            });
        }
        let after = after(&self.order, &last).ok_or_else(unexpected)?;
        if !self.ends.insert(self.hashing.hash_one(&last)) {
            return Err(Error::new(
                ErrorKind::Protocol,
                "the server answers with the same rows again and again",
            ));
        }
        if self.started {
            self.draft.clauses.filters.pop();
        }
        self.started = true;
        self.draft.clauses.offset = None;
        self.draft.clauses.filters.push(Condition::Tree(after));
        Ok(())
    }
}

/// A column's own name, of its name in a query; `None` for a path into JSON or into what is embedded.
pub(super) fn plain_name(column: &str) -> Option<String> {
    match column.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) if !quoted.contains("\"->") => Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\")),
        Some(_) => None,
        None => {
            column.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| column.to_owned())
        }
    }
}

/// What a column is called that is asked for only to go on by it.
const ASKED: &str = "_page_";

/// Reads a row without the columns that nobody but us asked for.
fn without_asked<R: DeserializeOwned>(row: &RawValue) -> Result<R, Error> {
    let unexpected = |_| Error::new(ErrorKind::Protocol, "a row in the answer is not one");
    let mut columns: BTreeMap<String, &RawValue> = serde_json::from_str(row.get()).map_err(unexpected)?;
    columns.retain(|name, _| !name.starts_with(ASKED));
    let row = serde_json::to_string(&columns).map_err(unexpected)?;
    crate::transport::read(&row)
}

/// Adds a column to a select list that does not hold it as it is, under a name that clashes with none. Says
/// what it is called in the answer.
fn ask_for(select: &mut Option<String>, column: &str, name: &str, at: usize) -> String {
    let Some(list) = select else { return name.to_owned() };
    let (mut depth, mut in_quotes, mut start) = (0_u32, false, 0);
    let mut items = Vec::new();
    for (at, char) in list.char_indices() {
        match char {
            '"' => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes => depth = depth.saturating_sub(1),
            ',' if !in_quotes && depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {} // part of an item
        }
    }
    items.push(&list[start..]);
    let plain = |item: &&str| ["*", column, name].contains(item);
    // A star and an alias of the same name: which of the two would be meant?
    let taken =
        |item: &&str| item.starts_with(&format!("{name}:")) || item.starts_with(&format!("{column}:"));
    if items.iter().any(plain) && !items.iter().any(taken) {
        return name.to_owned();
    }
    let asked = format!("{ASKED}{at}");
    list.extend([",", &asked, ":", column]);
    asked
}

/// A value of the last row as text; `None` for null.
fn text(value: &RawValue) -> Result<Option<String>, Error> {
    match value.get().as_bytes() {
        b"null" => Ok(None),
        [b'"', ..] => serde_json::from_str(value.get())
            .map(Some)
            .map_err(|_| Error::new(ErrorKind::Protocol, "a text in the answer is not one")),
        [b'{' | b'[', ..] => {
            Err(Error::new(ErrorKind::Invalid, "pages cannot go on by a column that holds JSON or arrays"))
        }
        _ => Ok(Some(value.get().to_owned())), // a number or a truth value: PostgreSQL reads it as it stands
    }
}

/// The rows that come after one with these values, in this order: for the order a, b it is
/// `a > x or (a = x and b > y)`, with nulls where the order has them. `None` if nothing comes after.
///
/// Where the first column is never null, `a >= x` is said as well: an index is read from there on, which
/// PostgreSQL does not find out from the rest.
fn after(order: &[Term], last: &[Option<String>]) -> Option<Node> {
    let mut ways = Vec::new();
    for (at, (term, value)) in order.iter().zip(last).enumerate() {
        let mut beyond = Vec::new();
        match value {
            Some(value) => {
                beyond.push(compare(term, Test::Value(term.beyond().into(), value.clone())));
                beyond.extend(term.ends_with_nulls().then(|| compare(term, Test::Is("null"))));
            }
            None if term.ends_with_nulls() => {}
            None => beyond.push(not(compare(term, Test::Is("null")))),
        }
        for beyond in beyond {
            let same = order[..at].iter().zip(last).map(|(term, value)| match value {
                Some(value) => compare(term, Test::Value("eq".into(), value.clone())),
                None => compare(term, Test::Is("null")),
            });
            let mut nodes: Vec<_> = same.collect();
            nodes.push(beyond);
            ways.push(group(true, nodes));
        }
    }
    let (first, value) = (order.first()?, last.first()?);
    match value {
        Some(value) if first.of_key && ways.len() > 1 => {
            let from = compare(first, Test::Value(format!("{}e", first.beyond()).into(), value.clone()));
            Some(group(true, vec![from, group(false, ways)]))
        }
        _ => (!ways.is_empty()).then(|| group(false, ways)),
    }
}

fn compare(term: &Term, test: Test) -> Node {
    Node::Compare { column: term.column.clone(), negated: false, test }
}

fn not(node: Node) -> Node {
    match node {
        Node::Compare { column, negated, test } => Node::Compare { column, negated: !negated, test },
        Node::Group { all, negated, nodes } => Node::Group { all, negated: !negated, nodes },
    }
}

fn group(all: bool, mut nodes: Vec<Node>) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => Node::Group { all, negated: false, nodes },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::order::Nulls;

    fn pair(order: &[&Term], last: &[Option<&str>]) -> (String, String) {
        let last: Vec<_> = last.iter().map(|value| value.map(str::to_owned)).collect();
        let order: Vec<_> = order.iter().map(|term| (*term).clone()).collect();
        let (name, value) = after(&order, &last).unwrap().pair();
        (name.into_owned(), value)
    }

    #[test]
    fn a_page_goes_on_after_the_last_row_nulls_included() {
        let (id, key) = (Term::of_key("id"), Term::of_key("a"));
        let up = Term { of_key: false, ..key.clone() };
        let down = Term { descending: true, ..up.clone() };
        let last = Term { nulls: Some(Nulls::Last), ..down.clone() };
        let id_down = Term { descending: true, ..id.clone() };
        let (x, seven) = (Some("x"), Some("7"));
        let check = |order: &[&Term], values: &[Option<&str>], name: &str, value: &str| {
            assert_eq!(pair(order, values), (name.to_owned(), value.to_owned()));
        };
        check(&[&id], &[seven], "id", "gt.7");
        check(&[&id_down], &[seven], "id", "lt.7");
        check(&[&key, &id], &[x, seven], "and", "(a.gte.x,or(a.gt.x,and(a.eq.x,id.gt.7)))");
        check(&[&up, &id], &[x, seven], "or", "(a.gt.x,a.is.null,and(a.eq.x,id.gt.7))");
        check(&[&up, &id], &[None, seven], "and", "(a.is.null,id.gt.7)");
        check(&[&down, &id], &[x, seven], "or", "(a.lt.x,and(a.eq.x,id.gt.7))");
        check(&[&down, &id], &[None, seven], "or", "(a.not.is.null,and(a.is.null,id.gt.7))");
        check(&[&last, &id], &[x, seven], "or", "(a.lt.x,a.is.null,and(a.eq.x,id.gt.7))");
    }

    #[test]
    fn the_columns_pages_go_on_by_are_asked_for_once() {
        let asked = |list: &str, column: &str, name: &str| {
            let mut select = Some(list.to_owned());
            ask_for(&mut select, column, name, 0);
            select.unwrap()
        };
        assert_eq!(asked("*", "id", "id"), "*");
        assert_eq!(asked("title,id", "id", "id"), "title,id");
        assert_eq!(asked("title,lines(id)", "id", "id"), "title,lines(id),_page_0:id");
        assert_eq!(asked("a:id", "id", "id"), "a:id,_page_0:id");
        assert_eq!(asked("id::text", "id", "id"), "id::text,_page_0:id");
        assert_eq!(asked("*,id:other", "id", "id"), "*,id:other,_page_0:id");
        assert_eq!(asked("\"a,id\"", "\"a b\"", "a b"), "\"a,id\",_page_0:\"a b\"");
    }
}
