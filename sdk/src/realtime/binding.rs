//! Which changes of which tables: what is asked of the server in a join, and which change is for whom.
//!
//! The server gives each binding an id and names the ids of those a change is for. Which id is whose is found
//! by what it says the binding is, never by its place in the list. Bindings that are the same are sent once,
//! and what comes for them goes to each who listens. A binding whose id is not known is matched by the
//! change's own schema, table and kind, so that a server with other words for a filter is no failure.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde_json::Value;

use crate::realtime::reply::Bound;
use crate::rest::{Filter, Row};

/// Which kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Kind {
    #[serde(rename = "*")]
    Any,
    #[serde(rename = "INSERT")]
    Insert,
    #[serde(rename = "UPDATE")]
    Update,
    #[serde(rename = "DELETE")]
    Delete,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// A binding as it stands in a join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Shape {
    pub(super) event: Kind,
    pub(super) schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
}

impl Shape {
    /// True if the server's words describe this one. What it leaves out it has nothing to say about.
    fn is_named(&self, bound: &Bound, exactly: bool) -> bool {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty() && text != "*");
        let event = bound.event.as_deref().is_none_or(|event| event.eq_ignore_ascii_case(self.event.word()));
        let schema = bound.schema.as_deref().is_none_or(|schema| schema == self.schema);
        let table = text(&bound.table) == text(&self.table);
        event && schema && table && (!exactly || text(&bound.filter) == text(&self.filter))
    }

    /// True if a change of this kind, in this table, is one it asks for, as far as that can be told here.
    fn covers(&self, kind: Kind, schema: &str, table: &str) -> bool {
        (self.event == Kind::Any || self.event == kind)
            && (self.schema == schema || self.schema == "*")
            && self.table.as_deref().is_none_or(|ours| ours == table || ours == "*")
    }
}

/// The ids of bindings; `None` for one whose id is not known.
pub(super) fn assign(shapes: &[Shape], bound: &[Bound]) -> Vec<Option<u64>> {
    let mut ids = vec![None; shapes.len()];
    for exactly in [true, false] {
        for (shape, id) in shapes.iter().zip(&mut ids).filter(|(_, id)| id.is_none()) {
            let mut named = bound.iter().filter(|bound| shape.is_named(bound, exactly));
            let found = named.next();
            // Two that differ in their filters only cannot be told apart without them.
            *id = found.filter(|_| exactly || named.next().is_none()).map(|bound| bound.id);
        }
    }
    ids
}

/// True if a change that the server says is for `ids` is for this binding.
pub(super) fn is_for(
    (shape, id): (&Shape, Option<u64>),
    ids: &[u64],
    (kind, schema, table): (Kind, &str, &str),
) -> bool {
    match id {
        Some(id) if !ids.is_empty() => ids.contains(&id),
        _ => shape.covers(kind, schema, table), // the server speaks of no id that is known
    }
}

/// Which changes of a table are listened to. [`crate::realtime::NewChannel::on_changes`] takes one.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use supabase_sdk::Table;
/// use supabase_sdk::realtime::Binding;
/// # #[derive(Serialize, Deserialize, Table)]
/// # #[table(name = "bookings")]
/// # struct Booking { #[table(key)] id: i64, owner_id: i64 }
/// let mine = Binding::<Booking>::all().filter(Booking::OWNER_ID.eq(1_i64));
/// let any_new = Binding::<Booking>::inserts();
/// ```
pub struct Binding<R> {
    pub(super) shape: Shape,
    /// False where it is the client's schema that is meant.
    pub(super) schema_is_told: bool,
    pub(super) fault: Option<&'static str>,
    of: PhantomData<fn() -> R>,
}

impl<R: Row> Binding<R> {
    /// Every change of the table.
    pub fn all() -> Self {
        Self::new(Kind::Any, R::SCHEMA, Some(R::TABLE))
    }

