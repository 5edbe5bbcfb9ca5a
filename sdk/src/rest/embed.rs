//! Rows inside rows: what is embedded, under which name.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde_json::Value;

use crate::rest::filter::{Node, Test};
use crate::rest::{Filter, Order, quote};

/// Rows of `E` inside rows of `R`. `#[derive(Projection)]` makes one for each embedded field; [`rel`] names
/// one at run time.
pub struct Embed<R, E> {
    name: Cow<'static, str>,
    of: PhantomData<fn() -> (R, E)>,
}

/// Something embedded, named at run time by its alias, or by its table where it has none.
///
/// ```
/// # fn run(client: supabase_sdk::Client) {
/// use supabase_sdk::rest::{col, rel};
/// let query = client.from("countries").select("*,cities(name)")
///     .within(rel("cities"), |cities| cities.filter(col("name").eq("Bali")).limit(1));
/// # }
/// ```
pub fn rel<R>(name: impl Into<String>) -> Embed<R, Value> {
    Embed { name: Cow::Owned(name.into()), of: PhantomData }
}

impl<R, E> Embed<R, E> {
    /// Names an embedded field.
    pub const fn new(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), of: PhantomData }
    }

    /// Rows around that have nothing here.
    pub fn is_null(self) -> Filter<R> {
        Filter::new(Node::Compare {
            column: Cow::Owned(self.render()),
            negated: false,
            test: Test::Is("null"),
        })
    }

    /// Rows around that have something here, as an inner embed would keep.
    pub fn is_not_null(self) -> Filter<R> {
        !self.is_null()
    }

    /// Orders the rows around by what they embed, where that is one row at most.
    pub fn order(self, order: Order<E>) -> Order<R> {
        order.through(&self.render())
    }

    /// The name as it stands in a query.
    pub(super) fn render(self) -> String {
        quote::name(&self.name)
    }
}

impl<R, E> Clone for Embed<R, E> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), of: PhantomData }
    }
}

impl<R, E> fmt::Debug for Embed<R, E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Embed({})", self.name)
    }
}
