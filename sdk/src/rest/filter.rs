//! Filters: which rows, as a tree, and its one rendering to query text.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::rest::quote;

/// Which rows of the table whose row is `R`. From the methods of [`crate::Column`].
pub struct Filter<R> {
    node: Node,
    of: PhantomData<fn() -> R>,
}

#[derive(Clone)]
pub(super) enum Node {
    Compare { column: Cow<'static, str>, negated: bool, test: Test },
    Group { all: bool, negated: bool, nodes: Vec<Self> },
}

#[derive(Clone)]
pub(super) enum Test {
    /// An operator and the value after it.
    Value(Cow<'static, str>, String),
    /// `is`, with one of the words it takes.
    Is(&'static str),
    In(Vec<String>),
}

impl<R> Filter<R> {
    pub(super) fn new(node: Node) -> Self {
        Self { node, of: PhantomData }
    }

    pub(super) fn into_node(self) -> Node {
        self.node
    }

    /// Rows that pass both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.group(true, other)
    }

    /// Rows that pass either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.group(false, other)
    }

    /// Rows that pass every one of the filters; `None` when there is none, which is up to the caller.
    ///
    /// ```
    /// use serde_json::Value;
    /// use supabase_sdk::rest::{Filter, col};
    /// let (name, city) = (Some("Zoé"), None::<&str>);
    /// let filters = [name.map(|name| col("name").eq(name)), city.map(|city| col("city").eq(city))];
    /// let filter: Option<Filter<Value>> = Filter::all_of(filters.into_iter().flatten());
    /// assert_eq!(filter.unwrap().pair().1, "eq.Zoé");
    /// ```
    pub fn all_of(filters: impl IntoIterator<Item = Self>) -> Option<Self> {
        filters.into_iter().reduce(Self::and)
    }

    /// Rows that pass at least one of the filters; `None` when there is none, which is up to the caller.
    pub fn any_of(filters: impl IntoIterator<Item = Self>) -> Option<Self> {
        filters.into_iter().reduce(Self::or)
    }

    fn group(self, all: bool, other: Self) -> Self {
        let mut nodes = match self.node {
            Node::Group { all: same, negated: false, nodes } if same == all => nodes,
            node => vec![node],
        };
        nodes.push(other.node);
        Self::new(Node::Group { all, negated: false, nodes })
    }

    /// The query pair that says so, not yet encoded for an address.
    pub fn pair(&self) -> (String, String) {
        let (name, value) = self.node.pair();
        (name.into_owned(), value)
    }

    /// The same as Realtime reads it; what it does not know is refused, in words.
    #[cfg(feature = "realtime")]
    pub(crate) fn into_realtime(self) -> Result<String, &'static str> {
        self.node.realtime()
    }
}

/// The opposite. Null is neither: where a comparison with null gives nothing, so does its opposite.
impl<R> std::ops::Not for Filter<R> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(match self.node {
            Node::Compare { column, negated, test } => Node::Compare { column, negated: !negated, test },
            Node::Group { all, negated, nodes } => Node::Group { all, negated: !negated, nodes },
        })
    }
}

impl<R> Clone for Filter<R> {
    fn clone(&self) -> Self {
        Self::new(self.node.clone())
    }
}

impl<R> fmt::Debug for Filter<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = match &self.node {
            Node::Compare { column, .. } => column,
            Node::Group { all, .. } => word(*all),
        };
        write!(out, "Filter(on {on}, value hidden)")
    }
}

/// Where a value stands, which decides how it is quoted.
#[derive(Clone, Copy)]
enum Place {
    Top,
    Inside,
}

impl Test {
    fn render(&self, negated: bool, place: Place) -> String {
        let not = not(negated);
        match (self, place) {
            (Self::Value(operator, value), Place::Top) => [not, operator, ".", value].concat(),
            (Self::Value(operator, value), Place::Inside) => {
                [not, operator, ".", &quote::listed(value)].concat()
            }
            (Self::Is(word), _) => [not, "is.", word].concat(),
            // PostgREST takes a list of one empty text for an empty list.
            (Self::In(values), place) if values.len() == 1 && values[0].is_empty() => {
                Self::Value("eq".into(), String::new()).render(negated, place)
            }
            (Self::In(values), _) => {
                let values: Vec<_> = values.iter().map(|value| quote::listed(value)).collect();
                [not, "in.(", &values.join(","), ")"].concat()
            }
        }
    }
}

impl Node {
    /// A query pair: a column and its test, or `and`/`or` and the group.
    pub(super) fn pair(&self) -> (Cow<'static, str>, String) {
        match self {
            Self::Compare { column, negated, test } => {
                (quote::parameter(column.clone()), test.render(*negated, Place::Top))
            }
            Self::Group { all, negated, nodes } => {
                ([not(*negated), word(*all)].concat().into(), ["(", &list(nodes), ")"].concat())
            }
        }
    }