    /// Rows that are added.
    pub fn inserts() -> Self {
        Self::new(Kind::Insert, R::SCHEMA, Some(R::TABLE))
    }

    /// Rows that change.
    pub fn updates() -> Self {
        Self::new(Kind::Update, R::SCHEMA, Some(R::TABLE))
    }

    /// Rows that are removed. Everybody who may listen to the table is told of each, by its key alone: the
    /// server neither filters them nor asks policies, since the row is gone.
    pub fn deletes() -> Self {
        Self::new(Kind::Delete, R::SCHEMA, Some(R::TABLE))
    }
}

impl Binding<Value> {
    /// Every change of a table that is named at run time.
    pub fn table(table: &str) -> Self {
        Self::new(Kind::Any, None, Some(table))
    }

    /// Every change of every table in a schema.
    pub fn schema(schema: &str) -> Self {
        Self::new(Kind::Any, Some(schema), None)
    }

    /// The same in another schema than the client's.
    #[must_use]
    pub fn in_schema(mut self, schema: &str) -> Self {
        (self.shape.schema, self.schema_is_told) = (schema.to_owned(), true);
        self
    }

    /// Rows that are added, and nothing else.
    #[must_use]
    pub fn only_inserts(self) -> Self {
        self.only(Kind::Insert)
    }

    /// Rows that change, and nothing else.
    #[must_use]
    pub fn only_updates(self) -> Self {
        self.only(Kind::Update)
    }

    /// Rows that are removed, and nothing else.
    #[must_use]
    pub fn only_deletes(self) -> Self {
        self.only(Kind::Delete)
    }

    fn only(mut self, kind: Kind) -> Self {
        self.shape.event = kind;
        self
    }
}

impl<R> Binding<R> {
    fn new(event: Kind, schema: Option<&str>, table: Option<&str>) -> Self {
        let shape = Shape {
            event,
            schema: schema.unwrap_or("public").to_owned(),
            table: table.map(str::to_owned),
            filter: None,
        };
        Self { shape, schema_is_told: schema.is_some(), fault: None, of: PhantomData }
    }

    /// Keeps the rows that pass, several filters all of them. The server knows comparisons, `is_in` of at most
    /// a hundred values, patterns, `is_null` and their opposites, joined by `and`. It looks at the row as it is
    /// after the change, so one that no longer passes is not told of, and a removed row is not looked at.
    ///
    /// What it does not know is an [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) of the subscription. A column
    /// of another table does not compile:
    ///
    /// ```compile_fail
    /// # use serde::{Deserialize, Serialize};
    /// # use supabase_sdk::{Table, realtime::Binding};
    /// # #[derive(Serialize, Deserialize, Table)]
    /// # #[table(name = "bookings")]
    /// # struct Booking { #[table(key)] id: i64 }
    /// # #[derive(Serialize, Deserialize, Table)]
    /// # #[table(name = "vehicles")]
    /// # struct Vehicle { #[table(key)] id: i64 }
    /// let _ = Binding::<Booking>::all().filter(Vehicle::ID.eq(1_i64));
    /// ```
    #[must_use]
    pub fn filter(mut self, filter: Filter<R>) -> Self {
        match filter.into_realtime() {
            Ok(added) => {
                let before = self.shape.filter.take().map(|before| before + ",");
                self.shape.filter = Some(before.unwrap_or_default() + &added);
            }
            Err(fault) => self.fault = Some(fault),
        }
        self
    }

    /// What is wrong with it.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let deletes = self.shape.event == Kind::Delete && self.shape.filter.is_some();
        self.fault.or_else(|| deletes.then_some("the server does not filter rows that are removed"))
    }
}

impl<R> Clone for Binding<R> {
    fn clone(&self) -> Self {
        let Self { shape, schema_is_told, fault, of } = self;
        Self { shape: shape.clone(), schema_is_told: *schema_is_told, fault: *fault, of: *of }
    }
}

