//! Answers: rows, and how many there are or were written.

use std::ops::Deref;

use http::HeaderMap;
use http::header::CONTENT_RANGE;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::transport::Reply;

/// The rows of an answer, in its order. Reads as a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<R> {
    rows: Vec<R>,
    total: Option<u64>,
    may_be_cut: bool,
}

impl<R> Rows<R> {
    /// How many rows pass in all, when [`crate::rest::Query::count`] asked.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// True if there may be rows that were asked for and did not come.
    ///
    /// A server has a limit of its own (1,000 rows on a hosted project) and cuts without a word. What was
    /// counted is known for certain. Otherwise the rows are held against the limit: the one
    /// [`crate::ClientBuilder::max_rows`] names, or the one a stream of this client ran into; and while
    /// none is known, a number of rows that is a multiple of 100 is taken for one.
    /// [`crate::rest::Query::stream`] and [`crate::rest::Query::fetch_all`] cannot be cut.
    pub fn may_be_cut(&self) -> bool {
        self.may_be_cut
    }

    /// The rows themselves.
    pub fn into_vec(self) -> Vec<R> {
        self.rows
    }
}

impl<R: DeserializeOwned> Rows<R> {
    /// Reads them. `asked` is the limit that was asked for, `offset` how many were skipped, `cap` the most
    /// rows the server is known to answer with.
    pub(super) fn read(
        reply: &Reply,
        asked: Option<usize>,
        offset: usize,
        cap: Option<usize>,
    ) -> Result<Self, Error> {
        let rows: Vec<R> = reply.json()?;
        let total = total(&reply.headers);
        let may_be_cut = may_be_cut(rows.len(), total, asked, offset, cap);
        Ok(Self { rows, total, may_be_cut })
    }
}

fn may_be_cut(
    rows: usize,
    total: Option<u64>,
    asked: Option<usize>,
    offset: usize,
    cap: Option<usize>,
) -> bool {
    if rows == 0 || asked.is_some_and(|asked| rows >= asked) {
        return false;
    }
    match (total, cap) {
        (Some(total), _) => (offset.saturating_add(rows) as u64) < total,
        (None, Some(cap)) => rows >= cap,
        (None, None) => rows.is_multiple_of(100),
    }
}

/// The number after the slash of `0-24/3573458`, `*/0`; none for `*` and where nobody counted.
pub(super) fn total(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.rsplit_once('/')?.1.parse().ok()
}

impl<R> Deref for Rows<R> {
    type Target = [R];

    fn deref(&self) -> &[R] {
        &self.rows
    }
}

impl<R> IntoIterator for Rows<R> {
    type Item = R;
    type IntoIter = std::vec::IntoIter<R>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a, R> IntoIterator for &'a Rows<R> {
    type Item = &'a R;
    type IntoIter = std::slice::Iter<'a, R>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

/// How many rows a write touched. None is no error: look at the number, or say
/// [`crate::rest::Query::expect_affected`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    rows: Option<u64>,
    role: String,
}

impl Affected {
    pub(super) fn new(rows: Option<u64>, role: String) -> Self {
        Self { rows, role }
    }

    /// The number of rows; `None` where the server did not count.
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// The database role that wrote. If it wrote nothing, its policies are the first place to look.
    pub fn role(&self) -> &str {
        &self.role
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_may_be_cut_says_so() {
        let cases = [
            // rows, total, asked, offset, cap
            ((0, None, None, 0, None), false),
            ((7, None, None, 0, None), false),
            ((1000, None, None, 0, None), true),
            ((100, None, Some(100), 0, None), false),
            ((100, None, Some(101), 0, None), true),
            ((1000, Some(1000), None, 0, None), false),
            ((1000, Some(1001), None, 0, None), true),
            ((1, Some(1001), None, 1000, None), false),
            ((50, None, None, 0, Some(50)), true),
            ((100, None, None, 0, Some(1000)), false),
        ];
        for ((rows, total, asked, offset, cap), cut) in cases {
            assert_eq!(
                may_be_cut(rows, total, asked, offset, cap),
                cut,
                "{rows} {total:?} {asked:?} {cap:?}"
            );
        }
    }

    #[test]
    fn a_total_is_read_or_left_out() {
        for (range, expected) in
            [("0-24/3573458", Some(3_573_458)), ("*/0", Some(0)), ("0-1/*", None), ("x", None)]
        {
            let headers = HeaderMap::from_iter([(CONTENT_RANGE, range.parse().unwrap())]);
            assert_eq!(total(&headers), expected, "{range}");
        }
    }
}
