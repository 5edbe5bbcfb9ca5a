//! Which rows, in which order, how many: of a table, and of what is embedded in it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::rest::filter::Node;
use crate::rest::order::Term;
use crate::rest::{Embed, Filter, Order};

/// What is asked of the rows embedded by [`crate::rest::Query::within`]: the same as of a table.
pub struct Scope<R> {
    clauses: Clauses,
    of: PhantomData<fn() -> R>,
}

/// A scope without its row.
#[derive(Clone, Default)]
pub(super) struct Clauses {
    pub(super) filters: Vec<Condition>,
    pub(super) order: Vec<Term>,
    pub(super) limit: Option<usize>,
    pub(super) offset: Option<usize>,
    pub(super) within: Vec<(String, Self)>,
}

/// One condition: ours, or as somebody wrote it.
#[derive(Clone)]
pub(super) enum Condition {
    Tree(Node),
    Written(String, String),
}

impl<R> Scope<R> {
    pub(super) fn new() -> Self {
        Self { clauses: Clauses::default(), of: PhantomData }
    }

    pub(super) fn into_clauses(self) -> Clauses {
        self.clauses
    }

    /// Keeps the rows that pass; several filters must all be passed. The rows around stay, unless the embed
    /// is an inner one.
    #[must_use]
    pub fn filter(mut self, filter: Filter<R>) -> Self {
        self.clauses.filters.push(Condition::Tree(filter.into_node()));
        self
    }

    /// Sorts; a second order decides where the first leaves rows equal.
    #[must_use]
    pub fn order(mut self, order: Order<R>) -> Self {
        self.clauses.order.push(order.into_term());
        self
    }

    /// So many rows at most, in each row around.
    #[must_use]
    pub fn limit(mut self, rows: usize) -> Self {
        self.clauses.limit = Some(rows);
        self
    }

    /// Skips rows, in each row around.
    #[must_use]
    pub fn offset(mut self, rows: usize) -> Self {
        self.clauses.offset = Some(rows);
        self
    }

    /// The rows from one place to another, both counted from 0 and included.
    #[must_use]
    pub fn range(mut self, from: usize, to: usize) -> Self {
        self.clauses.range(from, to);
        self
    }

    /// Asks the same of what is embedded one level deeper.
    #[must_use]
    pub fn within<E>(mut self, embed: Embed<R, E>, ask: impl FnOnce(Scope<E>) -> Scope<E>) -> Self {
        self.clauses.within.push((embed.render(), ask(Scope::new()).clauses));
        self
    }
}

impl Clauses {
    pub(super) fn range(&mut self, from: usize, to: usize) {
        self.offset = Some(from);
        self.limit = Some(to.saturating_add(1).saturating_sub(from));
    }

    /// Adds the query pairs; `path` is empty, or names what embeds these rows and ends with a dot.
    pub(super) fn render(&self, path: &str, mut add: &mut dyn FnMut(Cow<'static, str>, String)) {
        let at = |name: Cow<'static, str>| if path.is_empty() { name } else { [path, &name].concat().into() };
        for condition in &self.filters {
            let (name, value) = match condition {
                Condition::Tree(node) => node.pair(),
                Condition::Written(name, value) => (name.clone().into(), value.clone()),
            };
            add(at(name), value);
        }
        if !self.order.is_empty() {
            let order: Vec<_> = self.order.iter().map(Term::render).collect();
            add(at("order".into()), order.join(","));
        }
        for (name, number) in [("offset", self.offset), ("limit", self.limit)] {
            if let Some(number) = number {
                add(at(name.into()), number.to_string());
            }
        }
        for (embed, clauses) in &self.within {
            clauses.render(&format!("{path}{embed}."), &mut add);
        }
    }
}

impl<R> fmt::Debug for Scope<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Scope({} filters, values hidden)", self.clauses.filters.len())
    }
}
