//! Orders of rows.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// An order of rows. From [`crate::Column::asc`] and [`crate::Column::desc`].
pub struct Order<R> {
    term: Term,
    of: PhantomData<fn() -> R>,
}

/// One column of an order, without its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// As it stands in a query.
    pub(super) column: Cow<'static, str>,
    pub(super) descending: bool,
    pub(super) nulls: Option<Nulls>,
    /// True for a column of a key, which is never null.
    pub(super) of_key: bool,
}

/// Where nulls stand in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nulls {
    First,
    Last,
}

impl<R> Order<R> {
    pub(super) fn by(column: Cow<'static, str>, descending: bool) -> Self {
        Self { term: Term { column, descending, nulls: None, of_key: false }, of: PhantomData }
    }

    /// Nulls before everything else.
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.term.nulls = Some(Nulls::First);
        self
    }

    /// Nulls after everything else.
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.term.nulls = Some(Nulls::Last);
        self
    }

    pub(super) fn into_term(self) -> Term {
        self.term
    }

    /// The same order, of the rows that embed this one.
    pub(super) fn through<T>(self, embed: &str) -> Order<T> {
        let column = Cow::Owned(format!("{embed}({})", self.term.column));
        Order { term: Term { column, ..self.term }, of: PhantomData }
    }
}

impl Term {
    pub(super) fn of_key(column: impl Into<Cow<'static, str>>) -> Self {
        Self { column: column.into(), descending: false, nulls: None, of_key: true }
    }

    /// True if there may be nulls and they come last. PostgreSQL takes null for the greatest value.
    pub(super) fn ends_with_nulls(&self) -> bool {
        !self.of_key && self.nulls.map_or(!self.descending, |nulls| nulls == Nulls::Last)
    }

    /// The operator that finds what comes later.
    pub(super) fn beyond(&self) -> &'static str {
        if self.descending { "lt" } else { "gt" }
    }

    pub(super) fn render(&self) -> String {
        let way = if self.descending { "desc" } else { "asc" };
        let nulls = match self.nulls {
            Some(Nulls::First) => ".nullsfirst",
            Some(Nulls::Last) => ".nullslast",
            None => "",
        };
        format!("{}.{way}{nulls}", self.column)
    }
}

impl<R> fmt::Debug for Order<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Order({})", self.term.render())
    }
}