impl<R> fmt::Debug for Binding<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shape { event, schema, table, filter } = &self.shape;
        let table = table.as_deref().unwrap_or("*");
        let filter = if filter.is_some() { ", filter hidden" } else { "" };
        write!(out, "Binding({} of {schema}.{table}{filter})", event.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::{Column, col};

    fn bound(id: u64, event: &str, table: Option<&str>, filter: Option<&str>) -> Bound {
        let text = |text: &str| Some(text.to_owned());
        Bound {
            id,
            event: text(event),
            schema: text("public"),
            table: table.and_then(text),
            filter: filter.and_then(text),
        }
    }

    fn shape(filter: Option<Filter<Value>>) -> Shape {
        let binding = Binding::table("bookings");
        match filter {
            Some(filter) => binding.filter(filter).shape,
            None => binding.shape,
        }
    }

    #[test]
    fn filters_are_written_as_the_server_reads_them() {
        const DAY: Column<Value, String> = Column::new("the day");
        let check = |filter: Filter<Value>, written: &str| {
            assert_eq!(shape(Some(filter)).filter.as_deref(), Some(written));
        };
        check(col("id").eq(1), "id=eq.1");
        check(col("name").eq("foo, (bar)").and(col("n").gte(2)), r#"name=eq."foo, (bar)",n=gte.2"#);
        check(col("id").is_in([1, 2]), "id=in.(1,2)");
        check(col("id").is_in(["a,b", "c d"]), r#"id=in.("a,b",c d)"#);
        check(!col("at").is_null(), "at=not.is.null");
        check((!col("id").eq(4)).and(!col("x").like("%a\"b")), r#"id=not.eq.4,x=not.like."%a\"b""#);
        check(DAY.eq("x"), "the day=eq.x");
        check(col("a").is_distinct("\\"), r#"a=isdistinct."\\""#);
        for refused in [
            col("a").eq(1).or(col("b").eq(2)),
            !(col("a").eq(1).and(col("b").eq(2))),
            col("a").contains(["x"]),
            col("a").eq_any_of([1]),
            col("a").is_in((0..101).collect::<Vec<i32>>()),
            col("a").is_in([0; 0]),
            col("a,b").eq(1),
            col("a").json("b").eq(1),
        ] {
            assert!(Binding::table("t").filter(refused.clone()).fault().is_some(), "{refused:?}");
        }
        assert!(Binding::table("t").only_deletes().filter(col("a").eq(1)).fault().is_some());
        assert!(Binding::table("t").filter(col("a").eq(1)).fault().is_none());
    }

    #[test]
    fn ids_are_found_by_what_a_binding_is() {
        let (first, second, all) = (shape(Some(col("a").eq(1))), shape(Some(col("a").eq(2))), shape(None));
        let shapes = [first, second, all.clone()];
        let named = |order: &[usize]| {
            let filters = [Some("a=eq.1"), Some("a=eq.2"), None];
            let bound: Vec<_> =
                order.iter().map(|at| bound(10 + *at as u64, "*", Some("bookings"), filters[*at])).collect();
            assign(&shapes, &bound)
        };
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            assert_eq!(named(&order), [Some(10), Some(11), Some(12)]);
        }
        // One that comes back in other words is still the only one of its table and kind.
        let other_words = [bound(7, "*", Some("bookings"), Some("a=eq.'1'"))];
        assert_eq!(assign(&shapes[..1], &other_words), [Some(7)]);
        let no_words = [bound(7, "insert", None, None)];
        assert_eq!(assign(&shapes[..1], &no_words), [None]);
        let at = (Kind::Update, "public", "bookings");
        assert!(is_for((&all, Some(7)), &[6, 7], at) && !is_for((&all, Some(7)), &[6], at));
        assert!(is_for((&all, None), &[6], at) && is_for((&all, Some(7)), &[], at));
        assert!(!is_for((&all, None), &[6], (Kind::Update, "public", "others")));
    }
}
