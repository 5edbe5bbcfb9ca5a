//! Answers to rows.

use std::ops::Deref;

use http::header::CONTENT_RANGE;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::transport::Reply;

/// The rows of an answer, in its order. Reads as a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<R> {
    rows: Vec<R>,
    total: Option<u64>,
}

impl<R> Rows<R> {
    /// How many rows pass in all, when [`crate::rest::Select::count`] asked.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The rows themselves.
    pub fn into_vec(self) -> Vec<R> {
        self.rows
    }
}

impl<R: DeserializeOwned> Rows<R> {
    pub(super) fn read(reply: &Reply) -> Result<Self, Error> {
        // "0-24/3573458", "*/0"; "/*" when nobody counted.
        let range = reply.headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let total = range.and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        Ok(Self { rows: reply.json()?, total })
    }
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