    /// Realtime's own grammar: tests of columns, and nothing but `and` between them.
    /// Source: supabase/realtime, `postgres_changes` filters.
    #[cfg(feature = "realtime")]
    fn realtime(&self) -> Result<String, &'static str> {
        const KNOWN: [&str; 11] =
            ["eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "isdistinct"];
        let (column, negated, test) = match self {
            Self::Compare { column, negated, test } => (column, *negated, test),
            Self::Group { all: true, negated: false, nodes } => {
                return Ok(nodes.iter().map(Self::realtime).collect::<Result<Vec<_>, _>>()?.join(","));
            }
            Self::Group { .. } => return Err("Realtime joins filters by `and` alone"),
        };
        let test = match test {
            Test::Value(operator, value) if KNOWN.contains(&&**operator) => {
                [operator, ".", &quote::told(value)].concat()
            }
            Test::Value(..) => return Err("Realtime does not know this comparison"),
            Test::Is(word) => ["is.", word].concat(),
            Test::In(values) if values.is_empty() || values.len() > 100 => {
                return Err("Realtime takes lists of one to a hundred values");
            }
            Test::In(values) => {
                let values: Vec<_> = values.iter().map(|value| quote::told(value)).collect();
                ["in.(", &values.join(","), ")"].concat()
            }
        };
        let name = super::page::plain_name(column).filter(|name| !name.contains([',', '=', '\\', '(', ')']));
        let name = name.ok_or("Realtime filters by columns of the table itself, with plain names")?;
        Ok([&name, "=", not(negated), &test].concat())
    }

    fn render(&self) -> String {
        match self {
            Self::Compare { column, negated, test } => {
                [column, ".", &test.render(*negated, Place::Inside)].concat()
            }
            Self::Group { all, negated, nodes } => {
                [not(*negated), word(*all), "(", &list(nodes), ")"].concat()
            }
        }
    }
}

fn list(nodes: &[Node]) -> String {
    nodes.iter().map(Node::render).collect::<Vec<_>>().join(",")
}

fn not(negated: bool) -> &'static str {
    if negated { "not." } else { "" }
}

fn word(all: bool) -> &'static str {
    if all { "and" } else { "or" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;
    use crate::rest::{TextSearch, col};

    struct Note;
    const TITLE: Column<Note, String> = Column::new("title");
    const YEAR: Column<Note, i64> = Column::new("the year");
    const TAGS: Column<Note, Vec<String>> = Column::new("tags");

    #[test]
    fn filters_render_as_postgrest_reads_them() {
        let cases: [(Filter<Note>, &str, &str); 18] = [
            (TITLE.eq("fish, chips"), "title", "eq.fish, chips"),
            (!TITLE.is_null(), "title", "not.is.null"),
            (YEAR.gte(2020_i64), "\"the year\"", "gte.2020"),
            (TITLE.is_in(["a", "b,c", "q\"\\", "null", ""]), "title", r#"in.(a,"b,c","q\"\\","null","")"#),
            (TITLE.is_in([""; 0]), "title", "in.()"),
            (TITLE.is_in([""]), "title", "eq."),
            (!TITLE.is_in([""]).and(TITLE.is_in([""])), "not.and", r#"(title.eq."",title.eq."")"#),
            (col("order").eq(1), "\"order\"", "eq.1"),
            (col("order").eq(1).or(col("or").eq(2)), "or", "(order.eq.1,or.eq.2)"),
            (TITLE.eq("a)").or(YEAR.lt(3_i64)), "or", r#"(title.eq."a)","the year".lt.3)"#),
            (
                !TITLE.eq("a").and(TITLE.neq("b").or(YEAR.gt(1_i64))),
                "not.and",
                r#"(title.eq.a,or(title.neq.b,"the year".gt.1))"#,
            ),
            (YEAR.eq_any_of([1_i64, 2]), "\"the year\"", "eq(any).{1,2}"),
            (TITLE.ilike_all_of(["%a%", "b,"]), "title", r#"ilike(all).{%a%,"b,"}"#),
            (TAGS.contains(["a", "b c"]), "tags", r#"cs.{a,"b c"}"#),
            (TAGS.overlaps(["x"]).or(TITLE.is_null()), "or", r#"(tags.ov."{x}",title.is.null)"#),
            (TITLE.matches(TextSearch::web("fat or cat").config("fr)e")), "title", "wfts(fre).fat or cat"),
            (col("data").json("a b").json(-1).json_text("0").eq("x"), "data->\"a b\"->-1->>\"0\"", "eq.x"),
            (
                Filter::any_of([TITLE.eq("a"), TITLE.eq("b"), !TITLE.is_in(["c"])]).unwrap(),
                "or",
                "(title.eq.a,title.eq.b,title.not.in.(c))",
            ),
        ];
        for (filter, name, value) in cases {
            assert_eq!(filter.pair(), (name.to_owned(), value.to_owned()));
        }
    }
}
